"""The rule by which images come to their side, from counts of manifest and table alone: no feature is read."""

import logging
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812, because Spark's own documentation spells it so

from fruits_pipeline import schemas
from fruits_pipeline.reduce.labels import PART_IMAGES, LabelTable, known_images
from fruits_pipeline.reduce.split import hash_share
from fruits_pipeline.state.snapshot import Snapshot
from fruits_pipeline.state.uses import Uses

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Given:
    """Images of a snapshot, by what folders and table give them.

    Attributes:
        images: All of them, rejected ones included.
        with_split: Those with a split.
        labelled: Those with a label.
        labelled_training: Those with a label whose split is ``train``.
        named: Those that the table names; 0 without one.
    """

    images: int = 0
    with_split: int = 0
    labelled: int = 0
    labelled_training: int = 0
    named: int = 0


@dataclass(frozen=True)
class Rule:
    """How images come to their side, and which of the training side are learnt from.

    Attributes:
        share: The training share where the content decides for all; None where only images with a split have a side.
        only_labelled: Whether unlabelled images train nothing.
    """

    share: float | None
    only_labelled: bool


def given(spark: SparkSession, snapshot: Snapshot, table: LabelTable | None) -> Given:
    """Counts the images of the manifest with labels and splits as ``table`` replaces them: one row for each part."""
    counts = [F.count("*"), F.count("split"), F.count("label"), F.count(_training_label()), F.count("named")]
    parts = (known_images(spark, part, table).agg(*counts).collect()[0] for part in snapshot.parts(PART_IMAGES))
    return Given(*(sum(column) for column in zip(*parts, strict=True)))


def rule_of(train_split: str | float, found: Given) -> Rule:
    """The rule that the setting ``--train-split`` means for these images.

    >>> rule_of("folder", Given(images=9, with_split=4, labelled=2))
    Rule(share=None, only_labelled=False)
    >>> rule_of("folder", Given(images=9, labelled=2))
    Rule(share=0.8, only_labelled=True)
    """
    share = hash_share(train_split, any_split=found.with_split > 0)
    return Rule(share, only_labelled=(found.labelled_training if share is None else found.labelled) > 0)


def tell(found: Given, rule: Rule) -> None:
    """Logs how images come to their side, and what follows for those without a split or a label."""
    if rule.share is not None:
        log.info("split by=content train_share=%s ignored_splits=%d", rule.share, found.with_split)
    elif found.with_split == found.images:
        log.info("split by=folder_or_table images=%d", found.images)
    else:
        log.warning(
            "split by=folder_or_table images_with_split=%d images_without=%d, which are predicted only; "
            "--train-split 0.8 splits all images by their content instead",
            *(found.with_split, found.images - found.with_split),
        )
    if rule.only_labelled and found.labelled < found.images:
        log.info("unlabelled images=%d train nothing, because others have a label", found.images - found.labelled)


def counted_uses(reduced: DataFrame, *, only_labelled: bool) -> Uses:
    """The images of ``schemas.REDUCED`` by what they are used for; reads only the columns ``split`` and ``label``."""
    rows = reduced.groupBy("split", F.col("label").isNotNull()).count().collect()
    return Uses.of((tuple(row) for row in rows), only_labelled=only_labelled)


def _training_label() -> Column:
    return F.when(F.col("split") == schemas.TRAIN, F.col("label"))
