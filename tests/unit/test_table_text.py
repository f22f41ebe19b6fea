"""Tables as people's programs write them: separators, encodings, names of columns, times."""

import codecs
import datetime as dt
import logging

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fruits_pipeline.errors import InputError
from fruits_pipeline.ingest.listing import source_at
from fruits_pipeline.settings.storage import StorageSettings

STORAGE = StorageSettings()
TEXT = "path,label\nPêche/1.jpg,Pêche\nb.jpg,Ünlü\n"
ROWS = [("Pêche/1.jpg", "Pêche"), ("b.jpg", "Ünlü")]


def source_of(tmp_path, content, name="photos.csv"):
    file = tmp_path / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return source_at(str(file), STORAGE)


def told(source):
    return [row for part in source.tables() for row in part.to_pylist()]


def labels(source):
    return [(row["source_path"], row["label"]) for row in told(source)]


@pytest.mark.parametrize(
    ("separator", "line"), [(";", "semicolons"), ("\t", "tabs"), ("|", "bars"), (",", None)], ids=repr
)
@pytest.mark.parametrize("name", ["photos.csv", "photos.tsv", "PHOTOS.CSV"])
def test_the_separator_is_the_one_that_gives_a_column_of_paths(tmp_path, caplog, separator, line, name):
    caplog.set_level(logging.INFO)
    source = source_of(tmp_path, TEXT.replace(",", separator), name)
    assert labels(source) == labels(source) == ROWS
    expected = [f"table file://{tmp_path}/{name}: values are separated by {line}"] if line else []
    assert caplog.messages == expected


@pytest.mark.parametrize("path", ["a;b.jpg", "a,b.jpg", "a\tb|c.jpg", '"q, r.jpg"'])
def test_a_table_of_one_column_has_no_separator(tmp_path, path):
    assert labels(source_of(tmp_path, f"path\n{path}\nz.jpg\n")) == [(path.strip('"'), None), ("z.jpg", None)]


def test_quoted_separators_are_none_and_the_line_that_excel_writes_is_no_header(tmp_path):
    assert labels(source_of(tmp_path, 'sep=;\n"label";path\n"a;b,c";x.jpg\n')) == [("x.jpg", "a;b,c")]
    assert labels(source_of(tmp_path, 'path,label\r\n"a;\nb.jpg",c\r\n')) == [("a;\nb.jpg", "c")]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1"])
def test_encodings_are_told_apart_and_logged(tmp_path, caplog, encoding):
    caplog.set_level(logging.INFO)
    assert labels(source_of(tmp_path, TEXT.encode(encoding))) == ROWS
    told_of = {"utf-8-sig": None, "utf-16": "utf-16-le", "utf-32": "utf-32-le", "latin-1": "windows-1252"}
    found = told_of.get(encoding, encoding)
    assert caplog.messages == ([f"table file://{tmp_path}/photos.csv: its text is {found}, not UTF-8"] if found else [])


def test_an_encoding_is_seen_also_behind_the_first_block(tmp_path):
    lines = [f"{n}.jpg,a" for n in range(200_000)]
    text = "\n".join(["path,label", *lines, "é.jpg,€"])
    assert labels(source_of(tmp_path, text.encode("windows-1252")))[-1] == ("é.jpg", "€")
    assert labels(source_of(tmp_path, text.encode()))[-1] == ("é.jpg", "€")
    assert labels(source_of(tmp_path, b"path\n\x81.jpg\n")) == [("\x81.jpg", None)]


@pytest.mark.parametrize("content", [b"PK\x03\x04" + bytes(range(256)) * 9, codecs.BOM_UTF16_LE + b"\x00\xd8x"])
def test_what_is_no_text_is_refused(tmp_path, content):
    with pytest.raises(InputError, match=r"expected in .*photos\.csv text, found"):
        source_of(tmp_path, content).check()


@pytest.mark.parametrize(
    "name",
    ["Path", "PATH", " path ", "filename", "file_name", "File Name", "image", "image-path", "img", "uri", "file"],
)
def test_a_column_of_another_name_is_the_path_where_no_other_could_be(tmp_path, caplog, name):
    caplog.set_level(logging.INFO)
    source = source_of(tmp_path, f"id,{name},Label\n1,a.jpg,Kiwi\n")
    assert labels(source) == [("a.jpg", "Kiwi")]
    where = f"table file://{tmp_path}/photos.csv: its column"
    taken = [f"{where} {name!r} is taken for 'path'", f"{where} 'Label' is taken for 'label'"]
    assert caplog.messages == [*taken, f"table file://{tmp_path}/photos.csv: not used are its columns 'id'"]


def test_a_column_named_path_is_the_path_whatever_stands_beside_it(tmp_path):
    assert labels(source_of(tmp_path, "image,path,Path\na.jpg,b.jpg,c.jpg\n")) == [("b.jpg", None)]
    assert labels(source_of(tmp_path, "image,Path\na.jpg,c.jpg\n")) == [("c.jpg", None)]


