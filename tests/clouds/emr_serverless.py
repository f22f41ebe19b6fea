"""EMR Serverless for the shared suite: on moto, whose job runs stay as they are until they are moved."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from moto.emrserverless.models import emrserverless_backends

from clouds.adapter import Fault
from clouds.aws import ACCOUNT, REGION, Answer, Wire, control_plane, job
from fruits_pipeline.settings.emr_serverless import EmrServerlessSettings
from fruits_pipeline.submit.emr_serverless import EmrServerless
from fruits_pipeline.submit.platform import Phase, Request

_STATES = {
    Phase.PENDING: "SUBMITTED",
    Phase.RUNNING: "RUNNING",
    Phase.SUCCEEDED: "SUCCESS",
    Phase.FAILED: "FAILED",
    Phase.CANCELLED: "CANCELLED",
}
_FAULTS: dict[Fault, Answer] = {
    Fault.UNKNOWN_RELEASE: (
        400,
        "ValidationException",
        "Type 'SPARK' is not supported for release label 'emr-9.99.0' or release label does not exist",
    ),
    Fault.QUOTA: (402, "ServiceQuotaExceededException", "The maximum number of vCPUs of this account is in use"),
}


class _ServerlessWire(Wire):
    """Mends what moto does otherwise: a new run has succeeded, and an application without runs cannot list them."""

    def attach(self, client: Any) -> None:
        super().attach(client)
        client.meta.events.register("after-call.emr-serverless.StartJobRun", lambda parsed, **_: _not_yet(parsed))
        client.meta.events.register("before-call.emr-serverless.ListJobRuns", lambda **_: _none_yet())


def _not_yet(parsed: dict[str, Any]) -> None:
    for run in _runs():
        if run.id == parsed.get("jobRunId"):
            run.state = "SUBMITTED"


def _none_yet() -> None:
    backend = emrserverless_backends[ACCOUNT][REGION]
    for application in backend.applications:
        backend.job_runs.setdefault(application, [])


def _runs() -> list[Any]:
    return [run for runs in emrserverless_backends[ACCOUNT][REGION].job_runs.values() for run in runs]


class ServerlessCloud:
    """See ``adapter.Cloud``."""

    def __init__(self) -> None:
        self._wire = _ServerlessWire("emr-serverless", {"CreateApplication", "StartJobRun"}, _FAULTS)
        self._settings = EmrServerlessSettings(execution_role_arn=f"arn:aws:iam::{ACCOUNT}:role/fruits-pipeline-run")

    def platform(self) -> EmrServerless:
        platform = EmrServerless(job(), self._settings)
        self._wire.attach(platform._aws._client)
        return platform

    def move(self, started: str, phase: Phase, detail: str = "") -> None:
        (run,) = (run for run in _runs() if run.id == started.split("/")[1])
        run.state, run.state_details = _STATES[phase], detail

    def fail(self, fault: Fault, times: int) -> None:
        self._wire.fail(fault, times)

    def sent(self) -> list[Request]:
        return list(self._wire.sent)

    def alive(self) -> int:
        return sum(run.state in {"SUBMITTED", "RUNNING"} for run in _runs())


@contextmanager
def opened() -> Iterator[ServerlessCloud]:
    """An account without applications."""
    with control_plane():
        yield ServerlessCloud()


PLATFORMS = {"emr-serverless": opened}
