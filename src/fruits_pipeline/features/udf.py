"""The one function of Spark's workers: rows with files' bytes in, rows of ``TRIED`` out.

Its closure holds a plan, an accumulator and a broadcast; the model loads inside the worker, once. It takes and gives
Arrow: the floats of a pandas UDF's lists go through Python one by one.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import pyarrow as pa
from pyspark.sql import DataFrame

from fruits_pipeline.backbones.predictor import predictor
from fruits_pipeline.features.batch import KNOWN, TRIED, Decode, Plan, outcomes
from fruits_pipeline.features.work import Work
from fruits_pipeline.images.decode import decode
from fruits_pipeline.images.isolation import IsolatedDecoder
from fruits_pipeline.session.tables import spark_schema


def featurised(rows: DataFrame, work: Work, plan: Plan) -> DataFrame:
    """Rows of ``TRIED``, one for each of ``rows``: columns of ``KNOWN`` and ``content``."""
    model, counter = work.model, work.counter

    def over_batches(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        predict = predictor(model.value, plan.threads)
        with decoding(plan) as decode_one:
            for batch in batches:
                outcome = outcomes(batch.column("content").to_pylist(), decode_one, predict, plan)
                yield beside(batch.select(KNOWN.names), outcome)
                counter.add(batch.num_rows)

    return rows.select(*KNOWN.names, "content").mapInArrow(over_batches, spark_schema(TRIED))


def beside(known: pa.RecordBatch, outcome: pa.RecordBatch) -> pa.RecordBatch:
    """Rows of ``TRIED`` from their two halves."""
    return pa.RecordBatch.from_arrays([*known.columns, *outcome.columns], schema=TRIED)


@contextmanager
def decoding(plan: Plan) -> Iterator[Decode]:
    """Gives the plain decoder, or one that survives a decoder's crash or hang."""
    if plan.isolated:
        with IsolatedDecoder(plan.decode_timeout_s) as isolated:
            yield isolated.decode
    else:
        yield decode
