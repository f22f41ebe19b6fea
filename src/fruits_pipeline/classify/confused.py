"""Which labels are taken for which: the commonest pairs, each with its share, an interval, and the surest picture."""

from typing import Final

import pyarrow as pa
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F  # noqa: N812, because Spark's own documentation spells it so

from fruits_pipeline import schemas
from fruits_pipeline.classify.evaluate import judged_pairs
from fruits_pipeline.classify.intervals import Pair, wilson
from fruits_pipeline.session.tables import rows_of

MOST_PAIRS: Final = 100
_KEYS: Final = ("classifier", "split", "label", "prediction")
_COUNTED: Final = pa.schema([field for field in schemas.CONFUSED if field.name not in ("path", "confidence")])


def confused(predictions: DataFrame, confusion: pa.Table) -> pa.Table:
    """Rows of ``schemas.CONFUSED``, the commonest first, at most ``MOST_PAIRS`` of each classifier on each side.

    Args:
        predictions: Rows of ``schemas.PREDICTIONS``.
        confusion: Rows of ``schemas.CONFUSION`` of these.
    """
    counted = pairs(confusion)
    if not counted.num_rows:
        return schemas.CONFUSED.empty_table()
    wanted = F.broadcast(rows_of(predictions.sparkSession, counted.select(_KEYS)))
    surest = Window.partitionBy(*_KEYS).orderBy(F.desc("confidence"), "path")
    ranked = predictions.join(wanted, on=list(_KEYS)).withColumn("place", F.row_number().over(surest))
    found = ranked.where("place = 1").select(*_KEYS, "path", "confidence").collect()
    examples = {tuple(row[key] for key in _KEYS): row for row in found}
    rows = [row | examples[tuple(row[key] for key in _KEYS)].asDict() for row in counted.to_pylist()]
    return pa.Table.from_pylist(rows, schema=schemas.CONFUSED)


def pairs(confusion: pa.Table) -> pa.Table:
    """The same without pictures, from rows of ``schemas.CONFUSION`` alone."""
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
