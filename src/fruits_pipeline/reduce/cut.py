"""Where the components are cut, and which way they point: pure functions over numpy arrays."""

import numpy as np
from numpy.typing import NDArray

from fruits_pipeline.errors import InputError, SettingsError

# Rounding of a decomposition in float64, as in numpy.linalg.matrix_rank, and of a running sum.
_EPSILON = float(np.finfo(np.float64).eps)


def rank(ratio: NDArray[np.float64]) -> int:
    """How many components carry variance beyond rounding.

    Args:
        ratio: float64 (D,), shares of the variance, falling.

    >>> rank(np.array([0.75, 0.25, 1e-17, 0.0]))
    2
    """
    return int(np.count_nonzero(ratio > ratio.size * _EPSILON * ratio[0]))


def kept(ratio: NDArray[np.float64], components: float, rows: int) -> int:
    """The number k of components to keep.

    Args:
        ratio: float64 (D,), shares of the variance, falling, sum 1.
        components: A float in (0, 1] is a share: the smallest k whose shares reach it. An int is k itself.
        rows: Training images behind the fit, for the message.

    Raises:
        SettingsError: When a count is not within 1 and D, or a share not within (0, 1].
        InputError: When a count is more than the training images can span.

    >>> kept(np.array([0.5, 0.3, 0.2]), 0.8, rows=10), kept(np.array([0.5, 0.3, 0.2]), 1, rows=10)
    (2, 1)
    """
    if isinstance(components, int):
        _check_count(components, ratio, rows)
        return components
    if not 0 < components <= 1:
        raise SettingsError(f"--components expects a share in (0, 1] or a count >= 1, found {components!r}.")
    reached = np.cumsum(ratio) >= components - ratio.size * _EPSILON
    return min(int(np.argmax(reached)) + 1, rank(ratio))


def _check_count(count: int, ratio: NDArray[np.float64], rows: int) -> None:
    if not 1 <= count <= ratio.size:
        raise SettingsError(
            f"--components expects a count from 1 to {ratio.size}, the length of the features, found {count!r}. "
            f"Ask for at most {ratio.size}, or for a share of the variance such as 0.90."
        )
    if count > rank(ratio):
        raise InputError(
            f"--components {count} asks for more components than {rows} training images span: "
            f"expected at most {rank(ratio)}. Ask for at most {rank(ratio)}, for a share of the variance such as "
            "0.90, or give more training images."
        )


def signs(components: NDArray[np.float64]) -> NDArray[np.float64]:
    """1 or -1 for each component, so that its largest loading by amount becomes positive.

    A decomposition leaves the sign open; this settles it, as scikit-learn's ``svd_flip`` does.

    Args:
        components: float64 (D, k), one component in each column.

    >>> signs(np.array([[0.6, -0.8], [0.8, 0.6]]))
    array([ 1., -1.])
    """
    largest = np.argmax(np.abs(components), axis=0)
    return np.where(components[largest, np.arange(components.shape[1])] < 0, -1.0, 1.0)
