"""Training images whose label looks wrong: a discriminant that was fitted without them denies it firmly.

Cross-fitted by content: images that look the same stand in one fold, so that none vouches for its twin. Firmly is
confident learning's rule (Northcutt, Jiang and Chuang 2021, arXiv 1911.00068): the probability of another label is
higher than it is for images of that label on average. Two passes over the leading components, however many labels.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel, ConfigDict
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812, because Spark's own documentation spells it so

from fruits_pipeline import schemas
from fruits_pipeline.classify.discriminant import FOLDS, Discriminant, Sums, without_each_fold
from fruits_pipeline.session.added import added
from fruits_pipeline.session.tables import as_matrix, rows_of, spark_schema

log = logging.getLogger(__name__)

MOST_SUSPECTS: Final = 500
# So many are counted.
_MOST_COUNTED: Final = 100_000
# Beyond these the sums of five folds would take more than some 400 MB of each task.
_MOST_LABELS: Final = 2_000
_MOST_COMPONENTS: Final = 256
_SEED: Final = 20_261_126
_JUDGED: Final = pa.schema(
    [
        ("path", pa.string()),
        ("label", pa.string()),
        ("suggested", pa.string()),
        ("label_probability", pa.float64()),
        ("suggested_probability", pa.float64()),
        ("distance", pa.float64()),
    ]
)


class Suspects(BaseModel):
    """Training images whose label looks wrong.

    Attributes:
        looked_at: Training images that were judged without themselves; those of a label of one look alone cannot be.
        images: Those whose label is denied firmly, at most 100,000.
    """

    model_config = ConfigDict(frozen=True)

    looked_at: int
    images: int


class Found(BaseModel):
    """The same, with the tables of ``schemas.SUSPECTS``, surest first, and of ``schemas.TYPICAL``."""

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    facts: Suspects | None
    suspects: pa.Table
    typical: pa.Table


def suspects(learnt: DataFrame, labels: Sequence[str]) -> Found:
    """The training images whose label looks wrong, and for each label the image that is nearest to its mean.

    Args:
        learnt: Labelled training rows of ``schemas.REDUCED``.
        labels: The L labels, by alphabet.
    """
    if len(labels) > _MOST_LABELS:
        log.warning("labels that look wrong are not looked for among more than %d labels", _MOST_LABELS)
        return Found(facts=None, suspects=schemas.SUSPECTS.empty_table(), typical=_first_ones(learnt))
    fold = F.pmod(F.xxhash64("perceptual_hash", F.lit(_SEED)), F.lit(FOLDS)).cast("int").alias("fold")
    components = F.slice("pca_features", 1, _MOST_COMPONENTS).alias("components")
    rows = learnt.select("path", "label", fold, components)
    sums = added(rows.select("label", "fold", "components"), _summing(labels))
    if sums is None:
        return Found(facts=None, suspects=schemas.SUSPECTS.empty_table(), typical=schemas.TYPICAL.empty_table())
    judged = rows.mapInArrow(_judging(without_each_fold(sums), labels), spark_schema(_JUDGED)).persist()
    try:
        return _told(judged)
    finally:
        judged.unpersist()


def _summing(labels: Sequence[str]) -> Callable[[pa.RecordBatch], Sums]:
    """A function from batches of ``label, fold, components`` to sums."""
    known = pa.array(labels, pa.string())

    def of_batch(batch: pa.RecordBatch) -> Sums:
        places = pc.index_in(batch.column("label"), known).to_numpy()
        values = as_matrix(batch.column("components")).astype(np.float64)
        return Sums.of(batch.column("fold").to_numpy(), places, values, len(known))

    return of_batch


def _judging(
    fits: list[Discriminant], labels: Sequence[str]
) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """A function from batches of ``path, label, fold, components`` to rows of ``_JUDGED``."""
    known = pa.array(labels, pa.string())

    def over_batches(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in (batch for batch in batches if batch.num_rows):
            yield _judged(batch, fits, known)

    return over_batches


def _judged(batch: pa.RecordBatch, fits: list[Discriminant], known: pa.Array) -> pa.RecordBatch:
    places = pc.index_in(batch.column("label"), known).to_numpy()
    values = as_matrix(batch.column("components")).astype(np.float64)
    folds = batch.column("fold").to_numpy()
    own, other, suggested = np.full(len(values), np.nan), np.full(len(values), np.nan), places.copy()
    distances = np.linalg.norm(values - np.stack([fit.means for fit in fits])[folds, places], axis=1)
    for fold in np.unique(folds):
        # Of a label that the other folds do not have nothing can be said.
        chosen = np.flatnonzero((folds == fold) & fits[fold].known[places])
        if chosen.size:
            shares = fits[fold].probabilities(values[chosen])
            own[chosen] = shares[np.arange(len(chosen)), places[chosen]]
            suggested[chosen], other[chosen] = shares.argmax(axis=1), shares.max(axis=1)
    figures = [pa.array(column, from_pandas=True) for column in (own, other, distances)]
    columns = [batch.column("path"), batch.column("label"), known.take(pa.array(suggested)), *figures]
    return pa.RecordBatch.from_arrays(columns, schema=_JUDGED)


def _told(judged: DataFrame) -> Found:
    by_label = judged.groupBy("label").agg(
        F.count("label_probability").alias("images"),
        F.avg("label_probability").alias("usual"),
        F.min_by("path", F.struct("distance", "path")).alias("path"),
    )
    labels = by_label.toPandas().sort_values("label")
    usual = pa.table({"suggested": labels["label"], "usual": labels["usual"]})
    schema = pa.schema([("suggested", pa.string()), ("usual", pa.float64())])
    bars = F.broadcast(rows_of(judged.sparkSession, usual.cast(schema)))
    denied = judged.where(F.col("suggested") != F.col("label")).join(bars, on="suggested")
    firm = denied.where(F.col("suggested_probability") >= F.col("usual"))
    surest = firm.orderBy("label_probability", F.desc("suggested_probability"), "path").limit(_MOST_COUNTED)
    found = surest.select(*schemas.SUSPECTS.names).toPandas()
    facts = Suspects(looked_at=int(labels["images"].sum()), images=len(found))
    log.info("training images whose label looks wrong: %d of %d", facts.images, facts.looked_at)
    return Found(
        facts=facts,
        suspects=pa.Table.from_pandas(found.head(MOST_SUSPECTS), schemas.SUSPECTS, preserve_index=False),
        typical=pa.Table.from_pandas(labels[["label", "path"]], schemas.TYPICAL, preserve_index=False),
    )


def _first_ones(learnt: DataFrame) -> pa.Table:
    """The first image of each label, by path, where nothing says which is typical."""
    rows = learnt.groupBy("label").agg(F.min("path").alias("path")).orderBy("label").toPandas()
    return pa.Table.from_pandas(rows, schemas.TYPICAL, preserve_index=False)
