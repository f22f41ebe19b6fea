"""One batch of images: bytes in, features or a reason out; no Spark in here."""

import faulthandler
import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from fruits_pipeline import schemas
from fruits_pipeline.images.decode import Decoded, Rejected
from fruits_pipeline.images.figures import Figures, figures

Decode = Callable[[bytes, int, int], Decoded | Rejected]
Predict = Callable[[NDArray[np.uint8]], NDArray[np.float32]]

# What a photo of many megapixels may take without being suspect.
_SECONDS_PER_IMAGE = 0.25

OUTCOME = pa.schema(
    [
        ("content_sha256", pa.string()),
        ("width", pa.int32()),
        ("height", pa.int32()),
        *schemas.FIGURES,
        ("features", pa.list_(pa.float32())),
        ("reason", pa.string()),
        ("detail", pa.string()),
    ]
)
# What goes on to Spark of an image that was read: the columns of ``schemas.FEATURES``.
READ = pa.schema([("path", pa.string()), *(field for field in OUTCOME if field.name not in ("reason", "detail"))])


@dataclass(frozen=True)
class Treatment:
    """How workers treat every image of the job.

    ``decode_timeout_s`` is the longest that one image may take; ``isolated`` images are decoded in a process
    of their own, others in the worker itself, which a hang ends.
    """

    image_size: int
    max_pixels: int
    threads: int
    decode_timeout_s: float
    isolated: bool = False


class Size(NamedTuple):
    """Width and height in pixels of an image that was decoded."""

    width: int
    height: int


class Computed(NamedTuple):
    """What became of N images.

    Attributes:
        images: The size of each, or why it could not be read.
        features: float32 (n, D) of those that were read, in their order.
    """

    images: list[Size | Rejected]
    features: NDArray[np.float32]


def computed(contents: Sequence[bytes | Rejected], decode: Decode, predict: Predict, treatment: Treatment) -> Computed:
    """Features of each content that is an image, or a reason.

    Args:
        contents: N files as they are, or why one could not be had.
        decode: (content, image_size, max_pixels) to pixels or a reason.
        predict: uint8 (n, S, S, 3) to float32 (n, D).
        treatment: Sizes and limits.
    """
    pixels, images = _decoded(contents, decode, treatment)
    return Computed(images, _predicted(pixels, predict))


def outcomes(
    contents: Sequence[bytes | Rejected], decode: Decode, predict: Predict, treatment: Treatment
) -> pa.RecordBatch:
    """The same as one row of ``OUTCOME`` for each content, in order: features, or a reason and a detail."""
    pixels, found = _decoded(contents, decode, treatment)
    features = _predicted(pixels, predict)
    digests = [hashlib.sha256(content).hexdigest() if isinstance(content, bytes) else None for content in contents]
    columns = {
        "content_sha256": digests,
        "width": [image.width if isinstance(image, Size) else None for image in found],
        "height": [image.height if isinstance(image, Size) else None for image in found],
        **_looks(pixels, found),
        "features": _lists(features, [isinstance(image, Size) for image in found]),
        "reason": [image.reason.value if isinstance(image, Rejected) else None for image in found],
        "detail": [image.detail if isinstance(image, Rejected) else None for image in found],
    }
    return pa.RecordBatch.from_pydict(columns, OUTCOME)


def _decoded(
    contents: Sequence[bytes | Rejected], decode: Decode, treatment: Treatment
) -> tuple[NDArray[np.uint8], list[Size | Rejected]]:
    """Pixels (n, S, S, 3) of the images that could be decoded, one beside the other, and what became of each."""
    batch = np.empty((len(contents), treatment.image_size, treatment.image_size, 3), np.uint8)
    found: list[Size | Rejected] = []
    filled = 0
    with _watched(treatment, len(contents)):
        for content in contents:
            image = (
                content
                if isinstance(content, Rejected)
                else decode(content, treatment.image_size, treatment.max_pixels)
            )
            if isinstance(image, Rejected):
                found.append(image)
            else:
                batch[filled] = image.pixels
                filled += 1
                found.append(Size(image.width, image.height))
    return batch[:filled], found


def _predicted(pixels: NDArray[np.uint8], predict: Predict) -> NDArray[np.float32]:
    return predict(pixels) if len(pixels) else np.empty((0, 0), np.float32)


def _looks(pixels: NDArray[np.uint8], found: list[Size | Rejected]) -> dict[str, list[float | int | None]]:
    """Columns of ``schemas.FIGURES``: what the pixels (n, S, S, 3) of those are like that were read, else null."""
    looks = iter([figures(image) for image in pixels])
    rows = [next(looks) if isinstance(image, Size) else None for image in found]
    return {name: [None if row is None else getattr(row, name) for row in rows] for name in Figures._fields}


@contextmanager
def _watched(treatment: Treatment, images: int) -> Iterator[None]:
    """Ends this process when the block hangs, so that Spark sees a failed task and not a silent one."""
    if treatment.isolated:
        yield
        return
    faulthandler.dump_traceback_later(treatment.decode_timeout_s + images * _SECONDS_PER_IMAGE, exit=True)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()


def _lists(values: NDArray[np.float32], present: list[bool]) -> pa.Array:
    """One list of D floats for each true of ``present``, an empty one for each false, without copying the floats."""
    width = values.shape[1] if values.size else 0
    offsets = np.concatenate([[0], np.cumsum(present) * width]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(values.reshape(-1)))
