"""The look at the images: poor pictures, sizes, labels, twins, a map, and what was left out."""

import pytest

from fruits_pipeline import schemas
from fruits_pipeline.examine import counts as counts_module
from fruits_pipeline.examine import pictures as pictures_module
from fruits_pipeline.examine import same_look
from fruits_pipeline.examine.counts import label_counts, left_out, sizes
from fruits_pipeline.examine.facts import Twins
from fruits_pipeline.examine.pictures import counted, issues, worst
from fruits_pipeline.examine.same_look import twins
from fruits_pipeline.examine.sample_map import sample_map
from fruits_pipeline.session import tables
from fruits_pipeline.session.tables import spark_schema
from fruits_pipeline.settings.examine import ExamineSettings
from fruits_pipeline.state.counts import Counts
from reduced_rows import reduced_row

SETTINGS = ExamineSettings()


def frame(spark, rows, partitions=3):
    return spark.createDataFrame(rows, spark_schema(schemas.REDUCED)).repartition(partitions)


def pictures(spark, **figures):
    """Ten usual pictures ``p0`` to ``p9``, and ``odd`` with these figures."""
    rows = [reduced_row(f"p{n}", "kiwi", "train", f"c{n}", [0.0]) for n in range(10)]
    return frame(spark, [*rows, reduced_row("odd", "plum", "test", "odd", [0.0], **figures)])


ODD = [
    ("dark", {"brightest": 0.3}, 0.3),
    ("bright", {"darkest": 0.96}, 0.96),
    ("nearly_empty", {"entropy": 1.5}, 1.5),
    ("blurred", {"sharpness": 2.0}, 2.0),
    ("odd_shape", {"width": 30, "height": 100}, 0.3),
]


@pytest.mark.parametrize(("issue", "figures", "value"), ODD)
def test_each_issue_finds_its_own_picture_alone(spark, issue, figures, value):
    rows = pictures(spark, **figures)
    asked = issues(SETTINGS)
    found = counted(rows, asked)
    assert found.schema == schemas.PICTURE_ISSUES
    assert {row["issue"]: row["images"] for row in found.to_pylist()} == {
        one.name: int(one.name == issue) for one in asked
    }
    told = worst(rows, asked, found)
    assert told.schema == schemas.PICTURES
    assert [(row["issue"], row["path"], row["label"], row["split"]) for row in told.to_pylist()] == [
        (issue, "odd", "plum", "test")
    ]
    assert told["value"].to_pylist() == pytest.approx([value])


def test_a_figure_at_its_threshold_is_no_issue(spark):
    at = {"brightest": SETTINGS.dark_below, "darkest": SETTINGS.bright_above, "sharpness": SETTINGS.blurred_below}
    found = counted(pictures(spark, **at, entropy=SETTINGS.plain_below, width=35, height=100), issues(SETTINGS))
    assert found["images"].to_pylist() == [0] * 5


def test_what_holds_for_more_than_half_is_counted_and_not_told(spark):
    rows = pictures(spark)
    asked = issues(ExamineSettings(dark_below=1.0))
    found = counted(rows, asked)
    assert [(row["issue"], row["told"]) for row in found.to_pylist() if row["images"]] == [("dark", False)]
    assert worst(rows, asked, found).num_rows == 0


def test_the_worst_come_first_and_the_rest_is_cut(spark, monkeypatch):
    monkeypatch.setattr(pictures_module, "MOST_PICTURES", 2)
    rows = [reduced_row(f"p{n}", None, None, f"c{n}", [0.0], sharpness=float(n)) for n in range(9)]
    asked = issues(ExamineSettings(blurred_below=4.0))
    found = counted(frame(spark, rows), asked)
    assert worst(frame(spark, rows), asked, found)["path"].to_pylist() == ["p0", "p1"]


def test_sizes_are_told_by_number_and_by_pixels(spark, monkeypatch):
    monkeypatch.setattr(counts_module, "MOST_SIZES", 2)
    sides = [(100, 100)] * 3 + [(4000, 3000)] * 2 + [(10, 20), (20, 10)]
    rows = [reduced_row(f"p{n}", "a", "train", f"c{n}", [0.0], width=w, height=h) for n, (w, h) in enumerate(sides)]
    table, facts = sizes(frame(spark, rows))
    assert table.schema == schemas.SIZES
    assert [tuple(row.values()) for row in table.to_pylist()] == [(100, 100, 3), (4000, 3000, 2)]
    assert (facts.distinct, facts.smallest, facts.median, facts.largest) == (4, (10, 20), (100, 100), (4000, 3000))


