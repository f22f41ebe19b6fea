"""Rooms made as a whole: kept, made again, refused or replaced, and what is removed with them."""

import logging

import pytest
from pydantic import BaseModel

from fruits_pipeline.errors import DatasetError
from fruits_pipeline.state import layout
from fruits_pipeline.state.packs import PackedWave, mark_packed
from fruits_pipeline.state.room_marker import digest_of_sources
from fruits_pipeline.state.rooms import Rooms

SETTINGS = {"components": 0.9, "seed": 1}
OTHERS = {"components": 100, "seed": 1}
ROOMS = tuple(layout.OWNED)


class Facts(BaseModel):
    """What a room found."""

    rows: int = 1


@pytest.fixture
def rooms(store):
    return Rooms(store, overwrite=False)


@pytest.fixture
def replacing(store):
    return Rooms(store, overwrite=True)


def keys(store):
    return {found.key for found in store.objects()}


def file_of(place):
    return place if layout.is_file(place) else f"{place}/part-00000.parquet"


def make(store, rooms, room, settings=SETTINGS, made_from="features"):
    """A room as the flow leaves it, with one file in each of its places; None where it was kept."""
    if rooms.begin(room, settings, made_from, Facts) is not None:
        return None
    for place in layout.OWNED[room]:
        store.write(file_of(place), b"123")
    return rooms.finish(room, Facts())


def make_all(store, rooms):
    """All rooms, each made from what it is made from."""
    reduced = make(store, rooms, "reduce")
    make_others(store, rooms, reduced)
    return reduced


def make_others(store, rooms, reduced):
    """The rooms that are made from ``reduced``, and those made from these; None for one that was kept."""
    made = {"reduce": reduced}
    for room in layout.MADE_FROM:
        made[room] = make(store, rooms, room, {"of": room}, digest_of_sources(room, made))
    return made


def begun(store, room):
    return layout.room_marker(room) in keys(store)


def test_a_room_is_begun_then_finished_then_kept(store, rooms):
    assert rooms.begin("reduce", SETTINGS, "features", Facts) is None
    unfinished = rooms.marker("reduce", Facts)
    assert (unfinished.facts, unfinished.files, unfinished.made_from) == (None, (), "features")
    assert keys(store) == {"_state/reduce.json"}
    done = make(store, rooms, "reduce")
    assert rooms.begin("reduce", SETTINGS, "features", Facts) == done == rooms.finished("reduce", Facts, "features")
    assert (done.facts_or_fail, done.settings) == (Facts(), SETTINGS)
    assert {file.key for file in done.files} == keys(store) - {"_state/reduce.json"}
    assert done.of(store.root, "reduced") == [f"{store.root}/reduced/part-00000.parquet"]
    assert done.of(store.root, "reduce") == []


def test_another_input_makes_a_room_again_without_a_word_of_refusal(store, rooms):
    before = make(store, rooms, "reduce")
    rooms.check("reduce", SETTINGS)
    after = make(store, rooms, "reduce", made_from="grown features")
    assert (after.made_from, before.digest != after.digest) == ("grown features", True)
    with pytest.raises(DatasetError, match="found those of earlier images or labels; run 'reduce' first"):
        rooms.finished("reduce", Facts, "features")


def test_other_settings_are_refused_by_name_and_nothing_is_touched(store, rooms, golden, tmp_path):
    make_all(store, rooms)
    before = {key: store.read(key) for key in keys(store)}
    for made_from in ("features", "grown features"):
        with pytest.raises(DatasetError) as told:
            rooms.begin("reduce", OTHERS, made_from, Facts)
    assert told.value.exit_code == 5
    assert {key: store.read(key) for key in keys(store)} == before
    golden("different_settings", str(told.value), output=tmp_path / "output")
    with pytest.raises(DatasetError, match=r"reduce: components: 0.9 -> 100;"):
        rooms.check("reduce", OTHERS)


def test_changes_of_ingest_and_features_are_refused_in_the_same_words(rooms, replacing, golden, tmp_path):
    changes = ["ingest: data_source: 'file:///a' -> 'file:///b'", "features: image_size: 224 -> 160"]
    with pytest.raises(DatasetError) as told:
        rooms.refuse_changes(changes)
    golden("different_before_work", str(told.value), output=tmp_path / "output")
    rooms.refuse_changes([])
    replacing.refuse_changes(changes)


