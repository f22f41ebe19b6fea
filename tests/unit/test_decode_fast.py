"""The fast ways stay within the stated tolerance of the reference, and hide no damage."""

import io

import numpy as np
import pytest
from PIL import Image

import odd_images as odd
import photos
from fruits_pipeline.images import jpeg
from fruits_pipeline.images.decode import Decoded, Rejected, decode
from fruits_pipeline.images.reason import Reason

SIDE, MAX_PIXELS = 60, 10_000_000
WIDTH, HEIGHT = 800, 600


def reference(content: bytes, side: int = SIDE) -> np.ndarray:
    """What ``keras.utils.load_img`` gives, as int (S, S, 3)."""
    image = Image.open(io.BytesIO(content)).convert("RGB")
    return np.asarray(image.resize((side, side), Image.Resampling.BILINEAR)).astype(int)


def found(content: bytes, side: int = SIDE) -> np.ndarray:
    image = decode(content, side, MAX_PIXELS)
    assert isinstance(image, Decoded), image
    return image.pixels.astype(int)


@pytest.fixture
def shapes(monkeypatch):
    """The shapes that simplejpeg decodes to, in order."""
    seen: list[tuple[int, ...]] = []
    plain = jpeg.simplejpeg.decode_jpeg

    def watched(*arguments, **options):
        pixels = plain(*arguments, **options)
        seen.append(pixels.shape)
        return pixels

    monkeypatch.setattr(jpeg.simplejpeg, "decode_jpeg", watched)
    return seen


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 0}, {"quality": 60}])
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_a_large_jpeg_is_decoded_at_reduced_scale_within_the_tolerance(mode, options, shapes):
    content = odd.encoded(photos.photo(WIDTH, HEIGHT).convert(mode), "JPEG", **options)
    difference = np.abs(found(content) - reference(content))
    assert difference.max() <= 4
    assert difference.mean() <= 0.5
    assert 2 * SIDE <= shapes[0][0] < HEIGHT / 2
    assert shapes[0][1] >= 2 * SIDE


@pytest.mark.parametrize("side", [301, 500, 1000])
def test_others_are_decoded_whole_and_as_pillow_does_it(side, shapes):
    content = odd.encoded(photos.photo(WIDTH, HEIGHT), "JPEG")
    difference = np.abs(found(content, side) - reference(content, side))
    assert difference.max() <= (1 if side >= WIDTH else 0)
    assert shapes == [(HEIGHT, WIDTH, 3)]


def test_images_that_grow_differ_by_one_grey_level_at_most():
    noise = Image.fromarray(np.random.default_rng(5).integers(0, 256, (100, 90, 3), np.uint8))
    for kind in ("PNG", "BMP"):
        for image in (noise, noise.convert("L")):
            content = odd.encoded(image, kind)
            assert np.abs(found(content, 224) - reference(content, 224)).max() <= 1


def test_the_size_told_is_that_of_the_original():
    image = decode(odd.encoded(photos.photo(WIDTH, HEIGHT), "JPEG", exif=odd.exif(6)), SIDE, MAX_PIXELS)
    assert isinstance(image, Decoded)
    assert (image.width, image.height) == (HEIGHT, WIDTH)


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("part", [0.1, 0.5, 0.9, 0.999])
def test_a_large_jpeg_that_is_cut_off_is_truncated(part, progressive):
    content = odd.encoded(photos.photo(WIDTH, HEIGHT), "JPEG", progressive=progressive)
    cut = decode(content[: int(len(content) * part)], SIDE, MAX_PIXELS)
    assert isinstance(cut, Rejected)
    assert cut.reason is Reason.TRUNCATED
