"""The calibration sample: images that no later split can put on the test side, chosen by a seeded hash and decoded."""

import hashlib
import heapq
import logging
from collections.abc import Iterator
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from fruits_pipeline.errors import InputError
from fruits_pipeline.images.decode import Decoded, decode
from fruits_pipeline.ingest.listing import AnySource, listed
from fruits_pipeline.ingest.sampling import seeded_hash
from fruits_pipeline.reduce.split import CALIBRATED_SHARE, split_of
from fruits_pipeline.schemas import TRAIN
from fruits_pipeline.settings.calibrate import CalibrateSettings
from fruits_pipeline.settings.features import FeaturesSettings
from fruits_pipeline.storage import uri
from fruits_pipeline.storage.opening import open_store

log = logging.getLogger(__name__)

# Half of the contents are left out, and some images turn out to be damaged: so many times as many are drawn.
_SPARE = 3


def calibration_sample(
    source: AnySource, settings: CalibrateSettings, image_size: int
) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    """The sample as uint8 (N, S, S, 3), N the number set or all there are, and the SHA-256 of each image's content.

    Equal images give an equal sample.

    Only images that folder or table put on no side, or on the training side, and whose content's hash makes them
    training images for every ``--train-split`` from ``CALIBRATED_SHARE`` on: with less, int8 is refused.

    Raises:
        InputError: When the source has no image that can be used.
    """
    paths = [path for table in listed(source) for path in _may_train(table.to_pylist())]
    drawn = heapq.nsmallest(
        _SPARE * settings.calibration_images,
        paths,
        key=lambda path: seeded_hash(uri.below(path, source.root) or path, settings.calibration_seed),
    )
    images = list(islice(_decoded(source, drawn, image_size), settings.calibration_images))
    if not images:
        raise InputError(
            f"expected images to calibrate with in {source}, outside of Test folders, found {len(paths)} that could "
            "be, none of them usable; check --data-source"
        )
    log.info("calibration images=%d candidates=%d source=%s", len(images), len(paths), source)
    contents, pixels = zip(*images, strict=True)
    return np.stack(pixels), contents


def _may_train(rows: list[dict[str, str | None]]) -> Iterator[str]:
    """Paths of images that are not stated to be for anything but training."""
    for row in rows:
        if row["skip_reason"] is None and row["split"] in (None, TRAIN) and row["path"] is not None:
            yield row["path"]


def _decoded(source: AnySource, paths: list[str], image_size: int) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    """SHA-256 and pixels of readable images on the training side of every split."""
    store, limits = open_store(source.root, source.storage), FeaturesSettings()
    for path in paths:
        content = store.read(uri.below(path, source.root) or "")
        digest = hashlib.sha256(content).hexdigest()
        if split_of(digest, CALIBRATED_SHARE) != TRAIN:
            continue
        image = decode(content, image_size, limits.max_pixels)
        if isinstance(image, Decoded):
            yield digest, image.pixels
