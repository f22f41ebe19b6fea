"""The Spark session: ours on a laptop, the cluster's under ``spark-submit``."""

import logging
import os
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import Any

import pyspark
from pyspark import SparkConf, SparkContext
from pyspark.find_spark_home import _find_spark_home
from pyspark.sql import SparkSession

from fruits_pipeline.session import connectors
from fruits_pipeline.session.buckets import hadoop_properties
from fruits_pipeline.session.gateway import connect
from fruits_pipeline.session.hadoop import committer, configure
from fruits_pipeline.session.interrupt import install_handlers
from fruits_pipeline.session.java import ensure_java
from fruits_pipeline.settings.session import SessionSettings
from fruits_pipeline.settings.storage import StorageSettings
from fruits_pipeline.storage.jvm_credentials import environment

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
def spark_session(
    settings: SessionSettings, storage: StorageSettings, schemes: frozenset[str]
) -> Iterator[SparkSession]:
    """A session that can address ``schemes`` for the length of the block; stopped afterwards.

    Raises:
        SettingsError: When a local Spark finds no fit Java, or ``spark-submit`` brought no connector for a scheme.
    """
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    spark = _started(settings, storage, schemes)
    try:
        if under_spark_submit():
            spark.sparkContext.setLogLevel("ERROR")
        configure(spark, schemes, storage)
        for key, value in (_SQL | committer(spark, schemes) | _sized(spark)).items():
            spark.conf.set(key, value)
        _say(spark)
        yield spark
    finally:
        spark.stop()


def _started(settings: SessionSettings, storage: StorageSettings, schemes: frozenset[str]) -> SparkSession:
    properties: dict[str, str] = {}
    variables: dict[str, str | None] = {}
    if not under_spark_submit():
        ensure_java()
        properties = _local(settings) | _connected(schemes, storage)
        variables = environment(schemes, storage)
    conf = SparkConf().setAppName("fruits-pipeline").setAll(list(properties.items()))
    with _environment(variables):
        connect(conf)
    SparkContext.getOrCreate(conf)
    install_handlers()
    return SparkSession.builder.getOrCreate()


def under_spark_submit() -> bool:
    """Whether ``spark-submit`` started this process, and so decides on master and memory."""
    return "PYSPARK_GATEWAY_PORT" in os.environ


def cores(spark: SparkSession) -> int:
    """Tasks that can run at the same time: where executors come and go, once all that may come are there."""
    context = spark.sparkContext
    conf = context.getConf()
    present = context.defaultParallelism
    if conf.get("spark.dynamicAllocation.enabled", "false") == "true":
        executors = int(conf.get("spark.dynamicAllocation.maxExecutors", "0"))
        present = max(present, executors * int(conf.get("spark.executor.cores", "1")))
    return max(1, present // task_cpus(spark))


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


def _connected(schemes: frozenset[str], storage: StorageSettings) -> dict[str, str]:
    """What a Spark of our own needs to address ``schemes``: missing connectors, and Hadoop's properties."""
    home = _find_spark_home()  # type: ignore[no-untyped-call]  # because PySpark leaves it untyped
    absent = schemes - connectors.bundled(Path(home))
    properties = hadoop_properties(schemes, storage, connectors.hadoop_version(Path(home)))
    named = {f"spark.hadoop.{name}": value for name, value in properties.items()}
    return named | connectors.resolution(connectors.packages(absent, pyspark.__version__))


def executor_losses(context: SparkContext) -> list[str]:
    """Why executors were lost so far, in the cluster's words, in no order; those that were let go are not told."""
    jvm: Any = context._jsc  # noqa: SLF001 because PySpark has no way to Spark's own store of facts
    executors = jvm.sc().statusStore().executorList(False)
    reasons = (executors.apply(index).removeReason() for index in range(executors.size()))
    return [reason.get() for reason in reasons if reason.isDefined()]


@contextmanager
def _environment(values: dict[str, str | None]) -> Iterator[None]:
    """These variables for what is started in the block."""
    before = {name: os.environ.get(name) for name in values}
    try:
        _set(values)
        yield
    finally:
        _set(before)


def _set(values: dict[str, str | None]) -> None:
    for name, value in values.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


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
