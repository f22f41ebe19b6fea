"""What a wave takes over from finished waves: features of images whose content is the same are never computed again."""

import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from fruits_pipeline import schemas
from fruits_pipeline.images.reason import Reason
from fruits_pipeline.state.layout import REJECTS
from fruits_pipeline.state.plan import PlannedWave
from fruits_pipeline.state.recipe import Recipe
from fruits_pipeline.state.rows import CONTENT, equal_rows
from fruits_pipeline.state.snapshot import WaveMarker
from fruits_pipeline.storage import uri
from fruits_pipeline.storage.store import Store

# Rejects that another try may mend; others follow from the bytes of the image.
RETRYABLE = frozenset({Reason.MISSING, Reason.FORBIDDEN, Reason.UNREADABLE, Reason.TIMEOUT, Reason.KILLED})
_COLUMNS = ["path", *CONTENT]


@dataclass(frozen=True)
class Takeover:
    """The images of one wave, divided.

    Attributes:
        whole: A finished wave of just these images, whose files serve this one too; None where there is none.
        features: Addresses of the files that hold the features of ``carried``.
        carried: Paths whose features are copied.
        rejects: Rows of ``schemas.REJECTS`` that are copied.
        pending: Columns ``path, length``: images to be computed.
        with_refused: Whether some of them were refused before.
        recipe: How what is taken over was computed; None where nothing is.
    """

    whole: WaveMarker | None
    features: tuple[str, ...]
    carried: tuple[str, ...]
    rejects: pa.Table
    pending: pa.Table
    with_refused: bool = False
    recipe: Recipe | None = None


def takeover(store: Store, wave: PlannedWave, finished: Mapping[str, WaveMarker], *, retry: bool = True) -> Takeover:
    """Divides the images of ``wave`` by what its sources among the ``finished`` waves have of them.

    With ``retry``, rejects that another try may mend are pending; else they stay rejects.
    """
    images = images_of(store, wave)
    sources = [finished[name] for name in wave.sources if name in finished]
    same = {source.wave: _same(images, images_of(store, source)) for source in sources}
    rejects = [_rejects(store, source).filter(pc.field("path").isin(same[source.wave])) for source in sources]
    table = pa.concat_tables([schemas.REJECTS.empty_table(), *rejects])
    again = pa.array(sorted(RETRYABLE) if retry else [], pa.string())
    retried = table.filter(pc.field("reason").isin(again))["path"]
    kept = table.filter(pc.invert(pc.is_in(table["path"], value_set=retried)))
    known = {path for paths in same.values() for path in paths.to_pylist()}.difference(retried.to_pylist())
    for source in sources:
        if len(known) == len(images) == source.counts.images:
            return Takeover(source, (), (), kept, images.slice(0, 0), recipe=source.recipe)
    files = [uri.join(store.root, file.key) for source in sources for file in source.of("features")]
    carried = known.difference(table["path"].to_pylist())
    pending = images.filter(pc.invert(pc.is_in(images["path"], value_set=pa.array(sorted(known), pa.string()))))
    recipe = sources[0].recipe if sources else None
    return Takeover(
        None, tuple(files) if carried else (), tuple(sorted(carried)), kept, pending, len(retried) > 0, recipe
    )


def images_of(store: Store, wave: PlannedWave | WaveMarker) -> pa.Table:
    """Columns ``path, length, modified`` of a wave's images, in order of path."""
    rows = pq.read_table(io.BytesIO(store.read(wave.manifest.key)), columns=[*_COLUMNS, "skip_reason"])
    return rows.filter(pc.field("skip_reason").is_null()).select(_COLUMNS)


def retryable(store: Store, waves: Iterable[WaveMarker]) -> dict[str, pa.Table]:
    """Rejects that another try may mend, rows of ``schemas.REJECTS`` by wave."""
    found = {}
    for wave in waves:
        if RETRYABLE.intersection(wave.counts.reject_reasons):
            found[wave.wave] = _rejects(store, wave).filter(pc.field("reason").isin(sorted(RETRYABLE)))
    return found


def _rejects(store: Store, wave: WaveMarker) -> pa.Table:
    parts = [pq.read_table(io.BytesIO(store.read(file.key)), schema=schemas.REJECTS) for file in wave.of(REJECTS)]
    return pa.concat_tables([schemas.REJECTS.empty_table(), *parts])


def _same(images: pa.Table, others: pa.Table) -> pa.Array:
    """Paths that both have with equal length and time."""
    there = others.take(pc.index_in(images["path"], value_set=others["path"]))
    equal = pc.and_(pc.is_valid(there["path"]), equal_rows(images, there, CONTENT))
    return images["path"].filter(equal).combine_chunks()
