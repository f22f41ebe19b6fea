"""Requests by threads: what comes out, how far they run ahead, and how they end."""

import threading
import time
from itertools import count, islice

import pytest

from fruits_pipeline.errors import StorageError
from fruits_pipeline.storage.parallel import mapped, merged


class Pages:
    """Iterators of numbers, which count how many of their items were made and how many run at once."""

    def __init__(self, late_s=0.0):
        self.late_s, self.made, self.now, self.most = late_s, 0, 0, 0
        self._lock = threading.Lock()

    def numbers(self, first, items):
        for number in range(first, first + items):
            if number % 1000 == 0:
                with self._lock:
                    self.now += 1
                    self.most = max(self.most, self.now)
                time.sleep(self.late_s)
                with self._lock:
                    self.now -= 1
                    self.made += min(1000, first + items - number)
            yield number


@pytest.mark.parametrize("sizes", [[], [0], [0, 0, 1, 0], [1000], [999, 1001], [2500, 0, 3000, 1, 1000, 1000, 0]])
@pytest.mark.parametrize("threads", [1, 2, 8])
def test_iterators_come_out_whole_each_in_its_order(sizes, threads):
    pages = Pages()
    streams = [pages.numbers(10_000 * place, size) for place, size in enumerate(sizes)]
    found = list(merged(streams, threads))
    for place, size in enumerate(sizes):
        mine = [number for number in found if number // 10_000 == place]
        assert mine == list(range(10_000 * place, 10_000 * place + size))
    assert len(found) == sum(sizes)


def test_several_iterators_are_advanced_at_a_time_each_by_one_thread():
    pages = Pages(late_s=0.02)
    assert sum(1 for _ in merged([pages.numbers(0, 10_000) for _ in range(12)], 8)) == 120_000
    assert pages.most == 8
    alone = Pages(late_s=0.01)
    assert sum(1 for _ in merged([alone.numbers(0, 10_000)], 8)) == 10_000
    assert alone.most == 1


@pytest.mark.parametrize("threads", [1, 8])
def test_no_more_pages_are_held_than_there_are_threads_besides_the_one_that_is_taken(threads):
    pages = Pages()
    for taken, _ in enumerate(merged([pages.numbers(0, 50_000) for _ in range(20)], threads), 1):
        if taken % 10_000 == 1:
            time.sleep(0.05)
            assert pages.made - taken <= 1000 * (threads + 1)


def test_what_is_there_is_given_though_another_iterator_gets_no_answer():
    gate = threading.Event()

    def stuck():
        assert gate.wait(30)
        yield -1

    pages = Pages()
    items = merged([stuck(), pages.numbers(0, 500), pages.numbers(1000, 5000)], 2)
    assert sum(1 for _ in islice(items, 5500)) == 5500
    gate.set()
    assert list(items) == [-1]


def test_an_error_in_any_iterator_comes_out_and_the_rest_is_not_begun():
    def broken():
        yield 1
        raise StorageError("broken")

    pages = Pages(late_s=0.01)
    with pytest.raises(StorageError, match="broken"):
        list(merged([pages.numbers(0, 5000), broken(), *(pages.numbers(0, 50_000) for _ in range(100))], 2))
    assert pages.made < 100_000


def test_who_stops_early_leaves_no_thread_behind():
    pages = Pages()
    listing = merged([pages.numbers(0, 5000) for _ in range(100)], 4)
    assert len(list(islice(listing, 3))) == 3
    listing.close()
    until_s = time.monotonic() + 30
    while any(thread.name.startswith("storage") for thread in threading.enumerate()):
        assert time.monotonic() < until_s
        time.sleep(0.01)


def test_values_that_wait_are_given_up_with_who_stops_early():
    begun = count()

    def slow(value):
        next(begun)
        time.sleep(0.05)
        return value

    results = mapped(slow, range(100), threads=1, ahead=10)
    next(results)
    results.close()
    time.sleep(0.3)
    assert next(begun) <= 3


def test_results_come_in_the_order_of_their_values_and_few_are_ahead():
    begun, gate = count(), threading.Event()

    def slow_first(value):
        next(begun)
        if value == 0:
            assert gate.wait(30)
        return value * 2

    results = mapped(slow_first, range(100), threads=4, ahead=10)
    threading.Timer(0.2, gate.set).start()
    assert next(results) == 0
    assert next(begun) <= 10
    assert list(results) == [value * 2 for value in range(1, 100)]
