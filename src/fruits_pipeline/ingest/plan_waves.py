"""The plan of the output's waves: the source is listed, held against the planned waves, and cut into waves of work.

Waves all of whose rows are the same stay as they are. Others are replaced by waves of new names with the rows that are
left, and rows that no wave had come into new waves. No wave has more images or rows than the cut allows. Nothing is
computed here.
"""

import logging
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from math import ceil
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from fruits_pipeline.errors import InputError
from fruits_pipeline.ingest import sampling
from fruits_pipeline.ingest.comparison import Compared, compared
from fruits_pipeline.ingest.cut import MAX_WAVE_IMAGES, MAX_WAVE_ROWS
from fruits_pipeline.ingest.listing import AnySource, listed
from fruits_pipeline.ingest.manifests import ManifestWriter
from fruits_pipeline.ingest.naming import Naming
from fruits_pipeline.ingest.packed import PackedSource
from fruits_pipeline.ingest.runs import Run, in_order, planned_run, sorted_runs
from fruits_pipeline.ingest.totals import Totals
from fruits_pipeline.settings.ingest import IngestSettings
from fruits_pipeline.state.counts import Change
from fruits_pipeline.state.plan import Plan, PlannedWave, wave_name
from fruits_pipeline.storage.store import Store
from fruits_pipeline.storage.table import TableSource

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Cut:
    """How images are cut into waves.

    Attributes:
        wave_images: Images of a new wave, at most.
        finished: Names of the finished waves, whose features may be taken over.
        wave_rows: Rows of a new wave, at most; but always as many as it may have images.
        nearly: Whether new waves are of one size and may have up to half more images, so that none is left small.
    """

    wave_images: int
    finished: frozenset[str] = frozenset()
    wave_rows: int = MAX_WAVE_ROWS
    nearly: bool = False

    def spread(self, images: int | None = None) -> "Cut":
        """The cut for so many new images, or for those of a wave that stands.

        >>> Cut(1000, nearly=True).spread(2100).wave_images, Cut(1000).spread(2100).wave_images
        (1050, 1000)
        """
        if not self.nearly:
            return self
        most = self.wave_images * 3 // 2 if images is None else ceil(images / max(1, round(images / self.wave_images)))
        return replace(self, wave_images=min(most, max(self.wave_images, MAX_WAVE_IMAGES)))

    def fit(self, wave: ManifestWriter, rows: pa.Table) -> int:
        """How many of the rows the wave still takes."""
        images = pc.cumulative_sum(pc.cast(pc.is_null(rows["skip_reason"]), pa.int64()))
        fit = pc.sum(pc.less_equal(images, self.wave_images - wave.images)).as_py()
        return int(min(fit, max(self.wave_rows, self.wave_images) - wave.rows))


def plan_waves(source: AnySource, store: Store, settings: IngestSettings, before: Plan, cut: Cut) -> Plan:
    """Lists the source and gives the plan for it, the manifests of whose new waves are written.

    Args:
        source: What is listed.
        store: The output.
        settings: How names are read, and the sample.
        before: The plan so far; without waves at the first start.
        cut: How images are cut into waves.

    Raises:
        InputError: When the source holds no image, or a table names an image twice.
    """
    naming = Naming.of(settings)
    with tempfile.TemporaryDirectory(prefix="fruits-manifest-") as name:
        folder = Path(name)
        planned = [planned_run(store, wave, folder) for wave in before.waves]
        new = sorted_runs(listed(source, naming), folder)
        if settings.sample is not None:
            chosen = sampling.sampled_paths(in_order(new), source.root, settings.sample, settings.sample_seed)
            new = [sampling.kept(run, chosen) for run in new]
        windows = _windows(source, [*planned, *new])
        total = Totals(source.base if isinstance(source, TableSource) else source.root)
        for window in windows():
            total.add(window)
        total.refuse_empty(source)
        total.warn(naming)
        writer = _Writer(store, before, cut, total, folder)
        if total.rewritten or total.rows > total.known:
            for window in windows():
                writer.write(window)
        plan = writer.plan(before, total.change)
    pack = source.address if isinstance(source, PackedSource) else None
    plan = plan.model_copy(update={"source_root": source.root, "packed": pack, "sides": total.sides})
    _log(plan, total)
    return plan


