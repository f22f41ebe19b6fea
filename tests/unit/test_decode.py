"""Each rule of ``decode``, on images made here; limits and damage have tests of their own."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

import odd_images as odd
from fruits_pipeline.images.decode import Decoded, Rejected, decode
from fruits_pipeline.images.reason import Reason

MAX_PIXELS = 1_000_000
BILINEAR = Image.Resampling.BILINEAR


def pixels(content: bytes, size: int = 24) -> np.ndarray:
    """The pixels as int (S, S, 3), so that differences do not wrap."""
    found = decode(content, size, MAX_PIXELS)
    assert isinstance(found, Decoded), found
    assert found.pixels.shape == (size, size, 3)
    assert found.pixels.dtype == np.uint8
    assert found.pixels.flags.c_contiguous
    return found.pixels.astype(int)


def resized(image: Image.Image, size: int = 24) -> np.ndarray:
    return np.asarray(image.convert("RGB").resize((size, size), BILINEAR)).astype(int)


def reason(content: bytes, max_pixels: int = MAX_PIXELS) -> Reason | None:
    found = decode(content, 24, max_pixels)
    return found.reason if isinstance(found, Rejected) else None


@pytest.mark.parametrize("name", odd.one_of_each())
def test_every_kind_decodes(name):
    found = decode(odd.one_of_each()[name], 24, MAX_PIXELS)
    assert isinstance(found, Decoded), found
    assert {found.width, found.height} == {odd.WIDTH, odd.HEIGHT}


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "WEBP"])
def test_plain_rgb_is_only_resized(kind):
    options = {"lossless": True} if kind == "WEBP" else {}
    content = odd.encoded(odd.smooth(), kind, **options)
    np.testing.assert_array_equal(pixels(content), resized(odd.smooth()))


def test_a_jpeg_gives_what_pillow_gives():
    content = odd.encoded(odd.smooth(), "JPEG", quality=95)
    assert np.abs(pixels(content) - resized(odd.smooth())).max() < 8


@pytest.mark.parametrize("mode", ["L", "1"])
def test_grey_is_repeated(mode):
    image = odd.smooth().convert(mode)
    found = pixels(odd.encoded(image, "PNG"))
    np.testing.assert_array_equal(found[..., 0], found[..., 1])
    np.testing.assert_array_equal(found[..., 0], found[..., 2])
    expected = np.asarray(image.convert("L").resize((24, 24), BILINEAR))
    np.testing.assert_array_equal(found[..., 0], expected)


def test_palette_becomes_rgb():
    image = odd.smooth().quantize(64)
    for kind in ("PNG", "GIF", "BMP", "TIFF"):
        np.testing.assert_array_equal(pixels(odd.encoded(image, kind)), resized(image))


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP"])
def test_alpha_is_laid_over_white(mode, kind):
    image = Image.new(mode, (20, 20), (40, 0) if mode == "LA" else (40, 40, 40, 0))
    image.paste((40, 255) if mode == "LA" else (40, 40, 40, 255), (10, 0, 20, 10))
    image.paste((40, 51) if mode == "LA" else (40, 40, 40, 51), (10, 10, 20, 20))
    found = pixels(odd.encoded(image, kind, **({"lossless": True} if kind == "WEBP" else {})), 20)
    assert (found[:, :10] == 255).all()
    assert (found[:10, 10:] == 40).all()
    # 40 x 0.2 + 255 x 0.8
    assert np.abs(found[10:, 10:] - 212).max() <= 1


def test_transparent_palette_entries_are_white():
    image = Image.new("P", (20, 20), 0)
    image.putpalette([200, 0, 0, 0, 0, 200])
    image.paste(1, (10, 0, 20, 20))
    for content in (
        odd.encoded(image, "PNG", transparency=0),
        odd.encoded(image, "PNG", transparency=b"\x00\xff"),
        odd.encoded(image, "GIF", transparency=0),
    ):
        found = pixels(content, 20)
        assert (found[:, :10] == 255).all()
        assert (found[:, 10:] == (0, 0, 200)).all()


@pytest.mark.parametrize(("mode", "colour"), [("L", 9), ("RGB", (1, 2, 3)), ("1", 0)])
def test_a_transparent_colour_of_png_is_white(mode, colour):
    image = Image.new(mode, (20, 20), colour)
    image.paste(255 if mode != "RGB" else (10, 20, 30), (0, 0, 10, 20))
    found = pixels(odd.encoded(image, "PNG", transparency=colour), 20)
    assert (found[:, 10:] == 255).all()
    assert (found[:, :10] == ((10, 20, 30) if mode == "RGB" else 255)).all()


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bit_grey_is_scaled_and_not_clipped(kind):
    values = odd.GREY_16.copy()
    values[0, :2] = (0, 65535)
    found = decode(odd.encoded(Image.fromarray(values), kind), odd.WIDTH, MAX_PIXELS)
    assert isinstance(found, Decoded)
    expected = Image.fromarray(np.round(values / 257).astype(np.uint8))
    np.testing.assert_array_equal(found.pixels[..., 1], np.asarray(expected.resize((odd.WIDTH, odd.WIDTH), BILINEAR)))


def test_big_endian_sixteen_bit_grey():
    swapped = Image.frombytes("I;16B", (odd.WIDTH, odd.HEIGHT), odd.GREY_16.astype(">u2").tobytes())
    plain = odd.encoded(Image.fromarray(odd.GREY_16), "TIFF")
    np.testing.assert_array_equal(pixels(odd.encoded(swapped, "TIFF")), pixels(plain))


def test_a_transparent_value_of_sixteen_bit_grey_is_white():
    content = odd.encoded(Image.fromarray(np.full((20, 20), 300, np.uint16)), "PNG", transparency=300)
    assert (pixels(content) == 255).all()


@pytest.mark.parametrize("alpha", [0, 255])
def test_a_bmp_whose_alpha_is_the_same_everywhere_is_opaque(alpha):
    image = odd.smooth().convert("RGBA")
    image.putalpha(alpha)
    np.testing.assert_array_equal(pixels(odd.bmp_32(image)), resized(odd.smooth()))


def test_a_bmp_with_some_alpha_is_laid_over_white():
    image = Image.new("RGBA", (24, 24), (40, 50, 60, 0))
    image.paste((40, 50, 60, 255), (0, 0, 12, 24))
    found = pixels(odd.bmp_32(image))
    assert (found[:, :12] == (40, 50, 60)).all()
    assert (found[:, 12:] == 255).all()


def test_sixteen_bit_rgb():
    values = np.asarray(odd.smooth()).astype(np.uint16) * 257
    np.testing.assert_array_equal(pixels(odd.png_rgb_16(values)), resized(odd.smooth()))


def test_cmyk_and_ycbcr():
    for image, kind, options in (
        (odd.smooth().convert("CMYK"), "JPEG", {"quality": 95}),
        (odd.smooth().convert("CMYK"), "TIFF", {}),
        (odd.smooth().convert("YCbCr"), "TIFF", {}),
    ):
        found = pixels(odd.encoded(image, kind, **options))
        assert np.abs(found - resized(odd.smooth())).mean() < 3


@pytest.mark.parametrize("mode", ["F", "LAB"])
def test_other_modes_are_unsupported(mode):
    image = odd.smooth().convert("L").convert("F") if mode == "F" else odd.smooth().convert(mode)
    found = decode(odd.encoded(image, "TIFF"), 24, MAX_PIXELS)
    assert found == Rejected(Reason.UNSUPPORTED_MODE, f"TIFF of mode {mode}")


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP", "JPEG", "MPO"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation(orientation, kind):
    options = {"lossless": True} if kind == "WEBP" else {"quality": 95} if kind in {"JPEG", "MPO"} else {}
    content = odd.encoded(odd.smooth(), kind, exif=odd.exif(orientation), **options)
    upright = odd.smooth()
    upright.getexif()[0x0112] = orientation
    upright = ImageOps.exif_transpose(upright)
    found = decode(content, 24, MAX_PIXELS)
    assert isinstance(found, Decoded)
    assert (found.width, found.height) == upright.size
    limit = 8 if kind in {"JPEG", "MPO"} else 1
    assert np.abs(found.pixels.astype(int) - resized(upright)).max() <= limit


@pytest.mark.parametrize("orientation", [0, 9, 700])
def test_an_orientation_that_means_nothing_means_upright(orientation):
    content = odd.encoded(odd.smooth(), "PNG", exif=odd.exif(orientation))
    np.testing.assert_array_equal(pixels(content), resized(odd.smooth()))


@pytest.mark.parametrize("body", [b"Exif\x00\x00", b"Exif\x00\x00II*\x00\xff\xff", b"Exif\x00\x00junk junk"])
def test_unreadable_exif_means_upright(body):
    plain = odd.encoded(odd.smooth(), "JPEG")
    np.testing.assert_array_equal(pixels(odd.encoded(odd.smooth(), "JPEG", exif=body)), pixels(plain))


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF", "MPO"])
def test_only_the_first_frame(kind):
    red, blue = Image.new("RGB", (20, 20), (250, 0, 0)), Image.new("RGB", (20, 20), (0, 0, 250))
    found = pixels(odd.encoded(red, kind, save_all=True, append_images=[blue]))
    assert np.abs(found - (250, 0, 0)).max() < 8


def test_real_images(fruits360: Path):
    files = sorted(fruits360.glob("*/*/*.jpg"))[::2000]
    assert files
    for file in files:
        found = decode(file.read_bytes(), 100, 10_000)
        assert isinstance(found, Decoded)
        assert (found.width, found.height) == (100, 100)
        np.testing.assert_array_equal(found.pixels, np.asarray(Image.open(file)))
