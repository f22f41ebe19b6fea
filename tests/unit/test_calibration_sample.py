"""The calibration sample: seeded, the same wherever the source is, and without what is for testing."""

import io
import shutil

import numpy as np
import pytest
from PIL import Image

from fruits_pipeline.calibrate import sample
from fruits_pipeline.errors import InputError
from fruits_pipeline.schemas import TEST, TRAIN
from fruits_pipeline.settings.calibrate import CalibrateSettings
from fruits_pipeline.storage.source import parse_source

SIZE = 8


def grey(value):
    stream = io.BytesIO()
    Image.new("RGB", (SIZE, SIZE), (value, value, value)).save(stream, "PNG")
    return stream.getvalue()


@pytest.fixture
def source(tmp_path):
    """Grey images whose shade says where they lie: Training below 100, Test from 100 on, neither from 200 on."""
    for folder, first in (("Training/A", 0), ("test/A", 100), ("B", 200)):
        (tmp_path / "images" / folder).mkdir(parents=True)
        for n in range(20):
            (tmp_path / "images" / folder / f"{n}.png").write_bytes(grey(first + n))
    (tmp_path / "images" / "Training" / "A" / "damaged.png").write_bytes(grey(7)[:40])
    (tmp_path / "images" / "Training" / "A" / "notes.txt").write_bytes(b"x")
    return tmp_path / "images"


def shades(folder, images=10_000, seed=42):
    settings = CalibrateSettings(data_source=str(folder), calibration_images=images, calibration_seed=seed)
    pixels = sample.calibration_pixels(parse_source(str(folder)), settings, SIZE)
    assert pixels.shape[1:] == (SIZE, SIZE, 3)
    assert pixels.dtype == np.uint8
    return pixels[:, 0, 0, 0].tolist()


def test_all_that_is_for_training_is_taken_and_nothing_else(source, monkeypatch):
    monkeypatch.setattr(sample, "split_of", lambda *_: TRAIN)
    assert sorted(shades(source)) == [*range(20), *range(200, 220)]


def test_images_that_are_for_testing_by_their_content_are_left_out(source, monkeypatch):
    monkeypatch.setattr(sample, "split_of", lambda *_: TEST)
    assert sorted(shades(source)) == [*range(20)]


def test_the_sample_goes_by_the_seed_and_not_by_the_place(source, tmp_path):
    shutil.copytree(source, tmp_path / "elsewhere")
    assert shades(source, 10) == shades(tmp_path / "elsewhere", 10)
    assert len(shades(source, 10)) == 10
    assert shades(source, 10) != shades(source, 10, seed=43)


def test_nothing_usable_is_an_input_error(source):
    shutil.rmtree(source / "Training")
    shutil.rmtree(source / "B")
    with pytest.raises(InputError, match=r"outside of Test folders, found 0 that could be"):
        shades(source)
