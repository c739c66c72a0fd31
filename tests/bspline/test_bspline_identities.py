"""Identities of B-splines, jumps of the highest derivative, orders of convergence, and rejected arguments."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from networks import (
    degrees,
    knot_rows,
    points_in_grid,
)

import kan_ref as kr
from kan_ref.bspline import evaluation
from kan_ref.bspline.bases import basis, basis_integral, greville, jump_weights
from kan_ref.bspline.knots import prepare_knots, uniform_knots


@st.composite
def grids(draw, low=0, **options):
    """A degree, one knot vector, and points of its [a, b)."""
    degree = draw(degrees(low))
    row = draw(knot_rows(degree, **options))
    return degree, row, draw(points_in_grid(row, degree))


def of_row(x, row, degree, derivative=0):
    return basis(np.asarray(x)[:, None], row[None], degree, derivative)[:, 0]


# --- sums


@given(grids())
def test_bases_sum_to_1_on_the_grid(case):
    degree, row, x = case

    np.testing.assert_allclose(of_row(x, row, degree).sum(axis=1), 1.0, rtol=0, atol=1e-14)


@given(grids(low=1))
def test_greville_points_reproduce_x(case):
    """Relative to the largest knot."""
    degree, row, x = case
    points = greville(row[None], degree)[0]

    np.testing.assert_allclose(
        of_row(x, row, degree) @ points, x, rtol=0, atol=1e-14 * np.abs(row).max()
    )


# --- size and support


# --- moving, turning, differentiating


# --- integrals


# --- Greville points


@pytest.mark.parametrize("degree", range(1, 8))
def test_greville_points_lie_between_the_knots_that_they_average(degree):
    ends = np.sort(np.random.default_rng(degree).normal(size=(100, 2)))
    rows = np.repeat(ends, degree + 1, axis=1)  # clamped: the Bernstein basis

    points = greville(rows, degree)

    assert (points >= ends[:, :1]).all()
    assert (points <= ends[:, 1:]).all()
    np.testing.assert_array_equal(points[:, [0, -1]], ends)


def test_greville_points_at_degree_0_are_the_middles():
    np.testing.assert_array_equal(greville([[0.0, 1.0, 4.0]], 0), [[0.5, 2.5]])


# --- shapes, kinds and rejected arguments


@pytest.mark.parametrize("n_in", [1, 3, 40])
def test_points_worked_on_in_blocks_of_any_size_have_the_same_bases_bit_for_bit(n_in, monkeypatch):
    rng = np.random.default_rng(n_in)
    knots = np.sort(rng.uniform(-1.0, 1.0, (n_in, 12)), axis=1)
    x = rng.uniform(-1.2, 1.2, (23, n_in))
    at_once = [basis(x, knots, 3, derivative) for derivative in (0, 1, 2)]

    for block in (1, 7, 50):
        monkeypatch.setattr(evaluation, "_BLOCK", block)
        for derivative, expected in enumerate(at_once):
            np.testing.assert_array_equal(basis(x, knots, 3, derivative), expected)
        # F of a layer is written block by block, a fresh array or one that holds other numbers
        workspace = evaluation.Workspace()
        evaluation.taken(workspace, "dense", (n_in * 8, 23))[:] = 3.0
        vectors = prepare_knots(knots.copy(), 3)
        for memory in (None, workspace):
            found = evaluation.evaluate_bases(vectors, x, 1, gathered=False, workspace=memory)
            np.testing.assert_array_equal(found.dense, at_once[0].reshape(23, -1))


def test_arguments_are_left_as_they_were():
    x, knots = np.array([[0.5], [9.0]]), np.arange(6.0)[None]
    before = x.copy(), knots.copy()

    for derivative in range(3):
        basis(x, knots, 2, derivative)
    basis_integral(knots, 2, 0.0, 9.0)

    np.testing.assert_array_equal(x, before[0])
    np.testing.assert_array_equal(knots, before[1])
    assert x.flags.writeable
    assert knots.flags.writeable


@pytest.mark.parametrize("degree", range(5))
def test_weights_of_evenly_spaced_knots_are_binomial_coefficients_with_alternating_signs(degree):
    weights = jump_weights(uniform_knots(0.0, 8.0, 8, degree), degree)

    binomial = [(-1) ** (degree + 1 - q) * math.comb(degree + 1, q) for q in range(degree + 2)]
    np.testing.assert_allclose(weights, np.tile(binomial, (1, 7, 1)), rtol=1e-13)


@pytest.mark.parametrize("degree", [1, 2, 3])
def test_weights_of_uneven_knots_give_the_jump_of_the_highest_derivative(degree):
    rng = np.random.default_rng(degree)
    knots = np.cumsum(rng.uniform(0.2, 1.0, (2, 6 + 2 * degree)), axis=1)
    coef = rng.normal(size=(2, 5 + degree))
    grid = knots[:, degree : degree + 6]
    middles = 0.5 * (grid[:, 1:] + grid[:, :-1])
    highest = np.einsum("bim,im->ib", basis(middles.T, knots, degree, degree), coef)
    h = (grid[:, -1:] - grid[:, :1]) / 5

    weights = jump_weights(knots, degree)

    windows = np.lib.stride_tricks.sliding_window_view(coef, degree + 2, axis=1)
    expected = h**degree * np.diff(highest, axis=1)
    np.testing.assert_allclose(
        (weights * windows).sum(axis=2), expected, rtol=0, atol=1e-12 * np.abs(expected).max()
    )


def test_a_repeated_breakpoint_has_no_weight():
    weights = jump_weights(np.array([[0.0, 1.0, 2.0, 2.0, 3.0, 4.0, 5.0]]), 1)

    np.testing.assert_array_equal(weights[0, :2], np.zeros((2, 3)))
    assert weights[0, 2].any()


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
