"""Scores with 95 % intervals, from confusion counts."""

from typing import Final

import numpy as np
from pydantic import BaseModel, ConfigDict

from fruits_pipeline.classify.evaluate import by_label, metrics

# The normal distribution's quantile of 97.5 %.
_Z: Final = 1.959964
_DRAWS: Final = 1_000
_SEED: Final = 42


class SideScores(BaseModel):
    """How right the regression was on one side, as the run judged it.

    Attributes:
        split: The side.
        images: Its images with a label.
        labels: Labels that these have or that were predicted.
        accuracy: Share of right answers.
        accuracy_interval: Its 95 % interval, by Wilson (1927).
        macro_f1: Mean of the labels' F1.
        macro_f1_interval: Its 95 % interval, by a bootstrap of the images.
    """

    model_config = ConfigDict(frozen=True)

    split: str
    images: int
    labels: int
    accuracy: float
    accuracy_interval: tuple[float, float]
    macro_f1: float
    macro_f1_interval: tuple[float, float]


def side_scores(split: str, pairs: list[tuple[str, str, int]]) -> SideScores:
    """The scores of one side.

    Args:
        split: Its name.
        pairs: Label, prediction and number of images, of at least one image.
    """
    scores = by_label(pairs)
    images, found = int(scores.support.sum()), metrics(scores)
    return SideScores(
        split=split,
        images=images,
        labels=len(scores.labels),
        accuracy=found["accuracy"],
        accuracy_interval=wilson(scores.correct, images),
        macro_f1=found["macro_f1"],
        macro_f1_interval=macro_f1_interval(pairs),
    )


def wilson(right: int, images: int) -> tuple[float, float]:
    """The 95 % interval of a share, by Wilson's score.

    >>> [round(end, 4) for end in wilson(95, 100)], [round(end, 4) for end in wilson(10, 10)]
    ([0.8882, 0.9785], [0.7225, 1.0])
    """
    share, square = right / images, _Z * _Z
    middle = (share + square / (2 * images)) / (1 + square / images)
    half = _Z * np.sqrt(share * (1 - share) / images + square / (4 * images**2)) / (1 + square / images)
    return max(0.0, float(middle - half)), min(1.0, float(middle + half))


def macro_f1_interval(pairs: list[tuple[str, str, int]]) -> tuple[float, float]:
    """The 95 % interval of the macro F1, over 1,000 seeded draws of as many images as each label has.

    Labels are drawn one by one, so that none is missing from a draw, which would count as one that was never found.
    """
    names = sorted({name for label, prediction, _ in pairs for name in (label, prediction)})
    place = {name: index for index, name in enumerate(names)}
    counts = np.array([images for _, _, images in pairs])
    drawn = np.zeros((_DRAWS, len(pairs)), np.int64)
    rng, of_label = np.random.default_rng(_SEED), np.array([place[label] for label, _, _ in pairs])
    for columns in (np.flatnonzero(of_label == one) for one in np.unique(of_label)):
        images = counts[columns]
        drawn[:, columns] = rng.multinomial(images.sum(), images / images.sum(), _DRAWS)
    hits, support, predicted = np.zeros((3, _DRAWS, len(names)))
    for column, (label, prediction, _) in enumerate(pairs):
        support[:, place[label]] += drawn[:, column]
        predicted[:, place[prediction]] += drawn[:, column]
        hits[:, place[label]] += drawn[:, column] * (label == prediction)
    whole = support + predicted
    f1 = np.divide(2 * hits, whole, out=np.zeros_like(whole), where=whole > 0).mean(axis=1)
    low, high = np.quantile(f1, (0.025, 0.975))
    return float(low), float(high)
