"""Upkeep of the waves' folders: what is swept, what is kept, what is planned again."""

import pytest
from waves_of import finish, rows_of

from fruits_pipeline.errors import DatasetError
from fruits_pipeline.state import layout
from fruits_pipeline.state.files import OURS, marks, refuse_foreign, sweep
from fruits_pipeline.state.packs import PackedWave, load_pack, mark_packed, packed_files
from fruits_pipeline.state.plan import load_plan, save_plan
from fruits_pipeline.state.snapshot import load_waves, mark_wave
from fruits_pipeline.state.upkeep import drop_features, drop_manifests, drop_packed, drop_replaced, tidied

LEFT_OVER = (
    "features/wave=00000/.spark-staging-1/part-9",
    "features/wave=00000/part-77.zstd.parquet",
    "features/wave=00000/.part-77.zstd.parquet.crc",
    "features/wave=00009/_temporary/0/_x/y",
    "features/__magic_job-1/x/y.pending",
    "features/_SUCCESS",
    "features/._SUCCESS.crc",
    "rejects/wave=00009/.abc.tmp",
    "rejects/wave=00009/.abc.tmp.crc",
    "manifest/wave=00009/part-00000.parquet",
    "packed/wave=00009/part-00000.parquet",
    "_state/.abc.tmp",
    "_state/waves/.abc.tmp",
)
FOREIGN = (
    "features/wave=00000/notes.txt",
    "features/apart-1",
    "manifest/holiday.jpg",
    "manifest/_SUCCESSES",
    "packed/mine/x.tmp",
    "elsewhere/part-00000.parquet",
    "_state/notes.txt",
)


def keys(store):
    return {found.key for found in store.objects()}


@pytest.fixture
def output(store, planned):
    """The plan of two finished waves, ``ab`` and ``cd``, saved."""
    plan = planned(rows_of("abcd"))
    save_plan(store, plan)
    for wave in plan.waves:
        finish(store, wave, {"file:///in/d": "truncated"})
    return plan


def pack(store, wave):
    folder = layout.wave_folder("packed", wave)
    store.write(f"{folder}/part-0.parquet", b"123")
    store.write(f"{folder}/_SUCCESS", b"")
    packed = PackedWave(wave=wave, contents="", images=2, without_content=1, files=marks(store, [folder]))
    mark_packed(store, packed)
    return packed


def test_a_fresh_output_gets_a_plan_before_anything_else_and_its_folders_are_ours(store):
    standing = tidied(store, {"data_source": "in"})
    assert keys(store) == {layout.SNAPSHOT}
    assert load_plan(store) == standing.plan
    assert (standing.plan.settings, standing.plan.waves) == ({"data_source": "in"}, ())
    assert (standing.waves, standing.packed) == ({}, {})
    store.write("features/wave=00000/part-0", b"half")
    tidied(store, {})
    assert keys(store) == {layout.SNAPSHOT}


@pytest.mark.parametrize("folder", layout.BY_WAVE)
@pytest.mark.parametrize("name", ["holiday.jpg", "part-00000.parquet"])
def test_a_fresh_output_with_somebodys_files_is_refused_and_nothing_is_touched(store, golden, tmp_path, folder, name):
    store.write(f"{folder}/{name}", b"x")
    with pytest.raises(DatasetError, match=f"found '{folder}/{name}', which it did not write") as told:
        tidied(store, {})
    assert keys(store) == {f"{folder}/{name}"}
    if (folder, name) == ("manifest", "holiday.jpg"):
        golden("foreign_files", str(told.value), output=tmp_path / "output")


def test_leftovers_of_killed_jobs_go_and_all_else_stays(store, output):
    pack(store, "00001")
    before = keys(store)
    for key in (*LEFT_OVER, *FOREIGN):
        store.write(key, b"x")
    standing = tidied(store, {"other": 1})
    assert keys(store) == before | set(FOREIGN)
    assert standing.plan == output
    assert standing.waves == load_waves(store)
    assert standing.waves.keys() == {"00000", "00001"}
    assert standing.packed == load_pack(store)
    assert standing.packed.keys() == {"00001"}


