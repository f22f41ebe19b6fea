"""The chunks of a PNG: which are needed for its pixels, and whether those are sound.

Source: PNG specification, third edition, 5.3 (chunks and their checksum) and 11 (what each holds).
"""

import zlib

from fruits_pipeline.images.outcome import Rejected
from fruits_pipeline.images.reason import Reason

_SIGNATURE_BYTES = 8
# Length, name and checksum.
_AROUND = 12
# Pillow checks none of IDAT's checksums, nor zlib's own where all rows came before it.
_PIXELS = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"})
_END = b"IEND"
_APPLE = b"CgBI"
_XMP = b"XML:com.adobe.xmp\x00\x00"


def pixels_and_orientation(content: bytes) -> bytes | Rejected:
    """The same PNG with the chunks that say its pixels and how it is turned, or what is wrong with them.

    Other metadata are left out, so that neither their checksums nor what they inflate to matters. A file that ends
    within a chunk, or in which something else than a chunk follows, is given from there on as it is.
    """
    kept = [content[:_SIGNATURE_BYTES]]
    start, name = _SIGNATURE_BYTES, b""
    while name != _END and start < len(content):
        name = content[start + 4 : start + 8]
        end = start + _AROUND + int.from_bytes(content[start : start + 4], "big")
        if end > len(content) or not name.isalpha():
            kept.append(content[start:])
            break
        if name == _APPLE:
            return Rejected(Reason.UNSUPPORTED_MODE, "PNG of Apple's own kind (CgBI)")
        is_sound = zlib.crc32(content[start + 4 : end - 4]) == int.from_bytes(content[end - 4 : end], "big")
        if name in _PIXELS and name != _END and not is_sound:
            return Rejected(Reason.CORRUPT, f"PNG: wrong checksum of {name.decode()}")
        if name in _PIXELS or (is_sound and _says_orientation(name, content[start + 8 : start + 8 + len(_XMP)])):
            kept.append(content[start:end])
        start = end
    return b"".join(kept)


def _says_orientation(name: bytes, body_start: bytes) -> bool:
    """Whether it is EXIF, or XMP that is not compressed."""
    return name == b"eXIf" or (name == b"iTXt" and body_start == _XMP)
