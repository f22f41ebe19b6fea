import pytest

from fruits_pipeline import schemas
from fruits_pipeline.classify.evaluate import COUNTED, confusion_of
from fruits_pipeline.classify.judge import WRONG, counted, duplicates, wrong
from fruits_pipeline.session.tables import spark_schema
from reduced_rows import reduced_row

ROWS = [
    ("a1", "kiwi", "test", "f", "kiwi", 0.9),
    ("a2", "kiwi", "test", "f", "plum", 0.5),
    ("a3", "kiwi", "test", "f", "plum", 0.8),
    ("a0", "plum", "test", "f", "kiwi", 0.5),
    ("a4", None, "test", "f", "plum", 1.0),
    ("a5", "kiwi", "train", "f", "plum", 1.0),
    ("a6", "kiwi", None, "f", "plum", 1.0),
    ("a7", "kiwi", "validation", "f", "plum", 0.6),
    ("a8", None, "validation", "f", "plum", 0.6),
    ("a1", "kiwi", "test", "g", "plum", 0.7),
]


@pytest.fixture
def predicted(spark):
    return spark.createDataFrame([(path, path, *rest) for path, *rest in ROWS], spark_schema(schemas.PREDICTIONS))


def test_only_labelled_test_and_validation_images_are_counted(predicted):
    table = confusion_of(counted(predicted))
    assert [tuple(row.values()) for row in table.to_pylist()] == [
        ("f", "test", "kiwi", "kiwi", 1),
        ("f", "test", "kiwi", "plum", 2),
        ("f", "test", "plum", "kiwi", 1),
        ("f", "validation", "kiwi", "plum", 1),
        ("g", "test", "kiwi", "plum", 1),
    ]


def test_images_are_counted_by_how_they_look_and_by_whether_they_leak(spark, predicted):
    looks = spark.createDataFrame(
        [("a1", 7), ("a2", 7), ("a3", 9), ("a0", -1), ("a7", 7)], "path string, perceptual_hash long"
    )
    leaked = spark.createDataFrame([("a2",), ("a5",)], "path string")
    table = counted(predicted, looks, leaked)
    assert table.schema == COUNTED
    assert [tuple(row.values()) for row in table.to_pylist()] == [
        ("f", "test", "kiwi", "kiwi", 7, False, 1),
        ("f", "test", "kiwi", "plum", 7, True, 1),
        ("f", "test", "kiwi", "plum", 9, False, 1),
        ("f", "test", "plum", "kiwi", -1, False, 1),
        ("f", "validation", "kiwi", "plum", 7, False, 1),
        ("g", "test", "kiwi", "plum", 7, False, 1),
    ]


def test_mistakes_are_the_most_confident_and_ties_go_by_path(predicted):
    table = wrong(predicted)
    assert table.schema == WRONG
    assert [(row["classifier"], row["path"], row["place"]) for row in table.to_pylist()] == [
        ("f", "a3", 1),
        ("f", "a0", 2),
        ("f", "a2", 3),
        ("f", "a7", 1),
        ("g", "a1", 1),
    ]


def test_each_pair_of_labels_has_its_surest_mistake_beyond_those_that_are_told(predicted):
    found = [(row["split"], row["path"], row["place"]) for row in wrong(predicted, most=1).to_pylist()]
    assert found == [("test", "a3", 1), ("test", "a0", None), ("validation", "a7", 1), ("test", "a1", 1)]


@pytest.fixture
def reduced(spark):
    found = [("p3", "kiwi", "test", "x"), ("p1", "kiwi", "train", "x"), ("p2", None, "train", "y")]
    found += [("q1", "plum", "train", "z"), ("q2", "plum", "train", "z")]
    rows = [reduced_row(*row, [0.0]) for row in found]
    return spark.createDataFrame(rows, spark_schema(schemas.REDUCED))


def test_duplicates_are_all_images_with_bytes_of_another(reduced):
    found = duplicates(reduced)
    assert (found.images, found.across_splits) == (4, 1)
    assert found.table.schema == schemas.DUPLICATES
    assert [tuple(row.values()) for row in found.table.to_pylist()] == [
        ("x", "train", "kiwi", "p1"),
        ("x", "test", "kiwi", "p3"),
        ("z", "train", "plum", "q1"),
        ("z", "train", "plum", "q2"),
    ]


def test_a_cut_table_of_duplicates_is_told(reduced, caplog):
    found = duplicates(reduced, most=3)
    assert (found.images, found.table.num_rows) == (4, 3)
    assert "duplicates=4 images, of which evaluation/duplicates has the first 3" in caplog.text


def test_no_duplicates(reduced):
    found = duplicates(reduced.where("path = 'p2'"))
    assert (found.images, found.across_splits, found.table.num_rows) == (0, 0, 0)
