import csv
import json

import numpy as np
import pytest

from fruits_pipeline import schemas
from fruits_pipeline.reduce.export import export
from fruits_pipeline.reduce.variance import variance_table
from fruits_pipeline.session.tables import spark_schema
from reduced_rows import reduced_row

ROWS = [
    reduced_row('file:///a, "b"\nc/é 果.jpg', " Kiwi, gold ", "train", "sha", [0.5, -1.25], 0.1),
    reduced_row("file:///a/#x\\y.jpg", None, "test", "sha", [2.0, 1e-7], 0.1),
    reduced_row('file:///a/"q".jpg', "it's", None, "sha", [0.0, 3.0], 0.1),
]


@pytest.fixture
def reduced(spark):
    return spark.createDataFrame(ROWS, spark_schema(schemas.REDUCED))


def parts(folder, ending):
    return sorted(folder.glob(f"part-*.{ending}"))


def test_json_lines_hold_every_key_and_value(reduced, tmp_path):
    export(reduced, f"file://{tmp_path}/out", "json")
    lines = [
        json.loads(line) for part in parts(tmp_path / "out", "json") for line in part.read_text("utf-8").splitlines()
    ]
    found = {line["path"]: line for line in lines}
    assert [list(line) for line in lines] == [["path", "source_path", "label", "split", "pca_features"]] * 3
    for path, source_path, label, split, *_, values, _ in ROWS:
        assert [found[path][name] for name in ("source_path", "label", "split")] == [source_path, label, split]
        assert found[path]["pca_features"] == pytest.approx(values)


def test_csv_is_read_by_another_reader_odd_names_and_all(reduced, tmp_path):
    export(reduced, f"file://{tmp_path}/out", "csv")
    found = {}
    for part in parts(tmp_path / "out", "csv"):
        with part.open(encoding="utf-8", newline="") as lines:
            header, *rows = csv.reader(lines)
        assert header == ["path", "source_path", "label", "split", "pc_1", "pc_2"]
        found |= {row[0]: row for row in rows}
    for path, source_path, label, split, *_, values, _ in ROWS:
        assert found[path][1:4] == [source_path, label or "", split or ""]
        assert [float(value) for value in found[path][4:]] == pytest.approx(values)


def test_variance_table_counts_from_one_and_never_passes_one():
    table = variance_table(np.array([0.7, 0.2, 0.1 + 1e-12]))
    assert table.schema == schemas.VARIANCE
    assert table["component"].to_pylist() == [1, 2, 3]
    assert table["cumulative_ratio"].to_pylist() == pytest.approx([0.7, 0.9, 1.0])
    assert max(table["cumulative_ratio"].to_pylist()) <= 1
