"""The command ``predict``: labels of photos by the models of a finished run; no Spark, no Java, no TensorFlow."""

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from io import TextIOWrapper
from multiprocessing.pool import ThreadPool
from typing import Final

from fruits_pipeline.backbones.predictor import predictor
from fruits_pipeline.errors import InputError
from fruits_pipeline.predict.show import Prediction, Told, show
from fruits_pipeline.settings.commands import PredictCommand
from fruits_pipeline.storage.opening import open_store
from fruits_pipeline.trained.models import load_models

_NOTHING: Final = "predict expects photos, found none; name files, folders or globs, or - for standard input"


def predict_photos(words: Sequence[str], command: PredictCommand) -> None:
    """Writes to standard output what the models say of the photos that ``words`` name.

    Raises:
        InputError: When no photo is named, and once all are told, when some cannot be read.
        DatasetError: When the models are not whole.
        ModelError: When this machine cannot run the backbone.
    """
    if isinstance(sys.stdout, TextIOWrapper):
        # Names of files need not be UTF-8.
        sys.stdout.reconfigure(errors="surrogateescape")
    if not words:
        raise InputError(_NOTHING)
    settings = command.predict
    models = load_models(open_store(settings.model, command.storage), settings.classifier)
    told = Told.of(settings, models.classifiers[0].labels)
    with ThreadPool(1) as pool:
        loading = pool.apply_async(predictor, (models.backbone.model, _cores()))
        try:
            # Half a second, in which all else is imported.
            from fruits_pipeline.predict.photos import named_photos
            from fruits_pipeline.predict.predictions import predictions, tell_differences

            tell_differences(models)
            photos = named_photos(words, command.storage)
            predicted = _Counted(predictions(photos, models, command, told, loading.get))
            try:
                show(predicted, settings.format, told, sys.stdout)
            except BrokenPipeError:
                # The reader has all that it wants, as ``head`` has; Python must not flush to it at the end either.
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
                return
        finally:
            # A process that ends while its engine loads is aborted.
            loading.wait()
    if not predicted.photos:
        raise InputError(_NOTHING)
    if predicted.unread:
        raise InputError(
            f"expected photos that can be read, found {predicted.unread} of {predicted.photos} that cannot; the "
            "reason of "
            "each stands in the output above"
        )


def _cores() -> int:
    """The processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class _Counted:
    """Predictions, counted on their way."""

    def __init__(self, predictions: Iterable[Prediction]) -> None:
        self._predictions = predictions
        self.photos = self.unread = 0

    def __iter__(self) -> Iterator[Prediction]:
        for one in self._predictions:
            self.photos += 1
            self.unread += one.reason is not None
            yield one
