"""All that was trained in one output, loaded without Spark: pixels to labels, confidence and familiarity."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fruits_pipeline.errors import DatasetError, SettingsError
from fruits_pipeline.state.files import FileMark
from fruits_pipeline.state.fingerprint import digest_of
from fruits_pipeline.state.layout import portable_file
from fruits_pipeline.state.rooms import AnyFacts, Rooms
from fruits_pipeline.storage.store import Store
from fruits_pipeline.trained.backbone import Backbone, loaded_backbone
from fruits_pipeline.trained.classifier import CLASSIFIERS, Classifier, loaded_classifier
from fruits_pipeline.trained.familiarity import Familiarity, loaded_familiarity
from fruits_pipeline.trained.projection import Projection, loaded_projection

_PARTS: Final = ("backbone", "reduce", "familiarity")


@dataclass(frozen=True)
class Judged:
    """What the models say of N images.

    Attributes:
        probabilities: By classifier, float64 (N, L), each row with the sum 1.
        familiarity: float64 (N,), the share of held-out images that lie further off.
        is_unfamiliar: bool (N,).
    """

    probabilities: dict[str, NDArray[np.float64]]
    familiarity: NDArray[np.float64]
    is_unfamiliar: NDArray[np.bool_]


@dataclass(frozen=True)
class TrainedModels:
    """The models of one output.

    Attributes:
        backbone: What computes features.
        projection: What makes components of these.
        classifiers: At least one, in the order in which they were asked for.
        familiarity: Residuals of held-out images.
        digest: SHA-256 of all of it: equal digests say the same of every image.
    """

    backbone: Backbone
    projection: Projection
    classifiers: tuple[Classifier, ...]
    familiarity: Familiarity
    digest: str

    def judged(self, features: NDArray[np.float32]) -> Judged:
        """What they say of images with these features (N, D)."""
        components, residuals = self.projection.applied(features)
        return Judged(
            {classifier.name: classifier.probabilities(components) for classifier in self.classifiers},
            self.familiarity.of(residuals),
            self.familiarity.is_unfamiliar(residuals),
        )


def load_models(store: Store, asked: Sequence[str]) -> TrainedModels:
    """The models of an output, each byte of them as its marker says.

    Args:
        store: The output.
        asked: Classifiers, of which those are loaded that there are.

    Raises:
        DatasetError: When they are not finished, are damaged, or belong to other components.
        SettingsError: When there is none of these classifiers.
    """
    rooms = Rooms(store, overwrite=False)
    if rooms.marker("classify", AnyFacts) is None:
        raise DatasetError(
            f"expected the models of a finished run under {store.root}, found none; check --model, or let 'run' or "
            "'classify' make them"
        )
    reduced = rooms.finished("reduce", AnyFacts)
    classified = rooms.finished("classify", AnyFacts, reduced.digest)
    marks = {file.key: file for file in (*reduced.files, *classified.files)}
    names = [name for name in asked if portable_file(name) in marks]
    if not names:
        there = ", ".join(name for name in CLASSIFIERS if portable_file(name) in marks)
        raise SettingsError(f"--classifier: expected one of {store.root} ({there}), found {', '.join(asked)}")
    parts = {name: _content(store, marks, portable_file(name)) for name in (*_PARTS, *names)}
    return TrainedModels(
        loaded_backbone(parts["backbone"]),
        loaded_projection(parts["reduce"]),
        tuple(loaded_classifier(name, parts[name]) for name in names),
        loaded_familiarity(parts["familiarity"]),
        digest_of({name: marks[portable_file(name)].checksum for name in parts}),
    )


def _content(store: Store, marks: Mapping[str, FileMark], key: str) -> bytes:
    mark = marks.get(key)
    if mark is None:
        raise DatasetError(
            f"expected {key} among the models under {store.root}, found none; "
            "make them again: the 'run' that made them, with --overwrite"
        )
    content = store.read(key)
    found = store.checksum(key)
    if len(content) != mark.length or found != mark.checksum:
        raise DatasetError(
            f"expected {mark.length} bytes with {mark.checksum} in {store.root}/{key}, found {len(content)} with "
            f"{found}: it was changed since it was trained; delete it and start the same 'run' again"
        )
    return content
