"""Leaks found, written, and left out of what is judged on request; scores with and without them."""

import logging
from collections import Counter
from dataclasses import dataclass
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812, because Spark's own documentation spells it so

from fruits_pipeline import schemas
from fruits_pipeline.classify import evaluate, judge
from fruits_pipeline.classify.evaluation import evaluated
from fruits_pipeline.classify.inputs import Inputs
from fruits_pipeline.classify.leaks import Leaks, facts_of, leaks
from fruits_pipeline.errors import InputError
from fruits_pipeline.session import tables
from fruits_pipeline.session.tables import rows_of
from fruits_pipeline.settings.examine import ExamineSettings
from fruits_pipeline.state import layout
from fruits_pipeline.storage.store import Store

log = logging.getLogger(__name__)

# Of more judged images no interval over groups is taken: groups are counted on the driver.
_MOST_GROUPED: Final = 200_000


@dataclass(frozen=True)
class Leaked:
    """Judged images of which training has a near-twin.

    Attributes:
        facts: How many.
        table: Rows of ``schemas.LEAKS``.
    """

    facts: Leaks
    table: pa.Table

    def counts(self) -> dict[tuple[str, str], int]:
        """How many that are left out of what is judged, by side and label."""
        rows = self.table.to_pylist() if self.facts.dropped else []
        return dict(Counter((row["split"], row["label"]) for row in rows))

    def paths(self, spark: SparkSession) -> DataFrame | None:
        """Their column ``path``; None where there is none."""
        return rows_of(spark, self.table.select(["path"])) if self.table.num_rows else None

    def kept(self, rows: DataFrame) -> DataFrame:
        """What of ``rows``, by their column ``path``, is judged."""
        paths = self.paths(rows.sparkSession)
        return rows if paths is None or not self.facts.dropped else rows.join(F.broadcast(paths), "path", "left_anti")


def find_leaks(store: Store, reduced: DataFrame, found: Inputs, twins: ExamineSettings, *, drop: bool) -> Leaked:
    """Writes ``evaluation/leaks``.

    Args:
        store: The output.
        reduced: All rows of ``reduced``.
        found: These, counted.
        twins: When two images are near-twins.
        drop: Whether leaks are left out of what is judged.

    Raises:
        InputError: When all judged images would be left out.
    """
    judged = sum(found.test.values()) + sum(found.validation.values())
    table, looked_at = leaks(reduced, sum(found.train.values()), judged, twins, whole=drop)
    facts = facts_of(table, looked_at, judged, twins, dropped=drop)
    side = sum((found.test if found.judged == schemas.TEST else found.validation).values())
    if drop and pc.sum(pc.equal(table["split"], found.judged)).as_py() == side:
        raise InputError(
            f"--drop-leaks: expected {found.judged} images without a near-twin in the training, found one of each of "
            f"{side}; judge by other photographs, or without --drop-leaks"
        )
    tables.write_small(store, table, f"{layout.EVALUATION}/leaks", schemas.LEAKS)
    return Leaked(facts, table)


def write_scores(
    store: Store, predicted: DataFrame, reduced: DataFrame, leaked: Leaked
) -> dict[str, dict[str, dict[str, float]]]:
    """Writes all tables of what was predicted, and gives the scores that are told, by side, classifier and metric.

    Args:
        store: The output.
        predicted: All rows of ``schemas.PREDICTIONS``.
        reduced: All rows of ``reduced``.
        leaked: Leaks among them.
    """
    looks = None
    if leaked.facts.judged <= _MOST_GROUPED:
        looks = reduced.where(F.col("split").isin(schemas.TEST, schemas.VALIDATION)).select("path", "perceptual_hash")
    counted = judge.counted(predicted, looks, leaked.paths(predicted.sparkSession))
    without = counted.filter(pc.invert(counted["leaked"]))
    if leaked.table.num_rows and leaked.facts.looked_at == leaked.facts.judged:
        _write_other_scores(store, without, "without")
        if leaked.facts.dropped:
            _write_other_scores(store, counted, "with")
    return evaluated(store, without if leaked.facts.dropped else counted, judge.wrong(leaked.kept(predicted)))


def _write_other_scores(store: Store, counted: pa.Table, which: str) -> None:
    scores = evaluate.scores_table(evaluate.confusion_of(counted), evaluate.groups_of(counted))
    tables.write_small(store, scores, f"{layout.EVALUATION}/scores_{which}_leaks", schemas.SCORES)
