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


@given(layer_cases())
def test_dense_and_gathered_gradients_agree_to_rounding(case):
    layer, x, rng = case
    dy, d_edges = upstream(rng, layer, x)

    found = []
    for way in WAYS:
        with contraction_by(way):
            found.append(gradients(layer, x, dy, d_edges))

    sizes = layer_backward(layer, x, dy, d_edges, of=abs)
    for dense, gathered, size in zip(*found, sizes, strict=True):
        np.testing.assert_allclose(dense, gathered, rtol=0, atol=1e-14 * size.max())


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


@for_all("way", WAYS)
@for_all("argument", ["x", *NAMES])
def test_every_single_derivative_agrees_with_its_own_difference(argument, way):
    """One number at a time, so that no error hides in a sum."""
    rng = np.random.default_rng(0)
    layer = random_layer(rng, 2, 3, degree=3, n_intervals=4, kind="uneven", base="silu", dead=0.3)
    x = random_batch(rng, layer, 4)
    dy, d_edges = upstream(rng, layer, x)
    still = tuple(np.zeros(getattr(layer, name).shape) for name in NAMES)

    def scalar(moved, at):
        y, cache = edges.layer_forward(moved, at)
        return np.vdot(dy, y) + np.vdot(d_edges, edges.layer_edge_outputs(moved, cache))

    with contraction_by(way):
        pulled = dict(zip(("x", *NAMES), gradients(layer, x, dy, d_edges), strict=True))[argument]
        differences = np.zeros(pulled.shape)
        for index in np.ndindex(pulled.shape):
            unit = np.zeros(pulled.shape)
            unit[index] = 1.0
            sides = []
            for h in (1e-6, -1e-6):
                if argument == "x":
                    sides.append(scalar(layer, x + h * unit))
                else:
                    directions = tuple(
                        unit if name == argument else zero
                        for name, zero in zip(NAMES, still, strict=True)
                    )
                    sides.append(scalar(perturbed(layer, h, directions), x))
            differences[index] = (sides[0] - sides[1]) / 2e-6

    np.testing.assert_allclose(
        pulled, differences, rtol=0, atol=1e-7 * max(1.0, np.abs(pulled).max()) / 10
    )


# --- laws


@given(layer_cases(), ways)
def test_a_gradient_on_every_edge_alike_is_a_gradient_on_the_output(case, way):
    layer, x, rng = case
    dy, _ = upstream(rng, layer, x)
    alike = np.repeat(dy[:, :, None], layer.n_in, axis=2)

    with contraction_by(way):
        pairs = zip(gradients(layer, x, dy), gradients(layer, x, 0.0 * dy, alike), strict=True)
        sizes = layer_backward(layer, x, dy, of=abs)
        for (through_output, through_edges), size in zip(pairs, sizes, strict=True):
            np.testing.assert_allclose(
                through_output, through_edges, rtol=0, atol=1e-14 * size.max()
            )


@given(layer_cases(), ways)
def test_backward_is_linear_in_the_upstream_gradients(case, way):
    layer, x, rng = case
    one, other = upstream(rng, layer, x), upstream(rng, layer, x)

    with contraction_by(way):
        apart = [gradients(layer, x, *up) for up in (one, other)]
        together = gradients(layer, x, one[0] - 2.0 * other[0], one[1] - 2.0 * other[1])

    sizes = [layer_backward(layer, x, *up, of=abs) for up in (one, other)]
    for a, b, both, size_a, size_b in zip(*apart, together, *sizes, strict=True):
        np.testing.assert_allclose(
            both, a - 2.0 * b, rtol=0, atol=2e-14 * (size_a.max() + 2.0 * size_b.max())
        )


@given(layer_cases(), ways)
def test_parameter_gradients_are_sums_over_the_samples_and_dx_is_each_sample_s_own(case, way):
    layer, x, rng = case
    dy, d_edges = upstream(rng, layer, x)

    with contraction_by(way):
        dx, *of_batch = gradients(layer, x, dy, d_edges)
        alone = [
            gradients(layer, x[b : b + 1], dy[b : b + 1], d_edges[b : b + 1]) for b in range(len(x))
        ]

    sizes = layer_backward(layer, x, dy, d_edges, of=abs)
    np.testing.assert_allclose(
        dx, np.concatenate([parts[0] for parts in alone]), rtol=0, atol=1e-14 * sizes[0].max()
    )
    for n, whole in enumerate(of_batch, start=1):
        np.testing.assert_allclose(
            whole, sum(parts[n] for parts in alone), rtol=0, atol=1e-14 * sizes[n].max()
        )


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


@pytest.mark.parametrize("way", WAYS)
def test_an_empty_batch_has_no_dx_and_zero_gradients(way):
    layer = random_layer(np.random.default_rng(2), 2, 3, degree=3, n_intervals=4)

    with contraction_by(way):
        for d_edges in (None, np.zeros((0, 3, 2))):
            dx, *of_parameters = gradients(layer, np.zeros((0, 2)), np.zeros((0, 3)), d_edges)

            assert dx.shape == (0, 2)
            for name, gradient in zip(NAMES, of_parameters, strict=True):
                assert gradient.dtype == np.float64
                np.testing.assert_array_equal(gradient, np.zeros(getattr(layer, name).shape))


@pytest.mark.parametrize("way", WAYS)
def test_far_outside_the_gradient_is_that_of_the_base(way):
    layer = random_layer(
        np.random.default_rng(3), 2, 3, degree=3, n_intervals=4, base="silu", dead=0.0
    )
    dy = np.random.default_rng(4).normal(size=(2, 3))

    with contraction_by(way):
        dx, d_coef, d_w_base, d_w_spline = gradients(
            layer, np.array([[1e300, 1e300], [-1e300, -1e300]]), dy
        )

    np.testing.assert_allclose(
        dx, [dy[0] @ layer.w_base, [0.0, 0.0]], rtol=1e-14
    )  # silu' is 1 on the right, 0 on the left
    np.testing.assert_allclose(d_w_base, np.repeat(dy[0][:, None] * 1e300, 2, axis=1), rtol=1e-14)
    assert not d_coef.any()
    assert not d_w_spline.any()


def test_at_a_kink_the_slope_is_the_one_to_the_right_and_at_the_end_of_the_row_to_the_left():
    """Degree 1, knots 0 1 2 3 4: hats of height 1, 4, 2 at 1, 2, 3, with slopes 1, 3, -2, -2 between the knots."""
    layer = Layer(
        uniform_knots(1.0, 3.0, 2, 1), [[[1.0, 4.0, 2.0]]], [[0.0]], [[1.0]], [[1.0]], 1, "zero"
    )

    dx, *_ = gradients(layer, np.arange(5.0)[:, None], np.ones((5, 1)))

    np.testing.assert_array_equal(dx[:, 0], [1.0, 3.0, -2.0, -2.0, -2.0])


# --- what comes back


def test_gradients_live_in_the_space_of_their_parameters():
    rng = np.random.default_rng(5)
    layer = random_layer(rng, 2, 3, degree=3, n_intervals=4)
    x = random_batch(rng, layer, 6)
    _, cache = edges.layer_forward(layer, x)

    _, grads = edges.layer_backward(layer, cache, rng.normal(size=(6, 3)))

    assert grads.affine.shape == layer.affine.shape
    assert {name: getattr(grads, name).shape for name in NAMES} == {
        name: getattr(layer, name).shape for name in NAMES
    }


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
