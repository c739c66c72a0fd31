"""Grids change, the function stays: exactly where the finer grid contains the old one, nearly elsewhere, and on hard data too.

Always judged by what the networks compute, never by their parameters. Which changes of the parameters keep the function, and under which
conditions, is tested too.
"""

import pickle
from dataclasses import replace

import numpy as np
import pytest
from cases import for_all
from hypothesis import given
from hypothesis import strategies as st
from networks import random_layer, seeds
from oracles_training import bits, covered_network

import kan_ref as kr
from kan_ref.network.network import Network
from kan_ref.network.refinement import place_hidden_grids, refine
from kan_ref.numerics import dense_form

SHAPES = [(2, 5, 1), (2, 3, 3, 1)]


def change(old, new, x):
    """Largest difference of the outputs, relative to the largest output."""
    return kr.distance(old, new, x).max / np.abs(old(x)).max()


def example(widths=(2, 5, 1), *, degree=3, n_intervals=5, seed=0, n_samples=200, **options):
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1, 1, (n_samples, widths[0]))
    return covered_network(rng, widths, degree=degree, n_intervals=n_intervals, x=x, **options), x


def smooth_example(degree, n_intervals, widths=(2, 3, 1)):
    return example(widths, degree=degree, n_intervals=n_intervals, smooth=True)


def all_fields(layer):
    """The fields of a layer, with those of its knot vectors instead of these."""
    return {**vars(layer), **vars(layer.rows), "rows": None}


@for_all("n_intervals", [5, 40])
@for_all("widths", SHAPES)
def test_layers_with_other_knots_have_the_fields_of_those_that_are_made_of_their_arrays(
    widths, n_intervals
):
    network, x = example(widths)

    finer = kr.extend_grid(network, n_intervals=n_intervals)
    for changed in (finer, kr.update_grid(finer, x), place_hidden_grids(finer, x)):
        for layer in changed.layers:
            anew = pickle.loads(pickle.dumps(layer))  # by the constructor
            assert all_fields(layer).keys() == all_fields(anew).keys()
            for name, value in all_fields(anew).items():
                np.testing.assert_equal(all_fields(layer)[name], value, err_msg=name)
            for array in (layer.knots, layer.breakpoints):
                assert not array.flags.writeable
    assert {layer.gathered for layer in finer.layers} == (
        {True} if n_intervals > 5 else {True, False}
    )


# --- extension to a multiple


@for_all("even", [True, False])
@for_all("widths", SHAPES)
@for_all("degree", range(6))
def test_extension_in_steps_to_a_thousand_intervals_keeps_the_function_to_rounding(
    degree, widths, even
):
    network, x = example(widths, degree=degree, even=even, seed=degree)

    finer = network
    for n_intervals in (10, 50, 1000):
        finer = kr.extend_grid(finer, n_intervals=n_intervals)
        assert change(network, finer, x) <= 1e-12

    assert [layer.n_intervals for layer in finer.layers] == [1000] * len(network.layers)
    assert np.std(network(x)) > 0.1


@given(
    seeds,
    st.integers(0, 5),
    st.sampled_from(["uniform", "uneven", "clamped", "repeated"]),
    st.integers(2, 7),
)
def test_a_layer_of_any_rows_keeps_its_function_everywhere(seed, degree, kind, factor):
    """With its outer knots kept on, beside and beyond the knot vector; with even ones on [a, b]."""
    rng = np.random.default_rng(seed)
    layer = random_layer(rng, 2, 2, degree=degree, n_intervals=3, kind=kind, dead=0.2, silent=0.2)
    network = Network((layer,))
    scale = np.abs(layer.coef).max() * np.abs(layer.w_spline).max()
    ends = layer.breakpoints[:, 0], layer.breakpoints[:, -1]
    width = ends[1] - ends[0]

    for outer, reach in (("kept", 2.0), ("even", 0.0)):
        x = rng.uniform(ends[0] - reach * width, ends[1] + reach * width, (100, 2))
        if outer == "kept":  # at the knots themselves too
            x = np.concatenate([x, layer.knots.T])
        finer = kr.extend_grid(network, n_intervals=3 * factor, outer=outer)
        np.testing.assert_allclose(finer(x), network(x), rtol=0, atol=1e-12 * scale + 1e-14)


# --- extension to a number that is not a multiple


@for_all("with_samples", [False, True])
@for_all(("degree", "bound"), [(1, 2e-2), (2, 1e-3), (3, 2e-5), (4, 3e-7), (5, 1e-8)])
def test_extension_to_no_multiple_keeps_smooth_functions_nearly(degree, bound, with_samples):
    network, x = smooth_example(degree, 10)

    assert (
        0
        < change(network, kr.extend_grid(network, x if with_samples else None, n_intervals=13), x)
        <= bound
    )


