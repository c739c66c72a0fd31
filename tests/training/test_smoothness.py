"""The smoothness penalty: squared jumps of the k-th derivative, what it costs nothing for, and its derivatives."""

import math
from itertools import pairwise

import numpy as np
import pytest
from cases import for_all
from hypothesis import given
from hypothesis import strategies as st
from networks import network_cases, random_layer, random_network, seeds
from oracles_training import scaled_jumps, smoothness

import kan_ref as kr
from kan_ref.bspline.bases import jump_weights
from kan_ref.network.layer import Layer
from kan_ref.network.network import Network
from kan_ref.numerics.differences import central_difference
from kan_ref.numerics.row_sparse import dense_form, multiply_transposed
from kan_ref.training.penalties import Smoothness

DISTINCT = ("uniform", "uneven", "clamped")  # rows without repeated inner breakpoints
degrees = st.integers(0, 5)


def value(network):
    return Smoothness.of(network, 1.0).value_and_grad(network)[0]


def gradient(network):
    return Smoothness.of(network, 1.0).value_and_grad(network)[1]


def residuals(network):
    return Smoothness.of(network, 1.0).residuals(network)


def jacobian(network, scale=1.0):
    """The dense matrix of all blocks, (n_residuals, n_params)."""
    blocks = Smoothness.of(network, scale**2).jacobian(network)
    return dense_form(blocks) if blocks else np.zeros((0, network.n_params))


def one_edge(row, degree, coef, *, w_spline=1.0):
    one = np.ones((1, 1))
    return Network(
        (Layer(row[None], np.asarray(coef)[None, None], 0.0 * one, w_spline * one, one, degree),)
    )


def curve_through(f, row, degree):
    """Coefficients on a row of a function that lies in its space, by least squares on points of every piece."""
    grid = row[degree : len(row) - degree]
    points = np.concatenate([np.linspace(low, high, 9)[:-1] for low, high in pairwise(grid)])
    return np.linalg.lstsq(kr.bspline.basis(points[:, None], row[None], degree)[:, 0], f(points))[0]


# --- the value


@given(seeds, degrees, st.integers(1, 6), st.sampled_from(DISTINCT))
def test_the_penalty_is_the_sum_of_the_squared_jumps_of_the_highest_derivative(
    seed, degree, n_intervals, kind
):
    rng = np.random.default_rng(seed)
    network = Network((random_layer(rng, 2, 2, degree=degree, n_intervals=n_intervals, kind=kind),))
    expected = smoothness(network)

    # each jump is a difference of numbers as large as the weights allow
    size = max(
        np.abs(jump_weights(layer.knots, degree)).sum(axis=2).max(initial=0.0)
        for layer in network.layers
    )
    assert abs(value(network) - expected) <= 1e-12 * (expected + size**2)


@given(seeds, degrees, st.integers(2, 12))
def test_on_even_rows_a_jump_is_a_difference_of_order_k_plus_1_of_neighbouring_coefficients(
    seed, degree, n_intervals
):
    layer = random_layer(
        np.random.default_rng(seed), 2, 3, degree=degree, n_intervals=n_intervals, kind="uniform"
    )
    differences = np.diff(
        (layer.w_spline * layer.mask)[:, :, None] * layer.coef, n=degree + 1, axis=2
    )

    np.testing.assert_allclose(
        residuals(Network((layer,))), differences.ravel(), rtol=0, atol=1e-11 * 2**degree
    )
    assert value(Network((layer,))) == pytest.approx(np.sum(differences**2), rel=1e-11)


@for_all("degree", range(8))
def test_the_weights_of_an_even_row_are_binomials_with_changing_signs(degree):
    weights = jump_weights(kr.uniform_knots(0.0, 8.0, 8, degree), degree)
    binomials = [(-1) ** (degree + 1 - q) * math.comb(degree + 1, q) for q in range(degree + 2)]

    assert weights.shape == (1, 7, degree + 2)
    np.testing.assert_allclose(weights, np.broadcast_to(binomials, weights.shape), rtol=1e-13)


@pytest.mark.parametrize("degree", [1, 2, 3, 5])
def test_a_jump_by_itself_is_the_exact_one_on_an_uneven_row(degree):
    rng = np.random.default_rng(degree)
    layer = random_layer(
        rng, 1, 1, degree=degree, n_intervals=5, kind="uneven", dead=0.0, silent=0.0
    )
    exact = [
        float(layer.w_spline[0, 0]) * float(jump)
        for jump in scaled_jumps(layer.knots[0], degree, layer.coef[0, 0])
    ]

    np.testing.assert_allclose(residuals(Network((layer,))), exact, rtol=1e-11)


