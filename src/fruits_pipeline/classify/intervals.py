"""95 % intervals of scores: Wilson's for shares, bootstraps over images or over groups of images that look the same.

Sources: Wilson 1927, doi 10.1080/01621459.1927.10502953; Efron and Tibshirani, "An Introduction to the Bootstrap",
1993, 13.3 (percentiles), 8.3 (what is drawn are the independent units: here groups, where images are near-twins).
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

# Label, prediction and number of images.
Pair = tuple[str, str, int]
# The same of one group of images that look the same, with its name.
GroupPair = tuple[int, str, str, int]
Interval = tuple[float, float]

# The normal distribution's quantile of 97.5 %.
_Z: Final = 1.959964
_ENDS: Final = (0.025, 0.975)
_DRAWS: Final = 1_000
# Draws that are in memory at once.
_AT_ONCE: Final = 100
_SEED: Final = 42


def wilson(right: int, images: int) -> Interval:
    """The 95 % interval of a share, by Wilson's score.

    >>> [round(end, 4) for end in wilson(95, 100)], [round(end, 4) for end in wilson(10, 10)]
    ([0.8882, 0.9785], [0.7225, 1.0])
    """
    share, square = right / images, _Z * _Z
    middle = (share + square / (2 * images)) / (1 + square / images)
    half = _Z * np.sqrt(share * (1 - share) / images + square / (4 * images**2)) / (1 + square / images)
    return max(0.0, float(middle - half)), min(1.0, float(middle + half))


def over_images(pairs: Sequence[Pair]) -> dict[str, Interval]:
    """The intervals of ``evaluate.METRICS``: Wilson's of the accuracy, the others by 1,000 seeded draws of the images.

    Labels are drawn one by one, so that none is missing from a draw, which would count as one that was never found.

    Args:
        pairs: Of at least one image, each label and prediction once.
    """
    counts = np.array([images for *_, images in pairs])
    places = _places([label for label, _, _ in pairs])

    def draws(rng: np.random.Generator, many: int) -> NDArray[np.float64]:
        drawn = np.zeros((many, len(pairs)))
        for columns in places:
            images = counts[columns]
            drawn[:, columns] = rng.multinomial(images.sum(), images / images.sum(), many)
        return drawn

    found = _quantiles(pairs, draws)
    right, images = sum(n for label, prediction, n in pairs if label == prediction), int(counts.sum())
    return found | dict.fromkeys(("accuracy", "weighted_recall"), wilson(right, images))


def over_groups(rows: Sequence[GroupPair]) -> dict[str, Interval] | None:
    """The same by draws of whole groups, each with all its images; None where each image is a group of its own.

    Args:
        rows: Of at least one image; a group counts for the label of its first row.
    """
    of_group: defaultdict[int, list[tuple[str, str, int]]] = defaultdict(list)
    for group, label, prediction, images in rows:
        of_group[group].append((label, prediction, images))
    if len(of_group) == sum(images for *_, images in rows):
        return None
    names = sorted({(label, prediction) for _, label, prediction, _ in rows})
    column = {name: index for index, name in enumerate(names)}
    members = [sorted(found) for _, found in sorted(of_group.items())]
    counts = np.zeros((len(members), len(names)), np.float32)
    for place, found in enumerate(members):
        for label, prediction, images in found:
            counts[place, column[label, prediction]] += images
    strata = _places([found[0][0] for found in members])

    def draws(rng: np.random.Generator, many: int) -> NDArray[np.float64]:
        drawn = np.zeros((many, len(names)))
        for groups in strata:
            drawn += rng.multinomial(len(groups), np.full(len(groups), 1 / len(groups)), many) @ counts[groups]
        return drawn

    return _quantiles([(label, prediction, 0) for label, prediction in names], draws)


def _places(keys: Sequence[str]) -> list[NDArray[np.int64]]:
    """The places of each key, by key."""
    found: defaultdict[str, list[int]] = defaultdict(list)
    for place, key in enumerate(keys):
        found[key].append(place)
    return [np.array(places) for _, places in sorted(found.items())]


def _quantiles(
    pairs: Sequence[Pair], draws: Callable[[np.random.Generator, int], NDArray[np.float64]]
) -> dict[str, Interval]:
    """The quantiles of each metric over the draws.

    Args:
        pairs: P labels and predictions; their numbers do not count.
        draws: From a generator and a number n to images of each pair, (n, P).
    """
    rng = np.random.default_rng(_SEED)
    parts = [_metrics(pairs, draws(rng, _AT_ONCE)) for _ in range(_DRAWS // _AT_ONCE)]
    found: dict[str, Interval] = {}
    for name in parts[0]:
        low, high = np.quantile(np.concatenate([part[name] for part in parts]), _ENDS)
        found[name] = float(low), float(high)
    return found


def _metrics(pairs: Sequence[Pair], drawn: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """Each metric of ``evaluate.metrics`` of each draw, (n,), from images of each pair, (n, P)."""
    names = sorted({name for label, prediction, _ in pairs for name in (label, prediction)})
    place = {name: index for index, name in enumerate(names)}
    hits, support, predicted = np.zeros((3, len(drawn), len(names)))
    for column, (label, prediction, _) in enumerate(pairs):
        support[:, place[label]] += drawn[:, column]
        predicted[:, place[prediction]] += drawn[:, column]
        hits[:, place[label]] += drawn[:, column] * (label == prediction)
    images = support.sum(axis=1)
    right = hits.sum(axis=1) / images
    precision = (_ratio(hits, predicted) * support).sum(axis=1) / images
    f1 = _ratio(2 * hits, support + predicted).mean(axis=1)
    return {"accuracy": right, "weighted_precision": precision, "weighted_recall": right, "macro_f1": f1}


def _ratio(part: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.divide(part, whole, out=np.zeros_like(whole), where=whole > 0)
