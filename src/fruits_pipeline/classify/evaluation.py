"""The tables of ``evaluation/`` that follow from predictions, and the scores that are told."""

import logging
from collections import defaultdict

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame

from fruits_pipeline import schemas
from fruits_pipeline.classify import evaluate, judge
from fruits_pipeline.classify.confused import confused
from fruits_pipeline.session import tables
from fruits_pipeline.state import layout
from fruits_pipeline.storage.store import Store

log = logging.getLogger(__name__)

# Value of each metric by side and classifier.
Scores = dict[str, dict[str, dict[str, float]]]


def evaluated(store: Store, predicted: DataFrame, groups: evaluate.Groups | None = None) -> Scores:
    """Writes the tables of rows of ``schemas.PREDICTIONS``, and gives scores by side, classifier and metric.

    Args:
        store: The output.
        predicted: The rows.
        groups: Judged images by groups that look the same, see ``evaluate.scores_table``.
    """
    confusion = judge.confusion(predicted)
    scores = evaluate.scores_table(confusion, groups or {})
    written = {
        "confusion": (confusion, schemas.CONFUSION),
        "scores": (scores, schemas.SCORES),
        "label_scores": (evaluate.label_scores_table(confusion), schemas.LABEL_SCORES),
        "mistakes": (judge.mistakes(predicted), schemas.MISTAKES),
        "confused": (confused(predicted, confusion), schemas.CONFUSED),
    }
    for name, (table, schema) in written.items():
        tables.write_small(store, table, f"{layout.EVALUATION}/{name}", schema)
    for row in scores.filter(pc.field("metric") == "accuracy").to_pylist():
        log.info(
            "accuracy classifier=%s split=%s %.4f (95 %% interval %.4f to %.4f)",
            *(row[name] for name in ("classifier", "split", "value", "low", "high")),
        )
    return by_side(scores)


def by_side(scores: pa.Table) -> Scores:
    """Rows of ``schemas.SCORES`` by side, classifier and metric."""
    found: defaultdict[str, dict[str, dict[str, float]]] = defaultdict(dict)
    for row in scores.to_pylist():
        found[row["split"]].setdefault(row["classifier"], {})[row["metric"]] = row["value"]
    return dict(found)
