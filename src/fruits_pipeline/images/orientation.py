"""How a picture is to be turned, as its metadata say; metadata that cannot be read mean upright.

Sources: EXIF 2.32 4.6.5 (tag 0x0112), XMP's ``tiff:Orientation``. EXIF counts before XMP, as for Pillow.
"""

import re
import struct

from PIL import Image

from fruits_pipeline.images.quiet import QUIET

_TAG = 0x0112
_METADATA = frozenset({"exif", "xmp", "XML:com.adobe.xmp", "Raw profile type exif"})
_IN_XMP = re.compile(rb'tiff:Orientation(?:="|>)([0-9])')
# What Pillow's reader of EXIF raises on mutated bytes.
_UNREADABLE = (OSError, SyntaxError, ValueError, TypeError, EOFError, LookupError, struct.error)


def orientation_of_segments(exif: bytes, xmp: bytes) -> int:
    """The orientation 1 (upright) to 8 from a JPEG's segments, either of which may be empty.

    >>> orientation_of_segments(b"", b'<x tiff:Orientation="6">'), orientation_of_segments(b"Exif no", b"")
    (6, 1)
    """
    found = None
    if exif:
        tags = Image.Exif()
        with QUIET:
            try:
                tags.load(exif)
                found = tags.get(_TAG)
            except _UNREADABLE:
                found = None
    if found is None and (told := _IN_XMP.search(xmp)):
        found = int(told[1])
    return found if isinstance(found, int) else 1


def orientation_of_image(image: Image.Image) -> int:
    """The orientation, 1 (upright) to 8, of an image of any other format, once it is loaded."""
    # A TIFF's orientation is no longer there: Pillow itself turns it upright as it is loaded.
    if _METADATA.isdisjoint(image.info):
        return 1
    try:
        found = image.getexif().get(_TAG)
    except _UNREADABLE:
        return 1
    return found if isinstance(found, int) else 1
