"""One lazy Spark session for all tests of a layer that need a JVM."""

import os
import sys
from pathlib import Path

import pytest

_LAYERS = {"spark", "kill"}


@pytest.fixture(scope="session")
def spark():
    from pyspark.sql import SparkSession  # late, because layers without Spark load this too

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
        .config("spark.python.daemon.module", "fruits_pipeline.session.daemon")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.execution.pyspark.udf.simplifiedTraceback.enabled", "false")
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("ERROR")
    yield session
    session.stop()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # py4j leaves its sockets to the garbage collector; any other warning stays an error.
    closing = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
    for item in items:
        if _LAYERS & {folder.name for folder in item.path.relative_to(Path(__file__).parent).parents}:
            item.add_marker(closing)
