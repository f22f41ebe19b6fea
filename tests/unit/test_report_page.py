"""report.html as a file: what stands on it, what does not, how large it is, and what it makes of odd outputs."""

import hashlib
import html
import io
import json
import re
import shutil
from base64 import b64decode
from pathlib import Path

import pytest
from markupsafe import escape
from PIL import Image

from fruits_pipeline.errors import DatasetError
from fruits_pipeline.report.write_report import write_report
from fruits_pipeline.settings.report import ReportSettings
from fruits_pipeline.settings.storage import StorageSettings
from fruits_pipeline.state import layout
from fruits_pipeline.state.record import load_record
from fruits_pipeline.state.rooms import Rooms
from fruits_pipeline.storage.opening import open_store
from page_outputs import HOSTILE, HOSTILE_FILE, Facts, page_output

NEW = ("scores_without_leaks", "confused", "suspects", "typical", "leaks")
ALL = (*NEW, "scores", "label_scores", "confusion", "mistakes", "duplicates", "variance", "map", "twins", "sizes")


def write(store, **settings):
    return write_report(store, load_record(store) or {}, ReportSettings(**settings), StorageSettings())


def page(store):
    return store.read(layout.REPORT).decode()


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """An output of twelve labels with its page."""
    store = page_output(tmp_path_factory.mktemp("report") / "results", 12)
    return store, write(store), page(store)


@pytest.fixture
def store(made, tmp_path):
    """A copy of that output, whose pictures stay where they are."""
    shutil.copytree(Path(made[0].root.removeprefix("file://")), tmp_path / "results")
    return open_store(str(tmp_path / "results"))


def test_names_and_paths_are_text_and_cut(made):
    text = made[2]
    for name in HOSTILE[:3]:
        assert html.escape(name) in text
    assert str(escape(HOSTILE_FILE)) in text
    assert not re.search(r"<img src=x|<b onclick|\u202e|\x07", text)
    assert HOSTILE[3] not in text
    assert len(max(re.findall(r"<bdi>(.*?)</bdi>", text), key=len)) < 250


def test_nothing_tells_of_the_machine_or_of_who_uses_it(made):
    store, _, text = made
    folder = Path(store.root.removeprefix("file://"))
    for private in (str(folder.parent), "/home/", "somebody", "/tmp/", "file:///"):  # noqa: S108 because it must be absent
        assert private not in text
    assert "--data-source fruits --output-uri results" in text


def test_the_policy_lets_only_its_own_script_run(made):
    policy = html.unescape(re.search(r'Content-Security-Policy" content="([^"]*)"', made[2])[1])
    assert policy.startswith("default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-")
    (script,) = re.findall(r"<script>(.*?)</script>", made[2], re.DOTALL)
    assert hashlib.sha256(script.encode()).digest() == b64decode(policy.split("sha256-")[1].split("'")[0])
    assert len(script) < 10_000
    assert not re.findall(r'(?:src|href)="(?!data:|#)[^"]*"', made[2])


def test_pictures_are_small_and_say_nothing_of_where_they_are_from(made):
    _, reported, text = made
    contents = [b64decode(found) for found in re.findall(r'<img src="data:image/webp;base64,([^"]*)"', text)]
    assert (reported.missing, reported.pictures > 30) == (0, True)
    for content in contents:
        assert len(content) <= 3_000
        with Image.open(io.BytesIO(content)) as picture:
            assert (max(picture.size), dict(picture.getexif()), picture.info.get("icc_profile")) == (128, {}, None)
    shapes = {Image.open(io.BytesIO(content)).size for content in contents}
    assert shapes == {(128, 128), (128, 80), (96, 128)}


def test_equal_outputs_have_equal_pages_and_the_page_is_made_again_over_itself(made, store):
    again = write(store)
    assert (again, page(store)) == (made[1], made[2])
    marker = Rooms(store, overwrite=False).finished("report", Facts)
    assert [file.key for file in marker.files] == [layout.REPORT]
    assert write(store, report_images="none").pictures == 0
    assert page(store) != made[2]


def test_pictures_can_be_left_out(made, store):
    reported = write(store, report_images="none")
    assert (reported.pictures, reported.missing) == (0, 0)
    assert "<img" not in page(store)
    assert "left out by --report-images none" in page(store)
    assert reported.bytes < made[1].bytes