def test_columns_of_parquet_have_other_names_too(tmp_path):
    pq.write_table(pa.table({"File": ["a.jpg"], "Label": pa.array(["x"]).dictionary_encode()}), tmp_path / "x.parquet")
    assert labels(source_at(str(tmp_path / "x.parquet"), STORAGE)) == [("a.jpg", "x")]


UTC_TOLD = "times without a zone are taken for UTC"


@pytest.mark.parametrize(
    ("text", "time", "local"),
    [
        ("2026-01-02T03:04:05Z", "03:04:05", False),
        ("2026-01-02 03:04:05+00:00", "03:04:05", False),
        ("2026-01-02T05:04:05.25+02:00", "03:04:05.250000", False),
        ("2026-01-02T03:04:05.123456789Z", "03:04:05.123456", False),
        ("2026-01-02T03:04:05", "03:04:05", True),
        ("2026-01-02 03:04:05.678901", "03:04:05.678901", True),
        ("2026-01-02 03:04", "03:04:00", True),
        ("2026-01-02", "00:00:00", True),
        ("", None, False),
    ],
)
def test_times_are_utc_where_they_say_no_zone(tmp_path, caplog, text, time, local):
    caplog.set_level(logging.INFO)
    (row,) = told(source_of(tmp_path, f"path,modified\na.jpg,{text}\n"))
    assert row["modified"] == (dt.datetime.fromisoformat(f"2026-01-02T{time}+00:00") if time else None)
    assert any(UTC_TOLD in line for line in caplog.messages) == local


@pytest.mark.parametrize("times", [pa.timestamp("ns"), pa.timestamp("us", tz="Asia/Tokyo"), pa.date32()], ids=str)
def test_times_of_parquet_are_utc_too(tmp_path, caplog, times):
    caplog.set_level(logging.INFO)
    when = pa.array([dt.datetime(2026, 1, 2, tzinfo=dt.UTC)], pa.timestamp("us", tz="UTC")).cast(times)
    pq.write_table(pa.table({"path": ["a.jpg"], "modified": when}), tmp_path / "x.parquet")
    (row,) = told(source_at(str(tmp_path / "x.parquet"), STORAGE))
    assert row["modified"] == dt.datetime(2026, 1, 2, tzinfo=dt.UTC)
    assert any(UTC_TOLD in line for line in caplog.messages) == (getattr(times, "tz", None) is None)


@pytest.mark.parametrize(("text", "length"), [("12", 12), ("12.0", 12), ("", None), ("NA", None), ("nan", None)])
def test_lengths_as_other_programs_write_them(tmp_path, text, length):
    (row, _) = told(source_of(tmp_path, f"path,length\na.jpg,{text}\nb.jpg,3\n"))
    assert row["length"] == length


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('path,label,notes\na.jpg,x,"5 inch\nb.jpg,y,ok\nc.jpg,z,fine\n', 2),
        ('path,label\na.jpg,"Golden\nb.jpg,Plum\n', 2),
        ('path,notes\na.jpg,ok\nb.jpg,"5 inch\nc.jpg,ok\nd.jpg,"7 inch\ne.jpg,ok\n', 3),
        ('path\na.jpg\n"b.jpg\nc.jpg\n', 3),
    ],
)
def test_a_quote_that_is_not_closed_swallows_no_rows(tmp_path, text, line):
    with pytest.raises(InputError, match=f"expected in .*photos.csv quotes that are closed, .* begins in line {line} "):
        source_of(tmp_path, text).check()


def test_values_that_span_lines_are_told_and_quotes_within_values_are_text(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    text = 'path,notes\na.jpg,"two\nlines"\nb.jpg,5" wide\n\nc.jpg,7" wide\n'
    assert labels(source_of(tmp_path, text)) == [("a.jpg", None), ("b.jpg", None), ("c.jpg", None)]
    assert caplog.messages[-1].endswith("values span lines, 4 lines are 3 rows")


def test_text_of_two_encodings_is_refused(tmp_path):
    content = "path,label\na.jpg,café\n".encode() + "b.jpg,café\n".encode("latin-1")
    with pytest.raises(InputError, match="found 1 lines in UTF-8 and 1 that are none, the first of these is line 3"):
        source_of(tmp_path, content).check()


@pytest.mark.parametrize(("label", "split"), [("class", "subset"), ("Category", "partition"), ("class_name", "Subset")])
def test_columns_as_other_tools_name_them_are_label_and_split(tmp_path, caplog, label, split):
    caplog.set_level(logging.INFO)
    source = source_of(tmp_path, f"filename,{label},{split},width\nimg/A/1.jpg,x,Validation,7\n")
    assert [(row["label"], row["split"]) for row in told(source)] == [("x", "validation")]
    assert caplog.messages[-1].endswith("not used are its columns 'width'")
