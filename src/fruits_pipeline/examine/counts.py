"""Images by label and side, by size, and those that were left out, with examples."""

from typing import Final

import pyarrow as pa
from pyspark.sql import Column, DataFrame, SparkSession, Window
from pyspark.sql import functions as F  # noqa: N812, because Spark's own documentation spells it so

from fruits_pipeline import schemas
from fruits_pipeline.examine.facts import Sizes
from fruits_pipeline.session import tables
from fruits_pipeline.state import layout
from fruits_pipeline.state.snapshot import Snapshot

MOST_SIZES: Final = 1_000
# Labels by side; the classifiers take no more.
MOST_LABELS: Final = 20_000
EXAMPLES: Final = 5
_PIXELS: Final = "pixels"


def label_counts(reduced: DataFrame) -> pa.Table:
    """Rows of ``schemas.LABEL_COUNTS``, by label and split; either may be null."""
    counts = reduced.groupBy("label", "split").agg(F.count("*").alias("images"))
    return _table(counts.orderBy("label", "split").limit(MOST_LABELS), schemas.LABEL_COUNTS)


def sizes(reduced: DataFrame) -> tuple[pa.Table, Sizes]:
    """Rows of ``schemas.SIZES``, the commonest first, at most ``MOST_SIZES``; and what all of them are like."""
    counts = reduced.groupBy("width", "height").agg(F.count("*").alias("images")).persist()
    try:
        common = _table(counts.orderBy(F.desc("images"), "width", "height").limit(MOST_SIZES), schemas.SIZES)
        pixels = F.col("width").cast("long") * F.col("height")
        order = Window.orderBy(_PIXELS, "width")
        running = counts.withColumn(_PIXELS, pixels).withColumn("until", F.sum("images").over(order))
        side = F.struct("width", "height")
        total = F.lit(counts.agg(F.sum("images")).collect()[0][0])
        found = running.agg(
            F.count("*").alias("distinct"),
            F.min_by(side, F.struct(_PIXELS, "width")).alias("smallest"),
            F.max_by(side, F.struct(_PIXELS, "width")).alias("largest"),
            _first(side, F.col("until") * 2 >= total).alias("median"),
        ).collect()[0]
    finally:
        counts.unpersist()
    places = {name: tuple(found[name]) for name in ("smallest", "median", "largest")}
    return common, Sizes(distinct=found["distinct"], **places)


def left_out(spark: SparkSession, snapshot: Snapshot) -> pa.Table:
    """Rows of ``schemas.LEFT_OUT``: the first ``EXAMPLES`` objects of each reason why some are no features."""
    rejects = tables.read(spark, snapshot.files(layout.REJECTS), schemas.REJECTS, "rejects")
    manifest = tables.read(spark, snapshot.files(layout.MANIFEST), schemas.MANIFEST, "manifest")
    skipped = manifest.where(F.col("skip_reason").isNotNull())
    both = rejects.select(F.lit("rejected").alias("kind"), "reason", "path", "length", "detail").union(
        skipped.select(F.lit("skipped"), "skip_reason", "path", "length", F.lit(None).cast("string"))
    )
    of_reason = Window.partitionBy("kind", "reason")
    ranked = both.withColumn("images", F.count("*").over(of_reason)).withColumn(
        "place", F.row_number().over(of_reason.orderBy("path"))
    )
    first = ranked.where(F.col("place") <= EXAMPLES)
    return _table(first.orderBy("kind", F.desc("images"), "reason", "path"), schemas.LEFT_OUT)


def _first(value: Column, where: Column) -> Column:
    """``value`` of the first row by pixels where the condition holds."""
    return F.min_by(F.when(where, value), F.when(where, F.struct(_PIXELS, "width")))


def _table(rows: DataFrame, schema: pa.Schema) -> pa.Table:
    return pa.Table.from_pylist([row.asDict() for row in rows.select(*schema.names).collect()], schema=schema)
