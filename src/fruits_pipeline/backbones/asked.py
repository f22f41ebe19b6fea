"""What the settings ask for, as a request for a model."""

from fruits_pipeline.backbones.cache import default_cache_dir
from fruits_pipeline.backbones.model import ModelRequest
from fruits_pipeline.settings.features import BackboneSettings


def model_request(settings: BackboneSettings) -> ModelRequest:
    """The request, with the user's cache folder where no other is named."""
    return ModelRequest(
        backbone=settings.backbone,
        engine=settings.engine,
        precision=settings.precision,
        image_size=settings.image_size,
        weights=settings.weights,
        cache_dir=settings.cache_dir or default_cache_dir(),
    )
