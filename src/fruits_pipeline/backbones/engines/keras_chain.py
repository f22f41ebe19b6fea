"""Converts backbone and head to one TFLite or ONNX file, by TensorFlow, in a subprocess.

    python -m fruits_pipeline.backbones.engines.keras_chain FORMAT BACKBONE IMAGE_SIZE WEIGHTS FOLDER

reads the canonical weights from the file ``WEIGHTS``, ``head.npz`` and ``told.json`` from ``FOLDER``, and writes
``model`` there.
"""

import io
import json
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np

from fruits_pipeline.backbones.catalog import Backbone, backbone_named
from fruits_pipeline.backbones.chain import Chain, Head
from fruits_pipeline.backbones.engines.conversion import HALF_RANGE
from fruits_pipeline.backbones.engines.keras_model import network
from fruits_pipeline.backbones.subprocess_module import report_error, run_module
from fruits_pipeline.errors import ModelError

Format = Literal["tflite", "onnx"]

INPUT: Final = "pixels"
OUTPUT: Final = "probabilities"
# Of 2021, which every runtime of the last years knows, and the newest that tf2onnx 1.17 is tested with is 18.
OPSET: Final = 17
# Below it a length is that of nothing, see ``trained.transform``.
SHORTEST: Final = 1e-30
_SIZES: Final[dict[Format, int | None]] = {"tflite": 1, "onnx": None}


def convert_chain(form: Format, backbone: Backbone, image_size: int, weights: Path, chain: Chain) -> bytes:
    """The file for uint8 (N, S, S, 3) RGB, giving float32 (N, L); N is 1 for TFLite, and any for ONNX.

    TFLite has int8 weights by the converter's dynamic-range quantisation, built-in operations only, and ``labels.txt``
    and ``model.json`` as a ZIP at its end, as TFLite's metadata convention has it
    (https://ai.google.dev/edge/litert/conversion/tensorflow/metadata). ONNX is float32, with both as metadata.

    Args:
        form: Which file.
        backbone: The network.
        image_size: S in pixels.
        weights: The file of its canonical weights.
        chain: What follows it, and what the file tells.

    Raises:
        ModelError: When TensorFlow or, for ONNX, tf2onnx is not installed, or the process fails.
    """
    with tempfile.TemporaryDirectory() as name:
        folder, head = Path(name), chain.head
        values = {"transform": np.array(head.transform), "length": np.array(head.length)}
        np.savez(folder / "head.npz", weights=head.weights, bias=head.bias, **values)
        (folder / "told.json").write_text(json.dumps([chain.labels, chain.spec]), encoding="utf-8")
        words = [form, backbone.name, str(image_size), str(weights), name]
        run_module(__name__, words, f"exporting {backbone.name} as {form}")
        return (folder / "model").read_bytes()


def main(form: Format, backbone: str, image_size: str, weights: str, folder: str) -> int:
    """Convert, and return the exit status."""
    place = Path(folder)
    with np.load(place / "head.npz") as read:
        head = Head(str(read["transform"]), float(read["length"]), read["weights"], read["bias"])  # type: ignore[arg-type] # because the file has one of the three names
    labels, spec = json.loads((place / "told.json").read_text(encoding="utf-8"))
    chain = Chain(head, tuple(labels), spec)
    try:
        traced = _Traced(form, backbone_named(backbone), int(image_size), Path(weights).read_bytes(), head)
        content = _tflite(traced, chain) if form == "tflite" else _onnx(traced, chain)
    except ModelError as error:
        return report_error(error)
    (place / "model").write_bytes(content)
    return 0


class _Traced:
    """The chain as a TensorFlow function of one signature."""

    def __init__(self, form: Format, backbone: Backbone, image_size: int, weights: bytes, head: Head) -> None:
        built = network(backbone, image_size, weights)
        import tensorflow as tf

        after = _head(tf, head)

        def probabilities(pixels: Any) -> dict[str, Any]:
            scaled = (tf.cast(pixels, tf.float32) - HALF_RANGE) / HALF_RANGE
            return {OUTPUT: after(built(scaled, training=False))}

        shape = (_SIZES[form], image_size, image_size, 3)
        self.signature = [tf.TensorSpec(shape, tf.uint8, name=INPUT)]
        self.function = tf.function(probabilities, input_signature=self.signature)
        # The converter takes the values of those variables only that such an object holds.
        self.holder = tf.Module()
        self.holder.held = [variable.value for variable in built.variables]


def _head(tf: Any, head: Head) -> Callable[[Any], Any]:
    def probabilities(features: Any) -> Any:
        if head.transform == "sqrt":
            features = tf.sqrt(features)
        if head.transform == "unit":
            lengths = tf.sqrt(tf.reduce_sum(tf.square(features), axis=1, keepdims=True))
            features = features * (np.float32(head.length) / tf.maximum(lengths, SHORTEST))
        return tf.nn.softmax(tf.matmul(features, head.weights) + head.bias)

    return probabilities


def _tflite(traced: _Traced, chain: Chain) -> bytes:
    import tensorflow as tf

    concrete = traced.function.get_concrete_function()
    converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete], traced.holder)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    sink = io.BytesIO()
    sink.write(converter.convert())
    with zipfile.ZipFile(sink, "a") as archive:
        for name, text in (("labels.txt", chain.label_lines), ("model.json", chain.spec)):
            # A fixed time, so that the same model is the same file.
            archive.writestr(zipfile.ZipInfo(name), text)
    return sink.getvalue()


def _onnx(traced: _Traced, chain: Chain) -> bytes:
    try:
        import onnx
        import tf2onnx
    except ImportError as error:
        raise ModelError(
            f"--format onnx: expected the packages onnx and tf2onnx, found none that can be imported ({error}); "
            "install fruits-pipeline[export]"
        ) from error
    model, _ = tf2onnx.convert.from_function(traced.function, input_signature=traced.signature, opset=OPSET)
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "N"
    onnx.helper.set_model_props(model, {"labels": json.dumps(chain.labels), "model.json": chain.spec})
    onnx.checker.check_model(model, full_check=True)
    content: bytes = model.SerializeToString()
    return content


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))  # type: ignore[arg-type] # because ``convert_chain`` names one of the two formats
