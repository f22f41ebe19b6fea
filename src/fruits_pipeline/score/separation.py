"""How well a classifier tells new images from training images by their components, and whether that is by chance.

It is a linear discriminant with a ridge penalty, judged on images that it was not fitted on. Squares of components
would see more, and would take any reduction of few images for drift: a reduction varies more on the images that it was
fitted on. Linear, it gave no false alarm with 200 to 2,400 training images and 51 to 588 components, squared it gave
ten of ten (benchmarks/drift.py).

Sources: Rabanser et al. 2019, arXiv 1810.11953 (domain classifiers); Ojala and Garriga 2010, JMLR 11, 1833 to 1863
(permutation tests of classifiers).
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from fruits_pipeline.score.facts import Separation

_FOLDS: Final = 5
# 999 shuffles give p-values from 0.001.
_SHUFFLES: Final = 999
# Of a component's variance: 0.01 and 1 gave the same to two digits.
_RIDGE: Final = 0.1


def separation(trained: NDArray[np.float32], new: NDArray[np.float32], seed: int = 0) -> Separation:
    """How well images with the components ``new`` (N, k) are told from those with ``trained`` (M, k)."""
    rng = np.random.default_rng(seed)
    values = _standardised(np.concatenate([trained, new]).astype(np.float64))
    is_new = np.repeat([0.0, 1.0], [len(trained), len(new)])
    kinds = np.stack([is_new, *(rng.permutation(is_new) for _ in range(_SHUFFLES))], axis=1)
    aucs = _aucs(_out_of_fold(values, kinds, rng.permutation(len(values)) % _FOLDS), kinds)
    as_good = int((aucs >= aucs[0]).sum())
    return Separation(auc=float(aucs[0]), p_value=as_good / len(aucs), images=min(len(trained), len(new)))


def matched(trained: NDArray[np.int64], new: NDArray[np.int64], seed: int = 0) -> tuple[NDArray[np.int64], ...]:
    """Places of training and of new images, drawn so that each label is as frequent among the one as the other.

    >>> [places.tolist() for places in matched(np.array([0, 0, 1]), np.array([1, 2, 2]))]
    [[2], [0]]
    """
    rng = np.random.default_rng(seed)
    chosen: tuple[list[int], list[int]] = ([], [])
    for label in np.intersect1d(trained, new):
        places = [np.flatnonzero(labels == label) for labels in (trained, new)]
        number = min(map(len, places))
        for side, found in zip(chosen, places, strict=True):
            side.extend(rng.choice(found, number, replace=False).tolist())
    return tuple(np.array(side, np.int64) for side in chosen)


def _standardised(values: NDArray[np.float64]) -> NDArray[np.float64]:
    spread = values.std(axis=0)
    moved: NDArray[np.float64] = (values - values.mean(axis=0))[:, spread > 0] / spread[spread > 0]
    return moved


def _out_of_fold(
    values: NDArray[np.float64], kinds: NDArray[np.float64], fold: NDArray[np.int64]
) -> NDArray[np.float64]:
    """The discriminant (N, P) of each image by the images of other folds, for each of P columns of ``kinds``."""
    scores = np.empty_like(kinds)
    for held_out in range(_FOLDS):
        fitted = fold != held_out
        known = values[fitted]
        spread = known.T @ known + _RIDGE * len(known) * np.eye(known.shape[1])
        weights = np.linalg.solve(spread, known.T @ (kinds[fitted] - kinds[fitted].mean(axis=0)))
        scores[~fitted] = values[~fitted] @ weights
    return scores


def _aucs(scores: NDArray[np.float64], kinds: NDArray[np.float64]) -> NDArray[np.float64]:
    """The area under the ROC curve of each column of ``scores`` for the kinds 0 and 1 in that of ``kinds``."""
    ranks = scores.argsort(axis=0, kind="stable").argsort(axis=0, kind="stable") + 1
    ones = kinds.sum(axis=0)
    areas: NDArray[np.float64] = ((ranks * kinds).sum(axis=0) - ones * (ones + 1) / 2) / (ones * (len(kinds) - ones))
    return areas
