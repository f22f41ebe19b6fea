"""How far features move when pixels with a wide colour profile are read as if they were sRGB.

Each image is taken as the scene: its colours are stored as a camera set to the profile stores them, and read
without a conversion. The matrices are those of IEC 61966-2-1 (sRGB), SMPTE EG 432-1 with D65 (Display P3, which has
sRGB's curve), and Adobe RGB (1998) 4.3.5, whose curve is a power of 563/256.
"""

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fruits_pipeline.backbones.model import ModelRequest, prepare
from fruits_pipeline.backbones.predictor import predictor
from fruits_pipeline.images.decode import Decoded, decode

_SIDE = 224
_XYZ = {
    "sRGB": [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]],
    "Display P3": [[0.4865709, 0.2656677, 0.1982173], [0.2289746, 0.6917385, 0.0792869], [0.0, 0.0451134, 1.0439444]],
    "Adobe RGB": [[0.57673, 0.18555, 0.18819], [0.29738, 0.62735, 0.07527], [0.02703, 0.07069, 0.99111]],
}  # fmt: skip  # because a matrix is best read on a line
_ADOBE_POWER = 563 / 256

Pixels = NDArray[np.uint8]


def main() -> None:
    """Prints the cosines of features, as stored with each profile against converted to sRGB."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="images in one folder for each label")
    parser.add_argument("weights", type=Path)
    parser.add_argument("--images", type=int, default=570)
    asked = parser.parse_args()
    files = sorted(asked.folder.glob("*/*.jpg"))
    files = files[:: max(1, len(files) // asked.images)]
    found = [decode(file.read_bytes(), _SIDE, 10**8) for file in files]
    pixels = np.stack([image.pixels for image in found if isinstance(image, Decoded)])
    labels = np.array(
        [file.parent.name for file, image in zip(files, found, strict=True) if isinstance(image, Decoded)]
    )
    predict = predictor(prepare(ModelRequest(weights=asked.weights)), 2)
    plain = _unit(predict(pixels))
    for name in ("Display P3", "Adobe RGB"):
        _told(f"{name} read as sRGB", (plain * _unit(predict(_stored(pixels, name)))).sum(1))
    between = plain @ plain.T
    same = labels[:, None] == labels
    _told("another image of the same label", between[same & ~np.eye(len(labels), dtype=bool)])
    _told("an image of another label", between[~same])


def _stored(pixels: Pixels, profile: str) -> Pixels:
    """The numbers by which a file with this profile tells the colours that ``pixels`` tell in sRGB."""
    values = pixels / 255
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)  # noqa: PLR2004 because of IEC 61966-2-1
    wide = linear @ np.array(_XYZ["sRGB"]).T @ np.linalg.inv(np.array(_XYZ[profile])).T
    wide = wide.clip(0, 1)
    if profile == "Adobe RGB":
        coded = wide ** (1 / _ADOBE_POWER)
    else:
        coded = np.where(wide <= 0.0031308, wide * 12.92, 1.055 * wide ** (1 / 2.4) - 0.055)  # noqa: PLR2004 because of IEC 61966-2-1
    return np.round(coded * 255).astype(np.uint8)


def _unit(features: NDArray[np.float32]) -> NDArray[np.float32]:
    return features / np.linalg.norm(features, axis=1, keepdims=True)


def _told(what: str, cosines: NDArray[np.float32]) -> None:
    low, middle = np.percentile(cosines, [5, 50])
    print(f"{what:34} mean {cosines.mean():.4f}  median {middle:.4f}  5 % below {low:.4f}  least {cosines.min():.4f}")


if __name__ == "__main__":
    main()
