"""Engines on real weights and real images: they agree with Keras, with each other and with themselves."""

import os
import pickle
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from fruits_pipeline.backbones import predictor as predictors
from fruits_pipeline.backbones.catalog import BACKBONES
from fruits_pipeline.backbones.engines import openvino as engine
from fruits_pipeline.backbones.engines import tensorflow as reference
from fruits_pipeline.backbones.engines.conversion import convert, convert_in_subprocess
from fruits_pipeline.backbones.model import Model, ModelRequest, prepare
from fruits_pipeline.backbones.predictor import predictor
from fruits_pipeline.backbones.weights import obtain_weights
from fruits_pipeline.errors import ModelError, SettingsError

FILES = {"mobilenetv2": "mobilenet*.h5", "xception": "xception*.h5"}


@pytest.fixture(scope="session")
def request_for(weights_folder, tmp_path_factory):
    """Requests that share one cache folder for the whole session."""
    cache = tmp_path_factory.mktemp("cache")

    def build(backbone, engine="openvino", **rest):
        file = next(weights_folder.glob(FILES[backbone]))
        return ModelRequest(backbone, engine, weights=file, cache_dir=cache, **rest)

    return build


@pytest.fixture(scope="session")
def images(fruits360):
    """A function from a side in pixels to 24 real images, uint8 (24, S, S, 3)."""
    folders = sorted(path for path in (fruits360 / "Test").iterdir() if path.is_dir())[::3][:24]
    files = [min(folder.glob("*.jpg")) for folder in folders]

    def load(side):
        return np.stack([np.asarray(Image.open(f).convert("RGB").resize((side, side))) for f in files])

    return load


@pytest.mark.parametrize("backbone", BACKBONES)
def test_openvino_agrees_with_tensorflow_and_that_with_keras(backbone, request_for, images):
    fast, slow = (prepare(request_for(backbone, name)) for name in ("openvino", "tensorflow"))
    pixels = images(fast.image_size)
    by_openvino = predictor(fast, 2)(pixels)
    by_tensorflow = predictor(slow, 2)(pixels)
    by_keras = plain_keras(backbone, request_for(backbone).weights, pixels[::6])
    assert by_openvino.shape == (24, BACKBONES[backbone].dimension)
    assert by_openvino.dtype == by_tensorflow.dtype == np.float32
    assert np.abs(by_openvino).max() > 0.5
    np.testing.assert_allclose(by_openvino, by_tensorflow, rtol=0, atol=1e-3)
    np.testing.assert_allclose(by_tensorflow[::6], by_keras, rtol=0, atol=1e-4)


def plain_keras(backbone, file, pixels):
    """What keras.applications gives, as its documentation says to use it."""
    import keras

    module = {"mobilenetv2": keras.applications.mobilenet_v2, "xception": keras.applications.xception}[backbone]
    network = getattr(keras.applications, BACKBONES[backbone].keras_class)
    model = network(weights=str(file), include_top=False, pooling="avg", input_shape=pixels.shape[1:])
    return np.asarray(model(module.preprocess_input(pixels.astype(np.float32)), training=False))


def test_the_same_weights_convert_to_the_same_bytes(request_for):
    backbone = BACKBONES["mobilenetv2"]
    request = request_for("mobilenetv2")
    content = obtain_weights(backbone, request.weights, request.cache_dir).read_bytes()
    assert convert(backbone, 32, content) == convert(backbone, 32, content)


@pytest.mark.parametrize("size", [97, 160])
def test_other_sizes_agree_too(size, request_for, images):
    request = request_for("mobilenetv2", image_size=size)
    pixels = images(size)[:4]
    features = predictor(prepare(request), 1)(pixels)
    expected = plain_keras("mobilenetv2", request.weights, pixels)
    np.testing.assert_allclose(features, expected, rtol=0, atol=1e-3)


