"""EMR Serverless: a job run on an application that is found by its name, or created."""

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from fruits_pipeline.clusters.templates import filled
from fruits_pipeline.errors import SettingsError, SubmissionError
from fruits_pipeline.settings.commands import RunCommand, ScoreCommand
from fruits_pipeline.settings.emr_serverless import EmrServerlessSettings
from fruits_pipeline.submit.aws import Aws
from fruits_pipeline.submit.aws_cli import line, options, with_profile
from fruits_pipeline.submit.driver_log import gzip_tail
from fruits_pipeline.submit.emr_serverless_requests import application_name, application_request, job_request
from fruits_pipeline.submit.job import SubmittedJob
from fruits_pipeline.submit.placeholders import check_filled
from fruits_pipeline.submit.platform import Opened, Phase, Request, Started, State
from fruits_pipeline.submit.preflight.check import Check
from fruits_pipeline.submit.preflight.finding import Finding, fault_of, ok, warning

_SERVICE = "emr-serverless"
_FLAGS = {"EXECUTION_ROLE_ARN": "--execution-role-arn", "BUNDLE_URI": "--bundle"}
_PHASES = {
    "SUBMITTED": Phase.PENDING,
    "QUEUED": Phase.PENDING,
    "PENDING": Phase.PENDING,
    "SCHEDULED": Phase.PENDING,
    "RUNNING": Phase.RUNNING,
    "CANCELLING": Phase.RUNNING,
    "SUCCESS": Phase.SUCCEEDED,
    "FAILED": Phase.FAILED,
    "CANCELLED": Phase.CANCELLED,
}
# An application is ready within seconds; until then it takes no run.
_CREATING_PAUSE_S = 2.0
_CREATING_LOOKS = 60
# What an application that is there is not given, by the setting that asks for it.
_OF_APPLICATION = {
    "subnet": "networkConfiguration",
    "security_group": "networkConfiguration",
    "initial_executors": "initialCapacity",
    "image_uri": "imageConfiguration",
}


