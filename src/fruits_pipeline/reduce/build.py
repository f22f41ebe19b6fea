"""The room's work: features to components, the fitted model and the variance curve."""

import logging
import time
from dataclasses import dataclass

from pyspark.sql import SparkSession

from fruits_pipeline import schemas
from fruits_pipeline.errors import DatasetError
from fruits_pipeline.reduce.fit import fit, reduced
from fruits_pipeline.reduce.variance import variance_table
from fruits_pipeline.session import tables
from fruits_pipeline.settings.reduce import ReduceSettings
from fruits_pipeline.state import layout
from fruits_pipeline.storage import uri
from fruits_pipeline.storage.store import Store

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Reduced:
    """What the reduction came to.

    Attributes:
        components: Kept, k.
        dimension: Length of the features, D.
        variance_share: Share of the training variance that the k components keep.
        training_rows: Rows fitted.
        rows: Rows written.
        fit_s: Seconds of the fit alone.
    """

    components: int
    dimension: int
    variance_share: float
    training_rows: int
    rows: int
    fit_s: float


def build_reduced(spark: SparkSession, store: Store, settings: ReduceSettings) -> Reduced:
    """Fits the reduction on the training images and writes every image's components.

    Raises:
        InputError: When there are too few training images.
        SettingsError: When more components are asked for than there are.
        DatasetError: When rows were lost on the way.
    """
    features = tables.read(spark, uri.join(store.root, layout.FEATURES), schemas.FEATURES, "features")
    started_s = time.monotonic()
    reduction = fit(features, settings.components)
    fit_s = round(time.monotonic() - started_s, 1)
    place = uri.join(store.root, layout.REDUCED)
    tables.write(reduced(features, reduction), place, schemas.REDUCED, "reduced")
    expected = features.count()
    rows = tables.read(spark, place, schemas.REDUCED, "reduced").count()
    if rows != expected:
        raise DatasetError(f"expected {expected} rows in {place}, found {rows}; start the same command again")
    tables.save_model(store, reduction.model, f"{layout.MODELS}/reduce")
    table = variance_table(reduction.explained_variance_ratio)
    tables.write_small(store, table, f"{layout.EVALUATION}/variance", schemas.VARIANCE)
    share = float(reduction.explained_variance_ratio[: reduction.k].sum())
    log.info("reduced rows=%d components=%d variance_share=%.4f", rows, reduction.k, share)
    return Reduced(reduction.k, reduction.mean.size, share, reduction.training_rows, rows, fit_s)
