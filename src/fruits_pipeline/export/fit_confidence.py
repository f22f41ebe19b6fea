"""The temperature and the threshold of an output's regression, from held-out images."""

import logging
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from fruits_pipeline.errors import InputError
from fruits_pipeline.export.confidence import calibration_error, precision_above, temperature_of, threshold_of
from fruits_pipeline.export.fold import margins_of, regression_of, softmax
from fruits_pipeline.export.rows import Sides, components_of
from fruits_pipeline.export.spec import Checked, Confidence, Fitted, Unknown
from fruits_pipeline.schemas import TEST, VALIDATION
from fruits_pipeline.trained.models import TrainedModels

log = logging.getLogger(__name__)

# With fewer the share of right answers above a threshold is off by several points.
_FEW = 200


@dataclass(frozen=True)
class _Judged:
    """Margins float64 (N, L) of N images, and their labels int64 (N,) by index."""

    margins: NDArray[np.float64]
    labels: NDArray[np.int64]

    @classmethod
    def of(cls, models: TrainedModels, rows: pa.Table) -> "_Judged":
        names = pa.array(models.classifiers[0].labels, rows["label"].type)
        labels = pc.index_in(rows["label"], names).to_numpy().astype(np.int64)
        return cls(margins_of(regression_of(models), components_of(rows)), labels)

    def probabilities(self, temperature: float) -> NDArray[np.float64]:
        return softmax(self.margins / temperature)

    def error(self, temperature: float) -> float:
        return calibration_error(self.probabilities(temperature), self.labels)


def fit_confidence(models: TrainedModels, sides: Sides, precision: float) -> Fitted:
    """Fitted on validation images, or on test images where no validation image has a label that was learnt.

    Args:
        models: The regression, first.
        sides: Rows of held-out images.
        precision: Of the answers that are to be given.

    Raises:
        InputError: When no held-out image has a label that was learnt.
    """
    side = VALIDATION if sides.held_out[VALIDATION].num_rows else TEST
    rows = sides.held_out[side]
    if not rows.num_rows:
        raise InputError(
            "expected validation or test images with a label that was learnt, to fit the confidence on, found none; "
            "run again with some, in folders or by --train-split"
        )
    if side == TEST:
        log.warning("confidence is fitted on test images, which the scores are of too: there are none of validation")
    if rows.num_rows < _FEW:
        log.warning("confidence rests on %d images of %s alone: a rough measure", rows.num_rows, side)
    judged = _Judged.of(models, rows)
    temperature = temperature_of(judged.margins, judged.labels)
    threshold = threshold_of(judged.probabilities(temperature), judged.labels, precision)
    if threshold.confidence is None:
        log.warning("no confidence has answers of which %.0f%% are right: no threshold for unknown", 100 * precision)
    errors = {"error_before": judged.error(1), "error_after": judged.error(temperature)}
    confidence = Confidence(split=side, images=rows.num_rows, temperature=temperature, **errors)
    shares = {"reached": threshold.precision, "coverage": threshold.coverage}
    unknown = Unknown(precision=precision, confidence=threshold.confidence, **shares)
    test = sides.held_out[TEST] if side == VALIDATION else rows.slice(0, 0)
    checked = _checked(_Judged.of(models, test), temperature, threshold.confidence) if test.num_rows else None
    return Fitted(confidence=confidence, unknown=unknown, checked=checked)


def _checked(test: _Judged, temperature: float, confidence: float | None) -> Checked:
    above = precision_above(test.probabilities(temperature), test.labels, 0.0 if confidence is None else confidence)
    return Checked(
        images=len(test.labels),
        error_before=test.error(1),
        error_after=test.error(temperature),
        reached=above.precision,
        coverage=above.coverage,
    )
