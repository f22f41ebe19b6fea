"""obstore's client of GCS, for reading many small objects."""

from typing import Any

import google.auth
from google.api_core.exceptions import from_http_status
from google.auth.exceptions import GoogleAuthError, RefreshError
from obstore.auth.google import GoogleCredentialProvider
from obstore.store import GCSStore
from requests.exceptions import RequestException

from fruits_pipeline.errors import StorageError
from fruits_pipeline.settings.storage import StorageSettings
from fruits_pipeline.storage.failure import Failure
from fruits_pipeline.storage.gcs_faults import explained as gcs_explained
from fruits_pipeline.storage.patience import Patience

_READ_ONLY = "https://www.googleapis.com/auth/devstorage.read_only"


def opened(bucket: str, settings: StorageSettings, patience: Patience) -> Any:
    """The bucket, with credentials found as ``gcloud`` finds them.

    Raises:
        StorageError: When there are none.
    """
    config: dict[str, Any] = {}
    options = patience.client_options(settings.gcs_endpoint_url)
    if settings.gcs_endpoint_url is not None:
        config["base_url"] = settings.gcs_endpoint_url
    if settings.gcs_billing_project is not None:
        options["default_headers"] = {"x-goog-user-project": settings.gcs_billing_project}
    if settings.gcs_anonymous:
        config["skip_signature"] = True
    else:
        try:
            credentials, _ = google.auth.default(scopes=[_READ_ONLY])
        except GoogleAuthError as error:
            raise gcs_explained("read", f"gs://{bucket}", error) from error
        config["credential_provider"] = GoogleCredentialProvider(credentials)
    return GCSStore(bucket, client_options=options, retry_config=patience.retry_config(), **config)


def explained(address: str, failure: Failure) -> StorageError:
    """What to raise when the failure is the source's."""
    if failure.status:
        return gcs_explained("read", address, from_http_status(failure.status, failure.message))
    kind = RefreshError if failure.code else RequestException
    return gcs_explained("read", address, kind(failure.message))
