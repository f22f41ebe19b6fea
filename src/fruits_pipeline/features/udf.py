"""The one UDF: a column of files' bytes in, a struct of ``OUTCOME`` out.

Its closure holds a plan, an accumulator and a broadcast; the model loads inside the worker, once.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pandas as pd
from pyspark import Accumulator, Broadcast
from pyspark.sql import Column
from pyspark.sql.pandas.functions import pandas_udf

from fruits_pipeline.backbones.model import Model
from fruits_pipeline.backbones.predictor import predictor
from fruits_pipeline.features.batch import OUTCOME, Decode, Plan, outcomes
from fruits_pipeline.images.decode import decode
from fruits_pipeline.images.isolation import IsolatedDecoder
from fruits_pipeline.session.tables import spark_schema


def featurise(model: Broadcast[Model], plan: Plan, counter: Accumulator[int]) -> Callable[[str], Column]:
    """A function of the content column; ``counter`` grows by each batch's rows."""

    def over_batches(batches: Iterator[pd.Series]) -> Iterator[pd.DataFrame]:
        predict = predictor(model.value, plan.threads)
        with decoding(plan) as decode_one:
            for contents in batches:
                yield outcomes(contents.tolist(), decode_one, predict, plan)
                counter.add(len(contents))

    return pandas_udf(over_batches, spark_schema(OUTCOME))  # type: ignore[call-overload, no-any-return]  # because the stubs do not know iterators of frames


@contextmanager
def decoding(plan: Plan) -> Iterator[Decode]:
    """Gives the plain decoder, or one that survives a decoder's crash or hang."""
    if plan.isolated:
        with IsolatedDecoder(plan.decode_timeout_s) as isolated:
            yield isolated.decode
    else:
        yield decode
