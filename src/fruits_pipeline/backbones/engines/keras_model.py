"""Builds a backbone as a Keras network with the published weights."""

import os
import sys
from types import ModuleType
from typing import Any

from fruits_pipeline.backbones.catalog import Backbone
from fruits_pipeline.backbones.tensors import arrays_by_layer
from fruits_pipeline.errors import ModelError


def import_keras() -> ModuleType:
    """The package keras on TensorFlow, without TensorFlow's log lines.

    Raises:
        ModelError: when it is not installed, or was set up for another backend or for channels first.
    """
    if "keras" not in sys.modules:
        os.environ["KERAS_BACKEND"] = "tensorflow"
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        # TensorFlow first: without it Keras fails with a message that does not name what is missing.
        import tensorflow as tf  # noqa: F401, I001  # because it is imported to see that it is there
        import keras
    except ImportError as error:
        raise ModelError(
            "TensorFlow: expected Keras 3 with TensorFlow, found no such package; "
            "install fruits-pipeline[tensorflow], or copy the cache folder of a machine where "
            "`fruits-pipeline weights` succeeded and use --engine openvino"
        ) from error
    found = (keras.config.backend(), keras.config.image_data_format())
    if found != ("tensorflow", "channels_last"):
        raise ModelError(
            f"Keras: expected backend and data format ('tensorflow', 'channels_last'), found {found!r}; "
            "change them in this process or in Keras' own settings file"
        )
    return keras  # type: ignore[no-any-return]  # because keras ships no types


def network(backbone: Backbone, image_size: int, weights: bytes) -> Any:
    """The pooled Keras network for float32 (N, S, S, 3) in [-1, 1], giving float32 (N, D).

    Built for one static size S, because Keras pads strided convolutions by the size that it is told.
    Layers are matched in order: Keras numbers the unnamed ones by what else the process has built.

    Args:
        backbone: which one.
        image_size: S in pixels.
        weights: the canonical bytes.

    Raises:
        ModelError: when TensorFlow is not installed.
    """
    keras = import_keras()
    built = getattr(keras.applications, backbone.keras_class)(
        weights=None, include_top=False, pooling="avg", input_shape=(image_size, image_size, 3)
    )
    layers = [layer for layer in built.layers if layer.weights]
    for layer, values in zip(layers, arrays_by_layer(backbone, weights), strict=True):
        layer.set_weights(values)
    return built
