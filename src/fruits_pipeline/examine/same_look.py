"""Images that look the same: equal perceptual hashes, confirmed by the cosine of their components.

Pairs, never chains: each image with the first one, by path, of those with its hash. Other near-twins, of a few bits of
difference, are only looked for between training and judged images (``classify/leaks.py``), where they count.
"""

from collections.abc import Iterable, Iterator
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812, because Spark's own documentation spells it so

from fruits_pipeline import schemas
from fruits_pipeline.examine.facts import Twins
from fruits_pipeline.session.tables import as_matrix, conform, spark_schema

MOST_TWINS: Final = 10_000
# In mean luminance: black and white pictures have one hash.
_MOST_APART: Final = 0.25
# So many hashes the driver knows; of more Spark counts them twice.
_MOST_HASHES: Final = 200_000
_HASH: Final = "perceptual_hash"
_KEPT: Final = ("path", "label", "split", "content_sha256", _HASH, "brightness", "pca_features")


def twins(reduced: DataFrame, cosine: float) -> tuple[pa.Table, Twins]:
    """Rows of ``schemas.TWINS``, at most ``MOST_TWINS``, and the counts of all.

    Those of two labels come first, then those across sides.

    Args:
        reduced: Rows of ``schemas.REDUCED``.
        cosine: Twins have at least this one.
    """
    rows = conform(reduced, schemas.REDUCED, "reduced").select(*_KEPT)
    repeated = rows.groupBy(_HASH).agg(F.count("*").alias("images")).where("images > 1").select(_HASH)
    hashes = [tuple(row) for row in repeated.limit(_MOST_HASHES + 1).collect()]
    if not hashes:
        return schemas.TWINS.empty_table(), Twins()
    if len(hashes) <= _MOST_HASHES:
        repeated = rows.sparkSession.createDataFrame(hashes, repeated.schema)
    candidates = rows.join(F.broadcast(repeated), _HASH, "left_semi")

    together = candidates.repartition(_HASH).sortWithinPartitions(_HASH, "path").select(*_KEPT)

    def over_batches(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        before: list[pa.RecordBatch] = []
        for batch in (batch for batch in batches if batch.num_rows):
            rows = pa.Table.from_batches([*before, batch]).combine_chunks().to_batches()[0]
            first = _firsts(rows)
            yield pairs(rows, first, cosine)
            # The next batch may go on with the last hash.
            before = [rows.slice(int(first[-1]), 1)]

    found = together.mapInArrow(over_batches, spark_schema(schemas.TWINS))
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


def _firsts(rows: pa.RecordBatch) -> NDArray[np.int64]:
    """The place of the first row with the same hash, for each row; those of one hash stand together."""
    hashes = rows.column(_HASH).to_numpy()
    starts = np.flatnonzero(np.r_[True, hashes[1:] != hashes[:-1]])
    return np.repeat(starts, np.diff(np.r_[starts, len(hashes)]))


def pairs(rows: pa.RecordBatch, first: NDArray[np.int64], cosine: float) -> pa.RecordBatch:
    """Rows of ``schemas.TWINS``: each row with its first one, where their components or their bytes agree.

    Args:
        rows: Columns ``path, label, split, content_sha256, perceptual_hash, brightness, pca_features``.
        first: int64 (N,), place of the first row with the same hash.
        cosine: Components agree from this cosine on.
    """
    components = as_matrix(rows.column("pca_features")).astype(np.float64)
    lengths = np.linalg.norm(components, axis=1)
    products = np.einsum("nk,nk->n", components, components[first])
    cosines = products / np.maximum(lengths * lengths[first], np.finfo(np.float64).tiny)
    digests = rows.column("content_sha256")
    same = pc.equal(digests, digests.take(pa.array(first))).to_numpy(zero_copy_only=False)
    brightness = rows.column("brightness").to_numpy()
    alike = (cosines >= cosine) & (np.abs(brightness - brightness[first]) <= _MOST_APART)
    near = np.flatnonzero((same | alike) & (first < np.arange(len(first))))
    ours, theirs = rows.take(pa.array(near)), rows.take(pa.array(first[near]))
    named = ("path", "label", "split")
    columns = [*map(ours.column, named), *map(theirs.column, named), pa.array(same[near])]
    return pa.RecordBatch.from_arrays(columns, schema=schemas.TWINS)
