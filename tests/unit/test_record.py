"""``run.json``, and the few lines for a person that are made of it."""

import json
import re
from contextlib import nullcontext, suppress
from pathlib import Path

import pytest
from pydantic import BaseModel

import fruits_pipeline
from fruits_pipeline import timeline
from fruits_pipeline.errors import DatasetError, InputError
from fruits_pipeline.state import layout
from fruits_pipeline.state.counts import Change, Counts, Sides
from fruits_pipeline.state.record import RunRecord
from fruits_pipeline.state.summary import summary
from fruits_pipeline.state.uses import Uses


class Facts(BaseModel):
    """What a room found."""

    waves: int = 1


def record_of(store):
    return json.loads(store.read(layout.RUN_RECORD))


def test_the_end_of_a_step_is_told_with_its_place_among_the_steps_of_the_command(caplog):
    caplog.set_level("INFO")
    record = RunRecord("run", {})
    for step in (*layout.STEPS["run"], "another"):
        with record.timed(step):
            pass
    told = [message.partition(" seconds=")[0] for message in caplog.messages]
    places = [
        f"step {place}/{len(layout.STEPS['run'])} done: {step}" for place, step in enumerate(layout.STEPS["run"], 1)
    ]
    assert told == [*places, "step done: another"]


def test_every_step_that_a_command_takes_stands_in_the_list_of_its_steps():
    source = Path(fruits_pipeline.__file__).parent
    timed = {name for file in source.rglob("*.py") for name in re.findall(r"\.timed\(\"(\w+)\"\)", file.read_text())}
    assert len(timed) > 4
    assert timed <= {step for steps in layout.STEPS.values() for step in steps}


def test_run_json_says_done_with_all_settings_and_versions(store):
    timeline.forget()
    record = RunRecord("run", {"data_source": "苹果", "components": 0.9})
    with record.kept(store):
        assert record_of(store)["status"] == "running"  # what a kill leaves
        record.counts = Counts(found=1, read=1)
        record.change = Change(kept=1, relabelled=1)
        record.rooms["ingest"] = Facts()
        record.next_steps.append("run 'classify': its results are from before the change")
        record.seconds["ingest"] = 0.5
        timeline.note("ingest")
    found = record_of(store)
    assert found == record.content
    assert (found["status"], found["exit_code"], found["error"], found["command"]) == ("done", 0, None, "run")
    assert (found["settings"], found["rooms"]) == ({"data_source": "苹果", "components": 0.9}, {"ingest": {"waves": 1}})
    assert (found["counts"]["found"], found["seconds"]) == (1, {"ingest": 0.5})
    assert found["change"] == {"kept": 1, "carried": 0, "computed": 0, "relabelled": 1, "gone": 0}
    assert found["next"] == ["run 'classify': its results are from before the change"]
    assert [step["step"] for step in found["timeline"]] == ["ingest"]
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
    uses = Uses(train=3, test=1, predicted_only=1).model_dump()
    counts = Counts(found=9, read=5, rejected=1, skipped=3, reject_reasons={"truncated": 1}, skip_reasons={"hidden": 3})
    record = {
        "counts": counts.model_dump(),
        "change": Change(kept=3, carried=2, computed=1, gone=4).model_dump(),
        "rooms": {
            "ingest": {"sides": Sides(train=5, none=3, folders={"Training": 5}).model_dump()},
            "reduce": {
                "components": 190,
                "dimension": 1280,
                "variance_share": 0.9004,
                "uses": uses,
                "split_by": "folder or table",
            },
            "classify": {
                "judged": "test",
                "scores": {"random_forest": {"accuracy": 0.97123, "macro_f1": 0.9}},
                "uses": uses,
                "unlearnt": {"labels": 11, "images": 30, "names": list("abcdefghij")},
                "unjudged": {"labels": 1, "images": 2, "names": ["Quince"]},
            },
        },
        "seconds": {"reduce": 2.5, "classify": 3.0},
        "seconds_total": 6.1,
        "next": ["run 'classify': its results were removed, because they were from before the change"],
    }
    golden("summary", summary(record, "out"))


def test_the_summary_leaves_out_what_there_is_nothing_to_say_about(golden):
    record = {"counts": Counts(found=1, read=1).model_dump(), "rooms": {}, "seconds": {}, "seconds_total": 0.1}
    golden("summary_short", summary(record, "out"))
    assert summary(record | {"change": Change().model_dump(), "next": []}, "out") == summary(record, "out")


def test_a_refused_command_leaves_the_record_of_the_results_that_stand_and_is_noted_in_it(store):
    with RunRecord("run", {}).kept(store):
        pass
    before = record_of(store)
    with pytest.raises(DatasetError), RunRecord("classify", {}).kept(store):
        raise DatasetError("other settings")
    found = record_of(store)
    refused = found.pop("refused")
    assert found == before
    assert (refused["command"], refused["exit_code"]) == ("classify", 5)
    assert refused["error"] == "DatasetError: other settings"


def test_a_command_that_has_begun_replaces_the_record_however_it_ends(store):
    with RunRecord("run", {}).kept(store):
        pass
    record = RunRecord("classify", {})
    with suppress(DatasetError), record.kept(store):
        record.begin(store)
        assert record_of(store)["status"] == "running"
        raise DatasetError("damaged")
    assert (record_of(store)["command"], record_of(store)["status"]) == ("classify", "failed")


def test_what_was_refused_once_is_forgotten_by_the_next_command(store):
    for error in (None, DatasetError("other settings"), None):
        record = RunRecord("run", {})
        with nullcontext() if error is None else pytest.raises(DatasetError), record.kept(store):
            if error:
                raise error
            record.begin(store)
    assert "refused" not in record_of(store)
