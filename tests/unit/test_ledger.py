"""The rule of resume: what is kept, resumed, refused, replaced, and which files may ever be deleted."""

import pytest
from fruits_pipeline.state.ledger import Ledger, Verdict
from fruits_pipeline.state.marker import WaveMarker, marks

from fruits_pipeline.errors import DatasetError
from fruits_pipeline.state import layout
from fruits_pipeline.state.counts import Counts
from fruits_pipeline.state.fingerprint import Fingerprint
from fruits_pipeline.storage.opening import open_store

SETTINGS = {"components": 0.9, "seed": 1}
OURS = Fingerprint(settings=SETTINGS, input="features")
OTHERS = {
    "settings": Fingerprint(settings=SETTINGS | {"components": 100}, input="features"),
    "input": Fingerprint(settings=SETTINGS, input="other features"),
}
FLOW = ("ingest", "features", "reduce", "export_json", "export_csv", "classify", "pack")


@pytest.fixture
def store(tmp_path):
    return open_store(str(tmp_path / "output"))


@pytest.fixture
def ledger(store):
    return Ledger(store, overwrite=False)


@pytest.fixture
def replacing(store):
    return Ledger(store, overwrite=True)


def keys(store):
    return {found.key for found in store.objects()}


def folder_of(room):
    return layout.OWNED[room][0]


def finish(store, ledger, room, fingerprint=OURS):
    """A room as the flow leaves it, with one file in each of its folders."""
    ledger.begin(room, fingerprint)
    if room == "features":
        for key in ("features/wave=00000/part-0.parquet", "rejects/wave=00000/_SUCCESS"):
            store.write(key, b"123")
        files = marks(store, layout.wave_folders("00000"))
        ledger.mark_wave(WaveMarker(wave="00000", fingerprint=fingerprint.digest, counts=Counts(), files=files))
    else:
        for folder in layout.OWNED[room]:
            store.write(f"{folder}/part-00000.parquet", b"123")
    ledger.finish(room, {"rows": 1})


def test_a_room_without_a_marker_is_fresh_then_resumed_then_done(store, ledger):
    assert ledger.begin("reduce", OURS) is Verdict.FRESH
    assert ledger.begin("reduce", OURS) is Verdict.RESUME
    finish(store, ledger, "reduce")
    assert ledger.begin("reduce", OURS) is Verdict.DONE
    assert ledger.finished("reduce").facts == {"rows": 1}


def test_the_claim_on_the_folders_stands_before_any_file_is_written(store, ledger):
    ledger.begin("reduce", OURS)
    store.write("reduced/part-00000.parquet", b"half")
    assert ledger.begin("reduce", OURS) is Verdict.RESUME
    ledger.clear("reduce")
    assert keys(store) == {"_state/reduce.json"}


@pytest.mark.parametrize("damage", ["gone", "longer"])
def test_a_finished_room_with_a_damaged_file_is_resumed_and_keeps_what_it_knew(store, ledger, damage):
    finish(store, ledger, "reduce")
    if damage == "gone":
        store.delete(["reduced/part-00000.parquet"])
    else:
        store.write("reduced/part-00000.parquet", b"1234")
    assert ledger.begin("reduce", OURS) is Verdict.RESUME
    begun = ledger.marker("reduce")
    assert (begun.finished, begun.facts) == (False, {"rows": 1})
    with pytest.raises(DatasetError, match=r"expected finished reduce under .*, found unfinished; run 'reduce' first"):
        ledger.finished("reduce")


@pytest.mark.parametrize("finished", [True, False])
@pytest.mark.parametrize("other", OTHERS)
def test_another_fingerprint_is_refused_and_nothing_is_touched(store, ledger, golden, tmp_path, other, finished):
    ledger.begin("reduce", OURS)
    if finished:
        finish(store, ledger, "reduce")
    before = keys(store)
    with pytest.raises(DatasetError) as told:
        ledger.begin("reduce", OTHERS[other])
    assert (keys(store), ledger.marker("reduce").fingerprint) == (before, OURS)
    golden(f"different_{other}", str(told.value), output=tmp_path / "output")


def test_overwrite_of_equal_settings_keeps_the_result(store, replacing):
    finish(store, replacing, "reduce")
    assert replacing.begin("reduce", OURS) is Verdict.DONE


@pytest.mark.parametrize("room", ["ingest", "features", "reduce", "classify"])
def test_overwrite_replaces_the_room_and_those_downstream_and_keeps_those_upstream(store, ledger, replacing, room):
    for name in FLOW:
        finish(store, ledger, name)
    assert replacing.begin(room, OTHERS["settings"]) is Verdict.FRESH
    upstream = FLOW[: FLOW.index(room)]
    assert [name for name in FLOW if ledger.marker(name)] == [*upstream, room]
    kept = {key.split("/")[0] for key in keys(store)} - {"_state", "models", "evaluation", "exports"}
    assert kept == {folder for name in upstream for folder in layout.OWNED[name] if "/" not in folder}
    assert (len(ledger.waves()) == 1) == ("features" in upstream)
    assert ("models/reduce/part-00000.parquet" in keys(store)) == ("reduce" in upstream)


