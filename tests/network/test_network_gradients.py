"""The backward pass of a network and its Jacobian: by hand, by differences in hundreds of networks, and sample by sample.

The Jacobian of all predictions with respect to all parameters agrees with loops, with backward and with differences.
"""

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
    network_cases,
    random_batch,
    random_layer,
    random_network,
    seeds,
)
from oracles_layer import network_backward
from oracles_training import prediction_rows

import kan_ref as kr
from kan_ref.network.jacobian import prediction_jacobian
from kan_ref.network.network import Network
from kan_ref.numerics.differences import central_difference
from kan_ref.numerics.row_sparse import dense_form, multiply, multiply_transposed

ways = st.sampled_from(WAYS)


def case_for(degrees, seed):
    """A random network, 12 samples inside and outside that stay clear of every knot on all layers, and the generator."""
    rng = np.random.default_rng(seed)
    while True:
        network = random_network(rng, degrees=degrees)
        x = clear_samples(network, random_batch(rng, network.layers[0], 30))[:12]
        if len(x) >= 4:
            return network, x, rng


def gradient(network, x, dy):
    _, caches = kr.forward(network, x)
    dx, grads = kr.backward(network, caches, dy)
    return dx, grads.theta


@given(network_cases(degrees=[2, 3, 4], n_samples=st.integers(1, 3)), ways)
def test_backward_computes_what_the_chain_rule_says_number_by_number(case, way):
    network, x, rng = case
    dy = rng.normal(size=(len(x), network.widths[-1]))

    with contraction_by(way):
        by_package = gradient(network, x, dy)

    for ours, theirs in zip(by_package, network_backward(network, x, dy), strict=True):
        np.testing.assert_allclose(
            ours, theirs, rtol=0, atol=1e-10 * max(1.0, np.abs(theirs).max())
        )


@for_all("way", WAYS)
@for_all("degrees", [[0], [1], [2], [3], [4], [5], [6], [7], [0, 2, 6]], ids=str)
def test_backward_is_the_transpose_of_the_derivative_with_a_difference_of_fourth_order(
    degrees, way
):
    """Independent of the checker: x and theta move together; (8 d(h) - d(2h)) / 6 with d(h) = f(h) - f(-h)."""
    errors, h = [], 1e-5
    with contraction_by(way):
        for seed in draws(20):
            network, x, rng = case_for(degrees, [7, *degrees, seed])
            dy = rng.normal(size=(len(x), network.widths[-1]))
            x_direction, theta_direction = (
                0.1 * rng.normal(size=x.shape),
                0.1 * rng.normal(size=network.n_params),
            )

            values = [
                np.vdot(
                    dy, network.with_theta(network.theta + t * theta_direction)(x + t * x_direction)
                )
                for t in (h, -h, 2 * h, -2 * h)
            ]
            difference = (8.0 * (values[0] - values[1]) - (values[2] - values[3])) / (12.0 * h)

            dx, d_theta = gradient(network, x, dy)
            terms = np.concatenate([(dx * x_direction).ravel(), d_theta * theta_direction])
            errors.append(
                abs(difference - terms.sum()) / max(np.abs(terms).sum(), abs(difference), 1e-300)
            )

    assert max(errors) <= 1e-7


@pytest.mark.parametrize("way", WAYS)
def test_every_single_derivative_agrees_with_its_own_difference(way):
    """One number of theta and of x at a time: no error hides in a sum."""
    network, x, rng = case_for([3], 5)
    dy = rng.normal(size=(len(x), network.widths[-1]))

    with contraction_by(way):
        dx, d_theta = gradient(network, x, dy)
        steps = 1e-6 * np.eye(network.n_params)
        theta_sides = [
            [np.vdot(dy, network.with_theta(network.theta + s * step)(x)) for s in (1, -1)]
            for step in steps
        ]
        x_sides = []
        for index in np.ndindex(x.shape):
            step = np.zeros(x.shape)
            step[index] = 1e-6
            x_sides.append([np.vdot(dy, network(x + s * step)) for s in (1, -1)])

    size = max(1.0, np.abs(d_theta).max(), np.abs(dx).max())
    np.testing.assert_allclose(
        d_theta, -np.diff(theta_sides)[:, 0] / 2e-6, rtol=0, atol=1e-8 * size
    )
    np.testing.assert_allclose(dx.ravel(), -np.diff(x_sides)[:, 0] / 2e-6, rtol=0, atol=1e-8 * size)


# --- sample by sample


def test_the_jacobian_is_scaled_and_needs_no_slopes_of_the_first_layer():
    network, x, _ = case_for([3], 8)
    inputs = network.prepare(x)

    with_slopes = prediction_jacobian(network.layers, kr.forward(network, x)[1])
    without = prediction_jacobian(network.layers, network.run_flow(inputs)[1], scale=-0.5)

    np.testing.assert_array_equal(without.columns, with_slopes.columns)
    np.testing.assert_allclose(without.values, -0.5 * with_slopes.values, rtol=1e-15)


# --- what comes back


@given(network_cases(), ways)
def test_the_flat_backward_of_training_gives_the_same_bits(case, way):
    network, x, rng = case
    dy = rng.normal(size=(len(x), network.widths[-1]))

    with contraction_by(way):
        _, caches = network.run_flow(network.prepare(x))
        flat = network.run_backward(caches, dy)
        _, d_theta = gradient(network, x, dy)

    np.testing.assert_array_equal(flat, d_theta)


