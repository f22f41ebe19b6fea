"""What a source holds, as rows of the manifest without waves: from a listing, a table, or a pack."""

from collections.abc import Iterator

from fruits_pipeline.ingest.naming import meaning
from fruits_pipeline.ingest.packed import PackedSource
from fruits_pipeline.ingest.rows import Row
from fruits_pipeline.settings.storage import StorageSettings
from fruits_pipeline.storage import uri
from fruits_pipeline.storage.source import Source, parse_source
from fruits_pipeline.storage.table import SUFFIXES, TableSource

AnySource = Source | TableSource | PackedSource


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


def rows(source: AnySource) -> Iterator[Row]:
    """One row for each object, in order of path.

    Raises:
        InputError: When the source cannot be read.
    """
    match source:
        case TableSource():
            return _of_table(source)
        case PackedSource():
            return source.rows()
        case _:
            return _of_folder(source)


def _of_folder(source: Source) -> Iterator[Row]:
    for found in source.objects():
        said = meaning(found.key)
        skip = said.skip_reason.value if said.skip_reason else None
        path = uri.join(source.root, found.key)
        yield Row(path, found.length, found.modified, said.label, said.split, skip, None)


def _of_table(source: TableSource) -> Iterator[Row]:
    """Names are not judged: the table says which images it means."""
    root = source.root
    for batch in source.images.to_batches():
        for path, length, modified, label, split in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            said = meaning(uri.below(path, root) or path)
            yield Row(path, length, modified, label or said.label, split or said.split, None, None)
