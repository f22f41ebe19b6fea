"""Models for apps as TFLite and ONNX, run by LiteRT and ONNX Runtime in a process that cannot import this package."""

import json
import re
import subprocess
import sys
import sysconfig
from pathlib import Path

import numpy as np
import pytest

from app_outputs import app_output
from fruits_pipeline import cli
from fruits_pipeline.backbones.catalog import backbone_named
from fruits_pipeline.backbones.chain import Chain, Head
from fruits_pipeline.backbones.engines.keras_chain import convert_chain
from fruits_pipeline.backbones.engines.keras_model import network
from fruits_pipeline.backbones.model import ModelRequest, prepare

ROOT = Path(__file__).resolve().parents[2]
# The example of docs/APP.md, which checks the reference vectors of ``app/model.tflite``.
(BY_LITERT,) = re.findall(
    r"```python\n(import json\n.*?ai_edge_litert.*?)```", (ROOT / "docs" / "APP.md").read_text(), re.DOTALL
)
BY_ONNX_RUNTIME = """
import json, numpy as np, onnxruntime
from PIL import Image

session = onnxruntime.InferenceSession("app/model.onnx", providers=["CPUExecutionProvider"])
reference = json.load(open("app/reference/reference.json"))
pixels = np.stack([np.asarray(Image.open(f"app/reference/{one['pixels']}")) for one in reference["vectors"]])
found = session.run(["probabilities"], {"pixels": pixels})[0]
assert np.abs(found - [one["expected"] for one in reference["vectors"]]).max() <= reference["tolerance"]
labels = json.loads(session.get_modelmeta().custom_metadata_map["labels"])
assert labels == open("app/labels.txt").read().splitlines()
"""
LABELS_OF_TFLITE = """
import json, zipfile

with zipfile.ZipFile("app/model.tflite") as file:
    assert file.read("labels.txt") == open("app/labels.txt", "rb").read()
    assert json.loads(file.read("model.json")) == json.load(open("app/model.json"))["spec"]
"""
APART = """
import sys
sys.path += {places!r}
sys.modules["fruits_pipeline"] = None
try:
    import fruits_pipeline
except ImportError:
    pass
else:
    raise SystemExit("fruits_pipeline can be imported here")
"""
SIDE, LABELS = 32, ("Apple", "Kiwi", "Plum")


def apart(program, folder):
    """Runs Python that cannot import this package, in ``folder``; gives its standard error where it failed."""
    places = sorted({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")})
    words = [sys.executable, "-I", "-S", "-c", APART.format(places=places) + program]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stderr


def random_weights(backbone):
    """Weights under which features stay finite and follow from the pixels, as canonical bytes."""
    noise = np.random.default_rng(0)
    values = {"beta": (0, 0.1), "moving_mean": (0, 0.1), "gamma": (1, 0.1), "moving_variance": (1, 0.05)}
    parts = []
    for tensor in backbone.tensors:
        inputs = np.prod(tensor.shape[:2] if "depthwise" in tensor.layer else tensor.shape[:-1])
        mean, deviation = values.get(tensor.name, (0, np.sqrt(2 / inputs)))
        parts.append(noise.normal(mean, deviation, tensor.shape).astype("<f4").tobytes())
    return b"".join(parts)


# Random weights are the worst for int8; published ones are held to 99 of 100 labels below.
@pytest.mark.parametrize(
    ("form", "transform", "error"), [("onnx", "unit", 1e-3), ("onnx", "sqrt", 1e-3), ("tflite", "none", 0.3)]
)
def test_a_chain_of_random_weights_says_what_keras_and_numpy_say(tmp_path, form, transform, error):
    backbone, noise = backbone_named("mobilenetv2"), np.random.default_rng(1)
    published = random_weights(backbone)
    (tmp_path / "weights").write_bytes(published)
    # Dark, middle and bright.
    pixels = (
        noise.integers(0, 86, (3, SIDE, SIDE, 3), dtype=np.uint8)
        + np.array([0, 85, 170], np.uint8)[:, None, None, None]
    )
    features = network(backbone, SIDE, published)(pixels.astype(np.float32) / 127.5 - 1, training=False).numpy()
    values = np.sqrt(features) if transform == "sqrt" else features
    if transform == "unit":
        values = features * 5 / np.sqrt((features**2).sum(axis=1, keepdims=True))
    # Margins that differ by some units between the labels: other ones give other probabilities.
    weights = noise.normal(size=(backbone.dimension, 3))
    weights *= 2 / (values @ weights).std()
    head = Head(transform, 5.0, weights.astype(np.float32), np.array([0, 1, -1], np.float32))
    content = convert_chain(form, backbone, SIDE, tmp_path / "weights", Chain(head, LABELS, '{"a": 1}'))
    shares = np.exp(values @ head.weights + head.bias)
    shares /= shares.sum(axis=1, keepdims=True)
    assert np.ptp(shares, axis=0).max() > 0.2
    (tmp_path / "app/reference").mkdir(parents=True)
    (tmp_path / "app" / f"model.{form}").write_bytes(content)
    np.save(tmp_path / "pixels.npy", pixels)
    np.save(tmp_path / "expected.npy", shares)
    assert apart(BY_ARRAYS[form] + f"assert np.abs(found - np.load('expected.npy')).max() <= {error}\n", tmp_path) == ""


BY_ARRAYS = {
    "onnx": """
import numpy as np, onnxruntime
session = onnxruntime.InferenceSession("app/model.onnx", providers=["CPUExecutionProvider"])
found = session.run(["probabilities"], {"pixels": np.load("pixels.npy")})[0]
assert session.get_modelmeta().custom_metadata_map["model.json"] == '{"a": 1}'
""",
    "tflite": """
import numpy as np
from ai_edge_litert.interpreter import Interpreter
model = Interpreter("app/model.tflite")
run = model.get_signature_runner()
found = np.concatenate([run(pixels=image[None])["probabilities"] for image in np.load("pixels.npy")])
""",
}


@pytest.fixture(scope="session")
def real_output(tmp_path_factory, sample, weights_folder):
    """An output of MobileNetV2's features, and the cache folder that its model came from."""
    file = next(weights_folder.glob("mobilenet_v2*no_top.h5"))
    cache = tmp_path_factory.mktemp("cache")
    model = prepare(ModelRequest("mobilenetv2", "openvino", "f32", 96, file, cache))
    return Path(app_output(tmp_path_factory.mktemp("output"), sample, model).root.removeprefix("file://")), cache


@pytest.mark.parametrize(("form", "program"), [("tflite", BY_LITERT + LABELS_OF_TFLITE), ("onnx", BY_ONNX_RUNTIME)])
def test_the_reference_vectors_hold_in_a_process_without_this_package(real_output, tmp_path, form, program):
    output, cache = real_output
    app = tmp_path / "app"
    line = ["export", "--model", str(output), "--output-uri", str(app), "--format", form, "--cache-dir", str(cache)]
    assert cli.main(line) == 0
    told = json.loads((app / "model.json").read_text())
    assert told["agreement"]["same"] >= 0.99 * told["agreement"]["images"]
    assert told["spec"]["input"]["shape"] == [1 if form == "tflite" else None, 96, 96, 3]
    assert (app / f"model.{form}").stat().st_size == told["size_bytes"]
    assert apart(program, tmp_path) == ""
    reference = json.loads((app / "reference/reference.json").read_text())
    reference["vectors"][9]["expected"] = reference["vectors"][9]["expected"][::-1]
    (app / "reference/reference.json").write_text(json.dumps(reference))
    assert "AssertionError" in apart(program, tmp_path)
