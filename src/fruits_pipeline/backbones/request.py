"""The model that the settings ask for, as a ``ModelRequest``."""

from fruits_pipeline.backbones.cache import default_cache_dir
from fruits_pipeline.backbones.catalog import backbone_named
from fruits_pipeline.backbones.model import ModelRequest
from fruits_pipeline.settings.features import BackboneSettings, NetworkSettings


def model_request(settings: BackboneSettings) -> ModelRequest:
    """The request for ``backbones.model.prepare``, with the default cache folder where none is set."""
    return ModelRequest(
        backbone=settings.backbone,
        engine=settings.engine,
        precision=settings.precision,
        image_size=settings.image_size,
        weights=settings.weights,
        cache_dir=settings.cache_dir or default_cache_dir(),
    )


def image_size_of(settings: NetworkSettings) -> int:
    """The side in pixels that is asked for, or the published one.

    Raises:
        SettingsError: when it is too small for the backbone.
    """
    return backbone_named(settings.backbone).side(settings.image_size)


def tensors_sha256(settings: NetworkSettings) -> str:
    """The sha256 of the backbone's published tensors."""
    return backbone_named(settings.backbone).tensors_sha256


def dimension_of(backbone: str) -> int:
    """The length of the features that a backbone gives, D."""
    return backbone_named(backbone).dimension
