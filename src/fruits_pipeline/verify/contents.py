"""Contents of an output's files: read, held against their marks and their schemas, and counted in bytes."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from fruits_pipeline import schemas
from fruits_pipeline.state.files import FileMark
from fruits_pipeline.state.layout import EVALUATION, FEATURES, LABELS, MANIFEST, MODELS, REJECTS
from fruits_pipeline.storage.store import Store
from fruits_pipeline.verify.findings import Finding, Kind

# Columns of which more than the number of rows is needed.
_COLUMNS = {MANIFEST: ["path", "skip_reason"], FEATURES: ["path"], REJECTS: ["path", "reason"]}

# pyarrow's threads, when one lets go of a file's bytes while Python ends, abort the process: apache/arrow#34314, seen
# in one of 25 runs of this command.
THREADED = False

# What pyarrow raises on files that are damaged.
PARQUET_FAULTS = (pa.ArrowException, OSError)


class CheckedFile(NamedTuple):
    """One file that was read.

    Attributes:
        file: Its mark.
        rows: Its rows with the columns that checks need, perhaps none; None where it is damaged or no dataset's.
        findings: What is wrong with it.
    """

    file: FileMark
    rows: pa.Table | None
    findings: tuple[Finding, ...]


class Contents:
    """Reads files one by one, so that one is held at a time."""

    def __init__(self, store: Store, *, deep: bool) -> None:
        """With ``deep``, checksums are compared too."""
        self.bytes_read = 0
        self._store = store
        self._deep = deep

    def read(self, file: FileMark) -> bytes:
        """The content of a file."""
        content = self._store.read(file.key)
        self.bytes_read += len(content)
        return content

    def checked(self, files: Iterable[FileMark]) -> Iterator[CheckedFile]:
        """The files, in their order, held against their marks and their schemas."""
        return (self._checked(file, self.read(file)) for file in files)

    def _checked(self, file: FileMark, content: bytes) -> CheckedFile:
        if self._deep and (found := self._store.checksum(file.key)) != file.checksum:
            return _damaged(file, Kind.CHECKSUM, file.checksum, found)
        if (schema := schema_of(file)) is None:
            return CheckedFile(file, None, ())
        try:
            with pq.ParquetFile(pa.BufferReader(content)) as parquet:
                faults = schemas.differences(parquet.schema_arrow, schema)
                if faults:
                    return _damaged(file, Kind.SCHEMA, "the columns of this dataset", "; ".join(faults))
                rows = parquet.read(columns=_COLUMNS.get(dataset_of(file), []), use_threads=THREADED)
                rows.validate(full=True)
        except PARQUET_FAULTS as error:
            return _damaged(file, Kind.SCHEMA, "Parquet that can be read", first_line(error))
        return CheckedFile(file, rows, ())


def dataset_of(file: FileMark) -> str:
    """The name of the dataset that a file belongs to; that of no dataset for models and exports.

    >>> dataset_of(FileMark(key="evaluation/scores/part-00000.parquet", length=1, checksum=""))
    'scores'
    """
    first, second = [*file.key.split("/"), ""][:2]
    return second if first == EVALUATION else first


def schema_of(file: FileMark) -> pa.Schema | None:
    """The schema of a dataset's Parquet file; None for any other file."""
    if not file.is_data or file.key.startswith(f"{MODELS}/"):
        return None
    return schemas.LABELS if file.key.startswith(f"{LABELS}/") else schemas.ALL.get(dataset_of(file))


def first_line(error: Exception) -> str:
    """The first line of an error's message."""
    return next(iter(str(error).strip().splitlines()), type(error).__name__)


def _damaged(file: FileMark, kind: Kind, expected: str, found: str) -> CheckedFile:
    return CheckedFile(file, None, (Finding(kind, file.key, expected, found),))
