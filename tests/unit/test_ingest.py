"""What a key says, what a listing and a pack tell, what is sampled, and how many images a wave has."""

import hashlib
from datetime import UTC, datetime

import pyarrow as pa
import pytest
from waves_of import ROOT, THEN, Row, Told, rows_in, rows_of, table

from fruits_pipeline.errors import DatasetError, InputError, SettingsError
from fruits_pipeline.ingest import listing, sampling
from fruits_pipeline.ingest.cut import default_wave_images
from fruits_pipeline.ingest.listing import check_naming, listed, place_of, source_at, spelled
from fruits_pipeline.ingest.naming import Naming
from fruits_pipeline.ingest.packed import PackedSource
from fruits_pipeline.ingest.plan_waves import Cut, plan_waves
from fruits_pipeline.ingest.runs import in_order, sorted_runs
from fruits_pipeline.pack.write_pack import contents_of
from fruits_pipeline.settings.ingest import IngestSettings
from fruits_pipeline.settings.storage import StorageSettings
from fruits_pipeline.state.packs import PackedWave, mark_packed
from fruits_pipeline.state.plan import Plan, save_plan

STORAGE = StorageSettings()


def fill(folder, *keys):
    for key in keys:
        (folder / key).parent.mkdir(parents=True, exist_ok=True)
        (folder / key).write_bytes(b"x" * len(key))


def rows(source, root):
    """Rows by key, in the order in which they are listed."""
    return {row.path.removeprefix(f"file://{root}/"): row for part in listed(source) for row in rows_in(part)}


def test_a_listing_has_every_object_once_with_its_facts(tmp_path, monkeypatch):
    monkeypatch.setattr(listing, "_BATCH_ROWS", 2)
    fill(tmp_path / "in", "Training/a/1.jpg", "Test/b c/é#%.png", "Training/a/._x.jpg", "notes.txt", "top.gif")
    found = rows(source_at(str(tmp_path / "in"), STORAGE), tmp_path / "in")
    assert {key: row[3:6] for key, row in found.items()} == {
        "Training/a/1.jpg": ("a", "train", None),
        "Test/b c/é#%.png": ("b c", "test", None),
        "Training/a/._x.jpg": ("a", "train", "hidden"),
        "notes.txt": (None, None, "not_an_image_name"),
        "top.gif": (None, None, None),
    }
    assert all(row.length == len(key) for key, row in found.items())
    written = (tmp_path / "in/top.gif").stat().st_mtime_ns // 1000 / 1e6
    assert found["top.gif"].modified == datetime.fromtimestamp(written, UTC)


def test_a_glob_counts_from_the_part_before_the_first_wildcard(tmp_path):
    fill(tmp_path / "in", "one/Training/a/1.jpg", "two/Test/1.jpg", "Training.jpg")
    source = source_at(str(tmp_path / "in" / "*" / "T*"), STORAGE)
    assert {key: row[3:5] for key, row in rows(source, tmp_path / "in").items()} == {
        "one/Training/a/1.jpg": ("a", "train"),
        "two/Test/1.jpg": (None, "test"),
    }
    assert spelled(str(tmp_path / "in" / "*" / "T*")) == str(source) == f"file://{tmp_path}/in/*/T*"
    assert place_of(source) is source


def test_a_table_is_spelled_by_its_address_and_may_not_hold_the_output(tmp_path):
    source = source_at(f"{tmp_path}/x/../photos.csv", STORAGE)
    assert spelled(f"{tmp_path}/x/../photos.csv") == place_of(source).root == f"file://{tmp_path}/photos.csv"
    assert place_of(source).pattern == ""


def test_no_temporary_file_is_left_beside_the_manifests(tmp_path, store, monkeypatch):
    (tmp_path / "scratch").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "scratch"))
    fill(tmp_path / "in", "a/1.jpg", "a/2.jpg")
    settings = IngestSettings(data_source="in", sample=1)
    source = source_at(str(tmp_path / "in"), STORAGE)
    plan = plan_waves(source, store, settings, Plan(settings={}, source_root=""), Cut(9))
    assert list((tmp_path / "scratch").iterdir()) == []
    assert [found.key for found in store.objects()] == [plan.waves[0].manifest.key]


def labelled(*labels, each=10):
    return [Row(f"{ROOT}/{label}/{number}.jpg", label=label) for label in labels for number in range(each)]


def sample(of, images, seed=42, root=ROOT):
    return set(sampling.sampled_paths(Told(of).tables(), root, images, seed).to_pylist())


def test_a_sample_takes_so_many_of_each_label_and_all_where_there_are_fewer():
    of = [*labelled("a", "b"), *labelled("few", each=2), *rows_of(["x", "y", "z", "0"])]
    taken = [row.label for row in of if row.path in sample(of, 3)]
    assert {label: taken.count(label) for label in taken} == {"a": 3, "b": 3, "few": 2, None: 3}


def test_a_sample_is_the_smallest_seeded_hashes_of_the_paths_below_the_root():
    def rank(row):
        key = f"42:{row.path.removeprefix(ROOT)}"
        return hashlib.blake2b(key.encode(), digest_size=8).digest()

    assert sample(labelled("a"), 4) == {row.path for row in sorted(labelled("a"), key=rank)[:4]}


