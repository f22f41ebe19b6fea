"""Int8 models, made by ``calibrate`` and kept beside the f32 models in the cache folder.

There is one file for each network, calibration sample and version of NNCF. A text file beside them names the one that
``calibrate`` gave last, which jobs take, and then the SHA-256 of each image that it was calibrated with: none of these
may be judged by.
"""

import hashlib
import logging
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fruits_pipeline.backbones.cache import write_whole
from fruits_pipeline.backbones.catalog import Backbone
from fruits_pipeline.backbones.converted import converted_file, decode_model, encode_model, obtain_converted
from fruits_pipeline.backbones.weights import obtain_weights
from fruits_pipeline.errors import ModelError

logger = logging.getLogger(__name__)

# Increased by one whenever ``engines.quantisation`` would give another graph for the same model and images.
RECIPE: Final = 1


def obtain_quantised(backbone: Backbone, image_size: int, weights: Path | None, cache: Path) -> tuple[bytes, bytes]:
    """OpenVINO's XML and weights of the int8 model that ``calibrate`` made last for this network and size.

    A ``weights`` file that is named is always checked, see ``weights.obtain_weights``.

    Raises:
        ModelError: when there is none, or it is damaged.
    """
    if weights is not None:
        obtain_weights(backbone, weights, cache)
    pointer = _pointer(backbone, image_size, cache)
    named = pointer.with_name(_lines(pointer)[0]) if pointer.is_file() else None
    if named is None or not named.is_file():
        raise ModelError(_no_model(backbone, image_size, cache, "none"))
    parts = decode_model(named.read_bytes())
    if parts is None:
        raise ModelError(_no_model(backbone, image_size, cache, f"a damaged one, {named.name}"))
    return parts


def quantised_files(backbone: Backbone, image_size: int, cache: Path) -> tuple[Path, ...]:
    """The cached files that ``obtain_quantised`` reads, to be copied to other machines; none before ``calibrate``."""
    pointer = _pointer(backbone, image_size, cache)
    if not pointer.is_file():
        return ()
    return pointer, pointer.with_name(_lines(pointer)[0])


def calibrated_with(backbone: Backbone, image_size: int, cache: Path) -> tuple[str, ...]:
    """The SHA-256 of the contents of the images that ``obtain_quantised``'s model was calibrated with."""
    return tuple(_lines(_pointer(backbone, image_size, cache))[1:])


def make_quantised(
    backbone: Backbone,
    image_size: int,
    weights: Path | None,
    cache: Path,
    pixels: NDArray[np.uint8],
    contents: Sequence[str] = (),
) -> tuple[bytes, bytes]:
    """Makes the int8 model for ``pixels``, uint8 (N, S, S, 3), or finds it in the cache; jobs take it from now on.

    ``contents`` are the SHA-256 of the images' files.

    Raises:
        ModelError: when the f32 model cannot be had, NNCF is not installed, or its process fails.
    """
    try:
        nncf = version("nncf")
    except PackageNotFoundError as error:
        raise ModelError(
            "calibrate: expected the package nncf, found none; install fruits-pipeline[calibrate]"
        ) from error
    parts = obtain_converted(backbone, image_size, weights, cache)
    key = _digest(*parts, pixels.tobytes(), f"{pixels.shape} nncf{nncf}-{RECIPE}".encode())
    pointer = _pointer(backbone, image_size, cache)
    file = pointer.with_name(f"{pointer.stem}-{key[:12]}.model")
    if not file.is_file() or decode_model(file.read_bytes()) is None:
        from fruits_pipeline.backbones.engines.quantisation import quantise_in_subprocess

        logger.info("model=calibrating backbone=%s image_size=%s images=%s", backbone.name, image_size, len(pixels))
        write_whole(file, encode_model(quantise_in_subprocess(parts, pixels)))
    write_whole(pointer, "".join(f"{line}\n" for line in (file.name, *contents)).encode())
    return obtain_quantised(backbone, image_size, None, cache)


def _pointer(backbone: Backbone, image_size: int, cache: Path) -> Path:
    converted = converted_file(backbone, image_size, cache)
    return converted.with_name(f"{converted.stem}-int8.txt")


def _lines(pointer: Path) -> list[str]:
    return pointer.read_text(encoding="utf-8").split() or [""]


def _no_model(backbone: Backbone, image_size: int, cache: Path, found: str) -> str:
    return (
        f"--precision int8: expected an int8 model of {backbone.name!r} at {image_size} pixels in the cache folder "
        f"{str(cache)!r}, found {found}; make it once, where fruits-pipeline[calibrate] is installed, by "
        f"`fruits-pipeline calibrate --data-source YOUR_IMAGES --backbone {backbone.name} --image-size {image_size} "
        f"--cache-dir {cache}`, and take the cache folder along to other machines"
    )


def _digest(*contents: bytes) -> str:
    digest = hashlib.sha256()
    for content in contents:
        digest.update(hashlib.sha256(content).digest())
    return digest.hexdigest()
