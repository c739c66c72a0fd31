"""Identities of B-splines, jumps of the highest derivative, orders of convergence, and rejected arguments."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from networks import (
    SMOOTH_KINDS,
    degrees,
    grid_ends,
    knot_arrays,
    knot_rows,
    points_anywhere,
    points_in_grid,
)

import kan_ref as kr
from kan_ref.bspline import evaluation
from kan_ref.bspline.bases import basis, basis_integral, greville, jump_weights
from kan_ref.bspline.knots import prepare_knots, uniform_knots

SMALLEST = 5e-324  # positive number of float64


@st.composite
def grids(draw, low=0, **options):
    """A degree, one knot vector, and points of its [a, b)."""
    degree = draw(degrees(low))
    row = draw(knot_rows(degree, **options))
    return degree, row, draw(points_in_grid(row, degree))


def of_row(x, row, degree, derivative=0):
    return basis(np.asarray(x)[:, None], row[None], degree, derivative)[:, 0]


# --- sums


def closed_basis(x, row, m, degree):
    """B_{m,degree}(x) by the recursion with intervals that are closed on both sides."""
    if degree == 0:
        return float(row[m] <= x <= row[m + 1])
    left, right = row[m + degree] - row[m], row[m + degree + 1] - row[m + 1]
    value = (x - row[m]) / left * closed_basis(x, row, m, degree - 1)
    return value + (row[m + degree + 1] - x) / right * closed_basis(x, row, m + 1, degree - 1)


@given(st.data(), st.integers(0, 4))
def test_with_closed_intervals_basis_functions_of_every_degree_sum_to_2_at_an_inner_knot(
    data, degree
):
    row = data.draw(knot_rows(degree, data.draw(st.integers(2, 5)), kinds=("uniform", "uneven")))
    n_basis = len(row) - degree - 1
    knot = row[data.draw(st.integers(degree + 1, n_basis - 1))]
    closed = [closed_basis(knot, row, m, degree) for m in range(n_basis)]

    assert sum(closed) == pytest.approx(2.0, rel=1e-13)
    assert of_row([knot], row, degree).sum() == pytest.approx(1.0, rel=1e-13)
    if degree:
        np.testing.assert_allclose(closed, 2.0 * of_row([knot], row, degree)[0], atol=1e-13)


@given(st.sampled_from([1, 3, 5]), st.integers(1, 6), st.floats(0.1, 0.9))
def test_an_odd_power_of_a_distance_is_a_spline_of_that_degree_from_a_breakpoint_alone(
    degree, n_half, place
):
    row = uniform_knots(-1.0, 1.0, 2 * n_half, degree)[0]
    x = np.linspace(-1.0, 1.0, 201)
    matrix = of_row(x, row, degree)
    misfits = []
    for centre in (0.0, place / n_half):  # a breakpoint, and a point inside of the next interval
        curve = np.abs(x - centre) ** degree
        misfits.append(np.abs(matrix @ np.linalg.lstsq(matrix, curve)[0] - curve).max())

    assert misfits[0] < 1e-12
    assert misfits[1] > 1e-8


@given(st.data(), st.integers(1, 5))
def test_a_derivative_on_the_whole_row_has_differences_with_0_before_and_after_as_coefficients(
    data, degree
):
    row = data.draw(knot_rows(degree, kinds=("uniform", "uneven", "clamped", "repeated")))
    n_basis = len(row) - degree - 1
    coef = np.array(data.draw(st.lists(st.integers(-9, 9), min_size=n_basis, max_size=n_basis)))
    x = np.concatenate([row[:-1], 0.5 * (row[1:] + row[:-1])])
    spans = row[degree:] - row[:-degree]
    factors = np.divide(degree, spans, out=np.zeros_like(spans), where=spans > 0.0)
    differences = np.diff(np.concatenate([[0.0], coef, [0.0]])) * factors
    expected = of_row(x, row, degree - 1) @ differences
    scale = np.abs(of_row(x, row, degree - 1)) @ np.abs(differences)
    scale += np.abs(of_row(x, row, degree, 1)) @ np.abs(coef)  # terms that cancel are rounded
    inside = x < row[-1]  # at the last knot derivatives are limits from the left

    np.testing.assert_array_less(
        np.abs(of_row(x, row, degree, 1) @ coef - expected)[inside], 1e-12 * scale[inside] + 1e-200
    )


@given(grids())
def test_bases_sum_to_1_on_the_grid(case):
    degree, row, x = case

    np.testing.assert_allclose(of_row(x, row, degree).sum(axis=1), 1.0, rtol=0, atol=1e-14)


@given(grids(kinds=SMOOTH_KINDS))
def test_bases_sum_to_1_at_b_too(case):
    degree, row, _ = case

    assert of_row([grid_ends(row, degree)[1]], row, degree).sum() == pytest.approx(1.0, abs=1e-14)


@given(grids(low=1), st.data())
def test_derivatives_sum_to_0_on_the_grid(case, data):
    """Relative to the sum of their sizes; the absolute bound is for points one ulp beside a knot at 0."""
    degree, row, x = case
    slopes = of_row(x, row, degree, data.draw(st.integers(1, degree)))

    assert (np.abs(slopes.sum(axis=1)) <= 1e-14 * np.abs(slopes).sum(axis=1) + 1e-280).all()


@given(grids(low=1))
def test_greville_points_reproduce_x(case):
    """Relative to the largest knot."""
    degree, row, x = case
    points = greville(row[None], degree)[0]

    np.testing.assert_allclose(
        of_row(x, row, degree) @ points, x, rtol=0, atol=1e-14 * np.abs(row).max()
    )


@given(grids(low=2))
def test_squares_are_reproduced_by_the_mean_products_of_inner_knots(case):
    """Marsden's identity for x^2: the coefficient is the mean of t_{m+p} t_{m+q} over p < q <= degree."""
    degree, row, x = case
    pairs = [(p, q) for q in range(1, degree + 1) for p in range(1, q)]
    coef = np.array(
        [np.mean([row[m + p] * row[m + q] for p, q in pairs]) for m in range(len(row) - degree - 1)]
    )

    np.testing.assert_allclose(
        of_row(x, row, degree) @ coef, x**2, rtol=0, atol=1e-13 * np.abs(row).max() ** 2
    )


