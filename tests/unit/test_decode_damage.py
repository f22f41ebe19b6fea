"""Damaged files and files that are no images: always a reject with the right reason, never an exception."""

import numpy as np
import pytest

import odd_images as odd
from fruits_pipeline.images.decode import Decoded, Rejected, decode
from fruits_pipeline.images.pillow import _damaged
from fruits_pipeline.images.reason import Reason

MAX_PIXELS = 1_000_000
MUTATIONS = 300
# What damaging the bytes of an image may turn it into.
POSSIBLE = {
    Reason.TRUNCATED,
    Reason.CORRUPT,
    Reason.NOT_AN_IMAGE,
    Reason.TOO_MANY_PIXELS,
    Reason.UNSUPPORTED_MODE,
}


def mutated(content: bytes, rng: np.random.Generator) -> bytes:
    """A copy with one to five other bytes, mostly in the first hundreds, some with a piece cut out."""
    found = bytearray(content)
    reach = min(len(found), int(rng.choice([120, 250, 600, len(found)])))
    for _ in range(rng.integers(1, 6)):
        found[rng.integers(reach)] = rng.choice([0, 1, 255, rng.integers(256)])
    if rng.random() < 0.1:
        start = int(rng.integers(reach))
        del found[start : start + int(rng.integers(1, 30))]
    return bytes(found)


@pytest.mark.parametrize("name", odd.one_of_each())
def test_any_damage_is_an_outcome_and_the_same_one_each_time(name):
    content = odd.one_of_each()[name]
    rng = np.random.default_rng(42)
    for _ in range(MUTATIONS):
        damaged = mutated(content, rng)
        found = decode(damaged, 8, MAX_PIXELS)
        if isinstance(found, Decoded):
            assert found.pixels.shape == (8, 8, 3)
            continue
        assert found.reason in POSSIBLE
        assert " at 0x" not in found.detail
        assert 0 < len(found.detail) <= 160
        assert found.detail.isprintable()
        assert decode(damaged, 8, MAX_PIXELS) == found


# The others go on after the first image, or keep the directory at the end, or tell no cut from damage.
CUT = ["jpeg", "jpeg progressive", "jpeg cmyk", "png", "png palette", "webp", "webp lossless", "bmp"]
CUT += ["bmp palette", "gif", "tiff", "tiff 16", "tiff lzw", "tiff deflate"]


@pytest.mark.parametrize("name", CUT)
@pytest.mark.parametrize("part", [0.2, 0.5, 0.7])
def test_a_cut_file_is_truncated(name, part):
    content = odd.one_of_each()[name]
    found = decode(content[: int(len(content) * part)], 8, MAX_PIXELS)
    assert isinstance(found, Rejected)
    assert found.reason is Reason.TRUNCATED


def test_empty():
    assert decode(b"", 8, MAX_PIXELS) == Rejected(Reason.EMPTY, "0 bytes")


@pytest.mark.parametrize(
    "content",
    [
        b"just words\n",
        b"BMW is a car, and this line is no bitmap",
        b"<!DOCTYPE html><html><body>404</body></html>",
        b"%PDF-1.7\n1 0 obj\n",
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\n",
        b"P6\n2 2\n255\n" + bytes(12),
        b"RIFF\x24\x00\x00\x00WAVEfmt ",
        b"\xff\xd8",
        bytes(1000),
    ],
)
def test_what_is_not_an_image(content):
    found = decode(content, 8, MAX_PIXELS)
    assert isinstance(found, Rejected)
    assert found.reason is Reason.NOT_AN_IMAGE


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"\x89PNG\r\n\x1a\n", Rejected(Reason.TRUNCATED, "PNG: header not understood")),
        (b"\x89PNG\r\n\x1a\n" + b"words " * 99, Rejected(Reason.CORRUPT, "PNG: header not understood")),
        (b"\xff\xd8\xff" + b"\x01" * 99, Rejected(Reason.CORRUPT, "JPEG: header not understood")),
        (b"GIF89a\x01", Rejected(Reason.TRUNCATED, "GIF: header not understood")),
    ],
)
def test_a_known_signature_with_nothing_sound_behind_it(content, expected):
    assert decode(content, 8, MAX_PIXELS) == expected


@pytest.mark.parametrize(
    ("name", "words"), [("jpeg", "JPEG: Premature end of JPEG file"), ("bmp", "BMP: image file is truncated")]
)
def test_the_name_of_the_damage_is_that_of_the_library(name, words):
    found = decode(odd.one_of_each()[name][:-50], 8, MAX_PIXELS)
    assert isinstance(found, Rejected)
    assert found.detail.startswith(words)


def test_a_detail_is_one_line_without_addresses():
    fault = OSError("cannot read <_io.BytesIO object at 0x7f0a1b>\n  at all")
    found = _damaged("PNG", fault, truncated=False)
    assert found == Rejected(Reason.CORRUPT, "PNG: cannot read <_io.BytesIO object> at all")


def test_a_bug_is_not_taken_for_a_corrupt_image():
    with pytest.raises(TypeError):
        decode(odd.one_of_each()["png"], "24", MAX_PIXELS)
