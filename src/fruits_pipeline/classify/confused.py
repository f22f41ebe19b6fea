"""Which labels are taken for which: the commonest pairs, each with its share, an interval, and the surest picture."""

from typing import Any, Final

import pyarrow as pa

from fruits_pipeline import schemas
from fruits_pipeline.classify.evaluate import judged_pairs
from fruits_pipeline.classify.intervals import Pair, wilson

MOST_PAIRS: Final = 100
_KEYS: Final = ("classifier", "split", "label", "prediction")
_SUREST: Final = [("confidence", "descending"), ("path", "ascending")]
_COUNTED: Final = pa.schema([field for field in schemas.CONFUSED if field.name not in ("path", "confidence")])


def confused(confusion: pa.Table, wrong: pa.Table) -> pa.Table:
    """Rows of ``schemas.CONFUSED``, the commonest first, at most ``MOST_PAIRS`` of each classifier on each side.

    Args:
        confusion: Rows of ``schemas.CONFUSION``.
        wrong: Rows of ``schemas.MISTAKES``: of each pair at least the surest.
    """
    surest: dict[tuple[str, ...], dict[str, Any]] = {}
    for row in wrong.select(schemas.MISTAKES.names).sort_by(_SUREST).to_pylist():
        surest.setdefault(tuple(row[key] for key in _KEYS), row)
    rows = pairs(confusion).to_pylist()
    for row in rows:
        found = surest[tuple(row[key] for key in _KEYS)]
        row |= {"path": found["path"], "confidence": found["confidence"]}
    return pa.Table.from_pylist(rows, schema=schemas.CONFUSED)


def pairs(confusion: pa.Table) -> pa.Table:
    """The same without a picture of each."""
    rows = [
        (classifier, split, *row) for classifier, split, found in judged_pairs(confusion) for row in _commonest(found)
    ]
    return pa.Table.from_pylist([dict(zip(_COUNTED.names, row, strict=True)) for row in rows], schema=_COUNTED)


def _commonest(found: list[Pair]) -> list[tuple[str, str, int, float, float, float]]:
    """Label, prediction, images, share and its ends of the commonest mistakes of one classifier on one side."""
    images: dict[str, int] = {}
    for label, _, count in found:
        images[label] = images.get(label, 0) + count
    wrong = [pair for pair in found if pair[0] != pair[1]]
    wrong.sort(key=lambda pair: (-pair[2], -pair[2] / images[pair[0]], pair[0], pair[1]))
    return [
        (label, prediction, count, count / images[label], *wilson(count, images[label]))
        for label, prediction, count in wrong[:MOST_PAIRS]
    ]
