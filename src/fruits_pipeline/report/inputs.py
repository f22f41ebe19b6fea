"""What went in? Files by what became of them, sizes, labels by side, faults of pictures, and images that look alike."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from fruits_pipeline.report.evidence import issue_name
from fruits_pipeline.report.facts import LeakFacts, SizeFacts, TwinFacts
from fruits_pipeline.report.load import Results, Row
from fruits_pipeline.report.mistakes import MOST_LABELS
from fruits_pipeline.report.shown import Capped, Pair, Tile, paths_of, spread
from fruits_pipeline.report.words import clean, images, number_of, path_below, plural
from fruits_pipeline.schemas import TEST, TRAIN, VALIDATION
from fruits_pipeline.state.counts import Counts

_MOST_PAIRS: Final = 12
_MOST_PICTURES: Final = 7
_MOST_SIZES: Final = 10
_MOST_LEFT_OUT: Final = 40
_SIDES: Final = (TRAIN, VALIDATION, TEST)


@dataclass(frozen=True)
class LabelCount:
    """A label's images by side; ``none`` are those that are only predicted; not ``is_label`` where they have none."""

    label: str
    train: int
    validation: int
    test: int
    none: int
    is_label: bool = True

    @property
    def total(self) -> int:
        """All of them."""
        return self.train + self.validation + self.test + self.none


@dataclass(frozen=True)
class PictureIssue:
    """One fault of pictures: what is judged of it, and the worst pictures.

    Attributes:
        name: What it is called.
        judged_by: Figure, direction and threshold.
        images: Those beyond the threshold.
        share: Their share.
        told: False where most images are beyond it: then it is how these pictures are.
        worst: The worst of them.
    """

    name: str
    judged_by: str
    images: int
    share: float
    told: bool
    worst: Capped[Tile]


@dataclass(frozen=True)
class Inputs:
    """The section; parts that an output has no table of are None.

    ``labels_told`` counts all labels and images, shown or not; ``twin_cosine`` is the least cosine of twins.
    """

    counts: Counts | None
    left_out: Capped[Row] | None
    size_facts: SizeFacts | None
    sizes: Capped[Row]
    labels: Capped[LabelCount] | None
    labels_told: str
    issues: tuple[PictureIssue, ...] | None
    twin_facts: TwinFacts | None
    twin_cosine: float | None
    twins: Capped[Pair] | None
    leak_facts: LeakFacts | None
    leaks: Capped[Pair] | None

    @property
    def sides(self) -> tuple[str, ...]:
        """The sides that any image of a label is on."""
        rows = self.labels.items if self.labels else ()
        return tuple(side for side in (*_SIDES, "none") if any(getattr(row, side) for row in rows))

    @property
    def paths(self) -> Iterator[str]:
        """The images that it shows."""
        for issue in self.issues or ():
            yield from paths_of(issue.worst.items)
        yield from paths_of((*(self.twins or Capped()).items, *(self.leaks or Capped()).items))


def inputs(results: Results) -> Inputs:
    """The section of an output."""
    examined = results.examined.facts_or_fail if results.examined else None
    distinct = examined.sizes.distinct if examined and examined.sizes else 0
    sizes = sorted(results.rows("sizes"), key=lambda row: (-row["images"], row["width"], row["height"]))
    labels = _labels(results)
    return Inputs(
        counts=results.snapshot.counts if results.snapshot else None,
        left_out=_left_out(results),
        size_facts=examined.sizes if examined else None,
        sizes=Capped(tuple(sizes[:_MOST_SIZES]), distinct, "sizes", len(sizes)),
        labels=None if labels is None else Capped(tuple(labels[:MOST_LABELS]), len(labels), "label_counts"),
        labels_told=_labels_told(labels or []),
        issues=tuple(_issues(results)) if "picture_issues" in results.tables else None,
        twin_facts=examined.twins if examined else None,
        twin_cosine=number_of(results.examined.settings.get("twin_cosine")) if results.examined else None,
        twins=_twins(results),
        leak_facts=results.classified.facts_or_fail.leaks,
        leaks=_leaks(results),
    )


def _left_out(results: Results) -> Capped[Row] | None:
    """Examples of rejected and skipped files; the number of all of a reason stands in each of its rows."""
    if "left_out" not in results.tables:
        return None
    rows = sorted(results.rows("left_out"), key=lambda row: (row["kind"] or "", -row["images"], row["reason"] or ""))
    shown = spread(rows, lambda row: (row["kind"], row["reason"]), _MOST_LEFT_OUT, 3)
    shown.sort(key=rows.index)
    told = [row | {"name": path_below(row["path"] or "", results.source_root)} for row in shown]
    return Capped(tuple(told), len(rows), "left_out")


