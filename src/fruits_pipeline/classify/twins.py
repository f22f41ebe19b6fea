"""Near-twins by exact search: hashes that differ in few bits, and components of a high cosine.

Bits that differ are counted by a matrix product: hashes as 64 numbers of 1 and -1 have the product 64 - 2 x bits. That
leaves few pairs whose cosine is taken.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

BITS: Final = 64
# Rows of one product: 16 MB of its result stay in the processor's cache.
_BLOCK: Final = 2_048
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
    """

    signs: NDArray[np.float32]
    directions: NDArray[np.float32]

    @classmethod
    def of(cls, hashes: NDArray[np.int64], components: NDArray[np.float32]) -> "Looks":
        """Looks of N images by hashes (N,) and components (N, k).

        >>> Looks.of(np.array([-1]), np.array([[3.0, 4.0]], np.float32)).directions.tolist()
        [[0.6000000238418579, 0.800000011920929]]
        """
        bits = np.unpackbits(np.ascontiguousarray(hashes, np.int64).view(np.uint8).reshape(-1, 8), axis=1)
        lengths = np.linalg.norm(components, axis=1, keepdims=True)
        return cls(bits.astype(np.float32) * 2 - 1, components / np.where(lengths > 0, lengths, 1))


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

    def among(
        self, others: Looks
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]:
        """All pairs of near-twins: place among the M, place among ``others``, cosine, and bits that differ."""
        pairs = [self._of_block(first, others) for first in range(0, len(self.looks.signs), _BLOCK)]
        ours, theirs, cosines, bits = (np.concatenate(column) for column in zip(*pairs, strict=True))
        return ours, theirs, cosines, bits

    def _of_block(
        self, first: int, others: Looks
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]:
        products = self.looks.signs[first : first + _BLOCK] @ others.signs.T
        ours, theirs = np.nonzero(products >= BITS - 2 * self.bits)
        bits = ((BITS - products[ours, theirs]) / 2).round().astype(np.int64)
        ours = ours + first
        cosines = np.einsum("nk,nk->n", self.looks.directions[ours], others.directions[theirs], dtype=np.float64)
        cosines = cosines.round(_DIGITS)
        near = cosines >= self.cosine
        return ours[near], theirs[near], cosines[near], bits[near]


class Nearest:
    """The nearest twin of each image that has any, as batches of others come by."""

    def __init__(self, search: TwinSearch) -> None:
        self._search = search
        self._best: dict[int, tuple[float, int, str, str, str]] = {}

    def see(self, batch: pa.RecordBatch, others: Looks) -> None:
        """Looks at others: columns ``path, label, content_sha256`` of ``batch``, and their looks in the same order."""
        ours, theirs, cosines, bits = self._search.among(others)
        # The nearest one of this batch for each image: the highest cosine, then the fewest bits, then the first path.
        paths = batch.column("path").to_pylist()
        ranks = np.argsort(np.argsort(np.array(paths, object)))
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
