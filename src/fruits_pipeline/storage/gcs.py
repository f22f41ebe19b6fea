"""Storage in Google Cloud Storage, and in servers that stand in for it."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from google.api_core.client_options import ClientOptions
from google.api_core.exceptions import GoogleAPIError, NotFound, PreconditionFailed
from google.auth.credentials import AnonymousCredentials
from google.auth.exceptions import GoogleAuthError
from google.cloud.storage import Client
from google.cloud.storage.exceptions import DataCorruption, InvalidResponse
from google.cloud.storage.retry import DEFAULT_RETRY
from requests.exceptions import RequestException

from fruits_pipeline.settings.storage import StorageSettings
from fruits_pipeline.storage.bucket import CONNECT_TIMEOUT_S, READ_TIMEOUT_S, Bucket
from fruits_pipeline.storage.gcs_faults import explained
from fruits_pipeline.storage.store import Found

_ASKED: dict[str, Any] = {"timeout": (CONNECT_TIMEOUT_S, READ_TIMEOUT_S), "retry": DEFAULT_RETRY}
# Else the library asks for each bucket's own metadata in a thread beside, for traces that nobody has switched on.
_NO_SIDE_REQUEST = "DISABLE_GCS_PYTHON_CLIENT_OTEL_BUCKET_METADATA"
_LISTED = "items(name,size,updated),nextPageToken"
_READ_AGAIN = 5


def client(settings: StorageSettings) -> Any:
    """A client of google-cloud-storage; credentials come as they do for ``gcloud``, and no project is needed."""
    os.environ.setdefault(_NO_SIDE_REQUEST, "true")
    return Client(
        project=None,
        credentials=AnonymousCredentials() if settings.gcs_anonymous else None,
        client_options=ClientOptions(api_endpoint=settings.gcs_endpoint_url) if settings.gcs_endpoint_url else None,
    )


class GcsStore(Bucket):
    """A folder of a GCS bucket; see ``Store`` for what each method promises."""

    no_version = "1"

    def objects(self, prefix: str = "") -> Iterator[Found]:
        """One request for each 1,000 keys, in order of the UTF-8 bytes."""
        with self._told("list", prefix):
            blobs = self._handle.list_blobs(prefix=self._folder(prefix), fields=_LISTED, page_size=1000, **_ASKED)
            for blob in blobs:
                found = self._found(blob.name, blob.size, blob.updated)
                if found is not None:
                    yield found

    def stat(self, key: str) -> Found | None:
        """By the object's metadata."""
        with self._told("look at", key):
            blob = self._handle.get_blob(self._full(key), **_ASKED)
        return None if blob is None else Found(key, blob.size, blob.updated)

    def read(self, key: str) -> bytes:
        """By one GET; a body that breaks off is resumed."""
        with self._told("read", key):
            return bytes(self._blob(key).download_as_bytes(**_ASKED))

    def write(self, key: str, content: bytes) -> None:
        """By one upload."""
        self._check_lease()
        with self._told("write", key):
            self._upload(key, content)

    def put(self, key: str, file: Path) -> None:
        """Resumably where the file is large; the object appears when all of it is there."""
        self._check_lease()
        with self._told("write", key):
            self._blob(key).upload_from_filename(str(file), **_ASKED)

    def delete(self, keys: Iterable[str]) -> None:
        """One by one; GCS has no folders to leave empty."""
        self._check_lease()
        for key in keys:
            with self._told("delete", key):
                try:
                    self._blob(key).delete(**_ASKED)
                except NotFound as error:
                    if "bucket" in str(error.message):
                        raise

    def checksum(self, key: str) -> str:
        """The CRC32C that GCS keeps of every object."""
        with self._told("read", key):
            blob = self._blob(key)
            blob.reload(**_ASKED)
        return f"crc32c:{blob.crc32c}"

    def read_versioned(self, key: str) -> tuple[bytes, str] | None:
        """Content and generation, of one and the same moment."""
        with self._told("read", key):
            for _ in range(_READ_AGAIN):
                blob = self._handle.get_blob(self._full(key), **_ASKED)
                if blob is None:
                    return None
                try:
                    return blob.download_as_bytes(if_generation_match=blob.generation, **_ASKED), str(blob.generation)
                except (NotFound, PreconditionFailed) as error:
                    replaced = error
            raise replaced

    def replace_if(self, key: str, content: bytes, version: str | None) -> str | None:
        """By ifGenerationMatch."""
        with self._told("write", key):
            try:
                return str(self._upload(key, content, if_generation_match=int(version or 0)).generation)
            except PreconditionFailed:
                return None

    @cached_property
    def _handle(self) -> Any:
        return client(self._settings).bucket(self._bucket, user_project=self._settings.gcs_billing_project)

    def _blob(self, key: str) -> Any:
        return self._handle.blob(self._full(key))

    def _upload(self, key: str, content: bytes, **condition: int) -> Any:
        blob = self._blob(key)
        blob.upload_from_string(content, content_type="application/octet-stream", **condition, **_ASKED)
        return blob

    @contextmanager
    def _told(self, what: str, key: str) -> Iterator[None]:
        """Turns what goes wrong into a ``StorageError`` that says what to check."""
        try:
            yield
        except (GoogleAPIError, GoogleAuthError, InvalidResponse, DataCorruption, RequestException, OSError) as error:
            raise explained(what, f"{self.root}/{key}" if key else self.root, error) from error
