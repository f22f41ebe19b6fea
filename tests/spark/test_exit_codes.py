"""Exit codes and what is said with them, by whole commands."""

import shutil

import pytest

from outputs import record


@pytest.fixture
def images(tmp_path, sample):
    folder = tmp_path / "images"
    for label in ("Apple", "Kiwi"):
        shutil.copytree(sample / "Training" / label, folder / "Training" / label)
        shutil.copytree(sample / "Test" / label, folder / "Test" / label)
    return folder


@pytest.fixture
def output(tmp_path):
    return tmp_path / "output"


def test_wrong_settings_end_with_2_and_leave_nothing(command, golden, images, output):
    ended = command("run", "--data-source", images, "--output-uri", images / "results", "--precision", "f32")
    assert ended.code == 2
    golden("exit_2_output_inside_source", ended.message, source=images)
    assert not (images / "results").exists()
    assert not output.exists()


def test_a_source_without_images_ends_with_3(command, golden, tmp_path, output):
    source = tmp_path / "empty"
    source.mkdir()
    (source / "notes.txt").write_text("x")
    (source / ".hidden.jpg").write_text("x")
    ended = command("run", "--data-source", f"{source}/*", "--output-uri", output)
    assert ended.code == 3
    golden("exit_3_no_images", ended.message, source=source)
    found = record(output)
    assert (found["status"], found["exit_code"]) == ("failed", 3)


def test_a_page_of_somebody_else_is_refused_before_any_work_and_stays(command, images, output):
    output.mkdir()
    (output / "report.html").write_text("mine")
    ended = command("run", "--data-source", images, "--output-uri", output)
    assert (ended.code, "report.html to be empty or written by fruits-pipeline" in ended.message) == (5, True)
    assert (output / "report.html").read_text() == "mine"
    assert not (output / "features").exists()


def test_too_many_rejects_end_with_3_and_keep_the_counts(command, golden, images, output):
    (images / "Test/Kiwi/text.jpg").write_text("x")
    (images / "Test/Kiwi/empty.jpg").touch()
    ended = command("run", "--data-source", images, "--output-uri", output)
    assert ended.code == 3
    golden("exit_3_too_many_rejects", ended.message, output=output)
    counts = record(output)["counts"]
    assert counts["found"] == counts["read"] + counts["rejected"] == 34
    assert (output / "_state/waves/00000.json").is_file()


def test_one_label_ends_with_3_and_keeps_features_and_components(command, golden, images, output):
    shutil.rmtree(images / "Training/Kiwi")
    shutil.rmtree(images / "Test/Kiwi")
    ended = command("run", "--data-source", images, "--output-uri", output)
    assert ended.code == 3
    golden("exit_3_one_label", ended.message, output=output)
    assert (output / "reduced/_SUCCESS").is_file()
    assert not (output / "predictions").exists()
    assert record(output)["rooms"].keys() == {"ingest", "features", "reduce", "examine"}


def test_other_settings_end_with_5_naming_them_and_change_nothing(command, golden, images, output):
    assert command("extract", "--data-source", images, "--output-uri", output).code == 0
    before = sorted(file for file in output.rglob("*.parquet"))
    ended = command("extract", "--data-source", images, "--output-uri", output, "--max-pixels", 1000000, "--sample", 3)
    assert ended.code == 5
    golden("exit_5_other_settings", ended.message, output=output)
    assert sorted(file for file in output.rglob("*.parquet")) == before
    replaced = command(
        "extract", "--data-source", images, "--output-uri", output, "--max-pixels", 1000000, "--overwrite"
    )
    assert replaced.code == 0, replaced.err
    assert before != sorted(file for file in output.rglob("*.parquet"))
    assert record(output)["counts"]["read"] == 32


def test_a_room_without_its_input_ends_with_5(command, golden, output):
    ended = command("reduce", "--output-uri", output)
    assert ended.code == 5
    golden("exit_5_no_features", ended.message, output=output)
    assert command("classify", "--output-uri", output).code == 5
    assert not output.exists()
