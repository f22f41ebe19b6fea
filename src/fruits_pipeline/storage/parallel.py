"""Requests by threads, with few results ahead of who takes them."""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")
Value = TypeVar("Value")

_PAGE_ITEMS = 1000


def mapped(
    function: Callable[[Value], Item], values: Iterable[Value], threads: int, ahead: int
) -> Generator[Item, None, None]:
    """``function`` of each value, in order; at most ``ahead`` results are under way or wait to be taken."""
    pool = ThreadPoolExecutor(threads, thread_name_prefix="storage")
    waiting: deque[Future[Item]] = deque()
    try:
        for value in values:
            if len(waiting) == ahead:
                yield waiting.popleft().result()
            waiting.append(pool.submit(function, value))
        while waiting:
            yield waiting.popleft().result()
    finally:
        # Requests that are under way end by themselves; nobody waits for them.
        pool.shutdown(wait=False, cancel_futures=True)


def merged(iterators: Iterable[Iterator[Item]], threads: int) -> Generator[Item, None, None]:
    """The items of all iterators, in no order; so many iterators are advanced at a time, each by one thread.

    An iterator is advanced 1,000 items at once. No more pages than threads are held or under way, besides the one that
    is being taken.
    """
    waiting = iter(iterators)
    running: dict[Future[list[Item]], Iterator[Item]] = {}
    pool = ThreadPoolExecutor(threads, thread_name_prefix="storage")
    try:
        while True:
            for items in islice(waiting, threads - len(running)):
                running[pool.submit(_next_page, items)] = items
            if not running:
                return
            for done in wait(running, return_when=FIRST_COMPLETED).done:
                items, page = running.pop(done), done.result()
                if len(page) == _PAGE_ITEMS:
                    running[pool.submit(_next_page, items)] = items
                yield from page
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _next_page(items: Iterator[Item]) -> list[Item]:
    return list(islice(items, _PAGE_ITEMS))
