"""Whether new images look like those that the models were trained on: looks, labels, unfamiliar ones and rejects."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812, because Spark's own documentation spells it so

from fruits_pipeline.errors import InputError
from fruits_pipeline.score.facts import LEAST_AUC, Drift, FigureShift, LabelShift, Scored, Separation
from fruits_pipeline.score.reference import Reference
from fruits_pipeline.score.samples import new_features, trained_components
from fruits_pipeline.score.separation import Side, matched, separation
from fruits_pipeline.trained.classifier import Classifier
from fruits_pipeline.trained.models import TrainedModels

log = logging.getLogger(__name__)

# With fewer images of either kind their looks are not judged.
FEWEST: Final = 200
_SHIFTS_TOLD: Final = 5
_TOLD: Final = ("brightness", "entropy", "sharpness")


@dataclass(frozen=True)
class NewImages:
    """New images that were not learnt from.

    Attributes:
        features: Their rows of ``schemas.FEATURES``.
        predicted: Images by predicted label.
        unfamiliar: How many are unfamiliar.
        rejected_share: Share of all new images that cannot be read.
    """

    features: DataFrame
    predicted: Mapping[str, int]
    unfamiliar: int
    rejected_share: float


def drift(reference: Reference, new: NewImages, models: TrainedModels) -> Drift:
    """How ``new`` differs from the training images; looks by a sample of at most a thousand of each."""
    looks = _looks(reference, new, models)
    shifts = _shifts(reference.labels, new.predicted)
    found = Drift(
        verdict="none",
        looks=looks,
        figures=_figures(reference.rows, new.features),
        label_shift=sum(abs(shift.trained - shift.predicted) for shift in shifts) / 2,
        labels=tuple(shifts[:_SHIFTS_TOLD]),
        unfamiliar_share=new.unfamiliar / max(sum(new.predicted.values()), 1),
        rejected_share=new.rejected_share,
        trained_rejected_share=reference.rejected_share,
    )
    if looks is None:
        log.warning(
            "drift is not judged: it takes %d different new images, and as many of the training with their labels",
            FEWEST,
        )
        return found.model_copy(update={"verdict": "too few images"})
    told = (looks.auc, looks.p_value, looks.new, found.label_shift)
    if not found.exceeds(LEAST_AUC):
        log.info("drift verdict=none auc=%.3f p_value=%.3f images=%d label_shift=%.2f", *told)
        return found
    log.warning("drift verdict=drift auc=%.3f p_value=%.3f images=%d label_shift=%.2f", *told)
    return found.model_copy(update={"verdict": "drift"})


def _looks(reference: Reference, new: NewImages, models: TrainedModels) -> Separation | None:
    features = new_features(new.features)
    if len(features) < FEWEST:
        return None
    classifier = models.classifiers[0]
    ours = sided(models.projection.applied(features)[0], classifier)
    counts = np.bincount(ours.labels, minlength=len(classifier.labels))
    wanted = {label: int(count) for label, count in zip(classifier.labels, counts, strict=True) if count}
    trained = trained_components(reference.rows, wanted)
    return compared(sided(trained, classifier), ours) if len(trained) >= FEWEST else None


def _figures(trained: DataFrame, new: DataFrame) -> dict[str, FigureShift]:
    old, now = (
        images.agg(*(F.percentile_approx(name, 0.5) for name in _TOLD)).collect()[0] for images in (trained, new)
    )
    both = zip(_TOLD, old, now, strict=True)
    return {name: FigureShift(trained=a, new=b) for name, a, b in both if a is not None and b is not None}


def sided(components: NDArray[np.float32], classifier: Classifier) -> Side:
    """Images by their components float32 (N, k), with the labels that a classifier predicts for them."""
    return Side(components, classifier.probabilities(components).argmax(axis=1))


def compared(trained: Side, new: Side) -> Separation | None:
    """How well new images are told from training images, both brought to the same mix of labels.

    None where fewer than ``FEWEST`` of each remain: another mix of labels alone is no drift of looks.
    """
    ours, theirs = matched(trained, new)
    return separation(ours, theirs) if len(ours.labels) >= FEWEST else None


def _shifts(trained: Mapping[str, int], predicted: Mapping[str, int]) -> list[LabelShift]:
    """All labels, those first whose shares differ most."""
    old, new = max(sum(trained.values()), 1), max(sum(predicted.values()), 1)
    shifts = (
        LabelShift(label=label, trained=trained.get(label, 0) / old, predicted=predicted.get(label, 0) / new)
        for label in sorted({*trained, *predicted})
    )
    return sorted(shifts, key=lambda shift: -abs(shift.trained - shift.predicted))


def refuse_drift(scored: Scored, max_drift: float | None) -> None:
    """Ends a command whose new images differ too much from those of the training; all is written by then.

    Raises:
        InputError: Then.
    """
    drift = scored.drift
    if max_drift is None:
        return
    if drift.looks is None:
        log.warning("--max-drift=%s judged nothing: there are too few images of the same labels", max_drift)
    elif drift.exceeds(max_drift):
        raise InputError(
            f"expected new images that are told from training images at an AUC below {max_drift} (--max-drift), found "
            f"{drift.looks.auc:.3f} (p = {drift.looks.p_value:.3f}, {drift.looks.new} new images); all is written: "
            "look at the new images, and train on such ones where they are right"
        )
