"""A JPEG's pixels, at reduced scale where the picture is large; every warning of libjpeg is judged.

Only lossy pictures of 8 bits and one, three or four components whose damage libjpeg can see are decoded. Where
arithmetic coding (SOF9 to SOF15) is cut off, zeros are what the standard makes of it (T.81 D.2.6), so that nobody
can tell; hierarchical ones (SOF5 to SOF7) have no decoder. A lossless one (SOF3) has no reduced scale: asked for
one, simplejpeg 1.9 makes a small buffer, and libjpeg-turbo 3.1 writes the whole picture into it.
"""

import re

import numpy as np
import numpy.typing as npt
import simplejpeg
from PIL import Image

from fruits_pipeline.images.jpeg_header import JpegHeader, without_metadata
from fruits_pipeline.images.jpeg_sampling import complete_pixels
from fruits_pipeline.images.jpeg_scans import END_OF_SCAN, has_all_scans
from fruits_pipeline.images.outcome import Rejected, too_many
from fruits_pipeline.images.reason import Reason

# A picture is decoded at no less than this many times the side wanted, so that the last step is an antialiased
# one. Measured on a drawn 12-megapixel photo, to 224 pixels, against the full decode: at most 2 grey levels,
# 0.17 on average, in 42 instead of 185 ms.
OVERSAMPLING = 2

_COLOURS = {1: "GRAY", 3: "RGB", 4: "CMYK"}
_BITS = 8
_SCALABLE = frozenset({0, 1, 2})
_READ = _SCALABLE | {3}
# libjpeg-turbo scales by eighths (``tjGetScalingFactors``).
_WHOLE = 8
_ENDS_EARLY = re.compile("premature end of (JPEG|input) file", re.IGNORECASE)
_NOT_READ = re.compile("unsupported color conversion|DNL not supported|fractional sampling", re.IGNORECASE)
_UNNAMED_SAMPLING = re.compile("subsampling level")
_BYTES_BEFORE_END = re.compile("(\\d+) extraneous bytes before marker 0xd9")
_SCAN, _END = b"\xff\xda", b"\xff\xd9"
# Bytes. Over 1000 padded JPEGs had at most 7 zeros more than libjpeg warned of, of 800 with zeros in the place of
# lost data none had fewer than 255 more (libjpeg-turbo 3.1, 2026-11-25).
_READ_AHEAD = 8

Pixels = npt.NDArray[np.uint8]


def unsupported(header: JpegHeader) -> Rejected | None:
    """Why this kind of JPEG is not decoded; None where it is."""
    components = len(header.sampling)
    if header.process in _READ and header.bits == _BITS and components in _COLOURS:
        return None
    kind = f"process SOF{header.process}, {header.bits} bits, {components} components"
    return Rejected(Reason.UNSUPPORTED_MODE, f"JPEG of {kind}")


def _pixels_in_memory(header: JpegHeader, side: int) -> int:
    """Width times height of what decoding keeps in memory: the picture at its reduced scale, or all of it.

    Progressive JPEGs, and sequential ones of several scans, keep the coefficients of the whole picture.
    """
    if not header.is_decoded_row_by_row:
        return header.width * header.height
    width, height = _scaled(header, side)
    return width * height


def jpeg_pixels(content: bytes, header: JpegHeader, side: int, max_pixels: int) -> Pixels | Rejected:
    """Uint8 (H, W, 3) RGB or, of a grey picture, (H, W); or what is wrong.

    Full-size pixels are those that Pillow gives, because both leave the work to libjpeg-turbo. All of the file
    is read at reduced scale too, so that damage is known there as well.

    Args:
        content: the whole file.
        header: its header, which is none of the ``unsupported``.
        side: pixels of both sides of what is wanted at last.
        max_pixels: width times height of what decoding may keep in memory.
    """
    if _pixels_in_memory(header, side) > max_pixels:
        return too_many((header.width, header.height), max_pixels)
    if not header.fits_into(len(content)):
        return Rejected(Reason.TRUNCATED, f"JPEG: {len(content)} bytes cannot hold {header.width} x {header.height}")
    found = _judged(content, header, _least(header, side), max_pixels)
    if isinstance(found, Rejected):
        return found
    if found.shape[1::-1] not in {_scaled(header, side), (header.width, header.height)}:
        return Rejected(Reason.CORRUPT, f"JPEG: {found.shape[1]} x {found.shape[0]} pixels, not as its header says")
    return found if has_all_scans(content, header) else Rejected(Reason.TRUNCATED, "JPEG: it ends before its last scan")


