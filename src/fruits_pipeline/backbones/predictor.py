"""Computes features from pixels; the model is loaded once in each process."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from fruits_pipeline.backbones.model import Model

Predict = Callable[[NDArray[np.uint8]], NDArray[np.float32]]

_loaded: dict[tuple[str, int], Predict] = {}


def predictor(model: Model, threads: int) -> Predict:
    """A function from uint8 (N, S, S, 3) RGB to float32 (N, D), any N; not for two threads at once.

    Kept per process by the model's content and ``threads``, never by a name, so that a worker that outlives
    one job does not serve the next one with a stale model. One model is kept: a worker needs no second.

    Args:
        model: what ``model.prepare`` gave.
        threads: how many processor threads one call may use, ``spark.task.cpus`` in a worker.

    Raises:
        ModelError: when the engine is missing or cannot compute in the model's precision.
    """
    key = (model.sha256, threads)
    if key not in _loaded:
        predict = _load(model, threads)
        _loaded.clear()
        _loaded[key] = predict
    return _loaded[key]


def _load(model: Model, threads: int) -> Predict:
    if model.engine == "openvino":
        from fruits_pipeline.backbones.engines import openvino

        return openvino.load(model, threads)
    from fruits_pipeline.backbones.engines import tensorflow

    return tensorflow.load(model, threads)
