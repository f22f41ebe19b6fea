"""The images that every line reads: the same shuffled list, of which each pass takes a prefix."""

import argparse
import os
import random
import shutil
from itertools import cycle, islice
from pathlib import Path

from fruits_pipeline.backbones.cache import default_cache_dir
from fruits_pipeline.demo.draw import draw_sample

_SHARED = Path(os.environ.get("TEST_SHARED_FOLDER", Path(__file__).resolve().parents[2] / "shared"))
_SUFFIXES = {".jpg", ".jpeg", ".png"}
_SEED = 42


def add_places(parser: argparse.ArgumentParser) -> None:
    """The flags that say where images and models are, the same in every script."""
    parser.add_argument("--images-folder", type=Path, help="by default the real images beside the checkout, else drawn")
    parser.add_argument("--cache-dir", type=Path, default=default_cache_dir(), help="where converted models are kept")


def images_folder(named: Path | None, scratch: Path) -> Path:
    """The folder that was named, else the real images beside the checkout, else images drawn into ``scratch``."""
    real = _SHARED / "data" / "fruits-360"
    if named is not None:
        return named
    if real.is_dir():
        return real
    drawn = scratch / "drawn"
    if not drawn.is_dir():
        draw_sample(drawn)
    return drawn


def weights_file(backbone: str) -> list[Path]:
    """The weights file of ``backbone`` beside the checkout, if there is one; else it comes as ``weights`` finds it."""
    stem = {"mobilenetv2": "mobilenet_v2", "xception": "xception"}[backbone]
    return sorted((_SHARED / "weights").glob(f"{stem}_weights*.h5"))[:1]


def staged(source: Path, images: int, target: Path) -> Path:
    """Copies the first ``images`` of the shuffled list into ``target``, in their folders; a short list is repeated.

    Copies, so that each pass of each line lists and reads a folder of exactly its images.
    """
    files = sorted(file for file in source.rglob("*") if file.suffix.lower() in _SUFFIXES)
    random.Random(_SEED).shuffle(files)  # noqa: S311 because the order is no secret
    for number, file in enumerate(islice(cycle(files), images)):
        copy = target / file.relative_to(source).with_name(f"{number:06d}-{file.name}")
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, copy)
    return target
