"""Follows a submitted job to its end, and gives the exit code that its ``run.json`` states."""

import logging
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from fruits_pipeline.errors import INTERRUPTED, JobError, StorageError, exit_code
from fruits_pipeline.state.record import load_record
from fruits_pipeline.storage.store import Store
from fruits_pipeline.submit.platform import Phase, Platform, Started, State

log = logging.getLogger(__name__)

_FIRST_PAUSE_S = 5.0
_LONGEST_PAUSE_S = 60.0
_GROWTH = 1.5
# How long a cluster may take to cancel a job.
_CANCEL_S = 300.0


@dataclass(frozen=True)
class Deadline:
    """Seconds after which a job is cancelled, and what was expected of it, for the message."""

    seconds: float
    expected: str | None = None

    @property
    def told(self) -> str:
        """What was expected."""
        return self.expected or f"expected the end within {self.seconds:g} s"


@dataclass(frozen=True)
class Clock:
    """Clock and sleep, which tests replace."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


def follow(
    platform: Platform,
    started: Started,
    output: Store,
    before: dict[str, Any] | None,
    deadline: Deadline,
    clock: Clock = Clock(),
) -> dict[str, Any]:
    """Waits until the job has ended, and gives its ``run.json``.

    Args:
        platform: Where it runs.
        started: The job.
        output: The store of the job's output.
        before: ``load_record`` of it before the job was started, which is another run's.
        deadline: When the job is cancelled.
        clock: Time.

    Raises:
        JobError: When it failed, was cancelled or ran into the deadline, with the exit code of its own ``run.json``
            where that run wrote one, else 7 (failed, deadline), 130 (cancelled, Ctrl-C) or 143 (SIGTERM).
        SubmissionError: When the platform does not answer.
    """
    try:
        state = _ended(platform, started, deadline.seconds, clock)
    except (KeyboardInterrupt, SystemExit) as stop:
        told = "interrupted once more while it was being cancelled; it may run on, and the same command follows it"
        with suppress(KeyboardInterrupt):
            # Only who presses Ctrl-C can answer; who ends the process kills it soon.
            _stop_on_request(platform, started, ask=isinstance(stop, KeyboardInterrupt))
            told = "cancelled on request"
        raise JobError(_where(platform, started, told), exit_code(stop)) from None
    is_late = state is None
    if state is None:
        platform.cancel(started.id)
        state = _ended(platform, started, _CANCEL_S, clock) or State(Phase.CANCELLED)
    mine = _of_this_run(load_record(output), before)
    if state.phase is Phase.SUCCEEDED and mine is not None and mine["exit_code"] == 0:
        log.info("job=succeeded id=%s logs=%s", started.id, platform.logs(started.id))
        return mine
    if is_late:
        told = f"{deadline.told}, found it running; it was cancelled, the same command resumes"
        raise JobError(_where(platform, started, told), StorageError.exit_code)
    raise _failure(platform, started, state, mine)


def _of_this_run(record: dict[str, Any] | None, before: dict[str, Any] | None) -> dict[str, Any] | None:
    """What the run itself wrote: its record, or the note of its refusal in the record that stands.

    A record without an exit code is of a run that goes on, such as the one that is followed, or was killed.
    """
    earlier = {found.get("started") for found in _records(before) if found.get("exit_code") is not None}
    return next((found for found in _records(record) if found.get("started") not in earlier), None)


def _records(record: dict[str, Any] | None) -> list[dict[str, Any]]:
    return [found for found in (record, (record or {}).get("refused")) if found]


def _ended(platform: Platform, started: Started, deadline_s: float, clock: Clock) -> State | None:
    """The state at the job's end; None at the deadline."""
    end_s = clock.now() + deadline_s
    told = None
    for pause_s in _pauses():
        state = platform.state(started.id)
        if state != told:
            log.info("job=%s id=%s %s", state.phase, started.id, state.detail)
        if state.phase.ended:
            return state
        told = state
        left_s = end_s - clock.now()
        if left_s <= 0:
            return None
        clock.sleep(min(pause_s, left_s))
    raise AssertionError  # because the pauses never end


def _pauses() -> Iterator[float]:
    pause_s = _FIRST_PAUSE_S
    while True:
        yield pause_s
        pause_s = min(_LONGEST_PAUSE_S, pause_s * _GROWTH)


def _failure(platform: Platform, started: Started, state: State, record: dict[str, Any] | None) -> JobError:
    """The error for a job that did not succeed."""
    if record is not None and record["exit_code"]:
        told = f"the job ended with {record['exit_code']}: {record.get('error')}"
        return JobError(_where(platform, started, told), int(record["exit_code"]))
    if state.phase is Phase.CANCELLED:
        return JobError(_where(platform, started, f"cancelled on {platform.name}: {state.detail}"), INTERRUPTED)
    has_ended = record is not None and record["exit_code"] is not None
    but = "although its run.json states success" if has_ended else "without a run.json of its own"
    told = f"{state.phase} on {platform.name} {but}: {state.detail}; the same command resumes"
    return JobError(_where(platform, started, told), StorageError.exit_code)


def _stop_on_request(platform: Platform, started: Started, *, ask: bool) -> None:
    """Cancels the job; on a terminal it asks once before."""
    if ask and sys.stdin is not None and sys.stdin.isatty():
        try:
            answer = input(f"\nCancel job {started.id} on {platform.name}? [Y/n] ")
        except (EOFError, KeyboardInterrupt):
            answer = "y"
        if answer.strip().lower().startswith("n"):
            raise JobError(_where(platform, started, "left running; the same command follows it"), INTERRUPTED)
    platform.cancel(started.id)


def _where(platform: Platform, started: Started, told: str) -> str:
    return f"{told}\n  job {started.id} on {platform.name}; logs: {platform.logs(started.id)}"
