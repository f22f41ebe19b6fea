"""Validates the pixels that are given to an engine."""

import numpy as np
from numpy.typing import NDArray

from fruits_pipeline.errors import ModelError


def check(pixels: NDArray[np.uint8], image_size: int) -> None:
    """Refuse anything but uint8 (N, S, S, 3).

    Raises:
        ModelError: when dtype or shape differ: an engine would cast floats in silence.
    """
    if pixels.dtype != np.uint8 or pixels.shape != (*pixels.shape[:1], image_size, image_size, 3):
        raise ModelError(
            f"predict: expected uint8 (N, {image_size}, {image_size}, 3) RGB, "
            f"found {pixels.dtype} {pixels.shape!r}; resize to the model's size, and leave the pixels' values"
        )
