"""Waves in flight: two at a time, each tried again when Spark fails, the last time in isolation."""

import logging
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from functools import partial
from math import ceil

import pyarrow as pa
import pyarrow.compute as pc
from py4j.protocol import Py4JError
from pyspark.errors import PySparkException

from fruits_pipeline.features.batch import Plan
from fruits_pipeline.features.job import FeatureJob
from fruits_pipeline.features.split import share_of
from fruits_pipeline.features.tasks import rows_of_batch, tasks_of
from fruits_pipeline.features.wave import compute
from fruits_pipeline.features.work import Reader, Refusals, Work, readable
from fruits_pipeline.features.worker_faults import fatal_fault
from fruits_pipeline.session.progress import ImageProgress
from fruits_pipeline.session.spark import cores, executor_losses, task_counts, task_cpus
from fruits_pipeline.state.layout import wave_folders
from fruits_pipeline.state.marker import WaveMarker

log = logging.getLogger(__name__)

IN_FLIGHT = 2


@dataclass(frozen=True)
class _Flight:
    """What the threads of the waves share."""

    job: FeatureJob
    work: Work
    manifest: pa.Table
    stopped: threading.Event

    def fly(self, wave: str) -> WaveMarker:
        """Computes and marks one wave; a failure is tried once more, then with each image decoded in isolation."""
        plain = _plan(self.job)
        for plan in (plain, plain):
            try:
                return self._attempt(wave, plan)
            except (PySparkException, Py4JError) as error:
                if self.stopped.is_set():
                    raise
                if (fault := fatal_fault(error, executor_losses(self.job.spark.sparkContext))) is not None:
                    raise fault from error
                log.warning("wave=%s failed and is tried again: %s", wave, first_line(error))
        log.warning("wave=%s is tried a last time, with every image decoded in isolation", wave)
        return self._attempt(wave, replace(plain, isolated=True))

    def _attempt(self, wave: str, plan: Plan) -> WaveMarker:
        self.job.ledger.sweep(wave_folders(wave))
        marker = compute(self.work, self.manifest.filter(pc.field("wave") == wave), wave, plan)
        self.job.ledger.mark_wave(marker)
        return marker


def computed(job: FeatureJob, reader: Reader, manifest: pa.Table, pending: dict[str, int]) -> Iterator[WaveMarker]:
    """The marked waves, as they finish; ``pending`` gives each wave's number of images in ``manifest``.

    Two are in flight, so that one's last tasks leave no core idle. Leaving the iterator stops the others.
    """
    context = job.spark.sparkContext
    images = sum(pending.values())
    rows = rows_of_batch(readable(manifest, job.settings.max_bytes)["length"].to_pylist(), job.settings.batch_rows)
    job.spark.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", rows)
    tasks = tasks_of(ceil(images / len(pending)), cores(job.spark))
    log.info("tasks=%d a wave because it holds about %d images, batch_rows=%d", tasks, images / len(pending), rows)
    work = _work(job, reader, tasks)
    flight = _Flight(job, work, manifest, threading.Event())
    pool = ThreadPoolExecutor(IN_FLIGHT, thread_name_prefix="wave")
    with ImageProgress(images, lambda: work.counter.value, partial(task_counts, context)):
        try:
            for future in as_completed([pool.submit(flight.fly, wave) for wave in sorted(pending)]):
                yield future.result()
        finally:
            flight.stopped.set()
            context.cancelAllJobs()
            pool.shutdown(cancel_futures=True)


def first_line(error: BaseException) -> str:
    """The first line of what Spark says, which alone is for people."""
    return next(iter(str(error).strip().splitlines()), type(error).__name__)


def _plan(job: FeatureJob) -> Plan:
    return Plan(
        image_size=job.model.image_size,
        max_pixels=job.settings.max_pixels,
        train_share=share_of(job.settings.train_split),
        threads=task_cpus(job.spark),
        decode_timeout_s=job.settings.decode_timeout_s,
    )


def _work(job: FeatureJob, reader: Reader, tasks: int) -> Work:
    context = job.spark.sparkContext
    return Work(
        spark=job.spark,
        store=job.store,
        source=job.source,
        reader=reader,
        fingerprint=job.fingerprint,
        train_split=job.settings.train_split,
        max_bytes=job.settings.max_bytes,
        model=context.broadcast(job.model),
        counter=context.accumulator(0),
        refused=context.accumulator([], Refusals()),
        tasks=tasks,
    )