def test_caches_serve_several_backward_passes_and_any_kind_of_dy():
    network, x, rng = case_for([3], 11)
    _, caches = kr.forward(network, x)
    dy = np.sign(rng.normal(size=(len(x), network.widths[-1])))

    first = kr.backward(network, caches, dy)
    again = kr.backward(network, list(caches), dy.astype(int).tolist())

    np.testing.assert_array_equal(first[0], again[0])
    np.testing.assert_array_equal(first[1].theta, again[1].theta)


# --- the report


def wrong_by(dx_factor, factor):
    def backward(network, caches, dy):
        dx, grads = kr.backward(network, caches, dy)
        return dx_factor * dx, grads.with_theta(factor * grads.theta)

    return backward


def test_inputs_far_from_0_are_moved_by_steps_that_float64_has():
    rng = np.random.default_rng(24)
    far = (1e6 - 1.0, 1e6 + 1.0)
    network = kr.init_network((2, 3, 1), n_intervals=5, degree=3, domain=far, base="zero", rng=rng)
    x = 1e6 + rng.uniform(-1.0, 1.0, (9, 2))

    assert kr.check_gradients(network, x, rng=rng).worst < 1e-7
    with pytest.raises(ValueError, match="dx is wrong"):
        kr.check_gradients(network, x, rng=rng, backward=wrong_by(1.001, 1.0))


@pytest.mark.parametrize("degree", [0, 1, 2])
def test_samples_at_a_kink_are_left_out_and_counted(degree):
    rng = np.random.default_rng(19)
    network = kr.init_network((2, 3, 1), n_intervals=4, degree=degree, domain=(-1.0, 1.0), rng=rng)
    x = np.vstack([[[-1.0, 0.5], [0.3, 0.0], [0.5, 0.5]], rng.uniform(-0.9, -0.6, (4, 2))])

    assert kr.check_gradients(network, x, rng=rng).n_samples == 4


# --- the Jacobian


WIDTHS = (3, 4, 3, 2)  # three layers, several outputs


def jacobian(network, x):
    return prediction_jacobian(network.layers, kr.forward(network, x)[1])


def example(seed, *, widths=WIDTHS, degrees=(2, 3, 5), n_samples=6, **options):
    rng = np.random.default_rng(seed)
    network = random_network(rng, widths=widths, degrees=degrees, kind="uneven", **options)
    return network, random_batch(rng, network.layers[0], n_samples), rng


@given(network_cases(degrees=range(4), n_samples=st.integers(1, 2)))
def test_a_row_is_the_chain_rule_for_one_prediction_number_by_number(case):
    network, x, _ = case
    expected = prediction_rows(network, x)

    rows = dense_form(jacobian(network, x))

    assert rows.shape == expected.shape
    np.testing.assert_allclose(
        rows, expected, rtol=1e-9, atol=1e-11 * max(1.0, np.abs(expected).max())
    )


@given(network_cases(), ways)
def test_its_transpose_does_what_backward_does(case, way):
    """To rounding: the two sum the same products in different orders."""
    network, x, rng = case
    u = rng.normal(size=(len(x), network.widths[-1]))

    with contraction_by(way):
        _, caches = kr.forward(network, x)
        _, grads = kr.backward(network, caches, u)
        rows = prediction_jacobian(network.layers, caches)

    pulled = multiply_transposed(rows, u.reshape(-1))
    scale = np.abs(dense_form(rows)).T @ np.abs(u.reshape(-1))
    np.testing.assert_array_less(
        np.abs(pulled - grads.theta), 1e-12 * scale + 1e-12 * np.abs(grads.theta).max() + 1e-300
    )


@given(seeds, st.sampled_from([(2, 3), (3,), (4, 5), (7,)]))
def test_along_a_random_direction_it_is_the_difference_of_the_predictions(seed, degrees):
    """Three layers, two outputs, masked edges, splines of weight 0, samples inside the grids, in the margin and outside."""
    network, x, rng = example(seed, degrees=degrees)
    direction = rng.normal(size=network.n_params)

    # by Richardson's rule: curves on narrow intervals have large third derivatives
    fine, coarse = (
        central_difference(
            lambda t: network.with_theta(network.theta + t * direction)(x), step
        ).reshape(-1)
        for step in (1e-6, 2e-6)
    )
    changes = (4.0 * fine - coarse) / 3.0

    rows = jacobian(network, x)
    scale = np.abs(dense_form(rows)) @ np.abs(direction)
    assert (
        np.abs(multiply(rows, direction) - changes)
        <= 1e-7 * (scale + np.abs(network(x)).reshape(-1)).max()
    ).all()


@pytest.mark.parametrize("n_intervals", [3, 30, 300])
def test_the_number_of_entries_of_a_row_does_not_grow_with_the_grid(n_intervals):
    rng = np.random.default_rng(5)
    first = random_layer(rng, 2, 4, degree=3, n_intervals=n_intervals)
    last = random_layer(rng, 4, 3, degree=2, n_intervals=n_intervals)

    rows = jacobian(Network((first, last)), rng.uniform(-1, 1, (7, 2)))

    assert rows.values.shape == (7 * 3, 2 * 4 * (3 + 3) + 4 * (2 + 3))
