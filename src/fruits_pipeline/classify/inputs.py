"""What the classifiers are given: counted and judged before hours of fitting."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812, because Spark's own documentation spells it so

from fruits_pipeline import schemas
from fruits_pipeline.errors import InputError

_log = logging.getLogger(__name__)
_MOST_NAMED: Final = 10
_MIN_LABELS: Final = 2
# Labels by split; more than this are no labels of classifiers, but names of single images.
_MOST_ROWS: Final = 20_000


@dataclass(frozen=True)
class Inputs:
    """Labelled images by label, on each side.

    Attributes:
        train: Training images of each label.
        test: Test images of each label.
    """

    train: Mapping[str, int]
    test: Mapping[str, int]

    @property
    def labels(self) -> list[str]:
        """The labels that can be learnt, by alphabet: a label's place is its index."""
        return sorted(self.train)

    @property
    def unlearnt(self) -> list[str]:
        """Labels of test images without a training image, by alphabet: every one of those is a mistake."""
        return sorted(set(self.test) - set(self.train))


def counted(reduced: DataFrame) -> Inputs:
    """The labelled images of ``schemas.REDUCED``, counted in one pass; unlabelled ones are left out.

    Raises:
        InputError: When there are more labels than classifiers can learn.
    """
    rows = reduced.where(F.col("label").isNotNull()).groupBy("split", "label").count().limit(_MOST_ROWS).collect()
    if len(rows) == _MOST_ROWS:
        raise InputError(
            f"The classifiers expect at most {_MOST_ROWS // 2} labels, found more in reduced. "
            "Name the labels by other folders, or by a table: --labels; features are kept."
        )
    sides: dict[str, dict[str, int]] = {schemas.TRAIN: {}, schemas.TEST: {}}
    for split, label, images in rows:
        if split in sides:
            sides[split][label] = images
    return Inputs(sides[schemas.TRAIN], sides[schemas.TEST])


def check(inputs: Inputs) -> None:
    """Says what cannot be fitted or judged, and warns of labels that cannot be learnt.

    Raises:
        InputError: When no training image has a label, when all have the same, or when no test image has one.
    """
    if not inputs.train:
        raise InputError(
            "The classifiers expect labelled training images, found none in reduced. "
            "Put images into folders named by their label under Training/; "
            "features and components are kept."
        )
    if len(inputs.train) < _MIN_LABELS:
        raise InputError(
            f"The classifiers expect training images of at least {_MIN_LABELS} labels, found only "
            f"{inputs.labels[0]!r} in reduced. Put images of another label into a folder under Training/; "
            "features and components are kept."
        )
    if not inputs.test:
        raise InputError(
            "The classifiers expect labelled test images to be judged by, found none in reduced. "
            "Put images into folders named by their label under Test/, or use --train-split 0.8; "
            "features and components are kept."
        )
    if inputs.unlearnt:
        named = ", ".join(repr(label) for label in inputs.unlearnt[:_MOST_NAMED])
        more = ", ..." if len(inputs.unlearnt) > _MOST_NAMED else ""
        images = sum(inputs.test[label] for label in inputs.unlearnt)
        _log.warning("labels_without_training_images=[%s%s] mistakes=%d", named, more, images)
