"""What the predictions of new images came to: the facts in their marker and in ``run.json``."""

from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

from fruits_pipeline.classify.inputs import Labels

# An alarm needs an AUC from here on, and a smaller p-value than the other.
LEAST_AUC: Final = 0.6
LARGEST_P: Final = 0.01


class Separation(BaseModel):
    """How well a classifier tells new images from training images of the same labels.

    Attributes:
        auc: Area under its ROC curve, on images that it was not fitted on: 0.5 where it cannot tell them, 1 where it
            always can.
        p_value: The share of random shuffles of new and training images that are told apart as well or better.
        trained: Training images that were compared.
        new: New images that were compared.
    """

    model_config = ConfigDict(frozen=True)

    auc: float
    p_value: float
    trained: int
    new: int


class LabelShift(BaseModel):
    """A label, its share of the training images, and the share of new images for which it is predicted."""

    model_config = ConfigDict(frozen=True)

    label: str
    trained: float
    predicted: float


class FigureShift(BaseModel):
    """A figure of the pixels (``schemas.FIGURES``): its median over the training images, and over new ones."""

    model_config = ConfigDict(frozen=True)

    trained: float
    new: float


class Drift(BaseModel):
    """How new images that were not learnt from differ from training images.

    Attributes:
        verdict: Whether they look different, with ``LEAST_AUC`` and ``LARGEST_P``.
        looks: How well they are told apart by their components; None where there are too few of the same labels.
        figures: Brightness, entropy and sharpness of both; none where one side has no image.
        label_shift: Total variation distance of the shares of labels, from 0 (equal) to 1 (no label in common).
        labels: The labels whose shares differ most.
        unfamiliar_share: Of the new images; 0.01 is expected.
        rejected_share: Of all images of the new source.
        trained_rejected_share: Of the images of the models' own run, where that is known.
    """

    model_config = ConfigDict(frozen=True)

    verdict: Literal["none", "drift", "too few images"]
    looks: Separation | None
    figures: dict[str, FigureShift] = {}
    label_shift: float
    labels: tuple[LabelShift, ...]
    unfamiliar_share: float
    rejected_share: float
    trained_rejected_share: float | None

    def exceeds(self, auc: float) -> bool:
        """Whether new images are told from training images this well, and not by chance."""
        return self.looks is not None and self.looks.auc >= auc and self.looks.p_value < LARGEST_P


class Scored(BaseModel):
    """What the models said of new images.

    Attributes:
        models: The output whose models they are.
        scores: Value of each metric by classifier, over the images that have a label and were not learnt from; none
            where there is no such image.
        judged: How many these are.
        unlearnt: Labels of these that the models do not know.
        learnt: Images whose bytes the models were trained on: predicted, and never judged.
        unfamiliar: Images that lie further off than 99 of 100 held-out ones of the training.
        drift: How they differ from the images of the training.
        images: All images.
        predictions: Rows of ``predictions``.
    """

    model_config = ConfigDict(frozen=True)

    models: str
    scores: dict[str, dict[str, float]]
    judged: int
    unlearnt: Labels
    learnt: int
    unfamiliar: int
    drift: Drift
    images: int
    predictions: int
