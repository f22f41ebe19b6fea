"""The timeline: steps by name, in the order of their begin, also of those that fail."""

import threading
import time
from contextlib import contextmanager

import pytest

from fruits_pipeline import timeline
from fruits_pipeline.timeline import Step, around, as_json, note, step, steps


@pytest.fixture(autouse=True)
def forgotten():
    timeline.forget()
    yield
    timeline.forget()


def test_steps_of_one_name_are_one_line_and_lines_stand_in_the_order_of_their_begin():
    with step("outer"):
        for _ in range(2):
            with step("inner"):
                time.sleep(0.01)
    assert [(name, found.times) for name, found in steps().items()] == [("outer", 1), ("inner", 2)]
    outer, inner = steps().values()
    assert outer.began_s <= inner.began_s < inner.ended_s <= outer.ended_s
    assert 0.02 <= inner.seconds <= outer.seconds


def test_steps_at_the_same_time_add_up():
    assert Step(1, 3, 2).with_(Step(2, 5, 3)) == Step(1, 5, 5, 2)


def test_the_end_of_a_context_is_a_step_also_when_its_block_fails():
    @contextmanager
    def slow():
        yield
        raise AssertionError  # never reached, because the block fails

    @contextmanager
    def whole():
        try:
            yield 7
        finally:
            time.sleep(0.01)

    with pytest.raises(ValueError, match="no"), around("slow", slow()):
        raise ValueError("no")
    with around("whole", whole()) as entered:
        assert entered == 7
    assert list(steps()) == ["slow", "slow ends", "whole", "whole ends"]
    assert steps()["whole ends"].seconds >= 0.01


def test_a_step_that_fails_is_noted():
    with pytest.raises(ValueError, match="no"), step("fails"):
        raise ValueError("no")
    assert list(steps()) == ["fails"]


def test_a_context_has_two_steps_and_what_stands_between_belongs_to_neither():
    @contextmanager
    def slow():
        time.sleep(0.02)
        yield 7
        time.sleep(0.02)

    with around("session", slow()) as entered:
        time.sleep(0.1)
    assert entered == 7
    begin, end = steps()["session"], steps()["session ends"]
    assert begin.seconds >= 0.02 <= end.seconds
    assert end.began_s - begin.ended_s >= 0.1


def test_steps_of_threads_are_none_lost():
    threads = [threading.Thread(target=lambda: [note("one") for _ in range(200)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert steps()["one"].times == 800


def test_seconds_count_from_the_begin_of_the_process():
    note("start")
    (found,) = as_json()
    assert (found["step"], found["began_s"], found["times"]) == ("start", 0, 1)
    # pytest itself took longer than this to load, and no day.
    assert 0.1 < found["seconds"] == found["ended_s"] < 86_400
