"""The models that lines need: fetched, converted and calibrated before anything is timed."""

import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import get_args

from fruits_pipeline.backbones.model import ModelRequest, Precision
from images import images_folder, weights_file


def prepare_models(requests: Iterable[ModelRequest], images: Path | None, places: list[str]) -> None:
    """Fetches, converts and calibrates what the lines need, so that no line's start-up has it."""
    known = [request for request in requests if request.precision in get_args(Precision)]
    for request in sorted(known, key=repr):
        file = [flag for path in weights_file(request.backbone) for flag in ("--weights", str(path))]
        size = ["--image-size", str(request.image_size)] if request.image_size else []
        flags = ["--backbone", request.backbone, *size, *file, *places]
        asked = _command("weights", "--precision", request.precision, *flags)
        if request.precision == "int8" and asked.returncode:  # because none was calibrated yet; one that is there stays
            with tempfile.TemporaryDirectory(prefix="fruits-bench-") as scratch:
                asked = _command("calibrate", "--data-source", str(images_folder(images, Path(scratch))), *flags)
        asked.check_returncode()


def _command(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([sys.executable, "-m", "fruits_pipeline", *arguments, "--log-level", "WARNING"], check=False)
