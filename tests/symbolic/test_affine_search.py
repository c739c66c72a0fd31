"""The search for an affine fit by variable projection, and its results at every scale and place of the samples.

Steps and stops are those of normal equations for one line at a time; which samples and lines the search keeps. Lines, powers and constants
are found at every scale, and one of several equal inner lines is taken.
"""

from dataclasses import replace

import numpy as np
import pytest
from cases import for_all
from hypothesis import given
from hypothesis import strategies as st

from kan_ref.functions.library import LIBRARY
from kan_ref.symbolic import affine_fit, variable_projection
from kan_ref.symbolic.affine_fit import fit_affine, standardise
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
    "x^2": Chart("circle"),
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


def one_polish(function, chart, theta, t, z, n_steps, least_gain):
    """The rules of `polish` for one line: theta, S, and the number of steps that were tried."""
    lam, idle, misfit = 1e-3, 0, one_state(function, chart, theta, t, z)[-1]
    for n in range(n_steps):
        trial = theta + one_step(function, chart, theta, t, z, lam)
        new = one_state(function, chart, trial, t, z)[-1]
        gained, before = misfit - new, misfit
        idle = 0 if gained > 1e-3 * before else idle + 1
        if gained > 0.0:
            theta, misfit, lam = trial, new, max(0.1 * lam, 1e-15)
        else:
            lam = 10.0 * lam
        if 0.0 < gained <= least_gain * before or idle >= 12:
            return theta, misfit, n + 1
        if before <= (4.0 * np.finfo(float).eps) ** 2 * len(t):
            return theta, misfit, n + 1
    return theta, misfit, n_steps


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


@pytest.mark.long
@for_all("name", CHARTS)
@for_all("noise", [0.05, 1.0])
@for_all("n_steps", [1, 3, 40])
@for_all("least_gain", [1e-2, 1e-10])
def test_lines_that_move_at_once_move_as_each_does_alone(name, noise, n_steps, least_gain):
    for seed in range(2, 5):
        chart, theta, t, z = problem(name, seed, noise=noise, n_lines=4)

        _, misfit = polish(LIBRARY[name], chart, theta, t, z, n_steps, least_gain)

        expected = [
            one_polish(LIBRARY[name], chart, one, t, z, n_steps, least_gain)[1] for one in theta
        ]
        np.testing.assert_allclose(misfit, expected, rtol=1e-6)


def test_lines_are_polished_with_one_evaluation_a_step_and_no_more_than_the_slowest_needs(
    monkeypatch,
):
    calls = []
    right = variable_projection._project

    def counted(*arguments):
        calls.append(1)
        return right(*arguments)

    monkeypatch.setattr(variable_projection, "_project", counted)
    for name in CHARTS:
        for seed in range(2, 5):
            chart, theta, t, z = problem(name, seed, noise=0.3, n_lines=3)
            calls.clear()

            polish(LIBRARY[name], chart, theta, t, z, 100, 1e-4)

            slowest = max(
                one_polish(LIBRARY[name], chart, one, t, z, 100, 1e-4)[2] for one in theta
            )
            assert len(calls) == 1 + slowest


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


def test_a_function_without_values_has_no_line():
    def nowhere(u):
        return np.full(u.shape, np.nan)

    t = np.linspace(-1.0, 1.0, 20)

    assert best_line(replace(LIBRARY["exp"], f=nowhere, d1=nowhere), t, standard(t**3)) is None


def test_a_line_on_which_the_function_is_constant_explains_nothing():
    t = np.linspace(-1.0, 1.0, 20)
    z = standard(t**3)

    misfit = misfits(LIBRARY["tanh"], Chart("ends"), np.array([[50.0, 60.0]]), t, z)

    assert misfit.tolist() == [pytest.approx(z @ z)]


# --- fits at any scale


SEARCHED = tuple(name for name in LIBRARY if name not in ("0", "x", "sgn"))


def noisy_curve(name, seed=4, n=120):
    x = np.random.default_rng(seed).uniform(-1.0, 1.0, n)
    y = LIBRARY[name].f(1.2 * x + 1.5) if name != "arcsin" else np.arcsin(0.4 * x + 0.5)
    return x, y / np.abs(y).max() + 0.01 * np.cos(40.0 * x)


# --- scales


