"""The room's work: classifiers fitted on train, every image predicted, test images judged."""

import logging

import pyarrow as pa
from pydantic import JsonValue
from pyspark.ml import PipelineModel
from pyspark.sql import DataFrame, SparkSession

from fruits_pipeline import schemas
from fruits_pipeline.classify import evaluate, judge
from fruits_pipeline.classify.predict import predictions
from fruits_pipeline.classify.train import train
from fruits_pipeline.errors import DatasetError
from fruits_pipeline.session import tables
from fruits_pipeline.session.arrange import arranged
from fruits_pipeline.settings.classify import ClassifySettings
from fruits_pipeline.state import layout
from fruits_pipeline.storage import uri
from fruits_pipeline.storage.store import Store

log = logging.getLogger(__name__)


def build_classified(
    spark: SparkSession, store: Store, settings: ClassifySettings, source_root: str
) -> dict[str, JsonValue]:
    """Fits, saves and judges the classifiers; gives the scores and counts for the record.

    Raises:
        InputError: When there is nothing to learn from, or nothing to be judged by.
        DatasetError: When rows were lost on the way.
    """
    stored = tables.read(spark, uri.join(store.root, layout.REDUCED), schemas.REDUCED, "reduced")
    reduced = arranged(stored, source_root).persist()
    try:
        reduction = PipelineModel.load(uri.join(store.root, layout.MODELS, "reduce"))
        fitted = train(reduced, reduction, settings)
        place = uri.join(store.root, layout.PREDICTIONS)
        tables.write(predictions(reduced, fitted), place, schemas.PREDICTIONS, "predictions")
        expected = reduced.count() * len(fitted)
    finally:
        reduced.unpersist()
    for one in fitted:
        tables.save_model(store, one.model, f"{layout.MODELS}/{one.name}")
    predicted = tables.read(spark, place, schemas.PREDICTIONS, "predictions")
    if (rows := predicted.count()) != expected:
        raise DatasetError(f"expected {expected} rows in {place}, found {rows}; start the same command again")
    features = tables.read(spark, uri.join(store.root, layout.FEATURES), schemas.FEATURES, "features")
    seconds: dict[str, JsonValue] = {one.name: one.fit_s for one in fitted}
    return _evaluated(store, predicted, features) | {"predictions": rows, "fit_s": seconds}


def _evaluated(store: Store, predicted: DataFrame, features: DataFrame) -> dict[str, JsonValue]:
    """Writes the tables of ``evaluation/`` and gives what of them the record holds."""
    confusion, duplicates = judge.confusion(predicted), judge.duplicates(features)
    scores = evaluate.scores_table(confusion)
    written = {
        "confusion": (confusion, schemas.CONFUSION),
        "scores": (scores, schemas.SCORES),
        "label_scores": (evaluate.label_scores_table(confusion), schemas.LABEL_SCORES),
        "mistakes": (judge.mistakes(predicted), schemas.MISTAKES),
        "duplicates": (duplicates, schemas.DUPLICATES),
    }
    for name, (table, schema) in written.items():
        tables.write_small(store, table, f"{layout.EVALUATION}/{name}", schema)
    facts: dict[str, JsonValue] = {}
    by_classifier: dict[str, dict[str, JsonValue]] = {}
    for row in scores.to_pylist():
        by_classifier.setdefault(row["classifier"], {})[row["metric"]] = row["value"]
    for name, values in by_classifier.items():
        facts[name] = values
        log.info("scores classifier=%s %s", name, " ".join(f"{metric}={value:.4f}" for metric, value in values.items()))
    across = _across_splits(duplicates)
    log.info("duplicates images=%d contents_across_splits=%d", duplicates.num_rows, across)
    return {"scores": facts, "duplicate_images": duplicates.num_rows, "duplicates_across_splits": across}


def _across_splits(duplicates: pa.Table) -> int:
    """Contents that stand in train and in test: each helps the score without merit."""
    sides = duplicates.group_by("content_sha256").aggregate([("split", "count_distinct")])
    return int((sides["split_count_distinct"].to_numpy() > 1).sum())
