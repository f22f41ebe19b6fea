"""A Keras network to OpenVINO's two files, with the normalisation inside the graph."""

import tempfile
from pathlib import Path
from typing import Any

from fruits_pipeline.backbones.catalog import Backbone
from fruits_pipeline.backbones.engines.keras_model import network
from fruits_pipeline.backbones.engines.telemetry import import_openvino

# Both backbones were trained on pixels in [-1, 1]:
# keras.applications.imagenet_utils.preprocess_input, mode "tf".
HALF_RANGE = 127.5


def convert(backbone: Backbone, image_size: int, weights: bytes) -> tuple[bytes, bytes]:
    """OpenVINO's XML graph and its float32 weights, taking uint8 (N, S, S, 3) RGB, giving float32 (N, D).

    The same input and the same OpenVINO give the same bytes, on whatever machine.

    Args:
        backbone: which one.
        image_size: S in pixels.
        weights: the canonical bytes.

    Raises:
        ModelError: when TensorFlow or OpenVINO is not installed.
    """
    ov = import_openvino()
    model = _with_normalisation(ov, ov.convert_model(_graph(backbone, image_size, weights)))
    _name_in_order(model)
    with tempfile.TemporaryDirectory() as folder:
        xml = Path(folder) / "model.xml"
        ov.save_model(model, xml, compress_to_fp16=False)
        return xml.read_bytes(), xml.with_suffix(".bin").read_bytes()


def _graph(backbone: Backbone, image_size: int, weights: bytes) -> Any:
    """The network as a TensorFlow graph: OpenVINO's own tracing of a Keras 3 model makes Keras warn."""
    built = network(backbone, image_size, weights)
    import tensorflow as tf

    pixels = tf.TensorSpec((None, image_size, image_size, 3), tf.float32, name="pixels")
    return tf.function(lambda pixels: built(pixels, training=False), input_signature=[pixels]).get_concrete_function()


def _with_normalisation(ov: Any, model: Any) -> Any:
    from openvino.preprocess import PrePostProcessor

    layout = ov.Layout("NHWC")
    steps = PrePostProcessor(model)
    steps.input().tensor().set_element_type(ov.Type.u8).set_layout(layout)
    steps.input().model().set_layout(layout)
    steps.input().preprocess().convert_element_type(ov.Type.f32).mean(HALF_RANGE).scale(HALF_RANGE)
    return steps.build()


def _name_in_order(model: Any) -> None:
    """Replace names that carry process-wide counters, or the same graph would hash differently each time."""
    for place, node in enumerate(model.get_ordered_ops()):
        node.set_friendly_name(f"{node.get_type_name()}_{place}")
        for port in node.outputs():
            port.get_tensor().set_names(set())
    model.set_friendly_name("backbone")
