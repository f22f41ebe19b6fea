"""Principal components: mean and covariance by sums over all rows, eigenvectors by LAPACK on the driver.

NumPy does both, with the BLAS and LAPACK that its wheels bring (OpenBLAS), so that no system package decides on the
speed. Spark's own ``PCA.fit`` decomposes with a LAPACK translated to Java, which is wrong each time on some
covariances of low rank: ``benchmarks/spark_pca.py`` shows some, and whether a release of Spark has mended it.
"""

import pickle
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any, Final, TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyspark.sql import DataFrame

from fruits_pipeline.reduce.moments import Bounds, Grid, Sums
from fruits_pipeline.session.spark import cores
from fruits_pipeline.session.tables import as_matrix
from fruits_pipeline.settings.reduce import TransformName
from fruits_pipeline.trained.transform import transformed

# Tasks of one pass: each makes D x D x 8 bytes, 13 MB for MobileNetV2 and 34 MB for Xception.
_TASKS_PER_CORE: Final = 2
# So many the driver takes and adds up itself, and so many a task does: they are all in its memory at once.
_COLLECTED: Final = 8
_JOINED: Final = 4
_PARTIAL: Final = "partial binary"
_PARTIAL_SCHEMA: Final = pa.schema([("partial", pa.binary())])


@dataclass(frozen=True)
class Moments:
    """Of ``rows`` rows of D numbers, the mean, float64 (D,), and the sample covariance, float64 (D, D)."""

    rows: int
    mean: NDArray[np.float64]
    covariance: NDArray[np.float64]


def moments_of(parts: Sequence[DataFrame], by: TransformName = "none", known: Bounds | None = None) -> Moments | None:
    """The moments of the column ``features array<float>`` (D,), to the last bit whatever the order; None without a row.

    Where a column holds a NaN or an infinity, its mean is not finite, and the covariance NaN; also that of one row.

    Args:
        parts: Rows with that column, one part after the other; each batch of Arrow is one product, so that batches
            should be large.
        by: What is done to the features first.
        known: Bounds of all rows, transformed, where these are known before: then one pass will do.
    """
    if known is not None:
        grid = Grid.over(known)
        sums = _sums_of(parts, by, grid)
        if sums is None or sums.inside:
            return None if sums is None else Moments(sums.rows, sums.mean(grid), _covariance(sums, grid))
    bounds = _added(parts, lambda values: Bounds.of(transformed(values, by)))
    if bounds is None:
        return None
    grid = Grid.over(bounds)
    if bounds.rows == 1 or not np.isfinite(grid.centre).all():
        return Moments(bounds.rows, grid.centre, np.full((grid.centre.size,) * 2, np.nan))
    sums = _sums_of(parts, by, grid)
    return None if sums is None else Moments(sums.rows, sums.mean(grid), _covariance(sums, grid))


def _covariance(sums: Sums, grid: Grid) -> NDArray[np.float64]:
    return sums.covariance(grid) if sums.rows > 1 else np.full(sums.second.shape, np.nan)


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


_Part = TypeVar("_Part", Bounds, Sums)


def _whole(parts: Iterable[_Part | None]) -> _Part | None:
    """All parts that there are, added up."""
    whole: _Part | None = None
    for part in parts:
        if part is not None:
            whole = part if whole is None else whole.with_(part)
    return whole


def _sums_of(parts: Sequence[DataFrame], by: TransformName, grid: Grid) -> Sums | None:
    return _added(parts, lambda values: Sums.of(transformed(values, by), grid))


def _added(parts: Sequence[DataFrame], of: Callable[[NDArray[np.float32]], _Part]) -> _Part | None:
    """What ``of`` makes of each batch, float32 (N, D), added up in tasks, then by tasks for four of these each."""

    def over(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        yield _row(_whole(of(as_matrix(batch.column(0))) for batch in batches if batch.num_rows))

    def joined(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        yield _row(_whole(_partials(row for batch in batches for row in batch.column(0).to_pylist())))

    def summed(part: DataFrame) -> _Part | None:
        tasks = _TASKS_PER_CORE * cores(part.sparkSession)
        partials = part.select("features").coalesce(tasks).mapInArrow(over, _PARTIAL)
        while tasks > _COLLECTED:
            tasks = ceil(tasks / _JOINED)
            partials = partials.repartition(tasks).mapInArrow(joined, _PARTIAL)
        return _whole(_partials(row.partial for row in partials.collect()))

    return _whole(map(summed, parts))


def _row(part: Bounds | Sums | None) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist([{"partial": pickle.dumps(part)}], schema=_PARTIAL_SCHEMA)


def _partials(rows: Iterable[bytes]) -> Iterator[Any]:
    return map(pickle.loads, rows)
