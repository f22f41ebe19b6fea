"""What an output holds after its source, its settings or its files have changed: nothing lost, nothing stale.

Each test is a fault that was seen once; the commands are whole ones.
"""

import shutil

import pandas as pd
import pytest
from feature_jobs import picture
from in_process import table_of
from small_source import LABELS, add_images, extract, feature_files, rows_of, run

from outputs import assert_equal_results, contents, record, table


def test_a_corrected_label_is_corrected_everywhere_without_inference(command, images, output, tmp_path):
    rows = rows_of(images)
    source = table_of(images.with_name("photos.csv"), rows)
    run(command, source, output)
    before = feature_files(output)
    wrong = "images/Test/Kiwi/0.png"
    table_of(source, rows | {wrong: ("Plum", "test")})
    run(command, source, output)
    assert feature_files(output) == before
    assert record(output)["change"] == {"kept": 48, "carried": 0, "computed": 0, "relabelled": 1, "gone": 0}
    for dataset in ("manifest", "reduced", "predictions"):
        found = table(output, dataset, images.parent)
        assert set(found[found["path"] == wrong]["label"]) == {"Plum"}, dataset
    confusion = pd.read_parquet(output / "evaluation/confusion")
    assert confusion[confusion["label"] == "Plum"].groupby("classifier")["images"].sum().tolist() == [9]
    fresh = tmp_path / "fresh"
    run(command, source, fresh)
    assert_equal_results(fresh, output, images.parent)


def test_the_rooms_one_by_one_give_what_one_run_gives(command, images, finished, tmp_path):
    output = tmp_path / "rooms"
    for words in (("extract", "--data-source", images, "--wave-images", "30"), ("reduce",), ("classify",)):
        ended = command(*words, "--output-uri", output)
        assert ended.code == 0, ended.err
        # The timeline is that of this command alone.
        steps = {step["step"].partition(":")[0] for step in record(output)["timeline"]}
        room = {"extract": "features"}.get(words[0], words[0])
        assert steps & {"features", "reduce", "classify"} == {room}
    assert_equal_results(finished, output, images)


def test_a_grown_source_is_made_again_by_the_same_command(command, images, finished, tmp_path):
    output = finished
    before = feature_files(output)
    add_images(images, 2, first=100)
    (images / "Training/Apple/0.png").unlink()
    ended = run(command, images, output)
    assert "repeat step=reduce because the images or labels changed since the last run" in ended.err
    assert "repeat step=classify because" not in ended.err  # it was removed with it
    change = record(output)["change"]
    assert (change["computed"], change["gone"], change["relabelled"]) == (12, 1, 0)
    assert change["kept"] + change["carried"] == 47
    assert len(feature_files(output).keys() & before.keys()) > 0
    fresh = tmp_path / "fresh"
    run(command, images, fresh, "--export", "csv")
    assert_equal_results(fresh, output, images)
    assert record(output)["rooms"]["reduce"]["rows"] == 59


def test_an_unfinished_update_is_no_input(command, images, finished, golden):
    output = finished
    add_images(images, 2, first=100)
    ended = command("extract", "--data-source", images, "--output-uri", output, "--max-reject-share", "0")
    assert ended.code == 0
    marker = max((output / "_state/waves").glob("*.json"))
    marker.unlink()
    for words in (("reduce",), ("classify",)):
        ended = command(*words, "--output-uri", output)
        assert ended.code == 5
        golden("unfinished_features", ended.message, output=output)


def test_extract_says_what_is_made_from_an_older_snapshot(command, images, finished):
    output = finished
    add_images(images, 1, first=100)
    ended = command("extract", "--data-source", images, "--output-uri", output)
    assert ended.code == 0
    stale = [step.split("'")[1] for step in record(output)["next"]]
    assert stale == ["reduce", "reduce --export json", "reduce --export csv", "classify", "report"]
    assert "its results are from before the change" in ended.out
    ended = command("classify", "--output-uri", output)
    assert ended.code == 5
    assert "those of earlier images or labels; run 'reduce' first" in ended.message


def test_other_components_say_what_they_replace_and_what_to_run_next(command, finished):
    output = finished
    ended = command("reduce", "--output-uri", output, "--components", "1")
    assert ended.code == 5
    assert "reduce: components: 2 -> 1" in ended.message
    ended = command("reduce", "--output-uri", output, "--components", "1", "--overwrite")
    assert ended.code == 0
    assert (
        "removed classifiers and predictions, because the principal components that they were made from change"
        in ended.err
    )
    assert "next        run 'classify': its results were removed, because they were from before the change" in ended.out
    assert not (output / "predictions").exists()
    assert not (output / "exports/csv").exists()
    assert command("classify", "--output-uri", output).code == 0
    assert record(output)["next"] == []


