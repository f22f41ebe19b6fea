"""A look from inside one worker, which then stays for the tasks that follow."""

from collections.abc import Callable, Iterable, Iterator
from typing import Final

import pyarrow as pa
from pyspark.sql import SparkSession

from fruits_pipeline.session.worker_requests import count_reported, report, worker_requests

_TOLD: Final = pa.schema([("told", pa.string())])


def told_by_worker(spark: SparkSession, look: Callable[[], str | None]) -> str | None:
    """What ``look`` gives in one task.

    The task is one of a DataFrame, like those to come, and its result is read to the end: Spark ends the process of any
    other. So what ``look`` imports and loads is there for them.
    """
    requests = worker_requests(spark)

    def once(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for _ in batches:
            told = look()
            report(requests)
            yield pa.RecordBatch.from_pylist([{"told": told}], schema=_TOLD)

    told: str | None = spark.range(0, 1, numPartitions=1).mapInArrow(once, "told string").collect()[0].told
    count_reported(requests)
    return told