@pytest.mark.parametrize("damage", ["gone", "longer"])
@pytest.mark.parametrize("dataset", ["features", "rejects", "manifest"])
def test_a_wave_whose_file_is_gone_or_has_another_length_is_planned_again(store, output, dataset, damage):
    (key,) = (found.key for found in store.objects(f"{dataset}/wave=00001"))
    others = {key for key in keys(store) if "00001" not in key}
    store.write(key, b"x" * 9999)
    if damage == "gone":
        store.delete([key])
    standing = tidied(store, {})
    whole = ["00000"] if dataset == "manifest" else ["00000", "00001"]
    assert [wave.wave for wave in standing.plan.waves] == whole
    assert standing.waves.keys() == load_waves(store).keys() == {"00000"}
    assert (standing.plan.next_wave, load_plan(store)) == (2, output)
    assert keys(store) == others | ({output.waves[1].manifest.key} if dataset != "manifest" else set())


def test_a_packed_wave_whose_file_is_gone_is_packed_again(store, output):
    for wave in ("00000", "00001"):
        pack(store, wave)
    addresses = [f"{store.root}/packed/wave={wave}/part-0.parquet" for wave in ("00000", "00001")]
    assert list(packed_files(store)) == addresses
    store.delete(["packed/wave=00001/part-0.parquet"])
    standing = tidied(store, {})
    assert standing.plan == output
    assert standing.packed.keys() == load_pack(store).keys() == {"00000"}
    assert not [key for key in keys(store) if key.startswith("packed/wave=00001")]


def test_replaced_waves_are_dropped_but_for_files_that_a_sharing_wave_still_names(store, planned, output):
    again = planned([*rows_of("ab", label="x"), *rows_of("d")], output, finished={"00000", "00001"})
    replacing, other = again.waves
    whole = load_waves(store)["00000"]
    mark_wave(store, whole.model_copy(update={"wave": replacing.wave, "manifest": replacing.manifest}))
    finish(store, other)
    store.write("features/wave=00001/notes.txt", b"mine")
    drop_replaced(store, again, load_waves(store))
    assert keys(store) == {
        "_state/snapshot.json",
        *(f"_state/waves/{wave.wave}.json" for wave in again.waves),
        *(wave.manifest.key for wave in again.waves),
        "features/wave=00000/part-00000.parquet",
        "features/wave=00003/part-00000.parquet",
        "features/wave=00001/notes.txt",
    }
    save_plan(store, again)
    before = keys(store)
    tidied(store, {})
    assert keys(store) == before


def test_a_wave_that_is_tried_again_keeps_the_manifest_of_the_one_before(store, output):
    again = output.replacing(output.waves[1], output.waves[1].model_copy(update={"wave": "00002"}))
    finish(store, again.waves[1])
    drop_replaced(store, again, load_waves(store))
    assert {key for key in keys(store) if "00001" in key} == {output.waves[1].manifest.key}
    drop_manifests(store, output, again, {})
    assert output.waves[1].manifest.key in keys(store)


def test_manifests_of_replaced_waves_that_were_never_finished_go_with_the_next_plan(store, planned, output):
    store.delete(["_state/waves/00001.json"])
    again = planned(rows_of("abcd", label="x"), output, finished={"00000"})
    drop_manifests(store, output, again, load_waves(store))
    there = {key for key in keys(store) if key.startswith("manifest/")}
    assert there == {output.waves[0].manifest.key, *(wave.manifest.key for wave in again.waves)}


def test_features_are_dropped_with_their_markers_and_the_plans_manifests_stay(store, planned, output):
    grown = planned([*rows_of("ac"), *rows_of("d")], output)
    drop_features(store, grown, load_waves(store))
    kept = {wave.manifest.key for wave in grown.waves}
    assert keys(store) == {layout.SNAPSHOT, *kept}


