"""A layer: what it computes, its gradients by (L2)-(L7), and its edges that are formulas.

The worked example is one edge by hand: degree 1, every number small and exact, so that all results are compared bit by bit.

    phi(x) = w_base b(x) + w_spline (c_0 B_0(x) + c_1 B_1(x) + c_2 B_2(x))

on the grid [0, 2] with two intervals. Degree 1 puts one knot on each side: -1 0 1 2 3. The B-splines are hats with their
tops at 0, 1 and 2:

    B_0: 1 - x on [0, 1]          B_1: x on [0, 1], 2 - x on [1, 2]          B_2: x - 1 on [1, 2], 3 - x on [2, 3]

b is the identity, coef = (4, -2, 6), w_base = 2, w_spline = 1/2.
"""

import copy
import dataclasses
import pickle
from dataclasses import replace

import numpy as np
import pytest
from cases import for_all
from hypothesis import given
from hypothesis import strategies as st
from networks import (
    WAYS,
    clear_samples,
    contraction_by,
    draws,
    layer_cases,
    parameter_directions,
    perturbed,
    random_batch,
    random_layer,
    random_network,
    symbolic_cases,
    with_formulas,
)
from oracles_layer import layer_backward, layer_edges, layer_values, slope_terms

import kan_ref as kr
from kan_ref.bspline.knots import uniform_knots
from kan_ref.functions.library import LIBRARY
from kan_ref.network import layer as edges
from kan_ref.network.jacobian import prediction_jacobian
from kan_ref.network.layer import Layer, edge_slopes, layer_edge_outputs
from kan_ref.network.network import Network
from kan_ref.network.symbolic_edges import SymbolicEdge, affine_slopes, check_edges, derivatives
from kan_ref.numerics.differences import central_difference
from kan_ref.numerics.row_sparse import dense_form

# --- what a layer computes: the paper's sum of curves, on the grid, where the splines decay to zero, and beyond

ways = st.sampled_from(WAYS)


def values(layer, x):
    return edges.layer_forward(layer, np.asarray(x, dtype=float))[0]


def worst_size(layer, x):
    """The largest sum of absolute terms of any output: what rounding errors are held against."""
    return layer_values(layer, x, of=abs).max(initial=0.0)


# --- against the definition


@given(layer_cases(), ways)
def test_outputs_are_the_sums_of_the_paper(case, way):
    layer, x, _ = case

    with contraction_by(way):
        y = values(layer, x)

    np.testing.assert_allclose(y, layer_values(layer, x), rtol=0, atol=2e-14 * worst_size(layer, x))


@given(layer_cases())
def test_every_edge_is_the_curve_of_the_paper(case):
    layer, x, _ = case

    curves = edges.layer_edge_outputs(layer, edges.evaluate(layer, x))

    np.testing.assert_allclose(curves, layer_edges(layer, x), rtol=0, atol=2e-14 * worst_size(layer, x))


@given(layer_cases())
def test_every_edge_slope_is_the_derivative_of_the_piece_that_owns_the_point(case):
    layer, x, _ = case

    slopes = edges.edge_slopes(layer, edges.evaluate(layer, x))

    size = layer_edges(layer, x, slope_terms, of=abs).max(initial=0.0)
    np.testing.assert_allclose(slopes, layer_edges(layer, x, slope_terms), rtol=0, atol=1e-13 * size)


@given(layer_cases(), ways)
def test_without_slopes_the_outputs_are_the_same_bits(case, way):
    layer, x, _ = case

    with contraction_by(way):
        cache = edges.evaluate(layer, x, slopes=False)
        np.testing.assert_array_equal(edges.layer_outputs(layer, cache), values(layer, x))

    assert cache.base_slope is None
    assert len(cache.bases.active.planes) == 1


# --- laws


@for_all("degree", range(8))
def test_equal_coefficients_make_a_constant_on_the_grid_so_no_bias_is_needed(degree):
    rows = uniform_knots([-1.0, 2.0], [1.0, 5.0], n_intervals=4, degree=degree)
    layer = Layer(rows, np.full((3, 2, 4 + degree), 0.75), np.zeros((3, 2)), np.ones((3, 2)), np.ones((3, 2)), degree)

    y = values(layer, np.random.default_rng(degree).uniform([-1.0, 2.0], [1.0, 5.0], (20, 2)))

    np.testing.assert_allclose(y, np.full((20, 3), 2 * 0.75), rtol=0, atol=3e-15)


