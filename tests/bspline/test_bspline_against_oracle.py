"""B-splines against exact fractions, against SciPy, and against numbers found by hand."""

import math
from fractions import Fraction

import numpy as np
import pytest
from cases import for_all
from hypothesis import given
from hypothesis import strategies as st
from networks import (
    SMOOTH_KINDS,
    degrees,
    knot_arrays,
    knot_rows,
    points_anywhere,
    points_in_grid,
)
from oracles import difference, exact_basis, exact_integral
from scipy.interpolate import BSpline

from kan_ref.bspline.bases import basis, basis_integral


@st.composite
def rows_with_points(draw, low=0, points=points_anywhere, **options):
    """A degree, one knot vector, and points inside and outside it."""
    degree = draw(degrees(low))
    row = draw(knot_rows(degree, **options))
    return degree, row, draw(points(row))


def of_row(x, row, degree, derivative=0):
    return basis(x[:, None], row[None], degree, derivative)[:, 0]


# --- exact fractions


@given(rows_with_points())
def test_bases_of_every_degree_on_every_row_are_exact_to_5e_15(case):
    degree, row, x = case

    for point, got in zip(x, of_row(x, row, degree), strict=True):
        assert difference(got, exact_basis(point, row, degree)).max() <= 5e-15


@given(rows_with_points())
def test_bases_are_nowhere_negative_and_zero_exactly_where_they_should_be(case):
    degree, row, x = case

    for point, got in zip(x, of_row(x, row, degree), strict=True):
        assert (got >= 0.0).all()
        assert not got[[exact == 0 for exact in exact_basis(point, row, degree)]].any()


@given(rows_with_points(low=1), st.data())
def test_derivatives_up_to_the_degree_are_exact_to_1e_13_of_the_largest_one_at_the_point(
    case, data
):
    """Judged against max_m |B_m^(r)(x)|, so that what cancels within one basis counts against the others at the same x.

    One ulp beside a knot at 0, x is subnormal, and powers of it have lost their digits: hence the floor of 1e-280.
    """
    degree, row, x = case
    order = data.draw(st.integers(1, degree))

    for point, got in zip(x, of_row(x, row, degree, order), strict=True):
        exact = exact_basis(point, row, degree, order)
        assert difference(got, exact).max() <= 1e-13 * float(max(map(abs, exact))) + 1e-280


@given(rows_with_points(), st.integers(1, 3))
def test_derivatives_beyond_the_degree_are_zero(case, beyond):
    degree, row, x = case

    assert not of_row(x, row, degree, degree + beyond).any()


@given(rows_with_points(), st.data())
def test_integrals_are_exact_to_1e_14_of_the_widest_basis(case, data):
    """Relative to the widest support; limits also outside the knot vector and in decreasing order."""
    degree, row, x = case
    low, high = data.draw(st.permutations(x))[:2]

    got = basis_integral(row[None], degree, low, high)[0]

    exact = exact_integral(row, degree, min(low, high), max(low, high))
    sign = 1 if low <= high else -1
    widest = (row[degree + 1 :] - row[: -degree - 1]).max()
    assert difference(got, [sign * value for value in exact]).max() <= 1e-14 * widest / (degree + 1)


@given(degrees().flatmap(lambda degree: st.tuples(st.just(degree), knot_arrays(degree))), st.data())
def test_every_input_has_its_own_row(case, data):
    degree, rows = case
    x = np.stack([data.draw(points_anywhere(row, size=4)) for row in rows], axis=1)

    together = basis(x, rows, degree)

    for i, row in enumerate(rows):
        np.testing.assert_array_equal(together[:, i], of_row(x[:, i], row, degree))


# --- the half-open interval convention, at chosen places


@pytest.mark.parametrize(
    ("x", "owner"),
    [
        (0.0, 0),
        (math.nextafter(1.0, 0.0), 0),
        (1.0, 1),
        (3.0, 3),
        (math.nextafter(4.0, 0.0), 3),
        (4.0, 3),
    ],
)
def test_degree_zero_intervals_own_their_left_end_and_the_last_one_both(x, owner):
    got = basis([[x]], [[0.0, 1.0, 2.0, 3.0, 4.0]], 0)[0, 0]

    np.testing.assert_array_equal(got, np.eye(4)[owner])


def test_the_last_interval_that_is_not_empty_owns_the_last_knot_also_when_that_repeats():
    got = basis([[2.0]], [[0.0, 1.0, 2.0, 2.0, 2.0]], 0)[0, 0]

    np.testing.assert_array_equal(got, [0.0, 1.0, 0.0, 0.0])


def test_clamped_ends_belong_to_the_outermost_bases_alone():
    got = basis([[0.0], [2.0]], [[0.0, 0.0, 0.0, 1.0, 2.0, 2.0, 2.0]], 2)[:, 0]

    np.testing.assert_array_equal(got, [[1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]])


