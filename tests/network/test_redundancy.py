"""Which changes of the parameters keep the function, and under which conditions."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import kan_ref as kr

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
