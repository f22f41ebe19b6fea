"""The hint: for small images alone, with figures, and once."""

import io
import logging
from types import SimpleNamespace

import pyarrow as pa
import pytest
from PIL import Image

from fruits_pipeline.features import hint as room
from fruits_pipeline.features.hint import MEASURED, hint, hint_about
from fruits_pipeline.settings.features import FeaturesSettings
from fruits_pipeline.storage.opening import open_store


def test_small_images_get_the_cheapest_setting_within_half_a_point():
    line = hint((100, 90), "mobilenetv2", "f32", 224)
    assert line.startswith("images are at most 100x90 pixels: --image-size 192 --precision int8 reads 3.2 times")
    assert "within 0.3 points" in line
    assert ": --image-size 192 reads 1.1 times" in hint((100, 90), "mobilenetv2", "int8", 224)
    assert ": --precision int8 reads 2.0 times" in hint((100, 90), "mobilenetv2", "f32", 160)


@pytest.mark.parametrize(("largest", "said"), [((160, 160), True), ((161, 20), False), ((20, 161), False)])
def test_small_means_that_the_image_is_enlarged_a_lot(largest, said):
    assert (hint(largest, "mobilenetv2", "f32", 224) is not None) is said


@pytest.mark.parametrize(
    ("backbone", "precision", "size"),
    [("xception", "f32", 299), ("mobilenetv2", "bf16", 224), ("mobilenetv2", "int8", 160), ("mobilenetv2", "f32", 192)],
)
def test_what_was_not_measured_is_not_told(backbone, precision, size):
    assert hint((50, 50), backbone, precision, size) is None


def test_the_table_is_worth_telling():
    assert all(row.speed > 1.5 and 0 <= row.points < 1 for row in MEASURED)


@pytest.fixture
def job(tmp_path):
    """A job on a folder with 40 images of 30 x 20 pixels, and its manifest."""
    for n in range(40):
        Image.new("RGB", (30, 20)).save(tmp_path / f"{n:02}.png")
    model = SimpleNamespace(backbone="mobilenetv2", precision="f32", image_size=224)
    store = open_store(str(tmp_path))
    job = SimpleNamespace(source=store, settings=FeaturesSettings(), model=model)
    rows = [{"path": f"{store.root}/{found.key}", "length": found.length} for found in store.objects()]
    return job, rows


def told(job, rows, caplog):
    caplog.set_level(logging.INFO, "fruits_pipeline")
    caplog.clear()
    hint_about(job, pa.Table.from_pylist(rows))
    return caplog.messages


def test_it_is_logged_once(job, caplog):
    (line,) = told(*job, caplog)
    assert line.startswith("hint: of 14 looked at, images are at most 30x20 pixels")


def test_unreadable_images_are_left_to_the_waves(job, caplog, tmp_path):
    (tmp_path / "00.png").unlink()
    (tmp_path / "03.png").write_bytes(b"no image")
    (line,) = told(*job, caplog)
    assert "of 12 looked at" in line


def test_one_large_image_ends_it(job, caplog, tmp_path):
    stream = io.BytesIO()
    Image.new("RGB", (500, 20)).save(stream, "PNG")
    (tmp_path / "03.png").write_bytes(stream.getvalue())
    assert told(*job, caplog) == []


def test_a_large_file_ends_it_unread(job, caplog, monkeypatch):
    surroundings, rows = job
    monkeypatch.setattr(room, "_content", lambda *_: 1 / 0)
    assert told(surroundings, [{**row, "length": 2_000_000} for row in rows], caplog) == []
