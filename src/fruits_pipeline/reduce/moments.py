"""Mean and covariance by sums that are exact, so that neither partitions nor order can move them.

Each column is read off a grid of whole numbers that spans its own range. Products of such numbers, summed, stay within
what a double holds exactly for some rows, and within 64 bits for all: adding them in another order gives the same bits.
Rounding to the grid moves a number by at most a 130,000th of the widest column's half range, evenly to both sides.
"""

from dataclasses import dataclass
from math import ceil, frexp, log2
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

# A double holds whole numbers below 2^53: rows in one product, and bits of each factor.
_PRODUCT_ROWS: Final = 1 << 11
_MOST_BITS: Final = 21
# Sums of products are signed 64-bit numbers.
_SUM_BITS: Final = 62


@dataclass(frozen=True)
class Bounds:
    """How many rows, and the least and largest number of each of D columns, float32 (D,), or of all, float32 (1,)."""

    rows: int
    least: NDArray[np.float32]
    largest: NDArray[np.float32]

    @classmethod
    def of(cls, values: NDArray[np.float32]) -> Self:
        """The bounds of ``values`` (N, D), N at least 1; NaN where a column has one."""
        return cls(len(values), values.min(axis=0), values.max(axis=0))

    def with_(self, other: Self) -> Self:
        """The bounds of the rows of both."""
        least, largest = np.minimum(self.least, other.least), np.maximum(self.largest, other.largest)
        return type(self)(self.rows + other.rows, least, largest)


@dataclass(frozen=True)
class Grid:
    """Whole numbers for ``values``: (value - centre) / step, rounded; centre float64 (D,) or (1,), step a power of two.

    None is larger than ``reach``, to either side.
    """

    centre: NDArray[np.float64]
    step: float
    reach: float

    @classmethod
    def over(cls, bounds: Bounds) -> Self:
        """As fine as so many rows allow: 21 bits for up to a million rows, 17 for a hundred million."""
        low, high = bounds.least.astype(np.float64), bounds.largest.astype(np.float64)
        bits = min(_MOST_BITS, (_SUM_BITS - ceil(log2(bounds.rows))) // 2)
        exponent = frexp(float((high - low).max()) / 2)[1]
        return cls((low + high) / 2, 2.0 ** (exponent - bits), 2.0**bits)


@dataclass(frozen=True)
class Sums:
    """Sums over ``rows`` rows of a grid's numbers, int64 (D,), and of their products, int64 (D, D).

    They are worth nothing where not all numbers lay ``inside`` of the grid.
    """

    rows: int
    first: NDArray[np.int64]
    second: NDArray[np.int64]
    inside: bool = True

    @classmethod
    def of(cls, values: NDArray[np.float32], grid: Grid) -> Self:
        """The sums of ``values`` (N, D).

        >>> Sums.of(np.array([[1], [3]], np.float32), Grid(np.array([2.0]), 0.5, 4.0)).second
        array([[8]])
        """
        width = values.shape[1]
        first, second = np.zeros(width, np.int64), np.zeros((width, width), np.int64)
        for start in range(0, len(values), _PRODUCT_ROWS):
            whole = np.rint((values[start : start + _PRODUCT_ROWS] - grid.centre) / grid.step)
            # NaN is not inside either.
            if not (whole.min() >= -grid.reach and whole.max() <= grid.reach):
                return cls(len(values), first, second, inside=False)
            first += whole.sum(axis=0).astype(np.int64)
            second += (whole.T @ whole).astype(np.int64)
        return cls(len(values), first, second)

    def with_(self, other: Self) -> Self:
        """The sums of the rows of both."""
        return type(self)(
            self.rows + other.rows,
            self.first + other.first,
            self.second + other.second,
            self.inside and other.inside,
        )

    def mean(self, grid: Grid) -> NDArray[np.float64]:
        """The mean, float64 (D,)."""
        return grid.centre + self.first / self.rows * grid.step

    def covariance(self, grid: Grid) -> NDArray[np.float64]:
        """The sample covariance, float64 (D, D), of at least two rows; zero where nothing varies."""
        scatter = self.second - np.outer(self.first / self.rows, self.first.astype(np.float64))
        return scatter * (grid.step**2 / (self.rows - 1))
