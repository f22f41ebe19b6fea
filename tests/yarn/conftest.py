"""Fixtures of tests on a real YARN: the job of a bundle, submitted as an EMR step does it, on a real S3 server."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pyspark
import pytest
from daemons import Yarn, yarn
from submission import Cluster

from fruits_pipeline.session.connectors import packages, resolution
from fruits_pipeline.session.java import ensure_java
from servers.server import Server

BIN = Path(sys.executable).parent
_HADOOP = "3.3.4"
_DAEMONS = tuple(
    f"org.apache.hadoop:hadoop-{name}:{_HADOOP}"
    for name in (
        *("common", "hdfs", "yarn-client", "yarn-server-resourcemanager", "yarn-server-nodemanager"),
        "yarn-server-timelineservice",  # without which the resource manager dies
    )
)


@pytest.fixture(scope="session")
def daemon_jars(tmp_path_factory) -> Path:
    """Hadoop's jars with all that is behind them, fetched once for each machine by Spark's own resolution."""
    ensure_java()
    ivy = Path("~/.ivy2/fruits-pipeline-yarn").expanduser()
    _resolved({"spark.jars.packages": ",".join(_DAEMONS), "spark.jars.ivy": str(ivy)}, tmp_path_factory)
    return ivy / "jars"


@pytest.fixture(scope="session")
def s3_jars(tmp_path_factory) -> list[Path]:
    """The S3 connector, which EMR has on its nodes."""
    ensure_java()
    asked = resolution(packages(["s3"], pyspark.__version__))
    _resolved(asked, tmp_path_factory)
    names = [name.split(":") for name in packages(["s3"], pyspark.__version__)]
    jars = [Path(asked["spark.jars.ivy"]) / "jars" / f"{group}_{name}-{version}.jar" for group, name, version in names]
    return [jar for jar in jars if jar.is_file()]


def _resolved(properties, tmp_path_factory) -> None:
    nothing = tmp_path_factory.mktemp("nothing") / "nothing.py"
    nothing.touch()
    flags = [word for name, value in properties.items() for word in ("--conf", f"{name}={value}")]
    environment = os.environ | {"PYSPARK_PYTHON": sys.executable}
    command = [BIN / "spark-submit", "--master", "local", *flags, nothing]
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=environment, timeout=500)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="session")
def cluster_core(seaweed: Server) -> dict[str, str]:
    """How the cluster's own S3 connector reaches the server, as EMR's is set up for AWS."""
    return {
        "fs.s3.impl": "org.apache.hadoop.fs.s3a.S3AFileSystem",
        "fs.s3a.endpoint": seaweed.url,
        "fs.s3a.endpoint.region": "us-east-1",
        "fs.s3a.path.style.access": "true",
        "fs.s3a.connection.ssl.enabled": "false",
        "fs.s3a.access.key": seaweed.access_key,
        "fs.s3a.secret.key": seaweed.secret_key,
    }


@pytest.fixture(scope="session")
def running(daemon_jars, cluster_core, seaweed, tmp_path_factory) -> Iterator[Yarn]:
    """The cluster."""
    with yarn(tmp_path_factory.mktemp("yarn"), daemon_jars, cluster_core, seaweed.environment()) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def cluster(running, s3_jars, seaweed, tmp_path_factory, shared_folder) -> Cluster:
    """The cluster with the job of a bundle uploaded to its bucket."""
    return Cluster.prepared(running, s3_jars, seaweed, tmp_path_factory.mktemp("bundle"), shared_folder)
