"""One wave of images: read and predicted once, then written as features and rejects, checked, and marked."""

from dataclasses import dataclass

from pyspark import Accumulator, Broadcast, StorageLevel
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812, because Spark's own documentation spells it so

from fruits_pipeline import schemas
from fruits_pipeline.backbones.model import Model
from fruits_pipeline.errors import DatasetError
from fruits_pipeline.features.batch import OUTCOME, Plan
from fruits_pipeline.features.reading import contents
from fruits_pipeline.features.split import by_folder
from fruits_pipeline.features.udf import featurise
from fruits_pipeline.images.reason import Reason
from fruits_pipeline.session import tables
from fruits_pipeline.state.counts import Counts
from fruits_pipeline.state.layout import wave_folders
from fruits_pipeline.state.marker import WaveMarker, marks
from fruits_pipeline.storage import uri
from fruits_pipeline.storage.store import Store


@dataclass(frozen=True)
class Work:
    """What every wave of a job needs; ``counter`` counts the images that were tried."""

    spark: SparkSession
    store: Store
    source: Store
    fingerprint: str
    train_split: str | float
    max_bytes: int
    model: Broadcast[Model]
    counter: Accumulator[int]
    tasks: int


def compute(work: Work, images: DataFrame, wave: str, plan: Plan) -> WaveMarker:
    """Writes the wave's two datasets and gives its marker, which is not yet saved.

    Args:
        work: The job's context.
        images: Rows of ``schemas.MANIFEST`` of this wave.
        wave: The wave's name.
        plan: How its images are treated.

    Raises:
        DatasetError: When what was written is not exactly the wave's images.
    """
    features_uri, rejects_uri = (uri.join(work.store.root, folder) for folder in wave_folders(wave))
    images = images.persist()
    tried = _tried(work, images, plan).persist(StorageLevel.MEMORY_AND_DISK)
    try:
        tables.write(_features(tried, work.train_split), features_uri, schemas.FEATURES, "features")
        rejects = _rejects(work, tried, images)
        tables.write(rejects.coalesce(1), rejects_uri, schemas.REJECTS, "rejects")
        reasons = _check(work.spark, images, features_uri, rejects_uri)
        total = images.count()
    finally:
        tried.unpersist()
        images.unpersist()
    rejected = sum(reasons.values())
    counts = Counts(found=total, read=total - rejected, rejected=rejected, reject_reasons=reasons).checked()
    return WaveMarker(
        wave=wave, fingerprint=work.fingerprint, counts=counts, files=marks(work.store, wave_folders(wave))
    )


def _tried(work: Work, images: DataFrame, plan: Plan) -> DataFrame:
    """Every image that the reader gave bytes of: the manifest's columns and the outcome's."""
    wanted = images.where(F.col("length").between(1, work.max_bytes)).select("path").collect()
    present = [row.path for row in wanted if _is_there(work, row.path)]
    if not present:
        empty = work.spark.createDataFrame([], tables.spark_schema(OUTCOME))
        return images.select("path", "length", "label", "split").join(empty, how="cross")
    read = contents(work.spark, present, work.tasks)
    outcome = read.select("path", featurise(work.model, plan, work.counter)("content").alias("outcome"))
    known = F.broadcast(images.select("path", "length", "label", "split"))
    return outcome.select("path", "outcome.*").join(known, on="path", how="inner")


def _features(tried: DataFrame, train_split: str | float) -> DataFrame:
    hashed = F.col("hash_split")
    split = F.coalesce("split", hashed) if by_folder(train_split) else hashed
    return tried.where(F.col("reason").isNull()).withColumn("split", split)


def _rejects(work: Work, tried: DataFrame, images: DataFrame) -> DataFrame:
    """Images that could not be used: those tried in vain, and those that came back without a row."""
    refused = tried.where(F.col("reason").isNotNull()).select(*schemas.REJECTS.names)
    absent = images.join(tried.select("path"), on="path", how="left_anti").select("path", "length").collect()
    rows = [(row.path, row.length, *_why_absent(work, row.path, row.length)) for row in absent]
    return refused.union(work.spark.createDataFrame(rows, tables.spark_schema(schemas.REJECTS)))


def _why_absent(work: Work, path: str, length: int) -> tuple[str, str]:
    if length == 0:
        return Reason.EMPTY.value, "0 bytes"
    if length > work.max_bytes:
        return Reason.TOO_MANY_BYTES.value, f"{length} bytes, more than {work.max_bytes}"
    if not _is_there(work, path):
        return Reason.MISSING.value, "listed, but gone when it was to be read"
    return Reason.UNREADABLE.value, "there, but the reader gave no content; check its permissions"


def _is_there(work: Work, path: str) -> bool:
    key = uri.below(path, work.source.root)
    return key is not None and work.source.stat(key) is not None


def _check(spark: SparkSession, images: DataFrame, features_uri: str, rejects_uri: str) -> dict[str, int]:
    """Reads back what was written and gives the rejects by reason.

    Raises:
        DatasetError: When features and rejects are not, together and once each, the wave's images.
    """
    rejects = tables.read(spark, rejects_uri, schemas.REJECTS, "rejects")
    features = tables.read(spark, features_uri, schemas.FEATURES, "features")
    written = features.select("path", F.lit(1).alias("written")).union(rejects.select("path", F.lit(1)))
    expected = images.select("path", F.lit(0).alias("written"))
    sums = written.union(expected).groupBy("path").agg(F.sum("written").alias("times"), F.count("*").alias("rows"))
    wrong = sums.where((F.col("times") != 1) | (F.col("rows") != 2)).limit(3).collect()  # noqa: PLR2004 because expected + written
    if wrong:
        told = ", ".join(f"{row.path!r} {row.times} times" for row in wrong)
        raise DatasetError(f"expected each image of {features_uri} once, found {told}; start the same command again")
    rows = rejects.groupBy("reason").count().collect()
    return {row["reason"]: row["count"] for row in sorted(rows, key=lambda row: str(row["reason"]))}
