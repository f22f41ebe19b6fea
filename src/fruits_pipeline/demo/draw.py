"""Draws small labelled pictures of fruit, on which the pipeline can be tried without other images.

Each picture is one fruit lit from a side on near-white, as in Fruits-360: the fruit's form read as a height,
its skin and blemishes, Lambert's cosine law and a highlight (Blinn 1977). What differs from picture to
picture comes from one seed, so the same arguments write the same bytes.
"""

from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from fruits_pipeline.demo.forms import Field
from fruits_pipeline.demo.fruit import FRUITS, Fruit, Painted, Surface, over

_SIDE = 100
# Pictures are drawn at this multiple of their size, then averaged: antialiasing.
_FINER = 2
_JPEG_QUALITY = 92
# Half the picture's side, in radii of the fruit.
_HALF_VIEW = 1.22
_BLEMISH = (92, 60, 34)
_AMBIENT = 0.42
_GLOSS_EXPONENT = 28


def draw_sample(folder: Path, images_per_label: int = 60, seed: int = 42, test_share: float = 0.25) -> int:
    """Draw fruit into ``folder``/Training/<Label>/NNN.jpg and ``folder``/Test/<Label>/NNN.jpg.

    Args:
        folder: where to write; made where it is missing, files of the same names are overwritten.
        images_per_label: pictures of each label, in both splits together; at least 1.
        seed: same seed, same bytes; at least 0.
        test_share: share of a label's pictures that go to Test, 0 to 1, rounded to whole pictures.

    Returns:
        The number of pictures written, each 100 x 100 pixels.
    """
    test_images = round(images_per_label * test_share)
    for index, (label, fruit) in enumerate(sorted(FRUITS.items())):
        for number in range(images_per_label):
            split = "Test" if number < test_images else "Training"
            file = folder / split / label / f"{number:03d}.jpg"
            file.parent.mkdir(parents=True, exist_ok=True)
            # Each picture has a stream of its own, so that other counts leave it as it is.
            picture = draw(fruit, np.random.default_rng([seed, index, number]))
            Image.fromarray(picture).save(file, "JPEG", quality=_JPEG_QUALITY)
    return images_per_label * len(FRUITS)


def draw(fruit: Fruit, rng: np.random.Generator) -> npt.NDArray[np.uint8]:
    """One picture: uint8 (100, 100, 3) RGB; pose, shape, hue, blemishes and light come from ``rng``."""
    at = _surface(fruit, rng)
    skin = _blemished(fruit.skin(at) * rng.normal(1, 0.045, (3, 1, 1)).astype(np.float32), fruit.spots, at, rng)
    cover = np.clip((1 - at.inside) * 30, 0, 1)
    if fruit.top is not None:
        share, colour = fruit.top(at.x, at.y)
        skin = over(skin, colour, share)
        cover = np.maximum(cover, share)
    diffuse, glint = _light(at, fruit.grain, rng)
    lit = skin * diffuse + 255 * fruit.gloss * glint
    ground = rng.uniform(247, 254) - 26 * np.exp(-np.clip(at.inside - 1, 0, None) * 9)
    picture = ground * (1 - cover) + lit * cover
    return _averaged(picture)


def _surface(fruit: Fruit, rng: np.random.Generator) -> Surface:
    """The fruit in a random pose: turned, moved, larger or smaller, stretched, slightly out of shape."""
    pixels = _SIDE * _FINER
    line = np.linspace(-_HALF_VIEW, _HALF_VIEW, pixels, dtype=np.float32)
    across, down = np.meshgrid(line, line)
    turn, size = rng.uniform(0, 2 * np.pi), rng.uniform(0.86, 1.08)
    across, down = across - rng.normal(0, 0.03), down - rng.normal(0, 0.03)
    x = (across * np.cos(turn) + down * np.sin(turn)) / size / rng.normal(1, 0.035)
    y = (down * np.cos(turn) - across * np.sin(turn)) / size / rng.normal(1, 0.035)
    angle = np.arctan2(y, x)
    shape = sum(rng.normal(0, 0.012) * np.cos(n * angle + rng.uniform(0, 2 * np.pi)) for n in (2, 3, 5))
    inside = fruit.form(x, y) * (1 + shape)
    return Surface(x, y, inside, _noise(rng, 6), _noise(rng, 48))


def _noise(rng: np.random.Generator, bumps: int) -> Field:
    """Smooth noise, ``bumps`` random values across the picture, with bicubic curves between them."""
    values = Image.fromarray(rng.normal(0, 1, (bumps, bumps)).astype(np.float32))
    side = _SIDE * _FINER
    return np.asarray(values.resize((side, side), Image.Resampling.BICUBIC))


def _blemished(skin: Painted, expected: float, at: Surface, rng: np.random.Generator) -> Painted:
    """The skin with some brown spots on it, each with a soft and uneven edge."""
    share = np.zeros_like(at.x)
    for _ in range(rng.poisson(expected)):
        x, y = rng.uniform(-0.75, 0.75, 2)
        radius, depth = rng.gamma(3, 0.02) + 0.015, rng.uniform(0.35, 0.85)
        away = np.hypot(at.x - x, at.y - y) / radius + 0.15 * at.fine
        share = np.maximum(share, depth * np.clip(1.6 - away, 0, 1))
    return over(skin, _BLEMISH, share)


def _light(at: Surface, grain: float, rng: np.random.Generator) -> tuple[Field, Field]:
    """How much of its colour each pixel shows (about 0.4 to 1.1), and how much highlight (0 to 1)."""
    height = 0.75 * np.sqrt(np.clip(1 - at.inside**2, 0, 1)) + grain * at.fine * (at.inside < 1)
    step = 2 * _HALF_VIEW / (_SIDE * _FINER)
    slope_down, slope_across = np.gradient(height, step)
    length = np.sqrt(slope_down**2 + slope_across**2 + 1)
    azimuth, altitude = rng.uniform(0, 2 * np.pi), rng.uniform(0.75, 1.2)
    flat = np.cos(altitude)
    sun = np.array([flat * np.cos(azimuth), flat * np.sin(azimuth), np.sin(altitude)], np.float32)
    half = sun + np.array([0, 0, 1], np.float32)
    half = half / np.linalg.norm(half)
    facing, mirrored = (np.clip((v[2] - slope_across * v[0] - slope_down * v[1]) / length, 0, 1) for v in (sun, half))
    brightness = rng.uniform(0.88, 1.12)
    return brightness * (_AMBIENT + (1.08 - _AMBIENT) * facing), mirrored**_GLOSS_EXPONENT


def _averaged(picture: Painted) -> npt.NDArray[np.uint8]:
    """The mean of each block of ``_FINER`` x ``_FINER`` pixels, channels last."""
    fine = np.ascontiguousarray(np.clip(np.round(picture), 0, 255).astype(np.uint8).transpose(1, 2, 0))
    return np.asarray(Image.fromarray(fine).reduce(_FINER))
