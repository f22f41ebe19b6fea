"""One wave's manifest: its rows, its digest, its counts, and the file that is written once."""

import hashlib
from datetime import timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from waves_of import THEN, Row, table

from fruits_pipeline import schemas
from fruits_pipeline.ingest.manifests import ManifestWriter, RowsDigest

ONE = Row("file:///in/a", 3, THEN, "Kiwi", "train", source_path="/in/a")
OTHER = Row("file:///in/苹果\n", None, None, None, "test")
EMPTY_LABEL = hashlib.sha256(b"p\x00\x01\x00\x01\x00\x01\x00\x00\x01\x00\n").hexdigest()


@pytest.fixture
def put(store, tmp_path):
    """Writes a manifest from tables of rows, and gives the wave's entry in the plan."""
    (tmp_path / "scratch").mkdir()

    def write(*tables, sources=()):
        writer = ManifestWriter("00007", tmp_path / "scratch", sources)
        for rows in tables:
            writer.write(rows if isinstance(rows, pa.Table) else table(rows))
        return writer.put(store)

    return write


def digest(*tables):
    found = RowsDigest()
    for rows in tables:
        found.update(table(rows))
    return found.hexdigest()


def test_the_digest_is_the_sha256_of_the_images_rows():
    micros = int(THEN.timestamp() * 1_000_000)
    lines = (
        f"file:///in/a\000/in/a\0003\000{micros}\000Kiwi\000train\000\n"
        "file:///in/苹果\n\000\001\000\001\000\001\000\001\000test\000\n"
    )
    assert digest([ONE, OTHER]) == hashlib.sha256(lines.encode()).hexdigest()
    assert digest([Row("p", None, None, "", None)]) == EMPTY_LABEL
    assert digest() == digest([]) == hashlib.sha256().hexdigest()


@pytest.mark.parametrize(
    "change",
    [
        {"path": "file:///in/b"},
        {"source_path": "a"},
        {"length": 4},
        {"length": None},
        {"modified": THEN + timedelta(microseconds=1)},
        {"modified": None},
        {"label": "kiwi"},
        {"label": ""},
        {"label": None},
        {"split": "test"},
        {"split": None},
        {"skip_reason": "hidden"},
        {"label": "Kiwitrain", "split": ""},
    ],
    ids=str,
)
def test_the_digest_changes_with_each_fact_of_an_image(change):
    assert digest([ONE._replace(**change), OTHER]) != digest([ONE, OTHER])


def test_nulls_are_no_empty_texts():
    found = {digest([ONE._replace(label=label, split=split)]) for label in (None, "") for split in (None, "")}
    assert len(found) == 4


def test_the_digest_knows_neither_skipped_rows_nor_the_tables_in_which_rows_come():
    skipped = Row("file:///in/ab", 9, THEN, "x", None, "hidden")
    expected = digest([ONE, OTHER])
    assert digest([ONE, skipped, OTHER]) == digest([ONE, skipped._replace(length=8), OTHER]) == expected
    assert digest([ONE], [], [OTHER]) == digest([ONE], [skipped], [OTHER]) == expected
    halves = pa.concat_tables([table([ONE]), table([skipped]), table([OTHER])])
    chunked = RowsDigest()
    chunked.update(halves)
    assert chunked.hexdigest() == expected
    assert digest([OTHER, ONE]) != expected


def test_a_manifest_is_one_file_that_pandas_reads_with_the_columns_of_the_contract(store, put, tmp_path):
    wave = put([ONE, OTHER], [], [Row("file:///in/苹果\n1", skip_reason="hidden")])
    file = tmp_path / "output" / wave.manifest.key
    assert wave.manifest.key == "manifest/wave=00007/part-00000.parquet"
    assert pq.read_schema(file).equals(schemas.MANIFEST)
    assert pd.read_parquet(tmp_path / "output/manifest")["wave"].tolist() == [7, 7, 7]
    assert (wave.manifest.length, wave.manifest.checksum) == (file.stat().st_size, store.checksum(wave.manifest.key))
    assert list((tmp_path / "scratch").iterdir()) == []
    assert [found.key for found in store.objects()] == [wave.manifest.key]


def test_the_entry_in_the_plan_has_the_waves_counts_first_path_digest_and_sources(put):
    hidden = [Row(f"file:///in/0{n}", skip_reason=reason) for n, reason in enumerate(["b", "a", "b"])]
    wave = put(hidden[:2], [hidden[2], ONE], [OTHER], sources=("00001",))
    assert (wave.wave, wave.first, wave.sources) == ("00007", "file:///in/00", ("00001",))
    assert (wave.counts.found, wave.counts.pending, wave.counts.skipped) == (5, 2, 3)
    assert list(wave.counts.skip_reasons.items()) == [("a", 1), ("b", 2)]
    assert wave.digest == digest([ONE, OTHER])


def test_rows_are_written_in_the_schemas_order_and_types_whatever_columns_come_with_them(put, tmp_path):
    rows = table([ONE]).append_column("wave", pa.array(["00001"])).select(["wave", *reversed(schemas.MANIFEST.names)])
    wave = put(rows.set_column(5, "length", pa.array([3], pa.int32())))
    assert pq.read_schema(tmp_path / "output" / wave.manifest.key).equals(schemas.MANIFEST)
    assert wave.digest == digest([ONE])


@pytest.mark.parametrize("lengths", [[7], [1, 2], [*range(1000), None, None], [None], []])
def test_the_common_length_is_what_95_of_100_images_keep_below(put, lengths):
    rows = [Row(f"file:///in/{n:04d}", length) for n, length in enumerate(lengths)]
    large = Row("file:///in/z", 10**9, skip_reason="hidden")
    known = [length for length in lengths if length is not None]
    assert put(rows[:500], rows[500:], [large]).common_bytes == (int(np.quantile(known, 0.95)) if known else 0)
