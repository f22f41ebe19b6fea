"""The classifiers that were asked for, fitted on the labelled training images."""

import logging
import time

from pyspark.ml import PipelineModel
from pyspark.ml.feature import StringIndexerModel
from pyspark.ml.functions import array_to_vector
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812, because Spark's own documentation spells it so

from fruits_pipeline import schemas
from fruits_pipeline.classify.fitted import INDEX, Fitted, Stages, assembled, output_of
from fruits_pipeline.classify.forest import forest
from fruits_pipeline.classify.regression import regression
from fruits_pipeline.session.tables import conform
from fruits_pipeline.settings.classify import ClassifierName, ClassifySettings

log = logging.getLogger(__name__)


def train(
    reduced: DataFrame, reduction: PipelineModel, settings: ClassifySettings, labels: list[str]
) -> tuple[Fitted, ...]:
    """Fits each classifier of the settings, in their order.

    Args:
        reduced: Rows of ``schemas.REDUCED``; arranged, where the fits are to repeat.
        reduction: The fitted reduction behind ``reduced``; each saved model begins with its stages.
        settings: Which classifiers, and how.
        labels: The labels of the training images, by alphabet.
    """
    rows = conform(reduced, schemas.REDUCED, "reduced")
    source = output_of(reduction)
    learnt = _learnt(rows, source, labels).persist()
    try:
        fits = {name: _timed_stages(name, learnt, source, settings) for name in dict.fromkeys(settings.classifier)}
    finally:
        learnt.unpersist()
    return tuple(assembled(name, reduction, fit, labels) for name, fit in fits.items())


def _learnt(rows: DataFrame, source: str, labels: list[str]) -> DataFrame:
    """Labelled training rows: vector column ``source`` and double ``label_index``, by alphabet."""
    indexer = StringIndexerModel.from_labels(labels, inputCol="label", outputCol=INDEX)
    labelled = rows.where((F.col("split") == schemas.TRAIN) & F.col("label").isNotNull())
    vectors = labelled.withColumn(source, array_to_vector(F.col("pca_features")))
    return indexer.transform(vectors).select(source, INDEX)


def _timed_stages(name: ClassifierName, learnt: DataFrame, source: str, settings: ClassifySettings) -> Stages:
    started_s = time.monotonic()
    fit = forest if name == "random_forest" else regression
    before, classifier = fit(learnt, source, settings)
    seconds = round(time.monotonic() - started_s, 1)
    log.info("fitted classifier=%s seconds=%.1f", name, seconds)
    return Stages(before, classifier, seconds)
