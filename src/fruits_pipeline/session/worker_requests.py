"""Requests to storage that Spark's Python workers send, brought to the driver.

A worker reports what it has sent since its last report. A task that fails reports nothing, so that its requests are
missing; one that Spark runs again is counted again, as clouds bill it.
"""

from collections import Counter

from pyspark import Accumulator, AccumulatorParam
from pyspark.sql import SparkSession

from fruits_pipeline.storage import request_counts


class _Sum(AccumulatorParam["Counter[str]"]):
    def zero(self, value: "Counter[str]") -> "Counter[str]":  # noqa: ARG002 because it is Spark's interface
        return Counter()

    def addInPlace(self, value1: "Counter[str]", value2: "Counter[str]") -> "Counter[str]":  # noqa: N802 because it is Spark's interface
        value1.update(value2)
        return value1


def worker_requests(spark: SparkSession) -> "Accumulator[Counter[str]]":
    """What workers report to, by ``report``."""
    return spark.sparkContext.accumulator(Counter(), _Sum())


def report(requests: "Accumulator[Counter[str]]") -> None:
    """Reports, in a worker, the requests since the last report."""
    if sent := request_counts.take():
        requests.add(sent)


def count_reported(requests: "Accumulator[Counter[str]]") -> None:
    """Counts, on the driver, what was reported; once for each accumulator."""
    request_counts.note_all(requests.value)
