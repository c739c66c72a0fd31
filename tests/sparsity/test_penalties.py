"""Penalties on edges: the paper's numbers by hand, every kind against loops, and gradients along random directions."""

import math
import tracemalloc
import warnings

import numpy as np
import oracles_layer as oracle
import pytest
from cases import for_all
from hypothesis import given
from hypothesis import strategies as st
from networks import (
    clear_samples,
    data_objective,
    network_cases,
    random_batch,
    random_layer,
    random_network,
    seeds,
)
from oracles_training import mean_square

import kan_ref as kr
from kan_ref.network.layer import Layer, layer_edge_outputs, layer_forward
from kan_ref.numerics.differences import central_difference
from kan_ref.sparsity.penalties import (
    PENALTY_NAMES,
    PenaltyWeights,
    _offset_entropy,
    _std,
    layer_penalty,
    natural_entropy,
    penalized_backward,
    penalty_value,
)
from kan_ref.training import penalties as goal
from kan_ref.training.data_goal import check_penalty

kinds = pytest.mark.parametrize("kind", PENALTY_NAMES)
ON_EDGES = ("paper", "pykan", "pykan-0.0")


def linear_layer(weights, base="identity", coef=0.0):
    """Edges phi_ji(x) = w_ji x + coef, on [-1, 1] with one interval of degree 1."""
    w = np.asarray(weights, dtype=float)
    knots = np.tile([-3.0, -1.0, 1.0, 3.0], (w.shape[1], 1))
    return Layer(knots, np.full((*w.shape, 2), coef), w, np.ones_like(w), np.ones_like(w), 1, base)


def judged(kind, layer, x, l1_weight=1.0, entropy_weight=1.0):
    return layer_penalty(kind, layer, layer_forward(layer, x)[1], x, l1_weight, entropy_weight)


def total(kind, network, x, l1_weight=1.0, entropy_weight=1.0):
    flow, caches = network.run_flow(network.prepare(x))
    return penalty_value(
        network, x, caches, flow, PenaltyWeights(1.0, l1_weight, entropy_weight, kind)
    )


# --- by hand

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
    assert part.entropy == pytest.approx(HAND_S, rel=1e-15)
    assert part.entropy == pytest.approx(0.5623351446188083, rel=1e-15)


def test_the_hand_example_pulls_at_every_edge_output_as_computed():
    part = judged("paper", linear_layer([[3.0, 1.0]]), HAND_X, l1_weight=5.0, entropy_weight=7.0)

    first, second = (5.0 - 7.0 * (math.log(p) + HAND_S) / 2.0 for p in (0.75, 0.25))
    by_hand = np.array([[[first / 2.0, second / 2.0]], [[-first / 2.0, second / 2.0]]])
    np.testing.assert_allclose(part.d_edges, by_hand, rtol=1e-14)


def test_base_and_spline_both_count():
    """phi = x + 2 on the grid, where the splines sum to 1: scores of x = (0.5, -0.5) are (2.5 + 1.5) / 2 = 2."""
    part = judged("paper", linear_layer([[1.0]], coef=2.0), np.array([[0.5], [-0.5]]))

    assert part.l1 == pytest.approx(2.0, rel=1e-15)


def test_a_single_edge_has_no_entropy_and_no_pull_of_it():
    part = judged("paper", linear_layer([[3.0]]), np.array([[0.5], [0.2]]), l1_weight=0.0)

    assert part.entropy == 0.0
    assert not part.d_edges.any()


def test_n_equal_edges_have_the_natural_logarithm_of_n():
    assert natural_entropy(np.ones((2, 3)))[0] == pytest.approx(math.log(6.0), rel=1e-15)


def test_edges_of_score_zero_add_nothing_and_are_not_pulled():
    entropy, d_scores = natural_entropy(np.array([[1.0, 0.0, 3.0]]))

    assert entropy == pytest.approx(natural_entropy(np.array([[1.0, 3.0]]))[0], rel=1e-15)
    assert d_scores[0, 1] == 0.0
    assert np.isfinite(d_scores).all()


