"""Rooms and packs: finished, made from what stands there now, their files and their rows as their markers say."""

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet

from fruits_pipeline.errors import DatasetError
from fruits_pipeline.settings.storage import StorageSettings
from fruits_pipeline.state import layout
from fruits_pipeline.state.files import FileMark
from fruits_pipeline.state.layout import RoomName
from fruits_pipeline.state.rooms import RoomMarker
from fruits_pipeline.state.snapshot import load_snapshot
from fruits_pipeline.storage import uri
from fruits_pipeline.storage.opening import open_store
from fruits_pipeline.verify.contents import Contents, dataset_of, schema_of
from fruits_pipeline.verify.findings import Finding, Kind
from fruits_pipeline.verify.output_state import Facts, OutputState

# The digest of a snapshot whose waves are not all finished, which is told elsewhere.
_UNKNOWN = "unknown"


def check_sources(state: OutputState, storage: StorageSettings) -> Iterator[Finding]:
    """Every room that has begun is finished, and was made from the present snapshot or the present room."""
    for room, marker in state.rooms.items():
        key, again = layout.room_marker(room), f"'{layout.COMMANDS[room]}' makes it again"
        if marker.facts is None:
            yield Finding(Kind.UNFINISHED, key, f"a finished room {room}", f"an unfinished one; {again}")
            continue
        if room in layout.MADE_FROM:
            source = state.rooms.get(layout.MADE_FROM[room])
            what, present = f"the present {layout.MADE_FROM[room]}", source.digest if source else "none"
        else:
            what = f"the present features of {marker.facts.features}"
            present = _features(state, marker.facts, marker.made_from, storage)
        if present not in {marker.made_from, _UNKNOWN}:
            expected = f"{room} to be made from {what} ({present})"
            yield Finding(Kind.STALE, key, expected, f"it made from {marker.made_from}; {again}")


def check_samples(contents: Contents, whole: AbstractSet[FileMark]) -> Iterator[Finding]:
    """The columns of the smallest file of each dataset, but for manifests and rejects, which are all read elsewhere."""
    smallest: dict[str, FileMark] = {}
    for file in sorted(whole, key=lambda file: (file.length, file.key)):
        if schema_of(file) is not None:
            smallest.setdefault(layout.LABELS if file.key.startswith(layout.LABELS) else dataset_of(file), file)
    samples = [file for name, file in smallest.items() if name not in {layout.MANIFEST, layout.REJECTS}]
    for one in contents.checked(samples):
        yield from one.findings


def check_rows(contents: Contents, state: OutputState, whole: AbstractSet[FileMark]) -> Iterator[Finding]:
    """Every byte of the rooms and the packs, and their rows."""
    for room, marker in state.finished_rooms.items():
        yield from _rows(contents, layout.room_marker(room), marker.files, whole, _expected_rows(marker))
    for name, pack in state.finished_packs.items():
        yield from _rows(contents, layout.packed_marker(name), pack.files, whole, {layout.PACKED: pack.images})


def check_packs(state: OutputState) -> Iterator[Finding]:
    """Every wave of the plan is packed, with all its images, where any is."""
    for wave in state.planned if state.packed else ():
        pack = state.packed.get(wave.wave)
        if pack is None:
            found = f"none; 'pack' again packs its {wave.counts.images} images"
            yield Finding(Kind.UNFINISHED, layout.packed_marker(wave.wave), "a marker", found)
        elif pack.images != wave.counts.images:
            expected = f"{wave.counts.images} images as the plan says"
            yield Finding(Kind.COUNTS, layout.packed_marker(wave.wave), expected, f"{pack.images}")


def _features(state: OutputState, facts: Facts, made_from: str, storage: StorageSettings) -> str:
    """The digest of the snapshot whose features were reduced, or why there is none.

    Equal features are the same, wherever they lie: an output may have been copied to another place.
    """
    own = state.snapshot
    if own is not None and own.digest == made_from:
        return made_from
    address = uri.normalise(facts.features or state.store.root)
    if address == state.store.root:
        return own.digest if own is not None else _UNKNOWN
    try:
        return load_snapshot(open_store(address, storage)).digest
    except DatasetError as error:
        return f"none: {error}"


def _expected_rows(marker: RoomMarker[Facts]) -> dict[str, int | None]:
    rows: dict[RoomName, dict[str, int | None]] = {
        "reduce": {layout.REDUCED: marker.facts_or_fail.rows},
        "classify": {layout.PREDICTIONS: marker.facts_or_fail.predictions},
    }
    return rows.get(marker.room, {})


def _rows(
    contents: Contents,
    marker: str,
    files: tuple[FileMark, ...],
    whole: AbstractSet[FileMark],
    expected: Mapping[str, int | None],
) -> Iterator[Finding]:
    """Damage of the files; the rows of the datasets in ``expected`` where none is damaged."""
    damaged = not all(file in whole for file in files)
    rows = dict.fromkeys(expected, 0)
    for one in contents.checked(file for file in files if file in whole):
        yield from one.findings
        damaged = damaged or bool(one.findings)
        if one.rows is not None and dataset_of(one.file) in rows:
            rows[dataset_of(one.file)] += len(one.rows)
    for dataset, found in rows.items():
        if not damaged and found != expected[dataset]:
            yield Finding(Kind.COUNTS, marker, f"{expected[dataset]} rows in {dataset}", f"{found}")
