"""One wave of images: read and predicted once, then written as features and rejects, checked, and marked."""

from collections import Counter
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import NamedTuple

import pyarrow as pa
from pyspark.sql import functions as F  # noqa: N812 because Spark's own documentation spells it so

from fruits_pipeline import schemas
from fruits_pipeline.errors import DatasetError
from fruits_pipeline.features.batch import Plan
from fruits_pipeline.features.split import by_folder
from fruits_pipeline.features.work import Refusals, Work, readable
from fruits_pipeline.images.reason import Reason
from fruits_pipeline.session import tables
from fruits_pipeline.state.counts import Counts
from fruits_pipeline.state.layout import wave_folders
from fruits_pipeline.state.marker import WaveMarker, marks
from fruits_pipeline.storage import uri


class Reject(NamedTuple):
    """One row of ``schemas.REJECTS``."""

    path: str
    length: int | None
    reason: str
    detail: str


def compute(work: Work, images: pa.Table, wave: str, plan: Plan) -> WaveMarker:
    """Writes the wave's two datasets and gives its marker, which is not yet saved.

    Args:
        work: The job's context.
        images: Rows of ``schemas.MANIFEST`` of this wave.
        wave: The wave's name.
        plan: How its images are treated.

    Raises:
        DatasetError: When what was written is not exactly the wave's images.
    """
    lengths: dict[str, int | None] = dict(zip(*(images[name].to_pylist() for name in ("path", "length")), strict=True))
    features_folder, rejects_folder = wave_folders(wave)
    work = replace(work, refused=work.spark.sparkContext.accumulator([], Refusals()))
    _write_features(work, images, plan, features_folder)
    refused = {image.path: (image.reason, image.detail) for image in work.refused.value}
    place = uri.join(work.store.root, features_folder)
    stored = tables.read(work.spark, place, schemas.FEATURES, "features").select("path").toPandas()["path"].tolist()
    rejects = [Reject(path, lengths[path], reason, detail) for path, (reason, detail) in refused.items()]
    absent = sorted(lengths.keys() - refused.keys() - set(stored))
    rejects += [reject for path in absent if (reject := _absent(work, path, lengths[path])) is not None]
    table = pa.Table.from_pylist([reject._asdict() for reject in sorted(rejects)], schema=schemas.REJECTS)
    tables.write_small(work.store, table, rejects_folder, schemas.REJECTS)
    rejected = tables.read_small(work.store, rejects_folder, schemas.REJECTS)
    _check(lengths.keys(), [*stored, *rejected["path"].to_pylist()], wave)
    reasons = dict(sorted(Counter(rejected["reason"].to_pylist()).items()))
    counts = Counts(found=len(lengths), read=len(stored), rejected=rejected.num_rows, reject_reasons=reasons)
    files = marks(work.store, (features_folder, rejects_folder))
    return WaveMarker(wave=wave, fingerprint=work.fingerprint, counts=counts.checked(), files=files)


def _write_features(work: Work, images: pa.Table, plan: Plan, folder: str) -> None:
    """Reads and predicts in one pass, which writes the features and gathers what is refused."""
    small = readable(images, work.max_bytes)
    if not small.num_rows:
        tables.write_small(work.store, schemas.FEATURES.empty_table(), folder, schemas.FEATURES)
        return
    read = work.reader.tried(work, small, plan)
    hashed = F.col("hash_split")
    split = F.coalesce("split", hashed) if by_folder(work.train_split) else hashed
    place = uri.join(work.store.root, folder)
    tables.write(read.withColumn("split", split), place, schemas.FEATURES, "features")


def _absent(work: Work, path: str, length: int | None) -> Reject | None:
    """Why an image came back neither read nor refused; None where that must not be."""
    if length == 0:
        return Reject(path, length, Reason.EMPTY.value, "0 bytes")
    if length is not None and length > work.max_bytes:
        return Reject(path, length, Reason.TOO_MANY_BYTES.value, f"{length} bytes, more than {work.max_bytes}")
    why = work.reader.absent(work, path)
    return None if why is None else Reject(path, length, why.reason.value, why.detail)


def _check(wanted: AbstractSet[str], written: list[str], wave: str) -> None:
    """Holds what was written against the manifest.

    Raises:
        DatasetError: When features and rejects are not, together and once each, the wave's images.
    """
    times = Counter(written)
    wrong = [path for path in wanted | times.keys() if times[path] != (path in wanted)]
    if wrong:
        told = ", ".join(f"{path!r} {times[path]} times" for path in sorted(wrong)[:3])
        raise DatasetError(
            f"expected each image of wave {wave} once in features or rejects, found {told}; "
            "start the same command again"
        )
