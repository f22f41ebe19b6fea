"""Doors of the rooms: a DataFrame conforms to its schema, is read, and is written as plain Parquet."""

import io
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from pyspark.errors import AnalysisException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.pandas.types import from_arrow_schema, to_arrow_schema
from pyspark.sql.types import StructType

from fruits_pipeline import schemas
from fruits_pipeline.errors import DatasetError
from fruits_pipeline.state.files import is_data
from fruits_pipeline.state.layout import ONLY_FILE
from fruits_pipeline.storage.store import Store

if TYPE_CHECKING:  # because workers load this too, and Spark ML takes them more than half a second
    from pyspark.ml import PipelineModel

_GLOB = re.compile(r"([{}\[\]*?\\])")
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


def as_matrix(column: pa.ListArray) -> NDArray[np.float32]:
    """The lists of D numbers each as float32 (N, D), without a copy.

    >>> as_matrix(pa.array([[1, 2], [3, 4]], pa.list_(pa.float32()))).tolist()
    [[1.0, 2.0], [3.0, 4.0]]
    """
    values: NDArray[np.float32] = column.flatten().to_numpy()
    return values.reshape(len(column), -1)


def conform(df: DataFrame, schema: pa.Schema, what: str) -> DataFrame:
    """``df`` with exactly the columns of ``schema``, in its order.

    Raises:
        DatasetError: When columns are missing or of another type; it lists every difference.
    """
    faults = schemas.differences(to_arrow_schema(df.schema), schema)
    if faults:
        raise DatasetError(f"{what} is not what it should be: " + "; ".join(faults))
    return df.select(*schema.names)


def read(spark: SparkSession, files: str | Iterable[str], schema: pa.Schema, what: str) -> DataFrame:
    """The rows of exactly these Parquet files, conforming to ``schema``; none of no file.

    Raises:
        DatasetError: When a file is not there, or is not what it should be.
    """
    named = [escaped(file) for file in ([files] if isinstance(files, str) else files)]
    if not named:
        return rows_of(spark, schema.empty_table())
    try:
        return conform(spark.read.parquet(*named), schema, what)
    except AnalysisException as error:
        if "PATH_NOT_FOUND" not in str(error):
            raise
        raise DatasetError(
            f"expected all files of {what} that the last run wrote, found {_first_line(error)}; 'verify' names all "
            "that "
            "are gone, 'extract' computes them again"
        ) from error


def read_whole(spark: SparkSession, files: list[str], rows: int, schema: pa.Schema, what: str) -> DataFrame:
    """As ``read``, of files that together have ``rows`` rows.

    Raises:
        DatasetError: When they have others.
    """
    found = read(spark, files, schema, what)
    if (count := found.count()) != rows:
        raise DatasetError(
            f"expected {rows} rows in {what} as when it was written, found {count}; 'verify' names what is wrong, or "
            "delete its files: then the command that makes it does so again"
        )
    return found


def read_written(spark: SparkSession, store: Store, folder: str, schema: pa.Schema) -> DataFrame:
    """The rows of the Parquet files of a folder that is being written, conforming to ``schema``."""
    keys = [found.key for found in store.objects(folder) if is_data(found.key)]
    return read(spark, [f"{store.root}/{key}" for key in keys], schema, folder)


def escaped(path: str) -> str:
    r"""``path`` as a Hadoop glob that matches nothing but itself.

    >>> escaped("file:///a/x[1].jpg")
    'file:///a/x\\[1\\].jpg'
    """
    return _GLOB.sub(r"\\\1", path)


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]


def write(df: DataFrame, uri: str, schema: pa.Schema, what: str) -> None:
    """Writes ``df`` as plain Parquet of ``schema`` into the folder ``uri``, which its room has cleared."""
    conform(df, schema, what).write.options(**_PARQUET).mode("append").parquet(uri)


def save_model(store: Store, model: "PipelineModel", folder: str) -> None:
    """Saves ``model`` into ``folder``, which its room has cleared.

    Raises:
        DatasetError: When somebody else's file lies there.
    """
    found = next(store.objects(folder), None)
    if found is not None:
        raise DatasetError(
            f"expected nothing in {store.root}/{folder}, found {found.key!r}, which fruits-pipeline did not write; "
            "move it away, "
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
