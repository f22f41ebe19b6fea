"""PNGs with further chunks, and TIFFs of any byte order, offset size and sample format."""

import struct
import zlib

import odd_images as odd

_SIGNATURE_BYTES = 8
_SHORT, _LONG = 3, 4
_CODES = {_SHORT: "H", _LONG: "I"}


def chunk(name: bytes, body: bytes, *, is_sound: bool = True) -> bytes:
    """One chunk of a PNG, its checksum wrong on request."""
    checksum = zlib.crc32(name + body) ^ (0 if is_sound else 1)
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", checksum)


def with_chunk(png: bytes, piece: bytes, before: bytes = b"IDAT") -> bytes:
    place = png.index(before) - 4
    return png[:place] + piece + png[place:]


def samples_tiff(
    samples: bytes, *, bits: int, bands: int = 1, kind: int = 1, order: str = "<", big: bool = False
) -> bytes:
    """An uncompressed TIFF of ``odd.WIDTH`` x ``odd.HEIGHT``.

    ``kind`` is 1 unsigned, 2 signed, 3 float; ``order`` is struct's sign for the byte order; ``big`` is BigTIFF.
    """
    head = 16 if big else 8
    tags = {
        256: (_SHORT, [odd.WIDTH]),
        257: (_SHORT, [odd.HEIGHT]),
        258: (_SHORT, [bits] * bands),
        259: (_SHORT, [1]),
        262: (_SHORT, [1 if bands == 1 else 2]),
        273: (_LONG, [head]),
        277: (_SHORT, [bands]),
        278: (_SHORT, [odd.HEIGHT]),
        279: (_LONG, [len(samples)]),
        339: (_SHORT, [kind] * bands),
    }
    wide = "Q" if big else "I"
    room = struct.calcsize(wide)
    entries, values = b"", b""
    for tag, (code, numbers) in tags.items():
        packed = struct.pack(f"{order}{len(numbers)}{_CODES[code]}", *numbers)
        if len(packed) > room:
            place = head + len(samples) + len(values)
            values += packed
            packed = struct.pack(order + wide, place)
        entries += struct.pack(f"{order}HH{wide}", tag, code, len(numbers)) + packed.ljust(room, b"\x00")
    directory = struct.pack(order + ("Q" if big else "H"), len(tags)) + entries + bytes(room)
    start = head + len(samples) + len(values)
    header = struct.pack(order + "HHHQ", 43, 8, 0, start) if big else struct.pack(order + "HI", 42, start)
    return (b"II" if order == "<" else b"MM") + header + samples + values + directory
