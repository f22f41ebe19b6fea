"""What the large tables of an output say of some images: their contents, and what was predicted of them."""

import io
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from fruits_pipeline.state.layout import REDUCED
from fruits_pipeline.state.room_marker import RoomMarker
from fruits_pipeline.storage import uri
from fruits_pipeline.storage.store import Store

_BATCH_ROWS: Final = 50_000
# Components lie in the files of ``reduced`` too: from a bucket no more than this is read to tell what has changed.
_MOST_BYTES: Final = 256 << 20


def digests_of(store: Store, reduced: RoomMarker[Any], paths: Collection[str]) -> dict[str, str]:
    """SHA-256 of the content of each image when its features were computed, by path.

    Of an output in a bucket whose ``reduced`` is large, none: nothing is then held against what it was.
    """
    is_local = uri.scheme(store.root) == "file"
    size = sum(file.length for file in reduced.files if file.key.startswith(f"{REDUCED}/"))
    if not paths or (size > _MOST_BYTES and not is_local):
        return {}
    wanted = pa.array(sorted(paths), pa.string())
    found: dict[str, str] = {}
    for batch in column_batches(store, reduced, REDUCED, ("path", "content_sha256")):
        rows = batch.filter(pc.is_in(batch["path"], wanted))
        found |= dict(zip(rows["path"].to_pylist(), rows["content_sha256"].to_pylist(), strict=True))
    return found


def column_batches(
    store: Store, marker: RoomMarker[Any], folder: str, columns: tuple[str, ...]
) -> Iterator[pa.RecordBatch]:
    """Some columns of the Parquet files of a room's folder, batch by batch; of local files only these are read."""
    for file in marker.files:
        if not file.is_data or not file.key.startswith(f"{folder}/"):
            continue
        if uri.scheme(store.root) == "file":
            place: Path | io.BytesIO = Path(uri.local_path(uri.join(store.root, file.key)))
        else:
            place = io.BytesIO(store.read(file.key))
        with pq.ParquetFile(place) as parquet:
            yield from parquet.iter_batches(_BATCH_ROWS, columns=list(columns), use_threads=False)
