"""A source rewritten as Parquet of path and content: one slow pass, after which each run reads at full speed.

Wave by wave, so that a crash costs one wave. Rows stand in order of path, so that a reader of some of them skips the
row groups of the others. An image that cannot be read has a row without content, and is rejected when it is read.
"""

import hashlib
import io
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict
from pyspark import Accumulator
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812 because Spark's own documentation spells it so

from fruits_pipeline import schemas
from fruits_pipeline.errors import DatasetError, StorageError
from fruits_pipeline.images.reason import Reason
from fruits_pipeline.session import tables
from fruits_pipeline.session.worker_requests import count_reported, report, worker_requests
from fruits_pipeline.settings.pack import PackSettings
from fruits_pipeline.settings.storage import StorageSettings
from fruits_pipeline.state.counts import Counts
from fruits_pipeline.state.files import marks, sweep
from fruits_pipeline.state.layout import PACKED, packed_marker, wave_folder
from fruits_pipeline.state.packs import PackedWave, load_pack, mark_packed
from fruits_pipeline.state.plan import Plan, PlannedWave
from fruits_pipeline.state.upkeep import drop_packed
from fruits_pipeline.storage import uri
from fruits_pipeline.storage.fetch import Wanted, fetched
from fruits_pipeline.storage.opening import open_store
from fruits_pipeline.storage.store import Store

log = logging.getLogger(__name__)

# Small enough to share one file among tasks, and for readers of a few images to skip most.
_ROW_GROUP_BYTES = 4 << 20
# What a worker holds at once beside the fetch: Arrow, pandas and Python each have a copy.
_BATCH_IMAGES = 32
_BATCH_BYTES = 32 << 20
# What an image is taken to have whose bytes nobody could tell.
_UNKNOWN_BYTES = 1 << 20
# Photographs are compressed already.
_PARQUET = {"compression": "none", "parquet.block.size": str(_ROW_GROUP_BYTES), "parquet.enable.dictionary": "false"}


class Packed(BaseModel):
    """What the pack holds.

    Attributes:
        images: Its rows.
        without_content: Rows, of those, whose image could not be read.
    """

    model_config = ConfigDict(frozen=True)

    images: int
    without_content: int

    def counted(self, planned: Counts) -> Counts:
        """The counts of ``run.json``: images without content are rejected as ``unreadable`` when they are read."""
        lost = self.without_content
        reasons = {Reason.UNREADABLE.value: lost} if lost else {}
        read = {"read": self.images - lost, "rejected": lost, "pending": 0, "reject_reasons": reasons}
        return planned.model_copy(update=read)


def write_pack(
    spark: SparkSession, store: Store, plan: Plan, settings: PackSettings, storage: StorageSettings
) -> Packed:
    """Packs each wave of the plan that is not packed, and drops those that the plan does not want.

    A wave has the files of a packed one with the same images, else they are written. They are written again when an
    image can be read that could not.

    Raises:
        DatasetError: When rows were lost on the way.
    """
    job = _Job(spark, store, settings.pack_file_bytes, storage)
    packed = load_pack(store)
    for wave in plan.waves:
        has = packed.get(wave.wave) or _shared(job, wave, packed.values())
        if has is None or (has.without_content and _is_mended(job, has)):
            store.delete([packed_marker(wave.wave)])  # so that nobody reads files that are being written
            has = _written(job, wave)
            log.info("packed batch=%s images=%d", wave.wave, wave.counts.images)
        if has != packed.get(wave.wave):
            mark_packed(store, has)
            packed[wave.wave] = has
    count_reported(job.requests)
    drop_packed(store, plan, packed)
    wanted = [packed[wave.wave] for wave in plan.waves]
    total = Packed(
        images=sum(wave.images for wave in wanted), without_content=sum(wave.without_content for wave in wanted)
    )
    if total.without_content:
        log.warning(
            "without_content=%d because they could not be read; 'pack' again tries them again, and runs on this pack "
            "reject them",
            total.without_content,
        )
    return total


def contents_of(images: pa.Table) -> str:
    """SHA-256 of columns ``path, length, modified``, in their order, whatever the table's other columns and chunks."""
    text = io.BytesIO()
    pa_csv.write_csv(images.select(["path", "length", "modified"]), text)
    return hashlib.sha256(text.getvalue()).hexdigest()


