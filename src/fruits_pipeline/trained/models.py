"""All that was trained in one output, loaded without Spark: pixels to labels, confidence and familiarity."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from fruits_pipeline.errors import DatasetError, SettingsError
from fruits_pipeline.state.fingerprint import digest_of
from fruits_pipeline.state.layout import portable_file
from fruits_pipeline.state.room_marker import AnyFacts
from fruits_pipeline.state.rooms import Rooms
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
        reduced: The digest of the components that they were trained on.
    """

    backbone: Backbone
    projection: Projection
    classifiers: tuple[Classifier, ...]
    familiarity: Familiarity
    digest: str
    reduced: str

    def judged(self, features: NDArray[np.float32]) -> Judged:
        """What they say of images with these features (N, D).

        Raises:
            DatasetError: When a feature is no number that the backbone can give.
        """
        components, residuals = self.projection.applied(features)
        if not (np.isfinite(components).all() and np.isfinite(residuals).all()):
            raise DatasetError(
                "expected features from 0 on, found others: this machine does not compute as that of the training did; "
                "'extract' with --engine tensorflow tells whether the engine is to blame"
            )
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
    reduced = rooms.finished("reduce", _Portable)
    classified = rooms.finished("classify", _Portable, reduced.digest)
    digests = reduced.facts_or_fail.portable | classified.facts_or_fail.portable
    names = [name for name in asked if name in digests]
    if not names:
        there = ", ".join(name for name in CLASSIFIERS if name in digests)
        raise SettingsError(f"--classifier: expected one of {store.root} ({there}), found {', '.join(asked)}")
    parts = {name: _content(store, digests.get(name), portable_file(name)) for name in (*_PARTS, *names)}
    return TrainedModels(
        loaded_backbone(parts["backbone"]),
        loaded_projection(parts["reduce"]),
        tuple(loaded_classifier(name, parts[name]) for name in names),
        loaded_familiarity(parts["familiarity"]),
        digest_of({name: digests[name] for name in parts}),
        reduced.digest,
    )


class _Portable(BaseModel):
    """Of the facts of a room, the SHA-256 of its trained models by name."""

    model_config = ConfigDict(frozen=True)

    portable: dict[str, str] = {}


def _content(store: Store, expected: str | None, key: str) -> bytes:
    """The content of a file, held against its SHA-256: a copy in another store is as good."""
    if expected is None:
        raise DatasetError(
            f"expected {key} among the models under {store.root}, found none: an earlier version made them; make them "
            "by 'run' in another --output-uri"
        )
    content = store.read(key)
    if (found := hashlib.sha256(content).hexdigest()) != expected:
        raise DatasetError(
            f"expected a file of the SHA-256 {expected} at {store.root}/{key}, found {found}: it was changed since it "
            "was trained; copy it from elsewhere, or delete it and start the same 'run' again"
        )
    return content
