"""What every wave of a job needs, and the face of the readers."""

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import pyarrow as pa
import pyarrow.compute as pc
from pyspark import Accumulator, AccumulatorParam, Broadcast
from pyspark.sql import DataFrame, SparkSession

from fruits_pipeline.backbones.model import Model
from fruits_pipeline.features.batch import Plan
from fruits_pipeline.images.decode import Rejected
from fruits_pipeline.storage.store import Store

# What an image is taken to have whose bytes no listing told: a table of paths need not give them.
_UNKNOWN_BYTES = 1 << 20


def readable(images: pa.Table, max_bytes: int) -> pa.Table:
    """Rows of ``schemas.MANIFEST`` that are worth a read, each with a ``length``: neither empty nor too large."""
    column = images.schema.get_field_index("length")
    known = images.set_column(column, "length", pc.fill_null(images["length"], _UNKNOWN_BYTES))
    return known.filter((pc.field("length") > 0) & (pc.field("length") <= max_bytes))


class Refused(NamedTuple):
    """One image that was tried in vain, and why."""

    path: str
    reason: str
    detail: str


class Refusals(AccumulatorParam[list[Refused]]):
    """Adds up what tasks refuse; Spark counts each task that succeeds once."""

    def zero(self, value: list[Refused]) -> list[Refused]:  # noqa: ARG002 because it is Spark's face
        """None yet."""
        return []

    def addInPlace(self, value1: list[Refused], value2: list[Refused]) -> list[Refused]:  # noqa: N802 because it is Spark's face
        """Both."""
        value1 += value2
        return value1


class Reader(Protocol):
    """How images reach the workers."""

    def tried(self, work: "Work", images: pa.Table, plan: Plan) -> DataFrame:
        """Rows of ``READ``, one for each image that was read; others go to ``work.refused``, where it has a say.

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
    """What every wave of a job needs; ``counter`` counts the images that were tried.

    ``refused`` is the wave's own.
    """

    spark: SparkSession
    store: Store
    source: Store
    reader: Reader
    fingerprint: str
    train_split: str | float
    max_bytes: int
    model: Broadcast[Model]
    counter: Accumulator[int]
    refused: Accumulator[list[Refused]]
    tasks: int
