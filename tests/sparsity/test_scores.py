"""How much edges and nodes matter: magnitude, share of the spread, attribution, by slow sums over samples, edges and outputs."""

import math
import statistics

import numpy as np
import pytest
from cases import for_all
from hypothesis import given
from hypothesis import strategies as st
from networks import random_batch, random_network, symbolic_cases, with_formulas

import kan_ref as kr
from kan_ref.sparsity import edge_scores, node_scores
from kan_ref.sparsity.scores import KINDS, _fractions

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
        layers.append(
            kr.Layer(
                knots, zero, matrix, np.ones((n_out, n_in)), np.ones((n_out, n_in)), 1, "identity"
            )
        )
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
                further = [
                    (k, weight * later[k, node])
                    for node, weight in further
                    for k in range(later.shape[0])
                ]
            score[j, i] = share[j, i] * sum(weight for _, weight in further) / shares[-1].shape[0]
        scores.append(score)
    return scores


# --- edges


def test_mean_is_the_magnitude_of_the_paper():
    network, x = example()

    for scores, outputs in zip(edge_scores(network, x), kr.edge_outputs(network, x), strict=True):
        for j, i in np.ndindex(scores.shape):
            assert scores[j, i] == pytest.approx(
                statistics.fmean(abs(v) for v in outputs[:, j, i].tolist()), rel=1e-13
            )


def test_std_is_the_share_of_the_edge_in_the_spread_of_its_node():
    network, x = example()

    for scores, outputs in zip(
        edge_scores(network, x, kind="std"), kr.edge_outputs(network, x), strict=True
    ):
        np.testing.assert_allclose(scores, shares_by_sums(outputs), rtol=1e-12)


def test_attribution_is_the_sum_over_all_paths_of_the_products_of_shares():
    network, x = example()
    shares = [shares_by_sums(outputs) for outputs in kr.edge_outputs(network, x)]

    for scores, truth in zip(
        edge_scores(network, x, kind="attribution"), attribution_by_paths(shares), strict=True
    ):
        np.testing.assert_allclose(scores, truth, rtol=1e-12)


def test_a_worked_example():
    """x = (-1, 0, 1) / sqrt(2/3) has std 1: shares of the first node 3/3, of the outputs 2/2 and 1/1; of two outputs each counts 1/2."""
    network = line_network([[3.0]], [[2.0], [1.0]])
    x = np.array([[-1.0], [0.0], [1.0]]) / math.sqrt(2.0 / 3.0)

    np.testing.assert_allclose(edge_scores(network, x, kind="std")[1], [[1.0], [1.0]], rtol=1e-14)
    np.testing.assert_allclose(
        edge_scores(network, x, kind="attribution")[1], [[0.5], [0.5]], rtol=1e-14
    )
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
    network = random_network(
        rng, widths=(2, 1), degrees=[3], kind="uniform", base="zero", dead=0.0, silent=0.0
    )
    (layer,) = network.layers
    coef = layer.coef.copy()
    coef[0, 1] = 1e3 / 3.0
    network = kr.Network(
        (kr.Layer(layer.knots, coef, layer.w_base, layer.w_spline, layer.mask, 3, "zero"),)
    )
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
def test_fractions_depend_neither_on_the_size_of_a_node_nor_on_those_of_other_nodes(
    of_nodes, of_edges, seed
):
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
