"""Discriminants by sums: what scikit-learn fits on the images of the other folds, but for the ridge, and for the
covariance's divisor, which is N - L here and N there.
"""

import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from fruits_pipeline.classify import discriminant
from fruits_pipeline.classify.discriminant import FOLDS, Sums, without_each_fold

ROWS, K, LABELS = 600, 6, 4


def drawn(seed=0):
    rng = np.random.default_rng(seed)
    labels = rng.choice(LABELS, ROWS, p=[0.4, 0.3, 0.2, 0.1])
    values = rng.normal(size=(ROWS, K)) * [3, 2, 1, 1, 0.5, 0.2] + 1.5 * rng.normal(size=(LABELS, K))[labels]
    return rng.integers(0, FOLDS, ROWS), labels, values


def test_each_is_what_scikit_learn_fits_without_the_fold(monkeypatch):
    monkeypatch.setattr(discriminant, "_share", lambda *_: 1e-12)
    folds, labels, values = drawn()
    fits = without_each_fold(Sums.of(folds, labels, values, LABELS))
    for fold, found in enumerate(fits):
        others = folds != fold
        expected = LinearDiscriminantAnalysis(solver="svd").fit(values[others], labels[others])
        assert found.probabilities(values) == pytest.approx(expected.predict_proba(values), abs=0.01)
        assert found.means == pytest.approx(expected.means_)


def test_sums_of_parts_are_those_of_the_whole():
    folds, labels, values = drawn()
    whole = Sums.of(folds, labels, values, LABELS)
    parts = Sums.of(folds[:100], labels[:100], values[:100], LABELS).with_(
        Sums.of(folds[100:], labels[100:], values[100:], LABELS)
    )
    for name in ("images", "sums", "squares"):
        assert getattr(parts, name) == pytest.approx(getattr(whole, name))


def test_a_label_that_only_one_fold_has_is_not_known_without_it():
    folds, labels, values = drawn()
    labels[labels == 3] = 0
    labels[:5], folds[:5] = 3, 2
    fits = without_each_fold(Sums.of(folds, labels, values, LABELS))
    assert fits[2].probabilities(values)[:, 3] == pytest.approx(0)
    assert np.isfinite(fits[2].probabilities(values)).all()
    assert fits[1].probabilities(values)[:, 3].max() > 0
    assert fits[2].known.tolist() == [True, True, True, False]


def test_images_of_one_fold_alone_leave_nothing_to_learn_from():
    _, labels, values = drawn()
    fits = without_each_fold(Sums.of(np.zeros(ROWS, np.int64), labels, values, LABELS))
    assert not fits[0].known.any()
    assert fits[1].known.all()


def test_components_that_do_not_vary_are_no_fault():
    folds, labels, values = drawn()
    values[:, -1] = 0
    probabilities = without_each_fold(Sums.of(folds, labels, values, LABELS))[0].probabilities(values)
    assert np.isfinite(probabilities).all()
    nothing = without_each_fold(Sums.of(folds, labels, np.zeros_like(values), LABELS))[0].probabilities(values)
    assert nothing.sum(axis=1) == pytest.approx(1)
