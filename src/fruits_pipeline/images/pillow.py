"""Images of all formats but JPEG, read by Pillow: RGB or grey pixels, or what is wrong."""

import io
import re
import struct
import zlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, TiffImagePlugin, UnidentifiedImageError

from fruits_pipeline.images.convert import GREY_16, grey_to_eight_bits, to_eight_bits
from fruits_pipeline.images.jpeg2000 import has_all_tiles
from fruits_pipeline.images.orientation import orientation_of_image
from fruits_pipeline.images.outcome import Rejected, too_many
from fruits_pipeline.images.png import pixels_and_orientation
from fruits_pipeline.images.quiet import QUIET
from fruits_pipeline.images.reason import Reason
from fruits_pipeline.images.signature import is_cut, webp_canvas

# What Pillow's plugins raise for damaged files: mutated files of every format gave those to ArithmeticError (the last
# two for AVIF), the plugins' source names the others. Caught around Pillow's calls only, so that a bug of ours is
# never taken for a corrupt image.
_DAMAGE = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    RuntimeError,
    ArithmeticError,
    EOFError,
    LookupError,
    struct.error,
    zlib.error,
)
_TRUNCATED = re.compile("truncated|cannot load this image", re.IGNORECASE)
# What the plugins say of headers that they understand, and of pixels that they do not read.
_UNSUPPORTED = re.compile("unknown pixel mode|unknown data organization|Unsupported BMP|determine J2K image mode")
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
_DETAIL_CHARACTERS = 160
_BITS, _PHOTOMETRIC, _TILE_WIDTH, _TILE_HEIGHT, _SAMPLE_FORMAT = 258, 262, 322, 323, 339
_SIGNED = 2
_WHITE_IS_ZERO = 0
# Their plugins take in the whole file on opening.
_WHOLE_FIRST = frozenset({"WEBP", "AVIF", "HEIF", "JPEG2000"})
_BIG_ENDIAN_BIGTIFF = b"MM\x00+"


@dataclass(frozen=True, slots=True)
class Picture:
    """What was read.

    Attributes:
        pixels: uint8 (H, W, 3) RGB or, of a grey picture, (H, W), not yet turned.
        orientation: 1 (upright) to 8, as EXIF counts.
    """

    pixels: npt.NDArray[np.uint8]
    orientation: int


def read(content: bytes, name: str, max_pixels: int) -> Picture | Rejected:
    """The first picture of a file, or what is wrong.

    Args:
        content: the whole file.
        name: Pillow's name of its format.
        max_pixels: width times height, above which nothing is decoded.
    """
    if content.startswith(_BIG_ENDIAN_BIGTIFF):
        # Pillow looks for the 43 of BigTIFF where only little-endian files have it, and reads on as if it were TIFF.
        return Rejected(Reason.UNSUPPORTED_MODE, "TIFF: BigTIFF in big-endian byte order")
    plain = pixels_and_orientation(content) if name == "PNG" else content
    if isinstance(plain, Rejected):
        return plain
    with QUIET:
        image = _opened(plain, name, max_pixels)
        if isinstance(image, Rejected):
            return image
        eight_bits = _loaded(image, name, ends_early=is_cut(plain, name))
        if isinstance(eight_bits, Rejected):
            return eight_bits
        if name == "JPEG2000" and not has_all_tiles(content):
            return Rejected(Reason.TRUNCATED, "JPEG2000: it ends before its last tile")
        return Picture(np.asarray(eight_bits), orientation_of_image(image))


def _opened(content: bytes, name: str, max_pixels: int) -> Image.Image | Rejected:
    """The image with its header read and its size allowed, not yet decoded."""
    canvas = webp_canvas(content) if name == "WEBP" else None
    if canvas is not None and canvas[0] * canvas[1] > max_pixels:
        return too_many(canvas, max_pixels)
    try:
        image = Image.open(io.BytesIO(content), formats=(name,))
        tile = _tile(image)
    except _DAMAGE as fault:
        if _ends_early(content, name):
            return _damaged(name, fault, truncated=True)
        return _unsupported(content, name) or _damaged(name, fault, truncated=False)
    for size in (image.size, tile):
        if size[0] * size[1] > max_pixels:
            return too_many(size, max_pixels)
    return image


