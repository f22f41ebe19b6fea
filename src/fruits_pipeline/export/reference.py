"""Reference vectors: pixels as the model gets them, and what it must say of them, for tests in the app."""

import io
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from PIL import Image
from pydantic import BaseModel, ConfigDict

from fruits_pipeline.backbones.engines.runtimes import PIXELS
from fruits_pipeline.export.destination import REFERENCE

IMAGES: Final = 10
# Another version of the same runtime, or another processor, may round otherwise; other pixels or another scaling are
# off by much more.
TOLERANCE: Final = 0.02


class Vector(BaseModel):
    """One image.

    Attributes:
        pixels: PNG of the model's input, lossless, beside this file.
        label: What the image shows, if that is known.
        expected: What the written model says by its own runtime, one number for each label.
        trained: What the trained arrays say in double precision, from the features of the run.
    """

    model_config = ConfigDict(frozen=True)

    pixels: str
    label: str | None
    expected: tuple[float, ...]
    trained: tuple[float, ...]


class Reference(BaseModel):
    """The content of ``reference.json``.

    Attributes:
        tolerance: The largest difference from ``expected`` of any number.
        vectors: The images.
    """

    model_config = ConfigDict(frozen=True)

    tolerance: float = TOLERANCE
    vectors: tuple[Vector, ...]


def reference_files(
    folder: Path, rows: pa.Table, side: int, expected: NDArray[np.float32], trained: NDArray[np.float64]
) -> dict[str, bytes]:
    """The files by their keys: PNGs of the first images, and ``reference.json``.

    Args:
        folder: Where ``read_again`` left the pixels.
        rows: The rows of ``reduced`` of N images.
        side: S in pixels.
        expected: float32 (N, L), what the written model says.
        trained: float64 (N, L), what the trained arrays say.
    """
    pixels = np.memmap(folder / PIXELS, np.uint8, "r").reshape(-1, side, side, 3)[:IMAGES]
    names = [f"{place + 1:02d}.png" for place in range(len(pixels))]
    labels = rows["label"].to_pylist()[:IMAGES]
    vectors = tuple(
        Vector(
            pixels=name,
            label=label,
            expected=tuple(expected[place].astype(float).round(6).tolist()),
            trained=tuple(trained[place].round(6).tolist()),
        )
        for place, (name, label) in enumerate(zip(names, labels, strict=True))
    )
    text = Reference(vectors=vectors).model_dump_json(indent=1)
    images = {f"{REFERENCE}/{name}": _png(image) for name, image in zip(names, pixels, strict=True)}
    return images | {f"{REFERENCE}/reference.json": text.encode()}


def _png(pixels: NDArray[np.uint8]) -> bytes:
    sink = io.BytesIO()
    Image.fromarray(np.array(pixels)).save(sink, "PNG")
    return sink.getvalue()
