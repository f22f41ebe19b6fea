"""The recipe of a job's features: settings, model, and the versions of all that decodes and computes."""

from importlib.metadata import PackageNotFoundError, version

from fruits_pipeline.backbones.model import Model
from fruits_pipeline.backbones.request import tensors_sha256
from fruits_pipeline.images import heif
from fruits_pipeline.images.decode import RULES
from fruits_pipeline.settings.features import EngineName, FeaturesSettings, ReadingSettings
from fruits_pipeline.state.fingerprint import Essentials
from fruits_pipeline.state.recipe import Recipe
from fruits_pipeline.trained.backbone import Backbone

_DECODERS = ("pillow", "simplejpeg", "opencv-python-headless")
_ENGINES = {"openvino": "openvino", "tensorflow": "tensorflow-cpu"}


def recipe_settings(settings: FeaturesSettings, image_size: int) -> Essentials:
    """The settings that change features, with the size that is meant."""
    return settings.essentials() | {"image_size": image_size}


def recipe_of(settings: FeaturesSettings, model: Model) -> Recipe:
    """All that can change the features of a job with these settings and this model."""
    made_by: Essentials = {
        "tensors_sha256": tensors_sha256(settings),
        "model_sha256": model.sha256,
        **made_by_here(settings.engine),
    }
    return Recipe(settings=recipe_settings(settings, model.image_size), made_by=made_by)


def read_as(recipe: Recipe, reading: ReadingSettings) -> FeaturesSettings:
    """The settings that gave features of ``recipe``, with ``reading`` for what changes none."""
    return FeaturesSettings.model_validate(recipe.settings | reading.model_dump())


def backbone_here(backbone: Backbone) -> Backbone:
    """The backbone with the recipe of what this machine computes by it."""
    recipe = backbone.recipe
    model = {name: recipe.made_by[name] for name in ("tensors_sha256", "model_sha256") if name in recipe.made_by}
    here = model | made_by_here(backbone.model.engine)
    return Backbone(backbone.model, recipe.model_copy(update={"made_by": here}))


def made_by_here(engine: EngineName) -> Essentials:
    """The part of a recipe that is this machine's: decoding rules, and versions of the engine and of what decodes."""
    return {
        "decoding_rules": RULES,
        _ENGINES[engine]: _version(_ENGINES[engine]),
        **{package: _version(package) for package in _decoders()},
    }


def _version(package: str) -> str | None:
    """The version that is installed; None where there is none, which the engine itself tells."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _decoders() -> tuple[str, ...]:
    """The packages that decode images here, those of extras where they are installed."""
    return (*_DECODERS, heif.PACKAGE) if heif.is_readable() else _DECODERS
