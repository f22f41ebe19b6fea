"""What names say: labels, splits, which are images', which are left out; and what is told of it."""

import logging
import os
from pathlib import Path

import pytest
from waves_of import rows_in

from fruits_pipeline.errors import InputError
from fruits_pipeline.ingest.listing import listed, source_at
from fruits_pipeline.ingest.naming import Naming
from fruits_pipeline.ingest.plan_waves import Cut, plan_waves
from fruits_pipeline.settings.ingest import IngestSettings
from fruits_pipeline.settings.storage import StorageSettings
from fruits_pipeline.state.plan import Plan
from fruits_pipeline.storage.patience import Patience
from fruits_pipeline.storage.single import Single, Unread
from odd_names import IMAGE, NAMES, write_names

NO_PLAN = Plan(settings={}, source_root="")


@pytest.mark.parametrize(
    ("key", "label", "split"),
    [
        ("Training/Apple Red 1/0_100.jpg", "Apple Red 1", "train"),
        ("fruits-360/Test/Apple/0.jpg", "Apple", "test"),
        ("TEST/Apple/0.jpg", "Apple", "test"),
        ("tRaInInG/Apple/0.jpg", "Apple", "train"),
        ("train/Fruit/Apple/0.jpg", "Apple", "train"),
        ("Training/Apple/Test/0.jpg", "Apple", "train"),
        ("test/Apple/train/0.jpg", "Apple", "test"),
        ("train/train/cat.0.jpg", None, "train"),
        ("Apple/Training/0.jpg", None, "train"),
        ("bbox/test/x.jpg", None, "test"),
        ("Training/Test/0.jpg", None, "train"),
        ("Training/0.jpg", None, "train"),
        ("Apple/Red/0.jpg", "Red", None),
        (" Яблоко #1 /0.jpg", " Яблоко #1 ", None),
        ("Tests/0.jpg", "Tests", None),
        ("train /0.jpg", "train ", None),
        ("a//0.jpg", "a", None),
        ("0.jpg", None, None),
    ],
)
def test_label_and_split_of_a_key(key, label, split):
    assert Naming().meaning(key) == (label, split, None)


@pytest.mark.parametrize(
    ("split", "words"),
    [
        ("train", "train training"),
        ("validation", "val valid validation dev"),
        ("test", "test testing eval evaluation"),
    ],
)
def test_a_split_has_many_names_in_any_case(split, words):
    for word in words.split():
        for spelled in (word, word.upper(), word.title()):
            assert Naming().meaning(f"{spelled}/Kiwi/1.jpg") == ("Kiwi", split, None)
            assert Naming().meaning(f"{spelled}/1.jpg") == (None, split, None)


@pytest.mark.parametrize(
    ("key", "first"),
    [
        ("Training/Apple/Apple 11/0.jpg", "Apple"),
        ("photos/test/Apple/Apple 11/0.jpg", "Apple"),
        ("Fruit/Apple/0.jpg", "Fruit"),
        ("train/test/Apple/x/0.jpg", "Apple"),
        ("train/0.jpg", None),
    ],
)
def test_another_folder_is_the_label_where_it_is_asked_for(key, first):
    assert Naming("first").meaning(key).label == first
    assert Naming("none").meaning(key) == (None, Naming().meaning(key).split, None)


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        (".hidden.jpg", "hidden"),
        ("a/.cache/0.txt", "hidden"),
        ("_x.jpg", None),
        ("_old/a/0.jpg", None),
        ("_temporary/a/0.jpg", "hidden"),
        ("__macosx/0.jpg", "hidden"),
        ("a/notes.txt", "not_an_image_name"),
        ("a/jpg", None),
        ("a/0.jpg.bak", "not_an_image_name"),
        ("a/0.jpg .txt", "not_an_image_name"),
        ("a/0.jpg?x=y.txt", None),
        ("a/0.txt?x=y.jpg", None),
        ("a/0.jpg:large", None),
        ("a/0.jpg_original", "not_an_image_name"),
        ("a/0.jpgx", "not_an_image_name"),
        ("a.jpg/readme", "not_an_image_name"),
        ("a/0.JPG", None),
        ("a/0.x.TiFf", None),
        ("a_/0_.webp", None),
        ("a/scan.2026-01-02", None),
    ],
)
def test_why_a_key_is_skipped(key, reason):
    assert Naming().meaning(key).skip_reason == reason


