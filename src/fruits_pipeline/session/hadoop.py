"""Hadoop's settings of a running Spark: checks that the connectors exist, and sets what nobody has set."""

import contextlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from py4j.protocol import Py4JError, Py4JJavaError
from pyspark.sql import SparkSession

from fruits_pipeline.session.buckets import MAGIC_COMMITTER, hadoop_properties
from fruits_pipeline.session.connectors import CLOUD_COMMITTER, GCS, S3A, missing
from fruits_pipeline.settings.storage import StorageSettings

_OURS = {"s3": S3A, "gs": GCS}
_UNTOUCHED = "core-default.xml"
_CREDENTIALS = "fs.s3a.aws.credentials.provider"


def configure(spark: SparkSession, schemes: frozenset[str], settings: StorageSettings) -> None:
    """Sets the properties of the connectors of ``schemes``: those of ``settings``, and defaults that nobody has set.

    Raises:
        SettingsError: When there is no connector for a scheme.
    """
    hadoop = _hadoop(spark)
    for name, value in _wanted(spark, schemes, settings).items():
        hadoop.set(name, value)


@contextmanager
def configured_connectors(spark: SparkSession, schemes: frozenset[str], settings: StorageSettings) -> Iterator[None]:
    """The same for the length of a block; afterwards each property has the value and the source that it had.

    Raises:
        SettingsError: When there is no connector for a scheme.
    """
    hadoop = _hadoop(spark)
    wanted = _wanted(spark, schemes, settings)
    former = {name: (hadoop.getRaw(name), _source(hadoop, name)) for name in wanted}
    configure(spark, schemes, settings)
    try:
        yield
    finally:
        # Where the JVM is lost there is nothing to restore, and the error of the block says more.
        with contextlib.suppress(Py4JError):
            for name, (value, source) in former.items():
                if value is None:
                    hadoop.unset(name)
                else:
                    hadoop.set(name, value, source)


def _wanted(spark: SparkSession, schemes: frozenset[str], settings: StorageSettings) -> dict[str, str]:
    """The properties to set."""
    hadoop = _hadoop(spark)
    jvm: Any = spark.sparkContext._jvm  # noqa: SLF001 because Spark has no public way to ask
    version = jvm.org.apache.hadoop.util.VersionInfo.getVersion()
    properties = hadoop_properties(schemes, settings, version)
    requested = properties.items() - hadoop_properties(schemes, StorageSettings(), version).items()
    for scheme in sorted(schemes & _OURS.keys()):
        if hadoop.get(f"fs.{scheme}.impl") is None and not has_class(spark, _OURS[scheme]):
            raise missing(scheme, spark.version)
    wanted = {
        name: value
        for name, value in properties.items()
        # A property that was unset has no value, and still a source.
        if (name, value) in requested or hadoop.getRaw(name) is None or _source(hadoop, name) == _UNTOUCHED
    }
    chain = wanted.get(_CREDENTIALS)
    if chain is not None and (_CREDENTIALS, chain) not in requested:
        wanted[_CREDENTIALS] = _after(hadoop.get(_CREDENTIALS), chain)
    return wanted


def _after(providers: str | None, chain: str) -> str:
    r"""The cluster's own credentials providers, which know keys in Spark's properties, and ``chain`` after them.

    >>> _after("a.Keys,\n  a.Role", "b.Chain"), _after(None, "b.Chain")
    ('a.Keys,a.Role,b.Chain', 'b.Chain')
    """
    return ",".join([*(part.strip() for part in (providers or "").split(",") if part.strip()), chain])


def _source(hadoop: Any, name: str) -> str | None:
    """What set a property last; None where nothing did."""
    sources = hadoop.getPropertySources(name)
    return None if sources is None else str(list(sources)[-1])


def committer(spark: SparkSession, schemes: frozenset[str]) -> dict[str, str]:
    """Spark's properties for S3A's magic committer; empty where S3A does not serve ``s3`` or another one is set."""
    known = {name for name, _ in spark.sparkContext.getConf().getAll()}
    serves = "s3" in schemes and _hadoop(spark).get("fs.s3.impl") == S3A and has_class(spark, CLOUD_COMMITTER)
    return MAGIC_COMMITTER if serves and not known.intersection(MAGIC_COMMITTER) else {}


def has_class(spark: SparkSession, name: str) -> bool:
    """Whether the driver's class path has the Java class ``name``."""
    jvm: Any = spark.sparkContext._jvm  # noqa: SLF001 because Spark has no public way to ask
    try:
        jvm.java.lang.Class.forName(name, False, jvm.java.lang.Thread.currentThread().getContextClassLoader())
    except Py4JJavaError:
        return False
    return True


def _hadoop(spark: SparkSession) -> Any:
    context: Any = spark.sparkContext
    return context._jsc.hadoopConfiguration()  # noqa: SLF001 because Spark has no public way to its Hadoop settings
