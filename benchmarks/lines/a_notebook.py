"""(a) The notebook way: a Keras model rebuilt from broadcast weights in an iterator pandas UDF, ``model.predict``.

The shape of the notebook that Databricks published for featurization with TensorFlow, and that many have followed:
``binaryFile``, repartition, one UDF whose task rebuilds the model and then predicts batch after batch, 1,024 rows in
an Arrow batch, a list of floats back, Parquet out. https://docs.databricks.com/applications/machine-learning/
preprocess-data/transfer-learning-tensorflow.html
"""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image
from pyspark import Broadcast
from pyspark.sql import Column
from pyspark.sql.pandas.functions import pandas_udf

from fruits_pipeline.backbones.catalog import backbone_named
from fruits_pipeline.backbones.engines.keras_model import network
from fruits_pipeline.backbones.model import ModelRequest
from fruits_pipeline.backbones.weights import obtain_weights
from lines.spark_local import contents, session

ARROW_ROWS = 1024
_SIDE = 224


@contextmanager
def started(request: ModelRequest) -> Iterator[Callable[[Path, Path], None]]:
    """The session, and a function that writes the features of a folder of images."""
    weights = obtain_weights(backbone_named(request.backbone), None, request.cache_dir).read_bytes()
    with session(ARROW_ROWS) as spark:
        featurise = features_udf(spark.sparkContext.broadcast(weights), request.backbone)

        def write(images: Path, out: Path) -> None:
            features = contents(spark, images).select("path", featurise("content").alias("features"))
            features.write.parquet(str(out))

        yield write


def features_udf(weights: Broadcast[bytes], backbone: str) -> Callable[[str], Column]:
    """A pandas UDF from a column of encoded images to lists of D floats."""

    def over_batches(batches: Iterator[pd.Series]) -> Iterator[pd.Series]:
        model = network(backbone_named(backbone), _SIDE, weights.value)
        for batch in batches:
            predicted = model.predict(np.stack(batch.map(_preprocessed)), verbose=0)
            yield pd.Series([row.flatten() for row in predicted])

    return pandas_udf(over_batches, "array<float>")


def _preprocessed(content: bytes) -> np.ndarray:
    """Float32 (224, 224, 3) in [-1, 1], by Pillow and Keras' own functions."""
    from keras.applications.mobilenet_v2 import preprocess_input
    from keras.utils import img_to_array

    return preprocess_input(img_to_array(Image.open(io.BytesIO(content)).resize((_SIDE, _SIDE))))
