"""Manifests of waves being written: each is one Parquet file, written once and never changed."""

import hashlib
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from fruits_pipeline.schemas import MANIFEST
from fruits_pipeline.state.counts import Counts
from fruits_pipeline.state.files import FileMark
from fruits_pipeline.state.layout import manifest_file
from fruits_pipeline.state.plan import PlannedWave
from fruits_pipeline.storage.store import Store

# A corrected spelling or label changes the digest, so that what is made from the waves follows; features stay.
DIGESTED = ("path", "source_path", "length", "modified", "label", "split")
# Neither stands in a path, a label or a number.
_SEPARATOR, _NULL = "\x00", "\x01"
_COMMON_SHARE = 0.95


class RowsDigest:
    """SHA-256 over the images' rows in order of path, whatever the tables in which they come."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()

    def update(self, rows: pa.Table) -> None:
        """Adds the images of ``rows`` (``schemas.MANIFEST``), in their order."""
        images = rows.filter(pc.is_null(rows["skip_reason"]))
        columns = [pc.fill_null(_text(images[name]), _NULL) for name in DIGESTED]
        lines = pc.binary_join_element_wise(*columns, "\n", _SEPARATOR)
        for chunk in lines.chunks:
            self._digest.update("".join(chunk.to_pylist()).encode())

    def hexdigest(self) -> str:
        """The digest as hex."""
        return self._digest.hexdigest()


class ManifestWriter:
    """The manifest of one wave, written to a temporary file and put into the output when it is whole."""

    def __init__(self, wave: str, folder: Path, sources: tuple[str, ...] = ()) -> None:
        """``folder`` is a temporary one; ``sources`` are finished waves that have features of some of its images."""
        self.images = 0
        self._wave, self._sources = wave, sources
        self._file = Path(tempfile.mkstemp(dir=folder)[1])
        self._parquet = pq.ParquetWriter(self._file, MANIFEST, compression="zstd")
        self._digest = RowsDigest()
        self._first: str | None = None
        self._skipped: Counter[str] = Counter()
        self._lengths: list[np.ndarray[Any, Any]] = []

    @property
    def rows(self) -> int:
        """Rows that it has: images, and what is skipped."""
        return self.images + self._skipped.total()

    def write(self, rows: pa.Table) -> None:
        """Adds rows of ``schemas.MANIFEST``, whose paths follow those before."""
        if not len(rows):
            return
        rows = rows.select(MANIFEST.names).cast(MANIFEST)
        self._first = self._first or str(rows["path"][0])
        self._parquet.write_table(rows)
        self._digest.update(rows)
        self._skipped.update(rows["skip_reason"].drop_null().to_pylist())
        images = rows.filter(pc.is_null(rows["skip_reason"]))
        self._lengths.append(images["length"].drop_null().to_numpy())
        self.images += len(images)

    def put(self, store: Store) -> PlannedWave:
        """Puts the manifest into the output, and gives the wave's entry in the plan."""
        self._parquet.close()
        key = manifest_file(self._wave)
        store.put(key, self._file)
        length = self._file.stat().st_size
        self._file.unlink()
        skipped = dict(sorted(self._skipped.items()))
        counts = Counts(
            found=self.rows,
            skipped=self._skipped.total(),
            pending=self.images,
            skip_reasons=skipped,
        )
        lengths = np.concatenate(self._lengths) if self._lengths else np.empty(0)
        return PlannedWave(
            wave=self._wave,
            digest=self._digest.hexdigest(),
            manifest=FileMark(key=key, length=length, checksum=store.checksum(key)),
            first=self._first or "",
            counts=counts.checked(),
            common_bytes=int(np.quantile(lengths, _COMMON_SHARE)) if lengths.size else 0,
            sources=self._sources,
        )


def _text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.int64())
    return column.cast(pa.string())
