"""The Spark session: ours on a laptop, the cluster's under ``spark-submit``."""

import logging
import os
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Any

import pyspark
from pyspark import SparkConf, SparkContext
from pyspark.errors import PySparkException
from pyspark.find_spark_home import _find_spark_home
from pyspark.sql import SparkSession

from fruits_pipeline.session import class_archive, connectors
from fruits_pipeline.session.buckets import hadoop_properties
from fruits_pipeline.session.executors import ExecutorLoss, is_unlimited, reasons_since, tasks_at_once
from fruits_pipeline.session.gateway import connect
from fruits_pipeline.session.hadoop import committer, configure
from fruits_pipeline.session.interrupt import install_handlers
from fruits_pipeline.session.java import Java, ensure_java
from fruits_pipeline.settings.session import SessionSettings
from fruits_pipeline.settings.storage import StorageSettings
from fruits_pipeline.storage.jvm_credentials import environment
from fruits_pipeline.timeline import step

log = logging.getLogger(__name__)

# Needed on every cluster.
_SQL = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    "spark.sql.sources.partitionColumnTypeInference.enabled": "false",
    # Else functions of DataFrames have worker processes of their own, beside those that Spark's own RDDs start.
    "spark.sql.execution.pyspark.udf.simplifiedTraceback.enabled": "false",
}
_JVM_OPTIONS = "spark.driver.extraJavaOptions"
_ALWAYS = datetime.min.replace(tzinfo=UTC)
# A retried task needs a second attempt, which plain local[*] does not give: local[threads,attempts].
_LOCAL_MASTER = "local[*,4]"
# Java would let short-lived objects fill a third of the heap: of 4 GB 1.4, where 0.2 were in use in the feature job.
# A method is compiled by the slow compiler after ten times as many calls as usual: that compiler took a third of the
# processor time of a small job, and 13,309 images are classified 5 % sooner too (benchmarks/README.md).
_JAVA_OPTIONS = (
    "-XX:+UseParallelGC -XX:NewRatio=7 -XX:Tier4InvocationThreshold=50000 -XX:Tier4MinInvocationThreshold=6000 "
    "-XX:Tier4CompileThreshold=150000 -XX:Tier4BackEdgeThreshold=400000"
)


@contextmanager
def spark_session(
    settings: SessionSettings, storage: StorageSettings, schemes: frozenset[str], *, fits: bool = False
) -> Iterator[SparkSession]:
    """A session that reads and writes addresses of ``schemes``; it is stopped when the block ends.

    With ``fits`` models are fitted: a JVM of our own then loads all classes that an archive of them should have.

    Raises:
        SettingsError: When a local Spark finds no supported Java, or ``spark-submit`` has no connector for a scheme.
    """
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    spark = _started(settings, storage, schemes, fits=fits)
    try:
        if under_spark_submit():
            spark.sparkContext.setLogLevel("ERROR")
        configure(spark, schemes, storage)
        for key, value in (_SQL | committer(spark, schemes) | _partition_counts(spark)).items():
            spark.conf.set(key, value)
        _log_session(spark)
        yield spark
    finally:
        spark.stop()


def _started(
    settings: SessionSettings, storage: StorageSettings, schemes: frozenset[str], *, fits: bool
) -> SparkSession:
    properties: dict[str, str] = {}
    variables: dict[str, str | None] = {}
    if not under_spark_submit():
        with step("session: find java"):
            java = ensure_java()
        properties = _local_properties(settings, java, fits=fits) | _connector_properties(schemes, storage)
        variables = environment(schemes, storage)
    conf = SparkConf().setAppName("fruits-pipeline").setAll(list(properties.items()))
    with _environment(variables), step("session: jvm"):
        _connect(conf)
    with step("session: context"):
        SparkContext.getOrCreate(conf)
    install_handlers()
    with step("session: sql"):
        return SparkSession.builder.getOrCreate()


def _connect(conf: SparkConf) -> None:
    """Connects to a JVM; one that does not start from its archive of classes is started again without it."""
    options = conf.get(_JVM_OPTIONS) or ""
    try:
        connect(conf)
    except PySparkException:
        bare = class_archive.without_archive(options)
        if bare == options:
            raise
        log.warning("the JVM did not start from its archive of classes, which was deleted; it is started without")
        connect(conf.set(_JVM_OPTIONS, bare))


def under_spark_submit() -> bool:
    """Whether ``spark-submit`` started this process; it then sets master and memory."""
    return "PYSPARK_GATEWAY_PORT" in os.environ


