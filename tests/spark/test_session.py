"""Settings for a block, and what Spark records of executors."""

import re
import signal
import subprocess
import threading
import time
from contextlib import nullcontext
from datetime import UTC, datetime
from multiprocessing.pool import ThreadPool
from pathlib import Path

import pytest
from py4j.protocol import Py4JError, Py4JJavaError
from pyspark import SparkConf
from pyspark.errors import PySparkException

from fruits_pipeline.errors import SettingsError
from fruits_pipeline.session import hadoop
from fruits_pipeline.session import spark as module
from fruits_pipeline.session.class_archive import java_options
from fruits_pipeline.session.configured import configured
from fruits_pipeline.session.executors import executor_losses
from fruits_pipeline.session.gateway import stoppable
from fruits_pipeline.session.java import Java
from fruits_pipeline.session.jobs import grouped, is_grouped
from fruits_pipeline.session.local import JVM_OPTIONS, local_properties, spark_home
from fruits_pipeline.session.session_properties import session_properties
from fruits_pipeline.settings.session import SessionSettings
from fruits_pipeline.settings.storage import StorageSettings

ROWS = "spark.sql.execution.arrow.maxRecordsPerBatch"
PARTITIONS = "spark.sql.shuffle.partitions"

DAEMON = "spark.python.daemon.module"
PROVIDERS = "fs.s3a.aws.credentials.provider"


@pytest.mark.parametrize("error", [None, KeyError])
def test_settings_of_a_block_are_restored_however_it_ends(spark, error):
    assert (spark.conf.get(ROWS, None), spark.conf.get(PARTITIONS)) == (None, "2")
    with pytest.raises(error) if error else nullcontext(), configured(spark, {ROWS: 64, PARTITIONS: 7}):
        assert (spark.conf.get(ROWS), spark.conf.get(PARTITIONS)) == ("64", "7")
        if error:
            raise error
    assert (spark.conf.get(ROWS, None), spark.conf.get(PARTITIONS)) == (None, "2")


def test_blocks_may_stand_in_each_other(spark):
    with configured(spark, {ROWS: 64}):
        with configured(spark, {ROWS: 8}):
            assert spark.conf.get(ROWS) == "8"
        assert spark.conf.get(ROWS) == "64"
    assert spark.conf.get(ROWS, None) is None


def test_a_session_of_somebody_else_is_taken_and_has_its_settings_again(spark, monkeypatch):
    context, asked = spark.sparkContext, {"io.seqfile.compress.blocksize": "8192", "fruits.test": "1"}
    monkeypatch.setattr(hadoop, "hadoop_properties", lambda *_: asked)
    connectors = context._jsc.hadoopConfiguration()
    handler = signal.getsignal(signal.SIGINT)

    def state():
        names = ("spark.jobGroup.id", "spark.job.description", "spark.job.interruptOnCancel")
        conf = {row.key: row.value for row in spark.sql("SET").collect()}
        return conf, [context.getLocalProperty(name) for name in names], [connectors.get(name) for name in asked]

    before = state()
    assert before[2] == ["1000000", None]
    for _ in range(2):  # because the second time finds what the first has left
        with module.spark_session(SessionSettings(), StorageSettings(), frozenset({"file"})) as taken:
            assert taken.sparkContext is context
            assert taken.conf.get("spark.sql.parquet.outputTimestampType") == "TIMESTAMP_MICROS"
            assert [connectors.get(name) for name in asked] == ["8192", "1"]
            assert is_grouped(context)
        assert state() == before
    assert spark.range(2).count() == 2
    assert signal.getsignal(signal.SIGINT) is handler


def test_own_properties_hold_in_a_session_of_somebody_else_where_it_can_take_them(spark, caplog):
    given = ("spark.sql.shuffle.partitions=7", "spark.sql.session.timeZone=Asia/Tokyo", "spark.task.cpus=2")
    before = spark.conf.get("spark.sql.shuffle.partitions")
    with module.spark_session(SessionSettings(spark_conf=given), StorageSettings(), frozenset({"file"})) as taken:
        assert taken.conf.get("spark.sql.shuffle.partitions") == "7"
        assert taken.conf.get("spark.sql.session.timeZone") == "UTC"
    assert spark.conf.get("spark.sql.shuffle.partitions") == before
    told = [message for message in caplog.messages if "is not taken" in message]
    assert told == [
        "spark.task.cpus=2 is not taken: the session runs already",
        "spark.sql.session.timeZone=Asia/Tokyo is not taken: the job needs UTC",
    ]


def test_what_the_context_was_started_with_stays_unless_the_job_needs_ours(spark, monkeypatch):
    started = {"spark.sql.shuffle.partitions": "7", "spark.sql.session.timeZone": "Asia/Tokyo"}
    conf = SparkConf(loadDefaults=False).setAll(list(started.items()))
    monkeypatch.setattr(spark.sparkContext, "_conf", conf)
    found = session_properties(spark, frozenset({"file"}), 2)
    assert found["spark.sql.shuffle.partitions"] == "7"
    assert found["spark.sql.session.timeZone"] == "UTC"
    assert found["spark.sql.sources.parallelPartitionDiscovery.parallelism"] == "4"


