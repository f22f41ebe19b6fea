"""What a source holds, as tables of ``schemas.MANIFEST``: from a listing, a table of paths, or a pack."""

from collections.abc import Iterable, Iterator
from itertools import islice

import pyarrow as pa

from fruits_pipeline.ingest.described import described
from fruits_pipeline.ingest.naming import Meaning, meaning
from fruits_pipeline.ingest.packed import PackedSource
from fruits_pipeline.schemas import MANIFEST
from fruits_pipeline.settings.storage import StorageSettings
from fruits_pipeline.storage import uri
from fruits_pipeline.storage.source import Source, parse_source
from fruits_pipeline.storage.store import Found
from fruits_pipeline.storage.table import SUFFIXES, TableSource

AnySource = Source | TableSource | PackedSource

_BATCH_ROWS = 32_768


def source_at(address: str, storage: StorageSettings) -> AnySource:
    """The source that ``address`` names: a table by its name's end, a pack by what ``pack`` left there, else a folder.

    Raises:
        SettingsError: When no store serves the address.
        InputError: When there is a pack that was not finished.
    """
    whole = uri.normalise(address)
    if whole.endswith(SUFFIXES):
        return TableSource(whole, storage)
    source = parse_source(address, storage)
    if source.pattern:
        return source
    return PackedSource.found(source.root, storage) or source


def spelled(address: str) -> str:
    """The address as fingerprints hold it: one spelling for each source, whatever the machine's defaults."""
    whole = uri.normalise(address)
    return whole if whole.endswith(SUFFIXES) else str(parse_source(address))


def place_of(source: AnySource) -> Source:
    """What an output may not lie in: the folder of images, or the table or the pack itself."""
    return source if isinstance(source, Source) else Source(str(source), "")


def listed(source: AnySource) -> Iterator[pa.Table]:
    """One row for each object, in any order.

    Raises:
        InputError: When the source cannot be read.
    """
    match source:
        case TableSource():
            return _of_table(source)
        case PackedSource():
            return source.rows()
        case _:
            return of_objects(source.root, source.objects())


def of_objects(root: str, objects: Iterable[Found]) -> Iterator[pa.Table]:
    """Rows of objects below ``root``, with what their keys say."""
    stream = iter(objects)
    while part := list(islice(stream, _BATCH_ROWS)):
        said = [meaning(found.key) for found in part]
        columns = [
            pa.array([uri.join(root, found.key) for found in part]),
            pa.array([found.length for found in part], pa.int64()),
            pa.array([found.modified for found in part], pa.timestamp("us", tz="UTC")),
        ]
        yield pa.Table.from_arrays([*columns, *_said(said)], schema=MANIFEST)


def _of_table(source: TableSource) -> Iterator[pa.Table]:
    """Names are not judged: the table says which images it means."""
    root = source.root
    for table in described(source):
        said = [meaning(uri.below(path, root) or path)._replace(skip_reason=None) for path in table["path"].to_pylist()]
        given = [
            said_one._replace(label=label or said_one.label, split=split or said_one.split)
            for said_one, label, split in zip(said, table["label"].to_pylist(), table["split"].to_pylist(), strict=True)
        ]
        known = [table[name].combine_chunks() for name in ("path", "length", "modified")]
        yield pa.Table.from_arrays([*known, *_said(given)], schema=MANIFEST)


def _said(said: list[Meaning]) -> list[pa.Array]:
    """The columns ``label``, ``split`` and ``skip_reason``."""
    return [pa.array(values, pa.string()) for values in (zip(*said, strict=True) if said else ((), (), ()))]
