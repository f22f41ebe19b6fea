"""A window of the source held against the planned waves: what was kept, changed, relabelled, gone or new."""

from datetime import timedelta

import numpy as np
import pyarrow as pa
import pytest
from waves_of import THEN, Row, rows_in, table

from fruits_pipeline.ingest.comparison import compared

LATER = THEN + timedelta(microseconds=1)
NOTHING = {"rewritten": set(), "to_compute": set(), "images": 0, "unchanged": 0, "relabelled": 0, "gone": 0}
ONE = Row("a", 1, THEN, "x", "train")


def window(new, **waves):
    """One window: the rows of each planned wave, and the new ones."""
    parts = [(table(rows), wave) for wave, rows in waves.items()] + [(table(new), None)]
    return pa.concat_tables(
        part.append_column("wave", pa.array([wave] * len(part), pa.string())) for part, wave in parts
    ).sort_by("path")


def told(new, **waves):
    found = compared(window(new, **waves))
    assert rows_in(found.rows) == sorted(new)
    return {name: getattr(found, name) for name in NOTHING}


def test_equal_rows_are_kept_with_their_wave():
    rows = [ONE, Row("b", None, None), Row("c", skip_reason="hidden"), Row("d")]
    assert told(rows, w1=rows[:2], w2=rows[2:]) == NOTHING | {"images": 3, "unchanged": 3}
    found = compared(window([*rows, Row("bb")], w1=rows[:2], w2=rows[2:])).rows
    assert found["wave"].to_pylist() == ["w1", "w1", None, "w2", "w2"]


@pytest.mark.parametrize(
    "other",
    [{"length": 2}, {"modified": LATER}, {"length": None}, {"modified": None}, {"length": 2, "label": "y"}],
    ids=str,
)
@pytest.mark.parametrize("back", [False, True])
def test_other_content_is_a_changed_image_and_its_wave_is_rewritten(other, back):
    old, new = (ONE._replace(**other), ONE) if back else (ONE, ONE._replace(**other))
    expected = {"rewritten": {"w1", "w2"}, "to_compute": {"w1"}, "images": 1, "gone": 1}
    assert told([new], w1=[old], w2=[Row("b")]) == NOTHING | expected
    assert told([new, Row("b")], w1=[old], w2=[Row("b")])["rewritten"] == {"w1"}


@pytest.mark.parametrize(
    "other", [{"label": "y"}, {"label": None}, {"label": ""}, {"split": "test"}, {"split": None}, {"source_path": "y"}]
)
@pytest.mark.parametrize("back", [False, True])
def test_another_label_split_or_spelling_of_the_same_content_is_relabelled(other, back):
    old, new = (ONE._replace(**other), ONE) if back else (ONE, ONE._replace(**other))
    expected = {"rewritten": {"w1"}, "images": 2, "unchanged": 2, "relabelled": 1}
    assert told([new, Row("b")], w1=[old], w2=[Row("b")]) == NOTHING | expected


def test_new_images_rewrite_nothing():
    assert told([ONE, Row("b"), Row("c")], w1=[Row("b")]) == NOTHING | {"images": 3, "unchanged": 1}
    assert told([ONE]) == NOTHING | {"images": 1}


def test_images_that_are_gone_are_counted_once_and_rewrite_their_waves():
    old = [Row("a"), Row("b", skip_reason="hidden")]
    assert told([], w1=old, w2=[Row("c")]) == NOTHING | {"rewritten": {"w1", "w2"}, "gone": 2}
    assert told([Row("a"), Row("c")], w1=old, w2=[Row("c")]) == NOTHING | {
        "rewritten": {"w1"}, "images": 2, "unchanged": 2,
    }  # fmt: skip


def test_an_image_that_is_skipped_now_is_gone_and_one_that_is_no_longer_skipped_is_computed():
    skipped = ONE._replace(skip_reason="not_sampled")
    assert told([skipped], w1=[ONE]) == NOTHING | {"rewritten": {"w1"}, "gone": 1}
    assert told([ONE], w1=[skipped]) == NOTHING | {"rewritten": {"w1"}, "to_compute": {"w1"}, "images": 1}


@pytest.mark.parametrize("other", [{"length": 2}, {"modified": LATER}, {"label": "y"}, {"skip_reason": "not_sampled"}])
def test_a_skipped_row_that_changed_rewrites_its_wave_and_counts_as_no_image(other):
    old = ONE._replace(skip_reason="hidden")
    assert told([old._replace(**other)], w1=[old]) == NOTHING | {"rewritten": {"w1"}}
    assert told([old], w1=[old]) == NOTHING


def plainly(new, waves):
    """The same by dictionaries."""
    old = {row.path: (wave, row) for wave, rows in waves.items() for row in rows}
    now = {row.path: row for row in new}
    images = {path: row for path, row in now.items() if row.skip_reason is None}
    was = {path: row for path, (_, row) in old.items() if row.skip_reason is None}
    unchanged = {path for path, row in images.items() if path in was and was[path][1:3] == row[1:3]}
    return {
        "rewritten": {wave for path, (wave, row) in old.items() if now.get(path) != row},
        "to_compute": {old[path][0] for path in images.keys() & old.keys() if path not in unchanged},
        "images": len(images),
        "unchanged": len(unchanged),
        "relabelled": sum(was[path][3:5] != images[path][3:5] for path in unchanged),
        "gone": len(was.keys() - images.keys()),
    }


def test_random_windows_are_compared_as_by_dictionaries():
    noise = np.random.default_rng(5)

    def rows():
        for name in noise.choice(list("abcdefgh"), noise.integers(0, 8), replace=False):
            length, label, skip = (int(noise.integers(2)), noise.choice(["x", None]), noise.choice(["hidden", None]))
            yield Row(str(name), length or None, THEN, label and str(label), None, skip and str(skip))

    for _ in range(150):
        old, new, place = list(rows()), list(rows()), int(noise.integers(8))
        waves = {"w1": old[:place], "w2": old[place:]}
        assert told(new, **waves) == plainly(new, waves)
