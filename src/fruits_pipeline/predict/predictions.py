"""What models say of photos: fetched ahead, decoded in a process of their own, and predicted, in their order."""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from fruits_pipeline.backbones.predictor import Predict
from fruits_pipeline.features.batch import Computed, Treatment, computed
from fruits_pipeline.features.recipe import made_by_here
from fruits_pipeline.images.isolation import IsolatedDecoder
from fruits_pipeline.images.outcome import Rejected
from fruits_pipeline.images.reason import Reason
from fruits_pipeline.predict.show import Guess, Prediction, Told
from fruits_pipeline.settings.commands import PredictCommand
from fruits_pipeline.settings.features import FeaturesSettings
from fruits_pipeline.state.fingerprint import differences
from fruits_pipeline.storage.fetch import Wanted, Window, fetched
from fruits_pipeline.storage.single import Unread
from fruits_pipeline.trained.models import TrainedModels

log = logging.getLogger(__name__)

_BATCH = 32


def predictions(
    photos: Iterable[Wanted], models: TrainedModels, command: PredictCommand, told: Told, predict: Callable[[], Predict]
) -> Iterator[Prediction]:
    """What the models say of each photo, in order.

    Args:
        photos: The photos.
        models: The models.
        command: How buckets are reached.
        told: What is told of each.
        predict: Gives what computes features, once it is loaded.

    Raises:
        StorageError: When a source as a whole cannot be read.
    """
    treatment, limits = _treatment(models)
    asked: list[str] = []

    def wanted() -> Iterator[Wanted]:
        for photo in photos:
            asked.append(photo.path)
            yield photo

    window = Window(max_bytes=limits.max_bytes)
    with (
        IsolatedDecoder(treatment.decode_timeout_s) as decoder,
        closing(fetched(wanted(), command.storage, window, judge=False)) as contents,
    ):
        decoder.start()  # beside the engine, which another thread loads
        while batch := list(islice(contents, _BATCH)):
            paths, asked[: len(batch)] = asked[: len(batch)], []
            read = [Rejected(Reason(one.reason), one.detail) if isinstance(one, Unread) else one for one in batch]
            yield from _told(paths, computed(read, decoder.decode, predict(), treatment), models, told)


def _treatment(models: TrainedModels) -> tuple[Treatment, FeaturesSettings]:
    """How images were treated whose features the models were trained on."""
    limits = FeaturesSettings.model_validate(models.backbone.recipe.settings)
    size = models.backbone.model.image_size
    return Treatment(size, limits.max_pixels, 1, limits.decode_timeout_s, isolated=True), limits


def tell_differences(models: TrainedModels) -> None:
    """Warns where this machine computes features in another way than those that the models were trained on."""
    recipe = models.backbone.recipe
    here = made_by_here(models.backbone.model.engine)
    if changes := differences({name: recipe.made_by.get(name) for name in here}, here):
        log.warning("features may differ a little from those of the training: %s", "; ".join(changes))


def _told(paths: Sequence[str], found: Computed, models: TrainedModels, told: Told) -> Iterator[Prediction]:
    read = _predicted(found.features, models, told)
    for path, image in zip(paths, found.images, strict=True):
        if isinstance(image, Rejected):
            yield Prediction(path, reason=image.reason.value, detail=image.detail)
        else:
            yield replace(next(read), path=path)


def _predicted(features: NDArray[np.float32], models: TrainedModels, told: Told) -> Iterator[Prediction]:
    """What the models say of each of at least one image, without its path."""
    judged, classifier = models.judged(features), models.classifiers[0]
    for row, shares in enumerate(judged.probabilities[classifier.name]):
        best = np.argsort(-shares, kind="stable")[: told.top]
        guesses = tuple(Guess(classifier.labels[place], float(shares[place])) for place in best)
        every = tuple(map(float, shares)) if told.has_all else ()
        known = (float(judged.familiarity[row]), bool(judged.is_unfamiliar[row]))
        yield Prediction("", guesses, every, *known)
