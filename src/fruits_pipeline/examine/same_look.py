"""Images that look the same: equal perceptual hashes, confirmed by the cosine of their components.

Pairs, never chains: each image with the first one, by path, of those with its hash. Other near-twins, of a few bits of
difference, are only looked for between training and judged images (``classify/leaks.py``), where they count.
"""

from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812, because Spark's own documentation spells it so

from fruits_pipeline import schemas
from fruits_pipeline.examine.facts import Twins
from fruits_pipeline.session.tables import conform, spark_schema

MOST_TWINS: Final = 10_000
_HASH: Final = "perceptual_hash"
_KEPT: Final = ("path", "label", "split", "content_sha256", _HASH, "pca_features")


def twins(reduced: DataFrame, cosine: float) -> tuple[pa.Table, Twins]:
    """Rows of ``schemas.TWINS``, at most ``MOST_TWINS``, and the counts of all.

    Those of two labels come first, then those across sides.

    Args:
        reduced: Rows of ``schemas.REDUCED``.
        cosine: Twins have at least this one.
    """
    rows = conform(reduced, schemas.REDUCED, "reduced").select(*_KEPT)
    repeated = rows.groupBy(_HASH).agg(F.count("*").alias("images")).where("images > 1").select(_HASH)
    candidates = rows.join(F.broadcast(repeated), _HASH, "left_semi")

    found = candidates.groupBy(_HASH).applyInPandas(lambda frame: pairs(frame, cosine), spark_schema(schemas.TWINS))
    found = found.persist()
    try:
        across = F.coalesce(F.col("split") != F.col("twin_split"), F.lit(False))
        other_label = F.coalesce(F.col("label") != F.col("twin_label"), F.lit(False))
        counts = found.agg(
            F.count("*").alias("pairs"),
            F.count_if("same_content").alias("same_content"),
            F.count_if(across).alias("across_sides"),
            F.count_if(other_label).alias("two_labels"),
        ).collect()[0]
        first = found.orderBy(F.desc(other_label), F.desc(across), "twin_path", "path").limit(MOST_TWINS).toPandas()
    finally:
        found.unpersist()
    return pa.Table.from_pandas(first, schemas.TWINS, preserve_index=False), Twins(**counts.asDict())


def pairs(group: pd.DataFrame, cosine: float) -> pd.DataFrame:
    """Rows of ``schemas.TWINS`` of images of one hash: each with the first one, where their components agree."""
    ordered = group.sort_values("path", ignore_index=True)
    components = np.array([*ordered["pca_features"]], np.float64)
    lengths = np.linalg.norm(components, axis=1)
    cosines = components @ components[0] / np.maximum(lengths * lengths[0], np.finfo(np.float64).tiny)
    same = ordered["content_sha256"] == ordered["content_sha256"][0]
    near = (same | (cosines >= cosine)) & (ordered.index > 0)
    found = ordered.loc[near, ["path", "label", "split"]]
    for name in ("path", "label", "split"):
        found[f"twin_{name}"] = ordered[name][0]
    told: pd.DataFrame = found.assign(same_content=same[near])[schemas.TWINS.names]
    return told
