"""The classifiers that were asked for, fitted on the labelled training images."""

import logging
import time
from collections.abc import Iterator

from pyspark.ml import PipelineModel
from pyspark.ml.feature import StringIndexerModel
from pyspark.ml.functions import array_to_vector
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812, because Spark's own documentation spells it so

from fruits_pipeline import schemas
from fruits_pipeline.classify.fitted import INDEX, Fitted, Stages, assembled, output_of
from fruits_pipeline.classify.forest import forest
from fruits_pipeline.classify.regression import regression
from fruits_pipeline.classify.sample import sampled
from fruits_pipeline.session.arrange import arranged, in_order
from fruits_pipeline.session.tables import conform
from fruits_pipeline.settings.classify import ClassifierName, ClassifySettings
from fruits_pipeline.timeline import step

log = logging.getLogger(__name__)


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
        seen = _drawn(learnt, count, settings) if name == "random_forest" else arranged(learnt)
        fit = _timed_stages(name, _vectors(seen, source, labels), source, settings)
        yield assembled(name, reduction, fit, labels)


def _drawn(learnt: DataFrame, count: int, settings: ClassifySettings) -> DataFrame:
    """The rows that the forest is grown from, in one partition and in an order that depends on them alone."""
    return in_order(sampled(learnt, count, settings.forest_rows, settings.forest_seed).repartition(1))


def _vectors(rows: DataFrame, source: str, labels: list[str]) -> DataFrame:
    """Vector column ``source`` and double ``label_index``, by alphabet."""
    indexer = StringIndexerModel.from_labels(labels, inputCol="label", outputCol=INDEX)
    vectors = rows.withColumn(source, array_to_vector(F.col("pca_features")))
    return indexer.transform(vectors).select(source, INDEX)


def _timed_stages(name: ClassifierName, learnt: DataFrame, source: str, settings: ClassifySettings) -> Stages:
    started_s = time.monotonic()
    # The regression keeps blocks of the rows itself.
    learnt = learnt.persist() if name == "random_forest" else learnt
    fit = forest if name == "random_forest" else regression
    try:
        with step(f"classify: fit {name}"):
            rows = learnt.count()
            before, classifier = fit(learnt, source, settings)
    finally:
        learnt.unpersist()
    seconds = round(time.monotonic() - started_s, 1)
    log.info("fitted classifier=%s training_rows=%d seconds=%.1f", name, rows, seconds)
    return Stages(before, classifier, rows, seconds)
