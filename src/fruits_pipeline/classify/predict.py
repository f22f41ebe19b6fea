"""Predictions: one row for each image and classifier."""

from collections.abc import Sequence
from functools import reduce

from pyspark.ml.functions import array_to_vector, vector_to_array
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812, because Spark's own documentation spells it so

from fruits_pipeline import schemas
from fruits_pipeline.classify.fitted import PREDICTED, PROBABILITY, Fitted
from fruits_pipeline.session.tables import conform


def predictions(reduced: DataFrame, fitted: Sequence[Fitted]) -> DataFrame:
    """Rows of ``schemas.PREDICTIONS``: every image, whatever its side, labelled or not, by every classifier.

    ``confidence`` is the probability of the predicted label, a double in [0, 1]. The reduction is not
    computed again.

    Args:
        reduced: Rows of ``schemas.REDUCED``.
        fitted: At least one classifier.
    """
    rows = conform(reduced, schemas.REDUCED, "reduced")
    return reduce(DataFrame.unionByName, [_by(rows, one) for one in fitted])


def _by(rows: DataFrame, one: Fitted) -> DataFrame:
    vectors = rows.withColumn(one.source, array_to_vector(F.col("pca_features")))
    named = one.tail.transform(vectors).select(
        "path",
        "source_path",
        "label",
        "split",
        F.lit(one.name).alias("classifier"),
        F.col(PREDICTED).alias("prediction"),
        F.array_max(vector_to_array(F.col(PROBABILITY))).alias("confidence"),
    )
    return conform(named, schemas.PREDICTIONS, "predictions")
