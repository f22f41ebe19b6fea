"""Trained models as one small Parquet file each, below ``models/portable``: plain arrays and text, no code.

pandas and pyarrow read them too. One row for each array: its name, its shape, and its numbers in C order.
"""

import hashlib
import io
from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from fruits_pipeline.errors import DatasetError
from fruits_pipeline.state.layout import portable_file
from fruits_pipeline.storage.store import Store

ARRAYS = pa.schema([("name", pa.string()), ("shape", pa.list_(pa.int64())), ("values", pa.list_(pa.float64()))])

Arrays = Mapping[str, NDArray[np.generic]]


def save(store: Store, name: str, content: bytes) -> str:
    """Writes the only file of what is trained, and gives its SHA-256."""
    store.write(portable_file(name), content)
    return hashlib.sha256(content).hexdigest()


def save_arrays(store: Store, name: str, arrays: Arrays, facts: Mapping[str, str]) -> str:
    """Writes ``arrays``, whose numbers a double holds exactly, and ``facts`` as metadata; gives the file's SHA-256."""
    rows = [
        {"name": key, "shape": array.shape, "values": array.ravel().astype(np.float64)} for key, array in arrays.items()
    ]
    return save(store, name, packed(pa.Table.from_pylist(rows, ARRAYS), facts))


def loaded_arrays(content: bytes) -> tuple[dict[str, NDArray[np.float64]], dict[str, str]]:
    """The arrays and the facts of a file's content.

    Raises:
        DatasetError: When it is no such file.
    """
    table = read(content)
    arrays = {
        name: numbers(values.values).reshape(shape.as_py())
        for name, shape, values in zip(table["name"].to_pylist(), table["shape"], table["values"], strict=True)
    }
    facts = {key.decode(): value.decode() for key, value in (table.schema.metadata or {}).items()}
    return arrays, facts


def numbers(column: pa.DoubleArray | pa.FloatArray) -> NDArray[np.float64]:
    """The numbers of a column that has no gaps; pyarrow's own ``to_numpy`` imports pandas, which takes half a second.

    >>> numbers(pa.array([1.0, 2.0, 3.0])[1:]).tolist()
    [2.0, 3.0]
    """
    kind = np.float64 if pa.types.is_float64(column.type) else np.float32
    whole = np.frombuffer(column.buffers()[1] or b"", kind)[column.offset : column.offset + len(column)]
    return whole.astype(np.float64)


def packed(table: pa.Table, facts: Mapping[str, str]) -> bytes:
    """The content of a file: a small table, with ``facts`` as its metadata."""
    sink = io.BytesIO()
    pq.write_table(table.replace_schema_metadata(dict(facts)), sink, compression="zstd")
    return sink.getvalue()


def read(content: bytes) -> pa.Table:
    """The table of a file's content.

    Raises:
        DatasetError: When it is no Parquet.
    """
    try:
        with pq.ParquetFile(pa.BufferReader(content)) as file:
            return file.read(use_threads=False)
    except (pa.ArrowException, OSError) as error:
        raise DatasetError(f"expected Parquet of a trained model, found {str(error).splitlines()[0]}") from error
