"""Whether new images look like those that the models were trained on: looks, labels, unfamiliar ones and rejects."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812, because Spark's own documentation spells it so

from fruits_pipeline.score.facts import LEAST_AUC, Drift, LabelShift, Separation
from fruits_pipeline.score.reference import Reference
from fruits_pipeline.score.separation import matched, separation
from fruits_pipeline.trained.classifier import Classifier
from fruits_pipeline.trained.models import TrainedModels

log = logging.getLogger(__name__)

# Fewer images on either side are not judged.
FEWEST: Final = 200
_SAMPLE: Final = 1_000
# So many times a sample are drawn, of which the rest is left out.
_ROOM: Final = 1.3
_SHIFTS_TOLD: Final = 5


@dataclass(frozen=True)
class NewImages:
    """What is compared with the training images.

    Attributes:
        features: Rows of ``schemas.FEATURES`` of all new images, in parts.
        read: How many these are.
        predicted: Images by predicted label.
        unfamiliar: How many are unfamiliar.
        rejected_share: Share of all new images that cannot be read.
    """

    features: Sequence[DataFrame]
    read: int
    predicted: Mapping[str, int]
    unfamiliar: int
    rejected_share: float


def drift(reference: Reference, new: NewImages, models: TrainedModels) -> Drift:
    """How ``new`` differs from the training images; looks by a sample of at most a thousand of each."""
    components = models.projection.applied(_sample(new.features, "features", new.read))[0]
    trained = _sample([reference.rows], "pca_features", reference.images)
    looks, all_images, same_labels = compared(trained, components, models.classifiers[0])
    shifts = _shifts(reference.labels, new.predicted)
    found = Drift(
        verdict="none",
        looks=looks,
        same_labels=same_labels,
        all_images=all_images,
        label_shift=sum(abs(shift.trained - shift.predicted) for shift in shifts) / 2,
        labels=tuple(shifts[:_SHIFTS_TOLD]),
        unfamiliar_share=new.unfamiliar / max(new.read, 1),
        rejected_share=new.rejected_share,
        trained_rejected_share=reference.rejected_share,
    )
    if looks is None:
        log.warning("drift is not judged: that takes %d new and %d training images", FEWEST, FEWEST)
        return found.model_copy(update={"verdict": "too few images"})
    told = (looks.auc, looks.p_value, looks.images, found.label_shift)
    if not found.exceeds(LEAST_AUC):
        log.info("drift verdict=none auc=%.3f p_value=%.3f images=%d label_shift=%.2f", *told)
        return found
    log.warning("drift verdict=drift auc=%.3f p_value=%.3f images=%d label_shift=%.2f", *told)
    return found.model_copy(update={"verdict": "drift"})


def compared(
    trained: NDArray[np.float32], new: NDArray[np.float32], classifier: Classifier
) -> tuple[Separation | None, Separation | None, bool]:
    """The separation to judge by, that of all images, and whether the first is of the same mix of predicted labels."""
    if min(len(trained), len(new)) < FEWEST:
        return None, None, False
    all_images = separation(trained, new)
    labels = (classifier.probabilities(values).argmax(axis=1) for values in (trained, new))
    ours, theirs = matched(*labels)
    if len(ours) < FEWEST:
        return all_images, all_images, False
    return separation(trained[ours], new[theirs]), all_images, True


def _sample(parts: Sequence[DataFrame], column: str, images: int) -> NDArray[np.float32]:
    """Float32 (N, length of ``column``) of the images whose contents hash lowest, each content once."""
    share = min(1.0, _ROOM * _SAMPLE / max(images, 1))
    drawn = F.conv(F.substring("content_sha256", 1, 8), 16, 10).cast("long") < int(share * 2**32)
    found = pd.concat([rows.where(drawn).select("content_sha256", column).toPandas() for rows in parts])
    lowest = found.drop_duplicates("content_sha256").sort_values("content_sha256").head(_SAMPLE)
    return np.array([*lowest[column]], np.float32).reshape(len(lowest), -1)


def _shifts(trained: Mapping[str, int], predicted: Mapping[str, int]) -> list[LabelShift]:
    """All labels, those first whose shares differ most."""
    old, new = max(sum(trained.values()), 1), max(sum(predicted.values()), 1)
    shifts = (
        LabelShift(label=label, trained=trained.get(label, 0) / old, predicted=predicted.get(label, 0) / new)
        for label in sorted({*trained, *predicted})
    )
    return sorted(shifts, key=lambda shift: -abs(shift.trained - shift.predicted))
