"""A source that ``pack`` wrote: the manifest of the images as they were, and Parquet of their contents."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from fruits_pipeline.errors import InputError, StorageError
from fruits_pipeline.ingest.rows import Row, read_rows
from fruits_pipeline.settings.storage import StorageSettings
from fruits_pipeline.state import layout, marker
from fruits_pipeline.storage import uri
from fruits_pipeline.storage.opening import open_store

_DEFAULTS = StorageSettings()


@dataclass(frozen=True)
class PackedSource:
    """The pack at ``address``; ``root`` is the root of the source that it was made from, below which labels stand."""

    address: str
    root: str
    storage: StorageSettings = field(default=_DEFAULTS, repr=False)

    @classmethod
    def found(cls, address: str, storage: StorageSettings) -> "PackedSource | None":
        """The pack at ``address``, or None where there is none.

        Raises:
            InputError: When ``pack`` has not finished there, or the place cannot be read.
        """
        try:
            done = marker.load(open_store(address, storage), layout.room_marker("pack"), marker.RoomMarker)
        except StorageError as error:
            raise InputError(f"expected a source that can be read, but {error}") from error
        if done is None:
            return None
        if not done.finished:
            raise InputError(f"expected a finished pack at {address}, found one begun; start the same 'pack' again")
        return cls(address, str(done.facts["source_root"]), storage)

    def check(self) -> None:
        """Nothing that ``found`` has not seen."""

    @property
    def contents(self) -> str:
        """Where the Parquet of ``schemas.PACKED`` lies."""
        return uri.join(self.address, layout.PACKED)

    def rows(self) -> Iterator[Row]:
        """The manifest that ``pack`` read by, without its waves."""
        with tempfile.TemporaryDirectory(prefix="fruits-pack-") as folder:
            file = Path(folder) / layout.ONLY_FILE
            store = open_store(self.address, self.storage)
            file.write_bytes(store.read(f"{layout.MANIFEST}/{layout.ONLY_FILE}"))
            for row in read_rows(file):
                yield row._replace(wave=None)

    def __str__(self) -> str:
        """The source as the user would spell it."""
        return self.address
