"""The reader ``binaryfile``: Spark's own source of files, through the cluster's own connectors."""

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from functools import reduce

import pandas as pd
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812, because Spark's own documentation spells it so

from fruits_pipeline.errors import StorageError
from fruits_pipeline.storage.opening import open_store

_GLOB = re.compile(r"([{}\[\]*?\\])")


def escaped(path: str) -> str:
    r"""``path`` as a Hadoop glob that matches nothing but itself.

    >>> escaped("file:///a/x[1].jpg")
    'file:///a/x\\[1\\].jpg'
    """
    return _GLOB.sub(r"\\\1", path)


def contents(spark: SparkSession, paths: Sequence[str], tasks: int) -> DataFrame:
    """Columns ``path`` (as the manifest spells it) and ``content`` (bytes) of the files, in about ``tasks`` tasks.

    A file that is gone or cannot be read has no row. Hadoop cannot address a name with a colon: such files are
    read by our own storage, in the same tasks' workers.
    """
    own = [path for path in paths if ":" in path.partition("://")[2]]
    hadoop = [path for path in paths if ":" not in path.partition("://")[2]]
    parts = [_by_spark(spark, hadoop, tasks)] if hadoop else []
    parts += [_by_storage(spark, own, tasks)] if own else []
    return reduce(DataFrame.union, parts)


def _by_spark(spark: SparkSession, paths: list[str], tasks: int) -> DataFrame:
    """Spark packs files into tasks by bytes plus a fixed cost, which outweighs small files."""
    spark.conf.set("spark.sql.files.minPartitionNum", str(tasks))
    spark.conf.set("spark.sql.files.maxPartitionBytes", str(1 << 60))
    files = (
        spark.read.format("binaryFile")
        .option("ignoreMissingFiles", "true")
        .option("ignoreCorruptFiles", "true")
        .load([escaped(path) for path in paths])
    )
    return files.select(F.regexp_replace("path", "^file:/+", "file:///").alias("path"), "content")


def _by_storage(spark: SparkSession, paths: list[str], tasks: int) -> DataFrame:
    rows = spark.createDataFrame([(path,) for path in paths], "path string").repartition(min(tasks, len(paths)))
    return rows.mapInPandas(_read, "path string, content binary")


def _read(frames: Iterable[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    for frame in frames:
        for path in frame["path"]:
            folder, _, key = path.rpartition("/")
            with suppress(StorageError):
                yield pd.DataFrame({"path": [path], "content": [open_store(folder).read(key)]})
