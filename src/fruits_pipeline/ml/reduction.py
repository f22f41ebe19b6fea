"""Features to principal components, as an estimator of a Spark ML pipeline."""

from typing import cast

from pyspark import StorageLevel
from pyspark.ml import Estimator, PipelineModel
from pyspark.ml.feature import PCAModel
from pyspark.ml.param.shared import HasInputCol, HasOutputCol
from pyspark.ml.util import DefaultParamsReadable, DefaultParamsWritable
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812, because Spark's own documentation spells it so

from fruits_pipeline import schemas
from fruits_pipeline.ml.flags import Flags, with_flags
from fruits_pipeline.ml.vectors import SquareRoots, Vectors, floats
from fruits_pipeline.reduce.reduction import LARGE_BATCHES, fit
from fruits_pipeline.reduce.transform import input_column
from fruits_pipeline.session.configured import configured
from fruits_pipeline.settings.reduce import ReduceSettings
from fruits_pipeline.settings.room import Room


class ReductionSettings(Room):
    """What can be set of the stage."""

    reduce: ReduceSettings = ReduceSettings()


@with_flags(ReductionSettings, without=("train_split", "labels", "export"))
class FruitsReduction(
    Estimator[PipelineModel],
    HasInputCol,
    HasOutputCol,
    Flags,
    DefaultParamsReadable["FruitsReduction"],
    DefaultParamsWritable,
):
    """The job's reduction, fitted on all rows: ``components`` (a share of the variance, or a count), ``transform``.

    ``inputCol`` holds vectors or arrays of D numbers, from 0 on unless ``transform`` is ``none`` or ``unit``;
    ``outputCol`` gets vectors of k. Rows without features are left out of the fit. The model is a ``PipelineModel``
    whose last stages are those of ``models/reduce``; columns between the stages stay in its output, as those of every
    ``PipelineModel`` do.

    >>> FruitsReduction(inputCol="features", outputCol="components", components=0.95)  # doctest: +SKIP
    """

    def __init__(
        self,
        *,
        inputCol: str = "features",
        outputCol: str = "components_vector",
        **settings: object,
    ) -> None:
        """Takes columns by Spark's names, and settings by those of the flags.

        Raises:
            SettingsError: With every fault in the settings.
        """
        super().__init__()
        self._set(inputCol=inputCol, outputCol=outputCol)
        self.set_flags(settings, ReductionSettings)

    def _fit(self, dataset: DataFrame) -> PipelineModel:
        source, settings = self.getInputCol(), self.flags_as(ReductionSettings).reduce
        features = dataset.select(floats(dataset, source).alias("features"), F.lit(schemas.TRAIN).alias("split"))
        rows = features.where(F.col("features").isNotNull()).persist(StorageLevel.MEMORY_AND_DISK)
        try:
            with configured(dataset.sparkSession, LARGE_BATCHES):
                stages = fit([rows], settings).model.stages
        finally:
            rows.unpersist()
        stage = SquareRoots if settings.transform == "sqrt" else Vectors
        first = stage(inputCol=source, outputCol=input_column(settings.transform))
        last = cast(PCAModel, stages[-1]).setOutputCol(self.getOutputCol())
        return PipelineModel([first, *stages[:-1], last])
