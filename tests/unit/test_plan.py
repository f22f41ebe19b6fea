"""The plan as it stands in the output: read as it was saved, refused where another release made it or it is damaged."""

import json

import pytest
from waves_of import rows_of

from fruits_pipeline.errors import DatasetError
from fruits_pipeline.state import layout
from fruits_pipeline.state.plan import VERSION, Plan, load_plan, required_plan, save_plan


def test_a_plan_is_read_as_it_was_saved(store, planned):
    assert load_plan(store) is None
    plan = planned(rows_of("abc", label="苹果"), finished={"00000"}).model_copy(
        update={"settings": {"data_source": "file:///苹果 1", "sample": None}, "packed": "s3://b/pack"}
    )
    save_plan(store, plan)
    assert load_plan(store) == required_plan(store) == plan
    assert json.loads(store.read("_state/snapshot.json"))["version"] == VERSION == 4


def test_an_output_of_the_version_before_is_refused(store, golden, tmp_path):
    store.write("_state/ingest.json", b"{}")
    for load in (load_plan, required_plan):
        with pytest.raises(DatasetError) as told:
            load(store)
    golden("output_of_version_1", str(told.value), output=tmp_path / "output")


@pytest.mark.parametrize("version", [VERSION - 1, VERSION + 1])
def test_a_plan_of_another_version_is_refused(store, golden, tmp_path, version):
    save_plan(store, Plan(version=version, settings={}, source_root=""))
    with pytest.raises(DatasetError) as told:
        load_plan(store)
    assert told.value.exit_code == 5
    golden(f"output_of_version_{version}", str(told.value), output=tmp_path / "output")


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"waves": []}', b"\xff\xfe"])
def test_a_damaged_plan_is_told(store, golden, tmp_path, content):
    store.write(layout.SNAPSHOT, content)
    with pytest.raises(DatasetError, match="expected the list of this output's batches of images at") as told:
        load_plan(store)
    if content == b"{":
        golden("damaged_plan", str(told.value), output=tmp_path / "output")


def test_an_output_without_a_plan_is_told(store, golden, tmp_path):
    with pytest.raises(DatasetError) as told:
        required_plan(store)
    golden("no_plan", str(told.value), output=tmp_path / "output")


def test_one_wave_stands_in_the_place_of_another(planned):
    plan = planned(rows_of("abcdef"))
    again = plan.waves[1].model_copy(update={"wave": "00009", "sources": ("00001",)})
    replaced = plan.replacing(plan.waves[1], again)
    assert replaced.waves == (plan.waves[0], again, plan.waves[2])
    assert replaced.counts == plan.counts
    assert plan.counts.pending == 6
