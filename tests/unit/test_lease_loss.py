"""A lease that is lost: taken by another job, or not renewed in time; who is told, and what is refused."""

import contextlib
import threading

import pytest
from leases import Clock, Memory, hold, losing, until

from fruits_pipeline.errors import StorageError


def test_a_holder_notices_that_its_lease_was_taken_and_leaves_it_alone(golden, caplog):
    store = Memory()
    with contextlib.ExitStack() as stack:
        lease = stack.enter_context(hold(store, Clock().timing(heartbeat_s=0.01)))
        lease.check()
        store.write_foreign()
        until(lambda: lease.lost)
        foreign = store.content
        for way in (lease.check, stack.close):
            with pytest.raises(StorageError) as told:
                way()
            golden("lease_lost", str(told.value))
    assert store.content == foreign
    assert "lost the lock=_state/lease of output=s3://bucket/out" in caplog.text


def test_a_lease_that_was_taken_since_the_last_heartbeat_is_noticed_at_the_end():
    store = Memory()
    with (
        pytest.raises(StorageError, match="taken by another job"),
        hold(store, Clock().timing()),
    ):
        store.write_foreign()
    assert b"theirs" in store.content


def test_a_failing_store_is_told_in_the_log_and_the_heartbeat_goes_on(caplog):
    store, fails = Memory(), threading.Event()
    honest = store.replace_if

    def failing(key, content, version):
        if fails.is_set():
            raise StorageError("could not write")
        return honest(key, content, version)

    store.replace_if = failing
    with hold(store, Clock().timing(heartbeat_s=0.01)) as held:
        fails.set()
        until(lambda: "could not renew the lock of the output (it is tried again): could not write" in caplog.text)
        fails.clear()
        renewed = len(store.writes)
        until(lambda: len(store.writes) > renewed)
        assert not held.lost


class Stuck(Memory):
    """A store whose ``writes_s`` writes never get an answer, until ``answer`` is set."""

    def __init__(self):
        super().__init__()
        self.stuck, self.answer = threading.Event(), threading.Event()

    def replace_if(self, key, content, version):
        if self.stuck.is_set():
            assert self.answer.wait(30)
        return super().replace_if(key, content, version)


def test_a_holder_whose_heartbeat_gets_no_answer_loses_the_lease_before_another_may_take_it(golden, caplog):
    store, clock, called = Stuck(), Clock(), []
    with contextlib.ExitStack() as stack:
        lease = stack.enter_context(hold(store, clock.timing(heartbeat_s=0.01)))
        lease.on_loss(lambda: called.append(threading.current_thread().name))
        until(lambda: store.writes)
        store.stuck.set()
        clock.now_s += 26.9
        lease.check()
        clock.now_s += 0.1
        with pytest.raises(StorageError) as told:
            lease.check()
        golden("lease_not_renewed", str(told.value))
        until(lambda: called)
        store.answer.set()
        with pytest.raises(StorageError, match="found no answer from storage for 27 s"):
            stack.close()
    assert called == ["lease-clock"]
    assert caplog.text.count("lost the lock=_state/lease of output=s3://bucket/out") == 1
    assert store.content == b""


def test_the_time_is_counted_from_the_start_of_the_last_renewal_that_succeeded():
    store, clock = Memory(), Clock()

    def late():
        clock.now_s += 20

    store.between = late
    with losing(store, clock.timing()) as (lease, told):
        lease.check()
        pytest.fail("held, though the write that took it began 60 s ago")
    assert "found no answer" in str(told.value)


def test_a_renewal_that_took_long_counts_from_its_start_too():
    store, clock = Stuck(), Clock()

    def late():
        store.between = lambda: None
        store.stuck.set()
        clock.now_s += 20

    with losing(store, clock.timing(heartbeat_s=0.01)) as (lease, _):
        store.between = late
        until(store.stuck.is_set)
        lease.check()
        clock.now_s += 10
        assert lease.lost
        store.answer.set()


def test_a_renewal_in_time_keeps_the_lease_for_as_long_again():
    store, clock = Memory(), Clock()
    with hold(store, clock.timing(heartbeat_s=0.01)) as lease:
        for _ in range(5):
            clock.now_s += 20
            renewed = len(store.writes)
            until(lambda renewed=renewed: len(store.writes) > renewed + 1)
            lease.check()


def test_a_lease_that_was_lost_stays_lost_when_storage_answers_again():
    store, clock = Stuck(), Clock()
    with losing(store, clock.timing(heartbeat_s=0.01)) as (lease, _):
        store.stuck.set()
        clock.now_s += 27
        assert lease.lost
        store.stuck.clear()
        store.answer.set()
        clock.now_s -= 27
        lease.check()


def test_what_ended_the_block_is_the_cause_of_the_error_of_the_lost_lease():
    store, clock = Memory(), Clock()
    with losing(store, clock.timing()) as (_, told):
        clock.now_s += 30
        raise ZeroDivisionError
    assert isinstance(told.value.__cause__, ZeroDivisionError)


def test_an_interrupt_stays_an_interrupt_when_the_lease_was_lost():
    store, clock = Memory(), Clock()
    with losing(store, clock.timing(), KeyboardInterrupt):
        clock.now_s += 30
        raise KeyboardInterrupt


def test_each_callback_runs_once_even_where_another_fails_and_one_that_comes_late_runs_at_once(monkeypatch):
    store, clock, called, told = Memory(), Clock(), [], []
    monkeypatch.setattr(threading, "excepthook", lambda thread: told.append(thread.exc_type))
    with losing(store, clock.timing()) as (lease, _):
        lease.on_loss(lambda: called.append("first"))
        lease.on_loss(lambda: 1 / 0)
        lease.on_loss(lambda: called.append("third"))
        clock.now_s += 30
        until(lambda: told)
        lease.on_loss(lambda: called.append("late"))
    assert (called, told) == (["first", "third", "late"], [ZeroDivisionError])


def test_no_callback_runs_and_no_check_fails_after_a_lease_that_was_kept():
    store, clock = Memory(), Clock()
    with hold(store, clock.timing()) as lease:
        lease.on_loss(lambda: pytest.fail("called"))
    clock.now_s += 100
    lease.check()
