"""The interface of a platform: its requests, and a job's start, state, cancellation and logs."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from fruits_pipeline.settings.commands import RunCommand, ScoreCommand
from fruits_pipeline.storage.store import Store
from fruits_pipeline.submit.preflight.check import Check

# Opens the store of an address.
Opened = Callable[[str], Store]


class Phase(StrEnum):
    """Phase of a job."""

    PENDING = "pending"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        """Whether the job has ended."""
        return self not in {Phase.PENDING, Phase.RUNNING}


@dataclass(frozen=True)
class State:
    """A job's phase, and the platform's message about it."""

    phase: Phase
    detail: str = ""


@dataclass(frozen=True)
class Request:
    """One call of the platform's API: its documented name, such as ``emr.RunJobFlow``, and its body as JSON."""

    operation: str
    body: dict[str, Any]


@dataclass(frozen=True)
class Started:
    """A job on its platform: the platform's id, and whether it is an equal job that was active already."""

    id: str
    attached: bool = False


class Platform(Protocol):
    """One way to run a bundle's job on a cloud. Failures of the platform's API are ``SubmissionError``."""

    name: str

    def requests(self) -> tuple[Request, ...]:
        """The exact calls that ``start`` makes, in order; needs no credentials and no network."""
        ...

    def command_line(self) -> str:
        """The ``aws`` or ``gcloud`` command line that does the same."""
        ...

    def checks(self, command: RunCommand | ScoreCommand) -> Iterable[Check]:
        """The checks of the preflight of ``command``, which make nothing.

        Raises:
            SettingsError: When a setting is missing without which nothing can be sent.
        """
        ...

    def active(self) -> str | None:
        """The id of an equal job that is active; None where there is none."""
        ...

    def start(self) -> Started:
        """Starts the job, or finds an active one with the same id."""
        ...

    def state(self, started: str) -> State:
        """The job's state."""
        ...

    def cancel(self, started: str) -> None:
        """Ends the job, and the cluster that was made for it."""
        ...

    def logs(self, started: str) -> str:
        """The folder of the job's logs, or the command line that shows them."""
        ...

    def driver_log(self, started: str, opened: Opened) -> list[str]:
        """The last lines that the driver has logged; empty where they are not there yet."""
        ...

    def page(self, started: str) -> str:
        """The address of the job's page, or the command line that gives it."""
        ...
