"""A job on an existing Dataproc cluster."""

import shlex
from collections.abc import Iterable

from fruits_pipeline.clusters.templates import load
from fruits_pipeline.settings.commands import RunCommand, ScoreCommand
from fruits_pipeline.settings.dataproc import DataprocSettings
from fruits_pipeline.submit.google import Google, gcloud_mapping, labels, last_active, message, start_once
from fruits_pipeline.submit.google_logs import CONSOLE, DRIVER, driver_lines
from fruits_pipeline.submit.job import SubmittedJob
from fruits_pipeline.submit.platform import Opened, Phase, Request, Started, State
from fruits_pipeline.submit.preflight.check import Check

# https://cloud.google.com/dataproc/docs/reference/rest/v1/projects.regions.jobs#State
_PHASES = {
    "PENDING": Phase.PENDING,
    "SETUP_DONE": Phase.PENDING,
    "RUNNING": Phase.RUNNING,
    "ATTEMPT_FAILURE": Phase.RUNNING,
    "CANCEL_PENDING": Phase.RUNNING,
    "CANCEL_STARTED": Phase.RUNNING,
    "CANCELLED": Phase.CANCELLED,
    "DONE": Phase.SUCCEEDED,
    "ERROR": Phase.FAILED,
}


class ExistingCluster:
    """Runs the job on the cluster ``--cluster``, which is kept."""

    name = "Dataproc"

    def __init__(self, job: SubmittedJob, settings: DataprocSettings) -> None:
        """Takes the job, and the cluster to run it on."""
        self._job = job
        self._settings = settings
        self._google = Google(settings, job.region)

    def requests(self) -> tuple[Request, ...]:
        """One SubmitJob."""
        return (self._request(self._google.known_project, self._job.job_id),)

    def command_line(self) -> str:
        """``gcloud dataproc jobs submit pyspark``."""
        words = [
            *("gcloud", "dataproc", "jobs", "submit", "pyspark", self._job.script),
            *(f"--id={self._job.job_id}", f"--cluster={self._settings.cluster}"),
            *(f"--project={self._google.known_project}", f"--region={self._job.region}"),
            f"--archives={','.join(self._job.archives)}",
            f"--properties={gcloud_mapping(self._job.properties)}",
            *(f"--labels={gcloud_mapping(labels(self._job))}", "--async", "--", *self._job.arguments),
        ]
        return shlex.join(words)

    def checks(self, command: RunCommand | ScoreCommand) -> Iterable[Check]:
        """Those of project and cluster."""
        from fruits_pipeline.submit.preflight.lists import dataproc_cluster_checks

        return dataproc_cluster_checks(self._job, self._settings, self._google, command)

    def active(self) -> str | None:
        """The id of the job's last attempt, if that is active."""
        return last_active(self._job.job_id, self._active)

    def start(self) -> Started:
        """Submits the job, unless it is active."""
        return start_once(self._job.job_id, self._active, self._create)

    def state(self, started: str) -> State:
        """The job's state, with Dataproc's details of it."""
        status = self._google.call("JobController", "get_job", self._named(started)).status
        return State(_PHASES.get(status.state.name, Phase.PENDING), status.details)

    def cancel(self, started: str) -> None:
        """Cancels the job, unless it has ended."""
        from google.api_core.exceptions import FailedPrecondition

        try:
            self._google.call("JobController", "cancel_job", self._named(started), (FailedPrecondition,))
        except FailedPrecondition:
            return

    def logs(self, started: str) -> str:
        """The line that shows the job's containers, the driver's among them."""
        words = ["gcloud", "logging", "read", _query(started), f"--project={self._google.known_project}"]
        return shlex.join(words)

    def driver_log(self, started: str, _opened: Opened) -> list[str]:
        """The last lines of the driver's container."""
        return driver_lines(self._google, self._job.region, f"{_query(started)} AND {DRIVER}")

    def page(self, started: str) -> str:
        """The job's page in the console."""
        return f"{CONSOLE}/jobs/{started}?region={self._job.region}&project={self._google.known_project}"

    def _request(self, project: str, job_id: str) -> Request:
        values = {
            "SCRIPT": self._job.script,
            "ARGUMENTS": list(self._job.arguments),
            "ARCHIVES": list(self._job.archives),
            "PROPERTIES": dict(self._job.properties),
            "LABELS": labels(self._job),
        }
        job = load("dataproc/workflow-template.json", values)["jobs"][0]
        body = {
            "projectId": project,
            "region": self._job.region,
            "job": {
                "reference": {"projectId": project, "jobId": job_id},
                "placement": {"clusterName": self._settings.cluster},
                "pysparkJob": job["pysparkJob"],
                "labels": job["labels"],
            },
        }
        return Request("dataproc.SubmitJob", body)

    def _create(self, job_id: str) -> None:
        from google.api_core.exceptions import AlreadyExists

        request = message("SubmitJobRequest", self._request(self._google.project, job_id).body)
        self._google.call("JobController", "submit_job", request, (AlreadyExists,))

    def _active(self, job_id: str) -> bool | None:
        from google.api_core.exceptions import NotFound

        try:
            found = self._google.call("JobController", "get_job", self._named(job_id), (NotFound,))
        except NotFound:
            return None
        return not _PHASES.get(found.status.state.name, Phase.PENDING).ended

    def _named(self, job_id: str) -> dict[str, str]:
        return {"project_id": self._google.project, "region": self._job.region, "job_id": job_id}


def _query(job_id: str) -> str:
    return f'resource.type="cloud_dataproc_job" AND resource.labels.job_id="{job_id}"'