@pytest.mark.parametrize("suffix", ["jpe", "jfif", "mpo", "apng", "avif", "heic", "heif", "jp2", "dib"])
def test_suffixes_that_phones_and_browsers_write_are_images(suffix):
    assert Naming().meaning(f"a/x.{suffix.upper()}").skip_reason is None


def test_names_that_are_asked_for_are_images_but_never_what_systems_make():
    naming = Naming(include=("*.DAT", "scan-?.raw", "*.jpg"))
    assert naming.meaning("a/x.jpg").skip_reason is None
    reasons = {name: naming.meaning(f"a/{name}").skip_reason for name in ("x.dat", "scan-1.RAW", "x.raw", "._x.dat")}
    assert reasons == {"x.dat": None, "scan-1.RAW": None, "x.raw": "not_an_image_name", "._x.dat": "hidden"}
    assert naming.unused() == []


@pytest.mark.parametrize(
    ("glob", "keys"),
    [
        ("test-multiple_fruits/*", {"test-multiple_fruits/a/1.jpg", "test-multiple_fruits/2.jpg"}),
        ("test-multiple_fruits", {"test-multiple_fruits/a/1.jpg", "test-multiple_fruits/2.jpg"}),
        ("*/a/", {"test-multiple_fruits/a/1.jpg", "Test/a/1.jpg"}),
        ("Test/a/1.*", {"Test/a/1.jpg"}),
    ],
)
def test_images_that_are_to_be_predicted_only_have_neither_label_nor_split(glob, keys):
    naming = Naming(unlabelled=(glob, "nothing/*"))
    for key in ("test-multiple_fruits/a/1.jpg", "test-multiple_fruits/2.jpg", "Test/a/1.jpg", "Test/ab/1.jpg"):
        expected = (None, None, None) if key in keys else Naming().meaning(key)
        assert naming.meaning(key) == expected
    assert naming.unused() == ["--unlabelled 'nothing/*'"]


@pytest.fixture
def folder(tmp_path):
    """One file of each odd name."""
    (tmp_path / "in").mkdir()
    write_names(tmp_path / "in", b"x")
    return tmp_path / "in"


def test_every_odd_name_is_listed_as_the_table_says(folder):
    rows = {row.path: row for part in listed(source_at(str(folder), StorageSettings())) for row in rows_in(part)}
    expected = {name.key: name for name in NAMES.values() if name.on_disk and name.listed}
    assert {path.removeprefix(f"file://{folder}/") for path in rows} == expected.keys()
    for key, name in expected.items():
        row = rows[f"file://{folder}/{key}"]
        assert (key, row.skip_reason or IMAGE) == (key, name.listed)
        assert row.skip_reason or row.label == name.label
        assert row.source_path == f"{folder}/{key}"


def test_every_odd_name_is_read_as_the_table_says(folder, monkeypatch):
    opened = Path.read_bytes

    def read_bytes(path):  # because root may read everything
        if not os.stat(path).st_mode & 0o400:  # noqa: PTH116 because the tests replace methods of Path
            raise PermissionError(13, "Permission denied")
        return opened(path)

    monkeypatch.setattr(Path, "read_bytes", read_bytes)
    single = Single(StorageSettings(), Patience(), 100)
    for kind, name in NAMES.items():
        if name.on_disk and name.listed == IMAGE and not kind.startswith("link"):
            found = single.read(f"file://{folder}/{name.key}")
            assert (name.key, found.reason if isinstance(found, Unread) else "") == (name.key, name.read)


def plan_of(folder, store, *keys, **settings):
    for key in keys:
        (folder / key).parent.mkdir(parents=True, exist_ok=True)
        (folder / key).write_bytes(b"x")
    asked = IngestSettings(data_source=str(folder), **settings)
    return plan_waves(source_at(str(folder), StorageSettings()), store, asked, NO_PLAN, Cut(100))


def told(caplog):
    return [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]


