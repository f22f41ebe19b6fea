"""Properties of a Spark of our own on this machine: memory, Java's options, connectors of buckets."""

from importlib import resources
from pathlib import Path
from typing import Final

import pyspark
from pyspark.find_spark_home import _find_spark_home

from fruits_pipeline.session import class_archive, connectors
from fruits_pipeline.session.buckets import hadoop_properties
from fruits_pipeline.session.java import Java
from fruits_pipeline.settings.session import SessionSettings
from fruits_pipeline.settings.spark_conf import as_properties, with_own
from fruits_pipeline.settings.storage import StorageSettings

JVM_OPTIONS: Final = "spark.driver.extraJavaOptions"
# A retried task needs a second attempt, which plain local[*] does not give: local[threads,attempts].
_LOCAL_MASTER = "local[*,4]"
# Java would let short-lived objects fill a third of the heap: of 4 GB 1.4, where 0.2 were in use in the feature job.
# A method is compiled by the slow compiler after ten times as many calls as usual: that compiler took a third of the
# processor time of a small job, and 13,309 images are classified 5 % sooner too (benchmarks/README.md).
_JAVA_OPTIONS = (
    "-XX:+UseParallelGC -XX:NewRatio=7 -XX:Tier4InvocationThreshold=50000 -XX:Tier4MinInvocationThreshold=6000 "
    "-XX:Tier4CompileThreshold=150000 -XX:Tier4BackEdgeThreshold=400000"
)
# Lists to which the user's own are added, with what separates their parts.
_LISTS: Final = {JVM_OPTIONS: " ", "spark.jars.packages": ","}


def own_session_properties(
    settings: SessionSettings, java: Java, schemes: frozenset[str], storage: StorageSettings, *, fits: bool
) -> dict[str, str]:
    """All properties of a local Spark that addresses ``schemes``, the user's own among them."""
    ours = local_properties(settings, java, fits=fits) | connector_properties(schemes, storage)
    own = as_properties(settings.spark_conf)
    lists = {name: f"{ours[name]}{by}{own[name]}" for name, by in _LISTS.items() if name in ours and name in own}
    return with_own(ours, own | lists)


def local_properties(settings: SessionSettings, java: Java, *, fits: bool) -> dict[str, str]:
    """Properties of a local Spark; with ``fits`` its JVM may leave an archive of the classes that it loads."""
    log4j = Path(str(resources.files("fruits_pipeline.session") / "log4j2.properties")).as_uri()
    own = f"-Xmx{settings.driver_memory} {_JAVA_OPTIONS}"
    options = f"{_JAVA_OPTIONS} {class_archive.java_options(java, spark_home(), own, may_write=fits)}"
    return {
        "spark.master": _LOCAL_MASTER,
        "spark.driver.memory": settings.driver_memory,
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        JVM_OPTIONS: f"{options} -Dlog4j2.configurationFile={log4j}",
        # Node statistics of the forest are arrays of doubles, which Java's own serialisation writes slowly.
        "spark.serializer": "org.apache.spark.serializer.KryoSerializer",
        "spark.kryoserializer.buffer.max": "1g",
        "spark.python.daemon.module": "fruits_pipeline.session.daemon",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.catalogImplementation": "in-memory",
    }


def spark_home() -> Path:
    """The folder of the Spark that PySpark starts."""
    return Path(_find_spark_home())  # type: ignore[no-untyped-call]  # because PySpark leaves it untyped


def connector_properties(schemes: frozenset[str], storage: StorageSettings) -> dict[str, str]:
    """Properties for a local Spark to address ``schemes``: packages of missing connectors, and Hadoop's properties."""
    absent = schemes - connectors.shipped_with_spark(spark_home())
    properties = hadoop_properties(schemes, storage, connectors.hadoop_version(spark_home()))
    named = {f"spark.hadoop.{name}": value for name, value in properties.items()}
    return named | connectors.resolution(connectors.packages(absent, pyspark.__version__))
