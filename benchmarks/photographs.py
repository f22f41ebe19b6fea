"""Which --transform helps on photographs that are no turntable: fruits before other backgrounds, turned and lit anew.

    .venv/bin/python benchmarks/photographs.py --per-label 30 --rounds 3

Of each label so many images of each side are cut out, scaled, turned and put before a patch of noise or of another
image, with other brightness, contrast and colour; each round draws anew. Prints the accuracy of the regression by
transform and share of the variance, medians and all rounds.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter

from images import add_places, images_folder

_SIDE = 224
_WHITE = 235
_SPLITS = ("Training", "Test")
_TRANSFORMS = ("none", "sqrt", "unit")
_SHARES = ("0.9", "0.99")


def main() -> None:
    """Draws, runs and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--per-label", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--keep", type=Path, help="also copy the first round's images here, to look at")
    add_places(parser)
    asked = parser.parse_args()
    found: dict[tuple[str, str], list[float]] = {}
    for number in range(asked.rounds):
        with tempfile.TemporaryDirectory(prefix="fruits-bench-") as folder:
            scratch = Path(folder)
            drawn = asked.keep if asked.keep and not number else scratch / "images"
            _draw(images_folder(asked.images_folder, scratch), drawn, asked.per_label, number)
            features = scratch / "features"
            _run("extract", features, "--data-source", str(drawn), "--cache-dir", str(asked.cache_dir))
            for transform in _TRANSFORMS:
                for share in _SHARES:
                    accuracy = _accuracy(features, scratch / f"{transform}-{share}", transform, share)
                    found.setdefault((transform, share), []).append(accuracy)
                    print(f"round {number} {transform} {share}: {accuracy:.4f}", flush=True)
    print("\n| transform | variance | regression %, median (each round) |\n|---|---|---|")
    for (transform, share), values in found.items():
        each = ", ".join(f"{100 * value:.2f}" for value in values)
        print(f"| {transform} | {share} | {100 * median(values):.2f} ({each}) |")


def _accuracy(features: Path, output: Path, transform: str, share: str) -> float:
    _run("reduce", output, "--features-uri", str(features), "--transform", transform, "--components", share)
    _run("classify", output, "--classifier", "logistic_regression")
    record = json.loads((output / "run.json").read_text(encoding="utf-8"))
    accuracy: float = record["rooms"]["classify"]["scores"]["logistic_regression"]["accuracy"]
    return accuracy


def _run(command: str, output: Path, *flags: str) -> None:
    line = [sys.executable, "-m", "fruits_pipeline", command, "--output-uri", str(output), "--log-level", "WARNING"]
    subprocess.run([*line, *flags], check=True, stdout=subprocess.DEVNULL)


def _draw(source: Path, target: Path, per_label: int, seed: int) -> None:
    """Draws ``target``/SPLIT/LABEL from ``source``, the same images for the same seed."""
    for split in _SPLITS:
        every = sorted((source / split).glob("*/*.jpg"))
        for label in sorted({file.parent for file in every}):
            draw = random.Random(f"{seed} {split} {label.name}")  # noqa: S311 because it draws pictures
            files = sorted(label.glob("*.jpg"))
            (target / split / label.name).mkdir(parents=True)
            for file in draw.sample(files, min(per_label, len(files))):
                photograph = _photograph(Image.open(file).convert("RGB"), Image.open(draw.choice(every)), draw)
                quality = draw.randint(60, 92)
                photograph.save(target / split / label.name / file.name, quality=quality)


def _photograph(fruit: Image.Image, other: Image.Image, draw: random.Random) -> Image.Image:
    """The fruit before a background, at another size, angle and place, in other light."""
    mask = Image.fromarray(((np.asarray(fruit).min(axis=2) < _WHITE) * 255).astype(np.uint8))
    mask = mask.filter(ImageFilter.MedianFilter(5)).filter(ImageFilter.GaussianBlur(0.7))
    side, angle = draw.randint(_SIDE // 2, _SIDE * 5 // 4), draw.uniform(-40, 40)
    fruit, mask = (image.resize((side, side)).rotate(angle, Image.Resampling.BICUBIC) for image in (fruit, mask))
    background = _background(other.convert("RGB"), draw)
    place = tuple(draw.randint(min(_SIDE - side, 0) // 2, max(_SIDE - side, 0)) for _ in range(2))
    background.paste(fruit, place, mask)
    for enhance in (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color):
        background = enhance(background).enhance(draw.uniform(0.6, 1.4))
    return background


def _background(other: Image.Image, draw: random.Random) -> Image.Image:
    """Coarse noise of some colour, or a blurred piece of another image."""
    if draw.random() < 0.5:  # noqa: PLR2004 because half is half
        cells = np.random.default_rng(draw.randrange(1 << 32)).normal(0, 25, (draw.randint(3, 40),) * 2 + (1,))
        colour = [draw.randint(20, 235) for _ in range(3)]
        small = Image.fromarray((cells + colour).clip(0, 255).astype(np.uint8))
        return small.resize((_SIDE, _SIDE), Image.Resampling.BICUBIC)
    left, top = draw.randint(20, 40), draw.randint(20, 40)
    piece = other.crop((left, top, left + 40, top + 40)).resize((_SIDE, _SIDE), Image.Resampling.BICUBIC)
    return piece.filter(ImageFilter.GaussianBlur(draw.uniform(0, 4)))


if __name__ == "__main__":
    main()
