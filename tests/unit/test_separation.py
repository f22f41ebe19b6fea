"""How well new images are told from training images: silent on equal ones, loud on others, silent on another mix."""

import numpy as np
import pytest

from fruits_pipeline.score import separation
from fruits_pipeline.score.drift import compared
from fruits_pipeline.score.facts import LARGEST_P, LEAST_AUC
from fruits_pipeline.score.separation import Side, matched

K = 20


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(separation, "_SHUFFLES", 199)


def drawn(images, seed, labels=2, moved=0.0, shares=None):
    """Images of so many labels, whose means lie far from each other and are the same for each seed."""
    means = np.random.default_rng(99).normal(scale=6, size=(labels, K))
    rng = np.random.default_rng(seed)
    label = rng.choice(labels, images, p=shares)
    return Side((means[label] + rng.normal(size=(images, K)) + moved).astype(np.float32), label)


def is_alarm(found):
    return found.auc >= LEAST_AUC and found.p_value < LARGEST_P


@pytest.mark.parametrize("labels", [1, 2, 100])
def test_equal_images_are_told_apart_by_chance_only(labels):
    found = [compared(drawn(600, 2 * seed, labels), drawn(600, 2 * seed + 1, labels)) for seed in range(20)]
    assert not any(is_alarm(one) for one in found)
    assert np.mean([one.p_value for one in found]) == pytest.approx(0.5, abs=0.2)


@pytest.mark.parametrize("labels", [1, 2, 100])
def test_a_small_shift_is_an_alarm_however_many_labels_there_are(labels):
    found = compared(drawn(1000, 0, labels), drawn(1000, 1, labels, moved=0.2))
    assert is_alarm(found)
    assert found.auc == pytest.approx(0.7, abs=0.1)
    assert found.p_value == 1 / 200


def test_a_reduction_that_was_fitted_on_few_images_is_no_alarm():
    """Training images vary more in leading components than others do, which squares of these would tell."""
    values = np.random.default_rng(3).normal(size=(400, 600))
    trained, new = values[:200], values[200:]
    loadings = np.linalg.svd(trained - trained.mean(axis=0), full_matrices=False)[2][:100].T
    ours, theirs = ((part - trained.mean(axis=0)) @ loadings for part in (trained, new))
    assert ours.std() > 1.5 * theirs.std()
    none = np.zeros(200, np.int64)
    assert not is_alarm(separation.separation(Side(ours, none), Side(theirs, none)))


def test_components_that_are_equal_tell_nothing():
    ours, theirs = drawn(300, 0, labels=1), drawn(300, 1, labels=1, moved=1)
    ours.components[:, 5] = theirs.components[:, 5] = 7
    assert is_alarm(compared(ours, theirs))
    ours.components[:] = theirs.components[:] = 7
    found = compared(ours, theirs)
    assert (found.auc, found.p_value) == (0.5, 1)


def test_images_that_mostly_look_the_same_are_no_alarm():
    """Ties count half: else the order of the rows would tell new from old."""
    ours, theirs = drawn(1000, 0, labels=1), drawn(1000, 1, labels=1)
    ours.components[:800] = theirs.components[:800] = 3
    assert not is_alarm(compared(ours, theirs))


def test_another_mix_of_labels_alone_is_no_alarm():
    found = compared(drawn(1000, 0), drawn(1000, 1, shares=[0.2, 0.8]))
    assert not is_alarm(found)
    assert 400 < found.new == found.trained < 900


@pytest.mark.parametrize(("trained", "new"), [(199, 500), (500, 199)])
def test_fewer_than_two_hundred_of_the_same_labels_are_not_judged(trained, new):
    assert compared(drawn(trained, 0, labels=1), drawn(new, 1, labels=1, moved=9)) is None
    assert compared(drawn(500, 0, shares=[1, 0]), drawn(500, 1, shares=[0, 1])) is None


def test_labels_are_matched_one_to_one():
    rng = np.random.default_rng(0)
    sides = (
        Side(np.arange(n, dtype=np.float32)[:, None], rng.integers(*ends, n)) for n, *ends in [(400, 0, 5), (300, 2, 8)]
    )
    ours, theirs = matched(*sides)
    assert np.bincount(ours.labels).tolist() == np.bincount(theirs.labels).tolist()
    assert set(ours.labels) == {2, 3, 4}
    assert all(len(set(side.components[:, 0])) == len(side.labels) for side in (ours, theirs))
    # Not the first ones, which are those of the first folders.
    assert ours.components.max() > 390 or theirs.components.max() > 290
