"""How much edges and nodes matter, and penalties on them: the paper's numbers by hand, by slow sums, and along random directions."""

import math
import statistics

import numpy as np
import oracles_layer as oracle
import pytest
from cases import for_all
from hypothesis import given
from hypothesis import strategies as st
from networks import (
    clear_samples,
    network_cases,
    random_batch,
    random_layer,
    random_network,
    seeds,
    symbolic_cases,
    with_formulas,
)

import kan_ref as kr
from kan_ref.network import Layer, evaluate
from kan_ref.numerics import central_difference
from kan_ref.sparsity import (
    PENALTY_NAMES,
    Penalty,
    edge_scores,
    natural_entropy,
    node_scores,
    penalized_backward,
    penalty_value,
)
from kan_ref.sparsity.penalties import _std, layer_penalty
from kan_ref.sparsity.scores import KINDS, _fractions

# --- penalties on edges: the paper's numbers by hand, both kinds against loops, and gradients along random directions

kinds = pytest.mark.parametrize("kind", PENALTY_NAMES)


def linear_layer(weights, base="identity", coef=0.0, mask=None):
    """Edges phi_ji(x) = w_ji x + coef, on [-1, 1] with one interval of degree 1."""
    w = np.asarray(weights, dtype=float)
    knots, ones = np.tile([-3.0, -1.0, 1.0, 3.0], (w.shape[1], 1)), np.ones_like(w)
    return Layer(knots, np.full((*w.shape, 2), coef), w, ones, ones if mask is None else mask, 1, base)


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

    assert total(network, x, Penalty(0.3, *weights, kind)) == pytest.approx(expected, rel=1e-10, abs=1e-12)


@kinds
@given(seeds)
def test_l1_and_entropy_of_a_layer_are_each_their_formula(kind, seed):
    rng = np.random.default_rng(seed)
    layer = random_layer(rng, 3, 2, degree=2, n_intervals=3)
    x = random_batch(rng, layer, 4)

    part = judged(kind, layer, x, 0.0, 0.0)

    assert (part.l1, part.entropy) == pytest.approx(oracle.BY_KIND[kind](layer, x), rel=1e-11, abs=1e-13)


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
    part = judged("pykan", linear_layer([[0.0, 1.0]], coef=0.1), np.tile([0.3, 0.7], (n_samples, 1)))

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
        network = random_network(rng, degrees=(2, 3, 4), widths=widths, kind="uneven", dead=0.2, silent=0.2)
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

        value, gradient = penalized_backward(network, x, caches, flow, np.zeros_like(flow[-1]), penalty)
        slope = central_difference(lambda t: total(network.with_theta(network.theta + t * direction), x, penalty), 1e-6)

        assert value == pytest.approx(total(network, x, penalty), rel=1e-13, abs=1e-15)
        assert abs(gradient @ direction - slope) <= 1e-7 * (np.abs(gradient * direction).sum() + 1.0)


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

    gradient = penalized_backward(network, x, caches, flow, np.zeros((7, 3)), Penalty(1.0, kind=kind))[1]

    found = network.with_theta(gradient).layers[0]
    assert found.coef[:, 0].any() == (kind == "paper")
    assert found.coef[:, 1].any()


@kinds
def test_dead_edges_have_no_gradient_of_the_penalty(kind):
    rng = np.random.default_rng(4)
    network = random_network(rng, widths=(2, 3, 2), degrees=(3,), dead=0.4)
    x = random_batch(rng, network.layers[0], 5)
    flow, caches = network.run_flow(network.prepare(x))

    gradient = penalized_backward(network, x, caches, flow, np.zeros((5, 2)), Penalty(1.0, kind=kind))[1]

    assert any((layer.mask == 0).any() for layer in network.layers)
    for layer, grad in zip(network.layers, network.with_theta(gradient).layers, strict=True):
        for array in (grad.coef, grad.w_base, grad.w_spline):
            assert not array[layer.mask == 0].any()


def test_a_penalty_counts_both_parts_of_the_paper_once_unless_it_is_told_otherwise():
    assert Penalty(0.5) == Penalty(0.5, 1.0, 1.0, "paper")
    assert Penalty(1, l1=2, entropy=0).weight == 1.0


@pytest.mark.parametrize("change", [{"weight": -1.0}, {"l1": np.nan}, {"entropy": np.inf}, {"kind": "coef"}])
def test_a_penalty_checks_its_numbers_and_its_kind(change):
    with pytest.raises(ValueError, match=next(iter(change))):
        Penalty(**({"weight": 1.0} | change))


# --- how much edges and nodes matter: magnitude, share of the spread, attribution, by slow sums over samples, edges and outputs

some = st.integers(2, 5)


def example(seed=0, widths=(2, 4, 3, 2)):
    rng = np.random.default_rng(seed)
    network = with_formulas(rng, random_network(rng, widths=widths, degrees=[3]), share=0.3)
    return network, random_batch(rng, network.layers[0], 9)


