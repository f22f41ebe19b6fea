"""Dataproc's API in this process: jobs, batches, workflows with their clusters, policies, operations; all by gRPC.

Nothing moves by itself: a test says where a job comes to. Every call is recorded, and any may be made to fail.
"""

import itertools
import json
from collections.abc import Callable, Iterator
from concurrent import futures
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.cloud import dataproc_v1 as dataproc
from google.longrunning import operations_pb2
from google.protobuf import empty_pb2
from grpc import StatusCode

# google.rpc.Code
CANCELLED, ABORTED = 1, 10
CREATING = ("SubmitJob", "CreateBatch", "InstantiateInlineWorkflowTemplate", "CreateAutoscalingPolicy")


class Refusal(Exception):  # noqa: N818 because it is an answer
    """An answer other than what was asked for."""

    def __init__(self, status: StatusCode, message: str) -> None:
        """Holds gRPC's status and the service's words."""
        super().__init__(message)
        self.status = status


@dataclass
class Fault:
    """The next ``times`` calls of ``methods`` (any, when empty) are refused so."""

    refusal: Refusal
    times: int
    methods: tuple[str, ...] = ()


@dataclass
class DataprocServer(grpc.GenericRpcHandler):
    """What one region holds."""

    clusters: set[str] = field(default_factory=set)
    jobs: dict[str, Any] = field(default_factory=dict)
    batches: dict[str, Any] = field(default_factory=dict)
    policies: dict[str, Any] = field(default_factory=dict)
    operations: dict[str, Any] = field(default_factory=dict)
    received: list[tuple[str, Any]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    url: str = ""
    _tags: dict[str, str] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        """The handler of one method, as gRPC asks for it."""
        name = handler_call_details.method.rpartition("/")[2]
        if name not in self._methods():
            return None
        kind, answer = self._methods()[name]
        plain = kind.pb() if hasattr(kind, "pb") else kind

        def handle(raw: bytes, context: grpc.ServicerContext) -> bytes:
            request = plain.FromString(raw)
            try:
                self._refuse(name)
                self.received.append((name, request))
                told = answer(kind.wrap(request) if hasattr(kind, "wrap") else request)
            except Refusal as refusal:
                context.abort(refusal.status, str(refusal))
            return bytes(type(told).serialize(told) if hasattr(told, "_pb") else told.SerializeToString())

        return grpc.unary_unary_rpc_method_handler(handle)

    def _methods(self) -> dict[str, tuple[Any, Callable[[Any], Any]]]:
        return {
            "GetCluster": (dataproc.GetClusterRequest, self._cluster),
            "SubmitJob": (dataproc.SubmitJobRequest, self._submit),
            "GetJob": (dataproc.GetJobRequest, lambda asked: _held(self.jobs, asked.job_id)),
            "CancelJob": (dataproc.CancelJobRequest, self._cancel_job),
            "CreateBatch": (dataproc.CreateBatchRequest, self._create_batch),
            "GetBatch": (dataproc.GetBatchRequest, lambda asked: _held(self.batches, asked.name)),
            "CreateAutoscalingPolicy": (dataproc.CreateAutoscalingPolicyRequest, self._create_policy),
            "UpdateAutoscalingPolicy": (dataproc.UpdateAutoscalingPolicyRequest, self._update_policy),
            "InstantiateInlineWorkflowTemplate": (dataproc.InstantiateInlineWorkflowTemplateRequest, self._instantiate),
            "GetOperation": (operations_pb2.GetOperationRequest, lambda asked: _held(self.operations, asked.name)),
            "ListOperations": (operations_pb2.ListOperationsRequest, self._list_operations),
            "CancelOperation": (operations_pb2.CancelOperationRequest, self._cancel_operation),
        }

    def _refuse(self, method: str) -> None:
        for fault in self.faults:
            if fault.times and (not fault.methods or method in fault.methods):
                fault.times -= 1
                raise fault.refusal

    def _cluster(self, asked: Any) -> Any:
        if asked.cluster_name not in self.clusters:
            raise Refusal(StatusCode.NOT_FOUND, f"Not found: Cluster {asked.cluster_name}")
        config = {"software_config": {"image_version": "2.3.9-debian12"}}
        return dataproc.Cluster(cluster_name=asked.cluster_name, config=config, status={"state": "RUNNING"})

    def _submit(self, asked: Any) -> Any:
        if asked.job.placement.cluster_name not in self.clusters:
            raise Refusal(StatusCode.NOT_FOUND, f"Not found: Cluster {asked.job.placement.cluster_name}")
        job_id = asked.job.reference.job_id
        if job_id in self.jobs:
            raise Refusal(StatusCode.ALREADY_EXISTS, f"Already exists: Job {job_id}")
        self.jobs[job_id] = dataproc.Job(asked.job, status={"state": "PENDING"})
        return self.jobs[job_id]

    def _cancel_job(self, asked: Any) -> Any:
        job = _held(self.jobs, asked.job_id)
        if job.status.state.name in {"DONE", "ERROR", "CANCELLED"}:
            raise Refusal(StatusCode.FAILED_PRECONDITION, f"Job {asked.job_id} has ended")
        job.status = {"state": "CANCELLED"}
        return job

    def _create_batch(self, asked: Any) -> Any:
        name = f"{asked.parent}/batches/{asked.batch_id}"
        if name in self.batches:
            raise Refusal(StatusCode.ALREADY_EXISTS, f"Already exists: Batch {name}")
        operation = self._operation(asked.parent, dataproc.BatchOperationMetadata(batch=name))
        self.batches[name] = dataproc.Batch(asked.batch, name=name, state="PENDING", operation=operation.name)
        return operation

    def _create_policy(self, asked: Any) -> Any:
        if asked.policy.id in self.policies:
            raise Refusal(StatusCode.ALREADY_EXISTS, f"Already exists: AutoscalingPolicy {asked.policy.id}")
        self.policies[asked.policy.id] = asked.policy
        return asked.policy

    def _update_policy(self, asked: Any) -> Any:
        _held(self.policies, asked.policy.id)
        self.policies[asked.policy.id] = asked.policy
        return asked.policy

    def _instantiate(self, asked: Any) -> Any:
        if asked.request_id in self._tags and not self.operations[self._tags[asked.request_id]].done:
            raise Refusal(StatusCode.ALREADY_EXISTS, f"Already exists: workflow with tag {asked.request_id}")
        wanted = asked.template.placement.managed_cluster
        if wanted.config.autoscaling_config.policy_uri.rpartition("/")[2] not in self.policies:
            raise Refusal(StatusCode.NOT_FOUND, f"Not found: {wanted.config.autoscaling_config.policy_uri}")
        cluster = f"{wanted.cluster_name}-{next(self._numbers):x}"
        self.clusters.add(cluster)
        nodes = [{"step_id": job.step_id, "state": "BLOCKED"} for job in asked.template.jobs]
        told = dataproc.WorkflowMetadata(cluster_name=cluster, state="PENDING", graph={"nodes": nodes})
        operation = self._operation(asked.parent, told)
        self._tags[asked.request_id] = operation.name
        return operation

    def _operation(self, parent: str, metadata: Any) -> Any:
        operation = operations_pb2.Operation(name=f"{parent}/operations/{next(self._numbers)}")
        operation.metadata.Pack(type(metadata).pb(metadata))
        self.operations[operation.name] = operation
        return operation

    def _list_operations(self, asked: Any) -> Any:
        wanted = json.loads(asked.filter or "{}").get("operation_state_matcher")
        found = [one for one in self.operations.values() if wanted != "ACTIVE" or not one.done]
        return operations_pb2.ListOperationsResponse(operations=found)

    def _cancel_operation(self, asked: Any) -> Any:
        operation = _held(self.operations, asked.name)
        for batch in self.batches.values():
            if batch.operation == asked.name:
                batch.state = "CANCELLED"
        if (workflow := workflow_of(operation)) is not None:
            self.end_workflow(operation, workflow, CANCELLED, "Operation was cancelled")
        return empty_pb2.Empty()

    def end_workflow(self, operation: Any, told: Any, code: int = 0, message: str = "") -> None:
        """Ends a workflow and deletes its cluster; by an error, when there is a code."""
        operation.done = True
        if code:
            operation.error.code, operation.error.message = code, message
        else:
            operation.response.Pack(empty_pb2.Empty())
        told.state = "DONE"
        self.clusters.discard(told.cluster_name)
        operation.metadata.Pack(type(told).pb(told))


def workflow_of(operation: Any) -> Any | None:
    """An operation's account of a workflow, if it is one."""
    found = dataproc.WorkflowMetadata.pb()()
    return dataproc.WorkflowMetadata.wrap(found) if operation.metadata.Unpack(found) else None


@contextmanager
def dataproc_server() -> Iterator[DataprocServer]:
    """A server on a free port of this machine."""
    served = DataprocServer()
    server = grpc.server(futures.ThreadPoolExecutor(4), handlers=[served])
    served.url = f"http://127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    try:
        yield served
    finally:
        server.stop(grace=1).wait()


def _held(things: dict[str, Any], name: str) -> Any:
    if name not in things:
        raise Refusal(StatusCode.NOT_FOUND, f"Not found: {name}")
    return things[name]
