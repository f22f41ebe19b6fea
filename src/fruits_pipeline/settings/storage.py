"""Settings of buckets: how S3 and GCS are reached; no setting ever holds a secret.

Credentials are found as ``aws`` and ``gcloud`` find them, proxies as the environment says.
"""

from typing import Annotated
from urllib.parse import urlsplit

from cyclopts import Parameter
from pydantic import AfterValidator, Field

from fruits_pipeline.settings.room import Incidental, Room


def _endpoint(value: str) -> str:
    """A server's URL; settings are written to ``run.json``, so that one with a password in it is refused."""
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("expected a URL such as https://storage.example.com")
    if parts.username is not None or parts.query:
        raise ValueError("expected a URL without a user, a password or a query")
    return value.rstrip("/")


_Endpoint = Annotated[str | None, AfterValidator(lambda value: None if value is None else _endpoint(value)), Incidental]


class StorageSettings(Room):
    """How buckets are reached; plain values, so that workers get them as they are."""

    s3_endpoint_url: _Endpoint = Field(None, description="S3: server to use in place of AWS.")
    s3_region: Annotated[str | None, Incidental] = Field(
        None, description="S3: region; by default as AWS_REGION, the profile or the bucket says."
    )
    s3_profile: Annotated[str | None, Incidental] = Field(
        None, description="S3: profile of the AWS configuration; by default as AWS_PROFILE says."
    )
    s3_path_style: Annotated[bool | None, Incidental] = Field(
        None, description="S3: bucket in the path, not in the host; by default only where an endpoint is given."
    )
    s3_anonymous: Annotated[bool, Incidental, Parameter(negative="")] = Field(
        False, description="S3: unsigned requests, for public buckets."
    )
    s3_requester_pays: Annotated[bool, Incidental, Parameter(negative="")] = Field(
        False, description="S3: accept the charges of requester-pays buckets."
    )
    s3_sse_kms_key_id: Annotated[str | None, Incidental] = Field(
        None, description="S3: KMS key (id, ARN or alias) that encrypts what is written."
    )
    gcs_endpoint_url: _Endpoint = Field(None, description="GCS: server to use in place of Google's.")
    gcs_anonymous: Annotated[bool, Incidental, Parameter(negative="")] = Field(
        False, description="GCS: requests without credentials, for public buckets."
    )
    gcs_billing_project: Annotated[str | None, Incidental] = Field(
        None, description="GCS: project that pays for requester-pays buckets."
    )
