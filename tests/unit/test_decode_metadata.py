"""Metadata is no reason to reject; what a header means and nobody reads is ``unsupported_mode``; flips are seen."""

import zlib

import numpy as np
import pytest

import odd_images as odd
import photos
from fruits_pipeline.images.decode import Decoded, Rejected, decode
from fruits_pipeline.images.reason import Reason
from odd_chunks import chunk, samples_tiff, with_chunk

SIDE, MAX_PIXELS = 24, 1_000_000
PNG = odd.encoded(odd.smooth(), "PNG")
PIXELS = odd.WIDTH * odd.HEIGHT
MIB = 1 << 20


def outcome(content: bytes) -> Decoded | Rejected:
    return decode(content, SIDE, MAX_PIXELS)


def same(content: bytes, expected: bytes) -> bool:
    found, wanted = outcome(content), outcome(expected)
    assert isinstance(found, Decoded), found
    assert isinstance(wanted, Decoded)
    return bool((found.pixels == wanted.pixels).all())


METADATA = {
    "an ICC profile of 3 MiB": chunk(b"iCCP", b"x\x00\x00" + zlib.compress(bytes(3 * MIB))),
    "an ICC profile by another method": chunk(b"iCCP", b"x\x00\x07nothing"),
    "zTXt of 3 MiB": chunk(b"zTXt", b"k\x00\x00" + zlib.compress(bytes(3 * MIB))),
    "iTXt of 3 MiB": chunk(b"iTXt", b"k\x00\x01\x00\x00\x00" + zlib.compress(bytes(3 * MIB))),
    "eighty texts of almost 1 MiB": 80 * chunk(b"zTXt", b"k\x00\x00" + zlib.compress(bytes(1_000_000))),
    "text with a wrong checksum": chunk(b"tEXt", b"k\x00v", is_sound=False),
    "EXIF with a wrong checksum": chunk(b"eXIf", odd.exif(6).tobytes()[6:], is_sound=False),
    "a short pHYs": chunk(b"pHYs", b"12"),
    "a chunk of somebody's own": chunk(b"prVt", b"anything"),
}


@pytest.mark.parametrize("before", [b"IDAT", b"IEND"])
@pytest.mark.parametrize("name", METADATA)
def test_metadata_of_a_png_cost_no_pixel(name, before):
    assert same(with_chunk(PNG, METADATA[name], before), PNG)


def test_the_orientation_of_a_png_outlives_its_other_metadata():
    turned = odd.encoded(odd.smooth(), "PNG", exif=odd.exif(6))
    assert not same(turned, PNG)
    assert same(with_chunk(turned, METADATA["an ICC profile of 3 MiB"]), turned)
    packet = b"XML:com.adobe.xmp\x00\x00\x00\x00\x00<x tiff:Orientation='1' tiff:Orientation=\"6\">"
    assert same(with_chunk(with_chunk(PNG, chunk(b"iTXt", packet)), METADATA["zTXt of 3 MiB"]), turned)


@pytest.mark.parametrize("name", [b"IDAT", b"PLTE", b"tRNS"])
def test_a_wrong_checksum_of_what_the_pixels_are_made_of_is_damage(name):
    png = odd.one_of_each()["png palette"]
    place = png.index(name)
    end = place + 4 + int.from_bytes(png[place - 4 : place], "big")
    found = outcome(png[:end] + bytes([png[end] ^ 1]) + png[end + 1 :])
    assert found == Rejected(Reason.CORRUPT, f"PNG: wrong checksum of {name.decode()}")


def test_a_flipped_bit_in_the_pixels_of_a_png_is_always_seen():
    png = odd.encoded(odd.smooth().resize((300, 200)), "PNG")
    rng = np.random.default_rng(0)
    for place in rng.integers(png.index(b"IDAT") + 4, png.index(b"IEND") - 8, 200):
        flipped = png[:place] + bytes([png[place] ^ 1 << int(rng.integers(8))]) + png[place + 1 :]
        found = outcome(flipped)
        assert isinstance(found, Rejected)
        assert found.reason is Reason.CORRUPT


def test_apples_own_kind_of_png_is_unsupported():
    found = outcome(with_chunk(PNG, chunk(b"CgBI", b"\x50\x00\x20\x06"), b"IHDR"))
    assert found == Rejected(Reason.UNSUPPORTED_MODE, "PNG of Apple's own kind (CgBI)")


def test_twelve_bit_grey_is_scaled_as_sixteen_bit_grey_is():
    values = np.linspace(0, 4095, PIXELS).astype(np.uint16)
    pairs = values.reshape(-1, 2).astype(np.uint32)
    packed = ((pairs[:, 0] << 12) | pairs[:, 1]).astype(">u4").view(np.uint8).reshape(-1, 4)[:, 1:].tobytes()
    sixteen = np.round(values * (65535 / 4095)).astype("<u2").tobytes()
    found, wanted = outcome(samples_tiff(packed, bits=12)), outcome(samples_tiff(sixteen, bits=16))
    assert isinstance(found, Decoded)
    assert isinstance(wanted, Decoded)
    assert np.abs(found.pixels.astype(int) - wanted.pixels).max() <= 1


@pytest.mark.parametrize(
    ("bits", "bands", "kind", "detail"),
    [
        (10, 1, 1, "TIFF: unknown pixel mode"),
        (12, 3, 1, "TIFF: unknown pixel mode"),
        (16, 1, 3, "TIFF: unknown pixel mode"),
        (32, 1, 3, "TIFF of mode F"),
        (64, 1, 3, "TIFF: unknown pixel mode"),
        (32, 3, 3, "TIFF: unknown pixel mode"),
        (32, 3, 1, "TIFF: unknown pixel mode"),
        (8, 5, 1, "TIFF: unknown pixel mode"),
        (8, 1, 2, "TIFF of signed samples"),
    ],
)
@pytest.mark.parametrize("order", ["<", ">"])
def test_samples_that_nobody_reads_are_unsupported(bits, bands, kind, detail, order):
    content = samples_tiff(bytes(PIXELS * bands * bits // 8), bits=bits, bands=bands, kind=kind, order=order)
    assert outcome(content) == Rejected(Reason.UNSUPPORTED_MODE, detail)


def test_an_unknown_compression_is_unsupported():
    tags = {256: 8, 257: 8, 258: 8, 259: 4711, 262: 1, 273: 8, 278: 8, 279: 64}
    assert outcome(odd.tiff(tags, bytes(64))) == Rejected(Reason.UNSUPPORTED_MODE, "TIFF: compression 4711")


def test_bigtiff_is_read_in_one_byte_order():
    samples = np.asarray(odd.smooth()).tobytes()
    assert same(samples_tiff(samples, bits=8, bands=3, big=True), PNG)
    found = outcome(samples_tiff(samples, bits=8, bands=3, big=True, order=">"))
    assert found == Rejected(Reason.UNSUPPORTED_MODE, "TIFF: BigTIFF in big-endian byte order")


def test_an_unsupported_bmp_is_no_damage():
    content = bytearray(odd.encoded(photos.photo(64, 48), "BMP"))
    content[28] = 13
    assert outcome(bytes(content)) == Rejected(Reason.UNSUPPORTED_MODE, "BMP: Unsupported BMP pixel depth (13)")
