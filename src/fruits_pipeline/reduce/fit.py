"""The reduction: features centred and projected on their leading principal components."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pyspark.ml import PipelineModel, Transformer
from pyspark.ml.feature import StandardScaler, StandardScalerModel
from pyspark.ml.functions import array_to_vector, vector_to_array
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812, because Spark's own documentation spells it so

from fruits_pipeline import schemas
from fruits_pipeline.errors import DatasetError, InputError
from fruits_pipeline.reduce import cut
from fruits_pipeline.reduce.decompose import covariance, eigen
from fruits_pipeline.reduce.projection import projection
from fruits_pipeline.session.tables import conform

INPUT: Final = "features_vector"
CENTRED: Final = "centred_vector"
OUTPUT: Final = "pca_vector"
_MIN_TRAINING_ROWS: Final = 2


@dataclass(frozen=True)
class Reduction:
    """A fitted reduction of D features to k components.

    Attributes:
        model: Takes the vector column ``features_vector`` (D,), adds ``pca_vector`` (k,).
        explained_variance_ratio: float64 (D,), share of the training variance of every component, falling.
        k: Components kept.
        training_rows: Images of the fit.
    """

    model: PipelineModel
    explained_variance_ratio: NDArray[np.float64]
    k: int
    training_rows: int


def fit(features: DataFrame, components: float) -> Reduction:
    """Fits the reduction on the training images.

    One decomposition with all D components serves every cut. Spark's ``PCAModel`` does not centre when it
    transforms, so that a ``StandardScalerModel`` which takes the mean away stands before it.

    Args:
        features: Rows of ``schemas.FEATURES``; arranged, where the fit is to repeat.
        components: A float in (0, 1] is a share of the variance, an int a count.

    Raises:
        InputError: When there are fewer than two training images, when they are all equal, or when they span
            fewer components than asked.
        SettingsError: When ``components`` is out of range.
        DatasetError: When a feature is not a finite number.
    """
    vectors = (
        conform(features, schemas.FEATURES, "features")
        .where(F.col("split") == schemas.TRAIN)
        .select(array_to_vector(F.col("features")).alias(INPUT))
        .persist()
    )
    try:
        rows = _counted(vectors)
        scaler = _scaler(vectors)
        ratio, loadings = eigen(covariance(vectors, INPUT, scaler.std.toArray()))
    finally:
        vectors.unpersist()
    return _cut(scaler, ratio, loadings, components, rows)


def as_vectors(features: DataFrame) -> DataFrame:
    """``features`` with the vector column ``features_vector``, which saved models take, beside its columns."""
    return features.withColumn(INPUT, array_to_vector(F.col("features")))


def reduced(features: DataFrame, reduction: Reduction) -> DataFrame:
    """Rows of ``schemas.REDUCED``, one for each row of ``features``, with k components as float32."""
    vectors = as_vectors(conform(features, schemas.FEATURES, "features"))
    values = vector_to_array(F.col(OUTPUT), "float32").alias("pca_features")
    rows = reduction.model.transform(vectors).select("path", "label", "split", values)
    return conform(rows, schemas.REDUCED, "reduced")


def _counted(vectors: DataFrame) -> int:
    rows = vectors.count()
    if rows < _MIN_TRAINING_ROWS:
        raise InputError(
            f"The reduction expects at least {_MIN_TRAINING_ROWS} training images, found {rows} in features. "
            "Put images into folders under Training/, or let --train-split 0.8 choose them."
        )
    return rows


def _scaler(vectors: DataFrame) -> StandardScalerModel:
    scaler = StandardScaler(withMean=True, withStd=False, inputCol=INPUT, outputCol=CENTRED)
    model: StandardScalerModel = scaler.fit(vectors)
    means = model.mean.toArray()
    bad = np.flatnonzero(~np.isfinite(means))
    if bad.size:
        raise DatasetError(
            f"features are expected to be finite numbers, found a mean that is not in {bad.size} of "
            f"{means.size} columns, the first at index {bad[0]}. Compute the features again with --overwrite."
        )
    return model


def _cut(
    scaler: StandardScalerModel,
    ratio: NDArray[np.float64],
    loadings: NDArray[np.float64],
    components: float,
    rows: int,
) -> Reduction:
    if not np.isfinite(ratio).all():
        raise InputError(
            f"The reduction expects training images that differ, found {rows} with equal features. "
            "Give other training images."
        )
    k = cut.kept(ratio, components, rows)
    leading = loadings[:, :k] * cut.signs(loadings[:, :k])
    stages: list[Transformer] = [scaler, projection(leading, ratio[:k], CENTRED, OUTPUT)]
    return Reduction(PipelineModel(stages), ratio, k, rows)
