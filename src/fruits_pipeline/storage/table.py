"""A source that is a table of images: text or Parquet with a column ``path``.

A path is a full address, or one below the table's own folder. Columns ``length`` (bytes), ``modified``, ``label`` and
``split`` (of ``schemas.SPLIT_WORDS``) are taken where the table has them; other images' length and time are not known.
"""

import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property, reduce
from itertools import takewhile
from typing import Final
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from fruits_pipeline.errors import InputError, StorageError
from fruits_pipeline.settings.storage import StorageSettings
from fruits_pipeline.storage import uri
from fruits_pipeline.storage.opening import open_store
from fruits_pipeline.storage.source import unreadable
from fruits_pipeline.storage.table_columns import columns_meant, converted, refuse
from fruits_pipeline.storage.table_csv import read_csv

log = logging.getLogger(__name__)

_SUFFIXES: Final = (".csv", ".tsv", ".parquet")
_SERVED = frozenset({"file", "s3", "gs"})
_DRIVE = re.compile(r"[A-Za-z]:[\\/]")
_WHOLE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://|/|~/|file:/")
# "file:", "", "" of file:///x, or "s3:", "", "bucket" of s3://bucket/x.
_PLACE_PARTS: Final = 3
# How Spark spells null in the name of a partition's folder.
_HIVE_NULL: Final = "__HIVE_DEFAULT_PARTITION__"
_DEFAULTS = StorageSettings()


def is_table(address: str) -> bool:
    """Whether an address is a table's, by the end of its name."""
    return address.lower().endswith(_SUFFIXES)


