"""A table as text: its encoding and its separator are found out, then Arrow reads the columns that are meant."""

import codecs
import csv
import io
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.csv as pa_csv

from fruits_pipeline.storage.table_columns import Fault, Note, columns_meant, named

_SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
# In no text: what a table of a single column is separated by, so that its values may hold any other.
_NONE = "\x1f"
_HEAD = 1 << 16
_CHUNK = 1 << 20
_BOMS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF32_LE: "utf-32-le",
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}


def read_csv(content: bytes, fault: Fault, note: Note) -> Iterator[tuple[pa.Table, dict[str, str]]]:
    """The columns that are meant, as text, a part of the rows at a time, and which column is which.

    Values that are empty are null; ``NA``, ``null`` and the like are values.

    Raises:
        InputError: When this is no text, or it is not clear which column has the paths.
        pa.ArrowInvalid: When rows have more or fewer values than there are columns.
    """
    content = _in_utf8(content, fault, note)
    head = content[:_HEAD].decode("utf-8", "ignore")
    # What Excel writes so that it knows its own separator.
    skip = head.lower().startswith("sep=")
    separator = _separator(head.partition("\n")[2] if skip else head)
    if separator in _SEPARATORS and separator != ",":
        note(f"values are separated by {_SEPARATORS[separator]}")
    parse = pa_csv.ParseOptions(delimiter=separator, newlines_in_values=True)
    read = pa_csv.ReadOptions(skip_rows=int(skip))
    with pa_csv.open_csv(pa.BufferReader(content), read, parse) as header:
        meant = columns_meant(header.schema.names, fault, note)
    # Arrow guesses the types of other columns from the first rows, and fails on the rest.
    convert = pa_csv.ConvertOptions(
        column_types=dict.fromkeys(meant.values(), pa.string()),
        include_columns=list(meant.values()),
        null_values=[""],
        strings_can_be_null=True,
    )
    rows = 0
    with pa_csv.open_csv(pa.BufferReader(content), read, parse, convert) as batches:
        for batch in batches:
            rows += batch.num_rows
            yield pa.Table.from_batches([batch]), meant
    lines = sum(not line.isspace() for line in io.BytesIO(content)) - 1 - int(skip)
    if rows < lines:
        _refuse_open_quotes(content, separator, fault)
        note(f"values span lines, {lines} lines are {rows} rows")


def _refuse_open_quotes(content: bytes, separator: str, fault: Fault) -> None:
    """Raises where a quote that opens a value is not closed at a value's end: it swallows the rows up to the next one.

    Raises:
        InputError: Then, with the line where Python's own reader sees it.
    """
    reader = csv.reader(io.TextIOWrapper(io.BytesIO(content), "utf-8", newline=""), delimiter=separator, strict=True)
    begins = 1
    try:
        for _ in reader:
            begins = reader.line_num + 1
    except csv.Error as error:
        raise fault(
            f"quotes that are closed, found one in the value that begins in line {begins} and is not ({error})"
        ) from error


def _in_utf8(content: bytes, fault: Fault, note: Note) -> bytes:
    mark = next((mark for mark in _BOMS if content.startswith(mark)), b"")
    content = content[len(mark) :]
    encoding = _BOMS[mark] if mark else _guessed(content, fault)
    if encoding != "utf-8":
        note(f"its text is {encoding}, not UTF-8")
    try:
        return content if encoding == "utf-8" else content.decode(encoding).encode()
    except UnicodeDecodeError as error:
        raise fault(f"text, found what is no {encoding}: {error.reason} at byte {error.start}") from error


def _guessed(content: bytes, fault: Fault) -> str:
    """The encoding of a text without a mark: each byte is some character of latin-1."""
    head = content[:_HEAD]
    if b"\0" in head:
        even, odd = head[::2].count(0), head[1::2].count(0)
        if min(even, odd) * 10 > max(even, odd) or content.startswith(b"PK"):
            raise fault("text, found bytes that are none (a workbook of Excel is to be saved as CSV)")
        return "utf-16-le" if odd > even else "utf-16-be"
    if _decodes(content, "utf-8"):
        return "utf-8"
    _refuse_mixed(content, fault)
    return "windows-1252" if _decodes(content, "windows-1252") else "latin-1"


def _refuse_mixed(content: bytes, fault: Fault) -> None:
    """Raises where some lines beyond ASCII are UTF-8 and others are not: one label would have two spellings.

    Raises:
        InputError: Then, with the first line that is none.
    """
    lines = [(number, line) for number, line in enumerate(io.BytesIO(content), 1) if not line.isascii()]
    wrong = [number for number, line in lines if not _decodes(line, "utf-8")]
    if len(wrong) < len(lines):
        raise fault(
            f"text of one encoding, found {len(lines) - len(wrong)} lines in UTF-8 and {len(wrong)} that are none, "
            f"the first of these is line {wrong[0]} (save it as UTF-8)"
        )


def _decodes(content: bytes, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for start in range(0, len(content), _CHUNK):
            decoder.decode(content[start : start + _CHUNK])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _separator(head: str) -> str:
    """What separates the columns of the header: where one has the paths, else where there are most columns."""
    headers = {separator: _header(head, separator) for separator in _SEPARATORS}
    with_path = {separator: names for separator, names in headers.items() if named("path", names)} or headers
    separator, names = max(with_path.items(), key=lambda pair: len(pair[1]))
    return separator if len(names) > 1 else _NONE


def _header(head: str, separator: str) -> list[str]:
    return next((row for row in csv.reader(io.StringIO(head, newline=None), delimiter=separator) if row), [])
