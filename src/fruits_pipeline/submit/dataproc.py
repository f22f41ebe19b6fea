"""A job on Dataproc: on a running cluster where one is named, else on one that is made for it."""

from fruits_pipeline.settings.dataproc import DataprocSettings
from fruits_pipeline.submit.dataproc_cluster import OnCluster
from fruits_pipeline.submit.dataproc_workflow import OwnCluster
from fruits_pipeline.submit.job import SubmittedJob
from fruits_pipeline.submit.platform import Platform, Request, Started, State


class Dataproc:
    """Runs the job on the cluster that the settings name, else on one of its own."""

    name = "Dataproc"

    def __init__(self, job: SubmittedJob, settings: DataprocSettings) -> None:
        """Chooses the way.

        Raises:
            SettingsError: When a cluster to be made would have too few nodes.
        """
        self._way: Platform = OnCluster(job, settings) if settings.cluster else OwnCluster(job, settings)

    def requests(self) -> tuple[Request, ...]:
        """SubmitJob, or CreateAutoscalingPolicy and InstantiateInlineWorkflowTemplate."""
        return self._way.requests()

    def command_line(self) -> str:
        """The ``gcloud`` line."""
        return self._way.command_line()

    def start(self) -> Started:
        """Starts the job; its id is a job's, or a workflow operation's."""
        return self._way.start()

    def state(self, started: str) -> State:
        """Where the job stands."""
        return self._way.state(started)

    def cancel(self, started: str) -> None:
        """Ends the job, and the cluster that was made for it."""
        self._way.cancel(started)

    def logs(self, started: str) -> str:
        """The line that shows its logs."""
        return self._way.logs(started)
