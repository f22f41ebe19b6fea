"""Requests by threads, whose results come in order, with few of them ahead of who takes them."""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from itertools import islice
from typing import Generic, TypeVar

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


@dataclass(eq=False)
class _Stream(Generic[Item]):
    """An iterator, the pages of it that were fetched ahead, and whether it has ended."""

    items: Iterator[Item]
    pages: deque[list[Item]] = field(default_factory=deque)
    ended: bool = False

    def next_page(self) -> list[Item]:
        return list(islice(self.items, _PAGE_ITEMS))

    @property
    def is_ready(self) -> bool:
        return self.ended or bool(self.pages)


def chained(iterators: Iterable[Iterator[Item]], threads: int, ahead_pages: int) -> Generator[Item, None, None]:
    """The items of the iterators, one iterator after the other, while threads advance those that come next.

    An iterator is advanced by one thread at a time, 1,000 items at once, the nearest first. At most ``ahead_pages``
    pages are held or under way, besides one of the iterator whose turn it is.
    """
    streams = deque(_Stream(items) for items in iterators)
    running: dict[Future[list[Item]], _Stream[Item]] = {}
    pool = ThreadPoolExecutor(threads, thread_name_prefix="storage")
    try:
        while streams:
            first = streams[0]
            for done in wait(running, 0 if first.is_ready else None, FIRST_COMPLETED).done:
                stream = running.pop(done)
                stream.pages.append(done.result())
                stream.ended = len(stream.pages[-1]) < _PAGE_ITEMS
            room = ahead_pages - len(running) - sum(len(stream.pages) for stream in streams)
            for stream in _to_advance(streams, set(running.values()), threads - len(running), room):
                running[pool.submit(stream.next_page)] = stream
            if first.pages:
                yield from first.pages.popleft()
            elif first.ended:
                streams.popleft()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _to_advance(
    streams: deque[_Stream[Item]], running: set[_Stream[Item]], idle_threads: int, room: int
) -> Iterator[_Stream[Item]]:
    """The nearest streams that may be advanced; the first one always where it has no page."""
    waiting = (stream for stream in streams if not stream.ended and stream not in running)
    for number, stream in enumerate(islice(waiting, idle_threads)):
        if number < room or (stream is streams[0] and not stream.pages):
            yield stream
