"""What is wrong with an output, by kind, and how it is told."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum

# Findings of one kind that are named; of more, the number is told.
MOST_NAMED = 20

_RESUME = (
    "start the same 'run' or 'extract' again: it computes what is damaged or unfinished, and 'run' also makes the "
    "results again"
)
_TIDY = (
    "start the same 'run' or 'extract' again: it removes stray files; until then, whoever reads the whole folder "
    "counts "
    "their rows too"
)
# The commands compare nothing but the lengths of files.
_DELETE = "delete the files that are named, and start the same command again: it makes them again"


class Kind(Enum):
    """A kind of finding: its name, and what to do about it; None where it is no fault."""

    UNFINISHED = ("unfinished", _RESUME)
    MISSING = ("missing", _RESUME)
    LENGTH = ("length", _RESUME)
    CHECKSUM = ("checksum", _DELETE)
    SCHEMA = ("schema", _DELETE)
    MANIFEST = ("manifest", _DELETE)
    TWICE = ("twice", _DELETE)
    COUNTS = ("counts", _DELETE)
    IMAGES = ("images", _DELETE)
    RECIPES = ("mixed", "compute all features again in one way, with --overwrite")
    STALE = ("stale", "make stale results again by the commands that are named")
    PLAN = ("plan", "restore that file from a copy, or start again in another --output-uri")
    STRAY = ("stray", _TIDY)
    FOREIGN = ("foreign", "move foreign files away")
    LEFTOVER = ("leftover", None)

    def __init__(self, label: str, advice: str | None) -> None:
        """``label`` begins each line."""
        self.label = label
        self.advice = advice


@dataclass(frozen=True)
class Finding:
    """One thing that is not what it should be.

    Attributes:
        kind: Its kind.
        where: A key below the output, a wave or a room.
        expected: What should be there.
        found: What is.
    """

    kind: Kind
    where: str
    expected: str
    found: str

    @property
    def line(self) -> str:
        """The finding in one line."""
        text = f"{self.kind.label}: {self.where}: expected {self.expected}, found {self.found}"
        return " ".join(text.splitlines())


@dataclass
class Findings:
    """All findings: each is counted, the first of each kind are kept."""

    _counts: Counter[Kind] = field(default_factory=Counter)
    _named: dict[Kind, list[str]] = field(default_factory=dict)

    def add(self, findings: Iterable[Finding]) -> None:
        """Counts each finding, and keeps its line where few of its kind came before."""
        for finding in findings:
            self._counts[finding.kind] += 1
            if self._counts[finding.kind] <= MOST_NAMED:
                self._named.setdefault(finding.kind, []).append(finding.line)

    @property
    def faults(self) -> int:
        """How many findings are faults."""
        return sum(count for kind, count in self._counts.items() if kind.advice)

    @property
    def lines(self) -> list[str]:
        """At most ``MOST_NAMED`` lines of each kind, then how many more there are; kinds in their order."""
        told = []
        for kind in Kind:
            told += self._named.get(kind, [])
            if self._counts[kind] > MOST_NAMED:
                told.append(f"{kind.label}: {self._counts[kind] - MOST_NAMED} more, not named")
        return told

    @property
    def advice(self) -> str:
        """What to do about the kinds of faults that were found, each said once."""
        return "; ".join(dict.fromkeys(kind.advice for kind in Kind if self._counts[kind] and kind.advice))
