"""A user's table of labels: copied into the output, and what a result depends on of it."""

import io

import pyarrow.parquet as pq
import pytest

from fruits_pipeline import schemas
from fruits_pipeline.errors import InputError
from fruits_pipeline.reduce.labels import LabelTable, copied_labels, digest_of_labels
from fruits_pipeline.storage.table import TableSource


@pytest.fixture
def labels(tmp_path):
    def write(text, name="labels.csv"):
        (tmp_path / name).write_text(text, encoding="utf-8")
        return TableSource(f"file://{tmp_path}/{name}", flag="--labels")

    return write


@pytest.mark.parametrize(
    ("text", "rows", "has_split"),
    [
        ("id,path,label\n1,x/1.jpg,Ünlü\n2,x/2.jpg,\n", [("x/1.jpg", "Ünlü", None), ("x/2.jpg", None, None)], False),
        ("path,split,label\n1.jpg,,a\n2.jpg,test,b\n", [("1.jpg", "a", None), ("2.jpg", "b", "test")], True),
        ("path,split,label\n1.jpg,,a\n", [("1.jpg", "a", None)], False),
    ],
)
def test_a_table_is_copied_with_full_paths_and_says_whether_it_has_splits(
    store, labels, tmp_path, text, rows, has_split
):
    expected = LabelTable(f"{store.root}/_state/labels/part-00000.parquet", len(rows), has_split)
    assert copied_labels(store, labels(text)) == expected
    table = pq.read_table(io.BytesIO(store.read("_state/labels/part-00000.parquet")))
    assert table.schema == schemas.LABELS
    expected = [(f"file://{tmp_path}/{path}", label, split) for path, label, split in rows]
    assert [tuple(row.values()) for row in table.to_pylist()] == expected


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("none", "path,label\n1.jpg,\n2.jpg,\n"),
        ("no_column", "path\n1.jpg\n"),
        ("twice", "path,label\na,x\nb,y\na,x\n"),
        ("no_path", "label\nx\n"),
    ],
)
def test_a_table_that_names_no_label_or_an_image_twice_is_refused(store, labels, golden, tmp_path, name, text):
    with pytest.raises(InputError) as refused:
        copied_labels(store, labels(text))
    golden(f"labels_{name}", str(refused.value), folder=tmp_path)
    assert list(store.objects()) == []


def test_the_digest_of_a_table_follows_from_its_paths_labels_and_splits_alone(labels):
    text = "path,label,split\na,x,\nb,,test\n"
    found = digest_of_labels(labels(text))
    assert digest_of_labels(labels(text, "other.csv")) == found
    assert digest_of_labels(labels("note,split,path,label\n1,,a,x\n2,test,b,\n")) == found
    others = ["path,label,split\na,y,\nb,,test\n", "path,label,split\na,x,\nc,,test\n", "path,label\na,x\nb,\n"]
    assert len({digest_of_labels(labels(other)) for other in others} | {found}) == 4
