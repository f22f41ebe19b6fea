"""What is done to each image's features before they are centred, and the columns and stages of Spark's model for it."""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from pyspark.ml import Transformer
from pyspark.ml.feature import Normalizer

from fruits_pipeline.reduce.moments import Bounds
from fruits_pipeline.settings.reduce import TransformName

FEATURES_VECTOR: Final = "features_vector"
_UNIT: Final = "unit_vector"


def transformed(values: NDArray[np.float32], by: TransformName) -> NDArray[np.float32]:
    """The features (N, D): their square roots, or scaled to the length of D ones, which keeps their usual size.

    >>> transformed(np.array([[4, 9]], np.float32), "sqrt").tolist()
    [[2.0, 3.0]]
    >>> transformed(np.array([[3, 4, 0, 0], [0, 0, 0, 0]], np.float32), "unit").round(1).tolist()
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


def bounds(largest: float, rows: int, dimension: int, by: TransformName) -> Bounds:
    """What bounds ``rows`` rows of D features from 0 to ``largest`` once they are transformed: one bound for all."""
    most = length(dimension, by) if by == "unit" else float(transformed(np.array([[largest]], np.float32), by)[0, 0])
    return Bounds(rows, np.zeros(1, np.float32), np.full(1, most, np.float32))


def input_column(by: TransformName) -> str:
    """The vector column that the saved models take.

    Spark has no stage for square roots, so that these are taken outside, and the name says so.
    """
    return "sqrt_features_vector" if by == "sqrt" else FEATURES_VECTOR


def stages_before(by: TransformName) -> tuple[list[Transformer], str]:
    """The stages before the centring, and the column that they give."""
    if by == "unit":
        return [Normalizer(p=2.0, inputCol=FEATURES_VECTOR, outputCol=_UNIT)], _UNIT
    return [], input_column(by)
