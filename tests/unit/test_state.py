"""Fingerprints, counts, markers, the lease and the record of a run."""

import hashlib
import json
import os
import re

import pytest
from fruits_pipeline.state.marker import FileMark, RoomMarker, WaveMarker

from fruits_pipeline.errors import DatasetError, InputError
from fruits_pipeline.state import layout, marker
from fruits_pipeline.state.counts import Counts, add_reasons
from fruits_pipeline.state.fingerprint import Fingerprint, digest_of
from fruits_pipeline.state.lease import leased
from fruits_pipeline.state.record import RunRecord
from fruits_pipeline.state.summary import summary
from fruits_pipeline.storage.opening import open_store


@pytest.fixture
def store(tmp_path):
    return open_store(str(tmp_path / "output"))


def record_of(store):
    return json.loads(store.read(layout.RUN_RECORD))


def test_a_fingerprint_is_the_same_whatever_the_order_of_its_keys():
    one, other = (Fingerprint(settings=settings, input="i") for settings in ({"a": 1, "b": 2}, {"b": 2, "a": 1}))
    assert one.digest == other.digest == digest_of({"input": "i", "settings": {"b": 2, "a": 1}})


def test_a_digest_is_the_sha256_of_canonical_json():
    assert digest_of({"b": "é", "a": 1}) == hashlib.sha256('{"a": 1, "b": "é"}'.encode()).hexdigest()


@pytest.mark.parametrize(
    "other",
    [
        Fingerprint(settings={"a": 2}, input="i"),
        Fingerprint(settings={"a": 1, "b": None}, input="i"),
        Fingerprint(settings={"a": 1}, input="j"),
        Fingerprint(settings={"a": 1.5}, input="i"),
    ],
)
def test_a_fingerprint_changes_with_each_setting_and_with_the_input(other):
    assert other.digest != Fingerprint(settings={"a": 1}, input="i").digest


def test_the_keys_that_differ_are_named_with_both_values():
    new = Fingerprint(settings={"a": 1, "b": "x", "d": 0}, input="i")
    old = Fingerprint(settings={"a": 2, "b": "x", "c": None}, input="j")
    assert new.differing(old) == ["a: 2 -> 1", "d: None -> 0", "its input, which has changed since"]
    assert new.differing(new) == []


def test_counts_that_add_up_are_given_back():
    counts = Counts(found=9, read=4, rejected=2, skipped=2, pending=1, reject_reasons={"a": 2}, skip_reasons={"b": 2})
    assert counts.checked() is counts
    assert (counts.tried, counts.reject_share, Counts().reject_share) == (6, 2 / 6, 0.0)


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("found", Counts(found=3, read=2)),
        ("rejected", Counts(found=3, read=2, rejected=1)),
        ("skipped", Counts(found=2, skipped=2, skip_reasons={"hidden": 1})),
    ],
)
def test_counts_that_do_not_add_up_are_told(golden, name, counts):
    with pytest.raises(DatasetError) as told:
        counts.checked()
    golden(f"counts_{name}", str(told.value))


def test_tables_of_reasons_are_added_by_reason():
    assert list(add_reasons([{"b": 1, "a": 2}, {}, {"b": 3}]).items()) == [("a", 2), ("b", 4)]


def test_a_marker_is_read_as_it_was_saved(store):
    saved = RoomMarker(
        room="ingest",
        fingerprint=Fingerprint(settings={"data_source": "file:///苹果 1", "sample": None}),
        finished=True,
        facts={"waves": 3, "counts": Counts(found=1, read=1).model_dump()},
        files=(FileMark(key="manifest/é.parquet", length=3, checksum="sha256:00"),),
    )
    marker.save(store, "m.json", saved)
    assert marker.load(store, "m.json", RoomMarker) == saved
    assert marker.load(store, "absent.json", RoomMarker) is None


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"room": "ingest"}', b"\xff\xfe", b'{"fingerprint": 1}'])
def test_a_damaged_marker_is_told(store, golden, tmp_path, content):
    store.write("_state/ingest.json", content)
    with pytest.raises(DatasetError, match="expected a RoomMarker at") as told:
        marker.load(store, "_state/ingest.json", RoomMarker)
    if content == b"{":
        golden("damaged_marker", str(told.value), output=tmp_path / "output")


def test_a_marker_of_another_kind_is_no_marker(store):
    marker.save(store, "m.json", WaveMarker(wave="00000", fingerprint="f", counts=Counts(), files=()))
    with pytest.raises(DatasetError, match="expected a RoomMarker at"):
        marker.load(store, "m.json", RoomMarker)


