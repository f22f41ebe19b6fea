"""What near-twins, suspect labels and the figures of pictures are worth, and what the figures cost.

    .venv/bin/python benchmarks/looks.py OUTPUT   # a finished run on a folder that is still there, by MobileNetV2

Four tables: how far 300 test images lie from themselves when they are encoded, scaled, cropped or lit otherwise; what
share of the pairs within each limit have one label; how many of 200 labels that are flipped at random are found; and
how much longer a batch of images takes with its figures than without, f32, on one thread.
"""

import argparse
import io
import statistics
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image, ImageEnhance

from fruits_pipeline.backbones.model import Model
from fruits_pipeline.backbones.predictor import predictor
from fruits_pipeline.classify.discriminant import FOLDS, Sums, without_each_fold
from fruits_pipeline.classify.twins import Looks, TwinSearch
from fruits_pipeline.features import batch
from fruits_pipeline.images.decode import decode
from fruits_pipeline.images.figures import Figures, figures
from fruits_pipeline.storage.opening import open_store
from fruits_pipeline.trained.models import TrainedModels, load_models

_IMAGES = 300
_FLIPPED = 200
_ROUNDS = 9
_LIMITS = ((0, 0.7), (2, 0.7), (4, 0.5), (4, 0.6), (4, 0.7), (4, 0.8), (6, 0.7), (8, 0.7))
# Cosine and bits.
_TOLD = ((0.6, 4), (0.7, 4), (0.8, 4))


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output")
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    models = load_models(open_store(asked.output), ("logistic_regression",))
    rows = pd.read_parquet(Path(asked.output) / "reduced")
    test = rows[rows["split"] == "test"].sample(_IMAGES, random_state=0)
    contents = [Path(path.removeprefix("file://")).read_bytes() for path in test["path"]]
    _tell_variants(contents, models)
    _tell_limits(rows)
    _tell_flips(rows[rows["split"] == "train"])
    _tell_cost(contents, models.backbone.model)


def variants(content: bytes) -> Iterator[tuple[str, bytes]]:
    """The image as it is, and in other forms."""
    picture = Image.open(io.BytesIO(content)).convert("RGB")
    width, height = picture.size
    yield "the same file", content
    yield "JPEG, quality 60", _jpeg(picture, 60)
    yield "JPEG, quality 30", _jpeg(picture, 30)
    for scale in (0.7, 2.0):
        yield f"{scale:g} times the size", _jpeg(picture.resize((int(width * scale), int(height * scale))))
    for share in (0.02, 0.05):
        x, y = int(width * share), int(height * share)
        yield f"{share:.0%} cut off all around", _jpeg(picture.crop((x, y, width - x, height - y)))
    for light in (1.1, 0.8):
        yield f"{light:g} times the brightness", _jpeg(ImageEnhance.Brightness(picture).enhance(light))
    yield "mirrored", _jpeg(picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT))


def _jpeg(picture: Image.Image, quality: int = 90) -> bytes:
    sink = io.BytesIO()
    picture.save(sink, "JPEG", quality=quality)
    return sink.getvalue()


def _tell_variants(contents: list[bytes], models: TrainedModels) -> None:
    predict, side = predictor(models.backbone.model, 1), models.backbone.model.image_size
    forms = [dict(variants(content)) for content in contents]
    told = " | ".join(f"told at {cosine}, {bits} bits" for cosine, bits in _TOLD)
    print(f"| the same picture | cosine, 5 % | cosine, median | bits, median | bits, 95 % | {told} |")
    print("|---|---|---|---|---|" + "---|" * len(_TOLD))
    mine = None
    for name in forms[0]:
        pixels = np.stack([decode(form[name], side, 1 << 30).pixels for form in forms])
        components = models.projection.applied(predict(pixels))[0].astype(float)
        hashes = np.array([figures(image).perceptual_hash for image in pixels])
        mine = mine or (components, hashes)
        cosines = (components * mine[0]).sum(1) / np.linalg.norm(components, axis=1) / np.linalg.norm(mine[0], axis=1)
        bits = [int(a ^ b).bit_count() for a, b in zip(hashes.view(np.uint64), mine[1].view(np.uint64), strict=True)]
        low, middle = np.percentile(cosines, (5, 50))
        shares = [((cosines >= cosine) & (np.array(bits) <= most)).mean() for cosine, most in _TOLD]
        print(
            f"| {name} | {low:.2f} | {middle:.2f} | {np.median(bits):.0f} | {np.percentile(bits, 95):.0f} | "
            + " | ".join(f"{share:.0%}" for share in shares)
            + " |"
        )


