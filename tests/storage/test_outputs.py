"""A bucket as source and as output: manifest, markers, resume, the one writer, deletes that spare what is foreign."""

import io

import pyarrow.parquet as pq
import pytest
from pydantic import BaseModel

from fruits_pipeline.errors import DatasetError
from fruits_pipeline.ingest.plan_waves import Cut, plan_waves
from fruits_pipeline.settings.ingest import IngestSettings
from fruits_pipeline.state import layout
from fruits_pipeline.state.lease import leased
from fruits_pipeline.state.plan import save_plan
from fruits_pipeline.state.record import RunRecord
from fruits_pipeline.state.rooms import Rooms
from fruits_pipeline.state.upkeep import drop_manifests, tidied
from fruits_pipeline.storage.lease_taking import LeaseTiming
from fruits_pipeline.storage.source import parse_source


class Facts(BaseModel):
    rows: int


def planned(images, output):
    """The plan of a bucket's images, and label, split and wave of each by its key."""
    source = parse_source(images.root, images._settings)
    standing = tidied(output, {})
    plan = plan_waves(source, output, IngestSettings(data_source=str(source)), standing.plan, Cut(1000))
    save_plan(output, plan)
    drop_manifests(output, standing.plan, plan, standing.waves)
    rows = {}
    for wave in plan.waves:
        for row in pq.read_table(io.BytesIO(output.read(wave.manifest.key))).to_pylist():
            rows[row["path"].removeprefix(f"{images.root}/")] = (row["label"], row["split"], wave.wave)
    return plan, rows


def test_a_plan_of_a_bucket_is_written_to_a_bucket_and_grows_with_it(bucket):
    images, output = bucket(), bucket()
    for key in ("Training/Apple Red 1/0 100%.jpg", "Test/Яблоко/1+1.jpg", "notes.txt"):
        images.write(key, b"123")
    assert planned(images, output)[1] == {
        "Test/Яблоко/1+1.jpg": ("Яблоко", "test", "00000"),
        "Training/Apple Red 1/0 100%.jpg": ("Apple Red 1", "train", "00000"),
        "notes.txt": (None, None, "00000"),
    }
    images.write("Test/Apple Red 1/new.jpg", b"123")
    output.write("manifest/wave=00000/part-00009.parquet", b"left by a killed write")
    plan, rows = planned(images, output)
    assert [rows[key][2] for key in sorted(rows)] == ["00001", "00000", "00000", "00000"]
    assert (plan.counts.found, plan.change.computed) == (4, 1)
    found = [found.key for found in output.objects("manifest")]
    assert found == [f"manifest/wave=0000{n}/part-00000.parquet" for n in range(2)]


def test_rooms_are_begun_kept_refused_and_replaced_as_in_a_folder(bucket):
    store = bucket()
    rooms = Rooms(store, overwrite=False)
    ours, other = {"components": 0.9}, {"components": 100}
    assert rooms.begin("reduce", ours, "a snapshot", Facts) is None
    for key in ("reduced/part-0.parquet", "reduced/_SUCCESS", "reduced/_temporary/0/x", "reduced2/x"):
        store.write(key, b"123")
    assert rooms.begin("reduce", ours, "a snapshot", Facts) is None
    store.write("reduced/part-0.parquet", b"123")
    rooms.finish("reduce", Facts(rows=1))
    kept = rooms.begin("reduce", ours, "a snapshot", Facts)
    assert kept is not None
    assert kept.facts == Facts(rows=1)
    with pytest.raises(DatasetError, match="components"):
        rooms.begin("reduce", other, "a snapshot", Facts)
    assert Rooms(store, overwrite=True).begin("reduce", other, "a snapshot", Facts) is None
    assert sorted(found.key for found in store.objects()) == ["_state/reduce.json", "reduced2/x"]
    store.write("predictions/foreign", b"1")
    with pytest.raises(
        DatasetError, match=r"predictions to be empty or written by fruits-pipeline, found 'predictions/foreign'"
    ):
        rooms.begin("classify", {}, "reduce", Facts)


def test_a_second_job_is_refused_with_the_first_ones_name_and_the_record_is_kept(bucket):
    store = bucket()
    store.timing = LeaseTiming(heartbeat_s=0.2, look_s=0.1)
    record = RunRecord("reduce", {})
    said = r"found another job: host=\S+ pid=\d+ since="
    with leased(store), record.kept(store), pytest.raises(DatasetError, match=said), leased(store):
        pytest.fail("held by two")
    assert b'"done"' in store.read(layout.RUN_RECORD)
