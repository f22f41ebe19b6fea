"""The commonest confusions, each with its share and the surest picture."""

import pyarrow as pa
import pytest

from fruits_pipeline import schemas
from fruits_pipeline.classify import confused as module
from fruits_pipeline.classify.confused import confused
from fruits_pipeline.classify.intervals import wilson

CONFUSION = [
    ("f", "test", "fig", "kiwi", 3),
    ("f", "test", "kiwi", "kiwi", 90),
    ("f", "test", "kiwi", "plum", 3),
    ("f", "test", "kiwi", "fig", 7),
    ("f", "validation", "kiwi", "plum", 1),
    ("g", "test", "kiwi", "kiwi", 100),
]
WRONG = [
    ("f", "test", "b", "kiwi", "plum", 0.5),
    ("f", "test", "a", "kiwi", "plum", 0.9),
    ("f", "test", "c", "kiwi", "fig", 0.4),
    ("f", "test", "d", "fig", "kiwi", 0.4),
    ("f", "validation", "e", "kiwi", "plum", 0.3),
]


def table(rows, schema):
    return pa.Table.from_pylist([dict(zip(schema.names, row, strict=True)) for row in rows], schema=schema)


def found():
    return confused(table(CONFUSION, schemas.CONFUSION), table(WRONG, schemas.MISTAKES))


def test_the_commonest_come_first_then_those_of_the_rarer_label():
    assert found().schema == schemas.CONFUSED
    told = [(row["split"], row["label"], row["prediction"], row["images"], row["path"]) for row in found().to_pylist()]
    assert told == [
        ("test", "kiwi", "fig", 7, "c"),
        ("test", "fig", "kiwi", 3, "d"),
        ("test", "kiwi", "plum", 3, "a"),
        ("validation", "kiwi", "plum", 1, "e"),
    ]


def test_a_share_is_of_the_label_and_has_wilsons_interval():
    first = found().to_pylist()[0]
    assert first["share"] == pytest.approx(0.07)
    assert (first["share_low"], first["share_high"]) == wilson(7, 100)


def test_each_side_is_cut(monkeypatch):
    monkeypatch.setattr(module, "MOST_PAIRS", 1)
    assert [row["split"] for row in found().to_pylist()] == ["test", "validation"]


def test_no_mistake_is_an_empty_table():
    right = table(CONFUSION[-1:], schemas.CONFUSION)
    assert confused(right, schemas.MISTAKES.empty_table()).num_rows == 0
