"""What is seen of the images in one pass: labels and sides, sizes, poor pictures, and a sample for the map.

Sums of batches, which add up in any order to the same.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

import pandas as pd
import pyarrow as pa

from fruits_pipeline import schemas
from fruits_pipeline.examine.facts import Sizes
from fruits_pipeline.examine.pictures import Issue

MOST_SIZES: Final = 1_000
# Labels by side; the classifiers take no more.
MOST_LABELS: Final = 20_000
MOST_PICTURES: Final = 24
MOST_POINTS: Final = 3_000
# Above this share it is no issue of single pictures.
_PREVALENT: Final = 0.5
# What is looked at of each row of ``schemas.REDUCED``, beside the column ``components``.
COLUMNS: Final = (
    *("path", "label", "split", "content_sha256", "width", "height"),
    *("brightest", "darkest", "entropy", "sharpness"),
)
_IMAGE: Final = ["path", "label", "split"]
# The end of a content's hash; its beginning decides on the side.
_DRAWN_BY: Final = slice(-16, None)

Row = dict[str, Any]


@dataclass(frozen=True)
class Seen:
    """What was seen of some images.

    Attributes:
        labels: Images by label and split, each perhaps None.
        sizes: Images by width and height.
        poor: Images by issue.
        worst: The worst pictures of each issue, worst first: rows of ``schemas.PICTURES`` with ``rank``.
        drawn: The images whose contents' hashes end lowest, in that order: rows of ``schemas.MAP`` with ``rank``.
    """

    labels: Counter[tuple[str | None, str | None]] = field(default_factory=Counter)
    sizes: Counter[tuple[int, int]] = field(default_factory=Counter)
    poor: Counter[str] = field(default_factory=Counter)
    worst: dict[str, list[Row]] = field(default_factory=dict)
    drawn: list[Row] = field(default_factory=list)

    @classmethod
    def of(cls, batch: pa.RecordBatch, issues: Iterable[Issue]) -> "Seen":
        """Of a batch with the columns ``COLUMNS``, and ``components`` with the first one or two of each row."""
        frame = batch.select(list(COLUMNS)).to_pandas()
        frame[_IMAGE] = frame[_IMAGE].astype(object).where(frame[_IMAGE].notna(), None)
        found = {issue: _found(frame, issue) for issue in issues}
        components = batch.column("components").to_pylist()
        points = frame[_IMAGE].assign(
            first=[float(one[0]) for one in components],
            second=[float(one[1]) if len(one) > 1 else 0.0 for one in components],
            rank=frame["content_sha256"].str[_DRAWN_BY],
        )
        return cls(
            labels=Counter(zip(frame["label"], frame["split"], strict=True)),
            sizes=Counter(zip(frame["width"].tolist(), frame["height"].tolist(), strict=True)),
            poor=Counter({issue.name: len(rows) for issue, rows in found.items() if len(rows)}),
            worst={issue.name: _first(_rows(rows), MOST_PICTURES) for issue, rows in found.items() if len(rows)},
            drawn=_first(_rows(points), MOST_POINTS),
        )

    def with_(self, other: "Seen") -> "Seen":
        """What was seen of both."""
        worst = {
            issue: _first([*self.worst.get(issue, ()), *other.worst.get(issue, ())], MOST_PICTURES)
            for issue in self.worst.keys() | other.worst.keys()
        }
        return Seen(
            labels=self.labels + other.labels,
            sizes=self.sizes + other.sizes,
            poor=self.poor + other.poor,
            worst=worst,
            drawn=_first([*self.drawn, *other.drawn], MOST_POINTS),
        )

    @property
    def images(self) -> int:
        """All of them."""
        return sum(self.labels.values())

    def label_counts(self) -> pa.Table:
        """Rows of ``schemas.LABEL_COUNTS``, by label and split; those without one come first."""
        known = sorted(self.labels.items(), key=lambda one: tuple((name is not None, name or "") for name in one[0]))
        rows = [(*names, images) for names, images in known[:MOST_LABELS]]
        return _table(rows, schemas.LABEL_COUNTS)

    def common_sizes(self) -> pa.Table:
        """Rows of ``schemas.SIZES``, the commonest first, at most ``MOST_SIZES``."""
        ordered = sorted(self.sizes.items(), key=lambda one: (-one[1], one[0]))
        return _table([(*size, images) for size, images in ordered[:MOST_SIZES]], schemas.SIZES)

    def size_facts(self) -> Sizes:
        """The smallest, the median and the largest size by their pixels; there is at least one image."""
        ordered = sorted(self.sizes, key=lambda size: (size[0] * size[1], size))
        until, middle = 0, ordered[-1]
        for size in ordered:
            until += self.sizes[size]
            if 2 * until >= self.images:
                middle = size
                break
        return Sizes(distinct=len(ordered), smallest=ordered[0], median=middle, largest=ordered[-1])

    def issues(self, asked: Iterable[Issue]) -> pa.Table:
        """Rows of ``schemas.PICTURE_ISSUES``, one for each issue."""
        rows = []
        for issue in asked:
            count = self.poor[issue.name]
            share = count / max(self.images, 1)
            rows.append((issue.name, issue.figure, issue.below, issue.threshold, count, share, share <= _PREVALENT))
        return _table(rows, schemas.PICTURE_ISSUES)

    def pictures(self, asked: Iterable[Issue]) -> pa.Table:
        """Rows of ``schemas.PICTURES``: the worst pictures of each issue that is told, in the order of the issues."""
        told = [row["issue"] for row in self.issues(asked).to_pylist() if row["told"]]
        rows = [row | {"issue": issue} for issue in told for row in self.worst.get(issue, ())]
        return pa.Table.from_pylist(rows, schema=schemas.PICTURES)

    def map(self) -> pa.Table:
        """Rows of ``schemas.MAP``: a sample of at most ``MOST_POINTS`` images, the same on every machine."""
        return pa.Table.from_pylist(self.drawn, schema=schemas.MAP)


def _found(frame: pd.DataFrame, issue: Issue) -> pd.DataFrame:
    """The pictures that have the issue, with their ``value`` and a ``rank`` that is the lower the worse."""
    values = issue.values(frame)
    holds = issue.holds(values)
    # A column given to no row would bring rows of its own.
    found: pd.DataFrame = frame.loc[holds, _IMAGE].assign(value=values[holds])
    return found.assign(rank=found["value"] if issue.below else -found["value"])


def _rows(frame: pd.DataFrame) -> list[Row]:
    return [dict(zip(frame.columns, row, strict=True)) for row in frame.itertuples(index=False, name=None)]


def _first(rows: list[Row], most: int) -> list[Row]:
    return sorted(rows, key=lambda row: (row["rank"], row["path"]))[:most]


def _table(rows: list[tuple[Any, ...]], schema: pa.Schema) -> pa.Table:
    return pa.Table.from_pylist([dict(zip(schema.names, row, strict=True)) for row in rows], schema=schema)