@kinds
def test_a_layer_of_zeros_costs_nothing_and_pulls_nowhere(kind):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        part = judged(kind, linear_layer(np.zeros((2, 3))), np.full((4, 3), 0.3))

    assert (part.l1, part.entropy) == (0.0, 0.0)
    for pull in (part.d_edges, part.d_x, part.d_coef):
        assert pull is None or not pull.any()


@pytest.mark.parametrize(
    "entropy", [natural_entropy, lambda scores: _offset_entropy(scores, scores.sum())]
)
def test_scores_of_zero_have_no_entropy_and_no_derivative_of_it(entropy):
    value, derivative = entropy(np.zeros((2, 3)))

    assert value == 0.0
    np.testing.assert_array_equal(derivative, np.zeros((2, 3)))


@pytest.mark.parametrize("n_samples", [2, 3, 5])
def test_the_standard_deviation_of_few_samples_divides_by_one_less(n_samples):
    values = np.random.default_rng(n_samples).normal(size=(n_samples, 3, 2))

    std, _ = _std(values)

    np.testing.assert_allclose(std, values.std(axis=0, ddof=1), rtol=1e-14)


def test_where_phi_is_zero_the_derivative_is_zero_though_its_edge_counts():
    part = judged("paper", linear_layer([[3.0, 1.0]]), np.array([[0.0, 0.5], [0.5, 0.5]]))

    assert part.d_edges[0, 0, 0] == 0.0
    assert part.d_edges[1, 0, 0] != 0.0


def test_entropy_has_no_pull_along_a_common_factor():
    """S is homogeneous of degree 0 in the scores: sum score dS/d score = 0 (Euler)."""
    scores = np.random.default_rng(0).uniform(0.1, 3.0, (4, 5))

    assert abs((scores * natural_entropy(scores)[1]).sum()) <= 1e-14


# --- against loops


@kinds
@given(network_cases(degrees=range(5)), st.sampled_from([(1.0, 0.0), (0.0, 1.0), (0.7, 2.5)]))
def test_every_kind_is_its_formula_summed_over_layers(kind, case, weights):
    network, x, _ = case

    expected = oracle.penalty(kind, network, x, *weights)

    assert total(kind, network, x, *weights) == pytest.approx(expected, rel=1e-10, abs=1e-12)


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


