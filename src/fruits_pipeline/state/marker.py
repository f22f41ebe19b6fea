"""Markers: small JSON files that say what was finished, from what, and which files it left."""

import re
from collections.abc import Iterable
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from fruits_pipeline.errors import DatasetError
from fruits_pipeline.state.counts import Counts
from fruits_pipeline.state.fingerprint import Fingerprint
from fruits_pipeline.storage.store import Store

# Names that Spark gives, as we do where we write without it; any other file in a room's folder is somebody else's.
BY_SPARK = re.compile(r"(^|/)(_temporary/.*|\.?_SUCCESS(\.crc)?|\.?part-[^/]*)$")


class FileMark(BaseModel):
    """One file that a room left: its key below the output, its length in bytes and its checksum."""

    model_config = ConfigDict(frozen=True)

    key: str
    length: int
    checksum: str


class WaveMarker(BaseModel):
    """One finished wave of features: its images' counts and its files."""

    model_config = ConfigDict(frozen=True)

    wave: str
    fingerprint: str
    counts: Counts
    files: tuple[FileMark, ...]


class RoomMarker(BaseModel):
    """One room: what it is made from, whether it is finished, what it found, and its files."""

    model_config = ConfigDict(frozen=True)

    room: str
    fingerprint: Fingerprint
    finished: bool = False
    result: str = ""
    facts: dict[str, JsonValue] = {}
    files: tuple[FileMark, ...] = ()


_M = TypeVar("_M", bound=BaseModel)


def load(store: Store, key: str, kind: type[_M]) -> _M | None:
    """The marker of ``kind`` at ``key``, or None where there is none.

    Raises:
        DatasetError: When what stands there is no such marker.
    """
    if store.stat(key) is None:
        return None
    try:
        return kind.model_validate_json(store.read(key))
    except ValidationError as error:
        raise DatasetError(
            f"expected a {kind.__name__} at {store.root}/{key}, found something else ({error.error_count()} faults); "
            "take another --output-uri, or delete this output"
        ) from error


def save(store: Store, key: str, marker: BaseModel) -> None:
    """Writes the marker, in place of an older one."""
    store.write(key, marker.model_dump_json(indent=1).encode())


def marks(store: Store, prefixes: Iterable[str]) -> tuple[FileMark, ...]:
    """A mark for every file of ours below the given folders."""
    return tuple(
        FileMark(key=found.key, length=found.length, checksum=store.checksum(found.key))
        for prefix in prefixes
        for found in store.objects(prefix)
        if BY_SPARK.search(found.key)
    )
