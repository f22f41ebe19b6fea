"""When `score` calls new images different: never on halves of the same images, always on other labels and darkened.

    .venv/bin/python benchmarks/drift.py OUTPUT   # an output with features of MobileNetV2, of at least eleven labels

A reduction and a regression are fitted on a random half of the training images of the ten labels with most images, as
`run` would. They are compared with the other half, with images of the other labels, with the test images, and with
images of the other half that are darkened and computed anew. Prints each comparison and whether it is an alarm.
"""

import argparse
import io
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image
from sklearn.linear_model import LogisticRegression

from fruits_pipeline.backbones.cache import default_cache_dir
from fruits_pipeline.backbones.model import ModelRequest, prepare
from fruits_pipeline.backbones.predictor import predictor
from fruits_pipeline.features.batch import Treatment, outcomes
from fruits_pipeline.images.decode import decode
from fruits_pipeline.reduce import cut
from fruits_pipeline.reduce.decompose import eigen
from fruits_pipeline.results import labelled_features
from fruits_pipeline.score.drift import compared, sided
from fruits_pipeline.score.facts import LARGEST_P, LEAST_AUC, Separation
from fruits_pipeline.score.separation import Side
from fruits_pipeline.settings.storage import StorageSettings
from fruits_pipeline.state.plan import required_plan
from fruits_pipeline.storage.opening import open_store
from fruits_pipeline.trained.arrays import RegressionArrays
from fruits_pipeline.trained.classifier import Classifier
from fruits_pipeline.trained.projection import Projection
from fruits_pipeline.trained.transform import transformed

_KNOWN = 10
_SHARE = 0.9
_SAMPLE = 1_000
_DARKENED = 400


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output")
    parser.add_argument("--cache-dir", type=Path, default=default_cache_dir(), help="where converted models are kept")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--brightness", type=float, nargs="*", default=[0.5, 0.8])
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    images = labelled_features(asked.output)
    known = images["label"].isin(images["label"].value_counts().index[:_KNOWN])
    is_train = images["split"] == "train"
    training = images[known & is_train]
    print(f"{len(training)} training images of {_KNOWN} labels\n\n| compared with | seed | AUC | p | images | alarm |")
    print("|---|---|---|---|---|---|")
    alarms = 0
    for seed in range(asked.seeds):
        mixed = training.sample(frac=1, random_state=seed)
        half, other = mixed[: len(mixed) // 2], mixed[len(mixed) // 2 :]
        projection, classifier = _fitted(half)
        base = _side(half, projection, classifier)
        alarms += _tell("other half", seed, compared(base, _side(other, projection, classifier)))
    print(f"\n{alarms} alarms on {asked.seeds} random halves\n")
    for name, group in {"other labels": images[~known], "test images": images[known & ~is_train]}.items():
        mixed = group.sample(frac=1, random_state=0)
        _tell(name, seed, compared(base, _side(mixed, projection, classifier)))
    for brightness in (1.0, *asked.brightness):
        dark = _darkened(asked.output, other.head(_DARKENED), brightness, asked.cache_dir)
        found = compared(base, sided(projection.applied(dark)[0], classifier))
        _tell(f"other half at {brightness:.0%} brightness", seed, found)


def _fitted(images: pd.DataFrame) -> tuple[Projection, Classifier]:
    values = transformed(_features(images), "sqrt").astype(np.float64)
    ratio, loadings = eigen(np.cov(values, rowvar=False))
    k = cut.kept(ratio, _SHARE, len(values))
    projection = Projection("sqrt", values.mean(axis=0), loadings[:, :k], k, k)
    fit = LogisticRegression(max_iter=200).fit(projection.applied(_features(images))[0], images["label"])
    arrays = RegressionArrays(fit.coef_.astype(np.float64), fit.intercept_.astype(np.float64))
    return projection, Classifier("logistic_regression", arrays, tuple(fit.classes_))


def _features(images: pd.DataFrame) -> NDArray[np.float32]:
    return np.stack(images["features"].to_list()).astype(np.float32)


def _side(images: pd.DataFrame, projection: Projection, classifier: Classifier) -> Side:
    return sided(projection.applied(_features(images.head(_SAMPLE)))[0], classifier)


def _darkened(output: str, images: pd.DataFrame, brightness: float, cache_dir: Path) -> NDArray[np.float32]:
    """Features of the images, each read again and multiplied by ``brightness``."""
    store = open_store(required_plan(open_store(output, StorageSettings())).source_root, StorageSettings())
    model = prepare(ModelRequest(cache_dir=cache_dir))
    contents = [_dimmed(store.read(path.removeprefix(f"{store.root}/")), brightness) for path in images["path"]]
    treatment = Treatment(model.image_size, 10**8, 1, 60)
    return np.stack(outcomes(contents, decode, predictor(model, 2), treatment)["features"].to_pylist()).astype(
        np.float32
    )


def _dimmed(content: bytes, brightness: float) -> bytes:
    sink = io.BytesIO()
    image = Image.open(io.BytesIO(content)).convert("RGB")
    image.point(lambda value: round(value * brightness)).save(sink, "PNG")
    return sink.getvalue()


def _tell(name: str, seed: int, found: Separation | None) -> bool:
    if found is None:
        raise SystemExit(f"expected at least 200 images to compare with, found fewer in: {name}")
    alarm = found.auc >= LEAST_AUC and found.p_value < LARGEST_P
    print(
        f"| {name} | {seed} | {found.auc:.3f} | {found.p_value:.3f} | {found.new} | {'yes' if alarm else 'no'} |",
        flush=True,
    )
    return alarm


if __name__ == "__main__":
    main()
