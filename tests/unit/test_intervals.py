"""Intervals: those of known sources, wider over groups where images come in groups, the same each time."""

import numpy as np
import pytest

from fruits_pipeline.classify.evaluate import METRICS
from fruits_pipeline.classify.intervals import over_groups, over_images, wilson

PAIRS = [("kiwi", "kiwi", 90), ("kiwi", "plum", 10), ("plum", "plum", 45), ("plum", "kiwi", 5)]


def test_wilson_is_that_of_the_literature():
    # Newcombe 1998, doi 10.1002/(SICI)1097-0258(19980430)17:8<857, table I, method 3.
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(15, 148) == pytest.approx((0.0624, 0.1605), abs=5e-5)
    assert wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)
    assert wilson(1, 29) == pytest.approx((0.0061, 0.1718), abs=5e-5)


def test_every_metric_has_one_and_accuracy_has_wilsons():
    found = over_images(PAIRS)
    assert set(found) == set(METRICS)
    assert found["accuracy"] == found["weighted_recall"] == wilson(135, 150)
    for low, high in found.values():
        assert 0 <= low < high <= 1


def test_a_bootstrap_is_about_as_wide_as_the_spread_of_samples():
    rng = np.random.default_rng(7)
    truth = rng.choice(3, 300)
    said = np.where(rng.random(300) < 0.8, truth, rng.choice(3, 300))
    pairs = [(str(a), str(b), int(((truth == a) & (said == b)).sum())) for a in range(3) for b in range(3)]
    low, high = over_images([pair for pair in pairs if pair[2]])["macro_f1"]
    wilson_low, wilson_high = wilson(sum(n for a, b, n in pairs if a == b), 300)
    assert (high - low) == pytest.approx(wilson_high - wilson_low, rel=0.25)


def test_images_that_are_groups_of_their_own_have_no_other_interval():
    rows = [(place, "kiwi", "kiwi" if place % 9 else "plum", 1) for place in range(40)]
    assert over_groups(rows) is None


def test_ten_copies_of_each_image_make_no_interval_narrower():
    """A hundred groups of ten equal images say as much as a hundred images."""
    rng = np.random.default_rng(3)
    singles = [("kiwi" if n % 2 else "plum", rng.random() < 0.85) for n in range(100)]
    named = [(label, label if right else "fig") for label, right in singles]
    pairs = [(*pair, sum(one == pair for one in named)) for pair in sorted(set(named))]
    alone = over_images(pairs)
    copied = over_images([(label, said, 10 * n) for label, said, n in pairs])
    grouped = over_groups([(place, label, said, 10) for place, (label, said) in enumerate(named)])
    for metric in ("accuracy", "macro_f1"):
        width = grouped[metric][1] - grouped[metric][0]
        assert width > 2 * (copied[metric][1] - copied[metric][0])
        assert width == pytest.approx(alone[metric][1] - alone[metric][0], rel=0.25)


def test_a_group_may_hold_several_answers_and_draws_repeat():
    rows = [(1, "kiwi", "kiwi", 3), (1, "kiwi", "plum", 1), (2, "plum", "plum", 2), (3, "kiwi", "kiwi", 1)]
    found = over_groups(rows)
    assert found == over_groups(list(rows))
    assert found["accuracy"][1] == 1.0
    assert found["accuracy"][0] == pytest.approx(0.8)


def test_one_label_and_one_group():
    assert over_images([("kiwi", "kiwi", 5)])["macro_f1"] == (1.0, 1.0)
    assert over_groups([(1, "kiwi", "plum", 5)])["accuracy"] == (0.0, 0.0)
