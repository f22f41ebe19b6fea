"""A table of images as a source."""

import datetime as dt
import logging

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from waves_of import Row, rows_in

from fruits_pipeline.errors import InputError
from fruits_pipeline.ingest.listing import listed, source_at
from fruits_pipeline.ingest.naming import Naming
from fruits_pipeline.settings.storage import StorageSettings
from fruits_pipeline.storage.table import TableSource

THEN = dt.datetime(2026, 1, 2, tzinfo=dt.UTC)


def table(tmp_path, text: str) -> TableSource:
    file = tmp_path / "photos.csv"
    file.write_text(text, encoding="utf-8")
    source = source_at(str(file), StorageSettings())
    assert isinstance(source, TableSource)
    return source


def rows(source) -> list[Row]:
    """What the source lists, in order of path, but for the user's own spelling."""
    return sorted(row._replace(source_path=None) for part in listed(source) for row in rows_in(part))


def told(source) -> list[dict]:
    """The table's own rows, in their order."""
    return [row for part in source.tables() for row in part.to_pylist()]


def test_paths_below_the_table_and_labels_from_folders(tmp_path):
    found = rows(table(tmp_path, "path\na/Training/Kiwi/2.jpg\na/Test/Fig/1 x.jpg\na/Test/_y.txt\n"))
    assert found == [
        Row(f"file://{tmp_path}/a/Test/Fig/1 x.jpg", None, None, "Fig", "test"),
        Row(f"file://{tmp_path}/a/Test/_y.txt", None, None, None, "test"),
        Row(f"file://{tmp_path}/a/Training/Kiwi/2.jpg", None, None, "Kiwi", "train"),
    ]


def test_columns_of_the_table_beat_folders_also_where_they_are_blank(tmp_path):
    text = (
        "id,path,split,label,length,modified\n"
        "7,b/Training/x/1.jpg,test,Plum,12,2026-01-02T00:00:00Z\n"
        "8,b/Test/y/2.jpg,,\t ,13,2026-01-02T00:00:00Z\n"
    )
    assert rows(table(tmp_path, text)) == [
        Row(f"file://{tmp_path}/b/Test/y/2.jpg", 13, THEN, None, None),
        Row(f"file://{tmp_path}/b/Training/x/1.jpg", 12, THEN, "Plum", "test"),
    ]
    text = "path,label\nb/Training/x/1.jpg,Plum\nb/Test/y/2.jpg,\n"
    assert [row[3:5] for row in rows(table(tmp_path, text))] == [(None, "test"), ("Plum", "train")]
    text = "path,split\nb/Training/x/1.jpg,eval\nb/Test/y/2.jpg,\n"
    assert [row[3:5] for row in rows(table(tmp_path, text))] == [("y", None), ("x", "test")]


@pytest.mark.parametrize("name", ["NA", "null", "nan", "None", "N/A", "#N/A", "NULL", " kiwi "])
def test_any_word_is_a_label(tmp_path, name):
    assert rows(table(tmp_path, f"path,label\nx/1.jpg,{name}\n"))[0].label == name
    source = parquet(tmp_path / "x.parquet", a={"path": ["1.jpg", "2.jpg", "3.jpg"], "label": [name, "", None]})
    assert [row.label for row in rows(source)] == [name, None, None]


def test_splits_take_the_words_of_folders_in_any_case(tmp_path):
    words = ["Train", "TRAINING", "val", "Valid", "validation", "dev", "test", "Testing", "eval", " Evaluation "]
    lines = [f"{n}.jpg,{word}" for n, word in enumerate(words)]
    found = rows(table(tmp_path, "\n".join(["path,split", *lines])))
    assert [row.split for row in found] == ["train"] * 2 + ["validation"] * 4 + ["test"] * 4


