"""How well new images are told from training images: silent on equal ones, loud on others, silent on another mix."""

import numpy as np
import pytest

from fruits_pipeline.score import drift, separation
from fruits_pipeline.score.facts import LARGEST_P, LEAST_AUC
from fruits_pipeline.score.separation import matched
from fruits_pipeline.trained.arrays import RegressionArrays
from fruits_pipeline.trained.classifier import Classifier

K = 20


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(separation, "_SHUFFLES", 199)


def drawn(images, seed, of_first=0.5, moved=0.0):
    """Components of two labels, which lie on either side of 0 in the first of them."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(images, K)) + moved
    values[:, 0] += np.where(rng.random(images) < of_first, -8, 8)
    return values.astype(np.float32)


def classifier():
    sides = np.zeros((2, K))
    sides[:, 0] = -1, 1
    return Classifier("logistic_regression", RegressionArrays(sides, np.zeros(2)), ("left", "right"))


def is_alarm(found):
    return found.auc >= LEAST_AUC and found.p_value < LARGEST_P


def test_equal_images_are_told_apart_by_chance_only():
    found = [separation.separation(drawn(300, 2 * seed), drawn(300, 2 * seed + 1)) for seed in range(20)]
    assert not any(is_alarm(one) for one in found)
    assert np.mean([one.p_value for one in found]) == pytest.approx(0.5, abs=0.2)


def test_a_reduction_that_was_fitted_on_few_images_is_no_alarm():
    """Training images vary more in leading components than others do, which squares of these would tell."""
    values = np.random.default_rng(3).normal(size=(400, 600))
    trained, new = values[:200], values[200:]
    loadings = np.linalg.svd(trained - trained.mean(axis=0), full_matrices=False)[2][:100].T
    ours, theirs = ((part - trained.mean(axis=0)) @ loadings for part in (trained, new))
    assert ours.std() > 1.5 * theirs.std()
    assert not is_alarm(separation.separation(ours.astype(np.float32), theirs.astype(np.float32)))


def test_a_small_joint_shift_is_an_alarm():
    found = separation.separation(drawn(500, 0), drawn(500, 1, moved=0.2))
    assert is_alarm(found)
    assert found.auc == pytest.approx(0.7, abs=0.1)
    assert found.p_value == 1 / 200


def test_a_constant_component_does_no_harm():
    ours, theirs = drawn(300, 0), drawn(300, 1, moved=1)
    ours[:, 5] = theirs[:, 5] = 7
    assert is_alarm(separation.separation(ours, theirs))


def test_another_mix_of_labels_alone_is_no_alarm():
    looks, all_images, same_labels = drift.compared(drawn(1000, 0), drawn(1000, 1, of_first=0.2), classifier())
    assert same_labels
    assert not is_alarm(looks)
    assert is_alarm(all_images)
    assert looks.images < all_images.images == 1000


def test_without_enough_images_of_the_same_labels_all_are_compared():
    looks, all_images, same_labels = drift.compared(drawn(300, 0, of_first=1), drawn(300, 1, of_first=0), classifier())
    assert (same_labels, looks) == (False, all_images)
    assert is_alarm(looks)


@pytest.mark.parametrize(("trained", "new"), [(199, 500), (500, 199)])
def test_fewer_than_two_hundred_are_not_judged(trained, new):
    assert drift.compared(drawn(trained, 0), drawn(new, 1, moved=9), classifier()) == (None, None, False)


def test_labels_are_matched_one_to_one():
    rng = np.random.default_rng(0)
    trained, new = rng.integers(0, 5, 400), rng.integers(2, 8, 300)
    ours, theirs = matched(trained, new)
    assert len(set(ours)) == len(ours) == len(theirs) == len(set(theirs))
    assert np.bincount(trained[ours]).tolist() == np.bincount(new[theirs]).tolist()
    assert set(trained[ours]) == {2, 3, 4}