# --- size and support


@given(grids(), st.data())
def test_at_most_degree_plus_1_bases_live_at_a_point_and_they_are_neighbours(case, data):
    degree, row, _ = case
    x = data.draw(points_anywhere(row))

    for got in of_row(x, row, degree):
        live = np.flatnonzero(got)
        assert live.size == 0 or live[-1] - live[0] <= degree


@given(grids(), st.data())
def test_every_basis_is_between_0_and_1_and_zero_off_its_own_knots(case, data):
    degree, row, _ = case
    x = data.draw(points_anywhere(row))[:, None]
    got = of_row(x[:, 0], row, degree)

    assert got.min() >= 0.0
    assert got.max() <= 1.0 + 1e-15
    assert not got[(x < row[: -degree - 1]) | (x > row[degree + 1 :])].any()


@given(
    degrees(1).flatmap(
        lambda degree: st.tuples(st.just(degree), knot_rows(degree, kinds=("uniform",)))
    )
)
def test_the_sum_of_all_bases_rises_and_falls_on_the_outer_intervals(case):
    """It increases from 0 to 1 between the first knot and a, and decreases between b and the last knot."""
    degree, row = case
    a, b = grid_ends(row, degree)

    rising = of_row(np.linspace(row[0], a, 20), row, degree).sum(axis=1)
    falling = of_row(np.linspace(b, row[-1], 20), row, degree).sum(axis=1)

    assert (np.diff(rising) >= -1e-15).all()
    assert (np.diff(falling) <= 1e-15).all()
    np.testing.assert_allclose(
        [rising[0], rising[-1], falling[0], falling[-1]], [0.0, 1.0, 1.0, 0.0], atol=1e-14
    )
    assert 0.0 < rising[10] < 1.0
    assert 0.0 < falling[10] < 1.0


# --- moving, turning, differentiating


@given(grids())
def test_a_mirrored_row_has_mirrored_bases(case):
    """Inside the pieces; at knots the half-open interval convention would matter."""
    degree, row, x = case
    inside = x[~np.isin(x, row)]

    mirrored = of_row(-inside, -row[::-1], degree)[:, ::-1]

    np.testing.assert_allclose(of_row(inside, row, degree), mirrored, rtol=0, atol=5e-15)


@given(grids(), st.sampled_from([0.125, 4.0, 2.0**40]))
def test_scaling_row_and_points_by_a_power_of_2_changes_no_bit(case, scale):
    """Down to where B / (t_{m+d} - t_m) of (B5) is subnormal: it is rounded by 5e-324, and multiplied by at most the width."""
    degree, row, x = case
    normal = np.abs(x) > 1e-280
    widest = max(1.0, scale) * max(1.0, row[-1] - row[0])

    np.testing.assert_allclose(
        of_row(scale * x[normal], scale * row, degree),
        of_row(x[normal], row, degree),
        rtol=0,
        atol=4 * (degree + 1) * widest * SMALLEST,
    )