def test_another_seed_of_the_forest_replaces_the_classifiers_alone(command, images, finished):
    output = finished
    assert command("pack", "--data-source", images, "--output-uri", output).code == 0
    before = contents(output)
    ended = command("classify", "--output-uri", output, "--overwrite", "--forest-seed", "7")
    assert ended.code == 0, ended.err
    kept = (
        "packed/",
        "_state/packed/",
        "features/",
        "manifest/",
        "reduced/",
        "models/reduce",
        "exports/",
        "_state/waves",
    )
    after = contents(output)
    assert {name: time for name, time in before.items() if name.startswith(kept)} == {
        name: time for name, time in after.items() if name.startswith(kept)
    }
    assert before["_state/classify.json"] != after["_state/classify.json"]


def test_temporary_files_of_killed_writes_block_nothing(command, images, finished):
    output = finished
    folders = ("features/wave=00000", "manifest", "reduced", "models/reduce/metadata", "predictions")
    left = [output / folder / ".x.tmp" for folder in folders]
    for file in left:
        file.write_text("x")
    run(command, images, output, "--components", "1", "--overwrite")
    assert [file for file in left if file.exists()] == []


def test_too_many_components_are_refused_before_any_work(command, images, output, golden):
    ended = command("run", "--data-source", images, "--output-uri", output, "--components", "5000")
    assert ended.code == 2
    golden("too_many_components", ended.message)
    assert not (output / "manifest").exists()
    extract(command, images, output)


def test_a_reduction_that_failed_binds_nobody(command, images, output):
    words = ("--data-source", images, "--output-uri", output)
    assert command("run", *words, "--components", "40").code == 2
    assert command("extract", *words).code == 0
    assert command("reduce", "--output-uri", output, "--components", "40").code == 2
    ended = command("reduce", "--output-uri", output, "--components", "1")
    assert ended.code == 0, ended.err


def test_a_replaced_image_of_a_table_is_computed(command, images, output):
    source = table_of(images.with_name("photos.csv"), rows_of(images))
    extract(command, source, output)
    changed = images / "Test/Kiwi/0.png"
    changed.write_bytes(picture((1, 2, 3), size=(20, 20)))
    extract(command, source, output)
    assert record(output)["change"]["computed"] == 1
    features = table(output, "features", images)
    found = features[features["path"] == "Test/Kiwi/0.png"]["features"].iloc[0]
    assert (found * 255 / 6).tolist() == pytest.approx([1, 2, 3])


def test_an_image_that_a_table_lists_and_that_is_missing_is_computed_when_it_comes(command, images, output, tmp_path):
    rows = rows_of(images)
    source = table_of(images.with_name("photos.csv"), rows)
    hidden = tmp_path / "hidden.png"
    (images / "Test/Kiwi/0.png").rename(hidden)
    extract(command, source, output)
    assert record(output)["counts"]["reject_reasons"] == {"missing": 1}
    hidden.rename(images / "Test/Kiwi/0.png")
    extract(command, source, output)
    assert record(output)["counts"]["read"] == 48
    assert record(output)["change"]["computed"] == 1


def test_a_missing_file_of_the_features_is_told_and_computed_again(command, images, finished, golden):
    output = finished
    part = next((output / "features").rglob("part-*.parquet"))
    part.unlink()
    ended = command("reduce", "--output-uri", output, "--components", "1", "--overwrite")
    assert ended.code == 5
    golden("features_gone", ended.message, output=output, part=part.name)
    ended = extract(command, images, output)
    assert " is computed again because " in ended.err
    assert record(output)["counts"]["read"] == 48


def test_late_and_foreign_files_are_not_read(command, images, finished):
    output = finished
    expected = table(output, "predictions", images)
    part = next((output / "features").rglob("part-*.parquet"))
    shutil.copy(part, part.with_name("part-00077-late.snappy.parquet"))
    shutil.copy(part, part.with_name("somebody.parquet"))
    reduced = next((output / "reduced").glob("part-*.parquet"))
    shutil.copy(reduced, reduced.with_name("somebody.parquet"))
    shutil.copy(reduced, reduced.with_name("part-00077-late.snappy.parquet"))
    ended = command(
        "classify", "--output-uri", output, "--forest-seed", "42", "--regression-l2", "0.001", "--overwrite"
    )
    assert ended.code == 0, ended.err
    assert len(table(output, "predictions", images)) == len(expected) == 48


def test_an_output_of_the_version_before_is_refused(command, images, output, golden):
    (output / "_state").mkdir(parents=True)
    (output / "_state/ingest.json").write_text('{"room": "ingest"}')
    for words in (("run", "--data-source", images), ("reduce",), ("classify",), ("pack", "--data-source", images)):
        ended = command(*words, "--output-uri", output)
        assert ended.code == 5, ended.err
        golden("former_version", ended.message, output=output)


