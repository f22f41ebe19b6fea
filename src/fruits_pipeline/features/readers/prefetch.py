"""The reader ``prefetch``: tasks get paths, and fetch the images ahead of the inference, one request each."""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import islice

import pyarrow as pa
from pyspark.sql import DataFrame

from fruits_pipeline.backbones.predictor import predictor
from fruits_pipeline.features.batch import READ, outcomes
from fruits_pipeline.features.job import FeatureJob, Reading
from fruits_pipeline.features.udf import decoding, of_this_attempt, read
from fruits_pipeline.images.decode import Rejected
from fruits_pipeline.images.reason import Reason
from fruits_pipeline.session.tables import rows_of, spark_schema
from fruits_pipeline.session.worker_requests import report
from fruits_pipeline.settings.storage import StorageSettings
from fruits_pipeline.storage.fetch import Wanted, Window, fetched
from fruits_pipeline.storage.patience import Patience
from fruits_pipeline.storage.single import Unread


@dataclass(frozen=True)
class Prefetch:
    """See ``Reader``; plain values only, because it travels to the workers."""

    storage: StorageSettings
    window: Window
    patience: Patience
    batch_rows: int

    def read_images(self, job: FeatureJob, reading: Reading) -> DataFrame:
        """Every image is read or refused."""
        rows = rows_of(job.spark, reading.images.select(["path", "length"]))
        spread = rows.repartition(min(reading.tasks, reading.images.num_rows))
        return spread.mapInArrow(self._over_batches(job, reading), spark_schema(READ))

    def explain_missing(self, job: FeatureJob, path: str) -> None:  # noqa: ARG002 because it is the interface of all readers
        """Never: every image is read or refused."""
        return

    def contents(self, wanted: Iterable[Wanted], *, judge: bool = True) -> Generator[bytes | Rejected, None, None]:
        """The images' files, in order, or why one cannot be read.

        Raises:
            StorageError: When the source as a whole fails; with ``judge`` also when all first ones are forbidden.
        """
        with closing(fetched(wanted, self.storage, self.window, self.patience, judge=judge)) as found:
            for content in found:
                yield Rejected(Reason(content.reason), content.detail) if isinstance(content, Unread) else content

    def _over_batches(
        self, job: FeatureJob, reading: Reading
    ) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
        """A function over batches of ``path, length``; its own batches do not follow those of its input."""
        model, counter, refused, treatment = job.shared_model, job.counter, reading.refused, reading.treatment
        requests = job.requests
        judge = not reading.with_refused

        def over_batches(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
            predict, careful = predictor(model.value, treatment.threads), of_this_attempt(treatment)
            asked: deque[str] = deque()

            def wanted() -> Iterator[Wanted]:
                for row in (row for batch in batches for row in batch.to_pylist()):
                    asked.append(row["path"])
                    yield Wanted(row["path"], row["length"])

            with decoding(careful) as decode_one, closing(self.contents(wanted(), judge=judge)) as contents:
                while batch := list(islice(contents, self.batch_rows)):
                    paths = pa.array([asked.popleft() for _ in batch], pa.string())
                    yield read(paths, outcomes(batch, decode_one, predict, careful), refused)
                    counter.add(len(batch))
                    report(requests)

        return over_batches
