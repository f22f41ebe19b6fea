"""Scores with 95 % intervals, from confusion counts."""

from pydantic import BaseModel, ConfigDict

from fruits_pipeline.classify.evaluate import by_label, metrics
from fruits_pipeline.classify.intervals import over_images


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
    images, found, intervals = int(scores.support.sum()), metrics(scores), over_images(pairs)
    return SideScores(
        split=split,
        images=images,
        labels=len(scores.labels),
        accuracy=found["accuracy"],
        accuracy_interval=intervals["accuracy"],
        macro_f1=found["macro_f1"],
        macro_f1_interval=intervals["macro_f1"],
    )
