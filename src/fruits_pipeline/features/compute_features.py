"""Features of every image of the plan: finished waves stay, the others are taken over or computed, two in flight."""

import logging
import threading
from collections.abc import Iterable, Mapping
from multiprocessing.pool import ThreadPool

import pyarrow as pa
from pyspark import inheritable_thread_target

from fruits_pipeline.errors import DatasetError, InputError
from fruits_pipeline.features.hint import hint
from fruits_pipeline.features.in_flight import Done, batch_rows_of, finished_waves
from fruits_pipeline.features.job import FeatureJob, Reader
from fruits_pipeline.features.probe import probe
from fruits_pipeline.features.readers.choice import chosen_reader
from fruits_pipeline.features.retry import with_retries
from fruits_pipeline.features.whole_wave import whole_wave_rejected
from fruits_pipeline.session.configured import configured
from fruits_pipeline.state.counts import Change, Counts, added
from fruits_pipeline.state.layout import CALIBRATED, REJECTS
from fruits_pipeline.state.plan import Plan, save_plan
from fruits_pipeline.state.snapshot import Snapshot, WaveMarker, is_finished, load_waves, snapshot_of
from fruits_pipeline.state.upkeep import drop_features, drop_replaced
from fruits_pipeline.storage import uri
from fruits_pipeline.timeline import step
from fruits_pipeline.trained.backbone import keep_backbone

log = logging.getLogger(__name__)

_MIN_TRIED = 1_000
# Spark's own values, which readers of files change for a wave, so that they are restored at the end.
_READERS = {"spark.sql.files.minPartitionNum": 1, "spark.sql.files.maxPartitionBytes": 128 << 20}


def compute_features(job: FeatureJob, plan: Plan) -> tuple[Snapshot, Change]:
    """Brings features and rejects up to the plan, and says what was done about its images.

    Raises:
        InputError: When too many images are rejected, and when no reader can read the first; finished waves stay.
        StorageError: When storage fails on the way.
        ModelError: When a worker cannot run the model as asked.
        DatasetError: When a wave's datasets do not add up, or other waves were computed by another recipe.
    """
    finished = load_waves(job.store)
    others = _other_recipe(job, plan, finished)
    again = finished if job.overwrite and others and _is_wanted_again(job, plan, finished) else {}
    if again:
        log.warning("features of batches=%d are computed again because they were computed differently: %s",
            len(again), "; ".join(others))  # fmt: skip
        finished, others = {}, []
    reader = _LazyReader(job, plan, others, again)
    with configured(job.spark, _READERS | {"spark.sql.execution.arrow.maxRecordsPerBatch": batch_rows_of(job, plan)}):
        if others:
            log.info(
                "finished features are kept, although new ones would be computed differently: %s", "; ".join(others)
            )
        else:
            plan = with_retries(job, reader, plan, finished)
        pending = [wave for wave in plan.waves if not is_finished(wave, finished)]
        done = [finished[wave.wave] for wave in plan.waves if is_finished(wave, finished)]
        log.info("features batches_of_images=%d done=%d to_do=%d", len(plan.waves), len(done), len(pending))
        change = Change(kept=sum(wave.counts.images for wave in done))
        for one in finished_waves(job, reader, pending, finished, retry=not others):
            if not done and one.change.computed:
                _tell_first(job, one)
            done.append(one.marker)
            change = _sum(change, one.change)
            _judge(job, plan, done, final=False)
    found = finished | {wave.wave: wave for wave in done}
    _judge(job, plan, done, final=True)
    drop_replaced(job.store, plan, found)
    snapshot = snapshot_of(job.store, plan, found)
    recipe = snapshot.waves[0].recipe
    if recipe.made_by.get("model_sha256") == job.model.sha256:
        keep_backbone(job.store, job.model, recipe)
    return snapshot, change


def _tell_first(job: FeatureJob, wave: Done) -> None:
    """Logs what the first wave shows of the others."""
    model = job.model
    if wave.largest and (told := hint(wave.largest, model.backbone, model.precision, model.image_size)):
        log.info("hint: %s", told)
    if why := whole_wave_rejected(job, wave.marker):
        log.warning("%s", why)


