"""The Spark session: ours on a laptop, the cluster's under ``spark-submit``."""

import logging
import os
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from typing import Any

from pyspark import SparkContext
from pyspark.sql import SparkSession

from fruits_pipeline.session.java import ensure_java
from fruits_pipeline.settings.session import SessionSettings

log = logging.getLogger(__name__)

# Every action of ours needs these, wherever it runs.
_SQL = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    "spark.sql.sources.partitionColumnTypeInference.enabled": "false",
}
# A retried task needs a second attempt, which plain local[*] does not give: local[threads,attempts].
_LOCAL_MASTER = "local[*,4]"


@contextmanager
def spark_session(settings: SessionSettings) -> Iterator[SparkSession]:
    """A session for the length of the block; stopped afterwards.

    Raises:
        SettingsError: When a local Spark finds no fit Java.
    """
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.appName("fruits-pipeline")
    if not under_spark_submit():
        ensure_java()
        for key, value in _local(settings).items():
            builder = builder.config(key, value)
    spark = builder.getOrCreate()
    try:
        if under_spark_submit():
            spark.sparkContext.setLogLevel("ERROR")
        for key, value in (_SQL | _sized(spark)).items():
            spark.conf.set(key, value)
        _say(spark)
        yield spark
    finally:
        spark.stop()


def under_spark_submit() -> bool:
    """Whether ``spark-submit`` started this process, and so decides on master and memory."""
    return "PYSPARK_GATEWAY_PORT" in os.environ


def cores(spark: SparkSession) -> int:
    """Tasks that can run at the same time."""
    return max(1, spark.sparkContext.defaultParallelism // task_cpus(spark))


def task_cpus(spark: SparkSession) -> int:
    """Processor cores for each task."""
    return int(spark.sparkContext.getConf().get("spark.task.cpus", "1"))


def task_counts(context: SparkContext) -> tuple[int, int]:
    """Tasks of all present jobs that run, and that wait."""
    tracker = context.statusTracker()
    stages = [tracker.getStageInfo(stage) for stage in tracker.getActiveStageIds()]
    known = [stage for stage in stages if stage is not None]
    running = sum(stage.numActiveTasks for stage in known)
    return running, sum(stage.numTasks - stage.numCompletedTasks for stage in known) - running


def _local(settings: SessionSettings) -> dict[str, str]:
    log4j = resources.files("fruits_pipeline.session") / "log4j2.properties"
    return {
        "spark.master": _LOCAL_MASTER,
        "spark.driver.memory": settings.driver_memory,
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.extraJavaOptions": f"-XX:+UseParallelGC -Dlog4j2.configurationFile=file:{log4j}",
        # Node statistics of the forest are arrays of doubles, which Java's own serialisation writes slowly.
        "spark.serializer": "org.apache.spark.serializer.KryoSerializer",
        "spark.kryoserializer.buffer.max": "1g",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.catalogImplementation": "in-memory",
    }


def _sized(spark: SparkSession) -> dict[str, str]:
    """Settings that follow the size of the cluster; adaptive execution joins small shuffle partitions."""
    wide = str(2 * cores(spark))
    return {
        "spark.sql.shuffle.partitions": wide,
        "spark.sql.sources.parallelPartitionDiscovery.parallelism": wide,
    }


def _say(spark: SparkSession) -> None:
    context = spark.sparkContext
    jvm: Any = context._jvm  # noqa: SLF001 because Spark has no public way to ask
    log.info(
        "session spark=%s master=%s tasks_at_once=%d task_cpus=%d java=%s python=%s application=%s",
        spark.version,
        context.master,
        cores(spark),
        task_cpus(spark),
        jvm.System.getProperty("java.version"),
        platform.python_version(),
        context.applicationId,
    )