@pytest.mark.long
@for_all("name", ["x", "x^2", "x^3", "x^5", "1/x", "1/x^2", "sqrt", "log", "arctan"])
@for_all("width", [1e-60, 1e60])
def test_no_width_of_the_samples_is_too_small_or_too_large_for_lines_and_powers(name, width):
    x, y = noisy_curve(name)
    plain = fit_affine(x, y, name)

    fit = fit_affine(width * x, 1e-3 * y, name)

    assert fit.r2 == pytest.approx(plain.r2, abs=1e-9)
    np.testing.assert_allclose(fit(width * x), 1e-3 * plain(x), atol=1e-6)


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


@for_all("name", LIBRARY)
@for_all(("low", "high"), PLACES)
def test_a_constant_is_finite_at_all_samples_wherever_they_lie(name, low, high):
    x = np.linspace(low, high, 33)

    fit = fit_affine(x, np.full(33, 2.5), name)

    assert (fit.c, fit.d, fit.r2, fit.rms) == (0.0, 2.5, 1.0, 0.0)
    assert np.isfinite(fit(x)).all()
    assert fit.singular == ()


# --- candidates that are equal up to rounding


@given(
    st.sampled_from(["x^2", "1/x", "log", "sqrt", "exp", "tanh", "sin", "tan"]),
    st.floats(-50.0, 50.0),
    st.floats(0.1, 100.0),
    st.floats(-40.0, 40.0),
    st.floats(-40.0, 40.0),
)
def test_all_candidates_are_the_same_line_with_unit_slope_for_powers(name, low, width, p, q):
    redundancy = LIBRARY[name].redundancy
    if abs(q - p) < 1e-3:
        q = p + 1.0
    samples = standardise(
        np.array([low, low + 0.3 * width, low + width]), np.array([0.0, 1.0, 3.0])
    )
    low, high = samples.low, samples.high

    lines = affine_fit._lines(LIBRARY[name], samples, p, q)

    scale = (high - low) / abs(q - p) if redundancy.kind in ("power", "log") else 1.0
    turns = redundancy.turn > 0.0 and low * high > 0.0
    size = 1e-12 * scale * (abs(p) + abs(q) + abs(q - p) * max(abs(low), abs(high)) / (high - low))
    for a, b in lines[1:] if turns else lines:
        assert a * low + b == pytest.approx(scale * p, abs=size)
        assert a * high + b == pytest.approx(scale * q, abs=size)
    if redundancy.kind in ("power", "log"):
        np.testing.assert_allclose([abs(a) for a, _ in lines[:2]], 1.0, rtol=1e-12)
    assert len(lines) == 3 + turns
    assert abs(lines[-1][0]) < abs(lines[-2][0])
    assert lines[-1][0] == pytest.approx(lines[-2][0], rel=1e-14)
    if turns:
        a, b = lines[0]
        assert b / redundancy.turn == pytest.approx(round(b / redundancy.turn), abs=1e-9)
        assert abs(b - lines[1][1]) <= 0.5 * redundancy.turn + 1e-9
        assert a * (low + high) + 2.0 * b == pytest.approx(p + q, abs=1e-9)


def test_a_line_without_slope_is_no_candidate():
    samples = standardise(np.arange(3.0), np.array([0.0, 1.0, 3.0]))

    assert affine_fit._lines(LIBRARY["tanh"], samples, 0.5, 0.5) == []


@pytest.mark.long
@pytest.mark.parametrize("noise", [0.0, 1e-13, 1e-11, 1e-9, 1e-3])
@pytest.mark.parametrize("name", ["sin", "cos", "sqrt", "x^2"])
def test_a_simpler_candidate_costs_at_most_a_millionth_of_a_millionth_and_no_more_than_the_misfit(
    name, noise
):
    """Phases and zeros that are nearly those of the simplest candidate."""
    rng = np.random.default_rng(0)
    for shift in (0.0, 1e-13, 1e-11, 1e-10, 3e-9):
        x = rng.uniform(99.0, 101.0, 60)
        y = LIBRARY[name].f(3.0 * x + shift) + noise * rng.standard_normal(60)
        samples = standardise(x, y)
        ends = affine_fit.best_line(LIBRARY[name], samples.t, samples.z)
        candidates = [
            affine_fit._with_outer(LIBRARY[name], samples, a, b).rms
            for a, b in affine_fit._lines(LIBRARY[name], samples, *ends)
        ]

        rms = fit_affine(x, y, name).rms

        least = min(candidates)
        bound = max(least, min(2.0 * least, 1e-12 * samples.std))
        assert rms == next(one for one in candidates if one <= bound)
