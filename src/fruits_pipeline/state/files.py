"""Files of an output: which are ours, what markers say of them, and how leftovers are removed."""

import re
from collections.abc import Iterable, Iterator

from pydantic import BaseModel, ConfigDict

from fruits_pipeline.errors import DatasetError
from fruits_pipeline.state import layout
from fruits_pipeline.storage import uri
from fruits_pipeline.storage.store import Found, Store

# Names of files that Spark, Hadoop's committers and our own stores write, finished or not; any other file in a
# folder of ours is somebody else's, and is never deleted.
OURS = re.compile(
    r"(^|/)("
    r"_temporary/.*|__magic[^/]*/.*|\.spark-staging[^/]*/.*|"
    r"\.?_SUCCESS(\.crc)?|\.?part-[^/]*|\.[^/]*\.tmp(\.crc)?"
    r")$"
)


class FileMark(BaseModel):
    """One file of a dataset: its key below the output, its length in bytes and its checksum."""

    model_config = ConfigDict(frozen=True)

    key: str
    length: int
    checksum: str

    @property
    def is_data(self) -> bool:
        """Whether readers of the dataset read it."""
        return is_data(self.key)


def is_data(key: str) -> bool:
    """Whether readers of a dataset read the file with this key: Parquet, and nothing that a writer left behind.

    >>> is_data("features/wave=00000/part-0.parquet"), is_data("features/wave=00000/_temporary/0/part-0.parquet")
    (True, False)
    """
    return key.endswith(".parquet") and not any(part.startswith((".", "_")) for part in key.split("/")[1:])


def listed(store: Store, places: Iterable[str]) -> Iterator[Found]:
    """Every file below the given folders, and those of the places that are files themselves (``layout.is_file``)."""
    for place in places:
        if not layout.is_file(place):
            yield from store.objects(place)
        elif (found := store.stat(place)) is not None:
            yield found


def is_ours(key: str) -> bool:
    """Whether a file in a room's place has a name that we give.

    >>> is_ours("report.html"), is_ours("predictions/part-00000.parquet"), is_ours("predictions/notes.txt")
    (True, True, False)
    """
    return key == layout.REPORT or OURS.search(key) is not None


def marks(store: Store, places: Iterable[str]) -> tuple[FileMark, ...]:
    """A mark for every file of ours in the given folders and files."""
    return tuple(
        FileMark(key=found.key, length=found.length, checksum=store.checksum(found.key))
        for found in listed(store, places)
        if is_ours(found.key)
    )


def data_files(store: Store, files: Iterable[FileMark]) -> list[str]:
    """The addresses of those files that readers of the dataset read."""
    return [uri.join(store.root, file.key) for file in files if file.is_data]


def sweep(store: Store, places: Iterable[str], keep: frozenset[str] = frozenset()) -> None:
    """Deletes all files of ours in the given folders and files but those to ``keep``."""
    for place in places:
        found = (found.key for found in listed(store, [place]))
        store.delete([key for key in found if key not in keep and is_ours(key)])


def refuse_foreign(store: Store, places: Iterable[str], *, only_others: bool = False) -> None:
    """Raises where a place that is to be ours holds a file already; with ``only_others``, a file of a name not ours.

    Raises:
        DatasetError: Then, with the file's name.
    """
    for place in places:
        others = (found for found in listed(store, [place]) if not only_others or not is_ours(found.key))
        found = next(others, None)
        if found is not None:
            kind = "file" if layout.is_file(place) else "folder"
            raise DatasetError(
                f"expected {store.root}/{place} to be empty or written by fruits-pipeline, found {found.key!r}, "
                f"which it did not write; take another --output-uri, or move that {kind} away"
            )
