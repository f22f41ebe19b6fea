"""Rooms that are made as a whole (reduced, exports, classifiers): kept, made again, refused or replaced.

Same settings and same input: kept. Another input, such as a grown source: made again. Other settings: refused, or
replaced on request. Whatever is made again removes first what was made from it.
"""

import logging
from collections.abc import Mapping
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from fruits_pipeline.errors import DatasetError
from fruits_pipeline.state import layout
from fruits_pipeline.state.files import FileMark, listed, marks, refuse_foreign, sweep
from fruits_pipeline.state.fingerprint import Essentials, differences, digest_of
from fruits_pipeline.state.layout import RoomName
from fruits_pipeline.storage import uri
from fruits_pipeline.storage.store import Store

log = logging.getLogger(__name__)

_F = TypeVar("_F", bound=BaseModel)


class RoomMarker(BaseModel, Generic[_F]):
    """One room: what it is made from, with which settings, what it found, and its files.

    Attributes:
        room: Its name.
        made_from: The digest of its input.
        settings: Those that change its result.
        labels: The digest of the user's table of labels, when there is one.
        facts: What it found; None until it is finished.
        files: All its files; none until it is finished.
    """

    model_config = ConfigDict(frozen=True)

    room: RoomName
    made_from: str
    settings: Essentials
    labels: str | None = None
    facts: _F | None = None
    files: tuple[FileMark, ...] = ()

    @property
    def digest(self) -> str:
        """What rooms that are made from this one depend on."""
        return digest_of(self.model_dump(mode="json", include={"room", "made_from", "settings", "labels"}))

    @property
    def facts_or_fail(self) -> _F:
        """What it found.

        Raises:
            DatasetError: When it is not finished.
        """
        if self.facts is None:
            raise DatasetError(f"expected a finished room {self.room}, found an unfinished one; start again")
        return self.facts

    def of(self, root: str, folder: str) -> list[str]:
        """The addresses of the Parquet files of one of its folders."""
        return [uri.join(root, file.key) for file in self.files if file.is_data and file.key.startswith(f"{folder}/")]


def digest_of_sources(room: RoomName, markers: Mapping[RoomName, RoomMarker[Any] | None]) -> str:
    """What ``room`` is made from, by the markers of the rooms that ``layout.MADE_FROM`` names.

    The digest of the only one, or that of all of them; ``none`` stands for a room that there is not.
    """
    found = [markers.get(source) for source in layout.MADE_FROM[room]]
    digests: list[JsonValue] = ["none" if marker is None else marker.digest for marker in found]
    return str(digests[0]) if len(digests) == 1 else digest_of({"made_from": digests})


