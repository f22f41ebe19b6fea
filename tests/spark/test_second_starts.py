"""What a second start must not do: lose what is finished, replace what was not asked for, read what no marker names."""

import hashlib
import json
import shutil
from dataclasses import replace

import pandas as pd
from feature_jobs import picture
from in_process import table_of
from pyspark.errors import PythonException
from small_source import add_images, extract, feature_files, rows_of, run

from fruits_pipeline import pipeline
from fruits_pipeline.errors import ModelError
from fruits_pipeline.features import compute_features, retry
from fruits_pipeline.features.recipe import recipe_of
from outputs import contents, record, table


def raises(error):
    def fail(*_args, **_settings):
        raise error

    return fail


def test_rejects_that_cannot_be_tried_again_leave_what_is_finished(command, images, output, monkeypatch):
    rows = rows_of(images) | {"images/Test/Kiwi/gone.png": ("Kiwi", "test")}
    source = table_of(images.with_name("photos.csv"), rows)
    extract(command, source, output)
    before = contents(output)
    monkeypatch.setattr(retry, "_mended", raises(PythonException("StorageError: all forbidden")))
    ended = extract(command, source, output)
    assert "rejected images=1 were not tried again" in ended.err
    assert feature_files(output).items() <= before.items()
    assert record(output)["counts"]["reject_reasons"] == {"missing": 1}


