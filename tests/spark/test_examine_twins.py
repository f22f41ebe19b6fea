"""Images that look the same, and examples of what was left out, by Spark."""

from fruits_pipeline import schemas
from fruits_pipeline.examine import same_look
from fruits_pipeline.examine.facts import Twins
from fruits_pipeline.examine.left_out import left_out
from fruits_pipeline.examine.same_look import twins
from fruits_pipeline.session import tables
from fruits_pipeline.session.configured import configured
from fruits_pipeline.session.tables import spark_schema
from fruits_pipeline.state.counts import Counts
from reduced_rows import reduced_row


def frame(spark, rows, partitions=3):
    return spark.createDataFrame(rows, spark_schema(schemas.REDUCED)).repartition(partitions)


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


def test_black_and_white_pictures_are_no_pair_though_their_hashes_are(spark):
    rows = [reduced_row(f"p{n}", "a", "train", f"c{n}", [1.0], perceptual_hash=0, brightness=float(n)) for n in (0, 1)]
    assert twins(frame(spark, rows), 0.6)[1] == Twins()


def test_batches_that_cut_a_group_make_no_difference(spark):
    whole = twins(same(spark), 0.6)
    with configured(spark, {"spark.sql.execution.arrow.maxRecordsPerBatch": "1"}):
        assert twins(same(spark, 1), 0.6) == whole


def test_twins_are_cut_and_counted(spark, monkeypatch):
    monkeypatch.setattr(same_look, "MOST_TWINS", 1)
    table, facts = twins(same(spark), 0.6)
    assert (table.num_rows, facts.pairs) == (1, 4)
    assert table["path"].to_pylist() == ["a3"]


def test_more_hashes_than_the_driver_takes_give_the_same(spark, monkeypatch):
    whole = twins(same(spark), 0.6)
    monkeypatch.setattr(same_look, "_MOST_HASHES", 1)
    assert twins(same(spark), 0.6) == whole


def test_no_twins(spark):
    assert twins(same(spark).where("path = 'a1'"), 0.6) == (schemas.TWINS.empty_table(), Twins())


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
