"""A source that ``pack`` wrote: the manifest of the images as they were, and Parquet of their contents."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from fruits_pipeline.errors import InputError, StorageError
from fruits_pipeline.ingest.runs import in_order, planned_run
from fruits_pipeline.schemas import MANIFEST
from fruits_pipeline.settings.storage import StorageSettings
from fruits_pipeline.state.packs import load_pack
from fruits_pipeline.state.plan import PlannedWave, load_plan
from fruits_pipeline.storage.opening import open_store
from fruits_pipeline.storage.source import unreadable

_DEFAULTS = StorageSettings()


@dataclass(frozen=True)
class PackedSource:
    """The pack at ``address``; ``root`` is the root of the source that it was made from, below which labels stand."""

    address: str
    root: str
    waves: tuple[PlannedWave, ...] = field(default=(), repr=False)
    storage: StorageSettings = field(default=_DEFAULTS, repr=False)

    @classmethod
    def found(cls, address: str, storage: StorageSettings) -> "PackedSource | None":
        """The pack at ``address``, or None where there is none.

        Raises:
            InputError: When ``pack`` has not finished there, or the place cannot be read.
            DatasetError: When it was written by another version of this package.
        """
        store = open_store(address, storage)
        try:
            plan = load_plan(store)
            packed = load_pack(store) if plan else {}
        except StorageError as error:
            raise unreadable(error) from error
        if plan is None or not packed:
            return None
        pending = [wave for wave in plan.waves if wave.wave not in packed]
        if pending:
            raise InputError(f"expected a finished pack at {address}, found one begun; start the same 'pack' again")
        return cls(address, plan.source_root, plan.waves, storage)

    def check(self) -> None:
        """Nothing that ``found`` has not seen."""

    def rows(self) -> Iterator[pa.Table]:
        """The manifest that ``pack`` read by, in order of path."""
        store = open_store(self.address, self.storage)
        with tempfile.TemporaryDirectory(prefix="fruits-pack-") as folder:
            for table in in_order(planned_run(store, wave, Path(folder)) for wave in self.waves):
                yield table.select(MANIFEST.names)

    def __str__(self) -> str:
        """The source as the user would spell it."""
        return self.address
