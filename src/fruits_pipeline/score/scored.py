"""What the models say of each image: one row for each classifier, of all of them in one pass over the features."""

from collections.abc import Iterable, Iterator
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812, because Spark's own documentation spells it so

from fruits_pipeline import schemas
from fruits_pipeline.session.tables import as_matrix, conform, spark_schema
from fruits_pipeline.trained.classifier import Classifier
from fruits_pipeline.trained.models import Judged, TrainedModels

_KEPT: Final = ("path", "source_path", "label", "split")
_TOLD: Final = 3


def scored(labelled: DataFrame, learnt: DataFrame, models: TrainedModels) -> DataFrame:
    """Rows of ``schemas.SCORED``, for each image by each classifier.

    Args:
        labelled: Rows of ``reduce.labels.LABELLED``.
        learnt: Column ``content_sha256`` of the images that the models were trained on, each once.
        models: The models.
    """
    shared = labelled.sparkSession.sparkContext.broadcast(models)

    def over_batches(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in (batch for batch in batches if batch.num_rows):
            judged = shared.value.judged(as_matrix(batch.column("features")))
            for classifier in shared.value.classifiers:
                yield _rows(batch, classifier, judged)

    known = F.broadcast(learnt).withColumn("learnt", F.lit(True))
    rows = labelled.join(known, on="content_sha256", how="left").select(
        *_KEPT, F.coalesce("learnt", F.lit(False)).alias("learnt"), "features"
    )  # fmt: skip
    return conform(rows.mapInArrow(over_batches, spark_schema(schemas.SCORED)), schemas.SCORED, "predictions")


def _rows(batch: pa.RecordBatch, by: Classifier, judged: Judged) -> pa.RecordBatch:
    shares, labels = judged.probabilities[by.name], pa.array(by.labels, pa.string())
    best = np.argsort(-shares, axis=1, kind="stable")[:, :_TOLD]
    guesses = [column for place in range(_TOLD) for column in _guess(shares, labels, best, place)]
    columns = [
        *(batch.column(name) for name in _KEPT),
        pa.array([by.name] * len(shares), pa.string()),
        *guesses,
        pa.array(judged.familiarity),
        pa.array(judged.is_unfamiliar),
        batch.column("learnt"),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schemas.SCORED)


def _guess(shares: NDArray[np.float64], labels: pa.Array, best: NDArray[np.int64], place: int) -> list[pa.Array]:
    """The label of that place and its probability; null where there are fewer labels."""
    if place >= best.shape[1]:
        return [pa.nulls(len(shares), pa.string()), pa.nulls(len(shares), pa.float64())]
    chosen = best[:, place]
    return [labels.take(pa.array(chosen)), pa.array(np.take_along_axis(shares, chosen[:, None], axis=1)[:, 0])]
