import io
import shutil

import pyarrow.parquet as pq
import pytest

from fruits_pipeline.state.snapshot import load_snapshot
from whole_output import SOURCE, edit, feature_rows, rewrite, rooms_of, whole_output

RESULTS = ("reduced", "models", "evaluation", "exports", "predictions")


def test_rooms_of_an_older_snapshot_are_stale(store, told):
    edit(store, "_state/reduce.json", made_from="0" * 64)
    told("stale")


def test_rooms_are_stale_whose_source_is_gone(store, told):
    folders = ("reduced", "models/reduce", "evaluation/variance")
    store.delete(["_state/reduce.json", *(found.key for folder in folders for found in store.objects(folder))])
    told("no_source")


def test_no_room_is_called_stale_as_long_as_waves_are_unfinished(store, verify):
    edit(store, "_state/reduce.json", made_from="0" * 64)
    store.delete(["_state/waves/00001.json"])
    code, lines, _ = verify()
    assert code == 5
    assert not any(line.startswith("stale: _state/reduce.json") for line in lines)


def test_unfinished_rooms_are_told(store, told):
    edit(store, "_state/classify.json", facts=None, files=[])
    told("unfinished_room")


@pytest.mark.parametrize(("key", "rows"), [("reduced/part-00001.parquet", 3), ("predictions/part-00000.parquet", 7)])
def test_rows_that_are_not_those_of_the_marker_are_told_by_deep(store, told, verify, key, rows):
    table = pq.read_table(io.BytesIO(store.read(key)))
    assert len(table) == rows
    rewrite(store, key, table.slice(1))
    assert verify()[0] == 0
    told(f"rows_{key.split('/')[0]}", "--deep")


def test_an_output_may_be_moved_to_another_place(tmp_path, output, verify):
    whole_output(tmp_path / "before")
    shutil.move(tmp_path / "before", output)
    assert verify("--deep")[0] == 0


@pytest.fixture
def elsewhere(tmp_path, output):
    """The features of another output, of which there are results here."""
    features = whole_output(tmp_path / "features")
    made = whole_output(tmp_path / "made")
    rooms_of(made, load_snapshot(features).digest, features.root)
    for found in made.objects():
        if found.key.startswith(RESULTS) or found.key.endswith(("reduce.json", "export_json.json", "classify.json")):
            (output / found.key).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(tmp_path / "made" / found.key, output / found.key)
    return features


@pytest.mark.usefixtures("elsewhere")
def test_results_from_the_features_of_another_output_are_whole(verify):
    code, lines, _ = verify("--deep")
    assert code == 0
    assert lines[0].startswith("whole: 0 of 0 batches done, 0 images")


def test_they_are_stale_once_these_features_are_others(elsewhere, told):
    rewrite(elsewhere, "features/wave=00000/part-00000.parquet", feature_rows([f"{SOURCE}/other.jpg"]))
    told("stale_elsewhere", features=elsewhere.root)


def test_they_are_stale_once_these_features_are_gone(elsewhere, told):
    elsewhere.delete([found.key for found in elsewhere.objects()])
    told("gone_elsewhere", features=elsewhere.root)


@pytest.mark.usefixtures("elsewhere")
def test_features_without_a_plan_are_somebody_elses(output, told):
    (output / "features").mkdir()
    (output / "features" / "part-00000.parquet").write_bytes(b"x")
    told("foreign_features")
