"""Rows of the manifest, streamed from and to Parquet in constant memory."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from fruits_pipeline import schemas

_BATCH_ROWS = 20_000


class Row(NamedTuple):
    """One object of the source, in the order of ``schemas.MANIFEST``."""

    path: str
    length: int | None
    modified: datetime | None
    label: str | None
    split: str | None
    skip_reason: str | None
    wave: str | None


def read_rows(file: Path) -> Iterator[Row]:
    """The rows of a Parquet file of ``schemas.MANIFEST``, in their order."""
    with pq.ParquetFile(file) as parquet:
        for batch in parquet.iter_batches(_BATCH_ROWS):
            yield from map(Row, *(column.to_pylist() for column in batch.columns))


def write_rows(rows: Iterable[Row], file: Path) -> int:
    """Writes a Parquet file of ``schemas.MANIFEST`` and gives the number of rows."""
    written = 0
    with pq.ParquetWriter(file, schemas.MANIFEST, compression="zstd") as writer:
        stream = iter(rows)
        while part := list(islice(stream, _BATCH_ROWS)):
            typed = zip(zip(*part, strict=True), schemas.MANIFEST, strict=True)
            columns = [pa.array(column, field.type) for column, field in typed]
            writer.write_batch(pa.record_batch(columns, schema=schemas.MANIFEST))
            written += len(part)
    return written
