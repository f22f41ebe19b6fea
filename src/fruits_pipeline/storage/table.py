"""A source that is a table of images: CSV or Parquet with a column ``path``.

A path is a full address, or one below the table's own folder. Columns ``length`` (bytes), ``modified``, ``label`` and
``split`` (``train`` or ``test``) are taken where the table has them; other images' length and time are not known.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice, takewhile
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from fruits_pipeline.errors import InputError, StorageError
from fruits_pipeline.schemas import TEST, TRAIN
from fruits_pipeline.settings.storage import StorageSettings
from fruits_pipeline.storage import uri
from fruits_pipeline.storage.opening import open_store

SUFFIXES: Final = (".csv", ".parquet")
_COLUMNS: Final = pa.schema(
    [
        ("path", pa.string()),
        ("length", pa.int64()),
        ("modified", pa.timestamp("us", tz="UTC")),
        ("label", pa.string()),
        ("split", pa.string()),
    ]
)
# "file:", "", "" of file:///x, or "s3:", "", "bucket" of s3://bucket/x.
_PLACE_PARTS: Final = 3
_DEFAULTS = StorageSettings()


@dataclass(frozen=True)
class TableSource:
    """The table at ``address``: a file, or a folder of Parquet files as Spark writes it; ``flag`` names it."""

    address: str
    storage: StorageSettings = field(default=_DEFAULTS, repr=False)
    flag: str = field(default="--data-source", repr=False)

    def check(self) -> None:
        """Refuses at once what could not be read later.

        Raises:
            InputError: When there is no such table, or it does not say which images it means.
        """
        _ = self.root

    def tables(self) -> Iterator[pa.Table]:
        """Columns ``path`` (full URI), ``length``, ``modified``, ``label``, ``split``, a part of the rows at a time.

        Raises:
            InputError: When there is no such table, or it is not what it should be.
        """
        folder = self.address.rpartition("/")[0]
        rows = 0
        for part in self._parts():
            table = self._conforming(part)
            full = [_full(path, folder) for path in self._paths(table, rows)]
            wrong = set(table["split"].unique().to_pylist()) - {TRAIN, TEST, None}
            self._refuse(f"{TRAIN!r} or {TEST!r} as split", wrong)
            yield table.set_column(0, "path", pa.array(full, pa.string()))
            rows += len(table)
        if not rows:
            raise self._fault("images, found no row")

    @cached_property
    def root(self) -> str:
        """The innermost folder that holds all images; labels that the table does not give are read below it.

        Raises:
            InputError: As ``tables``, or when the images lie in several buckets.
        """
        ends = [pc.min_max(table["path"]) for table in self.tables() if len(table)]
        paths = min(end["min"].as_py() for end in ends), max(end["max"].as_py() for end in ends)
        first, last = (path.split("/")[:-1] for path in paths)
        shared = [one for one, other in takewhile(lambda pair: pair[0] == pair[1], zip(first, last, strict=False))]
        if len(shared) < _PLACE_PARTS:
            self._refuse("images of one bucket or one file system", ("/".join(first), "/".join(last)))
        return uri.normalise("/".join(shared) + "/")

    def __str__(self) -> str:
        """The source as the user would spell it."""
        return self.address

    def _parts(self) -> Iterator[pa.Table]:
        folder, _, name = self.address.rpartition("/")
        try:
            store = open_store(folder, self.storage)
            keys = [found.key for found in store.objects(name) if found.key.endswith(".parquet")]
            if not keys and store.stat(name) is None:
                raise InputError(f"expected a table of images at {self.address}, found none; check {self.flag}")
            for key in keys or [name]:
                yield from self._read(store.read(key))
        except StorageError as error:
            raise InputError(f"expected a source that can be read, but {error}") from error

    def _read(self, content: bytes) -> Iterator[pa.Table]:
        """The rows of one file, in parts."""
        try:
            if self.address.endswith(".parquet"):
                for batch in pq.ParquetFile(pa.BufferReader(content)).iter_batches():
                    yield pa.Table.from_batches([batch])
                return
            yield from self._read_csv(content)
        except pa.ArrowInvalid as error:
            raise self._fault(f"a table with a column 'path', found {error}") from error

    def _read_csv(self, content: bytes) -> Iterator[pa.Table]:
        """The known columns alone: Arrow guesses the types of others from the first rows, and fails on the rest."""
        newlines = pa_csv.ParseOptions(newlines_in_values=True)
        with pa_csv.open_csv(pa.BufferReader(content), parse_options=newlines) as header:
            names = self._with_path(header.schema.names)
        options = pa_csv.ConvertOptions(
            column_types={column.name: column.type for column in _COLUMNS},
            include_columns=[name for name in names if name in _COLUMNS.names],
            strings_can_be_null=True,
        )
        with pa_csv.open_csv(pa.BufferReader(content), convert_options=options, parse_options=newlines) as batches:
            for batch in batches:
                yield pa.Table.from_batches([batch])

    def _conforming(self, table: pa.Table) -> pa.Table:
        """The columns that are known, in their order and types; those that are absent hold nothing."""
        self._with_path(table.column_names)
        columns = {
            column.name: table[column.name] if column.name in table.column_names else pa.nulls(len(table), column.type)
            for column in _COLUMNS
        }
        try:
            return pa.table(columns).cast(_COLUMNS)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise self._fault(f"columns {_COLUMNS.names} of types {_COLUMNS.types}, found {error}") from error

    def _with_path(self, names: list[str]) -> list[str]:
        if "path" not in names:
            raise self._fault(f"a column 'path', found columns {', '.join(map(repr, names))}")
        return names

    def _paths(self, table: pa.Table, before: int) -> list[str]:
        paths: list[str | None] = table["path"].to_pylist()
        empty = (f"none in row {row}" for row, path in enumerate(paths, before + 1) if not path)
        self._refuse("a path in each row", empty)
        return [path for path in paths if path]

    def _refuse(self, expected: str, wrong: Iterable[object]) -> None:
        """Raises, with the first of what is wrong, where anything is."""
        told = [str(value) for value in islice(wrong, 3)]
        if told:
            raise self._fault(f"{expected}, found {', '.join(told)}")

    def _fault(self, what: str) -> InputError:
        return InputError(f"expected in {self.address} {what}; mend the table, or name another by {self.flag}")


def _full(path: str, folder: str) -> str:
    """The full URI of an address, of a path of this machine, or of a path below ``folder``.

    >>> _full("a.jpg", "s3://bucket/x"), _full("/data/a.jpg", "s3://bucket/x"), _full("file:/a.jpg", "s3://bucket/x")
    ('s3://bucket/x/a.jpg', 'file:///data/a.jpg', 'file:///a.jpg')
    """
    is_whole = "://" in path or path.startswith(("/", "~/", "file:/"))
    return uri.normalise(path if is_whole else uri.join(folder, path))