class _Writer:
    """Writes the manifests of rewritten and of new waves; each is open only from its first path to its last."""

    def __init__(self, store: Store, before: Plan, cut: Cut, total: Totals, folder: Path) -> None:
        self._store, self._folder, self._finished = store, folder, cut.finished
        self._cut_new, self._cut_standing = cut.spread(total.new_images), cut.spread()
        self._number = before.next_wave
        self._total = total
        self._waves = [wave for wave in before.waves if wave.wave not in total.rewritten]
        self._sources = {wave.wave: _sources(wave, cut.finished) for wave in before.waves}
        self._open: dict[str | None, ManifestWriter] = {}

    def write(self, window: Compared) -> None:
        """Sends each row to its wave; rows that no wave had come into new ones."""
        for name, rows in _by_wave(window):
            if name in self._total.rewritten:
                self._write(name, rows)
                if rows["path"][-1].as_py() == self._total.last[name]:
                    self._put(name)
        self._write(None, window.rows.filter(pc.is_null(window.rows["wave"])))

    def plan(self, before: Plan, change: Change) -> Plan:
        """The plan with what was written."""
        for name in tuple(self._open):
            self._put(name)
        ordered = tuple(sorted(self._waves, key=lambda wave: (wave.first, wave.wave)))
        return before.model_copy(update={"waves": ordered, "next_wave": self._number, "change": change})

    def _write(self, name: str | None, rows: pa.Table) -> None:
        """Adds rows of the planned wave ``name``, or of none, to the wave that takes its place; a full one is put.

        A finished wave with nothing to compute stays in one piece, which shares its files.
        """
        is_shared = name in self._finished and name not in self._total.to_compute
        cut = self._cut_standing if name else self._cut_new
        while len(rows):
            writer = self._open.get(name) or self._opened(name)
            fit = len(rows) if is_shared else cut.fit(writer, rows)
            writer.write(rows.slice(0, fit))
            rows = rows.slice(fit)
            if len(rows):
                self._put(name)

    def _opened(self, name: str | None) -> ManifestWriter:
        self._number += 1
        sources = self._sources[name] if name else ()
        self._open[name] = ManifestWriter(wave_name(self._number - 1), self._folder, sources)
        return self._open[name]

    def _put(self, name: str | None) -> None:
        self._waves.append(self._open.pop(name).put(self._store))


def _by_wave(window: Compared) -> Iterator[tuple[str, pa.Table]]:
    """The rows of each planned wave."""
    waves = window.rows["wave"]
    for name in waves.unique().drop_null().to_pylist():
        yield name, window.rows.filter(pc.equal(waves, name))


def _sources(wave: PlannedWave, finished: frozenset[str]) -> tuple[str, ...]:
    """The finished waves that have features of some images of ``wave``: itself, or those that it was to take over."""
    return (wave.wave,) if wave.wave in finished else tuple(name for name in wave.sources if name in finished)


def _windows(source: AnySource, runs: list[Run]) -> Callable[[], Iterator[Compared]]:
    """A function that gives all windows anew, each path once on each side."""
    told: set[str] = set()
    return lambda: (compared(window) for window in _unique(source, in_order(runs), told))


def _unique(source: AnySource, windows: Iterable[pa.Table], told: set[str]) -> Iterator[pa.Table]:
    """The windows without rows that repeat a path of the listing; paths that are not yet in ``told`` are logged."""
    before: Any = None
    for window in windows:
        planned = pc.is_valid(window["wave"])
        new = window.filter(pc.invert(planned))
        paths = new["path"].combine_chunks()
        previous = pa.concat_arrays([pa.array([before], pa.string()), paths])[: len(paths)]
        repeats = pc.fill_null(pc.equal(paths, previous), fill_value=False)
        repeated = paths.filter(repeats)
        if len(repeated) and isinstance(source, TableSource):
            raise InputError(
                f"expected in {source} each path once, found {', '.join(repeated[:3].to_pylist())}; mend the table, or "
                "name another by --data-source"
            )
        if new_repeats := sorted({*repeated.to_pylist()} - told):
            log.warning(
                "paths that are listed more than once=%d, one row of each stays: %s", len(new_repeats), new_repeats[0]
            )
            told.update(new_repeats)
        before = paths[-1].as_py() if len(paths) else before
        yield pa.concat_tables([window.filter(planned), new.filter(pc.invert(repeats))]) if len(repeated) else window


def _log(plan: Plan, total: Totals) -> None:
    counts = plan.counts
    log.info(
        "listed found=%d images=%d batches=%d new_or_changed=%d relabelled=%d gone=%d rewritten_batches=%d skipped=%s",
        *(counts.found, counts.images, len(plan.waves)),
        *(plan.change.computed, plan.change.relabelled, plan.change.gone, len(total.rewritten)),
        counts.skip_reasons,
    )
    log.info("images by side: %s", plan.sides)
