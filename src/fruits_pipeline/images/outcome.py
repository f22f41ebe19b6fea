"""What decoding gives: pixels, or the reason why not."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fruits_pipeline.images.reason import Reason


@dataclass(frozen=True, slots=True)
class Decoded:
    """An image's pixels and the size that it had.

    Attributes:
        pixels: uint8 (S, S, 3), RGB, C-contiguous; S is the ``image_size`` asked for.
        width: pixels of the original from left to right, once upright.
        height: pixels of the original from top to bottom, once upright.
    """

    pixels: npt.NDArray[np.uint8]
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Rejected:
    """Why there are no pixels: a word to count by, and one short line that is the same in every run."""

    reason: Reason
    detail: str


def too_many(size: tuple[int, int], max_pixels: int) -> Rejected:
    """The reject of a picture of so many pixels, width and height."""
    return Rejected(Reason.TOO_MANY_PIXELS, f"{size[0]} x {size[1]} pixels, more than --max-pixels {max_pixels}")
