"""The manifest: what a key says, what is sampled, what is skipped and counted."""

import hashlib
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from fruits_pipeline.ingest.build import build_manifest
from fruits_pipeline.ingest.rows import Row, read_rows, write_rows

from fruits_pipeline import schemas
from fruits_pipeline.errors import InputError
from fruits_pipeline.ingest import sampling
from fruits_pipeline.ingest.naming import meaning
from fruits_pipeline.settings.ingest import IngestSettings
from fruits_pipeline.storage.opening import open_store
from fruits_pipeline.storage.source import parse_source

THEN = datetime(2024, 5, 6, 7, 8, 9, 123456, UTC)


def fill(folder, *keys):
    for key in keys:
        (folder / key).parent.mkdir(parents=True, exist_ok=True)
        (folder / key).write_bytes(b"x" * len(key))


@pytest.fixture
def manifest_of(tmp_path):
    """Builds the manifest of a source and gives its summary and its rows by key."""

    def build(source, next_wave=0, **settings):
        source = parse_source(str(source))
        store = open_store(str(tmp_path / "output"))
        asked = IngestSettings(data_source=str(source), **settings)
        summary = build_manifest(source, store, asked, 2, next_wave)
        rows = read_rows(tmp_path / "output/manifest/part-00000.parquet")
        return summary, {row.path.removeprefix(source.root + "/"): row for row in rows}

    return build


def images(*labels, each=10):
    return [
        Row(f"file:///source/{label}/{number}.jpg", 1, THEN, label, None, None, None)
        for label in labels
        for number in range(each)
    ]


@pytest.mark.parametrize(
    ("key", "label", "split"),
    [
        ("Training/Apple Red 1/0_100.jpg", "Apple Red 1", "train"),
        ("fruits-360/Test/Apple/0.jpg", "Apple", "test"),
        ("TEST/Apple/0.jpg", "Apple", "test"),
        ("tRaInInG/Apple/0.jpg", "Apple", "train"),
        ("Apple/Training/0.jpg", "Apple", "train"),
        ("Training/Apple/Test/0.jpg", "Apple", "test"),
        ("Training/Test/0.jpg", None, "test"),
        ("Training/0.jpg", None, "train"),
        ("Apple/Red/0.jpg", "Red", None),
        (" Яблоко #1 /0.jpg", " Яблоко #1 ", None),
        ("Tests/0.jpg", "Tests", None),
        ("0.jpg", None, None),
    ],
)
def test_label_and_split_of_a_key(key, label, split):
    assert meaning(key) == (label, split, None)


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        (".hidden.jpg", "hidden"),
        ("_x.jpg", "hidden"),
        ("_old/a/0.jpg", "hidden"),
        ("a/.cache/0.txt", "hidden"),
        ("a/notes.txt", "not_an_image_name"),
        ("a/jpg", "not_an_image_name"),
        ("a/0.jpg.bak", "not_an_image_name"),
        ("a.jpg/readme", "not_an_image_name"),
        ("a/0.JPG", None),
        ("a/0.x.TiFf", None),
        ("a_/0_.webp", None),
    ],
)
def test_why_a_key_is_skipped(key, reason):
    assert meaning(key).skip_reason == reason


def test_the_manifest_has_every_object_once_with_its_facts(tmp_path, manifest_of):
    fill(tmp_path / "in", "Training/a/1.jpg", "Test/b c/é#%.png", "Training/a/_x.jpg", "notes.txt", "top.gif")
    summary, rows = manifest_of(tmp_path / "in")
    assert list(rows) == ["Test/b c/é#%.png", "Training/a/1.jpg", "Training/a/_x.jpg", "notes.txt", "top.gif"]
    assert {key: row[3:] for key, row in rows.items()} == {
        "Training/a/1.jpg": ("a", "train", None, "00000"),
        "Test/b c/é#%.png": ("b c", "test", None, "00000"),
        "Training/a/_x.jpg": ("a", "train", "hidden", None),
        "notes.txt": (None, None, "not_an_image_name", None),
        "top.gif": (None, None, None, "00000"),
    }
    assert all(row.length == len(key) for key, row in rows.items())
    counts = summary.counts
    assert (counts.found, counts.pending, counts.skipped) == (5, 3, 2)
    assert counts.skip_reasons == {"hidden": 1, "not_an_image_name": 1}
    assert (summary.labels, summary.waves, summary.next_wave) == (2, 1, 1)