def _judged(content: bytes, header: JpegHeader, least: int, max_pixels: int) -> Pixels | Rejected:
    """The pixels, also where libjpeg warns of something harmless; its words else."""
    found = _decoded(content, header, least)
    if isinstance(found, str):
        content = without_metadata(content)
        found = _decoded(content, header, least)
    while isinstance(found, str) and (unpadded := _without_padding(content, found)) is not None:
        content = unpadded
        found = _decoded(content, header, least)
    if isinstance(found, str) and _UNNAMED_SAMPLING.search(found):
        if header.width * header.height > max_pixels:
            return too_many((header.width, header.height), max_pixels)
        found = complete_pixels(content)
    if isinstance(found, str):
        return _rejected(found, is_cut=content.find(_END, content.find(_SCAN)) < 0)
    return found


def _decoded(content: bytes, header: JpegHeader, least: int) -> Pixels | str:
    """Uint8 (H, W, 3) RGB or (H, W) grey, or libjpeg's first warning or its error."""
    colours = _COLOURS[len(header.sampling)]
    try:
        pixels: Pixels = simplejpeg.decode_jpeg(content, colours, min_height=least, min_width=least, strict=True)
    except ValueError as fault:
        return str(fault)
    return _plain(pixels)


def _least(header: JpegHeader, side: int) -> int:
    """The side below which simplejpeg is not to go; 0 for the full size."""
    least = OVERSAMPLING * side
    return least if header.process in _SCALABLE and min(header.width, header.height) >= least else 0


def _scaled(header: JpegHeader, side: int) -> tuple[int, int]:
    """Width and height at the scale that simplejpeg chooses: the smallest that is nowhere below ``_least``."""
    least = _least(header, side)
    for eighths in range(1, _WHOLE if least else 0):
        width, height = (-(-pixels * eighths // _WHOLE) for pixels in (header.width, header.height))
        if min(width, height) >= least:
            return width, height
    return header.width, header.height


def _without_padding(content: bytes, warning: str) -> bytes | None:
    """Without the zeros before the end marker of which libjpeg warns; None where they are no padding.

    A decoder takes zeros in the place of lost data for blocks, and warns only of those that it has no use for. So all
    zeros before the marker must be those that it warns of, save a few that it had read ahead.
    """
    told = _BYTES_BEFORE_END.search(warning)
    found = END_OF_SCAN.search(content, content.find(_SCAN) + 2) if told else None
    if told is None or found is None or found[0] != _END:
        return None
    scan, padding = content[: found.start()], int(told[1])
    zeros = len(scan) - len(scan.rstrip(b"\0"))
    return scan[:-padding] + content[found.start() :] if padding <= zeros <= padding + _READ_AHEAD else None


def _rejected(words: str, *, is_cut: bool) -> Rejected:
    reason = Reason.TRUNCATED if is_cut or _ENDS_EARLY.search(words) else Reason.CORRUPT
    return Rejected(Reason.UNSUPPORTED_MODE if _NOT_READ.search(words) else reason, f"JPEG: {words}")


def _plain(pixels: Pixels) -> Pixels:
    """RGB as it is, grey without its last axis, CMYK as Adobe stores it (inverted) to RGB as Pillow converts it."""
    height, width, bands = pixels.shape
    if bands == 1:
        return pixels.reshape(height, width)
    if bands == len("RGB"):
        return pixels
    return np.asarray(Image.frombytes("CMYK", (width, height), pixels, "raw", "CMYK;I").convert("RGB"))