def test_a_sample_changes_with_the_seed_but_not_with_the_root_or_the_order():
    of = labelled("a", "b", each=50)
    chosen = sample(of, 5)
    moved = [row._replace(path=row.path.replace(ROOT, "s3://bucket/fruits")) for row in of]
    elsewhere = sample(moved, 5, root="s3://bucket/fruits")
    assert {path.replace("s3://bucket/fruits", ROOT) for path in elsewhere} == chosen
    assert sample(of[::-1], 5) == chosen
    assert sample(of, 5, 43) != chosen


def test_a_sample_never_takes_what_is_skipped_already_and_skips_the_others(tmp_path):
    of = [row._replace(skip_reason="hidden") for row in labelled("a", each=2)] + labelled("b", each=3)
    chosen = sampling.sampled_paths(Told(of).tables(), ROOT, 1, 42)
    assert len(chosen) == 1
    (run,) = (sampling.kept(run, chosen) for run in sorted_runs([table(of)], tmp_path))
    found = [row.skip_reason for part in in_order([run]) for row in rows_in(part)]
    assert sorted(map(str, found)) == ["None", "hidden", "hidden", "not_sampled", "not_sampled"]
    assert (run.first, found[:2]) == (f"{ROOT}/a/0.jpg", ["hidden", "hidden"])


def test_a_wave_grows_with_the_cores_up_to_a_limit():
    assert [default_wave_images(cores, local=True) for cores in (1, 4, 1000)] == [750, 3_000, 200_000]
    assert [default_wave_images(cores, local=False) for cores in (1, 4, 1000)] == [10_000, 40_000, 200_000]


@pytest.fixture
def pack(store, planned):
    """A plan of three waves of which two overlap, packed but for the last."""
    plan = planned(rows_of("bdf", label="x", split="test"))
    plan = planned([*rows_of("bdf", label="x", split="test"), *rows_of("ac", skip_reason="hidden")], plan)
    save_plan(store, plan)
    for wave in plan.waves[:-1]:
        mark_packed(store, PackedWave(wave=wave.wave, contents="", images=1, without_content=0, files=()))
    return plan


def test_a_pack_tells_the_rows_that_it_was_made_of_in_order(store, pack):
    mark_packed(store, PackedWave(wave=pack.waves[-1].wave, contents="", images=1, without_content=0, files=()))
    source = source_at(store.root, STORAGE)
    assert isinstance(source, PackedSource)
    source.check()
    assert (str(source), source.root, place_of(source).root) == (store.root, ROOT, store.root)
    expected = rows_of("bdf", label="x", split="test") + rows_of("ac", skip_reason="hidden")
    assert [row for part in listed(source) for row in rows_in(part)] == sorted(expected)


def test_a_pack_has_the_labels_that_it_was_made_with_but_for_those_taken_away(store, pack, golden, tmp_path):
    mark_packed(store, PackedWave(wave=pack.waves[-1].wave, contents="c", images=1, without_content=0, files=()))
    source = source_at(store.root, STORAGE)
    found = sorted(row for part in listed(source, Naming(unlabelled=("b",))) for row in rows_in(part))
    assert [row[3:5] for row in found] == [(None, None)] * 3 + [("x", "test")] * 2
    check_naming(source, IngestSettings(data_source="x", unlabelled=("b",)))
    for settings in ({"label_folder": "first"}, {"include": ("*.dat",)}):
        with pytest.raises(SettingsError) as refused:
            check_naming(source, IngestSettings(data_source="x", **settings))
        check_naming(source_at(str(tmp_path), STORAGE), IngestSettings(data_source="x", **settings))
    golden("pack_with_other_labels", str(refused.value), output=tmp_path / "output")


@pytest.mark.usefixtures("pack")
def test_a_pack_that_is_not_finished_is_refused_and_an_output_without_one_is_a_folder(store):
    with pytest.raises(
        InputError, match=r"expected a finished pack at .*/output, found one begun; start the same 'pack'"
    ):
        source_at(store.root, STORAGE)
    store.delete([found.key for found in store.objects("_state/packed")])
    assert not isinstance(source_at(store.root, STORAGE), PackedSource)


def test_a_pack_of_the_version_before_is_refused(store):
    store.write("_state/ingest.json", b"{}")
    with pytest.raises(DatasetError, match="found one of version 1"):
        source_at(store.root, STORAGE)


@pytest.mark.usefixtures("pack")
def test_the_marker_of_a_packed_wave_that_is_damaged_is_told(store, golden, tmp_path):
    store.write("_state/packed/00000.json", b"{")
    with pytest.raises(DatasetError) as told:
        source_at(store.root, STORAGE)
    golden("damaged_packed_marker", str(told.value), output=tmp_path / "output")


def test_the_contents_of_a_wave_are_path_length_and_time_of_its_images_whatever_their_labels():
    rows = [*rows_of("abc", label="x"), Row('a,"\n', None, None)]
    contents = contents_of(table(rows))
    assert contents_of(table([row._replace(label="y", split="test") for row in rows])) == contents
    chunks = pa.concat_tables([table(rows[:1]), table(rows[1:])])
    assert contents_of(chunks) == contents
    changes = [{"path": "d"}, {"length": 2}, {"length": None}, {"modified": None}, {"modified": THEN.replace(second=1)}]
    others = {contents_of(table([*rows[:2], rows[2]._replace(**change), rows[3]])) for change in changes}
    assert len(others | {contents, contents_of(table(rows[:3]))}) == len(changes) + 2
