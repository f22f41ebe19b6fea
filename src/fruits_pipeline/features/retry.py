"""Rejects that another try may mend (missing, forbidden, unreadable, timeout) are tried again at each start."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace

import pyarrow as pa

from fruits_pipeline.features.job import FeatureJob, Reader, Reading, readable
from fruits_pipeline.features.takeover import retryable
from fruits_pipeline.features.tasks import tasks_of
from fruits_pipeline.session.spark import cores
from fruits_pipeline.state.plan import Plan, save_plan, wave_name
from fruits_pipeline.state.snapshot import WaveMarker, is_finished

log = logging.getLogger(__name__)

# More would be a fault of the source, and are looked at by the next starts.
_MOST_IMAGES = 100_000


def with_retries(job: FeatureJob, reader: Callable[[], Reader], plan: Plan, finished: Mapping[str, WaveMarker]) -> Plan:
    """The plan, with a new wave in the place of each finished one that has a reject which can be read now.

    One Spark job looks at all of them, with each image decoded in isolation. A wave none of whose rejects is mended
    stays as it is.
    """
    kept = [finished[wave.wave] for wave in plan.waves if is_finished(wave, finished)]
    rejects = retryable(job.store, kept)
    if not rejects:
        return plan
    images = pa.concat_tables(rejects.values()).slice(0, _MOST_IMAGES)
    mended = _mended(job, reader(), images)
    total = sum(map(len, rejects.values()))
    log.info("rejects tried again=%d of %d, mended=%d", len(images), total, len(mended))
    for wave in plan.waves:
        if wave.wave in rejects and mended.intersection(rejects[wave.wave]["path"].to_pylist()):
            again = wave.model_copy(update={"wave": wave_name(plan.next_wave), "sources": (wave.wave,)})
            plan = plan.replacing(wave, again).model_copy(update={"next_wave": plan.next_wave + 1})
    if mended:
        save_plan(job.store, plan)
    return plan


def _mended(job: FeatureJob, reader: Reader, images: pa.Table) -> set[str]:
    """Paths that can be read and decoded now."""
    small = readable(images, job.settings.max_bytes)
    if not small.num_rows:
        return set()
    treatment = replace(job.treatment, isolated=True)
    reading = Reading(small, tasks_of(small.num_rows, cores(job.spark)), treatment, job.refusals())
    return {row.path for row in reader.read_images(job, reading).select("path").collect()}
