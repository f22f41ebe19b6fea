"""What discriminants say of images that they were not fitted on: sums of batches, which add up in any order."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from fruits_pipeline.classify.discriminant import Discriminant
from fruits_pipeline.session.tables import as_matrix

# Images with another label's answer that are kept, those first whose own label is least likely.
MOST_DENIED: Final = 50_000

Row = dict[str, Any]


@dataclass(frozen=True)
class Judged:
    """What was said of images with L labels.

    Attributes:
        images: float64 (L,), images of each label that could be judged: the other folds have the label too.
        confidence: float64 (L,), the sum of what was given to the label that they have.
        nearest: For each label's index the distance to the label's mean, and the path, of the nearest image.
        denied: Images with another answer: rows of ``schemas.SUSPECTS``, those first that are least like their label.
    """

    images: NDArray[np.float64]
    confidence: NDArray[np.float64]
    nearest: dict[int, tuple[float, str]]
    denied: list[Row]

    @classmethod
    def of(cls, batch: pa.RecordBatch, fits: Sequence[Discriminant], labels: Sequence[str]) -> "Judged":
        """Of a batch with the columns ``path, label, fold, components``.

        Args:
            batch: At least one row; each label is one of ``labels``.
            fits: For each fold what was fitted without it.
            labels: The L labels.
        """
        places = pc.index_in(batch.column("label"), pa.array(labels, pa.string())).to_numpy()
        values = as_matrix(batch.column("components")).astype(np.float64)
        folds = batch.column("fold").to_numpy()
        own, other, said = np.full(len(values), np.nan), np.full(len(values), np.nan), places.copy()
        distances = np.linalg.norm(values - np.stack([fit.means for fit in fits])[folds, places], axis=1)
        for fold in np.unique(folds):
            # Of a label that the other folds do not have nothing can be said.
            chosen = np.flatnonzero((folds == fold) & fits[fold].known[places])
            if chosen.size:
                shares = fits[fold].probabilities(values[chosen])
                own[chosen] = shares[np.arange(len(chosen)), places[chosen]]
                said[chosen], other[chosen] = shares.argmax(axis=1), shares.max(axis=1)
        paths = batch.column("path").to_pylist()
        known = ~np.isnan(own)
        return cls(
            images=np.bincount(places[known], minlength=len(labels)).astype(np.float64),
            confidence=np.bincount(places[known], own[known], minlength=len(labels)).astype(np.float64),
            nearest=_nearest(places, distances, paths),
            denied=_first(
                [
                    _row(paths[n], labels[places[n]], labels[said[n]], float(own[n]), float(other[n]))
                    for n in np.flatnonzero(said != places)
                ]
            ),
        )

    def with_(self, other: "Judged") -> "Judged":
        """What was said of both."""
        nearest = {
            label: min(found[label] for found in (self.nearest, other.nearest) if label in found)
            for label in self.nearest.keys() | other.nearest.keys()
        }
        return Judged(
            images=self.images + other.images,
            confidence=self.confidence + other.confidence,
            nearest=nearest,
            denied=_first([*self.denied, *other.denied]),
        )

    def firmly_denied(self, labels: Sequence[str]) -> list[Row]:
        """Those of ``denied`` whose answer is as sure as it is of images of that label on average."""
        usual = np.divide(self.confidence, self.images, out=np.full(len(labels), np.inf), where=self.images > 0)
        bars = dict(zip(labels, usual, strict=True))
        return [row for row in self.denied if row["suggested_probability"] >= bars[row["suggested"]]]


def _nearest(
    places: NDArray[np.int64], distances: NDArray[np.float64], paths: list[str]
) -> dict[int, tuple[float, str]]:
    found: dict[int, tuple[float, str]] = {}
    for place, distance, path in zip(places.tolist(), distances.tolist(), paths, strict=True):
        found[place] = min(found.get(place, (distance, path)), (distance, path))
    return found


def _row(path: str, label: str, suggested: str, own: float, other: float) -> Row:
    return {
        "path": path,
        "label": label,
        "suggested": suggested,
        "label_probability": own,
        "suggested_probability": other,
    }


def _first(rows: list[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: (row["label_probability"], -row["suggested_probability"], row["path"]))[
        :MOST_DENIED
    ]
