"""Outlines of fruit, as fields: 0 on the fruit's axis or centre, 1 on its edge, more outside.

A form takes two float32 (H, W) fields, x to the right and y down, in which the fruit reaches about 1 in every
direction and its top is at y = -1, and gives a field of the same shape.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Field = npt.NDArray[np.float32]
"""float32 (H, W)."""
Form = Callable[[Field, Field], Field]


def ellipse(width: float, height: float) -> Form:
    """An ellipse of these half axes."""

    def form(x: Field, y: Field) -> Field:
        return np.hypot(x / width, y / height)

    return form


def apple(x: Field, y: Field) -> Field:
    """Round, with a dimple at the top, a smaller one below, and shoulders wider than the foot."""
    from_top = np.arctan2(np.abs(x), -y)
    top, foot = np.exp(-((from_top / 0.42) ** 2)), np.exp(-(((np.pi - from_top) / 0.35) ** 2))
    inside: Field = np.hypot(x, y) / (0.97 - 0.2 * top - 0.08 * foot - 0.1 * (1 - np.cos(from_top)) / 2)
    return inside


def lemon(x: Field, y: Field) -> Field:
    """A lying ellipse with a nub at each end."""
    from_end = np.arctan2(np.abs(y), np.abs(x))
    edge = 1 / np.hypot(np.cos(from_end) / 0.88, np.sin(from_end) / 0.7)
    inside: Field = np.hypot(x, y) / (edge + 0.13 * np.exp(-((from_end / 0.2) ** 2)))
    return inside


def pear(x: Field, y: Field) -> Field:
    """An ellipse with a slim neck above and a wide belly below."""
    half_width = 0.36 + 0.32 / (1 + np.exp(-6 * (y + 0.02)))
    inside: Field = np.hypot(x / half_width, y / 0.94)
    return inside


def strawberry(x: Field, y: Field) -> Field:
    """An ellipse that narrows to the tip below."""
    return np.hypot(x / np.clip(0.72 - 0.36 * y, 0.1, None), y / 0.94)


def banana(x: Field, y: Field) -> Field:
    """A stretch of a ring, thinner towards both ends."""
    ring, half_length = 1.05, 1.0
    down = y + 0.72
    along = np.abs(np.arctan2(x, down)) / half_length
    thickness = 0.29 * (1 - 0.75 * np.clip(along, 0, 1) ** 5)
    across = np.abs(np.hypot(x, down) - ring) / thickness
    inside: Field = np.hypot(across, np.clip(along - 1, 0, None) * 16)
    return inside
