"""What has changed: rows of a new listing held against the rows of the planned waves, a window at a time."""

from dataclasses import dataclass
from functools import reduce
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from fruits_pipeline.state.rows import CONTENT, equal_rows

_LABELS = ("label", "split", "source_path")


@dataclass(frozen=True)
class Compared:
    """One window of the source, compared.

    Attributes:
        rows: The new rows (``schemas.MANIFEST``), and ``wave``: the planned wave that has the path, or null.
        rewritten: Planned waves some row of which is gone, or is not what it was.
        to_compute: Planned waves, of those, some image of which has other content, or was none.
        images: Images among ``rows``.
        unchanged: Images whose content is the same as before.
        relabelled: Images, of those, whose label, split or spelling is another.
        gone: Images of planned waves that the source no longer has.
    """

    rows: pa.Table
    rewritten: frozenset[str]
    to_compute: frozenset[str]
    images: int
    unchanged: int
    relabelled: int
    gone: int


def compared(window: pa.Table) -> Compared:
    """Compares the rows of a window whose ``wave`` is null, the new ones, with the others, those of planned waves.

    Args:
        window: Columns of ``schemas.MANIFEST``, and ``wave``; each path at most once on each side.
    """
    known = pc.is_valid(window["wave"])
    old, new = window.filter(known), window.filter(pc.invert(known)).drop_columns("wave")
    was = old.take(pc.index_in(new["path"], value_set=old["path"]))
    image, was_image = pc.is_null(new["skip_reason"]), pc.and_(pc.is_null(was["skip_reason"]), pc.is_valid(was["path"]))
    content, labels = equal_rows(new, was, CONTENT), equal_rows(new, was, _LABELS)
    unchanged = _all(image, was_image, content)
    identical = _all(content, labels, equal_rows(new, was, ("skip_reason",)), pc.is_valid(was["wave"]))
    left = pc.invert(pc.is_in(old["path"], value_set=new["path"]))
    no_longer = _all(pc.is_null(old["skip_reason"]), left)
    return Compared(
        rows=new.append_column("wave", was["wave"]),
        rewritten=_waves(was, pc.invert(identical)) | _waves(old, left),
        to_compute=_waves(was, _all(image, pc.invert(unchanged))),
        images=_count(image),
        unchanged=_count(unchanged),
        relabelled=_count(_all(unchanged, pc.invert(labels))),
        gone=_count(no_longer) + _count(_all(was_image, pc.invert(image))),
    )


def _waves(rows: pa.Table, chosen: Any) -> frozenset[str]:
    return frozenset(rows["wave"].filter(chosen).drop_null().unique().to_pylist())


def _all(*conditions: Any) -> Any:
    return reduce(pc.and_, conditions)


def _count(condition: Any) -> int:
    return int(pc.sum(condition).as_py() or 0)
