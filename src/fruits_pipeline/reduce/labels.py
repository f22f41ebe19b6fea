"""Features with labels and splits: these stand in the manifest, or in a table of the user's, and are joined here.

The manifest's rows of a few waves are broadcast to the features of just these waves, so that no feature is ever
shuffled and the driver never holds the manifest of all.
"""

import hashlib
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812, because Spark's own documentation spells it so

from fruits_pipeline import schemas
from fruits_pipeline.errors import InputError
from fruits_pipeline.reduce.split import HASH_DIGITS, hash_limit
from fruits_pipeline.session import tables
from fruits_pipeline.state.layout import FEATURES, LABELS, MANIFEST, ONLY_FILE
from fruits_pipeline.state.snapshot import Snapshot
from fruits_pipeline.storage import uri
from fruits_pipeline.storage.store import Store
from fruits_pipeline.storage.table import TableSource

# Labelled rows of ``schemas.FEATURES``, in this order.
LABELLED = pa.schema(
    [
        ("path", pa.string()),
        ("source_path", pa.string()),
        ("label", pa.string()),
        ("split", pa.string()),
        ("content_sha256", pa.string()),
        ("width", pa.int32()),
        ("height", pa.int32()),
        *schemas.FIGURES,
        ("features", pa.list_(pa.float32())),
    ]
)
# Some 150 MB of the driver and of each executor while they are joined.
PART_IMAGES = 500_000
_DIGEST_BITS = 256


@dataclass(frozen=True)
class LabelTable:
    """A table of ``schemas.LABELS`` at ``address``, which replaces the manifest's labels.

    ``rows`` are its rows, each of another path; ``has_split`` says whether its splits replace the manifest's too.
    """

    address: str
    rows: int
    has_split: bool


def check_labels(spark: SparkSession, snapshot: Snapshot, table: TableSource) -> None:
    """Refuses a table of the user's that cannot replace the labels, before anything is removed for it.

    Raises:
        InputError: When it cannot be read, names no label, names an image twice, or names none of the images.
    """
    found = pa.concat_tables([part.select(["path", "label"]) for part in table.tables()])
    _check_rows(found, table)
    for part in snapshot.parts(PART_IMAGES):
        known = tables.read(spark, part.files(MANIFEST), schemas.MANIFEST, "manifest").select("path").toPandas()
        if pc.any(pc.is_in(pa.array(known["path"]), value_set=found["path"].combine_chunks())).as_py():
            return
    raise InputError(
        f"expected paths of the images under {snapshot.source_root} in {table}, found none of them; "
        "spell paths as the manifest does, or relative to the table's folder"
    )


def _check_rows(labels: pa.Table, table: TableSource) -> None:
    paths = pc.count_distinct(labels["path"]).as_py()
    if labels["label"].null_count == len(labels):
        raise InputError(f"expected columns path and label in {table}, found no label; name another by --labels")
    if paths < len(labels):
        raise InputError(f"expected each path once in {table}, found {paths} in {len(labels)} rows; mend the table")


def copied_labels(store: Store, table: TableSource) -> LabelTable:
    """Copies the user's table into the output, where Spark reads it.

    Raises:
        InputError: When the table cannot be read, names no label, or names an image twice.
    """
    has_split, rows = False, 0
    with tempfile.TemporaryDirectory(prefix="fruits-labels-") as folder:
        file = Path(folder) / ONLY_FILE
        with pq.ParquetWriter(file, schemas.LABELS, compression="zstd") as writer:
            for part in table.tables():
                writer.write_table(part.select(schemas.LABELS.names).cast(schemas.LABELS))
                rows += len(part)
                has_split = has_split or part["split"].null_count < len(part)
        _check_rows(pq.read_table(file, columns=["path", "label"]), table)
        key = f"{LABELS}/{ONLY_FILE}"
        store.put(key, file)
    return LabelTable(uri.join(store.root, key), rows, has_split)


def digest_of_labels(table: TableSource) -> str:
    """A digest of the rows of the user's table, in whatever order they come: the sum of their SHA-256, as hex.

    Raises:
        InputError: When the table cannot be read.
    """
    total = 0
    for part in table.tables():
        for row in part.select(schemas.LABELS.names).to_pylist():
            total += int.from_bytes(hashlib.sha256(repr(tuple(row.values())).encode()).digest())
    return f"{total % (1 << _DIGEST_BITS):064x}"


def known_images(spark: SparkSession, part: Snapshot, table: LabelTable | None) -> DataFrame:
    """Columns ``path, source_path, label, split, named`` of the manifest's images.

    ``named`` is null where ``table`` does not name the image.
    """
    manifest = tables.read(spark, part.files(MANIFEST), schemas.MANIFEST, "manifest")
    images = manifest.where(F.col("skip_reason").isNull()).select("path", "source_path", "label", "split")
    if table is None:
        return images.withColumn("named", F.lit(None).cast("boolean"))
    replaced = ["label", "split"] if table.has_split else ["label"]
    given = tables.read(spark, table.address, schemas.LABELS, "labels").select("path", *replaced)
    return images.drop(*replaced).join(given.withColumn("named", F.lit(True)), on="path", how="left")


def labelled(spark: SparkSession, part: Snapshot, table: LabelTable | None, share: float | None) -> DataFrame:
    """Rows of ``LABELLED``, one for each image of ``part`` that was read.

    Args:
        spark: The session.
        part: Some waves of a snapshot, of at most some ``PART_IMAGES`` images.
        table: What replaces the manifest's labels, if anything does.
        share: The training share where the content decides for all images; None where manifest or table do.
    """
    images = known_images(spark, part, table)
    features = tables.read(spark, part.files(FEATURES), schemas.FEATURES, "features")
    joined = features.join(F.broadcast(images), on="path", how="inner")
    if share is not None:
        joined = joined.withColumn("split", _hash_split(share))
    return tables.conform(joined, LABELLED, "labelled features")


def _hash_split(share: float) -> Column:
    """Train or test by the content, as ``split_of`` says."""
    leading = F.conv(F.substring("content_sha256", 1, HASH_DIGITS), 16, 10).cast("long")
    limit = hash_limit(share)
    return F.when(leading < F.lit(limit), F.lit(schemas.TRAIN)).otherwise(F.lit(schemas.TEST))