@given(layer_cases(), ways)
def test_dead_edges_are_exactly_zero_whatever_their_numbers(case, way):
    layer, x, _ = case
    noisy = dataclasses.replace(layer, coef=np.where(layer.mask[:, :, None] == 0, 1e200, layer.coef))

    with contraction_by(way):
        np.testing.assert_array_equal(values(noisy, x), values(layer, x))
        curves = edges.layer_edge_outputs(noisy, edges.evaluate(noisy, x))

    assert (curves[:, layer.mask == 0] == 0.0).all()


# --- outside, and at degree 0


@given(layer_cases(), ways)
def test_beyond_a_knot_row_nothing_is_left_of_the_spline(case, way):
    layer, _, rng = case
    beyond = np.array(
        [layer.knots[:, 0] - 10.0 ** rng.uniform(-12, 12), layer.knots[:, -1] + 10.0 ** rng.uniform(-12, 12)]
    )

    with contraction_by(way):
        y, cache = edges.layer_forward(layer, beyond)

    np.testing.assert_array_equal(y, cache.base @ layer.base_matrix.T)


@given(layer_cases(degrees=st.just(0)))
def test_at_degree_0_a_spline_is_the_coefficient_of_its_interval(case):
    layer, x, _ = case
    bare = dataclasses.replace(layer, base="zero")

    y = values(bare, x)

    expected = np.zeros(y.shape)
    for i, row in enumerate(layer.knots):
        inside = (x[:, i] >= row[0]) & (x[:, i] <= row[-1])
        filled = np.flatnonzero(np.diff(row) > 0)
        cell = np.clip(np.searchsorted(row, x[:, i], side="right") - 1, filled[0], filled[-1])
        expected += np.where(inside[:, None], layer.spline_matrix.reshape(layer.coef.shape)[:, i, cell].T, 0.0)
    np.testing.assert_allclose(y, expected, rtol=0, atol=1e-14 * worst_size(bare, x))


# --- the record


ARRAYS = ("knots", "coef", "w_base", "w_spline", "mask")


def given_arrays(rng):
    knots = uniform_knots(-1.0, 1.0, 4, 2).repeat(2, axis=0)
    return {
        "knots": knots,
        "coef": rng.normal(size=(3, 2, 6)),
        "w_base": rng.normal(size=(3, 2)),
        "w_spline": rng.normal(size=(3, 2)),
        "mask": np.ones((3, 2)),
    }


@pytest.mark.parametrize("name", ARRAYS)
def test_changing_an_array_afterwards_changes_no_layer_made_of_it(name):
    arrays = given_arrays(np.random.default_rng(7))
    layer, x = Layer(**arrays, degree=2), np.random.default_rng(8).uniform(-1, 1, (5, 2))
    before, y = getattr(layer, name).copy(), values(layer, x)

    arrays[name] *= 0.5

    np.testing.assert_array_equal(getattr(layer, name), before)
    np.testing.assert_array_equal(values(layer, x), y)


@pytest.mark.parametrize("name", [*ARRAYS, "breakpoints"])
def test_writing_into_an_array_of_a_layer_is_refused(name):
    layer = Layer(**given_arrays(np.random.default_rng(9)), degree=2)

    with pytest.raises(ValueError, match="read-only"):
        getattr(layer, name)[0] = 0.0


def test_a_layer_takes_lists_integers_and_float32_as_float64():
    layer = Layer([[0, 1, 2, 3]], [[[1, 2]]], np.ones((1, 1), np.float32), [[2]], [[1]], np.int64(1), "identity")

    assert all(getattr(layer, name).dtype == np.float64 for name in ARRAYS)
    assert type(layer.degree) is int
    np.testing.assert_array_equal(values(layer, [[1.5]]), [[1.5 + 2.0 * (0.5 * 1.0 + 0.5 * 2.0)]])


