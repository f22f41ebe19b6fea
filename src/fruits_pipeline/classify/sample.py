"""About so many rows for a fit, the same ones whatever machine draws them."""

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F  # noqa: N812, because Spark's own documentation spells it so


def sampled(rows: DataFrame, count: int, most: int, seed: int, least: int = 1) -> DataFrame:
    """All of ``rows`` where they are at most ``most``, else about that many: the same share of each label, by content.

    Of each label ``least`` contents stay, or all that there are. Images of equal content and label stay or go together.

    Args:
        rows: Rows with the columns ``content_sha256`` and ``label``.
        count: How many these are.
        most: How many may stay; so many more as labels need that would have less than ``least``.
        seed: Another one draws other rows.
        least: Rows of each label, at least 1.
    """
    if count <= most:
        return rows
    drawn = rows.withColumn("draw", F.xxhash64("content_sha256", F.lit(seed)))
    by_label = Window.partitionBy("label")
    placed = drawn.select(
        "label",
        "draw",
        F.row_number().over(by_label.orderBy("draw")).alias("place"),
        F.count("*").over(by_label).alias("rows"),
    ).withColumn("quota", F.least("rows", F.greatest(F.lit(least), F.floor(F.col("rows") * most / count))))
    last = placed.where(F.col("place") == F.col("quota")).select("label", F.col("draw").alias("last"))
    return drawn.join(F.broadcast(last), on="label").where(F.col("draw") <= F.col("last")).select(*rows.columns)
