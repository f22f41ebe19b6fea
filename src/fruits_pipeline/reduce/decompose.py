"""Principal components: mean and covariance in two passes over all rows, eigenvectors by LAPACK on the driver.

NumPy does both, with the BLAS and LAPACK that its wheels bring (OpenBLAS), so that no system package decides on the
speed. Spark's own ``PCA.fit`` decomposes with a LAPACK translated to Java, whose singular values came out wrong in 2 of
some 20 runs on OpenJDK 17.0.15 (2026-11-21, Spark 3.5.8, 181 rows x 1,280: first share 0.050 instead of 0.411, right
vectors in the wrong order, no error). NumPy's LAPACK gives the same answer every time, several times faster.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyspark.sql import DataFrame

from fruits_pipeline.reduce.moments import Bounds, Grid, Sums
from fruits_pipeline.session.tables import as_matrix

# Each sends D x D x 8 bytes to the driver: 13 MB for MobileNetV2, 34 MB for Xception.
MOST_PARTIALS: Final = 8
_PARTIAL: Final = pa.schema([("rows", pa.int64()), ("first", pa.binary()), ("second", pa.binary())])


@dataclass(frozen=True)
class Moments:
    """Of ``rows`` rows of D numbers, the mean, float64 (D,), and the sample covariance, float64 (D, D)."""

    rows: int
    mean: NDArray[np.float64]
    covariance: NDArray[np.float64]


def moments_of(parts: Sequence[DataFrame]) -> Moments | None:
    """The moments of the column ``features array<float>`` (D,), to the last bit whatever the order; None without a row.

    Where a column holds a NaN or an infinity, its mean is not finite, and the covariance NaN; also that of one row.

    Args:
        parts: Rows with that column, one part after the other; each batch of Arrow is one product, so that batches
            should be large.
    """
    ends = [
        Bounds(rows, np.frombuffer(first, np.float32), np.frombuffer(second, np.float32))
        for rows, first, second in _collected(parts, _bounds)
    ]
    if not ends:
        return None
    bounds = reduce(Bounds.with_, ends)
    grid = Grid.over(bounds)
    if bounds.rows == 1 or not np.isfinite(grid.centre).all():
        return Moments(bounds.rows, grid.centre, np.full((grid.centre.size,) * 2, np.nan))
    partials = (
        Sums(rows, np.frombuffer(first, np.int64), np.frombuffer(second, np.int64).reshape(grid.centre.size, -1))
        for rows, first, second in _collected(parts, lambda values: _sums(values, grid))
    )
    sums = reduce(Sums.with_, partials)
    return Moments(sums.rows, sums.mean(grid), sums.covariance(grid))


def eigen(matrix: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Shares of the variance (D,), falling, and the components (D, D), one in each column, of a covariance.

    Shares are NaN where nothing varies.

    >>> eigen(np.diag([1.0, 3.0]))[0]
    array([0.75, 0.25])
    """
    values, components = np.linalg.eigh(matrix)
    values = np.clip(values[::-1], 0, None)
    total = values.sum()
    return values / total if total else np.full(values.shape, np.nan), components[:, ::-1]


_Partial = tuple[int, bytes, bytes]


def _collected(
    parts: Sequence[DataFrame], of: Callable[[Iterator[NDArray[np.float32]]], _Partial | None]
) -> Iterator[_Partial]:
    """What ``of`` makes of each partition that has rows, whose batches it gets as float32 (N, D)."""

    def over(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        found = of(as_matrix(batch.column(0)) for batch in batches if batch.num_rows)
        if found:
            yield pa.RecordBatch.from_pylist([dict(zip(_PARTIAL.names, found, strict=True))], schema=_PARTIAL)

    for part in parts:
        vectors = part.select("features").coalesce(MOST_PARTIALS)
        rows = vectors.mapInArrow(over, "rows long, first binary, second binary").collect()
        yield from ((row.rows, bytes(row.first), bytes(row.second)) for row in rows)


def _bounds(batches: Iterator[NDArray[np.float32]]) -> _Partial | None:
    parts = [Bounds.of(values) for values in batches]
    if not parts:
        return None
    whole = reduce(Bounds.with_, parts)
    return whole.rows, whole.least.tobytes(), whole.largest.tobytes()


def _sums(batches: Iterator[NDArray[np.float32]], grid: Grid) -> _Partial | None:
    whole = None
    for values in batches:
        part = Sums.of(values, grid)
        whole = part if whole is None else whole.with_(part)
    return None if whole is None else (whole.rows, whole.first.tobytes(), whole.second.tobytes())
