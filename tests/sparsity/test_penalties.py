"""Penalties on edges: the paper's numbers by hand, both kinds against loops, and gradients along random directions."""

import math

import numpy as np
import oracles_layer as oracle
import pytest
from cases import for_all
from hypothesis import given
from hypothesis import strategies as st
from networks import clear_samples, network_cases, random_batch, random_layer, random_network, seeds

import kan_ref as kr
from kan_ref.network import Layer, evaluate
from kan_ref.numerics import central_difference
from kan_ref.sparsity import (
    PENALTY_NAMES,
    Penalty,
    natural_entropy,
    penalized_backward,
    penalty_value,
)
from kan_ref.sparsity.penalties import _std, layer_penalty

kinds = pytest.mark.parametrize("kind", PENALTY_NAMES)


def linear_layer(weights, base="identity", coef=0.0, mask=None):
    """Edges phi_ji(x) = w_ji x + coef, on [-1, 1] with one interval of degree 1."""
    w = np.asarray(weights, dtype=float)
    knots, ones = np.tile([-3.0, -1.0, 1.0, 3.0], (w.shape[1], 1)), np.ones_like(w)
    return Layer(
        knots, np.full((*w.shape, 2), coef), w, ones, ones if mask is None else mask, 1, base
    )


def judged(kind, layer, x, l1_weight=1.0, entropy_weight=1.0):
    return layer_penalty(kind, layer, evaluate(layer, x), x, l1_weight, entropy_weight)


def total(network, x, penalty):
    flow, caches = network.run_flow(network.prepare(x))
    return penalty_value(network, x, caches, flow, penalty)


# Two edges into one output, phi_1(x) = 3 x and phi_2(x) = x; two samples (0.5, 0.25), (-0.5, 0.75):
#   phi_1 = 1.5, -1.5   score_1 = (1.5 + 1.5) / 2 = 1.5
#   phi_2 = 0.25, 0.75  score_2 = (0.25 + 0.75) / 2 = 0.5
#   |Phi|_1 = 2, p = (0.75, 0.25)
#   S = -(0.75 ln 0.75 + 0.25 ln 0.25) = 2 ln 2 - 0.75 ln 3 = 0.562335...
#   dR/d score_1 = mu_1 - mu_2 (ln 0.75 + S) / 2,  dR/d score_2 = mu_1 - mu_2 (ln 0.25 + S) / 2
#   dR/d phi_bi = sign(phi_bi) / 2 times that
HAND_X = np.array([[0.5, 0.25], [-0.5, 0.75]])
HAND_S = 2.0 * math.log(2.0) - 0.75 * math.log(3.0)


def test_the_hand_example_has_l1_two_and_the_entropy_of_three_quarters():
    part = judged("paper", linear_layer([[3.0, 1.0]]), HAND_X)

    assert part.l1 == 2.0
    assert part.entropy == pytest.approx(HAND_S, rel=1e-14)
    assert part.entropy == pytest.approx(0.5623351446188083, rel=1e-14)


def test_the_hand_example_pulls_at_every_edge_output_as_computed():
    part = judged("paper", linear_layer([[3.0, 1.0]]), HAND_X, l1_weight=5.0, entropy_weight=7.0)

    first, second = (5.0 - 7.0 * (math.log(p) + HAND_S) / 2.0 for p in (0.75, 0.25))
    by_hand = np.array([[[first / 2.0, second / 2.0]], [[-first / 2.0, second / 2.0]]])
    np.testing.assert_allclose(part.d_edges, by_hand, rtol=1e-13)


def test_base_and_spline_both_count():
    """phi = x + 2 on the grid, where the splines sum to 1: scores of x = (0.5, -0.5) are (2.5 + 1.5) / 2 = 2."""
    part = judged("paper", linear_layer([[1.0]], coef=2.0), np.array([[0.5], [-0.5]]))

    assert part.l1 == pytest.approx(2.0, rel=1e-14)


def test_a_single_edge_has_no_entropy_and_no_pull_of_it():
    part = judged("paper", linear_layer([[3.0]]), np.array([[0.5], [0.2]]), l1_weight=0.0)

    assert part.entropy == 0.0
    assert not part.d_edges.any()


def test_n_equal_edges_have_the_natural_logarithm_of_n():
    assert natural_entropy(np.ones((2, 3)))[0] == pytest.approx(math.log(6.0), rel=1e-14)


def test_edges_of_score_zero_add_no_entropy_and_are_not_pulled_by_it():
    entropy, d_scores = natural_entropy(np.array([[1.0, 0.0, 3.0]]))

    assert entropy == pytest.approx(natural_entropy(np.array([[1.0, 3.0]]))[0], rel=1e-14)
    assert d_scores[0, 1] == 0.0
    assert np.isfinite(d_scores).all()


