"""Calls of Google's REST APIs, by the credentials of google-auth: of those that Dataproc's own client has not."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from fruits_pipeline.errors import SubmissionError
from fruits_pipeline.submit.google import ROLE, Google

# The roots of the discovery documents: https://developers.google.com/discovery/v1/reference/apis/list
ROOTS = {
    "compute": "https://compute.googleapis.com/compute/v1",
    "logging": "https://logging.googleapis.com/v2",
    "iam": "https://iam.googleapis.com/v1",
    "serviceusage": "https://serviceusage.googleapis.com/v1",
    "storage": "https://storage.googleapis.com/storage/v1",
}
SERVICE_DISABLED, NOT_FOUND, PERMISSION_DENIED = "SERVICE_DISABLED", "NOT_FOUND", "PERMISSION_DENIED"
_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
_TIMEOUT_S = 30
_TRIES = 3
_RETRYABLE = (429, 500, 502, 503, 504)
# https://cloud.google.com/apis/design/errors: of an API that is not enabled; the second is Compute's older form.
_OF_DISABLED = frozenset({SERVICE_DISABLED, "accessNotConfigured"})
_OF_STATUS = {403: PERMISSION_DENIED, 404: NOT_FOUND}


class Project:
    """A project of Google Cloud, asked about in one region."""

    def __init__(self, google: Google, region: str) -> None:
        """``google`` knows the project; nothing is asked yet."""
        self.google = google
        self.region = region

    @property
    def name(self) -> str:
        """The project's id.

        Raises:
            SettingsError: When none is set, and the credentials have none.
        """
        return self.google.project

    @cached_property
    def credentials(self) -> Any:
        """The credentials, with a token that holds; calls count for the project, which has the APIs enabled.

        A user's would otherwise count for gcloud's own: https://docs.cloud.google.com/docs/authentication/troubleshoot-adc

        Raises:
            SubmissionError: When there are none, or they cannot be renewed.
            SettingsError: When no project is known.
        """
        import google.auth
        from google.auth.exceptions import GoogleAuthError, TransportError
        from google.auth.transport.requests import Request

        try:
            found, _ = google.auth.default(scopes=[_SCOPE], quota_project_id=self.name)
            if not found.valid:
                found.refresh(Request())
        except GoogleAuthError as error:
            told = " ".join(str(error).split())
            remedy = (
                "check the network and HTTPS_PROXY"
                if isinstance(error, TransportError)
                else "run gcloud auth application-default login, or name a service account's key by "
                "GOOGLE_APPLICATION_CREDENTIALS"
            )
            raise SubmissionError(f"expected credentials of Google, found {told}; {remedy}") from error
        return found

    def get(self, operation: str, path: str, **query: str) -> dict[str, Any]:
        """The resource at ``path`` of the API that ``operation``, such as ``compute.regions.get``, begins with.

        Raises:
            SubmissionError: When there is no answer, or a refusal, whose ``code`` says which.
        """
        return self._sent("GET", operation, path, params=query)

    def post(self, operation: str, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to ``body``; raises as ``get``."""
        return self._sent("POST", operation, path, json=body)

    def _sent(self, method: str, operation: str, path: str, **content: Any) -> dict[str, Any]:
        from google.auth.exceptions import GoogleAuthError
        from requests import RequestException

        url = f"{ROOTS[operation.partition('.')[0]]}/{path}"
        try:
            answer = self._session.request(method, url, timeout=_TIMEOUT_S, **content)
        except (RequestException, GoogleAuthError) as error:
            told = f"expected Google to answer {operation}, found {type(error).__name__}: {error}"
            raise SubmissionError(f"{told}; check the network and HTTPS_PROXY", operation=operation) from error
        if answer.ok:
            found: dict[str, Any] = answer.json()
            return found
        code, message = _refusal(answer)
        told = f"expected Google to answer {operation}, found {answer.status_code}: {message}"
        remedy = ROLE if code == PERMISSION_DENIED else "correct --region or --gcp-project"
        raise SubmissionError(f"{told}; {remedy}", code=code, operation=operation)

    @cached_property
    def _session(self) -> Any:
        from google.auth.transport.requests import AuthorizedSession
        from requests.adapters import HTTPAdapter
        from urllib3 import Retry

        session = AuthorizedSession(self.credentials)
        # Any method: what is posted here asks, and changes nothing.
        retries = Retry(
            _TRIES, allowed_methods=None, status_forcelist=_RETRYABLE, backoff_factor=1, raise_on_status=False
        )
        session.mount("https://", HTTPAdapter(max_retries=retries))
        return session


def _refusal(answer: Any) -> tuple[str, str]:
    """Code and message of a refused call."""
    try:
        error = answer.json()["error"]
    except (ValueError, KeyError, TypeError):
        return str(answer.status_code), " ".join(answer.text.split())[:200]
    reasons = {part.get("reason") for name in ("errors", "details") for part in error.get(name, ())}
    code = SERVICE_DISABLED if reasons & _OF_DISABLED else _OF_STATUS.get(answer.status_code, str(answer.status_code))
    return code, str(error.get("message"))