def test_the_penalty_of_a_network_is_that_of_its_layers():
    rng = np.random.default_rng(3)
    first = random_layer(rng, 2, 3, degree=2, n_intervals=4, kind="uneven", dead=0.0, silent=0.0)
    second = random_layer(rng, 3, 2, degree=3, n_intervals=5, kind="uneven", dead=0.0, silent=0.0)

    apart = value(Network((first,))), value(Network((second,)))

    assert min(apart) > 0
    assert value(Network((first, second))) == pytest.approx(sum(apart), rel=1e-14)


# --- what costs nothing


@for_all("kind", DISTINCT)
@for_all("degree", range(6))
def test_polynomials_of_the_degree_cost_nothing(degree, kind):
    rng = np.random.default_rng(degree)
    row = random_layer(rng, 1, 1, degree=degree, n_intervals=6, kind=kind).knots[0]
    coef = curve_through(np.polynomial.Polynomial(rng.normal(size=degree + 1)), row, degree)

    network = one_edge(row, degree, coef)

    size = np.abs(jump_weights(row[None], degree)).sum(axis=2).max() * np.abs(coef).max()
    assert np.abs(residuals(network)).max() <= 1e-12 * size


@pytest.mark.parametrize("degree", range(6))
def test_a_spline_that_is_no_polynomial_costs_the_square_of_its_one_jump(degree):
    """(x - t)_+^k has the k-th derivative k! beyond t and 0 before; h = 1/2, so the jump counts k! / 2^k."""
    row = kr.uniform_knots(-1.0, 1.0, 4, degree)[0]
    coef = curve_through(lambda x: np.where(x >= 0.0, x**degree, 0.0), row, degree)

    assert value(one_edge(row, degree, coef)) == pytest.approx(
        (math.factorial(degree) / 2**degree) ** 2, rel=1e-9
    )


def test_one_interval_has_no_inner_breakpoint_and_costs_nothing():
    rng = np.random.default_rng(0)
    network = Network(
        (
            random_layer(rng, 2, 3, degree=3, n_intervals=1),
            random_layer(rng, 3, 1, degree=0, n_intervals=1),
        )
    )

    assert value(network) == 0.0
    assert residuals(network).shape == (0,)
    assert not gradient(network).any()
    assert gradient(network).shape == (network.n_params,)
    assert Smoothness.of(network, 1.0).jacobian(network) == []


def test_dead_edges_count_nothing_whatever_they_hold():
    rng = np.random.default_rng(1)
    layer = random_layer(rng, 3, 2, degree=3, n_intervals=5, dead=0.0, silent=0.0)
    mask = np.array([[1.0, 0.0, 1.0], [0.0, 1.0, 0.0]])
    wild = np.where(mask[:, :, None] == 0, 1e6, layer.coef)
    plain, filled = (
        Network((Layer(layer.knots, coef, layer.w_base, layer.w_spline, mask, 3),))
        for coef in (layer.coef, wild)
    )

    assert value(filled) == value(plain) > 0
    assert value(plain) < value(Network((layer,)))
    grads = Network((layer,)).with_theta(gradient(filled)).layers[0]
    assert not grads.coef[mask == 0].any()
    assert not grads.w_spline[mask == 0].any()


def test_base_weights_have_no_part_in_it():
    network = random_network(np.random.default_rng(2), widths=(2, 2, 1), degrees=[3], dead=0.0)
    louder = network.with_theta(
        np.concatenate(
            [
                np.ravel(part)
                for layer in network.layers
                for part in (layer.coef, layer.w_base + 5.0, layer.w_spline)
            ]
        )
    )

    assert value(louder) == value(network)
    assert not any(layer.w_base.any() for layer in network.with_theta(gradient(network)).layers)


# --- how it scales


@given(seeds, degrees, st.sampled_from(DISTINCT), st.sampled_from([2.0**-20, 0.25, 2.0**20]))
def test_stretching_the_axis_changes_nothing(seed, degree, kind, factor):
    layer = random_layer(np.random.default_rng(seed), 2, 2, degree=degree, n_intervals=4, kind=kind)
    stretched = Layer(
        factor * layer.knots,
        layer.coef,
        layer.w_base,
        layer.w_spline,
        layer.mask,
        degree,
        layer.base,
    )

    np.testing.assert_array_equal(residuals(Network((stretched,))), residuals(Network((layer,))))


@given(network_cases(degrees=range(6)))
def test_it_grows_with_the_square_of_w_spline(case):
    network, _, _ = case
    doubled = network.with_theta(
        np.concatenate(
            [
                np.ravel(part)
                for layer in network.layers
                for part in (layer.coef, layer.w_base, 2.0 * layer.w_spline)
            ]
        )
    )

    assert value(doubled) == 4.0 * value(network)


# --- derivatives


@given(network_cases(degrees=range(6)))
def test_the_squares_of_the_residuals_sum_to_the_value(case):
    network, _, _ = case
    jumps = residuals(network)

    assert jumps @ jumps == pytest.approx(value(network), rel=1e-13)


