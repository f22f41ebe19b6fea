"""The fruits that can be drawn: outline, skin, blemishes, and stem or leaves of each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from fruits_pipeline.demo.forms import Field, Form, apple, banana, ellipse, lemon, pear, strawberry

Colour = tuple[float, float, float]
"""Red, green, blue, each 0 to 255."""
Painted = npt.NDArray[np.float32]
"""float32 (3, H, W), RGB, 0 to 255; channels first, so that a field (H, W) multiplies it as it is."""


@dataclass(frozen=True, slots=True)
class Surface:
    """Where each pixel is on a fruit.

    Attributes:
        x: to the right, the fruit upright, in radii.
        y: down, the fruit upright, in radii.
        inside: 0 on the axis, 1 on the edge.
        coarse: smooth noise of mean 0 and deviation about 1, some bumps across the fruit.
        fine: the same, some tens of bumps across.
    """

    x: Field
    y: Field
    inside: Field
    coarse: Field
    fine: Field


Skin = Callable[[Surface], Painted]
Top = Callable[[Field, Field], tuple[Field, Colour]]
"""What covers the fruit near its top: how much of each pixel (0 to 1), and the colour."""


@dataclass(frozen=True, slots=True)
class Fruit:
    """What all pictures of one fruit share.

    Attributes:
        form: its outline.
        skin: its colour everywhere, before light.
        gloss: strength of the highlight, 0 to 1.
        grain: height of the skin's pores, in radii.
        spots: blemishes to expect, on average.
        top: a stem or leaves.
    """

    form: Form
    skin: Skin
    gloss: float
    grain: float
    spots: float
    top: Top | None = None


def mixed(first: Colour, second: Colour, share: Field) -> Painted:
    """From ``first`` where ``share`` is 0 to ``second`` where it is 1."""
    start, end = (np.asarray(colour, np.float32)[:, None, None] for colour in (first, second))
    painted: Painted = start + (end - start) * np.clip(share, 0, 1)
    return painted


def over(painted: Painted, colour: Colour, share: Field) -> Painted:
    """``painted``, replaced by ``colour`` where ``share`` is 1, in part where it is between 0 and 1."""
    return painted + (np.asarray(colour, np.float32)[:, None, None] - painted) * share


def _apple_skin(at: Surface) -> Painted:
    streaks = 0.12 * np.sin(38 * at.x / (0.4 + np.sqrt(np.clip(1 - at.y**2, 0, 1)))) * (1 + at.fine) / 2
    return mixed((198, 28, 34), (232, 190, 92), 0.22 + 0.32 * at.coarse - 0.18 * at.y + streaks)


def _banana_skin(at: Surface) -> Painted:
    along = np.abs(np.arctan2(at.x, at.y + 0.72))
    yellow = mixed((246, 210, 62), (206, 190, 70), 0.3 * at.coarse + 1.6 * (along - 0.72))
    return over(yellow, (92, 68, 38), np.clip((along - 0.9) * 12, 0, 1))


def _kiwi_skin(at: Surface) -> Painted:
    return mixed((150, 112, 62), (98, 70, 36), 0.45 + 0.14 * at.coarse + 0.26 * at.fine)


def _lemon_skin(at: Surface) -> Painted:
    from_end: Field = np.abs(at.x) - 0.72
    green: Field = 0.16 * at.coarse + 0.07 * at.fine + 1.6 * np.maximum(from_end, 0)
    return mixed((250, 222, 58), (204, 200, 66), green)


def _orange_skin(at: Surface) -> Painted:
    return mixed((250, 146, 24), (226, 104, 12), 0.4 + 0.2 * at.coarse + 0.2 * at.fine)


def _pear_skin(at: Surface) -> Painted:
    freckles = np.clip(at.fine - 1.3, 0, 1) * 0.9
    return mixed((196, 206, 84), (168, 128, 60), 0.1 + 0.16 * at.coarse + 0.1 * at.y + freckles)


def _plum_skin(at: Surface) -> Painted:
    crease = np.exp(-(((at.x - 0.22 + 0.2 * at.y**2) / 0.05) ** 2))
    bloom = 0.34 + 0.26 * at.coarse + 0.06 * at.fine
    painted: Painted = mixed((74, 24, 62), (122, 98, 150), bloom) * (1 - 0.35 * crease)
    return painted


def _strawberry_skin(at: Surface) -> Painted:
    flesh = mixed((206, 22, 34), (236, 84, 60), 0.12 + 0.14 * at.coarse - 0.4 * (at.y + 0.3))
    # Seeds sit in rows, every other row shifted by half a step; towards the sides they draw together.
    down = at.y * 4.6
    row = np.floor(down)
    across = np.arcsin(np.clip(at.x / np.clip(0.74 - 0.36 * at.y, 0.1, None), -1, 1)) * 3 + 0.5 * (row % 2)
    away = np.hypot((across - np.round(across)) * 1.5, down - row - 0.5)
    dimple, seed = np.exp(-((away / 0.3) ** 2)), np.exp(-((away / 0.15) ** 4))
    return over(flesh * (1 - 0.34 * dimple), (240, 206, 110), seed)


def _stem(x: Field, y: Field) -> tuple[Field, Colour]:
    bent: Field = np.abs(x - 0.25 * (y + 0.72) ** 2) / 0.05
    ends: Field = np.minimum((y + 1.16) * 20, (-0.7 - y) * 40)
    share: Field = np.minimum((1.5 - bent) * 2, ends)
    return np.clip(share, 0, 1), (96, 66, 38)


def _leaves(x: Field, y: Field) -> tuple[Field, Colour]:
    angle, radius = np.arctan2(y + 0.84, x), np.hypot(x * 0.85, (y + 0.84) * 1.25)
    edge = 0.3 + 0.26 * np.cos(3.5 * (angle + np.pi / 2)) ** 2
    return np.clip((edge - radius) * 24, 0, 1), (74, 136, 48)


def _navel(x: Field, y: Field) -> tuple[Field, Colour]:
    away: Field = np.hypot(x - 0.2, y + 0.5)
    return np.clip((0.1 - away) * 16, 0, 0.8), (112, 120, 42)


FRUITS: Mapping[str, Fruit] = MappingProxyType(
    {
        "Apple": Fruit(apple, _apple_skin, gloss=0.5, grain=0.0, spots=1.5, top=_stem),
        "Banana": Fruit(banana, _banana_skin, gloss=0.12, grain=0.0, spots=7, top=None),
        "Kiwi": Fruit(ellipse(0.94, 0.76), _kiwi_skin, gloss=0.0, grain=0.009, spots=0.5),
        "Lemon": Fruit(lemon, _lemon_skin, gloss=0.3, grain=0.005, spots=1),
        "Orange": Fruit(ellipse(0.92, 0.9), _orange_skin, gloss=0.3, grain=0.006, spots=1, top=_navel),
        "Pear": Fruit(pear, _pear_skin, gloss=0.2, grain=0.003, spots=3, top=_stem),
        "Plum": Fruit(ellipse(0.8, 0.93), _plum_skin, gloss=0.25, grain=0.0, spots=1),
        "Strawberry": Fruit(strawberry, _strawberry_skin, gloss=0.45, grain=0.004, spots=0.5, top=_leaves),
    }
)
"""Every fruit by its label."""
