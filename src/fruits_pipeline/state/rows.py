"""Rows of manifests, compared."""

from functools import reduce
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

# Two images of one path with equal values here have the same content.
CONTENT = ("length", "modified")


def equal_rows(one: pa.Table, other: pa.Table, columns: tuple[str, ...]) -> pa.ChunkedArray:
    """Whether the rows at each place are equal in all ``columns``; two nulls are equal."""
    return reduce(pc.and_, (_equal(one[name], other[name]) for name in columns))


def _equal(one: Any, other: Any) -> Any:
    both_null = pc.and_(pc.is_null(one), pc.is_null(other))
    return pc.or_(both_null, pc.fill_null(pc.equal(one, other), fill_value=False))