def test_the_credentials_that_a_cluster_has_are_asked_first(spark):
    """Keys in Spark's properties, and whatever the vendor put into its core-default.xml; ours come after them."""
    connectors = spark.sparkContext._jsc.hadoopConfiguration()
    before = connectors.get(PROVIDERS)
    theirs = [part.strip() for part in before.split(",")]
    assert theirs[1] == "org.apache.hadoop.fs.s3a.SimpleAWSCredentialsProvider"
    connectors.set("fs.s3.impl", "an.own.FileSystem")
    try:
        with hadoop.configured_connectors(spark, frozenset({"s3"}), StorageSettings()):
            found = connectors.get(PROVIDERS).split(",")
            assert found[:-1] == theirs
            assert found[-1].startswith(
                ("com.amazonaws.auth.Default", "software.amazon.awssdk.auth.credentials.Default")
            )
        assert connectors.get(PROVIDERS) == before
        with hadoop.configured_connectors(spark, frozenset({"s3"}), StorageSettings(s3_anonymous=True)):
            assert connectors.get(PROVIDERS) == "org.apache.hadoop.fs.s3a.AnonymousAWSCredentialsProvider"
    finally:
        connectors.unset("fs.s3.impl")


def test_only_jobs_of_the_block_are_cancelled_in_a_session_of_somebody_else(spark):
    context, started = spark.sparkContext, threading.Event()

    def slow(_):
        time.sleep(4)
        return 1

    def others():
        started.set()
        return context.parallelize([1], 1).map(slow).sum()

    with ThreadPool(1) as pool:
        theirs = pool.apply_async(others)
        started.wait()
        with grouped(context), stoppable(context) as stop:
            threading.Timer(1.5, stop).start()
            with pytest.raises(Py4JJavaError, match="cancelled part of cancelled job group fruits-pipeline-"):
                context.parallelize([1], 1).map(slow).sum()
        assert theirs.get() == 1


def test_workers_leave_the_directories_of_archives_alone(spark):
    """Of a session whose ``spark.python.daemon.module`` is that of a local Spark of our own."""
    assert spark.conf.get(DAEMON) == local_properties(SessionSettings(), Java("java", 17), fits=False)[DAEMON]

    def look(_):
        import sys
        from zipimport import zipimporter

        finders = [finder for finder in sys.path_importer_cache.values() if isinstance(finder, zipimporter)]
        before = [finder._files for finder in finders]
        for finder in finders:
            finder.invalidate_caches()
        return len(finders), all(one is finder._files for one, finder in zip(before, finders, strict=True))

    finders, kept = spark.sparkContext.parallelize([1], 1).map(look).first()
    assert finders >= 2
    assert kept


def test_a_local_spark_loses_no_executor(spark):
    assert executor_losses(spark.sparkContext) == []
    assert executor_losses(spark.sparkContext, datetime.now(UTC)) == []


@pytest.fixture
def java(spark, tmp_path, monkeypatch):
    """The program of the Java that runs here; its archives lie in ``tmp_path``."""
    monkeypatch.setenv("FRUITS_CACHE_DIR", str(tmp_path / "cache"))
    return str(Path(spark.sparkContext._jvm.System.getProperty("java.home")) / "bin" / "java")


def test_short_lived_objects_may_fill_an_eighth_of_a_local_heap(java):
    properties = local_properties(SessionSettings(driver_memory="4g"), Java(java, 17), fits=True)
    options = properties["spark.driver.extraJavaOptions"].split()
    command = [java, "-Xmx4g", *options, "-XX:+PrintFlagsFinal", "-version"]
    flags = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert int(re.search(r"MaxNewSize\s*= (\d+)", flags)[1]) == (4 << 30) // 8


def test_a_jvm_writes_an_archive_of_its_classes_and_the_next_one_loads_spark_s_from_it(java):
    def loaded():
        options = java_options(Java(java, 17), spark_home(), "-XX:+UseParallelGC", may_write=True).split()
        spark = ["-cp", f"{spark_home()}/jars/*", "org.apache.spark.launcher.Main", "no.such.Class"]
        command = [java, "-XX:+UseParallelGC", *options, "-Xlog:class+load:stderr", *spark]
        return subprocess.run(command, capture_output=True, text=True, check=False).stderr

    from_archive = re.compile(r"org\.apache\.spark\.launcher\.Main source: shared objects file \(top\)")
    assert not from_archive.search(loaded())
    assert from_archive.search(loaded())


def test_a_jvm_that_does_not_start_from_its_archive_is_started_without(tmp_path, monkeypatch, caplog):
    archive, seen = tmp_path / "damaged.jsa", []
    archive.touch()

    def connect(conf):
        seen.append(conf.get(JVM_OPTIONS).split())
        if archive.exists():
            raise PySparkException("JAVA_GATEWAY_EXITED")

    monkeypatch.setattr(module, "connect", connect)
    conf = SparkConf(loadDefaults=False).set(JVM_OPTIONS, f"-Xshare:auto -XX:SharedArchiveFile={archive} -Da=b")
    module._connect(conf)
    assert seen == [["-Xshare:auto", f"-XX:SharedArchiveFile={archive}", "-Da=b"], ["-Xshare:auto", "-Da=b"]]
    assert "the JVM did not start from its archive of classes" in caplog.text
    monkeypatch.setattr(module, "connect", lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        module._connect(conf)


def test_own_values_with_which_spark_does_not_start_are_a_matter_of_settings():
    given = SessionSettings(spark_conf=("spark.sql.shuffle.partitions=zero",))
    for error in (Py4JError("zero"), PySparkException("zero")):
        told = r"--spark-conf: .* found zero with spark\.sql\.shuffle\.partitions"
        with pytest.raises(SettingsError, match=told), module._own_properties_blamed(given):
            raise error
        with pytest.raises(type(error)), module._own_properties_blamed(SessionSettings()):
            raise error
