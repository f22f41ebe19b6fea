"""The drawn sample: as many pictures as asked for, in both splits, all different, the same for a seed."""

import hashlib
import itertools
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fruits_pipeline.demo.draw import draw, draw_sample
from fruits_pipeline.demo.fruit import FRUITS


def digests(folder: Path) -> dict[str, str]:
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    return {file.relative_to(folder).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def picture(label: str, seed: int) -> np.ndarray:
    return draw(FRUITS[label], np.random.default_rng(seed)).astype(int)


def test_counts_and_folders(tmp_path):
    assert draw_sample(tmp_path, images_per_label=8) == 8 * len(FRUITS)
    assert len(FRUITS) >= 6
    assert set(digests(tmp_path)) == {
        f"{split}/{label}/{number:03d}.jpg"
        for label in FRUITS
        for split, numbers in (("Test", range(2)), ("Training", range(2, 8)))
        for number in numbers
    }


@pytest.mark.parametrize(("share", "splits"), [(0.0, {"Training"}), (1.0, {"Test"})])
def test_all_in_one_split(tmp_path, share, splits):
    draw_sample(tmp_path, images_per_label=1, test_share=share)
    assert {folder.name for folder in tmp_path.iterdir()} == splits


def test_the_same_arguments_write_the_same_bytes(tmp_path):
    draw_sample(tmp_path, 2)
    first = digests(tmp_path)
    draw_sample(tmp_path, 2)
    assert digests(tmp_path) == first
    draw_sample(tmp_path / "other", 2, seed=7)
    assert not set(digests(tmp_path / "other").values()) & set(first.values())


def test_a_picture_does_not_depend_on_how_many_are_drawn(tmp_path):
    draw_sample(tmp_path / "few", 2, test_share=0)
    draw_sample(tmp_path / "many", 4, test_share=0)
    assert digests(tmp_path / "few").items() <= digests(tmp_path / "many").items()


def test_pictures_are_jpegs_of_100_by_100_pixels(tmp_path):
    draw_sample(tmp_path, 1)
    for file in tmp_path.rglob("*.jpg"):
        with Image.open(file) as image:
            assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (100, 100))


def test_no_two_pictures_are_alike(tmp_path):
    draw_sample(tmp_path, 8)
    found = digests(tmp_path)
    assert len(set(found.values())) == len(found)


@pytest.mark.parametrize("label", FRUITS)
def test_pictures_of_a_label_differ_clearly(label):
    pictures = [picture(label, seed) for seed in range(4)]
    for one, other in itertools.combinations(pictures, 2):
        assert np.abs(one - other).mean() > 5


@pytest.mark.parametrize("label", FRUITS)
def test_one_fruit_of_many_colours_on_near_white(label):
    for seed in range(4):
        found = picture(label, seed)
        corners = found[[0, 0, -1, -1], [0, -1, 0, -1]]
        # A stem or a leaf may reach into one of them.
        assert np.sort(corners.min(axis=1))[1:].min() > 235
        fruit = found[found.min(axis=2) < 200]
        assert 0.08 < len(fruit) / 10_000 < 0.8
        assert fruit.std(axis=0).max() > 12


def test_labels_differ_in_their_mean_colour_or_shape():
    means = {label: np.mean([picture(label, seed) for seed in range(12)], axis=0) for label in FRUITS}
    for one, other in itertools.combinations(FRUITS, 2):
        assert np.abs(means[one] - means[other]).mean() > 4, (one, other)
