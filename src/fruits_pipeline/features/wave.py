"""One wave of images: taken over or read and predicted once, written as features and rejects, checked, and marked."""

import os
from collections import Counter
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
from pyspark.sql import functions as F  # noqa: N812 because Spark's own documentation spells it so

from fruits_pipeline import schemas
from fruits_pipeline.errors import DatasetError
from fruits_pipeline.features.batch import Treatment
from fruits_pipeline.features.job import FeatureJob, Reader, Reading, Refused, readable
from fruits_pipeline.features.takeover import Takeover
from fruits_pipeline.features.tasks import tasks_of
from fruits_pipeline.images.reason import Reason
from fruits_pipeline.session import tables
from fruits_pipeline.session.spark import cores
from fruits_pipeline.state.files import FileMark, data_files, marks
from fruits_pipeline.state.layout import FEATURES, REJECTS, wave_folder
from fruits_pipeline.state.plan import PlannedWave
from fruits_pipeline.state.snapshot import WaveMarker
from fruits_pipeline.storage import uri
from fruits_pipeline.timeline import step


class Reject(NamedTuple):
    """One row of ``schemas.REJECTS``."""

    path: str
    length: int | None
    reason: str
    detail: str


# Width and height.
Pixels = tuple[int, int]


class Computed(NamedTuple):
    """The marker of a computed wave, not yet saved, and the largest width and height of its images, if it has any."""

    marker: WaveMarker
    largest: Pixels | None


def shared(wave: PlannedWave, source: WaveMarker) -> WaveMarker:
    """The marker of a wave whose images are those of a finished one: it has the same files."""
    counts = source.counts.model_copy(
        update={
            "found": wave.counts.found,
            "skipped": wave.counts.skipped,
            "skip_reasons": wave.counts.skip_reasons,
        }
    )
    return source.model_copy(
        update={
            "wave": wave.wave,
            "digest": wave.digest,
            "manifest": wave.manifest,
            "counts": counts.checked(),
        }
    )


def computed(
    job: FeatureJob, reader: Reader | None, wave: PlannedWave, has: Takeover, treatment: Treatment
) -> Computed:
    """Writes the wave's features and rejects, and gives its marker.

    Args:
        job: The feature job.
        reader: How images reach the workers; None where none is to be read.
        wave: The wave.
        has: What it takes over.
        treatment: How images are treated.

    Raises:
        DatasetError: When what was written is not exactly the wave's images.
    """
    features, rejects = wave_folder(FEATURES, wave.wave), wave_folder(REJECTS, wave.wave)
    lengths: dict[str, int | None] = dict(zip(*(has.pending[n].to_pylist() for n in ("path", "length")), strict=True))
    _carry(job, has, features)
    with step("features: read and predict"):
        refused = _read(job, reader, has, treatment, features) if reader else []
    with step("features: read back"):
        files = marks(job.store, [features])
        stored, largest = _stored(job, files)
    absent = sorted(lengths.keys() - {image.path for image in refused} - set(stored))
    rows = [Reject(image.path, lengths[image.path], image.reason, image.detail) for image in refused]
    missing = (_missing(job, reader, path, lengths[path]) for path in absent if reader)
    rows += [row for row in missing if row is not None]
    table = pa.Table.from_pylist([row._asdict() for row in sorted(rows)], schema=schemas.REJECTS)
    rejected = pa.concat_tables([has.rejects, table]).sort_by("path")
    tables.write_small(job.store, rejected, rejects, schemas.REJECTS)
    wanted = {*has.carried, *has.rejects["path"].to_pylist(), *lengths}
    _check(wanted, [*stored, *rejected["path"].to_pylist()], wave.wave)
    reasons = dict(sorted(Counter(rejected["reason"].to_pylist()).items()))
    update = {"read": len(stored), "rejected": rejected.num_rows, "reject_reasons": reasons, "pending": 0}
    marker = WaveMarker(
        wave=wave.wave,
        digest=wave.digest,
        recipe=has.recipe if has.recipe and not len(has.pending) else job.recipe,
        counts=wave.counts.model_copy(update=update).checked(),
        manifest=wave.manifest,
        files=(*files, *marks(job.store, [rejects])),
    )
    return Computed(marker, largest)


def _carry(job: FeatureJob, has: Takeover, folder: str) -> None:
    """Copies features of other waves."""
    if not has.carried:
        return
    stored = tables.read(job.spark, has.features, schemas.FEATURES, "features")
    wanted = tables.rows_of(job.spark, pa.table({"path": pa.array(has.carried, pa.string())}))
    rows = stored.join(F.broadcast(wanted), on="path", how="left_semi")
    tables.write(rows, uri.join(job.store.root, folder), schemas.FEATURES, "features")


def _read(job: FeatureJob, reader: Reader, has: Takeover, treatment: Treatment, folder: str) -> list[Refused]:
    """Reads and predicts in one pass, which writes the features and gathers what is refused."""
    small = readable(has.pending, job.settings.max_bytes)
    if not small.num_rows:
        return []
    tasks = tasks_of(small.num_rows, cores(job.spark))
    reading = Reading(small, tasks, treatment, job.refusals(), with_refused=has.with_refused)
    rows = reader.read_images(job, reading)
    tables.write(rows, uri.join(job.store.root, folder), schemas.FEATURES, "features")
    return list({image.path: image for image in reading.refused.value}.values())


def _stored(job: FeatureJob, files: Iterable[FileMark]) -> tuple[list[str], Pixels | None]:
    """The paths in the features that were written, of the files that the marker will name, and the largest sides."""
    written = tables.read(job.spark, data_files(job.store, files), schemas.FEATURES, "features")
    found = written.select("path", "width", "height").toPandas()
    paths: list[str] = found["path"].tolist()
    return paths, (int(found["width"].max()), int(found["height"].max())) if paths else None


def _missing(job: FeatureJob, reader: Reader, path: str, length: int | None) -> Reject | None:
    """Why an image came back neither read nor refused; None where that must not be."""
    if length == 0:
        return nothing_in(path)
    most = job.settings.max_bytes
    if length is not None and length > most:
        return Reject(path, length, Reason.TOO_MANY_BYTES.value, f"{length} bytes, more than {most}")
    why = reader.explain_missing(job, path)
    return None if why is None else Reject(path, length, why.reason.value, why.detail)


def nothing_in(path: str) -> Reject:
    """Why an image has no byte: its file is empty, or a link of this machine that leads nowhere."""
    file = Path(uri.local_path(path)) if uri.scheme(path) == "file" else None
    if file is None or not file.is_symlink() or os.path.exists(file):  # noqa: PTH110 because Path's raises for loops
        return Reject(path, 0, Reason.EMPTY.value, "0 bytes")
    return Reject(path, 0, Reason.MISSING.value, f"a link to {file.readlink()}, which is not there")


def _check(wanted: AbstractSet[str], written: Iterable[str], wave: str) -> None:
    """Holds what was written against the manifest.

    Raises:
        DatasetError: When features and rejects are not, together and once each, the wave's images.
    """
    times = Counter(written)
    wrong = [path for path in wanted | times.keys() if times[path] != (path in wanted)]
    if wrong:
        told = ", ".join(f"{path!r} {times[path]} times" for path in sorted(wrong)[:3])
        raise DatasetError(
            f"expected each image of batch {wave} once in features or rejects, found {told}; "
            "start the same command again"
        )
