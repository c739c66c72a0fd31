"""Least squares that starts from a curve: its solution, the coefficients that it keeps, and curves on other knot vectors."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from networks import random_row, seeds
from oracles import exact_continued
from oracles_training import design_matrix, nearest_solution

import kan_ref as kr
from kan_ref.bspline import curve_fit
from kan_ref.bspline.bases import basis
from kan_ref.bspline.curve_fit import move_coefficients
from kan_ref.bspline.knots import contains_breakpoints, extended_knots, refined_breakpoints

degrees = st.integers(0, 5)


def even_row(degree, n_intervals=5, low=-1.0, high=1.0):
    return kr.uniform_knots(low, high, n_intervals, degree)[0]


def curve(row, degree, coef, x):
    """Values (n,) of one curve."""
    return basis(np.asarray(x)[:, None], row[None], degree)[:, 0] @ coef


def points_of(row, degree, n_points=40):
    return np.linspace(row[degree], row[len(row) - 1 - degree], n_points)


# --- a fit


@given(seeds, degrees, st.sampled_from(["uniform", "uneven", "clamped"]))
def test_a_curve_of_the_space_is_found_again(seed, degree, kind):
    rng = np.random.default_rng(seed)
    row = random_row(rng, 5, degree, kind)
    coef = rng.normal(size=(5 + degree, 2))
    grid = row[degree : len(row) - degree]
    x = np.concatenate([rng.uniform(low, high, 12) for low, high in pairwise(grid)])

    fit = kr.fit_curve(
        x, basis(x[:, None], row[None], degree)[:, 0] @ coef, knots=row, degree=degree
    )

    # a basis function of uneven knots may have few samples: values are exact to rounding, coefficients almost
    np.testing.assert_allclose(fit.coef.T, coef, rtol=0, atol=1e-9)
    assert fit.rank == 5 + degree
    assert fit.unsupported == ()
    assert fit.residual.max() <= 1e-13


@given(seeds, st.integers(0, 3))
def test_it_is_the_solution_of_the_pseudo_inverse(seed, degree):
    rng = np.random.default_rng(seed)
    row = even_row(degree)
    x, y = np.linspace(-0.9, 0.3, 20), rng.normal(size=(20, 2))  # nothing on the right
    start = rng.normal(size=(2, 5 + degree))

    fit = kr.fit_curve(x, y, knots=row, degree=degree, start=start)

    expected = nearest_solution(design_matrix(x, row, degree), y, start)
    np.testing.assert_allclose(fit.coef, expected, rtol=0, atol=1e-8 * np.abs(expected).max())


@pytest.mark.parametrize("degree", range(5))
def test_bases_without_points_keep_their_coefficients_and_are_named(degree):
    """No points over the first two intervals: the first columns of the design matrix are zero."""
    row, start = even_row(degree), np.random.default_rng(degree).normal(size=(1, 5 + degree))
    x = np.linspace(-0.15, 0.95, 50)

    fit = kr.fit_curve(x, np.sin(x)[:, None], knots=row, degree=degree, start=start)

    assert fit.unsupported == (0, 1)
    assert fit.rank == 3 + degree
    np.testing.assert_allclose(fit.coef[0, :2], start[0, :2], rtol=0, atol=1e-11)
    assert fit.residual[0] <= (0.2, 2e-2, 2e-3, 2e-4, 2e-5)[degree]


def test_without_a_start_bases_without_points_are_zero():
    fit = kr.fit_curve([0.5, 0.7, 0.9], [[1.0], [2.0], [3.0]], knots=even_row(1), degree=1)

    assert fit.unsupported == (0, 1, 2)
    np.testing.assert_array_equal(fit.coef[0, :3], 0.0)


def test_points_outside_the_row_meet_no_basis():
    fit = kr.fit_curve(
        [50.0, -50.0], [[3.0], [4.0]], knots=even_row(2), degree=2, start=np.ones((1, 7))
    )

    assert fit.rank == 0
    assert fit.unsupported == tuple(range(7))
    np.testing.assert_array_equal(fit.coef, 1.0)
    assert fit.residual[0] == pytest.approx(np.sqrt(12.5))


def test_the_residual_is_the_root_mean_square_of_what_is_left_of_each_curve():
    rng = np.random.default_rng(0)
    x, y = rng.uniform(-1, 1, 100), rng.normal(size=(100, 3))

    fit = kr.fit_curve(x, y, knots=even_row(3), degree=3)

    for column in range(3):
        left = curve(even_row(3), 3, fit.coef[column], x) - y[:, column]
        assert fit.residual[column] == pytest.approx(np.sqrt(np.mean(left**2)), rel=1e-12)


# --- curves on other knot vectors


@given(
    seeds,
    degrees,
    st.sampled_from([2, 3, 10]),
    st.sampled_from(["uniform", "uneven", "clamped", "repeated"]),
)
def test_where_the_old_breakpoints_stay_a_curve_stays_to_rounding(seed, degree, factor, kind):
    rng = np.random.default_rng(seed)
    row = random_row(rng, 4, degree, kind)
    coef = rng.normal(size=(2, 1, 4 + degree))
    new = extended_knots(
        refined_breakpoints(row[None, degree : len(row) - degree], 4 * factor), degree
    )

    moved = move_coefficients(row[None], degree, coef, new)

    x = rng.uniform(row[degree], row[len(row) - 1 - degree], 60)
    old_values = np.array([curve(row, degree, c, x) for c in coef[:, 0]])
    new_values = np.array([curve(new[0], degree, c, x) for c in moved[:, 0]])
    np.testing.assert_allclose(new_values, old_values, rtol=0, atol=1e-12 * np.abs(coef).max())


def test_every_input_moves_by_itself():
    """One knot vector is nested, one is not: each result is the one of a single input."""
    rng = np.random.default_rng(0)
    rows, new = (
        np.stack([even_row(3), even_row(3)]),
        np.stack([even_row(3, 10), even_row(3, 10, -1.2, 1.1)]),
    )
    coef = rng.normal(size=(2, 2, 8))

    together = move_coefficients(rows, 3, coef, new)

    assert contains_breakpoints(rows[:, 3:-3], new[:, 3:-3]).tolist() == [True, False]
    for i in range(2):
        alone = move_coefficients(rows[i : i + 1], 3, coef[:, i : i + 1], new[i : i + 1])
        np.testing.assert_array_equal(together[:, i : i + 1], alone)


@pytest.mark.parametrize(
    ("low", "high"), [(-2.0, 1.0), (-1.0, 2.0), (-2.0, 2.0)], ids=["left", "right", "both"]
)
def test_up_to_half_its_width_beyond_the_old_grid_a_curve_needs_no_least_squares(
    monkeypatch, low, high
):
    """The old grid [-1, 1] is contained, and the new one ends exactly half its width beyond."""
    monkeypatch.delattr(curve_fit, "nearest_coefficients")
    row, new = even_row(3, 4), even_row(3, int(4 * (high - low)), low, high)
    coef = np.random.default_rng(0).normal(size=7)

    moved = move_coefficients(row[None], 3, coef[None, None], new[None])[0, 0]

    x = np.linspace(low, high, 30)
    expected = [float(exact_continued(float(point), row, 3, coef)) for point in x]
    np.testing.assert_allclose(
        curve(new, 3, moved, x), expected, rtol=0, atol=1e-12 * np.abs(moved).max()
    )


@pytest.mark.parametrize("contained", [True, False])
@pytest.mark.parametrize("side", [-1.0, 1.0])
def test_farther_out_on_one_side_the_end_polynomial_is_constant_from_half_the_width_on(
    side, contained
):
    """A cubic x^3 on [-1, 1] continued to 6: beyond 2 it stays 8, and between the pieces it is smoothed."""
    row = even_row(3, 4)
    coef = kr.fit_curve(points_of(row, 3), points_of(row, 3)[:, None] ** 3, knots=row, degree=3)
    low, high = sorted([-side, 6.0 * side])
    new = even_row(3, 56 if contained else 55, low, high)

    moved = move_coefficients(row[None], 3, coef.coef[:, None], new[None])[0, 0]

    assert contains_breakpoints(row[None, 3:-3], new[None, 3:-3]).item() is contained
    for point, value in ((0.5, 0.125), (1.0, 1.0), (1.5, 3.375), (3.0, 8.0), (5.9, 8.0)):
        assert curve(new, 3, moved, [side * point])[0] == pytest.approx(side * value, abs=1e-2)


@pytest.mark.parametrize("side", [-1.0, 1.0])
def test_one_breakpoint_too_far_out_is_enough_for_the_continuation_to_end(side):
    """x^3 on [-1, 1], all of whose breakpoints stay, and one more at 6, where x^3 is 216."""
    row = even_row(3, 4)
    coef = kr.fit_curve(points_of(row, 3), points_of(row, 3)[:, None] ** 3, knots=row, degree=3)
    grid = np.sort([*row[3:-3], 6.0 * side])[None]
    new = extended_knots(grid, 3)

    moved = move_coefficients(row[None], 3, coef.coef[:, None], new)[0, 0]

    assert contains_breakpoints(row[None, 3:-3], grid).item()
    assert np.abs(curve(new[0], 3, moved, side * np.linspace(2.0, 5.9, 20))).max() < 20.0


@pytest.mark.parametrize("degree", [0, 1, 3])
def test_where_breakpoints_move_the_curve_is_fitted_on_4_even_points_for_each_basis_function(
    degree,
):
    """From the curve's values at the Greville points, which no point of the fit may determine."""
    rng = np.random.default_rng(degree)
    row, new = even_row(degree, 5), even_row(degree, 7)
    coef = rng.normal(size=(2, 1, 5 + degree))

    moved = move_coefficients(row[None], degree, coef, new[None])

    x = np.linspace(-1.0, 1.0, 4 * (7 + degree))
    greville = kr.bspline.greville(new[None], degree)[0]
    values, start = (
        np.array(
            [[float(exact_continued(float(p), row, degree, c)) for p in at] for c in coef[:, 0]]
        )
        for at in (x, greville)
    )
    expected = nearest_solution(design_matrix(x, new, degree), values.T, start)
    np.testing.assert_allclose(moved[:, 0], expected, rtol=0, atol=1e-9)