def test_marks_name_what_spark_or_we_wrote_and_nothing_else(store):
    ours = ["a/._SUCCESS.crc", "a/_SUCCESS", "a/metadata/part-00000", "a/part-1.c000.zstd.parquet", "a/x/.part-1.crc"]
    for key in [*ours, "a/notes.txt", "a/my-part-1", "ab/part-0", "a/_SUCCESSES"]:
        store.write(key, b"123")
    found = marker.marks(store, ["a", "none"])
    assert [mark.key for mark in found] == ours
    assert {(mark.length, mark.checksum) for mark in found} == {(3, store.checksum("a/_SUCCESS"))}


def test_another_job_that_holds_the_output_is_told(store, golden, tmp_path):
    with leased(store), pytest.raises(DatasetError) as told, leased(store):
        pass
    words = re.search(r"host=(\S+) pid=(\d+) since=(\S+);", str(told.value))
    assert int(words[2]) == os.getpid()
    golden("lease_held", str(told.value), output=tmp_path / "output", host=words[1], pid=words[2], since=words[3])
    with leased(store) as lease:
        assert store.read(layout.LEASE)
        lease.on_loss(lambda: pytest.fail("a lock of files is never lost"))
        lease.check()


def test_a_job_that_has_not_yet_written_its_name_holds_the_output_all_the_same(store):
    holding = pytest.raises(DatasetError, match="found another job: owner unknown;")
    with store.hold(layout.LEASE, ""), holding, leased(store):
        pass


def test_run_json_says_done_with_all_settings_and_versions(store):
    record = RunRecord("run", {"data_source": "苹果", "components": 0.9})
    with record.kept(store):
        record.counts = Counts(found=1, read=1)
        record.rooms["ingest"] = {"waves": 1}
        record.seconds["ingest"] = 0.5
    found = record_of(store)
    assert found == record.content
    assert (found["status"], found["exit_code"], found["error"], found["command"]) == ("done", 0, None, "run")
    assert (found["settings"], found["rooms"]) == ({"data_source": "苹果", "components": 0.9}, {"ingest": {"waves": 1}})
    assert (found["counts"]["found"], found["seconds"]) == (1, {"ingest": 0.5})
    assert found["started"] <= found["finished"]
    assert found["versions"]["pyarrow"]


@pytest.mark.parametrize(
    ("error", "code"),
    [(InputError("none"), 3), (KeyboardInterrupt(), 130), (SystemExit(143), 143), (KeyError("x"), 70)],
)
def test_run_json_is_written_on_failure_with_the_exit_code_and_the_error_goes_on(store, error, code):
    with pytest.raises(type(error)), RunRecord("run", {}).kept(store):
        raise error
    found = record_of(store)
    assert (found["status"], found["exit_code"]) == ("failed", code)
    assert found["error"] == f"{type(error).__name__}: {error}"


def test_run_json_is_written_when_the_counts_do_not_add_up(store):
    record = RunRecord("run", {})
    with pytest.raises(DatasetError, match="expected 2 objects found, found 1"), record.kept(store):
        record.counts = Counts(found=2, read=1)
    assert (record_of(store)["status"], record_of(store)["exit_code"]) == ("failed", 5)


def test_a_run_that_starts_while_an_older_error_is_handled_is_done_all_the_same(store):
    try:
        int("x")
    except ValueError:
        with RunRecord("run", {}).kept(store):
            pass
    assert (record_of(store)["status"], record_of(store)["exit_code"]) == ("done", 0)


@pytest.mark.parametrize("content", [b'{"status": "theirs"}', b"no json", b"3", b"[]", b"\xff"])
def test_a_foreign_run_json_is_kept_and_told(store, golden, tmp_path, content):
    store.write(layout.RUN_RECORD, content)
    with pytest.raises(DatasetError) as told, RunRecord("run", {}).kept(store):
        pytest.fail("the work began all the same")
    assert store.read(layout.RUN_RECORD) == content
    golden("foreign_run_json", str(told.value), output=tmp_path / "output")


def test_our_own_run_json_is_replaced(store):
    for name in ("extract", "reduce"):
        with RunRecord(name, {}).kept(store):
            pass
    assert record_of(store)["command"] == "reduce"


def test_the_summary_of_a_run_reads_as_a_person_wants_it(golden):
    counts = Counts(found=9, read=5, rejected=1, skipped=3, reject_reasons={"truncated": 1}, skip_reasons={"hidden": 3})
    record = {
        "counts": counts.model_dump(),
        "rooms": {
            "reduce": {"components": 190, "dimension": 1280, "variance_share": 0.9004},
            "classify": {"scores": {"random_forest": {"accuracy": 0.97123, "macro_f1": 0.9}}},
        },
        "seconds": {"reduce": 2.5, "classify": 3.0},
        "seconds_total": 6.1,
    }
    golden("summary", summary(record, "out"))
    assert "rejects" not in summary(record | {"counts": Counts().model_dump(), "rooms": {}}, "out")