@pytest.mark.parametrize("name", ["openvino", "tensorflow"])
def test_features_do_not_depend_on_the_batch(name, request_for, images):
    predict = predictor(prepare(request_for("mobilenetv2", name)), 1)
    pixels = np.concatenate([images(224), images(224)[:8]])
    whole = predict(pixels)
    np.testing.assert_allclose(predict(pixels[3:4]), whole[3:4], rtol=0, atol=1e-4)
    np.testing.assert_allclose(predict(pixels[7:12]), whole[7:12], rtol=0, atol=1e-4)
    np.testing.assert_allclose(predict(pixels[::-1]), whole[::-1], rtol=0, atol=1e-4)
    assert predict(pixels[:0]).shape == (0, 1280)


def test_features_are_not_overwritten_by_the_next_call(request_for, images):
    predict = predictor(prepare(request_for("mobilenetv2")), 1)
    first = predict(images(224)[:2])
    kept = first.copy()
    predict(images(224)[2:])
    np.testing.assert_array_equal(first, kept)
    assert first.flags.owndata


@pytest.mark.parametrize("name", ["openvino", "tensorflow"])
@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((2, 224, 224, 3), np.float32),
        np.zeros((2, 100, 100, 3), np.uint8),
        np.zeros((224, 224, 3), np.uint8),
        np.zeros((2, 3, 224, 224), np.uint8),
        np.zeros((), np.uint8),
    ],
    ids=lambda wrong: f"{wrong.dtype}-{wrong.ndim}-{wrong.size}",
)
def test_other_pixels_are_refused(name, wrong, request_for):
    predict = predictor(prepare(request_for("mobilenetv2", name)), 1)
    with pytest.raises(ModelError, match=r"expected uint8 \(N, 224, 224, 3\) RGB, found"):
        predict(wrong)


def test_the_cache_goes_by_content_threads_and_nothing_else(request_for, monkeypatch):
    loaded = []
    monkeypatch.setattr(predictors, "_load", lambda model, threads: loaded.append((model, threads)) or object())
    monkeypatch.setattr(predictors, "_loaded", {})
    model = prepare(request_for("mobilenetv2"))
    first = predictor(model, 1)
    assert predictor(pickle.loads(pickle.dumps(model)), 1) is first  # noqa: S301  # because it is our own
    assert len(loaded) == 1
    changed = replace(model, parts=(model.parts[0], model.parts[1][:-1] + b"\7"))
    assert changed.sha256 != model.sha256
    assert predictor(changed, 1) is not first
    assert predictor(changed, 2) is not predictor(changed, 1)


def test_every_field_counts_in_the_hash():
    model = Model("mobilenetv2", "openvino", "f32", 224, 1280, (b"ab", b"c"))
    others = [
        replace(model, **change)
        for change in (
            {"backbone": "xception"}, {"engine": "tensorflow"}, {"precision": "bf16"},
            {"image_size": 96}, {"dimension": 2048}, {"parts": (b"a", b"bc")},
        )
    ]  # fmt: skip  # because a change per line says no more
    assert len({other.sha256 for other in [model, *others]}) == 7
    assert "ab" not in repr(model).replace("backbone", "")


@pytest.mark.parametrize("threads", [1, 2])
def test_openvino_gets_the_threads_and_the_precision(threads, request_for):
    compiled = engine.compile_model(prepare(request_for("mobilenetv2")), threads)
    assert compiled.get_property("INFERENCE_NUM_THREADS") == threads
    assert compiled.get_property("NUM_STREAMS") == 1
    assert compiled.get_property("ENABLE_CPU_PINNING") is False
    assert compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name() == "f32"


@pytest.mark.parametrize(("effective", "native"), [("f32", ["FP32"]), ("bf16", ["FP32"]), ("f32", ["BF16"])])
def test_a_precision_that_is_not_native_is_refused(effective, native):
    with pytest.raises(ModelError, match=rf"expected 'bf16', found .*computes in '{effective}'"):
        engine.check_precision("bf16", effective, native)
    engine.check_precision("bf16", "bf16", ["FP32", "BF16"])


