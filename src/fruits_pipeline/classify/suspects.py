"""Training images whose label looks wrong: a discriminant that was fitted without them denies it firmly.

Cross-fitted by content: images that look the same stand in one fold, so that none vouches for its twin. Firmly is
confident learning's rule (Northcutt, Jiang and Chuang 2021, arXiv 1911.00068): the probability of another label is
at least what it is for images of that label on average. Two passes over the leading components, however many labels.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel, ConfigDict
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812, because Spark's own documentation spells it so

from fruits_pipeline import schemas
from fruits_pipeline.classify.crossfit import Judged
from fruits_pipeline.classify.discriminant import FOLDS, Sums, without_each_fold
from fruits_pipeline.session.added import added
from fruits_pipeline.session.tables import as_matrix, write_small
from fruits_pipeline.state.layout import EVALUATION
from fruits_pipeline.storage.store import Store

log = logging.getLogger(__name__)

MOST_SUSPECTS: Final = 500
# Beyond these the sums of five folds would take more than some 400 MB of each task.
_MOST_LABELS: Final = 2_000
_MOST_COMPONENTS: Final = 256
_SEED: Final = 20_261_126


class Suspects(BaseModel):
    """Training images whose label looks wrong.

    Attributes:
        looked_at: Training images that were judged without themselves; those of a label of one look alone cannot be.
        images: Those whose label is denied firmly, at most 50,000.
    """

    model_config = ConfigDict(frozen=True)

    looked_at: int
    images: int


@dataclass(frozen=True)
class Found:
    """The facts, with the tables of ``schemas.SUSPECTS``, surest first, and of ``schemas.TYPICAL``."""

    facts: Suspects | None
    suspects: pa.Table
    typical: pa.Table


def write_suspects(store: Store, reduced: DataFrame, labels: Sequence[str]) -> Suspects | None:
    """Writes ``evaluation/suspects`` and ``evaluation/typical`` of the training images of ``reduced``."""
    found = suspects(reduced.where((F.col("split") == schemas.TRAIN) & F.col("label").isNotNull()), labels)
    write_small(store, found.suspects, f"{EVALUATION}/suspects", schemas.SUSPECTS)
    write_small(store, found.typical, f"{EVALUATION}/typical", schemas.TYPICAL)
    return found.facts


def suspects(learnt: DataFrame, labels: Sequence[str]) -> Found:
    """The training images whose label looks wrong, and for each label the image that is nearest to its mean.

    Args:
        learnt: Labelled training rows of ``schemas.REDUCED``, at least one.
        labels: The L labels, by alphabet.
    """
    if len(labels) > _MOST_LABELS:
        log.warning("labels that look wrong are not looked for among more than %d labels", _MOST_LABELS)
        return Found(None, schemas.SUSPECTS.empty_table(), _first_ones(learnt))
    fold = F.pmod(F.xxhash64("perceptual_hash", F.lit(_SEED)), F.lit(FOLDS)).cast("int").alias("fold")
    components = F.slice("pca_features", 1, _MOST_COMPONENTS).alias("components")
    rows = learnt.select("path", "label", fold, components)
    sums = added(rows.select("label", "fold", "components"), _summing(labels))
    if sums is None:
        return Found(None, schemas.SUSPECTS.empty_table(), schemas.TYPICAL.empty_table())
    judged = added(rows, partial(Judged.of, fits=without_each_fold(sums), labels=labels))
    return _told(judged, labels) if judged else Found(None, schemas.SUSPECTS.empty_table(), _first_ones(learnt))


def _summing(labels: Sequence[str]) -> Callable[[pa.RecordBatch], Sums]:
    """A function from batches of ``label, fold, components`` to sums."""
    known = pa.array(labels, pa.string())

    def of_batch(batch: pa.RecordBatch) -> Sums:
        places = pc.index_in(batch.column("label"), known).to_numpy()
        values = as_matrix(batch.column("components")).astype("float64")
        return Sums.of(batch.column("fold").to_numpy(), places, values, len(known))

    return of_batch


def _told(judged: Judged, labels: Sequence[str]) -> Found:
    firm = judged.firmly_denied(labels)
    facts = Suspects(looked_at=int(judged.images.sum()), images=len(firm))
    log.info("training images whose label looks wrong: %d of %d", facts.images, facts.looked_at)
    typical = [{"label": labels[place], "path": path} for place, (_, path) in sorted(judged.nearest.items())]
    return Found(
        facts,
        pa.Table.from_pylist(firm[:MOST_SUSPECTS], schema=schemas.SUSPECTS),
        pa.Table.from_pylist(typical, schema=schemas.TYPICAL),
    )


def _first_ones(learnt: DataFrame) -> pa.Table:
    """The first image of each label, by path, where nothing says which is typical."""
    rows = learnt.groupBy("label").agg(F.min("path").alias("path")).orderBy("label").toPandas()
    return pa.Table.from_pandas(rows, schemas.TYPICAL, preserve_index=False)
