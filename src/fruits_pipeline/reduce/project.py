"""Every image's components, by a module that workers load: none of Spark ML, whose import takes them half a second."""

from collections.abc import Iterable, Iterator
from functools import partial

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame

from fruits_pipeline import schemas
from fruits_pipeline.errors import DatasetError
from fruits_pipeline.reduce.labels import LABELLED
from fruits_pipeline.session.tables import as_matrix, conform, spark_schema
from fruits_pipeline.trained.projection import Projection


def reduced(features: DataFrame, projection: Projection) -> DataFrame:
    """Rows of ``schemas.REDUCED``, one for each of the rows of ``LABELLED``, with k components as float32.

    They are what the saved ``PipelineModel`` gives, computed by NumPy for a batch of rows at a time: Spark's stages,
    which take a row at a time, need more than twice the processor time.
    """
    project = partial(_projected, by=projection)
    written = conform(features, LABELLED, "features").mapInArrow(project, spark_schema(schemas.REDUCED))
    return conform(written, schemas.REDUCED, "reduced")


def _projected(batches: Iterable[pa.RecordBatch], by: Projection) -> Iterator[pa.RecordBatch]:
    """Batches of ``schemas.REDUCED`` from batches of its first columns and ``features``."""
    for batch in batches:
        components, residuals = by.applied(as_matrix(batch.column("features")))
        if not np.isfinite(components).all():
            path = batch.column("path")[int(np.argmin(np.isfinite(components).all(axis=1)))]
            raise DatasetError(f"expected features from 0 on, found others of {path}; compute them again: 'extract'")
        ends = pa.array(np.arange(0, components.size + 1, by.k, np.int32))
        lists = pa.ListArray.from_arrays(ends, pa.array(components.ravel()))
        columns = [*batch.columns[:-1], lists, pa.array(residuals)]
        yield pa.RecordBatch.from_arrays(columns, schema=schemas.REDUCED)
