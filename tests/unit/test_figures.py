"""Figures of pictures: each says what its name says, and none is moved by what it must not be."""

import cv2
import numpy as np
import pytest

from fruits_pipeline import schemas
from fruits_pipeline.images.figures import Figures, figures

SIDE = 224


def flat(level):
    return np.full((SIDE, SIDE, 3), level, np.uint8)


def photo(seed=0):
    """A smooth picture with some edges: blocks of colour, softened once."""
    blocks = np.random.default_rng(seed).integers(0, 256, (9, 9, 3), np.uint8)
    return cv2.GaussianBlur(cv2.resize(blocks, (SIDE, SIDE), interpolation=cv2.INTER_NEAREST), (5, 5), 0)


def bits(first, second):
    return ((first ^ second) & ((1 << 64) - 1)).bit_count()


def test_the_columns_are_those_of_the_schema():
    assert list(Figures._fields) == schemas.FIGURES.names


@pytest.mark.parametrize(("level", "luminance"), [(0, 0.0), (128, 128 / 255), (255, 1.0)])
def test_a_flat_picture_is_as_bright_as_its_level_plain_and_not_sharp(level, luminance):
    found = figures(flat(level))
    assert found[:3] == pytest.approx((luminance,) * 3)
    assert (found.entropy, found.sharpness) == (0.0, 0.0)


def test_luminance_weighs_red_green_and_blue_as_bt_601_does():
    colours = np.zeros((3, SIDE, SIDE, 3), np.uint8)
    for place in range(3):
        colours[place, ..., place] = 255
    assert [round(figures(colour).brightness, 2) for colour in colours] == [0.30, 0.59, 0.11]


def test_five_of_a_hundred_pixels_are_the_darkest_and_one_the_brightest():
    grey = np.full(SIDE * SIDE, 100, np.uint8)
    grey[: int(0.06 * grey.size)] = 10
    grey[-int(0.02 * grey.size) :] = 200
    picture = np.repeat(grey.reshape(SIDE, SIDE, 1), 3, axis=2)
    found = figures(picture)
    assert (round(found.darkest * 255), round(found.brightest * 255)) == (10, 200)
    grey[int(0.03 * grey.size) : int(0.06 * grey.size)] = 100
    grey[-int(0.02 * grey.size) : -int(0.005 * grey.size)] = 100
    found = figures(np.repeat(grey.reshape(SIDE, SIDE, 1), 3, axis=2))
    assert (round(found.darkest * 255), round(found.brightest * 255)) == (100, 100)


def test_entropy_counts_luminances_in_bits():
    half = flat(0)
    half[: SIDE // 2] = 255
    assert figures(half).entropy == pytest.approx(1.0)


def test_a_blurred_picture_is_less_sharp_wherever_its_edges_lie():
    sharp = photo()
    blurred = cv2.GaussianBlur(sharp, (0, 0), 8)
    assert figures(blurred).sharpness < 0.5 * figures(sharp).sharpness
    corner = flat(255)
    corner[:80, :80] = sharp[:80, :80]
    assert figures(corner).sharpness > 2 * figures(blurred).sharpness


@pytest.mark.parametrize("seed", range(5))
def test_the_hash_stays_with_the_look_and_goes_with_the_picture(seed):
    one = photo(seed)
    mine = figures(one).perceptual_hash
    assert -(1 << 63) <= mine < 1 << 63
    _, jpeg = cv2.imencode(".jpg", one, [cv2.IMWRITE_JPEG_QUALITY, 60])
    small = cv2.resize(cv2.resize(one, (150, 150), interpolation=cv2.INTER_AREA), (SIDE, SIDE))
    for same in (cv2.imdecode(jpeg, cv2.IMREAD_COLOR), small, cv2.convertScaleAbs(one, alpha=0.8)):
        assert bits(mine, figures(same).perceptual_hash) <= 4
    for other in (photo(seed + 100), np.ascontiguousarray(one[:, ::-1])):
        assert bits(mine, figures(other).perceptual_hash) >= 16


def test_figures_do_not_follow_the_models_size():
    one = photo()
    found = [figures(cv2.resize(one, (side, side), interpolation=cv2.INTER_AREA)) for side in (128, 192, 224)]
    for figure in ("brightness", "darkest", "brightest", "entropy"):
        values = [getattr(one, figure) for one in found]
        assert max(values) - min(values) < 0.03 * max(values)
