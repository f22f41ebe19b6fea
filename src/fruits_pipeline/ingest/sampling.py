"""A seeded sample: so many images of each label, the same on every machine."""

import hashlib
import heapq
from collections import defaultdict
from collections.abc import Iterable, Iterator

import pyarrow as pa
import pyarrow.compute as pc

from fruits_pipeline.ingest.naming import SkipReason
from fruits_pipeline.ingest.runs import Run


def sampled_paths(tables: Iterable[pa.Table], root: str, images: int, seed: int) -> pa.Array:
    """Paths of the ``images`` images of each label whose seeded hash of the path below ``root`` is smallest."""
    chosen: defaultdict[str | None, list[tuple[int, str]]] = defaultdict(list)
    for table in tables:
        rows = table.filter(pc.is_null(table["skip_reason"]))
        for path, label in zip(rows["path"].to_pylist(), rows["label"].to_pylist(), strict=True):
            entry = (-seeded_hash(path.removeprefix(root), seed), path)
            heap = chosen[label]
            if len(heap) < images:
                heapq.heappush(heap, entry)
            else:
                heapq.heappushpop(heap, entry)
    return pa.array([path for heap in chosen.values() for _, path in heap], pa.string())


def kept(run: Run, chosen: pa.Array) -> Run:
    """The run with all its rows; images whose path was not chosen are skipped as ``not_sampled``."""

    def opened() -> Iterator[pa.Table]:
        for table in run.opened():
            drop = pc.and_(pc.is_null(table["skip_reason"]), pc.invert(pc.is_in(table["path"], value_set=chosen)))
            reasons = pc.if_else(drop, SkipReason.NOT_SAMPLED.value, table["skip_reason"])
            yield table.set_column(table.schema.get_field_index("skip_reason"), "skip_reason", reasons)

    return Run(run.first, opened)


def seeded_hash(key: str, seed: int) -> int:
    """A number of 64 bits that follows from key and seed alone.

    >>> seeded_hash("a.jpg", 42) == seeded_hash("a.jpg", 42) != seeded_hash("a.jpg", 43)
    True
    """
    return int.from_bytes(hashlib.blake2b(f"{seed}:{key}".encode(), digest_size=8).digest())
