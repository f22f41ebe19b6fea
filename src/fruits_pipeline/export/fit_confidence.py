"""The temperature and the threshold of an output's regression, from held-out images."""

import logging
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from fruits_pipeline.errors import InputError
from fruits_pipeline.export.confidence import calibration_error, precision_above, temperature_of, threshold_of
from fruits_pipeline.export.fold import regression_of, without_temperature
from fruits_pipeline.export.rows import Sides, components_of
from fruits_pipeline.export.spec import Checked, Confidence, Fitted, Unknown
from fruits_pipeline.schemas import TEST, VALIDATION
from fruits_pipeline.trained.arrays import softmax
from fruits_pipeline.trained.models import TrainedModels

log = logging.getLogger(__name__)

# With fewer the share of right answers above a threshold is off by several points.
_FEW = 200
# With fewer wrong answers a temperature is a guess.
_FEWEST_WRONG = 5


@dataclass(frozen=True)
class _Judged:
    """Margins float64 (N, L) of N images, and their labels int64 (N,) by index."""

    margins: NDArray[np.float64]
    labels: NDArray[np.int64]

    @classmethod
    def of(cls, models: TrainedModels, rows: pa.Table) -> "_Judged":
        names = pa.array(models.classifiers[0].labels, rows["label"].type)
        labels = pc.index_in(rows["label"], names).to_numpy().astype(np.int64)
        return cls(regression_of(models).margins(components_of(rows)), labels)

    def probabilities(self, temperature: float) -> NDArray[np.float64]:
        return softmax(self.margins / temperature)

    def error(self, temperature: float) -> float:
        return calibration_error(self.probabilities(temperature), self.labels)


def fit_confidence(models: TrainedModels, sides: Sides, precision: float) -> Fitted:
    """Fitted on validation images with a label that was learnt, or on test images where there is none.

    On test images also where fewer than 200 are of validation, and less than a tenth as many as of test.

    Args:
        models: The regression, first.
        sides: Rows of held-out images.
        precision: Of the answers that are to be given.

    Raises:
        InputError: When no held-out image has a label that was learnt.
    """
    validation, test = (sides.held_out[side].num_rows for side in (VALIDATION, TEST))
    side = VALIDATION if validation and validation >= min(_FEW, test // 10) else TEST
    rows = sides.held_out[side]
    if not rows.num_rows:
        raise InputError(
            "expected validation or test images with a label that was learnt, to fit the confidence on, found none; "
            "run again with some, in folders or by --train-split"
        )
    if side == TEST:
        log.warning(
            "confidence is fitted on test images, which the scores are of too: validation has only %d", validation
        )
    if rows.num_rows < _FEW:
        log.warning("confidence rests on %d images of %s alone: a rough measure", rows.num_rows, side)
    judged = _Judged.of(models, rows)
    temperature = _temperature(judged)
    threshold = threshold_of(judged.probabilities(temperature), judged.labels, precision)
    if threshold.confidence is None:
        log.warning("no confidence has answers of which %.0f%% are right: no threshold for unknown", 100 * precision)
    errors = {"error_before": judged.error(1), "error_after": judged.error(temperature)}
    seen = len(np.unique(judged.labels))
    if seen < len(models.classifiers[0].labels):
        log.warning("confidence rests on images of %d of %d labels", seen, len(models.classifiers[0].labels))
    confidence = Confidence(split=side, images=rows.num_rows, labels=seen, temperature=temperature, **errors)
    shares = {"reached": threshold.precision, "coverage": threshold.coverage}
    unknown = Unknown(precision=precision, confidence=threshold.confidence, **shares)
    return Fitted(confidence=confidence, unknown=unknown)


def _temperature(judged: _Judged) -> float:
    """The temperature that makes confidence right on these images; 1 where too few are wrong to find one by."""
    wrong = int((judged.margins.argmax(axis=1) != judged.labels).sum())
    if wrong >= _FEWEST_WRONG:
        found = temperature_of(judged.margins, judged.labels)
        if judged.error(found) < judged.error(1):
            return found
    log.info("confidence is left as it is: %d of %d images are predicted wrongly", wrong, len(judged.labels))
    return 1.0


def check_confidence(
    rows: pa.Table, probabilities: NDArray[np.float32], labels: tuple[str, ...], fitted: Fitted
) -> Checked | None:
    """How a written model does on the test images among N images; None where none has a label that was learnt.

    Args:
        rows: Their rows of ``reduced``.
        probabilities: What the model says of them, (N, L).
        labels: The names of L labels.
        fitted: Its temperature and its threshold.
    """
    places = pc.index_in(rows["label"], pa.array(labels, rows["label"].type)).to_pylist()
    kept = [
        n
        for n, (split, place) in enumerate(zip(rows["split"].to_pylist(), places, strict=True))
        if split == TEST and place is not None
    ]
    if not kept:
        return None
    right, answers = np.array([places[n] for n in kept]), probabilities[kept].astype(np.float64)
    above = precision_above(answers, right, fitted.unknown.confidence or 0.0)
    return Checked(
        images=len(kept),
        error_before=calibration_error(without_temperature(probabilities[kept], fitted.confidence.temperature), right),
        error_after=calibration_error(answers, right),
        reached=above.precision,
        coverage=above.coverage,
    )
