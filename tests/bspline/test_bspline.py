"""B-splines: against exact fractions and numbers found by hand, their identities, jumps and orders of convergence.

The dense and the gathered sums over basis functions both give the numbers of the definitions (B7)-(B11).
"""

import math
from fractions import Fraction

import numpy as np
import pytest
from cases import for_all
from hypothesis import given
from hypothesis import strategies as st
from networks import (
    WAYS,
    contraction_by,
    degrees,
    knot_arrays,
    knot_rows,
    layer_cases,
    points_anywhere,
    points_in_grid,
    random_batch,
    random_layer,
)
from oracles import difference, exact_basis, exact_integral

import kan_ref as kr
from kan_ref import bspline
from kan_ref.bspline import evaluation
from kan_ref.bspline.bases import basis, basis_integral, greville, jump_weights
from kan_ref.bspline.evaluation import taken
from kan_ref.bspline.knots import prepare_knots, uniform_knots
from kan_ref.network.layer import evaluate

# --- b-splines against exact fractions and against numbers found by hand; sums over them against their definitions


@st.composite
def rows_with_points(draw, low=0, points=points_anywhere, **options):
    """A degree, one knot vector, and points inside and outside it."""
    degree = draw(degrees(low))
    row = draw(knot_rows(degree, **options))
    return degree, row, draw(points(row))


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
def test_derivatives_up_to_the_degree_are_exact_to_1e_13_of_the_largest_one_at_the_point(case, data):
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
    [(0.0, 0), (math.nextafter(1.0, 0.0), 0), (1.0, 1), (3.0, 3), (math.nextafter(4.0, 0.0), 3), (4.0, 3)],
)
def test_degree_zero_intervals_own_their_left_end_and_the_last_one_both(x, owner):
    got = basis([[x]], [[0.0, 1.0, 2.0, 3.0, 4.0]], 0)[0, 0]

    np.testing.assert_array_equal(got, np.eye(4)[owner])


# --- by hand


# --- SciPy


def test_the_oracle_knows_the_cubic_on_whole_numbers():
    row = [float(t) for t in range(-3, 5)]

    assert exact_basis(0.5, row, 3) == [Fraction(n, 48) for n in (1, 23, 23, 1)]
    assert exact_basis(0.5, row, 3, 1) == [Fraction(n, 8) for n in (-1, -5, 5, 1)]
    assert exact_integral(row, 3, 0.0, 1.0) == [Fraction(n, 24) for n in (1, 11, 11, 1)]


# --- sums over basis functions


ways = st.sampled_from(WAYS)


def full_bases(layer, x):
    """B_m(x_bi) and B'_m(x_bi), (batch, n_in, n_basis) with all their zeros."""
    return [bspline.basis(x, layer.knots, layer.degree, derivative) for derivative in (0, 1)]


def evaluated(layer, x, *, slopes=True, workspace=None):
    return evaluate(layer, x, slopes=slopes, workspace=workspace).bases


def bases_by(way, layer, x):
    with contraction_by(way):
        return evaluated(layer, x)


def assert_within(actual, expected, absolute_terms, tolerance=1e-14):
    assert actual.shape == expected.shape
    assert actual.dtype == np.float64
    assert np.abs(actual - expected).max() <= tolerance * max(absolute_terms.max(), np.finfo(float).tiny)


@given(layer_cases(), ways)
def test_sums_follow_their_definition(case, way):
    layer, x, _ = case
    values, _ = full_bases(layer, x)

    found = evaluation.spline_sums(layer.spline_matrix, bases_by(way, layer, x))

    matrix = layer.spline_matrix.reshape(layer.coef.shape)
    assert_within(found, np.einsum("bim,jim->bj", values, matrix), np.einsum("bim,jim->bj", values, np.abs(matrix)))


@given(layer_cases(), ways)
def test_the_matrix_gradient_follows_its_definition(case, way):
    layer, x, rng = case
    values, _ = full_bases(layer, x)
    dy = rng.normal(size=(len(x), layer.n_out))

    gradient = evaluation.matrix_gradient(dy, bases_by(way, layer, x))

    absolute = np.einsum("bj,bim->jim", np.abs(dy), values)
    assert_within(gradient.reshape(layer.coef.shape), np.einsum("bj,bim->jim", dy, values), absolute)


@given(layer_cases(), ways)
def test_slope_sums_follow_their_definition(case, way):
    layer, x, rng = case
    _, slopes = full_bases(layer, x)
    dy, matrix = (rng.normal(size=(len(x), layer.n_out)), layer.spline_matrix.reshape(layer.coef.shape))

    found = evaluation.slope_sums(layer.spline_matrix, bases_by(way, layer, x), dy)

    absolute = np.einsum("bj,jim,bim->bi", np.abs(dy), np.abs(matrix), np.abs(slopes))
    assert_within(found, np.einsum("bj,jim,bim->bi", dy, matrix, slopes), absolute)


