"""Store on S3 and on servers that are compatible with it."""

import time
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from functools import cache, cached_property
from itertools import compress, islice
from pathlib import Path
from typing import Any

import boto3
from boto3.exceptions import Boto3Error
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError, IncompleteReadError
from botocore.session import get_session

from fruits_pipeline.errors import StorageError
from fruits_pipeline.settings.storage import StorageSettings
from fruits_pipeline.storage import request_counts
from fruits_pipeline.storage.bucket import Bucket
from fruits_pipeline.storage.fan_out import Level
from fruits_pipeline.storage.patience import STEADY, Patience
from fruits_pipeline.storage.s3_faults import code_of, explained
from fruits_pipeline.storage.s3_pages import moment, parse_objects
from fruits_pipeline.storage.s3_refusals import told
from fruits_pipeline.storage.store import Found

# Two writers at the same moment: S3 answers 409 to one, who is to ask again.
_CONFLICT_WAIT_S = 0.2
# As many as one request of DeleteObjects takes.
_DELETED_AT_ONCE = 1000
_NO_BATCH = {"NotImplemented", "MethodNotAllowed", "MalformedXML", "MissingContentMD5", "InvalidRequest"}
_ABSENT = {"404", "NoSuchKey", "NotFound"}
_UNMET = {"412", "PreconditionFailed"}
_CONFLICT = {"409", "ConditionalRequestConflict", "OperationAborted"}


@cache
def client(settings: StorageSettings, patience: Patience = STEADY) -> Any:
    """A client of boto3, which threads may share; credentials, region and proxies come as they do for ``aws``.

    Kept, because making one takes some tenths of a second.
    """
    optional: dict[str, Any] = {"signature_version": UNSIGNED} if settings.s3_anonymous else {}
    if settings.s3_path_style is not None:  # botocore's own rule: path style where an endpoint is given
        optional["s3"] = {"addressing_style": "path" if settings.s3_path_style else "virtual"}
    if (
        settings.s3_endpoint_url
    ):  # because many servers beside AWS do not know the checksums that botocore adds of its own accord
        optional |= {"request_checksum_calculation": "when_required", "response_checksum_validation": "when_required"}
    config = Config(
        retries={"mode": "standard", "total_max_attempts": patience.retries + 1},
        connect_timeout=patience.connect_s,
        read_timeout=patience.silence_s,
        user_agent_extra="fruits-pipeline",
        **optional,
    )
    core = get_session()
    core.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=moment)
    # By this name it comes before botocore's own search for an error, which parses the whole answer once more.
    core.register("before-parse.*.ListObjectsV2", parse_objects)
    core.register("before-send.s3", _note)
    session = boto3.Session(profile_name=settings.s3_profile, region_name=settings.s3_region, botocore_session=core)
    return session.client("s3", endpoint_url=settings.s3_endpoint_url, config=config)


