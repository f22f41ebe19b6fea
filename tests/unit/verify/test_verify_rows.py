import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fruits_pipeline.state.plan import load_plan, save_plan
from fruits_pipeline.state.snapshot import load_snapshot
from whole_output import (
    RECIPE,
    SOURCE,
    WAVES,
    counts,
    edit,
    feature_rows,
    finish,
    planned,
    reject_rows,
    replan,
    rewrite,
    rooms_of,
)

FEATURES = "features/wave=00001/part-00000.parquet"
MANIFEST = "manifest/wave=00001/part-00000.parquet"
REJECTS = "rejects/wave=00001/part-00000.parquet"
MARKER = "_state/waves/00001.json"
PATHS = [f"{SOURCE}/{name}" for name in WAVES["00001"]]


def table(store, key):
    return pq.read_table(io.BytesIO(store.read(key)))


def refreshed(store):
    """Rooms made from what stands there now."""
    rooms_of(store, load_snapshot(store).digest, store.root)


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("sum", counts(found=5, read=3, rejected=1, reject_reasons={"truncated": 1})),
        ("pending", counts(found=5, read=4, rejected=1, pending=1, reject_reasons={"truncated": 1})),
        ("found", counts(found=6, read=5, rejected=1, reject_reasons={"truncated": 1})),
        ("skipped", counts(found=5, read=3, rejected=1, skipped=1, reject_reasons={"truncated": 1})),
        ("reject_sum", counts(found=5, read=3, rejected=2, reject_reasons={"truncated": 1})),
    ],
)
def test_counts_of_a_marker_that_are_not_right_are_told(store, told, name, changed):
    edit(store, MARKER, counts=changed)
    told(f"counts_{name}")


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("rejects", counts(found=5, read=3, rejected=2, reject_reasons={"truncated": 2})),
        ("reasons", counts(found=5, read=4, rejected=1, reject_reasons={"empty": 1})),
    ],
)
def test_counts_of_a_marker_that_its_files_do_not_have_are_told_by_deep(store, told, verify, name, changed):
    edit(store, MARKER, counts=changed)
    assert verify()[0] == 0
    told(f"counts_{name}", "--deep")


def test_a_manifest_of_other_counts_than_planned_is_told(store, told):
    plan = load_plan(store)
    first, second = plan.waves
    other = second.model_copy(update={"counts": first.counts})
    save_plan(store, plan.model_copy(update={"waves": (first, other)}))
    told("counts_manifest")


def test_rows_of_features_that_are_not_those_of_the_marker_are_told_by_deep(store, told):
    rewrite(store, FEATURES, feature_rows(PATHS[:1]))
    refreshed(store)
    told("counts_features", "--deep")


def test_reasons_of_rejects_are_counted_by_deep_too(store, told):
    rewrite(store, REJECTS, reject_rows(PATHS[4:], "empty"))
    refreshed(store)
    told("counts_rejects_deep", "--deep")


def test_waves_of_two_recipes_are_both_told(store, told):
    finish(store, load_plan(store).waves[1], RECIPE.model_copy(update={"made_by": {"openvino": "2027.0"}}))
    refreshed(store)
    told("recipes")


def test_a_wave_without_images_may_have_any_recipe(store, verify, tmp_path):
    empty = planned(store, "00002", tmp_path, ["Cherry/notes.txt"])
    replan(store, *load_plan(store).waves, empty)
    finish(store, empty, RECIPE.model_copy(update={"made_by": {}}))
    refreshed(store)
    assert verify("--deep")[0] == 0


def test_a_missing_column_is_told_by_deep_in_any_file(store, told):
    rewrite(store, FEATURES, table(store, FEATURES).drop_columns("width"))
    refreshed(store)
    told("schema_deep", "--deep")


@pytest.mark.parametrize("key", [MANIFEST, "predictions/part-00000.parquet", "evaluation/scores/part-00000.parquet"])
def test_a_column_of_another_type_is_told_without_deep_too(store, told, key):
    rows = table(store, key)
    last = len(rows.column_names) - 1
    rewrite(store, key, rows.set_column(last, rows.column_names[last], pa.array([1] * len(rows), pa.int32())))
    told(f"schema_{key.split('/')[0]}")


def test_the_columns_of_one_file_of_features_are_looked_at_without_deep(store, verify):
    key = "features/wave=00000/part-00001.parquet"
    rewrite(store, key, pa.table({"path": ["x"]}))
    refreshed(store)
    code, lines, _ = verify()
    assert code == 5
    assert lines[0].startswith(f"schema: {key}: expected the columns of this dataset, found column 'content_sha256' is")


def test_a_manifest_that_is_no_parquet_is_told(store, told):
    store.write(MANIFEST, b"x" * store.stat(MANIFEST).length)
    told("schema_no_parquet")


def test_a_changed_row_of_a_manifest_is_told(store, told):
    rows = table(store, MANIFEST)
    labels = pa.array(["Cherry", *rows["label"].to_pylist()[1:]])
    rewrite(store, MANIFEST, rows.set_column(rows.column_names.index("label"), "label", labels))
    told("manifest_row")


def test_a_manifest_with_rows_without_a_path_is_told_and_read_to_its_end(store, verify):
    rows = table(store, MANIFEST)
    rewrite(store, MANIFEST, rows.set_column(0, "path", pa.array([*PATHS[:3], None, None])))
    code, lines, _ = verify()
    assert code == 5
    assert lines[0].startswith(f"manifest: {MANIFEST}: expected rows of digest ")


def test_a_path_in_two_waves_is_told(store, told, tmp_path):
    first, second = load_plan(store).waves
    third = planned(store, "00002", tmp_path, ["Apple/2.jpg", "Banana/2.jpg", "Cherry/1.jpg"])
    replan(store, first, third, second)
    finish(store, third)
    refreshed(store)
    told("twice")


def test_a_path_twice_in_one_wave_is_told(store, verify, tmp_path):
    first, _ = load_plan(store).waves
    second = planned(store, "00001", tmp_path, [*WAVES["00001"][:2], *WAVES["00001"][1:]])
    replan(store, first, second)
    _, lines, _ = verify()
    assert f"twice: {MANIFEST}: expected '{PATHS[1]}' once, found it twice" in lines


def test_an_image_that_is_lost_or_there_twice_or_unknown_is_told_by_deep(store, told):
    rewrite(store, FEATURES, feature_rows([PATHS[0], f"{SOURCE}/unknown.jpg", PATHS[4]]))
    refreshed(store)
    told("images", "--deep")
