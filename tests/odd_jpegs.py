"""JPEGs that Pillow cannot write, and JPEGs with other bytes in chosen places."""

import re
import struct

import numpy as np

START, END = b"\xff\xd8", b"\xff\xd9"
# Lengths 1 to 16 have no code but 5, which has 17: one for each number of bits that a difference may have.
_CODES = bytes([0, 0, 0, 0, 17]) + bytes(11) + bytes(range(17))


def segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def frame(process: int, size: tuple[int, int], components: int, bits: int = 8) -> bytes:
    """The segment that says what the picture is; ``size`` is width and height."""
    parts = b"".join(bytes([number + 1, 0x11, 0]) for number in range(components))
    return segment(0xC0 + process, struct.pack(">BHHB", bits, size[1], size[0], components) + parts)


def lossless(pixels: np.ndarray) -> bytes:
    """A lossless JPEG (T.81 H: SOF3, predictor 1) from uint8 (H, W) or (H, W, C)."""
    height, width = pixels.shape[:2]
    values = pixels.reshape(height, width, -1).astype(int)
    components = values.shape[2]
    predicted = np.roll(values, 1, axis=1)
    predicted[1:, 0] = values[:-1, 0]
    predicted[0, 0] = 128
    bits = []
    for difference in (values - predicted).ravel().tolist():
        count = abs(difference).bit_length()
        bits.append(f"{count:05b}")
        if count:
            bits.append(f"{difference if difference > 0 else difference + (1 << count) - 1:0{count}b}")
    text = "".join(bits)
    text += "1" * (-len(text) % 8)
    data = int(text, 2).to_bytes(len(text) // 8, "big").replace(b"\xff", b"\xff\x00")
    chosen = b"".join(bytes([number + 1, 0]) for number in range(components))
    scan = segment(0xDA, bytes([components]) + chosen + b"\x01\x00\x00")
    return START + frame(3, (width, height), components) + segment(0xC4, b"\x00" + _CODES) + scan + data + END


def inserted(content: bytes, *, marker: int, piece: bytes) -> bytes:
    """With ``piece`` before the first segment of that marker."""
    place = content.index(bytes([0xFF, marker]))
    return content[:place] + piece + content[place:]


def patched(content: bytes, *, marker: int, offset: int, value: int) -> bytes:
    """With one other byte, ``offset`` bytes after the first 0xFF of that marker."""
    found = bytearray(content)
    found[content.index(bytes([0xFF, marker])) + offset] = value
    return bytes(found)


def halved(content: bytes) -> bytes:
    """The first half, with an end marker behind it."""
    return content[: len(content) // 2] + END


def zeroed(content: bytes, part: float) -> bytes:
    """With zeros from there on, and its end marker intact."""
    place = int(len(content) * part)
    return content[:place] + bytes(len(content) - place - len(END)) + END


def scan_ends(content: bytes) -> list[int]:
    """Where the data of each scan end."""
    markers = re.finditer(rb"\xff[^\x00\xff\xd0-\xd7]", content[content.index(b"\xff\xda") + 2 :])
    start, ends, is_scan = content.index(b"\xff\xda") + 2, [], True
    for marker in markers:
        if is_scan:
            ends.append(start + marker.start())
        is_scan = marker[0] == b"\xff\xda"
    return ends


def without_last_scan(content: bytes) -> bytes:
    return content[: scan_ends(content)[-2]] + END


def in_three_scans(grey: bytes) -> bytes:
    """A grey baseline JPEG as an RGB one (Adobe's transform 0), each colour in a scan of its own, all the same."""
    start, scan = grey.index(b"\xff\xc0"), grey.index(b"\xff\xda")
    length = int.from_bytes(grey[scan + 2 : scan + 4], "big")
    data = grey[scan + 2 + length : -2]
    height, width = struct.unpack(">HH", grey[start + 5 : start + 9])
    rest = grey[start + 2 + int.from_bytes(grey[start + 2 : start + 4], "big") : scan]
    tables = grey[grey.index(b"\xff\xdb") : start]
    scans = b"".join(segment(0xDA, bytes([1, number, 0, 0, 63, 0])) + data for number in (1, 2, 3))
    adobe = segment(0xEE, b"Adobe\x00\x64" + bytes(5))
    return START + adobe + tables + frame(0, (width, height), 3) + rest + scans + END


def patched_size(content: bytes, size: tuple[int, int], marker: int) -> bytes:
    """With another width and height in its frame header."""
    place = content.index(bytes([0xFF, marker])) + 5
    return content[:place] + struct.pack(">HH", size[1], size[0]) + content[place + 4 :]