def line_network(*matrices):
    """A network whose edges are the lines phi_ji(x) = matrix_ji x, one layer a matrix."""
    layers = []
    for matrix in map(np.atleast_2d, matrices):
        n_out, n_in = matrix.shape
        knots = kr.uniform_knots(-np.ones(n_in), np.ones(n_in), 2, 1)
        zero = np.zeros((n_out, n_in, 3))
        layers.append(kr.Layer(knots, zero, matrix, np.ones((n_out, n_in)), np.ones((n_out, n_in)), 1, "identity"))
    return kr.Network(tuple(layers))


def shares_by_sums(outputs):
    """std phi_ji / std of the node, one edge at a time."""
    _, n_out, n_in = outputs.shape
    share = np.zeros((n_out, n_in))
    for j in range(n_out):
        of_node = statistics.pstdev(math.fsum(row) for row in outputs[:, j].tolist())
        for i in range(n_in):
            of_edge = statistics.pstdev(outputs[:, j, i].tolist())
            share[j, i] = of_edge / of_node if of_edge > 0.0 else 0.0
    return share


def attribution_by_paths(shares):
    """Every path from a node to an output carries the product of its shares; outputs count 1 / n_L each."""
    scores = []
    for number, share in enumerate(shares):
        score = np.zeros(share.shape)
        for j, i in np.ndindex(share.shape):
            further = [(j, 1.0)]
            for later in shares[number + 1 :]:
                further = [(k, weight * later[k, node]) for node, weight in further for k in range(later.shape[0])]
            score[j, i] = share[j, i] * sum(weight for _, weight in further) / shares[-1].shape[0]
        scores.append(score)
    return scores


# --- edges


def test_mean_is_the_magnitude_of_the_paper():
    network, x = example()

    for scores, outputs in zip(edge_scores(network, x), kr.edge_outputs(network, x), strict=True):
        for j, i in np.ndindex(scores.shape):
            assert scores[j, i] == pytest.approx(statistics.fmean(abs(v) for v in outputs[:, j, i].tolist()), rel=1e-13)


def test_std_is_the_share_of_the_edge_in_the_spread_of_its_node():
    network, x = example()

    for scores, outputs in zip(edge_scores(network, x, kind="std"), kr.edge_outputs(network, x), strict=True):
        np.testing.assert_allclose(scores, shares_by_sums(outputs), rtol=1e-12)


def test_attribution_is_the_sum_over_all_paths_of_the_products_of_shares():
    network, x = example()
    shares = [shares_by_sums(outputs) for outputs in kr.edge_outputs(network, x)]

    for scores, truth in zip(edge_scores(network, x, kind="attribution"), attribution_by_paths(shares), strict=True):
        np.testing.assert_allclose(scores, truth, rtol=1e-12)


def test_a_worked_example():
    """x = (-1, 0, 1) / sqrt(2/3) has std 1: shares of the first node 3/3, of the outputs 2/2 and 1/1; of two outputs each counts 1/2."""
    network = line_network([[3.0]], [[2.0], [1.0]])
    x = np.array([[-1.0], [0.0], [1.0]]) / math.sqrt(2.0 / 3.0)

    np.testing.assert_allclose(edge_scores(network, x, kind="std")[1], [[1.0], [1.0]], rtol=1e-14)
    np.testing.assert_allclose(edge_scores(network, x, kind="attribution")[1], [[0.5], [0.5]], rtol=1e-14)
    np.testing.assert_allclose(edge_scores(network, x, kind="attribution")[0], [[1.0]], rtol=1e-14)
    np.testing.assert_allclose(edge_scores(network, x)[0], [[math.sqrt(6.0)]], rtol=1e-14)


@given(symbolic_cases(n_samples=some), st.sampled_from(KINDS))
def test_scores_are_finite_not_negative_and_0_on_dead_edges(drawn, kind):
    network, x, _ = drawn

    for scores, layer in zip(edge_scores(network, x, kind=kind), network.layers, strict=True):
        assert np.isfinite(scores).all()
        assert (scores >= 0.0).all()
        dead = layer.mask == 0.0
        for edge in layer.symbolic:
            dead[edge.output, edge.input] = False
        np.testing.assert_array_equal(scores[dead], 0.0)


@pytest.mark.parametrize("kind", ["std", "attribution"])
def test_a_constant_edge_has_a_spread_of_0_however_large_it_is(kind):
    rng = np.random.default_rng(1)
    network = random_network(rng, widths=(2, 1), degrees=[3], kind="uniform", base="zero", dead=0.0, silent=0.0)
    (layer,) = network.layers
    coef = layer.coef.copy()
    coef[0, 1] = 1e3 / 3.0
    network = kr.Network((kr.Layer(layer.knots, coef, layer.w_base, layer.w_spline, layer.mask, 3, "zero"),))
    x = rng.uniform(layer.breakpoints[:, 0], layer.breakpoints[:, -1], (50, 2))

    (scores,) = edge_scores(network, x, kind=kind)

    assert scores[0, 1] == 0.0
    assert scores[0, 0] == pytest.approx(1.0)
    assert np.ptp(kr.edge_outputs(network, x)[0][:, 0, 1]) < 1e-9 < edge_scores(network, x)[0][0, 1]


