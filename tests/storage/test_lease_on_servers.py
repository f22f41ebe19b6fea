"""The lease on every kind of storage: one holder, seen from elsewhere, freed by death, taken over when it hangs."""

import signal
import subprocess
import sys
import time

import pytest

from fruits_pipeline.errors import StorageError
from fruits_pipeline.storage.lease_taking import LeaseTiming

KEY = "_state/lease"
FAST = LeaseTiming(heartbeat_s=0.2, look_s=0.1, stale_s=20)
HOLDER = """
import sys
from fruits_pipeline.settings.storage import StorageSettings
from fruits_pipeline.storage.lease_taking import LeaseTiming
from fruits_pipeline.storage.opening import open_store
store = open_store(sys.argv[1], StorageSettings.model_validate_json(sys.argv[2]))
store.timing = LeaseTiming(heartbeat_s=0.2)
with store.hold("_state/lease", "the holder") as other:
    print(other if isinstance(other, str) else "held", flush=True)
    sys.stdin.read()
"""


def test_the_lease_is_held_by_one_and_free_again_after(store):
    store.timing = FAST
    with store.hold(KEY, "the first") as first:
        assert not isinstance(first, str)
        with store.hold(KEY, "the second") as second:
            assert second == "the first"
        store.write("x", b"1")
    with store.hold(KEY, "the third") as third:
        assert not isinstance(third, str)
    assert store.read(KEY) == b""


def test_a_killed_holder_frees_the_lease_at_once_on_the_same_machine(bucket):
    store = bucket()
    store.timing = FAST
    argv = [sys.executable, "-c", HOLDER, store.root, store._settings.model_dump_json()]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout.readline() == "held\n"
        with store.hold(KEY, "me") as other:
            assert other == "the holder"
        holder.send_signal(signal.SIGKILL)
        holder.wait(timeout=30)
        since_s = time.monotonic()
        with store.hold(KEY, "me") as other:
            assert not isinstance(other, str)
        assert time.monotonic() - since_s < FAST.stale_s


def test_a_holder_that_hung_until_another_took_over_writes_no_more_and_says_so(bucket):
    hung = bucket()
    hung.timing = LeaseTiming(heartbeat_s=9)
    other = bucket(hung.root.partition("://")[2])
    other.timing = LeaseTiming(heartbeat_s=0.1, look_s=0.1, stale_s=7, margin_s=0.5)
    held = hung.hold(KEY, "the one that hangs")
    assert not isinstance(held.__enter__(), str)
    with other.hold(KEY, "the next") as before:
        assert not isinstance(before, str)
        until_s = time.monotonic() + 30
        while not hung._lease.lost:
            assert time.monotonic() < until_s
            time.sleep(0.05)
        for write in (hung.write, hung.create):
            with pytest.raises(StorageError, match="taken by another job"):
                write("x", b"1")
        with pytest.raises(StorageError, match="taken by another job"):
            hung.delete(["x"])
        with pytest.raises(StorageError, match="taken by another job"):
            held.__exit__(None, None, None)
        other.write("x", b"2")
    assert other.read(KEY) == b""
