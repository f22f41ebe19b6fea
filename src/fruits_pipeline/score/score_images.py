"""New images by trained models: predictions of all, scores of those that have a label and were not learnt from."""

import logging
from functools import reduce
from typing import Final

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812, because Spark's own documentation spells it so

from fruits_pipeline import schemas
from fruits_pipeline.classify import judge
from fruits_pipeline.classify.evaluation import evaluated
from fruits_pipeline.classify.inputs import Labels
from fruits_pipeline.errors import DatasetError
from fruits_pipeline.reduce.labels import PART_IMAGES, labelled
from fruits_pipeline.reduce.reduction import LARGE_BATCHES
from fruits_pipeline.reduce.rule import given
from fruits_pipeline.score.drift import NewImages, drift
from fruits_pipeline.score.facts import Scored
from fruits_pipeline.score.reference import Reference, learnt, reference_of
from fruits_pipeline.score.scored import scored
from fruits_pipeline.session import tables
from fruits_pipeline.session.configured import configured
from fruits_pipeline.state import layout
from fruits_pipeline.state.snapshot import Snapshot
from fruits_pipeline.storage import uri
from fruits_pipeline.storage.store import Store
from fruits_pipeline.timeline import step
from fruits_pipeline.trained.models import TrainedModels

log = logging.getLogger(__name__)

_MOST_LABELS: Final = 20_000


def score_images(
    spark: SparkSession, store: Store, snapshot: Snapshot, models: TrainedModels, models_at: Store
) -> Scored:
    """Writes what the models say of every image of the snapshot, judges it, and compares with the training.

    Args:
        spark: The session.
        store: The output.
        snapshot: Features of the new images, of the recipe of the models' own.
        models: The models.
        models_at: The output in which they were trained.

    Raises:
        DatasetError: When rows were lost on the way, or the training images' components are gone.
    """
    reference = reference_of(spark, models_at, models)
    known = learnt(reference, models).persist()
    try:
        return _scored(store, snapshot, reference, known, models)
    finally:
        known.unpersist()


def _scored(store: Store, snapshot: Snapshot, reference: Reference, known: DataFrame, models: TrainedModels) -> Scored:
    """The same, with the contents ``known`` that were learnt from."""
    written = _written(store, snapshot, known, models)
    spark = known.sparkSession
    with step("score: read back"):
        with_split = given(spark, snapshot, None).with_split > 0
        counts = _counted(written, models.classifiers[0].name, _is_judged(with_split))
    expected = snapshot.counts.read * len(models.classifiers)
    if counts["rows"] != expected:
        found = f"found {counts['rows']}; start the same command again"
        raise DatasetError(f"expected {expected} rows in {store.root}/{layout.PREDICTIONS}, {found}")
    if counts["learnt"]:
        log.warning("images=%d were learnt from, and are predicted only", counts["learnt"])
    log.info("scored images=%d judged=%d unfamiliar=%d", snapshot.counts.read, counts["judged"], counts["unfamiliar"])
    with step("score: evaluate"):
        judged = written.where(_is_judged(with_split)).withColumn("split", F.lit(schemas.TEST))
        scores = evaluated(store, judge.counted(judged), judge.wrong(judged)).get(schemas.TEST, {})
        unlearnt = _unlearnt(judged, models)
    with step("score: drift"):
        first = written.where((F.col("classifier") == models.classifiers[0].name) & ~F.col("learnt"))
        differs = drift(reference, _new_images(snapshot, first, known), models)
    return Scored(
        models=reference.root,
        scores=scores,
        judged=counts["judged"],
        unlearnt=unlearnt,
        learnt=counts["learnt"],
        unfamiliar=counts["unfamiliar"],
        drift=differs,
        images=snapshot.counts.read,
        predictions=expected,
    )


def _written(store: Store, snapshot: Snapshot, known: DataFrame, models: TrainedModels) -> DataFrame:
    """Writes the predictions of every image, and gives their rows as they were written."""
    spark = known.sparkSession
    with configured(spark, LARGE_BATCHES), step("score: predict"):
        for part in snapshot.parts(PART_IMAGES):
            rows = scored(labelled(spark, part, None, None), known, models)
            tables.write(rows, uri.join(store.root, layout.PREDICTIONS), schemas.SCORED, "predictions")
    return tables.read_written(spark, store, layout.PREDICTIONS, schemas.SCORED)


def _new_images(snapshot: Snapshot, predicted: DataFrame, known: DataFrame) -> NewImages:
    """What is compared with the training: the images of ``predicted``, one row each; none is of the ``known`` ones."""
    parts = [
        tables.read(known.sparkSession, part.files(layout.FEATURES), schemas.FEATURES, "features")
        for part in snapshot.parts(PART_IMAGES)
    ]
    counts = predicted.groupBy("prediction").agg(F.count("*"), F.count_if("unfamiliar")).collect()
    return NewImages(
        features=reduce(DataFrame.union, parts).join(known, on="content_sha256", how="left_anti"),
        predicted={label: images for label, images, _ in counts},
        unfamiliar=sum(unfamiliar for *_, unfamiliar in counts),
        rejected_share=snapshot.counts.reject_share,
    )


def _unlearnt(judged: DataFrame, models: TrainedModels) -> Labels:
    """Labels of judged images that the models do not know: every prediction for one is a mistake."""
    first = models.classifiers[0]
    counts = judged.where((F.col("classifier") == first.name) & F.col("label").isNotNull()).groupBy("label").count()
    images = {label: count for label, count in counts.limit(_MOST_LABELS).collect() if label not in first.labels}
    found = Labels.of(images)
    if found.labels:
        log.warning("labels_not_learnt=[%s] labels=%d images=%d", found, found.labels, found.images)
    return found


def _is_judged(with_split: bool) -> Column:
    """Labelled images that were not learnt from; where any has a split, as in a run only those that have one."""
    judged = ~F.col("learnt") & F.col("label").isNotNull()
    return judged & F.col("split").isNotNull() if with_split else judged


def _counted(written: DataFrame, classifier: str, is_judged: Column) -> dict[str, int]:
    """All rows, and the images that were learnt from, that are judged and that are unfamiliar."""
    one = F.col("classifier") == classifier
    found = written.agg(
        F.count("*").alias("rows"),
        F.count_if(one & F.col("learnt")).alias("learnt"),
        F.count_if(one & is_judged).alias("judged"),
        F.count_if(one & F.col("unfamiliar")).alias("unfamiliar"),
    ).first()
    return found.asDict() if found else {}
