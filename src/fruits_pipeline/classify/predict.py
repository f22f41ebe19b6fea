"""Predictions: one row for each image and classifier, of both classifiers in one pass over the components."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame

from fruits_pipeline import schemas
from fruits_pipeline.classify.arrays import Arrays
from fruits_pipeline.session.tables import as_matrix, conform, spark_schema

# More rows at once would leave the processor's cache: each has a place in every tree.
_ROWS = 256
_KEPT = ("path", "source_path", "label", "split")


@dataclass(frozen=True)
class Predictor:
    """A classifier by its name, with its arrays and the names of its labels, by index."""

    name: str
    arrays: Arrays
    labels: tuple[str, ...]


def predictions(reduced: DataFrame, predictors: Sequence[Predictor]) -> DataFrame:
    """Rows of ``schemas.PREDICTIONS``: every image, whatever its side, labelled or not, by every classifier.

    ``confidence`` is the probability of the predicted label, a double in [0, 1].

    Args:
        reduced: Rows of ``schemas.REDUCED``.
        predictors: At least one classifier.
    """
    shared = reduced.sparkSession.sparkContext.broadcast(tuple(predictors))

    def over_batches(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in (batch for batch in batches if batch.num_rows):
            for predictor in shared.value:
                yield _predicted(batch, predictor)

    rows = conform(reduced, schemas.REDUCED, "reduced").select(*_KEPT, "pca_features")
    return conform(rows.mapInArrow(over_batches, spark_schema(schemas.PREDICTIONS)), schemas.PREDICTIONS, "predictions")


def _predicted(batch: pa.RecordBatch, by: Predictor) -> pa.RecordBatch:
    values = as_matrix(batch.column("pca_features")).astype(np.float64)
    parts = [by.arrays.probabilities(values[start : start + _ROWS]) for start in range(0, len(values), _ROWS)]
    places = np.concatenate([part.argmax(axis=1) for part in parts])
    columns = [
        *(batch.column(name) for name in _KEPT),
        pa.array([by.name] * len(values), pa.string()),
        pa.array(by.labels, pa.string()).take(pa.array(places)),
        pa.array(np.concatenate([part.max(axis=1) for part in parts])),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schemas.PREDICTIONS)
