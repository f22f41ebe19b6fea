"""A seeded sample: so many images of each label, the same on every machine."""

import hashlib
import heapq
from collections import defaultdict
from collections.abc import Iterable, Iterator

from fruits_pipeline.ingest.naming import SkipReason
from fruits_pipeline.ingest.rows import Row


def sampled_keys(rows: Iterable[Row], root: str, images: int, seed: int) -> frozenset[str]:
    """Paths of the ``images`` rows of each label whose seeded hash of the path below ``root`` is smallest."""
    chosen: defaultdict[str | None, list[tuple[int, str]]] = defaultdict(list)
    for row in rows:
        if row.skip_reason is None:
            entry = (-seeded_hash(row.path.removeprefix(root), seed), row.path)
            heap = chosen[row.label]
            if len(heap) < images:
                heapq.heappush(heap, entry)
            else:
                heapq.heappushpop(heap, entry)
    return frozenset(path for heap in chosen.values() for _, path in heap)


def keep(rows: Iterable[Row], chosen: frozenset[str]) -> Iterator[Row]:
    """All rows; images that were not chosen are skipped as ``not_sampled``."""
    for row in rows:
        skip = row.skip_reason is None and row.path not in chosen
        yield row._replace(skip_reason=SkipReason.NOT_SAMPLED.value) if skip else row


def seeded_hash(key: str, seed: int) -> int:
    """A number of 64 bits that follows from key and seed alone.

    >>> seeded_hash("a.jpg", 42) == seeded_hash("a.jpg", 42) != seeded_hash("a.jpg", 43)
    True
    """
    return int.from_bytes(hashlib.blake2b(f"{seed}:{key}".encode(), digest_size=8).digest())
