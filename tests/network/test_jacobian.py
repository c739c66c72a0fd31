"""The Jacobian of all predictions by all parameters, against loops, against backward, and against differences."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from networks import (
    WAYS,
    clear_samples,
    contraction_by,
    network_cases,
    random_batch,
    random_layer,
    random_network,
    seeds,
)
from oracles_training import prediction_rows

import kan_ref as kr
from kan_ref.network.jacobian import prediction_jacobian
from kan_ref.network.network import Network
from kan_ref.numerics.differences import central_difference
from kan_ref.numerics.row_sparse import dense_form, multiply, multiply_transposed

ways = st.sampled_from(WAYS)
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
    """Three layers, two outputs, dead edges, splines of weight 0, samples inside the grids, in the fade and outside."""
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


@given(seeds, st.sampled_from([0, 1]))
def test_so_it_is_for_splines_with_jumps_and_kinks_away_from_them(seed, degree):
    network, x, rng = example(seed, degrees=(degree,), n_samples=20)
    x = clear_samples(network, x)
    direction = rng.normal(size=network.n_params)

    changes = central_difference(
        lambda t: network.with_theta(network.theta + t * direction)(x), 1e-7
    ).reshape(-1)

    rows = jacobian(network, x)
    scale = np.abs(dense_form(rows)) @ np.abs(direction)
    assert (
        np.abs(multiply(rows, direction) - changes)
        <= 1e-7 * (scale + 10.0 * np.abs(network(x)).reshape(-1)).max()
    ).all()


def test_each_sample_has_its_own_rows():
    network, x, _ = example(0)

    together = dense_form(jacobian(network, x))
    alone = np.concatenate([dense_form(jacobian(network, x[b : b + 1])) for b in range(len(x))])

    np.testing.assert_allclose(together, alone, rtol=0, atol=1e-11 * np.abs(together).max())


def test_a_parameter_of_the_last_layer_moves_its_own_output_alone():
    network, x, _ = example(1, dead=0.0, silent=0.0)
    last = network.layers[-1]

    rows = dense_form(jacobian(network, x)).reshape(len(x), 2, -1)
    of_coef = rows[:, :, network.n_params - last.coef.size - 2 * last.w_base.size :][
        :, :, : last.coef.size
    ]
    by_edge = of_coef.reshape(len(x), 2, *last.coef.shape)

    assert not by_edge[:, 0, 1].any()
    assert not by_edge[:, 1, 0].any()
    assert by_edge[:, 0, 0].any()
    assert by_edge[:, 1, 1].any()


def test_dead_edges_have_columns_of_exactly_zero():
    network, x, _ = example(2, dead=0.0, silent=0.0)
    for number, layer in enumerate(network.layers):
        mask = np.ones((layer.n_out, layer.n_in))
        mask[0, 1] = mask[-1, 0] = 0.0
        network = kr.mask_edges(network, number, mask)

    columns = dense_form(jacobian(network, x))

    for sample_row in columns:
        for layer in network.with_theta(sample_row).layers:
            dead = layer.mask == 0
            assert not layer.coef[dead].any()
            assert not layer.w_base[dead].any()
            assert not layer.w_spline[dead].any()
    assert columns.any(axis=1).all()


def test_a_spline_of_weight_zero_moves_by_its_weight_and_not_by_its_coefficients():
    rng = np.random.default_rng(3)
    layer = random_layer(rng, 2, 2, degree=3, n_intervals=4, kind="uniform", dead=0.0, silent=1.0)
    network = Network((layer,))
    x = rng.uniform(layer.breakpoints[:, 0], layer.breakpoints[:, -1], (5, 2))

    for row in dense_form(jacobian(network, x)):
        moved = network.with_theta(row).layers[0]
        assert not moved.coef.any()
        assert np.count_nonzero(moved.w_spline) == 2


def test_outside_the_knot_row_only_the_base_weights_move_a_prediction():
    rng = np.random.default_rng(4)
    network = Network(
        (
            random_layer(
                rng, 2, 1, degree=3, n_intervals=4, kind="uneven", base="silu", dead=0.0, silent=0.0
            ),
        )
    )
    x = np.array([[50.0, -50.0]])

    moved = network.with_theta(dense_form(jacobian(network, x))[0]).layers[0]

    assert not moved.coef.any()
    assert not moved.w_spline.any()
    np.testing.assert_allclose(moved.w_base, [[50.0, 0.0]], atol=1e-15)


@pytest.mark.parametrize("n_intervals", [3, 30, 300])
def test_the_number_of_entries_of_a_row_does_not_grow_with_the_grid(n_intervals):
    rng = np.random.default_rng(5)
    first = random_layer(rng, 2, 4, degree=3, n_intervals=n_intervals)
    last = random_layer(rng, 4, 3, degree=2, n_intervals=n_intervals)

    rows = jacobian(Network((first, last)), rng.uniform(-1, 1, (7, 2)))

    assert rows.values.shape == (7 * 3, 2 * 4 * (3 + 3) + 4 * (2 + 3))
