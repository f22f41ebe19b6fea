"""What the page is made from: the tables of ``evaluation/``, the facts of the rooms, the plan and ``run.json``."""

import io
import logging
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pydantic import BaseModel, JsonValue

from fruits_pipeline import schemas
from fruits_pipeline.errors import DatasetError
from fruits_pipeline.report.facts import Classified, Examined, Reduced
from fruits_pipeline.settings.storage import StorageSettings
from fruits_pipeline.state.layout import EVALUATION, RoomName
from fruits_pipeline.state.room_marker import RoomMarker
from fruits_pipeline.state.rooms import Rooms
from fruits_pipeline.state.snapshot import Snapshot, load_snapshot
from fruits_pipeline.storage.opening import open_store
from fruits_pipeline.storage.store import Store

log = logging.getLogger(__name__)

Row = dict[str, Any]
# Rows of one table that are read at most; 500 labels that are all taken for each other have 250,000 cells.
_MOST_ROWS: Final = 500_000
_BATCH_ROWS: Final = 50_000
_ACCURACY: Final = "accuracy"
_F = TypeVar("_F", bound=BaseModel)


@dataclass(frozen=True)
class Results:
    """One output, as far as the page tells of it.

    Attributes:
        store: Where it lies.
        reduced: The marker of the reduction.
        classified: The marker of the classifiers.
        examined: What is known of the images; None in outputs that were made before there was ``examine``.
        snapshot: The plan and the finished waves; None where the features are gone.
        tables: The tables that there are, by name, with the columns of ``schemas``; one that a table lacks is null.
        record: What ``run.json`` holds.
    """

    store: Store
    reduced: RoomMarker[Reduced]
    classified: RoomMarker[Classified]
    examined: RoomMarker[Examined] | None
    snapshot: Snapshot | None
    tables: dict[str, pa.Table]
    record: dict[str, JsonValue]

    @property
    def source_root(self) -> str | None:
        """The root below which paths are shown."""
        return self.snapshot.source_root if self.snapshot else None

    @property
    def judged(self) -> str:
        """The side that scores are of: ``test`` or ``validation``."""
        return self.classified.facts_or_fail.judged

    @property
    def best(self) -> str | None:
        """The classifier with the highest accuracy on the judged side; None where nothing was judged."""
        found = [row for row in self.rows("scores", split=self.judged, metric=_ACCURACY) if row["value"] is not None]
        return max(found, key=lambda row: row["value"])["classifier"] if found else None

    def rows(self, table: str, **equal: str | None) -> list[Row]:
        """The rows of a table whose columns have these values; none where there is no such table."""
        if table not in self.tables:
            return []
        found = self.tables[table]
        for name, value in equal.items():
            found = found.filter(pc.is_null(found[name]) if value is None else pc.equal(found[name], value))
        rows: list[Row] = found.to_pylist()
        return rows

    def score(self, table: str, classifier: str | None, metric: str = _ACCURACY) -> Row | None:
        """One score on the judged side, of ``scores`` or ``scores_without_leaks``."""
        return next(iter(self.rows(table, classifier=classifier, split=self.judged, metric=metric)), None)


def load_results(store: Store, record: dict[str, JsonValue], storage: StorageSettings) -> Results:
    """What the page of the finished output in ``store`` is made from.

    Raises:
        DatasetError: When it is not finished, or a file is gone.
    """
    rooms = Rooms(store, overwrite=False)
    reduced = rooms.finished("reduce", Reduced)
    classified = rooms.finished("classify", Classified, reduced.digest)
    examined = _if_there(rooms, "examine", Examined, reduced.digest)
    tables: dict[str, pa.Table] = {}
    markers: tuple[RoomMarker[Any] | None, ...] = (reduced, examined, classified)
    for marker in filter(None, markers):
        tables |= _tables(store, marker)
    features = reduced.facts_or_fail.features
    snapshot = _snapshot(open_store(features, storage) if features else store)
    return Results(store, reduced, classified, examined, snapshot, tables, record)


def _if_there(rooms: Rooms, room: RoomName, facts: type[_F], made_from: str) -> RoomMarker[_F] | None:
    return None if rooms.marker(room, facts) is None else rooms.finished(room, facts, made_from)


def _snapshot(store: Store) -> Snapshot | None:
    try:
        return load_snapshot(store)
    except DatasetError as error:
        log.warning("no plan of the images on the page: %s", error)
        return None


def _tables(store: Store, marker: RoomMarker[Any]) -> dict[str, pa.Table]:
    """The tables of ``evaluation/`` that a marker names."""
    keys: dict[str, list[str]] = {}
    for file in marker.files:
        first, _, rest = file.key.partition("/")
        name = rest.partition("/")[0]
        if first == EVALUATION and file.is_data and name in schemas.ALL:
            keys.setdefault(name, []).append(file.key)
    return {name: _read(store, found, schemas.ALL[name]) for name, found in keys.items()}


def _read(store: Store, keys: list[str], schema: pa.Schema) -> pa.Table:
    batches: list[pa.Table] = []
    for key in keys:
        try:
            with pq.ParquetFile(io.BytesIO(store.read(key))) as file:
                for batch in file.iter_batches(_BATCH_ROWS, use_threads=False):
                    batches.append(conformed(pa.Table.from_batches([batch]), schema))
                    if sum(map(len, batches)) >= _MOST_ROWS:
                        break
        except (pa.ArrowException, OSError) as error:
            raise DatasetError(
                f"expected a table at {store.root}/{key}, found no Parquet of its columns ({error}); run 'classify' "
                "again with --overwrite"
            ) from error
    return pa.concat_tables([schema.empty_table(), *batches])


def conformed(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """The columns of ``schema`` in its order; one that the table lacks is null.

    >>> conformed(pa.table({"a": [1]}), pa.schema([("a", pa.int64()), ("b", pa.string())])).to_pylist()
    [{'a': 1, 'b': None}]
    """
    columns = [
        table[field.name].cast(field.type) if field.name in table.column_names else pa.nulls(len(table), field.type)
        for field in schema
    ]
    return pa.Table.from_arrays(columns, schema=schema)
