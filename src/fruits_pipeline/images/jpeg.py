"""A sound JPEG to pixels, faster than Pillow does it, and at reduced scale where the picture is large."""

import numpy as np
import numpy.typing as npt
import simplejpeg
from PIL import Image

_FORMATS = frozenset({"JPEG", "MPO"})
_COLOURS = {"RGB": "RGB", "L": "GRAY"}
# A picture is decoded at no less than this many times the side wanted, so that the last step is an antialiased
# one. Measured on a drawn 12-megapixel photo, to 224 pixels, against the full decode: at most 2 grey levels,
# 0.17 on average, in 42 instead of 185 ms.
OVERSAMPLING = 2


def fast_pixels(image: Image.Image, content: bytes, side: int) -> npt.NDArray[np.uint8] | None:
    """Uint8 (H, W, 3) or, of a grey picture, (H, W); None where Pillow is to decode it or to say what is wrong.

    Full-size pixels are those that Pillow gives, because both leave the work to libjpeg-turbo. All of the file
    is read at reduced scale too, so that one that is cut off is known there as well.

    Args:
        image: what Pillow made of the header.
        content: the whole file.
        side: pixels of both sides of what is wanted at last.
    """
    if image.format not in _FORMATS or image.mode not in _COLOURS:
        return None
    least = OVERSAMPLING * side if min(image.size) >= OVERSAMPLING * side else 0
    pixels: npt.NDArray[np.uint8]
    try:
        pixels = simplejpeg.decode_jpeg(content, _COLOURS[image.mode], min_height=least, min_width=least, strict=True)
    except ValueError:
        return None
    return pixels.reshape(pixels.shape[:2]) if image.mode == "L" else pixels
