"""The work of one batch with our decoder and our model: what lines (c), (d), (e) and (g) share with (f)."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fruits_pipeline.backbones.model import Model
from fruits_pipeline.backbones.predictor import predictor
from fruits_pipeline.images.decode import Decoded, decode
from fruits_pipeline.settings.features import FeaturesSettings

BATCH = FeaturesSettings().batch_rows
PROCESSES = 2
_MAX_PIXELS = FeaturesSettings().max_pixels


def pixels_of(contents: Sequence[bytes], image_size: int) -> NDArray[np.uint8]:
    """Encoded images as uint8 (N, S, S, 3)."""
    decoded = [decode(content, image_size, _MAX_PIXELS) for content in contents]
    assert all(isinstance(image, Decoded) for image in decoded), "the benchmark's images are whole"
    return np.stack([image.pixels for image in decoded])


def features_of(contents: Sequence[bytes], model: Model) -> NDArray[np.float32]:
    """Encoded images as features float32 (N, D), by one thread."""
    return predictor(model, 1)(pixels_of(contents, model.image_size))
