"""Mean and scatter of rows, and how those of two sets of rows make those of both: pure functions over numpy arrays.

The merge is that of Chan, Golub and LeVeque, "Updating formulae and a pairwise algorithm for computing sample
variances" (1979): no large sums are subtracted, so that what does not vary comes out as zero.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Moments:
    """The first two moments of ``rows`` rows of D numbers.

    Attributes:
        rows: How many.
        mean: float64 (D,).
        scatter: float64 (D, D), sum of the outer products of each row's distance from the mean.
    """

    rows: int
    mean: NDArray[np.float64]
    scatter: NDArray[np.float64]

    def covariance(self) -> NDArray[np.float64]:
        """The sample covariance, float64 (D, D), of at least two rows."""
        return self.scatter / (self.rows - 1)


def moments(values: NDArray[np.float32]) -> Moments:
    """The moments of ``values`` (N, D), N at least 1.

    >>> moments(np.array([[1.0], [3.0]], np.float32)).covariance()
    array([[2.]])
    """
    mean = values.mean(axis=0, dtype=np.float64)
    centred = values - mean
    return Moments(len(values), mean, centred.T @ centred)


def merged(one: Moments, other: Moments) -> Moments:
    """The moments of the rows of both.

    >>> merged(moments(np.array([[1.0]], np.float32)), moments(np.array([[3.0]], np.float32))).covariance()
    array([[2.]])
    """
    rows = one.rows + other.rows
    step = other.mean - one.mean
    between = np.outer(step, step * (one.rows * other.rows / rows))
    return Moments(rows, one.mean + step * (other.rows / rows), one.scatter + other.scatter + between)


def together(parts: Iterable[Moments]) -> Moments | None:
    """The moments of the rows of all ``parts``, merged in their order; None without a part."""
    whole = None
    for part in parts:
        whole = part if whole is None else merged(whole, part)
    return whole
