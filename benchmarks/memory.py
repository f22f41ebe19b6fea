"""The most memory that a worker of the feature job takes: on the small images, then on 12-megapixel photos."""

import argparse
import io
import json
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from fruits_pipeline.backbones.model import ModelRequest
from images import add_places, images_folder, shared_with_workers, staged
from lines.f_ours import started
from machine import worker_peak_mb

_SIZE = (4000, 3000)
_PHOTOS = 128
_GRAIN = 6


def main() -> None:
    """Prints both peaks; the second one is no less than the first, because the workers are the same."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=1024)
    parser.add_argument("--photos", type=int, default=_PHOTOS)
    add_places(parser)
    asked = parser.parse_args()
    shared_with_workers()
    with tempfile.TemporaryDirectory(prefix="fruits-bench-") as folder:
        scratch = Path(folder)
        source = images_folder(asked.images_folder, scratch)
        small = staged(source, asked.images, scratch / "small")
        photos = _photos(small, asked.photos, scratch / "photos")
        with started(replace(ModelRequest(), cache_dir=asked.cache_dir)) as extract:
            extract(small, scratch / "out-small")
            small_mb = worker_peak_mb()
            extract(photos, scratch / "out-photos")
            photos_mb = worker_peak_mb()
    figures = [
        {"what": f"worker's peak memory, {asked.images} small images", "found": small_mb, "unit": "MB", "at_most": 400},
        {"what": f"worker's peak memory, {asked.photos} JPEGs of 12 megapixels", "found": photos_mb, "unit": "MB",
         "at_most": 600},
    ]  # fmt: skip  # because a row is best read on a line
    print(json.dumps({"figures": figures}))


def _photos(small: Path, photos: int, target: Path) -> Path:
    """JPEGs of 12 megapixels and some megabytes: one image enlarged, with the grain of a camera; copies of it."""
    target.mkdir()
    first = next(file for file in sorted(small.rglob("*")) if file.is_file())
    pixels = np.asarray(Image.open(first).convert("RGB").resize(_SIZE)).astype(np.int16)
    grain = np.random.default_rng(42).normal(0, _GRAIN, pixels.shape).astype(np.int16)
    sink = io.BytesIO()
    Image.fromarray((pixels + grain).clip(0, 255).astype(np.uint8)).save(sink, "JPEG", quality=90)
    for number in range(photos):
        (target / f"{number:04d}.jpg").write_bytes(sink.getvalue())
    return target


if __name__ == "__main__":
    main()