@pytest.mark.parametrize("degree", [0, 1, 3])
def test_the_sizes_of_a_layer_follow_from_its_arrays(degree):
    layer = random_layer(np.random.default_rng(12), 2, 3, degree=degree, n_intervals=5)

    assert (layer.n_in, layer.n_out, layer.n_intervals, layer.n_basis) == (2, 3, 5, 5 + degree)
    np.testing.assert_array_equal(layer.breakpoints, layer.knots[:, degree : degree + 6])


@pytest.mark.parametrize(("dead", "note"), [(0, ""), (2, ", 2 masked edges")])
def test_a_layer_prints_its_sizes_and_dead_edges(dead, note):
    arrays = given_arrays(np.random.default_rng(14))
    arrays["mask"].reshape(-1)[:dead] = 0.0

    assert repr(Layer(**arrays, degree=2)) == f"Layer(2 -> 3, n_intervals 4, degree 2, base 'silu'{note})"


EDGE = kr.Layer(
    kr.uniform_knots(0.0, 2.0, n_intervals=2, degree=1), [[[4, -2, 6]]], [[2]], [[0.5]], [[1]], 1, "identity"
)


def test_at_a_quarter_two_hats_are_alive():
    # B_0 = 1 - 1/4, B_1 = 1/4
    np.testing.assert_array_equal(kr.bspline.basis([[0.25]], EDGE.knots, 1), [[[0.75, 0.25, 0]]])
    np.testing.assert_array_equal(kr.bspline.basis([[0.25]], EDGE.knots, 1, derivative=1), [[[-1, 1, 0]]])


def test_forward():
    y, cache = edges.layer_forward(EDGE, np.array([[0.25], [1.5], [2.5], [10.0]]))

    # spline(1/4) = 4 3/4 - 2 1/4          = 5/2     y = 2 1/4 + 1/2 5/2  = 7/4
    # spline(3/2) = -2 1/2 + 6 1/2         = 2       y = 2 3/2 + 1/2 2    = 4
    # spline(5/2) = 6 1/2 (fading)         = 3       y = 2 5/2 + 1/2 3    = 13/2
    # spline(10)  = 0 (beyond the row)               y = 2 10             = 20
    np.testing.assert_array_equal(y, [[1.75], [4.0], [6.5], [20.0]])
    np.testing.assert_array_equal(cache.base, [[0.25], [1.5], [2.5], [10.0]])
    np.testing.assert_array_equal(cache.base_slope, [[1], [1], [1], [1]])


def test_backward():
    _, cache = edges.layer_forward(EDGE, np.array([[0.25], [1.5]]))

    dx, grads = edges.layer_backward(EDGE, cache, np.array([[3.0], [-1.0]]))

    # sample 1/4, dy = 3:   d_C = 3 (3/4, 1/4, 0) = (9/4, 3/4, 0);   sample 3/2, dy = -1:   d_C = -(0, 1/2, 1/2)
    # d_C        is their sum                        = (9/4, 1/4, -1/2)
    # d_coef     = 1/2 d_C                           = (9/8, 1/8, -1/4)
    # d_w_spline = 4 9/4 - 2 1/4 + 6 (-1/2)          = 11/2
    # d_w_base   = 3 1/4 - 1 3/2                     = -3/4
    np.testing.assert_array_equal(grads.coef, [[[1.125, 0.125, -0.25]]])
    np.testing.assert_array_equal(grads.w_spline, [[5.5]])
    np.testing.assert_array_equal(grads.w_base, [[-0.75]])
    # phi'(1/4) = 2 + 1/2 (-4 - 2) = -1     dx = 3 (-1) = -3
    # phi'(3/2) = 2 + 1/2 (2 + 6)  = 6      dx = -1 6   = -6
    np.testing.assert_array_equal(dx, [[-3], [-6]])


def test_a_gradient_on_the_edge_itself_joins_the_one_on_the_output():
    _, cache = edges.layer_forward(EDGE, np.array([[0.25]]))

    dx, grads = edges.layer_backward(EDGE, cache, np.array([[3.0]]), np.array([[[1.0]]]))

    # as dy = 3 + 1: d_coef = 1/2 4 (3/4, 1/4, 0), d_w_base = 4 1/4, d_w_spline = 4 5/2, dx = 4 (-1)
    np.testing.assert_array_equal(grads.coef, [[[1.5, 0.5, 0]]])
    np.testing.assert_array_equal([grads.w_base, grads.w_spline], [[[1]], [[10]]])
    np.testing.assert_array_equal(dx, [[-4]])


