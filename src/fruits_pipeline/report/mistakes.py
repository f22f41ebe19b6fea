"""What does it get wrong? Scores by label, labels that are taken for each other, and the surest mistakes."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from fruits_pipeline.report.confusion_order import Cells, cells_of
from fruits_pipeline.report.load import Results, Row
from fruits_pipeline.report.shown import Capped, Pair, Tile, paths_of, spread
from fruits_pipeline.report.words import clean, images, interval, path_below, percent, spoken

MOST_LABELS: Final = 1_000
_MOST_PAIRS: Final = 24
_MOST_MISTAKES: Final = 42
_MOST_SUSPECTS: Final = 24
# Tables of scores that are shown beside ``scores``: with near-twins where these were dropped, else without them.
_BESIDE: Final = {"scores_with_leaks": "with near-twins", "scores_without_leaks": "without near-twins"}


@dataclass(frozen=True)
class ScoreRow:
    """Scores of one classifier on one side, judged with near-twins and without them, as far as both are known."""

    classifier: str
    split: str
    images: int | None
    accuracy: Row | None
    macro_f1: Row | None
    accuracy_beside: Row | None
    macro_f1_beside: Row | None
    is_best: bool


@dataclass(frozen=True)
class Mistakes:
    """The section; each list by its own table.

    Attributes:
        scores: One row for each classifier and side.
        beside: What the second accuracy of a row is; empty where there is none.
        best: The classifier that all below is of, in words.
        judged: The side that all below is of.
        labels: Rows of ``label_scores``, worst recall first.
        cells: The confusion map; None where there is no mistake.
        pairs: Labels that are taken for each other: a mistaken image, and a typical one of what it was taken for.
        mistakes: The surest mistakes.
        suspects: Training images whose label looks wrong, each beside a typical one of the suggested label.
        checked: Whether labels were checked; None where the output has no such table.
    """

    scores: tuple[ScoreRow, ...]
    beside: str
    best: str
    judged: str
    labels: Capped[Row]
    cells: Cells | None
    pairs: Capped[Pair]
    mistakes: Capped[Tile]
    suspects: Capped[Pair]
    checked: bool | None

    @property
    def has_intervals(self) -> bool:
        """Whether scores by label have intervals."""
        return any(row["recall_low"] is not None for row in self.labels.items)

    @property
    def paths(self) -> Iterator[str]:
        """The images that it shows."""
        yield from paths_of((*self.pairs.items, *self.mistakes.items, *self.suspects.items))


def mistakes(results: Results) -> Mistakes:
    """The section of an output."""
    best, side = results.best, results.judged
    beside = next((table for table in _BESIDE if table in results.tables), "")
    confusion = results.rows("confusion", classifier=best, split=side)
    wrong = [row for row in confusion if row["label"] != row["prediction"] and row["images"]]
    labels = results.rows("label_scores", classifier=best, split=side)
    labels.sort(key=lambda row: (not row["images"], row["recall"] or 0.0, row["f1"] or 0.0, row["label"] or ""))
    return Mistakes(
        scores=tuple(_scores(results, beside)),
        beside=_BESIDE.get(beside, ""),
        best=spoken(best) if best else "",
        judged=side,
        labels=Capped(tuple(labels[:MOST_LABELS]), len(labels), "label_scores"),
        cells=cells_of([(row["label"], row["prediction"], row["images"]) for row in confusion]),
        pairs=_pairs(results, wrong),
        mistakes=_surest(results, sum(row["images"] for row in wrong)),
        suspects=_suspects(results),
        checked=results.classified.facts_or_fail.suspects is not None if "suspects" in results.tables else None,
    )


def _scores(results: Results, beside: str) -> Iterator[ScoreRow]:
    found = dict.fromkeys((row["classifier"], row["split"]) for row in results.rows("scores"))
    for classifier, split in sorted(found, key=lambda one: (one[1] != results.judged, one[0] != results.best, *one)):
        accuracy = _first(results, "scores", classifier, split, "accuracy")
        yield ScoreRow(
            classifier=spoken(classifier),
            split=split,
            images=accuracy["images"] if accuracy else None,
            accuracy=accuracy,
            macro_f1=_first(results, "scores", classifier, split, "macro_f1"),
            accuracy_beside=_first(results, beside, classifier, split, "accuracy"),
            macro_f1_beside=_first(results, beside, classifier, split, "macro_f1"),
            is_best=(classifier, split) == (results.best, results.judged),
        )


def _first(results: Results, table: str, classifier: str, split: str, metric: str) -> Row | None:
    return next(iter(results.rows(table, classifier=classifier, split=split, metric=metric)), None)


def _pairs(results: Results, confused: list[Row]) -> Capped[Pair]:
    """By ``confused``; of an output without it by ``confusion``, with the surest mistake of each pair as its image."""
    best, side, table = results.best, results.judged, "confused"
    rows = results.rows(table, classifier=best, split=side)
    if table not in results.tables:
        table = "confusion"
        wrong = results.rows("mistakes", classifier=best, split=side)
        surest = {(row["label"], row["prediction"]): row["path"] for row in reversed(wrong)}
        rows = [row | {"path": surest.get((row["label"], row["prediction"])), "share": None} for row in confused]
    rows.sort(key=lambda row: (-row["images"], -(row["share"] or 0.0), row["label"] or "", row["prediction"] or ""))
    shown = spread(rows, lambda row: row["label"], _MOST_PAIRS)
    total = max(len(rows), len(confused))
    return Capped(tuple(_confused(results, row) for row in shown), total, table, len(rows))


def _confused(results: Results, row: Row) -> Pair:
    label, taken_for = clean(row["label"]), clean(row["prediction"])
    share = "" if row["share"] is None else f", {percent(row['share'])} of its images"
    between = interval(row.get("share_low"), row.get("share_high"))
    return Pair(
        first=_tile(results, row["path"], f"is {label}"),
        second=_typical(results, row["prediction"]),
        title=f"{label} taken for {taken_for}",
        detail=f"{images(row['images'])}{share}{f' ({between})' if between else ''}",
    )


def _surest(results: Results, total: int) -> Capped[Tile]:
    """The surest of ``total`` mistakes, of which the table has the first ones alone."""
    rows = results.rows("mistakes", classifier=results.best, split=results.judged)
    rows.sort(key=lambda row: (-(row["confidence"] or 0.0), row["path"] or ""))
    shown = spread(rows, lambda row: (row["label"], row["prediction"]), _MOST_MISTAKES)
    tiles = [
        _tile(
            results,
            row["path"],
            f"said {clean(row['prediction'])}",
            f"is {clean(row['label'])}",
            f"{percent(row['confidence'])} sure",
        )
        for row in shown
    ]
    return Capped(tuple(tiles), max(total, len(rows)), "mistakes", len(rows))


def _suspects(results: Results) -> Capped[Pair]:
    rows = results.rows("suspects")
    rows.sort(key=lambda row: (row["label_probability"] or 0.0) - (row["suggested_probability"] or 0.0))
    shown = spread(rows, lambda row: (row["label"], row["suggested"]), _MOST_SUSPECTS)
    facts = results.classified.facts_or_fail.suspects
    total = max(len(rows), facts.images if facts else 0)
    return Capped(tuple(_suspect(results, row) for row in shown), total, "suspects", len(rows))


def _suspect(results: Results, row: Row) -> Pair:
    label, suggested = clean(row["label"]), clean(row["suggested"])
    return Pair(
        first=_tile(results, row["path"], f"labelled {label}"),
        second=_typical(results, row["suggested"]),
        title=f"{label}, or rather {suggested}?",
        detail=f"{percent(row['label_probability'])} to {percent(row['suggested_probability'])} by that model",
    )


def _typical(results: Results, label: str | None) -> Tile | None:
    found = next(iter(results.rows("typical", label=label)), None)
    return None if found is None else _tile(results, found["path"], f"a typical {clean(label)}")


def _tile(results: Results, path: str | None, *lines: str) -> Tile:
    name = path_below(path, results.source_root) if path else "no picture in the tables"
    return Tile(path, name, lines)
