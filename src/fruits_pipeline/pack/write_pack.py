"""A source rewritten as Parquet of path and content: one slow pass, after which each run reads at full speed.

Wave by wave, so that a crash costs one wave. Rows stand in order of path, so that a reader of some of them skips the
row groups of the others. An image that cannot be read has a row without content, and is rejected when it is read.
"""

import io
import logging
from collections.abc import Callable, Iterable, Iterator

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict
from pyspark.sql import SparkSession
from pyspark.sql import functions as F  # noqa: N812 because Spark's own documentation spells it so

from fruits_pipeline import schemas
from fruits_pipeline.errors import DatasetError, StorageError
from fruits_pipeline.images.reason import Reason
from fruits_pipeline.session import tables
from fruits_pipeline.settings.pack import PackSettings
from fruits_pipeline.settings.storage import StorageSettings
from fruits_pipeline.state.counts import Counts
from fruits_pipeline.state.files import marks, sweep
from fruits_pipeline.state.layout import PACKED, wave_folder
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
    """Writes ``packed/wave=…`` for each wave of the plan that has none, and drops those that the plan does not want.

    Raises:
        DatasetError: When rows were lost on the way.
    """
    packed = load_pack(store)
    for wave in plan.waves:
        if wave.wave not in packed:
            packed[wave.wave] = _write_wave(spark, store, wave, settings, storage)
            mark_packed(store, packed[wave.wave])
            log.info("packed wave=%s images=%d", wave.wave, wave.counts.images)
    drop_packed(store, plan, packed)
    wanted = [packed[wave.wave] for wave in plan.waves]
    total = Packed(
        images=sum(wave.images for wave in wanted), without_content=sum(wave.without_content for wave in wanted)
    )
    if total.without_content:
        log.warning(
            "without_content=%d because they could not be read; runs on this pack will reject them",
            total.without_content,
        )
    return total


def _write_wave(
    spark: SparkSession, store: Store, wave: PlannedWave, settings: PackSettings, storage: StorageSettings
) -> PackedWave:
    folder = wave_folder(PACKED, wave.wave)
    sweep(store, [folder])
    if not wave.counts.images:
        return PackedWave(wave=wave.wave, images=0, without_content=0, files=())
    manifest = pq.read_table(io.BytesIO(store.read(wave.manifest.key)), columns=["path", "length", "skip_reason"])
    images = manifest.filter(pc.field("skip_reason").is_null())
    lengths = pc.fill_null(images["length"], _UNKNOWN_BYTES)
    ends = pc.cumulative_sum(lengths)
    rows = pa.table({"path": images["path"], "length": lengths, "file": pc.divide(ends, settings.pack_file_bytes)})
    files = pc.max(rows["file"]).as_py() + 1
    frame = tables.rows_of(spark, rows).repartitionByRange(files, "file").drop("file")
    read = frame.sortWithinPartitions("path").mapInPandas(_reading(storage), tables.spark_schema(schemas.PACKED))
    read.write.options(**_PARQUET).mode("append").parquet(uri.join(store.root, folder))
    written = tables.read_written(spark, store, folder, schemas.PACKED)
    counted = written.agg(F.countDistinct("path"), F.count("path"), F.count("content")).head()
    paths, images, contents = counted or (0, 0, 0)
    if not paths == images == wave.counts.images:
        raise DatasetError(
            f"expected {wave.counts.images} images in {uri.join(store.root, folder)}, found {paths}; "
            "start the same command again"
        )
    return PackedWave(wave=wave.wave, images=images, without_content=images - contents, files=marks(store, [folder]))


def _reading(storage: StorageSettings) -> Callable[[Iterable[pd.DataFrame]], Iterator[pd.DataFrame]]:
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
