"""The manifest: one row for each object of the source, written before any work."""

import logging
import tempfile
from collections import Counter
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from fruits_pipeline.errors import InputError
from fruits_pipeline.ingest import sampling, waves
from fruits_pipeline.ingest.listing import AnySource, rows
from fruits_pipeline.ingest.naming import IMAGE_SUFFIXES
from fruits_pipeline.ingest.rows import read_rows, write_rows
from fruits_pipeline.settings.ingest import IngestSettings
from fruits_pipeline.state.counts import Counts
from fruits_pipeline.state.layout import MANIFEST, ONLY_FILE
from fruits_pipeline.storage.store import Store

log = logging.getLogger(__name__)

_FILE = f"{MANIFEST}/{ONLY_FILE}"


@dataclass(frozen=True)
class Manifest:
    """What the manifest holds; ``next_wave`` is the first number that no wave has ever had."""

    counts: Counts
    labels: int
    waves: int
    next_wave: int


def build_manifest(source: AnySource, store: Store, settings: IngestSettings, cores: int, next_wave: int) -> Manifest:
    """Lists the source and brings the manifest up to date: unchanged images keep their waves.

    Raises:
        InputError: When the source holds no image.
    """
    with tempfile.TemporaryDirectory(prefix="fruits-manifest-") as folder:
        listed, old, new = (Path(folder) / name for name in ("listed", "old", "new"))
        write_rows(rows(source), listed)
        if settings.sample is not None:
            chosen = sampling.sampled_keys(read_rows(listed), source.root, settings.sample, settings.sample_seed)
            write_rows(sampling.keep(read_rows(listed), chosen), new)
            new.replace(listed)
        _refuse_empty(source, listed)
        if store.stat(_FILE) is not None:
            old.write_bytes(store.read(_FILE))
        else:
            write_rows([], old)
        gone = waves.retired(read_rows(old), read_rows(listed))
        first = max(next_wave, _after_last(old))
        size = settings.wave_images or waves.default_wave_images(cores)
        write_rows(waves.assigned(read_rows(old), read_rows(listed), gone, first, size), new)
        store.put(_FILE, new)
        manifest = _summary(new, first)
    log.info(
        "manifest found=%d images=%d labels=%d waves=%d retired_waves=%d skipped=%s",
        manifest.counts.found,
        manifest.counts.pending,
        manifest.labels,
        manifest.waves,
        len(gone),
        manifest.counts.skip_reasons,
    )
    return manifest


def _refuse_empty(source: AnySource, listed: Path) -> None:
    """Raises where no image is to be read."""
    reasons = Counter(row.skip_reason for row in read_rows(listed))
    if not reasons[None]:
        skipped = ", ".join(f"{reason} {count}" for reason, count in sorted(reasons.items(), key=str)) or "none at all"
        raise InputError(
            f"expected images ({' '.join(sorted(IMAGE_SUFFIXES))}) in {source}, found no image among "
            f"{reasons.total()} objects ({skipped}); check --data-source"
        )


def _after_last(old: Path) -> int:
    """The number after the last wave of the old manifest."""
    return max(chain([-1], (int(row.wave) for row in read_rows(old) if row.wave is not None))) + 1


def _summary(file: Path, first: int) -> Manifest:
    skips: Counter[str] = Counter()
    labels, names, pending, found = set(), set(), 0, 0
    for row in read_rows(file):
        found += 1
        if row.skip_reason is not None:
            skips[row.skip_reason] += 1
        elif row.wave is not None:
            pending += 1
            labels.add(row.label)
            names.add(row.wave)
    last = max((int(name) for name in names), default=-1)
    counts = Counts(found=found, skipped=skips.total(), pending=pending, skip_reasons=dict(sorted(skips.items())))
    return Manifest(counts.checked(), len(labels - {None}), len(names), max(first, last + 1))
