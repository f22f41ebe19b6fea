"""Outputs as ``run`` leaves them, as far as the page reads them: any number of labels, real pictures, no Spark."""

import hashlib
import io
import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image
from pydantic import BaseModel, ConfigDict

from fruits_pipeline import schemas
from fruits_pipeline.demo.draw import draw
from fruits_pipeline.demo.fruit import FRUITS
from fruits_pipeline.ingest.manifests import ManifestWriter
from fruits_pipeline.state import layout
from fruits_pipeline.state.counts import Counts
from fruits_pipeline.state.plan import Plan, save_plan
from fruits_pipeline.state.recipe import Recipe
from fruits_pipeline.state.rooms import Rooms
from fruits_pipeline.state.snapshot import WaveMarker, load_snapshot, mark_wave
from fruits_pipeline.storage.opening import open_store
from fruits_pipeline.storage.store import Store
from page_tables import tables_of

HOSTILE = ("<img src=x onerror=alert(1)>", "$x_1^2$", "Ünïcødé 果物", "long " * 60, "a\u202eb\x07c")
HOSTILE_FILE = '"><b onclick=alert(1)>.jpg'
KINDS = ("Red", "Green", "Yellow", "Golden", "Small", "Wax", "Sweet", "Dark", "Heart", "Round", "Long", "Striped")
SETTINGS = {
    "driver_memory": "4g", "data_source": "/home/somebody/fruits", "output_uri": "/home/somebody/results",
    "backbone": "mobilenetv2", "image_size": 160, "components": 0.9, "train_split": "folder", "forest_trees": 100,
    "classifier": ["random_forest", "logistic_regression"], "overwrite": True,
}  # fmt: skip


class Facts(BaseModel):
    """Facts of a room, whatever they are."""

    model_config = ConfigDict(extra="allow")


def page_output(
    folder: Path,
    labels: int = 95,
    seed: int = 7,
    without: tuple[str, ...] = (),
    source: Path | None = None,
    predicted: int = 1,
) -> Store:
    """An output of so many labels whose pictures lie beside it; tables of ``without`` are left out.

    With six labels or more, some have names that nobody expects. ``seed`` is that of the pictures, ``predicted``
    that of all else.
    """
    rng = np.random.default_rng(seed)
    source = source or folder.with_name(f"{folder.name}-images")
    images = _images(source, _names(labels), rng, pictures=max(3, min(8, 800 // labels)))
    store = open_store(str(folder))
    folder.mkdir(parents=True, exist_ok=True)
    _plan(store, folder, source, images)
    tables, facts = tables_of(images, np.random.default_rng(predicted))
    rooms = Rooms(store, overwrite=False)
    made_from = load_snapshot(store).digest
    for room in ("reduce", "examine", "classify"):
        if room == "examine" and "examine" in without:
            continue
        rooms.begin(room, {"components": 0.9} if room == "reduce" else {}, made_from, Facts)
        for place in layout.OWNED[room]:
            name = place.removeprefix(f"{layout.EVALUATION}/")
            if name in tables and name not in without:
                _write(store, f"{place}/{layout.ONLY_FILE}", pa.Table.from_pylist(tables[name], schemas.ALL[name]))
        made_from = rooms.finish(room, Facts(**facts[room])).digest if room == "reduce" else made_from
        if room != "reduce":
            rooms.finish(room, Facts(**facts[room]))
    store.write(layout.RUN_RECORD, json.dumps(record(images)).encode())
    return store


def record(images: list[dict]) -> dict:
    """``run.json`` of a run."""
    seconds = {"ingest": 1.4, "features": 61.2, "reduce": 3.9, "examine": 2.2, "classify": 20.5}
    return {
        "fruits_pipeline": "0.1.0", "command": "run", "status": "done", "settings": SETTINGS,
        "started": "2026-11-26T10:04:55+00:00", "finished": "2026-11-26T10:06:30+00:00", "seconds_total": 95.1,
        "machine": {"system": "Linux-6.1-x86_64", "python": "3.11.7"},
        "versions": {"fruits-pipeline": "0.1.0", "pyspark": "3.5.8", "numpy": "1.26.4", "tensorflow-cpu": None},
        "counts": {"found": len(images) + 4}, "change": {"computed": len(images)}, "seconds": seconds,
    }  # fmt: skip


def _names(labels: int) -> list[str]:
    plain = [f"{fruit} {kind} {n}" for n in range(1, 9) for kind in KINDS for fruit in FRUITS]
    return [*(HOSTILE if labels > len(HOSTILE) else ()), *plain][:labels]


def _images(source: Path, names: list[str], rng: np.random.Generator, pictures: int) -> list[dict]:
    """Rows of ``reduced`` without components, as many pictures of each label; every third is a test image."""
    fruits = list(FRUITS.values())
    drawn = [draw(fruit, rng) for fruit in fruits for _ in range(2)]
    rows = []
    for place, label in enumerate(names):
        tint, shade = rng.uniform(0.75, 1.0, 3), drawn[2 * (place % len(fruits)) : 2 * (place % len(fruits)) + 2]
        for number in range(pictures):
            split = "test" if number % 3 == 0 else "train"
            name = HOSTILE_FILE if (place, number) == (0, 0) else f"{number:03d}.jpg"
            file = source / {"test": "Test", "train": "Training"}[split] / f"label {place:03d}" / name
            pixels = np.clip(shade[number % 2] * tint + rng.normal(0, 2, (100, 100, 3)), 0, 255).astype(np.uint8)
            width, height = [(100, 100), (160, 100), (75, 100)][place % 3]
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).resize((width, height)).save(file, "JPEG", quality=88)
            digest = hashlib.sha256(file.read_bytes()).hexdigest()
            at = {"path": f"file://{file}", "source_path": str(file), "content_sha256": digest}
            rows.append({**at, "label": label, "split": split, "width": width, "height": height})
    return rows


def _plan(store: Store, folder: Path, source: Path, images: list[dict]) -> None:
    """One finished wave, with three rejects and one skipped file."""
    writer = ManifestWriter("00000", folder)
    then = datetime(2026, 1, 1, tzinfo=UTC)
    rows = [{**row, "length": 1_000, "modified": then, "skip_reason": None} for row in images]
    odd = [(f"bad/{n}.jpg", None) for n in range(3)] + [("notes.txt", "not_an_image_name")]
    for name, reason in odd:
        path = {"path": f"file://{source}/{name}", "source_path": name, "length": 9, "modified": then}
        rows.append({**path, "label": None, "split": None, "skip_reason": reason})
    rows.sort(key=lambda row: row["path"])
    names = schemas.MANIFEST.names
    writer.write(pa.Table.from_pylist([{name: row[name] for name in names} for row in rows], schemas.MANIFEST))
    wave = writer.put(store)
    save_plan(store, Plan(settings={}, source_root=f"file://{source}", next_wave=1, waves=(wave,)))
    counts = Counts(
        found=len(rows), read=len(images), rejected=3, skipped=1,
        reject_reasons={"truncated": 3}, skip_reasons={"not_an_image_name": 1},
    )  # fmt: skip
    recipe = Recipe(settings={"backbone": "mobilenetv2", "precision": "f32", "image_size": 160}, made_by={})
    marker = WaveMarker(
        wave=wave.wave, digest=wave.digest, recipe=recipe, counts=counts, manifest=wave.manifest, files=()
    )
    mark_wave(store, marker)


def _write(store: Store, key: str, table: pa.Table) -> None:
    sink = io.BytesIO()
    pq.write_table(table, sink)
    store.write(key, sink.getvalue())
