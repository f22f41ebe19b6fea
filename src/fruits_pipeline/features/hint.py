"""One hint after the first wave: where all its images are small, the cheapest setting that loses nearly nothing."""

from dataclasses import dataclass
from typing import Final

# Images that must be enlarged by this much hold nothing that the smaller size would lose.
_ENLARGED = 1.4
# A setting that loses more is no suggestion.
_WITHIN_POINTS = 0.5


@dataclass(frozen=True)
class Measured:
    """MobileNetV2 at another setting, against f32 at 224 pixels.

    ``speed`` is the ratio of images per second of one processor thread, decoding included; ``points`` are the
    percentage points of accuracy that a logistic regression on 100 components lost.
    """

    precision: str
    image_size: int
    speed: float
    points: float


# Measured on the 13,309 photos (100 x 100) of 95 labels of Fruits-360, 9,977 of them to train with, on a shared
# 2-core machine with AVX512-VNNI and without AMX, 2026-11-21: speed the median of 12 interleaved rounds of 64
# images (25 for the first two; int8 at 160 was 4.7 in those); accuracy, by the folders' own split, of f32 98.47 %
# at 224, 97.90 % at 160; of int8 98.56 % at 224, 98.17 % at 192, 97.75 % at 160.
MEASURED: Final = (
    Measured("int8", 224, 2.8, 0.0),
    Measured("f32", 160, 2.1, 0.6),
    Measured("int8", 192, 3.2, 0.3),
    Measured("int8", 160, 4.3, 0.7),
)
_REFERENCE = Measured("f32", 224, 1.0, 0.0)
_BACKBONE = "mobilenetv2"


def hint(largest: tuple[int, int], backbone: str, precision: str, image_size: int) -> str | None:
    """The line to log for images of at most ``largest`` (width, height) pixels, None where there is none.

    >>> hint((100, 100), "mobilenetv2", "f32", 224).partition(":")[0]
    'images are at most 100x100 pixels'
    >>> hint((1000, 100), "mobilenetv2", "f32", 224) is hint((100, 100), "mobilenetv2", "int8", 160) is None
    True
    """
    rows = [row for row in (_REFERENCE, *MEASURED) if (row.precision, row.image_size) == (precision, image_size)]
    if backbone != _BACKBONE or not rows or max(largest) > image_size / _ENLARGED:
        return None
    now = rows[0]
    near = [row for row in MEASURED if row.points - now.points <= _WITHIN_POINTS and row.image_size <= image_size]
    best = max(near, key=lambda row: row.speed)
    if best.speed <= now.speed:
        return None
    flags = [f"--image-size {best.image_size}"] if best.image_size != image_size else []
    flags += [f"--precision {best.precision}"] if best.precision != precision else []
    return (
        f"images are at most {largest[0]}x{largest[1]} pixels: {' '.join(flags)} reads {best.speed / now.speed:.1f} "
        f"times as many images a second, within {max(best.points - now.points, 0.0):.1f} points of accuracy (measured "
        "on Fruits-360, one thread, decoding included)"
    )
