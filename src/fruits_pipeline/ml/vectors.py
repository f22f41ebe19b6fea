"""Features as the vectors that the fitted reduction takes, as a stage of a Spark ML pipeline."""

from pyspark.ml import Transformer
from pyspark.ml.functions import array_to_vector, vector_to_array
from pyspark.ml.param.shared import HasInputCol, HasOutputCol
from pyspark.ml.util import DefaultParamsReadable, DefaultParamsWritable
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812, because Spark's own documentation spells it so

from fruits_pipeline.errors import SettingsError
from fruits_pipeline.ml.flags import type_of


class SquareRoots(Transformer, HasInputCol, HasOutputCol, DefaultParamsReadable["SquareRoots"], DefaultParamsWritable):
    """The square roots of vectors or arrays of numbers from 0 on: Spark ML has no stage for them."""

    def __init__(self, *, inputCol: str = "features", outputCol: str = "roots") -> None:
        """Takes the names of columns."""
        super().__init__()
        self._set(inputCol=inputCol, outputCol=outputCol)

    def _transform(self, dataset: DataFrame) -> DataFrame:
        roots = F.transform(floats(dataset, self.getInputCol()), F.sqrt)
        return dataset.withColumn(self.getOutputCol(), _vectors(roots))


class Vectors(Transformer, HasInputCol, HasOutputCol, DefaultParamsReadable["Vectors"], DefaultParamsWritable):
    """Vectors or arrays of numbers as vectors in a column of another name."""

    def __init__(self, *, inputCol: str = "features", outputCol: str = "vectors") -> None:
        """Takes the names of columns."""
        super().__init__()
        self._set(inputCol=inputCol, outputCol=outputCol)

    def _transform(self, dataset: DataFrame) -> DataFrame:
        return dataset.withColumn(self.getOutputCol(), _vectors(floats(dataset, self.getInputCol())))


def floats(dataset: DataFrame, column: str) -> Column:
    """A column of vectors or of arrays of numbers as ``array<float>``; null stays null.

    Raises:
        SettingsError: When it is neither.
    """
    kind = type_of(dataset.schema, column)
    if kind == "vector":
        return F.when(F.col(column).isNotNull(), vector_to_array(F.col(column), dtype="float32"))
    if kind not in {"array<float>", "array<double>"}:
        raise SettingsError(f"expected vectors or arrays of numbers in column {column!r}, found {kind}")
    return F.col(column).cast("array<float>")


def _vectors(arrays: Column) -> Column:
    """Arrays as vectors; null stays null, which Spark's own function does not take."""
    return F.when(arrays.isNotNull(), array_to_vector(arrays))
