"""The training images behind the models: which new images were learnt from, and what others are compared with."""

from dataclasses import dataclass

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812, because Spark's own documentation spells it so

from fruits_pipeline import schemas
from fruits_pipeline.errors import DatasetError
from fruits_pipeline.reduce.facts import Reduced
from fruits_pipeline.session import tables
from fruits_pipeline.state import layout
from fruits_pipeline.state.rooms import Rooms
from fruits_pipeline.storage.store import Store
from fruits_pipeline.trained.models import TrainedModels


@dataclass(frozen=True)
class Reference:
    """The images that models were trained on.

    Attributes:
        root: The address of the output.
        rows: Their rows of ``schemas.REDUCED``.
        images: How many these are.
        labels: Images of each label.
        rejected_share: Of the images of that run, the share that could not be read; None where an earlier version ran.
    """

    root: str
    rows: DataFrame
    images: int
    labels: dict[str, int]
    rejected_share: float | None


def reference_of(spark: SparkSession, store: Store, models: TrainedModels) -> Reference:
    """The training images of the models in the output ``store``.

    Raises:
        DatasetError: When the models were made again since they were loaded, or the components are gone.
    """
    marker = Rooms(store, overwrite=False).finished("reduce", Reduced)
    if marker.digest != models.reduced:
        raise DatasetError(f"expected the models under {store.root} to stay, found others; start again")
    facts = marker.facts_or_fail
    rows = tables.read(spark, marker.of(store.root, layout.REDUCED), schemas.REDUCED, "reduced").where(
        F.col("split") == schemas.TRAIN
    )
    counts = rows.where(F.col("label").isNotNull()).groupBy("label").count().collect()
    return Reference(
        root=store.root,
        rows=rows,
        images=facts.uses.train,
        labels=dict(map(tuple, counts)),
        rejected_share=facts.rejected_share,
    )


def learnt(reference: Reference, models: TrainedModels) -> DataFrame:
    """Column ``content_sha256`` of the contents that models were trained or calibrated on, each once."""
    trained = reference.rows.select("content_sha256")
    calibrated = [(digest,) for digest in models.backbone.model.calibrated_with]
    return trained.union(trained.sparkSession.createDataFrame(calibrated, trained.schema)).distinct()