def cores(spark: SparkSession) -> int:
    """Tasks that can run at the same time: where executors come and go, once all that may come are there.

    Where there is no upper limit, ``NOMINAL_TASKS``.
    """
    return tasks_at_once(_properties(spark), spark.sparkContext.defaultParallelism)


def is_local(spark: SparkSession) -> bool:
    """Whether all tasks run on this machine."""
    return str(spark.sparkContext.master).startswith("local")


def task_cpus(spark: SparkSession) -> int:
    """Processor cores for each task."""
    return int(spark.sparkContext.getConf().get("spark.task.cpus", "1"))


def task_counts(context: SparkContext) -> tuple[int, int]:
    """The numbers of running and of waiting tasks of all active stages."""
    tracker = context.statusTracker()
    stages = [tracker.getStageInfo(stage) for stage in tracker.getActiveStageIds()]
    known = [stage for stage in stages if stage is not None]
    running = sum(stage.numActiveTasks for stage in known)
    return running, sum(stage.numTasks - stage.numCompletedTasks for stage in known) - running


def executor_losses(context: SparkContext, since: datetime = _ALWAYS) -> list[str]:
    """Why executors were lost at ``since`` (with a time zone) or later, in Spark's words and in no order.

    Executors that were released without a fault have no reason and are left out.
    """
    jvm: Any = context._jsc  # noqa: SLF001 because PySpark has no access to Spark's status store
    executors = jvm.sc().statusStore().executorList(False)
    found = (executors.apply(index) for index in range(executors.size()))
    removed = [executor for executor in found if executor.removeReason().isDefined()]
    return reasons_since(map(_loss, removed), since)


def _loss(executor: Any) -> ExecutorLoss:
    """A loss from Spark's ``ExecutorSummary``; a removal without a time counts as just now."""
    when = executor.removeTime()
    removed_at = datetime.fromtimestamp(when.get().getTime() / 1000, UTC) if when.isDefined() else datetime.now(UTC)
    return ExecutorLoss(executor.removeReason().get(), removed_at)


def _local_properties(settings: SessionSettings, java: Java, *, fits: bool) -> dict[str, str]:
    log4j = Path(str(resources.files("fruits_pipeline.session") / "log4j2.properties")).as_uri()
    own = f"-Xmx{settings.driver_memory} {_JAVA_OPTIONS}"
    options = f"{_JAVA_OPTIONS} {class_archive.java_options(java, _spark_home(), own, may_write=fits)}"
    return {
        "spark.master": _LOCAL_MASTER,
        "spark.driver.memory": settings.driver_memory,
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        _JVM_OPTIONS: f"{options} -Dlog4j2.configurationFile={log4j}",
        # Node statistics of the forest are arrays of doubles, which Java's own serialisation writes slowly.
        "spark.serializer": "org.apache.spark.serializer.KryoSerializer",
        "spark.kryoserializer.buffer.max": "1g",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.catalogImplementation": "in-memory",
    }


def _spark_home() -> Path:
    return Path(_find_spark_home())  # type: ignore[no-untyped-call]  # because PySpark leaves it untyped


def _connector_properties(schemes: frozenset[str], storage: StorageSettings) -> dict[str, str]:
    """Properties for a local Spark to address ``schemes``: packages of missing connectors, and Hadoop's properties."""
    absent = schemes - connectors.shipped_with_spark(_spark_home())
    properties = hadoop_properties(schemes, storage, connectors.hadoop_version(_spark_home()))
    named = {f"spark.hadoop.{name}": value for name, value in properties.items()}
    return named | connectors.resolution(connectors.packages(absent, pyspark.__version__))


@contextmanager
def _environment(values: dict[str, str | None]) -> Iterator[None]:
    """Environment variables for processes that are started in the block."""
    before = {name: os.environ.get(name) for name in values}
    try:
        _set_variables(values)
        yield
    finally:
        _set_variables(before)


def _set_variables(values: dict[str, str | None]) -> None:
    for name, value in values.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def _partition_counts(spark: SparkSession) -> dict[str, str]:
    """Numbers of partitions from the size of the cluster; adaptive execution joins small shuffle partitions."""
    wide = str(2 * cores(spark))
    return {
        "spark.sql.shuffle.partitions": wide,
        "spark.sql.sources.parallelPartitionDiscovery.parallelism": wide,
    }


def _properties(spark: SparkSession) -> dict[str, str]:
    return dict(spark.sparkContext.getConf().getAll())


def _log_session(spark: SparkSession) -> None:
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
    if is_unlimited(_properties(spark)):
        log.info(
            "tasks_at_once=%d is nominal because spark.dynamicAllocation.maxExecutors sets no limit; set it to the "
            "executors that the cluster can hold",
            cores(spark),
        )
