"""A table of images as a source."""

import datetime as dt

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fruits_pipeline.errors import InputError
from fruits_pipeline.ingest.listing import rows, source_at
from fruits_pipeline.settings.storage import StorageSettings
from fruits_pipeline.storage.table import TableSource


def table(tmp_path, text: str) -> TableSource:
    file = tmp_path / "photos.csv"
    file.write_text(text, encoding="utf-8")
    source = source_at(str(file), StorageSettings())
    assert isinstance(source, TableSource)
    return source


def test_paths_below_the_table_and_labels_from_folders(tmp_path):
    found = list(rows(table(tmp_path, "path\na/Training/Kiwi/2.jpg\na/Test/Fig/1 x.jpg\n")))
    assert [(row.path, row.label, row.split) for row in found] == [
        (f"file://{tmp_path}/a/Test/Fig/1 x.jpg", "Fig", "test"),
        (f"file://{tmp_path}/a/Training/Kiwi/2.jpg", "Kiwi", "train"),
    ]
    assert {(row.length, row.modified, row.skip_reason, row.wave) for row in found} == {(None, None, None, None)}


def test_columns_of_the_table_beat_folders(tmp_path):
    text = "id,path,split,label,length\n7,s3://b/Training/x/1,test,Plum,12\n8,s3a://b/Test/y/2,,,\n"
    found = list(rows(table(tmp_path, text)))
    assert [(row.path, row.label, row.split, row.length) for row in found] == [
        ("s3://b/Test/y/2", "y", "test", None),
        ("s3://b/Training/x/1", "Plum", "test", 12),
    ]


def test_the_root_is_the_innermost_common_folder(tmp_path):
    assert table(tmp_path, "path\ns3://b/in/a/1.jpg\ns3://b/in/ab/2.jpg\n").root == "s3://b/in"
    assert table(tmp_path, "path\ns3://b/1.jpg\ns3://b/x/2.jpg\n").root == "s3://b"
    assert table(tmp_path, "path\n/1.jpg\n").root == f"file://{tmp_path}"


def test_a_folder_of_parquet_files_as_spark_writes_it(tmp_path):
    folder = tmp_path / "photos.parquet"
    folder.mkdir()
    (folder / "_SUCCESS").touch()
    time = dt.datetime(2026, 1, 2, tzinfo=dt.UTC)
    for name in ("b", "a"):
        part = pa.table({"path": [f"gs://b/{name}.jpg"], "modified": [time], "length": pa.array([3], pa.int32())})
        pq.write_table(part, folder / f"part-{name}.parquet")
    found = list(rows(source_at(str(folder), StorageSettings())))
    assert [(row.path, row.length, row.modified) for row in found] == [
        ("gs://b/a.jpg", 3, time),
        ("gs://b/b.jpg", 3, time),
    ]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("no_path_column", "file\nx.jpg\n"),
        ("no_row", "path\n"),
        ("path_twice", "path\nx/1.jpg\nx/../x/1.jpg\n"),
        ("row_without_path", "path,label\nx/1.jpg,a\n,b\n"),
        ("other_split", "path,split\nx/1.jpg,valid\n"),
        ("two_buckets", "path\ns3://a/1.jpg\ns3://b/1.jpg\n"),
        ("length_no_number", "path,length\nx/1.jpg,big\n"),
    ],
)
def test_a_table_that_does_not_say_which_images_is_refused(name, text, tmp_path, golden):
    with pytest.raises(InputError) as refused:
        table(tmp_path, text).check()
    golden(f"table_{name}", str(refused.value), folder=tmp_path)


def test_a_table_that_is_not_there_is_refused(tmp_path, golden):
    with pytest.raises(InputError) as refused:
        source_at(str(tmp_path / "none.parquet"), StorageSettings()).check()
    golden("table_none", str(refused.value), folder=tmp_path)
