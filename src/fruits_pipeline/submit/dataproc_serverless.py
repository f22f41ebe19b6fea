"""A batch on Dataproc Serverless (Google Cloud Serverless for Apache Spark)."""

import shlex
from collections.abc import Iterable

from fruits_pipeline.clusters.sizing import Sizes
from fruits_pipeline.clusters.templates import load
from fruits_pipeline.errors import SettingsError
from fruits_pipeline.settings.commands import RunCommand, ScoreCommand
from fruits_pipeline.settings.dataproc_serverless import DataprocServerlessSettings
from fruits_pipeline.submit.google import Google, gcloud_mapping, labels, last_active, message, since_3, start_once
from fruits_pipeline.submit.google_logs import CONSOLE, driver_lines
from fruits_pipeline.submit.job import SubmittedJob
from fruits_pipeline.submit.platform import Opened, Phase, Request, Started, State
from fruits_pipeline.submit.preflight.check import Check

# https://cloud.google.com/dataproc-serverless/docs/reference/rest/v1/projects.locations.batches#State
_PHASES = {
    "PENDING": Phase.PENDING,
    "RUNNING": Phase.RUNNING,
    "CANCELLING": Phase.RUNNING,
    "CANCELLED": Phase.CANCELLED,
    "SUCCEEDED": Phase.SUCCEEDED,
    "FAILED": Phase.FAILED,
}
_FLAGS = {
    "serviceAccount": "service-account",
    "subnetworkUri": "subnet",
    "stagingBucket": "staging-bucket",
    "ttl": "ttl",
    "kmsKey": "kms-key",
    "userWorkloadAuthenticationType": "user-workload-authentication-type",
}
# https://cloud.google.com/dataproc-serverless/docs/concepts/properties: cores, and MiB of each with its overhead.
_CORES = (4, 8, 16)
_LEAST_MIB, _MOST_MIB = 1024, 7424
_FEWEST_EXECUTORS = 2
# The least of the same page; by default 100 GiB for each core, of which new projects have quota for some six machines.
_DISK = "250g"
_AS_SERVICE_ACCOUNT = {"userWorkloadAuthenticationType": "SERVICE_ACCOUNT"}
# A batch has no YARN, tracks shuffles by itself, and runs its driver on a machine of its own in any case.
_UNKNOWN = ("spark.yarn.", "spark.submit.", "spark.dynamicAllocation.shuffleTracking.")


