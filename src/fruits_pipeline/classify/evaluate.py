"""Scores from confusion counts: pure functions over pyarrow tables.

Definitions are scikit-learn's with ``zero_division=0``
(https://scikit-learn.org/stable/modules/model_evaluation.html): the labels are those that an image of the
side has or that were predicted for one.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from fruits_pipeline.classify.intervals import GroupPair, over_groups, over_images, wilson
from fruits_pipeline.schemas import CONFUSION, LABEL_SCORES, SCORES

# By classifier and side.
Groups = Mapping[tuple[str, str], Sequence[GroupPair]]
# Judged images, counted by what was predicted of them, by how they look (null where that is not known), and by whether
# training has a near-twin.
COUNTED: Final = pa.schema(
    [
        ("classifier", pa.string()),
        ("split", pa.string()),
        ("label", pa.string()),
        ("prediction", pa.string()),
        ("perceptual_hash", pa.int64()),
        ("leaked", pa.bool_()),
        ("images", pa.int64()),
    ]
)
METRICS: Final = ("accuracy", "weighted_precision", "weighted_recall", "macro_f1")


@dataclass(frozen=True)
class LabelScores:
    """Scores of one classifier on one side by label, L labels by alphabet.

    Attributes:
        labels: The L labels.
        precision: float64 (L,), share of the images predicted so that are so; 0 where none was.
        recall: float64 (L,), share of the label's images that were found; 0 where it has none.
        f1: float64 (L,), harmonic mean of both; 0 where both are.
        support: int64 (L,), images of the label.
        correct: Images predicted rightly.
    """

    labels: tuple[str, ...]
    precision: NDArray[np.float64]
    recall: NDArray[np.float64]
    f1: NDArray[np.float64]
    support: NDArray[np.int64]
    correct: int


def by_label(pairs: list[tuple[str, str, int]]) -> LabelScores:
    """Scores by label.

    Args:
        pairs: Label, prediction and number of images.

    >>> by_label([("kiwi", "kiwi", 3), ("plum", "kiwi", 1)]).precision
    array([0.75, 0.  ])
    """
    labels = tuple(sorted({name for label, prediction, _ in pairs for name in (label, prediction)}))
    place = {label: index for index, label in enumerate(labels)}
    hits, support, predicted = np.zeros((3, len(labels)), np.int64)
    for label, prediction, images in pairs:
        support[place[label]] += images
        predicted[place[prediction]] += images
        hits[place[label]] += images * (label == prediction)
    return LabelScores(
        labels=labels,
        precision=_ratio(hits, predicted),
        recall=_ratio(hits, support),
        f1=_ratio(2 * hits, support + predicted),
        support=support,
        correct=int(hits.sum()),
    )


def metrics(scores: LabelScores) -> dict[str, float]:
    """The four figures of ``METRICS`` for one classifier, each in [0, 1]; all 0 without an image."""
    images = int(scores.support.sum())
    if not images:
        return dict.fromkeys(METRICS, 0.0)
    weights = scores.support / images
    values = (
        scores.correct / images,
        float(scores.precision @ weights),
        float(scores.recall @ weights),
        float(scores.f1.mean()),
    )
    return dict(zip(METRICS, values, strict=True))


def confusion_of(counted: pa.Table) -> pa.Table:
    """Rows of ``schemas.CONFUSION``, sorted by all but their number, from rows of ``COUNTED``."""
    keys = [name for name in CONFUSION.names if name != "images"]
    found = counted.group_by(keys).aggregate([("images", "sum")]).rename_columns([*keys, "images"])
    return found.select(CONFUSION.names).cast(CONFUSION).sort_by([(key, "ascending") for key in keys])


def groups_of(counted: pa.Table) -> Groups:
    """Judged images by classifier, side and group of images that look the same, from rows of ``COUNTED``."""
    found: defaultdict[tuple[str, str], list[GroupPair]] = defaultdict(list)
    for row in counted.filter(pc.is_valid(counted["perceptual_hash"])).to_pylist():
        group = (row["perceptual_hash"], row["label"], row["prediction"], row["images"])
        found[row["classifier"], row["split"]].append(group)
    return dict(found)


def scores_table(confusion: pa.Table, groups: Groups) -> pa.Table:
    """Rows of ``schemas.SCORES`` from rows of ``schemas.CONFUSION``: four metrics for each classifier and side.

    Args:
        confusion: The rows.
        groups: By classifier and side, the same counted by groups of images that look the same, where that is known.
    """
    rows = []
    for classifier, split, pairs in judged_pairs(confusion):
        images, intervals = sum(n for *_, n in pairs), over_images(pairs)
        by_group = over_groups(groups.get((classifier, split), ())) or {}
        for metric, value in metrics(by_label(pairs)).items():
            ends = (*intervals[metric], *by_group.get(metric, (None, None)))
            rows.append(dict(zip(SCORES.names, (classifier, split, metric, value, images, *ends), strict=True)))
    return pa.Table.from_pylist(rows, schema=SCORES)


def label_scores_table(confusion: pa.Table) -> pa.Table:
    """Rows of ``schemas.LABEL_SCORES`` from rows of ``schemas.CONFUSION``, by classifier, split and alphabet."""
    tables = [_label_rows(classifier, split, by_label(pairs)) for classifier, split, pairs in judged_pairs(confusion)]
    return pa.concat_tables([LABEL_SCORES.empty_table(), *tables])


def _label_rows(classifier: str, split: str, scores: LabelScores) -> pa.Table:
    intervals = [
        wilson(round(recall * images), int(images)) if images else (None, None)
        for recall, images in zip(scores.recall, scores.support, strict=True)
    ]
    columns = [
        [classifier] * len(scores.labels),
        [split] * len(scores.labels),
        list(scores.labels),
        scores.precision.tolist(),
        scores.recall.tolist(),
        scores.f1.tolist(),
        scores.support.tolist(),
        *map(list, zip(*intervals, strict=True)),
    ]
    return pa.Table.from_pydict(dict(zip(LABEL_SCORES.names, columns, strict=True)), schema=LABEL_SCORES)


def judged_pairs(confusion: pa.Table) -> Iterator[tuple[str, str, list[tuple[str, str, int]]]]:
    """Each classifier and side, sorted so, with label, prediction and images of each of its rows."""
    found: defaultdict[tuple[str, str], list[tuple[str, str, int]]] = defaultdict(list)
    for row in confusion.select(CONFUSION.names).to_pylist():
        found[row["classifier"], row["split"]].append((row["label"], row["prediction"], row["images"]))
    for (classifier, split), pairs in sorted(found.items()):
        yield classifier, split, pairs


def _ratio(part: NDArray[np.int64], whole: NDArray[np.int64]) -> NDArray[np.float64]:
    """``part / whole``, 0 where ``whole`` is 0."""
    return np.divide(part, whole, out=np.zeros(part.shape, np.float64), where=whole > 0)
