"""The snapshot: finished waves as one value, its files, its digest, its parts."""

import pytest
from waves_of import RECIPE, finish, rows_of

from fruits_pipeline.errors import DatasetError
from fruits_pipeline.state.plan import save_plan
from fruits_pipeline.state.snapshot import Snapshot, is_finished, load_snapshot, load_waves, snapshot_of


@pytest.fixture
def plan(store, planned):
    """Three waves: ``ab``, ``c`` with a skipped file, and a skipped file alone."""
    plan = planned([*rows_of("abc"), *rows_of(["c1"], skip_reason="hidden")])
    plan = planned([*rows_of("abc"), *rows_of(["c1", "d"], skip_reason="hidden")], plan)
    save_plan(store, plan)
    return plan


@pytest.fixture
def snapshot(store, plan):
    for wave in plan.waves:
        finish(store, wave, {"file:///in/b": "truncated"})
    return load_snapshot(store)


def having(snapshot, place, **changes):
    """The snapshot with one wave changed."""
    waves = list(snapshot.waves)
    waves[place] = waves[place].model_copy(update=changes)
    return Snapshot(snapshot.root, snapshot.source_root, tuple(waves))


def test_a_snapshot_has_the_waves_of_the_plan_their_counts_and_their_files(store, plan, snapshot):
    assert [wave.wave for wave in snapshot.waves] == [wave.wave for wave in plan.waves] == ["00000", "00001", "00002"]
    assert (snapshot.root, snapshot.source_root) == (store.root, "file:///in")
    counts = snapshot.counts
    assert (counts.found, counts.read, counts.rejected, counts.skipped, counts.pending) == (5, 2, 1, 2, 0)
    assert counts.reject_reasons == {"truncated": 1}
    here = {f"{store.root}/{found.key}" for found in store.objects()}
    for dataset, waves in (("manifest", "012"), ("features", "01"), ("rejects", "0")):
        expected = [f"{store.root}/{dataset}/wave=0000{wave}/part-00000.parquet" for wave in waves]
        assert snapshot.files(dataset) == expected
        assert set(expected) <= here
    assert snapshot.files("feat") == []


def test_only_parquet_files_that_readers_read_are_given(store, plan):
    for name in ("_SUCCESS", ".part-00000.parquet.crc", "part-2.crc"):
        store.write(f"features/wave=00000/{name}", b"x")
    marker = finish(store, plan.waves[0])
    assert len(marker.files) == 4
    assert [file.key for file in marker.of("features")] == ["features/wave=00000/part-00000.parquet"]


def test_a_snapshot_that_is_not_finished_is_refused_with_what_is_left(store, plan, golden, tmp_path):
    finish(store, plan.waves[1])
    with pytest.raises(DatasetError) as told:
        load_snapshot(store)
    golden("unfinished_snapshot", str(told.value), output=tmp_path / "output")
    with pytest.raises(DatasetError, match="found 0 of 0 batches of images done"):
        snapshot_of(store, plan.model_copy(update={"waves": ()}), {})


def test_a_marker_of_other_rows_is_no_finished_wave(store, plan):
    marker = finish(store, plan.waves[0])
    assert is_finished(plan.waves[0], {"00000": marker})
    assert not is_finished(plan.waves[0], {"00000": marker.model_copy(update={"digest": "other"})})
    assert not is_finished(plan.waves[0], {"00001": marker})


def test_markers_are_read_as_they_were_saved_also_those_that_no_plan_wants(store, plan):
    saved = {wave.wave: finish(store, wave) for wave in plan.waves}
    store.write("_state/waves/notes.txt", b"mine")
    assert load_waves(store) == saved


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"wave": "00000"}', b"\xff\xfe"])
def test_a_damaged_marker_is_told(store, plan, golden, tmp_path, content):
    finish(store, plan.waves[1])
    store.write("_state/waves/00000.json", content)
    with pytest.raises(DatasetError, match="expected the record of a batch of images at") as told:
        load_waves(store)
    if content == b"{":
        golden("damaged_wave_marker", str(told.value), output=tmp_path / "output")


