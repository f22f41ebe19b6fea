"""Images that two outputs predicted, held against each other one by one."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from fruits_pipeline.report.contents import column_batches, digests_of
from fruits_pipeline.report.load import Results, Row
from fruits_pipeline.report.words import spoken
from fruits_pipeline.state.layout import PREDICTIONS

# Images that are compared one by one; each takes some 300 bytes of memory.
_MOST_IMAGES: Final = 300_000
_COLUMNS: Final = ("path", "label", "split", "classifier", "prediction")


@dataclass
class Changes:
    """Images that both outputs predicted.

    Attributes:
        classifiers: Whose predictions they are, here and there.
        both: Images that both predicted.
        changed: Those that they say different labels of.
        mended: Those, of these, that are right here alone.
        spoilt: Those that are right there alone.
        judged: Images that both judged.
        judged_here: Images that only this output judged, as far as they are compared.
        judged_there: Images that only the other one judged, as far as they are compared.
        rows: The changed ones, with ``there`` for what the other output said.
        is_cut: Whether there were more images than are compared.
    """

    classifiers: tuple[str, str]
    both: int = 0
    changed: int = 0
    mended: int = 0
    spoilt: int = 0
    judged: int = 0
    judged_here: int = 0
    judged_there: int = 0
    rows: list[Row] = field(default_factory=list)
    is_cut: bool = False

    @property
    def is_same_side(self) -> bool:
        """Whether both were judged on the same images."""
        return not self.judged_here and not self.judged_there

    def add(self, mine: Row, theirs: str) -> None:
        """Counts an image that both predicted; ``theirs`` is what the other output said."""
        self.both += 1
        if mine["prediction"] == theirs:
            return
        self.changed += 1
        if mine["label"] is not None:
            self.mended += mine["prediction"] == mine["label"]
            self.spoilt += theirs == mine["label"]
        self.rows.append(mine | {"there": theirs})


@dataclass(frozen=True)
class _Side:
    """One output, the classifier whose predictions count, and the images that its scores leave out as leaks."""

    results: Results
    classifier: str
    dropped: frozenset[str]

    @classmethod
    def of(cls, results: Results, classifier: str) -> "_Side":
        leaks = results.classified.facts_or_fail.leaks
        dropped = results.rows("leaks") if leaks is not None and leaks.dropped else []
        return cls(results, classifier, frozenset(row["path"] for row in dropped))

    def judges(self, row: Row) -> bool:
        """Whether the scores count this image: it is on the judged side, has a label and is not left out."""
        return row["split"] == self.results.judged and row["label"] is not None and row["path"] not in self.dropped

    def predictions(self) -> Iterator[Row]:
        for batch in column_batches(self.results.store, self.results.classified, PREDICTIONS, _COLUMNS):
            yield from (row for row in batch.to_pylist() if row["classifier"] == self.classifier)

    def by_content(self, rows: dict[str, Row]) -> dict[str, list[str]]:
        """The paths of these images by content: several may have the same."""
        found: defaultdict[str, list[str]] = defaultdict(list)
        for path, digest in sorted(digests_of(self.results.store, self.results.reduced, rows).items()):
            found[digest].append(path)
        return found


def changes_of(here: Results, there: Results, most: int = _MOST_IMAGES) -> Changes | None:
    """Images that both outputs predicted, told apart by path, else by content; None where one has no best classifier.

    The classifier is the best one here; where the other output lacks it, its own best one.

    Raises:
        StorageError: When predictions cannot be read.
    """
    mine, theirs = here.best, there.best
    if mine is None or theirs is None:
        return None
    if there.score("scores", mine) is not None:
        theirs = mine
    changes = Changes((spoken(mine), spoken(theirs)))
    sides = (_Side.of(here, mine), _Side.of(there, theirs))
    rows = sides[0].predictions()
    left = {row["path"]: row for row in islice(rows, most)}
    is_whole = next(rows, None) is None
    others: dict[str, Row] = {}
    are_whole = True
    for row in sides[1].predictions():
        if (found := left.pop(row["path"], None)) is not None:
            _add(changes, sides, found, row)
        elif len(others) < most:
            others[row["path"]] = row
        else:
            are_whole = False
    _add_moved(changes, sides, left, others)
    # What was not found is on one side alone only where all of the other side was looked through.
    changes.judged_here += sum(sides[0].judges(row) for row in left.values()) if are_whole else 0
    changes.judged_there += sum(sides[1].judges(row) for row in others.values()) if is_whole else 0
    changes.is_cut = not (is_whole and are_whole)
    return changes


def _add_moved(changes: Changes, sides: tuple[_Side, _Side], left: dict[str, Row], others: dict[str, Row]) -> None:
    """Images that lie elsewhere in the other output, by their content: as many of each as both have."""
    if not left or not others:
        return
    theirs = sides[1].by_content(others)
    for digest, paths in sides[0].by_content(left).items():
        for path, other in zip(paths, theirs.get(digest, ()), strict=False):
            _add(changes, sides, left.pop(path), others.pop(other))


def _add(changes: Changes, sides: tuple[_Side, _Side], mine: Row, theirs: Row) -> None:
    judged = (sides[0].judges(mine), sides[1].judges(theirs))
    changes.judged += all(judged)
    changes.judged_here += judged == (True, False)
    changes.judged_there += judged == (False, True)
    changes.add(mine, theirs["prediction"])
