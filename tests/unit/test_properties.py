"""What holds for names, tables and settings that nobody thought of, drawn by Hypothesis; findings become examples."""

import csv
import io
import json
import os
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from fruits_pipeline import cli
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.ingest.listing import listed, source_at
from fruits_pipeline.ingest.naming import Naming, SkipReason
from fruits_pipeline.schemas import SPLIT_WORDS
from fruits_pipeline.settings.sources import known_settings
from fruits_pipeline.settings.storage import StorageSettings
from fruits_pipeline.storage import uri

STORAGE = StorageSettings()
# The same on every run: a fault that is found by chance and not found again helps nobody.
drawn = settings(
    max_examples=200,
    derandomize=True,
    deadline=timedelta(seconds=60),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

# A command line takes a hundred times as long as a name.
drawn_slowly = settings(drawn, max_examples=60)

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
WORDS = st.sampled_from([*SPLIT_WORDS, "Training", "TEST", "Apple Red 1", "_Rotten", "__MACOSX", ".git", "Fruit"])
NAMES = st.one_of(
    st.sampled_from(["1.jpg", "x.jpg?itok=a", "x.jpg ", "IMG_1.HEIC", "Thumbs.db", "._x.jpg", "a.b"]), TEXT
)
FOLDERS = st.lists(st.one_of(WORDS, TEXT.filter(lambda part: "/" not in part)), max_size=5)
LABEL_FOLDERS = st.sampled_from(["last", "first", "none"])


def refusal(act):
    """The message by which ``act`` refuses; None where it does not."""
    try:
        act()
    except FruitsError as error:
        return error
    return None


def is_file_name(name):
    return name not in {"", ".", ".."} and "/" not in name and len(os.fsencode(name)) <= 255


@drawn
@given(folders=FOLDERS, name=NAMES.filter(lambda name: "/" not in name), label_folder=LABEL_FOLDERS)
def test_a_split_folder_is_no_label_and_the_outermost_decides(folders, name, label_folder):
    said = Naming(label_folder).meaning("/".join([*folders, name]))
    splits = [SPLIT_WORDS[part.lower()] for part in folders if part.lower() in SPLIT_WORDS]
    assert said.split == next(iter(splits), None)
    assert said.label is None or (said.label in folders and said.label.lower() not in SPLIT_WORDS)
    assert label_folder != "none" or said.label is None


@drawn
@given(folders=FOLDERS, name=NAMES.filter(lambda name: "/" not in name))
def test_a_name_is_included_unless_a_system_made_it(folders, name):
    said = Naming(include=("*",)).meaning("/".join([*folders, name]))
    assert said.skip_reason in {None, SkipReason.HIDDEN}


@drawn
@given(folders=FOLDERS, name=NAMES)
def test_a_key_is_found_again_below_its_root(folders, name):
    key = "/".join([*folders, name])
    for root in ("s3://bucket", "gs://bucket/a b", "file:///", "file:///data"):
        assert uri.below(uri.join(root, key), root) == key


@drawn
@given(address=st.one_of(TEXT, TEXT.map("s3a://{}".format), TEXT.map("file:/{}".format), TEXT.map("gs://{}".format)))
@example("s3:///a")
@example("gs:// /x/")
def test_an_address_has_one_spelling(address):
    try:
        whole = uri.normalise(address)
    except FruitsError:
        return
    assert uri.normalise(whole) == whole


@drawn
@given(
    names=st.lists(NAMES.filter(is_file_name), min_size=1, max_size=5, unique=True), folder=TEXT.filter(is_file_name)
)
def test_every_file_of_a_folder_has_one_row_that_leads_to_it(tmp_path_factory, names, folder):
    root = tmp_path_factory.mktemp("names")
    (root / folder).mkdir()
    for name in names:
        (root / folder / name).write_bytes(b"x")
    rows = [row for table in listed(source_at(f"{root}/", STORAGE)) for row in table.to_pylist()]
    unseen = [name for name in [folder, *names] if name.startswith(".")]
    assert sorted(row["source_path"] for row in rows if row["skip_reason"] != "hidden") == sorted(
        f"{root}/{folder}/{name}"
        for name in names
        if folder not in unseen and Naming().meaning(f"{folder}/{name}").skip_reason != "hidden"
    )
    assert all(Path(row["source_path"]).samefile(uri.local_path(row["path"])) for row in rows)


# A value of a table: what is blank to one program and not to another is a matter of tests/unit/test_table_text.py.
VALUES = TEXT.filter(lambda text: text.strip() != "" and "\r" not in text)
PATHS = VALUES.filter(
    lambda path: not path.startswith(("/", "~", "\ufeff")) and ":" not in path and path.strip("/. \n")
)
ROWS = st.lists(
    st.tuples(PATHS, VALUES | st.just(""), st.sampled_from(["", *SPLIT_WORDS, "Train", "VAL"])), min_size=1, max_size=6
)


def expected(rows):
    return [(path, label or None, SPLIT_WORDS[split.lower()] if split else None) for path, label, split in rows]


def told(address):
    return [
        (row["source_path"], row["label"], row["split"])
        for part in source_at(str(address), STORAGE).tables()
        for row in part.to_pylist()
    ]


@drawn
@given(
    rows=ROWS,
    separator=st.sampled_from(",;\t|"),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    line_end=st.sampled_from(["\n", "\r\n"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32"]),
)
def test_a_table_as_text_is_read_as_it_was_written(tmp_path_factory, rows, separator, quoting, line_end, encoding):
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=separator, quoting=quoting, lineterminator=line_end)
    writer.writerows([("path", "label", "split"), *rows])
    file = tmp_path_factory.mktemp("table") / "photos.csv"
    file.write_bytes(text.getvalue().encode(encoding))
    assert told(file) == expected(rows)


@drawn
@given(rows=ROWS)
def test_a_table_of_parquet_is_read_as_it_was_written(tmp_path_factory, rows):
    file = tmp_path_factory.mktemp("table") / "photos.parquet"
    pq.write_table(
        pa.table(dict(zip(("path", "label", "split"), map(list, zip(*rows, strict=True)), strict=True))), file
    )
    assert told(file) == expected(rows)


@drawn
@given(content=st.binary(max_size=200) | TEXT.map(str.encode) | TEXT.map(lambda text: f"path\n{text}".encode()))
@pytest.mark.parametrize("suffix", ["csv", "tsv", "parquet"])
def test_bytes_that_are_no_table_are_read_or_refused_by_a_message(tmp_path_factory, content, suffix):
    file = tmp_path_factory.mktemp("table") / f"photos.{suffix}"
    file.write_bytes(content)
    error = refusal(lambda: told(file))
    assert error is None or (error.exit_code == 3 and str(file) in str(error))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)
COMMANDS = st.sampled_from(["run", "extract", "pack", "reduce", "classify", "verify", "calibrate", "weights", "demo"])
SETTINGS = st.sampled_from(known_settings())


def parsed_or_refused(argv):
    error = refusal(lambda: cli._parsed(argv))
    assert error is None or (error.exit_code == 2 and str(error).startswith("wrong settings\n"))


@pytest.fixture
def _no_log(monkeypatch):
    monkeypatch.setattr(cli.logs, "configure", lambda *_: None)
    for name in [name for name in os.environ if name.startswith("FRUITS_")]:
        monkeypatch.delenv(name)


@drawn_slowly
@given(command=COMMANDS, content=st.dictionaries(SETTINGS | TEXT, JSON, max_size=4) | JSON)
@example("run", {"unlabelled": None})
@example("run", {"unlabelled": [None]})
@example("run", {"unlabelled": {"a": 1}})
@example("reduce", {"components": [[1]]})
@pytest.mark.usefixtures("_no_log")
def test_a_settings_file_is_taken_or_refused_by_a_message(tmp_path_factory, command, content):
    file = tmp_path_factory.mktemp("settings") / "job.json"
    file.write_text(json.dumps(content))
    parsed_or_refused([command, "--config", str(file)])


@drawn_slowly
@given(
    command=COMMANDS,
    values=st.lists(st.tuples(SETTINGS, TEXT | st.integers().map(str) | st.floats().map(str)), max_size=4),
    tail=st.lists(TEXT, max_size=2),
)
@pytest.mark.usefixtures("_no_log")
def test_a_command_line_is_taken_or_refused_by_a_message(command, values, tail):
    assume(not {"--help", "-h", "--version"} & set(tail))
    flags = [f"--{name.replace('_', '-')}={value}" for name, value in values]
    parsed_or_refused([command, *flags, *tail])


@drawn_slowly
@given(command=COMMANDS, variables=st.dictionaries(SETTINGS, TEXT, max_size=4))
@pytest.mark.usefixtures("_no_log")
def test_variables_are_taken_or_refused_by_a_message(command, variables):
    with pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(f"FRUITS_{name.upper()}", value)
        parsed_or_refused([command])
