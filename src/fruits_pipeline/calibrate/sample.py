"""The calibration sample: training images of a source, chosen by a seeded hash and decoded."""

import hashlib
import heapq
import logging
from collections.abc import Iterator
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from fruits_pipeline.errors import InputError
from fruits_pipeline.images.decode import Decoded, decode
from fruits_pipeline.ingest.naming import meaning
from fruits_pipeline.ingest.sampling import seeded_hash
from fruits_pipeline.reduce.split import DEFAULT_SHARE, split_of
from fruits_pipeline.schemas import TEST
from fruits_pipeline.settings.calibrate import CalibrateSettings
from fruits_pipeline.settings.features import FeaturesSettings
from fruits_pipeline.storage.opening import open_store
from fruits_pipeline.storage.source import Source

log = logging.getLogger(__name__)

# Some images turn out to be damaged, or test images by their content: so many times as many candidates are drawn.
_SPARE = 2


def calibration_pixels(source: Source, settings: CalibrateSettings, image_size: int) -> NDArray[np.uint8]:
    """The sample as uint8 (N, S, S, 3), N the number set or all there are; equal images give an equal sample.

    Raises:
        InputError: When the source has no image that can be used.
    """
    keys = [found.key for found in source.objects() if _may_train(found.key)]
    drawn = heapq.nsmallest(
        _SPARE * settings.calibration_images, keys, key=lambda key: seeded_hash(key, settings.calibration_seed)
    )
    images = list(islice(_decoded(source, drawn, image_size), settings.calibration_images))
    if not images:
        raise InputError(
            f"expected images to calibrate with in {source}, outside of Test folders, found {len(keys)} that could "
            "be, none of them usable; check --data-source"
        )
    log.info("calibration images=%d candidates=%d source=%s", len(images), len(keys), source)
    return np.stack(images)


def _may_train(key: str) -> bool:
    named = meaning(key)
    return named.skip_reason is None and named.split != TEST


def _decoded(source: Source, keys: list[str], image_size: int) -> Iterator[NDArray[np.uint8]]:
    """Pixels of readable training images; where no folder states the split, the content's hash decides."""
    store, limits = open_store(source.root, source.storage), FeaturesSettings()
    for key in keys:
        content = store.read(key)
        if meaning(key).split is None and split_of(hashlib.sha256(content).hexdigest(), DEFAULT_SHARE) == TEST:
            continue
        image = decode(content, image_size, limits.max_pixels)
        if isinstance(image, Decoded):
            yield image.pixels
