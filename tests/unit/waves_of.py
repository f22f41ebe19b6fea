"""Waves without a JVM: rows of manifests, sources that list them in any order, finished waves with their files."""

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from fruits_pipeline import schemas
from fruits_pipeline.state import layout
from fruits_pipeline.state.counts import add_reasons
from fruits_pipeline.state.files import marks
from fruits_pipeline.state.recipe import Recipe
from fruits_pipeline.state.snapshot import WaveMarker, mark_wave

THEN = datetime(2024, 5, 6, 7, 8, 9, 123456, UTC)
ROOT = "file:///in"
RECIPE = Recipe(settings={"backbone": "mobilenetv2"}, made_by={"openvino": "1"})


class Row(NamedTuple):
    """One row of ``schemas.MANIFEST``."""

    path: str
    length: int | None = 1
    modified: datetime | None = THEN
    label: str | None = None
    split: str | None = None
    skip_reason: str | None = None
    source_path: str | None = None


def rows_of(names: Iterable[str], **facts: object) -> list[Row]:
    """A row for each name, which is its path below the root."""
    return [Row(f"{ROOT}/{name}", **facts) for name in names]


def table(rows: Iterable[Row]) -> pa.Table:
    """The rows as a table of ``schemas.MANIFEST``."""
    return pa.Table.from_pylist([row._asdict() for row in rows], schema=schemas.MANIFEST)


def rows_in(found: pa.Table) -> list[Row]:
    """The rows of such a table."""
    return [Row(**row) for row in found.select(schemas.MANIFEST.names).to_pylist()]


@dataclass
class Told:
    """A source that tells these rows in this order, ``batch`` in a table."""

    rows: list[Row]
    batch: int = 3
    root: str = ROOT

    def tables(self) -> Iterator[pa.Table]:
        """The rows, and an empty table at the end, as a filter may leave one."""
        for place in range(0, len(self.rows) + self.batch, self.batch):
            yield table(self.rows[place : place + self.batch])


def manifest_of(store, plan) -> dict[str, list[Row]]:
    """The rows of each wave of a plan, as they stand in the output."""
    return {
        wave.wave: rows_in(pq.read_table(io.BytesIO(store.read(wave.manifest.key)), partitioning=None))
        for wave in plan.waves
    }


def finish(store, wave, rejects=None, recipe=RECIPE) -> WaveMarker:
    """Writes features and rejects of a planned wave, and its marker; ``rejects`` gives reasons by path."""
    rejects = rejects or {}
    rows = rows_in(pq.read_table(io.BytesIO(store.read(wave.manifest.key)), partitioning=None))
    images = [row for row in rows if row.skip_reason is None]
    read = [row.path for row in images if row.path not in rejects]
    refused = [
        {"path": row.path, "length": row.length, "reason": str(rejects[row.path]), "detail": "why"}
        for row in images
        if row.path in rejects
    ]
    features = [
        {"path": path, "content_sha256": "00", "width": 1, "height": 1, "features": [float(len(path))]} for path in read
    ]
    for dataset, found, schema in (("features", features, schemas.FEATURES), ("rejects", refused, schemas.REJECTS)):
        if found:
            written = io.BytesIO()
            pq.write_table(pa.Table.from_pylist(found, schema=schema), written)
            store.write(f"{layout.wave_folder(dataset, wave.wave)}/part-00000.parquet", written.getvalue())
    counts = wave.counts.model_copy(
        update={
            "read": len(read),
            "rejected": len(refused),
            "pending": 0,
            "reject_reasons": add_reasons({one["reason"]: 1} for one in refused),
        }
    )
    folders = [layout.wave_folder(dataset, wave.wave) for dataset in ("features", "rejects")]
    marker = WaveMarker(
        wave=wave.wave,
        digest=wave.digest,
        recipe=recipe,
        counts=counts.checked(),
        manifest=wave.manifest,
        files=marks(store, folders),
    )
    mark_wave(store, marker)
    return marker