def test_two_such_edges_in_a_row():
    network = kr.Network((EDGE, EDGE))

    y, caches = kr.forward(network, [[0.25]])
    dx, grads = kr.backward(network, caches, [[3.0]])

    # x_1 = phi(1/4) = 7/4;  B(7/4) = (0, 1/4, 3/4);  spline = -2 1/4 + 6 3/4 = 4;  y = 2 7/4 + 1/2 4 = 11/2
    np.testing.assert_array_equal(y, [[5.5]])
    # second edge: d_coef = 1/2 3 (0, 1/4, 3/4) = (0, 3/8, 9/8), d_w_base = 3 7/4 = 21/4, d_w_spline = 3 4 = 12
    # dx_1 = 3 phi'(7/4) = 3 (2 + 1/2 (2 + 6)) = 18
    # first edge: d_coef = 1/2 18 (3/4, 1/4, 0) = (27/4, 9/4, 0), d_w_base = 18 1/4 = 9/2, d_w_spline = 18 5/2 = 45
    # dx = 18 phi'(1/4) = -18
    np.testing.assert_array_equal(dx, [[-18]])
    np.testing.assert_array_equal(grads.theta, [6.75, 2.25, 0, 4.5, 45, 0, 0.375, 1.125, 5.25, 12])


def test_its_theta_is_coef_then_w_base_then_w_spline():
    np.testing.assert_array_equal(kr.Network((EDGE,)).theta, [4, -2, 6, 2, 0.5])


def test_silu_at_zero_adds_no_value_but_half_its_weight_as_slope():
    curved = kr.Layer(EDGE.knots, EDGE.coef, EDGE.w_base, EDGE.w_spline, EDGE.mask, 1, "silu")

    y, cache = edges.layer_forward(curved, np.array([[0.0]]))
    dx, grads = edges.layer_backward(curved, cache, np.array([[1.0]]))

    # y = 2 silu(0) + 1/2 4 = 2;  slope = 2 silu'(0) + 1/2 (-4 - 2) = 2 1/2 - 3 = -2;  d_w_base = silu(0) = 0
    np.testing.assert_array_equal(y, [[2]])
    np.testing.assert_array_equal(dx, [[-2]])
    np.testing.assert_array_equal(grads.w_base, [[0]])


@for_all(
    "changes",
    [
        {"coef": np.ones((3, 2, 5))},
        {"coef": np.ones((1, 2, 6))},
        {"w_base": np.ones((3, 1))},
        {"w_spline": np.ones((1, 2))},
        {"mask": np.ones(2)},
        {"mask": [[1, 1], [1, 2], [1, 1]]},
        {"w_spline": [[1, 1], [1, np.nan], [1, 1]]},
        {"base": "sine"},
    ],
)
def test_arrays_that_would_broadcast_or_are_not_finite_are_refused_by_name(changes):
    with pytest.raises(ValueError, match=next(iter(changes))):
        Layer(**(given_arrays(np.random.default_rng(0)) | changes), degree=2)


# --- the backward pass of a layer: (L2)-(L7) number by number, and against differences of the forward pass

NAMES = ("coef", "w_base", "w_spline")


def gradients(layer, x, dy, d_edges=None):
    """(dx, d_coef, d_w_base, d_w_spline) by the package."""
    _, cache = edges.layer_forward(layer, x)
    dx, grads = edges.layer_backward(layer, cache, dy, d_edges)
    return dx, grads.coef, grads.w_base, grads.w_spline


def upstream(rng, layer, x):
    """dy (batch, n_out) and d_edges (batch, n_out, n_in): random on every axis."""
    return rng.normal(size=(len(x), layer.n_out)), rng.normal(size=(len(x), layer.n_out, layer.n_in))


# --- number by number


@given(layer_cases(), ways, st.booleans())
def test_backward_computes_every_gradient_of_the_definition(case, way, with_edges):
    layer, x, rng = case
    dy, d_edges = upstream(rng, layer, x)
    d_edges = d_edges if with_edges else None

    with contraction_by(way):
        by_package = gradients(layer, x, dy, d_edges)

    sizes = layer_backward(layer, x, dy, d_edges, of=abs)
    for ours, theirs, size in zip(by_package, layer_backward(layer, x, dy, d_edges), sizes, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=5e-14 * size.max())


