"""Images by label and side, by size, and those that were left out, with examples."""

from typing import Final

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession, Window
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


def label_counts(reduced: DataFrame) -> pa.Table:
    """Rows of ``schemas.LABEL_COUNTS``, by label and split; either may be null."""
    counts = reduced.groupBy("label", "split").agg(F.count("*").alias("images"))
    return _table(counts.orderBy("label", "split").limit(MOST_LABELS), schemas.LABEL_COUNTS)


def sizes(reduced: DataFrame) -> tuple[pa.Table, Sizes]:
    """Rows of ``schemas.SIZES``, the commonest first, at most ``MOST_SIZES``; and what all of them are like."""
    counts = reduced.groupBy("width", "height").agg(F.count("*").alias("images")).toPandas()
    common = counts.sort_values(["images", "width", "height"], ascending=[False, True, True]).head(MOST_SIZES)
    counts["pixels"] = counts["width"].astype("int64") * counts["height"]
    ordered = counts.sort_values(["pixels", "width"], ignore_index=True)
    until = ordered["images"].cumsum()
    middle = int((2 * until >= until.iloc[-1]).argmax())
    smallest, median, largest = (
        (int(ordered["width"][place]), int(ordered["height"][place])) for place in (0, middle, len(ordered) - 1)
    )
    facts = Sizes(distinct=len(ordered), smallest=smallest, median=median, largest=largest)
    return pa.Table.from_pandas(common, schemas.SIZES, preserve_index=False), facts


def left_out(spark: SparkSession, snapshot: Snapshot) -> pa.Table:
    """Rows of ``schemas.LEFT_OUT``: the first ``EXAMPLES`` objects of each reason why some are no features."""
    if not snapshot.counts.rejected + snapshot.counts.skipped:
        return schemas.LEFT_OUT.empty_table()
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


def _table(rows: DataFrame, schema: pa.Schema) -> pa.Table:
    return pa.Table.from_pylist([row.asDict() for row in rows.select(*schema.names).collect()], schema=schema)
