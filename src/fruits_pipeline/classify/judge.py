"""What the evaluation needs of predictions and reduced rows, counted by Spark and small enough for the driver."""

import logging
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F  # noqa: N812, because Spark's own documentation spells it so

from fruits_pipeline import schemas
from fruits_pipeline.classify.evaluate import COUNTED
from fruits_pipeline.errors import DatasetError
from fruits_pipeline.session.tables import conform
from fruits_pipeline.trained.familiarity import STEPS, Familiarity

log = logging.getLogger(__name__)

WRONG: Final = schemas.MISTAKES.append(pa.field("place", pa.int32()))
MOST_MISTAKES: Final = 50
MOST_DUPLICATES: Final = 10_000
# With fewer the quantile 0.99 is the second largest or the largest.
_FEW_HELD_OUT: Final = 200


def counted(predictions: DataFrame, looks: DataFrame | None = None, leaked: DataFrame | None = None) -> pa.Table:
    """Rows of ``evaluate.COUNTED``: judged images by what was predicted of them, in one pass.

    Args:
        predictions: Rows of ``schemas.PREDICTIONS``.
        looks: Columns ``path`` and ``perceptual_hash`` of judged images, where these are few enough to be told apart.
        leaked: Column ``path`` of those of which training has a near-twin, if any has.
    """
    rows = judged(predictions)
    rows = (
        rows.withColumn("perceptual_hash", F.lit(None).cast("long"))
        if looks is None
        else rows.join(F.broadcast(looks), "path")
    )
    if leaked is None:
        rows = rows.withColumn("leaked", F.lit(False))
    else:
        known = F.broadcast(leaked).withColumn("leaked", F.lit(True))
        rows = rows.join(known, "path", "left").fillna({"leaked": False})
    keys = [name for name in COUNTED.names if name != "images"]
    found = rows.groupBy(*keys).agg(F.count("*").alias("images"))
    return _table(found, COUNTED).sort_by([(key, "ascending") for key in keys])


def wrong(predictions: DataFrame, most: int = MOST_MISTAKES) -> pa.Table:
    """Rows of ``schemas.MISTAKES`` and ``place``: the surest mistakes, and the surest of each pair of labels.

    Args:
        predictions: Rows of ``schemas.PREDICTIONS``.
        most: Of each classifier on each side so many have a ``place``, from 1 on; others are there for their pair.
    """
    surest = (F.desc("confidence"), "path")
    of_side, of_pair = ("classifier", "split"), ("classifier", "split", "label", "prediction")
    mistaken = judged(predictions).where(F.col("label") != F.col("prediction"))
    ranked = mistaken.withColumn("place", F.row_number().over(Window.partitionBy(*of_side).orderBy(*surest)))
    ranked = ranked.withColumn("first", F.row_number().over(Window.partitionBy(*of_pair).orderBy(*surest)) == 1)
    found = ranked.where((F.col("place") <= most) | F.col("first"))
    placed = found.withColumn("place", F.when(F.col("place") <= most, F.col("place")))
    order = [(key, "ascending") for key in (*of_side, "place", "path")]
    return _table(placed, WRONG).sort_by(order)


def familiarity(reduced: DataFrame, side: str, labels: list[str]) -> Familiarity:
    """How far from what training images vary in those of ``side`` lie that have one of the learnt ``labels``."""
    rows = conform(reduced, schemas.REDUCED, "reduced")
    held_out = rows.where((F.col("split") == side) & F.col("label").isin(labels))
    # One number for each image; Spark's own quantiles take two seconds to be compiled, however few these are.
    residuals = held_out.select("residual").toPandas()["residual"].to_numpy(np.float64)
    if not residuals.size:
        raise DatasetError(f"expected images of {side} to tell familiar from unfamiliar ones, found none")
    if residuals.size < _FEW_HELD_OUT:
        log.warning("familiarity rests on %d images of %s alone: a rough measure", residuals.size, side)
    return Familiarity(np.quantile(residuals, STEPS, method="inverted_cdf"))


@dataclass(frozen=True)
class Duplicates:
    """Images whose bytes another image has too.

    Attributes:
        table: Rows of ``schemas.DUPLICATES``, at most ``MOST_DUPLICATES``, same bytes together.
        images: All of them, whether in the table or not.
        across_splits: Contents that stand on more than one side.
    """

    table: pa.Table
    images: int
    across_splits: int


def duplicates(reduced: DataFrame, most: int = MOST_DUPLICATES) -> Duplicates:
    """The duplicates among rows of ``schemas.REDUCED``; of more than ``most`` images, the table has the first."""
    rows = conform(reduced, schemas.REDUCED, "reduced").select(*schemas.DUPLICATES.names)
    contents = rows.groupBy("content_sha256").agg(
        F.count("*").alias("images"), F.countDistinct("split").alias("splits")
    )
    repeated = contents.where(F.col("images") > 1).persist()
    try:
        across = F.sum((F.col("splits") > 1).cast("int"))
        images, across_splits = repeated.agg(
            F.coalesce(F.sum("images"), F.lit(0)), F.coalesce(across, F.lit(0))
        ).first() or (0, 0)
        table = schemas.DUPLICATES.empty_table()
        if images:
            found = rows.join(repeated.select("content_sha256"), on="content_sha256", how="left_semi")
            table = _table(found.orderBy("content_sha256", "path").limit(most), schemas.DUPLICATES)
    finally:
        repeated.unpersist()
    if images > most:
        log.warning("duplicates=%d images, of which evaluation/duplicates has the first %d", images, most)
    log.info("duplicates images=%d contents_across_splits=%d", images, across_splits)
    return Duplicates(table, images, across_splits)


def judged(predictions: DataFrame) -> DataFrame:
    """Test and validation images with a label: the only ones with a right answer that was not learnt from."""
    rows = conform(predictions, schemas.PREDICTIONS, "predictions")
    return rows.where(F.col("split").isin(schemas.TEST, schemas.VALIDATION) & F.col("label").isNotNull())


def _table(rows: DataFrame, schema: pa.Schema) -> pa.Table:
    found = [row.asDict() for row in rows.select(*schema.names).collect()]
    return pa.Table.from_pylist(found, schema=schema)