def test_tensorflow_takes_f32_alone(request_for):
    with pytest.raises(ModelError, match=r"expected 'f32' with --engine tensorflow, found 'bf16'"):
        prepare(request_for("mobilenetv2", "tensorflow", precision="bf16"))


def test_tensorflow_keeps_the_threads_that_it_started_with(request_for, images, caplog):
    predictor(prepare(request_for("mobilenetv2", "tensorflow")), 1)(images(224)[:1])
    caplog.set_level("INFO", "fruits_pipeline")
    reference.limit_threads(7)
    assert "tensorflow_threads=kept requested=7" in caplog.text


def test_a_size_too_small_is_refused(request_for):
    with pytest.raises(SettingsError, match="at least 32 pixels"):
        prepare(request_for("mobilenetv2", image_size=16))


@pytest.fixture
def offline(tmp_path):
    """Runs a script where TensorFlow, Keras and h5py are missing, in its children too, and no socket opens.

    What is ``refused`` are audit events of the script's own process, by how they begin.
    """
    for name in ("tensorflow", "keras", "h5py"):
        (tmp_path / f"{name}.py").write_text(f"raise ImportError('no {name} here')\n")
    closed = (
        "import sys\n"
        "def refuse(event, args):\n"
        "    if event.startswith({refused!r}): raise SystemExit('no ' + event)\n"
        "sys.addaudithook(refuse)\n"
        "import numpy as np\n"
        "from pathlib import Path\n"
        "from fruits_pipeline.backbones.model import ModelRequest, prepare\n"
        "from fruits_pipeline.backbones.predictor import predictor\n"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), *filter(None, sys.path)])}

    def run(script, refused):
        command = [sys.executable, "-c", closed.format(refused=refused) + script]
        return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)

    return run


def test_once_converted_it_works_offline_without_tensorflow(request_for, offline):
    request = request_for("mobilenetv2")
    model = prepare(request)
    done = offline(
        f"model = prepare(ModelRequest(cache_dir=Path({str(request.cache_dir)!r})))\n"
        "predictor(model, 1)(np.zeros((3, 224, 224, 3), np.uint8))\n"
        "print(model.sha256)",
        refused=("socket.", "subprocess."),
    )
    assert done.stdout.strip() == model.sha256, done.stderr


def test_without_tensorflow_and_conversion_it_says_what_to_install(request_for, offline):
    prepare(request_for("mobilenetv2"))
    cache = request_for("mobilenetv2").cache_dir
    done = offline(f"prepare(ModelRequest(image_size=33, cache_dir=Path({str(cache)!r})))", refused=("socket.",))
    assert "install fruits-pipeline[tensorflow], or copy the cache folder" in done.stderr.splitlines()[-1]


def test_a_conversion_leaves_tensorflow_and_its_words_out_of_this_process(request_for, capfd):
    request = request_for("mobilenetv2")
    weights = obtain_weights(BACKBONES["mobilenetv2"], request.weights, request.cache_dir)
    script = (
        "import sys\n"
        "from pathlib import Path\n"
        "from fruits_pipeline.backbones.catalog import BACKBONES\n"
        "from fruits_pipeline.backbones.engines.conversion import convert_in_subprocess\n"
        f"xml, content = convert_in_subprocess(BACKBONES['mobilenetv2'], 32, Path({str(weights)!r}))\n"
        "print(len(content) > 8_000_000, 'tensorflow' in sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
    assert capfd.readouterr() == ("True False\n", "")


def test_a_conversion_that_dies_says_so_in_one_line(tmp_path):
    with pytest.raises(
        ModelError, match=r"converting mobilenetv2: .* exit code 1 and .*No such file.*absent"
    ) as caught:
        convert_in_subprocess(BACKBONES["mobilenetv2"], 32, tmp_path / "absent")
    assert "Traceback" not in str(caught.value)
