"""The reader ``binaryfile``: Spark's own source of files, through the cluster's own connectors."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812, because Spark's own documentation spells it so

from fruits_pipeline.features.batch import KNOWN, READ, Plan
from fruits_pipeline.features.readers.prefetch import Prefetch
from fruits_pipeline.features.udf import featurised
from fruits_pipeline.features.work import Work
from fruits_pipeline.images.decode import Rejected
from fruits_pipeline.images.reason import Reason
from fruits_pipeline.session.tables import rows_of
from fruits_pipeline.storage import uri
from fruits_pipeline.storage.store import Found

_GLOB = re.compile(r"([{}\[\]*?\\])")


@dataclass(frozen=True)
class BinaryFile:
    """See ``Reader``; names with a colon, which Hadoop cannot address, go by ``odd_names``, in the same workers."""

    odd_names: Prefetch

    def tried(self, work: Work, images: pa.Table, plan: Plan) -> DataFrame:
        """A file that is gone or cannot be read has no row."""
        # Spark refuses to begin where one path is gone.
        present = [path for path in images["path"].to_pylist() if _found(work, path) is not None]
        odd = [path for path in present if ":" in path.partition("://")[2]]
        plain = sorted(set(present).difference(odd))
        parts = [self._by_spark(work, _of(images, plain), plan)] if plain else []
        parts += [self.odd_names.tried(work, _of(images, odd), plan)] if odd else []
        if not parts:
            return rows_of(work.spark, READ.empty_table())
        return reduce(DataFrame.union, parts)

    def absent(self, work: Work, path: str) -> Rejected:
        """Gone, empty, or there and not readable."""
        there = _found(work, path)
        if there is None:
            return Rejected(Reason.MISSING, "listed, but gone when it was to be read")
        if there.length == 0:
            return Rejected(Reason.EMPTY, "0 bytes")
        return Rejected(Reason.UNREADABLE, "there, but it cannot be read; check its permissions")

    def _by_spark(self, work: Work, images: pa.Table, plan: Plan) -> DataFrame:
        files = contents(work.spark, images["path"].to_pylist(), work.tasks)
        known = rows_of(work.spark, images.select(KNOWN.names))
        return featurised(files.join(F.broadcast(known), on="path", how="inner"), work, plan)


def escaped(path: str) -> str:
    r"""``path`` as a Hadoop glob that matches nothing but itself.

    >>> escaped("file:///a/x[1].jpg")
    'file:///a/x\\[1\\].jpg'
    """
    return _GLOB.sub(r"\\\1", path)


def contents(spark: SparkSession, paths: Sequence[str], tasks: int) -> DataFrame:
    """Columns ``path`` (as the manifest spells it) and ``content`` (bytes) of the files, in about ``tasks`` tasks.

    A file that is gone or cannot be read has no row. Spark packs files into tasks by bytes plus a fixed cost, which
    outweighs small files.
    """
    spark.conf.set("spark.sql.files.minPartitionNum", str(tasks))
    spark.conf.set("spark.sql.files.maxPartitionBytes", str(1 << 60))
    files = (
        spark.read.format("binaryFile")
        .option("ignoreMissingFiles", "true")
        .option("ignoreCorruptFiles", "true")
        .load([escaped(path) for path in paths])
    )
    return files.select(F.regexp_replace("path", "^file:/+", "file:///").alias("path"), "content")


def _of(images: pa.Table, paths: list[str]) -> pa.Table:
    return images.filter(pc.is_in(images["path"], pa.array(paths, pa.string())))


def _found(work: Work, path: str) -> Found | None:
    key = uri.below(path, work.source.root)
    return None if key is None else work.source.stat(key)
