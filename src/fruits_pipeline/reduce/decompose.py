"""Principal components: mean and covariance in one pass over all rows, eigenvectors by LAPACK on the driver.

NumPy does both, with the BLAS and LAPACK that its wheels bring (OpenBLAS), so that no system package decides on the
speed. Spark's own ``PCA.fit`` decomposes with a LAPACK translated to Java, whose singular values came out wrong in 2 of
some 20 runs on OpenJDK 17.0.15 (2026-11-21, Spark 3.5.8, 181 rows x 1,280: first share 0.050 instead of 0.411, right
vectors in the wrong order, no error). NumPy's LAPACK gives the same answer every time, several times faster.
"""

from collections.abc import Iterable, Iterator
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyspark.sql import DataFrame

from fruits_pipeline.reduce.moments import Moments, moments, together

# Each sends D x D x 8 bytes to the driver: 13 MB for MobileNetV2, 34 MB for Xception.
MOST_PARTIALS: Final = 8
_PARTIAL: Final = pa.schema([("rows", pa.int64()), ("mean", pa.binary()), ("scatter", pa.binary())])


def moments_of(features: DataFrame) -> Moments | None:
    """The moments of the column ``features array<float>`` (D,), None without a row.

    Args:
        features: Rows with that column; each batch of Arrow is one product, so that batches should be large.
    """
    vectors = features.select("features").coalesce(MOST_PARTIALS)
    partials = vectors.mapInArrow(_partials, "rows long, mean binary, scatter binary").collect()
    return together(_received(*row) for row in partials)


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


def as_matrix(column: pa.ListArray) -> NDArray[np.float32]:
    """The lists of D numbers each as float32 (N, D), without a copy.

    >>> as_matrix(pa.array([[1, 2], [3, 4]], pa.list_(pa.float32()))).tolist()
    [[1.0, 2.0], [3.0, 4.0]]
    """
    values: NDArray[np.float32] = column.flatten().to_numpy()
    return values.reshape(len(column), -1)


def _partials(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """One row for a partition that has rows, none else."""
    whole = together(moments(as_matrix(batch.column(0))) for batch in batches if batch.num_rows)
    if whole:
        row = {"rows": whole.rows, "mean": whole.mean.tobytes(), "scatter": whole.scatter.tobytes()}
        yield pa.RecordBatch.from_pylist([row], schema=_PARTIAL)


def _received(rows: int, mean: bytes, scatter: bytes) -> Moments:
    values = np.frombuffer(mean)
    return Moments(rows, values, np.frombuffer(scatter).reshape(values.size, values.size))
