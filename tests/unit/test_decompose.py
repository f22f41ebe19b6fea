import numpy as np
import pytest
from sklearn.decomposition import PCA

from fruits_pipeline.reduce.decompose import eigen


def test_shares_fall_and_components_are_those_of_scikit_learn_up_to_sign():
    rows = np.random.default_rng(3).normal(size=(40, 60)) * np.linspace(5, 0.1, 60)
    shares, components = eigen(np.cov(rows, rowvar=False))
    theirs = PCA(10, svd_solver="full").fit(rows)
    assert (np.diff(shares) <= 0).all()
    assert shares[:10] == pytest.approx(theirs.explained_variance_ratio_)
    np.testing.assert_allclose(np.abs(components[:, :10].T), np.abs(theirs.components_), atol=1e-8)


def test_no_share_is_negative_where_rows_are_fewer_than_columns():
    rows = np.random.default_rng(4).normal(size=(5, 30))
    shares, _ = eigen(np.cov(rows, rowvar=False))
    assert (shares >= 0).all()
    assert shares[:4].sum() == pytest.approx(1)


def test_nothing_that_varies_has_no_shares():
    assert np.isnan(eigen(np.zeros((3, 3)))[0]).all()
