"""The reader ``packed``: Parquet of path and content that ``pack`` wrote, read through Spark's own connectors."""

from dataclasses import dataclass

import pyarrow.compute as pc
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812, because Spark's own documentation spells it so

from fruits_pipeline import schemas
from fruits_pipeline.features.job import FeatureJob, Reading
from fruits_pipeline.features.udf import featurised
from fruits_pipeline.images.decode import Rejected
from fruits_pipeline.images.reason import Reason
from fruits_pipeline.session.tables import escaped, rows_of, spark_schema


@dataclass(frozen=True)
class Packed:
    """See ``Reader``; ``files`` are the addresses of all files of the pack, Parquet of ``schemas.PACKED``."""

    files: tuple[str, ...]

    def read_images(self, job: FeatureJob, reading: Reading) -> DataFrame:
        """An image that could not be read when it was packed has no row."""
        ends = pc.min_max(reading.images["path"])
        share = pc.sum(reading.images["length"]).as_py() // reading.tasks
        job.spark.conf.set("spark.sql.files.maxPartitionBytes", str(max(1, share)))
        rows = job.spark.read.schema(spark_schema(schemas.PACKED)).parquet(*map(escaped, self.files))
        # Rows are packed in order of path: Parquet's statistics skip what other waves read.
        near = rows.where(F.col("path").between(ends["min"].as_py(), ends["max"].as_py()))
        wanted = rows_of(job.spark, reading.images.select(["path"]))
        there = near.where(F.col("content").isNotNull())
        return featurised(there.join(F.broadcast(wanted), on="path", how="left_semi"), job, reading)

    def explain_missing(self, job: FeatureJob, path: str) -> Rejected:  # noqa: ARG002 because it is the interface of all readers
        """Without content in the pack."""
        return Rejected(Reason.UNREADABLE, "it could not be read when it was packed")
