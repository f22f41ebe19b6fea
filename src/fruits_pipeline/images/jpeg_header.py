"""What the segments before a JPEG's picture say, read as libjpeg reads them.

Sources: ITU-T T.81 B.1 and B.2 (markers, segments, frame and scan headers), Adobe technical note 5116 (APP14),
and ``jdmarker.c`` of libjpeg-turbo for what stands between segments.
"""

from collections.abc import Iterator
from dataclasses import dataclass

_APP0, _APP1, _APP14, _APP15, _COMMENT = 0xE0, 0xE1, 0xEE, 0xEF, 0xFE
_SCAN = 0xDA
# SOF0 to SOF15, without DHT, JPG and DAC, which have numbers among theirs.
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_WITH_LENGTH = frozenset({*_FRAMES, 0xC4, 0xCC, *range(_SCAN, _APP15 + 1), _COMMENT})
# A stuffed zero, and restarts, which libjpeg passes over before the first scan.
_WITHOUT_BODY = frozenset({0, *range(0xD0, 0xD8)})
_EXIF, _XMP = b"Exif\x00\x00", b"http://ns.adobe.com/xap/1.0/\x00"
# Version 1.1, no density, no thumbnail.
_JFIF = b"\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"
_JFIF_BYTES, _ADOBE_BYTES = 14, 12
_FRAME_BYTES = 6
_BITS_PER_BYTE = 8
_BLOCK_PIXELS = 64
_LOSSLESS = 3
_LOSSY_IN_ORDER = frozenset({0, 1})


@dataclass(frozen=True, slots=True)
class JpegHeader:
    """A JPEG's frame header, how it starts its picture, and its metadata.

    Attributes:
        process: the number of its SOF marker: 0 baseline, 1 extended sequential, 2 progressive, 3 lossless.
        bits: of one sample.
        width: pixels, as stored.
        height: pixels, as stored.
        sampling: horizontal and vertical factor of each component.
        in_one_scan: whether the first scan has all components.
        exif: the EXIF segments joined, as Pillow takes them; empty where there is none.
        xmp: the last XMP packet; empty where there is none.
    """

    process: int
    bits: int
    width: int
    height: int
    sampling: tuple[tuple[int, int], ...]
    in_one_scan: bool
    exif: bytes
    xmp: bytes

    @property
    def is_decoded_row_by_row(self) -> bool:
        """Whether the decoder needs to keep some rows only, not the coefficients of the whole picture."""
        return self.process in _LOSSY_IN_ORDER and self.in_one_scan

    def fits_into(self, length: int) -> bool:
        """Whether ``length`` bytes could hold it: a block of 64 samples, or a lossless sample, has at least one bit."""
        samples_per_bit = 1 if self.process == _LOSSLESS else _BLOCK_PIXELS
        return self.width * self.height <= length * _BITS_PER_BYTE * samples_per_bit


def read_header(content: bytes) -> JpegHeader | None:
    """The header of a file that starts as a JPEG does; None where it ends, or makes no sense, before the first scan."""
    frame, exif, xmp = b"", b"", b""
    process = 0
    for marker, start, end in segments(content):
        if marker in _FRAMES:
            if frame:
                return None
            process, frame = marker & 15, content[start:end]
        elif marker == _APP1 and content.startswith(_EXIF, start):
            exif += content[start + len(_EXIF) if exif else start : end]
        elif marker == _APP1 and content.startswith(_XMP, start):
            xmp = content[start + len(_XMP) : end]
        elif marker == _SCAN:
            components = frame[5] if len(frame) > _FRAME_BYTES else 0
            if len(frame) != _FRAME_BYTES + 3 * components or start == end:
                return None
            return JpegHeader(
                process,
                bits=frame[0],
                width=int.from_bytes(frame[3:5], "big"),
                height=int.from_bytes(frame[1:3], "big"),
                sampling=tuple((both >> 4, both & 15) for both in frame[7::3]),
                in_one_scan=content[start] == components,
                exif=exif,
                xmp=xmp,
            )
    return None


def ends_within_header(content: bytes) -> bool:
    """Whether the file is over before its first scan starts, everything until there being sound."""
    *_, (marker, _, end) = [(0, 0, 2), *segments(content)]
    if marker == _SCAN:
        return False
    rest = content[end:].lstrip(b"\xff")
    return not rest or (rest[0] in _WITH_LENGTH and end < len(content))


def without_metadata(content: bytes) -> bytes:
    """The same picture without what only its metadata or bytes between segments can make libjpeg warn of.

    What says how colours are stored is kept in its plainest form: that there is JFIF, and Adobe's transform. The
    first scan of a sequential JPEG is said to have all coefficients, for it can have nothing else.
    """
    kept = [content[:2]]
    sequential = False
    for marker, start, end in segments(content):
        body = content[start:end]
        if marker == _SCAN:
            spectral = b"\x00\x3f\x00"
            kept += [content[start - 4 : end - 3], spectral if sequential else body[-3:], content[end:]]
            break
        if marker in _FRAMES:
            sequential = marker & 15 in _LOSSY_IN_ORDER
        if marker == _APP0 and body.startswith(b"JFIF\x00") and len(body) >= _JFIF_BYTES:
            kept.append(_JFIF)
        elif _is_needed(marker, body):
            kept.append(content[start - 4 : end])
    return b"".join(kept)


def _is_needed(marker: int, body: bytes) -> bool:
    """Whether a segment says how the picture is stored, and not only something about it."""
    if marker == _APP14:
        return body.startswith(b"Adobe") and len(body) >= _ADOBE_BYTES
    return not _APP0 <= marker <= _APP15 and marker != _COMMENT


def segments(content: bytes, place: int = 2) -> Iterator[tuple[int, int, int]]:
    """Marker, start and end of the body of each segment, from ``place`` up to the header of the next scan.

    Ends early where one is cut or odd, and at the marker that ends the picture.
    """
    length = len(content)
    while (place := content.find(b"\xff", place)) >= 0:
        while place < length and content[place] == 0xFF:  # noqa: PLR2004 because markers may be padded with more of it
            place += 1
        if place >= length:
            return
        marker = content[place]
        place += 1
        if marker in _WITHOUT_BODY:
            continue
        size = int.from_bytes(content[place : place + 2], "big")
        if marker not in _WITH_LENGTH or size < 2 or place + size > length:  # noqa: PLR2004 because it counts itself
            return
        yield marker, place + 2, place + size
        if marker == _SCAN:
            return
        place += size
