"""A map of the images: a sample of them, the same on every machine, by their first two components."""

from typing import Final

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812, because Spark's own documentation spells it so

from fruits_pipeline import schemas

MOST_POINTS: Final = 3_000
_SEED: Final = 20_261_127


def sample_map(reduced: DataFrame) -> pa.Table:
    """Rows of ``schemas.MAP``: at most ``MOST_POINTS`` images, drawn by content; a component that is not there is 0."""
    coordinates = (F.coalesce(F.get("pca_features", F.lit(place)), F.lit(0.0)).cast("double") for place in (0, 1))
    first, second = coordinates
    rows = reduced.select(
        "path", "label", "split", first.alias("first"), second.alias("second"),
        F.xxhash64("content_sha256", F.lit(_SEED)).alias("draw"),
    )  # fmt: skip
    drawn = rows.orderBy("draw", "path").limit(MOST_POINTS).toPandas()
    return pa.Table.from_pandas(drawn[schemas.MAP.names], schemas.MAP, preserve_index=False)
