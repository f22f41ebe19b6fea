"""A job on Dataproc: on a running cluster where one is named, else on one that is made for it."""

from collections.abc import Iterable

from fruits_pipeline.settings.commands import RunCommand, ScoreCommand
from fruits_pipeline.settings.dataproc import DataprocSettings
from fruits_pipeline.submit.dataproc_cluster import ExistingCluster
from fruits_pipeline.submit.dataproc_workflow import ManagedCluster
from fruits_pipeline.submit.job import SubmittedJob
from fruits_pipeline.submit.platform import Opened, Platform, Request, Started, State
from fruits_pipeline.submit.preflight.check import Check


class Dataproc:
    """Runs the job on the cluster that the settings name, else on a managed one."""

    name = "Dataproc"

    def __init__(self, job: SubmittedJob, settings: DataprocSettings) -> None:
        """Chooses between an existing cluster and a managed one.

        Raises:
            SettingsError: When a cluster to be made would have too few nodes.
        """
        self._way: Platform = ExistingCluster(job, settings) if settings.cluster else ManagedCluster(job, settings)

    def requests(self) -> tuple[Request, ...]:
        """SubmitJob, or CreateAutoscalingPolicy and InstantiateInlineWorkflowTemplate."""
        return self._way.requests()

    def command_line(self) -> str:
        """The ``gcloud`` line."""
        return self._way.command_line()

    def checks(self, command: RunCommand | ScoreCommand) -> Iterable[Check]:
        """Those of project, region and quotas."""
        return self._way.checks(command)

    def active(self) -> str | None:
        """The job's or the workflow's id, if it is active."""
        return self._way.active()

    def start(self) -> Started:
        """Starts the job; the id is that of a Dataproc job, or of a workflow's operation."""
        return self._way.start()

    def state(self, started: str) -> State:
        """The job's state."""
        return self._way.state(started)

    def cancel(self, started: str) -> None:
        """Ends the job, and the cluster that was made for it."""
        self._way.cancel(started)

    def logs(self, started: str) -> str:
        """The line that shows its logs."""
        return self._way.logs(started)

    def driver_log(self, started: str, opened: Opened) -> list[str]:
        """The last lines of the driver's container."""
        return self._way.driver_log(started, opened)

    def page(self, started: str) -> str:
        """The page of the job, or of its workflow."""
        return self._way.page(started)
