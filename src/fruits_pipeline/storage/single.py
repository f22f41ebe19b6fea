"""Reads one object by one request, or says why it cannot be read."""

import os
import re
import threading
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol, cast

from fruits_pipeline.errors import SettingsError, StorageError
from fruits_pipeline.settings.storage import StorageSettings
from fruits_pipeline.storage import request_counts, uri
from fruits_pipeline.storage.failure import Failure
from fruits_pipeline.storage.opening import open_store
from fruits_pipeline.storage.patience import Patience

WhyUnread = Literal["missing", "forbidden", "unreadable", "unaddressable_key", "too_many_bytes"]

# Parts that HTTP libraries resolve before they ask, so that another object would be read.
_DOTS = re.compile(r"(^|/)\.{1,2}(/|$)")
# How listings of this machine spell the bytes of names that are no UTF-8, see ``local._text``.
_ESCAPED = re.compile(rb"\\x([89a-f][0-9a-f])")
_SERVICES = {"s3": "s3_reads", "gs": "gcs_reads"}
_EXTRAS = {"s3": "s3", "gs": "gcs"}
_OPENING = threading.Lock()
_BY_STATUS: dict[int, WhyUnread] = {403: "forbidden", 404: "missing", 410: "missing"}


class Unread(NamedTuple):
    """Why one object has no content; the source as a whole is well."""

    reason: WhyUnread
    detail: str


class Single:
    """Reads objects one by one, from any thread; a bucket's connections are kept for the life of the process."""

    def __init__(self, settings: StorageSettings, patience: Patience, max_bytes: int) -> None:
        """Objects of more than ``max_bytes`` are not read."""
        self._settings = settings
        self._patience = patience
        self._max_bytes = max_bytes

    def read(self, path: str) -> bytes | Unread:
        """The content at ``path``, a URI as ``uri.normalise`` spells it.

        Raises:
            SettingsError: When nothing serves the address, or a package is not installed.
            StorageError: When the source fails, not the object.
        """
        if uri.scheme(path) == "file":
            return self._local(Path(uri.local_path(path)))
        bucket, _, key = path.partition("://")[2].partition("/")
        with _OPENING:
            service, store = _opened(uri.scheme(path), bucket, self._settings, self._patience)
        if key.startswith("/") or key.endswith("/"):
            return self._odd(path, key)  # because obstore would quietly read another object
        from obstore import get
        from obstore.exceptions import BaseError

        request_counts.note("get")
        try:
            found = get(store, key)
            if found.meta["size"] > self._max_bytes:
                return self._too_large(found.meta["size"])
            return found.bytes().to_bytes()
        except ValueError:
            return self._odd(path, key)  # because obstore refuses empty parts and control characters
        except (BaseError, OSError) as error:
            failure = Failure.of(error)
            if not failure.of_one_object:
                raise service.explained(path, failure) from error
            return Unread(_BY_STATUS.get(failure.status, "unreadable"), f"storage answers {failure}")

    def _odd(self, path: str, key: str) -> bytes | Unread:
        """By the cloud's own client, which keeps keys as they are; it asks twice."""
        if _DOTS.search(key):
            return Unread("unaddressable_key", "a part of the key is . or .., which is resolved on the way to storage")
        store = open_store(path[: -len(key) - 1], self._settings)
        found = store.stat(key)
        if found is None:
            return Unread("missing", "storage answers that there is no such key")
        return self._too_large(found.length) if found.length > self._max_bytes else store.read(key)

    def _local(self, file: Path) -> bytes | Unread:
        try:
            length = file.stat().st_size
            return self._too_large(length) if length > self._max_bytes else file.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            in_bytes = Path(os.fsdecode(_ESCAPED.sub(lambda byte: bytes.fromhex(byte[1].decode()), os.fsencode(file))))
            if in_bytes != file:
                return self._local(in_bytes)
            return Unread("missing", "no such file: deleted or renamed since the images were listed, or misspelt")
        except PermissionError:
            return Unread("forbidden", "its permissions do not allow to read it")
        except OSError as error:
            return Unread("unreadable", str(error.strerror or error))

    def _too_large(self, length: int) -> Unread:
        return Unread("too_many_bytes", f"{length} bytes, more than {self._max_bytes}")


class Service(Protocol):
    """Interface of a cloud's obstore client."""

    def opened(self, bucket: str, settings: StorageSettings, patience: Patience) -> Any:
        """Obstore's store of the bucket."""
        ...

    def explained(self, address: str, failure: Failure) -> StorageError:
        """What to raise when a failure is the source's."""
        ...


@lru_cache(maxsize=8)
def _opened(scheme: str, bucket: str, settings: StorageSettings, patience: Patience) -> tuple[Service, Any]:
    """The cloud of ``scheme``, and obstore's store of the bucket."""
    if scheme not in _SERVICES:
        raise SettingsError(f"expected a file:, s3: or gs: address, found {scheme}:; take --reader binaryfile")
    try:
        service = cast("Service", import_module(f"fruits_pipeline.storage.{_SERVICES[scheme]}"))
    except ModuleNotFoundError as error:
        extra = f"fruits-pipeline[{_EXTRAS[scheme]}]"
        raise SettingsError(
            f"expected the package {error.name} in the workers, found none; pip install '{extra}'"
        ) from error
    return service, service.opened(bucket, settings, patience)
