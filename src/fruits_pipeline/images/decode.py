"""An encoded image to RGB pixels of one size, or the reason why not.

The rules, in the order in which they are applied:

* Zero bytes are ``empty``. The first bytes say the format, never the name (``signature``): JPEG, PNG, WebP, BMP,
  GIF, TIFF, AVIF, JPEG 2000, HEIC and HEIF; anything else is ``not_an_image``. HEIC and HEIF need the extra
  ``heic``, without which they are ``unsupported_format``.
* ``max_pixels`` limits memory, and is judged by the header before anything is decoded (``too_many_pixels``): width
  times height, that of a TIFF's tile, and of a JPEG what its decoder keeps in memory, which is the picture at
  reduced scale unless it is progressive or has several scans. Pillow's own limit neither warns nor interferes.
* Only the first picture is decoded: of an animation, an MPO, a JPEG with a gain map (Ultra HDR).
* A file that ends too early is ``truncated``, other damage is ``corrupt``; no part of a picture that its decoder
  knows to be damaged is used. JPEGs of which libjpeg warns are refused (``jpeg``), those that end between two scans
  (``jpeg_scans``) and PNGs with a wrong checksum (``png``) too; WebP, BMP, GIF, AVIF, HEIC and most TIFFs have no
  checksum, so that flipped bytes may stay unseen.
* Metadata are no reason to reject. The orientation in EXIF or XMP is applied; where it cannot be read, or is
  in a compressed text of more than 64 KiB of a PNG, the picture is taken as upright.
* Colour profiles are not applied: numbers are read as sRGB, as Keras reads them (``docs/IMAGES.md`` has what
  that costs).
* JPEGs are read that are baseline, extended, progressive or lossless with Huffman codes, of 8 bits and 1, 3 or 4
  components; others are ``unsupported_mode``.
* 1-bit and grey are repeated in R, G and B; palette, CMYK (inverted in JPEGs, as Adobe has it) and YCbCr become RGB
  as Pillow converts them.
* Transparency of any kind (alpha, palette entries, PNG's ``tRNS``) is laid over white; a transparent colour of 16-bit
  RGB is told by the upper 8 bits of each. A BMP's alpha counts only where some of it is not 0.
* 16-bit grey is divided by 257 and 12-bit grey by 16.06, not clipped; integers of more bits, signed samples, 16 bits
  in which 0 is white, floats, LAB, BigTIFF in big-endian byte order and others that Pillow does not read are
  ``unsupported_mode``.
* The size becomes ``image_size`` x ``image_size``: bilinear with antialias, aspect ratio not kept, as
  ``keras.utils.load_img(target_size=..., interpolation="bilinear")`` does. Images are turned upright after
  that, because turning few pixels is cheap.
* Against that reference, pixels of images that grow differ by at most one grey level (``resize``); those of JPEGs
  at least twice as large as ``image_size`` on both sides, decoded at reduced scale (``jpeg``), by at most 4 grey
  levels and 0.5 on average. The cosine of MobileNetV2's features with the reference's is at least 0.995 in both.
"""

import numpy as np
import numpy.typing as npt

from fruits_pipeline.images import heif, pillow
from fruits_pipeline.images.jpeg import jpeg_pixels, unsupported
from fruits_pipeline.images.jpeg_header import ends_within_header, read_header
from fruits_pipeline.images.orientation import orientation_of_segments
from fruits_pipeline.images.outcome import Decoded, Rejected
from fruits_pipeline.images.reason import Reason
from fruits_pipeline.images.resize import is_sideways, resized, rgb, upright
from fruits_pipeline.images.signature import container

__all__ = ["RULES", "Decoded", "Rejected", "decode"]

# Raised by one whenever the rules above change what comes out of some file.
RULES = 3


def decode(content: bytes, image_size: int, max_pixels: int) -> Decoded | Rejected:
    """The pixels of an encoded image as (``image_size``, ``image_size``, 3), or the reason why not.

    Safe to call from many threads at once.

    Args:
        content: the whole file.
        image_size: pixels, of both sides of the result; at least 1.
        max_pixels: width times height of the original, above which nothing is decoded.
    """
    if not content:
        return Rejected(Reason.EMPTY, "0 bytes")
    name = container(content)
    if name is None:
        return Rejected(Reason.NOT_AN_IMAGE, f"starts with {content[:8]!r}")
    if name == "JPEG":
        return _jpeg(content, image_size, max_pixels)
    if name == "HEIF" and not heif.is_readable():
        words = f"HEIC and HEIF are read by {heif.PACKAGE}: pip install 'fruits-pipeline[heic]'"
        return Rejected(Reason.UNSUPPORTED_FORMAT, words)
    picture = pillow.read(content, name, max_pixels)
    if isinstance(picture, Rejected):
        return picture
    height, width = picture.pixels.shape[:2]
    return _finished(picture.pixels, (width, height), picture.orientation, image_size)


def _jpeg(content: bytes, image_size: int, max_pixels: int) -> Decoded | Rejected:
    header = read_header(content)
    if header is None:
        reason = Reason.TRUNCATED if ends_within_header(content) else Reason.CORRUPT
        return Rejected(reason, "JPEG: header not understood")
    if (why := unsupported(header)) is not None:
        return why
    pixels = jpeg_pixels(content, header, image_size, max_pixels)
    if isinstance(pixels, Rejected):
        return pixels
    size = (header.width, header.height)
    return _finished(pixels, size, orientation_of_segments(header.exif, header.xmp), image_size)


def _finished(pixels: npt.NDArray[np.uint8], size: tuple[int, int], orientation: int, image_size: int) -> Decoded:
    """Resized, upright, RGB; ``size`` is width and height before any of it."""
    width, height = reversed(size) if is_sideways(orientation) else size
    return Decoded(rgb(upright(resized(pixels, image_size), orientation)), width, height)
