"""What is seen of the images: poor pictures, sizes, labels and a map, the same however batches are cut."""

import pyarrow as pa
import pytest

from fruits_pipeline import schemas
from fruits_pipeline.examine import seen as module
from fruits_pipeline.examine.pictures import issues
from fruits_pipeline.examine.seen import COLUMNS, Seen
from fruits_pipeline.settings.examine import ExamineSettings
from reduced_rows import reduced_row

SETTINGS = ExamineSettings()


def seen(rows, settings=SETTINGS, cut=None):
    """What is seen of rows of ``schemas.REDUCED``, in one batch or in batches of ``cut`` rows."""
    table = pa.Table.from_pylist([dict(zip(schemas.REDUCED.names, row, strict=True)) for row in rows], schemas.REDUCED)
    table = table.select([*COLUMNS, "pca_features"]).rename_columns([*COLUMNS, "components"])
    found = None
    for batch in table.to_batches(cut or len(rows)):
        one = Seen.of(batch, issues(settings))
        found = one if found is None else found.with_(one)
    return found


def rows_of(table):
    return [tuple(row.values()) for row in table.to_pylist()]


def pictures(**figures):
    """Ten usual pictures ``p0`` to ``p9``, and ``odd`` with these figures."""
    rows = [reduced_row(f"p{n}", "kiwi", "train", f"c{n}", [0.0]) for n in range(10)]
    return [*rows, reduced_row("odd", "plum", "test", "odd", [0.0], **figures)]


ODD = [
    ("dark", {"brightest": 0.3}, 0.3),
    ("bright", {"darkest": 0.96}, 0.96),
    ("nearly_empty", {"entropy": 1.5}, 1.5),
    ("blurred", {"sharpness": 2.0}, 2.0),
    ("odd_shape", {"width": 30, "height": 100}, 0.3),
]


@pytest.mark.parametrize(("issue", "figures", "value"), ODD)
def test_each_issue_finds_its_own_picture_alone(issue, figures, value):
    found, asked = seen(pictures(**figures)), issues(SETTINGS)
    table = found.issues(asked)
    assert table.schema == schemas.PICTURE_ISSUES
    assert {row["issue"]: row["images"] for row in table.to_pylist()} == {
        one.name: int(one.name == issue) for one in asked
    }
    told = found.pictures(asked)
    assert told.schema == schemas.PICTURES
    assert rows_of(told)[0][:4] == (issue, "odd", "plum", "test")
    assert told["value"].to_pylist() == pytest.approx([value])


def test_a_figure_at_its_threshold_is_no_issue():
    at = {"brightest": SETTINGS.dark_below, "darkest": SETTINGS.bright_above, "sharpness": SETTINGS.blurred_below}
    found = seen(pictures(**at, entropy=SETTINGS.plain_below, width=35, height=100))
    assert found.issues(issues(SETTINGS))["images"].to_pylist() == [0] * 5


def test_what_holds_for_more_than_half_is_counted_and_not_told():
    settings = ExamineSettings(dark_below=1.0)
    found, asked = seen(pictures(), settings), issues(settings)
    told = [(row["issue"], row["images"], row["told"]) for row in found.issues(asked).to_pylist() if row["images"]]
    assert told == [("dark", 11, False)]
    assert found.pictures(asked).num_rows == 0


def test_the_worst_come_first_and_the_rest_is_cut(monkeypatch):
    monkeypatch.setattr(module, "MOST_PICTURES", 2)
    settings = ExamineSettings(blurred_below=4.0, bright_above=0.5)
    rows = [reduced_row(f"p{n}", None, None, f"c{n}", [0.0], sharpness=float(n)) for n in range(9)]
    rows += [reduced_row(f"q{n}", None, None, f"d{n}", [0.0], darkest=0.6 + n / 100) for n in range(4)]
    for cut in (None, 2):
        found = seen(rows, settings, cut).pictures(issues(settings))
        assert [row[:2] for row in rows_of(found)] == [
            ("bright", "q3"), ("bright", "q2"), ("blurred", "p0"), ("blurred", "p1"),
        ]  # fmt: skip


SIDES = [(100, 100)] * 3 + [(4000, 3000)] * 2 + [(10, 20), (20, 10)]


@pytest.mark.parametrize("cut", [None, 1, 3])
def test_sizes_are_told_by_number_and_by_pixels(monkeypatch, cut):
    monkeypatch.setattr(module, "MOST_SIZES", 2)
    rows = [reduced_row(f"p{n}", "a", "train", f"c{n}", [0.0], width=w, height=h) for n, (w, h) in enumerate(SIDES)]
    found = seen(rows, cut=cut)
    assert found.common_sizes().schema == schemas.SIZES
    assert rows_of(found.common_sizes()) == [(100, 100, 3), (4000, 3000, 2)]
    facts = found.size_facts()
    assert (facts.distinct, facts.smallest, facts.median, facts.largest) == (4, (10, 20), (100, 100), (4000, 3000))


def test_labels_are_counted_by_side_and_those_without_one_too():
    named = [("a", "train"), (None, "test"), ("a", "train"), ("a", "test"), (None, None)]
    found = seen([reduced_row(f"p{n}", *one, f"c{n}", [0.0]) for n, one in enumerate(named)], cut=2)
    assert found.label_counts().schema == schemas.LABEL_COUNTS
    assert rows_of(found.label_counts()) == [
        (None, None, 1), (None, "test", 1), ("a", "test", 1), ("a", "train", 2),
    ]  # fmt: skip
    assert found.images == 5


def test_the_map_is_a_sample_by_content_and_one_component_will_do(monkeypatch):
    monkeypatch.setattr(module, "MOST_POINTS", 3)
    rows = [reduced_row(f"p{n}", "a", "train", f"{n * 7 % 9}" * 64, [float(n)]) for n in range(9)]
    found = seen(rows).map()
    assert found.schema == schemas.MAP
    assert found == seen(rows[::-1], cut=2).map()
    assert set(found["second"].to_pylist()) == {0.0}
    assert [f"p{int(first)}" for first in found["first"].to_pylist()] == found["path"].to_pylist()
    assert found["path"].to_pylist() == [f"p{n}" for n in sorted(range(9), key=lambda n: n * 7 % 9)[:3]]