def test_a_knot_repeated_beyond_the_degree_makes_bases_jump_to_the_right():
    """Degree 1, knots 0 0 1 1 2 2: halves of hats. At 1 the left halves end and the right ones begin."""
    got = basis([[math.nextafter(1.0, 0.0)], [1.0]], [[0.0, 0.0, 1.0, 1.0, 2.0, 2.0]], 1)[:, 0]

    np.testing.assert_allclose(got, [[0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0]], atol=2e-16)


@pytest.mark.parametrize(
    ("x", "slopes"), [(0.0, [1, 0]), (1.0, [-1, 1]), (2.0, [0, -1]), (3.0, [0, -1])]
)
def test_slopes_are_right_limits_at_knots_and_a_left_limit_at_the_last(x, slopes):
    """Hats over 0 1 2 and 1 2 3."""
    got = basis([[x]], [[0.0, 1.0, 2.0, 3.0]], 1, derivative=1)[0, 0]

    np.testing.assert_array_equal(got, slopes)


def test_a_basis_over_an_empty_support_is_zero():
    got = basis(np.linspace(0.0, 2.0, 9)[:, None], [[0.0, 0.0, 1.0, 1.0, 1.0, 2.0, 2.0]], 1)[:, 0]

    assert not got[:, 2].any()


@for_all("degree", range(8))
@for_all("x", [-1e300, 1e300, -1.7e308, 1.7e308, -0.5 - 1e-12, 1.5 + 1e-12])
def test_bases_and_derivatives_are_zero_off_the_row_however_far(degree, x):
    row = np.linspace(-0.5, 1.5, 2 * degree + 4)[None]

    assert not any(basis([[x]], row, degree, derivative).any() for derivative in range(degree + 1))


# --- by hand


def test_the_cubic_on_whole_numbers_by_hand():
    """At x = 1/2 of [0, 1) the four nonzero cubics are (1 - x)^3, 3 x^3 - 6 x^2 + 4, ..., over 6: 1, 23, 23, 1 over 48."""
    got = basis([[0.0], [0.5]], [np.arange(-3.0, 5.0)], 3)[:, 0]

    np.testing.assert_allclose(
        got, [[1 / 6, 4 / 6, 1 / 6, 0.0], [1 / 48, 23 / 48, 23 / 48, 1 / 48]], rtol=1e-15
    )


def test_the_slopes_of_the_quadratic_on_whole_numbers_by_hand():
    """On [0, 1): (1 - x)^2 / 2, 1/2 + x - x^2, x^2 / 2, with derivatives x - 1, 1 - 2 x, x and second derivatives 1, -2, 1."""
    slopes, seconds = (
        basis([[0.25]], [np.arange(-2.0, 4.0)], 2, derivative)[0, 0] for derivative in (1, 2)
    )

    np.testing.assert_array_equal(slopes, [-0.75, 0.5, 0.25])
    np.testing.assert_array_equal(seconds, [1.0, -2.0, 1.0])


# --- SciPy


@given(rows_with_points(points=lambda row: st.just(np.zeros(0))), st.data())
def test_bases_agree_with_scipy_to_1e_14_on_the_grid(case, data):
    degree, row, _ = case
    x = data.draw(points_in_grid(row, degree))

    np.testing.assert_allclose(
        of_row(x, row, degree), BSpline.design_matrix(x, row, degree).toarray(), rtol=0, atol=1e-14
    )


@given(rows_with_points(low=1, kinds=SMOOTH_KINDS), st.data())
def test_curves_and_their_derivatives_agree_with_scipy_on_the_grid(case, data):
    """Relative to sum_m |c_m B_m^(r)(x)|, the size of the terms."""
    degree, row, _ = case
    x, order = data.draw(points_in_grid(row, degree)), data.draw(st.integers(0, degree))
    coef = np.random.default_rng(len(row)).normal(size=len(row) - degree - 1)
    terms = coef * of_row(x, row, degree, order)

    scipy_values = BSpline(row, coef, degree)(x, nu=order)

    assert (np.abs(terms.sum(axis=1) - scipy_values) <= 1e-12 * np.abs(terms).sum(axis=1)).all()


def test_the_oracle_knows_the_cubic_on_whole_numbers():
    row = [float(t) for t in range(-3, 5)]

    assert exact_basis(0.5, row, 3) == [Fraction(n, 48) for n in (1, 23, 23, 1)]
    assert exact_basis(0.5, row, 3, 1) == [Fraction(n, 8) for n in (-1, -5, 5, 1)]
    assert exact_integral(row, 3, 0.0, 1.0) == [Fraction(n, 24) for n in (1, 11, 11, 1)]