class S3Store(Bucket):
    """A folder of an S3 bucket; see ``Store`` for what each method promises."""

    no_version = '"1"'

    def __init__(self, root: str, settings: StorageSettings, patience: Patience = STEADY) -> None:
        """``root`` is spelled ``s3://bucket/folder``."""
        super().__init__(root, settings, patience)
        payer = {"RequestPayer": "requester"} if settings.s3_requester_pays else {}
        key = settings.s3_sse_kms_key_id
        self._reading: dict[str, str] = {"Bucket": self._bucket, **payer}
        self._encrypting = {**payer, **({"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key} if key else {})}
        self._batches = True

    def objects(self, prefix: str = "") -> Iterator[Found]:
        """One request for each 1,000 keys, in the server's order, which on S3 is that of the UTF-8 bytes."""
        with self._told("list", prefix):
            pages = self._client.get_paginator("list_objects_v2").paginate(Prefix=self._folder(prefix), **self._reading)
            for page in pages:
                for item in page.get("Contents", ()):
                    found = self._found(item["Key"], item["Size"], item["LastModified"])
                    if found is not None:
                        yield found

    def level(self, prefix: str) -> Level | None:
        """By one request with a delimiter."""
        with self._told("list", prefix):
            page = self._client.list_objects_v2(Prefix=self._folder(prefix), Delimiter="/", **self._reading)
        if page.get("IsTruncated"):
            return None
        found = (self._found(item["Key"], item["Size"], item["LastModified"]) for item in page.get("Contents", ()))
        folders = [self._below(item["Prefix"]) for item in page.get("CommonPrefixes", ())]
        return Level([*filter(None, found)], folders)

    def stat(self, key: str) -> Found | None:
        """By HEAD."""
        head = self._head(key)
        if head is not None and "LastModified" not in head:
            raise StorageError(
                f"expected S3's answer about {self.root}/{key}, found one without a date, as a proxy gives it; check "
                "the endpoint and HTTPS_PROXY"
            )
        return None if head is None else Found(key, head["ContentLength"], head["LastModified"])

    def read(self, key: str) -> bytes:
        """By GET; a body that breaks off is fetched anew."""
        with self._told("read", key):
            return self._get(key)[0]

    def write(self, key: str, content: bytes) -> None:
        """By one PUT."""
        with self._told("write", key):
            self._put(key, content)

    def put(self, key: str, file: Path) -> None:
        """In parts where the file is large; the object appears when all are there."""
        with self._told("write", key):
            self._client.upload_file(str(file), self._bucket, self._full(key), ExtraArgs=self._encrypting or None)

    def delete(self, keys: Iterable[str]) -> None:
        """A thousand at once, where the server can; S3 has no folders to leave empty."""
        waiting = iter(keys)
        while some := list(islice(waiting, _DELETED_AT_ONCE)):
            with self._told("delete", some[0]):
                self._delete_some(some)

    def checksum(self, key: str) -> str:
        """The checksum that S3 keeps, else the ETag."""
        head = self._head(key)
        if head is None:
            raise explained("read", self._address(key), "NoSuchKey", "the object is not there")
        kept = ((name.removeprefix("Checksum").lower(), head[name]) for name in sorted(head) if _is_checksum(name))
        return ":".join(next(kept, ("etag", head["ETag"].strip('"'))))

    def read_versioned(self, key: str) -> tuple[bytes, str] | None:
        """Content and ETag."""
        with self._told("read", key):
            try:
                return self._get(key)
            except ClientError as error:
                if code_of(error) in _ABSENT:
                    return None
                raise

    def replace_if(self, key: str, content: bytes, version: str | None) -> str | None:
        """By If-None-Match or If-Match."""
        condition = {"IfNoneMatch": "*"} if version is None else {"IfMatch": version}
        with self._told("write", key):
            for retry in range(self._patience.retries + 1):
                try:
                    return self._put(key, content, **condition)
                except ClientError as error:
                    if code_of(error) in _UNMET or (version is not None and code_of(error) in _ABSENT):
                        return None
                    if code_of(error) not in _CONFLICT or retry == self._patience.retries:
                        raise
                    time.sleep(_CONFLICT_WAIT_S)
        raise AssertionError

    @cached_property
    def _client(self) -> Any:
        return client(self._settings, self._patience)

    def _fence(self) -> None:
        self._client = client.__wrapped__(self._settings, self._patience)  # because others share the one that is kept
        events = self._client.meta.events
        events.register("request-created.s3", lambda request, **_: self._check_request(request.method))
        events.register("after-call.s3", lambda model, **_: self._check_request(model.http["method"]))

    def _address(self, key: str) -> str:
        return f"{self.root}/{key}" if key else self.root

    def _get(self, key: str) -> tuple[bytes, str]:
        for retry in range(self._patience.retries + 1):
            found = self._client.get_object(Key=self._full(key), **self._reading)
            try:
                with closing(found["Body"]) as body:
                    return body.read(), found["ETag"]
            except (HTTPClientError, IncompleteReadError):
                if retry == self._patience.retries:
                    raise
                time.sleep(min(0.2 * 2**retry, 10))
        raise AssertionError

    def _head(self, key: str) -> Any:
        with self._told("look at", key):
            try:
                return self._client.head_object(Key=self._full(key), ChecksumMode="ENABLED", **self._reading)
            except ClientError as error:
                if code_of(error) in _ABSENT:
                    return None
                raise

    def _put(self, key: str, content: bytes, **condition: str) -> str:
        arguments = {"Bucket": self._bucket, "Key": self._full(key), **self._encrypting, **condition}
        return str(self._client.put_object(Body=content, **arguments)["ETag"])

    def _delete_some(self, keys: list[str]) -> None:
        fit = [self._batches and self._full(key).isprintable() for key in keys]  # XML has no control characters
        together, apart = list(compress(keys, fit)), [key for key, fits in zip(keys, fit, strict=True) if not fits]
        if together:
            named = {"Objects": [{"Key": self._full(key)} for key in together], "Quiet": True}
            try:
                faults = self._client.delete_objects(Delete=named, **self._reading).get("Errors", ())
            except ClientError as error:
                if code_of(error) not in _NO_BATCH:
                    raise
                self._batches, apart, faults = False, keys, ()
            for fault in faults:
                key = self._below(fault["Key"])
                more = f"{fault.get('Message', '')} (one of {len(faults)} keys)"
                raise explained("delete", self._address(key), fault["Code"], more)
        for key in apart:
            self._client.delete_object(Key=self._full(key), **self._reading)

    @contextmanager
    def _told(self, what: str, key: str) -> Iterator[None]:
        """Turns what goes wrong into a ``StorageError`` that says what to check."""
        try:
            yield
        except (ClientError, BotoCoreError, Boto3Error) as error:
            asked = {"Prefix": self._base, "MaxKeys": 1, **self._reading}
            raise told(what, self._address(key), error, lambda: self._client.list_objects_v2(**asked)) from error
        except OSError as error:
            raise StorageError(
                f"could not {what} {self._address(key)}: {error}; "
                "mend that, then start the same command again: it resumes"
            ) from error


def _note(request: Any, **_: object) -> None:
    request_counts.note(request_counts.kind_of(request.method, request.url))


def _is_checksum(name: str) -> bool:
    return name.startswith("Checksum") and name != "ChecksumType"
