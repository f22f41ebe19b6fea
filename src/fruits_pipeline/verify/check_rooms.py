"""Rooms and packs: finished, made from what stands there now, their files and their rows as their markers say."""

from collections import Counter
from collections.abc import Iterator
from collections.abc import Set as AbstractSet

from fruits_pipeline.errors import DatasetError
from fruits_pipeline.settings.storage import StorageSettings
from fruits_pipeline.state import layout
from fruits_pipeline.state.files import FileMark
from fruits_pipeline.state.room_marker import digest_of_sources
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
            yield Finding(Kind.UNFINISHED, key, f"{room} to be finished", f"it unfinished; {again}")
            continue
        if room in layout.MADE_FROM:
            what = f"the present {' and '.join(layout.MADE_FROM[room])}"
            present = digest_of_sources(room, state.rooms)
        else:
            what = f"the present features of {marker.facts.features}"
            present = _features(state, marker.facts, marker.made_from, storage)
        if present not in {marker.made_from, _UNKNOWN}:
            expected = f"{room} to be made from {what} ({present})"
            yield Finding(Kind.STALE, key, expected, f"it made from {marker.made_from}; {again}")


def check_samples(contents: Contents, whole: AbstractSet[FileMark]) -> Iterator[Finding]:
    """The columns of the smallest file of each dataset, but for manifests, which are all read elsewhere."""
    smallest: dict[str, FileMark] = {}
    for file in sorted(whole, key=lambda file: (file.length, file.key)):
        if schema_of(file) is not None:
            smallest.setdefault(layout.LABELS if file.key.startswith(layout.LABELS) else dataset_of(file), file)
    samples = [file for name, file in smallest.items() if name != layout.MANIFEST]
    for one in contents.checked(samples):
        yield from one.findings


def check_rows(contents: Contents, state: OutputState, whole: AbstractSet[FileMark]) -> Iterator[Finding]:
    """Every byte of the rooms and the packs, and their rows."""
    for room, marker in state.finished_rooms.items():
        found = _Found(contents, marker.files, whole)
        yield from found.findings()
        facts = marker.facts_or_fail
        dataset, rows = {
            "reduce": (layout.REDUCED, facts.rows),
            "classify": (layout.PREDICTIONS, facts.predictions),
            "score": (layout.PREDICTIONS, facts.predictions),
        }.get(room, ("", None))
        if rows is not None and found.is_whole and found.rows[dataset] != rows:
            again = f"delete its files, and '{layout.COMMANDS[room]}' makes it again"
            yield Finding(
                Kind.COUNTS, dataset, f"{rows} rows as when {room} wrote them", f"{found.rows[dataset]}; {again}"
            )
    for name, pack in state.finished_packs.items():
        found = _Found(contents, pack.files, whole)
        yield from found.findings()
        if found.is_whole and found.rows[layout.PACKED] != pack.images:
            expected = f"{pack.images} rows in {layout.PACKED}"
            yield Finding(Kind.COUNTS, layout.packed_marker(name), expected, f"{found.rows[layout.PACKED]}")


def check_packs(state: OutputState) -> Iterator[Finding]:
    """Every wave of the plan is packed, with all its images, where any is."""
    for wave in state.planned if state.packed else ():
        pack = state.packed.get(wave.wave)
        if pack is None:
            found = f"none; 'pack' again packs its {wave.counts.images} images"
            yield Finding(Kind.UNFINISHED, layout.packed_marker(wave.wave), "the record of a packed batch", found)
        elif pack.images != wave.counts.images:
            expected = f"{wave.counts.images} images as listed"
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


class _Found:
    """Files of one marker, read through: what is wrong with them, and the rows of each dataset."""

    def __init__(self, contents: Contents, files: tuple[FileMark, ...], whole: AbstractSet[FileMark]) -> None:
        self.rows: Counter[str] = Counter()
        self.is_whole = all(file in whole for file in files)
        self._checked = contents.checked(file for file in files if file in whole)

    def findings(self) -> Iterator[Finding]:
        """Reads the files; the rows are known at the end."""
        for one in self._checked:
            yield from one.findings
            self.is_whole = self.is_whole and not one.findings
            if one.rows is not None:
                self.rows[dataset_of(one.file)] += len(one.rows)
