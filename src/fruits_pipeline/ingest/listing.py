"""What a source holds, as tables of ``schemas.MANIFEST``: from a listing, a table of paths, or a pack."""

from collections.abc import Iterable, Iterator
from itertools import islice

import pyarrow as pa
import pyarrow.compute as pc

from fruits_pipeline.errors import SettingsError
from fruits_pipeline.ingest.described import described
from fruits_pipeline.ingest.naming import Meaning, Naming
from fruits_pipeline.ingest.packed import PackedSource
from fruits_pipeline.schemas import MANIFEST
from fruits_pipeline.settings.ingest import IngestSettings
from fruits_pipeline.settings.storage import StorageSettings
from fruits_pipeline.storage import uri
from fruits_pipeline.storage.source import Source, parse_source
from fruits_pipeline.storage.store import Found
from fruits_pipeline.storage.table import TableSource, is_table

AnySource = Source | TableSource | PackedSource

_BATCH_ROWS = 32_768
_DEFAULTS = Naming()


def source_at(address: str, storage: StorageSettings) -> AnySource:
    """The source that ``address`` names: a table by its name's end, a pack by what ``pack`` left there, else a folder.

    Raises:
        SettingsError: When no store serves the address.
        InputError: When there is a pack that was not finished.
    """
    whole = uri.normalise(address)
    if is_table(whole):
        return TableSource(whole, storage)
    source = parse_source(address, storage)
    if source.pattern:
        return source
    return PackedSource.found(source.root, storage) or source


def spelled(address: str) -> str:
    """The address as fingerprints hold it: one spelling for each source, whatever the machine's defaults."""
    whole = uri.normalise(address)
    return whole if is_table(whole) else str(parse_source(address))


def place_of(source: AnySource) -> Source:
    """What an output may not lie in: the folder of images, or the table or the pack itself."""
    return source if isinstance(source, Source) else Source(str(source), "")


def listed(source: AnySource, naming: Naming = _DEFAULTS) -> Iterator[pa.Table]:
    """One row for each object, in any order.

    Raises:
        InputError: When the source cannot be read.
    """
    match source:
        case TableSource():
            return _of_table(source, naming)
        case PackedSource():
            return _of_pack(source, naming)
        case _:
            return of_objects(source.root, source.objects(), naming)


def check_naming(source: AnySource, settings: IngestSettings) -> None:
    """Refuses settings that cannot hold for this source.

    Raises:
        SettingsError: When a pack is to have other labels or images than it was made with.
    """
    if isinstance(source, PackedSource) and (settings.label_folder != _DEFAULTS.label_folder or settings.include):
        raise SettingsError(
            f"expected --label-folder and --include for the 'pack' that made {source}, found them for a run on it; "
            "start that 'pack' with them again"
        )


def of_objects(root: str, objects: Iterable[Found], naming: Naming = _DEFAULTS) -> Iterator[pa.Table]:
    """Rows of objects below ``root``, with what their keys say."""
    stream = iter(objects)
    spelled_root = uri.as_spelled(root)
    while part := list(islice(stream, _BATCH_ROWS)):
        said = [naming.meaning(found.key) for found in part]
        columns = [
            pa.array([uri.join(root, found.key) for found in part]),
            pa.array([uri.join(spelled_root, found.key) for found in part]),
            pa.array([found.length for found in part], pa.int64()),
            pa.array([found.modified for found in part], pa.timestamp("us", tz="UTC")),
        ]
        yield pa.Table.from_arrays([*columns, *_said(said)], schema=MANIFEST)


def _of_table(source: TableSource, naming: Naming) -> Iterator[pa.Table]:
    """Names are not judged: the table says which images it means. Its columns decide, also where they are blank."""
    base, has_label, has_split = source.base, "label" in source.given, "split" in source.given
    for table in described(source):
        said = []
        rows = zip(*(table[name].to_pylist() for name in ("path", "source_path", "label", "split")), strict=True)
        for path, spelling, label, split in rows:
            key = uri.below(path, base) or path
            found = naming.meaning(key)
            if any(map(naming.is_unlabelled, (key, uri.below(path, source.root) or path, spelling))):
                said.append(Meaning(None, None, None))
            else:
                said.append(Meaning(label if has_label else found.label, split if has_split else found.split, None))
        known = [table[name].combine_chunks() for name in ("path", "source_path", "length", "modified")]
        yield pa.Table.from_arrays([*known, *_said(said)], schema=MANIFEST)


def _of_pack(source: PackedSource, naming: Naming) -> Iterator[pa.Table]:
    """Labels and splits as ``pack`` had them, but for images that are to have none."""
    for table in source.rows():
        keys = (uri.below(path, source.root) or path for path in table["path"].to_pylist())
        kept = pa.array([not naming.is_unlabelled(key) for key in keys], pa.bool_())
        values = {name: table[name] for name in MANIFEST.names}
        none = pa.scalar(None, pa.string())
        yield pa.table(values | {name: pc.if_else(kept, values[name], none) for name in ("label", "split")})


def _said(said: list[Meaning]) -> list[pa.Array]:
    """The columns ``label``, ``split`` and ``skip_reason``."""
    return [pa.array(values, pa.string()) for values in (zip(*said, strict=True) if said else ((), (), ()))]
