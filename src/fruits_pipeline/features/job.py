"""The feature job: what the driver works with, and the interface of its readers."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple, Protocol

import pyarrow as pa
import pyarrow.compute as pc
from pyspark import Accumulator, AccumulatorParam, Broadcast
from pyspark.sql import DataFrame, SparkSession

from fruits_pipeline.backbones.model import Model
from fruits_pipeline.features.batch import Treatment
from fruits_pipeline.images.decode import Rejected
from fruits_pipeline.session.spark import task_cpus
from fruits_pipeline.session.worker_requests import worker_requests
from fruits_pipeline.settings.features import FeaturesSettings
from fruits_pipeline.settings.storage import StorageSettings
from fruits_pipeline.state.recipe import Recipe
from fruits_pipeline.storage.patience import Patience
from fruits_pipeline.storage.store import Store

# What an image is taken to have whose bytes nobody could tell.
_UNKNOWN_BYTES = 1 << 20


@dataclass(frozen=True)
class FeatureJob:
    """Where images are, where results go, with which model and settings; it stays on the driver.

    Attributes:
        spark: The session.
        source: The store whose root holds all images.
        store: The output.
        model: What computes the features.
        recipe: All that can change them.
        settings: Limits and sizes.
        overwrite: Whether features that were made otherwise may be replaced.
        packed: Addresses of a pack's files; None for a source of single files.
        storage: How workers reach buckets.
        patience: How long workers wait for them.
    """

    spark: SparkSession
    source: Store
    store: Store
    model: Model
    recipe: Recipe
    settings: FeaturesSettings
    overwrite: bool = False
    packed: tuple[str, ...] | None = None
    storage: StorageSettings = field(default_factory=StorageSettings)
    patience: Patience = field(default_factory=Patience)

    @cached_property
    def shared_model(self) -> Broadcast[Model]:
        """The model as workers get it."""
        return self.spark.sparkContext.broadcast(self.model)

    @cached_property
    def counter(self) -> Accumulator[int]:
        """Images that tasks have finished with."""
        return self.spark.sparkContext.accumulator(0)

    @cached_property
    def requests(self) -> "Accumulator[Counter[str]]":
        """Requests to storage that workers have sent."""
        return worker_requests(self.spark)

    @cached_property
    def treatment(self) -> Treatment:
        """How workers treat every image."""
        return Treatment(
            image_size=self.model.image_size,
            max_pixels=self.settings.max_pixels,
            threads=task_cpus(self.spark),
            decode_timeout_s=self.settings.decode_timeout_s,
        )

    def refusals(self) -> "Accumulator[list[Refused]]":
        """An accumulator of the images that workers refuse."""
        return self.spark.sparkContext.accumulator([], _Refusals())


class Refused(NamedTuple):
    """One image that was tried in vain, and why."""

    path: str
    reason: str
    detail: str


class _Refusals(AccumulatorParam[list[Refused]]):
    """Adds up what tasks refuse; Spark counts each task that succeeds once."""

    def zero(self, value: list[Refused]) -> list[Refused]:  # noqa: ARG002 because it is Spark's interface
        """None yet."""
        return []

    def addInPlace(self, value1: list[Refused], value2: list[Refused]) -> list[Refused]:  # noqa: N802 because it is Spark's interface
        """Both."""
        value1 += value2
        return value1


@dataclass(frozen=True)
class Reading:
    """Images to be read by one Spark job.

    Attributes:
        images: Columns ``path, length``, at least one row; none is empty or too large.
        tasks: Tasks to cut them into.
        treatment: How workers treat them.
        refused: Where workers put images that they refuse.
        with_refused: Whether images are among them that were refused at an earlier start: that many in a row are
            forbidden then says nothing of the source.
    """

    images: pa.Table
    tasks: int
    treatment: Treatment
    refused: Accumulator[list[Refused]]
    with_refused: bool = False


class Reader(Protocol):
    """How images reach the workers."""

    def read_images(self, job: FeatureJob, reading: Reading) -> DataFrame:
        """Rows of ``READ``, one for each image that could be read; images that workers refuse go to ``refused``."""
        ...

    def explain_missing(self, job: FeatureJob, path: str) -> Rejected | None:
        """Why ``read_images`` gave neither a row nor a refusal for an image; None where that must not be."""
        ...


ReaderOf = Callable[[pa.Table], Reader]
"""Gives the reader for the job's images; it is chosen by those (columns ``path, length``) that are asked for first."""


def readable(images: pa.Table, max_bytes: int) -> pa.Table:
    """Columns ``path, length`` of the images that are worth a read: neither empty nor too large."""
    lengths = pc.fill_null(images["length"], _UNKNOWN_BYTES)
    known = pa.table({"path": images["path"], "length": lengths})
    return known.filter((pc.field("length") > 0) & (pc.field("length") <= max_bytes))
