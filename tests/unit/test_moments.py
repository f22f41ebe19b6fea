from functools import reduce

import numpy as np
import pytest

from fruits_pipeline.reduce.moments import Bounds, Grid, Sums


@pytest.fixture
def values():
    """Rows far from zero, where sums of squares would lose what varies."""
    return (np.random.default_rng(5).normal(size=(5000, 6)) + 10_000).astype(np.float32)


def grid_of(parts) -> Grid:
    return Grid.over(reduce(Bounds.with_, map(Bounds.of, parts)))


@pytest.mark.parametrize("cuts", [[], [1], [1, 2, 50], list(range(1, 5000, 7))])
def test_sums_are_equal_to_the_last_bit_however_rows_are_cut_and_ordered(values, cuts):
    grid = grid_of([values])
    whole = Sums.of(values, grid)
    shuffled = np.random.default_rng(1).permutation(values)
    parts = np.split(shuffled, cuts)
    assert grid_of(parts).step == grid.step
    found = reduce(Sums.with_, [Sums.of(part, grid_of(parts)) for part in parts])
    assert (found.rows, found.first.tolist(), found.second.tolist()) == (
        5000,
        whole.first.tolist(),
        whole.second.tolist(),
    )


def test_moments_are_numpys(values):
    grid = grid_of([values])
    sums = Sums.of(values, grid)
    np.testing.assert_allclose(sums.mean(grid), values.mean(axis=0, dtype=float), atol=1e-6)
    np.testing.assert_allclose(sums.covariance(grid), np.cov(values.astype(float), rowvar=False), atol=1e-6)


def test_what_does_not_vary_has_no_covariance(values):
    values[:, 2] = 7
    grid = grid_of([values])
    assert (Sums.of(values, grid).covariance(grid)[2] == 0).all()
    equal = np.full((9, 3), 0.1, np.float32)
    assert (Sums.of(equal, grid_of([equal])).covariance(grid_of([equal])) == 0).all()


def test_a_grid_leaves_room_for_the_sums_of_as_many_rows():
    ends = np.array([-3, 5], np.float32)
    for rows in (2, 1_000, 1 << 20, 100_000_000):
        grid = Grid.over(Bounds(rows, ends[:1], ends[1:]))
        largest = (5 - grid.centre[0]) / grid.step
        assert largest**2 * rows < 2**63
        assert largest**2 * 2048 <= 2**53
        assert largest >= 2**15


@pytest.mark.parametrize("stray", [6.5, -1, np.nan, np.inf])
def test_numbers_outside_of_the_bounds_that_were_thought_known_are_noticed(stray):
    known = Grid.over(Bounds(40, np.zeros(3, np.float32), np.full(3, 6, np.float32)))
    values = np.random.default_rng(2).uniform(0, 6, (40, 3)).astype(np.float32)
    assert Sums.of(values, known).inside
    np.testing.assert_allclose(Sums.of(values, known).covariance(known), np.cov(values.T), atol=1e-5)
    values[17, 1] = stray * 2
    parts = [Sums.of(values[start : start + 10], known) for start in range(0, 40, 10)]
    assert [part.inside for part in parts] == [True, False, True, True]
    assert not reduce(Sums.with_, parts).inside
