"""Files of an output that are missing, damaged, left over, or somebody else's; by one listing of each folder."""

from collections.abc import Iterator, Mapping

from fruits_pipeline.state import layout
from fruits_pipeline.state.files import FileMark, is_data, is_ours, listed
from fruits_pipeline.state.layout import RoomName
from fruits_pipeline.state.upkeep import named_keys
from fruits_pipeline.storage.store import Store
from fruits_pipeline.verify.findings import Finding, Kind
from fruits_pipeline.verify.output_state import OutputState

FOLDERS = (
    *layout.BY_WAVE,
    layout.REDUCED,
    layout.PREDICTIONS,
    layout.MODELS,
    layout.EVALUATION,
    layout.EXPORTS,
    layout.LABELS,
    layout.REPORT,
)


def listed_lengths(store: Store) -> dict[str, int]:
    """The length in bytes of every file in the output's folders, and of the page, by key."""
    return {found.key: found.length for found in listed(store, FOLDERS)}


def whole_files(state: OutputState, lengths: Mapping[str, int]) -> frozenset[FileMark]:
    """The files that must be there, and are there with their length."""
    return frozenset(file for file in state.files if lengths.get(file.key) == file.length)


def check_files(state: OutputState, lengths: Mapping[str, int]) -> Iterator[Finding]:
    """Compares what the state names with what is there."""
    files = state.files
    for file, owner in files.items():
        length = lengths.get(file.key)
        if length is None:
            yield Finding(Kind.MISSING, file.key, f"{file.length} bytes as {owner} says", "no such file")
        elif length != file.length:
            yield Finding(Kind.LENGTH, file.key, f"{file.length} bytes as {owner} says", f"{length}")
    for key, number in state.leftovers.items():
        found = f"a leftover with {number} files; the next 'run' or 'extract' removes it"
        yield Finding(Kind.LEFTOVER, key, "a batch of the present images", found)
    named = {file.key for file in files} | named_keys((), state.waves.values(), state.packed.values())
    for key in sorted(lengths.keys() - named):
        yield _unnamed(state, key)


def _unnamed(state: OutputState, key: str) -> Finding:
    expected = "a record in _state that names it"
    if not is_ours(key):
        return Finding(Kind.FOREIGN, key, expected, "a file that fruits-pipeline did not write")
    if key.partition("/")[0] in layout.BY_WAVE:
        return _of_no_wave(state, key, expected)
    folder, room = _owner(state, key)
    if room is None or room not in state.rooms:
        return Finding(Kind.FOREIGN, key, expected, "none")
    is_read = not any(part.startswith((".", "_")) for part in key.removeprefix(f"{folder}/").split("/"))
    if room in state.finished_rooms and is_read:
        return Finding(Kind.FOREIGN, key, expected, f"that of {room}, which does not")
    return Finding(Kind.LEFTOVER, key, expected, f"a leftover; making {room} again removes it")


def _of_no_wave(state: OutputState, key: str, expected: str) -> Finding:
    """A file in a folder of waves: that of a finished output would be read by whoever reads the whole folder."""
    if state.plan is None:
        return Finding(Kind.FOREIGN, key, expected, "none, and no list of batches")
    if state.snapshot is not None and is_data(key):
        return Finding(Kind.STRAY, key, expected, "none; readers of the whole folder take it for data")
    return Finding(Kind.LEFTOVER, key, expected, "a leftover; the next 'run' or 'extract' removes it")


def _owner(state: OutputState, key: str) -> tuple[str, RoomName | None]:
    """The folder of a room that a file lies in, and the room: of two that share it, the one that there is."""
    owners = ((folder, room) for room, folders in layout.OWNED.items() for folder in folders)
    found = [(folder, room) for folder, room in owners if f"{key}/".startswith(f"{folder}/")]
    return next((one for one in found if one[1] in state.rooms), next(iter(found), ("", None)))