def test_damaged_features_that_are_to_be_copied_are_computed_again(command, images, finished):
    for file in (finished / "features/wave=00000").glob("*.parquet"):
        content = bytearray(file.read_bytes())
        content[len(content) // 2] ^= 1
        file.write_bytes(content)
    (images / "Training/Apple/0.png").write_bytes(picture((9, 9, 9)))
    ended = extract(command, images, finished)
    assert "computed again as a whole because features of the last run that it reuses are damaged" in ended.err
    assert record(finished)["change"]["computed"] == 30


def test_features_stay_until_others_can_be_made(command, images, finished, monkeypatch):
    before = feature_files(finished)
    with monkeypatch.context() as patch:
        patch.setattr(compute_features, "probe", raises(ModelError("expected bf16, found none")))
        words = ("--data-source", images, "--output-uri", finished, "--overwrite", "--max-pixels", "5000")
        assert command("extract", *words).code == 4
    assert feature_files(finished) == before
    extract(command, images, finished)
    assert feature_files(finished) == before
    assert command("extract", *words).code == 0
    assert not feature_files(finished).items() & before.items()


def test_other_settings_hold_also_where_all_labels_changed_with_them(command, images, output):
    rows = rows_of(images)
    source = table_of(images.with_name("photos.csv"), rows)
    extract(command, source, output)
    table_of(source, {path: (f"new {label}", split) for path, (label, split) in rows.items()})
    extract(command, source, output, "--overwrite", "--max-pixels", "5000")
    assert record(output)["change"]["computed"] == 48


def with_another_decoder(settings, model):
    recipe = recipe_of(settings, model)
    return recipe.model_copy(update={"made_by": recipe.made_by | {"pillow": "99"}})


def test_another_decoder_replaces_finished_features_only_where_some_are_to_be_computed(
    command, images, finished, monkeypatch
):
    before = feature_files(finished)
    monkeypatch.setattr(pipeline, "recipe_of", with_another_decoder)
    ended = extract(command, images, finished, "--overwrite")
    assert feature_files(finished) == before
    assert "finished features are kept" in ended.err
    add_images(images, 1, first=100)
    words = ("--data-source", images, "--output-uri", finished)
    ended = command("extract", *words)
    assert (ended.code, "pillow: " in ended.message) == (5, True)
    assert feature_files(finished).items() >= before.items()
    assert command("extract", *words, "--overwrite").code == 0
    assert record(finished)["change"]["computed"] == 54


def test_a_relabelling_needs_no_decoder(command, images, output, monkeypatch):
    rows = rows_of(images) | {"images/Test/Kiwi/gone.png": ("Kiwi", "test")}
    source = table_of(images.with_name("photos.csv"), rows)
    run(command, source, output)
    monkeypatch.setattr(pipeline, "recipe_of", with_another_decoder)
    table_of(source, {path: ("Plum" if label == "Kiwi" else label, split) for path, (label, split) in rows.items()})
    run(command, source, output)
    assert set(table(output, "reduced", images.parent)["label"]) == {"Apple", "Plum"}
    # The page was removed with what it was made from, and stands again: nobody is sent to make it.
    assert record(output)["next"] == []
    assert "Plum" in (page := (output / "report.html").read_text(encoding="utf-8"))
    assert "Kiwi" not in page.replace("Test/Kiwi/", "").replace("Training/Kiwi/", "")


def test_refused_features_are_no_input(command, images, output):
    for file in sorted(images.rglob("*.png"))[:5]:
        file.write_bytes(b"no image")
    words = ("--data-source", images, "--output-uri", output)
    assert command("extract", *words).code == 3
    ended = command("reduce", "--output-uri", output)
    assert (ended.code, "found 5 of 48" in ended.message) == (5, True)
    extract(command, images, output, "--max-reject-share", "0.5")


def test_features_of_another_output_do_not_replace_results_unasked(command, finished, tmp_path):
    other, results = tmp_path / "other", tmp_path / "results"
    shutil.copytree(finished, other)
    assert command("reduce", "--output-uri", results, "--features-uri", finished).code == 0
    assert command("classify", "--output-uri", results).code == 0
    before = contents(results / "reduced")
    ended = command("reduce", "--output-uri", results, "--features-uri", other)
    assert (ended.code, "reduce: features_uri: " in ended.message) == (5, True)
    assert contents(results / "reduced") == before


def test_no_image_of_the_calibration_is_judged(command, images, output, colours, monkeypatch):
    add_images(images, 1, first=100, splits=("Training",))
    for side, name, code in (("Test", "0.png", 3), ("Training", "100.png", 0)):
        shutil.rmtree(output, ignore_errors=True)
        seen = hashlib.sha256((images / side / "Kiwi" / name).read_bytes()).hexdigest()
        monkeypatch.setattr(pipeline, "prepare", lambda _, seen=seen: replace(colours, calibrated_with=(seen,)))
        ended = command("run", "--data-source", images, "--output-uri", output, "--precision", "int8")
        assert ended.code == code, ended.err
        assert ("found 1 that it was calibrated with" in ended.err) == bool(code)
        assert (output / "reduced").exists() == (not code)


def test_a_moved_output_is_whole_in_its_new_place(command, finished):
    moved = finished.with_name("moved")
    shutil.rmtree(moved, ignore_errors=True)
    finished.rename(moved)
    ended = command("classify", "--output-uri", moved, "--overwrite", "--forest-seed", "7")
    assert ended.code == 0, ended.err


def test_rows_are_held_against_the_marker(command, finished):
    marker = finished / "_state/reduce.json"
    told = json.loads(marker.read_text())
    marker.write_text(json.dumps(told | {"facts": told["facts"] | {"rows": 49}}))
    ended = command("classify", "--output-uri", finished, "--overwrite", "--forest-seed", "7")
    assert (ended.code, "expected 49 rows in reduced" in ended.message) == (5, True)


def test_files_are_held_against_the_marker(command, finished):
    file = max((finished / "reduced").glob("*.parquet"))
    pd.read_parquet(file).head(1).to_parquet(file)
    ended = command("classify", "--output-uri", finished, "--overwrite", "--forest-seed", "7")
    assert (ended.code, f"{file.name} is gone or has another length" in ended.message) == (5, True)


def test_a_foreign_file_where_an_export_goes_is_told_before_the_work(command, images, output):
    (output / "exports/json").mkdir(parents=True)
    (output / "exports/json/notes.txt").write_text("mine")
    ended = command("run", "--data-source", images, "--output-uri", output, "--export", "json")
    assert (ended.code, "notes.txt" in ended.message) == (5, True)
    assert not (output / "manifest").exists()