def test_the_users_own_spelling_of_a_path_is_kept(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", "/home/me")
    cells = {
        "sub/../a b.jpg": f"file://{tmp_path}/a b.jpg",
        "a%20b.jpg": f"file://{tmp_path}/a%20b.jpg",
        "/data/p/x.jpg": "file:///data/p/x.jpg",
        "file:/data/y.jpg": "file:///data/y.jpg",
        "file:///data/z.jpg": "file:///data/z.jpg",
        "~/x.jpg": "file:///home/me/x.jpg",
        " spaced .jpg": f"file://{tmp_path}/ spaced .jpg",
    }
    source = table(tmp_path, "\n".join(["path", *cells]))
    assert {row["source_path"]: row["path"] for row in told(source)} == cells
    listed_rows = [row for part in listed(source) for row in rows_in(part)]
    assert {row.source_path: row.path for row in listed_rows} == cells
    source = table(tmp_path, "path\ns3a://b/1.jpg\n")
    assert told(source)[0]["source_path"] == "s3a://b/1.jpg"


def test_what_folders_say_does_not_depend_on_the_other_rows(tmp_path):
    for others in ("", "x/Test/Kiwi/2.jpg\n"):
        source = table(tmp_path, f"path\nx/Training/Apple/1.jpg\n{others}")
        found = sorted(row for part in listed(source) for row in rows_in(part))
        assert found[-1][3:5] == ("Apple", "train")


@pytest.mark.parametrize("glob", ["new/*", "x/new/*"])
def test_a_glob_of_unlabelled_images_is_below_the_root_or_as_the_table_spells_it(tmp_path, glob):
    source = table(tmp_path, "path,label,split\nx/new/1.jpg,a,train\nx/old/2.jpg,b,test\n")
    found = sorted(row for part in listed(source, Naming(unlabelled=(glob,))) for row in rows_in(part))
    assert [row[3:5] for row in found] == [(None, None), ("b", "test")]


def test_addresses_are_taken_as_they_are_and_spelled_as_everywhere(tmp_path):
    found = told(table(tmp_path, "path\ns3a://b/in/../in/1.jpg\ns3://b/2.jpg\nsub/../3.jpg\n/4.jpg\n"))
    assert [row["path"] for row in found] == [
        "s3://b/in/../in/1.jpg", "s3://b/2.jpg", f"file://{tmp_path}/3.jpg", "file:///4.jpg",
    ]  # fmt: skip


def test_the_root_is_the_innermost_common_folder(tmp_path):
    assert table(tmp_path, "path\ns3://b/in/a/1.jpg\ns3://b/in/ab/2.jpg\n").root == "s3://b/in"
    assert table(tmp_path, "path\ns3://b/in/ab/2.jpg\ns3://b/in/a/1.jpg\ns3://b/in/a/0.jpg\n").root == "s3://b/in"
    assert table(tmp_path, "path\ns3://b/1.jpg\ns3://b/x/2.jpg\n").root == "s3://b"
    assert table(tmp_path, "path\n1.jpg\n").root == f"file://{tmp_path}"
    assert table(tmp_path, "path\n/data/1.jpg\n").root == "file:///data"
    assert table(tmp_path, "path\n/1.jpg\n").root == "file:///"


def parquet(folder, **parts):
    folder.mkdir()
    (folder / "_SUCCESS").touch()
    for name, columns in parts.items():
        pq.write_table(pa.table(columns), folder / f"part-{name}.parquet")
    return source_at(str(folder), StorageSettings())


def test_a_folder_of_parquet_files_as_spark_writes_it(tmp_path):
    parts = {
        name: {"path": [f"gs://b/{name}/x.jpg"], "modified": [THEN], "length": pa.array([3], pa.int32())}
        for name in "ba"
    }
    source = parquet(tmp_path / "photos.parquet", **parts)
    assert source.root == "gs://b"
    assert rows(source) == [Row(f"gs://b/{name}/x.jpg", 3, THEN, name) for name in "ab"]


def written(folder, key, **columns):
    (folder / key).parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), folder / key)


def test_columns_in_the_names_of_folders_are_columns_and_leftovers_are_no_part(tmp_path):
    folder = tmp_path / "photos.parquet"
    written(folder, "split=test/label=A%2F1/part-0.parquet", path=["1.jpg"])
    written(folder, "split=train/label=__HIVE_DEFAULT_PARTITION__/part-0.parquet", path=["2.jpg"])
    written(folder, "_temporary/0/attempt_1/part-9.parquet", path=["9.jpg"])
    found = rows(source_at(str(folder), StorageSettings()))
    assert [row[3:5] for row in found] == [("A/1", "test"), (None, "train")]


def test_files_of_other_columns_and_damaged_ones_are_refused(tmp_path):
    folder = tmp_path / "photos.parquet"
    written(folder, "part-0.parquet", path=["1.jpg"], label=["x"])
    written(folder, "part-1.parquet", path=["2.jpg"])
    with pytest.raises(InputError, match=r"the same columns in each file, found label in some only, see .*part-1"):
        source_at(str(folder), StorageSettings()).check()
    file = tmp_path / "damaged.parquet"
    written(tmp_path, file.name, path=["x" * 99] * 5000, label=[str(n) for n in range(5000)])
    whole = file.read_bytes()
    file.write_bytes(whole[:200] + bytes(400) + whole[600:])
    with pytest.raises(InputError, match=r"expected in .*damaged\.parquet rows that can be read, found"):
        source_at(str(file), StorageSettings()).check()