# --- against differences


def disagreement(layer, x, rng, h=1e-6):
    """Relative difference of <u, J v> by (D1) and by backward for R = <dy, y> + <d_edges, phi>, all arguments moving at once.

    Both sides are divided by the sum of the absolute terms of <J^T u, v>.
    """
    dy, d_edges = upstream(rng, layer, x)
    dx_direction, directions = rng.normal(size=x.shape), parameter_directions(rng, layer)

    def scalar(t):
        moved = perturbed(layer, t, directions)
        y, cache = edges.layer_forward(moved, x + t * dx_direction)
        return np.vdot(dy, y) + np.vdot(d_edges, edges.layer_edge_outputs(moved, cache))

    pulled = gradients(layer, x, dy, d_edges)
    terms = np.concatenate([(a * b).ravel() for a, b in zip(pulled, (dx_direction, *directions), strict=True)])
    return abs((scalar(h) - scalar(-h)) / (2 * h) - terms.sum()) / max(np.abs(terms).sum(), 1e-300)


@for_all("way", WAYS)
@for_all("degree", range(8))
def test_backward_is_the_transpose_of_the_derivative_in_random_directions(degree, way):
    """Up to fifty layers each, with dead edges and silent splines; samples inside and outside, but off the knots."""
    errors = []
    for seed in draws(50):
        rng = np.random.default_rng([degree, seed])
        n_in, n_out, n_intervals = rng.integers(1, 5, 3)
        layer = random_layer(rng, n_in, n_out, degree=degree, n_intervals=n_intervals)
        x = clear_samples(Network((layer,)), random_batch(rng, layer, 8))
        with contraction_by(way):
            errors.append(disagreement(layer, x, rng))

    assert max(errors) <= 1e-7


# --- laws


@given(layer_cases(), ways)
def test_dead_edges_have_gradients_of_exactly_zero(case, way):
    layer, x, rng = case

    with contraction_by(way):
        _, *of_parameters = gradients(layer, x, *upstream(rng, layer, x))

    for gradient in of_parameters:
        assert (gradient[layer.mask == 0] == 0.0).all()


@pytest.mark.parametrize("way", WAYS)
def test_a_spline_of_weight_zero_can_wake_up_through_its_weight_alone(way):
    rng = np.random.default_rng(1)
    layer = random_layer(rng, 2, 3, degree=3, n_intervals=4, dead=0.0, silent=1.0)
    x = random_batch(rng, layer, 6)

    with contraction_by(way):
        _, d_coef, _, d_w_spline = gradients(layer, x, *upstream(rng, layer, x))

    np.testing.assert_array_equal(d_coef, np.zeros((3, 2, 7)))
    assert (d_w_spline != 0.0).all()


@given(layer_cases(), ways)
def test_parameter_gradients_need_no_derivatives_of_the_basis_functions(case, way):
    layer, x, rng = case
    dy, d_edges = upstream(rng, layer, x)

    with contraction_by(way):
        _, *whole = gradients(layer, x, dy, d_edges)
        half = edges.parameter_gradients(layer, edges.evaluate(layer, x, slopes=False), dy, d_edges)

    for own, gradient in zip(half, whole, strict=False):
        np.testing.assert_array_equal(own, gradient)


def test_at_a_kink_the_slope_is_the_one_to_the_right_and_at_the_end_of_the_row_to_the_left():
    """Degree 1, knots 0 1 2 3 4: hats of height 1, 4, 2 at 1, 2, 3, with slopes 1, 3, -2, -2 between the knots."""
    layer = Layer(uniform_knots(1.0, 3.0, 2, 1), [[[1.0, 4.0, 2.0]]], [[0.0]], [[1.0]], [[1.0]], 1, "zero")

    dx, *_ = gradients(layer, np.arange(5.0)[:, None], np.ones((5, 1)))

    np.testing.assert_array_equal(dx[:, 0], [1.0, 3.0, -2.0, -2.0, -2.0])


# --- what comes back


