"""The tables of ``evaluation/`` that follow from predictions, and the scores that are told."""

import logging
from collections import defaultdict

import pyarrow as pa
import pyarrow.compute as pc

from fruits_pipeline import schemas
from fruits_pipeline.classify import evaluate
from fruits_pipeline.classify.confused import confused
from fruits_pipeline.session import tables
from fruits_pipeline.state import layout
from fruits_pipeline.storage.store import Store

log = logging.getLogger(__name__)

# Value of each metric by side and classifier.
Scores = dict[str, dict[str, dict[str, float]]]


def evaluated(store: Store, counted: pa.Table, wrong: pa.Table) -> Scores:
    """Writes the tables of what was predicted, and gives scores by side, classifier and metric.

    Args:
        store: The output.
        counted: Rows of ``evaluate.COUNTED``.
        wrong: Rows of ``judge.WRONG`` of the same images.
    """
    confusion = evaluate.confusion_of(counted)
    scores = evaluate.scores_table(confusion, evaluate.groups_of(counted))
    mistakes = wrong.filter(pc.is_valid(wrong["place"])).select(schemas.MISTAKES.names)
    written = {
        "confusion": (confusion, schemas.CONFUSION),
        "scores": (scores, schemas.SCORES),
        "label_scores": (evaluate.label_scores_table(confusion), schemas.LABEL_SCORES),
        "mistakes": (mistakes, schemas.MISTAKES),
        "confused": (confused(confusion, wrong), schemas.CONFUSED),
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
