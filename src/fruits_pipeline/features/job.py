"""What the feature job works on and with."""

from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import SparkSession

from fruits_pipeline import schemas
from fruits_pipeline.backbones.model import Model
from fruits_pipeline.session import tables
from fruits_pipeline.settings.features import FeaturesSettings
from fruits_pipeline.settings.storage import StorageSettings
from fruits_pipeline.state.layout import MANIFEST
from fruits_pipeline.state.ledger import Ledger
from fruits_pipeline.storage.patience import Patience
from fruits_pipeline.storage.store import Store


@dataclass(frozen=True)
class FeatureJob:
    """The job's surroundings: where images are, where results go, with which model and settings.

    ``packed`` is where a pack's contents lie, None for a source of single files.
    """

    spark: SparkSession
    source: Store
    store: Store
    ledger: Ledger
    model: Model
    settings: FeaturesSettings
    fingerprint: str
    packed: str | None = None
    storage: StorageSettings = field(default_factory=StorageSettings)
    patience: Patience = field(default_factory=Patience)

    def manifest(self) -> pa.Table:
        """The manifest's images: rows of ``schemas.MANIFEST`` that are not skipped, in order of path."""
        rows = tables.read_small(self.store, MANIFEST, schemas.MANIFEST)
        return rows.filter(pc.field("skip_reason").is_null())
