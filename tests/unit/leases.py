"""A lease on a store in memory, and a clock that goes on only while somebody sleeps."""

import itertools
import time
from contextlib import contextmanager

import pytest

from fruits_pipeline.errors import StorageError
from fruits_pipeline.storage.lease import holding
from fruits_pipeline.storage.lease_note import Note
from fruits_pipeline.storage.lease_taking import LeaseTiming

KEY = "_state/lease"
THEIRS = "theirs"
# No clock begins at 0: a difference of times is no sum of them.
START_S = 1000.0


class Memory:
    """Compare and swap in memory; ``between`` runs before each write, as another job would."""

    root = "s3://bucket/out"
    no_version = "none"

    def __init__(self, content=None):
        self.numbers = itertools.count()
        self.content, self.version = content, None if content is None else "old"
        self.keeps_none = self.keeps_version = True
        self.between = lambda: None
        self.writes = []

    def read_versioned(self, _key):
        return None if self.content is None else (self.content, self.version)

    def replace_if(self, _key, content, version):
        self.between()
        keeps = self.keeps_none if version is None else self.keeps_version
        if keeps and version != self.version:
            return None
        self.content, self.version = content, str(next(self.numbers))
        self.writes.append(content)
        return self.version

    def write_foreign(self, beat=0, pid=0):
        note = Note(owner="the other", place="elsewhere", pid=pid, token=THEIRS)
        self.content, self.version = note.encoded(beat), f"foreign {next(self.numbers)}"


class Clock:
    """Time that passes only while somebody sleeps; ``then`` runs after each sleep."""

    def __init__(self, then=lambda: None):
        self.now_s, self.then = START_S, then

    def sleep(self, seconds):
        self.now_s += seconds
        self.then()

    def timing(self, heartbeat_s=3600.0):
        return LeaseTiming(heartbeat_s=heartbeat_s, watch_s=0.01, clock=lambda: self.now_s, sleep=self.sleep)


def hold(store, timing):
    return holding(store, store, KEY, "me", timing)


@contextmanager
def losing(store, timing, kind=StorageError):
    """Gives the lease, and where the error stands that comes out of the block."""
    with pytest.raises(kind) as told, hold(store, timing) as lease:
        yield lease, told


def until(condition):
    end_s = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end_s
        time.sleep(0.005)
