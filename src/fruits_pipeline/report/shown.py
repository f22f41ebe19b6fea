"""What sections are made of: tiles, pairs of tiles, and lists that say how much of them is shown."""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from fruits_pipeline.state.layout import EVALUATION

_T = TypeVar("_T")


@dataclass(frozen=True)
class Tile:
    """One picture.

    Attributes:
        path: Of the image; None where there is none to show.
        name: What is told of it first: its path below the source's root.
        lines: What else.
    """

    path: str | None
    name: str
    lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class Pair:
    """Two pictures side by side.

    Attributes:
        first: The one that it is about.
        second: What it is held against; None where there is nothing.
        title: What is told of both.
        detail: What else.
        differ: Whether their difference is shown as a third picture.
    """

    first: Tile
    second: Tile | None
    title: str
    detail: str = ""
    differ: bool = False


@dataclass(frozen=True)
class Capped(Generic[_T]):
    """The first of many.

    Attributes:
        items: Those shown.
        total: How many there are.
        table: Which table of ``evaluation/`` has them.
        stored: How many that table has; None where it has them all.
    """

    items: tuple[_T, ...] = ()
    total: int = 0
    table: str = ""
    stored: int | None = None

    @property
    def note(self) -> str:
        """How many are shown, and where the others are; empty where all are.

        >>> Capped((1, 2), 340, "mistakes").note, Capped((1,), 1, "mistakes").note
        ('2 of 340 shown, the rest in evaluation/mistakes', '')
        >>> Capped((1, 2), 900, "suspects", 500).note
        '2 of 900 shown, 500 of them in evaluation/suspects'
        """
        if self.total <= len(self.items):
            return ""
        where = "the rest" if self.stored is None or self.stored >= self.total else f"{self.stored:,} of them"
        return f"{len(self.items):,} of {self.total:,} shown, {where} in {EVALUATION}/{self.table}"


def paths_of(shown: Iterable[Tile | Pair]) -> Iterator[str]:
    """The paths of all pictures."""
    for one in shown:
        tiles = (one,) if isinstance(one, Tile) else (one.first, one.second)
        yield from (tile.path for tile in tiles if tile is not None and tile.path)


def spread(rows: Iterable[_T], key: Callable[[_T], Hashable], most: int, most_alike: int = 2) -> list[_T]:
    """The first ``most`` rows, at most ``most_alike`` of each key as long as there are others.

    >>> spread(["a1", "a2", "a3", "b1"], lambda name: name[0], 3)
    ['a1', 'a2', 'b1']
    >>> spread(["a1", "a2", "a3", "b1"], lambda name: name[0], 4)
    ['a1', 'a2', 'b1', 'a3']
    """
    seen: Counter[Hashable] = Counter()
    first: list[_T] = []
    later: list[_T] = []
    for row in rows:
        seen[key(row)] += 1
        (first if seen[key(row)] <= most_alike else later).append(row)
        if len(first) == most:
            break
    return [*first, *later][:most]