@pytest.mark.parametrize("kind", ["std", "attribution"])
def test_a_node_whose_edges_cancel_hands_nothing_back(kind):
    """0.1 + 0.2 - 0.3 is no 0 for a computer."""
    x = np.array([[0.1], [0.7], [-0.3]])
    network = line_network([[1.0], [1.0], [1.0]], [[0.1, 0.2, -0.3]])

    assert np.ptp(network(x)) > 0.0
    assert [scores.any() for scores in edge_scores(network, x, kind=kind)] == [kind == "std", False]


# --- nodes


def test_a_node_has_its_largest_incoming_and_its_largest_outgoing_edge():
    network, x = example()
    for kind in ("mean", "std"):
        edges = edge_scores(network, x, kind=kind)

        nodes = node_scores(network, x, kind=kind)

        assert len(nodes) == len(network.widths)
        assert nodes[0].incoming is None
        assert nodes[-1].outgoing is None
        for number, record in enumerate(nodes):
            for node in range(network.widths[number]):
                if number > 0:
                    assert record.incoming[node] == max(
                        edges[number - 1][node, i] for i in range(network.widths[number - 1])
                    )
                if number < len(edges):
                    assert record.outgoing[node] == max(
                        edges[number][j, node] for j in range(network.widths[number + 1])
                    )


def test_attribution_of_a_node_is_what_its_edges_hand_back_and_stands_for_both():
    network, x = example()
    edges = edge_scores(network, x, kind="attribution")

    first, *hidden, last = node_scores(network, x, kind="attribution")

    assert first.incoming is None
    assert last.outgoing is None
    np.testing.assert_array_equal(last.incoming, [0.5, 0.5])
    for record, of_edges in zip([first, *hidden], edges, strict=True):
        np.testing.assert_allclose(record.outgoing, of_edges.sum(axis=0), rtol=1e-14)
    for record in hidden:
        np.testing.assert_array_equal(record.incoming, record.outgoing)


# --- sizes: a score is a ratio


@given(
    st.lists(st.integers(-90, 90), min_size=2, max_size=3),
    st.lists(st.integers(-9, 0), min_size=2, max_size=3),
    st.integers(0, 2**32 - 1),
)
def test_fractions_depend_neither_on_the_size_of_a_node_nor_on_those_of_other_nodes(of_nodes, of_edges, seed):
    """Edges of 10^-9 of their node keep their fraction, and rows of 10^-90 to 10^90 stand side by side; at one sample all edges are 0."""
    x = np.random.default_rng(seed).uniform(-1.0, 1.0, (7, len(of_edges)))
    x[0] = 0.0
    weights = 10.0 ** np.array(of_edges, dtype=float)
    weights[0] = 1.0
    rows = 10.0 ** np.array(of_nodes, dtype=float)[:, None] * weights

    (found,) = edge_scores(line_network(rows), x, kind="std")

    expected = weights * x.std(axis=0) / (x @ weights).std()
    np.testing.assert_allclose(found, np.tile(expected, (len(rows), 1)), rtol=1e-9)


@for_all("sign", [-1.0, 1.0])
@for_all("size", [1e-100, 1e-9, 1.0, 1e9, 1e100])
def test_an_edge_counts_if_it_varies_by_more_than_rounding_and_not_by_its_size(sign, size):
    """Edge 0 is a constant but for 10^-12 of itself, edge 1 is exactly constant, edge 2 is a line."""
    t = np.linspace(-1.0, 1.0, 7)
    x = sign * np.column_stack([1.0 + 1e-12 * t, np.full(7, 0.1), 1e-12 * t])
    assert x[:, 1].std() > 0.0  # rounding: the mean of seven times 0.1 is not 0.1

    (found,) = edge_scores(line_network([[size, size, size]]), x, kind="std")

    assert found[0, 0] == pytest.approx(0.5, rel=1e-3)
    assert found[0, 1] == 0.0
    assert found[0, 2] == pytest.approx(0.5, rel=1e-3)


@pytest.mark.parametrize("size", [1.0, 1e90, 1e-90])
def test_fractions_depend_neither_on_the_sign_nor_on_the_size_of_the_outputs(size):
    """Also where an edge is constant up to rounding."""
    outputs = np.random.default_rng(0).uniform(1.0, 2.0, (8, 3, 2))
    outputs[:, 0, 1] = 1.0
    outputs[::2, 0, 1] += np.finfo(float).eps

    fractions = _fractions(outputs)

    assert fractions[0, 1] == 0.0
    assert 0.1 < fractions[0, 0] < 10.0
    np.testing.assert_allclose(_fractions(-size * outputs), fractions, rtol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_scores_refuse_too_few_samples(kind):
    network, x = example()
    least = 1 if kind == "mean" else 2

    assert len(edge_scores(network, x[:least], kind=kind)) == 3
    with pytest.raises(ValueError, match=r"^x has"):
        edge_scores(network, x[: least - 1], kind=kind)
