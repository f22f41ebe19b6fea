"""EMR for the shared suite: on moto, whose clusters and steps stay as they are until they are moved."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
from moto.emr.models import emr_backends

from clouds.adapter import Fault
from clouds.aws import ACCOUNT, REGION, Answer, Wire, control_plane, job
from fruits_pipeline.settings.emr import EmrSettings
from fruits_pipeline.submit.emr import Emr
from fruits_pipeline.submit.platform import Phase, Request

_STATES = {
    Phase.PENDING: "PENDING",
    Phase.RUNNING: "RUNNING",
    Phase.SUCCEEDED: "COMPLETED",
    Phase.FAILED: "FAILED",
    Phase.CANCELLED: "CANCELLED",
}
_FAULTS: dict[Fault, Answer] = {
    Fault.UNKNOWN_RELEASE: (400, "ValidationException", "The supplied release label is invalid: emr-9.99.0."),
    Fault.QUOTA: (400, "ValidationException", "The requested number of instances exceeds your EC2 quota."),
}
_ACTIVE = {"PENDING", "RUNNING"}


class _EmrWire(Wire):
    """Gives moto what it lacks: ``CancelSteps``, and the end of a cluster's steps with the cluster."""

    def attach(self, client: Any) -> None:
        super().attach(client)
        client.meta.events.register("after-call.emr.TerminateJobFlows", lambda **_: self._end_orphans())
        for operation in ("RunJobFlow", "AddJobFlowSteps"):
            client.meta.events.register(f"after-call.emr.{operation}", lambda parsed, **_: _not_yet(parsed))

    def instead(self, operation: str, request: Any) -> dict[str, Any] | None:
        if operation != "CancelSteps":
            return None
        asked = json.loads(request.body)
        found = [step for step in _clusters()[asked["ClusterId"]].steps if step.id in asked["StepIds"]]
        told = []
        for step in found:
            status = "SUBMITTED" if step.state in _ACTIVE else "FAILED"
            step.state = "CANCELLED" if step.state in _ACTIVE else step.state
            told.append({"StepId": step.id, "Status": status})
        return {"CancelStepsInfoList": told}

    def _end_orphans(self) -> None:
        for cluster in _clusters().values():
            for step in cluster.steps:
                if cluster.state == "TERMINATED" and step.state in _ACTIVE:
                    step.state = "CANCELLED"


def _not_yet(parsed: dict[str, Any]) -> None:
    """A new step waits, and a new cluster is only starting; moto has them running at once."""
    if parsed.get("JobFlowId"):
        _clusters()[parsed["JobFlowId"]].state = "STARTING"
    for cluster in _clusters().values():
        for step in cluster.steps:
            if step.id in parsed.get("StepIds", ()) or cluster.id == parsed.get("JobFlowId"):
                step.state = "PENDING"


def _clusters() -> dict[str, Any]:
    found: dict[str, Any] = emr_backends[ACCOUNT][REGION].clusters
    return found


class EmrCloud:
    """See ``adapter.Cloud``; with ``cluster_id`` the steps go to that running cluster."""

    def __init__(self, cluster_id: str | None = None) -> None:
        self._settings = EmrSettings(cluster_id=cluster_id, subnet=("subnet-1", "subnet-2"))
        self._wire = _EmrWire("emr", {"RunJobFlow", "AddJobFlowSteps"}, _FAULTS)

    def platform(self) -> Emr:
        platform = Emr(job(), self._settings)
        self._wire.attach(platform._aws._client)
        return platform

    def move(self, started: str, phase: Phase, detail: str = "") -> None:
        cluster_id, step_id = started.split("/")
        cluster = _clusters()[cluster_id]
        step = next(step for step in cluster.steps if step.id == step_id)
        step.state, step.last_state_change_reason = _STATES[phase], detail
        if self._settings.cluster_id is None:
            ends = "TERMINATED_WITH_ERRORS" if phase is Phase.FAILED else "TERMINATED"
            cluster.state = ends if phase.ended else "RUNNING"

    def fail(self, fault: Fault, times: int) -> None:
        self._wire.fail(fault, times)

    def sent(self) -> list[Request]:
        return list(self._wire.sent)

    def alive(self) -> int:
        steps = [
            step
            for cluster in _clusters().values()
            for step in cluster.steps
            if step.state in _ACTIVE and not step.name.startswith("cancel ")
        ]
        own = [c for c in _clusters().values() if c.id != self._settings.cluster_id and not c.state.startswith("TERM")]
        return len(steps) + len(own)


@contextmanager
def transient() -> Iterator[EmrCloud]:
    """A cluster of its own."""
    with control_plane():
        yield EmrCloud()


@contextmanager
def shared() -> Iterator[EmrCloud]:
    """A cluster that runs already."""
    with control_plane():
        instances = {"KeepJobFlowAliveWhenNoSteps": True, "InstanceCount": 1, "MasterInstanceType": "m6i.xlarge"}
        client = boto3.client("emr", region_name=REGION)
        answer = client.run_job_flow(Name="shared", Instances=instances, LogUri="s3n://bucket/cluster-logs/")
        yield EmrCloud(answer["JobFlowId"])


PLATFORMS = {"emr": transient, "emr-step": shared}
