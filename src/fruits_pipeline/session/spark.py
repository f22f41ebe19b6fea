"""The Spark session: ours on a laptop, the cluster's under ``spark-submit``."""

import logging
import os
import platform
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from py4j.protocol import Py4JError
from pyspark import SparkConf, SparkContext
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from fruits_pipeline.errors import SettingsError, root_cause
from fruits_pipeline.session import class_archive
from fruits_pipeline.session.archives import check_archives
from fruits_pipeline.session.configured import configured
from fruits_pipeline.session.executors import SIZE_PROPERTIES, is_unlimited, tasks_at_once
from fruits_pipeline.session.gateway import connect
from fruits_pipeline.session.hadoop import configure, configured_connectors
from fruits_pipeline.session.interrupt import install_handlers
from fruits_pipeline.session.java import ensure_java
from fruits_pipeline.session.jobs import grouped
from fruits_pipeline.session.local import JVM_OPTIONS, own_session_properties
from fruits_pipeline.session.session_properties import changeable, session_properties
from fruits_pipeline.session.submitted import under_spark_submit
from fruits_pipeline.settings.session import SessionSettings
from fruits_pipeline.settings.spark_conf import as_properties, with_own
from fruits_pipeline.settings.storage import StorageSettings
from fruits_pipeline.storage.jvm_credentials import environment
from fruits_pipeline.timeline import step

log = logging.getLogger(__name__)

_NAME = "fruits-pipeline"


@contextmanager
def spark_session(
    settings: SessionSettings, storage: StorageSettings, schemes: frozenset[str], *, fits: bool = False
) -> Iterator[SparkSession]:
    """A session that reads and writes addresses of ``schemes``.

    A session that is active in this process belongs to whoever started it: it is taken, goes on afterwards, and has the
    settings again that it had. Else one is started, and stopped when the block ends; with ``fits`` models are fitted: a
    JVM of our own then loads all classes that an archive of them should have.

    Raises:
        SettingsError: When a local Spark finds no supported Java, or a session of others or of ``spark-submit`` has no
            connector for a scheme.
    """
    given = active_session()
    with (
        _started(settings, storage, schemes, fits=fits)
        if given is None
        else _lent(given, settings, storage, schemes) as spark
    ):
        _log_session(spark)
        yield spark


def active_session() -> SparkSession | None:
    """The session of this thread or of this process, which somebody else started; None where there is none."""
    if SparkContext._active_spark_context is None:  # noqa: SLF001 because Spark has no public way to ask
        return None
    return SparkSession.getActiveSession() or SparkSession.builder.getOrCreate()


@contextmanager
def _lent(
    spark: SparkSession, settings: SessionSettings, storage: StorageSettings, schemes: frozenset[str]
) -> Iterator[SparkSession]:
    """Somebody else's session with our settings, for the length of the block."""
    with ExitStack() as stack:
        stack.enter_context(grouped(spark.sparkContext))
        stack.enter_context(configured_connectors(spark, schemes, storage))
        stack.enter_context(
            configured(spark, with_own(session_properties(spark, schemes, cores(spark)), changeable(spark, settings)))
        )
        yield spark


@contextmanager
def _started(
    settings: SessionSettings, storage: StorageSettings, schemes: frozenset[str], *, fits: bool
) -> Iterator[SparkSession]:
    """A session of our own, for the length of the block."""
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    with _own_properties_blamed(settings):
        spark = _start(settings, storage, schemes, fits=fits)
    try:
        with _own_properties_blamed(settings):
            if under_spark_submit():
                spark.sparkContext.setLogLevel("ERROR")
            configure(spark, schemes, storage)
            for key, value in session_properties(spark, schemes, cores(spark)).items():
                spark.conf.set(key, value)
        if under_spark_submit():
            with step("session: archives"):
                check_archives(spark.sparkContext)
        yield spark
    finally:
        spark.stop()


@contextmanager
def _own_properties_blamed(settings: SessionSettings) -> Iterator[None]:
    """Tells of the user's own properties where a Spark does not start with them: the same command would never do."""
    try:
        yield
    except (Py4JError, PySparkException) as error:
        if not settings.spark_conf:
            raise
        keys = ", ".join(as_properties(settings.spark_conf))
        raise SettingsError(
            f"--spark-conf: expected values with which Spark starts, found {root_cause(error)} with {keys}; correct "
            "them, or leave them out"
        ) from error


def _start(settings: SessionSettings, storage: StorageSettings, schemes: frozenset[str], *, fits: bool) -> SparkSession:
    properties = as_properties(settings.spark_conf)
    variables: dict[str, str | None] = {}
    if not under_spark_submit():
        with step("session: find java"):
            java = ensure_java()
        properties = own_session_properties(settings, java, schemes, storage, fits=fits)
        variables = environment(schemes, storage)
    conf = SparkConf().setAll(list(properties.items()))
    with _environment(variables), step("session: jvm"):
        _connect(conf)
    if not (under_spark_submit() and is_named(SparkConf().get("spark.app.name"), sys.argv[0])):
        conf.setAppName(_NAME)
    with step("session: context"):
        SparkContext.getOrCreate(conf)
    install_handlers()
    with step("session: sql"):
        return SparkSession.builder.getOrCreate()


def is_named(name: str | None, script: str) -> bool:
    """Whether somebody has named the application: ``spark-submit`` without ``--name`` calls it as its script's file.

    >>> is_named("nightly", "/jobs/run.py"), is_named("run.py", "/jobs/run.py"), is_named(None, "")
    (True, False, False)
    """
    return name is not None and name != Path(script).name


def _connect(conf: SparkConf) -> None:
    """Connects to a JVM; one that does not start from its archive of classes is started again without it."""
    options = conf.get(JVM_OPTIONS) or ""
    try:
        connect(conf)
    except PySparkException:
        bare = class_archive.without_archive(options)
        if bare == options:
            raise
        log.warning("the JVM did not start from its archive of classes, which was deleted; it is started without")
        connect(conf.set(JVM_OPTIONS, bare))


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
    return int(spark.conf.get("spark.task.cpus", "1") or 1)


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


def _properties(spark: SparkSession) -> dict[str, str]:
    """Those of the cluster's size that are set: PySpark takes a call for each property of a whole configuration."""
    found = {name: spark.conf.get(name, None) for name in SIZE_PROPERTIES}
    return {name: value for name, value in found.items() if value is not None}


def _log_session(spark: SparkSession) -> None:
    context = spark.sparkContext
    jvm: Any = context._jvm  # noqa: SLF001 because Spark has no public way to ask
    log.info(
        "session spark=%s master=%s tasks_at_once=%d task_cpus=%d java=%s python=%s application=%s name=%s",
        spark.version,
        context.master,
        cores(spark),
        task_cpus(spark),
        jvm.System.getProperty("java.version"),
        platform.python_version(),
        context.applicationId,
        context.appName,
    )
    if is_unlimited(_properties(spark)):
        log.info(
            "tasks_at_once=%d is nominal because spark.dynamicAllocation.maxExecutors sets no limit; set it to the "
            "executors that the cluster can hold",
            cores(spark),
        )
