"""The Hadoop connectors for ``s3:`` and ``gs:`` addresses: their Maven coordinates, and whether Spark has them.

Versions are pinned for each line of Spark: a connector must be of the Hadoop that Spark was built with.
"""

from collections.abc import Iterable
from importlib import resources
from pathlib import Path
from typing import Final

from fruits_pipeline.errors import SettingsError

S3A: Final = "org.apache.hadoop.fs.s3a.S3AFileSystem"
GCS: Final = "com.google.cloud.hadoop.fs.gcs.GoogleHadoopFileSystem"
# Lets Parquet be written by S3A's committers, which need no rename.
CLOUD_COMMITTER: Final = "org.apache.spark.internal.io.cloud.BindingParquetOutputCommitter"

_PACKAGES: Final = {
    "3.5": {
        "s3": (
            "org.apache.hadoop:hadoop-aws:3.3.4",
            "com.amazonaws:aws-java-sdk-bundle:1.12.262",
            "org.wildfly.openssl:wildfly-openssl:1.0.7.Final",
            "org.apache.spark:spark-hadoop-cloud_2.12:3.5.8",
        ),
        "gs": ("com.google.cloud.bigdataoss:gcs-connector:hadoop3-2.2.26",),
    },
    "4.1": {
        "s3": (
            "org.apache.hadoop:hadoop-aws:3.4.2",
            "software.amazon.awssdk:bundle:2.29.52",
            "org.wildfly.openssl:wildfly-openssl:1.1.3.Final",
            "org.apache.spark:spark-hadoop-cloud_2.13:4.1.1",
        ),
        "gs": ("com.google.cloud.bigdataoss:gcs-connector:hadoop3-2.2.26",),
    },
}


def packages(schemes: Iterable[str], spark_version: str) -> list[str]:
    """Maven coordinates of the connectors that serve ``schemes``; none for ``file``.

    Raises:
        SettingsError: When no connector is known for this line of Spark.

    >>> packages(["file", "gs"], "3.5.8")
    ['com.google.cloud.bigdataoss:gcs-connector:hadoop3-2.2.26']
    """
    line = ".".join(spark_version.split(".")[:2])
    known = _PACKAGES.get(line)
    wanted = sorted({"s3", "gs"}.intersection(schemes))
    if wanted and known is None:
        raise SettingsError(
            f"expected Spark {' or '.join(_PACKAGES)} for {' and '.join(wanted)} addresses, found {spark_version}; "
            "install one of those, or put the connectors' jars into Spark's jars folder"
        )
    return [name for scheme in wanted for name in (known or {})[scheme]]


def shipped_with_spark(spark_home: Path) -> set[str]:
    """The schemes whose connectors are in Spark's folder of jars."""
    names = {"s3": "hadoop-aws-*.jar", "gs": "gcs-connector-*.jar"}
    return {scheme for scheme, name in names.items() if any((spark_home / "jars").glob(name))}


def hadoop_version(spark_home: Path) -> str:
    """The version of the Hadoop among Spark's own jars; 3.4 where Spark has none."""
    prefix = "hadoop-client-api-"
    jars = (spark_home / "jars").glob(f"{prefix}*.jar")
    return next((jar.stem.removeprefix(prefix) for jar in jars), "3.4")


def resolution(coordinates: Iterable[str]) -> dict[str, str]:
    """Spark's properties that make it resolve and cache the Maven ``coordinates``; none for none."""
    named = ",".join(coordinates)
    if not named:
        return {}
    return {
        "spark.jars.packages": named,
        "spark.jars.ivySettings": str(resources.files("fruits_pipeline.session") / "ivysettings.xml"),
        # A folder of its own, because Ivy would take Google's connector without its libraries from the user's.
        "spark.jars.ivy": str(Path("~/.ivy2/fruits-pipeline").expanduser()),
    }


def missing(scheme: str, spark_version: str) -> SettingsError:
    """The error for a ``spark-submit`` without a connector for ``scheme``, with the flags that add one."""
    settings = resolution(packages([scheme], spark_version))
    flags = [f"--packages {settings.pop('spark.jars.packages')}", *(f"--conf {k}={v}" for k, v in settings.items())]
    return SettingsError(
        f"expected a Hadoop connector for {scheme}: addresses, found none on the cluster's class path; "
        f"add to spark-submit:\n  {' '.join(flags)}"
    )
