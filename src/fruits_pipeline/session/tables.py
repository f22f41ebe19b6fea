"""Doors of the rooms: a DataFrame conforms to its schema, is read, and is written as plain Parquet."""

import io
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.ml import PipelineModel
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.pandas.types import from_arrow_schema, to_arrow_schema
from pyspark.sql.types import StructType

from fruits_pipeline import schemas
from fruits_pipeline.errors import DatasetError
from fruits_pipeline.state.layout import ONLY_FILE
from fruits_pipeline.storage.store import Store

# zstd without dictionaries: a fifth smaller and faster than Spark's default for arrays of floats.
_PARQUET = {"compression": "zstd", "parquet.enable.dictionary": "false"}


def spark_schema(schema: pa.Schema) -> StructType:
    """Spark's spelling of a pyarrow schema."""
    return from_arrow_schema(schema)


def rows_of(spark: SparkSession, table: pa.Table) -> DataFrame:
    """A table of the driver as a DataFrame.

    By plain rows, because Spark's way through Arrow cuts it into batches as small as those of images: 20,000 paths
    then took ten times as long.
    """
    rows = zip(*(column.to_pylist() for column in table.columns), strict=True)
    return spark.createDataFrame(list(rows), spark_schema(table.schema), verifySchema=False)


def conform(df: DataFrame, schema: pa.Schema, what: str) -> DataFrame:
    """``df`` with exactly the columns of ``schema``, in its order.

    Raises:
        DatasetError: When columns are missing or of another type; it lists every difference.
    """
    faults = schemas.differences(to_arrow_schema(df.schema), schema)
    if faults:
        raise DatasetError(f"{what} is not what it should be: " + "; ".join(faults))
    return df.select(*schema.names)


def read(spark: SparkSession, uri: Any, schema: pa.Schema, what: str) -> DataFrame:
    """The Parquet dataset at ``uri`` (one address or a list), conforming to ``schema``."""
    uris = [uri] if isinstance(uri, str) else list(uri)
    return conform(spark.read.parquet(*uris), schema, what)


def write(df: DataFrame, uri: str, schema: pa.Schema, what: str) -> None:
    """Writes ``df`` as plain Parquet of ``schema`` into the folder ``uri``, which its room has cleared."""
    conform(df, schema, what).write.options(**_PARQUET).mode("append").parquet(uri)


def save_model(store: Store, model: PipelineModel, folder: str) -> None:
    """Saves ``model`` into ``folder``, which its room has cleared.

    Raises:
        DatasetError: When somebody else's file lies there.
    """
    found = next(store.objects(folder), None)
    if found is not None:
        raise DatasetError(
            f"expected nothing in {store.root}/{folder}, found {found.key!r}, which no marker names; move it away, "
            "then start the same command again"
        )
    # Empty folders stay visible in a bucket after their last object: Spark would take one for a model.
    model.write().overwrite().save(f"{store.root}/{folder}")


def write_small(store: Store, table: pa.Table, folder: str, schema: pa.Schema) -> None:
    """Writes a small table of ``schema`` as the only Parquet file of ``folder``.

    Raises:
        DatasetError: When the table does not conform.
    """
    faults = schemas.differences(table.schema, schema)
    if faults:
        raise DatasetError(f"{folder} is not what it should be: " + "; ".join(faults))
    sink = io.BytesIO()
    pq.write_table(table.select(schema.names), sink, compression="zstd")
    store.write(f"{folder}/{ONLY_FILE}", sink.getvalue())


def read_small(store: Store, folder: str, schema: pa.Schema) -> pa.Table:
    """What ``write_small`` wrote."""
    return pq.read_table(pa.BufferReader(store.read(f"{folder}/{ONLY_FILE}")), schema=schema)
