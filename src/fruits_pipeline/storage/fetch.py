"""Prefetch of many small objects: threads fetch ahead, contents come in order, one request for each object.

obstore's blocking calls in threads: measured on 5 KB objects, every response 30 ms late, they take 0.3 ms of
processor time an image, its asynchronous ones 0.4 ms.
"""

from collections import deque
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain, islice
from typing import NamedTuple

from fruits_pipeline.errors import StorageError
from fruits_pipeline.settings.storage import StorageSettings
from fruits_pipeline.storage.patience import Patience
from fruits_pipeline.storage.rights import right_to_read
from fruits_pipeline.storage.single import Single, Unread

# A task whose images are all forbidden is the source's fault from here on, not that of its images.
_ALL_FORBIDDEN = 10
_PATIENCE = Patience()


class Wanted(NamedTuple):
    """An object to fetch: its URI as ``uri.normalise`` spells it, and its bytes when it was listed."""

    path: str
    length: int


@dataclass(frozen=True)
class Window:
    """How far the fetch runs ahead of who uses it.

    ``objects`` and ``held_bytes`` bound what is asked for and not yet taken; one object may always be asked for.
    ``max_bytes`` is the largest object that is read.
    """

    threads: int = 32
    objects: int = 64
    held_bytes: int = 64 << 20
    max_bytes: int = 1 << 28


def fetched(
    wanted: Iterable[Wanted],
    settings: StorageSettings,
    window: Window = Window(),
    patience: Patience = _PATIENCE,
    *,
    judge: bool = True,
) -> Generator[bytes | Unread, None, None]:
    """The content of each object, in order, or why it cannot be had; closing the iterator stops the fetch.

    Call it in the process that uses it: threads and connections do not survive a fork.

    Raises:
        StorageError: When the source as a whole fails, with what to check; with ``judge`` also when the first ten
            objects are all forbidden.
    """
    single = Single(settings, patience, window.max_bytes)
    waiting = iter(wanted)
    first = list(islice(waiting, 1))
    pool = ThreadPoolExecutor(window.threads, thread_name_prefix="fetch")
    try:
        contents = _in_order(chain(first, waiting), single, pool, window)
        yield from _judged(contents, first[0].path) if judge and first else contents
    finally:
        # Requests that are under way end by themselves; nobody waits for them.
        pool.shutdown(wait=False, cancel_futures=True)


def _in_order(
    wanted: Iterable[Wanted], single: Single, pool: ThreadPoolExecutor, window: Window
) -> Iterator[bytes | Unread]:
    ahead: deque[tuple[int, Future[bytes | Unread]]] = deque()
    held_bytes = 0
    for path, length in wanted:
        while ahead and (len(ahead) >= window.objects or held_bytes + length > window.held_bytes):
            taken, future = ahead.popleft()
            yield future.result()
            held_bytes -= taken
        ahead.append((length, pool.submit(single.read, path)))
        held_bytes += length
    while ahead:
        yield ahead.popleft()[1].result()


def _judged(contents: Iterator[bytes | Unread], first: str) -> Iterator[bytes | Unread]:
    """The contents as they are; raises where the first ones are all forbidden.

    Refusals are held back until another answer comes, so that none is told as an image's own fault too early.
    """
    refused: list[Unread] = []
    for content in contents:
        if not isinstance(content, Unread) or content.reason != "forbidden":
            yield from refused
            yield content
            break
        refused.append(content)
        if len(refused) == _ALL_FORBIDDEN:
            right = right_to_read(first)
            raise StorageError(
                f"expected images that may be read, found the first {_ALL_FORBIDDEN} of a task all forbidden "
                f"({content.detail}); grant {right or 'the right to read them'} to the workers' credentials, then "
                "start the same command again: it resumes",
                is_denied=True,
                lacks=right,
            )
    else:
        yield from refused
    yield from contents