@pytest.mark.parametrize("way", WAYS)
def test_backward_leaves_layer_cache_and_upstream_as_they_were(way):
    rng = np.random.default_rng(6)
    layer = random_layer(rng, 2, 3, degree=3, n_intervals=4)
    x = random_batch(rng, layer, 6)
    dy, d_edges = upstream(rng, layer, x)

    with contraction_by(way):
        _, cache = edges.layer_forward(layer, x)
        watched = [layer.coef, layer.w_base, layer.w_spline, layer.mask, dy, d_edges, cache.base, cache.base_slope]
        watched += [*cache.bases.active.planes, cache.bases.places]
        watched += [] if cache.bases.dense is None else [cache.bases.dense]
        before = [array.copy() for array in watched]
        first = edges.layer_backward(layer, cache, dy, d_edges)
        second = edges.layer_backward(layer, cache, dy, d_edges)

    for array, kept in zip(watched, before, strict=True):
        np.testing.assert_array_equal(array, kept)
    np.testing.assert_array_equal(first[0], second[0])
    np.testing.assert_array_equal(first[1].coef, second[1].coef)


# --- edges that are formulas: values by hand, gradients and Jacobians against differences, and what is refused


def formula_layer(edges, rows, shape=(1, 1)):
    """A layer of formulas alone: edges as (output, input, name, row)."""
    n_out, n_in = shape
    base = kr.init_network(
        (n_in, n_out), n_intervals=3, degree=3, domain=(-1.0, 1.0), rng=np.random.default_rng(0)
    ).layers[0]
    symbolic = [SymbolicEdge(j, i, LIBRARY[name], row) for j, i, name, row in edges]
    return replace(base, mask=np.zeros(shape), symbolic=symbolic, affine=np.array(rows, dtype=float))


def case(seed, n_samples=20, widths=(3, 3, 2)):
    rng = np.random.default_rng(seed)
    network = with_formulas(rng, random_network(rng, degrees=(3,), widths=widths))
    return network, random_batch(rng, network.layers[0], n_samples), rng


# --- values


def test_an_edge_is_c_f_of_a_x_plus_b_plus_d():
    network = Network((formula_layer([(0, 0, "sin", 0)], [[2.0, 0.5, 3.0, -1.0]]),))

    np.testing.assert_allclose(network([[0.25], [2.0]])[:, 0], 3.0 * np.sin([1.0, 4.5]) - 1.0, rtol=1e-15)


def test_formulas_and_splines_add_up_at_their_output():
    network, x, _ = case(1)
    layer = network.layers[0]
    splines = Network((replace(layer, symbolic=(), affine=np.empty((0, 4))),))(x)
    for edge in layer.symbolic:
        a, b, c, d = layer.affine[edge.row]
        splines[:, edge.output] += c * edge.function.f(a * x[:, edge.input] + b) + d

    assert layer.symbolic
    assert layer.mask.any()
    np.testing.assert_allclose(Network((layer,))(x), splines, rtol=1e-14, atol=1e-14)


def test_an_edge_that_is_freed_is_the_nearest_spline_alone():
    x = np.linspace(-1.0, 1.0, 9)[:, None]
    fixed = Network((formula_layer([(0, 0, "x^2", 0)], [[1.0, 0.0, 1.0, 0.0]]),))

    np.testing.assert_allclose(kr.unfix_symbolic(fixed, 0, output=0, input=0)(x), x**2, atol=1e-12)


def test_locked_edges_share_one_row_of_theta():
    layer = formula_layer([(0, 0, "sin", 0), (1, 0, "sin", 0), (1, 1, "x^2", 1)], [[1, 0, 1, 0], [1, 2, 3, 4]], (2, 2))
    network = Network((layer,))

    assert layer.affine.shape == (2, 4)
    moved = network.with_theta(np.where(np.arange(network.n_params) == network.n_params - 6, 5.0, network.theta))
    np.testing.assert_array_equal(moved.layers[0].affine, [[1, 0, 5, 0], [1, 2, 3, 4]])
    np.testing.assert_allclose(moved([[1.0, 0.0]]), [[5 * np.sin(1.0), 5 * np.sin(1.0) + 16.0]])