def test_overwrite_replaces_other_settings_and_keeps_equal_ones(store, rooms, replacing):
    make(store, rooms, "reduce")
    assert make(store, replacing, "reduce") is None
    replacing.check("reduce", OTHERS)
    assert make(store, replacing, "reduce", OTHERS).settings == OTHERS


def test_an_unfinished_room_with_other_settings_is_simply_begun(store, rooms):
    rooms.begin("reduce", SETTINGS, "features", Facts)
    store.write("reduced/part-00000.parquet", b"half")
    rooms.check("reduce", OTHERS)
    assert rooms.begin("reduce", OTHERS, "other", Facts) is None
    assert keys(store) == {"_state/reduce.json"}
    assert (rooms.marker("reduce", Facts).settings, rooms.marker("reduce", Facts).made_from) == (OTHERS, "other")


@pytest.mark.parametrize("damage", ["gone", "longer"])
def test_a_finished_room_with_a_damaged_file_is_made_again(store, rooms, damage, caplog):
    caplog.set_level(logging.INFO)
    make_all(store, rooms)
    key = "models/reduce/part-00000.parquet"
    store.write(key, b"1234")
    if damage == "gone":
        store.delete([key])
    assert make(store, rooms, "reduce") is not None
    assert f"repeat step=reduce because {key} is gone or has another length" in caplog.messages
    assert not any(begun(store, room) for room in layout.dependants("reduce"))


def test_what_was_made_from_a_room_goes_only_when_that_room_is_made_again(store, rooms):
    reduced = make_all(store, rooms)
    before = keys(store)
    assert make(store, rooms, "reduce") is None
    assert (keys(store), rooms.removed) == (before, [])
    make(store, rooms, "reduce", made_from="grown features")
    assert rooms.removed == ["report", "classify", "examine", "export_csv", "export_json"]
    assert keys(store) == {"_state/reduce.json", *(file.key for file in reduced.files)}
    make(store, rooms, "export_json")
    assert rooms.removed == ["report", "classify", "examine", "export_csv"]


@pytest.mark.parametrize("room", sorted(layout.MADE_FROM))
def test_rooms_of_one_reduction_do_not_touch_one_another(store, rooms, room):
    make_all(store, rooms)
    touched = (room, *layout.dependants(room))
    own = tuple(place for one in touched for place in (*layout.OWNED[one], layout.room_marker(one)))
    others = {key: store.checksum(key) for key in keys(store) if not key.startswith(own)}
    make(store, rooms, room, {"of": room}, "another reduction")
    assert others.items() <= {key: store.checksum(key) for key in keys(store)}.items()
    assert rooms.removed == list(layout.dependants(room))


@pytest.mark.parametrize("room", layout.MADE_FROM["report"])
def test_no_page_stands_beside_newer_results(store, rooms, room):
    make_all(store, rooms)
    assert layout.REPORT in keys(store)
    make(store, rooms, room, {"of": room}, "another reduction")
    assert not keys(store) & {layout.REPORT, layout.room_marker("report")}
    assert rooms.removed == ["report"]


def test_a_page_of_somebody_else_is_refused_and_stays(store, rooms, golden, tmp_path):
    store.write(layout.REPORT, b"mine")
    with pytest.raises(DatasetError) as told:
        rooms.begin("report", {}, "x", Facts)
    assert keys(store) == {layout.REPORT}
    golden("foreign_report", str(told.value), output=tmp_path / "output")


def test_a_page_that_was_edited_by_hand_is_made_again(store, rooms):
    made = make(store, rooms, "report")
    store.write(layout.REPORT, b"1234")
    assert make(store, rooms, "report") == made


def test_packs_and_waves_are_never_touched(store, rooms):
    theirs = ("packed/wave=00000/part-0", "features/wave=00000/part-0", "rejects/part-0", "manifest/part-0")
    for key in theirs:
        store.write(key, b"x")
    mark_packed(store, PackedWave(wave="00000", contents="", images=1, without_content=0, files=()))
    make_all(store, rooms)
    make(store, rooms, "reduce", made_from="grown features")
    assert {*theirs, "_state/packed/00000.json"} < keys(store)


