"""Curves on other knot vectors: least squares that starts from a curve, and knot insertion.

The blossom, Boehm's and the Oslo algorithm are compared with exact fractions.
"""

from itertools import pairwise

import numpy as np
import pytest
from cases import for_all
from hypothesis import assume, given
from hypothesis import strategies as st
from networks import coefficients, degrees, grid_ends, knot_rows, points_anywhere, points_in_grid, random_row, seeds
from oracles import difference, exact_blossom, exact_continued, exact_curve, oslo_matrix
from oracles_training import design_matrix, nearest_solution

import kan_ref as kr
from kan_ref.bspline import curve_fit
from kan_ref.bspline.bases import basis
from kan_ref.bspline.blossom import (
    _farthest_first,
    continue_curves,
    insert_knot,
    insert_knots,
    polar_form,
    transfer_coef,
)
from kan_ref.bspline.curve_fit import move_coefficients
from kan_ref.bspline.knots import breakpoints, contains_breakpoints, extended_knots, refined_breakpoints

# --- least squares that starts from a curve: its solution, the coefficients that it keeps, and curves on other knot vectors

up_to_degree_5 = st.integers(0, 5)


def even_row(degree, n_intervals=5, low=-1.0, high=1.0):
    return kr.uniform_knots(low, high, n_intervals, degree)[0]


def curve(row, degree, coef, x):
    """Values (n,) of one curve."""
    return basis(np.asarray(x)[:, None], row[None], degree)[:, 0] @ coef


def points_of(row, degree, n_points=40):
    return np.linspace(row[degree], row[len(row) - 1 - degree], n_points)


# --- a fit


@given(seeds, up_to_degree_5, st.sampled_from(["uniform", "uneven", "clamped"]))
def test_a_curve_of_the_space_is_found_again(seed, degree, kind):
    rng = np.random.default_rng(seed)
    row = random_row(rng, 5, degree, kind)
    coef = rng.normal(size=(5 + degree, 2))
    grid = row[degree : len(row) - degree]
    x = np.concatenate([rng.uniform(low, high, 12) for low, high in pairwise(grid)])

    fit = kr.fit_curve(x, basis(x[:, None], row[None], degree)[:, 0] @ coef, knots=row, degree=degree)

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
    fit = kr.fit_curve([50.0, -50.0], [[3.0], [4.0]], knots=even_row(2), degree=2, start=np.ones((1, 7)))

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
    seeds, up_to_degree_5, st.sampled_from([2, 3, 10]), st.sampled_from(["uniform", "uneven", "clamped", "repeated"])
)
def test_where_the_old_breakpoints_stay_a_curve_stays_to_rounding(seed, degree, factor, kind):
    rng = np.random.default_rng(seed)
    row = random_row(rng, 4, degree, kind)
    coef = rng.normal(size=(2, 1, 4 + degree))
    new = extended_knots(refined_breakpoints(row[None, degree : len(row) - degree], 4 * factor), degree)

    moved = move_coefficients(row[None], degree, coef, new)

    x = rng.uniform(row[degree], row[len(row) - 1 - degree], 60)
    old_values = np.array([curve(row, degree, c, x) for c in coef[:, 0]])
    new_values = np.array([curve(new[0], degree, c, x) for c in moved[:, 0]])
    np.testing.assert_allclose(new_values, old_values, rtol=0, atol=1e-12 * np.abs(coef).max())


def test_every_input_moves_by_itself():
    """One knot vector is nested, one is not: each result is the one of a single input."""
    rng = np.random.default_rng(0)
    rows, new = (np.stack([even_row(3), even_row(3)]), np.stack([even_row(3, 10), even_row(3, 10, -1.2, 1.1)]))
    coef = rng.normal(size=(2, 2, 8))

    together = move_coefficients(rows, 3, coef, new)

    assert contains_breakpoints(rows[:, 3:-3], new[:, 3:-3]).tolist() == [True, False]
    for i in range(2):
        alone = move_coefficients(rows[i : i + 1], 3, coef[:, i : i + 1], new[i : i + 1])
        np.testing.assert_array_equal(together[:, i : i + 1], alone)


