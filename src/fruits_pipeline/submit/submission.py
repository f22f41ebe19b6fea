"""The command ``submit``: prints the requests, or starts the job and follows it."""

import json
import logging
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from fruits_pipeline.errors import INTERRUPTED, TERMINATED, FruitsError, JobError, SettingsError, SubmissionError
from fruits_pipeline.settings.commands import RunCommand, ScoreCommand
from fruits_pipeline.settings.submit import SubmitSettings
from fruits_pipeline.state.record import load_record
from fruits_pipeline.storage.opening import open_store
from fruits_pipeline.submit.cost.budget import Budget, budget_of
from fruits_pipeline.submit.driver_log import with_driver_log
from fruits_pipeline.submit.follow import Deadline, follow
from fruits_pipeline.submit.job import SubmittedJob
from fruits_pipeline.submit.platform import Platform
from fruits_pipeline.submit.preflight.check import Check, findings, refuse_faults
from fruits_pipeline.submit.preflight.finding import Finding, Verdict, fault_of

# Exit codes of who ended the job, to whom its log says nothing new.
_ON_REQUEST = frozenset({INTERRUPTED, TERMINATED})

log = logging.getLogger(__name__)


def estimate_and_submit(
    platform: Callable[[SubmittedJob], Platform],
    job: SubmittedJob,
    submit: SubmitSettings,
    command: RunCommand | ScoreCommand,
) -> dict[str, Any] | None:
    """Prints what the job will cost, and submits it unless that is above ``--max-cost``.

    The job gets the rates along, by which its ``run.json`` tells what it has cost.

    Raises:
        FruitsError: As ``budget_of`` and ``submit_job`` say.
    """
    if submit.check and submit.dry_run:
        raise SettingsError("expected --check or --dry-run, found both: one asks the cloud, the other nobody; give one")
    limited = submit.max_cost is not None
    budget = budget_of(platform(job), job, submit, command) if limited or not submit.check else None
    if budget and budget.rates:
        job = replace(job, arguments=(*job.arguments, "--rates", str(budget.rates)))
    return submit_job(platform(job), job, submit, command, budget)


def submit_job(
    platform: Platform,
    job: SubmittedJob,
    submit: SubmitSettings,
    command: RunCommand | ScoreCommand,
    budget: Budget | None = None,
) -> dict[str, Any] | None:
    """Submits the job, once the preflight found no fault; with ``wait`` gives its ``run.json``.

    Raises:
        SettingsError: When a setting or the platform's own client is missing.
        SubmissionError: With all faults of the preflight, or when the platform refuses.
        StorageError: When the output cannot be read; then nothing is started.
        JobError: When a job that is followed ends badly.
    """
    cut = job.sizes
    log.info(
        "sizing machine=%s nodes=%d executors=%d executor_cores=%d executor_memory=%dm overhead=%dm driver_memory=%dm",
        job.machine_type, job.nodes, cut.executors, cut.executor_cores, cut.executor_memory_mib,
        cut.executor_overhead_mib, cut.driver_memory_mib,
    )  # fmt: skip  # because one value per placeholder reads best on one line
    if submit.dry_run:
        _show(dry_run(platform))
        return None
    with _client_installed():
        found = list(findings([*_of_the_bundle(job), *platform.checks(command)]))
        if submit.check:
            _show("\n".join(map(str, found)))
            refuse_faults(found)
            return None
        _judge(found, platform, submit)
        output = open_store(job.output_uri, command.storage) if submit.wait else None
        # A job that cannot be followed is not started, and an earlier run's record is known as such.
        before = load_record(output) if output else None
        started = platform.start()
    how = "an equal one is active and is followed" if started.attached else "submitted"
    log.info("job=%s id=%s platform=%s logs=%s", how, started.id, platform.name, platform.logs(started.id))
    log.info("page=%s", platform.page(started.id))
    if output is None:
        return None
    gone_s = _gone_s(before) if started.attached else 0.0
    try:
        return follow(platform, started, output, before, _deadline(submit, budget, gone_s))
    except JobError as error:
        if error.exit_code in _ON_REQUEST:
            raise
        raise with_driver_log(error, platform, started.id, partial(open_store, settings=command.storage)) from None


def _gone_s(record: dict[str, Any] | None) -> float:
    """Seconds since the run of ``record`` began, where it goes on; 0 where nothing is known of it."""
    if record is None or record.get("exit_code") is not None:
        return 0.0
    return max(0.0, (datetime.now(UTC) - datetime.fromisoformat(str(record["started"]))).total_seconds())


def _deadline(submit: SubmitSettings, budget: Budget | None, gone_s: float = 0.0) -> Deadline:
    """The earlier one of ``--deadline-s`` and of what ``--max-cost`` pays for, of which ``gone_s`` are spent."""
    paid_s = budget.deadline_s if budget else None
    if paid_s is None or paid_s - gone_s >= submit.deadline_s:
        return Deadline(submit.deadline_s)
    told = f"expected to cost at most {submit.max_cost:g} {submit.currency} (--max-cost), which the nodes that it asks "
    return Deadline(max(0.0, paid_s - gone_s), f"{told}for cost in {paid_s:.0f} s")


def _of_the_bundle(job: SubmittedJob) -> list[Check]:
    error = SubmissionError(job.bundle_fault)
    return [Check("package", lambda: [fault_of("package", error)])] if job.bundle_fault else []


def _judge(found: list[Finding], platform: Platform, submit: SubmitSettings) -> None:
    """Logs what is worth knowing, and refuses faults, unless they are to be passed or an equal job is active."""
    for finding in found:
        if finding.verdict in {Verdict.WARNING, Verdict.UNKNOWN} or (
            submit.despite_faults and finding.verdict is Verdict.FAULT
        ):
            log.warning("preflight: %s", finding)
    if submit.despite_faults:
        return
    try:
        refuse_faults(found)
    except SubmissionError:
        try:
            active = platform.active()
        except FruitsError:
            active = None
        if active is None:
            raise
        log.warning("preflight has faults; an equal job is active and is followed: id=%s", active)


@contextmanager
def _client_installed() -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError as error:
        extra = "s3" if str(error.name).startswith("boto") else "dataproc"
        raise SettingsError(
            f"expected the package {error.name}, found none; pip install 'fruits-pipeline[{extra}]'"
        ) from error


def _show(text: str) -> None:
    try:
        print(text, flush=True)  # noqa: T201 because that is what --dry-run is for
    except BrokenPipeError:
        # The reader has all that it wants, as ``head`` has; Python must not flush to it at the end either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def dry_run(platform: Platform) -> str:
    """The command line and the requests that would be sent, as text."""
    requests = [{"operation": request.operation, "body": request.body} for request in platform.requests()]
    return f"{platform.command_line()}\n\n{json.dumps(requests, indent=2, ensure_ascii=False)}"
