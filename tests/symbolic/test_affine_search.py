"""The search for an affine fit by variable projection, and its results at every scale and place of the samples.

Steps and stops are those of normal equations for one line at a time; which samples and lines the search keeps. Lines, powers and constants
are found at every scale, and one of several equal inner lines is taken.
"""

import numpy as np
import pytest
from cases import for_all
from hypothesis import given
from hypothesis import strategies as st

from kan_ref.functions.library import LIBRARY
from kan_ref.symbolic.affine_fit import standardise
from kan_ref.symbolic.inner_lines import Chart, line_ends
from kan_ref.symbolic.variable_projection import (
    _local_minima,
    _project,
    _step,
    _subset,
    best_line,
    misfits,
    polish,
)

CHARTS = {
    "x^2": Chart("zero"),
    "exp": Chart("scale"),
    "tanh": Chart("ends"),
    "sin": Chart("ends"),
    "sqrt": Chart("ends", 0.0, np.inf),
    "arcsin": Chart("ends", -1.0, 1.0),
}


def standard(z):
    return (z - z.mean()) / z.std()


def problem(name, seed, n=40, noise=0.05, n_lines=6):
    """Samples of a curve with noise, and lines that are not far from it."""
    rng = np.random.default_rng(seed)
    t = np.concatenate([[-1.0], np.sort(rng.uniform(-1.0, 1.0, n - 2)), [1.0]])
    chart = CHARTS[name]
    n_free = 2 if chart.kind == "ends" else 1
    truth = rng.uniform(0.3, 1.2, (1, n_free)) * [1.0, -1.0][:n_free]
    p, q = line_ends(chart, truth)[0][0]
    z = LIBRARY[name].f(0.5 * p * (1.0 - t) + 0.5 * q * (1.0 + t))
    z = standard(standard(z) + noise * rng.standard_normal(n))
    return chart, truth + rng.uniform(-0.4, 0.4, (n_lines, n_free)), t, z


# --- one line at a time, with normal equations


def one_state(function, chart, theta, t, z):
    """u, centred f(u), c, residual and its sum of squares: (S14) by a solver of its own."""
    p, q = line_ends(chart, theta[None])[0][0]
    u = p * (1.0 - t) / 2.0 + q * (1.0 + t) / 2.0
    g = function.f(u) - function.f(u).mean()
    c = float(np.linalg.lstsq(g[:, None], z, rcond=None)[0][0])
    return u, g, c, z - c * g, float(np.sum((z - c * g) ** 2))


def one_step(function, chart, theta, t, z, lam):
    """(S15) and (S16), as they stand."""
    u, g, c, r, _ = one_state(function, chart, theta, t, z)
    slopes = line_ends(chart, theta[None])[1][0]
    columns = []
    for by_p, by_q in slopes.T:
        column = function.d1(u) * (by_p * (1.0 - t) / 2.0 + by_q * (1.0 + t) / 2.0)
        design = np.stack([np.ones_like(t), g], axis=1)
        columns.append(-c * (column - design @ np.linalg.lstsq(design, column, rcond=None)[0]))
    jacobian = np.stack(columns, axis=1)
    square = jacobian.T @ jacobian
    return -np.linalg.solve(square + lam * np.diag(np.diag(square)), jacobian.T @ r)


