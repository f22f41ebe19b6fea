"""What the classifiers are given: counted and judged before hours of fitting."""

import logging
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from pydantic import BaseModel, ConfigDict
from pyspark.sql import DataFrame

from fruits_pipeline.errors import InputError
from fruits_pipeline.schemas import TEST, TRAIN, VALIDATION
from fruits_pipeline.state.uses import Uses

_log = logging.getLogger(__name__)
_MOST_NAMED: Final = 10
_MIN_LABELS: Final = 2
# Labels by split; more than this are no labels of classifiers, but names of single images.
_MOST_ROWS: Final = 20_000


class Labels(BaseModel):
    """Some labels.

    Attributes:
        labels: How many.
        images: Images that have one of them.
        names: The first ten, by alphabet.
    """

    model_config = ConfigDict(frozen=True)

    labels: int
    images: int
    names: tuple[str, ...]

    @classmethod
    def of(cls, images: Mapping[str, int]) -> "Labels":
        """The labels that ``images`` counts.

        >>> Labels.of({"plum": 2, "kiwi": 1})
        Labels(labels=2, images=3, names=('kiwi', 'plum'))
        """
        return cls(labels=len(images), images=sum(images.values()), names=tuple(sorted(images)[:_MOST_NAMED]))

    def __str__(self) -> str:
        """The names as messages have them."""
        return ", ".join([*map(repr, self.names), *(["..."] if self.labels > len(self.names) else [])])


@dataclass(frozen=True)
class Inputs:
    """Labelled images by label, on each side.

    Attributes:
        train: Training images of each label.
        validation: Validation images of each label.
        test: Test images of each label.
        uses: All images by what they are used for.
    """

    train: Mapping[str, int]
    validation: Mapping[str, int]
    test: Mapping[str, int]
    uses: Uses

    @property
    def labels(self) -> list[str]:
        """The labels that can be learnt, by alphabet: a label's place is its index."""
        return sorted(self.train)

    @property
    def judged(self) -> str:
        """The side whose scores are told: ``test``, or ``validation`` where no test image has a label."""
        return VALIDATION if self.validation and not self.test else TEST

    @property
    def unlearnt(self) -> Labels:
        """Labels of test and validation images without a training image: every one of those is a mistake."""
        found = Counter(self.test) + Counter(self.validation)
        return Labels.of({label: images for label, images in found.items() if label not in self.train})

    @property
    def unjudged(self) -> Labels:
        """Labels of training images that neither a test nor a validation image has."""
        judged = self.test.keys() | self.validation.keys()
        return Labels.of({label: images for label, images in self.train.items() if label not in judged})

    @property
    def alike(self) -> list[tuple[str, ...]]:
        """Labels that differ in nothing but case, spaces or how accents are encoded: most likely one label each.

        >>> Inputs({"Kiwi": 1, "Plum": 1}, {}, {"kiwi ": 1}, Uses()).alike
        [('Kiwi', 'kiwi ')]
        """
        found: defaultdict[str, list[str]] = defaultdict(list)
        for label in sorted(self.train.keys() | self.validation.keys() | self.test.keys()):
            found[" ".join(unicodedata.normalize("NFKC", label).casefold().split())].append(label)
        return [tuple(labels) for labels in found.values() if len(labels) > 1]


def without(inputs: Inputs, left_out: Mapping[tuple[str, str], int]) -> Inputs:
    """The same without so many judged images of each side and label, which are then only predicted."""
    kept = {
        side: {label: n - left_out.get((side, label), 0) for label, n in getattr(inputs, side).items()}
        for side in (VALIDATION, TEST)
    }
    dropped = {side: sum(n for (one, _), n in left_out.items() if one == side) for side in kept}
    uses = inputs.uses.model_copy(
        update={side: getattr(inputs.uses, side) - n for side, n in dropped.items()}
        | {"predicted_only": inputs.uses.predicted_only + sum(dropped.values())}
    )
    some = {side: {label: n for label, n in images.items() if n} for side, images in kept.items()}
    return Inputs(inputs.train, some[VALIDATION], some[TEST], uses)


def counted(reduced: DataFrame) -> Inputs:
    """The images of ``schemas.REDUCED``, counted in one pass.

    Raises:
        InputError: When there are more labels than classifiers can learn.
    """
    rows = reduced.groupBy("split", "label").count().limit(_MOST_ROWS).collect()
    if len(rows) == _MOST_ROWS:
        raise InputError(
            f"The classifiers expect at most {_MOST_ROWS // 2} labels, found more in reduced. "
            "Name the labels by other folders, or by a table: --labels; features are kept."
        )
    found: defaultdict[str | None, dict[str, int]] = defaultdict(dict)
    for split, label, images in rows:
        if label is not None:
            found[split][label] = images
    by_side = ((split, label is not None, images) for split, label, images in rows)
    uses = Uses.of(by_side, only_labelled=bool(found[TRAIN]))
    return Inputs(found[TRAIN], found[VALIDATION], found[TEST], uses)


def check(inputs: Inputs) -> None:
    """Says what cannot be fitted or judged, and warns of labels that cannot be learnt or are never judged.

    Raises:
        InputError: When no training image has a label, when all have the same, when neither a test nor a validation
            image has one, or when no label of the side that is told can be learnt.
    """
    check_learnable(inputs)
    if not inputs.test and not inputs.validation:
        raise InputError(
            "The classifiers expect labelled test images to be judged by, found none in reduced. "
            "Put images into folders named by their label under Test/, or use --train-split 0.8; "
            "features and components are kept."
        )
    _check_common(inputs)
    for name, labels in (
        ("labels_without_training_images", inputs.unlearnt),
        ("labels_never_judged", inputs.unjudged),
    ):
        if labels.labels:
            _log.warning("%s=[%s] labels=%d images=%d", name, labels, labels.labels, labels.images)
    if inputs.alike:
        told = ", ".join("/".join(map(ascii, labels)) for labels in inputs.alike[:_MOST_NAMED])
        _log.warning(
            "labels_spelled_alike=[%s] groups=%d, each spelling is a label of its own", told, len(inputs.alike)
        )


def check_learnable(inputs: Inputs) -> None:
    """Says what cannot be fitted.

    Raises:
        InputError: When no training image has a label, or all have the same.
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


def _check_common(inputs: Inputs) -> None:
    """Raises where no label of the side that is told can be learnt: every prediction would be a mistake."""
    judged = inputs.test if inputs.judged == TEST else inputs.validation
    if judged.keys() & inputs.train.keys():
        return
    theirs, ours = Labels.of(judged), Labels.of(inputs.train)
    raise InputError(
        f"The classifiers expect labels of {inputs.judged} images among those of training images, found none: "
        f"{inputs.judged} has {theirs.labels} ({theirs}), training {ours.labels} ({ours}). Try --label-folder first, "
        "which takes the labels from the first folder below the split, --train-split 0.8, which splits all images by "
        "their content, or a table with a column label (--labels); features and components are kept."
    )
