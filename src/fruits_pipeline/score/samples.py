"""Small samples of training and of new images, each content once, by a hash of it that nothing else is drawn by."""

from collections.abc import Mapping
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F  # noqa: N812, because Spark's own documentation spells it so

from fruits_pipeline.session.tables import rows_of

MOST: Final = 1_000
_SEED: Final = 20_190_527
_CONTENT: Final = "content_sha256"


def new_features(images: DataFrame) -> NDArray[np.float32]:
    """Features float32 (N, D) of at most ``MOST`` images, of any label.

    Args:
        images: Columns ``content_sha256`` and ``features``.
    """
    drawn = images.select(_CONTENT).distinct().orderBy(_order(), _CONTENT).limit(MOST)
    return _values(images, drawn, "features")


def trained_components(images: DataFrame, wanted: Mapping[str, int]) -> NDArray[np.float32]:
    """Components float32 (N, k) of at most ``wanted[label]`` images of each label.

    Args:
        images: Columns ``content_sha256``, ``label`` and ``pca_features``.
        wanted: Images by label.
    """
    columns = {"label": list(wanted), "wanted": list(wanted.values())}
    table = pa.table(columns, pa.schema([("label", pa.string()), ("wanted", pa.int64())]))
    known = images.join(F.broadcast(rows_of(images.sparkSession, table)), on="label", how="inner")
    contents = known.groupBy(_CONTENT).agg(F.min("label").alias("label"), F.min("wanted").alias("wanted"))
    place = F.row_number().over(Window.partitionBy("label").orderBy(_order(), _CONTENT))
    drawn = contents.withColumn("place", place).where("place <= wanted").select(_CONTENT)
    return _values(images, drawn, "pca_features")


def _order() -> Column:
    return F.xxhash64(_CONTENT, F.lit(_SEED))


def _values(images: DataFrame, drawn: DataFrame, column: str) -> NDArray[np.float32]:
    """The arrays of ``column`` of the contents that were drawn, in order of the contents."""
    found = images.join(F.broadcast(drawn), on=_CONTENT, how="left_semi").select(_CONTENT, column).toPandas()
    once = found.drop_duplicates(_CONTENT).sort_values(_CONTENT)
    return np.array([*once[column]], np.float32).reshape(len(once), -1) if len(once) else np.empty((0, 0), np.float32)
