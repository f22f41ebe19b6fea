"""The recipe: all that can change a feature, and nothing else."""

from importlib.metadata import version

import pytest

from fruits_pipeline.backbones.model import Model
from fruits_pipeline.features import recipe as room
from fruits_pipeline.features.recipe import recipe_of, recipe_settings
from fruits_pipeline.settings.features import FeaturesSettings

MODEL = Model("mobilenetv2", "openvino", "f32", 224, 1280, (b"xml", b"weights"))


def test_a_recipe_names_the_settings_the_tensors_the_model_and_the_libraries():
    recipe = recipe_of(FeaturesSettings(), MODEL)
    assert recipe.settings["image_size"] == 224
    assert recipe.settings.items() >= {"backbone": "mobilenetv2", "engine": "openvino", "precision": "f32"}.items()
    assert recipe.made_by["model_sha256"] == MODEL.sha256
    for package in ("openvino", "pillow", "simplejpeg", "opencv-python-headless"):
        assert recipe.made_by[package] == version(package)
    assert "tensorflow-cpu" not in recipe.made_by
    assert recipe_settings(FeaturesSettings(), 224) == recipe.settings


@pytest.mark.parametrize("settings", [{"precision": "int8"}, {"image_size": 160}, {"max_pixels": 9_999}])
def test_a_recipe_changes_with_each_setting_that_changes_features(settings):
    model = Model("mobilenetv2", "openvino", "f32", settings.get("image_size", 224), 1280, MODEL.parts)
    assert recipe_of(FeaturesSettings(**settings), model).digest != recipe_of(FeaturesSettings(), MODEL).digest


@pytest.mark.parametrize("settings", [{"cache_dir": "/x"}, {"weights": "/x/w.h5"}, {"reader": "prefetch"}])
def test_a_recipe_does_not_change_with_how_images_and_weights_are_fetched(settings):
    assert recipe_of(FeaturesSettings(**settings), MODEL) == recipe_of(FeaturesSettings(), MODEL)


def test_a_recipe_changes_with_the_model_the_decoding_rules_and_the_libraries(monkeypatch):
    before = recipe_of(FeaturesSettings(), MODEL)
    other = Model("mobilenetv2", "openvino", "f32", 224, 1280, (b"xml", b"others"))
    assert [change.partition(":")[0] for change in before.changes(recipe_of(FeaturesSettings(), other))] == [
        "model_sha256"
    ]
    monkeypatch.setattr(room, "RULES", room.RULES + 1)
    monkeypatch.setattr(room, "version", lambda package: version(package) + "0" * (package == "pillow"))
    changes = [change.partition(":")[0] for change in before.changes(recipe_of(FeaturesSettings(), MODEL))]
    assert changes == ["decoding_rules", "pillow"]


def test_a_recipe_changes_with_a_decoder_that_not_everybody_has(monkeypatch):
    monkeypatch.setattr(room.heif, "is_readable", lambda: False)
    before = recipe_of(FeaturesSettings(), MODEL)
    monkeypatch.setattr(room.heif, "is_readable", lambda: True)
    monkeypatch.setattr(room, "version", lambda package: "1" if package == "pillow-heif" else version(package))
    changes = [change.partition(":")[0] for change in before.changes(recipe_of(FeaturesSettings(), MODEL))]
    assert changes == ["pillow-heif"]
