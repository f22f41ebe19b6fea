"""Settings of a Spark session for the length of a block."""

import contextlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from py4j.protocol import Py4JError
from pyspark.sql import SparkSession


@contextmanager
def configured(spark: SparkSession, properties: Mapping[str, str | int]) -> Iterator[None]:
    """Sets ``properties`` of the session, and afterwards restores each: its former value, or that it was not set.

    The settings hold for the whole session, so also for other threads. Spark reads most of them when an action starts
    and not when a DataFrame is made.
    """
    former = {name: spark.conf.get(name, None) for name in properties}
    try:
        for name, value in properties.items():
            spark.conf.set(name, str(value))
        yield
    finally:
        # Where the JVM is lost there is nothing to restore, and the error of the block says more.
        with contextlib.suppress(Py4JError):
            for name, before in former.items():
                if before is None:
                    spark.conf.unset(name)
                else:
                    spark.conf.set(name, before)
