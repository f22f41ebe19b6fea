"""Rejected and skipped objects: some examples of each reason, with the number of all."""

from typing import Final

import pyarrow as pa
from pyspark.sql import SparkSession, Window
from pyspark.sql import functions as F  # noqa: N812, because Spark's own documentation spells it so

from fruits_pipeline import schemas
from fruits_pipeline.session import tables
from fruits_pipeline.state import layout
from fruits_pipeline.state.snapshot import Snapshot

EXAMPLES: Final = 5


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
    found = first.orderBy("kind", F.desc("images"), "reason", "path").select(*schemas.LEFT_OUT.names).collect()
    return pa.Table.from_pylist([row.asDict() for row in found], schema=schemas.LEFT_OUT)
