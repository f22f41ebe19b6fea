"""Fitted classifiers as flat arrays, by which NumPy predicts a batch of rows at a time.

They give what the Spark models give, the forest to the last bit: the same sums in the same order. Spark's own models
take one row at a time, and hold each tree as objects that every task is sent again.
"""

import io
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from fruits_pipeline.errors import DatasetError
from fruits_pipeline.state.files import is_data
from fruits_pipeline.storage.store import Store


class Arrays(Protocol):
    """A classifier of L labels."""

    def probabilities(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Float64 (N, L), each row with the sum 1, for the components (N, k)."""


@dataclass(frozen=True)
class RegressionArrays:
    """A multinomial regression: ``coefficients`` float64 (L, k), ``intercepts`` float64 (L,)."""

    coefficients: NDArray[np.float64]
    intercepts: NDArray[np.float64]

    def probabilities(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """See ``Arrays``: the softmax of the margins."""
        return softmax(self.margins(values))

    def margins(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Float64 (N, L) for the components (N, k)."""
        found: NDArray[np.float64] = values @ self.coefficients.T + self.intercepts
        return found


def softmax(margins: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probabilities float64 (N, L), each row with the sum 1, of margins (N, L).

    >>> softmax(np.log(np.array([[1.0, 3.0]]))).round(6).tolist()
    [[0.25, 0.75]]
    """
    shares: NDArray[np.float64] = np.exp(margins - margins.max(axis=1, keepdims=True))
    whole: NDArray[np.float64] = shares.sum(axis=1, keepdims=True)
    return shares / whole


@dataclass(frozen=True)
class ForestArrays:
    """A forest of T trees with M nodes, the nodes of one tree after those of the other.

    A row goes from a node to ``left`` where its component ``component`` is at most ``threshold``, else to ``right``; a
    leaf leads to itself. Of ``label`` and ``share`` leaf n has the places from ``first[n]`` to before ``first[n + 1]``.

    Attributes:
        roots: int64 (T,).
        component: int32 (M,).
        threshold: float64 (M,).
        left: int32 (M,).
        right: int32 (M,).
        first: int64 (M + 1,).
        label: int32, indices of labels.
        share: float64, share of the leaf's training rows.
        labels: L.
    """

    roots: NDArray[np.int64]
    component: NDArray[np.int32]
    threshold: NDArray[np.float64]
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    first: NDArray[np.int64]
    label: NDArray[np.int32]
    share: NDArray[np.float64]
    labels: int

    @classmethod
    def saved(cls, store: Store, folder: str, uid: str, labels: int, trees: int) -> Self:
        """The arrays of Spark's forest ``uid``, from the files of the pipeline that was saved in ``folder`` with it.

        Raises:
            DatasetError: When they are not those of so many trees.
        """
        place = f"_{uid}/data/"
        keys = [found.key for found in store.objects(folder) if place in found.key and is_data(found.key)]
        if not keys:
            raise DatasetError(f"expected the trees of {uid} under {store.root}/{folder}, found no file of them")
        nodes = pa.concat_tables(pq.read_table(io.BytesIO(store.read(key))) for key in keys)
        return cls.of(nodes, labels, trees)

    @classmethod
    def of(cls, nodes: pa.Table, labels: int, trees: int) -> Self:
        """The arrays of Spark's ``NodeData``: columns ``treeID`` and ``nodeData``, in any order.

        Raises:
            DatasetError: When nodes are missing, or stand there twice.
        """
        found = nodes.append_column("id", _field(nodes, "id")).sort_by([("treeID", "ascending"), ("id", "ascending")])
        tree, split = found["treeID"].to_numpy(), _field(found, "split")
        roots = np.flatnonzero(np.diff(tree, prepend=-1))
        base = roots[np.cumsum(np.diff(tree, prepend=tree[0]) != 0)]
        itself = np.arange(len(tree))
        if len(roots) != trees or (found["id"].to_numpy() != itself - base).any():
            raise DatasetError(f"expected each node of {trees} trees once, found {len(tree)} nodes of {len(roots)}")
        left, right = (_field(found, side).to_numpy() for side in ("leftChild", "rightChild"))
        is_leaf = left < 0
        thresholds = split.field("leftCategoriesOrThreshold")
        threshold = np.full(len(tree), np.inf)
        threshold[~is_leaf] = thresholds.filter(pa.array(~is_leaf)).flatten().to_numpy()
        counts = _field(found, "impurityStats").flatten().to_numpy().reshape(len(tree), labels)
        rows, label = np.nonzero(counts)
        of_leaf = is_leaf[rows]
        rows, label = rows[of_leaf], label[of_leaf]
        return cls(
            roots=roots,
            component=np.where(is_leaf, 0, split.field("featureIndex").to_numpy()).astype(np.int32),
            threshold=threshold,
            left=np.where(is_leaf, itself, base + left).astype(np.int32),
            right=np.where(is_leaf, itself, base + right).astype(np.int32),
            first=np.searchsorted(rows, np.arange(len(tree) + 1)),
            label=label.astype(np.int32),
            share=counts[rows, label] / counts.sum(axis=1)[rows],
            labels=labels,
        )

    def probabilities(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """See ``Arrays``: the mean of the leaves' shares, added up tree by tree."""
        count = len(values)
        node = np.repeat(self.roots, count)
        row = np.tile(np.arange(count), len(self.roots))
        while True:
            goes_left = values[row, self.component[node]] <= self.threshold[node]
            further = np.where(goes_left, self.left[node], self.right[node])
            if np.array_equal(further, node):
                break
            node = further
        number = self.first[node + 1] - self.first[node]
        place = np.arange(number.sum()) + np.repeat(self.first[node] - np.cumsum(number) + number, number)
        cell = np.repeat(row, number) * self.labels + self.label[place]
        votes = np.bincount(cell, self.share[place], count * self.labels).reshape(count, self.labels)
        whole: NDArray[np.float64] = votes.sum(axis=1, keepdims=True)
        return votes / whole


def _field(nodes: pa.Table, name: str) -> pa.Array:
    return nodes["nodeData"].combine_chunks().field(name)
