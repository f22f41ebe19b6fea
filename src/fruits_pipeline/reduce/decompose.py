"""Principal components: mean and covariance by sums over all rows, eigenvectors by LAPACK on the driver.

NumPy does both, with the BLAS and LAPACK that its wheels bring (OpenBLAS), so that no system package decides on the
speed. Spark's own ``PCA.fit`` decomposes with a LAPACK translated to Java, which is wrong each time on some
covariances of low rank: ``benchmarks/spark_pca.py`` shows some, and whether a release of Spark has mended it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyspark.sql import DataFrame

from fruits_pipeline.reduce.moments import Bounds, Grid, Sums
from fruits_pipeline.session.added import added, whole
from fruits_pipeline.session.tables import as_matrix
from fruits_pipeline.settings.reduce import TransformName
from fruits_pipeline.trained.transform import transformed


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


def _sums_of(parts: Sequence[DataFrame], by: TransformName, grid: Grid) -> Sums | None:
    return _added(parts, lambda values: Sums.of(transformed(values, by), grid))


_Part = TypeVar("_Part", Bounds, Sums)


def _added(parts: Sequence[DataFrame], of: Callable[[NDArray[np.float32]], _Part]) -> _Part | None:
    """What ``of`` makes of each batch, float32 (N, D), added up."""

    def of_batch(batch: pa.RecordBatch) -> _Part:
        return of(as_matrix(batch.column(0)))

    return whole(added(part.select("features"), of_batch) for part in parts)
