"""What every wave of a job needs, and the face of the two readers."""

from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa
from pyspark import Accumulator, Broadcast
from pyspark.sql import DataFrame, SparkSession

from fruits_pipeline.backbones.model import Model
from fruits_pipeline.features.batch import Plan
from fruits_pipeline.images.decode import Rejected
from fruits_pipeline.storage.store import Store


class Reader(Protocol):
    """How images reach the workers."""

    def tried(self, work: "Work", images: pa.Table, plan: Plan) -> DataFrame:
        """Columns ``path, label, split`` and those of ``OUTCOME``, one row for each image that was read or refused.

        Args:
            work: The job's context.
            images: Rows of ``schemas.MANIFEST``, at least one; none is empty or too large.
            plan: How they are treated.
        """
        ...

    def absent(self, work: "Work", path: str) -> Rejected | None:
        """Why ``tried`` gave no row for an image; None where it always must."""
        ...


@dataclass(frozen=True)
class Work:
    """What every wave of a job needs; ``counter`` counts the images that were tried."""

    spark: SparkSession
    store: Store
    source: Store
    reader: Reader
    fingerprint: str
    train_split: str | float
    max_bytes: int
    model: Broadcast[Model]
    counter: Accumulator[int]
    tasks: int
