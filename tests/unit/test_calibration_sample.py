"""The calibration sample: seeded, the same wherever the source is, and without what is for testing."""

import hashlib
import io
import shutil

import numpy as np
import pytest
from PIL import Image

from fruits_pipeline.calibrate import sample
from fruits_pipeline.errors import InputError
from fruits_pipeline.ingest.listing import source_at
from fruits_pipeline.reduce.split import split_of
from fruits_pipeline.schemas import TRAIN
from fruits_pipeline.settings.calibrate import CalibrateSettings
from fruits_pipeline.settings.storage import StorageSettings

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
    pixels, contents = sample.calibration_sample(source_at(str(folder), StorageSettings()), settings, SIZE)
    assert pixels.shape[1:] == (SIZE, SIZE, 3)
    assert pixels.dtype == np.uint8
    found = pixels[:, 0, 0, 0].tolist()
    assert [hashlib.sha256(grey(shade)).hexdigest() for shade in found] == list(contents)
    return found


def is_train(shade, share):
    return split_of(hashlib.sha256(grey(shade)).hexdigest(), share) == TRAIN


@pytest.mark.parametrize("share", [0.5, 0.6, 0.8, 0.9])
def test_no_image_of_the_sample_is_for_testing_however_the_split_is_made(source, share):
    found = shades(source)
    assert found
    assert all(shade < 100 or shade >= 200 for shade in found)
    assert all(is_train(shade, share) for shade in found)


def test_all_other_images_are_taken(source):
    wanted = [shade for shade in (*range(20), *range(200, 220)) if is_train(shade, 0.5)]
    assert sorted(shades(source)) == wanted
    assert 10 < len(wanted) < 30


@pytest.mark.parametrize("split", ["test", "validation", "train", ""])
def test_the_split_of_a_table_counts(source, split):
    table = source.with_name("photos.csv")
    rows = [f"images/B/{n}.png,x,{split}" for n in range(20)]
    table.write_text("\n".join(["path,label,split", *rows, "images/Training/A/0.png,x,train"]) + "\n")
    found = shades(table)
    assert any(shade >= 200 for shade in found) == (split in {"train", ""})


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
