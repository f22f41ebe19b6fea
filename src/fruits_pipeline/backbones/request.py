"""The model that the settings ask for, as a ``ModelRequest``."""

from pydantic import JsonValue

from fruits_pipeline.backbones.cache import default_cache_dir
from fruits_pipeline.backbones.catalog import backbone_named
from fruits_pipeline.backbones.model import ModelRequest
from fruits_pipeline.backbones.quantised import quantised_sha256
from fruits_pipeline.settings.features import BackboneSettings


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


def model_essentials(settings: BackboneSettings) -> dict[str, JsonValue]:
    """The model's part of the fingerprint of ``features`` that no setting holds: input size and hashes.

    Raises:
        SettingsError: when the image size is too small.
        ModelError: when the precision is int8 and no int8 model was made.
    """
    backbone = backbone_named(settings.backbone)
    image_size = backbone.side(settings.image_size)
    essentials: dict[str, JsonValue] = {"image_size": image_size, "tensors_sha256": backbone.tensors_sha256}
    if settings.precision == "int8" and settings.engine == "openvino":
        cache = settings.cache_dir or default_cache_dir()
        essentials["int8_sha256"] = quantised_sha256(backbone, image_size, cache)
    return essentials
