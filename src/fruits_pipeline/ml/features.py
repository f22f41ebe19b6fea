"""Images to features, as a stage of a Spark ML pipeline."""

from typing import Final

from pyspark.ml import Transformer
from pyspark.ml.functions import array_to_vector
from pyspark.ml.param import Param, Params, TypeConverters
from pyspark.ml.param.shared import HasHandleInvalid, HasInputCol, HasOutputCol
from pyspark.ml.util import DefaultParamsReadable, DefaultParamsWritable
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812, because Spark's own documentation spells it so
from pyspark.sql.pandas.functions import pandas_udf

from fruits_pipeline.backbones.model import Model, prepare
from fruits_pipeline.backbones.request import model_request
from fruits_pipeline.errors import SettingsError
from fruits_pipeline.features.batch import Treatment
from fruits_pipeline.features.column import RESULT, ImageColumn, column_features
from fruits_pipeline.features.readers.prefetch import Prefetch
from fruits_pipeline.ml.connect import refuse_connect
from fruits_pipeline.ml.flags import Flags, type_of, with_flags
from fruits_pipeline.session.spark import task_cpus
from fruits_pipeline.settings.features import FeaturesSettings
from fruits_pipeline.settings.room import Room
from fruits_pipeline.settings.storage import StorageSettings
from fruits_pipeline.storage.fetch import Window
from fruits_pipeline.storage.patience import Patience

_INVALID: Final = ("error", "skip", "keep")


class ImageSettings(Room):
    """What can be set of the stage: settings of the feature job, and of buckets."""

    features: FeaturesSettings = FeaturesSettings()
    storage: StorageSettings = StorageSettings()


@with_flags(ImageSettings, without=("reader", "max_reject_share"))
class FruitsFeatures(
    Transformer,
    HasInputCol,
    HasOutputCol,
    HasHandleInvalid,
    Flags,
    DefaultParamsReadable["FruitsFeatures"],
    DefaultParamsWritable,
):
    """Features of images: what the job's own ``features`` are for the same files, as dense vectors.

    ``inputCol`` holds paths and addresses (plain, ``file:``, ``s3:``, ``s3a:``, ``gs:``) where it is a string, files'
    contents where it is binary; of contents, ``spark.sql.execution.arrow.maxRecordsPerBatch`` rows are in a worker's
    memory at once. ``outputCol`` holds D numbers, 1,280 of MobileNetV2. Other params are settings by the names of their
    flags, such as ``backbone``, ``image_size`` and ``s3_region``.

    ``handleInvalid`` says what becomes of an image that cannot be read: ``error``, the default, fails the action and
    names it, ``skip`` leaves its row out, ``keep`` gives null. ``errorCol``, if it is set, is a column with the reason,
    as in ``rejects``, null where the image was read.

    Images are read whenever rows are computed: ``cache()`` what is used more than once.

    >>> FruitsFeatures(inputCol="path", handleInvalid="keep", image_size=160)  # doctest: +SKIP
    """

    errorCol: "Param[str]" = Param(
        Params._dummy(),
        "errorCol",
        "column of the reason why an image could not be read",
        TypeConverters.toString,
    )

    def __init__(
        self,
        *,
        inputCol: str = "path",
        outputCol: str = "features",
        handleInvalid: str = "error",
        errorCol: str | None = None,
        **settings: object,
    ) -> None:
        """Takes columns by Spark's names, and settings by those of the flags.

        Raises:
            SettingsError: With every fault in the settings.
        """
        super().__init__()
        self._set(inputCol=inputCol, outputCol=outputCol, handleInvalid=handleInvalid)
        if errorCol is not None:
            self._set(errorCol=errorCol)
        self.set_flags(settings, ImageSettings)

    def _transform(self, dataset: DataFrame) -> DataFrame:
        refuse_connect()
        invalid, found = self.getHandleInvalid(), f"{self.uid}_found"
        if invalid not in _INVALID:
            raise SettingsError(f"handleInvalid: expected one of {list(_INVALID)}, found {invalid!r}")
        kind = type_of(dataset.schema, self.getInputCol())
        if kind not in {"string", "binary"}:
            raise SettingsError(
                f"expected paths (string) or contents (binary) in column {self.getInputCol()!r}, found {kind}"
            )
        self._refuse_existing(dataset.columns)
        settings = self.flags_as(ImageSettings)
        model = prepare(model_request(settings.features))
        column = ImageColumn(
            name=self.getInputCol(),
            is_path=kind == "string",
            prefetch=_prefetch(settings),
            treatment=_treatment(settings.features, model, task_cpus(dataset.sparkSession)),
            must_read=invalid == "error",
        )
        read = column_features(dataset.sparkSession.sparkContext.broadcast(model), column)
        # Not deterministic for Spark's optimiser, which would else compute it once for each use.
        outcome = pandas_udf(read, RESULT)  # type: ignore[call-overload]  # because the stubs want a kind beside the type
        rows = dataset.withColumn(found, outcome.asNondeterministic()(column.name))
        if invalid == "skip":
            rows = rows.where(F.col(f"{found}.reason").isNull())
        rows = rows.withColumn(self.getOutputCol(), _vector(f"{found}.features", model))
        if self.isDefined(self.errorCol):
            rows = rows.withColumn(self.getOrDefault(self.errorCol), F.col(f"{found}.reason"))
        return rows.drop(found)

    def _refuse_existing(self, columns: list[str]) -> None:
        added = [self.getOutputCol(), *([self.getOrDefault(self.errorCol)] if self.isDefined(self.errorCol) else [])]
        if taken := [name for name in added if name in columns or added.count(name) > 1]:
            raise SettingsError(f"outputCol, errorCol: expected names of new columns, found {taken[0]!r}, which is one")


def _prefetch(settings: ImageSettings) -> Prefetch:
    features = settings.features
    return Prefetch(settings.storage, Window(max_bytes=features.max_bytes), Patience(), features.batch_rows)


def _treatment(settings: FeaturesSettings, model: Model, threads: int) -> Treatment:
    return Treatment(model.image_size, settings.max_pixels, threads, settings.decode_timeout_s, isolated=True)


def _vector(features: str, model: Model) -> Column:
    """A column of floats as vectors, with their length for stages that ask for it; null stays null."""
    vector = F.when(F.col(features).isNotNull(), array_to_vector(F.col(features)))
    return vector.alias("vector", metadata={"ml_attr": {"num_attrs": model.dimension}})
