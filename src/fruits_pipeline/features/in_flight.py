"""Waves in flight: two at a time, each tried again when Spark fails, the last time in isolation."""

import contextlib
import logging
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import NamedTuple

from py4j.protocol import Py4JError
from pyspark import inheritable_thread_target
from pyspark.errors import PySparkException

from fruits_pipeline.errors import root_cause
from fruits_pipeline.features.batch import Treatment
from fruits_pipeline.features.job import FeatureJob, ReaderOf
from fruits_pipeline.features.takeover import Takeover, takeover
from fruits_pipeline.features.tasks import rows_of_batch
from fruits_pipeline.features.wave import Computed, Pixels, computed, shared
from fruits_pipeline.features.worker_faults import fatal_fault
from fruits_pipeline.session.executors import executor_losses, task_counts
from fruits_pipeline.session.jobs import cancellation
from fruits_pipeline.session.progress import ImageProgress
from fruits_pipeline.state.counts import Change
from fruits_pipeline.state.files import sweep
from fruits_pipeline.state.layout import FEATURES, REJECTS, wave_folder
from fruits_pipeline.state.plan import Plan, PlannedWave
from fruits_pipeline.state.snapshot import WaveMarker, mark_wave

log = logging.getLogger(__name__)

IN_FLIGHT = 2
# What Spark and Hadoop say of files that are not as they were written.
_DAMAGED = re.compile("ChecksumException|is not a Parquet file|CANNOT_READ_FILE|FAILED_READ_FILE")


class Done(NamedTuple):
    """A wave that has just been marked, what was done about its images, and the largest sides of those it has."""

    marker: WaveMarker
    change: Change
    largest: Pixels | None = None


def finished_waves(
    job: FeatureJob, reader: ReaderOf, waves: list[PlannedWave], finished: Mapping[str, WaveMarker], *, retry: bool
) -> Iterator[Done]:
    """Finishes and marks ``waves``, and gives each as it is done; leaving the iterator stops the others.

    Two are in flight, so that one's last tasks leave no core idle.

    Args:
        job: The feature job.
        reader: Gives what reads the images; called only where some image is to be read.
        waves: The waves, none of which is finished.
        finished: The markers of finished waves, from which features may be taken over.
        retry: Whether rejects that another try may mend are tried again.

    Raises:
        StorageError: When the source or the cluster fails in a way that a retry cannot fix.
    """
    if not waves:
        return
    context = job.spark.sparkContext
    images = sum(wave.counts.images for wave in waves)
    taken_over = _TakenOver()
    stopped = threading.Event()
    divide = partial(takeover, job.store, finished=finished, retry=retry)
    finish = inheritable_thread_target(partial(_finish, job, reader, divide, taken_over, stopped))
    cancel = cancellation(context)
    pool = ThreadPoolExecutor(IN_FLIGHT, thread_name_prefix="wave")
    with ImageProgress(images, lambda: job.counter.value + taken_over.images, partial(task_counts, context)):
        try:
            for future in as_completed([pool.submit(finish, wave) for wave in waves]):
                yield future.result()
        finally:
            stopped.set()
            # Where the job was interrupted or its JVM is gone, Spark answers no more, and nobody waits for its threads.
            answers = False
            try:
                with contextlib.suppress(PySparkException, Py4JError):
                    cancel()
                    answers = True
            finally:
                pool.shutdown(wait=answers, cancel_futures=True)


def batch_rows_of(job: FeatureJob, plan: Plan) -> int:
    """Rows of one Arrow batch, for the wave with the largest images."""
    rows = (rows_of_batch(wave.common_bytes, job.settings.batch_rows) for wave in plan.waves)
    return min(rows, default=job.settings.batch_rows)


class _TakenOver:
    """Images that were taken over, for the progress."""

    images = 0


def _finish(
    job: FeatureJob,
    reader: ReaderOf,
    divide: Callable[[PlannedWave], Takeover],
    taken_over: _TakenOver,
    stopped: threading.Event,
    wave: PlannedWave,
) -> Done:
    """Finishes one wave: shares another's files, or computes it."""
    has = divide(wave)
    taken_over.images += wave.counts.images - len(has.pending)
    if has.whole is not None:
        marker = shared(wave, has.whole)
        mark_wave(job.store, marker)
        return Done(marker, Change(kept=wave.counts.images))
    (marker, largest), has = _tried(job, reader, wave, has, stopped)
    did = Change(carried=wave.counts.images - len(has.pending), computed=len(has.pending))
    return Done(marker, did, largest)


def _tried(
    job: FeatureJob, reader: ReaderOf, wave: PlannedWave, has: Takeover, stopped: threading.Event
) -> tuple[Computed, Takeover]:
    """Computes a wave; after a failure it is tried once more, with every image decoded in isolation.

    Where features that it takes over are damaged, it then takes over none.
    """
    plain, began = job.treatment, datetime.now(UTC)
    try:
        return _attempt(job, reader, wave, has, plain), has
    except (PySparkException, Py4JError) as error:
        if stopped.is_set():
            raise
        fault = fatal_fault(error, executor_losses(job.spark.sparkContext, began), job.store.root)
        if fault is not None:
            raise fault from error
        log.warning(
            "batch=%s failed and is tried again, with each image decoded in a process of its own: %s",
            wave.wave,
            root_cause(error),
        )
        if has.carried and _DAMAGED.search(str(error)):
            log.warning(
                "batch=%s is computed again as a whole because features of the last run that it reuses are damaged",
                wave.wave,
            )
            has = takeover(job.store, wave, {})
    return _attempt(job, reader, wave, has, replace(plain, isolated=True)), has


def _attempt(job: FeatureJob, reader: ReaderOf, wave: PlannedWave, has: Takeover, treatment: Treatment) -> Computed:
    chosen = reader(has.pending) if len(has.pending) else None
    sweep(job.store, [wave_folder(dataset, wave.wave) for dataset in (FEATURES, REJECTS)])
    done = computed(job, chosen, wave, has, treatment)
    mark_wave(job.store, done.marker)
    return done
