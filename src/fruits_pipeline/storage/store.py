"""Interface of every kind of storage: list, get, put, create-if-absent, lock.

Keys are paths below the store's root, decoded, with ``/`` between the parts.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Found:
    """One object: its key, its length in bytes, and when it was last modified (UTC)."""

    key: str
    length: int
    modified: datetime


class Held(Protocol):
    """A lease that this job holds; when it is lost, its store refuses to write."""

    def check(self) -> None:
        """Raises ``StorageError`` where the lease is lost."""
        ...

    def on_loss(self, callback: Callable[[], None]) -> None:
        """``callback`` runs once when the lease is lost, at once where it is lost already."""
        ...


class Store(Protocol):
    """Reads and writes one folder of storage; all failures are ``StorageError``."""

    root: str

    def objects(self, prefix: str = "") -> Iterator[Found]:
        """Every object whose key stands below the folder ``prefix``, flat, streamed, in the server's own order.

        On S3, GCS and a local disk that is the order of the key's UTF-8 bytes, but S3 Express and other servers differ.
        """
        ...

    def objects_in_parallel(self) -> Iterator[Found]:
        """Every object, in no order, by several requests at a time where the store allows it: for millions of keys."""
        ...

    def stat(self, key: str) -> Found | None:
        """The object, or None where there is none."""
        ...

    def read(self, key: str) -> bytes:
        """The object's content."""
        ...

    def read_many(self, keys: Iterable[str]) -> Iterator[bytes]:
        """The contents of many small objects, in the order of the keys, by several requests at a time."""
        ...

    def write(self, key: str, content: bytes) -> None:
        """Puts ``content`` there at once: a reader sees the old object or the new one, never a part."""
        ...

    def put(self, key: str, file: Path) -> None:
        """Puts the content of a local file there, as ``write`` does."""
        ...

    def create(self, key: str, content: bytes) -> bool:
        """Puts ``content`` there unless an object stands there; False where one does."""
        ...

    def delete(self, keys: Iterable[str]) -> None:
        """Removes the objects, and the folders that this leaves empty; an absent one is no fault."""
        ...

    def checksum(self, key: str) -> str:
        """The content's checksum as ``algorithm:value``."""
        ...

    def hold(self, key: str, owner: str) -> AbstractContextManager[Held | str]:
        """Holds the lease ``key``: gives it when it is ours, else what its present owner wrote there."""
        ...
