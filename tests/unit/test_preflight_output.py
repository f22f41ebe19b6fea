"""Whether an output may be written is known before anything is made."""

from dataclasses import replace

import pytest

from clouds.aws import job
from fruits_pipeline.refusals import reduce_essentials
from fruits_pipeline.settings.commands import RunCommand
from fruits_pipeline.state.record import load_record
from fruits_pipeline.state.room_marker import AnyFacts
from fruits_pipeline.state.rooms import Rooms
from fruits_pipeline.submit.preflight.finding import Verdict
from fruits_pipeline.submit.preflight.output import output


@pytest.fixture
def looked(store, tmp_path):
    """The findings of a run with these settings of its rooms."""
    (tmp_path / "in").mkdir()

    def command(**rooms):
        given = {"output": {"output_uri": store.root}, "ingest": {"data_source": str(tmp_path / "in")}} | rooms
        return RunCommand.model_validate(given)

    run = command()
    rooms = Rooms(store, overwrite=False)
    rooms.begin("reduce", reduce_essentials(run.reduce, run, store), "snapshot", AnyFacts)
    rooms.finish("reduce", AnyFacts())
    return lambda **rooms: list(output(replace(job(), output_uri=store.root), command(**rooms)))


def test_an_output_that_the_job_would_resume_is_no_fault(looked):
    (found,) = looked()
    assert found.verdict is Verdict.OK


def test_other_settings_are_a_fault_unless_they_may_replace_the_results(looked, store):
    (found,) = looked(reduce={"components": 7})
    assert found.verdict is Verdict.FAULT
    assert "components" in str(found)
    assert "--overwrite" in found.remedy
    (allowed,) = looked(reduce={"components": 7}, output={"output_uri": store.root, "overwrite": True})
    assert allowed.verdict is Verdict.OK


def test_all_that_is_wrong_with_an_output_is_told(looked, store):
    store.write("run.json", b"[]")
    found = looked(reduce={"components": 7})
    assert [one.verdict for one in found] == [Verdict.FAULT] * 2
    assert "run.json" in str(found[0])
    assert "components" in str(found[1])


def test_a_table_of_labels_that_is_not_there_is_a_fault(looked, tmp_path):
    (found,) = looked(reduce={"labels": str(tmp_path / "labels.csv")})
    assert found.verdict is Verdict.FAULT
    assert "labels.csv" in str(found)


def test_looking_writes_nothing(looked, store):
    before = {found.key for found in store.objects()}
    looked(reduce={"components": 7})
    assert {found.key for found in store.objects()} == before
    assert load_record(store) is None
