"""A whole output of two waves, made without Spark: ten objects, of which seven were read, two rejected, one skipped."""

import hashlib
import io
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import cycle, islice
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pydantic import BaseModel

from fruits_pipeline import schemas
from fruits_pipeline.ingest.manifests import ManifestWriter
from fruits_pipeline.state import layout
from fruits_pipeline.state.counts import Counts
from fruits_pipeline.state.files import marks
from fruits_pipeline.state.packs import PackedWave, mark_packed
from fruits_pipeline.state.plan import Plan, PlannedWave, load_plan, save_plan
from fruits_pipeline.state.recipe import Recipe
from fruits_pipeline.state.rooms import Rooms
from fruits_pipeline.state.snapshot import WaveMarker, load_snapshot, mark_wave
from fruits_pipeline.storage.opening import open_store
from fruits_pipeline.storage.store import Store

SOURCE = "file:///photos"
RECIPE = Recipe(settings={"backbone": "mobilenetv2", "precision": "f32"}, made_by={"openvino": "2026.4"})
# Names below the source, by wave; of each wave the last image is rejected.
WAVES = {
    "00000": ["Apple/1.jpg", "Apple/2.jpg", "Apple/3.jpg", "Apple/4.jpg", "Apple/notes.txt"],
    "00001": ["Banana/1.jpg", "Banana/2.jpg", "Banana/3.jpg", "Banana/4.jpg", "Banana/5.jpg"],
}


class Reduced(BaseModel):
    features: str
    rows: int
    components: int = 2


class Exported(BaseModel):
    rows: int


class Classified(BaseModel):
    predictions: int


def whole_output(folder: Path) -> Store:
    """Two finished waves, and all rooms."""
    folder.mkdir(parents=True, exist_ok=True)
    store = open_store(str(folder))
    waves = tuple(planned(store, wave, folder, names) for wave, names in WAVES.items())
    save_plan(store, Plan(settings={}, source_root=SOURCE, next_wave=2, waves=waves))
    for wave in waves:
        finish(store, wave)
    rooms_of(store, load_snapshot(store).digest, store.root)
    return store


def planned(
    store: Store, wave: str, scratch: Path, names: list[str], splits: Sequence[str | None] = ("train",)
) -> PlannedWave:
    """A wave whose manifest is written; ``splits`` go round."""
    writer = ManifestWriter(wave, scratch)
    skipped = [None if name.endswith(".jpg") else "not_an_image_name" for name in names]
    rows = {
        "path": [f"{SOURCE}/{name}" for name in names],
        "source_path": [f"/photos/{name}" for name in names],
        "length": [1_000] * len(names),
        "modified": [datetime(2026, 1, 1, tzinfo=UTC)] * len(names),
        "label": [name.split("/")[0] for name in names],
        "split": list(islice(cycle(splits), len(names))),
        "skip_reason": skipped,
    }
    writer.write(pa.table(rows, schema=schemas.MANIFEST))
    return writer.put(store)


def finish(store: Store, wave: PlannedWave, recipe: Recipe = RECIPE) -> WaveMarker:
    """Writes features and rejects of a planned wave, and its marker."""
    rows = pq.read_table(io.BytesIO(store.read(wave.manifest.key)))
    paths = rows.filter(pc.is_null(rows["skip_reason"]))["path"].to_pylist()
    features, rejects = (layout.wave_folder(name, wave.wave) for name in (layout.FEATURES, layout.REJECTS))
    for number, part in enumerate((paths[:2], paths[2:-1])):
        write(store, f"{features}/part-{number:05d}.parquet", feature_rows(part))
    store.write(f"{features}/_SUCCESS", b"")
    write(store, f"{rejects}/{layout.ONLY_FILE}", reject_rows(paths[-1:]))
    lost = len(paths[-1:])
    reasons = {"truncated": lost} if lost else {}
    update = {"read": len(paths) - lost, "rejected": lost, "reject_reasons": reasons, "pending": 0}
    marker = WaveMarker(
        wave=wave.wave,
        digest=wave.digest,
        recipe=recipe,
        counts=wave.counts.model_copy(update=update).checked(),
        manifest=wave.manifest,
        files=marks(store, (features, rejects)),
    )
    mark_wave(store, marker)
    return marker