@given(network_cases(degrees=range(6)))
def test_the_gradient_is_twice_the_transposed_jacobian_times_the_residuals(case):
    network, _, _ = case
    jumps, rows = residuals(network), jacobian(network)

    expected = 2.0 * rows.T @ jumps
    scale = 2.0 * np.abs(rows.T) @ np.abs(jumps)
    np.testing.assert_array_less(np.abs(gradient(network) - expected), 1e-13 * scale + 1e-300)


@given(network_cases(degrees=range(6)))
def test_the_gradient_is_the_derivative_along_any_direction(case):
    network, _, rng = case
    direction = rng.normal(size=network.n_params)

    slope = central_difference(
        lambda t: value(network.with_theta(network.theta + t * direction)), 1e-5
    )

    terms = gradient(network) * direction
    size = (
        np.abs(terms).sum() + value(network) + value(network.with_theta(network.theta + direction))
    )
    assert abs(terms.sum() - slope) <= 1e-7 * size


@given(network_cases(degrees=range(6)))
def test_the_jacobian_is_the_derivative_of_the_residuals_along_any_direction(case):
    """A jump is bilinear in coef and w_spline: a central difference has no error of truncation, however wide."""
    network, _, rng = case
    direction = rng.normal(size=network.n_params)

    slopes = central_difference(
        lambda t: residuals(network.with_theta(network.theta + t * direction)), 1.0
    )

    rows = jacobian(network)
    scale = np.abs(rows) @ np.abs(direction) + np.abs(slopes)
    np.testing.assert_array_less(np.abs(rows @ direction - slopes), 1e-12 * scale + 1e-12)


def test_the_jacobian_is_scaled():
    network = random_network(np.random.default_rng(4), widths=(2, 3, 1), degrees=[2], kind="uneven")

    np.testing.assert_allclose(jacobian(network, 0.3), 0.3 * jacobian(network), rtol=1e-15)


def test_residuals_run_through_breakpoints_then_inputs_then_outputs_then_layers():
    rng = np.random.default_rng(5)
    first = random_layer(rng, 2, 3, degree=2, n_intervals=4, kind="uniform", dead=0.0, silent=0.0)
    silent = Layer(
        first.knots, np.zeros_like(first.coef), first.w_base, first.w_spline, first.mask, 2
    )
    last = random_layer(rng, 3, 1, degree=1, n_intervals=3, kind="uniform", dead=0.0, silent=0.0)
    coef = np.zeros_like(first.coef)
    coef[2, 1, 0] = (
        1.0  # the first basis of output 2, input 1 reaches the first jump alone, with one weight of (-1, 3, -3, 1)
    )
    marked = Layer(first.knots, coef, first.w_base, first.w_spline, first.mask, 2)

    changed = residuals(Network((marked, last))) - residuals(Network((silent, last)))

    assert changed.shape == (3 * 2 * 3 + 1 * 3 * 2,)
    assert np.flatnonzero(changed).tolist() == [(2 * 2 + 1) * 3]


# --- rows that are hard


@given(seeds, st.integers(0, 5), st.integers(2, 6))
def test_repeated_breakpoints_leave_every_number_finite(seed, degree, n_intervals):
    layer = random_layer(
        np.random.default_rng(seed), 2, 2, degree=degree, n_intervals=n_intervals, kind="repeated"
    )
    network = Network((layer,))

    assert np.isfinite(value(network))
    assert np.isfinite(gradient(network)).all()
    assert np.isfinite(residuals(network)).all()
    assert np.isfinite(jacobian(network)).all()


def test_a_doubled_breakpoint_costs_what_the_curve_jumps_at_the_simple_ones():
    """At degree 1 a curve on a row with a doubled breakpoint may jump there; elsewhere its kinks count as ever."""
    row = np.array([-0.25, 0.0, 0.25, 0.5, 0.5, 1.0, 1.25])
    kink = one_edge(row, 1, [0.0, 1.0, 0.0, 0.0, 0.0])

    assert residuals(kink)[0] == pytest.approx(0.25 * (-4.0 - 4.0), rel=1e-14)


def test_preparation_does_not_depend_on_the_parameters():
    network = random_network(np.random.default_rng(6), widths=(2, 2, 1), degrees=[3], kind="uneven")
    other = network.with_theta(np.random.default_rng(7).normal(size=network.n_params))

    prepared = Smoothness.of(network, 1.0)

    assert prepared.value_and_grad(other)[0] == value(other)
    half_gradient = multiply_transposed(prepared.jacobian(other), residuals(other))
    np.testing.assert_allclose(
        half_gradient, gradient(other) / 2, rtol=1e-12, atol=1e-12 * np.abs(half_gradient).max()
    )