@kinds
def test_one_sample_is_judged_like_any_other_batch(kind):
    rng = np.random.default_rng(3)
    network = random_network(rng, widths=(2, 3, 2), degrees=(3,))
    x = random_batch(rng, network.layers[0], 1)

    assert total(kind, network, x) == pytest.approx(
        oracle.penalty(kind, network, x, 1.0, 1.0), rel=1e-11, abs=1e-14
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

    assert part.l1 == pytest.approx(0.0, abs=1e-15)
    assert part.entropy == pytest.approx(0.0, abs=1e-14)
    np.testing.assert_array_equal(part.d_edges, 0.0)
    np.testing.assert_array_equal(part.d_x, 0.0)


def test_with_a_constant_feature_pykan_s_penalty_pulls_as_its_value_changes():
    """Curves of a constant input stay constant whatever their coefficients: no noise of rounding may pull at them."""
    rng = np.random.default_rng(0)
    network = random_network(rng, widths=(2, 3, 1), degrees=(3,), base="silu", dead=0.0, silent=0.0)
    x = random_batch(rng, network.layers[0], 7)
    x[:, 0] = 0.1
    y = np.zeros((7, 1))
    direction = np.zeros(network.n_params)
    direction[: network.layers[0].n_basis] = (
        1.0  # all coefficients of the edge from input 0 to node 0
    )

    plain = kr.value_and_grad(network, x, y)[1]
    penalized = kr.value_and_grad(network, x, y, penalty="pykan", penalty_weight=1.0)[1]
    slope = central_difference(
        lambda t: total("pykan", network.with_theta(network.theta + t * direction), x), 1e-6
    )

    assert (penalized - plain) @ direction == pytest.approx(slope, rel=1e-6)


@kinds
def test_dead_edges_cost_nothing(kind):
    rng = np.random.default_rng(1)
    layer = random_layer(rng, 2, 2, degree=2, n_intervals=3, dead=0.0)
    x = random_batch(rng, layer, 5)
    dead = Layer(
        layer.knots,
        layer.coef,
        layer.w_base,
        layer.w_spline,
        np.array([[1.0, 0.0], [0.0, 0.0]]),
        2,
        layer.base,
    )
    erased = Layer(
        layer.knots,
        layer.coef * dead.mask[:, :, None],
        layer.w_base * dead.mask,
        layer.w_spline,
        np.ones((2, 2)),
        2,
        layer.base,
    )

    first, second = judged(kind, dead, x), judged(kind, erased, x)

    assert (first.l1, first.entropy) == pytest.approx((second.l1, second.entropy), rel=1e-14)
    if kind == "coef":
        assert not first.d_coef[dead.mask == 0].any()


def test_a_single_coefficient_has_no_roughness():
    layer = Layer(
        np.array([[0.0, 1.0]]),
        np.full((1, 1, 1), 2.0),
        np.ones((1, 1)),
        np.ones((1, 1)),
        np.ones((1, 1)),
        0,
    )

    part = judged("coef", layer, np.array([[0.5]]), 3.0, 5.0)

    assert (part.l1, part.entropy) == (2.0, 0.0)
    np.testing.assert_array_equal(part.d_coef, [[[3.0]]])


def test_the_paper_s_entropy_does_not_see_the_size_of_the_edges_but_l1_does():
    rng = np.random.default_rng(2)
    layer = random_layer(rng, 3, 2, degree=2, n_intervals=3)
    x = random_batch(rng, layer, 5)
    twice = Layer(
        layer.knots, layer.coef * 2.0, layer.w_base * 2.0, layer.w_spline, layer.mask, 2, layer.base
    )

    once, double = judged("paper", layer, x), judged("paper", twice, x)

    assert double.l1 == pytest.approx(2.0 * once.l1, rel=1e-14)
    assert double.entropy == pytest.approx(once.entropy, rel=1e-13)


# --- gradients


def off_the_kink(network, x, kind):
    """Whether every number whose absolute value counts is far enough from 0 for a difference of step 1e-6."""
    for layer, outputs in zip(network.layers, kr.edge_outputs(network, x), strict=True):
        edges = outputs[:, layer.mask == 1]
        live = layer.coef[layer.mask == 1]
        if kind == "coef" and (
            np.abs(live).min(initial=1.0) < 1e-3 or np.abs(np.diff(live)).min(initial=1.0) < 1e-3
        ):
            return False
        if kind in ("paper", "pykan-0.0") and np.abs(edges).min(initial=1.0) < 1e-2:
            return False
        if kind == "pykan" and np.concatenate([edges.std(axis=0), x.std(axis=0)]).min() < 1e-2:
            return False
        x = outputs.sum(axis=2)
    return True


def cases_off_the_kink(kind, n_cases, seed):
    """Networks of 1 to 3 layers, with masks and silent splines, and batches that keep off knots and kinks."""
    rng, found = np.random.default_rng(seed), []
    for _ in range(100 * n_cases):
        widths = tuple(rng.integers(1, 4, rng.integers(2, 5)).tolist())
        network = random_network(
            rng, degrees=(2, 3, 4), widths=widths, kind="uneven", dead=0.2, silent=0.2
        )
        x = clear_samples(network, random_batch(rng, network.layers[0], 4))
        if len(x) >= 2 and off_the_kink(network, x, kind):
            found.append((network, x, rng))
            if len(found) == n_cases:
                return found
    raise AssertionError(f"only {len(found)} cases of {kind!r} lie off the kink")


@kinds
@for_all("smoothness_weight", [0.0, 0.1])
def test_the_gradient_is_the_derivative_along_any_direction(kind, smoothness_weight):
    """A hundred and twenty random networks over the kinds, each along its own direction."""
    for network, x, rng in cases_off_the_kink(kind, 15, seed=int(10 * smoothness_weight)):
        y = rng.normal(size=(len(x), network.widths[-1]))
        weights = check_penalty(kind, 0.3, 0.7, 1.9)
        objective = data_objective(
            network, x, y, penalty=weights, smoothness_weight=smoothness_weight
        )
        theta, direction = objective.start(), rng.normal(size=network.n_params)

        value, gradient = objective.value_and_grad(theta)
        slope = central_difference(
            lambda t: objective.value_and_grad(theta + t * direction)[0], 1e-6
        )

        assert abs(gradient @ direction - slope) <= 1e-7 * (
            np.abs(gradient * direction).sum() + value
        ), (kind, network)


@kinds
@for_all("weights", [(1.0, 0.0), (0.0, 1.0)], ids=["l1", "entropy"])
def test_the_penalty_alone_has_an_exact_gradient(kind, weights):
    """No loss at all: the upstream gradient is 0, the value the penalty's, so that the loss cannot hide an error."""
    for network, x, rng in cases_off_the_kink(kind, 8, seed=5):
        direction = rng.normal(size=network.n_params)
        settings = PenaltyWeights(1.0, *weights, kind)
        flow, caches = network.run_flow(network.prepare(x))

        value, gradient = penalized_backward(
            network, x, caches, flow, np.zeros_like(flow[-1]), settings
        )
        slope = central_difference(
            lambda t: total(kind, network.with_theta(network.theta + t * direction), x, *weights),
            1e-6,
        )

        assert value == pytest.approx(total(kind, network, x, *weights), rel=1e-14)
        assert abs(gradient @ direction - slope) <= 1e-7 * (
            np.abs(gradient * direction).sum() + 1.0
        )


@for_all("kind", ["paper", "pykan-0.0"])
def test_the_gradient_of_a_mean_absolute_value_takes_the_memory_of_the_edges(kind):
    """Outputs of all edges and one more array of their size, as in computing them."""
    layer = kr.init_network(
        (40, 40), n_intervals=2, degree=1, domain=(-1.0, 1.0), rng=np.random.default_rng(0)
    ).layers[0]
    x = np.random.default_rng(1).uniform(-1.0, 1.0, (300, 40))
    cache = layer_forward(layer, x)[1]

    edges = peak_bytes(lambda: layer_edge_outputs(layer, cache))
    penalty = peak_bytes(lambda: layer_penalty(kind, layer, cache, x, 1.0, 1.0))

    assert penalty <= edges + 0.1 * 8 * 300 * 40 * 40


def peak_bytes(call):
    call()
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_gradient_of_any_loss_joins_the_penalty_s():
    """With dy given, what comes back is the plain pull of dy plus that of the penalty alone."""
    network, x, rng = cases_off_the_kink("paper", 1, seed=7)[0]
    dy, settings = rng.normal(size=(len(x), network.widths[-1])), PenaltyWeights(0.4, 1.0, 2.0)
    flow, caches = network.run_flow(network.prepare(x))

    both = penalized_backward(network, x, caches, flow, dy, settings)[1]
    alone = penalized_backward(network, x, caches, flow, np.zeros_like(dy), settings)[1]
    plain = kr.backward(network, kr.forward(network, x)[1], dy)[1].theta

    np.testing.assert_allclose(both, plain + alone, rtol=1e-11, atol=1e-12)


@kinds
def test_dead_edges_have_no_gradient(kind):
    rng = np.random.default_rng(4)
    network = random_network(rng, widths=(2, 3, 2), degrees=(3,), dead=0.4)
    x = random_batch(rng, network.layers[0], 5)

    gradient = kr.value_and_grad(network, x, np.zeros((5, 2)), penalty=kind, penalty_weight=1.0)[1]
    grads = network.with_theta(gradient)

    assert any((layer.mask == 0).any() for layer in network.layers)
    for layer, grad in zip(network.layers, grads.layers, strict=True):
        assert not grad.coef[layer.mask == 0].any()
        assert not grad.w_base[layer.mask == 0].any()
        assert not grad.w_spline[layer.mask == 0].any()


@pytest.mark.parametrize("kind", ON_EDGES)
def test_a_silent_spline_leaves_the_coefficients_alone_but_not_its_weight(kind):
    rng = np.random.default_rng(6)
    network = random_network(rng, widths=(2, 2), degrees=(3,), base="silu", dead=0.0, silent=0.0)
    layer = network.layers[0]
    silent = kr.Network(
        (Layer(layer.knots, layer.coef, layer.w_base, np.zeros((2, 2)), layer.mask, 3, "silu"),)
    )
    x = layer.breakpoints[:, 0] + rng.uniform(0.1, 0.9, (5, 2)) * (
        layer.breakpoints[:, -1] - layer.breakpoints[:, 0]
    )

    gradient = silent.with_theta(
        kr.value_and_grad(silent, x, np.zeros((5, 2)), penalty=kind, penalty_weight=1.0)[1]
    )

    assert not gradient.layers[0].coef.any()
    assert gradient.layers[0].w_spline.all()


# --- the path of its own


def test_a_weight_of_zero_takes_the_plain_path_and_gives_its_bits(monkeypatch):
    rng = np.random.default_rng(8)
    network = random_network(rng, widths=(2, 3, 1), degrees=(3,))
    x, y = random_batch(rng, network.layers[0], 6), rng.normal(size=(6, 1))
    plain = kr.value_and_grad(network, x, y)

    def fail(*_):
        raise AssertionError("plain training pays for the penalty")

    monkeypatch.setattr(goal, "penalized_backward", fail)
    monkeypatch.setattr(goal, "penalty_value", fail)
    for weights in (
        {"penalty_weight": 0.0, "l1_weight": 5.0},
        {"penalty_weight": 3.0, "l1_weight": 0.0, "entropy_weight": 0.0},
    ):
        value, gradient = kr.value_and_grad(network, x, y, **weights)
        assert value == plain[0]
        assert gradient.tobytes() == plain[1].tobytes()
    run = kr.fit(network, kr.Data(x, y, x, y), optimizer="lbfgs", n_steps=2, penalty_weight=0.0)
    assert not run.history.penalty.any()


@kinds
def test_the_value_is_the_loss_plus_the_weighted_penalty(kind):
    rng = np.random.default_rng(9)
    network = random_network(rng, widths=(2, 3, 1), degrees=(2,))
    x, y = random_batch(rng, network.layers[0], 6), rng.normal(size=(6, 1))

    value, _ = kr.value_and_grad(
        network, x, y, penalty=kind, penalty_weight=0.5, l1_weight=2.0, entropy_weight=3.0
    )

    expected = mean_square(network(x), y) + 0.5 * oracle.penalty(kind, network, x, 2.0, 3.0)
    assert value == pytest.approx(expected, rel=1e-11)


@kinds
def test_what_the_objective_adds_is_the_weighted_penalty(kind):
    rng = np.random.default_rng(10)
    network = random_network(rng, widths=(2, 3, 1), degrees=(2,))
    x = random_batch(rng, network.layers[0], 6)
    objective = data_objective(network, x, network(x), penalty=check_penalty(kind, 0.5, 2.0, 3.0))

    assert objective.added(network) == pytest.approx(
        0.5 * oracle.penalty(kind, network, x, 2.0, 3.0), rel=1e-11
    )
    assert objective.value_and_grad(network.theta)[0] == pytest.approx(
        objective.added(network), rel=1e-13
    )


def test_the_kinds_are_four_different_numbers():
    rng = np.random.default_rng(11)
    network = random_network(rng, widths=(2, 3, 1), degrees=(3,), dead=0.0)
    x = random_batch(rng, network.layers[0], 6)

    assert (
        len({round(total(kind, network, x), 6) for kind in PENALTY_NAMES})
        == len(PENALTY_NAMES)
        == 4
    )


@given(network_cases(degrees=(2, 3)))
def test_the_order_of_samples_and_their_repetition_change_nothing_in_the_paper_s_penalty(case):
    network, x, rng = case

    shuffled = np.concatenate([x, x])[rng.permutation(2 * len(x))]

    assert total("paper", network, shuffled) == pytest.approx(
        total("paper", network, x), rel=1e-11, abs=1e-13
    )


def test_a_penalty_writes_into_nothing_that_it_is_given():
    rng = np.random.default_rng(12)
    network = random_network(rng, widths=(2, 3, 1), degrees=(3,))
    x = random_batch(rng, network.layers[0], 6)
    flow, caches = network.run_flow(network.prepare(x))
    dy = rng.normal(size=(6, 1))
    before = [a.copy() for a in (x, dy, *flow)]

    for kind in PENALTY_NAMES:
        penalized_backward(network, x, caches, flow, dy, PenaltyWeights(1.0, kind=kind))

    for old, new in zip(before, (x, dy, *flow), strict=True):
        np.testing.assert_array_equal(old, new)


@pytest.mark.parametrize("call", [penalized_backward, penalty_value])
def test_an_unknown_kind_is_refused_by_name(call):
    network = kr.Network((linear_layer([[1.0]]),))
    arguments = [
        network,
        HAND_X[:, :1],
        (kr.forward(network, HAND_X[:, :1])[1],),
        [HAND_X[:, :1]],
    ]
    if call is penalized_backward:
        arguments.append(np.zeros((2, 1)))

    with pytest.raises(
        ValueError, match=r"penalty is 'papper', but must be one of .*did you mean 'paper'"
    ):
        call(*arguments, PenaltyWeights(1.0, kind="papper"))


@kinds
def test_weights_that_are_left_out_count_both_parts_once_everywhere(kind):
    rng = np.random.default_rng(4)
    network = random_network(rng, widths=(2, 3, 1), degrees=(2,))
    x = random_batch(rng, network.layers[0], 6)
    flow, caches = network.run_flow(network.prepare(x))
    parts = [
        judged(kind, layer, values)
        for layer, values in zip(network.layers, [x, *flow[:-1]], strict=True)
    ]

    value = penalty_value(network, x, caches, flow, PenaltyWeights(0.5, kind=kind))
    plain, penalized = (
        kr.value_and_grad(network, x, flow[-1], penalty_weight=weight, penalty=kind)[0]
        for weight in (0.0, 0.5)
    )

    assert value == pytest.approx(0.5 * sum(part.l1 + part.entropy for part in parts), rel=1e-13)
    assert penalized - plain == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize("n_coef", [1, 2, 3, 6])
def test_size_and_roughness_are_means_over_coefficients_and_over_their_steps(n_coef):
    """Coefficients 0, 2, 4, ...: the mean is n_coef - 1, the mean step is 2, and only the ends are pulled by it."""
    knots = kr.uniform_knots(0.0, 1.0, n_coef, 0)
    one = np.ones((1, 1))
    layer = Layer(knots, 2.0 * np.arange(n_coef)[None, None], one, one, one, 0)

    part = judged("coef", layer, np.array([[0.5]]), 0.0, 3.0)

    n_steps = n_coef - 1
    assert part.l1 == pytest.approx(n_coef - 1.0)
    assert part.entropy == (2.0 if n_steps else 0.0)
    expected = np.zeros(n_coef)
    if n_steps:
        expected[[0, -1]] = -3.0 / n_steps, 3.0 / n_steps
    np.testing.assert_allclose(part.d_coef[0, 0], expected, rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize("kind", ON_EDGES)
@pytest.mark.parametrize("widths", [(2, 1), (2, 3, 2, 1)])
def test_in_networks_of_any_depth_the_gradient_of_loss_and_penalty_is_the_sum_of_both(kind, widths):
    rng = np.random.default_rng(5)
    network = random_network(rng, widths=widths, degrees=(3,), dead=0.0)
    x = random_batch(rng, network.layers[0], 7)
    y = rng.normal(size=(7, 1))
    flow, caches = network.run_flow(network.prepare(x))
    weights = PenaltyWeights(0.3, 0.7, 1.3, kind)

    alone = penalized_backward(network, x, caches, flow, np.zeros((7, 1)), weights)
    plain = kr.value_and_grad(network, x, y)
    both = kr.value_and_grad(
        network, x, y, penalty_weight=0.3, l1_weight=0.7, entropy_weight=1.3, penalty=kind
    )

    assert both[0] == pytest.approx(plain[0] + alone[0], rel=1e-13)
    size = np.abs(alone[1]).max() + np.abs(plain[1]).max()
    np.testing.assert_allclose(both[1], plain[1] + alone[1], rtol=0, atol=1e-13 * size)