def rooms_of(store: Store, made_from: str, features: str) -> None:
    """Rooms made from the snapshot of that digest, whose features lie at the address ``features``."""
    rooms = Rooms(store, overwrite=False)
    paths = [f"{SOURCE}/{name}" for names in WAVES.values() for name in names if name.endswith(".jpg")]
    read = [path for path in paths if not path.endswith(("Apple/4.jpg", "Banana/5.jpg"))]
    rooms.begin("reduce", {"components": 0.9}, made_from, Reduced)
    for number, part in enumerate((read[:4], read[4:])):
        write(store, f"{layout.REDUCED}/part-{number:05d}.parquet", _rows(schemas.REDUCED, path=part))
    store.write(f"{layout.MODELS}/reduce/metadata/part-00000", b'{"class": "PipelineModel"}')
    write(store, f"{layout.EVALUATION}/variance/{layout.ONLY_FILE}", _rows(schemas.VARIANCE, component=[1, 2]))
    reduced = rooms.finish("reduce", Reduced(features=features, rows=len(read)))
    rooms.begin("export_json", {}, reduced.digest, Exported)
    store.write(f"{layout.EXPORTS}/json/part-00000.json", json.dumps(read).encode())
    rooms.finish("export_json", Exported(rows=len(read)))
    rooms.begin("classify", {"forest_trees": 100}, reduced.digest, Classified)
    write(store, f"{layout.PREDICTIONS}/part-00000.parquet", _rows(schemas.PREDICTIONS, path=read))
    write(store, f"{layout.EVALUATION}/scores/{layout.ONLY_FILE}", _rows(schemas.SCORES, value=[0.9]))
    rooms.finish("classify", Classified(predictions=len(read)))


def packed_output(folder: Path) -> Store:
    """Two waves that were packed, and no features."""
    folder.mkdir(parents=True, exist_ok=True)
    store = open_store(str(folder))
    waves = tuple(planned(store, wave, folder, names) for wave, names in WAVES.items())
    save_plan(store, Plan(settings={}, source_root=SOURCE, next_wave=2, waves=waves))
    for wave in waves:
        part = layout.wave_folder(layout.PACKED, wave.wave)
        write(store, f"{part}/part-00000.parquet", _rows(schemas.PACKED, path=["x"] * wave.counts.images))
        images = wave.counts.images
        files = marks(store, [part])
        mark_packed(store, PackedWave(wave=wave.wave, contents="", images=images, without_content=0, files=files))
    return store


def replan(store: Store, *waves: PlannedWave) -> None:
    """Another plan of just these waves."""
    save_plan(store, load_plan(store).model_copy(update={"waves": waves}))


def rewrite(store: Store, key: str, table: pa.Table) -> None:
    """Writes a file of the output anew, and marks it as if it had always been so."""
    write(store, key, table)
    for found in list(store.objects(layout.STATE)):
        if found.key.endswith(".json"):
            content = json.loads(store.read(found.key))
            _remark(content, key, store)
            store.write(found.key, json.dumps(content).encode())


def edit(store: Store, key: str, **values: object) -> None:
    """Replaces values at the top of a marker."""
    store.write(key, json.dumps(json.loads(store.read(key)) | values).encode())


def write(store: Store, key: str, table: pa.Table) -> None:
    """A Parquet file."""
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="none")
    store.write(key, sink.getvalue())


def feature_rows(paths: list[str]) -> pa.Table:
    """Rows of ``schemas.FEATURES``."""
    digests = [hashlib.sha256(path.encode()).hexdigest() for path in paths]
    values = {"width": [100] * len(paths), "features": [[0.5, 1.5]] * len(paths)}
    return _rows(schemas.FEATURES, path=paths, content_sha256=digests, **values)


def reject_rows(paths: list[str], reason: str = "truncated") -> pa.Table:
    """Rows of ``schemas.REJECTS``."""
    return _rows(schemas.REJECTS, path=paths, reason=[reason] * len(paths))


def counts(**values: object) -> dict[str, object]:
    """Counts as a marker holds them."""
    return Counts(**values).model_dump()


def _rows(schema: pa.Schema, **columns: list[object]) -> pa.Table:
    rows = len(next(iter(columns.values())))
    return pa.table({name: columns.get(name, [None] * rows) for name in schema.names}, schema=schema)


def _remark(content: object, key: str, store: Store) -> None:
    """New length and checksum in every mark of ``key``."""
    if isinstance(content, dict):
        if content.get("key") == key:
            content |= {"length": store.stat(key).length, "checksum": store.checksum(key)}
        content = list(content.values())
    for part in content if isinstance(content, list) else ():
        _remark(part, key, store)
