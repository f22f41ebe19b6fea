"""Centring, projection and regression of an output as one dense layer."""

import numpy as np
from numpy.typing import NDArray

from fruits_pipeline.backbones.chain import Head
from fruits_pipeline.errors import DatasetError
from fruits_pipeline.trained.arrays import RegressionArrays, softmax
from fruits_pipeline.trained.models import TrainedModels
from fruits_pipeline.trained.transform import length


def head_of(models: TrainedModels, temperature: float) -> Head:
    """The head whose softmax gives the regression's probabilities at a temperature, folded in float64.

    ``(x - mean) P C' + b = x (P C') + (b - mean P C')``, divided by the temperature; x are the transformed features.

    Raises:
        DatasetError: When the first classifier is no regression.
    """
    regression, projection = regression_of(models), models.projection
    weights = projection.loadings[:, : projection.k] @ regression.coefficients.T
    bias = regression.intercepts - projection.mean @ weights
    transform = projection.transform
    size = length(len(projection.mean), transform)
    parts = ((part / temperature).astype(np.float32) for part in (weights, bias))
    return Head(transform, size, *parts)


def regression_of(models: TrainedModels) -> RegressionArrays:
    """The arrays of the regression, which is the first classifier.

    Raises:
        DatasetError: When it is another one.
    """
    arrays = models.classifiers[0].arrays
    if not isinstance(arrays, RegressionArrays):
        raise DatasetError(f"expected a regression, found {models.classifiers[0].name}")
    return arrays


def without_temperature(probabilities: NDArray[np.float32], temperature: float) -> NDArray[np.float64]:
    """The probabilities that a model would give at the temperature 1, float64 (N, L).

    >>> without_temperature(np.array([[0.5, 0.5]], np.float32), 3.0).tolist()
    [[0.5, 0.5]]
    """
    smallest = np.finfo(np.float64).tiny
    return softmax(np.log(np.maximum(probabilities.astype(np.float64), smallest)) * temperature)
