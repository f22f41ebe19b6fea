"""Principal components: the covariance by Spark over all rows, its eigenvectors by LAPACK on the driver.

Spark's own ``PCA.fit`` decomposes with a LAPACK translated to Java, whose singular values came out wrong in 2 of
some 20 runs on OpenJDK 17.0.15 (2026-11-21, Spark 3.5.8, 181 rows x 1,280: first share 0.050 instead of 0.411, right
vectors in the wrong order, no error). NumPy's LAPACK gives the same answer every time, several times faster.
"""

import numpy as np
from numpy.typing import NDArray
from pyspark.ml.stat import Correlation
from pyspark.sql import DataFrame


def covariance(vectors: DataFrame, column: str, deviation: NDArray[np.float64]) -> NDArray[np.float64]:
    """The sample covariance of a vector column as float64 (D, D), from Spark's distributed correlation.

    Args:
        vectors: Rows with the vector column ``column`` (D,).
        column: Its name.
        deviation: float64 (D,), the columns' sample standard deviations.
    """
    row = Correlation.corr(vectors, column).first()
    correlation = row[0].toArray() if row else np.empty((0, 0))
    # A column that never changes has no correlation with any other (NaN), and no covariance.
    known: NDArray[np.float64] = np.nan_to_num(correlation, nan=0.0)
    return known * np.outer(deviation, deviation)


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
