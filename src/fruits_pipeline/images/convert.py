"""Any mode that Pillow may decode to, as 8-bit RGB or 8-bit grey; the rules stand in ``decode``."""

import numpy as np
from PIL import Image

_AS_IS = frozenset({"RGB", "L"})
_CONVERTED = frozenset({"P", "CMYK", "YCbCr", "RGBX", "1"})
GREY_16 = frozenset({"I;16", "I;16B", "I;16L", "I;16N"})
_UNMULTIPLIED = {"La": "LA", "RGBa": "RGBA"}
_ALPHA = frozenset({"RGBA", "LA", "PA", *_UNMULTIPLIED})
_WHITE = (255, 255, 255)
_WHITE_GREY = 255


def to_eight_bits(image: Image.Image) -> Image.Image | None:
    """A loaded image as mode RGB or L and of the same size, None when its mode has no agreed meaning.

    Modes of ``GREY_16`` are for ``grey_to_eight_bits``. All that is called here is Pillow's.
    """
    if image.mode in _ALPHA:
        return _over_white(image)
    if image.mode not in _AS_IS and image.mode not in _CONVERTED:
        return None
    if "transparency" in image.info:
        return _over_white(image)
    if image.mode in _AS_IS:
        return image
    return image.convert("L" if image.mode == "1" else "RGB")


def grey_to_eight_bits(image: Image.Image, bits: int) -> Image.Image:
    """A loaded image of ``GREY_16``, whose samples have so many bits, as mode L.

    Divided so that both ends of the two ranges meet: by 257 from 16 bits, by 16.06 from 12.
    """
    values, white = np.asarray(image), (1 << bits) - 1
    eight_bits = ((values.astype(np.uint32) * _WHITE_GREY + white // 2) // white).astype(np.uint8)
    if isinstance(transparent := image.info.get("transparency"), int):
        eight_bits[values == transparent] = _WHITE_GREY
    return Image.fromarray(eight_bits)


def _over_white(image: Image.Image) -> Image.Image:
    if image.format == "BMP" and image.getchannel("A").getextrema() == (0, 0):
        # The fourth byte of a pixel is called alpha there, and left at zero by those who have none.
        return image.convert("RGB")
    plain = image.convert(_UNMULTIPLIED[image.mode]) if image.mode in _UNMULTIPLIED else image
    rgba = plain.convert("RGBA")
    canvas = Image.new("RGB", image.size, _WHITE)
    canvas.paste(rgba, mask=rgba.getchannel("A"))
    return canvas
