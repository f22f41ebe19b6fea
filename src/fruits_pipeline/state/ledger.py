"""The rule of resume: what stands in the output, whether it is ours, and what may be kept or replaced.

Equal fingerprint and finished: keep. Equal and unfinished: resume. Different: refuse, or replace on request.
Only files that a marker names, or that Spark left in a folder that a marker claims, are ever deleted.
"""

import logging
from enum import Enum

from pydantic import JsonValue

from fruits_pipeline.errors import DatasetError
from fruits_pipeline.state import layout, marker
from fruits_pipeline.state.fingerprint import Fingerprint
from fruits_pipeline.state.marker import RoomMarker, WaveMarker
from fruits_pipeline.storage.store import Store

log = logging.getLogger(__name__)


class Verdict(Enum):
    """What a room has to do."""

    FRESH = "fresh"
    RESUME = "resume"
    DONE = "done"


class Ledger:
    """The markers of one output."""

    def __init__(self, store: Store, *, overwrite: bool) -> None:
        """With ``overwrite``, rooms made with other settings are replaced rather than refused."""
        self._store = store
        self._overwrite = overwrite

    def marker(self, room: str) -> RoomMarker | None:
        """The room's marker, if it has begun."""
        return marker.load(self._store, layout.room_marker(room), RoomMarker)

    def finished(self, room: str) -> RoomMarker:
        """The marker of a finished room.

        Raises:
            DatasetError: When the room is not finished.
        """
        found = self.marker(room)
        if found is None or not found.finished:
            state = "unfinished" if found else "none"
            raise DatasetError(
                f"expected finished {room} under {self._store.root}, found {state}; "
                f"run 'extract' or 'run' with this --output-uri first"
                if room in ("ingest", "features")
                else f"expected finished {room} under {self._store.root}, found {state}; run '{room}' first"
            )
        return found

    def check(self, wanted: dict[str, dict[str, JsonValue]]) -> None:
        """Refuses before any work what would be refused later.

        Raises:
            DatasetError: When a room has other settings and may not be replaced, or a folder holds foreign files.
        """
        faults = []
        for room, settings in wanted.items():
            found = self.marker(room)
            if found is None:
                self._refuse_foreign(room)
            elif found.fingerprint.settings != settings:
                wanted_print = Fingerprint(settings=settings, input=found.fingerprint.input)
                faults += [f"{room}: {change}" for change in wanted_print.differing(found.fingerprint)]
        if faults and not self._overwrite:
            raise self._different(faults)

    def begin(self, room: str, fingerprint: Fingerprint) -> Verdict:
        """What the room has to do; leaves a marker that claims its folders.

        Raises:
            DatasetError: When the room has another fingerprint and may not be replaced.
        """
        found = self.marker(room)
        if found is not None and found.fingerprint.digest != fingerprint.digest:
            changes = [f"{room}: {change}" for change in fingerprint.differing(found.fingerprint)]
            if not self._overwrite:
                raise self._different(changes)
            log.info("replace room=%s because %s", room, "; ".join(changes))
            self.clear_from(room)
            found = None
        if found is not None and found.finished and self._intact(found):
            return Verdict.DONE
        if found is None:
            self._refuse_foreign(room)
        begun = found.model_copy(update={"finished": False}) if found else None
        self._save(begun or RoomMarker(room=room, fingerprint=fingerprint))
        return Verdict.RESUME if found else Verdict.FRESH

    def finish(self, room: str, facts: dict[str, JsonValue], result: str = "") -> None:
        """Marks the room finished, with its files, what it found, and the digest of its result."""
        begun = self.marker(room)
        if begun is None:
            raise self._not_begun(room)
        files = () if room == "features" else marker.marks(self._store, layout.OWNED[room])
        result = result or begun.fingerprint.digest
        self._save(begun.model_copy(update={"finished": True, "facts": facts, "files": files, "result": result}))

    def note(self, room: str, folder: str) -> None:
        """Marks one folder of a room that has begun: a room that is resumed need not write it again."""
        begun = self.marker(room)
        if begun is None:
            raise self._not_begun(room)
        known = {file.key: file for file in (*begun.files, *marker.marks(self._store, (folder,)))}
        self._save(begun.model_copy(update={"files": tuple(known.values())}))

    def holds(self, room: str, folder: str) -> bool:
        """Whether the room's marker has files of ``folder``, and all of them are there as it says."""
        found = self.marker(room)
        files = [file for file in found.files if file.key.startswith(f"{folder}/")] if found else []
        return bool(files) and all(self._has(file.key, file.length) for file in files)

    def clear_from(self, room: str) -> None:
        """Deletes the room's results and those downstream of it."""
        for name in reversed(layout.from_room(room)):
            self.clear(name)
            self._store.delete([layout.room_marker(name)])

    def clear(self, room: str) -> None:
        """Deletes the files of one room that has begun, and nothing else in its folders."""
        found = self.marker(room)
        if found is None:
            return
        self._store.delete(file.key for file in found.files)
        if room == "features":
            for wave in self.waves():
                self.drop_wave(wave)
        self.sweep(layout.OWNED[room])

    def sweep(self, folders: tuple[str, ...]) -> None:
        """Deletes what Spark left in folders that are ours."""
        for folder in folders:
            self._store.delete(
                [found.key for found in self._store.objects(folder) if marker.BY_SPARK.search(found.key)]
            )

    def waves(self) -> list[WaveMarker]:
        """The markers of all finished waves, in order."""
        keys = [found.key for found in self._store.objects(layout.WAVES) if found.key.endswith(".json")]
        loaded = (marker.load(self._store, key, WaveMarker) for key in keys)
        return [wave for wave in loaded if wave is not None]

    def mark_wave(self, wave: WaveMarker) -> None:
        """Marks a wave finished."""
        marker.save(self._store, layout.wave_marker(wave.wave), wave)

    def drop_wave(self, wave: WaveMarker) -> None:
        """Deletes a finished wave: first its marker, then the files that it names."""
        self._store.delete([layout.wave_marker(wave.wave)])
        self._store.delete(file.key for file in wave.files)

    def wave_intact(self, wave: WaveMarker) -> bool:
        """Whether the wave's files have the lengths that its marker gives."""
        return all(self._has(file.key, file.length) for file in wave.files)

    def _intact(self, found: RoomMarker) -> bool:
        broken = [file.key for file in found.files if not self._has(file.key, file.length)]
        if broken:
            log.warning("redo room=%s because %s is gone or has another length", found.room, broken[0])
        return not broken

    def _has(self, key: str, length: int) -> bool:
        found = self._store.stat(key)
        return found is not None and found.length == length

    def _save(self, room: RoomMarker) -> None:
        marker.save(self._store, layout.room_marker(room.room), room)

    def _refuse_foreign(self, room: str) -> None:
        for folder in layout.OWNED[room]:
            found = next(self._store.objects(folder), None)
            if found is not None:
                raise DatasetError(
                    f"expected {self._store.root}/{folder} to be empty or ours, found {found.key!r} without a marker; "
                    "take another --output-uri, or move that folder away"
                )

    def _not_begun(self, room: str) -> DatasetError:
        return DatasetError(f"expected a begun room {room} under {self._store.root}, found no marker; start again")

    def _different(self, changes: list[str]) -> DatasetError:
        return DatasetError(
            f"expected the settings that the results under {self._store.root} were made with, "
            f"found others: {'; '.join(changes)}; "
            "use those settings, take another --output-uri, or replace the results with --overwrite"
        )
