"""Sound JPEGs of sampling factors that TurboJPEG, and so simplejpeg, has no name for: decoded by Pillow.

libjpeg decodes them as any other, but Pillow does not tell what it warns of. What is found out here is whether the
picture was complete when its data ended: a decoder that wanted more goes on into bytes that are put behind them.
"""

import io

import numpy as np
import numpy.typing as npt
from PIL import Image

from fruits_pipeline.images.quiet import QUIET

_SCAN, _END = b"\xff\xda", b"\xff\xd9"
# Any bytes that are no marker, and unlikely to say what a decoder makes of missing data.
_MORE = bytes((73 * number + 41) % 251 for number in range(64))

Pixels = npt.NDArray[np.uint8]


def complete_pixels(content: bytes) -> Pixels | str:
    """Uint8 (H, W, 3) RGB or (H, W) grey, at full size, or what is wrong.

    Args:
        content: the file, without segments of metadata.
    """
    end = content.find(_END, content.find(_SCAN))
    if end < 0:
        return "Premature end of JPEG file"
    found, longer = _decoded(content), _decoded(content[:end] + _MORE + _END)
    if isinstance(found, str) or isinstance(longer, str):
        return found if isinstance(found, str) else "premature end of data segment"
    return found if np.array_equal(found, longer) else "premature end of data segment"


def _decoded(content: bytes) -> Pixels | str:
    with QUIET:
        try:
            image = Image.open(io.BytesIO(content), formats=("JPEG",))
            return np.asarray(image.convert("RGB") if image.mode == "CMYK" else image)
        except (OSError, SyntaxError):
            # Pillow has no better words, and in some of its own is the address of an object.
            return "broken data stream"
