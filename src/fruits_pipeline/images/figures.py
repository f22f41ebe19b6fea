"""Cheap figures of a picture's pixels, as the model sees it: how bright, how plain, how sharp, and a hash of its look.

Sources: luminance by ITU-R BT.601, as Pillow's mode ``L`` and OpenCV have it; what is dark, bright and nearly empty by
cleanvision (https://github.com/cleanlab/cleanvision, ``docs/source/tutorials``), whose figures these are but for
sharpness; the hash is pHash of 64 bits (Zauner 2010, "Implementation and Benchmarking of Perceptual Image Hash
Functions", 3.2.1).
"""

from typing import Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

_LEVELS: Final = 256
_WHITE: Final = 255.0
# All figures are of pictures of this side, so that they compare between models, and cost little.
_SIDE: Final = 112
# Of the pixels: the darkest and the brightest few may be specks.
_DARKEST: Final = 0.05
_BRIGHTEST: Final = 0.99
# A picture may be sharp in one place and empty all around: it is as sharp as the sharpest tenth of its tiles.
_TILES: Final = 8
_SHARPEST: Final = 6
# Side of the picture whose cosine transform is hashed, and of the block of low frequencies that is kept.
_HASHED: Final = 32
_FREQUENCIES: Final = 8


class Figures(NamedTuple):
    """What the pixels are like; one column of ``schemas.FIGURES`` each.

    Attributes:
        brightness: Mean luminance, in [0, 1].
        darkest: Luminance in [0, 1] below which 5 % of the pixels lie.
        brightest: Luminance in [0, 1] below which 99 % of the pixels lie.
        entropy: Of the 256 luminances, in bits, in [0, 8].
        sharpness: Mean absolute Laplacian of the sharpest six of 64 tiles, in grey levels of 255.
        perceptual_hash: 64 bits, as a signed number: pictures that look the same differ in few of them.
    """

    brightness: float
    darkest: float
    brightest: float
    entropy: float
    sharpness: float
    perceptual_hash: int


def figures(pixels: NDArray[np.uint8]) -> Figures:
    """The figures of one picture.

    Args:
        pixels: uint8 (S, S, 3) RGB.
    """
    grey = cv2.resize(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    shares = np.bincount(grey.ravel(), minlength=_LEVELS) / grey.size
    below = np.cumsum(shares)
    present = shares[shares > 0]
    return Figures(
        brightness=float(shares @ np.arange(_LEVELS)) / _WHITE,
        darkest=float(np.searchsorted(below, _DARKEST)) / _WHITE,
        brightest=float(np.searchsorted(below, _BRIGHTEST)) / _WHITE,
        entropy=float(-(present * np.log2(present)).sum()),
        sharpness=_sharpness(grey),
        perceptual_hash=_perceptual_hash(grey),
    )


def _sharpness(grey: NDArray[np.uint8]) -> float:
    edges = cv2.convertScaleAbs(cv2.Laplacian(grey, cv2.CV_16S))
    tiles = cv2.resize(edges.astype(np.float32), (_TILES, _TILES), interpolation=cv2.INTER_AREA)
    return float(np.partition(tiles.ravel(), -_SHARPEST)[-_SHARPEST:].mean())


def _perceptual_hash(grey: NDArray[np.uint8]) -> int:
    """One bit for each low frequency but the mean: whether it is above their median."""
    small = cv2.resize(grey, (_HASHED, _HASHED), interpolation=cv2.INTER_AREA)
    low = cv2.dct(small.astype(np.float32))[:_FREQUENCIES, :_FREQUENCIES].ravel()
    bits = low > np.median(low[1:])
    return int(np.packbits(bits).view(">i8")[0])
