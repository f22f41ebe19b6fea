"""A repartitioning and an order that depend on the rows alone, so that fits are reproducible on other clusters."""

from math import ceil
from typing import Final

from pyspark.sql import DataFrame

# Few and large: each pass of the forest and of the regression costs some 10 ms a partition.
ROWS_PER_PARTITION: Final = 10_000
MIN_PARTITIONS: Final = 2


def partitions(rows: int) -> int:
    """The number of partitions for so many rows: at least 2, whatever the machine.

    >>> partitions(0), partitions(13_309), partitions(65_326)
    (2, 2, 7)
    """
    return max(MIN_PARTITIONS, ceil(rows / ROWS_PER_PARTITION))


def arranged(reduced: DataFrame) -> DataFrame:
    """Rows partitioned by the hash of their content, and sorted by content, label and split within each partition.

    Fits that sum or sample by partition then repeat on another machine, and for the same images and labels in another
    place, or named by a table. Rows that stay in no order are equal ones. Counts the rows, which Parquet answers from
    its footers.

    Args:
        reduced: Rows with columns ``content_sha256``, ``label`` and ``split``.

    Returns:
        The same rows and columns in ``partitions(rows)`` partitions.
    """
    spread = reduced.repartition(partitions(reduced.count()), "content_sha256")
    return in_order(spread)


def in_order(rows: DataFrame) -> DataFrame:
    """Rows sorted by content, label and split within each partition."""
    return rows.sortWithinPartitions("content_sha256", "label", "split")
