"""Waves: membership is never recut, names are never used twice, whatever becomes of the source."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from fruits_pipeline.ingest.build import build_manifest
from fruits_pipeline.ingest.rows import Row, read_rows

from fruits_pipeline.ingest import waves
from fruits_pipeline.settings.ingest import IngestSettings
from fruits_pipeline.storage.opening import open_store
from fruits_pipeline.storage.source import parse_source

THEN = datetime(2024, 5, 6, tzinfo=UTC)
HISTORIES, STEPS = 300, 6


def row(path, length=1, modified=THEN, skip=None, wave=None):
    return Row(path, length, modified, None, None, skip, wave)


def listing(names, **facts):
    return [row(name, **facts) for name in sorted(names)]


def cut(old, new, first, size):
    return list(waves.assigned(iter(old), iter(new), waves.retired(iter(old), iter(new)), first, size))


def members(rows):
    """Wave to the facts of its images."""
    found = {}
    for one in rows:
        if one.wave is not None:
            found.setdefault(one.wave, set()).add((one.path, one.length, one.modified))
    return found


@pytest.mark.parametrize(("cores", "images"), [(1, 10_000), (2, 20_000), (64, 200_000)])
def test_a_wave_grows_with_the_cores_up_to_a_limit(cores, images):
    assert waves.default_wave_images(cores) == images


def test_a_fresh_listing_is_cut_in_order_into_full_waves():
    rows = cut([], [*listing("abc"), row("d", skip="hidden"), *listing("ef")], 3, 2)
    assert [(one.path, one.wave) for one in rows] == [
        ("a", "00003"), ("b", "00003"), ("c", "00004"), ("d", None), ("e", "00004"), ("f", "00005"),
    ]  # fmt: skip


def test_what_is_added_gets_new_waves_and_the_old_ones_stay_as_they_are():
    old = cut([], listing("bdf"), 0, 2)
    new = cut(old, listing("abcdefg"), 2, 2)
    assert {one.path: one.wave for one in new if one in old} == {one.path: one.wave for one in old}
    assert [one.wave for one in new if one not in old] == ["00002", "00002", "00003", "00003"]


@pytest.mark.parametrize(
    "now",
    [
        listing("a"),
        [row("a"), row("b", length=2)],
        [row("a"), row("b", modified=THEN + timedelta(microseconds=1))],
        [row("a"), row("b", skip="not_sampled")],
    ],
    ids=["gone", "longer", "newer", "skipped"],
)
def test_a_wave_that_lost_or_changed_an_image_is_retired_and_its_others_get_a_new_one(now):
    old = cut([], listing("abcd"), 0, 2)
    new = cut(old, [*now, *listing("cd")], 2, 2)
    assert waves.retired(old, [*now, *listing("cd")]) == {"00000"}
    kept = {one.path: one.wave for one in new}
    assert (kept["a"], kept["c"], kept["d"]) == ("00002", "00001", "00001")


def test_an_image_that_was_skipped_and_now_is_taken_retires_nothing():
    old = cut([], [row("a", skip="not_sampled"), row("b")], 0, 2)
    assert [one.wave for one in cut(old, listing("ab"), 1, 2)] == ["00001", "00000"]


def test_two_streams_are_paired_by_path_whatever_each_lacks():
    seed = np.random.default_rng(3)
    for _ in range(200):
        one, other = (sorted({f"{number:02d}" for number in seed.integers(0, 12, seed.integers(0, 12))}) for _ in "ab")
        pairs = list(waves.paired(listing(one), listing(other, length=2)))
        assert [(a.path if a else None, b.path if b else None) for a, b in pairs] == [
            (name if name in one else None, name if name in other else None) for name in sorted({*one, *other})
        ]
        assert {(a.length if a else 1, b.length if b else 2) for a, b in pairs} <= {(1, 2)}


def changed(seed, source):
    """The source, a dict of path to row, after some random work on it."""
    source = dict(source)
    for name in (f"{number:02d}" for number in range(30)):
        match seed.choice(["keep", "add", "remove", "change", "skip"], p=[0.72, 0.12, 0.06, 0.05, 0.05]):
            case "add":
                source.setdefault(name, row(name, length=int(seed.integers(1, 9))))
            case "remove":
                source.pop(name, None)
            case "change" if name in source:
                source[name] = source[name]._replace(modified=THEN + timedelta(seconds=int(seed.integers(1, 99))))
            case "skip" if name in source:
                source[name] = source[name]._replace(skip_reason=[None, "not_sampled"][seed.integers(2)])
    return source


@pytest.mark.parametrize("history", range(0, HISTORIES, HISTORIES // 10))
def test_over_random_histories_waves_keep_their_members_or_go_and_no_name_comes_twice(history):
    for number in range(history, history + HISTORIES // 10):
        seed = np.random.default_rng(number)
        source, old, used, first = {}, [], set(), 0
        for _ in range(STEPS):
            source, size = changed(seed, source), int(seed.integers(1, 6))
            new = cut(old, [source[name] for name in sorted(source)], first, size)
            assert [one._replace(wave=None) for one in new] == [source[name] for name in sorted(source)]
            assert all((one.wave is None) == (one.skip_reason is not None) for one in new)
            before, after = members(old), members(new)
            there = {(one.path, one.length, one.modified) for one in new if one.skip_reason is None}
            whole = {wave: images for wave, images in before.items() if images <= there}
            assert {wave: after[wave] for wave in after if wave in before} == whole
            fresh = sorted(after.keys() - before.keys())
            assert not used & set(fresh)
            assert fresh == [waves.wave_name(first + place) for place in range(len(fresh))]
            assert all(len(after[wave]) == size for wave in fresh[:-1])
            assert all(len(after[wave]) <= size for wave in fresh[-1:])
            old, used, first = new, used | after.keys(), first + len(fresh)


def test_the_number_of_the_next_wave_outlives_waves_that_are_gone(tmp_path):
    store, source = open_store(str(tmp_path / "output")), parse_source(str(tmp_path / "in"))
    settings = IngestSettings(data_source=str(source), wave_images=2)

    def images(*names):
        (tmp_path / "in").mkdir(exist_ok=True)
        for file in (tmp_path / "in").iterdir():
            if file.stem not in names:
                file.unlink()
        for name in names:
            if not (tmp_path / f"in/{name}.jpg").exists():
                (tmp_path / f"in/{name}.jpg").write_bytes(b"x")

    def waves_of(next_wave):
        manifest = build_manifest(source, store, settings, 2, next_wave)
        rows = read_rows(tmp_path / "output/manifest/part-00000.parquet")
        return manifest, {wave: sorted(path[-5] for path, _, _ in images) for wave, images in members(rows).items()}

    images(*"abcd")
    manifest, found = waves_of(0)
    assert (manifest.waves, manifest.next_wave, found) == (2, 2, {"00000": ["a", "b"], "00001": ["c", "d"]})
    images(*"ab")
    manifest, found = waves_of(manifest.next_wave)
    assert (manifest.waves, manifest.next_wave, found) == (1, 2, {"00000": ["a", "b"]})
    images(*"abef")
    manifest, found = waves_of(manifest.next_wave)
    assert (manifest.next_wave, found) == (3, {"00000": ["a", "b"], "00002": ["e", "f"]})
    images(*"abefg")
    manifest, found = waves_of(0)
    assert (manifest.next_wave, found) == (4, {"00000": ["a", "b"], "00002": ["e", "f"], "00003": ["g"]})
