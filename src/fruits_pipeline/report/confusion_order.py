"""The confusion map's cells, and the order of its labels: those that are taken for each other stand together.

Each group of labels that mistakes connect is ordered by the second eigenvector of its graph's Laplacian (Fiedler 1973;
as a seriation: Atkins, Boman, Hendrickson 1998), largest groups first.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

# Labels of the map: at 14 px each it is as wide as a page.
MOST_LABELS: Final = 60


@dataclass(frozen=True)
class Cells:
    """Mistakes between L labels.

    Attributes:
        labels: Their names, in the order of the map.
        counts: int64 (L, L), images of the row's label that were taken for the column's; the diagonal is 0.
        total: Labels with any mistake, of which the L have the commonest ones.
        mistakes: All mistakes, shown or not.
    """

    labels: tuple[str, ...]
    counts: NDArray[np.int64]
    total: int
    mistakes: int


def cells_of(pairs: list[tuple[str, str, int]], most: int = MOST_LABELS) -> Cells | None:
    """The map of label, prediction and number of images; None without a mistake.

    >>> cells_of([("kiwi", "kiwi", 3), ("plum", "kiwi", 1), ("fig", "fig", 2)]).labels
    ('plum', 'kiwi')
    """
    wrong = [(label or "", taken or "", images) for label, taken, images in pairs if label != taken and images]
    if not wrong:
        return None
    names: list[str] = []
    for label, taken, _ in sorted(wrong, key=lambda cell: (-cell[2], cell)):
        new = [name for name in (label, taken) if name not in names]
        names += new if len(names) + len(new) <= most else []
    place = {name: index for index, name in enumerate(names)}
    counts = np.zeros((len(names), len(names)), np.int64)
    for label, taken, images in wrong:
        if label in place and taken in place:
            counts[place[label], place[taken]] += images
    order = spectral_order(counts)
    labels = tuple(names[index] for index in order)
    total = len({name for label, taken, _ in wrong for name in (label, taken)})
    return Cells(labels, counts[np.ix_(order, order)], total, sum(images for _, _, images in wrong))


def spectral_order(counts: NDArray[np.int64]) -> list[int]:
    """The order of L labels by their mistakes, int64 (L, L): groups of connected labels, each by its Fiedler vector.

    >>> spectral_order(np.array([[0, 0, 2], [0, 0, 1], [0, 0, 0]]))
    [0, 2, 1]
    """
    weights = (counts + counts.T).astype(np.float64)
    found: list[int] = []
    for group in sorted(_groups(weights > 0), key=lambda group: (-weights[np.ix_(group, group)].sum(), group)):
        own = weights[np.ix_(group, group)]
        vector = np.linalg.eigh(np.diag(own.sum(axis=1)) - own)[1][:, min(1, len(group) - 1)]
        sign = 1.0 if vector[0] <= vector[-1] else -1.0
        found += [group[index] for index in np.argsort(np.round(sign * vector, 9), kind="stable")]
    return found


def _groups(linked: NDArray[np.bool_]) -> list[list[int]]:
    """The connected groups of a graph."""
    left, groups = set(range(len(linked))), []
    while left:
        group, edge = set[int](), {min(left)}
        while edge:
            group |= edge
            edge = {int(other) for one in edge for other in np.flatnonzero(linked[one])} - group
        groups.append(sorted(group))
        left -= group
    return groups
