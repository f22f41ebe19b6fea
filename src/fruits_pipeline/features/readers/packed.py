"""The reader ``packed``: Parquet of path and content that ``pack`` wrote, read through Spark's own connectors."""

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812, because Spark's own documentation spells it so

from fruits_pipeline import schemas
from fruits_pipeline.features.batch import KNOWN, Plan
from fruits_pipeline.features.udf import featurised
from fruits_pipeline.features.work import Work
from fruits_pipeline.images.decode import Rejected
from fruits_pipeline.images.reason import Reason
from fruits_pipeline.session.tables import rows_of, spark_schema


@dataclass(frozen=True)
class Packed:
    """See ``Reader``; ``place`` is the address of a dataset of ``schemas.PACKED``."""

    place: str

    def tried(self, work: Work, images: pa.Table, plan: Plan) -> DataFrame:
        """An image that could not be read when it was packed has no row."""
        ends = pc.min_max(images["path"])
        share = pc.sum(images["length"]).as_py() // work.tasks
        work.spark.conf.set("spark.sql.files.maxPartitionBytes", str(max(1, share)))
        rows = work.spark.read.schema(spark_schema(schemas.PACKED)).parquet(self.place)
        # Rows are packed in order of path: Parquet's statistics skip what other waves read.
        near = rows.where(F.col("path").between(ends["min"].as_py(), ends["max"].as_py()))
        known = rows_of(work.spark, images.select(KNOWN.names))
        there = near.where(F.col("content").isNotNull())
        return featurised(there.join(F.broadcast(known), on="path", how="inner"), work, plan)

    def absent(self, work: Work, path: str) -> Rejected:  # noqa: ARG002 because it is the face of all readers
        """Without content in the pack."""
        return Rejected(Reason.UNREADABLE, "it could not be read when it was packed")
