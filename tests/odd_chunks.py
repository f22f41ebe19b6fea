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


def palette_png(palette_bytes: int, transparent: int = 0) -> bytes:
    """A PNG with a palette of so many bytes, three a colour, and so many values of transparency."""
    palette = {b"PLTE": bytes(number % 251 for number in range(palette_bytes))} if palette_bytes else {}
    alpha = {b"tRNS": bytes(number % 251 for number in range(transparent))} if transparent else {}
    rows = zlib.compress(bytes(odd.HEIGHT * (1 + odd.WIDTH)))
    return odd.png(odd.WIDTH, odd.HEIGHT, 8, 3, palette | alpha | {b"IDAT": rows})


def raw_exif(orientation: int) -> bytes:
    """EXIF as ImageMagick wrote it before PNG had a chunk for it: a compressed text of hexadecimal digits."""
    body = odd.exif(orientation).tobytes()
    text = f"\nexif\n{len(body):8}\n{body.hex()}\n".encode()
    return chunk(b"zTXt", b"Raw profile type exif\x00\x00" + zlib.compress(text))


def packed_xmp(packet: bytes) -> bytes:
    """XMP as a compressed text."""
    return chunk(b"iTXt", b"XML:com.adobe.xmp\x00\x01\x00en\x00name\x00" + zlib.compress(packet))


def with_checksums(png: bytes) -> bytes:
    """With the right checksum of each chunk, up to where it has no more."""
    found, start = bytearray(png), _SIGNATURE_BYTES
    while (end := start + 8 + int.from_bytes(png[start : start + 4], "big")) + 4 <= len(png):
        found[end : end + 4] = zlib.crc32(png[start + 4 : end]).to_bytes(4, "big")
        start = end + 4
    return bytes(found)


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


def white_is_zero(tiff: bytes) -> bytes:
    """A little-endian TIFF of grey that says so of its samples."""
    entry = struct.pack("<HHI", 262, _SHORT, 1)
    return tiff.replace(entry + b"\x01", entry + b"\x00")
