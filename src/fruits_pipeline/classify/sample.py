"""At most so many rows for the forest, the same ones whatever machine draws them."""

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F  # noqa: N812, because Spark's own documentation spells it so


def sampled(rows: DataFrame, count: int, most: int, seed: int) -> DataFrame:
    """All of ``rows`` where they are at most ``most``, else about that many: the same share of each label, by content.

    Of each label at least one content stays. Images of equal content and label stay or go together.

    Args:
        rows: Rows with the columns ``content_sha256`` and ``label``.
        count: How many these are.
        most: How many may stay.
        seed: Another one draws other rows.
    """
    if count <= most:
        return rows
    drawn = rows.withColumn("draw", F.xxhash64("content_sha256", F.lit(seed)))
    by_label = Window.partitionBy("label")
    placed = drawn.select(
        "label",
        "draw",
        F.row_number().over(by_label.orderBy("draw")).alias("place"),
        F.greatest(F.lit(1), F.floor(F.count("*").over(by_label) * most / count)).alias("quota"),
    )
    last = placed.where(F.col("place") == F.col("quota")).select("label", F.col("draw").alias("last"))
    return drawn.join(F.broadcast(last), on="label").where(F.col("draw") <= F.col("last")).select(*rows.columns)
