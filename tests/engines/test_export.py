"""``export`` of a small real model, the mean of each colour, as OpenVINO: needs no weights, and no TensorFlow."""

import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from feature_jobs import mean_colour_model
from PIL import Image

from app_outputs import app_output, write
from fruits_pipeline import cli, schemas
from fruits_pipeline.state.layout import PREDICTIONS, portable_file
from fruits_pipeline.state.room_marker import AnyFacts
from fruits_pipeline.state.rooms import Rooms
from fruits_pipeline.storage.opening import open_store

SIDE = 32
COLOURS = {"Apple": (200, 20, 20), "Kiwi": (20, 200, 20), "Plum": (20, 20, 200)}
SIDES = {"Training": 12, "Validation": 8, "Test": 10}
WRITTEN = {"labels.txt", "model-card.md", "model.bin", "model.json", "model.xml", "reference"}


@pytest.fixture(scope="session")
def images(tmp_path_factory):
    folder, noise = tmp_path_factory.mktemp("images"), np.random.default_rng(0)
    for side, count in SIDES.items():
        for label, colour in COLOURS.items():
            (folder / side / label).mkdir(parents=True)
            for number in range(count):
                pixels = np.clip(np.array(colour) + noise.normal(0, 40, (30, 40, 3)), 0, 255).astype(np.uint8)
                Image.fromarray(pixels).save(folder / side / label / f"{number}.png")
    return folder


@pytest.fixture(scope="session")
def finished(tmp_path_factory, images):
    model = mean_colour_model(tmp_path_factory.mktemp("model"), SIDE)
    return Path(app_output(tmp_path_factory.mktemp("output"), images, model).root.removeprefix("file://"))


@pytest.fixture
def output(finished, tmp_path):
    return shutil.copytree(finished, tmp_path / "output")


@pytest.fixture
def app(tmp_path):
    return tmp_path / "app"


@pytest.fixture
def export(output, app, capfd):
    """Runs the command, and gives its exit code and what it printed."""

    def run(*words):
        capfd.readouterr()
        line = ["export", "--model", str(output), "--output-uri", str(app), "--format", "openvino"]
        code = cli.main([*line, *map(str, words)])
        return code, *capfd.readouterr()

    return run


def test_the_folder_has_all_that_an_app_needs(export, app):
    code, out, _ = export("--images", 50)
    assert code == 0
    assert {file.name for file in app.iterdir()} == WRITTEN
    assert (app / "labels.txt").read_text().splitlines() == list(COLOURS)
    told = json.loads((app / "model.json").read_text())
    agreement = told["agreement"]
    assert (agreement["images"], agreement["held_out"], agreement["same"]) == (50, 50, 50)
    assert agreement["largest_difference"] < 1e-5
    assert told["spec"]["fitted"]["confidence"]["split"] == "validation"
    assert 26 <= told["checked"]["images"] <= 30  # of 50, of which at most 24 are of validation
    assert told["spec"]["trained"]["sides"] == {"train": 36, "validation": 24, "test": 30, "predicted_only": 0}
    assert [line.split()[0] for line in out.splitlines()][:3] == ["model", "agreement", "speed"]
    assert "100.00% with Spark's regression on 50 images (50 of them held out)" in out


def test_the_card_and_the_json_have_the_sha256_of_each_file(export, app, hashed):
    assert export()[0] == 0
    told, card = json.loads((app / "model.json").read_text()), (app / "model-card.md").read_text()
    files = {str(file.relative_to(app)) for file in app.rglob("*.*")} - {"model.json", "model-card.md"}
    assert {name: hashed(app / name) for name in files} == told["sha256"]
    assert all(f"| `{name}` | `{digest}` |" in card for name, digest in told["sha256"].items())


@pytest.fixture
def hashed():
    return lambda file: open_store(str(file.parent)).checksum(file.name).removeprefix("sha256:")


def test_the_reference_is_what_the_model_and_the_trained_arrays_say(export, app):
    assert export()[0] == 0
    reference = json.loads((app / "reference/reference.json").read_text())
    assert len(reference["vectors"]) == 10
    for vector in reference["vectors"]:
        with Image.open(app / "reference" / vector["pixels"]) as image:
            assert (image.mode, image.size) == ("RGB", (SIDE, SIDE))
        assert sum(vector["expected"]) == pytest.approx(1, abs=1e-4)
        np.testing.assert_allclose(vector["expected"], vector["trained"], atol=1e-4)
        assert vector["label"] == list(COLOURS)[int(np.argmax(vector["expected"]))]


@pytest.mark.parametrize("part", ["backbone", "reduce", "logistic_regression", "familiarity"])
def test_one_changed_byte_of_the_models_ends_with_5_and_nothing_is_written(export, output, app, part):
    change_byte(output / portable_file(part))
    code, out, err = export()
    assert (code, out) == (5, "")
    assert "it was changed since it was trained" in err
    assert not app.exists()


