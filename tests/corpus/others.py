"""Images of all formats but JPEG, and files that are no images, by the name of their kind."""

import zlib

import numpy as np
from PIL import Image

import odd_images as odd
from odd_chunks import chunk, packed_xmp, palette_png, raw_exif, samples_tiff, white_is_zero, with_chunk

_PIXELS = odd.WIDTH * odd.HEIGHT
_MIB = 1 << 20


def others() -> dict[str, bytes]:
    """A file for each kind; those that need pillow-heif are in ``phones``."""
    return _pngs() | _tiffs() | _more() | _no_images()


def phones() -> dict[str, bytes]:
    """HEIC, made by pillow-heif."""
    import pillow_heif

    pillow_heif.register_heif_opener()
    image = odd.smooth().resize((160, 120))
    content = odd.encoded(image, "HEIF")
    image.info["exif"] = odd.exif(6).tobytes()
    return {
        "HEIC": content,
        "HEIC, turned": odd.encoded(image, "HEIF"),
        "HEIC, transparent": odd.encoded(odd.smooth().convert("RGBA"), "HEIF"),
        "HEIC, cut in half": content[: len(content) // 2],
    }


def _pngs() -> dict[str, bytes]:
    image = odd.smooth()
    plain = odd.encoded(image, "PNG")
    large = odd.encoded(image.resize((300, 200)), "PNG")
    flip = large.index(b"IDAT") + 400
    bits = {f"{depth}-bit grey": _grey_png(depth) for depth in (1, 2, 4)}
    made = bits | {
        "RGB": plain,
        "grey": odd.encoded(image.convert("L"), "PNG"),
        "grey and alpha": odd.encoded(image.convert("LA"), "PNG"),
        "RGB and alpha": odd.encoded(image.convert("RGBA"), "PNG"),
        "palette": odd.encoded(image.convert("P"), "PNG"),
        "palette, transparent": odd.encoded(image.convert("P"), "PNG", transparency=bytes(range(200))),
        "palette, more transparent colours than 256": palette_png(768, transparent=300),
        "palette, more transparent colours than it has": palette_png(9, transparent=4),
        "palette, without its colours": palette_png(0),
        "palette, with a part of a colour": palette_png(10),
        "16-bit grey": odd.encoded(Image.fromarray(odd.GREY_16), "PNG"),
        "16-bit RGB": odd.png_rgb_16(np.asarray(image).astype(np.uint16) * 257),
        "animated": odd.encoded(image, "PNG", save_all=True, append_images=[image.rotate(180)]),
        "EXIF orientation 6": odd.encoded(image, "PNG", exif=odd.exif(6)),
        "EXIF orientation 6 in a compressed text": with_chunk(plain, raw_exif(6)),
        "orientation in compressed XMP": with_chunk(plain, packed_xmp(b'<x tiff:Orientation="6"/>')),
        "1 x 1": odd.encoded(image.resize((1, 1)), "PNG"),
        "10000 x 1": odd.encoded(image.resize((10_000, 1)), "PNG"),
        "an ICC profile of 3 MiB": with_chunk(plain, chunk(b"iCCP", b"x\x00\x00" + zlib.compress(bytes(3 * _MIB)))),
        "a text of 3 MiB": with_chunk(plain, chunk(b"zTXt", b"k\x00\x00" + zlib.compress(bytes(3 * _MIB)))),
        "a text with a wrong checksum": with_chunk(plain, chunk(b"tEXt", b"k\x00v", is_sound=False)),
        "bytes behind its end": plain + b"and more" * 9,
        "without its end": plain[: plain.index(b"IEND") - 4],
        "a flipped bit": large[:flip] + bytes([large[flip] ^ 1]) + large[flip + 1 :],
        "cut in half": large[: len(large) // 2],
        "of Apple's own kind": with_chunk(plain, chunk(b"CgBI", b"\x50\x00\x20\x06"), b"IHDR"),
        "60000 x 60000 in a tiny file": odd.png(60_000, 60_000, 8, 2, {b"IDAT": zlib.compress(bytes(99))}),
    }
    return {f"PNG, {kind}": content for kind, content in made.items()}


def _grey_png(depth: int) -> bytes:
    row = b"\x00" + bytes(range(odd.WIDTH * depth // 8))
    return odd.png(odd.WIDTH, odd.HEIGHT, depth, 0, {b"IDAT": zlib.compress(row * odd.HEIGHT)})


def _tiffs() -> dict[str, bytes]:
    image = odd.smooth()
    samples = np.asarray(image).tobytes()
    tile = {256: 16, 257: 16, 258: 8, 259: 1, 262: 1, 322: 60_000, 323: 60_000, 324: 8, 325: 256}
    compressed = {
        f"compressed by {name}": odd.encoded(image.convert(mode), "TIFF", compression=name)
        for name, mode in {"tiff_lzw": "RGB", "tiff_adobe_deflate": "RGB", "jpeg": "RGB", "group4": "1"}.items()
    }
    made = compressed | {
        "RGB": odd.encoded(image, "TIFF"),
        "palette": odd.encoded(image.convert("P"), "TIFF"),
        "CMYK": odd.encoded(image.convert("CMYK"), "TIFF"),
        "YCbCr": odd.encoded(image.convert("YCbCr"), "TIFF"),
        "RGB and alpha": odd.encoded(image.convert("RGBA"), "TIFF"),
        "LAB": odd.encoded(image.convert("LAB"), "TIFF", icc_profile=b""),
        "two pages": odd.encoded(image, "TIFF", save_all=True, append_images=[image]),
        "EXIF orientation 6": odd.encoded(image, "TIFF", exif=odd.exif(6)),
        "12 bits": samples_tiff(bytes(_PIXELS * 12 // 8), bits=12),
        "12 bits, big-endian": samples_tiff(bytes(_PIXELS * 12 // 8), bits=12, order=">"),
        "12 bits of RGB": samples_tiff(bytes(_PIXELS * 36 // 8), bits=12, bands=3),
        "16 bits": samples_tiff(bytes(_PIXELS * 2), bits=16),
        "signed 8 bits": samples_tiff(bytes(_PIXELS), bits=8, kind=2),
        "signed 16 bits": samples_tiff(bytes(_PIXELS * 2), bits=16, kind=2),
        "16 bits, 0 is white": white_is_zero(samples_tiff(bytes(_PIXELS * 2), bits=16)),
        "32 bits": samples_tiff(bytes(_PIXELS * 4), bits=32),
        "16-bit floats": samples_tiff(bytes(_PIXELS * 2), bits=16, kind=3),
        "32-bit floats": samples_tiff(bytes(_PIXELS * 4), bits=32, kind=3),
        "32-bit floats of RGB": samples_tiff(bytes(_PIXELS * 12), bits=32, bands=3, kind=3),
        "five bands": samples_tiff(bytes(_PIXELS * 5), bits=8, bands=5),
        "big-endian": samples_tiff(samples, bits=8, bands=3, order=">"),
        "BigTIFF": samples_tiff(samples, bits=8, bands=3, big=True),
        "BigTIFF, big-endian": samples_tiff(samples, bits=8, bands=3, big=True, order=">"),
        "unknown compression": odd.tiff(
            {256: 8, 257: 8, 258: 8, 259: 4711, 262: 1, 273: 8, 278: 8, 279: 64}, bytes(64)
        ),
        "a tile of 60000 x 60000": odd.tiff(tile, bytes(256)),
        "cut in half": odd.encoded(image, "TIFF")[:1800],
    }
    return {f"TIFF, {kind}": content for kind, content in made.items()}


def _more() -> dict[str, bytes]:
    image, turned = odd.smooth(), odd.smooth().rotate(180)
    transparent = image.convert("RGBA")
    transparent.putalpha(0)
    frames = {"save_all": True, "append_images": [turned]}
    bmp = odd.encoded(image, "BMP")
    webp, gif = odd.encoded(image, "WEBP"), odd.encoded(image.convert("P"), "GIF")
    avif, jp2 = odd.encoded(image, "AVIF"), odd.encoded(image, "JPEG2000")
    tiles = odd.encoded(image, "JPEG2000", tile_size=(16, 16))
    data = avif.index(b"mdat") + 4
    return {
        "WebP, lossy": webp,
        "WebP, lossless and transparent": odd.encoded(image.convert("RGBA"), "WEBP", lossless=True),
        "WebP, animated": odd.encoded(image, "WEBP", **frames),
        "WebP, EXIF orientation 6": odd.encoded(image, "WEBP", exif=odd.exif(6)),
        "WebP, cut in half": webp[: len(webp) // 2],
        "BMP": bmp,
        "BMP, palette": odd.encoded(image.convert("P"), "BMP"),
        "BMP, one bit": odd.encoded(image.convert("1"), "BMP"),
        "BMP, 32 bits": odd.bmp_32(image.convert("RGBA")),
        "BMP, 32 bits, all transparent": odd.bmp_32(transparent),
        "BMP, 13 bits": bmp[:28] + b"\x0d" + bmp[29:],
        "BMP, cut in half": bmp[: len(bmp) // 2],
        "GIF": gif,
        "GIF, transparent": odd.encoded(image.convert("P"), "GIF", transparency=3),
        "GIF, animated": odd.encoded(image.convert("P"), "GIF", save_all=True, append_images=[turned.convert("P")]),
        "GIF, cut in half": gif[: len(gif) // 2],
        "AVIF": avif,
        "AVIF, EXIF orientation 6": odd.encoded(image, "AVIF", exif=odd.exif(6)),
        "AVIF, animated": _without_times(odd.encoded(image, "AVIF", **frames)),
        "AVIF of a general brand": avif[:8] + b"mif1" + avif[12:],
        "AVIF, other bytes for its first ones": avif[:data] + b"\xff" * 8 + avif[data + 8 :],
        "AVIF, cut in half": avif[: len(avif) // 2],
        "JPEG 2000": jp2,
        "JPEG 2000, bare": odd.encoded(image, "JPEG2000", no_jp2=True),
        "JPEG 2000, transparent": odd.encoded(image.convert("RGBA"), "JPEG2000"),
        "JPEG 2000, cut in half": jp2[: len(jp2) // 2],
        "JPEG 2000, without half of its tiles": tiles[: tiles.index(b"\xff\x90\x00\x0a\x00\x03")] + b"\xff\xd9",
    }


def _without_times(content: bytes) -> bytes:
    """With the times of its making set to zero, where ISO 14496-12 has them (version 1: 8 bytes each)."""
    found = bytearray(content)
    for name in (b"mvhd", b"tkhd", b"mdhd"):
        start = 0
        while (start := content.find(name, start) + 4) > 3:
            found[start + 4 : start + 4 + (16 if content[start] else 8)] = bytes(16 if content[start] else 8)
    return bytes(found)


def _no_images() -> dict[str, bytes]:
    return {
        "zero bytes": b"",
        "text": b"just words\n",
        "HTML": b"<!DOCTYPE html><html><body>404</body></html>",
        "PDF": b"%PDF-1.7\n1 0 obj\n",
        "SVG": b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>',
        "MP4": b"\x00\x00\x00\x18ftypisom" + bytes(400),
        "Photoshop": b"8BPS\x00\x01" + bytes(400),
        "JPEG XL": b"\xff\x0a" + bytes(400),
        "icon": b"\x00\x00\x01\x00\x01\x00" + bytes(400),
        "zeros": bytes(1000),
        "a BMP's two letters": b"BMW is a car, and this line is no bitmap",
    }
