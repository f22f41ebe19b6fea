"""Beside another output: settings that differ, scores, seconds, and images whose prediction changed."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from pydantic import JsonValue

from fruits_pipeline.report.changes import Changes, changes_of
from fruits_pipeline.report.load import Results, Row
from fruits_pipeline.report.settings_told import made_with, told
from fruits_pipeline.report.shown import Capped, Tile, paths_of, spread
from fruits_pipeline.report.words import clean, number_of, path_below, place, spoken
from fruits_pipeline.state.layout import PREDICTIONS

_MOST_CHANGED: Final = 24


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
