"""The index of a bundle: its files with their sha256, the release that it is for, and its addresses once uploaded."""

import hashlib
from pathlib import Path, PurePosixPath
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from fruits_pipeline.errors import SubmissionError
from fruits_pipeline.settings.storage import StorageSettings
from fruits_pipeline.settings.submit import Arch
from fruits_pipeline.storage import uri
from fruits_pipeline.storage.opening import open_store

INDEX = "index.json"
UPLOADED = "uploaded.json"
ENVIRONMENT = "environment.tar.gz"
MODELS = "models.tar.gz"


class BundledFile(BaseModel):
    """Hash and length of one file of a bundle."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sha256: str
    bytes: int


class Index(BaseModel):
    """The files of a bundle by their path below its folder; the same input gives the same index."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: str
    target: str
    arch: Arch
    models: tuple[str, ...]
    files: dict[str, BundledFile]


class Uploaded(BaseModel):
    """The address below which the bundle beside it was uploaded."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    base: str


class UploadedBundle(BaseModel):
    """A bundle that was uploaded below the address ``base``."""

    model_config = ConfigDict(frozen=True)

    index: Index
    base: str

    def address(self, name: str) -> str:
        """The address of the file ``name`` of the index.

        Raises:
            SubmissionError: When the bundle has no such file.
        """
        if name not in self.index.files:
            held = ", ".join(self.index.files)
            raise SubmissionError(f"expected {name} in the bundle, found {held}; make it again by `bundle`")
        return content_address(self.base, name, self.index.files[name].sha256)


_Content = TypeVar("_Content", Index, Uploaded)


def sha256_of(file: Path) -> str:
    """The sha256 of a local file, hexadecimal."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def model_name(backbone: str, image_size: int, form: str) -> str:
    """The name of a model in the index; ``form`` is a precision, or ``tensorflow`` for the weights of that engine.

    >>> model_name("mobilenetv2", 224, "int8")
    'mobilenetv2-224-int8'
    """
    return f"{backbone}-{image_size}-{form}"


def content_address(base: str, name: str, sha256: str) -> str:
    """The address below ``base`` of a file with this content.

    >>> content_address("s3://bucket/packages", "jobs/run.py", "0123456789abcdef0123")
    's3://bucket/packages/0123456789abcdef/run.py'
    """
    return f"{base}/{sha256[:16]}/{PurePosixPath(name).name}"


def read_bundle(place: str, storage: StorageSettings) -> UploadedBundle:
    """The bundle of a local folder, or of the address of its ``index.json`` in a bucket.

    Raises:
        SubmissionError: When there is none, it was not uploaded, or another version made it.
    """
    address = uri.normalise(place)
    if address.endswith(f"/{INDEX}"):
        folder, _, _ = address.rpartition("/")
        return UploadedBundle(index=_read(Index, folder, INDEX, storage), base=folder.rpartition("/")[0])
    index = _read(Index, address, INDEX, storage)
    return UploadedBundle(index=index, base=_read(Uploaded, address, UPLOADED, storage).base)


def _read(kind: type[_Content], folder: str, name: str, storage: StorageSettings) -> _Content:
    store = open_store(folder, storage)
    option = " --upload" if name == UPLOADED else ""
    if store.stat(name) is None:
        raise SubmissionError(f"expected {name} in {folder}, found none; run fruits-pipeline bundle{option}")
    try:
        return kind.model_validate_json(store.read(name))
    except ValidationError as error:
        fault = error.errors()[0]
        where = ".".join(map(str, fault["loc"]))
        raise SubmissionError(
            f"expected {folder}/{name} as this version's `bundle` writes it, found {where or 'all of it'}: "
            f"{fault['msg']}; run fruits-pipeline bundle{option}"
        ) from error
