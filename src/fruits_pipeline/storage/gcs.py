"""Store on Google Cloud Storage and on servers that emulate it."""

import os
from collections.abc import Callable, Iterable, Iterator
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
from requests import PreparedRequest, Response
from requests.adapters import BaseAdapter
from requests.exceptions import RequestException

from fruits_pipeline.errors import StorageError
from fruits_pipeline.settings.storage import StorageSettings
from fruits_pipeline.storage import request_counts
from fruits_pipeline.storage.bucket import THREADS, Bucket
from fruits_pipeline.storage.fan_out import Level
from fruits_pipeline.storage.gcs_faults import explained
from fruits_pipeline.storage.parallel import mapped
from fruits_pipeline.storage.patience import STEADY, Patience
from fruits_pipeline.storage.store import Found

# Else the library asks for each bucket's own metadata in a thread beside, for traces that nobody has switched on.
_NO_SIDE_REQUEST = "DISABLE_GCS_PYTHON_CLIENT_OTEL_BUCKET_METADATA"
_LISTED = "items(name,size,updated),nextPageToken"
_LEVEL = "items(name,size,updated),prefixes,nextPageToken"
_READ_AGAIN = 5


def client(settings: StorageSettings) -> Any:
    """A client of google-cloud-storage; credentials come as they do for ``gcloud``, and no project is needed."""
    os.environ.setdefault(_NO_SIDE_REQUEST, "true")
    found = Client(
        project=None,
        credentials=AnonymousCredentials() if settings.gcs_anonymous else None,
        client_options=ClientOptions(api_endpoint=settings.gcs_endpoint_url) if settings.gcs_endpoint_url else None,
    )
    found._http.hooks["response"].append(_note)  # noqa: SLF001 because the library gives no other way to its session
    return found


class GcsStore(Bucket):
    """A folder of a GCS bucket; see ``Store`` for what each method promises."""

    no_version = "1"

    def __init__(self, root: str, settings: StorageSettings, patience: Patience = STEADY) -> None:
        """``root`` is spelled ``gs://bucket/folder``."""
        super().__init__(root, settings, patience)
        retry = DEFAULT_RETRY.with_timeout(patience.total_s) if patience.retries else None
        self._asked: dict[str, Any] = {"timeout": (patience.connect_s, patience.silence_s), "retry": retry}

    def objects(self, prefix: str = "") -> Iterator[Found]:
        """One request for each 1,000 keys, in order of the UTF-8 bytes."""
        with self._told("list", prefix):
            blobs = self._handle.list_blobs(prefix=self._folder(prefix), fields=_LISTED, page_size=1000, **self._asked)
            for blob in blobs:
                found = self._found(blob.name, blob.size, blob.updated)
                if found is not None:
                    yield found

    def level(self, prefix: str) -> Level | None:
        """By one request with a delimiter."""
        with self._told("list", prefix):
            below = self._folder(prefix)
            asked = self._handle.list_blobs(prefix=below, delimiter="/", fields=_LEVEL, page_size=1000, **self._asked)
            found = [self._found(blob.name, blob.size, blob.updated) for blob in next(asked.pages, ())]
        if asked.next_page_token:
            return None
        return Level([*filter(None, found)], [*map(self._below, asked.prefixes)])

    def stat(self, key: str) -> Found | None:
        """By the object's metadata."""
        with self._told("look at", key):
            blob = self._handle.get_blob(self._full(key), **self._asked)
        return None if blob is None else Found(key, blob.size, blob.updated)

    def read(self, key: str) -> bytes:
        """By one GET; a body that breaks off is resumed."""
        with self._told("read", key):
            return bytes(self._blob(key).download_as_bytes(**self._asked))

    def write(self, key: str, content: bytes) -> None:
        """By one upload."""
        with self._told("write", key):
            self._upload(key, content)

    def put(self, key: str, file: Path) -> None:
        """Resumably where the file is large; the object appears when all of it is there."""
        with self._told("write", key):
            self._blob(key).upload_from_filename(str(file), **self._asked)

    def delete(self, keys: Iterable[str]) -> None:
        """By a request for each, ten at a time; GCS has no folders to leave empty."""
        for _ in mapped(self._delete_one, keys, THREADS, 4 * THREADS):
            pass

    def checksum(self, key: str) -> str:
        """The CRC32C that GCS keeps of every object."""
        with self._told("read", key):
            blob = self._blob(key)
            blob.reload(**self._asked)
        return f"crc32c:{blob.crc32c}"

    def read_versioned(self, key: str) -> tuple[bytes, str] | None:
        """Content and generation, of one and the same moment."""
        with self._told("read", key):
            for _ in range(_READ_AGAIN):
                blob = self._handle.get_blob(self._full(key), **self._asked)
                if blob is None:
                    return None
                try:
                    content = blob.download_as_bytes(if_generation_match=blob.generation, **self._asked)
                except (NotFound, PreconditionFailed) as error:
                    replaced = error
                else:
                    return content, str(blob.generation)
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

    def _delete_one(self, key: str) -> None:
        with self._told("delete", key):
            try:
                self._blob(key).delete(**self._asked)
            except NotFound as error:
                if "bucket" in str(error.message):
                    raise

    def _fence(self) -> None:
        session = self._handle.client._http  # noqa: SLF001 because the library gives no other way to its session
        for prefix, adapter in session.adapters.items():
            session.adapters[prefix] = _Fenced(self._check_request, adapter)

    def _blob(self, key: str) -> Any:
        return self._handle.blob(self._full(key))

    def _upload(self, key: str, content: bytes, **condition: int) -> Any:
        blob = self._blob(key)
        blob.upload_from_string(content, content_type="application/octet-stream", **condition, **self._asked)
        return blob

    @contextmanager
    def _told(self, what: str, key: str) -> Iterator[None]:
        """Turns what goes wrong into a ``StorageError`` that says what to check."""
        try:
            yield
        except (GoogleAPIError, GoogleAuthError, InvalidResponse, DataCorruption, RequestException, OSError) as error:
            raise explained(what, f"{self.root}/{key}" if key else self.root, error) from error


def _note(answer: Response, **_: object) -> None:
    request_counts.note(request_counts.kind_of(answer.request.method or "", answer.request.url or ""))


class _Fenced(BaseAdapter):
    """Sends requests by ``adapter``; ``check`` is given the method before, and when the answer is there."""

    def __init__(self, check: Callable[[str], None], adapter: BaseAdapter) -> None:
        super().__init__()
        self._check, self._adapter = check, adapter

    def send(self, request: PreparedRequest, *arguments: Any, **options: Any) -> Response:
        """As the session asks."""
        self._check(request.method or "")
        answer = self._adapter.send(request, *arguments, **options)
        try:
            self._check(request.method or "")
        except StorageError:
            answer.close()
            raise
        return answer

    def close(self) -> None:
        """Closes the connections."""
        self._adapter.close()
