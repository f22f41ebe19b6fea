"""The int8 model: made once from images, found again by jobs, refused where it is not what it should be."""

import shutil

import numpy as np
import pytest

from fruits_pipeline.backbones.catalog import BACKBONES
from fruits_pipeline.backbones.engines import openvino as engine
from fruits_pipeline.backbones.engines.quantisation import quantise_in_subprocess
from fruits_pipeline.backbones.model import ModelRequest, prepare
from fruits_pipeline.backbones.predictor import predictor
from fruits_pipeline.backbones.quantised import make_quantised
from fruits_pipeline.backbones.request import model_request
from fruits_pipeline.errors import ModelError
from fruits_pipeline.features.recipe import recipe_of
from fruits_pipeline.settings.features import BackboneSettings, FeaturesSettings

SIDE = 64
MOBILENET = BACKBONES["mobilenetv2"]


@pytest.fixture(scope="module")
def pixels():
    """Uint8 (12, SIDE, SIDE, 3): noise that is soft enough to look like something."""
    coarse = np.random.default_rng(7).integers(0, 256, (12, 8, 8, 3), np.uint8)
    return coarse.repeat(8, axis=1).repeat(8, axis=2)


@pytest.fixture(scope="module")
def calibrated(weights_folder, tmp_path_factory, pixels):
    folder = tmp_path_factory.mktemp("calibrated")
    make_quantised(MOBILENET, SIDE, next(weights_folder.glob("mobilenet*.h5")), folder, pixels[:8], ["ab", "cd"])
    return folder


@pytest.fixture
def cache(calibrated, tmp_path):
    """A cache folder of the test's own with an f32 and an int8 model."""
    return shutil.copytree(calibrated, tmp_path / "cache")


def asked(cache, precision):
    return prepare(ModelRequest(precision=precision, image_size=SIDE, cache_dir=cache))


def test_it_computes_nearly_what_f32_computes(cache, pixels):
    exact, rough = (predictor(asked(cache, precision), 1)(pixels) for precision in ("f32", "int8"))
    cosines = (exact * rough).sum(1) / np.linalg.norm(exact, axis=1) / np.linalg.norm(rough, axis=1)
    assert cosines.min() > 0.9
    assert np.abs(exact - rough).max() > 1e-3


def test_it_really_computes_in_int8_and_f32_does_not(cache):
    for precision in ("f32", "int8"):
        ready = engine.compile_model(asked(cache, precision), 1)
        assert engine.computed_precision(ready) == precision
        assert ready.get_property("INFERENCE_PRECISION_HINT").get_type_name() == "f32"


def test_an_int8_graph_that_runs_in_f32_is_refused():
    with pytest.raises(ModelError, match="expected 'int8', found that this processor computes in 'f32'"):
        engine.check_precision("int8", "f32", ["FP32", "INT8"])
    engine.check_precision("int8", "int8", ["FP32", "INT8"])


def test_the_model_knows_which_images_it_was_calibrated_with(cache):
    assert asked(cache, "int8").calibrated_with == ("ab", "cd")
    assert asked(cache, "f32").calibrated_with == ()


def test_features_do_not_depend_on_the_batch(cache, pixels):
    predict = predictor(asked(cache, "int8"), 1)
    whole = predict(pixels)
    for start, stop in ((0, 1), (3, 9), (11, 12)):
        np.testing.assert_array_equal(predict(pixels[start:stop]), whole[start:stop])


def test_the_same_images_give_the_same_bytes(cache, pixels):
    assert quantise_in_subprocess(asked(cache, "f32").parts, pixels[:8]) == asked(cache, "int8").parts


def test_without_one_the_command_to_run_is_told(tmp_path):
    with pytest.raises(ModelError, match=r"`fruits-pipeline calibrate --data-source .* --image-size 64 --cache-dir"):
        asked(tmp_path, "int8")
    settings = BackboneSettings(precision="int8", image_size=SIDE, cache_dir=tmp_path)
    with pytest.raises(ModelError, match="found none") as caught:
        prepare(model_request(settings))
    assert caught.value.exit_code == 4


def test_what_was_calibrated_last_is_taken_and_belongs_to_the_recipe(cache, pixels):
    settings, models = FeaturesSettings(precision="int8"), asked(cache, "int8")
    first = recipe_of(settings, models)
    make_quantised(MOBILENET, SIDE, None, cache, pixels[4:])
    assert recipe_of(settings, asked(cache, "int8")).digest != first.digest
    make_quantised(MOBILENET, SIDE, None, cache, pixels[:8])
    again = asked(cache, "int8")
    assert recipe_of(settings, again).digest == first.digest
    assert again.parts == models.parts


def test_a_damaged_one_is_refused_and_made_again(cache, pixels):
    file = next(file for file in (cache / "openvino").glob("*int8-*.model") if file.name in pointer(cache))
    whole = file.read_bytes()
    file.write_bytes(whole[:-1] + b"\7")
    with pytest.raises(ModelError, match="found a damaged one"):
        asked(cache, "int8")
    make_quantised(MOBILENET, SIDE, None, cache, pixels[:8])
    assert file.read_bytes() == whole


def pointer(cache):
    return next((cache / "openvino").glob("*int8.txt")).read_text()
