"""Which changes of the parameters keep the function, and under which conditions."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import kan_ref as kr
from kan_ref.numerics import dense_form

SEEDS = st.integers(0, 999)
POWERS = st.sampled_from([2.0**power for power in range(-8, 9) if power])  # exact in rounding


def drawn(seed, base):
    rng = np.random.default_rng(seed)
    net = kr.init_network(
        (2, 3, 2), n_intervals=4, degree=3, domain=(-1.0, 1.0), base=base, rng=rng
    )
    return net, rng.uniform(-1.5, 1.5, (50, 2))


def in_units(network, s):
    """The network with hidden nodes multiplied by `s`, and the edges above them adapted to it."""
    below, above = network.layers
    below = replace(below, w_base=below.w_base * s, w_spline=below.w_spline * s)
    above = replace(above, w_base=above.w_base / s, knots=above.knots * s)
    return kr.Network((below, above))


@given(SEEDS, POWERS, st.sampled_from(["zero", "identity"]))
def test_the_unit_of_a_hidden_node_is_free_where_edges_are_splines_and_multiples_of_x(
    seed, s, base
):
    net, x = drawn(seed, base)
    moved = in_units(net, s)

    assert kr.distance(net, moved, x).max < 1e-12
    for one, other, factor in zip(
        kr.edge_scores(net, x), kr.edge_scores(moved, x), (s, 1.0), strict=True
    ):
        np.testing.assert_allclose(other, factor * one, rtol=1e-10, atol=1e-300)


@given(SEEDS, POWERS)
def test_with_silu_the_unit_of_a_hidden_node_is_not_free(seed, s):
    net, x = drawn(seed, "silu")

    assert kr.distance(net, in_units(net, s), x).max > 1e-4 * net(x).std()


@given(SEEDS, POWERS, st.sampled_from(["zero", "identity", "silu"]))
def test_the_split_of_spline_weight_and_coefficients_is_free_with_every_base_function(
    seed, s, base
):
    net, x = drawn(seed, base)
    split = kr.Network(
        tuple(replace(one, coef=one.coef / s, w_spline=one.w_spline * s) for one in net.layers)
    )

    assert kr.distance(net, split, x).max == pytest.approx(0.0, abs=1e-13)


@given(SEEDS, POWERS, st.sampled_from([0.0, 64.0, -512.0]), st.sampled_from(["zero", "silu"]))
def test_inputs_may_have_any_unit_without_a_base_function_and_not_with_silu(seed, s, shift, base):
    net, x = drawn(seed, base)
    first, second = net.layers
    moved = kr.Network((replace(first, knots=first.knots * s + shift), second))
    change = abs(moved(x * s + shift) - net(x)).max()

    assert change < 1e-9 if base == "zero" else change > 1e-5 * net(x).std()


@given(SEEDS, st.integers(1, 8))
def test_far_below_its_grid_an_edge_with_silu_is_flat_and_far_above_it_has_the_slope_w_base(
    seed, n
):
    net = kr.init_network(
        (1, 1), n_intervals=n, degree=3, domain=(-1.0, 1.0), rng=np.random.default_rng(seed)
    )
    low, high = kr.input_jacobian(net, [[-40.0], [40.0]])[:, 0, 0]

    assert abs(low) < 1e-14
    assert high == pytest.approx(net.layers[0].w_base[0, 0], rel=1e-12)


@given(SEEDS, st.sampled_from([0.01, 100.0]))
def test_the_split_leaves_gauss_newton_steps_alone_to_first_order_but_not_damped_ones(seed, s):
    net, x = drawn(seed, "silu")
    split = kr.Network(
        tuple(replace(one, coef=one.coef / s, w_spline=one.w_spline * s) for one in net.layers)
    )
    residuals = net(x).reshape(-1) - 1.0
    changes = []
    for one in (net, split):
        jacobian = dense_form(one.jacobian(kr.forward(one, x)[1]))
        gram = jacobian.T @ jacobian + 1e-2 * np.eye(one.n_params)
        undamped = jacobian @ np.linalg.lstsq(jacobian, -residuals, rcond=1e-10)[0]
        damped = jacobian @ np.linalg.solve(gram, -jacobian.T @ residuals)
        changes.append((undamped, damped))
    (undamped, damped), (undamped_split, damped_split) = changes
    size = np.linalg.norm(undamped)

    assert np.linalg.norm(undamped - undamped_split) < 1e-6 * size
    assert np.linalg.norm(damped - damped_split) > 1e-4 * size