def test_edges_are_kept_in_order_and_rows_in_order_of_first_use():
    symbolic = [
        SymbolicEdge(1, 0, LIBRARY["exp"], 2),
        SymbolicEdge(0, 1, LIBRARY["sin"], 1),
        SymbolicEdge(0, 0, LIBRARY["sin"], 1),
    ]

    edges, affine = check_edges(symbolic, [[9, 9, 9, 9], [1, 2, 3, 4], [5, 6, 7, 8]], np.zeros((2, 2)))

    assert [(edge.output, edge.input, edge.name, edge.row) for edge in edges] == [
        (0, 0, "sin", 0),
        (0, 1, "sin", 0),
        (1, 0, "exp", 1),
    ]
    np.testing.assert_array_equal(affine, [[1, 2, 3, 4], [5, 6, 7, 8]])


def test_theta_holds_a_layers_formulas_after_its_weights():
    network, _, _ = case(2)
    first = network.layers[0]

    np.testing.assert_array_equal(
        network.theta[first.n_params - first.affine.size : first.n_params], first.affine.reshape(-1)
    )
    assert np.shares_memory(first.affine, network.theta)
    assert sum(layer.n_params for layer in network.layers) == network.n_params


def test_active_parameters_count_shared_rows_once():
    layer = formula_layer([(0, 0, "sin", 0), (1, 0, "sin", 0)], [[1, 0, 1, 0]], (2, 1))

    assert Network((layer,)).n_active_params == 4
    assert layer.n_active == 2


def test_copies_and_pickles_keep_formulas():
    network, x, _ = case(3)

    for twin in (copy.deepcopy(network), pickle.loads(pickle.dumps(network))):
        np.testing.assert_array_equal(twin(x), network(x))
        assert [layer.symbolic for layer in twin.layers] == [layer.symbolic for layer in network.layers]
        assert not twin.layers[0].affine.flags.writeable


def test_a_repr_names_the_formulas():
    network, _, _ = case(4)

    assert f"{sum(len(layer.symbolic) for layer in network.layers)} symbolic edges" in repr(network)
    assert network.layers[0].symbolic[0].name in repr(network.layers[0])


# --- gradients


@given(symbolic_cases(degrees=(3, 4), n_samples=st.just(6)))
def test_backward_gives_the_derivatives_of_forward(drawn):
    network, x, rng = drawn
    x = clear_samples(network, x, 1e-3)
    if len(x) == 0:
        return

    report = kr.check_gradients(network, x, rng=rng)

    assert any(name.startswith("d_affine") for name in report.errors) == any(layer.symbolic for layer in network.layers)


@given(symbolic_cases())
def test_the_transpose_of_the_jacobian_is_backward(drawn):
    network, x, rng = drawn
    y, caches = kr.forward(network, x)
    dy = rng.normal(size=y.shape)

    by_rows = dense_form(prediction_jacobian(network.layers, caches, 1.0)).T @ dy.reshape(-1)
    _, grads = kr.backward(network, caches, dy)

    scale = np.abs(dense_form(prediction_jacobian(network.layers, caches, 1.0)).T * dy.reshape(-1)).sum(axis=1).max()
    np.testing.assert_allclose(by_rows, grads.theta, rtol=0, atol=1e-12 * max(scale, 1.0))


@given(symbolic_cases())
def test_the_same_derivative_by_every_edge_counts_as_one_by_their_sum(drawn):
    network, x, rng = drawn
    layer = network.layers[0]
    _, (cache, *_) = kr.forward(network, x)
    dy = rng.normal(size=(len(x), layer.n_out))

    by_edge = edges.layer_backward(layer, cache, 0.0 * dy, np.repeat(dy[:, :, None], layer.n_in, 2))

    by_sum = edges.layer_backward(layer, cache, dy)
    for one, other in zip((by_edge[0], *by_edge[1]), (by_sum[0], *by_sum[1]), strict=True):
        atol = 1e-9 * np.abs(other).max(initial=1.0)
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=atol)


@given(symbolic_cases())
def test_slopes_of_the_edges_are_those_of_the_curves(drawn):
    network, x, _ = drawn
    layer = network.layers[0]
    x = clear_samples(Network((layer,)), x, 1e-3)
    _, (cache,) = kr.forward(Network((layer,)), x)

    difference = central_difference(
        lambda t: layer_edge_outputs(layer, kr.forward(Network((layer,)), x + t)[1][0]), 1e-5
    )

    np.testing.assert_allclose(
        edge_slopes(layer, cache), difference, rtol=1e-6, atol=1e-6 * np.abs(difference).max(initial=1.0)
    )


