"""The backward pass of a layer: (L2)-(L7) number by number, and against differences of the forward pass."""

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
)
from oracles_layer import layer_backward

from kan_ref.bspline.knots import uniform_knots
from kan_ref.network import layer as edges
from kan_ref.network.layer import Layer
from kan_ref.network.network import Network

ways = st.sampled_from(WAYS)
NAMES = ("coef", "w_base", "w_spline")


def gradients(layer, x, dy, d_edges=None):
    """(dx, d_coef, d_w_base, d_w_spline) by the package."""
    _, cache = edges.layer_forward(layer, x)
    dx, grads = edges.layer_backward(layer, cache, dy, d_edges)
    return dx, grads.coef, grads.w_base, grads.w_spline


def upstream(rng, layer, x):
    """dy (batch, n_out) and d_edges (batch, n_out, n_in): random on every axis."""
    return rng.normal(size=(len(x), layer.n_out)), rng.normal(
        size=(len(x), layer.n_out, layer.n_in)
    )


# --- number by number


@given(layer_cases(), ways, st.booleans())
def test_backward_computes_every_gradient_of_the_definition(case, way, with_edges):
    layer, x, rng = case
    dy, d_edges = upstream(rng, layer, x)
    d_edges = d_edges if with_edges else None

    with contraction_by(way):
        by_package = gradients(layer, x, dy, d_edges)

    sizes = layer_backward(layer, x, dy, d_edges, of=abs)
    for ours, theirs, size in zip(
        by_package, layer_backward(layer, x, dy, d_edges), sizes, strict=True
    ):
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
    terms = np.concatenate(
        [(a * b).ravel() for a, b in zip(pulled, (dx_direction, *directions), strict=True)]
    )
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
    layer = Layer(
        uniform_knots(1.0, 3.0, 2, 1), [[[1.0, 4.0, 2.0]]], [[0.0]], [[1.0]], [[1.0]], 1, "zero"
    )

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
        watched = [
            layer.coef,
            layer.w_base,
            layer.w_spline,
            layer.mask,
            dy,
            d_edges,
            cache.base,
            cache.base_slope,
        ]
        watched += [*cache.bases.active.planes, cache.bases.places]
        watched += [] if cache.bases.dense is None else [cache.bases.dense]
        before = [array.copy() for array in watched]
        first = edges.layer_backward(layer, cache, dy, d_edges)
        second = edges.layer_backward(layer, cache, dy, d_edges)

    for array, copy in zip(watched, before, strict=True):
        np.testing.assert_array_equal(array, copy)
    np.testing.assert_array_equal(first[0], second[0])
    np.testing.assert_array_equal(first[1].coef, second[1].coef)
