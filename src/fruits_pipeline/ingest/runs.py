"""Rows of any number in order of path, in bounded memory: sorted runs on disk, merged in windows.

A listing that comes in order gives runs that follow one another, of which one is open at a time; a listing in any other
order (several folders at a time, S3 Express) gives runs that overlap: more open files, and a batch of rows for each.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from fruits_pipeline.schemas import MANIFEST
from fruits_pipeline.state.plan import PlannedWave
from fruits_pipeline.storage.store import Store

RUN_ROWS = 500_000
_BATCH_ROWS = 32_768


@dataclass(frozen=True)
class Run:
    """Rows in order of path.

    Attributes:
        first: The path of its first row.
        opened: Opens it and gives its tables in order; each has a column ``path`` and at least one row.
    """

    first: str
    opened: Callable[[], Iterator[pa.Table]]


def file_run(first: str, file: Callable[[], Path], wave: str | None = None) -> Run:
    """The run of a Parquet file of ``schemas.MANIFEST``, with a column ``wave``.

    Args:
        first: The path of its first row.
        file: Gives the file when the run is opened.
        wave: The value of the column.
    """

    def opened() -> Iterator[pa.Table]:
        with pq.ParquetFile(file()) as parquet:
            for batch in parquet.iter_batches(_BATCH_ROWS, columns=MANIFEST.names):
                table = pa.Table.from_batches([batch])
                yield table.append_column("wave", pa.repeat(pa.scalar(wave, pa.string()), len(table)))

    return Run(first, opened)


def planned_run(store: Store, wave: PlannedWave, folder: Path) -> Run:
    """The run of a planned wave's manifest, fetched into ``folder`` when it is opened."""

    def fetched() -> Path:
        file = folder / f"planned-{wave.wave}.parquet"
        file.write_bytes(store.read(wave.manifest.key))
        return file

    return file_run(wave.first, fetched, wave.wave)


def sorted_runs(tables: Iterable[pa.Table], folder: Path, run_rows: int = RUN_ROWS) -> list[Run]:
    """Writes tables of ``schemas.MANIFEST``, in any order, as sorted runs to ``folder``."""
    runs: list[Run] = []
    held: list[pa.Table] = []
    for table in tables:
        held.append(table)
        if sum(map(len, held)) >= run_rows:
            runs.append(_written(held, folder / f"{len(runs)}.parquet"))
            held = []
    if sum(map(len, held)):
        runs.append(_written(held, folder / f"{len(runs)}.parquet"))
    return runs


def in_order(runs: Iterable[Run]) -> Iterator[pa.Table]:
    """The rows of all runs in windows: paths rise within each and from one to the next.

    Rows of equal paths stand in the same window, unless one run has them twice.
    """
    waiting = sorted(runs, key=lambda run: run.first, reverse=True)
    heads: list[_Head] = []
    while waiting or heads:
        while waiting and (not heads or waiting[-1].first <= _limit(heads)):
            head = _Head(waiting.pop().opened())
            heads += [head] if head.table is not None else []
        if not heads:
            return
        limit = _limit(heads)
        parts = [head.taken(limit) for head in heads]
        yield pa.concat_tables(parts).sort_by("path")
        heads = [head for head in heads if head.table is not None]


class _Head:
    """The next table of an open run; None at its end."""

    def __init__(self, tables: Iterator[pa.Table]) -> None:
        self._tables = tables
        self.table: pa.Table | None = next(tables, None)

    def last(self) -> str:
        """The last path of the table."""
        return str(self.table["path"][-1]) if self.table is not None else ""

    def taken(self, limit: str) -> pa.Table:
        """The rows of the table up to the path ``limit``, which are then gone."""
        table = self.table
        assert table is not None, "only open runs are taken from"  # noqa: S101 because it is for the type checker
        rows = pc.sum(pc.less_equal(table["path"], limit)).as_py()
        self.table = table.slice(rows) if rows < len(table) else next(self._tables, None)
        return table.slice(0, rows)


def _limit(heads: list[_Head]) -> str:
    """The path up to which all rows are known."""
    return min(head.last() for head in heads)


def _written(held: list[pa.Table], file: Path) -> Run:
    table = pa.concat_tables(held).select(MANIFEST.names).sort_by("path")
    pq.write_table(table, file, compression="zstd", row_group_size=_BATCH_ROWS)
    return file_run(str(table["path"][0]), lambda: file)
