"""The reader ``prefetch``: tasks get paths, and fetch the images ahead of the inference, one request each."""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import islice

import pyarrow as pa
from pyspark.sql import DataFrame

from fruits_pipeline.backbones.predictor import predictor
from fruits_pipeline.features.batch import KNOWN, READ, Plan, outcomes
from fruits_pipeline.features.udf import decoding, read
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
        """Every image is read or refused."""
        rows = rows_of(work.spark, images.select(_COLUMNS))
        spread = rows.repartition(min(work.tasks, images.num_rows))
        return spread.mapInArrow(self._over_batches(work, plan), spark_schema(READ))

    def absent(self, work: Work, path: str) -> None:  # noqa: ARG002 because it is the face of all readers
        """Never: every image is read or refused."""
        return

    def contents(self, wanted: Iterable[Wanted]) -> Generator[bytes | Rejected, None, None]:
        """The images' files, in order, or why one cannot be read.

        Raises:
            StorageError: When the source as a whole fails.
        """
        with closing(fetched(wanted, self.storage, self.window, self.patience)) as found:
            for content in found:
                yield Rejected(Reason(content.reason), content.detail) if isinstance(content, Unread) else content

    def _over_batches(self, work: Work, plan: Plan) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
        """A function over batches of ``_COLUMNS``; its own batches do not follow those of its input."""
        model, counter, refused = work.model, work.counter, work.refused

        def over_batches(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
            predict = predictor(model.value, plan.threads)
            asked: deque[dict[str, str | None]] = deque()

            def wanted() -> Iterator[Wanted]:
                for row in (row for batch in batches for row in batch.to_pylist()):
                    asked.append(row)
                    yield Wanted(row["path"], row["length"])

            with decoding(plan) as decode_one, closing(self.contents(wanted())) as contents:
                while batch := list(islice(contents, self.batch_rows)):
                    known = pa.RecordBatch.from_pylist([asked.popleft() for _ in batch], schema=KNOWN)
                    yield read(known, outcomes(batch, decode_one, predict, plan), refused)
                    counter.add(len(batch))

        return over_batches
