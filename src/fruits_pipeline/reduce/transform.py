"""The columns and stages of Spark's model for what is done to features first."""

from typing import Final

from pyspark.ml import Transformer
from pyspark.ml.feature import Normalizer

from fruits_pipeline.settings.reduce import TransformName

FEATURES_VECTOR: Final = "features_vector"
_UNIT: Final = "unit_vector"


def input_column(by: TransformName) -> str:
    """The vector column that the saved models take.

    Spark has no stage for square roots, so that these are taken outside, and the name says so.
    """
    return "sqrt_features_vector" if by == "sqrt" else FEATURES_VECTOR


def stages_before(by: TransformName) -> tuple[list[Transformer], str]:
    """The stages before the centring, and the column that they give."""
    if by == "unit":
        return [Normalizer(p=2.0, inputCol=FEATURES_VECTOR, outputCol=_UNIT)], _UNIT
    return [], input_column(by)
