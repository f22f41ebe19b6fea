"""Length and time of a table's images: from the table, from one listing, or looked at one by one."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from waves_of import Row, rows_in

from fruits_pipeline.errors import InputError, StorageError
from fruits_pipeline.ingest import described as room
from fruits_pipeline.ingest.described import described
from fruits_pipeline.ingest.plan_waves import Cut, plan_waves
from fruits_pipeline.settings.ingest import IngestSettings
from fruits_pipeline.state.plan import Plan
from fruits_pipeline.storage.local import LocalStore
from fruits_pipeline.storage.source import Source
from fruits_pipeline.storage.table import TableSource

THEN = datetime(2026, 1, 2, 3, 4, 5, 678901, UTC)


@pytest.fixture
def folder(tmp_path):
    """Ten images of 1 to 10 bytes, all of one time."""
    (tmp_path / "in").mkdir()
    for number in range(10):
        image(tmp_path / "in", number, number + 1)
    return tmp_path / "in"


def image(folder, number, length, seconds=0):
    file = folder / f"{number}.jpg"
    file.write_bytes(b"x" * length)
    nanoseconds = (int(THEN.timestamp()) + seconds) * 1_000_000_000 + 678_901_000
    os.utime(file, ns=(nanoseconds, nanoseconds))


def table(folder, *lines, header="path"):
    file = folder.parent / "photos.csv"
    file.write_text("\n".join([header, *lines]))
    return TableSource(f"file://{file}")


def found(source):
    """Length and time by number, in order."""
    rows = [row for part in described(source) for row in part.to_pylist()]
    return {row["path"].rpartition("/")[2].removesuffix(".jpg"): (row["length"], row["modified"]) for row in rows}


class Asked(list):
    """The calls of the store; looking at the keys in ``faults`` raises."""

    def __init__(self):
        super().__init__()
        self.faults = {}


@pytest.fixture
def asked(monkeypatch):
    """The calls of the store, which lists at most 4 objects and 1 for each image."""
    calls, every_object = Asked(), Source.objects

    class Store(LocalStore):
        def stat(self, key):
            calls.append(f"stat {key}")
            if key in calls.faults:
                raise calls.faults[key]
            return super().stat(key)

    def objects(self):
        for one in every_object(self):
            calls.append(f"list {one.key}")
            yield one

    monkeypatch.setattr(room, "open_store", lambda root, _: Store(root, Path(root.removeprefix("file://"))))
    monkeypatch.setattr(Source, "objects", objects)
    monkeypatch.setattr(room, "_LISTED_AT_LEAST", 4)
    monkeypatch.setattr(room, "_LISTED_PER_IMAGE", 1)
    monkeypatch.setattr(room, "_BATCH_ROWS", 2)
    return calls


def test_a_table_that_says_it_all_asks_nothing_of_storage(folder, asked):
    source = table(folder, "in/5.jpg,50,2024-01-01T00:00:00Z", header="path,length,modified")
    assert found(source) == {"5": (50, datetime(2024, 1, 1, tzinfo=UTC))}
    assert asked == []


def test_one_listing_tells_what_a_table_does_not(folder, asked, monkeypatch):
    monkeypatch.setattr(room, "_LISTED_AT_LEAST", 100)
    source = table(folder, "in/8.jpg", "in/0.jpg", "in/3.jpg")
    assert found(source) == {"0": (1, THEN), "3": (4, THEN), "8": (9, THEN)}
    assert asked == [f"list {number}.jpg" for number in range(10)]


def test_of_a_large_folder_few_objects_are_listed_and_the_rest_looked_at(folder, asked):
    source = table(folder, "in/8.jpg", "in/1.jpg", "in/9.jpg")
    assert found(source) == {"1": (2, THEN), "8": (9, THEN), "9": (10, THEN)}
    assert asked[:7] == [f"list {number}.jpg" for number in range(7)]
    assert sorted(asked[7:]) == ["stat 8.jpg", "stat 9.jpg"]


@pytest.mark.usefixtures("asked")
def test_rows_that_lack_one_of_both_get_both_and_others_keep_their_own(folder):
    lines = ["in/1.jpg,70,2024-01-01T00:00:00Z", "in/2.jpg,70,", "in/3.jpg,,2024-01-01T00:00:00Z", "in/9.jpg,70,"]
    lines.append("in/4.jpg,0,2024-01-01T00:00:00Z")
    source = table(folder, *lines, header="path,length,modified")
    told = {
        "1": (70, datetime(2024, 1, 1, tzinfo=UTC)),
        "2": (3, THEN),
        "3": (4, THEN),
        "4": (5, THEN),
        "9": (10, THEN),
    }
    assert found(source) == told


def test_an_image_that_is_missing_or_may_not_be_looked_at_keeps_what_the_table_says(folder, asked):
    lines = ["in/1.jpg,7,", "in/missing.jpg,7,", "in/9.jpg,7,", "in/8.jpg,,2024-01-01T00:00:00Z"]
    source = table(folder, *lines, header="path,length,modified")
    then = datetime(2024, 1, 1, tzinfo=UTC)
    assert found(source) == {"1": (2, THEN), "8": (9, THEN), "9": (10, THEN), "missing": (7, None)}
    asked.faults = {key: StorageError("forbidden", is_denied=True) for key in ("8.jpg", "9.jpg")}
    assert found(source) == {"1": (2, THEN), "8": (None, then), "9": (7, None), "missing": (7, None)}


def test_an_outage_while_images_are_looked_at_ends_the_job_instead_of_making_them_look_changed(folder, asked):
    asked.faults = {"9.jpg": StorageError("no answer")}
    with pytest.raises(StorageError, match="no answer"):
        found(table(folder, "in/1.jpg", "in/8.jpg", "in/9.jpg"))


def test_a_folder_that_may_not_be_listed_is_looked_at_image_by_image(folder, asked, monkeypatch):
    def refused(_):
        raise InputError("may not list")
        yield

    monkeypatch.setattr(Source, "objects", refused)
    assert found(table(folder, "in/1.jpg", "in/8.jpg")) == {"1": (2, THEN), "8": (9, THEN)}
    assert sorted(asked) == ["stat 1.jpg", "stat 8.jpg"]


def test_all_other_columns_stay_and_a_path_that_comes_twice_comes_twice(folder, asked):
    lines = ["in/3.jpg,a,test", "in/1.jpg,,", "in/9.jpg,ß,train", "in/3.jpg,b,"]
    source = table(folder, *lines, header="path,label,split")
    rows = [row for part in described(source) for row in rows_in(part)]
    one, two, three, nine = (f"file://{folder}/{number}.jpg" for number in (1, 3, 3, 9))
    assert {row.source_path for row in rows} == {"in/3.jpg", "in/1.jpg", "in/9.jpg"}
    assert sorted(row._replace(source_path=None) for row in rows) == [
        Row(one, 2, THEN, None, None),
        Row(two, 4, THEN, "a", "test"),
        Row(three, 4, THEN, "b", None),
        Row(nine, 10, THEN, "ß", "train"),
    ]
    assert asked


def test_an_image_of_a_table_that_was_replaced_is_planned_again_and_a_missing_one_when_it_comes_back(folder, store):
    source = table(folder, "in/1.jpg", "in/2.jpg", "in/missing.jpg")

    def plan(before):
        return plan_waves(source, store, IngestSettings(data_source="x"), before, Cut(9))

    first = plan(Plan(settings={}, source_root=""))
    assert (first.change.computed, plan(first).change.kept, plan(first).waves) == (3, 3, first.waves)
    image(folder, 1, 2, seconds=1)
    second = plan(first)
    assert (second.change.kept, second.change.computed, second.change.gone) == (2, 1, 0)
    image(folder, "missing", 5)
    third = plan(second)
    assert (third.change.kept, third.change.computed) == (2, 1)
    (folder / "missing.jpg").unlink()
    assert plan(third).change.computed == 1
