"""Encoded images of every odd kind, made with Pillow, or by hand where Pillow cannot write them."""

import io
import struct
import zlib

import numpy as np
from PIL import Image

WIDTH, HEIGHT = 40, 30
GREY_16 = (np.arange(HEIGHT * WIDTH, dtype=np.uint32) * 54).astype(np.uint16).reshape(HEIGHT, WIDTH)


def smooth() -> Image.Image:
    """RGB without symmetry, and soft enough that a lossy format keeps it."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    return Image.fromarray(np.stack([x * 6, y * 8, 120 + x - y], axis=-1).astype(np.uint8))


def encoded(image: Image.Image, file_format: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, file_format, **options)
    return stream.getvalue()


def exif(orientation: object) -> Image.Exif:
    found = Image.Exif()
    found[0x0112] = orientation
    return found


def png(width: int, height: int, depth: int, colour: int, chunks: dict[bytes, bytes]) -> bytes:
    """A PNG from its header's fields and its other chunks."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    content = b"\x89PNG\r\n\x1a\n"
    for name, body in {b"IHDR": header, **chunks, b"IEND": b""}.items():
        content += struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
    return content


def png_rgb_16(values: np.ndarray) -> bytes:
    """A PNG of 16 bits a channel from uint16 (H, W, 3)."""
    height, width, _ = values.shape
    rows = b"".join(b"\x00" + row.astype(">u2").tobytes() for row in values)
    return png(width, height, 16, 2, {b"IDAT": zlib.compress(rows)})


def tiff(tags: dict[int, int], pixels: bytes) -> bytes:
    """A little-endian TIFF from numbers by tag; its pixels follow the first 8 bytes."""
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, tags[tag]) for tag in sorted(tags))
    directory = struct.pack("<H", len(tags)) + entries + bytes(4)
    return b"II*\x00" + struct.pack("<I", 8 + len(pixels)) + pixels + directory


def bmp_32(image: Image.Image) -> bytes:
    """A BMP of RGBA whose header says where each of the four is."""
    pixels = image.transpose(Image.Transpose.FLIP_TOP_BOTTOM).tobytes("raw", "BGRA")
    masks = struct.pack("<4I", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    header = struct.pack("<IiiHHIIiiII", 108, *image.size, 1, 32, 3, len(pixels), 0, 0, 0, 0) + masks + bytes(52)
    start = 14 + len(header)
    return b"BM" + struct.pack("<IHHI", start + len(pixels), 0, 0, start) + header + pixels


def one_of_each() -> dict[str, bytes]:
    """Whole images by a name for each, two or more of each format."""
    image, turned = smooth(), smooth().rotate(180)
    palette, grey = image.convert("P"), image.convert("L")
    more = {"save_all": True, "append_images": [turned]}
    return {
        "jpeg": encoded(image, "JPEG", exif=exif(6)),
        "jpeg progressive": encoded(image, "JPEG", progressive=True, dpi=(72, 72)),
        "jpeg cmyk": encoded(image.convert("CMYK"), "JPEG"),
        "jpeg mpo": encoded(image, "MPO", exif=exif(8), **more),
        "png": encoded(image, "PNG", exif=exif(6)),
        "png palette": encoded(palette, "PNG", transparency=bytes(range(200))),
        "png grey": encoded(grey, "PNG", transparency=9),
        "png one bit": encoded(image.convert("1"), "PNG", transparency=1),
        "png 16": encoded(Image.fromarray(GREY_16), "PNG", transparency=300),
        "png animated": encoded(image, "PNG", **more),
        "webp": encoded(image, "WEBP", exif=exif(6)),
        "webp lossless": encoded(image.convert("RGBA"), "WEBP", lossless=True),
        "webp animated": encoded(image, "WEBP", **more),
        "bmp": encoded(image, "BMP"),
        "bmp palette": encoded(palette, "BMP"),
        "gif": encoded(palette, "GIF", transparency=3),
        "gif animated": encoded(palette, "GIF", save_all=True, append_images=[palette.rotate(180)]),
        "tiff": encoded(image, "TIFF", exif=exif(6)),
        "tiff palette": encoded(palette, "TIFF"),
        "tiff 16": encoded(Image.fromarray(GREY_16), "TIFF"),
        "tiff lzw": encoded(image, "TIFF", compression="tiff_lzw"),
        "tiff deflate": encoded(image, "TIFF", compression="tiff_adobe_deflate"),
        "tiff jpeg": encoded(image, "TIFF", compression="jpeg"),
        "tiff fax": encoded(image.convert("1"), "TIFF", compression="group4"),
    }
