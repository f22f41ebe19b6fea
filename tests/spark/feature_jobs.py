"""A feature job on a tiny real OpenVINO model: the mean of each colour, so that features can be foretold."""

import io
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from fruits_pipeline.backbones.engines.telemetry import import_openvino
from fruits_pipeline.backbones.model import Model
from fruits_pipeline.features.compute_features import compute_features
from fruits_pipeline.features.job import FeatureJob
from fruits_pipeline.ingest.listing import source_at
from fruits_pipeline.ingest.plan_waves import Cut, plan_waves
from fruits_pipeline.settings.features import FeaturesSettings
from fruits_pipeline.settings.ingest import IngestSettings
from fruits_pipeline.settings.storage import StorageSettings
from fruits_pipeline.state.counts import Change, Counts
from fruits_pipeline.state.plan import Plan, save_plan
from fruits_pipeline.state.recipe import Recipe
from fruits_pipeline.state.snapshot import Snapshot
from fruits_pipeline.state.upkeep import tidied
from fruits_pipeline.storage import uri
from fruits_pipeline.storage.opening import open_store
from fruits_pipeline.storage.patience import Patience

SIZE = 8


def mean_colour_model(folder: Path, size: int = SIZE, white: float = 255) -> Model:
    """uint8 (N, size, size, 3) to float32 (N, 3), of which those of a white image are ``white``."""
    openvino = import_openvino()
    ops = openvino.opset13
    pixels = ops.parameter([-1, size, size, 3], np.uint8, name="pixels")
    means = ops.reduce_mean(ops.convert(pixels, np.float32), ops.constant(np.array([1, 2])), keep_dims=False)
    scaled = ops.multiply(means, ops.constant(np.float32(white / 255)))
    openvino.save_model(openvino.Model([scaled], [pixels], "means"), folder / "m.xml", compress_to_fp16=False)
    parts = ((folder / "m.xml").read_bytes(), (folder / "m.bin").read_bytes())
    return Model("mobilenetv2", "openvino", "f32", size, 3, parts)


def picture(colour: tuple[int, int, int], kind: str = "PNG", size: tuple[int, int] = (10, 6)) -> bytes:
    sink = io.BytesIO()
    Image.new("RGB", size, colour).save(sink, kind)
    return sink.getvalue()


class Bench:
    """One source, one output, and the feature job between them, run as often as a test likes."""

    storage = StorageSettings()
    patience = Patience()
    snapshot: Snapshot
    change: Change

    def __init__(self, spark, folder: Path, model: Model, **settings) -> None:
        self.spark, self.model = spark, model
        self.images, self.output = folder / "images", folder / "output"
        self.address = str(self.images)
        self.images.mkdir(parents=True, exist_ok=True)
        self.store = open_store(str(self.output))
        self.settings = FeaturesSettings(**{"max_reject_share": 1.0} | settings)
        self.recipe = Recipe(settings={"size": SIZE}, made_by={"engine": 1})

    def add(self, name: str, content: bytes) -> Path:
        path = self.images / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def list(self, wave_images: int = 1000) -> Plan:
        ingest = IngestSettings(data_source=self.address)
        standing = tidied(self.store, {})
        source = source_at(self.address, self.storage)
        plan = plan_waves(source, self.store, ingest, standing.plan, Cut(wave_images, frozenset(standing.waves)))
        save_plan(self.store, plan)
        return plan

    def compute(self, plan: Plan) -> Counts:
        source = open_store(plan.source_root, self.storage)
        known = (self.spark, source, self.store, self.model, self.recipe, self.settings)
        job = FeatureJob(*known, storage=self.storage, patience=self.patience)
        self.snapshot, self.change = compute_features(job, plan)
        return self.snapshot.counts

    def run(self, wave_images: int = 1000) -> Counts:
        return self.compute(self.list(wave_images))

    def table(self, dataset: str) -> pd.DataFrame:
        """All rows of a dataset that the snapshot names, indexed by the path below the source."""
        files = [uri.local_path(file) for file in self.snapshot.files(dataset)]
        frame = pd.concat(pd.read_parquet(file) for file in files)
        root = uri.normalise(self.snapshot.source_root)
        return frame.set_index(frame["path"].map(lambda path: uri.below(path, root)))

    def waves(self) -> dict[str, int]:
        """Time of each wave's marker."""
        return {file.stem: file.stat().st_mtime_ns for file in (self.output / "_state/waves").glob("*.json")}

    def files(self) -> set[str]:
        """Every file of the datasets of waves but Hadoop's checksums, markers of success and temporary ones."""
        found = (f for d in ("manifest", "features", "rejects") for f in (self.output / d).rglob("*.parquet"))
        return {str(file.relative_to(self.output)) for file in found}

    def named(self) -> set[str]:
        """Every Parquet file that the snapshot names."""
        return {
            file.key for wave in self.snapshot.waves for d in ("manifest", "features", "rejects") for file in wave.of(d)
        }
