"""A bucket as source and as output: manifest, markers, resume, the one writer, deletes that spare what is foreign."""

import pytest
from fruits_pipeline.ingest.build import build_manifest
from fruits_pipeline.ingest.rows import read_rows
from fruits_pipeline.state.ledger import Ledger, Verdict

from fruits_pipeline.errors import DatasetError
from fruits_pipeline.settings.ingest import IngestSettings
from fruits_pipeline.state import layout
from fruits_pipeline.state.fingerprint import Fingerprint
from fruits_pipeline.state.lease import leased
from fruits_pipeline.state.record import RunRecord
from fruits_pipeline.storage.lease_taking import LeaseTiming
from fruits_pipeline.storage.source import parse_source


def test_a_manifest_of_a_bucket_is_written_to_a_bucket_and_grows_with_it(bucket, tmp_path):
    images, output = bucket(), bucket()
    for key in ("Training/Apple Red 1/0 100%.jpg", "Test/Яблоко/1+1.jpg", "notes.txt"):
        images.write(key, b"123")
    source = parse_source(images.root, images._settings)

    def build(next_wave):
        manifest = build_manifest(source, output, IngestSettings(data_source=str(source)), 2, next_wave)
        (tmp_path / "copy").write_bytes(output.read("manifest/part-00000.parquet"))
        return manifest, {row.path.removeprefix(f"{images.root}/"): row for row in read_rows(tmp_path / "copy")}

    manifest, rows = build(0)
    assert {key: (row.label, row.split, row.wave) for key, row in rows.items()} == {
        "Test/Яблоко/1+1.jpg": ("Яблоко", "test", "00000"),
        "Training/Apple Red 1/0 100%.jpg": ("Apple Red 1", "train", "00000"),
        "notes.txt": (None, None, None),
    }
    images.write("Test/Apple Red 1/new.jpg", b"123")
    manifest, rows = build(manifest.next_wave)
    assert [rows[key].wave for key in sorted(rows)] == ["00001", "00000", "00000", None]
    assert manifest.counts.found == 4


def test_rooms_are_begun_resumed_kept_refused_and_replaced_as_in_a_folder(bucket):
    store = bucket()
    ledger = Ledger(store, overwrite=False)
    ours, other = Fingerprint(settings={"components": 0.9}), Fingerprint(settings={"components": 100})
    assert ledger.begin("reduce", ours) is Verdict.FRESH
    for key in ("reduced/part-0.parquet", "reduced/_SUCCESS", "reduced/_temporary/0/x", "reduced2/x"):
        store.write(key, b"123")
    assert ledger.begin("reduce", ours) is Verdict.RESUME
    ledger.finish("reduce", {"rows": 1})
    assert ledger.begin("reduce", ours) is Verdict.DONE
    with pytest.raises(DatasetError, match="components"):
        ledger.begin("reduce", other)
    assert Ledger(store, overwrite=True).begin("reduce", other) is Verdict.FRESH
    assert sorted(found.key for found in store.objects()) == ["_state/reduce.json", "reduced2/x"]
    ledger.clear_from("reduce")
    store.write("reduced/foreign", b"1")
    with pytest.raises(DatasetError, match=r"reduced to be empty or ours, found 'reduced/foreign'"):
        ledger.begin("reduce", ours)


def test_a_second_job_is_refused_with_the_first_ones_name_and_the_record_is_kept(bucket):
    store = bucket()
    store.timing = LeaseTiming(heartbeat_s=0.2, look_s=0.1)
    record = RunRecord("reduce", {})
    said = r"found another job: host=\S+ pid=\d+ since="
    with leased(store), record.kept(store), pytest.raises(DatasetError, match=said), leased(store):
        pytest.fail("held by two")
    assert b'"done"' in store.read(layout.RUN_RECORD)
