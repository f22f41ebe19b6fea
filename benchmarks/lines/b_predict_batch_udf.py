"""(b) ``pyspark.ml.functions.predict_batch_udf`` with TensorFlow, as its documentation shows it.

Its input is a column of numbers, so that a pandas UDF decodes before it; the model is loaded once in a worker.
https://spark.apache.org/docs/3.5.8/api/python/reference/api/pyspark.ml.functions.predict_batch_udf.html
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
from pyspark import Broadcast
from pyspark.ml.functions import predict_batch_udf
from pyspark.sql.pandas.functions import pandas_udf
from pyspark.sql.types import ArrayType, FloatType

from fruits_pipeline.backbones.catalog import backbone_named
from fruits_pipeline.backbones.engines.keras_model import network
from fruits_pipeline.backbones.model import ModelRequest
from fruits_pipeline.backbones.weights import obtain_weights
from lines.spark_local import contents, session
from lines.work import pixels_of

_BATCH = 64
_SIDE = 224


@contextmanager
def started(request: ModelRequest) -> Iterator[Callable[[Path, Path], None]]:
    """The session, and a function that writes the features of a folder of images."""
    weights = obtain_weights(backbone_named(request.backbone), None, request.cache_dir).read_bytes()
    # 600 KB of floats a row: with Spark's default of 10,000 rows a batch would take 6 GB.
    with session(_BATCH) as spark:
        decoded = pandas_udf(_decoded, "array<float>")
        predicted = predict_batch_udf(
            _maker(spark.sparkContext.broadcast(weights), request.backbone),
            return_type=ArrayType(FloatType()),
            batch_size=_BATCH,
            input_tensor_shapes=[[_SIDE, _SIDE, 3]],
        )

        def write(images: Path, out: Path) -> None:
            features = contents(spark, images).select("path", predicted(decoded("content")).alias("features"))
            features.write.parquet(str(out))

        yield write


def _decoded(batch: pd.Series) -> pd.Series:
    """Flat float32 (224 * 224 * 3) in [-1, 1] of each image."""
    pixels = pixels_of(batch.tolist(), _SIDE).astype(np.float32) / 127.5 - 1
    return pd.Series(list(pixels.reshape(len(batch), -1)))


def _maker(weights: Broadcast[bytes], backbone: str) -> Callable[[], Callable[[np.ndarray], np.ndarray]]:
    def load() -> Callable[[np.ndarray], np.ndarray]:
        model = network(backbone_named(backbone), _SIDE, weights.value)

        def predict(inputs: np.ndarray) -> np.ndarray:
            return model.predict(inputs, verbose=0)

        return predict

    return load
