"""A source rewritten as Parquet of path and content: one slow pass, after which each run reads at full speed.

Wave by wave, so that a crash costs one wave. Rows stand in order of path, so that a reader of some of them skips the
row groups of the others. An image that cannot be read has a row without content, and is rejected when it is read.
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from math import ceil

import pandas as pd
import pyarrow.compute as pc
from pyspark.sql import SparkSession
from pyspark.sql import functions as F  # noqa: N812 because Spark's own documentation spells it so

from fruits_pipeline import schemas
from fruits_pipeline.errors import DatasetError, StorageError
from fruits_pipeline.session import tables
from fruits_pipeline.settings.pack import PackSettings
from fruits_pipeline.settings.storage import StorageSettings
from fruits_pipeline.state.layout import MANIFEST, PACKED
from fruits_pipeline.state.ledger import Ledger
from fruits_pipeline.storage import uri
from fruits_pipeline.storage.fetch import Wanted, fetched
from fruits_pipeline.storage.opening import open_store
from fruits_pipeline.storage.store import Store

log = logging.getLogger(__name__)

# Small enough to share one file among tasks, and for readers of a few images to skip most.
_ROW_GROUP_BYTES = 4 << 20
_BATCH_IMAGES = 32
# Photographs are compressed already.
_PARQUET = {"compression": "none", "parquet.block.size": str(_ROW_GROUP_BYTES), "parquet.enable.dictionary": "false"}


def build_pack(
    spark: SparkSession, store: Store, ledger: Ledger, settings: PackSettings, storage: StorageSettings
) -> dict[str, int]:
    """Writes ``packed/wave=…`` for each wave of the manifest that has none; gives images and those without content.

    Raises:
        DatasetError: When rows were lost on the way.
    """
    manifest = tables.read_small(store, MANIFEST, schemas.MANIFEST)
    images = manifest.filter(pc.field("skip_reason").is_null())
    for wave in sorted(set(images["wave"].to_pylist())):
        folder = f"{PACKED}/wave={wave}"
        if ledger.holds("pack", folder):
            continue
        ledger.sweep((folder,))
        rows = images.filter(pc.field("wave") == wave).select(["path", "length"]).to_pandas()
        size = rows["length"].fillna(0).cumsum()
        rows["file"] = (size // settings.pack_file_bytes).astype("int64")
        files = ceil(max(1, size.iloc[-1]) / settings.pack_file_bytes)
        frame = spark.createDataFrame(rows[["path", "file"]]).repartitionByRange(files, "file").drop("file")
        read = frame.sortWithinPartitions("path").mapInPandas(_reading(storage), tables.spark_schema(schemas.PACKED))
        read.write.options(**_PARQUET).mode("append").parquet(uri.join(store.root, folder))
        ledger.note("pack", folder)
        log.info("packed wave=%s images=%d files=%d", wave, len(rows), files)
    return _counted(spark, uri.join(store.root, PACKED), images.num_rows)


def _counted(spark: SparkSession, place: str, expected: int) -> dict[str, int]:
    packed = tables.read(spark, place, schemas.PACKED, PACKED)
    without = packed.where(F.col("content").isNull()).count()
    found = packed.select(F.countDistinct("path")).head()
    if found is None or found[0] != expected:
        raise DatasetError(f"expected {expected} images in {place}, found {found}; start the same command again")
    if without:
        log.warning("without_content=%d because they could not be read; runs on this pack will reject them", without)
    return {"images": expected, "without_content": without}


def _reading(storage: StorageSettings) -> Callable[[Iterable[pd.DataFrame]], Iterator[pd.DataFrame]]:
    """A function over frames of ``path`` that adds each file's bytes, or none."""

    def over_frames(frames: Iterable[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        paths: list[str] = []
        for frame in frames:
            paths += frame["path"].tolist()
        contents = _contents(paths, storage)
        for start in range(0, len(paths), _BATCH_IMAGES):
            part = paths[start : start + _BATCH_IMAGES]
            yield pd.DataFrame({"path": part, "content": [next(contents) for _ in part]})

    return over_frames


def _contents(paths: list[str], storage: StorageSettings) -> Iterator[bytes | None]:
    """The bytes of each file in order, None where it cannot be read."""
    local = [path for path in paths if uri.scheme(path) == "file"]
    if len(local) == len(paths):
        yield from map(_of_file, paths)
        return
    for content in fetched((Wanted(path, 0) for path in paths), storage):
        yield content if isinstance(content, bytes) else None


def _of_file(path: str) -> bytes | None:
    folder, _, key = path.rpartition("/")
    try:
        return open_store(folder).read(key)
    except StorageError:
        return None
