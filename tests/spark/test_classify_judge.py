import pytest

from fruits_pipeline import schemas
from fruits_pipeline.classify.judge import confusion, duplicates, mistakes
from fruits_pipeline.session.tables import spark_schema

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
    table = confusion(predicted)
    assert table.schema == schemas.CONFUSION
    assert [tuple(row.values()) for row in table.to_pylist()] == [
        ("f", "test", "kiwi", "kiwi", 1),
        ("f", "test", "kiwi", "plum", 2),
        ("f", "test", "plum", "kiwi", 1),
        ("f", "validation", "kiwi", "plum", 1),
        ("g", "test", "kiwi", "plum", 1),
    ]


def test_mistakes_are_the_most_confident_and_ties_go_by_path(predicted):
    table = mistakes(predicted)
    assert table.schema == schemas.MISTAKES
    assert [(row["classifier"], row["path"]) for row in table.to_pylist()] == [
        ("f", "a3"),
        ("f", "a0"),
        ("f", "a2"),
        ("f", "a7"),
        ("g", "a1"),
    ]
    assert mistakes(predicted, most=1)["path"].to_pylist() == ["a3", "a7", "a1"]
    assert mistakes(predicted, most=1)["split"].to_pylist() == ["test", "validation", "test"]


@pytest.fixture
def reduced(spark):
    found = [("p3", "kiwi", "test", "x"), ("p1", "kiwi", "train", "x"), ("p2", None, "train", "y")]
    found += [("q1", "plum", "train", "z"), ("q2", "plum", "train", "z")]
    rows = [(path, path, *rest, [0.0], 0.0) for path, *rest in found]
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