def test_an_interval_too_narrow_for_a_point_has_a_coefficient_of_the_curve_too():
    """Least squares alone would give 0: at degree 0 no sampling point lies between 0.5 and 0.5 + 1e-9."""
    row = np.array([0.0, 0.25, 1.0])
    new = np.array([0.0, 0.5, 0.5 + 1e-9, 1.0])

    moved = move_coefficients(row[None], 0, np.array([[[3.0, 7.0]]]), new[None])[0, 0]

    assert moved[1] == 7.0
    assert moved[2] == 7.0


@pytest.mark.parametrize("degree", [1, 2, 3])
def test_samples_draw_a_moved_curve_as_near_to_the_old_values_as_it_comes_where_they_are(degree):
    rng = np.random.default_rng(degree)
    row, new = even_row(degree, 8), even_row(degree, 11)
    coef = rng.normal(size=(1, 1, 8 + degree))
    x = rng.uniform(-1.0, -0.3, (400, 1))

    without, with_samples = (
        move_coefficients(row[None], degree, coef, new[None], samples)[0, 0]
        for samples in (None, x)
    )

    old = curve(row, degree, coef[0, 0], x[:, 0])
    nearest = nearest_solution(
        design_matrix(x[:, 0], new, degree), old[:, None], np.zeros((1, 11 + degree))
    )[0]
    before, after, best = (
        np.sqrt(np.mean((curve(new, degree, c, x[:, 0]) - old) ** 2))
        for c in (without, with_samples, nearest)
    )
    assert after < 0.95 * before
    assert after <= 1.01 * best


