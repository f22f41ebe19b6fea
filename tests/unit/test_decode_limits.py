"""``max_pixels`` is the only limit, judged by the header; Pillow's own neither warns nor interferes."""

import threading
import warnings

import pytest
from PIL import Image

import odd_images as odd
from fruits_pipeline.images.decode import Rejected, decode
from fruits_pipeline.images.quiet import QUIET
from fruits_pipeline.images.reason import Reason

MAX_PIXELS = 1_000_000


def reason(content: bytes, max_pixels: int = MAX_PIXELS) -> Reason | None:
    found = decode(content, 24, max_pixels)
    return found.reason if isinstance(found, Rejected) else None


@pytest.mark.parametrize("name", odd.one_of_each())
def test_max_pixels_is_the_only_limit(name, monkeypatch):
    content = odd.one_of_each()[name]
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    assert reason(content, odd.WIDTH * odd.HEIGHT) is None
    found = decode(content, 24, odd.WIDTH * odd.HEIGHT - 1)
    assert isinstance(found, Rejected)
    assert found.reason is Reason.TOO_MANY_PIXELS
    assert found.detail.endswith("pixels, more than --max-pixels 1199")


@pytest.mark.parametrize("side", [11_000, 20_000, 2**31 - 1])
def test_a_bomb_is_known_by_its_header(side, recwarn):
    content = odd.png(side, side, 8, 2, {b"IDAT": b"not decoded"})
    assert reason(content) is Reason.TOO_MANY_PIXELS
    assert not recwarn


def test_a_webp_bomb_never_reaches_its_decoder():
    flat = odd.encoded(Image.new("RGB", (16_383, 1)), "WEBP", lossless=True)
    cut = flat[:30]
    assert reason(cut, 16_382) is Reason.TOO_MANY_PIXELS
    assert reason(cut, 16_383) is Reason.TRUNCATED


def test_an_extended_webp_is_judged_by_its_canvas():
    canvas = (2**20 - 1).to_bytes(3, "little") + (2 - 1).to_bytes(3, "little")
    content = b"RIFF\x16\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00" + bytes(4) + canvas
    assert reason(content, 2**21 - 1) is Reason.TOO_MANY_PIXELS
    assert reason(content, 2**21) is Reason.CORRUPT


def test_a_tiff_with_a_tile_larger_than_itself():
    tags = {256: 16, 257: 16, 258: 8, 259: 1, 262: 1, 322: 16, 323: 16, 324: 8, 325: 256}
    assert reason(odd.tiff(tags, bytes(256))) is None
    assert reason(odd.tiff({**tags, 322: 60_000, 323: 60_000}, bytes(256))) is Reason.TOO_MANY_PIXELS


def test_pillows_switches_are_put_back_when_the_last_thread_leaves():
    limit, filters = Image.MAX_IMAGE_PIXELS, list(warnings.filters)
    inside, leave = threading.Event(), threading.Event()

    def other() -> None:
        with QUIET:
            inside.set()
            leave.wait(10)

    thread = threading.Thread(target=other)
    thread.start()
    assert inside.wait(10)
    with QUIET:
        assert Image.MAX_IMAGE_PIXELS is None
    assert Image.MAX_IMAGE_PIXELS is None
    leave.set()
    thread.join()
    assert limit == Image.MAX_IMAGE_PIXELS
    assert warnings.filters == filters
