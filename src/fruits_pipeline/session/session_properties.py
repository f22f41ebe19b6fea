"""Properties that a session has while the job runs."""

import logging

from pyspark.sql import SparkSession

from fruits_pipeline.session.hadoop import committer
from fruits_pipeline.settings.session import SessionSettings
from fruits_pipeline.settings.spark_conf import as_properties, redacted, with_own

log = logging.getLogger(__name__)

# Needed on every cluster.
_SQL = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    "spark.sql.sources.partitionColumnTypeInference.enabled": "false",
    # Else functions of DataFrames have worker processes of their own, beside those that Spark's own RDDs start.
    "spark.sql.execution.pyspark.udf.simplifiedTraceback.enabled": "false",
}


def session_properties(spark: SparkSession, schemes: frozenset[str], tasks: int) -> dict[str, str]:
    """Properties of our own; those that the context was started with stay, unless the job needs ours.

    Args:
        spark: The session.
        schemes: Schemes of the addresses that it reads and writes.
        tasks: Tasks that can run at the same time.
    """
    given = spark.sparkContext.getConf()
    ours = _SQL | committer(spark, schemes) | _partition_counts(tasks)
    own = {name: str(given.get(name)) for name in ours if given.contains(name)}
    return with_own(ours, own)


def changeable(spark: SparkSession, settings: SessionSettings) -> dict[str, str]:
    """The user's own properties that a running session can still take."""
    own = as_properties(settings.spark_conf)
    fixed = [name for name in own if not spark.conf.isModifiable(name)]
    for name in fixed:
        log.warning("%s is not taken: the session runs already", redacted(f"{name}={own[name]}"))
    return {name: value for name, value in own.items() if name not in fixed}


def _partition_counts(tasks: int) -> dict[str, str]:
    """Numbers of partitions from the size of the cluster; adaptive execution joins small shuffle partitions."""
    wide = str(2 * tasks)
    return {
        "spark.sql.shuffle.partitions": wide,
        "spark.sql.sources.parallelPartitionDiscovery.parallelism": wide,
    }