def test_labels_are_counted_by_side_and_those_without_one_too(spark):
    named = [("a", "train"), ("a", "train"), ("a", "test"), (None, None)]
    rows = [reduced_row(f"p{n}", *one, f"c{n}", [0.0]) for n, one in enumerate(named)]
    table = label_counts(frame(spark, rows))
    assert table.schema == schemas.LABEL_COUNTS
    found = {(row["label"], row["split"]): row["images"] for row in table.to_pylist()}
    assert found == {("a", "train"): 2, ("a", "test"): 1, (None, None): 1}


SAME = [
    ("a1", "kiwi", "train", "x", [1.0, 0.0], 5),
    ("a2", "kiwi", "train", "x", [1.0, 0.0], 5),
    ("a3", "plum", "train", "y", [1.0, 0.1], 5),
    ("a4", "kiwi", "test", "z", [1.0, 0.2], 5),
    ("a5", "kiwi", "train", "v", [-1.0, 0.0], 5),
    ("b1", "fig", "train", "b1", [1.0, 0.0], 6),
    ("c1", "fig", "train", "c1", [1.0, 0.0], -7),
    ("c2", None, None, "c2", [1.0, 0.0], -7),
]


def same(spark, partitions=3):
    return frame(spark, [reduced_row(*row[:5], perceptual_hash=row[5]) for row in SAME], partitions)


def test_images_of_one_hash_are_paired_with_the_first_where_their_components_agree(spark):
    table, facts = twins(same(spark), 0.6)
    assert table.schema == schemas.TWINS
    found = [(row["path"], row["twin_path"], row["same_content"]) for row in table.to_pylist()]
    assert found == [("a3", "a1", False), ("a4", "a1", False), ("a2", "a1", True), ("c2", "c1", False)]
    assert facts == Twins(pairs=4, same_content=1, across_sides=1, two_labels=1)


def test_batches_that_cut_a_group_make_no_difference(spark):
    whole = twins(same(spark), 0.6)
    before = spark.conf.get("spark.sql.execution.arrow.maxRecordsPerBatch")
    spark.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", "1")
    try:
        assert twins(same(spark, 1), 0.6) == whole
    finally:
        spark.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", before)


def test_twins_are_cut_and_counted(spark, monkeypatch):
    monkeypatch.setattr(same_look, "MOST_TWINS", 1)
    table, facts = twins(same(spark), 0.6)
    assert (table.num_rows, facts.pairs) == (1, 4)
    assert table["path"].to_pylist() == ["a3"]


def test_no_twins(spark):
    assert twins(same(spark).where("path = 'a1'"), 0.6) == (schemas.TWINS.empty_table(), Twins())


def test_the_map_is_a_sample_by_content_and_one_component_will_do(spark, monkeypatch):
    monkeypatch.setattr("fruits_pipeline.examine.sample_map.MOST_POINTS", 3)
    rows = [reduced_row(f"p{n}", "a", "train", f"c{n}", [float(n)]) for n in range(9)]
    found = sample_map(frame(spark, rows))
    assert found.schema == schemas.MAP
    assert found.num_rows == 3
    assert found == sample_map(frame(spark, rows, 7))
    assert set(found["second"].to_pylist()) == {0.0}
    assert [f"p{int(first)}" for first in found["first"].to_pylist()] == found["path"].to_pylist()


class Snapshot:
    """What ``left_out`` asks of a snapshot."""

    def __init__(self, folder, counts):
        self.counts, self._folder = counts, folder

    def files(self, dataset):
        return [f"file://{self._folder}/{dataset}"]


def test_examples_of_what_was_left_out_are_told_with_the_number_of_all(spark, tmp_path):
    rejects = [(f"r{n}", 10, "truncated", "JPEG: ends") for n in range(7)] + [("r9", 0, "empty", "0 bytes")]
    tables.write(
        spark.createDataFrame(rejects, spark_schema(schemas.REJECTS)), f"{tmp_path}/rejects", schemas.REJECTS, ""
    )
    seen = [("notes.txt", "notes.txt", 3, None, None, None, "not_an_image_name"), ("a", "a", 3, None, None, None, None)]
    tables.write(
        spark.createDataFrame(seen, spark_schema(schemas.MANIFEST)), f"{tmp_path}/manifest", schemas.MANIFEST, ""
    )
    found = left_out(spark, Snapshot(tmp_path, Counts(found=9, rejected=8, skipped=1)))
    assert found.schema == schemas.LEFT_OUT
    told = [(row["kind"], row["reason"], row["images"], row["path"]) for row in found.to_pylist()]
    assert told[:5] == [("rejected", "truncated", 7, f"r{n}") for n in range(5)]
    assert told[5:] == [("rejected", "empty", 1, "r9"), ("skipped", "not_an_image_name", 1, "notes.txt")]
    assert found["detail"].to_pylist()[-2:] == ["0 bytes", None]


def test_where_nothing_was_left_out_nothing_is_read(spark, tmp_path):
    assert left_out(spark, Snapshot(tmp_path / "nowhere", Counts(found=1, read=1))).num_rows == 0