@for_all("name", CHARTS)
@for_all("lam", [1e-3, 0.5, 30.0])
def test_steps_are_those_of_the_damped_normal_equations(name, lam):
    chart, theta, t, z = problem(name, 0)
    state = _project(LIBRARY[name], chart, theta, t, z)

    steps = _step(LIBRARY[name], chart, theta, t, state, np.full(len(theta), lam))

    expected = [one_step(LIBRARY[name], chart, one, t, z, lam) for one in theta]
    np.testing.assert_allclose(steps, expected, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("name", CHARTS)
def test_the_state_of_a_line_is_the_best_multiple_of_its_centred_curve(name):
    chart, theta, t, z = problem(name, 1)

    u, g, size, c, r, misfit = _project(LIBRARY[name], chart, theta, t, z)

    for n, one in enumerate(theta):
        expected = one_state(LIBRARY[name], chart, one, t, z)
        for own, other in zip((u[n], g[n], c[n], r[n], misfit[n]), expected, strict=True):
            np.testing.assert_allclose(own, other, rtol=1e-9, atol=1e-12)
        assert size[n] == pytest.approx(g[n] @ g[n])
    np.testing.assert_array_equal(misfits(LIBRARY[name], chart, theta, t, z), misfit)


def test_a_clean_curve_ends_at_the_level_of_rounding_and_its_damping_does_not_underflow():
    chart, theta, t, z = problem("exp", 3, noise=0.0)

    _, misfit = polish(LIBRARY["exp"], chart, theta, t, z, 400, 0.0)

    assert misfit.max() < 1e-28 * len(t)


def test_a_line_outside_the_domain_neither_moves_nor_stops_the_others():
    chart, theta, t, z = problem("sqrt", 4)
    outside = Chart("ends")
    ends = line_ends(chart, theta)[0]
    ends[0] = -1.0, 2.0

    new, misfit = polish(LIBRARY["sqrt"], outside, ends, t, z, 10, 1e-6)

    assert new[0].tolist() == [-1.0, 2.0]
    assert np.isinf(misfit[0])
    assert (misfit[1:] < misfits(LIBRARY["sqrt"], outside, ends[1:], t, z)).any()


# --- samples and lines that are kept


@given(st.integers(2, 400), st.integers(2, 200), st.integers(0, 99))
def test_a_part_of_the_samples_is_even_by_rank_and_holds_both_ends_and_the_8_farthest(n, m, seed):
    z = np.random.default_rng(seed).standard_cauchy(n)
    t = np.linspace(-1.0, 1.0, n)

    some = _subset(t, z, m)

    farthest = np.argsort(-np.abs(z - np.median(z)), kind="stable")[:8]
    assert {0, n - 1} | set(farthest) <= set(some)
    assert np.all(np.diff(some) > 0)
    assert min(n, m) <= len(some) <= min(n, m + 8)
    assert n <= m or max(np.diff(some)) <= np.ceil((n - 1) / (m - 1))


def test_local_minima_are_no_worse_than_their_neighbours_in_their_row_and_the_best_comes_first():
    rng = np.random.default_rng(0)
    for _ in range(50):
        row = np.sort(rng.integers(0, 4, 15))
        misfit = rng.integers(0, 6, 15).astype(float)

        found = _local_minima(row, misfit)

        expected = []
        for n in range(15):
            near = [m for m in (n - 1, n + 1) if 0 <= m < 15 and row[m] == row[n]]
            if all(misfit[n] <= misfit[m] for m in near):
                expected.append(n)
        assert found.tolist() == sorted(expected, key=lambda n: misfit[n])


# --- the best line


def random_samples(seed, n):
    rng = np.random.default_rng(seed)
    t = np.concatenate([[-1.0], np.sort(rng.uniform(-1.0, 1.0, n - 2)), [1.0]])
    return t, rng


@for_all("n", [60, 300, 2500])
@for_all("name", ["exp", "tanh", "gaussian", "x^3"])
def test_the_best_line_is_stationary_on_all_samples_to_1e_6(name, n):
    t, rng = random_samples(7, n)
    z = standard(LIBRARY[name].f(1.3 * t + 0.4) + 0.1 * rng.standard_normal(n))

    p, q = best_line(LIBRARY[name], t, z)

    u = p * (1.0 - t) / 2.0 + q * (1.0 + t) / 2.0
    design = np.stack([LIBRARY[name].f(u), np.ones(n)], axis=1)
    (c, _), *_ = np.linalg.lstsq(design, z, rcond=None)
    rest = z - design @ np.linalg.lstsq(design, z, rcond=None)[0]
    for change in (t, np.ones(n)):
        column = c * LIBRARY[name].d1(u) * change
        assert abs(rest @ column) < 2e-6 * np.linalg.norm(rest) * np.linalg.norm(column)


def test_the_frequency_of_a_sine_is_at_most_half_a_turn_from_sample_to_sample():
    """Few samples without a pattern: a faster sine would reach each of them."""
    for seed in range(6):
        t, rng = random_samples(seed, 9)

        p, q = best_line(LIBRARY["sin"], t, standard(rng.standard_normal(9)))

        assert abs(q - p) <= np.pi * 9


def test_a_line_on_which_the_function_is_constant_explains_nothing():
    t = np.linspace(-1.0, 1.0, 20)
    z = standard(t**3)

    misfit = misfits(LIBRARY["tanh"], Chart("ends"), np.array([[50.0, 60.0]]), t, z)

    assert misfit.tolist() == [pytest.approx(z @ z)]


# --- fits at any scale


SEARCHED = tuple(name for name in LIBRARY if name not in ("0", "x", "sgn"))


# --- scales


@pytest.mark.parametrize(
    ("x", "y"),
    [([0.0, 1.0, 2.0], [3.0, 3.0, 3.0]), ([2.0, 2.0], [0.0, 1.0]), ([1.0, 5.0], [0.0, 0.0])],
)
def test_samples_that_determine_no_curve_have_no_shape(x, y):
    samples = standardise(np.array(x), np.array(y))

    assert samples.std == 0.0
    assert samples.t.tolist() == samples.z.tolist() == [0.0] * len(x)


# --- constants


PLACES = [
    (-5.0, 40.0),
    (-3e8, -2e8),
    (3.0, 3.0),
    (0.0, 0.0),
    (-1e-9, 1e-9),
]


# --- candidates that are equal up to rounding
