"""Near-twins by exact search: hashes that differ in few bits, and components of a high cosine.

Bits that differ are counted by a matrix product: hashes as 64 numbers of 1 and -1 have the product 64 - 2 x bits. That
leaves few pairs whose cosine is taken.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

BITS: Final = 64
# Twins differ in mean luminance by at most this: black and white pictures have one hash.
MOST_APART: Final = 0.25
# Rows of one product: 16 MB of its result stay in the processor's cache.
_BLOCK: Final = 2_048
# Pairs whose components are gathered at once: 80 MB at 200 components.
_SLICE: Final = 50_000
# Cosines are compared to this many digits, so that their last bits decide nothing.
_DIGITS: Final = 6

FOUND: Final = pa.schema(
    [
        ("place", pa.int32()),
        ("twin_path", pa.string()),
        ("twin_label", pa.string()),
        ("twin_sha256", pa.string()),
        ("cosine", pa.float64()),
        ("hash_bits", pa.int32()),
    ]
)


@dataclass(frozen=True)
class Looks:
    """N images as they are compared.

    Attributes:
        signs: float32 (N, 64), the bits of their hashes as 1 and -1.
        directions: float32 (N, k), their components with length 1, or 0.
        brightness: float32 (N,), mean luminance in [0, 1]: the hash of a picture without a feature says nothing of it.
    """

    signs: NDArray[np.float32]
    directions: NDArray[np.float32]
    brightness: NDArray[np.float32]

    @classmethod
    def of(cls, hashes: NDArray[np.int64], components: NDArray[np.float32], brightness: NDArray[np.float32]) -> "Looks":
        """Looks of N images by hashes (N,), components (N, k) and brightness (N,).

        >>> Looks.of(np.array([-1]), np.array([[3.0, 4.0]], np.float32), np.zeros(1, np.float32)).directions.tolist()
        [[0.6000000238418579, 0.800000011920929]]
        """
        bits = np.unpackbits(np.ascontiguousarray(hashes, np.int64).view(np.uint8).reshape(-1, 8), axis=1)
        lengths = np.linalg.norm(components, axis=1, keepdims=True)
        return cls(bits.astype(np.float32) * 2 - 1, components / np.where(lengths > 0, lengths, 1), brightness)


class Pairs(NamedTuple):
    """N pairs: places of our images and of others, cosines, and bits that differ, (N,) each."""

    ours: NDArray[np.int64]
    theirs: NDArray[np.int64]
    cosines: NDArray[np.float64]
    bits: NDArray[np.int64]


@dataclass(frozen=True)
class TwinSearch:
    """Who of M images has a near-twin among others.

    Attributes:
        looks: Of the M images.
        cosine: Twins have at least this one.
        bits: Twins' hashes differ in at most so many bits.
    """

    looks: Looks
    cosine: float
    bits: int

    def among(self, others: Looks) -> Iterator[Pairs]:
        """All pairs of near-twins, some at a time: however many look alike, few are in memory."""
        for ours in range(0, len(self.looks.signs), _BLOCK):
            for theirs in range(0, len(others.signs), _BLOCK):
                yield from self._of_block(ours, theirs, others)

    def _of_block(self, first: int, second: int, others: Looks) -> Iterator[Pairs]:
        products = self.looks.signs[first : first + _BLOCK] @ others.signs[second : second + _BLOCK].T
        hits = np.flatnonzero(products >= BITS - 2 * self.bits)
        for some in (hits[place : place + _SLICE] for place in range(0, len(hits), _SLICE)):
            mine, others_ = np.divmod(some, products.shape[1])
            bits = ((BITS - products[mine, others_]) / 2).round().astype(np.int64)
            ours, theirs = mine + first, others_ + second
            cosines = np.einsum("nk,nk->n", self.looks.directions[ours], others.directions[theirs], dtype=np.float64)
            cosines = cosines.round(_DIGITS)
            apart = np.abs(self.looks.brightness[ours] - others.brightness[theirs])
            near = (cosines >= self.cosine) & (apart <= MOST_APART)
            yield Pairs(ours[near], theirs[near], cosines[near], bits[near])


class Nearest:
    """The nearest twin of each image that has any, as batches of others come by."""

    def __init__(self, search: TwinSearch) -> None:
        self._search = search
        self._best: dict[int, tuple[float, int, str, str, str]] = {}

    def see(self, batch: pa.RecordBatch, others: Looks) -> None:
        """Looks at others: columns ``path, label, content_sha256`` of ``batch``, and their looks in the same order."""
        paths = batch.column("path").to_pylist()
        ranks = np.argsort(np.argsort(np.array(paths, object)))
        for pairs in self._search.among(others):
            self._keep(pairs, batch, paths, ranks)

    def _keep(self, pairs: Pairs, batch: pa.RecordBatch, paths: list[str], ranks: NDArray[np.int64]) -> None:
        """The nearest one for each image: the highest cosine, then the fewest bits, then the first path."""
        ours, theirs, cosines, bits = pairs
        order = np.lexsort((ranks[theirs], bits, -cosines, ours))
        _, firsts = np.unique(ours[order], return_index=True)
        for place in order[firsts]:
            row = int(theirs[place])
            label, digest = batch.column("label")[row].as_py(), batch.column("content_sha256")[row].as_py()
            mine = (-float(cosines[place]), int(bits[place]), paths[row], label, digest)
            image = int(ours[place])
            self._best[image] = min(mine, self._best.get(image, mine))

    def found(self) -> pa.RecordBatch:
        """Rows of ``FOUND``, by place."""
        rows = [
            (image, path, label, digest, -cosine, bits)
            for image, (cosine, bits, path, label, digest) in sorted(self._best.items())
        ]
        columns = list(zip(*rows, strict=True)) or [()] * len(FOUND)
        return pa.RecordBatch.from_arrays(
            [pa.array(c, f.type) for c, f in zip(columns, FOUND, strict=True)], schema=FOUND
        )