# --- outside the domain


# --- editing, grids, files


def test_grids_move_under_formulas():
    network, x, _ = case(10)

    for moved in (kr.extend_grid(network, n_intervals=60), kr.update_grid(network, x)):
        for old, new in zip(network.layers, moved.layers, strict=True):
            assert new.symbolic == old.symbolic
            np.testing.assert_array_equal(new.affine, old.affine)


# --- the door


NAMED = [(0, 0, "exp", 0), (0, 0, "sin", 0), (0, 0, "x^3", 0), (0, 0, "gaussian", 0)]


@pytest.mark.parametrize("edge", NAMED, ids=lambda edge: edge[2])
def test_derivatives_of_every_order_are_those_of_the_whole_curve(edge):
    """Each against differences of the one before; d counts in the value alone."""
    layer = formula_layer([edge], [(0.7, -0.3, 1.5, 2.0)])
    x = np.linspace(-0.9, 0.9, 7)[:, None]

    def curve(points, order):
        return derivatives(layer.symbolic, layer.affine, points, [order])[0, 0]

    f = LIBRARY[edge[2]].f
    np.testing.assert_allclose(curve(x, 0), 1.5 * f(0.7 * x[:, 0] - 0.3) + 2.0, rtol=1e-15)
    for order in (1, 2, 3):
        slope = central_difference(lambda t, order=order: curve(x + t, order - 1))
        np.testing.assert_allclose(curve(x, order), slope, rtol=1e-7, atol=1e-8)


@for_all("order", [0, 1, 2])
@for_all("edge", NAMED, ids=lambda edge: edge[2])
def test_slopes_in_the_parameters_are_differences_of_the_derivative_of_that_order(edge, order):
    affine = np.array([[0.7, -0.3, 1.5, 2.0]])
    layer = formula_layer([edge], affine)
    x = np.linspace(-0.9, 0.9, 7)[:, None]

    slopes = affine_slopes(layer.symbolic, affine, x, order)

    for number in range(4):
        step = np.eye(4)[[number]]
        expected = central_difference(
            lambda t, step=step: derivatives(layer.symbolic, affine + t * step, x, [order])[0, 0]
        )
        np.testing.assert_allclose(slopes[:, 0, number], expected, rtol=1e-7, atol=1e-8)


@for_all(
    ("edges", "rows", "mask"),
    [
        ([(1, 0, "sin", 0)], [[1, 0, 1, 0]], 0),  # no such output
        ([(0, 2, "sin", 0)], [[1, 0, 1, 0]], 0),  # no such input
        ([(0, 0, "sin", 1)], [[1, 0, 1, 0]], 0),  # no such row
        ([(0, 0, "sin", 0)], [[1, 0, 1, 0]], 1),  # a spline edge
        ([(0, 0, "sin", 0), (0, 0, "exp", 1)], [[1, 0, 1, 0]] * 2, 0),  # twice
        ([(0, 0, "sin", 0), (0, 1, "exp", 0)], [[1, 0, 1, 0]], 0),  # two functions on one row
        ([(0, 0, "sin", 0)], [[1, 0, np.nan, 0]], 0),
        ([(0, 0, "sin", 0)], [[1, 0, 1]], 0),
    ],
)
def test_symbolic_edges_that_do_not_fit_are_refused(edges, rows, mask):
    symbolic = [SymbolicEdge(j, i, LIBRARY[name], row) for j, i, name, row in edges]

    with pytest.raises(ValueError, match=r"symbolic|affine"):
        check_edges(symbolic, rows, np.full((1, 2), float(mask)))


@given(symbolic_cases())
def test_a_curve_is_its_edge_alone(drawn):
    network, _, rng = drawn
    number = int(rng.integers(len(network.layers)))
    layer, points = network.layers[number], random_batch(rng, network.layers[number], 4)
    edges = kr.edge_outputs(Network((layer,)), points)[0]
    for j, i in np.ndindex(layer.n_out, layer.n_in):
        curve = kr.edge_curve(network, number, output=j, input=i, x=points[:, i])
        np.testing.assert_allclose(curve, edges[:, j, i], rtol=1e-13, atol=1e-13)
