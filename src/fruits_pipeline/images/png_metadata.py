"""The chunks of a PNG that may say how the picture is turned.

Sources: PNG specification, third edition, 11.3.3 (texts) and 11.3.4.5 (``eXIf``); ``Raw profile type exif`` is where
ImageMagick and ExifTool put EXIF before there was a chunk for it.
"""

import zlib

_PLAIN = {b"iTXt": b"XML:com.adobe.xmp\x00\x00", b"tEXt": b"Raw profile type exif\x00"}
# Compressed by method 0, which is the only one.
_COMPRESSED = {b"iTXt": b"XML:com.adobe.xmp\x00\x01\x00", b"zTXt": b"Raw profile type exif\x00\x00"}
# Bytes that EXIF or XMP may inflate to; Pillow refuses a picture of which a text is too large.
_LIMIT = 64 << 10


def says_orientation(name: bytes, body: bytes) -> bool:
    r"""Whether a chunk is EXIF or XMP; where it is compressed, of at most 64 KiB.

    >>> says_orientation(b"tEXt", b"Raw profile type exif\x00..."), says_orientation(b"tEXt", b"Title\x00...")
    (True, False)
    """
    if name == b"eXIf" or (name in _PLAIN and body.startswith(_PLAIN[name])):
        return True
    if name not in _COMPRESSED or not body.startswith(_COMPRESSED[name]):
        return False
    rest = body[len(_COMPRESSED[name]) :]
    # Of an international text, language and translated keyword come before it.
    return _is_small(rest.split(b"\x00", 2)[-1] if name == b"iTXt" else rest)


def _is_small(compressed: bytes) -> bool:
    try:
        return len(zlib.decompressobj().decompress(compressed, _LIMIT + 1)) <= _LIMIT
    except zlib.error:
        return False
