"""Rooms that are made as a whole (reduced, exports, classifiers): kept, made again, refused or replaced.

Same settings and same input: kept. Another input, such as a grown source: made again. Other settings: refused, or
replaced on request. Whatever is made again removes first what was made from it.
"""

import logging
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from fruits_pipeline.errors import DatasetError
from fruits_pipeline.state import layout
from fruits_pipeline.state.files import listed, marks, refuse_foreign, sweep
from fruits_pipeline.state.fingerprint import Essentials, differences
from fruits_pipeline.state.layout import RoomName
from fruits_pipeline.state.room_marker import AnyFacts, RoomMarker
from fruits_pipeline.storage.store import Store

log = logging.getLogger(__name__)

_F = TypeVar("_F", bound=BaseModel)


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
                f"expected the record of {room} at {self._store.root}/{key}, found something else "
                f"({error.error_count()} faults); take another --output-uri, or delete this output"
            ) from error

    def finished(self, room: RoomName, facts: type[_F], made_from: str | None = None) -> RoomMarker[_F]:
        """The marker of a finished room, made from ``made_from`` where that is given.

        Raises:
            DatasetError: When the room is not finished, is damaged, or was made from something else.
        """
        found = self.marker(room, facts)
        state = (
            "none"
            if found is None
            else "unfinished ones"
            if found.facts is None
            else "those of earlier images or labels"
        )
        if found is not None and found.facts is not None and (broken := self._broken(found)):
            state = f"some whose file {broken} is gone or has another length"
            found = None
        if found is None or found.facts is None or (made_from is not None and found.made_from != made_from):
            raise DatasetError(
                f"expected {layout.RESULTS[room]} of the present images under {self._store.root}, found {state}; "
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
                    f"expected no results of '{rival}' under {self._store.root}, found some: 'run' and 'score' need "
                    "outputs of "
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
                f"found changed ones (before -> now): {'; '.join(changes)}; "
                "use the settings from before, take another --output-uri, or replace the results with --overwrite"
            )

    def kept(self, room: RoomName, settings: Essentials, made_from: str, facts: type[_F]) -> RoomMarker[_F] | None:
        """The marker of a finished room that may be kept, or None; nothing is touched."""
        found = self.marker(room, facts)
        if found is None or found.facts is None or self._why_again(found, settings, made_from, found.labels):
            return None
        return found

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
                log.info("keep step=%s because neither its settings nor what it is made from have changed", room)
                return found
            log.info("repeat step=%s because %s", room, why)
        if found is not None:
            models = [folder for folder in layout.OWNED[room] if folder.startswith(f"{layout.MODELS}/")]
            refuse_foreign(self._store, models, only_others=True)
        self._save(RoomMarker[AnyFacts](room=room, made_from=made_from, settings=settings, labels=labels))
        for dependant in layout.dependants(room):
            if self.remove(dependant):
                self.removed.append(dependant)
                log.warning("removed %s, because the %s that they were made from change", *_results(dependant, room))
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
            raise DatasetError(
                f"expected the record of {room} under {self._store.root}, found none; start the same command again"
            )
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
            return f"its settings changed (before -> now): {'; '.join(changes)}"
        if found.made_from != made_from:
            what = "results that it is made from" if found.room in layout.MADE_FROM else "images or labels"
            return f"the {what} changed since the last run"
        if found.labels != labels:
            return "the table of --labels changed since the last run"
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


def _results(*rooms: RoomName) -> list[str]:
    return [layout.RESULTS[room] for room in rooms]
