"""Errors decrease with the right power of the grid: G^-(k+1) for a spline, and from grid to grid for a network."""

from itertools import pairwise

import numpy as np
import pytest

import kan_ref as kr


def errors_of_fits(degree, grids):
    """Largest errors of least-squares splines to exp(sin(pi x)) on [-1, 1]."""
    x, fine = np.linspace(-1.0, 1.0, 1500), np.linspace(-1.0, 1.0, 2001)
    errors = []
    for n_intervals in grids:
        knots = kr.uniform_knots(-1.0, 1.0, n_intervals, degree)
        fit = kr.fit_curve(x, np.exp(np.sin(np.pi * x))[:, None], knots=knots[0], degree=degree)
        values = kr.bspline.basis(fine[:, None], knots, degree)[:, 0] @ fit.coef[0]
        errors.append(np.abs(values - np.exp(np.sin(np.pi * fine))).max())
    return np.array(errors)


@pytest.mark.parametrize("degree", range(1, 6))
def test_the_error_of_a_fit_falls_with_the_power_of_degree_plus_1(degree):
    grids = (10, 20, 40)

    errors = errors_of_fits(degree, grids)

    slope = -np.polyfit(np.log(grids), np.log(errors), 1)[0]
    assert slope >= degree + 0.8
    assert (errors[1:] < errors[:-1]).all()


def test_a_higher_degree_has_a_smaller_error_on_the_same_grid():
    errors = [errors_of_fits(degree, (20,))[0] for degree in range(6)]

    assert all(later < 0.3 * earlier for earlier, later in pairwise(errors))


@pytest.fixture(scope="module")
def ladders():
    """Test errors of three seeds at the end of each grid, (3, n_grids): [2, 1, 1] on exp(sin(pi x) + y^2)."""
    grids, errors = (3, 5, 10, 20), []
    for seed in range(3):
        rng = np.random.default_rng(seed)
        data = kr.sample("exp_sin", n_train=500, n_test=500, rng=rng)
        network = kr.best_start(
            (2, 1, 1), data, n_starts=6, n_intervals=3, degree=3, domain=(-1.0, 1.0), rng=rng
        )
        history = kr.fit(network, data, n_steps=30, grids=grids).history
        errors.append(
            [history.test_rmse[np.flatnonzero(history.n_intervals == grid)[-1]] for grid in grids]
        )
    return np.array(errors)


def test_a_trained_network_reaches_a_test_error_of_a_ten_thousandth_at_20_intervals(ladders):
    assert np.median(ladders[:, -1]) <= 1e-4


def test_every_finer_grid_makes_the_test_error_smaller(ladders):
    assert (np.diff(np.median(ladders, axis=0)) < 0).all()


def test_the_error_of_a_trained_network_falls_faster_than_the_paper_s_third_power(ladders):
    slope = -np.polyfit(np.log([5, 10, 20]), np.log(np.median(ladders, axis=0)[1:]), 1)[0]

    assert slope >= 3.0
