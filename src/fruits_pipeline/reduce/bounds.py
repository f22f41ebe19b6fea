"""What bounds transformed features, where the backbone's own last layer bounds them."""

import numpy as np

from fruits_pipeline.reduce.moments import Bounds
from fruits_pipeline.settings.reduce import TransformName
from fruits_pipeline.trained.transform import length, transformed


def bounds(largest: float, rows: int, dimension: int, by: TransformName) -> Bounds:
    """What bounds ``rows`` rows of D features from 0 to ``largest`` once they are transformed: one bound for all."""
    most = length(dimension, by) if by == "unit" else float(transformed(np.array([[largest]], np.float32), by)[0, 0])
    return Bounds(rows, np.zeros(1, np.float32), np.full(1, most, np.float32))
