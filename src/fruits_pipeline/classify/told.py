"""What is told of fitted classifiers: scores with and without leaks, and training labels that look wrong."""

import logging
from collections import defaultdict
from dataclasses import dataclass
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812, because Spark's own documentation spells it so

from fruits_pipeline import schemas
from fruits_pipeline.classify import evaluate, judge
from fruits_pipeline.classify.evaluation import evaluated
from fruits_pipeline.classify.inputs import Inputs
from fruits_pipeline.classify.intervals import GroupPair
from fruits_pipeline.classify.leaks import Leaks, leaks, told
from fruits_pipeline.classify.suspects import Suspects, suspects
from fruits_pipeline.errors import InputError
from fruits_pipeline.session import tables
from fruits_pipeline.session.tables import rows_of
from fruits_pipeline.settings.examine import ExamineSettings
from fruits_pipeline.state import layout
from fruits_pipeline.storage.store import Store

log = logging.getLogger(__name__)

# Of more judged images no interval over groups is taken: it would be as narrow as the one over images.
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

    def without(self, rows: DataFrame) -> DataFrame:
        """Those of ``rows`` whose column ``path`` is not among them."""
        if not self.table.num_rows:
            return rows
        return rows.join(F.broadcast(rows_of(rows.sparkSession, self.table.select(["path"]))), "path", "left_anti")

    def kept(self, rows: DataFrame) -> DataFrame:
        """What of ``rows`` is judged."""
        return self.without(rows) if self.facts.dropped else rows


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
    table, looked_at = leaks(reduced, sum(found.train.values()), judged, twins)
    facts = told(table, looked_at, judged, twins, dropped=drop)
    side = sum((found.test if found.judged == schemas.TEST else found.validation).values())
    if drop and pc.sum(pc.equal(table["split"], found.judged)).as_py() == side:
        raise InputError(
            f"--drop-leaks: expected {found.judged} images without a near-twin in the training, found one of each of "
            f"{side}; judge by other photographs, by fewer bits (--twin-bits {max(twins.twin_bits - 2, 0)}), or "
            "without --drop-leaks"
        )
    tables.write_small(store, table, f"{layout.EVALUATION}/leaks", schemas.LEAKS)
    return Leaked(facts, table)


def tell_scores(
    store: Store, predicted: DataFrame, reduced: DataFrame, leaked: Leaked
) -> dict[str, dict[str, dict[str, float]]]:
    """Writes all tables of what was predicted, and gives the scores that are told, by side, classifier and metric.

    Args:
        store: The output.
        predicted: All rows of ``schemas.PREDICTIONS``.
        reduced: All rows of ``reduced``.
        leaked: Leaks among them.
    """
    scores = evaluated(store, leaked.kept(predicted), _groups(leaked.kept(predicted), reduced, leaked.facts))
    if leaked.table.num_rows:
        _tell_other_scores(store, predicted, reduced, leaked, "without")
        if leaked.facts.dropped:
            _tell_other_scores(store, predicted, reduced, leaked, "with")
    return scores


def _tell_other_scores(store: Store, predicted: DataFrame, reduced: DataFrame, leaked: Leaked, which: str) -> None:
    rows = leaked.without(predicted) if which == "without" else predicted
    scores = evaluate.scores_table(judge.confusion(rows), _groups(rows, reduced, leaked.facts))
    tables.write_small(store, scores, f"{layout.EVALUATION}/scores_{which}_leaks", schemas.SCORES)


def _groups(predicted: DataFrame, reduced: DataFrame, facts: Leaks) -> evaluate.Groups:
    """Judged images by classifier, side, and group of images that look the same; none where there are too many."""
    if facts.judged > _MOST_GROUPED:
        return {}
    looks = reduced.select("path", "perceptual_hash").where(F.col("split").isin(schemas.TEST, schemas.VALIDATION))
    keys = ["classifier", "split", "perceptual_hash", "label", "prediction"]
    counted = judge.judged(predicted).join(looks, "path").groupBy(*keys).count().toPandas().sort_values(keys)
    found: defaultdict[tuple[str, str], list[GroupPair]] = defaultdict(list)
    for classifier, split, group, label, prediction, images in counted.itertuples(index=False):
        found[classifier, split].append((group, label, prediction, images))
    return dict(found)


def tell_suspects(store: Store, reduced: DataFrame, labels: list[str]) -> Suspects | None:
    """Writes ``evaluation/suspects`` and ``evaluation/typical``."""
    learnt = reduced.where((F.col("split") == schemas.TRAIN) & F.col("label").isNotNull())
    found = suspects(learnt, labels)
    tables.write_small(store, found.suspects, f"{layout.EVALUATION}/suspects", schemas.SUSPECTS)
    tables.write_small(store, found.typical, f"{layout.EVALUATION}/typical", schemas.TYPICAL)
    return found.facts
