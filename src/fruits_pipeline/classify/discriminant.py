"""Linear discriminants in closed form, so that five fits without a fifth of the images each cost one pass over them.

Source: Hastie, Tibshirani and Friedman, "The Elements of Statistical Learning", 2nd edition, 4.3: one covariance for
all labels, here with a small ridge.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fruits_pipeline.trained.arrays import softmax

FOLDS: Final = 5
_LEAST_RIDGE: Final = 1e-3
# Where nothing varies within labels.
_LEAST_VARIANCE: Final = 1e-9


@dataclass(frozen=True)
class Sums:
    """What discriminants are made of, for each of the folds.

    Attributes:
        images: float64 (FOLDS, L), images of each label.
        sums: float64 (FOLDS, L, k), sums of their components.
        squares: float64 (FOLDS, k, k), sums of the products of components, over all labels.
    """

    images: NDArray[np.float64]
    sums: NDArray[np.float64]
    squares: NDArray[np.float64]

    @classmethod
    def of(cls, folds: NDArray[np.int64], labels: NDArray[np.int64], values: NDArray[np.float64], count: int) -> "Sums":
        """Sums of N images by fold (N,), label's index (N,) below ``count``, and components (N, k)."""
        k = values.shape[1]
        images, sums, squares = np.zeros((FOLDS, count)), np.zeros((FOLDS, count, k)), np.zeros((FOLDS, k, k))
        for fold in range(FOLDS):
            chosen = folds == fold
            mine, theirs = values[chosen], labels[chosen]
            images[fold] = np.bincount(theirs, minlength=count)
            np.add.at(sums[fold], theirs, mine)
            squares[fold] = mine.T @ mine
        return cls(images, sums, squares)

    def with_(self, other: "Sums") -> "Sums":
        """The sums over the images of both."""
        return Sums(self.images + other.images, self.sums + other.sums, self.squares + other.squares)


@dataclass(frozen=True)
class Discriminant:
    """A fitted discriminant of L labels.

    Attributes:
        weights: float64 (k, L).
        offsets: float64 (L,), minus infinity for labels without an image, which are no label's answer.
        means: float64 (L, k), of each label; 0 for labels without an image.
    """

    weights: NDArray[np.float64]
    offsets: NDArray[np.float64]
    means: NDArray[np.float64]

    @property
    def known(self) -> NDArray[np.bool_]:
        """Which labels have an image, (L,)."""
        return np.isfinite(self.offsets)

    def probabilities(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Of each label (N, L), for components (N, k); at least one label has an image."""
        return softmax(values @ self.weights + self.offsets)


def without_each_fold(sums: Sums) -> list[Discriminant]:
    """For each fold the discriminant of all images of the others."""
    whole = Sums(*(part.sum(axis=0, keepdims=True) for part in (sums.images, sums.sums, sums.squares)))
    return [
        _fitted(
            whole.images[0] - sums.images[fold], whole.sums[0] - sums.sums[fold], whole.squares[0] - sums.squares[fold]
        )
        for fold in range(FOLDS)
    ]


def _fitted(images: NDArray[np.float64], sums: NDArray[np.float64], squares: NDArray[np.float64]) -> Discriminant:
    present = images > 0
    means = sums / np.where(present, images, 1)[:, None]
    within = (squares - (means * images[:, None]).T @ means) / max(images.sum() - present.sum(), 1)
    k = len(within)
    ridge = _share(images.sum(), k) * max(float(np.trace(within)) / k, _LEAST_VARIANCE)
    weights = np.linalg.solve(within + ridge * np.eye(k), means.T)
    with np.errstate(divide="ignore"):
        prior = np.log(images / max(images.sum(), 1))
    return Discriminant(weights, prior - 0.5 * (means * weights.T).sum(axis=1), means)


def _share(images: float, k: int) -> float:
    """Of the mean variance, what is added to each: with as many components as images all answers would be certain."""
    return max(_LEAST_RIDGE, k / max(images, 1))
