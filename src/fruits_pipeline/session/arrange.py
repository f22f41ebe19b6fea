"""A repartitioning and an order that depend on the rows alone, so that fits are reproducible on other clusters."""

from math import ceil
from typing import Final

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812, because Spark's own documentation spells it so

# Few and large: each pass of the forest and of the regression costs some 10 ms a partition.
ROWS_PER_PARTITION: Final = 10_000
MIN_PARTITIONS: Final = 2


def partitions(rows: int) -> int:
    """The number of partitions for so many rows: at least 2, whatever the machine.

    >>> partitions(0), partitions(13_309), partitions(65_326)
    (2, 2, 7)
    """
    return max(MIN_PARTITIONS, ceil(rows / ROWS_PER_PARTITION))


def below(root: str, path: str = "path") -> Column:
    """The part of column ``path`` below the source's root, or the whole of it where it lies elsewhere."""
    prefix = root.rstrip("/") + "/"
    return F.when(F.startswith(F.col(path), F.lit(prefix)), F.substr(F.col(path), F.lit(len(prefix) + 1))).otherwise(
        F.col(path)
    )


def arranged(df: DataFrame, root: str) -> DataFrame:
    """``df``, partitioned by the hash of the path below ``root`` and sorted by it within each partition.

    Fits that sum or sample by partition then repeat on another machine, and for a source or an output that
    was copied elsewhere. Counts the rows, which Parquet answers from its footers.

    Args:
        df: Rows with a column ``path``, unique.
        root: The source's root, as ``path`` spells it.

    Returns:
        The same rows and columns in ``partitions(rows)`` partitions.
    """
    key = below(root)
    return df.repartition(partitions(df.count()), key).sortWithinPartitions(key, "path")