@pytest.mark.parametrize(("low", "high"), [(-2.0, 1.0), (-1.0, 2.0), (-2.0, 2.0)], ids=["left", "right", "both"])
def test_up_to_half_its_width_beyond_the_old_grid_a_curve_needs_no_least_squares(monkeypatch, low, high):
    """The old grid [-1, 1] is contained, and the new one ends exactly half its width beyond."""
    monkeypatch.setattr(curve_fit, "_fit_continued", None)
    row, new = even_row(3, 4), even_row(3, int(4 * (high - low)), low, high)
    coef = np.random.default_rng(0).normal(size=7)

    moved = move_coefficients(row[None], 3, coef[None, None], new[None])[0, 0]

    x = np.linspace(low, high, 30)
    expected = [float(exact_continued(float(point), row, 3, coef)) for point in x]
    np.testing.assert_allclose(curve(new, 3, moved, x), expected, rtol=0, atol=1e-12 * np.abs(moved).max())


@pytest.mark.parametrize("contained", [True, False])
@pytest.mark.parametrize("side", [-1.0, 1.0])
def test_farther_out_on_one_side_the_end_polynomial_is_constant_from_half_the_width_on(side, contained):
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
def test_where_breakpoints_move_the_curve_is_fitted_on_4_even_points_for_each_basis_function(degree):
    """From the curve's values at the Greville points, which no point of the fit may determine."""
    rng = np.random.default_rng(degree)
    row, new = even_row(degree, 5), even_row(degree, 7)
    coef = rng.normal(size=(2, 1, 5 + degree))

    moved = move_coefficients(row[None], degree, coef, new[None])

    x = np.linspace(-1.0, 1.0, 4 * (7 + degree))
    greville = kr.bspline.greville(new[None], degree)[0]
    values, start = (
        np.array([[float(exact_continued(float(p), row, degree, c)) for p in at] for c in coef[:, 0]])
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


def moved_without_and_with_samples(degree):
    rng = np.random.default_rng(degree)
    row, new = even_row(degree, 8), even_row(degree, 11)
    coef = rng.normal(size=(1, 1, 8 + degree))
    x = rng.uniform(-1.0, -0.3, (400, 1))

    without, with_samples = (
        move_coefficients(row[None], degree, coef, new[None], samples)[0, 0] for samples in (None, x)
    )
    return row, new, coef, x, without, with_samples


@pytest.mark.parametrize("degree", [1, 2, 3])
def test_samples_draw_a_moved_curve_as_near_to_the_old_values_as_it_comes_where_they_are(degree):
    row, new, coef, x, without, with_samples = moved_without_and_with_samples(degree)

    old = curve(row, degree, coef[0, 0], x[:, 0])
    nearest = nearest_solution(design_matrix(x[:, 0], new, degree), old[:, None], np.zeros((1, 11 + degree)))[0]
    before, after, best = (
        np.sqrt(np.mean((curve(new, degree, c, x[:, 0]) - old) ** 2)) for c in (without, with_samples, nearest)
    )
    assert after < 0.95 * before
    assert after <= 1.01 * best


@pytest.mark.parametrize("degree", [1, 2, 3])
def test_samples_leave_bases_alone_that_they_do_not_touch(degree):
    _, new, _, x, without, with_samples = moved_without_and_with_samples(degree)

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

    without, with_samples = (move_coefficients(row[None], 3, coef, new[None], samples)[0, 0] for samples in (None, x))

    assert 0 < basis(x, new[None], 3)[-1, 0, -1] < 1e-6
    assert abs(with_samples[-1] - without[-1]) <= 0.1 * np.abs(coef).max()


# --- the same curves on other knot vectors: the blossom, Boehm's and the Oslo algorithm, against exact fractions


@st.composite
def curves(draw, low=0, **options):
    """A degree, one knot vector and the coefficients of one curve."""
    degree = draw(degrees(low))
    row = draw(knot_rows(degree, **options))
    return degree, row, draw(coefficients((len(row) - degree - 1,)))


def values(x, row, degree, coef):
    """Curves (..., n_basis) on one knot vector at points (n,), from the basis functions."""
    return basis(np.asarray(x)[:, None], row[None], degree)[:, 0] @ np.moveaxis(coef, -1, 0)


def pieces_of(row, degree):
    """Intervals of the grid that are not empty."""
    return [g for g in range(len(row) - 2 * degree - 1) if row[degree + g] < row[degree + g + 1]]


def polar(row, degree, coef, piece, arguments):
    """The blossom of one curve at one tuple of arguments."""
    points = np.reshape(arguments, (1, 1, degree))
    return polar_form(row[None], degree, coef[None, None], np.array([[piece]]), points)[0, 0, 0]


@st.composite
def curves_with_arguments(draw, low=0, beyond=1.0, **options):
    """A curve, one of its pieces, and `degree` arguments up to `beyond` widths of the grid outside it."""
    degree, row, coef = draw(curves(low, **options))
    piece = draw(st.sampled_from(pieces_of(row, degree)))
    a, b = grid_ends(row, degree)
    shares = draw(st.lists(st.floats(-beyond, 1.0 + beyond), min_size=degree, max_size=degree))
    return degree, row, coef, piece, np.array([a + share * (b - a) for share in shares])


def reach(row, degree, piece, arguments):
    """How much (B17) can amplify: the farthest argument in lengths of the piece, once per level."""
    low, high = row[degree + piece], row[degree + piece + 1]
    distances = np.maximum(np.maximum(low - arguments, arguments - high), 0.0)
    return np.prod(1.0 + 2.0 * distances / (high - low))


# --- the blossom


@given(curves_with_arguments())
def test_the_blossom_is_the_exact_polar_form(case):
    """Relative to the distance of the arguments from the piece, by which extrapolation amplifies errors."""
    degree, row, coef, piece, arguments = case

    got = polar(row, degree, coef, piece, arguments)

    exact = exact_blossom(row, degree, coef, degree + piece, arguments)
    assert difference(got, [exact])[0] <= 5e-15 * np.abs(coef).max() * reach(row, degree, piece, arguments)


@given(curves_with_arguments(), st.randoms(use_true_random=False))
def test_the_blossom_is_symmetric_in_its_arguments_bit_for_bit(case, random):
    degree, row, coef, piece, arguments = case
    shuffled = arguments.tolist()
    random.shuffle(shuffled)

    assert polar(row, degree, coef, piece, shuffled) == polar(row, degree, coef, piece, arguments)


@given(curves(), st.data())
def test_the_blossom_at_a_basis_s_own_inner_knots_is_its_coefficient_bit_for_bit(case, data):
    """(B19): from every piece under the basis function."""
    degree, row, coef = case
    piece = data.draw(st.sampled_from(pieces_of(row, degree)))

    for m in range(piece, piece + degree + 1):
        assert polar(row, degree, coef, piece, row[m + 1 : m + degree + 1]) == coef[m]


# --- the curve continued


@given(curves(), st.data())
def test_continued_values_are_exact_on_the_grid_to_5e_15(case, data):
    degree, row, coef = case
    x = data.draw(points_in_grid(row, degree))

    got = continue_curves(row[None], degree, coef[None, None], x[:, None])[:, 0, 0]

    assert (
        difference(got, [exact_continued(point, row, degree, coef) for point in x]).max() <= 5e-15 * np.abs(coef).max()
    )


@pytest.mark.parametrize("degree", range(3))
def test_at_a_breakpoint_where_the_curve_jumps_the_piece_on_its_right_counts(degree):
    """Two constants, 5 and 7, on 0 1 2 with 1 repeated degree + 1 times; the last point has the piece on its left."""
    inner = [1.0] * (degree + 1)
    knots = np.array([[-1.0] * degree + [0.0, *inner, 2.0] + [3.0] * degree])
    coef = np.repeat([5.0, 7.0], degree + 1)[None, None]

    got = continue_curves(knots, degree, coef, np.array([[0.0], [1.0], [2.0]]))

    np.testing.assert_allclose(got[:, 0, 0], [5.0, 7.0, 7.0], rtol=1e-15)


def test_the_farthest_arguments_come_first():
    """The piece is [0, 1]: distances 4, 3, 1, and inside it of no matter."""
    ordered = _farthest_first(
        np.array([[[0.5, -3.0, 5.0, 2.0], [1.5, -2.5, 0.25, -1.0]]]), np.zeros((1, 2, 1)), np.ones((1, 2, 1))
    )

    np.testing.assert_array_equal(ordered, [[[5.0, -3.0, 2.0, 0.5], [-2.5, -1.0, 1.5, 0.25]]])


# --- moving to other knot vectors


@for_all("degree", range(6))
@for_all(
    "grid",
    [
        pytest.param([-1.0, -0.6, -0.2, 0.2, 0.6, 1.0], id="uniform"),
        pytest.param([-1.0, -0.9, -0.2, 0.0, 0.03, 1.0], id="uneven"),
        pytest.param([-1.0, -0.2, 0.1, 0.1, 0.4, 1.0], id="repeated"),
    ],
)
def test_from_5_to_1000_intervals_the_curve_stays_to_1e_12(degree, grid):
    """Between the breakpoints, at all of them and beside them; relative to the largest coefficient."""
    rng = np.random.default_rng(degree)
    old = extended_knots([grid], degree)
    new = extended_knots(refined_breakpoints([grid], 1000), degree)
    coef = rng.normal(size=(3, 1, 5 + degree))

    moved = transfer_coef(old, degree, coef, new)

    x = np.sort(
        np.concatenate(
            [rng.uniform(-1.0, 1.0, 500), grid[:-1], np.nextafter(grid[1:], -1.0), breakpoints(new, degree)[0, :-1]]
        )
    )
    change = values(x, new[0], degree, moved[:, 0]) - values(x, old[0], degree, coef[:, 0])
    assert moved.shape == (3, 1, 1000 + degree)
    assert np.abs(change).max() <= 1e-12 * np.abs(coef).max()


@st.composite
def nested_rows(draw, degree, row):
    """A knot vector with the breakpoints of `row`, some new ones, and perhaps more on both sides of them."""
    grid = row[degree : len(row) - degree]
    a, b = grid[0], grid[-1]
    added = draw(st.lists(st.floats(0.0, 1.0).map(lambda share: a + share * (b - a)), max_size=6))
    wider = draw(st.lists(st.floats(0.05, 0.5).map(lambda share: share * (b - a)), max_size=2))
    beyond = [a - step for step in wider] + [b + step for step in wider[:1]]
    found = np.sort(np.concatenate([grid, added, beyond]))
    gaps = np.diff(found)
    assume(not ((gaps > 0.0) & (gaps < 1e-100)).any())
    return extended_knots(found[None], degree)[0]


@given(curves(), st.data())
def test_on_a_nested_row_the_curve_and_its_continuation_stay_exactly(case, data):
    """Against exact fractions of both curves, on the whole new grid; relative to the continued curve's coefficients."""
    degree, row, coef = case
    new = data.draw(nested_rows(degree, row))
    assert contains_breakpoints(breakpoints(row[None], degree), breakpoints(new[None], degree)).all()
    x = data.draw(points_in_grid(new, degree))

    moved = transfer_coef(row[None], degree, coef[None, None], new[None])[0, 0]

    ends = (pieces_of(row, degree)[0], pieces_of(row, degree)[-1])
    farthest = max(
        reach(row, degree, piece, np.full(degree, end)) for piece, end in zip(ends, (new[1], new[-2]), strict=True)
    )
    for point in x:
        error = abs(exact_continued(point, new, degree, moved) - exact_continued(point, row, degree, coef))
        off = point < row[degree] or point > row[len(row) - 1 - degree]
        assert float(error) <= 1e-13 * np.abs(coef).max() * (farthest if off else 1.0)


@given(curves(), st.integers(1, 3))
def test_on_its_own_row_a_curve_keeps_its_coefficients_bit_for_bit(case, n_out):
    """Those of basis functions that are nonzero on the grid; others are arbitrary."""
    degree, row, _ = case
    coef = np.random.default_rng(n_out).normal(size=(n_out, 1, len(row) - degree - 1))
    a, b = grid_ends(row, degree)
    lives = np.maximum(row[: -degree - 1], a) < np.minimum(row[degree + 1 :], b)

    moved = transfer_coef(row[None], degree, coef, row[None])

    np.testing.assert_array_equal(moved[:, :, lives], coef[:, :, lives])


def test_a_coefficient_between_two_old_pieces_comes_from_the_one_under_the_middle_of_its_basis():
    """|x| on -1 0 1, moved to knots without a breakpoint at 0: hats at -0.6 and 0.2 each take one side."""
    old = np.array([[-2.0, -1.0, 0.0, 1.0, 2.0]])
    new = np.array([[-1.4, -0.6, 0.2, 1.0, 1.8]])

    moved = transfer_coef(old, 1, np.array([[[1.0, 0.0, 1.0]]]), new)

    np.testing.assert_allclose(moved, [[[0.6, 0.2, 1.0]]], rtol=1e-15)


def test_a_basis_that_reaches_into_the_grid_by_one_ulp_sees_the_piece_there():
    """Degree 0 on 0 1 2: the new pieces are [1 - ulp, 1) and [1, 2), and the middle of the first rounds to 1."""
    below = np.nextafter(1.0, 0.0)

    moved = transfer_coef(np.array([[0.0, 1.0, 2.0]]), 0, np.array([[[5.0, 7.0]]]), np.array([[below, 1.0, 2.0]]))

    np.testing.assert_array_equal(moved, [[[5.0, 7.0]]])


# --- Boehm, Oslo, and all three


@given(curves(), st.data())
def test_one_knot_more_changes_the_curve_nowhere_on_the_row_and_off_it(case, data):
    """Also where the curve decays outside [a, b]; exact fractions of both. At a jump the right limit counts."""
    degree, row, coef = case
    t = data.draw(
        st.sampled_from([*row.tolist(), *data.draw(points_in_grid(row, degree)).tolist(), 0.5 * (row[0] + row[-1])])
    )

    longer, (moved,) = insert_knot(row, degree, coef[None], t)

    assert longer.tolist() == sorted([*row.tolist(), t])
    for x in data.draw(points_anywhere(row)):
        change = exact_curve(x, longer, degree, moved) - exact_curve(x, row, degree, coef)
        assert abs(float(change)) <= 5e-15 * np.abs(coef).max()


def more_knots(row, low, high):
    """Up to five places in [low, high], some of them where knots are."""
    share = st.floats(0.0, 1.0).filter(lambda share: share == 0.0 or share > 1e-100)
    between = share.map(lambda share: low + share * (high - low))
    knots = [t for t in row.tolist() if low <= t <= high]
    return st.lists(st.one_of(between, st.sampled_from([low, *knots])).filter(lambda t: low <= t <= high), max_size=5)


@given(curves(), st.data())
def test_the_blossom_of_all_pieces_is_the_oslo_algorithm_for_knots_added_anywhere(case, data):
    """Outer intervals are pieces too, so the curve is kept outside [a, b]."""
    degree, row, coef = case
    new = np.sort(np.concatenate([row, data.draw(more_knots(row, row[0], row[-1]))]))

    by_blossom = insert_knots(row[None], degree, coef[None, None], new[None])[0, 0]
    by_oslo = oslo_matrix(row, degree, new) @ coef

    lives = new[: -degree - 1] < new[degree + 1 :]
    np.testing.assert_allclose(by_blossom[lives], by_oslo[lives], rtol=0, atol=1e-13 * np.abs(coef).max())


def test_inserting_into_a_quadratic_by_hand():
    """Knots 0 .. 5, new knot 2.5 in [2, 3): alpha_1 = 3/4, alpha_2 = 1/4, and coefficients 0 beyond the knot vector."""
    row, moved = insert_knot(np.arange(6.0), 2, [[8.0, 4.0, 16.0]], 2.5)

    np.testing.assert_array_equal(row, [0.0, 1.0, 2.0, 2.5, 3.0, 4.0, 5.0])
    np.testing.assert_array_equal(moved, [[8.0, 0.25 * 8 + 0.75 * 4, 0.75 * 4 + 0.25 * 16, 16.0]])


@for_all(
    "new",
    [
        np.arange(0.0, 6.0, 0.75)[None],
        np.append(np.arange(6.0), 7.0)[None],
        np.append(-1.0, np.arange(6.0))[None],
        np.tile(np.arange(6.0), (2, 1)),
    ],
)
def test_knots_that_lack_an_old_one_or_reach_beyond_are_refused(new):
    with pytest.raises(ValueError, match=r"^new_knots "):
        insert_knots(np.arange(6.0)[None], 2, np.ones((1, 1, 3)), new)
