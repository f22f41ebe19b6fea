"""Predictions: one row for each image and classifier, of both classifiers in one pass over the components."""

from collections.abc import Iterable, Iterator, Sequence

import pyarrow as pa
from pyspark.sql import DataFrame

from fruits_pipeline import schemas
from fruits_pipeline.session.tables import as_matrix, conform, spark_schema
from fruits_pipeline.trained.classifier import Classifier

_KEPT = ("path", "source_path", "label", "split")


def predictions(reduced: DataFrame, classifiers: Sequence[Classifier]) -> DataFrame:
    """Rows of ``schemas.PREDICTIONS``: every image, whatever its side, labelled or not, by every classifier.

    ``confidence`` is the probability of the predicted label, a double in [0, 1].

    Args:
        reduced: Rows of ``schemas.REDUCED``.
        classifiers: At least one.
    """
    shared = reduced.sparkSession.sparkContext.broadcast(tuple(classifiers))

    def over_batches(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in (batch for batch in batches if batch.num_rows):
            for classifier in shared.value:
                yield _predicted(batch, classifier)

    rows = conform(reduced, schemas.REDUCED, "reduced").select(*_KEPT, "pca_features")
    return conform(rows.mapInArrow(over_batches, spark_schema(schemas.PREDICTIONS)), schemas.PREDICTIONS, "predictions")


def _predicted(batch: pa.RecordBatch, by: Classifier) -> pa.RecordBatch:
    shares = by.probabilities(as_matrix(batch.column("pca_features")))
    columns = [
        *(batch.column(name) for name in _KEPT),
        pa.array([by.name] * len(shares), pa.string()),
        pa.array(by.labels, pa.string()).take(pa.array(shares.argmax(axis=1))),
        pa.array(shares.max(axis=1)),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schemas.PREDICTIONS)
