"""Length and time of a table's images, where the table does not tell them: a replaced image must not go unnoticed.

One listing of the folder that holds them costs a request for a thousand images. Where a table names few of a large
folder's images, the listing ends early, and the others are looked at one by one, many at a time.
"""

import logging
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from fruits_pipeline.errors import InputError, StorageError
from fruits_pipeline.ingest.runs import in_order, sorted_runs
from fruits_pipeline.schemas import MANIFEST
from fruits_pipeline.storage import uri
from fruits_pipeline.storage.opening import open_store
from fruits_pipeline.storage.source import Source
from fruits_pipeline.storage.store import Found, Store
from fruits_pipeline.storage.table import TableSource

log = logging.getLogger(__name__)

# Objects to list for each image of the table, before the others are looked at one by one.
_LISTED_PER_IMAGE = 20
_LISTED_AT_LEAST = 10_000
_THREADS = 32
_BATCH_ROWS = 32_768
# What marks rows of the listing, in the column that the runs of manifests have for their wave.
_LISTED = "listed"


def described(source: TableSource) -> Iterator[pa.Table]:
    """The table's rows with columns ``path, source_path, length, modified, label, split``.

    Length and time are as the table has them where nobody knows.

    Raises:
        InputError: When the table cannot be read.
        StorageError: When storage does not answer, so that an outage is not taken for images that changed.
    """
    unknown = sum(pc.sum(_unknown(table)).as_py() or 0 for table in source.tables())
    if not unknown:
        yield from source.tables()
        return
    store = open_store(source.root, source.storage)
    with tempfile.TemporaryDirectory(prefix="fruits-table-") as name:
        rows = sorted_runs(map(_padded, source.tables()), Path(name))
        most = _LISTED_AT_LEAST + _LISTED_PER_IMAGE * unknown
        folder = Path(name) / _LISTED
        folder.mkdir()
        known = sorted_runs(_listed(source, most), folder)
        for window in in_order([*rows, *known]):
            yield _looked_at(store, source.root, _joined(window))


def _unknown(table: pa.Table) -> pa.ChunkedArray:
    """Where length or time are to be looked up: a length of 0 may be that of something else than the file."""
    no_length = pc.fill_null(pc.less_equal(table["length"], 0), fill_value=True)
    return pc.or_(no_length, pc.is_null(table["modified"]))


def _padded(table: pa.Table) -> pa.Table:
    return table.append_column("skip_reason", pa.nulls(len(table), pa.string())).select(MANIFEST.names)


def _listed(source: TableSource, most: int) -> Iterator[pa.Table]:
    """Rows of the first objects below the table's root, marked as such; none where it may not be listed."""
    objects = islice(Source(source.root, "", source.storage).objects(), most)
    try:
        while part := list(islice(objects, _BATCH_ROWS)):
            yield _rows(source.root, part)
    except (InputError, StorageError) as error:
        log.info("images of %s are looked at one by one because %s", source, error)


def _rows(root: str, part: Iterable[Found]) -> pa.Table:
    rows = [
        {"path": uri.join(root, found.key), "length": found.length, "modified": found.modified, "skip_reason": _LISTED}
        for found in part
    ]
    return pa.Table.from_pylist(rows, schema=MANIFEST)


def _joined(window: pa.Table) -> pa.Table:
    """The table's rows of the window, with length and time of the listing where the table lacks one of them."""
    is_listed = pc.fill_null(pc.equal(window["skip_reason"], _LISTED), fill_value=False)
    rows, found = window.filter(pc.invert(is_listed)), window.filter(is_listed)
    there = found.take(pc.index_in(rows["path"], value_set=found["path"]))
    unknown = _unknown(rows)
    for name in ("length", "modified"):
        values = pc.if_else(unknown, pc.coalesce(there[name], rows[name]), rows[name])
        rows = rows.set_column(rows.schema.get_field_index(name), MANIFEST.field(name), values)
    return rows


def _looked_at(store: Store, root: str, rows: pa.Table) -> pa.Table:
    """The rows, those that are still unknown looked at one by one; what cannot be seen stays as the table says."""
    places = [place for place, unknown in enumerate(_unknown(rows).to_pylist()) if unknown]
    if not places:
        return rows
    with ThreadPoolExecutor(_THREADS, thread_name_prefix="look") as pool:
        keys = [uri.below(rows["path"][place].as_py(), root) or "" for place in places]
        found = dict(zip(places, pool.map(lambda key: _stat(store, key), keys), strict=True))
    columns = {name: rows[name].to_pylist() for name in ("length", "modified")}
    for place, one in found.items():
        if one:
            columns["length"][place], columns["modified"][place] = one.length, one.modified
    for name, values in columns.items():
        rows = rows.set_column(
            rows.schema.get_field_index(name), MANIFEST.field(name), pa.array(values, MANIFEST.field(name).type)
        )
    return rows


def _stat(store: Store, key: str) -> Found | None:
    """The object; None where there is none, or where it may not be looked at."""
    try:
        return store.stat(key)
    except StorageError as error:
        if error.is_denied:
            return None
        raise
