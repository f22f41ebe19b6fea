"""The room's work: features to components, the fitted model and the variance curve."""

import logging
from dataclasses import dataclass

from pyspark import StorageLevel
from pyspark.sql import SparkSession

from fruits_pipeline import schemas
from fruits_pipeline.errors import DatasetError
from fruits_pipeline.reduce.fit import fit, reduced
from fruits_pipeline.reduce.variance import variance_table
from fruits_pipeline.session import tables
from fruits_pipeline.session.arrange import arranged
from fruits_pipeline.settings.reduce import ReduceSettings
from fruits_pipeline.state import layout
from fruits_pipeline.storage import uri
from fruits_pipeline.storage.store import Store

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Reduced:
    """What the reduction came to: k of D components, their share of the variance, rows fitted and written."""

    components: int
    dimension: int
    variance_share: float
    training_rows: int
    rows: int


def build_reduced(spark: SparkSession, store: Store, settings: ReduceSettings, source_root: str) -> Reduced:
    """Fits the reduction on the training images and writes every image's components.

    Raises:
        InputError: When there are too few training images.
        SettingsError: When more components are asked for than there are.
        DatasetError: When rows were lost on the way.
    """
    stored = tables.read(spark, uri.join(store.root, layout.FEATURES), schemas.FEATURES, "features")
    features = arranged(stored, source_root).persist(StorageLevel.MEMORY_AND_DISK)
    try:
        reduction = fit(features, settings.components)
        place = uri.join(store.root, layout.REDUCED)
        tables.write(reduced(features, reduction), place, schemas.REDUCED, "reduced")
        expected = features.count()
    finally:
        features.unpersist()
    rows = tables.read(spark, place, schemas.REDUCED, "reduced").count()
    if rows != expected:
        raise DatasetError(f"expected {expected} rows in {place}, found {rows}; start the same command again")
    reduction.model.save(uri.join(store.root, layout.MODELS, "reduce"))
    table = variance_table(reduction.explained_variance_ratio)
    tables.write_small(store, table, f"{layout.EVALUATION}/variance", schemas.VARIANCE)
    share = float(reduction.explained_variance_ratio[: reduction.k].sum())
    log.info("reduced rows=%d components=%d variance_share=%.4f", rows, reduction.k, share)
    return Reduced(reduction.k, reduction.explained_variance_ratio.size, share, reduction.training_rows, rows)
