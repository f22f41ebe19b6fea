"""EMR: a step on an existing cluster, or on a cluster that is created for it and ends with it."""

import re
from collections.abc import Iterable
from typing import Any

from fruits_pipeline.errors import SubmissionError
from fruits_pipeline.settings.commands import RunCommand, ScoreCommand
from fruits_pipeline.settings.emr import EmrSettings
from fruits_pipeline.submit.aws import Aws
from fruits_pipeline.submit.aws_cli import create_cluster, line, options, with_profile
from fruits_pipeline.submit.driver_log import gzip_tail
from fruits_pipeline.submit.emr_requests import cancel_request, cluster_request, step_request, steps
from fruits_pipeline.submit.job import SubmittedJob
from fruits_pipeline.submit.placeholders import check_filled
from fruits_pipeline.submit.platform import Opened, Phase, Request, Started, State
from fruits_pipeline.submit.preflight.check import Check

_FLAGS = {"SUBNET_IDS": "--subnet", "BUNDLE_URI": "--bundle"}
_ACTIVE_CLUSTERS = ["STARTING", "BOOTSTRAPPING", "RUNNING", "WAITING"]
_ACTIVE_STEPS = ["PENDING", "RUNNING"]
# The first container of an attempt is its application master, in which a driver in cluster mode runs.
_DRIVER = "_000001/stderr.gz"
_PHASES = {
    "PENDING": Phase.PENDING,
    "RUNNING": Phase.RUNNING,
    "CANCEL_PENDING": Phase.RUNNING,
    "COMPLETED": Phase.SUCCEEDED,
    "FAILED": Phase.FAILED,
    "CANCELLED": Phase.CANCELLED,
    "INTERRUPTED": Phase.CANCELLED,
}
# Reasons of a cluster's end that are no failure of its own (ClusterStateChangeReasonCode).
_ENDED_WELL = {"USER_REQUEST", "ALL_STEPS_COMPLETED", "STEP_FAILURE"}