@dataclass(frozen=True)
class TableSource:
    """The table at ``address``: a file, or a folder of Parquet files as Spark writes it; ``flag`` names it."""

    address: str
    storage: StorageSettings = field(default=_DEFAULTS, repr=False)
    flag: str = field(default="--data-source", repr=False)
    _noted: set[str] = field(default_factory=set, repr=False, compare=False)

    def check(self) -> None:
        """Refuses at once what could not be read later.

        Raises:
            InputError: When there is no such table, or it does not say which images it means.
        """
        _ = self.root

    def tables(self) -> Iterator[pa.Table]:
        """Rows of ``table_columns.COLUMNS``, whose ``path`` is a full URI, a part of the rows at a time.

        Raises:
            InputError: When there is no such table, or it is not what it should be.
        """
        return (part for part, _ in self._rows())

    @property
    def given(self) -> frozenset[str]:
        """The known columns that the table has, blank or not.

        Raises:
            InputError: As ``tables``.
        """
        return self._seen[1]

    @property
    def root(self) -> str:
        """The innermost folder that holds all images.

        Raises:
            InputError: As ``tables``, or when the images lie in several buckets.
        """
        return self._seen[0]

    @cached_property
    def _seen(self) -> tuple[str, frozenset[str]]:
        """``root`` and ``given``, by one look at all rows."""
        given: set[str] = set()
        ends: list[str] = []
        for part, meant in self._rows():
            given.update(meant)
            paths = pc.min_max(pa.chunked_array([*part["path"].chunks, pa.array(ends, pa.string())])).as_py()
            ends = [paths["min"], paths["max"]] if paths["min"] is not None else []
        first, last = (path.split("/")[:-1] for path in ends)
        shared = [one for one, other in takewhile(lambda pair: pair[0] == pair[1], zip(first, last, strict=False))]
        if len(shared) < _PLACE_PARTS:
            refuse(self._fault, "images of one bucket or one file system", ["/".join(first), "/".join(last)])
        return uri.normalise("/".join(shared) + "/"), frozenset(given)

    @property
    def base(self) -> str:
        """Where folders begin to have a meaning: the table's own folder where all images lie below it, else ``root``.

        So what folders say of an image does not depend on which others the table names.
        """
        folder = f"{self.address.rpartition('/')[0]}/"
        return folder if self.root.startswith(folder) else self.root

    def __str__(self) -> str:
        """The source as the user would spell it."""
        return self.address

    def _rows(self) -> Iterator[tuple[pa.Table, dict[str, str]]]:
        """A part of the rows at a time, and which of the user's columns is which."""
        folder = self.address.rpartition("/")[0]
        images = rows = 0
        for table, meant in self._parts():
            part = self._with_paths(converted(table, meant, self._fault, self._note), rows)
            rows += len(table)
            images += len(part)
            paths = part["source_path"].to_pylist()
            drives = (path for path in paths if _DRIVE.match(path))
            refuse(self._fault, "paths without a drive (in WSL, C: is /mnt/c)", drives)
            full = [_full(path, folder) for path in paths]
            others = (path for path in full if uri.scheme(path) not in _SERVED)
            refuse(self._fault, "addresses of files, s3: or gs: (other images are to be copied there first)", others)
            yield part.set_column(0, "path", pa.array(full, pa.string())), meant
        if not images:
            raise self._fault("images, found no row")

    def _parts(self) -> Iterator[tuple[pa.Table, dict[str, str]]]:
        """The user's own columns, and which of them is which."""
        folder, _, name = self.address.rpartition("/")
        try:
            store = open_store(folder, self.storage)
            keys = [found.key for found in store.objects(name) if _is_part(found.key.removeprefix(f"{name}/"))]
            if not keys and store.stat(name) is None:
                raise InputError(f"expected a table of images at {self.address}, found none; check {self.flag}")
            before: dict[str, str] | None = None
            for key in keys or [name]:
                for table, meant in self._read(store.read(key), _partition(key.removeprefix(name))):
                    if before is not None and meant.keys() != before.keys():
                        told = ", ".join(sorted(meant.keys() ^ before.keys()))
                        raise self._fault(f"the same columns in each file, found {told} in some only, see {key}")
                    before = meant
                    yield table, meant
        except StorageError as error:
            raise unreadable(error) from error

    def _read(self, content: bytes, partition: dict[str, str | None]) -> Iterator[tuple[pa.Table, dict[str, str]]]:
        """The rows of one file, in parts; ``partition`` are columns whose one value is known."""
        try:
            if not self.address.lower().endswith(".parquet"):
                yield from read_csv(content, self._fault, self._note)
                return
            file = pq.ParquetFile(pa.BufferReader(content))
            meant = columns_meant([*file.schema_arrow.names, *partition], self._fault, self._note)
            own = [name for name in meant.values() if name not in partition]
            for batch in file.iter_batches(columns=own):
                columns = dict(zip(own, batch.columns, strict=True))
                columns |= {
                    name: pa.repeat(pa.scalar(value, pa.string()), len(batch)) for name, value in partition.items()
                }
                yield pa.table(columns), meant
        except (pa.ArrowException, OSError) as error:
            raise self._fault(f"rows that can be read, found {error}") from error

    def _note(self, what: str) -> None:
        """Logs once how the table is read, where that is not as ``docs/DATA.md`` says."""
        if what not in self._noted:
            self._noted.add(what)
            log.info("table %s: %s", self.address, what)

    def _with_paths(self, part: pa.Table, before: int) -> pa.Table:
        """The rows that have a path; spreadsheets leave rows without any value at their end."""
        has_path = pc.not_equal(pc.fill_null(part["source_path"], ""), "")
        if pc.all(has_path).as_py() is not False:
            return part
        has_value = reduce(pc.or_, (pc.is_valid(part[name]) for name in part.column_names))
        wrong = pc.indices_nonzero(pc.and_not(has_value, has_path)).to_pylist()
        refuse(self._fault, "a path in each row", (f"none in row {before + place + 1}" for place in wrong))
        self._note("rows without any value are left out")
        return part.filter(has_path)

    def _fault(self, what: str) -> InputError:
        return InputError(f"expected in {self.address} {what}; mend the table, or name another by {self.flag}")


def _is_part(key: str) -> bool:
    """Whether a file of a folder is part of its table, by Spark's own rule: no name of its begins with _ or a dot.

    >>> _is_part("split=test/part-0.parquet"), _is_part("_temporary/0/part-0.parquet")
    (True, False)
    """
    hidden = (name.startswith((".", "_")) and "=" not in name for name in key.split("/"))
    return key.endswith(".parquet") and not any(hidden)


def _partition(key: str) -> dict[str, str | None]:
    """The columns that Spark's ``partitionBy`` spells in folders' names.

    >>> _partition("split=test/label=Apple%2F1/part-0.parquet")
    {'split': 'test', 'label': 'Apple/1'}
    """
    pairs = (folder.partition("=") for folder in key.split("/")[:-1] if "=" in folder)
    return {unquote(name): None if value == _HIVE_NULL else unquote(value) for name, _, value in pairs}


def _full(path: str, folder: str) -> str:
    """The full URI of an address, of a path of this machine, or of a path below ``folder``.

    >>> _full("./a.jpg", "s3://bucket/x"), _full("/data/a.jpg", "s3://bucket/x"), _full("file:/a.jpg", "s3://bucket/x")
    ('s3://bucket/x/a.jpg', 'file:///data/a.jpg', 'file:///a.jpg')
    """
    return uri.normalise(path if _WHOLE.match(path) else uri.join(folder, path.removeprefix("./")))