def tally(plan: Plan, done: Iterable[WaveMarker]) -> Counts:
    """The job's counts: finished waves as they are, images of the others pending."""
    markers = {wave.wave: wave for wave in done}
    return added(markers[w.wave].counts if is_finished(w, markers) else w.counts for w in plan.waves).checked()


class _LazyReader:
    """The reader for the job's images, chosen when the first image is to be read, whatever thread asks first."""

    def __init__(self, job: FeatureJob, plan: Plan, others: list[str], again: Mapping[str, WaveMarker]) -> None:
        """``others`` is in what the recipe of the finished waves differs from the job's.

        The features of ``again`` are deleted once it is known that new ones can be made.
        """
        self._job, self._plan, self._others, self._again = job, plan, others, again
        self._lock = threading.Lock()
        self._reader: Reader | None = None

    def __call__(self, images: pa.Table) -> Reader:
        """The reader, once a worker was seen to run the model and to read some of ``images``.

        Raises:
            DatasetError: When features of two recipes would stand in one dataset.
        """
        with self._lock:
            if self._reader is None:
                self._refuse_mixing()
                # Both at once, so that two workers start at the same time.
                with ThreadPool(1) as pool:
                    probed = pool.apply_async(inheritable_thread_target(probe), (self._job.spark, self._job.model))
                    with step("features: look of the reader"):
                        reader = chosen_reader(self._job, images)
                    probed.get()
                drop_features(self._job.store, self._plan, self._again)
                if sample := self._job.model.calibrated_with:
                    self._job.store.write(CALIBRATED, "\n".join(sample).encode())
                self._reader = reader
            return self._reader

    def _refuse_mixing(self) -> None:
        if self._others:
            raise DatasetError(
                f"expected to compute the remaining images in the same way as those under {self._job.store.root}, "
                "found "
                f"differences (before -> now): {'; '.join(self._others)}; continue with the former versions, take "
                "another "
                "--output-uri, or compute all features again with --overwrite"
            )


def _is_wanted_again(job: FeatureJob, plan: Plan, finished: Mapping[str, WaveMarker]) -> bool:
    """Whether finished features are to be replaced: for other settings, and where new ones would stand beside them."""
    is_same = all(wave.recipe.settings == job.recipe.settings for wave in _used(plan, finished))
    return not is_same or (plan.change.computed > 0 and not all(is_finished(w, finished) for w in plan.waves))


def _other_recipe(job: FeatureJob, plan: Plan, finished: dict[str, WaveMarker]) -> list[str]:
    """In what the recipe of the finished waves that stay, or are taken over, differs from the job's."""
    return next((changes for wave in _used(plan, finished) if (changes := wave.recipe.changes(job.recipe))), [])


def _used(plan: Plan, finished: Mapping[str, WaveMarker]) -> list[WaveMarker]:
    """The finished waves that stay, or are taken over."""
    names = {name for wave in plan.waves for name in (wave.wave, *wave.sources)}
    return [finished[name] for name in sorted(names & finished.keys())]


def _sum(one: Change, other: Change) -> Change:
    return Change(
        kept=one.kept + other.kept, carried=one.carried + other.carried, computed=one.computed + other.computed
    )


def _judge(job: FeatureJob, plan: Plan, done: list[WaveMarker], *, final: bool) -> None:
    """Raises where more images were rejected than is allowed; the plan then says so to whoever takes its snapshot."""
    counts, limit = tally(plan, done), job.settings.max_reject_share
    if counts.reject_share <= limit or (counts.tried < _MIN_TRIED and not final):
        return
    whole = whole_wave_rejected(job, done[0]) if done else None
    reasons = ", ".join(f"{reason} {count}" for reason, count in counts.reject_reasons.items())
    found = (
        f"expected at most {limit:.1%} of the images to be rejected, found {counts.rejected} of {counts.tried} "
        f"({counts.reject_share:.1%}: {reasons}), listed in {uri.join(job.store.root, REJECTS)}"
        + (f"; {whole}" if whole else "")
    )
    save_plan(job.store, plan.model_copy(update={"refused": found}))
    raise InputError(f"{found}; mend the images, or allow more by --max-reject-share, and start the same command again")