@pytest.mark.parametrize("dataset", ["reduced", "predictions", "evaluation/confusion"])
def test_one_changed_byte_of_the_rows_ends_with_5_and_nothing_is_written(export, output, app, dataset):
    change_byte(next((output / dataset).glob("*.parquet")))
    code, out, err = export()
    assert (code, out) == (5, "")
    assert "it was changed since it was written" in err
    assert not app.exists()


@pytest.mark.parametrize("checksum", ["crc32c:AAAAAA==", "etag:0123"])
def test_a_copy_of_an_output_that_was_in_a_bucket_is_as_good(export, output, checksum):
    for room in ("reduce", "classify"):
        marker = output / f"_state/{room}.json"
        content = json.loads(marker.read_text())
        for file in content["files"]:
            file["checksum"] = checksum
        marker.write_text(json.dumps(content))
    assert export()[0] == 0


def change_byte(file):
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def answer_otherwise(output):
    """Lets Spark's regression have said another label of one test image."""
    store = open_store(str(output))
    rows = pq.read_table(output / PREDICTIONS).to_pylist()
    row = next(row for row in rows if row["split"] == schemas.TEST)
    row["prediction"] = next(label for label in COLOURS if label != row["label"])
    write(store, f"{PREDICTIONS}/part-00000.parquet", pa.Table.from_pylist(rows, schema=schemas.PREDICTIONS))
    rooms = Rooms(store, overwrite=False)
    rooms.finish("classify", rooms.marker("classify", AnyFacts).facts_or_fail)


def test_a_model_that_says_another_label_of_more_than_one_in_100_is_refused_but_for_force(export, output, app, golden):
    answer_otherwise(output)
    code, out, err = export("--log-level", "ERROR")
    assert (code, out) == (4, "")
    assert not app.exists()
    told = export("--force")
    assert told[0] == 0
    assert "agreement   98.89% with" in told[1]
    assert "written all the same, because of --force" in told[2]
    assert "agreement: 0.9889" in (app / "model-card.md").read_text()
    golden("export_disagrees", err)


@pytest.fixture
def own_images(images, tmp_path):
    return shutil.copytree(images, tmp_path / "images")


@pytest.fixture
def output_of_own_images(own_images, tmp_path):
    return app_output(tmp_path / "output", own_images, mean_colour_model(tmp_path, SIDE))


@pytest.mark.usefixtures("output_of_own_images")
def test_images_that_were_changed_or_are_gone_are_told_and_fewer_than_half_are_refused(
    tmp_path, app, own_images, golden, capsys
):
    line = ["export", "--model", str(tmp_path / "output"), "--output-uri", str(app), "--format", "openvino"]
    line += ["--images", "90", "--log-level", "ERROR"]
    files = sorted(own_images.rglob("*.png"))
    for file in files[:40]:
        file.unlink()
    Image.new("RGB", (9, 9)).save(files[40])
    assert cli.main(line) == 0
    assert "left out    changed 1, missing 40" in capsys.readouterr().out
    assert "could not be compared: changed 1, missing 40." in (app / "model-card.md").read_text()
    shutil.rmtree(app)
    for file in files[41:50]:
        file.unlink()
    assert cli.main(line) == 3
    assert not app.exists()
    fault = capsys.readouterr().err
    assert cli.main([*line, "--force"]) == 0
    for file in files[50:]:
        file.unlink()
    capsys.readouterr()
    assert cli.main([*line, "--force", "--overwrite"]) == 3
    assert "found 0 as they were (changed 1, missing 89); put them back" in capsys.readouterr().err
    golden("export_unreadable", fault)


def test_a_folder_that_is_not_empty_is_refused_and_overwrite_replaces_an_earlier_export(export, app, golden, tmp_path):
    app.mkdir()
    (app / "notes.txt").write_text("mine")
    (app / "model.tflite").write_text("of an earlier export")
    code, _, err = export()
    assert (code, sorted(file.name for file in app.iterdir())) == (2, ["model.tflite", "notes.txt"])
    golden("export_not_empty", err, folder=tmp_path)
    assert export("--overwrite")[0] == 2
    (app / "model.tflite").unlink()
    (app / "notes.txt").rename(tmp_path / "notes.txt")
    assert export()[0] == 0
    (tmp_path / "notes.txt").rename(app / "notes.txt")
    assert export("--overwrite")[0] == 0
    assert {file.name for file in app.iterdir()} == WRITTEN | {"notes.txt"}
    assert (app / "notes.txt").read_text() == "mine"


def test_an_export_into_the_output_itself_is_refused(output, golden, tmp_path, capsys):
    assert cli.main(["export", "--model", str(output), "--output-uri", str(output / "app")]) == 2
    golden("export_inside_output", capsys.readouterr().err, folder=tmp_path)


def test_an_output_without_a_regression_is_refused(export, output, golden, tmp_path):
    rooms = Rooms(open_store(str(output)), overwrite=False)
    facts = rooms.marker("classify", AnyFacts).facts_or_fail
    forest = {"random_forest": "0" * 64, "familiarity": facts.portable["familiarity"]}
    rooms.finish("classify", AnyFacts(portable=forest))
    code, _, err = export()
    assert code == 2
    golden("export_no_regression", err, folder=tmp_path)
