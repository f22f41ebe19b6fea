"""A job on a Dataproc cluster that is created for it and deleted after it: a workflow with a managed cluster."""

import json
import shlex
import uuid
from collections.abc import Iterable, Iterator
from typing import Any

from fruits_pipeline.clusters.machines import boot_disk, machine
from fruits_pipeline.clusters.sizing import check_fits
from fruits_pipeline.clusters.templates import load
from fruits_pipeline.errors import SettingsError, SubmissionError
from fruits_pipeline.settings.commands import RunCommand, ScoreCommand
from fruits_pipeline.settings.dataproc import DataprocSettings
from fruits_pipeline.submit.google import Google, labels, message
from fruits_pipeline.submit.google_logs import CONSOLE, DRIVER, driver_lines
from fruits_pipeline.submit.job import SubmittedJob
from fruits_pipeline.submit.platform import Opened, Phase, Request, Started, State
from fruits_pipeline.submit.preflight.check import Check

# A cluster's fewest, of which none is a Spot machine.
_PRIMARY_NODES = 2
# google.rpc.Code of an operation that was cancelled.
_CANCELLED = 1
# A cluster's name is this prefix of at most 35 characters and a suffix of Dataproc's own.
_NAME_LENGTH, _HASH_LENGTH = 35, 12