@dataclass(frozen=True)
class _Job:
    """What all waves are packed by."""

    spark: SparkSession
    store: Store
    file_bytes: int
    storage: StorageSettings

    def images(self, wave: PlannedWave) -> pa.Table:
        """Columns ``path, length, modified, skip_reason`` of the wave's images, in order of path."""
        columns = ["path", "length", "modified", "skip_reason"]
        manifest = pq.read_table(io.BytesIO(self.store.read(wave.manifest.key)), columns=columns)
        return manifest.filter(pc.field("skip_reason").is_null())

    @cached_property
    def requests(self) -> "Accumulator[Counter[str]]":
        """Requests to storage that workers have sent."""
        return worker_requests(self.spark)

    def read(self, rows: DataFrame) -> DataFrame:
        """Rows of ``schemas.PACKED`` for columns ``path, length``."""
        return rows.mapInPandas(_reading(self.storage, self.requests), tables.spark_schema(schemas.PACKED))


def _shared(job: _Job, wave: PlannedWave, packed: Iterable[PackedWave]) -> PackedWave | None:
    """The marker of a wave whose images are those of a packed one; None where there is no such one."""
    contents = contents_of(job.images(wave))
    same = next((one for one in packed if one.contents == contents), None)
    if same is None:
        return None
    log.info("unchanged batch=%s images=%d files_of_batch=%s", wave.wave, same.images, same.wave)
    return same.model_copy(update={"wave": wave.wave})


def _is_mended(job: _Job, wave: PackedWave) -> bool:
    """Whether an image without content can be read now; it stops at the first one."""
    files = [uri.join(job.store.root, file.key) for file in wave.files if file.is_data]
    lost = tables.read(job.spark, files, schemas.PACKED, PACKED).where("content is null")
    return (
        not job.read(lost.select("path", F.lit(_UNKNOWN_BYTES).alias("length"))).where("content is not null").isEmpty()
    )


def _written(job: _Job, wave: PlannedWave) -> PackedWave:
    folder = wave_folder(PACKED, wave.wave)
    sweep(job.store, [folder])
    found = job.images(wave)
    contents = contents_of(found)
    if not wave.counts.images:
        return PackedWave(wave=wave.wave, contents=contents, images=0, without_content=0, files=())
    lengths = pc.fill_null(found["length"], _UNKNOWN_BYTES)
    ends = pc.cumulative_sum(lengths)
    rows = pa.table({"path": found["path"], "length": lengths, "file": pc.divide(ends, job.file_bytes)})
    files = pc.max(rows["file"]).as_py() + 1
    frame = tables.rows_of(job.spark, rows).repartitionByRange(files, "file").drop("file").sortWithinPartitions("path")
    job.read(frame).write.options(**_PARQUET).mode("append").parquet(uri.join(job.store.root, folder))
    written = tables.read_written(job.spark, job.store, folder, schemas.PACKED)
    counted = written.agg(F.countDistinct("path"), F.count("path"), F.count("content")).head()
    paths, images, read = counted or (0, 0, 0)
    if not paths == images == wave.counts.images:
        raise DatasetError(
            f"expected {wave.counts.images} images in {uri.join(job.store.root, folder)}, found {paths}; "
            "start the same command again"
        )
    files = marks(job.store, [folder])
    return PackedWave(wave=wave.wave, contents=contents, images=images, without_content=images - read, files=files)


def _reading(
    storage: StorageSettings, requests: "Accumulator[Counter[str]]"
) -> Callable[[Iterable[pd.DataFrame]], Iterator[pd.DataFrame]]:
    """A function over frames of ``path, length`` that gives each path with its file's bytes, or none."""

    def over_frames(frames: Iterable[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        wanted = [Wanted(*row) for frame in frames for row in frame[["path", "length"]].itertuples(index=False)]
        batch: list[tuple[str, bytes | None]] = []
        held_bytes = 0
        for one, content in zip(wanted, _contents(wanted, storage), strict=True):
            batch.append((one.path, content))
            held_bytes += len(content or b"")
            if len(batch) == _BATCH_IMAGES or held_bytes >= _BATCH_BYTES:
                yield pd.DataFrame(batch, columns=schemas.PACKED.names)
                batch, held_bytes = [], 0
        report(requests)
        if batch:
            yield pd.DataFrame(batch, columns=schemas.PACKED.names)

    return over_frames


def _contents(wanted: list[Wanted], storage: StorageSettings) -> Iterator[bytes | None]:
    """The bytes of each file in order, None where it cannot be read."""
    if all(uri.scheme(one.path) == "file" for one in wanted):
        yield from (_of_file(one.path) for one in wanted)
        return
    for content in fetched(wanted, storage):
        yield content if isinstance(content, bytes) else None


def _of_file(path: str) -> bytes | None:
    folder, _, key = path.rpartition("/")
    try:
        return open_store(folder).read(key)
    except StorageError:
        return None