class Emr:
    """A job on EMR; ``platform.Platform`` says what each method does. An id is ``cluster/step``."""

    name = "EMR"

    def __init__(self, job: SubmittedJob, settings: EmrSettings, profile: str | None = None) -> None:
        """``profile`` is one of the AWS configuration."""
        self._job = job
        self._settings = settings
        self._profile = profile
        self._aws = Aws("emr", job.region, profile)
        self._log_uri = job.log_uri

    def requests(self) -> tuple[Request, ...]:
        """One call: ``RunJobFlow``, or ``AddJobFlowSteps``."""
        if self._settings.cluster_id:
            return (Request("emr.AddJobFlowSteps", step_request(self._job, self._settings)),)
        return (Request("emr.RunJobFlow", cluster_request(self._job, self._settings)),)

    def command_line(self) -> str:
        """``aws emr create-cluster``, or ``aws emr add-steps``."""
        given = steps(self._job, self._settings)
        if self._settings.cluster_id:
            words = options({"ClusterId": self._settings.cluster_id, "Steps": given})
            return with_profile(line(self._job.region, "emr", "add-steps", *words), self._profile)
        return with_profile(create_cluster(self._job.region, self.requests()[0].body, given), self._profile)

    def checks(self, command: RunCommand | ScoreCommand) -> Iterable[Check]:
        """Those of account, region and quotas."""
        from fruits_pipeline.submit.preflight.lists import emr_checks

        (request,) = self.requests()
        check_filled(request.body, {"SUBNET_IDS": "--subnet"})
        return emr_checks(self._job, self._settings, self._profile, command, request.body)

    def active(self) -> str | None:
        """The step of the job's name that is active."""
        cluster = self._settings.cluster_id or self._active_cluster()
        return self._step(cluster, _ACTIVE_STEPS) if cluster else None

    def start(self) -> Started:
        """Starts the step, unless one of its name is active: EMR has no client tokens that would ensure it."""
        (request,) = self.requests()
        check_filled(request.body, _FLAGS)
        if self._settings.cluster_id:
            self._log_uri = self._logs_of(self._settings.cluster_id)
        if active := self.active():
            return Started(active, attached=True)
        operation = request.operation.partition(".")[2]
        answer = self._aws.call(operation, request.body)
        if self._settings.cluster_id:
            return Started(f"{self._settings.cluster_id}/{answer['StepIds'][0]}")
        step = self._step(answer["JobFlowId"])
        if step is None:
            raise SubmissionError(
                f"expected step {self._job.job_id} on the new cluster {answer['JobFlowId']}, found none; "
                f"see 'aws emr list-steps --cluster-id {answer['JobFlowId']}'"
            )
        return Started(step)

    def state(self, started: str) -> State:
        """The step's state; for a step that never ran, with the cluster's state and reason."""
        cluster, step = started.split("/")
        status = self._aws.call("DescribeStep", {"ClusterId": cluster, "StepId": step})["Step"]["Status"]
        phase = _PHASES[status["State"]]
        if phase in {Phase.PENDING, Phase.CANCELLED}:
            of_cluster = self._aws.call("DescribeCluster", {"ClusterId": cluster})["Cluster"]["Status"]
            reason = of_cluster.get("StateChangeReason", {})
            told = f"cluster {cluster} is {of_cluster['State'].lower()}: {reason.get('Message', '')}".rstrip(": ")
            if of_cluster["State"] == "TERMINATED_WITH_ERRORS" or reason.get("Code", "USER_REQUEST") not in _ENDED_WELL:
                return State(Phase.FAILED, told)
            return State(phase, _reason(status) or told)
        return State(phase, _reason(status))

    def cancel(self, started: str) -> None:
        """Cancels the step and its YARN application on an existing cluster, else terminates the cluster."""
        cluster, step = started.split("/")
        if not self._settings.cluster_id:
            self._aws.call("TerminateJobFlows", {"JobFlowIds": [cluster]})
        elif not self.state(started).phase.ended:
            body = {"ClusterId": cluster, "StepIds": [step], "StepCancellationOption": "TERMINATE_PROCESS"}
            self._aws.call("CancelSteps", body)
            self._aws.call("AddJobFlowSteps", cancel_request(self._job, self._settings))

    def logs(self, started: str) -> str:
        """The folders of the step and of its containers.

        https://docs.aws.amazon.com/emr/latest/ManagementGuide/emr-manage-view-web-log-files.html
        """
        cluster, step = started.split("/")
        return f"{self._log_uri}/{cluster}/steps/{step}/ and {self._log_uri}/{cluster}/containers/"

    def driver_log(self, started: str, opened: Opened) -> list[str]:
        """What the driver's container wrote; where that is not there yet, what `spark-submit` said of it."""
        cluster, step = started.split("/")
        logs = opened(f"{self._log_uri}/{cluster}")
        submitted = gzip_tail(logs, f"steps/{step}/stderr.gz")
        applications = re.findall(r"application_\d+_\d+", "\n".join(submitted))
        containers = logs.objects(f"containers/{applications[-1]}") if applications else ()
        drivers = [found.key for found in containers if found.key.endswith(_DRIVER)]
        return (gzip_tail(logs, max(drivers)) if drivers else []) or submitted

    def page(self, started: str) -> str:
        """The cluster's page in the console."""
        cluster, region = started.split("/", maxsplit=1)[0], self._job.region
        return f"https://{region}.console.aws.amazon.com/emr/home?region={region}#/clusterDetails/{cluster}"

    def _active_cluster(self) -> str | None:
        clusters = self._aws.list_all("ListClusters", "Clusters", {"ClusterStates": _ACTIVE_CLUSTERS}, "Marker")
        return next((str(found["Id"]) for found in clusters if found["Name"] == self._job.job_id), None)

    def _step(self, cluster: str, states: list[str] | None = None) -> str | None:
        body: dict[str, Any] = {"ClusterId": cluster} | ({"StepStates": states} if states else {})
        found = (step["Id"] for step in self._aws.list_all("ListSteps", "Steps", body, "Marker") if self._mine(step))
        return next((f"{cluster}/{step}" for step in found), None)

    def _mine(self, step: dict[str, Any]) -> bool:
        return bool(step["Name"] == self._job.job_id)

    def _logs_of(self, cluster: str) -> str:
        """The log folder of an existing cluster; EMR returns it with the scheme ``s3n``."""
        found = self._aws.call("DescribeCluster", {"ClusterId": cluster})["Cluster"].get("LogUri")
        return str(found or self._job.log_uri).replace("s3n://", "s3://").rstrip("/")


def _reason(status: dict[str, Any]) -> str:
    """The reason and messages of a step's state."""
    failure = status.get("FailureDetails") or {}
    told = (failure.get("Reason"), failure.get("Message"), (status.get("StateChangeReason") or {}).get("Message"))
    return " ".join(part for part in told if part)