def test_overwrite_keeps_foreign_files_and_names_them(store, ledger, replacing, golden, tmp_path):
    foreign = {"reduced/notes.txt", "predictions/mine/keep.csv", "elsewhere/part-00000"}
    for name in FLOW:
        finish(store, ledger, name)
    for key in foreign:
        store.write(key, b"mine")
    with pytest.raises(DatasetError) as told:
        replacing.begin("reduce", OTHERS["settings"])
    golden("foreign_after_overwrite", str(told.value), output=tmp_path / "output")
    assert foreign < keys(store)
    assert not {key for key in keys(store) if key.startswith(("reduced/", "predictions/"))} - foreign


def test_a_foreign_file_that_came_during_the_work_is_not_marked_as_ours(store, ledger, replacing):
    ledger.begin("reduce", OURS)
    store.write("reduced/notes.txt", b"mine")
    finish(store, ledger, "reduce")
    assert "reduced/notes.txt" not in [file.key for file in ledger.finished("reduce").files]
    replacing.clear_from("reduce")
    assert keys(store) == {"reduced/notes.txt"}


@pytest.mark.parametrize("folder", layout.OWNED["classify"])
def test_a_folder_of_files_without_a_marker_is_refused(store, ledger, replacing, folder):
    store.write(f"{folder}/theirs", b"x")
    for one in (ledger, replacing):
        with pytest.raises(DatasetError, match=f"found '{folder}/theirs' without a marker"):
            one.begin("classify", OURS)
        with pytest.raises(DatasetError, match="without a marker"):
            one.check({"reduce": SETTINGS, "classify": {}})
    assert keys(store) == {f"{folder}/theirs"}


def test_foreign_files_are_told(store, ledger, golden, tmp_path):
    store.write("manifest/holiday.jpg", b"x")
    with pytest.raises(DatasetError) as told:
        ledger.check({"ingest": {}})
    golden("foreign_files", str(told.value), output=tmp_path / "output")


def test_other_settings_of_all_rooms_are_told_before_any_work(store, ledger, replacing, golden, tmp_path):
    finish(store, ledger, "ingest", Fingerprint(settings={"data_source": "file:///a", "sample": None}))
    finish(store, ledger, "reduce")
    wanted = {"ingest": {"data_source": "file:///b", "sample": 3}, "reduce": {"components": 0.8, "seed": 1}}
    with pytest.raises(DatasetError) as told:
        ledger.check(wanted)
    assert told.value.exit_code == 5
    golden("different_before_work", str(told.value), output=tmp_path / "output")
    replacing.check(wanted)
    ledger.check({"reduce": SETTINGS, "classify": {}})


@pytest.mark.parametrize("room", ["ingest", "features", "reduce"])
def test_a_room_that_was_never_run_is_told(ledger, golden, tmp_path, room):
    with pytest.raises(DatasetError) as told:
        ledger.finished(room)
    golden(f"unfinished_{room}", str(told.value), output=tmp_path / "output")


def test_a_room_cannot_finish_that_has_not_begun(ledger):
    with pytest.raises(DatasetError, match=r"expected a begun room reduce .*, found no marker"):
        ledger.finish("reduce", {})


def test_the_result_is_the_fingerprint_unless_the_room_names_another(store, ledger):
    finish(store, ledger, "reduce")
    assert ledger.finished("reduce").result == OURS.digest
    ledger.finish("reduce", {}, "of the waves")
    assert ledger.finished("reduce").result == "of the waves"


def test_a_wave_is_intact_until_a_file_of_it_is_gone_and_dropped_with_its_files_alone(store, ledger):
    finish(store, ledger, "features")
    store.write("features/wave=00000/theirs", b"x")
    (wave,) = ledger.waves()
    assert ledger.wave_intact(wave)
    store.delete(["rejects/wave=00000/_SUCCESS"])
    assert not ledger.wave_intact(wave)
    ledger.drop_wave(wave)
    assert ledger.waves() == []
    assert keys(store) == {"_state/features.json", "features/wave=00000/theirs"}


def test_a_sweep_takes_what_spark_left_and_nothing_else(store, ledger):
    left = ("_SUCCESS", "._SUCCESS.crc", "_temporary/0/_x/y", "part-0.parquet", ".part-0.parquet.crc", "deep/part-1")
    for name in (*left, "notes.txt", "apart-1", "part-dir/x"):
        store.write(f"features/wave=00001/{name}", b"")
    store.write("features/wave=00002/part-0", b"")
    ledger.sweep(layout.wave_folders("00001"))
    kept = {f"features/wave=00001/{name}" for name in ("notes.txt", "apart-1", "part-dir/x")}
    assert keys(store) == kept | {"features/wave=00002/part-0"}


def test_no_two_rooms_own_the_same_folder():
    owned = [f"{folder}/" for room in FLOW for folder in layout.OWNED[room]]
    assert set(layout.OWNED) == set(FLOW)
    assert not [(one, other) for one in owned for other in owned if one != other and one.startswith(other)]
    assert len(owned) == len(set(owned))
