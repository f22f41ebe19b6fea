"""Features to components: the fitted model, every image's components, and the variance curve."""

import logging
import time
from collections.abc import Sequence
from multiprocessing.pool import ThreadPool

from pyspark import inheritable_thread_target
from pyspark.ml import PipelineModel
from pyspark.sql import DataFrame, SparkSession

from fruits_pipeline import schemas
from fruits_pipeline.backbones.catalog import backbone_named
from fruits_pipeline.errors import DatasetError
from fruits_pipeline.reduce.bounds import bounds
from fruits_pipeline.reduce.calibrated import refuse_judged
from fruits_pipeline.reduce.facts import Reduced
from fruits_pipeline.reduce.labels import PART_IMAGES, copied_labels, labelled
from fruits_pipeline.reduce.moments import Bounds
from fruits_pipeline.reduce.project import reduced
from fruits_pipeline.reduce.reduction import LARGE_BATCHES, Reduction, fit
from fruits_pipeline.reduce.rule import Given, counted_uses, given, rule_of, tell
from fruits_pipeline.reduce.variance import variance_table
from fruits_pipeline.session import tables
from fruits_pipeline.session.configured import configured
from fruits_pipeline.settings.reduce import ReduceSettings, TransformName
from fruits_pipeline.state import layout
from fruits_pipeline.state.snapshot import Snapshot
from fruits_pipeline.state.uses import Uses
from fruits_pipeline.storage import uri
from fruits_pipeline.storage.store import Store
from fruits_pipeline.storage.table import TableSource
from fruits_pipeline.timeline import step
from fruits_pipeline.trained.projection import save_projection
from fruits_pipeline.trained.saved import save

log = logging.getLogger(__name__)


def reduce_features(
    spark: SparkSession,
    store: Store,
    snapshot: Snapshot,
    settings: ReduceSettings,
    labels: TableSource | None,
    backbone: bytes,
) -> tuple[Reduced, PipelineModel]:
    """Fits the reduction on the training images, saves it, and writes every image's components.

    Args:
        spark: The session.
        store: The output.
        snapshot: The features and their manifest, perhaps of another output.
        settings: Components and split.
        labels: The table that replaces the manifest's labels, if there is one.
        backbone: That of the features, as ``trained.backbone`` keeps it.

    Raises:
        InputError: When there are too few training images, or images would be judged that the int8 model was
            calibrated with.
        SettingsError: When more components are asked for than there are.
        DatasetError: When rows were lost on the way.
    """
    table = None if labels is None else copied_labels(store, labels)
    with step("reduce: count"):
        found = given(spark, snapshot, table)
    if labels is not None and table is not None:
        _tell_named(found, labels, table.rows)
    rule = rule_of(settings.train_split, found)
    tell(found, rule)
    parts = [labelled(spark, part, table, rule.share) for part in snapshot.parts(PART_IMAGES)]
    refuse_judged(snapshot, parts)
    place = uri.join(store.root, layout.REDUCED)
    with configured(spark, LARGE_BATCHES):
        started_s = time.monotonic()
        with step("reduce: fit"):
            reduction = fit(parts, settings, _known(snapshot, settings.transform), only_labelled=rule.only_labelled)
        fit_s = round(time.monotonic() - started_s, 1)
        portable = _write(store, parts, reduction, backbone, place)
    with step("reduce: read back"):
        written = tables.read_written(spark, store, layout.REDUCED, schemas.REDUCED)
        uses = counted_uses(written, only_labelled=rule.only_labelled)
    _check_whole(uses, snapshot, place)
    facts = Reduced(
        components=reduction.k,
        dimension=reduction.projection.mean.size,
        variance_share=float(reduction.explained_variance_ratio[: reduction.k].sum()),
        training_rows=reduction.training_rows,
        rows=uses.images,
        uses=uses,
        split_by="folder or table" if rule.share is None else "content",
        fit_s=fit_s,
        features=None if snapshot.root == store.root else snapshot.root,
        labelled_by_table=None if labels is None else found.named,
        labels_table_rows=None if table is None else table.rows,
        rejected_share=snapshot.counts.reject_share,
        portable=portable,
    )
    log.info("reduced rows=%d components=%d variance_share=%.4f", facts.rows, facts.components, facts.variance_share)
    return facts, reduction.model


def _known(snapshot: Snapshot, by: TransformName) -> Bounds | None:
    """Bounds of the transformed features, where the backbone's own last layer bounds them."""
    backbone = backbone_named(str(snapshot.waves[0].recipe.settings["backbone"]))
    if backbone.largest is None:
        return None
    return bounds(backbone.largest, max(snapshot.counts.read, 1), backbone.dimension, by)


def _check_whole(uses: Uses, snapshot: Snapshot, place: str) -> None:
    if uses.images != snapshot.counts.read:
        raise DatasetError(
            f"expected {snapshot.counts.read} rows in {place}, found {uses.images}; 'verify' says whether files of "
            "the features are gone, else start the same command again"
        )


def _tell_named(found: Given, labels: TableSource, rows: int) -> None:
    """Says how many of the images the user's table names, and how many rows name none."""
    log.log(
        logging.INFO if found.named == found.images == rows else logging.WARNING,
        "labels table=%s images_named=%d, images_not_named=%d (they have no label), rows_of_no_image=%d",
        *(labels, found.named, found.images - found.named, rows - found.named),
    )


def _write(
    store: Store, parts: Sequence[DataFrame], reduction: Reduction, backbone: bytes, place: str
) -> dict[str, str]:
    """Writes the components of all images to ``place``, and saves the model at the same time; see ``_save``."""
    with ThreadPool(1) as pool:
        saving = pool.apply_async(inheritable_thread_target(_save), (store, reduction, backbone))
        with step("reduce: write"):
            for part in parts:
                tables.write(reduced(part, reduction.projection), place, schemas.REDUCED, "reduced")
        portable: dict[str, str] = saving.get()
    return portable


def _save(store: Store, reduction: Reduction, backbone: bytes) -> dict[str, str]:
    """Saves what is trained, and gives the SHA-256 of each file of it by name."""
    with step("reduce: save model"):
        tables.save_model(store, reduction.model, f"{layout.MODELS}/reduce")
        portable = {
            "reduce": save_projection(store, reduction.projection),
            "backbone": save(store, "backbone", backbone),
        }
    table = variance_table(reduction.explained_variance_ratio)
    tables.write_small(store, table, f"{layout.EVALUATION}/variance", schemas.VARIANCE)
    return portable
