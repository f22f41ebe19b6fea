"""The feature job: waves that lack a marker are computed, two in flight, until every image is accounted for."""

import logging
from collections import Counter

import pyarrow as pa
import pyarrow.compute as pc

from fruits_pipeline.errors import InputError
from fruits_pipeline.features.flight import computed
from fruits_pipeline.features.hint import hint_about
from fruits_pipeline.features.job import FeatureJob
from fruits_pipeline.features.probe import probe
from fruits_pipeline.features.readers.choice import chosen_reader
from fruits_pipeline.state.counts import Counts, add_reasons
from fruits_pipeline.state.layout import FEATURES, REJECTS, wave_folders
from fruits_pipeline.state.marker import WaveMarker
from fruits_pipeline.storage import uri

log = logging.getLogger(__name__)

_MIN_TRIED = 1_000


def build_features(job: FeatureJob, found: Counts) -> Counts:
    """Brings features and rejects up to the manifest, whose counts ``found`` gives, and counts what became of it.

    Raises:
        InputError: When too many images are rejected, and when no reader can read the first; finished waves stay.
        StorageError: When storage fails on the way.
        ModelError: When a worker cannot run the model as asked.
        DatasetError: When a wave's datasets do not add up.
    """
    manifest = job.manifest()
    wanted = dict(sorted(Counter(manifest["wave"].to_pylist()).items()))
    done = _finished_waves(job, wanted)
    pending = {wave: images for wave, images in wanted.items() if wave not in {known.wave for known in done}}
    log.info("features waves=%d finished=%d pending=%d", len(wanted), len(done), len(pending))
    if pending:
        probe(job.spark, job.model)
        reader = chosen_reader(job, manifest.filter(pc.is_in(manifest["wave"], pa.array(sorted(pending)))))
        for wave in computed(job, reader, manifest, pending):
            if not done:
                hint_about(job, wave)
            done.append(wave)
            _judge(job, tally(done, found), final=False)
    _sweep_unmarked(job, {wave.wave for wave in done})
    counts = tally(done, found)
    _judge(job, counts, final=True)
    return counts


def _finished_waves(job: FeatureJob, wanted: dict[str, int]) -> list[WaveMarker]:
    """The finished waves that are still wanted; others, damaged ones too, are deleted."""
    kept = []
    for wave in job.ledger.waves():
        if wave.wave not in wanted:
            log.info("drop wave=%s because its images have changed", wave.wave)
        elif wave.fingerprint != job.fingerprint or not job.ledger.wave_intact(wave):
            log.warning("redo wave=%s because its files are not those of its marker", wave.wave)
        else:
            kept.append(wave)
            continue
        job.ledger.drop_wave(wave)
    return kept


def tally(done: list[WaveMarker], found: Counts) -> Counts:
    """The job's counts: what the manifest has, less what finished waves account for."""
    read = sum(wave.counts.read for wave in done)
    rejected = sum(wave.counts.rejected for wave in done)
    reasons = add_reasons(wave.counts.reject_reasons for wave in done)
    pending = found.found - found.skipped - read - rejected
    update = {"read": read, "rejected": rejected, "pending": pending, "reject_reasons": reasons}
    return found.model_copy(update=update).checked()


def _judge(job: FeatureJob, counts: Counts, *, final: bool) -> None:
    """Raises where more images were rejected than is allowed."""
    limit = job.settings.max_reject_share
    if counts.reject_share <= limit or (counts.tried < _MIN_TRIED and not final):
        return
    reasons = ", ".join(f"{reason} {count}" for reason, count in counts.reject_reasons.items())
    raise InputError(
        f"expected at most {limit:.1%} of the images to be rejected, found {counts.rejected} of {counts.tried} "
        f"({counts.reject_share:.1%}: {reasons}), listed in {uri.join(job.store.root, REJECTS)}; "
        "mend the images, or allow more by --max-reject-share, and start the same command again"
    )


def _sweep_unmarked(job: FeatureJob, marked: set[str]) -> None:
    """Deletes what unfinished waves left, so that what lies there is what is marked."""
    for dataset in (FEATURES, REJECTS):
        keys = (found.key.split("/") for found in job.store.objects(dataset))
        waves = {parts[1].removeprefix("wave=") for parts in keys if parts[1].startswith("wave=")}
        for wave in sorted(waves - marked):
            job.ledger.sweep(wave_folders(wave))
