import numpy as np
import pytest

from fruits_pipeline.reduce.moments import moments, together


@pytest.fixture
def values():
    """Rows far from zero, where sums of squares would lose what varies."""
    return (np.random.default_rng(5).normal(size=(100, 6)) + 10_000).astype(np.float32)


@pytest.mark.parametrize("cuts", [[], [1], [1, 2, 50], list(range(1, 100))])
def test_merged_moments_are_those_of_all_rows(values, cuts):
    found = together(moments(part) for part in np.split(values, cuts))
    assert found.rows == 100
    np.testing.assert_allclose(found.mean, values.mean(axis=0, dtype=float), rtol=1e-14)
    np.testing.assert_allclose(found.covariance(), np.cov(values.astype(float), rowvar=False), atol=1e-10)


def test_what_does_not_vary_has_no_scatter():
    values = np.random.default_rng(6).normal(size=(90, 3)).astype(np.float32)
    values[:, 2] = 7
    found = together(moments(part) for part in np.split(values, [20, 50]))
    assert (found.scatter[2] == 0).all()


def test_no_part_has_no_moments():
    assert together([]) is None