def _tell_limits(rows: pd.DataFrame) -> None:
    test, train = (rows[rows["split"] == side] for side in ("test", "train"))
    ours, theirs = (
        Looks.of(
            side["perceptual_hash"].to_numpy(), np.stack(side["pca_features"].to_numpy()), side["brightness"].to_numpy()
        )
        for side in (test, train)
    )
    print("\n| bits | cosine | pairs of a test and a training image | test images with one | pairs of one label |")
    print("|---|---|---|---|---|")
    for bits, cosine in _LIMITS:
        found = list(TwinSearch(ours, cosine, bits).among(theirs))
        first, second = (np.concatenate([part[place] for part in found]) for place in (0, 1))
        same = test["label"].to_numpy()[first] == train["label"].to_numpy()[second]
        share = len(np.unique(first)) / len(test)
        print(f"| {bits} | {cosine} | {len(first)} | {share:.1%} | {same.mean():.2%} |")


def _tell_flips(rows: pd.DataFrame) -> None:
    labels, truth = np.unique(rows["label"].to_numpy(), return_inverse=True)
    values = np.stack(rows["pca_features"].to_numpy()).astype(float)
    folds = pd.util.hash_array(rows["perceptual_hash"].to_numpy()) % FOLDS
    print("\n| flipped | told as suspect | of them flipped | flipped and not told |\n|---|---|---|---|")
    for seed in range(3):
        rng, given = np.random.default_rng(seed), truth.copy()
        flipped = rng.choice(len(given), _FLIPPED, replace=False)
        given[flipped] = (given[flipped] + rng.integers(1, len(labels), _FLIPPED)) % len(labels)
        suspect = _suspect(folds.astype(int), given, values, len(labels))
        found = int(np.isin(flipped, suspect).sum())
        print(f"| {_FLIPPED} of {len(given)} | {len(suspect)} | {found / len(suspect):.1%} | {_FLIPPED - found} |")


def _suspect(
    folds: NDArray[np.int64], given: NDArray[np.int64], values: NDArray[np.float64], labels: int
) -> NDArray[np.int64]:
    """Places of the images whose label is denied firmly, by the rule of ``classify/suspects.py``."""
    fits = without_each_fold(Sums.of(folds, given, values, labels))
    shares = np.zeros((len(given), labels))
    for fold, fit in enumerate(fits):
        shares[folds == fold] = fit.probabilities(values[folds == fold])
    own, said = shares[np.arange(len(given)), given], shares.argmax(axis=1)
    usual = np.array([own[given == label].mean() for label in range(labels)])
    return np.flatnonzero((said != given) & (shares.max(axis=1) >= usual[said]))


def _tell_cost(contents: list[bytes], model: Model) -> None:
    predict = predictor(model, 1)
    treatment = batch.Treatment(model.image_size, 1 << 30, 1, 60.0)

    def seconds() -> float:
        began = time.process_time()
        batch.outcomes(contents, decode, predict, treatment)
        return time.process_time() - began

    ratios = []
    seconds()
    for _ in range(_ROUNDS):
        with_them = seconds()
        with mock.patch.object(batch, "figures", return_value=Figures(0, 0, 0, 0, 0, 0)):
            ratios.append(with_them / seconds())
    print(f"\nfigures: {statistics.median(ratios):.3f} times the processor time of {len(contents)} images without them")
    print(f"({min(ratios):.3f} to {max(ratios):.3f} in {_ROUNDS} rounds, {model.precision}, one thread)")


if __name__ == "__main__":
    main()