class ManagedCluster:
    """Runs the job on a managed cluster: two primary workers and Spot workers, in a zone that has capacity."""

    name = "Dataproc"

    def __init__(self, job: SubmittedJob, settings: DataprocSettings) -> None:
        """Takes the job, and the cluster to create for it.

        Raises:
            SettingsError: When there are fewer nodes than a cluster has, or smaller ones than the job takes.
        """
        if job.nodes < _PRIMARY_NODES:
            raise SettingsError(f"--nodes: expected at least {_PRIMARY_NODES} on Dataproc, found {job.nodes}")
        check_fits(job.sizes, machine(job.machine_type))
        self._job = job
        self._settings = settings
        self._google = Google(settings, job.region)
        self._spot = job.nodes - _PRIMARY_NODES
        self._policy = f"{job.name}-spot-{self._spot}"
        self._cluster = f"{job.name[: _NAME_LENGTH - _HASH_LENGTH - 1].rstrip('-')}-{job.job_id[-_HASH_LENGTH:]}"

    def requests(self) -> tuple[Request, ...]:
        """The autoscaling policy, and the workflow."""
        project = self._google.known_project
        return self._create_policy(project), self._workflow(project)

    def command_line(self) -> str:
        """``gcloud dataproc workflow-templates instantiate-from-file``, after the policy that it names."""
        policy, workflow = (request.body for request in self.requests())
        where = [f"--project={self._google.known_project}", f"--region={self._job.region}"]
        importing = ["gcloud", "dataproc", "autoscaling-policies", "import", self._policy, *where, "--quiet"]
        running = [
            *("gcloud", "dataproc", "workflow-templates", "instantiate-from-file"),
            *where,
            "--async",
            "--file=-",
        ]
        limits = {key: value for key, value in policy["policy"].items() if key != "id"}
        return f"{_fed(importing, limits)}\n{_fed(running, workflow['template'])}"

    def checks(self, command: RunCommand | ScoreCommand) -> Iterable[Check]:
        """Those of project, region and quotas."""
        from fruits_pipeline.submit.preflight.lists import dataproc_checks

        return dataproc_checks(self._job, self._settings, self._google, command, self.requests()[-1].body)

    def active(self) -> str | None:
        """The operation of an equal workflow that has not ended."""
        for operation in self._operations():
            if not operation.done and str(_metadata(operation).cluster_name).startswith(f"{self._cluster}-"):
                return str(operation.name)
        return None

    def start(self) -> Started:
        """Starts the workflow, unless it is active, after creating or updating its autoscaling policy.

        Raises:
            SubmissionError: When Dataproc refuses, or says that an equal one runs and shows none.
        """
        from google.api_core.exceptions import AlreadyExists

        if (found := self.active()) is not None:
            return Started(found, attached=True)
        self._ensure_policy()
        request = message("InstantiateInlineWorkflowTemplateRequest", self._workflow(self._google.project).body)
        service, method = "WorkflowTemplateService", "instantiate_inline_workflow_template"
        try:
            started = self._google.call(service, method, request, (AlreadyExists,))
        except AlreadyExists as error:
            if (found := self.active()) is not None:
                return Started(found, attached=True)
            told = f"expected to find the workflow that Dataproc says is running, found none: {error.message}"
            raise SubmissionError(f"{told}; start the same command again in a few minutes") from error
        return Started(str(started.operation.name))

    def state(self, started: str) -> State:
        """The workflow's state: pending until its cluster runs."""
        operation = self._google.call("WorkflowTemplateService", "get_operation", {"name": started})
        nodes = list(_metadata(operation).graph.nodes)
        failed = next((node.error or "failed" for node in nodes if node.state.name == "FAILED"), "")
        if operation.done:
            if operation.HasField("error"):
                phase = Phase.CANCELLED if operation.error.code == _CANCELLED else Phase.FAILED
                return State(phase, operation.error.message)
            return State(Phase.FAILED, failed) if failed else State(Phase.SUCCEEDED)
        running = any(node.state.name in {"RUNNING", "COMPLETED", "FAILED"} for node in nodes)
        return State(Phase.RUNNING if running else Phase.PENDING, failed)

    def cancel(self, started: str) -> None:
        """Cancels the workflow, by which Dataproc cancels its job and deletes its cluster.

        https://cloud.google.com/dataproc/docs/concepts/workflows/use-workflows#canceling_a_workflow
        """
        if not self.state(started).phase.ended:
            self._google.call("WorkflowTemplateService", "cancel_operation", {"name": started})

    def logs(self, started: str) -> str:  # noqa: ARG002 because logs go by the cluster's name, which follows from the job
        """The command line that shows the logs of the cluster's job and machines."""
        return shlex.join(["gcloud", "logging", "read", self._query(), f"--project={self._google.known_project}"])

    def driver_log(self, _started: str, _opened: Opened) -> list[str]:
        """The last lines of the driver's container."""
        return driver_lines(self._google, self._job.region, f"{self._query()} AND {DRIVER}")

    def page(self, started: str) -> str:
        """The workflow's page in the console."""
        place = f"{self._job.region}/{started.rpartition('/')[2]}?project={self._google.known_project}"
        return f"{CONSOLE}/workflows/instances/{place}"

    def _query(self) -> str:
        return f'labels."dataproc.googleapis.com/cluster_name":"{self._cluster}"'

    def _create_policy(self, project: str) -> Request:
        limits = load("dataproc/autoscaling-policy.json", {"SPOT_NODES": self._spot or None})
        body = {"parent": self._parent(project), "policy": {"id": self._policy, **limits}}
        return Request("dataproc.CreateAutoscalingPolicy", body)

    def _workflow(self, project: str) -> Request:
        template = load("dataproc/workflow-template.json", self._values(project))
        if self._settings.jupyter:
            notebooks = load("dataproc/cluster.json", {})["config"]
            config = template["placement"]["managedCluster"]["config"]
            config["endpointConfig"] = notebooks["endpointConfig"]
            config["softwareConfig"]["optionalComponents"] = notebooks["softwareConfig"]["optionalComponents"]
        # Two workflows with one tag do not run at the same time.
        tag = str(uuid.uuid5(uuid.NAMESPACE_URL, self._job.job_id))
        body = {"parent": self._parent(project), "template": template, "requestId": tag}
        return Request("dataproc.InstantiateInlineWorkflowTemplate", body)

    def _values(self, project: str) -> dict[str, Any]:
        own = self._settings
        return {
            "PROJECT": project,
            "REGION": self._job.region,
            "AUTOSCALING_POLICY": self._policy,
            "CLUSTER_NAME": self._cluster,
            "LABELS": labels(self._job),
            "IMAGE_VERSION": self._job.release.release,
            "MASTER_MACHINE_TYPE": own.master_machine_type,
            "MASTER_DISK_TYPE": boot_disk(own.master_machine_type),
            "MACHINE_TYPE": self._job.machine_type,
            "DISK_TYPE": boot_disk(self._job.machine_type),
            "DEADLINE": f"{own.longest_run_s}s",
            "IDLE_DELETE": f"{own.idle_delete_s}s",
            # Later than the workflow's own end, and no earlier than its cluster stands.
            "AUTO_DELETE": f"{own.longest_run_s + 3600}s",
            "SERVICE_ACCOUNT": own.service_account,
            "SUBNETWORK": own.subnetwork,
            "STAGING_BUCKET": own.staging_bucket,
            "KMS_KEY": own.kms_key,
            "SCRIPT": self._job.script,
            "ARGUMENTS": list(self._job.arguments),
            "ARCHIVES": list(self._job.archives),
            "PROPERTIES": dict(self._job.properties),
        }

    def _ensure_policy(self) -> None:
        from google.api_core.exceptions import AlreadyExists

        body = self._create_policy(self._google.project).body
        service = "AutoscalingPolicyService"
        try:
            request = message("CreateAutoscalingPolicyRequest", body)
            self._google.call(service, "create_autoscaling_policy", request, (AlreadyExists,))
        except AlreadyExists:
            name = f"{body['parent']}/autoscalingPolicies/{self._policy}"
            request = message("UpdateAutoscalingPolicyRequest", {"policy": {**body["policy"], "name": name}})
            self._google.call(service, "update_autoscaling_policy", request)

    def _operations(self) -> Iterator[Any]:
        request = {
            "name": f"{self._parent(self._google.project)}/operations",
            "filter": json.dumps({"operation_state_matcher": "ACTIVE"}),
        }
        while True:
            page = self._google.call("WorkflowTemplateService", "list_operations", request)
            yield from page.operations
            if not page.next_page_token:
                return
            request["page_token"] = page.next_page_token

    def _parent(self, project: str) -> str:
        return f"projects/{project}/regions/{self._job.region}"


def _metadata(operation: Any) -> Any:
    """The operation's workflow metadata; empty for other operations."""
    from google.cloud.dataproc_v1 import WorkflowMetadata

    found = WorkflowMetadata.pb()()
    operation.metadata.Unpack(found)
    return WorkflowMetadata.wrap(found)


def _fed(words: list[str], body: dict[str, Any]) -> str:
    """A command that reads ``body`` from its input."""
    return f"{shlex.join(words)} <<'END'\n{json.dumps(body, indent=2, ensure_ascii=False)}\nEND"