def test_a_path_below_the_table_may_begin_with_a_dot(tmp_path):
    assert told(table(tmp_path, "path\n./a/1.jpg\n"))[0]["path"] == f"file://{tmp_path}/a/1.jpg"


def test_a_table_is_read_a_part_at_a_time_and_may_have_empty_parts(tmp_path):
    source = parquet(tmp_path / "photos.parquet", a={"path": ["s3://b/1"]}, b={"path": pa.array([], pa.string())})
    assert [len(part) for part in source.tables()] == [1]
    many = [f"{number}/{'x' * 100}.jpg" for number in range(30_000)]
    source = table(tmp_path, "path\n" + "\n".join(many))
    parts = [part["path"].to_pylist() for part in source.tables()]
    assert len(parts) > 1
    assert [path for part in parts for path in part] == [f"file://{tmp_path}/{name}" for name in many]


def test_columns_that_are_none_of_ours_may_hold_what_they_like(tmp_path):
    lines = ["id,path,note,label", *(f"{number},{number}.jpg,," for number in range(60_000))]
    found = told(table(tmp_path, "\n".join([*lines, 'x1,x.jpg,"two\nlines",Ünlü'])))
    assert (len(found), found[0]["label"]) == (60_001, None)
    assert (found[-1]["path"], found[-1]["label"]) == (f"file://{tmp_path}/x.jpg", "Ünlü")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("no_path_column", "photo_id,label\nx.jpg,a\n"),
        ("no_row", "path\n"),
        ("row_without_path", "path,label\nx/1.jpg,a\n,b\n"),
        ("other_split", "path,split\nx/1.jpg,holdout\nx/2.jpg,valid\n"),
        ("two_buckets", "path\ns3://a/1.jpg\ns3://b/1.jpg\n"),
        ("web_address", "path\nx/1.jpg\nhttps://example.org/1.jpg\n"),
        ("drive_of_windows", "path\nx/1.jpg\nC:\\photos\\1.jpg\nd:/photos/1.jpg\n"),
        ("two_path_columns", "Image,file name,label\na.jpg,b.jpg,c\n"),
        ("same_column_twice", "path,path\na.jpg,b.jpg\n"),
        ("no_header", "a/1.jpg,Apple\nb/2.jpg,Pear\n"),
        ("uneven_rows", "path,label\na.jpg,a\nb.jpg,b,c\n"),
        ("time_no_time", "path,modified\nx/1.jpg,yesterday\n"),
        ("length_no_number", "path,length\nx/1.jpg,big\n"),
    ],
)
def test_a_table_that_does_not_say_which_images_is_refused(name, text, tmp_path, golden):
    with pytest.raises(InputError) as refused:
        table(tmp_path, text).check()
    golden(f"table_{name}", str(refused.value), folder=tmp_path)


def test_the_row_without_a_path_is_named_by_its_number_in_the_whole_table(tmp_path):
    parts = {"a": {"path": ["x", "y"]}, "b": {"path": ["z", "", None, "x"]}}
    with pytest.raises(InputError, match="found none in row 4;"):
        parquet(tmp_path / "photos.parquet", **parts).check()


def test_rows_without_any_value_are_left_out_and_told(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    assert [row["label"] for row in told(table(tmp_path, "path;label\na.jpg;x\n;\nb.jpg;\n;\n"))] == ["x", None]
    assert caplog.messages[-1].endswith("rows without any value are left out")
    with pytest.raises(InputError, match="a path in each row, found none in row 3;"):
        table(tmp_path, "path;label\na.jpg;x\n;\n;b\n").check()


def test_a_column_of_another_type_is_refused(tmp_path):
    with pytest.raises(
        InputError, match=r"expected in .*/photos.parquet columns path \(string\), length \(int64\), found .*'big'"
    ):
        parquet(tmp_path / "photos.parquet", a={"path": ["x"], "length": ["big"]}).check()


def test_a_table_that_is_not_there_is_refused(tmp_path, golden):
    with pytest.raises(InputError) as refused:
        source_at(str(tmp_path / "none.parquet"), StorageSettings()).check()
    golden("table_none", str(refused.value), folder=tmp_path)
