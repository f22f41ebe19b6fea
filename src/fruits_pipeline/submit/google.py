"""Calls of the Dataproc API, with retries and with advice for its errors."""

import json
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from fruits_pipeline.errors import SettingsError, SubmissionError
from fruits_pipeline.settings.google import GoogleSettings
from fruits_pipeline.submit.job import SubmittedJob
from fruits_pipeline.submit.platform import Started

if TYPE_CHECKING:
    from google.api_core.exceptions import GoogleAPICallError

_PROJECT = "${PROJECT}"
_LATEST_RUNTIME = 3
# gRPC calls credentials that cannot be refreshed an unavailable service, in these words.
_PLUGIN = "Getting metadata from plugin failed"
_CALL_S = 60.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S, _PATIENCE_S = 1.0, 20.0, 120.0
# As in "Insufficient 'N2_CPUS' quota. Requested 12.0, available 8.0."
_QUOTA = re.compile(r"insufficient .*quota", re.IGNORECASE)
_RELEASE = re.compile(r"(image|runtime) version|version .*(image|runtime)", re.IGNORECASE)
_DISABLED = re.compile(r"has not been used in project|it is disabled", re.IGNORECASE)
_UNREACHED = re.compile(r"DNS resolution|failed to connect", re.IGNORECASE)
_RENEW = "renew the credentials by gcloud auth application-default login, or give a service account's"
ROLE = "grant the submitter the role of config/dataproc/submitter-role.json, and the use of the job's service account"


class Google:
    """Client of the Dataproc API of one region, connected at the first call."""

    def __init__(self, settings: GoogleSettings, region: str) -> None:
        """Takes project and region; connects to nothing yet."""
        self._settings = settings
        self._region = region
        self._clients: dict[str, Any] = {}
        self._project = settings.gcp_project

    @property
    def known_project(self) -> str:
        """The project that is set, else its placeholder."""
        return self._project or _PROJECT

    @property
    def project(self) -> str:
        """The project that is set, else that of the credentials.

        Raises:
            SettingsError: When neither names one.
        """
        if self._project is None:
            self._project = self._of_credentials()
        return self._project

    def call(self, client: str, method: str, request: Any, passing: tuple[type[Exception], ...] = ()) -> Any:
        """The response of ``method`` of ``client`` to ``request``; retried while the service is busy.

        Args:
            client: A client's name in ``google.cloud.dataproc_v1`` without "Client".
            method: Its method.
            request: A message, or its fields.
            passing: Refusals that the caller understands, which are raised as they are.

        Raises:
            SubmissionError: When it refuses, or does not answer.
        """
        from google.api_core import exceptions, retry
        from google.auth.exceptions import GoogleAuthError

        patience = retry.Retry(
            predicate=_busy, initial=_FIRST_PAUSE_S, maximum=_LONGEST_PAUSE_S, multiplier=2, timeout=_PATIENCE_S
        )
        try:
            return getattr(self._client(client), method)(request=request, retry=patience, timeout=_CALL_S)
        except passing:
            raise
        except exceptions.RetryError as error:
            raise self._refused(method, error.cause) from error
        except exceptions.GoogleAPICallError as error:
            raise self._refused(method, error) from error
        except GoogleAuthError as error:
            raise _no_credentials(str(error)) from error

    def _client(self, name: str) -> Any:
        if name not in self._clients:
            from google.cloud import dataproc_v1

            kind = getattr(dataproc_v1, f"{name}Client")
            url = self._settings.dataproc_endpoint_url
            if url is not None and url.startswith("http://"):
                import grpc

                channel = grpc.insecure_channel(url.removeprefix("http://"))
                self._clients[name] = kind(transport=kind.get_transport_class("grpc")(channel=channel))
            else:
                place = url.removeprefix("https://") if url else f"{self._region}-dataproc.googleapis.com:443"
                self._clients[name] = kind(client_options={"api_endpoint": place})
        return self._clients[name]

    def _of_credentials(self) -> str:
        import google.auth
        from google.auth.exceptions import GoogleAuthError

        try:
            _, project = google.auth.default()
        except GoogleAuthError as error:
            raise _no_credentials(str(error)) from error
        if not project:
            raise SettingsError("--gcp-project: expected a project, found none in the credentials; name one")
        return str(project)

    def _refused(self, method: str, error: "GoogleAPICallError") -> SubmissionError:
        told = f"expected Dataproc in {self._region} to answer {method}, found {error.code}: {error.message}"
        return SubmissionError(f"{told}; {remedy(error)}", code=type(error).__name__, operation=f"dataproc.{method}")


