"""Beside another output: settings that differ, scores, seconds, and images whose prediction changed."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from pydantic import JsonValue

from fruits_pipeline.report.contents import column_batches, digests_of
from fruits_pipeline.report.load import Results, Row
from fruits_pipeline.report.settings_told import made_with, told
from fruits_pipeline.report.shown import Capped, Tile, paths_of, spread
from fruits_pipeline.report.words import clean, path_below, place, spoken
from fruits_pipeline.state.layout import PREDICTIONS

_MOST_CHANGED: Final = 24
# Images that are compared one by one; each takes some 300 bytes of memory.
_MOST_IMAGES: Final = 300_000
_COLUMNS: Final = ("path", "label", "split", "classifier", "prediction")


@dataclass(frozen=True)
class SettingPair:
    """A setting that differs: here and there."""

    name: str
    here: str
    there: str


@dataclass(frozen=True)
class ScorePair:
    """Scores of one classifier, each on its output's judged side; None where an output has none."""

    classifier: str
    metric: str
    here: Row | None
    there: Row | None


@dataclass(frozen=True)
class TimePair:
    """Seconds of one room in the last command of each output."""

    room: str
    here: float | None
    there: float | None


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
        judged_here: Images that only this output judged.
        judged_there: Images that only the other one judged.
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
class Comparison:
    """The section."""

    other: str
    settings: tuple[SettingPair, ...]
    scores: tuple[ScorePair, ...]
    times: tuple[TimePair, ...]
    changes: Changes | None
    tiles: Capped[Tile]

    @property
    def paths(self) -> Iterator[str]:
        """The images that it shows."""
        yield from paths_of(self.tiles.items)


def comparison(here: Results, there: Results) -> Comparison:
    """The section of one output beside another.

    Raises:
        StorageError: When the predictions of one cannot be read.
    """
    changes = changes_of(here, there)
    rows = sorted(changes.rows, key=lambda row: (row["label"] == row["prediction"], row["path"])) if changes else []
    shown = spread(rows, lambda row: (row["prediction"], row["there"]), _MOST_CHANGED)
    tiles = tuple(
        Tile(
            row["path"],
            path_below(row["path"], here.source_root),
            (f"is {clean(row['label'])}", f"here {clean(row['prediction'])}", f"there {clean(row['there'])}"),
        )
        for row in shown
    )
    total = changes.changed if changes else 0
    return Comparison(
        other=place(there.store.root),
        settings=tuple(_settings(made_with(here), made_with(there))),
        scores=tuple(_scores(here, there)),
        times=tuple(_times(here, there)),
        changes=changes,
        tiles=Capped(tiles, total, f"../{PREDICTIONS}"),
    )


def _settings(here: dict[str, JsonValue], there: dict[str, JsonValue]) -> Iterator[SettingPair]:
    for name in sorted(here.keys() | there.keys()):
        mine, theirs = (told(name, side[name]) if name in side else "not known" for side in (here, there))
        if here.get(name) != there.get(name):
            yield SettingPair(name, mine, theirs)


def _scores(here: Results, there: Results) -> Iterator[ScorePair]:
    names = dict.fromkeys(row["classifier"] for side in (here, there) for row in side.rows("scores"))
    for classifier in names:
        for metric, name in (("accuracy", "accuracy"), ("macro_f1", "macro F1")):
            found = [side.score("scores", classifier, metric) for side in (here, there)]
            yield ScorePair(spoken(classifier), name, *found)


def _times(here: Results, there: Results) -> Iterator[TimePair]:
    seconds = [side.record.get("seconds") for side in (here, there)]
    mine, theirs = (one if isinstance(one, dict) else {} for one in seconds)
    for room in dict.fromkeys((*mine, *theirs)):
        yield TimePair(clean(room), number_of(mine.get(room)), number_of(theirs.get(room)))
    totals = (number_of(side.record.get("seconds_total")) for side in (here, there))
    yield TimePair("all", *totals)


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
    left = _predictions(here, mine, most)
    changes.is_cut = len(left) == most
    others: dict[str, Row] = {}
    for row in _rows(there, theirs):
        found = left.pop(row["path"], None)
        if found is not None:
            _add(changes, (here, there), found, row)
        elif len(others) < most:
            others[row["path"]] = row
    _by_content(changes, (here, there), left, others)
    return changes


def _by_content(changes: Changes, sides: tuple[Results, Results], left: dict[str, Row], others: dict[str, Row]) -> None:
    """Images that lie elsewhere in the other output, by their content."""
    here, there = sides
    if left and others:
        place_of = {digest: path for path, digest in digests_of(there.store, there.reduced, others).items()}
        for path, digest in digests_of(here.store, here.reduced, left).items():
            if (row := others.pop(place_of.get(digest, ""), None)) is not None:
                _add(changes, sides, left.pop(path), row)
    changes.judged_here += sum(row["split"] == here.judged for row in left.values())
    changes.judged_there += sum(row["split"] == there.judged for row in others.values())


def _add(changes: Changes, sides: tuple[Results, Results], mine: Row, theirs: Row) -> None:
    judged = [row["split"] == side.judged for row, side in zip((mine, theirs), sides, strict=True)]
    changes.judged += all(judged)
    changes.judged_here += judged == [True, False]
    changes.judged_there += judged == [False, True]
    changes.add(mine, theirs["prediction"])


def _predictions(results: Results, classifier: str, most: int) -> dict[str, Row]:
    found: dict[str, Row] = {}
    for row in _rows(results, classifier):
        found[row["path"]] = row
        if len(found) == most:
            break
    return found


def _rows(results: Results, classifier: str) -> Iterator[Row]:
    for batch in column_batches(results.store, results.classified, PREDICTIONS, _COLUMNS):
        for row in batch.to_pylist():
            if row["classifier"] == classifier:
                yield row
