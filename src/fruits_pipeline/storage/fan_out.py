"""A whole bucket's listing by several requests at a time, one folder's each.

A server gives 1,000 keys for each request, and only their last says where the next begins: a listing is as slow as
its answers come, so that only listings of different folders can be under way together.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple, Protocol

from fruits_pipeline.storage.parallel import mapped, merged
from fruits_pipeline.storage.store import Found

_THREADS: Final = 8
# Levels are looked into until there are so many folders: a root may hold nothing but Training/ and Test/.
_ENOUGH: Final = 2 * _THREADS
_DEEPEST: Final = 3
# Each folder costs a request, however few objects it has.
_MOST: Final = 500


class Level(NamedTuple):
    """Objects directly in a folder, and the folders in it, each with its slash."""

    objects: list[Found]
    folders: list[str]


class Folders(Protocol):
    """A store that can list one level of folders."""

    def objects(self, prefix: str = "") -> Iterator[Found]:
        """See ``Store.objects``."""
        ...

    def level(self, prefix: str) -> Level | None:
        """What is directly in the folder ``prefix``, by one request; None where one answer does not hold it all."""
        ...


def objects(store: Folders) -> Iterator[Found]:
    """Every object below the store's root, in no order."""
    folders = [""]
    for _ in range(_DEEPEST):
        if not folders or len(folders) >= _ENOUGH:
            break
        levels = dict(zip(folders, mapped(store.level, folders, _THREADS, len(folders)), strict=True))
        deeper = [below for folder, level in levels.items() for below in (level.folders if level else [folder])]
        if deeper == folders or len(deeper) > _MOST:
            break
        for level in filter(None, levels.values()):
            yield from level.objects
        folders = deeper
    yield from merged(map(store.objects, folders), _THREADS)
