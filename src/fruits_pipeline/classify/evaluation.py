"""The tables of ``evaluation/`` that follow from predictions, and the scores that are told."""

import logging

from pyspark.sql import DataFrame

from fruits_pipeline import schemas
from fruits_pipeline.classify import evaluate, judge
from fruits_pipeline.session import tables
from fruits_pipeline.state import layout
from fruits_pipeline.storage.store import Store

log = logging.getLogger(__name__)


def evaluated(store: Store, predicted: DataFrame) -> dict[str, dict[str, dict[str, float]]]:
    """Writes the tables of rows of ``schemas.PREDICTIONS``, and gives scores by side, classifier and metric."""
    confusion = judge.confusion(predicted)
    scores = evaluate.scores_table(confusion)
    written = {
        "confusion": (confusion, schemas.CONFUSION),
        "scores": (scores, schemas.SCORES),
        "label_scores": (evaluate.label_scores_table(confusion), schemas.LABEL_SCORES),
        "mistakes": (judge.mistakes(predicted), schemas.MISTAKES),
    }
    for name, (table, schema) in written.items():
        tables.write_small(store, table, f"{layout.EVALUATION}/{name}", schema)
    by_side: dict[str, dict[str, dict[str, float]]] = {}
    for row in scores.to_pylist():
        by_side.setdefault(row["split"], {}).setdefault(row["classifier"], {})[row["metric"]] = row["value"]
    for side, by_classifier in by_side.items():
        for name, values in by_classifier.items():
            told = " ".join(f"{metric}={value:.4f}" for metric, value in values.items())
            log.info("scores classifier=%s split=%s %s", name, side, told)
    return by_side