@pytest.mark.parametrize("degree", [1, 2, 3, 4])
def test_what_it_changes_falls_with_the_power_of_degree_plus_1(degree):
    changes = []
    for n_intervals in (8, 32):
        network, x = smooth_example(degree, n_intervals)
        changes.append(
            kr.distance(
                network, kr.extend_grid(network, n_intervals=n_intervals + n_intervals // 2 + 1), x
            ).rms
        )

    assert np.log(changes[0] / changes[1]) / np.log(4) >= degree


@pytest.mark.parametrize("degree", [1, 2, 3])
def test_a_region_without_samples_keeps_its_curves(degree):
    """Samples fill the left half alone. A fit to them that started from nothing would erase the right half."""
    network, x = smooth_example(degree, 10, widths=(2, 1))
    left, right = x[(x < -0.1).all(axis=1)], x[(x > 0.3).all(axis=1)]

    finer = kr.extend_grid(network, left, n_intervals=13)

    assert len(left) > 20
    assert len(right) > 20
    assert (
        kr.distance(network, finer, right).max
        <= 10.0 ** (-1 - degree) * np.abs(network(right)).max()
    )
    assert min(np.abs(layer.coef).min() for layer in finer.layers) > 0


# --- grids that move


FEATURES = {
    "constant": [[0.3, -0.2]],
    "two-valued": [[0.0, -1.0], [1.0, 1.0], [0.0, 1.0]],
    "three-valued": [[-1.0, 0.1], [0.0, 0.1], [1.0, 0.1]],
    "one of them constant": [[0.25, -0.5], [0.25, 0.5], [0.25, 0.75]],
}


@for_all("share", [0.0, 0.5, 1.0])
@for_all("margin", [0.0, 1.0])
@for_all("name", FEATURES)
def test_update_keeps_the_function_on_discrete_features(name, margin, share):
    """As many values as coefficients or fewer: what the curve was there, it stays, to rounding. No w_spline is 1."""
    network, _ = example()
    x = np.array(FEATURES[name])[np.random.default_rng(1).integers(len(FEATURES[name]), size=100)]

    updated = kr.update_grid(network, x, uniform_share=share, margin=margin)

    assert change(network, updated, x) <= 1e-12


@for_all("share", [0.0, 0.5, 1.0])
@for_all(("degree", "bound"), [(1, 5e-3), (2, 2e-4), (3, 3e-6), (5, 5e-10)])
def test_update_keeps_smooth_functions_nearly(degree, bound, share):
    network, x = smooth_example(degree, 10)
    half = 0.5 * x  # the old grid is twice as wide

    updated = kr.update_grid(network, half, uniform_share=share)

    assert 0 < kr.distance(network, updated, half).rms <= bound * np.abs(network(half)).max()


@pytest.mark.parametrize("widths", SHAPES)
def test_refinement_for_training_keeps_the_function_on_its_data(widths):
    network, x = smooth_example(3, 10, widths)

    assert change(network, refine(network, x, 20), x) <= 1e-5
    assert change(network, refine(network, x, 23), x) <= 1e-5


# --- what no operation touches

OPERATIONS = {
    "extend_grid": lambda network, x: kr.extend_grid(network, n_intervals=10),
    "extend_grid to no multiple": lambda network, x: kr.extend_grid(network, x, n_intervals=7),
    "update_grid": kr.update_grid,
    "update_grid by quantiles": lambda network, x: kr.update_grid(network, x, uniform_share=0.0),
    "refine": lambda network, x: refine(network, x, 7),
    "place_hidden_grids": place_hidden_grids,
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_the_old_network_and_the_samples_stay_bit_for_bit(name):
    network, x = example()
    before, samples, answer = bits(network), x.tobytes(), network(x)

    new = OPERATIONS[name](network, x)

    assert bits(network) == before
    assert x.tobytes() == samples
    np.testing.assert_array_equal(network(x), answer)
    assert not np.shares_memory(new.theta, network.theta)


@pytest.mark.parametrize("name", OPERATIONS)
def test_weights_and_masks_and_the_rest_are_carried_over(name):
    network, x = example(base="identity", degree=2)
    network = kr.mask_edges(network, 0, [[1, 0], [1, 1], [0, 1], [1, 1], [1, 1]])

    new = OPERATIONS[name](network, x)

    for old_layer, new_layer in zip(network.layers, new.layers, strict=True):
        np.testing.assert_array_equal(new_layer.w_base, old_layer.w_base)
        np.testing.assert_array_equal(new_layer.w_spline, old_layer.w_spline)
        np.testing.assert_array_equal(new_layer.mask, old_layer.mask)
        assert (new_layer.degree, new_layer.base) == (2, "identity")


# --- redundant parameters


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
        # columns of length 1: the same directions count as none, whatever the split
        lengths = np.linalg.norm(jacobian, axis=0)
        units = jacobian / np.where(lengths > 0.0, lengths, 1.0)
        undamped = units @ np.linalg.lstsq(units, -residuals, rcond=1e-8)[0]
        damped = jacobian @ np.linalg.solve(gram, -jacobian.T @ residuals)
        changes.append((undamped, damped))
    (undamped, damped), (undamped_split, damped_split) = changes
    size = np.linalg.norm(undamped)

    assert np.linalg.norm(undamped - undamped_split) < 1e-6 * size
    assert np.linalg.norm(damped - damped_split) > 1e-4 * size


def test_a_grid_is_only_made_finer():
    network, x = example()

    for call in (lambda n: kr.extend_grid(network, n_intervals=n), lambda n: refine(network, x, n)):
        assert call(5).n_intervals == 5
        with pytest.raises(ValueError, match="n_intervals is 4"):
            call(4)
