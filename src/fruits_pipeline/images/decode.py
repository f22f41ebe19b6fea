"""An encoded image to RGB pixels of one size, or the reason why not.

The rules, in the order in which they are applied:

* Zero bytes are ``empty``. The first bytes say the format, never the name: JPEG (also MPO), PNG, WebP, BMP,
  GIF, TIFF; anything else is ``not_an_image``.
* ``max_pixels`` is the only limit: width times height in the header, and a TIFF's tile, are judged before
  anything is decoded (``too_many_pixels``). Pillow's own limit neither warns nor interferes.
* Only the first frame is decoded. A file that ends too early is ``truncated``, other damage is ``corrupt``;
  no part of a damaged image is used.
* The orientation in EXIF or XMP is applied; metadata that cannot be read mean upright, not a reject.
* 1-bit and grey are repeated in R, G and B; palette, CMYK and YCbCr become RGB as Pillow converts them.
* Transparency of any kind (alpha, palette entries, PNG's ``tRNS``) is laid over white.
* 16-bit grey is divided by 257, not clipped; integers beyond 0 to 65535, floats, LAB and others are
  ``unsupported_mode``.
* The size becomes ``image_size`` x ``image_size``: bilinear with antialias, aspect ratio not kept, as
  ``keras.utils.load_img(target_size=..., interpolation="bilinear")`` does. Images are turned upright after
  that, because turning few pixels is cheap.
* Against that reference, pixels of images that grow differ by at most one grey level (``resize``); those of JPEGs
  at least twice as large as ``image_size`` on both sides, decoded at reduced scale (``jpeg``), by at most 4 grey
  levels and 0.5 on average. The cosine of MobileNetV2's features with the reference's is at least 0.995 in both.
"""

import io
import re
import struct
import zlib

import numpy as np
import numpy.typing as npt
from PIL import Image, TiffImagePlugin, UnidentifiedImageError

from fruits_pipeline.images.convert import to_eight_bits
from fruits_pipeline.images.jpeg import jpeg_pixels, pixels_in_memory, unsupported
from fruits_pipeline.images.jpeg_header import ends_within_header, read_header
from fruits_pipeline.images.orientation import orientation_of_image, orientation_of_segments
from fruits_pipeline.images.outcome import Decoded, Rejected
from fruits_pipeline.images.quiet import QUIET
from fruits_pipeline.images.reason import Reason
from fruits_pipeline.images.resize import is_sideways, resized, rgb, upright
from fruits_pipeline.images.signature import container, webp_canvas, webp_length

__all__ = ["RULES", "Decoded", "Rejected", "decode"]

# Raised by one whenever the rules above change what comes out of some file.
RULES = 2

# What Pillow's plugins raise for damaged files: mutated files of every format gave the first four, the
# plugins' source names the others. Caught around Pillow's calls only, so that a bug of ours is never
# taken for a corrupt image.
_DAMAGE = (OSError, SyntaxError, ValueError, TypeError, EOFError, LookupError, struct.error, zlib.error)
_TRUNCATED = re.compile("truncated|cannot load this image", re.IGNORECASE)
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
_DETAIL_CHARACTERS = 160
_TILE_WIDTH, _TILE_HEIGHT = 322, 323


def decode(content: bytes, image_size: int, max_pixels: int) -> Decoded | Rejected:
    """The pixels of an encoded image as (``image_size``, ``image_size``, 3), or the reason why not.

    Safe to call from many threads at once.

    Args:
        content: the whole file.
        image_size: pixels, of both sides of the result; at least 1.
        max_pixels: width times height of the original, above which nothing is decoded.
    """
    if not content:
        return Rejected(Reason.EMPTY, "0 bytes")
    name = container(content)
    if name is None:
        return Rejected(Reason.NOT_AN_IMAGE, f"starts with {content[:8]!r}")
    if name == "JPEG":
        return _jpeg(content, image_size, max_pixels)
    with QUIET:
        image = _opened(content, name, max_pixels)
        if isinstance(image, Rejected):
            return image
        eight_bits = _loaded(image, name)
        if isinstance(eight_bits, Rejected):
            return eight_bits
        return _finished(np.asarray(eight_bits), image.size, orientation_of_image(image), image_size)


