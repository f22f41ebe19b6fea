"""Messages for GCS' errors, with what to check."""

import re

from google.api_core.exceptions import Forbidden, GoogleAPICallError, NotFound, RetryError, Unauthorized
from google.auth.exceptions import DefaultCredentialsError, GoogleAuthError, InvalidOperation, RefreshError
from requests.exceptions import RequestException

from fruits_pipeline.errors import StorageError
from fruits_pipeline.storage import rights

# What the library puts before the server's words; an upload's URL holds a key to it.
_REQUEST = re.compile(r"^[A-Z]+ https?://\S+: |upload_id=[^&\s]+")
# A refusal of status 400: https://cloud.google.com/storage/docs/using-requester-pays
_PAYS = re.compile(r"requester pays bucket but no user project", re.IGNORECASE)
_RESUME = "then start the same command again: it resumes"
_WHO = "'gcloud auth list' says who you are"
_LOGIN = "run 'gcloud auth application-default login', or name a key file in GOOGLE_APPLICATION_CREDENTIALS"
_NETWORK = f"check the network, HTTPS_PROXY and --gcs-endpoint-url, {_RESUME}"

_ADVICE: tuple[tuple[type[Exception], str], ...] = (
    (NotFound, f"create the bucket or correct its name, or find out who deleted the object, {_RESUME}"),
    (Unauthorized, f"{_LOGIN}; a public bucket takes --gcs-anonymous; {_WHO}"),
    (InvalidOperation, f"the bucket is not public: leave out --gcs-anonymous, and {_LOGIN}"),
    (DefaultCredentialsError, f"{_LOGIN}; a public bucket takes --gcs-anonymous"),
    (RefreshError, f"the credentials have expired or were withdrawn: {_LOGIN}, {_RESUME}"),
    (GoogleAuthError, _LOGIN),
    (RetryError, _NETWORK),
    (RequestException, _NETWORK),
)
# What follows the right that is missing.
_GRANT = (
    "(the job's policy in config/dataproc has all that a run takes); a bucket whose requester pays takes "
    f"--gcs-billing-project; {_WHO}"
)
_ELSE = f"mend that, {_RESUME}"


def explained(what: str, address: str, error: Exception) -> StorageError:
    """The error to raise when ``what`` (a verb) failed at ``address``."""
    cause = error.cause if isinstance(error, RetryError) and error.cause else error
    advice = next((advice for kind, advice in _ADVICE if isinstance(cause, kind)), _ELSE)
    said = str(cause.message if isinstance(cause, GoogleAPICallError) else cause)
    if _PAYS.search(said):
        advice = f"name the project that pays by --gcs-billing-project, {_RESUME}"
    lacks = rights.missing_right(what, address, said) if isinstance(cause, Forbidden) else ""
    if lacks:
        advice = f"grant {lacks} {_GRANT}"
    said = _REQUEST.sub("", said.partition("\n")[0]).strip().rstrip(".")
    told = f"could not {what} {address}: {type(cause).__name__}: {said}; {advice}"
    return StorageError(told, is_denied=bool(lacks), lacks=lacks)
