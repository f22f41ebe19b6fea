"""The reader ``binaryfile``: Spark's own source of files, through the cluster's own connectors."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import reduce
from itertools import compress

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812, because Spark's own documentation spells it so

from fruits_pipeline.features.batch import READ
from fruits_pipeline.features.job import FeatureJob, Reading
from fruits_pipeline.features.readers.prefetch import Prefetch
from fruits_pipeline.features.udf import featurised
from fruits_pipeline.images.decode import Rejected
from fruits_pipeline.images.reason import Reason
from fruits_pipeline.session.tables import escaped, rows_of
from fruits_pipeline.storage import uri
from fruits_pipeline.storage.store import Found

_THREADS = 32


@dataclass(frozen=True)
class BinaryFile:
    """See ``Reader``; names that Hadoop cannot address go by ``odd_names``, in the same workers."""

    odd_names: Prefetch

    def read_images(self, job: FeatureJob, reading: Reading) -> DataFrame:
        """A file that is gone or cannot be read has no row."""
        paths = reading.images["path"].to_pylist()
        odd = [path for path in paths if _is_odd(path)]
        others = sorted(set(paths).difference(odd))
        # Spark refuses to begin where one path is gone.
        with ThreadPoolExecutor(_THREADS, thread_name_prefix="look") as pool:
            plain = list(compress(others, pool.map(lambda path: _found(job, path) is not None, others)))
        parts = [featurised(contents(job.spark, plain, reading.tasks), job, reading)] if plain else []
        parts += [self.odd_names.read_images(job, _of(reading, odd))] if odd else []
        if not parts:
            return rows_of(job.spark, READ.empty_table())
        return reduce(DataFrame.union, parts)

    def explain_missing(self, job: FeatureJob, path: str) -> Rejected:
        """Gone, empty, or there and not readable."""
        there = _found(job, path)
        if there is None:
            return Rejected(
                Reason.MISSING, "no such file: deleted or renamed since the images were listed, or misspelt"
            )
        if there.length == 0:
            return Rejected(Reason.EMPTY, "0 bytes")
        return Rejected(Reason.UNREADABLE, "there, but it cannot be read; check its permissions")


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


def _is_odd(path: str) -> bool:
    r"""Whether Spark's source would not find a file, or would read another: by a colon, an empty part, or its name.

    Names that are no UTF-8 are spelled with ``\x`` in listings. Names that begin with an underscore or end so are
    Hadoop's own there (``HadoopFSUtils.shouldFilterOutPathName``).

    >>> [_is_odd(f"s3://b/{key}") for key in ("a.jpg", "12:30.jpg", "a//b.jpg", "_a.jpg", "_A/b.jpg")]
    [False, True, True, True, False]
    """
    rest = path.partition("://")[2]
    name = rest.rpartition("/")[2]
    return ":" in rest or "//" in rest or "\\x" in rest or name.startswith(("_", ".")) or name.endswith("._COPYING_")


def _of(reading: Reading, paths: list[str]) -> Reading:
    images = reading.images
    return replace(reading, images=images.filter(pc.is_in(images["path"], pa.array(paths, pa.string()))))


def _found(job: FeatureJob, path: str) -> Found | None:
    key = uri.below(path, job.source.root)
    return None if key is None else job.source.stat(key)
