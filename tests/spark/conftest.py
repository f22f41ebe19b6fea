"""One lazy Spark session for all tests that need a JVM."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from feature_jobs import mean_colour_model
from in_process import SIZE, Command, commands
from pyspark.sql import SparkSession

from fruits_pipeline.backbones.model import Model


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkSession]:
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    session = (
        SparkSession.builder.master("local[2]")
        .appName("tests")
        .config("spark.driver.memory", "2g")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.sql.shuffle.partitions", "2")
        # For a few rows, compiling a query takes longer than running it.
        .config("spark.sql.codegen.wholeStage", "false")
        .config("spark.sql.codegen.factoryMode", "NO_CODEGEN")
        .config("spark.driver.extraJavaOptions", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")
        .config("spark.sql.session.timeZone", "UTC")
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("ERROR")
    yield session
    session.stop()


@pytest.fixture(scope="session")
def colours(tmp_path_factory) -> Model:
    """The model that commands in this process take."""
    return mean_colour_model(tmp_path_factory.mktemp("model"), SIZE)


@pytest.fixture
def command(spark, colours, capfd) -> Iterator[Command]:
    """Runs ``fruits-pipeline`` with the words that it is given, in this process."""
    with commands(spark, colours, capfd) as run:
        yield run


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # py4j leaves its sockets to the garbage collector; any other warning stays an error.
    closing = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(closing)
