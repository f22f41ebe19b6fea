"""Converts a Keras network to OpenVINO's XML and weights, with the normalisation inside the graph.

    python -m fruits_pipeline.backbones.engines.conversion BACKBONE IMAGE_SIZE WEIGHTS OUT

reads the canonical weights from the file ``WEIGHTS`` and writes ``OUT.xml`` and ``OUT.bin``.
"""

import sys
import tempfile
from pathlib import Path
from typing import Any

from fruits_pipeline.backbones.catalog import Backbone, backbone_named
from fruits_pipeline.backbones.engines.keras_model import network
from fruits_pipeline.backbones.engines.telemetry import import_openvino
from fruits_pipeline.backbones.subprocess_module import report_error, run_module
from fruits_pipeline.errors import ModelError

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
    with tempfile.TemporaryDirectory() as folder:
        _write(backbone, image_size, weights, Path(folder) / "model")
        return _parts(Path(folder) / "model")


def convert_in_subprocess(backbone: Backbone, image_size: int, weights: Path) -> tuple[bytes, bytes]:
    """What ``convert`` gives for the file of canonical ``weights``, made in a subprocess.

    Raises:
        ModelError: when TensorFlow or OpenVINO is not installed, or the process fails.
    """
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "model"
        run_module(__name__, [backbone.name, str(image_size), str(weights), str(out)], f"converting {backbone.name}")
        return _parts(out)


def main(backbone: str, image_size: str, weights: str, out: str) -> int:
    """Convert, and return the exit status."""
    try:
        _write(backbone_named(backbone), int(image_size), Path(weights).read_bytes(), Path(out))
    except ModelError as error:
        return report_error(error)
    return 0


def _write(backbone: Backbone, image_size: int, weights: bytes, out: Path) -> None:
    ov = import_openvino()
    model = _with_normalisation(ov, ov.convert_model(_graph(backbone, image_size, weights)))
    name_in_order(model)
    ov.save_model(model, out.with_suffix(".xml"), compress_to_fp16=False)


def _parts(out: Path) -> tuple[bytes, bytes]:
    return out.with_suffix(".xml").read_bytes(), out.with_suffix(".bin").read_bytes()


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


def name_in_order(model: Any) -> None:
    """Replace names with process-wide counters in them, with which the same graph would hash differently each time."""
    for place, node in enumerate(model.get_ordered_ops()):
        node.set_friendly_name(f"{node.get_type_name()}_{place}")
        for port in node.outputs():
            port.get_tensor().set_names(set())
    model.set_friendly_name("backbone")


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
