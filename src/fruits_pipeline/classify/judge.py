"""What the evaluation needs of predictions and features, counted by Spark and small enough for the driver."""

from typing import Final

import pyarrow as pa
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F  # noqa: N812, because Spark's own documentation spells it so

from fruits_pipeline import schemas
from fruits_pipeline.session.tables import conform

MOST_MISTAKES: Final = 50


def confusion(predictions: DataFrame) -> pa.Table:
    """Rows of ``schemas.CONFUSION``: labelled test images by classifier, label and prediction, sorted so."""
    keys = ["classifier", "label", "prediction"]
    counts = _judged(predictions).groupBy(*keys).agg(F.count("*").alias("images"))
    return _table(counts.orderBy(*keys), schemas.CONFUSION)


def mistakes(predictions: DataFrame, most: int = MOST_MISTAKES) -> pa.Table:
    """Rows of ``schemas.MISTAKES``: each classifier's most confident mistakes on test images, worst first.

    Args:
        predictions: Rows of ``schemas.PREDICTIONS``.
        most: Rows for each classifier, at most.
    """
    worst = Window.partitionBy("classifier").orderBy(F.desc("confidence"), "path")
    wrong = _judged(predictions).where(F.col("label") != F.col("prediction"))
    ranked = wrong.withColumn("place", F.row_number().over(worst)).where(F.col("place") <= most)
    return _table(ranked.orderBy("classifier", "place"), schemas.MISTAKES)


def duplicates(features: DataFrame) -> pa.Table:
    """Rows of ``schemas.DUPLICATES``: every image whose bytes another image has too, same bytes together."""
    rows = conform(features, schemas.FEATURES, "features").select(*schemas.DUPLICATES.names)
    repeated = rows.groupBy("content_sha256").count().where(F.col("count") > 1).select("content_sha256")
    found = rows.join(repeated, on="content_sha256", how="left_semi")
    return _table(found.orderBy("content_sha256", "path"), schemas.DUPLICATES)


def _judged(predictions: DataFrame) -> DataFrame:
    """Test images with a label: the only ones with a right answer that was not learnt from."""
    rows = conform(predictions, schemas.PREDICTIONS, "predictions")
    return rows.where((F.col("split") == schemas.TEST) & F.col("label").isNotNull())


def _table(rows: DataFrame, schema: pa.Schema) -> pa.Table:
    found = [row.asDict() for row in rows.select(*schema.names).collect()]
    return pa.Table.from_pylist(found, schema=schema)