def test_packed_waves_that_the_plan_does_not_want_are_dropped(store, planned, output):
    for wave in ("00000", "00001"):
        pack(store, wave)
    before = keys(store)
    drop_packed(store, output, load_pack(store))
    assert keys(store) == before
    drop_packed(store, planned(rows_of("ab"), output), load_pack(store))
    gone = {key for key in before if key.startswith("packed/wave=00001")} | {"_state/packed/00001.json"}
    assert keys(store) == before - gone


def test_files_of_a_packed_wave_that_is_dropped_stay_for_the_wave_that_shares_them(store, planned, output):
    for wave in ("00000", "00001"):
        pack(store, wave)
    again = planned([*rows_of("ab", label="x"), *rows_of("cd")], output)
    mark_packed(store, load_pack(store)["00000"].model_copy(update={"wave": "00002"}))
    save_plan(store, again)
    both = [f"{store.root}/packed/wave=0000{wave}/part-0.parquet" for wave in (0, 1)]
    assert sorted(packed_files(store)) == both  # also where the job was killed before it dropped the wave before
    before = keys(store)
    drop_packed(store, again, load_pack(store))
    assert keys(store) == before - {"_state/packed/00000.json"}
    assert sorted(packed_files(store)) == both


def test_the_files_of_a_pack_are_those_of_its_plan(store, planned, output):
    for wave in ("00000", "00001", "00002"):
        pack(store, wave)
    save_plan(store, planned([*rows_of("ab", label="x"), *rows_of("cd")], output))
    assert list(packed_files(store)) == [f"{store.root}/packed/wave=0000{wave}/part-0.parquet" for wave in (1, 2)]


def test_markers_go_before_the_files_that_they_name(store, output, monkeypatch):
    order = []
    monkeypatch.setattr(store, "delete", order.extend)
    drop_features(store, output.model_copy(update={"waves": ()}), load_waves(store))
    markers = [key for key in order if key.startswith("_state/")]
    assert len(markers) == 2
    assert order[:2] == markers
    assert len(order) == len(set(order)) == 2 + 3 + 2


def test_a_sweep_takes_what_we_or_spark_left_but_what_is_to_be_kept(store):
    for key in (*LEFT_OVER, *FOREIGN):
        store.write(key, b"x")
    kept = "features/_SUCCESS"
    sweep(store, ["features", "rejects", "none"], frozenset({kept}))
    left = {key for key in (*LEFT_OVER, *FOREIGN) if not key.startswith(("features/", "rejects/"))}
    assert keys(store) == left | {kept, "features/wave=00000/notes.txt", "features/apart-1"}


def test_marks_name_what_spark_or_we_wrote_with_length_and_checksum_and_nothing_else(store):
    ours = ["a/._SUCCESS.crc", "a/_SUCCESS", "a/metadata/part-00000", "a/part-1.c000.zstd.parquet", "a/x/.part-1.crc"]
    for key in [*ours, "a/notes.txt", "a/my-part-1", "ab/part-0", "a/_SUCCESSES"]:
        store.write(key, b"123")
    found = marks(store, ["a", "none"])
    assert [mark.key for mark in found] == ours
    assert {(mark.length, mark.checksum) for mark in found} == {(3, store.checksum("a/_SUCCESS"))}
    assert [mark.key for mark in found if mark.is_data] == ["a/part-1.c000.zstd.parquet"]


def test_no_name_of_a_user_is_taken_for_ours():
    assert not [key for key in FOREIGN if OURS.search(key) and not key.startswith("elsewhere/")]
    assert all(OURS.search(key) for key in LEFT_OVER)


def test_a_folder_that_is_empty_is_free(store):
    refuse_foreign(store, ["a", "b"])
    store.write("b/x", b"")
    with pytest.raises(DatasetError, match="found 'b/x'"):
        refuse_foreign(store, ["a", "b"])