def test_pandas_reads_the_manifest_with_the_columns_of_the_contract(tmp_path, manifest_of):
    fill(tmp_path / "in", "a/1.jpg", "a/.x")
    manifest_of(tmp_path / "in")
    file = tmp_path / "output/manifest/part-00000.parquet"
    assert pq.read_schema(file).equals(schemas.MANIFEST)
    table = pd.read_parquet(file.parent)
    assert list(table.columns) == schemas.MANIFEST.names
    assert table["skip_reason"].tolist() == ["hidden", None]
    modified = datetime.fromtimestamp((tmp_path / "in/a/1.jpg").stat().st_mtime_ns // 1000 / 1e6, UTC)
    assert table["modified"].tolist()[1] == modified


def test_a_glob_counts_from_the_part_before_the_first_wildcard(tmp_path, manifest_of):
    fill(tmp_path / "in", "one/Training/a/1.jpg", "two/Test/1.jpg", "Training.jpg")
    summary, rows = manifest_of(tmp_path / "in" / "*" / "T*")
    assert {key: row[3:5] for key, row in rows.items()} == {
        "one/Training/a/1.jpg": ("a", "train"),
        "two/Test/1.jpg": ("two", "test"),
    }
    assert summary.counts.found == 2


@pytest.mark.parametrize(("name", "keys"), [("some", ("a/.x.jpg", "_a/1.jpg", "b/notes.txt")), ("none", ())])
def test_a_source_without_an_image_is_told_with_what_was_there(tmp_path, manifest_of, golden, name, keys):
    (tmp_path / "in").mkdir()
    fill(tmp_path / "in", *keys)
    with pytest.raises(InputError) as told:
        manifest_of(tmp_path / "in")
    golden(f"no_image_among_{name}", str(told.value), source=tmp_path / "in")
    assert not (tmp_path / "output/manifest").exists()


def test_rows_are_read_as_they_were_written_over_several_batches(tmp_path, monkeypatch):
    monkeypatch.setattr("fruits_pipeline.ingest.rows._BATCH_ROWS", 7)
    rows = [Row("file:///new\nline", 0, THEN, None, "test", "hidden", None), *images("苹果", "a b")]
    assert write_rows(iter(rows), tmp_path / "x") == 21
    assert list(read_rows(tmp_path / "x")) == rows
    assert write_rows([], tmp_path / "none") == 0
    assert list(read_rows(tmp_path / "none")) == []


def test_a_sample_takes_so_many_of_each_label_and_all_where_there_are_fewer():
    rows = [*images("a", "b"), *images("few", each=2)]
    chosen = sampling.sampled_keys(rows, "file:///source", 3, 42)
    taken = [row.label for row in rows if row.path in chosen]
    assert {label: taken.count(label) for label in taken} == {"a": 3, "b": 3, "few": 2}


def test_a_sample_is_the_smallest_seeded_hashes_of_the_paths_below_the_root():
    def rank(row):
        key = f"42:{row.path.removeprefix('file:///source')}"
        return hashlib.blake2b(key.encode(), digest_size=8).digest()

    expected = {row.path for row in sorted(images("a"), key=rank)[:4]}
    assert sampling.sampled_keys(images("a"), "file:///source", 4, 42) == expected


def test_a_sample_changes_with_the_seed_but_not_with_the_root_or_the_order():
    rows = images("a", "b", each=50)
    chosen = sampling.sampled_keys(rows, "file:///source", 5, 42)
    moved = [row._replace(path=row.path.replace("file:///source", "s3://bucket/fruits")) for row in rows]
    elsewhere = sampling.sampled_keys(moved, "s3://bucket/fruits", 5, 42)
    assert {path.replace("s3://bucket/fruits", "file:///source") for path in elsewhere} == chosen
    assert sampling.sampled_keys(reversed(rows), "file:///source", 5, 42) == chosen
    assert sampling.sampled_keys(rows, "file:///source", 5, 43) != chosen


def test_a_sample_never_takes_what_is_skipped_already():
    rows = [row._replace(skip_reason="hidden") for row in images("a")]
    assert sampling.sampled_keys(rows, "file:///source", 3, 42) == frozenset()
    assert list(sampling.keep(rows, frozenset())) == rows


def test_what_the_sample_leaves_is_counted_as_skipped(tmp_path, manifest_of):
    fill(tmp_path / "in", *(f"{label}/{number}.jpg" for label in "ab" for number in range(6)), "a/notes.txt")
    summary, rows = manifest_of(tmp_path / "in", sample=2)
    assert summary.counts.skip_reasons == {"not_an_image_name": 1, "not_sampled": 8}
    assert summary.counts.found == len(rows) == 13
    assert sorted(row.label for row in rows.values() if row.wave) == ["a", "a", "b", "b"]
    again, same = manifest_of(tmp_path / "in", sample=2)
    assert (again.counts, same) == (summary.counts, rows)


def test_no_temporary_file_is_left_beside_the_manifest(tmp_path, manifest_of, monkeypatch):
    (tmp_path / "scratch").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "scratch"))
    fill(tmp_path / "in", "a/1.jpg")
    manifest_of(tmp_path / "in", sample=1)
    left = [path for folder in ("scratch", "output") for path in Path(tmp_path, folder).rglob("*") if path.is_file()]
    assert [path.name for path in left] == ["part-00000.parquet"]
