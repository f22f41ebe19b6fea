"""A lease on a bucket by conditional writes: one holder, a heartbeat, takeover when the heartbeat stops.

A free lease is an absent or an empty object, so that nothing is ever deleted, and every step is one conditional
write. Other jobs judge whether a holder is alive by its object changing while they watch, for ``stale_s``; a holder
that could not renew it regards the lease as lost ``margin_s`` before that. No two machines' clocks are compared.
"""

import logging
import os
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import TracebackType
from typing import Self

from fruits_pipeline.errors import StorageError
from fruits_pipeline.storage.lease_note import FREE, Note, place
from fruits_pipeline.storage.lease_taking import LeaseTiming, Taken, Versioned, take

log = logging.getLogger(__name__)

_RESUME = "start the same command again: it resumes"


class Lease:
    """A lease that is held while the block runs: one thread renews it, another watches the clock.

    It is lost for good when another job took it, or when no renewal succeeded in time.
    """

    def __init__(self, store: Versioned, key: str, note: Note, taken: Taken, timing: LeaseTiming) -> None:
        """``store`` is asked by the heartbeat alone, and gives up soon."""
        self._store, self._key, self._note, self._timing = store, key, note, timing
        self._version, self._renewed_s = taken.version, taken.since_s
        self._beat = 0
        self._fault = ""
        self._callbacks: list[Callable[[], None]] = []
        self._called = False
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._heart = threading.Thread(target=self._keep, name="lease-heartbeat", daemon=True)
        self._watch = threading.Thread(target=self._watch_clock, name="lease-clock", daemon=True)

    @property
    def lost(self) -> bool:
        """Whether another job has the lease, or may have it by now."""
        unrenewed_s = self._timing.clock() - self._renewed_s
        if unrenewed_s >= self._timing.lost_s and not self._ended.is_set():
            self._lose(
                f"expected to renew the lock {self._key} of {self._store.root}, found no answer from storage for "
                f"{self._timing.lost_s:g} s, so that another job may take it; check the network and the server, "
                f"then {_RESUME}"
            )
        return bool(self._fault)

    def check(self) -> None:
        """Raises where the lease is lost; this compares the clock, because the heartbeat may be stuck in a request.

        Raises:
            StorageError: Then.
        """
        if self.lost:
            raise StorageError(self._fault)

    def on_loss(self, callback: Callable[[], None]) -> None:
        """``callback`` runs once, in another thread, when the lease is lost; at once where it was lost before."""
        with self._lock:
            if not self._called:
                self._callbacks.append(callback)
                return
        callback()

    def __enter__(self) -> Self:
        """Starts both threads."""
        self._heart.start()
        self._watch.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Ends the heartbeat and frees the lease; where storage fails, the lease is left to grow stale.

        Raises:
            StorageError: When the lease was lost, from what ended the block; an interrupt is left as it is.
        """
        _ = self.lost
        self._ended.set()
        self._heart.join(2 * self._timing.request_s + self._timing.look_s)
        if not self._heart.is_alive():  # because it may be stuck in a request
            self._renew(FREE)
        if self._fault and (error is None or isinstance(error, Exception)):
            raise StorageError(self._fault) from error

    def _keep(self) -> None:
        renewed = True
        while not self._ended.wait(self._timing.heartbeat_s if renewed else self._timing.look_s) and not self.lost:
            self._beat += 1
            renewed = self._renew(self._note.encoded(self._beat))

    def _watch_clock(self) -> None:
        """Runs the callbacks when the lease is lost, all of them even where one fails."""
        while not self._ended.wait(self._timing.watch_s) and not self.lost:
            pass
        if not self._fault:
            return
        with self._lock:
            self._called = True
        with ExitStack() as stack:
            for callback in reversed(self._callbacks):
                stack.callback(callback)

    def _renew(self, content: bytes) -> bool:
        """Writes conditionally; False where that failed, or another job has the lease."""
        since_s = self._timing.clock()
        try:
            while (version := self._store.replace_if(self._key, content, self._version)) is None:
                # Refused, perhaps because the answer to an earlier write of ours got lost.
                found = self._store.read_versioned(self._key)
                if found is None or self._note.token not in found[0].decode(errors="replace"):
                    if found is None or found[0] != content:
                        self._lose(
                            f"expected to be the only writer of {self._store.root}, found its lock {self._key} taken "
                            "by another job, because this one was held up for too long; when the other has ended, "
                            f"{_RESUME}"
                        )
                    return False
                self._version = found[1]
        except StorageError as error:
            log.warning("could not renew the lock of the output (it is tried again): %s", error)
            return False
        self._version, self._renewed_s = version, since_s
        return True

    def _lose(self, fault: str) -> None:
        """Notes the first reason."""
        with self._lock:
            if not self._fault:
                self._fault = fault
                log.error("lost the lock=%s of output=%s: %s", self._key, self._store.root, fault)


@contextmanager
def holding(
    store: Versioned, heartbeats: Versioned, key: str, owner: str, timing: LeaseTiming
) -> Iterator[Lease | str]:
    """Gives our lease for the length of the block, or the text of the owner who holds it and is alive.

    ``store`` takes the lease, with patience; ``heartbeats`` is the same storage by requests that give up soon.

    Raises:
        StorageError: When storage fails, when it ignores preconditions, or at the end when the lease was lost.
    """
    note = Note(owner=owner, place=place(), pid=os.getpid(), token=uuid.uuid4().hex)
    taken = take(store, key, note, timing)
    if isinstance(taken, str):
        yield taken
        return
    with Lease(heartbeats, key, note, taken, timing) as lease:
        yield lease