SHOP = [
    *(f"train/Fruit/Apple/Golden/{n}.jpg" for n in range(6)),
    *(f"train/Vegetables/Cabbage/{n}.jpg" for n in range(3)),
    *(f"val/Fruit/Apple/Golden/{n}.jpg" for n in range(2)),
    *(f"Test/Fruit/Apple/Golden/{n}.jpg" for n in range(4)),
    *(f"TEST/Vegetables/Cabbage/{n}.jpg" for n in range(1)),
]


def test_images_by_side_and_by_folder_are_told_and_nothing_is_warned_of(tmp_path, store, caplog):
    caplog.set_level(logging.INFO)
    plan = plan_of(tmp_path / "in", store, *SHOP, "mixed/1.jpg", unlabelled=("mixed/*",))
    line = "train 9, validation 2, test 5, none 1 (folders: train 9, Test 4, val 2, TEST 1)"
    assert (str(plan.sides), f"images by side: {line}" in caplog.messages) == (line, True)
    assert (plan.facts.sides, told(caplog)) == (plan.sides, [])


def test_a_second_start_that_changes_nothing_tells_the_same_sides(tmp_path, store):
    plan = plan_of(tmp_path / "in", store, *SHOP)
    asked = IngestSettings(data_source=str(tmp_path / "in"))
    again = plan_waves(source_at(str(tmp_path / "in"), StorageSettings()), store, asked, plan, Cut(100))
    assert (again.waves, again.sides) == (plan.waves, plan.sides)


def test_labelled_images_outside_of_the_split_folders_are_told_with_both_counts(tmp_path, store, caplog):
    plan_of(tmp_path / "in", store, "train/A/1.jpg", "train/A/2.jpg", "A/3.jpg", "4.jpg")
    (line,) = told(caplog)
    assert line.startswith("images with a split=2, labelled images without=1: these are only predicted; --train-split")


def test_split_folders_of_several_sides_above_each_other_are_told(tmp_path, store, caplog):
    plan_of(tmp_path / "in", store, "dev/train/A/1.jpg", "dev/test/A/2.jpg", "val/val/A/3.jpg")
    (line,) = told(caplog)
    assert line.startswith("images below split folders of several sides=2: the outermost folder decides")


def test_folders_that_look_like_splits_and_are_none_are_told(tmp_path, store, caplog):
    plan_of(tmp_path / "in", store, "train2017/A/1.jpg", "Test_set/A/2.jpg", "Teston/3.jpg", "photos/train 1/4.jpg")
    (line,) = told(caplog)
    assert line.startswith("folders that look like splits and are none=2: 'Test_set', 'train2017'; rename them")


def test_a_glob_that_matches_nothing_is_told(tmp_path, store, caplog):
    plan_of(tmp_path / "in", store, "A/1.jpg", unlabelled=("B/*",), include=("*.dat",))
    assert told(caplog) == [f"{flag} matches nothing below file://{tmp_path}/in" for flag in (
        "--unlabelled 'B/*'", "--include '*.dat'")]  # fmt: skip


def test_more_than_a_twentieth_skipped_by_name_is_told_with_the_commonest_suffixes(tmp_path, store, caplog):
    images = [f"A/{n}.jpg" for n in range(38)]
    plan_of(tmp_path / "in", store, *images, "A/x.RAW", "A/y.txt")
    assert told(caplog) == []
    plan_of(tmp_path / "in", store, "A/z.raw", "A/.DS_Store")
    (line,) = told(caplog)
    assert line.startswith("skipped by their names=3 of 42 objects (.raw 2, .txt 1)")


def test_a_source_that_holds_no_image_is_told_with_what_it_holds(tmp_path, store, golden):
    with pytest.raises(InputError) as refused:
        plan_of(tmp_path / "in", store, "A/1.npy", "A/2.npy", "A/x.txt", ".DS_Store")
    golden("no_image_but_others", str(refused.value), source=tmp_path / "in")


def test_other_labels_of_the_same_images_are_a_relabelling(tmp_path, store):
    plan = plan_of(tmp_path / "in", store, *SHOP)
    asked = IngestSettings(data_source=str(tmp_path / "in"), label_folder="first", unlabelled=("val",))
    again = plan_waves(source_at(str(tmp_path / "in"), StorageSettings()), store, asked, plan, Cut(100))
    assert again.change.model_dump() == {"kept": 16, "carried": 0, "computed": 0, "relabelled": 16, "gone": 0}
