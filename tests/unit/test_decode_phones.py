"""What phones make: HEIC, AVIF, JPEG 2000, further pictures behind a JPEG, and very many pixels."""

import re
import sys

import numpy as np
import pytest
from PIL import Image

import odd_images as odd
import odd_jpegs
import photos
from fruits_pipeline.images import heif
from fruits_pipeline.images.decode import Decoded, Rejected, decode
from fruits_pipeline.images.reason import Reason

SIDE, MAX_PIXELS = 60, 10_000_000


def pixels(content: bytes) -> np.ndarray:
    found = decode(content, SIDE, MAX_PIXELS)
    assert isinstance(found, Decoded), found
    return found.pixels.astype(int)


def reference(image: Image.Image) -> np.ndarray:
    return np.asarray(image.resize((SIDE, SIDE), Image.Resampling.BILINEAR)).astype(int)


def heic(image: Image.Image, **options: object) -> bytes:
    pillow_heif = pytest.importorskip("pillow_heif")
    pillow_heif.register_heif_opener()
    return odd.encoded(image, "HEIF", **options)


@pytest.mark.parametrize("kind", ["AVIF", "JPEG2000", "HEIF"])
@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA"])
def test_newer_formats_are_read(kind, mode):
    image = photos.photo(200, 160).convert(mode)
    content = heic(image, quality=90) if kind == "HEIF" else odd.encoded(image, kind)
    assert np.abs(pixels(content) - reference(image.convert("RGB"))).mean() < 4


