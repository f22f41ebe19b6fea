"""(c) Two UDFs with decoded floats between: one decodes and resizes, the other predicts, with our OpenVINO model.

Splitting the work in two reads well, and sends 600 KB of floats for each image of 5 KB through Arrow and the JVM.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
from pyspark import Broadcast
from pyspark.sql import Column
from pyspark.sql.pandas.functions import pandas_udf

from fruits_pipeline.backbones.model import Model, ModelRequest, prepare
from fruits_pipeline.backbones.predictor import predictor
from lines.spark_local import contents, session
from lines.work import BATCH, pixels_of


@contextmanager
def started(request: ModelRequest) -> Iterator[Callable[[Path, Path], None]]:
    """The session, and a function that writes the features of a folder of images."""
    model = prepare(request)
    with session(BATCH) as spark:
        decoded = _decoding(model.image_size)
        predicted = _predicting(spark.sparkContext.broadcast(model))

        def write(images: Path, out: Path) -> None:
            features = contents(spark, images).select("path", predicted(decoded("content")).alias("features"))
            features.write.parquet(str(out))

        yield write


def _decoding(side: int) -> Callable[[str], Column]:
    def over_batch(batch: pd.Series) -> pd.Series:
        return pd.Series(list(pixels_of(batch.tolist(), side).astype(np.float32).reshape(len(batch), -1)))

    return pandas_udf(over_batch, "array<float>")


def _predicting(model: Broadcast[Model]) -> Callable[[Column], Column]:
    def over_batches(batches: Iterator[pd.Series]) -> Iterator[pd.Series]:
        predict, side = predictor(model.value, 1), model.value.image_size
        for batch in batches:
            pixels = np.stack(batch.tolist()).astype(np.uint8).reshape(-1, side, side, 3)
            yield pd.Series(list(predict(pixels)))

    return pandas_udf(over_batches, "array<float>")