class EmrServerless:
    """A job on EMR Serverless; ``platform.Platform`` says what each method does. An id is ``application/run``."""

    name = "EMR Serverless"

    def __init__(
        self,
        job: SubmittedJob,
        settings: EmrServerlessSettings,
        profile: str | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """``profile`` is one of the AWS configuration.

        Raises:
            SettingsError: When what an application is made with is asked of one that is there.
        """
        given = [f"--{name.replace('_', '-')}" for name in _OF_APPLICATION if getattr(settings, name)]
        if settings.application_id and given:
            raise SettingsError(
                f"expected no {', '.join(given)} with --application-id, whose application has its own; leave them out, "
                "or take --application-name"
            )
        self._job = job
        self._settings = settings
        self._profile = profile
        self._aws = Aws(_SERVICE, job.region, profile)
        self._sleep = sleep

    def requests(self) -> tuple[Request, ...]:
        """``CreateApplication``, left out where the application is there already, and ``StartJobRun``."""
        run = Request(f"{_SERVICE}.StartJobRun", self._run_request(0))
        if self._settings.application_id:
            return (run,)
        return Request(f"{_SERVICE}.CreateApplication", application_request(self._job, self._settings, 0)), run

    def command_line(self) -> str:
        """One line for each request; the second one takes the application's id, which the first one prints."""
        commands = {"CreateApplication": "create-application", "StartJobRun": "start-job-run"}
        lines = (
            line(self._job.region, _SERVICE, commands[request.operation.partition(".")[2]], *options(request.body))
            for request in self.requests()
        )
        return with_profile("\n".join(lines), self._profile)

    def checks(self, command: RunCommand | ScoreCommand) -> Iterable[Check]:
        """Those of account, region and quota."""
        from fruits_pipeline.submit.preflight.lists import emr_serverless_checks

        check_filled(self._run_request(0), {"EXECUTION_ROLE_ARN": "--execution-role-arn"})
        vcpus = _figure(application_request(self._job, self._settings, 0)["maximumCapacity"]["cpu"])
        yield from emr_serverless_checks(self._job, self._settings, self._profile, command, vcpus)
        yield Check("application", self._look_at_application)

    def active(self) -> str | None:
        """The run of the job's name that is active."""
        application = self._settings.application_id or self._standing(self._named())
        return self._active_run(application, self._runs(application)) if application else None

    def start(self) -> Started:
        """Starts the run, unless one of its name is active; runs that are started at once share a client token."""
        check_filled(self._run_request(0), _FLAGS)
        application = self._settings.application_id or self._application()
        runs = self._runs(application)
        if active := self._active_run(application, runs):
            return Started(active, attached=True)
        body = filled(self._run_request(len(runs)), {"APPLICATION_ID": application})
        return Started(f"{application}/{self._aws.call('StartJobRun', body)['jobRunId']}")

    def state(self, started: str) -> State:
        """The run's state, with its details."""
        run = self._aws.call("GetJobRun", _ids(started))["jobRun"]
        return State(_PHASES[run["state"]], run.get("stateDetails") or "")

    def cancel(self, started: str) -> None:
        """Ends the run; the application stops by itself when it is idle."""
        if not self.state(started).phase.ended:
            self._aws.call("CancelJobRun", _ids(started))

    def logs(self, started: str) -> str:
        """The folder of the driver's output.

        https://docs.aws.amazon.com/emr/latest/EMR-Serverless-UserGuide/logging.html
        """
        application, run = started.split("/")
        return f"{self._job.log_uri}/applications/{application}/jobs/{run}/SPARK_DRIVER/"

    def driver_log(self, started: str, opened: Opened) -> list[str]:
        """What the driver wrote; EMR Serverless copies it every 15 seconds."""
        return gzip_tail(opened(self.logs(started)), "stderr.gz")

    def page(self, started: str) -> str:
        """The line that gives the address of Spark's own pages, which is signed and holds for an hour."""
        application, run = started.split("/")
        words = ["--application-id", application, "--job-run-id", run, "--query", "url", "--output", "text"]
        return with_profile(line(self._job.region, _SERVICE, "get-dashboard-for-job-run", *words), self._profile)

    def _run_request(self, earlier: int) -> dict[str, Any]:
        """The run's request after ``earlier`` ones by its name, which have ended and keep their client tokens."""
        return job_request(self._job, self._settings, f"{self._job.job_id}-{earlier}")

    def _application(self) -> str:
        """The application's id; it is created where there is none."""
        named = self._named()
        found = self._standing(named)
        body = application_request(self._job, self._settings, len(named))
        if found is None:
            found = str(self._aws.call("CreateApplication", body)["applicationId"])
        for _ in range(_CREATING_LOOKS):
            application = self._aws.call("GetApplication", {"applicationId": found})["application"]
            if application["state"] != "CREATING":
                _check_same(application, body)
                return found
            self._sleep(_CREATING_PAUSE_S)
        raise SubmissionError(
            f"expected application {found} to be ready within {_CREATING_LOOKS * _CREATING_PAUSE_S:g} s, found it "
            f"CREATING; see 'aws emr-serverless get-application --application-id {found}'"
        )

    def _look_at_application(self) -> Iterator[Finding]:
        """Whether an application that is there already was made as is asked for, and is as large."""
        found = self._settings.application_id or self._standing(self._named())
        if found is None:
            yield ok("application", "none yet, and made by the first job")
            return
        application = self._aws.call("GetApplication", {"applicationId": found})["application"]
        body = application_request(self._job, self._settings, 0)
        try:
            if self._settings.application_id is None:
                _check_same(application, body)
        except SubmissionError as error:
            yield fault_of("application", error)
            return
        lower = _lower_limits(application, body["maximumCapacity"])
        remedy = "'aws emr-serverless update-application', or give --application-name"
        yield warning("application", lower, remedy) if lower else ok("application", f"{found} is there")

    def _named(self) -> list[dict[str, Any]]:
        """The applications by the job's name of them, deleted ones included."""
        name = application_name(self._job, self._settings)
        listed = self._aws.list_all("ListApplications", "applications", {}, "nextToken")
        return [application for application in listed if application.get("name") == name]

    def _standing(self, named: list[dict[str, Any]]) -> str | None:
        return next((str(application["id"]) for application in named if application["state"] != "TERMINATED"), None)

    def _runs(self, application: str) -> list[dict[str, Any]]:
        """The runs of the job's name."""
        listed = self._aws.list_all("ListJobRuns", "jobRuns", {"applicationId": application}, "nextToken")
        return [run for run in listed if run.get("name") == self._job.job_id]

    def _active_run(self, application: str, runs: list[dict[str, Any]]) -> str | None:
        active = next((run for run in runs if not _PHASES[run["state"]].ended), None)
        return f"{application}/{active['id']}" if active else None


def _check_same(application: dict[str, Any], body: dict[str, Any]) -> None:
    """Refuses an application that was made with another network, image or capacity than is asked for.

    Raises:
        SubmissionError: When one of them differs.
    """
    for name in dict.fromkeys(_OF_APPLICATION.values()):
        held, asked = application.get(name) or {}, body.get(name)
        if asked and not _has(held, asked):
            flags = ", ".join(f"--{flag.replace('_', '-')}" for flag, of in _OF_APPLICATION.items() if of == name)
            raise SubmissionError(
                f"expected application {application['applicationId']} with {name} {asked}, which {flags} ask for, "
                f"found {held or 'none'}; give another --application-name, or change it by 'aws emr-serverless "
                "update-application'"
            )


def _has(held: Any, asked: Any) -> bool:
    """Whether what is there has what is asked for: members that nobody asked for are its own, lists have no order.

    >>> _has({"subnetIds": ["b", "a"], "more": 1}, {"subnetIds": ["a", "b"]}), _has(None, {"subnetIds": ["a"]})
    (True, False)
    """
    if isinstance(asked, dict):
        return isinstance(held, dict) and all(_has(held.get(name), value) for name, value in asked.items())
    return set(held or ()) == set(asked) if isinstance(asked, list) else bool(held == asked)


def _lower_limits(application: dict[str, Any], needed: dict[str, str]) -> str:
    """What the application's limits, which stay as they were made, are where they are lower than the job's; else ""."""
    held = application.get("maximumCapacity", needed)
    if any(_figure(held[name]) < _figure(limit) for name, limit in needed.items() if name in held):
        return f"{application['applicationId']} allows at most {held}, {needed} are asked for"
    return ""


def _figure(limit: str) -> int:
    """The number of a limit such as ``36 vCPU``, whose blank and unit may be left out.

    >>> _figure("36 vCPU"), _figure("400GB")
    (36, 400)
    """
    return int("".join(filter(str.isdigit, limit)))


def _ids(started: str) -> dict[str, str]:
    application, run = started.split("/")
    return {"applicationId": application, "jobRunId": run}
