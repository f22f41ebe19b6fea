"""Waves of the plan: finished, of one recipe, their counts right, each image once in features or rejects."""

from collections import Counter
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from itertools import islice

import pyarrow as pa
import pyarrow.compute as pc

from fruits_pipeline.state.counts import Counts
from fruits_pipeline.state.files import FileMark
from fruits_pipeline.state.layout import FEATURES, MANIFEST, REJECTS, SNAPSHOT, wave_marker
from fruits_pipeline.state.plan import PlannedWave
from fruits_pipeline.state.snapshot import WaveMarker
from fruits_pipeline.verify.contents import CheckedFile, Contents, dataset_of
from fruits_pipeline.verify.findings import Finding, Kind
from fruits_pipeline.verify.output_state import OutputState


def check_plan(state: OutputState) -> Iterator[Finding]:
    """Every wave of the plan is finished, by one recipe."""
    if state.plan is None and (markers := len(state.waves) + len(state.packed)):
        yield Finding(Kind.PLAN, SNAPSHOT, f"the list of the {markers} batches that are recorded", "no such file")
    if state.plan is not None and not state.planned:
        yield Finding(Kind.UNFINISHED, SNAPSHOT, "a list of batches of images", "an empty one")
    finished = state.finished
    for wave in () if state.is_only_a_pack else state.planned:
        if wave.wave not in finished:
            yield _unfinished(wave, state.waves.get(wave.wave))
    yield from _recipes(list(finished.values()))


def check_counts(state: OutputState) -> Iterator[Finding]:
    """The counts of each finished wave add up, and are those of the plan."""
    for wave in state.planned:
        marker = state.finished.get(wave.wave)
        if marker is None:
            continue
        counts = marker.counts
        if counts.found != counts.tried + counts.skipped or counts.pending:
            yield _counts(marker, "found = read + rejected + skipped", _sum(counts))
        if counts.rejected != (reasons := sum(counts.reject_reasons.values())):
            yield _counts(marker, f"reasons of {counts.rejected} rejects", f"{reasons}")
        planned = wave.counts
        if _listed(counts) != _listed(planned):
            yield _counts(marker, f"{_listed(planned)} as listed", _listed(counts))


def check_images(contents: Contents, state: OutputState, whole: AbstractSet[FileMark]) -> Iterator[Finding]:
    """Every byte of each wave, and each image once in features or rejects; one wave is held at a time.

    Images of a wave are counted where all its files are whole.
    """
    finished = state.finished
    for wave in state.planned:
        marker = finished.get(wave.wave)
        files = {wave.manifest, *((marker.manifest, *marker.files) if marker else ())}
        checked = list(contents.checked(sorted(files & whole, key=lambda file: file.key)))
        findings = [finding for one in checked for finding in one.findings]
        yield from findings
        if marker is not None and not findings and files <= whole:
            yield from _rejects(marker, checked)
            yield from _images(marker, checked)


def _unfinished(wave: PlannedWave, marker: WaveMarker | None) -> Finding:
    found = "none" if marker is None else f"one with digest {marker.digest}"
    left = f"{found}; {wave.counts.images} images are still to be read"
    return Finding(Kind.UNFINISHED, wave_marker(wave.wave), f"a finished batch (digest {wave.digest})", left)


def _recipes(waves: list[WaveMarker]) -> Iterator[Finding]:
    """Waves without images have no features that a recipe could have made."""
    made = [wave for wave in waves if wave.counts.images]
    names: dict[str, list[WaveMarker]] = {}
    for wave in made:
        names.setdefault(wave.recipe.digest, []).append(wave)
    for others in islice(names.values(), 1, None):
        changes = "; ".join(made[0].recipe.changes(others[0].recipe))
        first = len(names[made[0].recipe.digest])
        where = f"batch {made[0].wave} ({first} of {len(made)} batches) and batch {others[0].wave} ({len(others)})"
        yield Finding(Kind.RECIPES, where, "features computed in one way", changes)


def _rejects(marker: WaveMarker, checked: list[CheckedFile]) -> Iterator[Finding]:
    reasons = Counter(reason for rows in _rows(checked, REJECTS) for reason in rows["reason"].to_pylist())
    found = (reasons.total(), dict(sorted(reasons.items())))
    expected = (marker.counts.rejected, dict(sorted(marker.counts.reject_reasons.items())))
    if found != expected:
        yield _counts(marker, "{} in rejects, for reasons {}".format(*expected), "{}, {}".format(*found))


def _images(marker: WaveMarker, checked: list[CheckedFile]) -> Iterator[Finding]:
    features = sum(map(len, _rows(checked, FEATURES)))
    if features != marker.counts.read:
        yield _counts(marker, f"{marker.counts.read} rows in features", f"{features}")
    wanted = _paths([rows.filter(pc.is_null(rows["skip_reason"])) for rows in _rows(checked, MANIFEST)])
    times = pc.value_counts(_paths([*_rows(checked, FEATURES), *_rows(checked, REJECTS)]))
    paths, counts = times.field("values"), times.field("counts")
    expected = pc.cast(pc.is_in(paths, value_set=wanted), pa.int64())
    wrong = pc.not_equal(counts, expected)
    found = zip(paths.filter(wrong), counts.filter(wrong), expected.filter(wrong), strict=True)
    absent = wanted.filter(pc.invert(pc.is_in(wanted, value_set=paths)))
    for path, count, times_expected in found:
        yield _image(marker, path, times_expected, count)
    for path in absent:
        yield _image(marker, path, 1, 0)


def _image(marker: WaveMarker, path: object, expected: object, found: object) -> Finding:
    what = f"'{path}' {_times(expected)} in features and rejects"
    return Finding(Kind.IMAGES, wave_marker(marker.wave), what, _times(found))


def _times(number: object) -> str:
    return {"0": "not at all", "1": "once"}.get(str(number), f"{number} times")


def _rows(checked: list[CheckedFile], dataset: str) -> list[pa.Table]:
    """The rows of a dataset's files that are as they should be."""
    return [one.rows for one in checked if one.rows is not None and dataset_of(one.file) == dataset]


def _paths(tables: list[pa.Table]) -> pa.Array:
    parts = [part for table in tables for part in table["path"].chunks]
    return pa.concat_arrays([pa.array([], pa.string()), *parts])


def _counts(marker: WaveMarker, expected: str, found: str) -> Finding:
    return Finding(Kind.COUNTS, wave_marker(marker.wave), expected, found)


def _listed(counts: Counts) -> str:
    return f"{counts.found} objects, {counts.skipped} of them skipped: {dict(sorted(counts.skip_reasons.items()))}"


def _sum(counts: Counts) -> str:
    parts = f"{counts.found} = {counts.read} + {counts.rejected} + {counts.skipped}"
    return f"{parts} with {counts.pending} pending" if counts.pending else parts
