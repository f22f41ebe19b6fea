"""obstore's client of S3, for reading many small objects."""

from datetime import timedelta
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from obstore.auth.boto3 import Boto3CredentialProvider
from obstore.store import S3Store

from fruits_pipeline.errors import StorageError
from fruits_pipeline.settings.storage import StorageSettings
from fruits_pipeline.storage.failure import Failure
from fruits_pipeline.storage.patience import Patience
from fruits_pipeline.storage.s3 import client
from fruits_pipeline.storage.s3_faults import explained as s3_explained

# botocore renews credentials when they are near their end; obstore asks it again after this time.
_ASK_AGAIN = timedelta(minutes=2)


def opened(bucket: str, settings: StorageSettings, patience: Patience) -> Any:
    """The bucket, with credentials found as ``aws`` finds them.

    Raises:
        StorageError: When there are none.
    """
    address = f"s3://{bucket}"
    own_server = settings.s3_endpoint_url is not None
    path_style = own_server if settings.s3_path_style is None else settings.s3_path_style
    config: dict[str, Any] = {"virtual_hosted_style_request": not path_style}
    if settings.s3_endpoint_url is not None:
        config["endpoint"] = settings.s3_endpoint_url
    if settings.s3_requester_pays:
        config["request_payer"] = True
    try:
        session = boto3.Session(profile_name=settings.s3_profile, region_name=settings.s3_region)
        config["region"] = settings.s3_region or _region(session, bucket, settings)
        if settings.s3_anonymous:
            config["skip_signature"] = True
        elif session.get_credentials() is None:
            raise s3_explained("read", address, "NoCredentialsError", "found no credentials")
        else:
            config["credential_provider"] = Boto3CredentialProvider(session, ttl=_ASK_AGAIN)
    except BotoCoreError as error:
        raise s3_explained("read", address, type(error).__name__, str(error)) from error
    options = patience.client_options(settings.s3_endpoint_url)
    return S3Store(bucket, client_options=options, retry_config=patience.retry_config(), **config)


def explained(address: str, failure: Failure) -> StorageError:
    """What to raise when the failure is the source's."""
    code = failure.code or (str(failure.status) if failure.status else "EndpointConnectionError")
    return s3_explained("read", address, code, failure.message)


def _region(session: Any, bucket: str, settings: StorageSettings) -> str:
    """The bucket's own region, which obstore must know; S3 tells it even where it refuses everything else."""
    if settings.s3_endpoint_url is None:
        asked = client(settings)
        try:
            answer = asked.head_bucket(Bucket=bucket)
        except ClientError as error:
            answer = error.response
        finally:
            asked.close()
        if told := answer["ResponseMetadata"]["HTTPHeaders"].get("x-amz-bucket-region"):
            return str(told)
    return session.region_name or "us-east-1"
