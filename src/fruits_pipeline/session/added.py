"""Large sums over all rows of a DataFrame: each task adds up its own, and a tree of tasks adds up theirs."""

import pickle
from collections.abc import Callable, Iterable, Iterator
from math import ceil
from typing import Final, Protocol, Self, TypeVar

import pyarrow as pa
from pyspark.sql import DataFrame

from fruits_pipeline.session.spark import cores

# Tasks of one pass: each makes a sum of D x D x 8 bytes, say, 13 MB for MobileNetV2 and 34 MB for Xception.
_TASKS_PER_CORE: Final = 2
# So many the driver takes and adds up itself, and so many a task does: they are all in its memory at once.
_COLLECTED: Final = 8
_JOINED: Final = 4
_PARTIAL: Final = "partial binary"
_PARTIAL_SCHEMA: Final = pa.schema([("partial", pa.binary())])


class Part(Protocol):
    """What can be added up; it travels as a pickle."""

    def with_(self, other: Self) -> Self:
        """The sum of both."""


_P = TypeVar("_P", bound=Part)


def added(rows: DataFrame, of: Callable[[pa.RecordBatch], _P]) -> _P | None:
    """What ``of`` makes of each batch of ``rows``, added up; None without a row."""

    def over(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        yield _row(whole(of(batch) for batch in batches if batch.num_rows))

    def joined(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        yield _row(whole(_partials(row for batch in batches for row in batch.column(0).to_pylist())))

    tasks = _TASKS_PER_CORE * cores(rows.sparkSession)
    partials = rows.coalesce(tasks).mapInArrow(over, _PARTIAL)
    while tasks > _COLLECTED:
        tasks = ceil(tasks / _JOINED)
        partials = partials.repartition(tasks).mapInArrow(joined, _PARTIAL)
    return whole(_partials(row.partial for row in partials.collect()))


def whole(parts: Iterable[_P | None]) -> _P | None:
    """All parts that there are, added up."""
    found: _P | None = None
    for part in parts:
        if part is not None:
            found = part if found is None else found.with_(part)
    return found


def _row(part: Part | None) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist([{"partial": pickle.dumps(part)}], schema=_PARTIAL_SCHEMA)


def _partials(rows: Iterable[bytes]) -> Iterator[_P]:
    return map(pickle.loads, rows)
