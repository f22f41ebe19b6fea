"""JPEGs of every process, colour, metadata and damage, by the name of their kind."""

import numpy as np
from PIL import Image

import odd_images as odd
import odd_jpegs
import photos

_XMP = b"http://ns.adobe.com/xap/1.0/\x00"


def jpegs() -> dict[str, bytes]:
    """A file for each kind."""
    plain = odd.encoded(photos.photo(160, 120), "JPEG")
    made = _modes() | _processes(plain) | _metadata(plain) | _damage(plain)
    return {f"JPEG, {kind}": content for kind, content in made.items()}


def _modes() -> dict[str, bytes]:
    photo = photos.photo(160, 120)
    red = Image.new("RGB", (40, 30), "red")
    plain = odd.encoded(photo, "JPEG")
    return {
        "baseline": plain,
        "progressive": odd.encoded(photo, "JPEG", progressive=True),
        "4:4:4": odd.encoded(photo, "JPEG", subsampling=0),
        "with restart markers": odd.encoded(photo, "JPEG", restart_marker_rows=1),
        "grey": odd.encoded(photo.convert("L"), "JPEG"),
        "stored as RGB": odd.encoded(photo, "JPEG", keep_rgb=True),
        "CMYK of Adobe": odd.encoded(photo.convert("CMYK"), "JPEG"),
        "CMYK without Adobe's marker": _without_adobe(odd.encoded(photo.convert("CMYK"), "JPEG")),
        "three scans": odd_jpegs.in_three_scans(odd.encoded(photo.convert("L"), "JPEG")),
        "1 x 1": odd.encoded(photo.resize((1, 1)), "JPEG"),
        "10000 x 1": odd.encoded(photo.resize((10_000, 1)), "JPEG"),
        "MPO": odd.encoded(photo, "MPO", save_all=True, append_images=[red]),
        "with a gain map behind it": plain + odd.encoded(red.convert("L"), "JPEG"),
        "108 megapixels": odd.encoded(Image.new("L", (12_000, 9_000), 90), "JPEG"),
        "108 megapixels, progressive": odd_jpegs.patched_size(
            odd.encoded(photo.convert("L"), "JPEG", progressive=True), (12_000, 9_000), 0xC2
        ),
    }


def _without_adobe(content: bytes) -> bytes:
    place = content.index(b"\xff\xee")
    return content[:place] + content[place + 2 + int.from_bytes(content[place + 2 : place + 4], "big") :]


def _processes(plain: bytes) -> dict[str, bytes]:
    values = np.asarray(photos.photo(64, 48))
    rest = plain[plain.index(b"\xff\xc4") :]
    jfif = odd_jpegs.segment(0xE0, b"JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00")
    others = {
        f"SOF{number}": odd_jpegs.patched(plain, marker=0xC0, offset=1, value=0xC0 + number)
        for number in (5, 6, 7, 9, 10, 11, 13, 14, 15)
    }
    return others | {
        "extended sequential": odd_jpegs.patched(plain, marker=0xC0, offset=1, value=0xC1),
        "lossless": odd_jpegs.lossless(values),
        "lossless, grey": odd_jpegs.lossless(values[..., 0]),
        "lossless, large": odd_jpegs.lossless(np.asarray(photos.photo(640, 560).convert("L"))),
        "lossless, YCbCr": odd_jpegs.inserted(odd_jpegs.lossless(values), marker=0xC3, piece=jfif),
        "12 bits": odd_jpegs.START + odd_jpegs.frame(1, (160, 120), 3, 12) + rest,
        "two components": odd_jpegs.START + odd_jpegs.frame(0, (160, 120), 2) + rest,
        "CMYK of unusual sampling": _unusual(),
        "CMYK of unusual sampling, cut in half and closed": odd_jpegs.halved(_unusual()),
    }


def _unusual() -> bytes:
    return odd.encoded(photos.photo(160, 120).convert("CMYK"), "JPEG", subsampling=2)


def _metadata(plain: bytes) -> dict[str, bytes]:
    def with_segment(marker: int, body: bytes) -> bytes:
        return odd_jpegs.inserted(plain, marker=0xDB, piece=odd_jpegs.segment(marker, body))

    turned = {
        f"EXIF orientation {value}": odd.encoded(photos.photo(160, 120), "JPEG", exif=odd.exif(value))
        for value in range(1, 10)
    }
    return turned | {
        "broken EXIF": with_segment(0xE1, b"Exif\x00\x00II*\x00\xff\xff"),
        "orientation in XMP": with_segment(0xE1, _XMP + b'<x tiff:Orientation="6"/>'),
        "XMP that is no UTF-8": with_segment(0xE1, _XMP + b"<x\xff\xfe\x80>"),
        "an empty JFIF segment": plain[:2] + odd_jpegs.segment(0xE0, b"JFIF\x00") + plain[20:],
        "an empty APP0 segment": plain[:2] + odd_jpegs.segment(0xE0, b"") + plain[20:],
        "another JFIF version": odd_jpegs.patched(plain, marker=0xE0, offset=9, value=7),
        "a broken ICC profile": with_segment(0xE2, b"ICC_PROFILE\x00\x05\x02abc"),
        "bytes between segments": odd_jpegs.inserted(plain, marker=0xDB, piece=b"12345678"),
        "zeros before its end": plain[:-2] + bytes(40) + odd_jpegs.END,
        "bytes behind its end": plain + b"and more" * 9,
    }


def _damage(plain: bytes) -> dict[str, bytes]:
    rng = np.random.default_rng(1)
    progressive = odd.encoded(photos.photo(160, 120), "JPEG", progressive=True)
    flipped = bytearray(plain)
    for place in rng.integers(plain.index(b"\xff\xda") + 14, len(plain) - 2, 60):
        flipped[place] ^= 1 << int(rng.integers(8))
    cut = {f"cut at {part} %": plain[: len(plain) * part // 100] for part in (1, 5, 10, 20, 30, 50, 70, 80, 90, 99)}
    return cut | {
        "without its end marker": plain[:-2],
        "cut in half and closed": odd_jpegs.halved(plain),
        "progressive, cut in half and closed": odd_jpegs.halved(progressive),
        "CMYK, cut in half and closed": odd_jpegs.halved(odd.encoded(photos.photo(160, 120).convert("CMYK"), "JPEG")),
        "lossless, cut in half and closed": odd_jpegs.halved(odd_jpegs.lossless(np.asarray(photos.photo(64, 48)))),
        "zeros for its second half": odd_jpegs.zeroed(plain, 0.5),
        "progressive, without its last scan": odd_jpegs.without_last_scan(progressive),
        "three scans, without the last": odd_jpegs.without_last_scan(
            odd_jpegs.in_three_scans(odd.encoded(photos.photo(160, 120).convert("L"), "JPEG"))
        ),
        "other bytes before its end": plain[:-2] + bytes(range(1, 60)) + odd_jpegs.END,
        "flipped bits": bytes(flipped),
        "65000 x 65000 in a tiny file": odd_jpegs.patched_size(plain, (65_000, 65_000), 0xC0),
        "only its first bytes": plain[:3],
    }
