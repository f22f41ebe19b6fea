"""``predict`` by a small real model: the mean of each colour, of which a regression makes labels."""

import csv
import io
import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
from feature_jobs import mean_colour_model
from PIL import Image

from fruits_pipeline import cli
from fruits_pipeline.features.recipe import made_by_here
from fruits_pipeline.settings.features import FeaturesSettings
from fruits_pipeline.state.layout import portable_file
from fruits_pipeline.state.recipe import Recipe
from fruits_pipeline.state.room_marker import AnyFacts
from fruits_pipeline.state.rooms import Rooms
from fruits_pipeline.storage.opening import open_store
from fruits_pipeline.trained.arrays import RegressionArrays
from fruits_pipeline.trained.backbone import keep_backbone, kept_backbone
from fruits_pipeline.trained.classifier import Classifier, save_classifier
from fruits_pipeline.trained.familiarity import STEPS, Familiarity, save_familiarity
from fruits_pipeline.trained.projection import Projection, save_projection
from fruits_pipeline.trained.saved import save

SIDE = 32
COLOURS = {"Apple": (200, 20, 20), "Kiwi": (20, 200, 20), "Plum": (20, 20, 200)}
REASONS = "the reason of each stands in the output above"
BLANK = {"label": "Blank", "confidence": 1.0}


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """An output as ``run`` leaves it, of which only the models are there."""
    model = mean_colour_model(tmp_path_factory.mktemp("model"), SIDE)
    store = open_store(str(tmp_path_factory.mktemp("output")))
    settings = FeaturesSettings(image_size=SIDE)
    recipe = Recipe(settings=settings.essentials(), made_by=made_by_here("openvino") | {"model_sha256": model.sha256})
    rooms = Rooms(store, overwrite=False)
    rooms.begin("reduce", {}, "features", AnyFacts)
    keep_backbone(store, model, recipe)
    projection = Projection("none", np.zeros(3), np.eye(3), 3, 2)
    backbone = save(store, "backbone", kept_backbone(store, recipe))
    portable = {"backbone": backbone, "reduce": save_projection(store, projection)}
    reduced = rooms.finish("reduce", AnyFacts(portable=portable))
    rooms.begin("classify", {}, reduced.digest, AnyFacts)
    arrays = RegressionArrays(np.eye(3) / 20, np.zeros(3))
    classifier = save_classifier(store, Classifier("logistic_regression", arrays, tuple(COLOURS)))
    # A blue image lies wholly outside of the two leading components, red and green ones inside.
    familiarity = save_familiarity(store, Familiarity(STEPS / 2))
    rooms.finish("classify", AnyFacts(portable={"logistic_regression": classifier, "familiarity": familiarity}))
    return store


@pytest.fixture
def model(trained, tmp_path):
    return shutil.copytree(trained.root.removeprefix("file://"), tmp_path / "model")


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for name, colour in COLOURS.items():
        Image.new("RGB", (40, 30), colour).save(folder / f"{name}.png")
    return folder


@pytest.fixture
def predict(model, capfd):
    """Runs the command on photos, and gives its exit code and what it printed."""

    def run(*words):
        capfd.readouterr()
        code = cli.main(["predict", "--model", str(model), *map(str, words)])
        return code, *capfd.readouterr()

    return run


