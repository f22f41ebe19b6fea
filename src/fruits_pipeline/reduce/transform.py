"""The columns and stages of Spark's model for what is done to features first, and what bounds the result."""

from typing import Final

import numpy as np
from pyspark.ml import Transformer
from pyspark.ml.feature import Normalizer

from fruits_pipeline.reduce.moments import Bounds
from fruits_pipeline.settings.reduce import TransformName
from fruits_pipeline.trained.transform import length, transformed

FEATURES_VECTOR: Final = "features_vector"
_UNIT: Final = "unit_vector"


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
