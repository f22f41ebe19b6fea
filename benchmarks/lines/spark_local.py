"""A Spark session as people start one on two cores, for lines (a) to (c); ours has its own."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession

from fruits_pipeline.session.java import ensure_java
from lines.work import PROCESSES


@contextmanager
def session(arrow_rows: int) -> Iterator[SparkSession]:
    """A session with ``PROCESSES`` tasks at once and so many rows in an Arrow batch."""
    os.environ["PYSPARK_PYTHON"] = sys.executable
    ensure_java()
    spark = (
        SparkSession.builder.master(f"local[{PROCESSES}]")
        .config("spark.driver.memory", "4g")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.sql.execution.arrow.maxRecordsPerBatch", str(arrow_rows))
        .getOrCreate()
    )
    spark.sparkContext.setLogLevel("ERROR")
    try:
        yield spark
    finally:
        spark.stop()


def contents(spark: SparkSession, images: Path, partitions: int = PROCESSES) -> DataFrame:
    """Columns ``path`` and ``content`` of all images; the model is built once in each partition."""
    files = spark.read.format("binaryFile").option("recursiveFileLookup", "true").load(str(images))
    return files.select("path", "content").repartition(partitions)
