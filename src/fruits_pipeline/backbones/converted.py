"""Backbones converted to OpenVINO, once, and kept in the cache folder."""

import hashlib
import logging
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from fruits_pipeline.backbones.cache import write_whole
from fruits_pipeline.backbones.catalog import Backbone
from fruits_pipeline.backbones.weights import obtain_weights
from fruits_pipeline.errors import ModelError

logger = logging.getLogger(__name__)

# Increased by one whenever ``engines.conversion`` would give another graph for the same weights.
RECIPE: Final = 1


def obtain_converted(backbone: Backbone, image_size: int, weights: Path | None, cache: Path) -> tuple[bytes, bytes]:
    """OpenVINO's XML and weights of ``backbone`` at ``image_size`` pixels, from the cache or newly converted.

    A ``weights`` file that is named is always checked, see ``weights.obtain_weights``.

    Raises:
        ModelError: when weights are missing or wrong, or what converts them is not installed.
    """
    file = converted_file(backbone, image_size, cache)
    if weights is not None:
        obtain_weights(backbone, weights, cache)
    if parts := _read(file):
        return parts
    from fruits_pipeline.backbones.engines.conversion import convert_in_subprocess

    logger.info("model=converting backbone=%s image_size=%s", backbone.name, image_size)
    parts = convert_in_subprocess(backbone, image_size, obtain_weights(backbone, None, cache))
    write_whole(file, encode_model(parts))
    return parts


def converted_file(backbone: Backbone, image_size: int, cache: Path) -> Path:
    """Path of the converted model, one for each backbone, size and version of OpenVINO; it need not exist.

    Raises:
        ModelError: when OpenVINO is not installed.
    """
    try:
        openvino = version("openvino")
    except PackageNotFoundError as error:
        raise ModelError(
            "--engine openvino: expected the package openvino, found none; "
            "install fruits-pipeline again, or use --engine tensorflow"
        ) from error
    tensors = backbone.tensors_sha256[:12]
    return cache / "openvino" / f"{backbone.name}-{tensors}-{image_size}-openvino{openvino}-{RECIPE}.model"


def encode_model(parts: tuple[bytes, bytes]) -> bytes:
    """A model as the content of one file: sha256 of all that follows, length of the XML, XML, weights.

    >>> encode_model((b"<net/>", b"1234")).splitlines()[1:]
    [b'6', b'<net/>1234']
    """
    xml, weights = parts
    body = b"%d\n%b%b" % (len(xml), xml, weights)
    return _sha256(body) + b"\n" + body


def decode_model(content: bytes) -> tuple[bytes, bytes] | None:
    """XML and weights from the content that ``encode_model`` gave, or None when it is damaged.

    >>> decode_model(encode_model((b"<net/>", b"1234")))
    (b'<net/>', b'1234')
    """
    stated, _, body = content.partition(b"\n")
    if stated != _sha256(body):
        return None
    length, _, parts = body.partition(b"\n")
    return parts[: int(length)], parts[int(length) :]


def _read(file: Path) -> tuple[bytes, bytes] | None:
    if not file.is_file():
        return None
    parts = decode_model(file.read_bytes())
    if parts is None:
        logger.warning("model=damaged file=%s reason=sha256_differs action=convert_again", file)
    return parts


def _sha256(content: bytes) -> bytes:
    return hashlib.sha256(content).hexdigest().encode()
