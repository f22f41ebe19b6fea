"""The classifiers that were asked for, fitted on the labelled training images."""

import logging
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Final

from pyspark.ml import PipelineModel
from pyspark.ml.feature import StringIndexerModel
from pyspark.ml.functions import array_to_vector
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812, because Spark's own documentation spells it so

from fruits_pipeline import schemas
from fruits_pipeline.classify.fitted import INDEX, Fit, Fitted, Stages, assembled, output_of
from fruits_pipeline.classify.forest import forest
from fruits_pipeline.classify.regression import regression
from fruits_pipeline.classify.sample import sampled
from fruits_pipeline.session.arrange import arranged, in_order
from fruits_pipeline.session.tables import conform
from fruits_pipeline.settings.classify import ClassifierName, ClassifySettings
from fruits_pipeline.timeline import step

log = logging.getLogger(__name__)

# Rows of each label that a sample has at least.
_START_ROWS_PER_LABEL: Final = 50
_FOREST_ROWS_PER_LABEL: Final = 20


def train(
    reduced: DataFrame, reduction: PipelineModel, settings: ClassifySettings, labels: list[str]
) -> Iterator[Fitted]:
    """Fits each classifier of the settings, in their order, when it is asked for.

    Args:
        reduced: Rows of ``schemas.REDUCED``.
        reduction: The fitted reduction behind ``reduced``; each saved model begins with its stages.
        settings: Which classifiers, and how.
        labels: The labels of the training images, by alphabet.
    """
    rows = conform(reduced, schemas.REDUCED, "reduced")
    source = output_of(reduction)
    learnt = rows.where((F.col("split") == schemas.TRAIN) & F.col("label").isNotNull())
    count = learnt.count()
    for name in dict.fromkeys(settings.classifier):
        yield assembled(name, reduction, fitted_stages(name, learnt, count, source, settings, labels), labels)


def fitted_stages(
    name: ClassifierName, learnt: DataFrame, count: int, source: str, settings: ClassifySettings, labels: list[str]
) -> Stages:
    """Fits one classifier.

    Args:
        name: Which.
        learnt: Columns ``content_sha256, label, split, pca_features``; each row has a label.
        count: How many rows these are.
        source: The vector column of components that the stages are to take.
        settings: How.
        labels: The labels, by alphabet.
    """
    vectors = partial(_vectors, source=source, labels=labels)
    if name == "random_forest":
        drawn = vectors(_drawn(learnt, count, len(labels), settings)).persist()
        return _timed(name, drawn, count, partial(forest, source, settings))
    start = _start(learnt, count, len(labels), settings)
    start = None if start is None else vectors(start)
    # It keeps blocks of the rows itself.
    return _timed(name, vectors(arranged(learnt)), count, partial(regression, source, settings, start))


def _drawn(learnt: DataFrame, count: int, labels: int, settings: ClassifySettings) -> DataFrame:
    """The rows that the forest is grown from, in one partition and in an order that depends on them alone."""
    most = settings.forest_rows
    # Rows of rare labels come on top; never more than as many again.
    least = max(1, min(_FOREST_ROWS_PER_LABEL, most // labels))
    return in_order(sampled(learnt, count, most, settings.forest_seed, least).repartition(1))


def _start(learnt: DataFrame, count: int, labels: int, settings: ClassifySettings) -> DataFrame | None:
    """The sample that the regression learns from first; None where that would be more than two thirds of the rows."""
    rows = max(settings.regression_start_rows, _START_ROWS_PER_LABEL * labels)
    if 2 * count < 3 * rows:
        return None
    return arranged(sampled(learnt, count, rows, settings.forest_seed, _START_ROWS_PER_LABEL))


def _vectors(rows: DataFrame, source: str, labels: list[str]) -> DataFrame:
    """Vector column ``source`` and double ``label_index``, by alphabet."""
    indexer = StringIndexerModel.from_labels(labels, inputCol="label", outputCol=INDEX)
    vectors = rows.withColumn(source, array_to_vector(F.col("pca_features")))
    return indexer.transform(vectors).select(source, INDEX)


def _timed(name: ClassifierName, learnt: DataFrame, count: int, fit: Callable[[DataFrame], Fit]) -> Stages:
    """Fits, and says how long it took on how many of ``count`` rows; ``learnt`` is no longer kept afterwards."""
    started_s = time.monotonic()
    try:
        with step(f"classify: fit {name}"):
            rows = learnt.count()
            before, classifier = fit(learnt)
    finally:
        learnt.unpersist()
    seconds = round(time.monotonic() - started_s, 1)
    log.info("fitted classifier=%s training_rows=%d of=%d seconds=%.1f", name, rows, count, seconds)
    return Stages(before, classifier, rows, seconds)
