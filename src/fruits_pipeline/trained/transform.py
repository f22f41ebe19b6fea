"""What is done to each image's features before they are centred."""

import numpy as np
from numpy.typing import NDArray

from fruits_pipeline.settings.reduce import TransformName


def transformed(values: NDArray[np.float32], by: TransformName) -> NDArray[np.float32]:
    """The features (N, D): their square roots, or scaled to the length of D ones, which keeps their usual size.

    >>> transformed(np.array([[4, 9]], np.float32), "sqrt").tolist()
    [[2.0, 3.0]]
    >>> transformed(np.array([[3, 4, 0, 0], [0, 0, 0, 0]], np.float32), "unit").astype(float).round(1).tolist()
    [[1.2, 1.6, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]]
    """
    if by == "sqrt":
        return np.sqrt(values)
    if by == "unit":
        lengths = np.sqrt(np.square(values, dtype=np.float64).sum(axis=1, keepdims=True))
        scaled: NDArray[np.float32] = (values * (length(values.shape[1], by) / np.maximum(lengths, 1e-30))).astype(
            np.float32
        )
        return scaled
    return values


def length(dimension: int, by: TransformName) -> float:
    """The length that D features get, where Spark's stage gives them 1; 1 where lengths are not changed."""
    return float(np.sqrt(dimension)) if by == "unit" else 1.0
