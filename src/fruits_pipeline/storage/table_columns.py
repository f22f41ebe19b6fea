"""Columns of a table of images: which of the user's are meant, and their values in the types that are known."""

import re
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from fruits_pipeline.errors import InputError
from fruits_pipeline.schemas import SPLIT_WORDS

# What ``TableSource.tables`` gives.
COLUMNS: Final = pa.schema(
    [
        ("path", pa.string()),
        ("source_path", pa.string()),
        ("length", pa.int64()),
        ("modified", pa.timestamp("us", tz="UTC")),
        ("label", pa.string()),
        ("split", pa.string()),
    ]
)
# Names of the user's columns.
KNOWN: Final = ("path", "length", "modified", "label", "split")
# Other names of columns, in lower case and without spaces, dashes and underscores.
_OTHER_NAMES = {
    "path": frozenset(
        {
            *("path", "file", "filepath", "filename", "fullpath", "relativepath", "uri", "url", "photo", "picture"),
            *(
                f"{one}{part}"
                for one in ("image", "img")
                for part in ("", "path", "file", "filename", "name", "uri", "url")
            ),
        }
    ),
    "label": frozenset({"labels", "labelname", "class", "classname", "classlabel", "category"}),
    "split": frozenset({"subset", "dataset", "partition"}),
}
_NO_NUMBER = ("", "na", "n/a", "nan", "null", "none")
_DATE = r"^\d{4}-\d\d-\d\d$"
_TIME = r"^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?"
_ZONE = r"(Z|[+-]\d\d(:?\d\d)?)$"

# Makes the error of a fault of the table.
Fault = Callable[[str], InputError]
# Takes what a person is to know about how the table is read.
Note = Callable[[str], None]


def columns_meant(names: list[str], fault: Fault, note: Note) -> dict[str, str]:
    """The user's column for each known one that there is; which are meant, and which are not used, is noted.

    Raises:
        InputError: When none, or more than one, could be ``path``, or a name stands there twice.
    """
    candidates = {known: named(known, names) for known in KNOWN}
    if not candidates["path"]:
        raise fault(f"a first line of names, one of them 'path', found columns {', '.join(map(repr, names))}")
    for known, found in candidates.items():
        if len(found) > 1:
            told = ", ".join(map(repr, found))
            raise fault(f"one column {known!r}, found {told}, each of which could be it (rename one to {known!r})")
    meant = {known: found[0] for known, found in candidates.items() if found}
    for known, name in meant.items():
        if known != name:
            note(f"its column {name!r} is taken for {known!r}")
    if unused := [name for name in names if name not in meant.values()]:
        note(f"not used are its columns {', '.join(map(repr, unused))}")
    return meant


def named(known: str, names: list[str]) -> list[str]:
    """The columns that could be ``known``: the one of that name, else those of the same name in other spelling.

    >>> named("path", ["id", "File_Name"]), named("path", ["image", "path"]), named("label", ["Label "])
    (['File_Name'], ['path'], ['Label '])
    """
    others = _OTHER_NAMES.get(known, frozenset())
    candidates = (
        [name for name in names if name == known],
        [name for name in names if name.strip().lower() == known],
        [name for name in names if re.sub(r"[\s_-]", "", name).lower() in others],
    )
    return next((found for found in candidates if found), [])


def converted(table: pa.Table, meant: dict[str, str], fault: Fault, note: Note) -> pa.Table:
    """The user's columns as rows of ``COLUMNS``, with ``path`` as it is spelled; columns that are absent are null.

    Raises:
        InputError: When a value is none of its column.
    """
    columns = {name: pa.nulls(len(table), COLUMNS.field(name).type) for name in COLUMNS.names}
    columns |= {known: table[name] for known, name in meant.items()}
    columns["source_path"] = columns["path"]
    try:
        columns["length"] = _lengths(columns["length"])
        columns["modified"] = _times(columns["modified"], fault, note)
        columns["label"] = _without_blanks(columns["label"].cast(pa.string()))
        columns["split"] = _splits(columns["split"].cast(pa.string()), fault)
        return pa.table(columns).cast(COLUMNS)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise fault(
            f"columns {', '.join(f'{f.name} ({f.type})' for f in COLUMNS if f.name in meant)}, found {error}"
        ) from error


def _without_blanks(values: Any) -> Any:
    """Null in the place of text that is empty but for spaces."""
    return pc.if_else(pc.equal(pc.utf8_trim_whitespace(values), ""), pa.scalar(None, pa.string()), values)


def _splits(values: Any, fault: Fault) -> Any:
    words = pc.utf8_lower(pc.utf8_trim_whitespace(_without_blanks(values)))
    places = pc.index_in(words, value_set=pa.array(list(SPLIT_WORDS)))
    unknown = values.filter(pc.and_(pc.is_valid(words), pc.is_null(places))).unique().to_pylist()
    refuse(fault, f"one of {', '.join(SPLIT_WORDS)} as split", unknown)
    return pa.array(list(SPLIT_WORDS.values())).take(places)


def _lengths(values: Any) -> Any:
    if not pa.types.is_string(values.type):
        return values.cast(pa.int64())
    empty = pc.is_in(pc.utf8_lower(pc.utf8_trim_whitespace(values)), value_set=pa.array(_NO_NUMBER))
    numbers = pc.replace_substring_regex(values, r"\.0+$", "")  # because pandas writes so where a number is missing
    return pc.if_else(empty, pa.scalar(None, pa.string()), numbers).cast(pa.int64())


def _times(values: Any, fault: Fault, note: Note) -> Any:
    """Times in UTC; times without a zone are taken for UTC."""
    if not pa.types.is_string(values.type):
        if pa.types.is_date(values.type) or (pa.types.is_timestamp(values.type) and values.type.tz is None):
            note("times without a zone are taken for UTC")
        return values.cast(pa.timestamp("us")).cast(COLUMNS.field("modified").type) if _is_date(values) else values
    values = pc.utf8_trim_whitespace(values)
    values = pc.if_else(pc.match_substring_regex(values, _DATE), _joined(values, "T00:00:00"), values)
    known = pc.match_substring_regex(values, f"{_TIME}{_ZONE}|{_TIME}$")
    refuse(fault, "times such as 2026-01-02T03:04:05Z as modified", values.filter(pc.invert(known)).to_pylist())
    local = pc.match_substring_regex(values, f"{_TIME}$")
    if pc.any(local).as_py():
        note("times without a zone are taken for UTC")
    return (
        pc.if_else(local, _joined(values, "Z"), values)
        .cast(pa.timestamp("ns", tz="UTC"))
        .cast(COLUMNS.field("modified").type, safe=False)
    )


def _is_date(values: Any) -> bool:
    return bool(pa.types.is_date(values.type))


def _joined(values: Any, end: str) -> Any:
    return pc.binary_join_element_wise(values, end, "")


def refuse(fault: Fault, expected: str, wrong: Iterable[object]) -> None:
    """Raises, with the first of what is wrong, where anything is.

    Raises:
        InputError: Then.
    """
    told = [str(value) for value in islice(wrong, 3)]
    if told:
        raise fault(f"{expected}, found {', '.join(told)}")