@given(grids(low=1, kinds=SMOOTH_KINDS), st.data())
def test_derivatives_at_knots_are_limits_from_the_right_and_at_the_last_knot_from_the_left(
    case, data
):
    """An ulp beside the knot nothing has changed; relative to the largest derivative on the piece."""
    degree, row, _ = case
    m = data.draw(st.sampled_from([m for m in range(len(row) - 1) if row[m] < row[m + 1]]))
    order = data.draw(st.integers(1, degree))
    piece = np.abs(of_row(np.linspace(row[m], row[m + 1], 9)[1:-1], row, degree, order)).max()

    at, right, inside, last = of_row(
        [row[m], np.nextafter(row[m], np.inf), np.nextafter(row[-1], -np.inf), row[-1]],
        row,
        degree,
        order,
    )

    final = np.abs(
        of_row(np.linspace(row[row < row[-1]][-1], row[-1], 9)[1:-1], row, degree, order)
    ).max()
    assert np.abs(at - right).max() <= 1e-11 * piece
    assert np.abs(last - inside).max() <= 1e-11 * final


# --- integrals


@given(grids(), st.data())
def test_integrals_sum_to_the_length_of_an_interval_of_the_grid(case, data):
    degree, row, x = case
    low, high = sorted(data.draw(st.permutations(x))[:2])

    assert basis_integral(row[None], degree, low, high).sum() == pytest.approx(
        high - low, rel=0, abs=1e-14 * (row[-1] - row[0])
    )


@given(grids(), st.data())
def test_integrals_over_adjoining_intervals_add_up_and_turn_sign_with_their_limits(case, data):
    degree, row, _ = case
    p, q, r = data.draw(points_anywhere(row, size=3))

    first, second, both, back = (
        basis_integral(row[None], degree, *ends) for ends in ((p, q), (q, r), (p, r), (r, p))
    )

    np.testing.assert_allclose(first + second, both, rtol=0, atol=1e-14 * (row[-1] - row[0]))
    np.testing.assert_array_equal(back, -both)


@given(degrees().flatmap(lambda degree: st.tuples(st.just(degree), knot_arrays(degree))))
def test_the_whole_integral_of_a_basis_is_its_width_over_degree_plus_1(case):
    degree, rows = case
    width = rows[:, degree + 1 :] - rows[:, : -degree - 1]

    got = basis_integral(rows, degree, rows[:, 0], rows[:, -1])

    np.testing.assert_allclose(got, width / (degree + 1), rtol=0, atol=1e-14 * width.max())


# --- Greville points


@given(degrees(1).flatmap(lambda degree: st.tuples(st.just(degree), knot_arrays(degree))))
def test_greville_points_rise_and_each_lies_under_its_basis(case):
    degree, rows = case

    points = greville(rows, degree)

    slack = 1e-15 * np.abs(rows).max()
    assert (np.diff(points, axis=1) >= -slack).all()
    assert (points >= rows[:, 1 : -degree or None][:, : points.shape[1]] - slack).all()
    assert (points <= rows[:, degree : degree + points.shape[1]] + slack).all()


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


def test_no_points_make_no_rows():
    assert basis(np.zeros((0, 2)), [[0.0, 1.0], [0.0, 1.0]], 0).shape == (0, 2, 1)


def test_float32_points_and_whole_numbers_are_computed_in_float64():
    got = basis(np.array([[0.1]], dtype=np.float32), [[0, 1]], 0)

    assert got.dtype == np.float64


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


def test_no_inputs_have_no_basis_functions():
    knots = np.zeros((0, 8))

    assert basis(np.zeros((5, 0)), knots, 3).shape == (5, 0, 4)
    assert basis_integral(knots, 3, 0.0, 1.0).shape == greville(knots, 3).shape == (0, 4)


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


@pytest.mark.long
def test_a_trained_network_reaches_a_test_error_of_a_ten_thousandth_at_20_intervals(ladders):
    assert np.median(ladders[:, -1]) <= 1e-4


@pytest.mark.long
def test_every_finer_grid_makes_the_test_error_smaller(ladders):
    assert (np.diff(np.median(ladders, axis=0)) < 0).all()


@pytest.mark.long
def test_the_error_of_a_trained_network_falls_faster_than_the_paper_s_third_power(ladders):
    slope = -np.polyfit(np.log([5, 10, 20]), np.log(np.median(ladders, axis=0)[1:]), 1)[0]

    assert slope >= 3.0
