"""The chunks of a PNG: which are needed for its pixels, and whether those are sound.

Source: PNG specification, third edition, 5.3 (chunks and their checksum) and 11 (what each holds).
"""

import struct
import zlib

from fruits_pipeline.images.outcome import Rejected
from fruits_pipeline.images.png_metadata import says_orientation
from fruits_pipeline.images.reason import Reason

_SIGNATURE_BYTES = 8
# Length, name and checksum.
_AROUND = 12
_HEADER, _COLOURS, _TRANSPARENCY, _DATA, _END = b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"
# Pillow checks none of IDAT's checksums, nor zlib's own where all rows came before it.
_PIXELS = frozenset({_HEADER, _COLOURS, _TRANSPARENCY, _DATA, _END})
_APPLE = b"CgBI"
# Bits of a sample and kind of colour, in the header's body.
_KIND = slice(8, 10)
_PALETTE = b"\x03"
_PALETTE_BYTES = range(3, 3 * 256 + 1, 3)
# Of these Pillow makes 8 bits, and compares them with the transparent colour as it stands in the file: grey of 2 and
# 4 bits, RGB of 16.
_COMPARED_WRONGLY = frozenset({b"\x02\x00", b"\x04\x00", b"\x10\x02"})


def pixels_and_orientation(content: bytes) -> bytes | Rejected:
    """The same PNG with the chunks that say its pixels and how it is turned, or what is wrong with them.

    Other metadata are left out, so that neither their checksums nor what they inflate to matters. A file that ends
    within a chunk, or in which something else than a chunk follows, is given from there on as it is.
    """
    kept = [content[:_SIGNATURE_BYTES]]
    bodies: dict[bytes, bytes] = {}
    start, name = _SIGNATURE_BYTES, b""
    while name != _END and start < len(content):
        name = content[start + 4 : start + 8]
        end = start + _AROUND + int.from_bytes(content[start : start + 4], "big")
        if end > len(content) or not name.isalpha():
            kept.append(content[start:])
            break
        is_sound = zlib.crc32(content[start + 4 : end - 4]) == int.from_bytes(content[end - 4 : end], "big")
        if (why := _refused(name, bodies, is_sound=is_sound)) is not None:
            return why
        body = b"" if name == _DATA else content[start + 8 : end - 4]
        if name in _PIXELS:
            bodies[name] = body
            kept.append(_comparable(bodies) if name == _TRANSPARENCY else content[start:end])
        elif is_sound and says_orientation(name, body):
            kept.append(content[start:end])
        start = end
    return b"".join(kept)


def _refused(name: bytes, before: dict[bytes, bytes], *, is_sound: bool) -> Rejected | None:
    """Why a chunk is not read, given the bodies of those before it; None where it is."""
    if name == _APPLE:
        return Rejected(Reason.UNSUPPORTED_MODE, "PNG of Apple's own kind (CgBI)")
    if name in _PIXELS and name != _END and not is_sound:
        return Rejected(Reason.CORRUPT, f"PNG: wrong checksum of {name.decode()}")
    fault = _palette_fault(before) if name == _DATA else None
    return None if fault is None else Rejected(Reason.CORRUPT, f"PNG: {fault}")


def _palette_fault(bodies: dict[bytes, bytes]) -> str | None:
    """What is wrong with a picture's palette; Pillow takes colours that are not there for black."""
    if bodies.get(_HEADER, b"")[_KIND][1:] != _PALETTE:
        return None
    palette_bytes, transparent = (len(bodies.get(name, b"")) for name in (_COLOURS, _TRANSPARENCY))
    if palette_bytes not in _PALETTE_BYTES:
        return f"palette of {palette_bytes} bytes"
    colours = palette_bytes // 3
    return f"{transparent} transparent values of {colours} colours" if transparent > colours else None


def _comparable(bodies: dict[bytes, bytes]) -> bytes:
    """The chunk of the transparent colour, in the 8 bits that Pillow compares where it would do so wrongly."""
    body, kind = bodies[_TRANSPARENCY], bodies.get(_HEADER, b"")[_KIND]
    if kind in _COMPARED_WRONGLY:
        bits = kind[0]
        most = (1 << min(bits, 8)) - 1
        values = struct.unpack(f">{len(body) // 2}H", body[: len(body) // 2 * 2])
        body = struct.pack(f">{len(values)}H", *((value >> max(bits - 8, 0) & most) * 255 // most for value in values))
    checksum = zlib.crc32(_TRANSPARENCY + body)
    return struct.pack(">I", len(body)) + _TRANSPARENCY + body + struct.pack(">I", checksum)
