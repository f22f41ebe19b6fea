"""Features of a column of paths or contents, one for each row: what ``ml`` has workers do.

Images are fetched, decoded and predicted as those of the feature job, and decoded in isolation from the start: here no
wave is tried again. A pandas UDF leaves all other columns where they are, whatever their types.
"""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from typing import Final

import pandas as pd
import pyarrow as pa
from pyspark import Broadcast

from fruits_pipeline.backbones.model import Model
from fruits_pipeline.backbones.predictor import predictor
from fruits_pipeline.errors import FruitsError, InputError
from fruits_pipeline.features.batch import Treatment, outcomes
from fruits_pipeline.features.readers.prefetch import Prefetch
from fruits_pipeline.features.udf import decoding
from fruits_pipeline.images.outcome import Rejected
from fruits_pipeline.images.reason import Reason
from fruits_pipeline.storage import uri
from fruits_pipeline.storage.fetch import Wanted

RESULT: Final = "features array<float>, reason string"
# What an image is taken to have whose bytes nobody has listed.
_UNKNOWN_BYTES: Final = 1 << 20
_NOTHING: Final = Rejected(Reason.MISSING, "the value is null")

Value = str | bytes | None


@dataclass(frozen=True)
class ImageColumn:
    """How workers treat the images of a column; plain values only, because it travels to them.

    Attributes:
        name: The column's name, for messages.
        is_path: Whether values are paths; else they are contents.
        prefetch: What fetches paths, in batches of its ``batch_rows``.
        treatment: Sizes and limits.
        must_read: Whether an image that cannot be read is an error.
    """

    name: str
    is_path: bool
    prefetch: Prefetch
    treatment: Treatment
    must_read: bool


def column_features(
    model: Broadcast[Model], column: ImageColumn
) -> Callable[[Iterator[pd.Series]], Iterator[pd.DataFrame]]:
    """A function from batches of values to batches of ``RESULT``: float32 (D,) or null, and a reason or null.

    Its batches do not follow those of its input, and hold the same number of rows in all.
    """

    def over_batches(batches: Iterator[pd.Series]) -> Iterator[pd.DataFrame]:
        predict = predictor(model.value, column.treatment.threads)
        asked: deque[Value] = deque()

        def values() -> Iterator[Value]:
            for value in (value for batch in batches for value in batch):
                asked.append(value)
                yield value

        contents = _fetched(values(), column.prefetch) if column.is_path else _given(values(), column.prefetch)
        with decoding(column.treatment) as decode_one, closing(contents):
            while batch := list(islice(contents, column.prefetch.batch_rows)):
                outcome = outcomes(batch, decode_one, predict, column.treatment)
                named = [asked.popleft() for _ in batch]
                if column.must_read:
                    _refuse_unread(named, outcome, column.name)
                yield _rows(outcome)

    return over_batches


def _given(values: Iterable[Value], prefetch: Prefetch) -> Generator[bytes | Rejected, None, None]:
    """Contents as they are, or why one is not taken."""
    most = prefetch.window.max_bytes
    for value in values:
        if not isinstance(value, bytes | bytearray):
            yield _NOTHING
        elif len(value) > most:
            yield Rejected(Reason.TOO_MANY_BYTES, f"{len(value)} bytes, more than {most}")
        else:
            yield bytes(value)


def _fetched(paths: Iterable[Value], prefetch: Prefetch) -> Generator[bytes | Rejected, None, None]:
    """The files of ``paths``, in order, or why one cannot be had."""
    ahead: deque[Wanted | Rejected] = deque()

    def wanted() -> Iterator[Wanted]:
        for path in paths:
            found = _address(path)
            ahead.append(found)
            if isinstance(found, Wanted):
                yield found

    with closing(prefetch.contents(wanted(), judge=False)) as contents:
        for content in contents:
            yield from _refused(ahead)
            ahead.popleft()
            yield content
        yield from _refused(ahead)


def _refused(ahead: deque[Wanted | Rejected]) -> Iterator[Rejected]:
    """Takes what stands before the next path that was asked for."""
    while ahead and isinstance(ahead[0], Rejected):
        yield ahead.popleft()  # type: ignore[misc]  # because mypy does not see that it is the one that was looked at


def _address(path: Value) -> Wanted | Rejected:
    """What to fetch for a path or an address, or why nobody can.

    >>> _address("s3a://bucket/a.jpg")
    Wanted(path='s3://bucket/a.jpg', length=1048576)
    >>> _address("hdfs:///a.jpg").reason.value
    'unaddressable_key'
    """
    if not isinstance(path, str):
        return _NOTHING
    try:
        address = uri.normalise(path)
    except FruitsError as error:
        return Rejected(Reason.UNADDRESSABLE_KEY, str(error))
    if uri.scheme(address) not in {"file", "s3", "gs"}:
        return Rejected(Reason.UNADDRESSABLE_KEY, f"expected a file:, s3: or gs: address, found {uri.scheme(address)}:")
    return Wanted(address, _UNKNOWN_BYTES)


def _refuse_unread(values: list[Value], outcome: pa.RecordBatch, name: str) -> None:
    """Raises for the first image that could not be read."""
    for value, reason, detail in zip(
        values, *(outcome.column(c).to_pylist() for c in ("reason", "detail")), strict=True
    ):
        if reason is not None:
            found = f"contents of {len(value)} bytes" if isinstance(value, bytes) else repr(value)
            raise InputError(
                f"expected an image that can be read in column {name!r}, found {found}: {reason} ({detail}); "
                "handleInvalid='keep' gives null for such rows, 'skip' leaves them out"
            )


def _rows(outcome: pa.RecordBatch) -> pd.DataFrame:
    """Rows of ``RESULT``; features are NumPy arrays, which Arrow takes without looking at single floats."""
    reasons: list[str | None] = outcome.column("reason").to_pylist()
    features = outcome.column("features")
    values, ends = features.flatten().to_numpy(), features.offsets.to_numpy()
    lists = [values[ends[n] : ends[n + 1]] if why is None else None for n, why in enumerate(reasons)]
    return pd.DataFrame({"features": pd.Series(lists, dtype=object), "reason": pd.Series(reasons, dtype=object)})
