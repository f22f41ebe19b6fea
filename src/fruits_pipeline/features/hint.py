"""One hint before the work: where all images are small, the cheapest setting that loses nearly nothing."""

import logging
from dataclasses import dataclass
from math import ceil
from typing import Final

import pyarrow as pa

from fruits_pipeline.errors import StorageError
from fruits_pipeline.features.job import FeatureJob
from fruits_pipeline.images.decode import Decoded
from fruits_pipeline.images.isolation import IsolatedDecoder
from fruits_pipeline.storage import uri

log = logging.getLogger(__name__)

_LOOKED_AT = 16
# Images that must be enlarged by this much hold nothing that the smaller size would lose.
_ENLARGED = 1.4
# A setting that loses more is no suggestion.
_WITHIN_POINTS = 0.5
# No image as small as that has more, even uncompressed.
_LARGE_BYTES = 1_000_000


@dataclass(frozen=True)
class Measured:
    """MobileNetV2 at another setting, against f32 at 224 pixels.

    ``speed`` is the ratio of images per second of one processor thread, decoding included; ``points`` are the
    percentage points of accuracy that a logistic regression on 100 components lost.
    """

    precision: str
    image_size: int
    speed: float
    points: float


# Measured on the 13,309 photos (100 x 100) of 95 labels of Fruits-360, 9,977 of them to train with, on a shared
# 2-core machine with AVX512-VNNI and without AMX, 2026-11-21: speed the median of 12 interleaved rounds of 64
# images (25 for the first two; int8 at 160 was 4.7 in those); accuracy, by the folders' own split, of f32 98.47 %
# at 224, 97.90 % at 160; of int8 98.56 % at 224, 98.17 % at 192, 97.75 % at 160.
MEASURED: Final = (
    Measured("int8", 224, 2.8, 0.0),
    Measured("f32", 160, 2.1, 0.6),
    Measured("int8", 192, 3.2, 0.3),
    Measured("int8", 160, 4.3, 0.7),
)
_REFERENCE = Measured("f32", 224, 1.0, 0.0)
_BACKBONE = "mobilenetv2"


def hint(largest: tuple[int, int], backbone: str, precision: str, image_size: int) -> str | None:
    """The line to log for images of at most ``largest`` (width, height) pixels, None where there is none.

    >>> hint((100, 100), "mobilenetv2", "f32", 224).partition(":")[0]
    'images are at most 100x100 pixels'
    >>> hint((1000, 100), "mobilenetv2", "f32", 224) is hint((100, 100), "mobilenetv2", "int8", 160) is None
    True
    """
    rows = [row for row in (_REFERENCE, *MEASURED) if (row.precision, row.image_size) == (precision, image_size)]
    if backbone != _BACKBONE or not rows or max(largest) > image_size / _ENLARGED:
        return None
    now = rows[0]
    near = [row for row in MEASURED if row.points - now.points <= _WITHIN_POINTS and row.image_size <= image_size]
    best = max(near, key=lambda row: row.speed)
    if best.speed <= now.speed:
        return None
    flags = [f"--image-size {best.image_size}"] if best.image_size != image_size else []
    flags += [f"--precision {best.precision}"] if best.precision != precision else []
    return (
        f"images are at most {largest[0]}x{largest[1]} pixels: {' '.join(flags)} reads {best.speed / now.speed:.1f} "
        f"times as many images a second, within {max(best.points - now.points, 0.0):.1f} points of accuracy (measured "
        "on Fruits-360, one thread, decoding included)"
    )


def hint_about(job: FeatureJob, manifest: pa.Table) -> None:
    """Logs the hint that a few images of ``manifest`` give, decoded apart from this process.

    The first large one ends it, most often before it is read.
    """
    images = manifest.take(list(range(0, manifest.num_rows, ceil(manifest.num_rows / _LOOKED_AT))))
    if max(images["length"].to_pylist()) > _LARGE_BYTES:
        return
    sizes: list[tuple[int, int]] = []
    told = None
    with IsolatedDecoder(job.settings.decode_timeout_s) as decoder:
        for path in images["path"].to_pylist():
            image = decoder.decode(_content(job, path), 1, job.settings.max_pixels)
            if isinstance(image, Decoded):
                sizes.append((image.width, image.height))
                largest = max(size[0] for size in sizes), max(size[1] for size in sizes)
                told = hint(largest, job.model.backbone, job.model.precision, job.model.image_size)
                if told is None:
                    return
    if told is not None:
        log.info("hint: of %d looked at, %s", len(sizes), told)


def _content(job: FeatureJob, path: str) -> bytes:
    """The file's content, none where it cannot be had: the wave will say so."""
    key = uri.below(path, job.source.root)
    try:
        return job.source.read(key) if key is not None else b""
    except StorageError:
        return b""
