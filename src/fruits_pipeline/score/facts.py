"""What the predictions of new images came to: the facts in their marker and in ``run.json``."""

from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

from fruits_pipeline.classify.inputs import Labels

# An alarm needs an AUC from here on, and a smaller p-value than the other.
LEAST_AUC: Final = 0.6
LARGEST_P: Final = 0.01


class Separation(BaseModel):
    """How well new images are told from training images.

    Attributes:
        auc: Probability that a new image looks newer to the classifier than a training image does: 0.5 by chance, 1
            where all are told apart.
        p_value: Share of shuffles of old and new, this one included, in which they are told apart as well.
        images: Images compared: of both kinds, as many as there are of the rarer one at least.
    """

    model_config = ConfigDict(frozen=True)

    auc: float
    p_value: float
    images: int


class LabelShift(BaseModel):
    """A label, its share of the training images, and the share of new images for which it is predicted."""

    model_config = ConfigDict(frozen=True)

    label: str
    trained: float
    predicted: float


class Drift(BaseModel):
    """How new images differ from training images.

    Attributes:
        verdict: Of ``looks``: ``drift`` is an alarm.
        looks: How well components tell new from training images, of the same mix of labels wherever there are enough
            such images: a new mix of labels alone is then no alarm.
        same_labels: Whether ``looks`` is of the same mix of labels.
        all_images: The same, whatever the labels.
        label_shift: Total variation distance of the shares of labels, from 0 (equal) to 1 (no label in common).
        labels: The labels whose shares differ most.
        unfamiliar_share: Of the new images; 0.01 is expected.
        rejected_share: Of the new images.
        trained_rejected_share: Of the images of the models' own run, where that is known.
    """

    model_config = ConfigDict(frozen=True)

    verdict: Literal["none", "drift", "too few images"]
    looks: Separation | None
    same_labels: bool
    all_images: Separation | None
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
