"""Settings for a block, and what Spark records of executors."""

import re
import subprocess
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fruits_pipeline.session.configured import configured
from fruits_pipeline.session.spark import _local_properties, executor_losses
from fruits_pipeline.settings.session import SessionSettings

ROWS = "spark.sql.execution.arrow.maxRecordsPerBatch"
PARTITIONS = "spark.sql.shuffle.partitions"


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


def test_a_local_spark_loses_no_executor(spark):
    assert executor_losses(spark.sparkContext) == []
    assert executor_losses(spark.sparkContext, datetime.now(UTC)) == []


def test_short_lived_objects_may_fill_an_eighth_of_a_local_heap(spark):
    options = _local_properties(SessionSettings(driver_memory="4g"))["spark.driver.extraJavaOptions"].split()
    java = Path(spark.sparkContext._jvm.System.getProperty("java.home")) / "bin" / "java"
    command = [str(java), "-Xmx4g", *options, "-XX:+PrintFlagsFinal", "-version"]
    flags = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert int(re.search(r"MaxNewSize\s*= (\d+)", flags)[1]) == (4 << 30) // 8
