"""What an output knows of its images: components of held-out ones, and what Spark's regression said of some."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from fruits_pipeline.errors import DatasetError
from fruits_pipeline.schemas import CONFUSION, PREDICTIONS, REDUCED, TEST, VALIDATION
from fruits_pipeline.state import layout
from fruits_pipeline.state.files import FileMark
from fruits_pipeline.state.room_marker import RoomMarker
from fruits_pipeline.state.rooms import Rooms
from fruits_pipeline.state.uses import Uses
from fruits_pipeline.storage.store import Store
from fruits_pipeline.trained.models import TrainedModels

REGRESSION: Final = "logistic_regression"
# Images that confidence is fitted on, at most: the first by the hash of their content. The error of a share of 0.95 is
# then 0.2 points, and 20,000 x 1,000 probabilities are 160 MB.
MOST_ROWS: Final = 20_000
_BATCH_ROWS: Final = 10_000
_COLUMNS: Final = ("path", "label", "split", "content_sha256", "pca_features")
_SCHEMA: Final = pa.schema([REDUCED.field(name) for name in _COLUMNS])
_BY_CONTENT: Final = [("content_sha256", "ascending"), ("path", "ascending")]


class Facts(BaseModel):
    """Of the facts of ``reduce`` and ``classify``, those that the model card tells.

    Attributes:
        uses: Images by what they were used for.
        features: The output whose features were reduced; None where it is the same.
    """

    model_config = ConfigDict(frozen=True)

    uses: Uses = Uses()
    features: str | None = None


@dataclass(frozen=True)
class Sides:
    """Rows of ``reduced``, each by the hash of the content.

    Attributes:
        held_out: By side, validation and test: those with a label that was learnt, at most ``MOST_ROWS`` of each.
        compared: Those of any side that are to be compared, held-out ones first.
    """

    held_out: dict[str, pa.Table]
    compared: pa.Table


@dataclass(frozen=True)
class Results:
    """The tables of a finished run; each file is held against its checksum first, on S3 where it keeps one.

    The length of all files was held against their markers before.
    """

    store: Store
    reduced: RoomMarker[Facts]
    classified: RoomMarker[Facts]

    def sides(self, labels: tuple[str, ...], images: int) -> Sides:
        """Its rows by what ``export`` uses them for.

        Args:
            labels: Those that were learnt.
            images: How many are to be compared.

        Raises:
            DatasetError: When a file was changed.
        """
        held_out = dict.fromkeys((VALIDATION, TEST), _SCHEMA.empty_table())
        first, others = _SCHEMA.empty_table(), _SCHEMA.empty_table()
        for rows in self._tables(self.reduced, layout.REDUCED, _SCHEMA):
            is_held_out = pc.fill_null(pc.is_in(rows["split"], pa.array(list(held_out))), fill_value=False)
            first = _smallest([first, rows.filter(is_held_out)], images)
            others = _smallest([others, rows.filter(pc.invert(is_held_out))], images)
            known = rows.filter(pc.is_in(rows["label"], pa.array(labels, pa.string())))
            for side, before in held_out.items():
                of_side = known.filter(pc.fill_null(pc.equal(known["split"], side), fill_value=False))
                held_out[side] = _smallest([before, of_side], MOST_ROWS)
        return Sides(held_out, pa.concat_tables([first, others]).slice(0, images))

    def said(self, paths: pa.ChunkedArray) -> dict[str, tuple[str, float]]:
        """What Spark's regression said of images by path: label and confidence.

        Raises:
            DatasetError: When a file was changed, or lacks an image.
        """
        found: dict[str, tuple[str, float]] = {}
        for rows in self._tables(self.classified, layout.PREDICTIONS, PREDICTIONS):
            is_asked = pc.and_(pc.equal(rows["classifier"], REGRESSION), pc.is_in(rows["path"], paths.combine_chunks()))
            for row in rows.filter(is_asked).to_pylist():
                found[row["path"]] = (row["prediction"], row["confidence"])
        if missing := set(paths.to_pylist()) - found.keys():
            raise DatasetError(
                f"expected a prediction of {REGRESSION} for each image under {self.store.root}, found none for "
                f"{len(missing)} of them; run 'verify --deep', which tells what else is missing"
            )
        return found

    def confusion(self) -> dict[str, list[tuple[str, str, int]]]:
        """Label, prediction and number of images of the regression, by side.

        Raises:
            DatasetError: When a file was changed.
        """
        found: dict[str, list[tuple[str, str, int]]] = {}
        for rows in self._tables(self.classified, f"{layout.EVALUATION}/confusion", CONFUSION):
            for row in rows.filter(pc.equal(rows["classifier"], REGRESSION)).to_pylist():
                found.setdefault(row["split"], []).append((row["label"], row["prediction"], row["images"]))
        return dict(sorted(found.items()))

    def _tables(self, marker: RoomMarker[Facts], folder: str, schema: pa.Schema) -> Iterator[pa.Table]:
        for mark in marker.files:
            if not mark.is_data or not mark.key.startswith(f"{folder}/"):
                continue
            self._refuse_changed(mark)
            with pq.ParquetFile(io.BytesIO(self.store.read(mark.key))) as file:
                for batch in file.iter_batches(_BATCH_ROWS, columns=schema.names):
                    yield pa.Table.from_batches([batch]).cast(schema)

    def _refuse_changed(self, mark: FileMark) -> None:
        """A copy in another kind of storage has another kind of checksum, and an ETag may follow from the upload."""
        found = self.store.checksum(mark.key)
        kind = found.partition(":")[0]
        if kind == mark.checksum.partition(":")[0] != "etag" and found != mark.checksum:
            raise DatasetError(
                f"expected {mark.checksum} of {self.store.root}/{mark.key}, found {found}: it was changed since it was "
                "written; delete it, and start the 'run' that made it again"
            )


def load_results(store: Store, models: TrainedModels) -> Results:
    """The tables of the finished run in ``store`` that trained ``models``.

    Raises:
        DatasetError: When it is not finished, files are gone, or the models were made again since they were loaded.
    """
    rooms = Rooms(store, overwrite=False)
    reduced = rooms.finished("reduce", Facts)
    if reduced.digest != models.reduced:
        raise DatasetError(f"expected the models under {store.root} to stay, found others; start again")
    return Results(store, reduced, rooms.finished("classify", Facts, reduced.digest))


def components_of(rows: pa.Table) -> NDArray[np.float64]:
    """Components float64 (N, k) of rows of ``reduced``, N at least 1."""
    components: NDArray[np.float64] = np.stack(rows["pca_features"].to_numpy()).astype(np.float64)
    return components


def _smallest(tables: list[pa.Table], most: int) -> pa.Table:
    return pa.concat_tables(tables).sort_by(_BY_CONTENT).slice(0, most).combine_chunks()