class Rooms:
    """The markers of one output's rooms."""

    def __init__(self, store: Store, *, overwrite: bool) -> None:
        """With ``overwrite``, rooms made with other settings are replaced rather than refused."""
        self._store = store
        self._overwrite = overwrite
        self.removed: list[RoomName] = []
        """Rooms that were removed because what they were made from is made again, and that were not made since."""

    def marker(self, room: RoomName, facts: type[_F]) -> RoomMarker[_F] | None:
        """The room's marker, if it has begun.

        Raises:
            DatasetError: When what stands there is no such marker.
        """
        key = layout.room_marker(room)
        if self._store.stat(key) is None:
            return None
        try:
            return RoomMarker[facts].model_validate_json(self._store.read(key))  # type: ignore[valid-type] # because mypy takes no variable there
        except ValidationError as error:
            raise DatasetError(
                f"expected a marker of {room} at {self._store.root}/{key}, found something else "
                f"({error.error_count()} faults); take another --output-uri, or delete this output"
            ) from error

    def finished(self, room: RoomName, facts: type[_F], made_from: str | None = None) -> RoomMarker[_F]:
        """The marker of a finished room, made from ``made_from`` where that is given.

        Raises:
            DatasetError: When the room is not finished, is damaged, or was made from something else.
        """
        found = self.marker(room, facts)
        state = "none" if found is None else "unfinished" if found.facts is None else "one of an older snapshot"
        if found is not None and found.facts is not None and (broken := self._broken(found)):
            state = f"one whose file {broken} is gone or has another length"
            found = None
        if found is None or found.facts is None or (made_from is not None and found.made_from != made_from):
            raise DatasetError(
                f"expected finished {room} of the present features under {self._store.root}, found {state}; "
                f"run '{layout.COMMANDS[room]}' first"
            )
        return found

    def check(self, room: RoomName, settings: Essentials) -> None:
        """Refuses before any work what would be refused later.

        Raises:
            DatasetError: When the room has other settings and may not be replaced, a folder holds foreign files, or
                another room owns it.
        """
        for rival in layout.rivals(room):
            if self.marker(rival, AnyFacts) is not None:
                raise DatasetError(
                    f"expected no {rival} under {self._store.root}, found it: a run and a 'score' need outputs of "
                    "their own; take another --output-uri"
                )
        found = self.marker(room, AnyFacts)
        if found is None:
            refuse_foreign(self._store, layout.OWNED[room])
        elif found.facts is not None and not self._overwrite:
            self.refuse_changes([f"{room}: {change}" for change in differences(found.settings, settings)])

    def refuse_changes(self, changes: list[str]) -> None:
        """Raises where there are changes of settings that may not replace what stands there.

        Raises:
            DatasetError: Then.
        """
        if changes and not self._overwrite:
            raise DatasetError(
                f"expected the settings that the results under {self._store.root} were made with, "
                f"found others: {'; '.join(changes)}; "
                "use those settings, take another --output-uri, or replace the results with --overwrite"
            )

    def begin(
        self, room: RoomName, settings: Essentials, made_from: str, facts: type[_F], labels: str | None = None
    ) -> RoomMarker[_F] | None:
        """The room's marker where it may be kept; else None, its folders emptied, and all that was made from it.

        Raises:
            DatasetError: As ``check``, and when a file that no marker names lies where a model is to be saved.
        """
        self.check(room, settings)
        found = self.marker(room, facts)
        if found is not None and found.facts is not None:
            why = self._why_again(found, settings, made_from, labels)
            if why is None:
                log.info("keep room=%s because its settings and its input are the same", room)
                return found
            log.info("make again room=%s because %s", room, why)
        if found is not None:
            models = [folder for folder in layout.OWNED[room] if folder.startswith(f"{layout.MODELS}/")]
            refuse_foreign(self._store, models, only_others=True)
        self._save(RoomMarker[AnyFacts](room=room, made_from=made_from, settings=settings, labels=labels))
        for dependant in layout.dependants(room):
            if self.remove(dependant):
                self.removed.append(dependant)
                log.warning("removed room=%s because it was made from the %s before", dependant, room)
        sweep(self._store, layout.OWNED[room])
        if room in self.removed:
            self.removed.remove(room)
        return None

    def finish(self, room: RoomName, facts: _F) -> RoomMarker[_F]:
        """Marks the room finished, with its files and what it found.

        Raises:
            DatasetError: When it has not begun.
        """
        begun = self.marker(room, type(facts))
        if begun is None:
            raise DatasetError(f"expected a begun room {room} under {self._store.root}, found no marker; start again")
        done = begun.model_copy(update={"facts": facts, "files": marks(self._store, layout.OWNED[room])})
        self._save(done)
        return done

    def stale(self, made_from: str) -> list[RoomName]:
        """The rooms that were made from another snapshot than the one with this digest, and those made from them."""
        found = {room: self.marker(room, AnyFacts) for room in layout.OWNED if room not in layout.MADE_FROM}
        first = [room for room, marker in found.items() if marker is not None and marker.made_from != made_from]
        rooms = (name for room in first for name in (room, *reversed(layout.dependants(room))))
        return [room for room in rooms if self.marker(room, AnyFacts) is not None]

    def _why_again(self, found: RoomMarker[_F], settings: Essentials, made_from: str, labels: str | None) -> str | None:
        changes = differences(found.settings, settings)
        if changes:
            return f"its settings are others: {'; '.join(changes)}"
        if found.made_from != made_from:
            return "its input has changed since"
        if found.labels != labels:
            return "its table of labels has changed since"
        broken = self._broken(found)
        return f"{broken} is gone or has another length" if broken else None

    def _broken(self, found: RoomMarker[_F]) -> str | None:
        """The first of the room's files that is gone or has another length."""
        lengths = {file.key: file.length for file in listed(self._store, layout.OWNED[found.room])}
        return next((file.key for file in found.files if lengths.get(file.key) != file.length), None)

    def remove(self, room: RoomName) -> bool:
        """Removes a room that has begun; its marker goes last, since it says that the files are ours."""
        found = self.marker(room, AnyFacts)
        if found is None:
            return False
        self._save(found.model_copy(update={"facts": None}))
        sweep(self._store, layout.OWNED[room])
        self._store.delete([layout.room_marker(room)])
        return True

    def _save(self, marker: RoomMarker[_F]) -> None:
        self._store.write(layout.room_marker(marker.room), marker.model_dump_json(indent=1).encode())


class AnyFacts(BaseModel):
    """Facts of a room of which only settings and files are of interest."""

    model_config = ConfigDict(frozen=True, extra="allow")