def rows(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_a_table_tells_three_labels_and_familiarity(predict, photos):
    code, out, err = predict(*(photos / f"{name}.png" for name in COLOURS))
    assert (code, err) == (0, "")
    head, *lines = out.splitlines()
    assert head.split() == ["familiarity", "prediction", "second", "third", "photo"]
    assert [line.split()[1:3] for line in lines] == [[name, "0.9998"] for name in COLOURS]
    assert [line.split()[0] for line in lines] == ["0.980", "0.980", "unfamiliar"]
    assert [line.index("file:///") for line in lines] == [head.index("photo")] * 3


def test_json_is_one_array_and_csv_has_a_header(predict, photos):
    code, out, _ = predict(photos, "--format", "json", "--top", 2)
    found = json.loads(out)
    assert code == 0
    assert [one["path"].rpartition("/")[2] for one in found] == ["Apple.png", "Kiwi.png", "Plum.png"]
    apple = found[0]
    assert [guess["label"] for guess in apple["guesses"]] == ["Apple", "Kiwi"]
    assert sum(guess["confidence"] for guess in apple["guesses"]) == pytest.approx(1, abs=1e-3)
    assert [one["unfamiliar"] for one in found] == [False, False, True]
    code, out, _ = predict(photos, "--format", "csv", "--top", 2)
    assert code == 0
    expected = ["path", "familiarity", "unfamiliar", "label_1", "confidence_1", "label_2", "confidence_2"]
    assert list(rows(out)[0]) == [*expected, "reason", "detail"]
    assert [row["label_1"] for row in rows(out)] == list(COLOURS)


def test_probabilities_are_those_of_all_labels_in_columns_of_their_names(predict, photos):
    (photos / "broken.png").write_bytes(b"nothing")
    code, out, _ = predict(
        "--format", "csv", "--top", "1", "--probabilities", photos / "Kiwi.png", photos / "broken.png"
    )
    kiwi, broken = rows(out)
    found = {label: float(kiwi[f"probability_{label}"]) for label in COLOURS}
    assert code == 3
    assert (max(found, key=found.get), sum(found.values())) == ("Kiwi", pytest.approx(1))
    assert float(kiwi["confidence_1"]) == found["Kiwi"]
    assert {broken[f"probability_{label}"] for label in COLOURS} == {""}


def test_probabilities_in_json_are_an_object_and_in_a_table_all_labels(predict, photos):
    (found,) = json.loads(predict("--format", "json", "--probabilities", photos / "Kiwi.png")[1])
    assert list(found["probabilities"]) == list(COLOURS)
    assert found["probabilities"]["Kiwi"] == found["guesses"][0]["confidence"]
    assert "probabilities" not in json.loads(predict("--format", "json", photos / "Kiwi.png")[1])[0]
    _, table, _ = predict("--probabilities", "--top", "1", photos / "Kiwi.png")
    assert all(f"{label} 0." in table or f"{label} 1." in table for label in COLOURS)


def test_more_labels_than_there_are_leave_room(predict, photos):
    code, out, _ = predict(photos / "Kiwi.png", "--format", "csv", "--top", 5)
    assert (code, rows(out)[0]["label_3"] != "", rows(out)[0]["label_4"]) == (0, True, "")
    assert predict(photos / "Kiwi.png", "--top", 5)[0] == 0


def test_globs_and_lines_of_standard_input_name_photos_in_their_order(predict, photos, monkeypatch):
    lines = io.StringIO(f"{photos}/Plum.png\r\n\n{photos}/Apple.png")
    monkeypatch.setattr("sys.stdin", lines)
    code, out, _ = predict("-", f"{photos}/*i.png", "--format", "csv")
    assert (code, [row["label_1"] for row in rows(out)]) == (0, ["Plum", "Apple", "Kiwi"])


def test_a_name_with_wildcards_is_that_of_a_photo_where_there_is_one(predict, photos):
    (photos / "Kiwi.png").rename(photos / "kiwi[1].png")
    code, out, _ = predict(photos / "kiwi[1].png", "--format", "csv")
    assert (code, rows(out)[0]["label_1"]) == (0, "Kiwi")


@pytest.mark.parametrize("how", ["table", "csv", "json"])
def test_what_cannot_be_read_is_told_with_its_reason_after_all_others(predict, photos, how):
    (photos / "empty.png").touch()
    (photos / "text.png").write_text("no image")
    words = [photos / "text.png", photos / "gone.png", photos / "empty.png", photos / "Apple.png"]
    code, out, err = predict(*words, "--format", how)
    assert code == 3
    assert err == f"error: expected photos that can be read, found 3 of 4 that cannot; {REASONS}\n"
    places = [out.index(word) for word in ("not_an_image", "missing", "empty", "Apple")]
    assert places == sorted(places) or how != "table"
    if how == "csv":
        assert [row["reason"] for row in rows(out)] == ["not_an_image", "missing", "empty", ""]
        assert [row["label_1"] for row in rows(out)] == ["", "", "", "Apple"]


@pytest.mark.parametrize("bad", [1, 33, 70])
def test_photos_that_cannot_be_read_keep_none_from_those_after_them(predict, photos, bad):
    code, out, _ = predict(*[photos / "gone.png"] * bad, photos / "Kiwi.png", "--format", "json")
    assert (code, [one["reason"] for one in json.loads(out)]) == (3, ["missing"] * bad + [None])
    code, out, _ = predict(*[photos / "gone.png"] * bad, "--format", "json")
    assert (code, len(json.loads(out))) == (3, bad)


def test_a_folder_of_nothing_is_told_before_any_photo(predict, photos, tmp_path):
    (tmp_path / "none").mkdir()
    code, out, err = predict(photos / "Kiwi.png", tmp_path / "none")
    assert (code, out) == (3, "")
    assert f"expected photos in {tmp_path}/none, found none" in err


@pytest.mark.parametrize("words", [["{}/none-*"], ["-"]])
def test_what_ends_before_the_model_is_loaded_ends_by_its_exit_code(model, photos, words):
    line = [sys.executable, "-m", "fruits_pipeline", "predict", "--model", str(model)]
    named = [word.format(photos) for word in words]
    done = subprocess.run([*line, *named], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.returncode == 3, done.stderr
    assert done.stderr.startswith("error: expected photos") or done.stderr.startswith("error: predict expects photos")


def test_a_path_of_two_lines_is_one_row_of_csv(predict, photos):
    (photos / "Kiwi.png").rename(photos / "Ki\nwi.png")
    code, out, _ = predict(photos / "Ki\nwi.png", "--format", "csv")
    assert (code, [row["label_1"] for row in rows(out)]) == (0, ["Kiwi"])


def test_a_name_that_is_no_utf_8_is_told_as_it_is(model, photos):
    name = os.fsencode(photos) + b"/k\xe9.png"
    shutil.copy(os.fsencode(photos / "Kiwi.png"), name)
    line = [sys.executable, "-m", "fruits_pipeline", "predict", "--model", str(model), "--format", "csv", name]
    done = subprocess.run(line, capture_output=True, check=True)
    assert b"Kiwi" in done.stdout


def test_many_photos_are_told_in_their_order(predict, photos):
    names = [name for number in range(40) for name in sorted(COLOURS, key=lambda name: hash((number, name)))]
    code, out, _ = predict(*(photos / f"{name}.png" for name in names), "--format", "csv")
    assert (code, [row["label_1"] for row in rows(out)]) == (0, names)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "error: predict expects photos, found none; name files, folders or globs, or - for standard input"),
        (["{}/nothing-*"], "error: expected photos in {}/nothing-*, found none; name files, folders or globs of them"),
    ],
)
def test_no_photo_is_told(predict, photos, words, told):
    code, out, err = predict(*(word.format(photos) for word in words))
    assert code == 3
    assert err.splitlines()[-1] == told.format(photos)
    assert not [line for line in out.splitlines() if "file:" in line]


