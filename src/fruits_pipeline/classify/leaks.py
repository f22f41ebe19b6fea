"""Leaks: judged images of which the training has a near-twin, found by an exact search over all pairs.

The judged images are broadcast, and each task compares them with the training images that it reads. What is compared
grows with the product of both sides; beyond ``MOST_PAIRS`` a sample of the judged images is looked at, which is told.
"""

import logging
from collections.abc import Iterable, Iterator
from math import ceil
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa
from pydantic import BaseModel, ConfigDict
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812, because Spark's own documentation spells it so

from fruits_pipeline import schemas
from fruits_pipeline.classify.twins import FOUND, Looks, Nearest, TwinSearch
from fruits_pipeline.session.tables import as_matrix, conform, spark_schema
from fruits_pipeline.settings.examine import ExamineSettings

log = logging.getLogger(__name__)

# A core compares some 350 million pairs a second where few look alike (2026-11-26): two minutes.
MOST_PAIRS: Final = 50_000_000_000
# Some 100 MB at 200 components, in the driver and in each worker.
MOST_JUDGED: Final = 100_000
_SEED: Final = 20_261_126
_COLUMNS: Final = ("path", "label", "split", "content_sha256", "perceptual_hash", "brightness", "pca_features")


class Leaks(BaseModel):
    """How many judged images the classifiers may have seen in another form.

    Attributes:
        judged: Test and validation images with a label.
        looked_at: Those of them that were looked at: all, or a sample where there are too many.
        leaked: Those of which a training image is a near-twin.
        same_content: Those of which a training image has the same bytes.
        two_labels: Those whose nearest twin has another label.
        cosine: Twins have at least this cosine.
        hash_bits: Twins differ in at most so many bits of the hash.
        dropped: Whether they were left out of what is judged.
    """

    model_config = ConfigDict(frozen=True)

    judged: int
    looked_at: int
    leaked: int
    same_content: int
    two_labels: int
    cosine: float
    hash_bits: int
    dropped: bool


def leaks(
    reduced: DataFrame, training_rows: int, judged_rows: int, settings: ExamineSettings, *, whole: bool = False
) -> tuple[pa.Table, int]:
    """Rows of ``schemas.LEAKS``, each judged image with its nearest twin, by path; and how many were looked at.

    Args:
        reduced: Rows of ``schemas.REDUCED``.
        training_rows: Labelled training images.
        judged_rows: Labelled test and validation images.
        settings: When two images are near-twins.
        whole: Whether all judged images are looked at, however long that takes.
    """
    rows = conform(reduced, schemas.REDUCED, "reduced").where(F.col("label").isNotNull()).select(*_COLUMNS)
    judged = rows.where(F.col("split").isin(schemas.TEST, schemas.VALIDATION))
    training = rows.where(F.col("split") == schemas.TRAIN)
    most = MOST_JUDGED if whole else min(MOST_JUDGED, max(MOST_PAIRS // max(training_rows, 1), 1))
    parts = ceil(judged_rows / most)
    part = F.pmod(F.xxhash64("content_sha256", F.lit(_SEED)), F.lit(max(parts, 1)))
    found = [
        _of_part(judged.where(part == place), training, settings) for place in range(parts if whole else min(parts, 1))
    ]
    looked_at = sum(images for _, images in found)
    if looked_at < judged_rows:
        log.warning(
            "near-twins are looked for of %d of %d judged images: all would take too long", looked_at, judged_rows
        )
    return pa.concat_tables([schemas.LEAKS.empty_table(), *(table for table, _ in found)]).sort_by("path"), looked_at


def _of_part(judged: DataFrame, training: DataFrame, settings: ExamineSettings) -> tuple[pa.Table, int]:
    """The same of some judged images, few enough for the driver and each worker."""
    ours = judged.orderBy("path").toPandas()
    if ours.empty:
        return schemas.LEAKS.empty_table(), 0
    components = np.array([*ours["pca_features"]], np.float32)
    looks = Looks.of(ours["perceptual_hash"].to_numpy(), components, ours["brightness"].to_numpy())
    return _table(ours, _nearest(training, TwinSearch(looks, settings.twin_cosine, settings.twin_bits))), len(ours)


def _nearest(training: DataFrame, search: TwinSearch) -> pd.DataFrame:
    """Rows of ``FOUND``: the nearest twin of each image of ``search`` that has any among ``training``."""
    shared = training.sparkSession.sparkContext.broadcast(search)

    def over_batches(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        nearest = Nearest(shared.value)
        for batch in (batch for batch in batches if batch.num_rows):
            hashes = batch.column("perceptual_hash").to_numpy()
            components, brightness = as_matrix(batch.column("pca_features")), batch.column("brightness").to_numpy()
            nearest.see(batch, Looks.of(hashes, components, brightness))
        yield nearest.found()

    by_task = training.mapInArrow(over_batches, spark_schema(FOUND)).withColumn("far", -F.col("cosine"))
    nearest = F.min(F.struct("far", "hash_bits", "twin_path", "twin_label", "twin_sha256", "cosine")).alias("nearest")
    found = by_task.groupBy("place").agg(nearest).select("place", "nearest.*").toPandas().sort_values("place")
    shared.destroy()
    return found


def _table(ours: pd.DataFrame, found: pd.DataFrame) -> pa.Table:
    leaked = ours.iloc[found["place"]].reset_index(drop=True)
    twins = found.reset_index(drop=True)
    columns = {
        **{name: leaked[name] for name in ("path", "label", "split")},
        **{name: twins[name] for name in ("twin_path", "twin_label", "cosine", "hash_bits")},
        "same_content": leaked["content_sha256"] == twins["twin_sha256"],
    }
    return pa.Table.from_pandas(pd.DataFrame(columns), schemas.LEAKS, preserve_index=False).sort_by("path")


def facts_of(table: pa.Table, looked_at: int, judged: int, settings: ExamineSettings, *, dropped: bool) -> Leaks:
    """The facts of rows of ``schemas.LEAKS``, logged."""
    frame = table.to_pandas()
    facts = Leaks(
        judged=judged,
        looked_at=looked_at,
        leaked=len(frame),
        same_content=int(frame["same_content"].sum()),
        two_labels=int((frame["label"] != frame["twin_label"]).sum()),
        cosine=settings.twin_cosine,
        hash_bits=settings.twin_bits,
        dropped=dropped,
    )
    log.info(
        "near-twins of training images among judged ones: %d of %d (%d with the same bytes, %d with another label)%s",
        *(facts.leaked, facts.looked_at, facts.same_content, facts.two_labels),
        ", left out of the scores" if dropped and facts.leaked else "",
    )
    return facts
