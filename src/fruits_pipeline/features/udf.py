"""The one function of Spark's workers: rows with files' bytes in, rows of ``READ`` out, refusals beside.

Its closure holds a treatment, accumulators and a broadcast; the model loads inside the worker, once. It takes and gives
Arrow: the floats of a pandas UDF's lists go through Python one by one.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc
from pyspark import Accumulator, TaskContext
from pyspark.sql import DataFrame

from fruits_pipeline.backbones.predictor import predictor
from fruits_pipeline.features.batch import READ, Decode, Treatment, outcomes
from fruits_pipeline.features.job import FeatureJob, Reading, Refused
from fruits_pipeline.images.decode import decode
from fruits_pipeline.images.isolation import IsolatedDecoder
from fruits_pipeline.session.tables import spark_schema


def featurised(rows: DataFrame, job: FeatureJob, reading: Reading) -> DataFrame:
    """Rows of ``READ``, for those of ``rows`` (columns ``path`` and ``content``) that are images."""
    model, counter, refused, treatment = job.shared_model, job.counter, reading.refused, reading.treatment

    def over_batches(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        predict, careful = predictor(model.value, treatment.threads), of_this_attempt(treatment)
        with decoding(careful) as decode_one:
            for batch in batches:
                outcome = outcomes(batch.column("content").to_pylist(), decode_one, predict, careful)
                yield read(batch.column("path"), outcome, refused)
                counter.add(batch.num_rows)

    return rows.select("path", "content").mapInArrow(over_batches, spark_schema(READ))


def read(paths: pa.Array, outcome: pa.RecordBatch, refused: Accumulator[list[Refused]]) -> pa.RecordBatch:
    """Rows of ``READ`` from their two halves; the others go to ``refused``."""
    rows = pa.RecordBatch.from_arrays([paths, *outcome.columns], names=["path", *outcome.schema.names])
    wrong = pc.is_valid(rows["reason"])
    if wrong.true_count:
        refused.add([Refused(**row) for row in rows.filter(wrong).select(list(Refused._fields)).to_pylist()])
        rows = rows.filter(pc.invert(wrong))
    return rows.select(READ.names)


def of_this_attempt(treatment: Treatment) -> Treatment:
    """How this task treats its images: one that Spark tries again decodes in isolation.

    What ended the attempt before may have been a decoder, which then costs its own image, and one task of the wave.
    """
    task = TaskContext.get()
    return replace(treatment, isolated=True) if task and task.attemptNumber() else treatment


@contextmanager
def decoding(treatment: Treatment) -> Iterator[Decode]:
    """Gives the plain decoder, or one that survives a decoder's crash or hang."""
    if treatment.isolated:
        with IsolatedDecoder(treatment.decode_timeout_s) as isolated:
            yield isolated.decode
    else:
        yield decode
