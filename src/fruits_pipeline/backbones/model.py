"""The model that the driver prepares and sends to the workers."""

import hashlib
import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from fruits_pipeline.backbones.cache import default_cache_dir
from fruits_pipeline.backbones.catalog import backbone_named
from fruits_pipeline.backbones.converted import obtain_converted
from fruits_pipeline.backbones.quantised import calibrated_with, obtain_quantised
from fruits_pipeline.backbones.weights import obtain_weights
from fruits_pipeline.errors import ModelError

logger = logging.getLogger(__name__)

Engine = Literal["openvino", "tensorflow"]
Precision = Literal["f32", "bf16", "int8"]


@dataclass(frozen=True)
class ModelRequest:
    """Backbone, engine, precision and input size of a model; ``image_size`` in pixels, None for the published one."""

    backbone: str = "mobilenetv2"
    engine: Engine = "openvino"
    precision: Precision = "f32"
    image_size: int | None = None
    weights: Path | None = None
    cache_dir: Path = field(default_factory=default_cache_dir)


@dataclass(frozen=True)
class Model:
    """All that a worker needs to compute features; picklable, 9 to 84 MB.

    ``parts`` are OpenVINO's XML and weights, or for TensorFlow the canonical weights. ``calibrated_with`` are the
    SHA-256 of the images that an int8 model was calibrated with. ``sha256`` covers the other fields' content: equal
    hashes compute equal features.
    """

    backbone: str
    engine: Engine
    precision: Precision
    image_size: int
    dimension: int
    parts: tuple[bytes, ...] = field(repr=False)
    calibrated_with: tuple[str, ...] = field(default=(), repr=False)
    sha256: str = field(init=False)

    def __post_init__(self) -> None:
        """Hash the content, once."""
        facts = (self.backbone, self.engine, self.precision, self.image_size, self.dimension)
        digest = hashlib.sha256(repr(facts).encode())
        for part in self.parts:
            digest.update(hashlib.sha256(part).digest())
        object.__setattr__(self, "sha256", digest.hexdigest())

    @property
    def summary(self) -> str:
        """What it is, in three lines for a person."""
        return (
            f"backbone   {self.backbone} ({self.engine}, {self.precision}, {self.image_size} px)\n"
            f"features   {self.dimension} for each image\n"
            f"sha256     {self.sha256}"
        )


def prepare(request: ModelRequest) -> Model:
    """The model for ``request``: weights obtained and verified, converted where the engine needs it.

    The second time it comes from the cache folder alone: no network, no TensorFlow for OpenVINO.

    Raises:
        SettingsError: when the backbone is unknown or the image size too small for it.
        ModelError: when weights are missing or wrong, a package is missing, or the engine cannot do it.
    """
    backbone = backbone_named(request.backbone)
    image_size = backbone.side(request.image_size)
    sample: tuple[str, ...] = ()
    if request.engine == "tensorflow":
        if request.precision != "f32":
            raise ModelError(
                f"--precision: expected 'f32' with --engine tensorflow, found {request.precision!r}; "
                "use --precision f32, or --engine openvino"
            )
        parts: tuple[bytes, ...] = (obtain_weights(backbone, request.weights, request.cache_dir).read_bytes(),)
    elif request.precision == "int8":
        parts = obtain_quantised(backbone, image_size, request.weights, request.cache_dir)
        sample = calibrated_with(backbone, image_size, request.cache_dir)
    else:
        parts = obtain_converted(backbone, image_size, request.weights, request.cache_dir)
    model = Model(backbone.name, request.engine, request.precision, image_size, backbone.dimension, parts, sample)
    logger.info(
        "model=ready backbone=%s engine=%s precision=%s image_size=%s sha256=%s",
        model.backbone, model.engine, model.precision, model.image_size, model.sha256,
    )  # fmt: skip  # because one value per placeholder reads best on one line
    return model