@kinds
def test_a_layer_of_zeros_costs_nothing_and_pulls_nowhere(kind):
    part = judged(kind, linear_layer(np.zeros((2, 3))), np.full((4, 3), 0.3))

    assert (part.l1, part.entropy) == (0.0, 0.0)
    assert not part.d_edges.any()
    assert not np.any(part.d_x)


@pytest.mark.parametrize("n_samples", [2, 3, 5])
def test_the_standard_deviation_of_few_samples_divides_by_one_less(n_samples):
    values = np.random.default_rng(n_samples).normal(size=(n_samples, 3, 2))

    np.testing.assert_allclose(_std(values)[0], values.std(axis=0, ddof=1), rtol=1e-13)


def test_where_phi_is_zero_the_derivative_is_zero_though_its_edge_counts():
    part = judged("paper", linear_layer([[3.0, 1.0]]), np.array([[0.0, 0.5], [0.5, 0.5]]))

    assert part.d_edges[0, 0, 0] == 0.0
    assert part.d_edges[1, 0, 0] != 0.0


def test_the_entropy_has_no_pull_along_a_common_factor():
    """S is homogeneous of degree 0 in the scores: sum score dS/d score = 0 (Euler)."""
    scores = np.random.default_rng(0).uniform(0.1, 3.0, (4, 5))

    assert abs((scores * natural_entropy(scores)[1]).sum()) <= 1e-13


@kinds
@given(network_cases(degrees=range(5)), st.sampled_from([(1.0, 0.0), (0.0, 1.0), (0.7, 2.5)]))
def test_every_kind_is_its_formula_summed_over_layers(kind, case, weights):
    network, x, _ = case

    expected = 0.3 * oracle.penalty(kind, network, x, *weights)

    assert total(network, x, Penalty(0.3, *weights, kind)) == pytest.approx(
        expected, rel=1e-10, abs=1e-12
    )


@kinds
@given(seeds)
def test_l1_and_entropy_of_a_layer_are_each_their_formula(kind, seed):
    rng = np.random.default_rng(seed)
    layer = random_layer(rng, 3, 2, degree=2, n_intervals=3)
    x = random_batch(rng, layer, 4)

    part = judged(kind, layer, x, 0.0, 0.0)

    assert (part.l1, part.entropy) == pytest.approx(
        oracle.BY_KIND[kind](layer, x), rel=1e-11, abs=1e-13
    )


def test_one_sample_costs_nothing_in_pykan_s_way_and_pulls_nowhere():
    rng = np.random.default_rng(3)
    layer = random_layer(rng, 2, 3, degree=3, n_intervals=4)

    part = judged("pykan", layer, random_batch(rng, layer, 1))

    assert (part.l1, part.entropy) == (0.0, 0.0)
    assert not part.d_edges.any()
    assert not part.d_x.any()


@pytest.mark.parametrize("n_samples", [2, 3, 6, 7, 100])
def test_a_constant_edge_costs_nothing_in_pykan_s_way_and_is_not_pulled(n_samples):
    """phi = 0.1 for all samples: its mean is not 0.1 in floating point, but nothing varies."""
    part = judged(
        "pykan", linear_layer([[0.0, 1.0]], coef=0.1), np.tile([0.3, 0.7], (n_samples, 1))
    )

    assert (part.l1, part.entropy) == pytest.approx((0.0, 0.0), abs=1e-14)
    assert not part.d_edges.any()
    assert not part.d_x.any()


@kinds
def test_dead_edges_cost_nothing(kind):
    mask = np.array([[1.0, 0.0], [0.0, 0.0]])
    weights, x = np.array([[2.0, 3.0], [4.0, 5.0]]), HAND_X

    dead = judged(kind, linear_layer(weights, mask=mask), x)
    erased = judged(kind, linear_layer(weights * mask), x)

    assert (dead.l1, dead.entropy) == pytest.approx((erased.l1, erased.entropy), rel=1e-13)


def test_the_paper_s_entropy_does_not_see_the_size_of_the_edges_but_l1_does():
    weights = np.array([[2.0, -3.0], [0.5, 1.0]])

    once, double = (judged("paper", linear_layer(c * weights), HAND_X) for c in (1.0, 2.0))

    assert double.l1 == pytest.approx(2.0 * once.l1, rel=1e-13)
    assert double.entropy == pytest.approx(once.entropy, rel=1e-13)


def off_the_kink(network, x, kind):
    """Whether absolute values and standard deviations are far enough from 0 for a difference of step 1e-6."""
    for layer, outputs in zip(network.layers, kr.edge_outputs(network, x), strict=True):
        edges = outputs[:, layer.mask == 1]
        if kind == "paper" and np.abs(edges).min(initial=1.0) < 1e-2:
            return False
        if kind == "pykan" and np.concatenate([edges.std(axis=0), x.std(axis=0)]).min() < 1e-2:
            return False
        x = outputs.sum(axis=2)
    return True


