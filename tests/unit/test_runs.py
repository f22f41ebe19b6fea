"""Rows in order of path, whatever the order in which they come, a window at a time."""

import numpy as np
import pyarrow as pa
import pytest
from waves_of import Row, rows_in, rows_of, table

from fruits_pipeline.ingest import runs
from fruits_pipeline.ingest.runs import Run, file_run, in_order, sorted_runs

ALPHABET = ["a", "b", "é", "/", " ", "#", "苹", "\U0001f34e", "￿"]


@pytest.fixture(autouse=True)
def _tiny_batches(monkeypatch):
    monkeypatch.setattr(runs, "_BATCH_ROWS", 3)


def shuffled(rows, noise, most=4):
    """The rows in any order, in tables of any length, empty ones too."""
    rows = [rows[place] for place in noise.permutation(len(rows))]
    while rows:
        fit = int(noise.integers(0, most + 1))
        yield table(rows[:fit])
        rows = rows[fit:]


def paths(windows):
    return [path for window in windows for path in window["path"].to_pylist()]


@pytest.mark.parametrize("seed", range(12))
def test_any_order_of_the_listing_gives_the_rows_of_a_plain_sort(seed, tmp_path):
    noise = np.random.default_rng(seed)
    names = {"".join(noise.choice(ALPHABET, noise.integers(1, 5))) for _ in range(noise.integers(1, 60))}
    rows = [Row(f"file:///{name}", int(noise.integers(9)), label=str(noise.choice(ALPHABET))) for name in names]
    windows = list(in_order(sorted_runs(shuffled(rows, noise), tmp_path, int(noise.integers(1, 20)))))
    found = [row for window in windows for row in rows_in(window)]
    assert found == sorted(rows, key=lambda row: row.path.encode())


@pytest.mark.parametrize("seed", range(8))
def test_rows_of_equal_paths_stand_in_one_window_when_each_run_has_them_once(seed, tmp_path):
    noise = np.random.default_rng(seed)
    parts = []
    for number in range(noise.integers(1, 6)):
        names = {f"{n:02d}" for n in noise.integers(0, 40, noise.integers(1, 30))}
        (tmp_path / str(number)).mkdir()
        parts += sorted_runs(shuffled(rows_of(names), noise), tmp_path / str(number), 100)
    windows = list(in_order(parts))
    found = paths(windows)
    assert found == sorted(path for part in parts for path in paths(part.opened()))
    where = [set(window["path"].to_pylist()) for window in windows]
    assert sum(map(len, where)) == len(set(found))
    assert all(len(window) <= 3 * len(parts) for window in windows)


def test_each_run_is_sorted_and_has_its_number_of_rows(tmp_path):
    found = sorted_runs([table(rows_of("dcb")), table(rows_of("a")), table(rows_of("zyx"))], tmp_path, 4)
    assert [[path[-1] for path in paths(run.opened())] for run in found] == [list("abcd"), list("xyz")]
    assert [run.first[-1] for run in found] == ["a", "x"]
    assert sorted_runs([table([])], tmp_path) == []
    assert list(in_order([])) == []


def test_a_run_has_the_wave_that_it_is_given(tmp_path):
    (run,) = sorted_runs([table(rows_of("abcd"))], tmp_path)
    assert [window["wave"].to_pylist() for window in run.opened()] == [[None] * 3, [None]]
    (file,) = tmp_path.iterdir()
    windows = list(file_run(run.first, lambda: file, "00003").opened())
    assert [window["wave"].to_pylist() for window in windows] == [["00003"] * 3, ["00003"]]
    assert windows[0].schema.field("wave").type == pa.string()


def test_runs_that_follow_one_another_are_open_one_at_a_time():
    opened, most = set(), []

    def run(*names):
        def tables():
            opened.add(names)
            for name in names:
                most.append(len(opened))
                yield table(rows_of([name]))
            opened.remove(names)

        return Run(rows_of(names)[0].path, tables)

    assert "".join(path[-1] for path in paths(in_order([run(*"gh"), run(*"abc"), run(*"def")]))) == "abcdefgh"
    assert max(most) == 1
    assert "".join(path[-1] for path in paths(in_order([run(*"ad"), run(*"be"), run(*"cf")]))) == "abcdef"
    assert max(most) == 3


def test_a_run_without_a_row_and_a_path_that_comes_twice_in_one_run_lose_nothing(tmp_path):
    twice = sorted_runs([table(rows_of("aabbbbb"))], tmp_path)
    empty = Run("file:///in/a", lambda: iter(()))
    assert [path[-1] for path in paths(in_order([empty, *twice]))] == list("aabbbbb")
    assert list(in_order([empty])) == []
