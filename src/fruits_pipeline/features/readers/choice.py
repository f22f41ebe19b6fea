"""Which reader a job takes, by a look at some images from inside a worker.

Files are prefetched too: 4,000 of 100 x 100 pixels with next to no inference went 4 to 10 times as fast as by
``binaryfile``, for which Spark looks at each path on the driver first.
"""

import logging

import pyarrow as pa
from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession
from pyspark.sql import functions as F  # noqa: N812, because Spark's own documentation spells it so

from fruits_pipeline.errors import FruitsError, StorageError
from fruits_pipeline.features.job import FeatureJob, Reader, readable
from fruits_pipeline.features.readers.binaryfile import BinaryFile, contents
from fruits_pipeline.features.readers.packed import Packed
from fruits_pipeline.features.readers.prefetch import Prefetch
from fruits_pipeline.images.decode import Rejected
from fruits_pipeline.images.reason import Reason
from fruits_pipeline.session.worker import told_by_worker
from fruits_pipeline.storage.fetch import Wanted, Window
from fruits_pipeline.storage.rights import right_to_read
from fruits_pipeline.storage.source import unreadable

log = logging.getLogger(__name__)


def chosen_reader(job: FeatureJob, images: pa.Table) -> Reader:
    """The reader that was asked for, or the one that fits; ``images`` are rows of ``schemas.MANIFEST`` to come.

    Raises:
        InputError: When a worker cannot read the source.
        StorageError: When a worker lacks a right on the source's bucket.
    """
    if job.packed is not None:
        log.info("reader=packed because --data-source was written by 'pack'")
        return Packed(job.packed)
    asked = job.settings.reader
    window = Window(max_bytes=job.settings.max_bytes)
    prefetch = Prefetch(job.storage, window, job.patience, job.settings.batch_rows)
    binaryfile = BinaryFile(prefetch)
    if asked == "binaryfile":
        log.info("reader=binaryfile because of --reader")
        return binaryfile
    to_read = readable(images, job.settings.max_bytes)
    # One image that may not be read says nothing of the others, and its neighbours may be as it is.
    last = to_read.num_rows - 1
    looked_at = to_read.take(sorted({0, last // 2, last})) if to_read.num_rows else to_read
    fault = _fault(job.spark, prefetch, looked_at)
    if fault is None:
        log.info(
            "reader=prefetch because %s", "of --reader" if asked != "auto" else "a Spark worker could open the images"
        )
        return prefetch
    if asked == "auto" and _spark_reads(job.spark, looked_at):
        log.warning("reader=binaryfile because a Spark worker could not open the images by itself: %s", fault)
        return binaryfile
    raise unreadable(fault)


def _fault(spark: SparkSession, prefetch: Prefetch, images: pa.Table) -> StorageError | None:
    """Why no image can be fetched in a worker; None where one can, or where there is none to try."""
    wanted = [Wanted(*row.values()) for row in images.select(["path", "length"]).to_pylist()]

    def look() -> str | None:
        """The right that is missing, "" for none, and in the next line the fault."""
        fault = None
        for one in wanted:
            try:
                (content,) = prefetch.contents([one])
            except FruitsError as error:
                return f"{error.lacks if isinstance(error, StorageError) else ''}\n{error}"
            if not isinstance(content, Rejected) or content.reason is not Reason.FORBIDDEN:
                return None
            right = right_to_read(one.path)
            told = f"{one.path} is forbidden: {content.detail}; grant {right or 'the right to read it'} to the workers"
            fault = f"{right}\n{told}"
        return fault

    told = told_by_worker(spark, look)
    if told is None:
        return None
    lacks, _, said = told.partition("\n")
    return StorageError(said, lacks=lacks)


def _spark_reads(spark: SparkSession, images: pa.Table) -> bool:
    """Whether Spark's own source gives the first image's content."""
    try:
        return bool(contents(spark, images["path"].to_pylist()[:1], 1).select(F.length("content")).collect())
    except (PySparkException, Py4JError):
        return False