def test_foreign_files_beside_ours_stay_and_are_not_marked(store, rooms, replacing):
    foreign = {"reduced/notes.txt", "predictions/mine/keep.csv", "exports/part-00000"}
    rooms.begin("reduce", SETTINGS, "features", Facts)
    store.write("reduced/notes.txt", b"mine")
    make_all(store, rooms)
    for key in foreign:
        store.write(key, b"mine")
    assert "reduced/notes.txt" not in [file.key for file in rooms.finished("reduce", Facts).files]
    assert make(store, replacing, "reduce", OTHERS) is not None
    left = {file.key for file in rooms.finished("reduce", Facts).files}
    assert keys(store) == foreign | left | {"_state/reduce.json"}


@pytest.mark.parametrize("folder", layout.OWNED["classify"])
def test_a_folder_of_files_without_a_marker_is_refused(store, rooms, replacing, folder):
    store.write(f"{folder}/part-00000.parquet", b"x")
    told = f"found '{folder}/part-00000.parquet', which it did not write"
    for one in (rooms, replacing):
        with pytest.raises(DatasetError, match=told):
            one.begin("classify", {}, "x", Facts)
        with pytest.raises(DatasetError, match=told):
            one.check("classify", {})
    assert keys(store) == {f"{folder}/part-00000.parquet"}


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"room": "reduce"}', b"\xff\xfe"])
def test_a_damaged_marker_is_told(store, rooms, golden, tmp_path, content):
    store.write("_state/reduce.json", content)
    with pytest.raises(DatasetError, match="expected the record of reduce at") as told:
        rooms.marker("reduce", Facts)
    if content == b"{":
        golden("damaged_room_marker", str(told.value), output=tmp_path / "output")


def test_a_room_that_is_not_finished_is_told(store, rooms, golden, tmp_path):
    with pytest.raises(DatasetError) as told:
        rooms.finished("reduce", Facts)
    golden("unfinished_reduce", str(told.value), output=tmp_path / "output")
    rooms.begin("export_csv", {}, "x", Facts)
    with pytest.raises(DatasetError, match="found unfinished ones; run 'reduce --export csv' first"):
        rooms.finished("export_csv", Facts)
    with pytest.raises(DatasetError, match="expected finished principal components as CSV"):
        _ = rooms.marker("export_csv", Facts).facts_or_fail
    with pytest.raises(DatasetError, match="expected the record of classify under"):
        rooms.finish("classify", Facts())
    assert keys(store) == {"_state/export_csv.json"}


def test_rooms_of_an_older_snapshot_are_named_in_the_order_of_the_flow(store, rooms):
    assert rooms.stale("features") == []
    make_all(store, rooms)
    assert rooms.stale("features") == []
    assert rooms.stale("grown features") == ["reduce", "export_json", "export_csv", "examine", "classify", "report"]
    make(store, rooms, "reduce", made_from="grown features")
    assert rooms.stale("grown features") == []
    assert rooms.stale("features") == ["reduce"]


def test_a_room_depends_on_its_settings_and_its_input_alone(store, rooms):
    first = make(store, rooms, "reduce")
    for settings, made_from in ((OTHERS, "features"), (SETTINGS, "other")):
        other = first.model_copy(update={"settings": settings, "made_from": made_from})
        assert other.digest != first.digest
    assert first.model_copy(update={"facts": None, "files": ()}).digest == first.digest
    assert first.model_copy(update={"room": "classify"}).digest != first.digest


def test_only_rivals_own_the_same_folder_and_no_room_owns_those_of_waves():
    assert [place for room in ROOMS for place in layout.OWNED[room] if layout.is_file(place)] == [layout.REPORT]
    owned = [f"{folder}/" for room in ROOMS for folder in layout.OWNED[room]] + [f"{name}/" for name in layout.BY_WAVE]
    assert not [(one, other) for one in owned for other in owned if one != other and one.startswith(other)]
    shared = {folder for folder in owned if owned.count(folder) > 1}
    assert shared <= {f"{folder}/" for folder in layout.OWNED["score"]}
    assert {layout.STATE, layout.LABELS.partition("/")[0]} == {"_state"}
    assert set(layout.COMMANDS) == set(ROOMS)
