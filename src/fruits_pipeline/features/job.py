"""What the feature job works on and with."""

from dataclasses import dataclass

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812 because Spark's own documentation spells it so

from fruits_pipeline import schemas
from fruits_pipeline.backbones.model import Model
from fruits_pipeline.session import tables
from fruits_pipeline.settings.features import FeaturesSettings
from fruits_pipeline.state.layout import MANIFEST
from fruits_pipeline.state.ledger import Ledger
from fruits_pipeline.storage import uri
from fruits_pipeline.storage.store import Store


@dataclass(frozen=True)
class FeatureJob:
    """The job's surroundings: where images are, where results go, with which model and settings."""

    spark: SparkSession
    source: Store
    store: Store
    ledger: Ledger
    model: Model
    settings: FeaturesSettings
    fingerprint: str

    def manifest(self) -> DataFrame:
        """The manifest's images: rows of ``schemas.MANIFEST`` that are not skipped."""
        place = uri.join(self.store.root, MANIFEST)
        rows = tables.read(self.spark, place, schemas.MANIFEST, "manifest")
        return rows.where(F.col("skip_reason").isNull())
