"""The lease of buckets, on a store in memory: who gets it, who waits, who notices that it is gone."""

import itertools
import json
import os
import subprocess
import threading

import pytest
from leases import START_S, THEIRS, Clock, Memory, hold, until

from fruits_pipeline.errors import StorageError
from fruits_pipeline.storage.lease import Lease
from fruits_pipeline.storage.lease_note import Note, place


def take(store, clock):
    with hold(store, clock.timing()) as held:
        return "held" if isinstance(held, Lease) else held


@pytest.fixture
def dead_pid():
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


@pytest.mark.parametrize("content", [None, b""])
def test_a_free_lease_is_held_with_its_owner_written_there_and_free_again_after(content):
    store = Memory(content)
    with hold(store, Clock().timing()) as held:
        assert isinstance(held, Lease)
        written = json.loads(store.content)
        assert (written["owner"], written["pid"], written["place"]) == ("me", os.getpid(), place())
    assert store.content == b""


def test_the_lease_is_free_again_after_a_block_that_failed():
    store = Memory()
    with pytest.raises(ZeroDivisionError), hold(store, Clock().timing()):
        raise ZeroDivisionError
    assert take(store, Clock()) == "held"


def test_the_owner_of_a_lease_that_changes_while_we_watch_is_given():
    store = Memory()
    store.write_foreign()
    clock = Clock(lambda: store.write_foreign(beat=1) if clock.now_s >= START_S + 10 else None)
    assert take(store, clock) == "the other"
    assert 10 <= clock.now_s - START_S < 15
    assert not store.writes


def test_a_lease_that_does_not_change_for_30_seconds_is_taken_over():
    store, clock = Memory(), Clock()
    store.write_foreign()
    assert take(store, clock) == "held"
    assert 30 <= clock.now_s - START_S < 35


def test_a_lease_that_is_released_while_we_wait_is_taken_at_once():
    store = Memory()
    store.write_foreign()

    def release():
        store.content, store.version = b"", "freed"

    clock = Clock(release)
    assert take(store, clock) == "held"
    assert clock.now_s - START_S < 5


def test_the_lease_of_a_dead_process_of_this_machine_is_taken_at_once_that_of_a_living_one_is_waited_for(dead_pid):
    clock = Clock()
    ours = Note(owner="x", place=place(), pid=dead_pid, token=THEIRS)
    assert take(Memory(ours.encoded(5)), clock) == "held"
    assert clock.now_s == START_S
    assert take(Memory(ours.model_copy(update={"pid": 1}).encoded(5)), clock) == "held"
    assert clock.now_s - START_S >= 30


def test_a_dead_process_of_another_machine_is_not_known_to_be_dead(dead_pid):
    clock = Clock()
    assert take(Memory(Note(owner="x", place="elsewhere", pid=dead_pid, token=THEIRS).encoded(5)), clock) == "held"
    assert clock.now_s - START_S >= 30


def test_whatever_else_stands_there_is_waited_for_and_told():
    store = Memory(b"not ours \xff")
    clock = Clock(lambda: setattr(store, "version", "new"))
    assert take(store, clock) == "not ours \ufffd"


def test_who_is_second_to_take_a_free_lease_does_not_hold_it():
    store = Memory()
    beats = itertools.count(1)

    def first():
        store.between = lambda: None
        store.write_foreign()

    store.between = first
    assert take(store, Clock(lambda: store.write_foreign(next(beats)))) == "the other"


@pytest.mark.parametrize("ignored", ["keeps_none", "keeps_version"])
def test_a_store_that_ignores_preconditions_is_refused_by_name(ignored, golden):
    store = Memory()
    setattr(store, ignored, False)
    with pytest.raises(StorageError) as told:
        take(store, Clock())
    golden("store_ignores_preconditions", str(told.value))


def test_a_heartbeat_renews_the_lease_and_no_two_contents_are_equal():
    store = Memory()
    with hold(store, Clock().timing(heartbeat_s=0.01)):
        until(lambda: len(store.writes) > 5)
    assert store.writes[-1] == b""
    assert len(set(store.writes)) == len(store.writes)


def test_an_answer_that_got_lost_is_no_lost_lease():
    store = Memory()
    honest, lost = store.replace_if, threading.Event()

    def forgetful(key, content, version):
        found = honest(key, content, version)
        if found is not None and not lost.is_set():
            lost.set()
            return None
        return found

    for before in (0, 1, 3):
        store.content = store.version = None
        lost.set()
        store.replace_if = forgetful
        store.writes.clear()
        if before == 0:
            lost.clear()
        with hold(store, Clock().timing(heartbeat_s=0.01)) as held:
            assert isinstance(held, Lease)
            if before:
                until(lambda before=before: len(store.writes) > before)
                lost.clear()
                until(lost.is_set)
        assert not held.lost
        assert store.content == b""
