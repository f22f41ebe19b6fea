"""The schemas are the contract's columns, in its order, of types that every reader knows."""

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fruits_pipeline import schemas

CONTRACT = {
    "manifest": "path, source_path, length, modified, label, split, skip_reason",
    "features": "path, content_sha256, width, height, " + ", ".join(schemas.FIGURES.names) + ", features",
    "rejects": "path, length, reason, detail",
    "reduced": "path, source_path, label, split, content_sha256, width, height, "
    + ", ".join(schemas.FIGURES.names)
    + ", pca_features, residual",
    "predictions": "path, source_path, label, split, classifier, prediction, confidence",
}
PLAIN = {
    pa.string(), pa.binary(), pa.int32(), pa.int64(), pa.float64(), pa.float32(), pa.bool_(), pa.list_(pa.float32()),
    pa.timestamp("us", tz="UTC"),
}  # fmt: skip


@pytest.mark.parametrize("name", CONTRACT)
def test_a_dataset_has_the_columns_of_the_contract_in_their_order(name):
    assert ", ".join(schemas.ALL[name].names) == CONTRACT[name]


@pytest.mark.parametrize("name", schemas.ALL)
def test_a_schema_is_of_plain_types_and_survives_parquet_and_pandas(name, tmp_path):
    schema = schemas.ALL[name]
    assert set(schema.types) <= PLAIN
    assert len(set(schema.names)) == len(schema.names)
    pq.write_table(schema.empty_table(), tmp_path / "x.parquet")
    assert schemas.differences(pq.read_schema(tmp_path / "x.parquet"), schema) == []
    assert list(pd.read_parquet(tmp_path / "x.parquet").columns) == schema.names


def test_all_datasets_of_the_module_are_walked():
    # a user's table, more columns of ``predictions``, and columns of several datasets
    others = (schemas.LABELS, schemas.SCORED, schemas.FIGURES)
    every = [value for value in vars(schemas).values() if isinstance(value, pa.Schema)]
    there = [value for value in every if not any(value is other for other in others)]
    assert len(there) == len(every) - 3
    assert {id(one) for one in there} == {id(one) for one in schemas.ALL.values()}
    assert all(any(value is one for one in schemas.ALL.values()) for value in there)


@pytest.mark.parametrize("schema", schemas.ALL.values(), ids=schemas.ALL)
def test_every_missing_and_every_mistyped_column_is_told_at_once(schema):
    first, *rest = schema
    wrong = pa.schema([(first.name, pa.binary()), ("extra", pa.int8())])
    told = schemas.differences(wrong, schema)
    assert told[0] == f"column {first.name!r} is binary, expected {first.type}"
    assert told[1:] == [f"column {field.name!r} is missing, expected {field.type}" for field in rest]


def test_order_extra_columns_and_the_name_of_a_lists_element_are_no_fault():
    found = pa.schema([*reversed(schemas.REDUCED), ("extra", pa.int8())])
    place = found.get_field_index("pca_features")
    for element in (pa.field("element", pa.float32()), pa.field("x", pa.float32(), nullable=False)):
        assert schemas.differences(found.set(place, pa.field("pca_features", pa.list_(element))), schemas.REDUCED) == []


def test_another_type_of_a_lists_element_is_a_fault():
    found = schemas.REDUCED.set(
        schemas.REDUCED.get_field_index("pca_features"), pa.field("pca_features", pa.list_(pa.float64()))
    )
    assert len(schemas.differences(found, schemas.REDUCED)) == 1
