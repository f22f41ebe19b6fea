"""What a file is by its first bytes, whatever its name says.

Sources: JPEG ITU-T T.81 B.1.1.3; PNG specification 5.2; GIF89a 17; TIFF 6.0 section 2 and BigTIFF;
BMP ``BITMAPFILEHEADER``; RFC 9649 (WebP container) 2.3 to 2.7; ISO/IEC 14496-12 4.3 (``ftyp``), 23008-12 (HEIF)
and AV1 Image File Format for brands; ISO/IEC 15444-1 A.4 and I.5.1 (JPEG 2000).
"""

_SIGNATURES = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"II*\x00", "TIFF"),
    (b"MM\x00*", "TIFF"),
    (b"II+\x00", "TIFF"),
    (b"MM\x00+", "TIFF"),
    (b"\xff\x4f\xff\x51", "JPEG2000"),
    (b"\x00\x00\x00\x0cjP  \r\n\x87\n", "JPEG2000"),
)
# Sizes of the headers that may follow a BMP's first 14 bytes: two letters alone would take in prose.
_BMP_HEADERS = frozenset({12, 16, 40, 52, 56, 64, 108, 124})
_AV1 = frozenset({b"avif", b"avis"})
_HEVC = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"})
# Either may be inside; films have other brands.
_LONGEST_BOX = 512
_BOX_HEADER_BYTES = 8
_IN_BOXES = frozenset({"AVIF", "HEIF", "JPEG2000"})
_ANY_CODING = frozenset({b"mif1", b"msf1"})


def container(content: bytes) -> str | None:
    r"""Pillow's name of the format whose signature ``content`` starts with, None when there is none.

    >>> container(b"GIF89a"), container(b"BMW is no bitmap"), container(b"%PDF-1.7")
    ('GIF', None, None)
    """
    for start, name in _SIGNATURES:
        if content.startswith(start):
            return name
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "WEBP"
    if content[:2] == b"BM" and int.from_bytes(content[14:18], "little") in _BMP_HEADERS:
        return "BMP"
    return _by_brand(content) if content[4:8] == b"ftyp" else None


def _by_brand(content: bytes) -> str | None:
    """What the file type box of an ISO container says: its major brand or, where that is a general one, the others."""
    major = content[8:12]
    if major in _AV1:
        return "AVIF"
    if major in _HEVC:
        return "HEIF"
    if major not in _ANY_CODING:
        return None
    end = int.from_bytes(content[:4], "big")
    others = {content[place : place + 4] for place in range(16, min(end, _LONGEST_BOX), 4)}
    return "HEIF" if others.isdisjoint(_AV1) else "AVIF"


def webp_canvas(content: bytes) -> tuple[int, int] | None:
    """Width and height in pixels from a WebP's first chunk, None when it has no such header.

    A header that is cut off gives some smaller size: harmless, for it is not decoded.
    Pillow's plugin makes its canvas on opening, so ``max_pixels`` must be judged before.
    """
    chunk = content[12:16]
    if chunk == b"VP8X":
        return 1 + int.from_bytes(content[24:27], "little"), 1 + int.from_bytes(content[27:30], "little")
    if chunk == b"VP8L":
        bits = int.from_bytes(content[21:25], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if chunk == b"VP8 ":
        bits = int.from_bytes(content[26:30], "little")
        return bits & 0x3FFF, bits >> 16 & 0x3FFF
    return None


def is_cut(content: bytes, name: str) -> bool:
    """Whether a file of a format that tells its own length, Pillow's ``name``, is shorter than it says.

    False for other formats, of which nobody can tell so.
    """
    if name == "WEBP":
        return len(content) < 8 + int.from_bytes(content[4:8], "little")
    if name not in _IN_BOXES:
        return False
    if name == "JPEG2000" and content[:1] == b"\xff":
        return not content.endswith(b"\xff\xd9")
    place = 0
    while place < len(content):
        size = int.from_bytes(content[place : place + 4], "big")
        if size == 1:
            size = int.from_bytes(content[place + 8 : place + 16], "big")
        if size == 0:
            break
        place += max(size, _BOX_HEADER_BYTES)
    return place > len(content)
