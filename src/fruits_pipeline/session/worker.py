"""A look from inside one worker, which then stays for the tasks that follow."""

from collections.abc import Callable, Iterable, Iterator
from typing import Final

import pyarrow as pa
from pyspark.sql import SparkSession

_TOLD: Final = pa.schema([("told", pa.string())])


def told_by_worker(spark: SparkSession, look: Callable[[], str | None]) -> str | None:
    """What ``look`` gives in one task.

    The task is one of a DataFrame, like those to come, and its result is read to the end: Spark ends the process of any
    other. So what ``look`` imports and loads is there for them.
    """

    def once(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for _ in batches:
            yield pa.RecordBatch.from_pylist([{"told": look()}], schema=_TOLD)

    told: str | None = spark.range(0, 1, numPartitions=1).mapInArrow(once, "told string").collect()[0].told
    return told