@pytest.mark.parametrize("part", ["backbone", "reduce", "logistic_regression", "familiarity"])
def test_one_changed_byte_of_the_models_ends_with_5_and_nothing_is_told(predict, photos, model, part):
    file = model / portable_file(part)
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    code, out, err = predict(photos)
    assert (code, out) == (5, "")
    assert portable_file(part) in err.splitlines()[-1]
    assert "it was changed since it was trained" in err


def test_models_that_are_not_there_or_not_finished_end_with_5(predict, photos, model):
    (model / "_state/classify.json").unlink()
    code, out, err = predict(photos)
    assert (code, out) == (5, "")
    assert "expected the models of a finished run under" in err
    shutil.rmtree(model)
    assert predict(photos)[0] == 5
    assert not model.exists()


def test_a_classifier_that_was_not_fitted_is_refused(predict, photos):
    code, _, err = predict(photos, "--classifier", "random_forest")
    assert code == 2
    assert "(logistic_regression), found random_forest" in err


def test_another_way_of_decoding_than_that_of_the_training_is_told(predict, photos, monkeypatch):
    monkeypatch.setattr("fruits_pipeline.features.recipe.RULES", 99)
    code, _, err = predict(photos)
    assert code == 0
    assert "features may differ a little from those of the training: decoding_rules: 3 -> 99" in err


def test_a_reader_that_goes_early_ends_it_without_a_word(model, photos):
    line = [sys.executable, "-m", "fruits_pipeline", "predict", "--model", str(model), "-"]
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    with subprocess.Popen(line, text=True, **pipes) as ours:
        ours.stdin.write(f"{photos}/Kiwi.png\n" * 200)
        ours.stdin.close()
        ours.stdout.readline()
        ours.stdout.close()
        assert ours.stderr.read() == ""
        assert ours.wait() == 0


def test_neither_spark_nor_tensorflow_nor_pandas_is_imported(model, photos):
    """For a photo; pandas alone takes half a second."""
    words = ["predict", "--model", str(model), str(next(photos.rglob("*.png")))]
    program = (
        "import sys; from fruits_pipeline import cli; code = cli.main(sys.argv[1:]); "
        "heavy = {'pyspark', 'py4j', 'tensorflow', 'keras', 'pandas'}; "
        "print(sorted({name.partition('.')[0] for name in sys.modules} & heavy)); "
        "sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", program, *words], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
