"""Rejects that another try may mend (missing, forbidden, unreadable, timeout, killed) are tried again at each start."""

import logging
from collections.abc import Mapping
from dataclasses import replace

import pyarrow as pa
from py4j.protocol import Py4JError
from pyspark.errors import PySparkException

from fruits_pipeline.errors import InputError, root_cause
from fruits_pipeline.features.job import FeatureJob, Reader, ReaderOf, Reading, readable
from fruits_pipeline.features.takeover import retryable
from fruits_pipeline.features.tasks import tasks_of
from fruits_pipeline.session.spark import cores
from fruits_pipeline.state.plan import Plan, save_plan, wave_name
from fruits_pipeline.state.snapshot import WaveMarker, is_finished

log = logging.getLogger(__name__)

# Images that one Spark job looks at.
_IMAGES_AT_ONCE = 100_000


def with_retries(job: FeatureJob, reader: ReaderOf, plan: Plan, finished: Mapping[str, WaveMarker]) -> Plan:
    """The plan, with a new wave in the place of each finished one that has a reject which can be read now.

    Each image is decoded in isolation. A wave none of whose rejects is mended stays as it is, and so do all where the
    source cannot be read: what is finished needs none of it.
    """
    kept = [finished[wave.wave] for wave in plan.waves if is_finished(wave, finished)]
    rejects = retryable(job.store, kept)
    if not rejects:
        return plan
    images = pa.concat_tables(rejects.values())
    try:
        mended = _mended(job, reader(images), images)
    except (InputError, PySparkException, Py4JError) as error:
        log.warning("rejected images=%d were not tried again: %s", len(images), root_cause(error))
        return plan
    log.info("rejected images tried again=%d, now read=%d", len(images), len(mended))
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
    mended: set[str] = set()
    for start in range(0, small.num_rows, _IMAGES_AT_ONCE):
        part = small.slice(start, _IMAGES_AT_ONCE)
        tasks = tasks_of(part.num_rows, cores(job.spark))
        reading = Reading(part, tasks, treatment, job.refusals(), with_refused=True)
        mended.update(row.path for row in reader.read_images(job, reading).select("path").collect())
    return mended
