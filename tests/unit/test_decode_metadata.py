"""Metadata is no reason to reject; what a header means and nobody reads is ``unsupported_mode``; flips are seen."""

import zlib

import numpy as np
import pytest

import odd_images as odd
import photos
from fruits_pipeline.images.decode import Decoded, Rejected, decode
from fruits_pipeline.images.reason import Reason
from odd_chunks import chunk, packed_xmp, palette_png, raw_exif, samples_tiff, white_is_zero, with_chunk

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


@pytest.mark.parametrize("name", ["eXIf", "zTXt", "tEXt", "iTXt", "compressed iTXt"])
def test_the_orientation_of_a_png_is_found_in_each_of_its_places(name):
    packet, body = b'<x tiff:Orientation="6"/>', odd.exif(6).tobytes()
    pieces = {
        "eXIf": chunk(b"eXIf", body[6:]),
        "zTXt": raw_exif(6),
        "tEXt": chunk(b"tEXt", b"Raw profile type exif\x00\nexif\n      26\n" + body.hex().encode()),
        "iTXt": chunk(b"iTXt", b"XML:com.adobe.xmp\x00\x00\x00\x00\x00" + packet),
        "compressed iTXt": packed_xmp(packet),
    }
    assert same(with_chunk(PNG, pieces[name]), odd.encoded(odd.smooth(), "PNG", exif=odd.exif(6)))


@pytest.mark.parametrize(
    "piece",
    [
        packed_xmp(b"<x tiff:Orientation='6'/>" + bytes(MIB)),
        packed_xmp(b"<x/>" + bytes(64 << 10)),
        chunk(b"zTXt", b"Raw profile type exif\x00\x00no zlib"),
        chunk(b"zTXt", b"Raw profile type exif\x00\x01" + zlib.compress(b"other method")),
        chunk(b"zTXt", b"Raw profile type exif\x00\x00" + zlib.compress(b"\nexif\n  9\nno digits")),
        chunk(b"zTXt", b"Raw profile type exif\x00\x00" + zlib.compress(bytes(3 * MIB))),
        chunk(b"iTXt", b"XML:com.adobe.xmp\x00\x01\x00"),
        chunk(b"iTXt", b"XML:com.adobe.xmp\x00\x01\x00\xff\x00\xff\x00" + zlib.compress(b"<x/>")),
    ],
)
def test_an_orientation_that_cannot_be_read_costs_no_pixel(piece):
    assert same(with_chunk(PNG, piece), PNG)


@pytest.mark.parametrize(
    ("palette_bytes", "transparent", "words"),
    [
        (768, 257, "257 transparent values of 256 colours"),
        (6, 3, "3 transparent values of 2 colours"),
        (0, 0, "palette of 0 bytes"),
        (5, 0, "palette of 5 bytes"),
        (771, 0, "palette of 771 bytes"),
    ],
)
def test_a_palette_that_says_no_colours_is_damage(palette_bytes, transparent, words):
    assert outcome(palette_png(palette_bytes, transparent)) == Rejected(Reason.CORRUPT, f"PNG: {words}")


@pytest.mark.parametrize(("palette_bytes", "transparent"), [(3, 0), (768, 256), (6, 1)])
def test_a_palette_that_says_some_is_read(palette_bytes, transparent):
    assert isinstance(outcome(palette_png(palette_bytes, transparent)), Decoded)


def test_a_transparent_value_that_comes_after_the_pixels_ends_no_job():
    late = with_chunk(palette_png(768), chunk(b"tRNS", bytes(range(150)) * 2), b"IEND")
    assert isinstance(outcome(late), Decoded | Rejected)


@pytest.mark.parametrize(("depth", "transparent"), [(1, 1), (2, 1), (2, 2), (4, 9), (8, 200)])
def test_a_transparent_grey_of_any_depth_is_white(depth, transparent):
    rows = b"".join(b"\x00" + bytes([transparent * ((1 << 8) - 1) // ((1 << depth) - 1)]) * 24 for _ in range(24))
    content = odd.png(
        24 * 8 // depth, 24, depth, 0, {b"tRNS": transparent.to_bytes(2, "big"), b"IDAT": zlib.compress(rows)}
    )
    found = outcome(content)
    assert isinstance(found, Decoded)
    assert (found.pixels == 255).all()


def test_a_transparent_colour_of_sixteen_bits_is_white_by_its_upper_eight():
    values = np.full((SIDE, SIDE, 3), (0x1234, 0x5678, 0x9ABC), np.uint16)
    values[:, SIDE // 2 :] = (0x3400, 0x7800, 0xBC00)
    content = odd.png_rgb_16(values)
    found = outcome(with_chunk(content, chunk(b"tRNS", values[0, 0].astype(">u2").tobytes())))
    assert isinstance(found, Decoded)
    assert (found.pixels[:, : SIDE // 2] == 255).all()
    assert (found.pixels[:, SIDE // 2 :] == (0x34, 0x78, 0xBC)).all()


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


@pytest.mark.parametrize(
    ("bits", "kind", "detail"),
    [(16, 2, "TIFF of signed samples"), (32, 2, "TIFF of signed samples"), (32, 1, "TIFF of mode I")],
)
def test_grey_that_pillow_reads_as_something_else_is_unsupported(bits, kind, detail):
    content = samples_tiff(bytes(range(240)) * (PIXELS * bits // 8 // 240), bits=bits, kind=kind)
    assert outcome(content) == Rejected(Reason.UNSUPPORTED_MODE, detail)


def test_grey_in_which_0_is_white_is_read_in_8_bits_alone():
    values = np.asarray(odd.smooth().convert("L"))
    grey = samples_tiff(values.tobytes(), bits=8)
    assert same(white_is_zero(samples_tiff((255 - values).tobytes(), bits=8)), grey)
    found = outcome(white_is_zero(samples_tiff(bytes(PIXELS * 2), bits=16)))
    assert found == Rejected(Reason.UNSUPPORTED_MODE, "TIFF of 16 bits in which 0 is white")


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
