"""A finished output of real features, made without Spark: what ``export`` needs of one."""

import hashlib
import io
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel
from sklearn.linear_model import LogisticRegression

from fruits_pipeline import schemas
from fruits_pipeline.backbones.model import Model
from fruits_pipeline.backbones.predictor import predictor
from fruits_pipeline.features.recipe import made_by_here
from fruits_pipeline.images.decode import decode
from fruits_pipeline.settings.features import FeaturesSettings
from fruits_pipeline.state import layout
from fruits_pipeline.state.plan import Plan, save_plan
from fruits_pipeline.state.recipe import Recipe
from fruits_pipeline.state.rooms import Rooms
from fruits_pipeline.state.uses import Uses
from fruits_pipeline.storage.opening import open_store
from fruits_pipeline.storage.store import Store
from fruits_pipeline.trained.arrays import RegressionArrays
from fruits_pipeline.trained.backbone import keep_backbone, kept_backbone
from fruits_pipeline.trained.classifier import Classifier, save_classifier
from fruits_pipeline.trained.familiarity import STEPS, Familiarity, save_familiarity
from fruits_pipeline.trained.projection import Projection, save_projection
from fruits_pipeline.trained.saved import save
from fruits_pipeline.trained.transform import transformed
from reduced_rows import USUAL


class Facts(BaseModel):
    portable: dict[str, str]
    uses: Uses = Uses()


def app_output(folder: Path, images: Path, model: Model, transform="sqrt", name="logistic_regression") -> Store:
    """Images in ``SPLIT/LABEL/NAME``, their components, a regression on the training side, and what it says of all."""
    store = open_store(str(folder))
    files = sorted(images.rglob("*.*"))
    splits = [schemas.SPLIT_WORDS[file.parts[-3].lower()] for file in files]
    labels = [file.parent.name for file in files]
    pixels = [decode(file.read_bytes(), model.image_size, 1 << 30).pixels for file in files]
    features = predictor(model, 1)(np.stack(pixels))
    train = np.array([split == schemas.TRAIN for split in splits])
    projection = fitted(features[train], transform)
    components = projection.applied(features)[0]
    regression = LogisticRegression(C=1.0).fit(components[train], np.array(labels)[train])
    arrays = RegressionArrays(regression.coef_, regression.intercept_)
    classifier = Classifier(name, arrays, tuple(regression.classes_.tolist()))
    paths = [f"file://{file}" for file in files]
    rows = {
        "path": paths,
        "source_path": [str(file) for file in files],
        "label": labels,
        "split": splits,
        "content_sha256": [hashlib.sha256(file.read_bytes()).hexdigest() for file in files],
        **{name: [value] * len(files) for name, value in USUAL.items()},
        "perceptual_hash": list(range(len(files))),
        "pca_features": components.tolist(),
        "residual": [0.0] * len(files),
    }
    save_plan(store, Plan(settings={}, source_root=f"file://{images}"))
    digest = _reduce(store, model, projection, pa.table(rows, schema=schemas.REDUCED))
    _classify(store, classifier, components, rows, digest)
    return store


def fitted(features: np.ndarray, transform: str) -> Projection:
    """The leading components of features."""
    values = transformed(features, transform).astype(np.float64)
    loadings = np.linalg.svd(values - values.mean(axis=0), full_matrices=False)[2].T
    k = min(20, loadings.shape[1])
    return Projection(transform, values.mean(axis=0), loadings, k, max(1, k - 1))


def _reduce(store: Store, model: Model, projection: Projection, rows: pa.Table) -> str:
    settings = FeaturesSettings(image_size=model.image_size)
    made_by = made_by_here("openvino") | {"model_sha256": model.sha256}
    recipe = Recipe(settings=settings.essentials(), made_by=made_by)
    rooms = Rooms(store, overwrite=False)
    rooms.begin("reduce", {}, "features", Facts)
    keep_backbone(store, model, recipe)
    backbone = save(store, "backbone", kept_backbone(store, recipe))
    half = rows.num_rows // 2
    for number, part in enumerate((rows.slice(0, half), rows.slice(half))):
        write(store, f"{layout.REDUCED}/part-{number:05d}.parquet", part)
    uses = Uses.of([(split, True, 1) for split in rows["split"].to_pylist()], only_labelled=True)
    facts = Facts(portable={"backbone": backbone, "reduce": save_projection(store, projection)}, uses=uses)
    return rooms.finish("reduce", facts).digest


def _classify(store: Store, classifier: Classifier, components: np.ndarray, rows: dict, made_from: str) -> None:
    shares = classifier.probabilities(components)
    said = [classifier.labels[place] for place in shares.argmax(axis=1)]
    known = {name: rows[name] for name in ("path", "source_path", "label", "split")}
    told = {"classifier": [classifier.name] * len(said), "prediction": said, "confidence": shares.max(axis=1)}
    predictions = pa.table(known | told, schema=schemas.PREDICTIONS)
    keys = ["classifier", "split", "label", "prediction"]
    counts = predictions.group_by(keys).aggregate([("path", "count")]).rename_columns([*keys, "images"])
    counts = counts.select(schemas.CONFUSION.names).cast(schemas.CONFUSION)
    rooms = Rooms(store, overwrite=False)
    rooms.begin("classify", {}, made_from, Facts)
    write(store, f"{layout.PREDICTIONS}/part-00000.parquet", predictions)
    judged = counts.filter(pa.array([split != schemas.TRAIN for split in counts["split"].to_pylist()]))
    write(store, f"{layout.EVALUATION}/confusion/{layout.ONLY_FILE}", judged)
    familiarity = save_familiarity(store, Familiarity(STEPS / 2))
    portable = {classifier.name: save_classifier(store, classifier), "familiarity": familiarity}
    rooms.finish("classify", Facts(portable=portable))


def write(store: Store, key: str, table: pa.Table) -> None:
    """A Parquet file."""
    sink = io.BytesIO()
    pq.write_table(table, sink)
    store.write(key, sink.getvalue())
