"""Taking a lease by conditional writes: when it is free, stale, or of a process that is known to be dead."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from fruits_pipeline.errors import StorageError
from fruits_pipeline.storage.lease_note import FREE, Note, is_free, owner_of

log = logging.getLogger(__name__)

_clock = partial(time.clock_gettime, getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


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
    """Seconds of a lease; ``clock`` goes on while the machine sleeps, where the system has such a clock.

    Attributes:
        heartbeat_s: Between renewals that succeed.
        look_s: Between looks at another's lease, and between a renewal that failed and the next.
        stale_s: Another's lease that has not changed for so long is taken over.
        margin_s: Our own is lost so long before that, counted from the start of the last renewal that succeeded.
        request_s: Longest wait for a connection, and for the answer, of a renewal.
        watch_s: Between looks at the clock.
    """

    heartbeat_s: float = 10.0
    look_s: float = 2.0
    stale_s: float = 30.0
    margin_s: float = 3.0
    request_s: float = 4.0
    watch_s: float = 0.5
    clock: Callable[[], float] = _clock
    sleep: Callable[[float], None] = time.sleep

    @property
    def lost_s(self) -> float:
        """A lease that was not renewed for so long is lost."""
        return self.stale_s - self.margin_s


@dataclass(frozen=True)
class Taken:
    """The version of our lease's object, and when the write that made it began."""

    version: str
    since_s: float


def take(store: Versioned, key: str, note: Note, timing: LeaseTiming) -> Taken | str:
    """Takes the lease when it is free, stale, or of a dead process on this machine; else gives its live owner."""
    watched: str | None = None
    since_s = timing.clock()
    while True:
        found = store.read_versioned(key)
        content, version = found or (FREE, None)
        now_s = timing.clock()
        if is_free(content, note) or (version == watched and now_s - since_s >= timing.stale_s):
            new = store.replace_if(key, note.encoded(0), version)
            if new is not None:
                _refuse_without_preconditions(store, key, note)
                return Taken(new, now_s)
        elif watched is None:
            watched, since_s = version, now_s
            log.info(
                "another job has the lock of output=%s; waiting up to half a minute for a sign of life from it: %s",
                store.root,
                owner_of(content),
            )
        elif version != watched:
            return owner_of(content)
        timing.sleep(timing.look_s)


def _refuse_without_preconditions(store: Versioned, key: str, note: Note) -> None:
    """Raises where the store overwrites what it was told not to, for then two jobs could hold one lease."""
    if any(store.replace_if(key, note.encoded(0), version) is not None for version in (None, store.no_version)):
        raise StorageError(
            f"expected a store that keeps preconditions (If-None-Match, If-Match), found one at {store.root} that "
            "ignores them, so that two jobs could write there at once; take an --output-uri on another server"
        )