@pytest.mark.parametrize("degree", [1, 2, 3])
def test_samples_leave_bases_alone_that_they_do_not_touch(degree):
    rng = np.random.default_rng(degree)
    row, new = even_row(degree, 8), even_row(degree, 11)
    coef = rng.normal(size=(1, 1, 8 + degree))
    x = rng.uniform(-1.0, -0.3, (400, 1))

    without, with_samples = (
        move_coefficients(row[None], degree, coef, new[None], samples)[0, 0]
        for samples in (None, x)
    )

    untouched = ~(basis(x, new[None], degree)[:, 0] != 0).any(axis=0)
    assert untouched.sum() >= 4
    np.testing.assert_allclose(with_samples[untouched], without[untouched], rtol=0, atol=1e-14)
    assert np.abs(without[untouched]).min() > 1e-3  # the old curve, not 0
    assert (with_samples != without).any()


@pytest.mark.parametrize("n_out", [2, 30])
def test_samples_correct_few_and_many_curves_as_singular_values_do(n_out):
    rng = np.random.default_rng(n_out)
    row, new = even_row(3, 5), even_row(3, 7, -1.1, 1.2)
    coef, x = rng.normal(size=(n_out, 1, 8)), rng.uniform(-1.0, 0.6, (200, 1))

    without, found = (move_coefficients(row[None], 3, coef, new[None], at) for at in (None, x))

    design = basis(x, new[None], 3)[:, 0]
    residual = basis(x, row[None], 3)[:, 0] @ coef[:, 0].T - design @ without[:, 0].T
    added = np.linalg.lstsq(design, residual, rcond=curve_fit.DATA_CUT)[0]
    assert np.abs(added).max() > 1e-3
    np.testing.assert_allclose(found[:, 0] - without[:, 0], added.T, rtol=0, atol=1e-12)


def test_a_sample_at_the_tip_of_a_basis_does_not_throw_its_coefficient():
    """The last basis function is 1e-9 there: a residual of 1e-2 would need a coefficient of millions."""
    row, new = even_row(3, 5), even_row(3, 7)
    coef = np.random.default_rng(0).normal(size=(1, 1, 8))
    tip = new[-4] - 2.0 / 7 + 0.002
    x = np.append(np.linspace(-1.0, new[-4] - 2.0 / 7, 100), tip)[:, None]

    without, with_samples = (
        move_coefficients(row[None], 3, coef, new[None], samples)[0, 0] for samples in (None, x)
    )

    assert 0 < basis(x, new[None], 3)[-1, 0, -1] < 1e-6
    assert abs(with_samples[-1] - without[-1]) <= 0.1 * np.abs(coef).max()
