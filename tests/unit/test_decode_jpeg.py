"""JPEGs of every process, and JPEGs of which libjpeg warns."""

import io

import cv2
import numpy as np
import pytest
import simplejpeg
from PIL import Image

import odd_images as odd
import odd_jpegs
import photos
from fruits_pipeline.images.decode import Decoded, Rejected, decode
from fruits_pipeline.images.isolation import IsolatedDecoder
from fruits_pipeline.images.reason import Reason

SIDE, MAX_PIXELS = 60, 10_000_000
WIDTH, HEIGHT = 400, 300
PATIENT_S = 60.0


def jpeg(mode: str = "RGB", **options: object) -> bytes:
    return odd.encoded(photos.photo(WIDTH, HEIGHT).convert(mode), "JPEG", **options)


def reason(content: bytes) -> Reason | None:
    found = decode(content, SIDE, MAX_PIXELS)
    return found.reason if isinstance(found, Rejected) else None


def pixels(content: bytes) -> np.ndarray:
    found = decode(content, SIDE, MAX_PIXELS)
    assert isinstance(found, Decoded), found
    return found.pixels.astype(int)


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_a_large_lossless_jpeg_is_read_and_ends_no_process(mode):
    image = photos.photo(640, 560).convert(mode)
    content = odd_jpegs.lossless(np.asarray(image))
    with IsolatedDecoder(PATIENT_S) as decoder:
        for _ in range(3):
            found = decoder.decode(content, 224, MAX_PIXELS)
            assert isinstance(found, Decoded), found
    expected = np.asarray(image.convert("RGB").resize((224, 224), Image.Resampling.BILINEAR))
    np.testing.assert_array_equal(found.pixels, expected)


@pytest.mark.parametrize("process", [5, 6, 7, 9, 10, 11, 13, 14, 15])
def test_a_process_that_nobody_can_check_is_unsupported(process):
    content = odd_jpegs.patched(jpeg(), marker=0xC0, offset=1, value=0xC0 + process)
    found = decode(content, SIDE, MAX_PIXELS)
    assert found == Rejected(Reason.UNSUPPORTED_MODE, f"JPEG of process SOF{process}, 8 bits, 3 components")


@pytest.mark.parametrize(("bits", "components"), [(12, 1), (12, 3), (8, 2), (8, 5)])
def test_other_depths_and_numbers_of_components_are_unsupported(bits, components):
    rest = jpeg()[jpeg().index(b"\xff\xc4") :]
    content = odd_jpegs.START + odd_jpegs.frame(1, (WIDTH, HEIGHT), components, bits) + rest
    found = decode(content, SIDE, MAX_PIXELS)
    assert found == Rejected(Reason.UNSUPPORTED_MODE, f"JPEG of process SOF1, {bits} bits, {components} components")


def test_lossless_ycbcr_is_unsupported():
    values = np.asarray(photos.photo(WIDTH, HEIGHT).convert("YCbCr"))
    jfif = odd_jpegs.segment(0xE0, b"JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00")
    assert reason(odd_jpegs.inserted(odd_jpegs.lossless(values), marker=0xC3, piece=jfif)) is Reason.UNSUPPORTED_MODE