@given(layer_cases(), ways, st.sampled_from([0, 1]))
def test_edge_sums_follow_their_definition(case, way, plane):
    layer, x, _ = case
    numbers, matrix = full_bases(layer, x)[plane], layer.spline_matrix.reshape(layer.coef.shape)

    found = bspline.edge_sums(layer.spline_matrix, bases_by(way, layer, x), plane)

    assert_within(
        found, np.einsum("bim,jim->bji", numbers, matrix), np.einsum("bim,jim->bji", np.abs(numbers), np.abs(matrix))
    )


@given(layer_cases(), ways)
def test_the_matrix_gradient_of_edges_follows_its_definition(case, way):
    layer, x, rng = case
    values, _ = full_bases(layer, x)
    d_edges = rng.normal(size=(len(x), layer.n_out, layer.n_in))

    gradient = bspline.edge_matrix_gradient(d_edges, bases_by(way, layer, x))

    absolute = np.einsum("bji,bim->jim", np.abs(d_edges), values)
    assert_within(gradient.reshape(layer.coef.shape), np.einsum("bji,bim->jim", d_edges, values), absolute)


@for_all(
    ("n_out", "n_basis", "degree", "walks"),
    [
        (1, 8, 3, True),
        (1, 7, 3, False),
        (2, 14, 3, True),
        (2, 13, 3, False),
        (4, 16, 1, True),
        (4, 15, 1, False),
        (5, 20, 1, True),
        (5, 19, 1, False),
        (1, 4, 0, True),
    ],
)
def test_a_layer_gathers_where_the_grid_is_fine_for_the_number_of_its_outputs(n_out, n_basis, degree, walks):
    rng = np.random.default_rng(0)
    layer = random_layer(rng, 2, n_out, degree=degree, n_intervals=n_basis - degree)

    bases = evaluated(layer, random_batch(rng, layer, 4))

    assert evaluation.gathers(n_out, n_basis, degree) is walks
    assert (bases.dense is None) is walks


@given(layer_cases())
def test_without_slopes_the_values_are_the_same_and_no_derivatives_are_kept(drawn):
    layer, x = drawn[:2]

    both, values = (evaluated(layer, x, slopes=slopes) for slopes in (True, False))

    assert (len(both.active.planes), len(values.active.planes)) == (2, 1)
    np.testing.assert_array_equal(values.values, both.active.planes[0])


@pytest.mark.parametrize(
    ("n_intervals", "names"), [(5, ["first", "dense", "pulled"]), (50, ["first", "places", "terms"])]
)
def test_a_workspace_changes_no_bit_and_asks_for_no_new_memory(n_intervals, names):
    rng = np.random.default_rng(0)
    layer = random_layer(rng, 3, 4, degree=3, n_intervals=n_intervals)
    workspace = evaluation.Workspace()

    for batch in (5, 9, 2):
        x = random_batch(rng, layer, batch)
        dy = rng.standard_normal((batch, 4))
        new = evaluated(layer, x)
        reused = evaluated(layer, x, workspace=workspace)
        for one, two in zip(new.active.planes, reused.active.planes, strict=True):
            np.testing.assert_array_equal(one, two)
        assert (new.dense is None) is ("places" in names)
        if new.dense is not None:
            np.testing.assert_array_equal(new.dense, reused.dense)
        matrix = layer.spline_matrix
        for sums in (
            lambda bases, dy=dy: evaluation.slope_sums(matrix, bases, dy),
            lambda bases, dy=dy: evaluation.matrix_gradient(dy, bases),
            lambda bases: evaluation.spline_sums(matrix, bases),
        ):
            np.testing.assert_array_equal(sums(new), sums(reused))

    first = taken(workspace, "planes", (2, 3))
    assert np.shares_memory(first, taken(workspace, "planes", (3, 2)))
    assert not np.shares_memory(first, taken(workspace, names[1], (3, 2)))
    assert workspace.arrays.keys() == {"planes", *names}


# --- identities of B-splines, jumps of the highest derivative, orders of convergence, and rejected arguments


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

    np.testing.assert_allclose(of_row(x, row, degree) @ points, x, rtol=0, atol=1e-14 * np.abs(row).max())


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
    np.testing.assert_allclose((weights * windows).sum(axis=2), expected, rtol=0, atol=1e-12 * np.abs(expected).max())


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