@pytest.mark.parametrize("kind", ["AVIF", "HEIF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_newer_formats_are_turned_once(kind, orientation):
    image = odd.smooth().resize((160, 120))
    turned = pixels(odd.encoded(image, "PNG", exif=odd.exif(orientation)))
    # Either plugin moves it from the EXIF that it is given into the container, where alone it counts.
    image.info["exif"] = odd.exif(orientation).tobytes()
    content = heic(image) if kind == "HEIF" else odd.encoded(image, kind, exif=odd.exif(orientation))
    assert np.abs(pixels(content) - turned).mean() < 4


def test_a_bare_jpeg_2000_codestream_is_read():
    assert np.abs(pixels(odd.encoded(odd.smooth(), "JPEG2000", no_jp2=True)) - reference(odd.smooth())).mean() < 4


@pytest.mark.parametrize("kind", ["AVIF", "JPEG2000", "HEIF"])
@pytest.mark.parametrize("part", [0.05, 0.3, 0.6, 0.9])
def test_newer_formats_that_are_cut_off_are_refused(kind, part):
    image = photos.photo(200, 160)
    content = heic(image) if kind == "HEIF" else odd.encoded(image, kind)
    found = decode(content[: int(part * len(content))], SIDE, MAX_PIXELS)
    assert isinstance(found, Rejected)
    assert found.reason in {Reason.TRUNCATED, Reason.CORRUPT}


@pytest.mark.parametrize("size", [(64, 64), (96, 64), (63, 50)])
@pytest.mark.parametrize("offset", [(0, 0), (30, 20)])
@pytest.mark.parametrize("bare", [False, True])
def test_a_jpeg_2000_without_all_of_its_tiles_is_truncated(size, offset, bare):
    options = {"tile_size": size, "offset": offset, "tile_offset": (offset[0] // 2, offset[1]), "no_jp2": bare}
    content = odd.encoded(photos.photo(200, 160), "JPEG2000", **options)
    starts = [place.start() for place in re.finditer(rb"\xff\x90\x00\x0a", content)]
    assert len(starts) >= 9
    assert isinstance(decode(content, SIDE, MAX_PIXELS), Decoded)
    for start in starts[1:]:
        found = decode(content[:start] + b"\xff\xd9", SIDE, MAX_PIXELS)
        assert found == Rejected(Reason.TRUNCATED, "JPEG2000: it ends before its last tile")


def test_without_the_package_the_reject_names_it(monkeypatch):
    content = heic(odd.smooth())
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    heif.is_readable.cache_clear()
    found = decode(content, SIDE, MAX_PIXELS)
    heif.is_readable.cache_clear()
    words = "HEIC and HEIF are read by pillow-heif: pip install 'fruits-pipeline[heic]'"
    assert found == Rejected(Reason.UNSUPPORTED_FORMAT, words)


@pytest.mark.parametrize("brand", [b"isom", b"mp42", b"qt  ", b"crx "])
def test_films_and_raw_pictures_in_such_a_container_are_no_images(brand):
    found = decode(b"\x00\x00\x00\x18ftyp" + brand + bytes(400), SIDE, MAX_PIXELS)
    assert isinstance(found, Rejected)
    assert found.reason is Reason.NOT_AN_IMAGE


def test_a_generic_brand_is_told_by_the_compatible_ones():
    avif = odd.encoded(odd.smooth(), "AVIF")
    assert avif[8:12] == b"avif"
    generic = avif[:8] + b"mif1" + avif[12:]
    np.testing.assert_array_equal(pixels(generic), pixels(avif))


def test_an_animated_avif_without_a_unit_of_time_ends_no_job():
    content = odd.encoded(odd.smooth(), "AVIF", save_all=True, append_images=[odd.smooth().rotate(180)])
    # Name, version 1 and flags, two times of 8 bytes each.
    place = content.index(b"mdhd") + 4 + 4 + 16
    found = decode(content[:place] + bytes(4) + content[place + 4 :], SIDE, MAX_PIXELS)
    assert found == Rejected(Reason.CORRUPT, "AVIF: division by zero")


def test_a_jpeg_with_further_pictures_is_its_first():
    """An MPO, and a JPEG with a gain map behind it, as Ultra HDR has."""
    first, second = odd.smooth(), Image.new("RGB", (20, 15), "red")
    plain = odd.encoded(first, "JPEG")
    for content in (
        odd.encoded(first, "MPO", save_all=True, append_images=[second]),
        plain + odd.encoded(second.convert("L"), "JPEG"),
        plain + odd.encoded(second, "JPEG")[:200],
    ):
        np.testing.assert_array_equal(pixels(content), pixels(plain))


def flat(width: int, height: int, **options: object) -> bytes:
    return odd.encoded(Image.new("L", (width, height), 90), "JPEG", **options)


def test_a_jpeg_of_108_megapixels_is_judged_by_what_is_decoded():
    """12,000 x 9,000 pixels are 1,500 x 1,125 at an eighth."""
    content = flat(12_000, 9_000)
    found = decode(content, 224, 1500 * 1125)
    assert isinstance(found, Decoded)
    assert (found.width, found.height) == (12_000, 9_000)
    assert np.abs(found.pixels.astype(int) - 90).max() <= 1
    words = f"12000 x 9000 pixels, more than --max-pixels {1500 * 1125 - 1}"
    assert decode(content, 224, 1500 * 1125 - 1) == Rejected(Reason.TOO_MANY_PIXELS, words)


def test_a_progressive_jpeg_keeps_all_of_itself_in_memory_and_is_judged_so():
    content = flat(2000, 1500, progressive=True)
    assert isinstance(decode(content, SIDE, 3_000_000), Decoded)
    found = decode(content, SIDE, 2_999_999)
    assert isinstance(found, Rejected)
    assert found.reason is Reason.TOO_MANY_PIXELS


def test_so_does_one_of_several_scans():
    grey = odd.encoded(photos.photo(400, 300).convert("L"), "JPEG")
    patched = odd_jpegs.in_three_scans(grey)
    np.testing.assert_array_equal(pixels(patched), pixels(grey))
    assert isinstance(decode(patched, SIDE, 400 * 300), Decoded)
    found = decode(patched, SIDE, 400 * 300 - 1)
    assert isinstance(found, Rejected)
    assert found.reason is Reason.TOO_MANY_PIXELS


def test_a_jpeg_that_is_not_reduced_is_judged_by_its_size():
    content = odd.encoded(photos.photo(400, 300), "JPEG")
    assert isinstance(decode(content, 400, 120_000), Decoded)
    found = decode(content, 400, 119_999)
    assert isinstance(found, Rejected)
    assert found.reason is Reason.TOO_MANY_PIXELS