def test_images_that_are_gone_changed_or_damaged_have_a_reason_in_their_place(tmp_path):
    store = page_output(tmp_path / "results", 3)
    images = sorted((tmp_path / "results-images" / "Test" / "label 000").iterdir())
    images[0].unlink()
    images[1].write_bytes(images[2].read_bytes())
    reported = write(store)
    assert reported.missing == 2
    assert {"no longer there", "changed since the run"} <= set(re.findall(r'"absent">(.*?)<', page(store)))
    shutil.rmtree(tmp_path / "results-images")
    assert (write(store).pictures, "<img" in page(store)) == (0, False)


@pytest.mark.parametrize("labels", [1, 2, 6])
def test_few_labels_are_a_page_too(tmp_path, labels):
    assert write(page_output(tmp_path / "results", labels)).bytes < 500_000


def test_a_hundred_and_thirty_labels_are_at_most_five_megabytes(tmp_path):
    reported = write(page_output(tmp_path / "results", 130))
    assert reported.bytes < 5_000_000
    assert reported.bytes == len((tmp_path / "results" / "report.html").read_bytes())


@pytest.mark.parametrize(
    "without", [NEW, ALL, ("examine",), ("examine", *ALL), *((name,) for name in ALL)], ids="+".join
)
def test_tables_that_are_not_there_are_told(tmp_path, without):
    store = page_output(tmp_path / "results", 3, without=without)
    write(store)
    told = set(re.findall(r"has no table <code>(\w+)</code>", page(store)))
    silent = {"scores_without_leaks", "typical", "duplicates", "confused", "mistakes", "confusion", "examine"}
    assert told >= set(without) - silent
    if "examine" in without:
        assert {"sizes", "label_counts", "picture_issues", "twins", "map", "left_out"} <= told


def test_an_output_without_a_run_record_or_with_that_of_another_command(store):
    store.delete([layout.RUN_RECORD])
    write(store)
    assert "run.json has no seconds" in page(store)
    other = {
        "fruits_pipeline": "0.1.0",
        "command": "verify",
        "seconds": None,
        "settings": 3,
        "machine": [],
        "counts": "",
    }
    store.write(layout.RUN_RECORD, json.dumps(other).encode())
    write(store)
    assert "run.json does not tell the command" in page(store)


def test_labels_of_one_side_alone_are_no_trouble(tmp_path):
    store = page_output(tmp_path / "results", 4)
    for name, row in (("confusion", {"label": "only predicted"}), ("label_scores", {"recall": None, "images": 0})):
        _append(store, name, row)
    write(store)
    assert page(store).count('<td class="number" data-v="">—</td>') >= 1


def test_lists_that_are_cut_say_how_much_of_them_is_shown(tmp_path):
    store = page_output(tmp_path / "results", 130)
    write(store)
    notes = re.findall(r"[\d,]+ of [\d,]+ (?:labels with a mistake )?shown[^<]*", page(store))
    assert any(re.fullmatch(r"12 of 30 shown, the rest in evaluation/leaks", note) for note in notes)
    assert any("of them in evaluation/pictures" in note for note in notes)


def test_an_output_that_is_not_finished_has_no_page(store):
    rooms = Rooms(store, overwrite=True)
    rooms.begin("classify", {"forest_trees": 3}, rooms.finished("reduce", Facts).digest, Facts)
    assert store.stat(layout.REPORT) is None
    with pytest.raises(DatasetError, match="expected classifiers and predictions"):
        write(store)
    assert store.stat(layout.REPORT) is None


def test_a_page_of_somebody_else_is_not_replaced(tmp_path):
    store = page_output(tmp_path / "results", 2)
    store.write(layout.REPORT, b"mine")
    with pytest.raises(DatasetError, match=r"report\.html to be empty or written by"):
        write(store)
    assert store.read(layout.REPORT) == b"mine"


def _append(store, name, values):
    """Another row in a table, as if it had always been there."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from whole_output import rewrite

    key = f"evaluation/{name}/{layout.ONLY_FILE}"
    table = pq.read_table(io.BytesIO(store.read(key)))
    row = table.slice(0, 1).to_pylist()[0] | values
    rewrite(store, key, pa.concat_tables([table, pa.Table.from_pylist([row], table.schema)]))
