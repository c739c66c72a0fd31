"""Edges that are formulas: values by hand, gradients and Jacobians against differences, and what is refused."""

import copy
import pickle
from dataclasses import replace

import numpy as np
import pytest
from cases import for_all
from hypothesis import given
from hypothesis import strategies as st
from networks import (
    clear_samples,
    random_batch,
    random_network,
    symbolic_cases,
    with_formulas,
)

import kan_ref as kr
from kan_ref.functions.library import LIBRARY
from kan_ref.network.jacobian import prediction_jacobian
from kan_ref.network.layer import edge_slopes, layer_backward, layer_edge_outputs
from kan_ref.network.network import Network
from kan_ref.network.symbolic_edges import (
    SymbolicEdge,
    affine_slopes,
    check_edges,
    derivatives,
)
from kan_ref.numerics.differences import central_difference
from kan_ref.numerics.row_sparse import dense_form


def formula_layer(edges, rows, shape=(1, 1)):
    """A layer of formulas alone: edges as (output, input, name, row)."""
    n_out, n_in = shape
    base = kr.init_network(
        (n_in, n_out), n_intervals=3, degree=3, domain=(-1.0, 1.0), rng=np.random.default_rng(0)
    ).layers[0]
    symbolic = [SymbolicEdge(j, i, LIBRARY[name], row) for j, i, name, row in edges]
    return replace(
        base, mask=np.zeros(shape), symbolic=symbolic, affine=np.array(rows, dtype=float)
    )


def case(seed, n_samples=20, widths=(3, 3, 2)):
    rng = np.random.default_rng(seed)
    network = with_formulas(rng, random_network(rng, degrees=(3,), widths=widths))
    return network, random_batch(rng, network.layers[0], n_samples), rng


# --- values


def test_an_edge_is_c_f_of_a_x_plus_b_plus_d():
    network = Network((formula_layer([(0, 0, "sin", 0)], [[2.0, 0.5, 3.0, -1.0]]),))

    np.testing.assert_allclose(
        network([[0.25], [2.0]])[:, 0], 3.0 * np.sin([1.0, 4.5]) - 1.0, rtol=1e-15
    )


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
    layer = formula_layer(
        [(0, 0, "sin", 0), (1, 0, "sin", 0), (1, 1, "x^2", 1)], [[1, 0, 1, 0], [1, 2, 3, 4]], (2, 2)
    )
    network = Network((layer,))

    assert layer.affine.shape == (2, 4)
    moved = network.with_theta(
        np.where(np.arange(network.n_params) == network.n_params - 6, 5.0, network.theta)
    )
    np.testing.assert_array_equal(moved.layers[0].affine, [[1, 0, 5, 0], [1, 2, 3, 4]])
    np.testing.assert_allclose(moved([[1.0, 0.0]]), [[5 * np.sin(1.0), 5 * np.sin(1.0) + 16.0]])


def test_edges_are_kept_in_order_and_rows_in_order_of_first_use():
    symbolic = [
        SymbolicEdge(1, 0, LIBRARY["exp"], 2),
        SymbolicEdge(0, 1, LIBRARY["sin"], 1),
        SymbolicEdge(0, 0, LIBRARY["sin"], 1),
    ]

    edges, affine = check_edges(
        symbolic, [[9, 9, 9, 9], [1, 2, 3, 4], [5, 6, 7, 8]], np.zeros((2, 2))
    )

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
        assert [layer.symbolic for layer in twin.layers] == [
            layer.symbolic for layer in network.layers
        ]
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

    assert any(name.startswith("d_affine") for name in report.errors) == any(
        layer.symbolic for layer in network.layers
    )


@given(symbolic_cases())
def test_the_transpose_of_the_jacobian_is_backward(drawn):
    network, x, rng = drawn
    y, caches = kr.forward(network, x)
    dy = rng.normal(size=y.shape)

    by_rows = dense_form(prediction_jacobian(network.layers, caches, 1.0)).T @ dy.reshape(-1)
    _, grads = kr.backward(network, caches, dy)

    scale = (
        np.abs(dense_form(prediction_jacobian(network.layers, caches, 1.0)).T * dy.reshape(-1))
        .sum(axis=1)
        .max()
    )
    np.testing.assert_allclose(by_rows, grads.theta, rtol=0, atol=1e-12 * max(scale, 1.0))


@given(symbolic_cases())
def test_the_same_derivative_by_every_edge_counts_as_one_by_their_sum(drawn):
    network, x, rng = drawn
    layer = network.layers[0]
    _, (cache, *_) = kr.forward(network, x)
    dy = rng.normal(size=(len(x), layer.n_out))

    by_edge = layer_backward(layer, cache, 0.0 * dy, np.repeat(dy[:, :, None], layer.n_in, 2))

    by_sum = layer_backward(layer, cache, dy)
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
        edge_slopes(layer, cache),
        difference,
        rtol=1e-6,
        atol=1e-6 * np.abs(difference).max(initial=1.0),
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
