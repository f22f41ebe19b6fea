"""What a platform can do: say its requests, start a job, tell its state, cancel it, say where its logs are."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol


class Phase(StrEnum):
    """Where a job stands."""

    PENDING = "pending"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        """Whether it stays so."""
        return self not in {Phase.PENDING, Phase.RUNNING}


@dataclass(frozen=True)
class State:
    """A job's phase, and in the platform's own words why."""

    phase: Phase
    detail: str = ""


@dataclass(frozen=True)
class Request:
    """One call of the platform's API: its documented name, such as ``emr.RunJobFlow``, and its body as JSON."""

    operation: str
    body: dict[str, Any]


@dataclass(frozen=True)
class Started:
    """A job on its platform: the platform's id, and whether an equal one was found active and is followed instead."""

    id: str
    attached: bool = False


class Platform(Protocol):
    """One way to run a bundle's job on a cloud. Failures of the platform's API are ``SubmissionError``."""

    name: str

    def requests(self) -> tuple[Request, ...]:
        """The exact calls that ``start`` makes, in order; needs no credentials and no network."""
        ...

    def command_line(self) -> str:
        """The ``aws`` or ``gcloud`` line that does the same."""
        ...

    def start(self) -> Started:
        """Starts the job, or finds an active one with the same id."""
        ...

    def state(self, started: str) -> State:
        """Where the job stands."""
        ...

    def cancel(self, started: str) -> None:
        """Ends the job, and the cluster that was made for it."""
        ...

    def logs(self, started: str) -> str:
        """Where its logs are, or the line that shows them."""
        ...
