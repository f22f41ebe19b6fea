"""A whole bucket's listing by several requests at a time: each folder's own, joined in order of the keys.

A server gives 1,000 keys for each request, and only their last says where the next begins: a listing is as slow as
its answers come, so that only listings of different folders can be under way together.
"""

from collections.abc import Iterator
from itertools import groupby
from typing import Final, Protocol

from fruits_pipeline.storage.parallel import chained, mapped
from fruits_pipeline.storage.store import Found

_THREADS: Final = 8
# Levels are looked into until there are so many folders: a root may hold nothing but Training/ and Test/.
_ENOUGH: Final = 2 * _THREADS
_DEEPEST: Final = 3
# Each folder costs a request, however few objects it has.
_MOST: Final = 500
# Of 1,000 objects, some 250 bytes each: 50 MB, so that folders of 25,000 objects are listed eight at a time.
_AHEAD_PAGES: Final = 200


class Folders(Protocol):
    """A store that can list one level of folders."""

    def objects(self, prefix: str = "") -> Iterator[Found]:
        """See ``Store.objects``."""
        ...

    def level(self, prefix: str) -> list[Found | str] | None:
        """Objects directly in the folder ``prefix``, and its folders, each with its slash; by one request.

        None where one answer does not hold them all.
        """
        ...


def objects(store: Folders) -> Iterator[Found]:
    """Every object below the store's root, in order of the UTF-8 bytes where the server lists so."""
    yield from chained(_listings(store), _THREADS, _AHEAD_PAGES)


def _listings(store: Folders) -> Iterator[Iterator[Found]]:
    """A listing of each folder, and the loose objects between folders, in order."""
    for _, run in groupby(_entries(store), type):
        entries = list(run)
        loose = [entry for entry in entries if isinstance(entry, Found)]
        if loose:
            yield iter(loose)
        yield from (store.objects(entry) for entry in entries if isinstance(entry, str))


def _entries(store: Folders) -> list[Found | str]:
    """Folders to list, and objects beside them, in order; the root alone where it has too many entries."""
    entries: list[Found | str] = [""]
    for _ in range(_DEEPEST):
        folders = [entry for entry in entries if isinstance(entry, str)]
        if not folders or len(folders) >= _ENOUGH:
            break
        inside = dict(zip(folders, mapped(store.level, folders, _THREADS, len(folders)), strict=True))
        deeper = [below for entry in entries for below in _opened(entry, inside)]
        if deeper == entries or sum(isinstance(entry, str) for entry in deeper) > _MOST:
            break
        entries = deeper
    return entries


def _opened(entry: Found | str, inside: dict[str, list[Found | str] | None]) -> list[Found | str]:
    """What is in the folder, in order; an object, or a folder of more than one answer, as it is."""
    found = inside[entry] if isinstance(entry, str) else None
    return [entry] if found is None else sorted(found, key=_key)


def _key(entry: Found | str) -> str:
    """The key or the folder; text sorts by code point, as its UTF-8 bytes do."""
    return entry if isinstance(entry, str) else entry.key