def _loaded(image: Image.Image, name: str, *, ends_early: bool) -> Image.Image | Rejected:
    """The image decoded by Pillow, in mode RGB or L."""
    if (samples := _misread(image)) is not None:
        return Rejected(Reason.UNSUPPORTED_MODE, f"{name} of {samples}")
    try:
        image.load()
        eight_bits = image if image.mode in GREY_16 else to_eight_bits(image)
    except _DAMAGE as fault:
        ends_early |= _TRUNCATED.search(str(fault)) is not None or isinstance(fault, EOFError | struct.error)
        return _damaged(name, fault, truncated=ends_early)
    if eight_bits is None:
        return Rejected(Reason.UNSUPPORTED_MODE, f"{name} of mode {image.mode}")
    return grey_to_eight_bits(image, _bits(image)) if image.mode in GREY_16 else eight_bits


def _tile(image: Image.Image) -> tuple[int, int]:
    """Width and height of a TIFF's tile, which may be larger than the image; (0, 0) where there is none."""
    if not isinstance(image, TiffImagePlugin.TiffImageFile):
        return 0, 0
    return int(image.tag_v2.get(_TILE_WIDTH, 0)), int(image.tag_v2.get(_TILE_HEIGHT, 0))


def _misread(image: Image.Image) -> str | None:
    """Samples that Pillow reads as if they were others, and leaves to its caller in a TIFF's tags; None for none."""
    if not isinstance(image, TiffImagePlugin.TiffImageFile):
        return None
    if _SIGNED in image.tag_v2.get(_SAMPLE_FORMAT, ()):
        return "signed samples"
    is_inverted = image.mode in GREY_16 and image.tag_v2.get(_PHOTOMETRIC) == _WHITE_IS_ZERO
    return "16 bits in which 0 is white" if is_inverted else None


def _bits(image: Image.Image) -> int:
    """Bits of the samples of a mode of ``GREY_16``: 12 or 16."""
    if not isinstance(image, TiffImagePlugin.TiffImageFile):
        return 16
    return 12 if tuple(image.tag_v2.get(_BITS, ())) == (12,) else 16


class _Watched(io.BytesIO):
    """Bytes that remember whether more was asked for than is there."""

    ran_out = False

    def read(self, size: int | None = -1, /) -> bytes:
        found = super().read(size)
        if size is not None and len(found) < size:
            self.ran_out = True
        return found


def _ends_early(content: bytes, name: str) -> bool:
    """Whether a header that Pillow refused is cut off, rather than wrong: it is read again, watched."""
    if name in _WHOLE_FIRST:
        return is_cut(content, name)
    source = _Watched(content)
    try:
        Image.open(source, formats=(name,))
    except _DAMAGE:
        return source.ran_out
    return False


def _unsupported(content: bytes, name: str) -> Rejected | None:
    """What the plugin itself says, which ``Image.open`` keeps to itself, where it is no damage."""
    try:
        Image.OPEN[name][0](io.BytesIO(content), "")
    except _DAMAGE as fault:
        words = str(fault)
        if name == "TIFF" and words.isdigit():
            words = f"compression {words}"
        elif not _UNSUPPORTED.search(words):
            return None
        return Rejected(Reason.UNSUPPORTED_MODE, f"{name}: {words}"[:_DETAIL_CHARACTERS])
    return None


def _damaged(name: str, fault: Exception, *, truncated: bool) -> Rejected:
    # Pillow's words for an unknown header hold the address of the object that was read.
    words = "header not understood" if isinstance(fault, UnidentifiedImageError) else str(fault)
    line = " ".join(_ADDRESS.sub("", words).split()) or type(fault).__name__
    reason = Reason.TRUNCATED if truncated else Reason.CORRUPT
    return Rejected(reason, f"{name}: {line}"[:_DETAIL_CHARACTERS])
