"""A feature job on a tiny real OpenVINO model: the mean of each colour, so that features can be foretold."""

import io
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from fruits_pipeline.backbones.engines.telemetry import import_openvino
from fruits_pipeline.backbones.model import Model
from fruits_pipeline.features.build import build_features
from fruits_pipeline.features.job import FeatureJob
from fruits_pipeline.ingest.build import build_manifest
from fruits_pipeline.settings.features import FeaturesSettings
from fruits_pipeline.settings.ingest import IngestSettings
from fruits_pipeline.settings.storage import StorageSettings
from fruits_pipeline.state.counts import Counts
from fruits_pipeline.state.fingerprint import Fingerprint
from fruits_pipeline.state.ledger import Ledger
from fruits_pipeline.storage import uri
from fruits_pipeline.storage.opening import open_store
from fruits_pipeline.storage.patience import Patience
from fruits_pipeline.storage.source import parse_source

SIZE = 8


def mean_colour_model(folder: Path) -> Model:
    """uint8 (N, 8, 8, 3) to float32 (N, 3)."""
    openvino = import_openvino()
    ops = openvino.opset13
    pixels = ops.parameter([-1, SIZE, SIZE, 3], np.uint8, name="pixels")
    means = ops.reduce_mean(ops.convert(pixels, np.float32), ops.constant(np.array([1, 2])), keep_dims=False)
    openvino.save_model(openvino.Model([means], [pixels], "means"), folder / "m.xml", compress_to_fp16=False)
    parts = ((folder / "m.xml").read_bytes(), (folder / "m.bin").read_bytes())
    return Model("mobilenetv2", "openvino", "f32", SIZE, 3, parts)


def picture(colour: tuple[int, int, int], kind: str = "PNG", size: tuple[int, int] = (10, 6)) -> bytes:
    sink = io.BytesIO()
    Image.new("RGB", size, colour).save(sink, kind)
    return sink.getvalue()


class Bench:
    """One source, one output, and the feature job between them, run as often as a test likes."""

    storage = StorageSettings()
    patience = Patience()

    def __init__(self, spark, folder: Path, model: Model, **settings) -> None:
        self.spark, self.model = spark, model
        self.images, self.output = folder / "images", folder / "output"
        self.address = str(self.images)
        self.images.mkdir(parents=True, exist_ok=True)
        self.store = open_store(str(self.output))
        self.ledger = Ledger(self.store, overwrite=False)
        self.settings = FeaturesSettings(**{"max_reject_share": 1.0} | settings)

    def add(self, name: str, content: bytes) -> Path:
        path = self.images / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def list(self, wave_images: int = 1000) -> Counts:
        source = parse_source(self.address, self.storage)
        ingest = IngestSettings(data_source=self.address, wave_images=wave_images)
        return build_manifest(source, self.store, ingest, 2, 0).counts

    def compute(self, found: Counts) -> Counts:
        source = open_store(self.address, self.storage)
        known = (self.spark, source, self.store, self.ledger, self.model, self.settings, self.begin().digest)
        return build_features(FeatureJob(*known, storage=self.storage, patience=self.patience), found)

    def begin(self) -> Fingerprint:
        fingerprint = Fingerprint(settings={"size": SIZE})
        self.ledger.begin("features", fingerprint)
        return fingerprint

    def run(self, wave_images: int = 1000) -> Counts:
        return self.compute(self.list(wave_images))

    def table(self, dataset: str) -> pd.DataFrame:
        """All waves of a dataset, indexed by the path below the source."""
        frame = pd.concat(pd.read_parquet(folder) for folder in sorted((self.output / dataset).glob("wave=*")))
        return frame.set_index(frame["path"].map(lambda path: uri.below(path, uri.normalise(self.address))))

    def waves(self) -> dict[str, int]:
        """Time of each wave's marker."""
        return {file.stem: file.stat().st_mtime_ns for file in (self.output / "features/_waves").glob("*.json")}
