"""Components to labels, as an estimator of a Spark ML pipeline."""

from typing import Final, cast, get_args

from pyspark import StorageLevel
from pyspark.ml import Estimator, PipelineModel
from pyspark.ml.param import Param, Params, TypeConverters
from pyspark.ml.param.shared import HasFeaturesCol, HasLabelCol
from pyspark.ml.util import DefaultParamsReadable, DefaultParamsWritable
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812, because Spark's own documentation spells it so

from fruits_pipeline import schemas
from fruits_pipeline.classify.fitted import whole
from fruits_pipeline.classify.inputs import check_learnable, counted
from fruits_pipeline.classify.train import fitted_stages
from fruits_pipeline.errors import SettingsError
from fruits_pipeline.ml.flags import Flags, type_of, with_flags
from fruits_pipeline.ml.vectors import floats
from fruits_pipeline.settings.classify import ClassifierName, ClassifySettings
from fruits_pipeline.settings.room import Room

_VECTOR: Final = "vector"
_TEXT: Final = "string"


class ClassifierSettings(Room):
    """What can be set of the stage."""

    classify: ClassifySettings = ClassifySettings()


@with_flags(ClassifierSettings, without=("classifier",))
class FruitsClassifier(
    Estimator[PipelineModel],
    HasFeaturesCol,
    HasLabelCol,
    Flags,
    DefaultParamsReadable["FruitsClassifier"],
    DefaultParamsWritable,
):
    """One of the job's classifiers, fitted on all rows with a label.

    ``featuresCol`` holds vectors of components, ``labelCol`` text. The model, a ``PipelineModel``, adds
    ``probability``, ``prediction`` (the label's index, by alphabet) and ``predicted_label``.

    >>> FruitsClassifier(featuresCol="components_vector", classifier="random_forest")  # doctest: +SKIP
    """

    classifier: "Param[str]" = Param(
        Params._dummy(),
        "classifier",
        "which one",
        TypeConverters.toString,
    )

    def __init__(
        self,
        *,
        featuresCol: str = "components_vector",
        labelCol: str = "label",
        classifier: ClassifierName = "logistic_regression",
        **settings: object,
    ) -> None:
        """Takes columns by Spark's names, and settings by those of the flags.

        Raises:
            SettingsError: With every fault in the settings.
        """
        super().__init__()
        self._set(featuresCol=featuresCol, labelCol=labelCol, classifier=classifier)
        self.set_flags(settings, ClassifierSettings)

    def _fit(self, dataset: DataFrame) -> PipelineModel:
        name, source = cast(ClassifierName, self.getOrDefault(self.classifier)), self.getFeaturesCol()
        settings = self.flags_as(ClassifierSettings).classify
        if name not in get_args(ClassifierName):
            raise SettingsError(f"classifier: expected one of {list(get_args(ClassifierName))}, found {name!r}")
        if (kind := type_of(dataset.schema, source)) != _VECTOR:
            raise SettingsError(f"expected vectors in column {source!r}, found {kind}")
        if (kind := type_of(dataset.schema, self.getLabelCol())) != _TEXT:
            raise SettingsError(f"expected text (string) in column {self.getLabelCol()!r}, found {kind}; cast it")
        components = floats(dataset, source)
        columns = [
            components.alias("pca_features"),
            F.col(self.getLabelCol()).alias("label"),
            F.lit(schemas.TRAIN).alias("split"),
            # What the job orders and samples rows by is the hash of their content.
            F.xxhash64(components).cast("string").alias("content_sha256"),
        ]
        known = F.col(self.getLabelCol()).isNotNull() & F.col(source).isNotNull()
        rows = dataset.where(known).select(*columns).persist(StorageLevel.MEMORY_AND_DISK)
        try:
            found = counted(rows)
            check_learnable(found)
            count = sum(found.train.values())
            stages = fitted_stages(name, rows, count, source, settings, found.labels)
            return PipelineModel(whole(stages, found.labels))
        finally:
            rows.unpersist()