def _jpeg(content: bytes, image_size: int, max_pixels: int) -> Decoded | Rejected:
    header = read_header(content)
    if header is None:
        reason = Reason.TRUNCATED if ends_within_header(content) else Reason.CORRUPT
        return Rejected(reason, "JPEG: header not understood")
    if (why := unsupported(header)) is not None:
        return why
    if pixels_in_memory(header, image_size) > max_pixels:
        return _too_many((header.width, header.height), max_pixels)
    pixels = jpeg_pixels(content, header, image_size)
    if isinstance(pixels, Rejected):
        return pixels
    size = (header.width, header.height)
    return _finished(pixels, size, orientation_of_segments(header.exif, header.xmp), image_size)


def _loaded(image: Image.Image, name: str) -> Image.Image | Rejected:
    """The image decoded by Pillow, in mode RGB or L."""
    try:
        image.load()
    except _DAMAGE as fault:
        cut = _TRUNCATED.search(str(fault)) is not None or isinstance(fault, EOFError | struct.error)
        return _damaged(name, fault, truncated=cut)
    eight_bits = to_eight_bits(image)
    return Rejected(Reason.UNSUPPORTED_MODE, f"{name} of mode {image.mode}") if eight_bits is None else eight_bits


def _finished(pixels: npt.NDArray[np.uint8], size: tuple[int, int], orientation: int, image_size: int) -> Decoded:
    """Resized, upright, RGB; ``size`` is width and height before any of it."""
    width, height = reversed(size) if is_sideways(orientation) else size
    return Decoded(rgb(upright(resized(pixels, image_size), orientation)), width, height)


def _opened(content: bytes, name: str, max_pixels: int) -> Image.Image | Rejected:
    """The image with its header read and its size allowed, not yet decoded."""
    canvas = webp_canvas(content) if name == "WEBP" else None
    if canvas is not None and canvas[0] * canvas[1] > max_pixels:
        return _too_many(canvas, max_pixels)
    source = io.BytesIO(content)
    try:
        image = Image.open(source, formats=(name,))
        tile = _tile(image)
    except _DAMAGE as fault:
        return _damaged(name, fault, truncated=_ends_early(content, name))
    for size in (image.size, tile):
        if size[0] * size[1] > max_pixels:
            return _too_many(size, max_pixels)
    return image


def _tile(image: Image.Image) -> tuple[int, int]:
    """Width and height of a TIFF's tile, which may be larger than the image; (0, 0) where there is none."""
    if not isinstance(image, TiffImagePlugin.TiffImageFile):
        return 0, 0
    return int(image.tag_v2.get(_TILE_WIDTH, 0)), int(image.tag_v2.get(_TILE_HEIGHT, 0))


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
    if name == "WEBP":
        return len(content) < webp_length(content)
    source = _Watched(content)
    try:
        Image.open(source, formats=(name,))
    except _DAMAGE:
        return source.ran_out
    return False


def _too_many(size: tuple[int, int], max_pixels: int) -> Rejected:
    return Rejected(Reason.TOO_MANY_PIXELS, f"{size[0]} x {size[1]} pixels, more than --max-pixels {max_pixels}")


def _damaged(name: str, fault: Exception, *, truncated: bool) -> Rejected:
    # Pillow's words for an unknown header hold the address of the object that was read.
    words = "header not understood" if isinstance(fault, UnidentifiedImageError) else str(fault)
    line = " ".join(_ADDRESS.sub("", words).split()) or type(fault).__name__
    reason = Reason.TRUNCATED if truncated else Reason.CORRUPT
    return Rejected(reason, f"{name}: {line}"[:_DETAIL_CHARACTERS])
