"""Inference by TensorFlow: the reference engine."""

import logging
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from fruits_pipeline.backbones.catalog import BACKBONES
from fruits_pipeline.backbones.engines.keras_model import import_keras, network
from fruits_pipeline.backbones.engines.pixels import check
from fruits_pipeline.backbones.model import Model

logger = logging.getLogger(__name__)


def load(model: Model, threads: int) -> Callable[[NDArray[np.uint8]], NDArray[np.float32]]:
    """A function from uint8 (N, S, S, 3) RGB to float32 (N, D), any N.

    Args:
        model: a TensorFlow model.
        threads: how many processor threads one operation may use.

    Raises:
        ModelError: when TensorFlow is not installed.
    """
    import_keras()
    import tensorflow as tf

    limit_threads(threads)
    built = network(BACKBONES[model.backbone], model.image_size, model.parts[0])
    spec = tf.TensorSpec((None, model.image_size, model.image_size, 3), tf.uint8)

    @tf.function(input_signature=[spec])
    def normalise_and_run(pixels):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202  # because autograph reads it
        # The steps of keras.applications.imagenet_utils.preprocess_input, mode "tf", in the same order.
        return built(tf.cast(pixels, tf.float32) / 127.5 - 1.0, training=False)

    def predict(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        check(pixels, model.image_size)
        if len(pixels) == 0:  # oneDNN's fused kernels refuse an empty batch
            return np.empty((0, model.dimension), dtype=np.float32)
        return np.array(normalise_and_run(tf.constant(pixels)), dtype=np.float32)

    return predict


def limit_threads(threads: int) -> None:
    """Set the sizes of TensorFlow's two thread pools, unless this process has started them already."""
    import tensorflow as tf

    try:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    except RuntimeError:
        found = tf.config.threading.get_intra_op_parallelism_threads()
        logger.info("tensorflow_threads=kept requested=%s found=%s reason=already_started", threads, found)
