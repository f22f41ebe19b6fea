"""One session with both connectors, and commands in it behind the policies of real stores."""

import os
import sys

import pyspark
import pytest
from feature_jobs import mean_colour_model
from in_process import SIZE, commands
from small_source import add_images

from fruits_pipeline.session.connectors import packages, resolution
from servers.proxy import Proxy


@pytest.fixture(scope="module")
def connected(seaweed):
    """A session that has the connectors of both clouds, as a notebook may start one, and credentials of S3."""
    from pyspark.sql import SparkSession

    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    properties = {
        "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
        "spark.driver.memory": "2g",
        "spark.python.daemon.module": "fruits_pipeline.session.daemon",
        "spark.sql.shuffle.partitions": "2",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        # Objects that are looked at together go in one request, whose body the front does not read.
        "spark.hadoop.fs.gs.max.requests.per.batch": "1",
    }
    builder = SparkSession.builder.master("local[2]")
    for name, value in (properties | resolution(packages(["s3", "gs"], pyspark.__version__))).items():
        builder = builder.config(name, value)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in seaweed.environment().items():
            patch.setenv(name, value)
        session = builder.getOrCreate()
    session.sparkContext.setLogLevel("OFF")
    yield session
    session.stop()


@pytest.fixture(scope="module")
def few(tmp_path_factory):
    """24 small pictures by their keys, of which ten or more are one task's."""
    folder = add_images(tmp_path_factory.mktemp("few"), 4)
    return {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("*.png"))}


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return mean_colour_model(tmp_path_factory.mktemp("model"), SIZE, white=6)


# Of one module, because Hadoop keeps the connector of a bucket, with the address that it was made with.
@pytest.fixture(scope="module")
def s3_front(seaweed, few):
    """A proxy before SeaweedFS that has the pictures."""
    seaweed.fill_s3("fruits", {f"fruits/{key}": content for key, content in few.items()})
    with Proxy(seaweed.port) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def gcs_front(gcs, few):
    """A proxy before fake-gcs-server that has the pictures."""
    gcs.fill_gcs("fruits", {f"packages/photos/{key}": content for key, content in few.items()})
    with Proxy(gcs.port) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def server_of_keys(seaweed):
    """A client of SeaweedFS past the front."""
    client = seaweed.s3_client()
    yield client
    client.close()


@pytest.fixture
def on_s3(connected, model, capfd, seaweed, s3_front, aws_environment):  # noqa: ARG001 because fixtures take no marks
    """Runs ``run`` on S3, with words of its own."""
    variables = seaweed.environment() | {"FRUITS_S3_ENDPOINT_URL": s3_front.url, "FRUITS_S3_REGION": "us-east-1"}
    with commands(connected, model, capfd, configures=True, **variables) as command:
        yield command


@pytest.fixture
def on_gcs(connected, model, capfd, gcs_front):
    """Runs ``run`` on GCS, with words of its own."""
    variables = {"FRUITS_GCS_ENDPOINT_URL": gcs_front.url, "FRUITS_GCS_ANONYMOUS": "true"}
    with commands(connected, model, capfd, configures=True, **variables) as command:
        yield command
