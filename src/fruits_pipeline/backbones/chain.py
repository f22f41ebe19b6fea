"""The chain from pixels to label probabilities that an app runs: what follows a backbone, and what the file tells."""

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fruits_pipeline.settings.reduce import TransformName


@dataclass(frozen=True)
class Head:
    """What makes probabilities of L labels of D features: transform, one dense layer, softmax.

    Attributes:
        transform: What is done to features first, as in the settings of ``reduce``.
        length: The length that ``unit`` gives the D features; unused by the others.
        weights: float32 (D, L).
        bias: float32 (L,).
    """

    transform: TransformName
    length: float
    weights: NDArray[np.float32]
    bias: NDArray[np.float32]


@dataclass(frozen=True)
class Chain:
    """A head with what the written file says of itself.

    Attributes:
        head: What follows the backbone.
        labels: The names of its L labels, by index.
        spec: JSON of how pixels are made for it, and how its probabilities are read.
    """

    head: Head
    labels: tuple[str, ...]
    spec: str

    @property
    def label_lines(self) -> str:
        """The content of ``labels.txt``: one label in each line, by index."""
        return "".join(f"{label}\n" for label in self.labels)


@dataclass(frozen=True)
class AppModel:
    """A written chain: the content of each of its files by name.

    The first file is the one that a runtime is given; OpenVINO's second one has the weights.
    """

    files: dict[str, bytes]

    @property
    def size_bytes(self) -> int:
        """All its files together."""
        return sum(map(len, self.files.values()))

    @property
    def sha256(self) -> dict[str, str]:
        """SHA-256 of each file, as hex."""
        return {name: hashlib.sha256(content).hexdigest() for name, content in self.files.items()}
