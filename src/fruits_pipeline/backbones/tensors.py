"""Selects the published tensors from the tensors of a weights file, by their sha256.

Keras 2, Keras 3, nested models and models with a head differ in names and order, never in the tensors' bytes:
so a tensor is found by its sha256, and names are used only in messages.
"""

import hashlib
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fruits_pipeline.backbones.catalog import BACKBONES, Backbone, Tensor
from fruits_pipeline.backbones.hdf5 import float32_bytes
from fruits_pipeline.errors import ModelError

SHOWN = 3

Named = tuple[str, NDArray[Any]]


def select_tensors(backbone: Backbone, found: Iterable[Named], where: str) -> bytes:
    """The canonical bytes: all tensors of ``backbone`` as float32 little-endian bytes, in layer order.

    Args:
        backbone: what is expected.
        found: (name, values) of every candidate; superfluous ones are ignored.
        where: how to name their source in an error.

    Raises:
        ModelError: when a tensor is missing or differs, naming the first of them.
    """
    candidates = list(found)
    by_hash = {_sha256(values): values for _, values in candidates}
    missing = [tensor for tensor in backbone.tensors if tensor.sha256 not in by_hash]
    if missing:
        raise _differs(backbone, missing, candidates, where)
    return b"".join(float32_bytes(by_hash[tensor.sha256]) for tensor in backbone.tensors)


def arrays_by_layer(backbone: Backbone, content: bytes) -> list[list[NDArray[np.float32]]]:
    """The tensors of the canonical bytes by layer, each a read-only view in its shape."""
    values = np.frombuffer(content, dtype="<f4")
    start = 0
    layers: list[list[NDArray[np.float32]]] = []
    for layer in backbone.layers():
        layers.append([])
        for tensor in layer:
            layers[-1].append(values[start : start + tensor.size].reshape(tensor.shape))
            start += tensor.size
    return layers


def _differs(backbone: Backbone, missing: list[Tensor], found: list[Named], where: str) -> ModelError:
    first = "; ".join(_difference(tensor, found) for tensor in missing[:SHOWN])
    more = f"; and {len(missing) - SHOWN} more" if len(missing) > SHOWN else ""
    return ModelError(
        f"{where}: expected the {len(backbone.tensors)} published ImageNet tensors of {backbone.name!r}, "
        f"found {len(missing)} missing or different: {first}{more}. {_advice(backbone, found)}"
    )


def _difference(tensor: Tensor, found: list[Named]) -> str:
    label = f"{tensor.layer}/{tensor.name}"
    expected = f"{label}: expected shape {tensor.shape} sha256 {tensor.sha256[:12]}"
    for name, values in found:
        if f"/{name.removesuffix(':0')}".endswith(f"/{label}"):
            return f"{expected}, found shape {values.shape} sha256 {_sha256(values)[:12]}"
    return f"{expected}, found none of that name and size"


def _advice(backbone: Backbone, found: list[Named]) -> str:
    hashes = {_sha256(values) for _, values in found}
    for other in BACKBONES.values():
        if other.name != backbone.name and all(tensor.sha256 in hashes for tensor in other.tensors):
            advice = f"say --backbone {other.name}, or name another file with --weights FILE"
            return f"They are those of {other.name!r}: {advice}"
    return "Fetch the file again, or name another with --weights FILE"


def _sha256(values: NDArray[Any]) -> str:
    return hashlib.sha256(float32_bytes(values)).hexdigest()