def _labels(results: Results) -> list[LabelCount] | None:
    """All labels by name, and images without one."""
    if "label_counts" not in results.tables:
        return None
    counts: dict[str | None, dict[str, int]] = {}
    for row in results.rows("label_counts"):
        side = row["split"] if row["split"] in _SIDES else "none"
        of_label = counts.setdefault(row["label"], dict.fromkeys((*_SIDES, "none"), 0))
        of_label[side] += row["images"]
    rows = [
        LabelCount("(no label)" if label is None else clean(label), **found, is_label=label is not None)
        for label, found in counts.items()
    ]
    return sorted(rows, key=lambda row: row.label)


def _labels_told(rows: list[LabelCount]) -> str:
    """How many labels and images there are.

    >>> _labels_told([LabelCount("fig", 3, 0, 1, 0), LabelCount("(no label)", 0, 0, 0, 2, is_label=False)])
    '1 label, 6 images, 2 of them without a label'
    """
    without = sum(row.total for row in rows if not row.is_label)
    rest = f", {without:,} of them without a label" if without else ""
    return f"{plural(sum(row.is_label for row in rows), 'label')}, {images(sum(row.total for row in rows))}{rest}"


def _issues(results: Results) -> Iterator[PictureIssue]:
    for row in sorted(results.rows("picture_issues"), key=lambda row: (not row["told"], -(row["share"] or 0.0))):
        worst = results.rows("pictures", issue=row["issue"])
        worst.sort(key=lambda one: one["value"] if row["below"] else -one["value"])
        tiles = [
            Tile(
                one["path"],
                path_below(one["path"], results.source_root),
                (f"{clean(row['figure'])} {one['value']:.3g}", clean(one["label"])),
            )
            for one in worst[:_MOST_PICTURES]
        ]
        figure, way = clean(row["figure"]).replace("_", " "), "below" if row["below"] else "above"
        yield PictureIssue(
            name=issue_name(row["issue"]),
            judged_by=f"{figure} {way} {row['threshold']:.3g}",
            images=row["images"],
            share=row["share"] or 0.0,
            told=bool(row["told"]),
            worst=Capped(tuple(tiles), row["images"], "pictures", len(worst)),
        )


def _twins(results: Results) -> Capped[Pair] | None:
    """Pairs that look the same: those with two labels first, then those on two sides."""
    if "twins" not in results.tables:
        return None
    rows = results.rows("twins")
    rows.sort(key=lambda row: (row["label"] == row["twin_label"], row["split"] == row["twin_split"]))
    shown = spread(rows, lambda row: (row["label"], row["twin_label"]), _MOST_PAIRS)
    facts = results.examined.facts_or_fail.twins if results.examined else None
    total = max(len(rows), facts.pairs if facts else 0)
    return Capped(tuple(_pair(results, row, row["twin_split"]) for row in shown), total, "twins", len(rows))


def _leaks(results: Results) -> Capped[Pair] | None:
    """Judged images with a near-twin in training: those with two labels first, then the nearest."""
    if "leaks" not in results.tables:
        return None
    rows = results.rows("leaks")
    rows.sort(key=lambda row: (row["label"] == row["twin_label"], -(row["cosine"] or 0.0), row["path"] or ""))
    shown = spread(rows, lambda row: (row["label"], row["twin_label"]), _MOST_PAIRS)
    return Capped(tuple(_pair(results, row, TRAIN) for row in shown), len(rows), "leaks")


def _pair(results: Results, row: Row, twin_split: str | None) -> Pair:
    first, second = (
        Tile(row[path], path_below(row[path], results.source_root), (clean(row[label]), split or "no side"))
        for path, label, split in (("path", "label", row["split"]), ("twin_path", "twin_label", twin_split))
    )
    two = "" if row["label"] == row["twin_label"] else ", two labels"
    cosine = f"cosine {row['cosine']:.3f}" if row.get("cosine") is not None else ""
    bits = f", {row['hash_bits']} of 64 bits differ" if row.get("hash_bits") is not None else ""
    return Pair(
        first, second, f"{'same file' if row['same_content'] else 'look the same'}{two}", cosine + bits, differ=True
    )