def remedy(error: "GoogleAPICallError") -> str:
    """Advice for an error of the API."""
    from google.api_core import exceptions

    told = error.message
    remedies = (
        (isinstance(error, exceptions.Unauthenticated) or _PLUGIN in told, _RENEW),
        (
            _DISABLED.search(told),
            "enable it by gcloud services enable, and start the same command again in a few minutes",
        ),
        (isinstance(error, exceptions.Forbidden), ROLE),
        (_QUOTA.search(told), "take fewer or smaller machines (--nodes, --machine-type), or ask Google for more quota"),
        (_UNREACHED.search(told), "check --region and the network, then start the same command again"),
        (_busy(error), "start the same command again in a few minutes"),
        (_RELEASE.search(told), "take another release by --target, of config/releases.json"),
        (isinstance(error, exceptions.NotFound), "name what is there: --cluster, --region, --gcp-project"),
    )
    return next((remedy for holds, remedy in remedies if holds), "correct the setting that it names")


def message(kind: str, body: Mapping[str, Any]) -> Any:
    """The message ``kind`` of ``google.cloud.dataproc_v1`` from its JSON."""
    from google.cloud import dataproc_v1

    return getattr(dataproc_v1, kind).from_json(json.dumps(body))


def labels(job: SubmittedJob) -> dict[str, str]:
    """The job's tags and id as labels, which take neither capitals nor dots.

    https://cloud.google.com/dataproc/docs/guides/creating-managing-labels
    """
    tags = {**job.tags, "job": job.job_id}
    return {key.lower(): value.lower().replace(".", "-") for key, value in tags.items()}


def since_3(job: SubmittedJob) -> bool:
    """Whether the batch's runtime is 3.0 or later, which differs.

    It has no staging bucket, takes the user's credentials unless told otherwise, and wants another API enabled:
    https://docs.cloud.google.com/managed-spark/docs/concepts/versions/spark-runtime-3.0
    """
    return int(job.release.release.partition(".")[0]) >= _LATEST_RUNTIME


def start_once(job_id: str, active: Callable[[str], bool | None], create: Callable[[str], None]) -> Started:
    """Creates the job or batch ``job_id`` unless it is active; after its end ``job_id-2``, since ids are never reused.

    Args:
        job_id: The first id to try; later attempts are ``-2``, ``-3``.
        active: Whether what has an id is active; None when nothing has it.
        create: Creates what has an id; raises Google's AlreadyExists when somebody was faster.

    >>> start_once("job", {"job": False}.get, create=lambda _: None)
    Started(id='job-2', attached=False)
    """
    from google.api_core.exceptions import AlreadyExists

    name, attempt = job_id, 1
    while True:
        found = active(name)
        if found:
            return Started(name, attached=True)
        if found is None:
            try:
                create(name)
            except AlreadyExists:
                continue
            return Started(name)
        attempt += 1
        name = f"{job_id}-{attempt}"


def last_active(job_id: str, active: Callable[[str], bool | None]) -> str | None:
    """The id of the last attempt of ``job_id``, if that is active; arguments as of ``start_once``.

    >>> last_active("job", {"job": False, "job-2": True}.get), last_active("job", {"job": False}.get)
    ('job-2', None)
    """
    name, attempt = job_id, 1
    while (found := active(name)) is False:
        attempt += 1
        name = f"{job_id}-{attempt}"
    return name if found else None


def gcloud_mapping(values: Mapping[str, str]) -> str:
    """A mapping as the value of a ``gcloud`` flag; https://cloud.google.com/sdk/gcloud/reference/topic/escaping.

    >>> gcloud_mapping({"a": "1", "b": "2"}), gcloud_mapping({"a": "1,2", "b": "3"}), gcloud_mapping({"a": "1,2;3"})
    ('a=1,b=2', '^;^a=1,2;b=3', '^|^a=1,2;3')
    """
    pairs = [f"{key}={value}" for key, value in values.items()]
    by = next(by for by in (",", ";", "|", "~", "@@") if not any(by in pair for pair in pairs))
    return ("" if by == "," else f"^{by}^") + by.join(pairs)


def _busy(error: BaseException) -> bool:
    """Whether the error is retryable: the call was throttled, or the service failed."""
    from google.api_core import exceptions

    if not isinstance(error, exceptions.TooManyRequests | exceptions.ServerError):
        return False
    return _PLUGIN not in error.message and not _QUOTA.search(error.message)


def _no_credentials(found: str) -> SubmissionError:
    return SubmissionError(f"expected credentials of Google, found {found}; {_RENEW}")
