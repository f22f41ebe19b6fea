"""Reads tensors from Keras weights files: HDF5 of Keras 2 or 3, or a ``.keras`` archive."""

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from fruits_pipeline.errors import ModelError

KERAS_3_MEMBER = "model.weights.h5"

# What h5py raises for content that is no HDF5, is cut, or has damaged structures (seen by flipping bytes).
DAMAGE = (OSError, RuntimeError, KeyError, ValueError, OverflowError, zipfile.BadZipFile)


def float32_bytes(array: NDArray[Any]) -> bytes:
    """The array's values as float32 little-endian bytes in C order, the bytes that the published hashes cover."""
    return np.ascontiguousarray(array, dtype="<f4").tobytes()


def read_tensors(file: Path | IO[bytes], where: str, sizes: frozenset[int]) -> list[tuple[str, NDArray[Any]]]:
    """Every floating-point dataset of the file with one of these numbers of values, with its path inside.

    Args:
        file: a Keras HDF5 file, a ``.keras`` archive, or such a file opened for reading.
        where: how to name the file in an error.
        sizes: the numbers of values worth reading: optimizer states and heads stay on disk.

    Raises:
        ModelError: when the file cannot be read as such, or h5py is missing.
    """
    h5py = _h5py(where)
    try:
        with _hdf5_part(file) as part, h5py.File(part, "r") as opened:
            found = dict(_datasets(opened))
            return [(path, d[()]) for path, d in found.items() if d.dtype.kind == "f" and d.size in sizes]
    except DAMAGE as error:
        raise unreadable(where, error) from error


def read_layer_tensors(file: Path) -> Iterator[tuple[str, str, NDArray[Any]]]:
    """(layer, tensor, values) in the layer order that a Keras 2 weights file states.

    Raises:
        ModelError: when the file cannot be read as such, or h5py is missing.
    """
    h5py = _h5py(str(file))
    try:
        with h5py.File(file, "r") as opened:
            for layer in map(_text, opened.attrs["layer_names"]):
                for path in map(_text, opened[layer].attrs["weight_names"]):
                    yield layer, path.rsplit("/", 1)[-1].removesuffix(":0"), opened[layer][path][()]
    except DAMAGE as error:
        raise unreadable(str(file), error) from error


def unreadable(where: str, error: BaseException) -> ModelError:
    """The error for a file that is no readable Keras weights file."""
    return ModelError(
        f"{where}: expected a Keras weights file (HDF5, or a .keras archive), "
        f"found one that cannot be read ({type(error).__name__}: {error}); "
        "fetch it again, or name another with --weights FILE"
    )


def _hdf5_part(file: Path | IO[bytes]) -> IO[bytes]:
    if not zipfile.is_zipfile(file):
        if isinstance(file, Path):
            return file.open("rb")
        file.seek(0)
        return file
    with zipfile.ZipFile(file) as archive:
        return io.BytesIO(archive.read(KERAS_3_MEMBER))


def _datasets(opened: Any) -> Iterator[tuple[str, Any]]:
    entries: list[tuple[str, Any]] = []
    opened.visititems(lambda path, item: entries.append((path, item)))
    return ((path, item) for path, item in entries if hasattr(item, "dtype"))


def _text(name: bytes | str) -> str:
    return name.decode() if isinstance(name, bytes) else name


def _h5py(where: str) -> ModuleType:
    try:
        import h5py
    except ImportError as error:
        raise ModelError(
            f"{where}: expected the package h5py to read it, found it missing; "
            "install fruits-pipeline[tensorflow], or leave --weights out where the cache folder is filled"
        ) from error
    return h5py  # type: ignore[no-any-return]  # because h5py ships no types