def test_the_digest_ignores_the_order_and_the_names_of_waves_and_those_without_images(snapshot):
    turned = Snapshot(snapshot.root, snapshot.source_root, snapshot.waves[::-1])
    elsewhere = Snapshot("s3://bucket/out", "s3://bucket/in", snapshot.waves[:2])
    renamed = having(snapshot, 0, wave="00009", manifest=snapshot.waves[1].manifest)
    assert turned.digest == elsewhere.digest == renamed.digest == snapshot.digest
    assert having(snapshot, 2, digest="other").digest == snapshot.digest


def test_the_digest_changes_with_rows_recipes_and_contents(snapshot):
    wave = snapshot.waves[0]
    changed = [file.model_copy(update={"checksum": "sha256:00"}) for file in wave.files]
    other_rejects = (wave.files[0], changed[1])
    recipes = [RECIPE.model_copy(update={"settings": {"a": 1}}), RECIPE.model_copy(update={"made_by": {}})]
    others = [
        having(snapshot, 0, digest="other"),
        having(snapshot, 0, files=(changed[0], *wave.files[1:])),
        having(snapshot, 0, files=other_rejects),
        *(having(snapshot, 0, recipe=recipe) for recipe in recipes),
        Snapshot(snapshot.root, snapshot.source_root, snapshot.waves[1:]),
    ]
    assert len({snapshot.digest, *(other.digest for other in others)}) == 1 + len(others)


def test_files_that_no_reader_reads_change_no_digest(store, plan, snapshot):
    store.write("features/wave=00000/_SUCCESS", b"")
    store.write("features/wave=00000/.part-00000.parquet.crc", b"x")
    finish(store, plan.waves[0], {"file:///in/b": "truncated"})
    again = load_snapshot(store)
    assert len(again.waves[0].files) > len(snapshot.waves[0].files)
    assert again.digest == snapshot.digest


def test_another_label_changes_the_digest_and_no_file_of_features(store, planned, plan, snapshot):
    again = planned([*rows_of("ab"), *rows_of("c", label="x"), *rows_of(["c1", "d"], skip_reason="hidden")], plan)
    waves = load_waves(store)
    (new,) = (wave for wave in again.waves if wave.wave not in waves)
    waves[new.wave] = waves["00001"].model_copy(
        update={"wave": new.wave, "digest": new.digest, "manifest": new.manifest}
    )
    relabelled = snapshot_of(store, again, waves)
    assert relabelled.files("features") == snapshot.files("features")
    assert relabelled.digest != snapshot.digest


@pytest.mark.parametrize(
    ("most", "sizes"), [(1, [1, 1, 1]), (2, [1, 2]), (3, [3]), (100, [3])], ids=["1", "2", "3", "all"]
)
def test_parts_have_at_most_so_many_images_or_one_wave(snapshot, most, sizes):
    parts = list(snapshot.parts(most))
    assert [wave for part in parts for wave in part.waves] == list(snapshot.waves)
    assert {(part.root, part.source_root) for part in parts} == {(snapshot.root, snapshot.source_root)}
    assert all(part.counts.images <= most or len(part.waves) == 1 for part in parts)
    assert [len(part.waves) for part in parts] == ([1, 2] if most == 1 else sizes)


def test_a_recipe_is_told_by_what_differs():
    other = RECIPE.model_copy(update={"settings": {"backbone": "xception"}, "made_by": {"openvino": "2", "cv": "4"}})
    assert RECIPE.changes(other) == [
        "backbone: 'mobilenetv2' -> 'xception'", "cv: None -> '4'", "openvino: '1' -> '2'",
    ]  # fmt: skip
    assert RECIPE.changes(RECIPE) == []
    assert RECIPE.digest != other.digest
