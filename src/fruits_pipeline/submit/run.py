"""The door of ``submit``: prints what would be sent, or sends it and follows it."""

import json
import logging
from typing import Any

from fruits_pipeline.settings.storage import StorageSettings
from fruits_pipeline.settings.submit import SubmitSettings
from fruits_pipeline.storage.opening import open_store
from fruits_pipeline.submit.follow import follow
from fruits_pipeline.submit.job import SubmittedJob
from fruits_pipeline.submit.platform import Platform

log = logging.getLogger(__name__)


def run_submit(
    platform: Platform, job: SubmittedJob, submit: SubmitSettings, storage: StorageSettings
) -> dict[str, Any] | None:
    """Submits the job; with ``wait`` gives its ``run.json``.

    Raises:
        SubmissionError: When the platform refuses.
        JobError: When a job that is followed ends badly.
    """
    cut = job.sizes
    log.info(
        "sizing machine=%s nodes=%d executors=%d executor_cores=%d executor_memory=%dm overhead=%dm driver_memory=%dm",
        job.machine_type, job.nodes, cut.executors, cut.executor_cores, cut.executor_memory_mib,
        cut.executor_overhead_mib, cut.driver_memory_mib,
    )  # fmt: skip  # because one value per placeholder reads best on one line
    if submit.dry_run:
        print(dry_run(platform))  # noqa: T201 because that is what --dry-run is for
        return None
    started = platform.start()
    how = "an equal one is active and is followed" if started.attached else "submitted"
    log.info("job=%s id=%s platform=%s logs=%s", how, started.id, platform.name, platform.logs(started.id))
    if not submit.wait:
        return None
    return follow(platform, started, open_store(job.output_uri, storage), submit.deadline_s)


def dry_run(platform: Platform) -> str:
    """The line and the requests that would be sent, as text."""
    requests = [{"operation": request.operation, "body": request.body} for request in platform.requests()]
    return f"{platform.command_line()}\n\n{json.dumps(requests, indent=2, ensure_ascii=False)}"