def test_extended_sequential_is_read_as_baseline_is():
    content = jpeg()
    extended = odd_jpegs.patched(content, marker=0xC0, offset=1, value=0xC1)
    np.testing.assert_array_equal(pixels(extended), pixels(content))


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 0}, {"restart_marker_rows": 1}])
def test_a_jpeg_cut_in_half_and_closed_is_refused(mode, options):
    for quality in (40, 75, 95):
        content = jpeg(mode, quality=quality, **options)
        assert reason(content) is None
        assert reason(odd_jpegs.halved(content)) is Reason.CORRUPT
        assert reason(content[: len(content) // 2]) is Reason.TRUNCATED


def test_a_lossless_jpeg_cut_in_half_and_closed_is_refused():
    assert reason(odd_jpegs.halved(odd_jpegs.lossless(np.asarray(photos.photo(WIDTH, HEIGHT))))) is Reason.CORRUPT


HARMLESS = {
    "another JFIF version": lambda content: odd_jpegs.patched(content, marker=0xE0, offset=9, value=7),
    "a broken ICC marker": lambda content: odd_jpegs.inserted(
        content, marker=0xDB, piece=odd_jpegs.segment(0xE2, b"ICC_PROFILE\x00\x05\x02abc")
    ),
    "bytes before a header": lambda content: odd_jpegs.inserted(content, marker=0xDB, piece=b"12345678"),
    "a restart before a header": lambda content: odd_jpegs.inserted(content, marker=0xDB, piece=b"\xff\xd3"),
    "scan parameters of a progressive one": lambda content: odd_jpegs.patched(content, marker=0xDA, offset=12, value=0),
    "zeros before the end": lambda content: content[:-2] + bytes(40) + content[-2:],
    "no JFIF": lambda content: content[:2] + content[20:],
    "an empty JFIF segment": lambda content: content[:2] + odd_jpegs.segment(0xE0, b"JFIF\x00") + content[20:],
    "an empty APP0 segment": lambda content: content[:2] + odd_jpegs.segment(0xE0, b"") + content[20:],
    "XMP that is no UTF-8": lambda content: odd_jpegs.inserted(
        content, marker=0xDB, piece=odd_jpegs.segment(0xE1, b"http://ns.adobe.com/xap/1.0/\x00<x\xff\xfe\x80>")
    ),
    "bytes behind the end": lambda content: content + b"and more" * 9,
}


@pytest.mark.parametrize("name", HARMLESS)
def test_a_harmless_warning_costs_no_pixel(name):
    changed = HARMLESS[name](jpeg())
    assert changed != jpeg()
    np.testing.assert_array_equal(pixels(changed), pixels(jpeg()))


@pytest.mark.parametrize("name", HARMLESS)
def test_a_harmless_warning_hides_no_damage(name):
    assert reason(HARMLESS[name](odd_jpegs.halved(jpeg()))) is Reason.CORRUPT


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
@pytest.mark.parametrize("options", [{}, {"optimize": True}, {"progressive": True}, {"restart_marker_rows": 1}])
def test_zeros_in_the_place_of_the_picture_are_damage(mode, options):
    """The decoder takes some of the zeros for blocks, and warns only of those that are left over."""
    for quality in (30, 95):
        content = jpeg(mode, quality=quality, **options)
        for part in (0.3, 0.6, 0.9, 0.97):
            assert reason(odd_jpegs.zeroed(content, part)) in {Reason.CORRUPT, Reason.TRUNCATED}


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
@pytest.mark.parametrize("count", [1, 2, 7, 8, 300, 100_000])
def test_zeros_behind_the_picture_cost_no_pixel(mode, count):
    for quality in range(20, 96, 5):
        content = jpeg(mode, quality=quality)
        np.testing.assert_array_equal(pixels(content[:-2] + bytes(count) + odd_jpegs.END), pixels(content))


def test_other_bytes_before_the_end_are_damage():
    assert reason(jpeg()[:-2] + bytes(range(1, 60)) + odd_jpegs.END) is Reason.CORRUPT


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
@pytest.mark.parametrize("subsampling", [0, 2])
def test_a_progressive_jpeg_without_its_last_scans_is_truncated(mode, subsampling):
    content = jpeg(mode, progressive=True, subsampling=subsampling)
    ends = odd_jpegs.scan_ends(content)
    assert len(ends) >= 6
    assert reason(content) is None
    assert {reason(content[:end] + odd_jpegs.END) for end in ends[:-1]} == {Reason.TRUNCATED}


def test_a_sequential_jpeg_without_one_of_its_scans_is_truncated():
    content = odd_jpegs.in_three_scans(jpeg("L"))
    ends = odd_jpegs.scan_ends(content)
    assert len(ends) == 3
    for end in ends[:2]:
        found = decode(content[:end] + odd_jpegs.END, SIDE, MAX_PIXELS)
        assert found == Rejected(Reason.TRUNCATED, "JPEG: it ends before its last scan")


@pytest.mark.parametrize("between", [b"", odd_jpegs.segment(0xFE, b"\xff\xd9"), odd_jpegs.segment(0xDD, b"\x00\x00")])
def test_what_stands_between_scans_is_not_taken_for_the_end(between):
    content = jpeg(progressive=True)
    end = odd_jpegs.scan_ends(content)[3]
    np.testing.assert_array_equal(pixels(content[:end] + between + content[end:]), pixels(content))


@pytest.mark.parametrize("is_ycck", [False, True])
@pytest.mark.parametrize("transform", [None, 0, 2])
def test_inverted_cmyk_is_what_two_other_readers_take_it_for(transform, is_ycck):
    stored = 255 - np.asarray(photos.photo(WIDTH, HEIGHT).convert("CMYK"))
    # TurboJPEG stores CMYK as YCCK, with Adobe's marker for that; Pillow as it is.
    content = simplejpeg.encode_jpeg(stored, 95, "CMYK", "444") if is_ycck else jpeg("CMYK", quality=95)
    place = content.index(b"\xff\xee")
    marker = b"" if transform is None else odd_jpegs.segment(0xEE, b"Adobe\x00\x64" + bytes(4) + bytes([transform]))
    content = content[:place] + marker + content[place + 16 :]
    found = decode(content, 2 * WIDTH, MAX_PIXELS)
    assert isinstance(found, Decoded)
    by_pillow = np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))
    by_opencv = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
    for other in (by_pillow, by_opencv):
        grown = cv2.resize(np.ascontiguousarray(other), (2 * WIDTH,) * 2, interpolation=cv2.INTER_LINEAR_EXACT)
        assert np.abs(found.pixels.astype(int) - grown).max() <= 1


@pytest.mark.parametrize("progressive", [False, True])
def test_sampling_that_turbojpeg_has_no_name_for_is_read_by_pillow(progressive):
    """Pillow's own CMYK with ``subsampling`` is of that kind: 2x2, 1x1, 1x1, 1x1."""
    for quality in (30, 75, 95):
        content = jpeg("CMYK", subsampling=2, quality=quality, progressive=progressive)
        expected = Image.open(io.BytesIO(content)).convert("RGB").resize((SIDE, SIDE), Image.Resampling.BILINEAR)
        np.testing.assert_array_equal(pixels(content), np.asarray(expected))
        assert reason(odd_jpegs.halved(content)) is Reason.CORRUPT
        assert reason(content[: len(content) // 2]) is Reason.TRUNCATED
        assert reason(content[:-2]) is Reason.TRUNCATED


def test_such_a_jpeg_is_judged_by_its_full_size():
    found = decode(jpeg("CMYK", subsampling=2), SIDE, WIDTH * HEIGHT - 1)
    assert isinstance(found, Rejected)
    assert found.reason is Reason.TOO_MANY_PIXELS


@pytest.mark.parametrize("process", [0, 2, 3])
def test_a_tiny_file_cannot_hold_a_huge_picture(process):
    header = odd_jpegs.START + odd_jpegs.frame(process, (60_000, 60_000), 3)
    tail = odd_jpegs.segment(0xDA, b"\x03\x01\x00\x02\x00\x03\x00\x00\x3f\x00") + bytes(900)
    found = decode(header + tail, SIDE, 10**10)
    assert isinstance(found, Rejected)
    assert found.reason is Reason.TRUNCATED
