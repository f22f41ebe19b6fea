"""The reduction: features centred and projected on their leading principal components."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pyspark.ml import PipelineModel, Transformer
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812, because Spark's own documentation spells it so

from fruits_pipeline import schemas
from fruits_pipeline.errors import DatasetError, InputError
from fruits_pipeline.reduce import cut
from fruits_pipeline.reduce.decompose import eigen, moments_of
from fruits_pipeline.reduce.moments import Bounds
from fruits_pipeline.reduce.projection import centring, projection
from fruits_pipeline.reduce.transform import stages_before
from fruits_pipeline.settings.reduce import ReduceSettings
from fruits_pipeline.trained.projection import RESIDUAL_SHARE, Projection
from fruits_pipeline.trained.transform import length

CENTRED: Final = "centred_vector"
OUTPUT: Final = "pca_vector"
_MIN_TRAINING_ROWS: Final = 2
# How many rows a worker gets at a time: 20 MB as doubles at 2,048 features; more would make the products no faster.
LARGE_BATCHES: Final = {"spark.sql.execution.arrow.maxRecordsPerBatch": "1024"}


@dataclass(frozen=True)
class Reduction:
    """A fitted reduction of D features to k components.

    Attributes:
        model: Takes the vector column ``input_column(transform)`` (D,), adds ``pca_vector`` (k,).
        projection: The same as arrays.
        explained_variance_ratio: float64 (D,), share of the training variance of every component, falling.
        training_rows: Images of the fit.
    """

    model: PipelineModel
    projection: Projection
    explained_variance_ratio: NDArray[np.float64]
    training_rows: int

    @property
    def k(self) -> int:
        """Components kept."""
        return self.projection.k


def fit(
    parts: Sequence[DataFrame], settings: ReduceSettings, known: Bounds | None = None, *, only_labelled: bool = False
) -> Reduction:
    """Fits the reduction on the training images.

    One decomposition with all D components serves every cut. Spark's ``PCAModel`` does not centre when it
    transforms, so that a ``StandardScalerModel`` which takes the mean away stands before it.

    Rows may come in any order and any partitions: the sums are exact.

    Args:
        parts: Rows of ``LABELLED``, one part after the other.
        settings: Components and transform.
        known: Bounds of all transformed features, where they are known before.
        only_labelled: Whether images without a label are left out.

    Raises:
        InputError: When there are fewer than two training images, when they are all equal, or when they span
            fewer components than asked.
        SettingsError: When ``components`` is out of range.
        DatasetError: When a feature is not a finite number.
    """
    learnt = F.col("split") == schemas.TRAIN
    if only_labelled:
        learnt &= F.col("label").isNotNull()
    found = moments_of([part.where(learnt) for part in parts], settings.transform, known)
    rows = found.rows if found else 0
    if found is None or rows < _MIN_TRAINING_ROWS:
        raise InputError(
            f"The reduction expects at least {_MIN_TRAINING_ROWS} training images{' with a label' * only_labelled}, "
            f"found {rows} in features. "
            "Put images into folders under Training/, or let --train-split 0.8 choose them."
        )
    _check_finite(found.mean)
    ratio, loadings = eigen(found.covariance)
    k, m, leading = _cut(ratio, loadings, settings.components, rows)
    deviation = np.sqrt(np.diag(found.covariance))
    before, source = stages_before(settings.transform)
    scale = length(found.mean.size, settings.transform)
    stages: list[Transformer] = [
        *before,
        centring(found.mean / scale, deviation / scale, source, CENTRED),
        projection(leading[:, :k] * scale, ratio[:k], CENTRED, OUTPUT),
    ]
    whole = Projection(settings.transform, found.mean, leading, k, m)
    return Reduction(PipelineModel(stages), whole, ratio, rows)


def _check_finite(means: NDArray[np.float64]) -> None:
    bad = np.flatnonzero(~np.isfinite(means))
    if bad.size:
        raise DatasetError(
            f"features are expected to be finite numbers, found a mean that is not in {bad.size} of "
            f"{means.size} columns, the first at index {bad[0]}. Compute the features again: 'extract --overwrite'."
        )


def _cut(
    ratio: NDArray[np.float64], loadings: NDArray[np.float64], components: float, rows: int
) -> tuple[int, int, NDArray[np.float64]]:
    """How many components are kept, k, how many residuals are taken of, m, and the leading max(k, m) of them, (D, ...).

    Each has its sign settled.
    """
    if not np.isfinite(ratio).all():
        raise InputError(
            f"The reduction expects training images that differ, found {rows} with equal features. "
            "Give other training images."
        )
    k, m = (cut.kept(ratio, wanted, rows) for wanted in (components, RESIDUAL_SHARE))
    leading = loadings[:, : max(k, m)]
    return k, m, leading * cut.signs(leading)
