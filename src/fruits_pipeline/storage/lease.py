"""A lease on a bucket by conditional writes: one holder, a heartbeat, takeover when the heartbeat stops.

A free lease is an absent or an empty object, so that nothing is ever deleted, and every step is one conditional
write. Whether a holder is alive is judged by its object changing while we watch, never by comparing two clocks.
A holder that hung may still write until its next heartbeat finds the lease gone.
"""

import logging
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from pydantic import BaseModel, ConfigDict, ValidationError

from fruits_pipeline.errors import StorageError

log = logging.getLogger(__name__)

FREE = b""


class Versioned(Protocol):
    """Compare and swap on one object; a version is an S3 ETag or a GCS generation."""

    root: str
    # One that no object has.
    no_version: str

    def read_versioned(self, key: str) -> tuple[bytes, str] | None:
        """The object's content and version; None where there is none."""
        ...

    def replace_if(self, key: str, content: bytes, version: str | None) -> str | None:
        """Puts ``content`` there if the object has that version (None: if there is none).

        Gives the new version, or None where the object has another one.
        """
        ...


@dataclass(frozen=True)
class LeaseTiming:
    """Seconds between heartbeats, between looks at another's lease, and until an unchanged one is stale."""

    heartbeat_s: float = 10.0
    look_s: float = 2.0
    stale_s: float = 30.0
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


class Note(BaseModel):
    """What stands in a held lease; ``place`` names the host, its boot and the namespace that ``pid`` belongs to."""

    model_config = ConfigDict(frozen=True)

    owner: str
    place: str
    pid: int
    token: str
    beat: int = 0
    written: str = ""

    def encoded(self, beat: int) -> bytes:
        """The note of this heartbeat, as JSON; no two are equal."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        return self.model_copy(update={"beat": beat, "written": now}).model_dump_json().encode()


class Lease:
    """One held lease, kept by a thread of its own until ``release``."""

    def __init__(self, store: Versioned, key: str, note: Note, version: str, timing: LeaseTiming) -> None:
        self.lost = False
        self._store, self._key, self._note, self._version, self._timing = store, key, note, version, timing
        self._beat = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="lease", daemon=True)
        self._thread.start()

    def check(self) -> None:
        """Raises where another job has taken the lease.

        Raises:
            StorageError: Then.
        """
        if self.lost:
            raise StorageError(
                f"expected to be the only writer of {self._store.root}, found its lease {self._key} taken by another "
                "job, because this one was held up for too long; when the other has ended, start the same command "
                "again: it resumes"
            )

    def release(self) -> None:
        """Ends the heartbeat and frees the lease; where storage fails, the lease is left to grow stale."""
        self._ended.set()
        self._thread.join()
        if not self.lost:
            self._write(FREE)

    def _keep(self) -> None:
        while not self.lost and not self._ended.wait(self._timing.heartbeat_s):
            self._beat += 1
            self._write(self._note.encoded(self._beat))

    def _write(self, content: bytes) -> None:
        """Writes conditionally; where that fails, the lease is left to grow stale."""
        try:
            while (version := self._store.replace_if(self._key, content, self._version)) is None:
                # Refused, perhaps because the answer to an earlier write of ours got lost.
                found = self._store.read_versioned(self._key)
                if found is None or self._note.token not in found[0].decode(errors="replace"):
                    self.lost = found is None or found[0] != content
                    break
                self._version = found[1]
            else:
                self._version = version
        except StorageError as error:
            log.warning("lease not renewed: %s", error)
        if self.lost:
            log.error("lost lease=%s of root=%s to another job", self._key, self._store.root)


@contextmanager
def holding(store: Versioned, key: str, owner: str, timing: LeaseTiming) -> Iterator[Lease | str]:
    """Gives our lease for the length of the block, or the text of the owner who holds it and is alive.

    Raises:
        StorageError: When storage fails, when it ignores preconditions, or at the end when the lease was lost.
    """
    note = Note(owner=owner, place=place(), pid=os.getpid(), token=uuid.uuid4().hex)
    taken = _take(store, key, note, timing)
    if not isinstance(taken, _Taken):
        yield taken
        return
    lease = Lease(store, key, note, taken.version, timing)
    try:
        yield lease
    finally:
        lease.release()
    lease.check()


@dataclass(frozen=True)
class _Taken:
    version: str


def _take(store: Versioned, key: str, note: Note, timing: LeaseTiming) -> _Taken | str:
    """Takes the lease when it is free, stale, or of a dead process on this machine; else gives its live owner."""
    watched: str | None = None
    since_s = timing.clock()
    while True:
        found = store.read_versioned(key)
        content, version = found or (FREE, None)
        if _is_free(content, note) or (version == watched and timing.clock() - since_s >= timing.stale_s):
            new = store.replace_if(key, note.encoded(0), version)
            if new is not None:
                _refuse_without_preconditions(store, key, note)
                return _Taken(new)
        elif watched is None:
            watched, since_s = version, timing.clock()
            log.info("wait for the lease of root=%s: %s", store.root, _owner(content))
        elif version != watched:
            return _owner(content)
        timing.sleep(timing.look_s)


def _is_free(content: bytes, ours: Note) -> bool:
    """Whether nobody holds the lease: empty, ours already, or of a process that ended on this machine."""
    other = _parsed(content)
    if content == FREE or (other is not None and other.token == ours.token):
        return True
    return other is not None and other.place == ours.place and not _is_alive(other.pid)


def _refuse_without_preconditions(store: Versioned, key: str, note: Note) -> None:
    """Raises where the store overwrites what it was told not to, for then two jobs could hold one lease."""
    if any(store.replace_if(key, note.encoded(0), version) is not None for version in (None, store.no_version)):
        raise StorageError(
            f"expected a store that keeps preconditions (If-None-Match, If-Match), found one at {store.root} that "
            "ignores them, so that two jobs could write there at once; take an --output-uri on another server"
        )


def place() -> str:
    """This machine, as far as process ids mean the same: two containers of one name are two places."""
    parts = [socket.gethostname()]
    with suppress(OSError):  # because only Linux has these
        parts += [
            Path("/proc/sys/kernel/random/boot_id").read_text().strip(),
            str(Path("/proc/self/ns/pid").readlink()),
        ]
    return " ".join(parts)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # because it is somebody else's
        pass
    return True


def _parsed(content: bytes) -> Note | None:
    try:
        return Note.model_validate_json(content)
    except ValidationError:
        return None


def _owner(content: bytes) -> str:
    note = _parsed(content)
    return note.owner if note else content[:200].decode(errors="replace")
