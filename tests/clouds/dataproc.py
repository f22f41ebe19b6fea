"""Dataproc's three ways to run a job, in front of its in-process server, for the shared suite."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any
from unittest import mock

from google.protobuf import json_format
from grpc import StatusCode

from clouds.adapter import Fault
from clouds.dataproc_server import ABORTED, CREATING, DataprocServer, Refusal, dataproc_server, workflow_of
from clouds.dataproc_server import Fault as ServerFault
from fruits_pipeline.settings.commands import RunCommand
from fruits_pipeline.settings.dataproc import DataprocSettings
from fruits_pipeline.settings.dataproc_serverless import DataprocServerlessSettings
from fruits_pipeline.settings.submit import SubmitSettings
from fruits_pipeline.submit.dataproc import Dataproc
from fruits_pipeline.submit.dataproc_serverless import DataprocServerless
from fruits_pipeline.submit.job import submitted_job
from fruits_pipeline.submit.platform import Phase, Platform, Request
from fruits_pipeline.submit.spark_properties import Cloud

JOB_STATES = {Phase.RUNNING: "RUNNING", Phase.SUCCEEDED: "DONE", Phase.FAILED: "ERROR", Phase.CANCELLED: "CANCELLED"}
NODE_STATES = {Phase.RUNNING: "RUNNING", Phase.SUCCEEDED: "COMPLETED", Phase.FAILED: "FAILED"}
FAULTS = {
    Fault.THROTTLED: (
        StatusCode.RESOURCE_EXHAUSTED,
        "Quota exceeded for quota metric 'Requests' and limit 'Requests per minute per user per region'",
    ),
    Fault.EXPIRED_CREDENTIALS: (StatusCode.UNAUTHENTICATED, "Request had invalid authentication credentials."),
    Fault.UNKNOWN_RELEASE: (
        StatusCode.INVALID_ARGUMENT,
        "Selected software image version '2.3' can no longer be used to create new clusters.",
    ),
    Fault.QUOTA: (StatusCode.INVALID_ARGUMENT, "Insufficient 'N2_CPUS' quota. Requested 36.0, available 8.0."),
}


class Clock:
    """Time in which a pause takes none."""

    def __init__(self) -> None:
        """Starts at zero."""
        self.now_s = 0.0

    def monotonic(self) -> float:
        """Seconds."""
        return self.now_s

    def sleep(self, pause_s: float) -> None:
        """Passes at once."""
        self.now_s += pause_s


class DataprocCloud:
    """One way to run a job on the server."""

    def __init__(self, server: DataprocServer, way: str) -> None:
        """Asks for the same job in every test."""
        self.server = server
        self._way = way
        data = {"data_source": "gs://photos/fruits"}
        run = RunCommand.model_validate({"ingest": data, "output": {"output_uri": "gs://bucket/results/fruits"}})
        packages = "gs://bucket/packages"
        cloud: Cloud = "dataproc-serverless" if way == "serverless" else "dataproc"
        self._job = replace(
            submitted_job(cloud, run, SubmitSettings(dry_run=True, bundle="nowhere", region="europe-west1")),
            script=f"{packages}/{'batch' if way == 'serverless' else 'run'}.py",
            archives=(f"{packages}/environment.tar.gz#environment", f"{packages}/models.tar.gz#models"),
        )
        server.clusters.update({"standing"} if way == "cluster" else ())

    def platform(self) -> Platform:
        """A client that remembers nothing."""
        google: Any = {"gcp_project": "project", "dataproc_endpoint_url": self.server.url}
        if self._way == "serverless":
            return DataprocServerless(self._job, DataprocServerlessSettings(**google))
        return Dataproc(self._job, DataprocSettings(cluster="standing" if self._way == "cluster" else None, **google))

    def move(self, started: str, phase: Phase, detail: str = "") -> None:
        """Brings a job, a workflow's one step, or a batch to a state."""
        if self._way == "cluster":
            self.server.jobs[started].status = {"state": JOB_STATES[phase], "details": detail}
        elif self._way == "serverless":
            batch = next(batch for name, batch in self.server.batches.items() if name.endswith(f"/{started}"))
            batch.state, batch.state_message = phase.name, detail
        else:
            operation = self.server.operations[started]
            told = workflow_of(operation)
            told.graph.nodes[0].state = NODE_STATES[phase]
            if phase is Phase.RUNNING:
                operation.metadata.Pack(type(told).pb(told))
            else:
                self.server.end_workflow(operation, told, ABORTED if phase is Phase.FAILED else 0, detail)

    def fail(self, fault: Fault, times: int) -> None:
        """Makes calls fail: of any kind, or those that create."""
        any_call = fault in {Fault.THROTTLED, Fault.EXPIRED_CREDENTIALS}
        methods = () if any_call else tuple(name for name in CREATING if name != "CreateAutoscalingPolicy")
        self.server.faults.append(ServerFault(Refusal(*FAULTS[fault]), times, methods))

    def sent(self) -> list[Request]:
        """The creating calls that were received, as JSON."""
        return [
            Request(f"dataproc.{name}", json_format.MessageToDict(request))
            for name, request in self.server.received
            if name in CREATING
        ]

    def alive(self) -> int:
        """Jobs, batches and workflows that have not ended, and clusters made for them."""
        jobs = [job.status.state.name in {"PENDING", "RUNNING"} for job in self.server.jobs.values()]
        batches = [batch.state.name in {"PENDING", "RUNNING"} for batch in self.server.batches.values()]
        workflows = [not one.done for one in self.server.operations.values() if workflow_of(one) is not None]
        return sum(jobs) + sum(batches) + sum(workflows) + len(self.server.clusters - {"standing"})


@contextmanager
def opened(way: str) -> Iterator[DataprocCloud]:
    """A fresh server, with a job for it."""
    clock = Clock()
    modules = ("google.api_core.retry.retry_base.time", "google.api_core.retry.retry_unary.time")
    with dataproc_server() as server, mock.patch(modules[0], clock), mock.patch(modules[1], clock):
        yield DataprocCloud(server, way)


PLATFORMS = {
    "dataproc": partial(opened, "workflow"),
    "dataproc-cluster": partial(opened, "cluster"),
    "dataproc-serverless": partial(opened, "serverless"),
}