def test_the_source_in_any_order_changes_nothing(command, images, finished, monkeypatch):
    output = finished
    before = contents(output)
    from fruits_pipeline.storage.source import Source

    whole = Source.objects
    monkeypatch.setattr(Source, "objects", lambda self: reversed(list(whole(self))))
    ended = run(command, images, output)
    assert record(output)["change"]["kept"] == 48
    changed = {name for name, time in contents(output).items() if before.get(name) != time}
    assert changed <= {"run.json", "_state/lease", "_state/snapshot.json"}
    assert "keep step=classify" in ended.err


def test_equal_images_and_labels_give_equal_classifiers_from_a_table_or_a_folder(command, images, tmp_path):
    folder, by_table, moved = tmp_path / "folder", tmp_path / "by-table", tmp_path / "moved"
    forest = ("--classifier", "random_forest")
    run(command, images, folder, *forest)
    run(command, table_of(images.with_name("photos.csv"), rows_of(images)), by_table, *forest)
    elsewhere = shutil.copytree(images, tmp_path / "other/place")
    run(command, elsewhere, moved, *forest)
    assert_equal_results(folder, by_table, images)
    assert_equal_results(folder, moved, images, elsewhere)
    confidences = [
        table(output, "predictions", root)["confidence"]
        for output, root in ((folder, images), (by_table, images), (moved, elsewhere))
    ]
    assert confidences[0].tolist() == confidences[1].tolist() == confidences[2].tolist()


def test_another_labelling_takes_the_features_of_another_output(command, images, finished, tmp_path, golden):
    output = finished
    before = contents(output)
    coarse = {path: ("red" if label == "Apple" else "other",) for path, (label, _) in rows_of(images).items()}
    labels = table_of(images.with_name("coarse.csv"), coarse, header="path,label")
    other = tmp_path / "coarse"
    words = ("--features-uri", output, "--labels", labels)
    ended = command("reduce", "--output-uri", other, *words)
    assert ended.code == 0, ended.err
    facts = record(other)["rooms"]["reduce"]
    assert (facts["labelled_by_table"], facts["labels_table_rows"]) == (48, 48)
    ended = command("classify", "--output-uri", other)
    assert ended.code == 0, ended.err
    assert contents(output) == before
    assert not (other / "features").exists()
    assert set(table(other, "predictions", images)["prediction"]) == {"red", "other"}
    assert set(table(output, "predictions", images)["prediction"]) == set(LABELS)
    assert record(other)["counts"]["read"] == 48
    ended = command("reduce", "--output-uri", other, *words)
    assert "keep step=reduce" in ended.err
    table_of(labels, coarse | {"images/Test/Kiwi/0.png": ("red",)}, header="path,label")
    ended = command("reduce", "--output-uri", other, *words)
    assert (ended.code, "the table of --labels changed" in ended.err) == (0, True)
    red = table(other, "reduced", images)
    assert len(red[red["label"] == "red"]) == 17
    add_images(images, 1, first=100)
    assert command("extract", "--data-source", images, "--output-uri", output).code == 0
    ended = command("classify", "--output-uri", other)
    assert ended.code == 5
    golden("features_changed_elsewhere", ended.message, other=other)


def test_a_labelling_of_other_images_is_refused(command, images, finished):
    output = finished
    labels = table_of(images.with_name("labels.csv"), {"nowhere/x.png": ("red",)}, header="path,label")
    ended = command("reduce", "--output-uri", output, "--labels", labels, "--overwrite")
    assert (ended.code, "found none of them" in ended.message) == (3, True)


@pytest.mark.parametrize("kind", ["twice", "none"])
def test_a_bad_table_of_labels_removes_nothing(command, images, finished, kind):
    rows = {"twice": "path,label\nTest/Kiwi/0.png,Kiwi\nTest/Kiwi/0.png,Plum\n", "none": "path,label\nx.png,Kiwi\n"}
    labels = images / "labels.csv"
    labels.write_text(rows[kind])
    before = contents(finished)
    ended = command("run", "--data-source", images, "--output-uri", finished, "--labels", labels, "--overwrite")
    assert ended.code == 3, ended.err
    gone = before.keys() - contents(finished).keys()
    assert gone == set()
    assert (finished / "report.html").exists()


def test_settings_of_the_session_are_put_back(command, images, output, spark):
    before = dict(spark.sparkContext.getConf().getAll()), {row.key: row.value for row in spark.sql("SET").collect()}
    run(command, images, output, "--reader", "binaryfile")
    after = dict(spark.sparkContext.getConf().getAll()), {row.key: row.value for row in spark.sql("SET").collect()}
    assert after == before
