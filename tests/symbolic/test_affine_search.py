"""The search for an affine fit by variable projection, and its results at every scale and place of the samples.

Steps are those of normal equations for one line at a time.
"""

import numpy as np
import pytest
from cases import for_all

from kan_ref.functions.library import LIBRARY
from kan_ref.symbolic.inner_lines import Chart, line_ends
from kan_ref.symbolic.variable_projection import _project, _step, best_line, misfits

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