def cases_off_the_kink(kind, n_cases, seed):
    """Networks of 1 to 3 layers, with masks and silent splines, and batches that keep off knots and kinks."""
    rng, found = np.random.default_rng(seed), []
    while len(found) < n_cases:
        widths = tuple(rng.integers(1, 4, rng.integers(2, 5)).tolist())
        network = random_network(
            rng, degrees=(2, 3, 4), widths=widths, kind="uneven", dead=0.2, silent=0.2
        )
        x = clear_samples(network, random_batch(rng, network.layers[0], 4))
        if len(x) >= 2 and off_the_kink(network, x, kind):
            found.append((network, x, rng))
    return found


@kinds
@for_all("weights", [(1.0, 0.0), (0.0, 1.0), (0.7, 1.9)])
def test_the_gradient_of_the_penalty_is_its_derivative_along_any_direction(kind, weights):
    """No loss at all: the upstream gradient is 0, so that the loss cannot hide an error."""
    for network, x, rng in cases_off_the_kink(kind, 8, seed=5):
        direction, penalty = rng.normal(size=network.n_params), Penalty(0.3, *weights, kind)
        flow, caches = network.run_flow(network.prepare(x))

        value, gradient = penalized_backward(
            network, x, caches, flow, np.zeros_like(flow[-1]), penalty
        )
        slope = central_difference(
            lambda t: total(network.with_theta(network.theta + t * direction), x, penalty), 1e-6
        )

        assert value == pytest.approx(total(network, x, penalty), rel=1e-13, abs=1e-15)
        assert abs(gradient @ direction - slope) <= 1e-7 * (
            np.abs(gradient * direction).sum() + 1.0
        )


@kinds
def test_the_gradient_of_a_loss_joins_that_of_the_penalty(kind):
    for network, x, rng in cases_off_the_kink(kind, 4, seed=7):
        dy, penalty = rng.normal(size=(len(x), network.widths[-1])), Penalty(0.4, 1.0, 2.0, kind)
        flow, caches = network.run_flow(network.prepare(x))
        before = [array.copy() for array in (x, dy, *flow)]

        both = penalized_backward(network, x, caches, flow, dy, penalty)[1]
        alone = penalized_backward(network, x, caches, flow, np.zeros_like(dy), penalty)[1]
        plain = kr.backward(network, kr.forward(network, x)[1], dy)[1].theta

        np.testing.assert_allclose(both, plain + alone, rtol=1e-10, atol=1e-11)
        for old, new in zip(before, (x, dy, *flow), strict=True):
            np.testing.assert_array_equal(old, new)


@kinds
def test_a_constant_input_s_curves_are_pulled_by_no_rounding(kind):
    """Its curves stay constant whatever their coefficients, so pykan's penalty does not depend on them."""
    rng = np.random.default_rng(0)
    network = random_network(rng, widths=(2, 3), degrees=(3,), base="silu", dead=0.0, silent=0.0)
    x = random_batch(rng, network.layers[0], 7)
    x[:, 0] = 0.1
    flow, caches = network.run_flow(network.prepare(x))

    gradient = penalized_backward(
        network, x, caches, flow, np.zeros((7, 3)), Penalty(1.0, kind=kind)
    )[1]

    found = network.with_theta(gradient).layers[0]
    assert found.coef[:, 0].any() == (kind == "paper")
    assert found.coef[:, 1].any()


@kinds
def test_dead_edges_have_no_gradient_of_the_penalty(kind):
    rng = np.random.default_rng(4)
    network = random_network(rng, widths=(2, 3, 2), degrees=(3,), dead=0.4)
    x = random_batch(rng, network.layers[0], 5)
    flow, caches = network.run_flow(network.prepare(x))

    gradient = penalized_backward(
        network, x, caches, flow, np.zeros((5, 2)), Penalty(1.0, kind=kind)
    )[1]

    assert any((layer.mask == 0).any() for layer in network.layers)
    for layer, grad in zip(network.layers, network.with_theta(gradient).layers, strict=True):
        for array in (grad.coef, grad.w_base, grad.w_spline):
            assert not array[layer.mask == 0].any()


def test_a_penalty_counts_both_parts_of_the_paper_once_unless_it_is_told_otherwise():
    assert Penalty(0.5) == Penalty(0.5, 1.0, 1.0, "paper")
    assert Penalty(1, l1=2, entropy=0).weight == 1.0


@pytest.mark.parametrize(
    "change", [{"weight": -1.0}, {"l1": np.nan}, {"entropy": np.inf}, {"kind": "coef"}]
)
def test_a_penalty_checks_its_numbers_and_its_kind(change):
    with pytest.raises(ValueError, match=next(iter(change))):
        Penalty(**({"weight": 1.0} | change))
