"""The reader ``prefetch``: tasks get paths, and fetch the images ahead of the inference, one request each."""

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import islice

import pandas as pd
import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql.pandas.functions import pandas_udf

from fruits_pipeline.backbones.predictor import predictor
from fruits_pipeline.features.batch import OUTCOME, Plan, outcomes
from fruits_pipeline.features.udf import decoding
from fruits_pipeline.features.work import Work
from fruits_pipeline.images.decode import Rejected
from fruits_pipeline.images.reason import Reason
from fruits_pipeline.session.tables import rows_of, spark_schema
from fruits_pipeline.settings.storage import StorageSettings
from fruits_pipeline.storage.fetch import Wanted, Window, fetched
from fruits_pipeline.storage.patience import Patience
from fruits_pipeline.storage.single import Unread

_COLUMNS = ["path", "length", "label", "split"]


@dataclass(frozen=True)
class Prefetch:
    """See ``Reader``; plain values only, because it travels to the workers."""

    storage: StorageSettings
    window: Window
    patience: Patience
    batch_rows: int

    def tried(self, work: Work, images: pa.Table, plan: Plan) -> DataFrame:
        """Every image has its row: what cannot be read is refused with a reason."""
        rows = rows_of(work.spark, images.select(_COLUMNS))
        spread = rows.repartition(min(work.tasks, images.num_rows))
        outcome = self._featurise(work, plan)("path", "length").alias("outcome")
        return spread.select("path", "label", "split", outcome).select("path", "label", "split", "outcome.*")

    def absent(self, work: Work, path: str) -> None:  # noqa: ARG002 because it is the face of all readers
        """Never: every image has its row."""
        return

    def contents(self, wanted: Iterable[Wanted]) -> Generator[bytes | Rejected, None, None]:
        """The images' files, in order, or why one cannot be read.

        Raises:
            StorageError: When the source as a whole fails.
        """
        with closing(fetched(wanted, self.storage, self.window, self.patience)) as found:
            for content in found:
                yield Rejected(Reason(content.reason), content.detail) if isinstance(content, Unread) else content

    def _featurise(self, work: Work, plan: Plan) -> Callable[[str, str], Column]:
        """A function of the columns of paths and lengths; its batches do not follow those of its input."""
        model, counter = work.model, work.counter

        def over_batches(batches: Iterator[tuple[pd.Series, pd.Series]]) -> Iterator[pd.DataFrame]:
            predict = predictor(model.value, plan.threads)
            wanted = (Wanted(*row) for paths, lengths in batches for row in zip(paths, lengths, strict=True))
            with decoding(plan) as decode_one, closing(self.contents(wanted)) as contents:
                while batch := list(islice(contents, self.batch_rows)):
                    yield outcomes(batch, decode_one, predict, plan)
                    counter.add(len(batch))

        return pandas_udf(over_batches, spark_schema(OUTCOME))  # type: ignore[call-overload, no-any-return]  # because the stubs do not know iterators of frames