class DataprocServerless:
    """Runs the job as one batch."""

    name = "Dataproc Serverless"

    def __init__(self, job: SubmittedJob, settings: DataprocServerlessSettings) -> None:
        """Takes the job, and the project to run it in.

        Raises:
            SettingsError: When an executor or the driver has a size that batches do not have.
        """
        self._job = job
        self._settings = settings
        self._google = Google(settings, job.region)
        self._properties = _properties(job)
        self._arguments = (job.command, *job.archives, *job.arguments)

    def requests(self) -> tuple[Request, ...]:
        """One CreateBatch."""
        return (self._request(self._google.known_project, self._job.job_id),)

    def command_line(self) -> str:
        """``gcloud dataproc batches submit pyspark``."""
        batch = self.requests()[0].body["batch"]
        execution = dict(batch["environmentConfig"]["executionConfig"])
        execution |= execution.pop("authenticationConfig", {})
        image = batch["runtimeConfig"].get("containerImage")
        words = [
            *("gcloud", "dataproc", "batches", "submit", "pyspark", self._job.script),
            *(f"--batch={self._job.job_id}", f"--version={self._job.release.release}"),
            *(f"--project={self._google.known_project}", f"--region={self._job.region}"),
            f"--archives={','.join(self._job.archives)}",
            f"--properties={gcloud_mapping(self._properties)}",
            f"--labels={gcloud_mapping(labels(self._job))}",
            *(f"--{_FLAGS[name]}={value}" for name, value in execution.items()),
            *([f"--container-image={image}"] if image else []),
            *("--async", "--", *self._arguments),
        ]
        return shlex.join(words)

    def checks(self, command: RunCommand | ScoreCommand) -> Iterable[Check]:
        """Those of project, region and quotas."""
        from fruits_pipeline.submit.preflight.lists import dataproc_serverless_checks

        return dataproc_serverless_checks(self._job, self._settings, self._google, command, self.requests()[0].body)

    def active(self) -> str | None:
        """The id of the job's last batch, if that is active."""
        return last_active(self._job.job_id, self._active)

    def start(self) -> Started:
        """Creates the batch, unless it is active."""
        return start_once(self._job.job_id, self._active, self._create)

    def state(self, started: str) -> State:
        """The batch's state, with Google's message about it."""
        batch = self._google.call("BatchController", "get_batch", self._named(started))
        return State(_PHASES.get(batch.state.name, Phase.PENDING), batch.state_message)

    def cancel(self, started: str) -> None:
        """Cancels the operation that made the batch, which ends it, as ``gcloud dataproc batches cancel`` does."""
        batch = self._google.call("BatchController", "get_batch", self._named(started))
        if not _PHASES.get(batch.state.name, Phase.PENDING).ended:
            self._google.call("BatchController", "cancel_operation", {"name": batch.operation})

    def logs(self, started: str) -> str:
        """The command line that shows the logs of driver and executors."""
        words = ["gcloud", "logging", "read", _query(started), f"--project={self._google.known_project}"]
        return shlex.join(words)

    def driver_log(self, started: str, _opened: Opened) -> list[str]:
        """The last lines that are not an executor's."""
        return driver_lines(
            self._google, self._job.region, f'{_query(started)} AND NOT jsonPayload.component="executor"'
        )

    def page(self, started: str) -> str:
        """The batch's page in the console."""
        place = f"{self._job.region}/{started}/monitoring?project={self._google.known_project}"
        return f"{CONSOLE}/batches/{place}"

    def _request(self, project: str, batch_id: str) -> Request:
        own = self._settings
        latest = since_3(self._job)
        values = {
            "LABELS": labels(self._job),
            "SCRIPT": self._job.script,
            "ARGUMENTS": list(self._arguments),
            "ARCHIVES": list(self._job.archives),
            "RUNTIME_VERSION": self._job.release.release,
            "CONTAINER_IMAGE": own.container_image,
            "PROPERTIES": self._properties,
            "SERVICE_ACCOUNT": own.service_account,
            "SUBNETWORK": own.subnetwork,
            "STAGING_BUCKET": None if latest else own.staging_bucket,
            "AUTHENTICATION": _AS_SERVICE_ACCOUNT if latest and own.service_account else None,
            "DEADLINE": f"{own.ttl_s}s",
            "KMS_KEY": own.kms_key,
        }
        parent = f"projects/{project}/locations/{self._job.region}"
        body = {"parent": parent, "batchId": batch_id, "batch": load("dataproc/batch.json", values)}
        return Request("dataproc.CreateBatch", body)

    def _create(self, batch_id: str) -> None:
        from google.api_core.exceptions import AlreadyExists

        request = message("CreateBatchRequest", self._request(self._google.project, batch_id).body)
        self._google.call("BatchController", "create_batch", request, (AlreadyExists,))

    def _active(self, batch_id: str) -> bool | None:
        from google.api_core.exceptions import NotFound

        try:
            found = self._google.call("BatchController", "get_batch", self._named(batch_id), (NotFound,))
        except NotFound:
            return None
        return not _PHASES.get(found.state.name, Phase.PENDING).ended

    def _named(self, batch_id: str) -> dict[str, str]:
        return {"name": f"projects/{self._google.project}/locations/{self._job.region}/batches/{batch_id}"}


def _query(batch_id: str) -> str:
    return f'resource.type="cloud_dataproc_batch" AND resource.labels.batch_id="{batch_id}"'


def _properties(job: SubmittedJob) -> dict[str, str]:
    """The job's properties as a batch takes them.

    Raises:
        SettingsError: When it takes no such sizes.
    """
    cut = job.sizes
    overhead_mib = max(cut.driver_overhead_mib, cut.driver_cores * _LEAST_MIB - cut.driver_memory_mib)
    _check(cut, overhead_mib)
    kept = {key: value for key, value in job.properties.items() if not key.startswith(_UNKNOWN)}
    disks = dict.fromkeys(("spark.dataproc.driver.disk.size", "spark.dataproc.executor.disk.size"), _DISK)
    return (
        disks
        | kept
        | {
            "spark.app.name": job.job_id,
            "spark.driver.memoryOverhead": f"{overhead_mib}m",
            "spark.dynamicAllocation.minExecutors": str(_FEWEST_EXECUTORS),
            "spark.dynamicAllocation.maxExecutors": str(max(_FEWEST_EXECUTORS, cut.executors)),
        }
    )


def _check(cut: Sizes, driver_overhead_mib: int) -> None:
    parts = {
        "--executor-cores, --executor-memory and --executor-memory-overhead": (
            cut.executor_cores,
            cut.executor_memory_mib + cut.executor_overhead_mib,
        ),
        "--driver-memory": (cut.driver_cores, cut.driver_memory_mib + driver_overhead_mib),
    }
    for flags, (cores, memory_mib) in parts.items():
        if cores not in _CORES or not _LEAST_MIB * cores <= memory_mib <= _MOST_MIB * cores:
            raise SettingsError(
                f"{flags}: expected {', '.join(map(str, _CORES))} cores of {_LEAST_MIB} to {_MOST_MIB} MiB each on "
                f"Dataproc Serverless, found {cores} with {memory_mib} MiB together; set them or --machine-type"
            )
