"""Pruning: what goes leaves its mean behind, no path ends in nothing, and no output is cut off."""

import functools
import math
import re
from dataclasses import replace

import numpy as np
import pytest
from cases import for_all
from hypothesis import assume, given
from hypothesis import strategies as st
from networks import random_batch, random_layer, random_network, symbolic_cases, with_formulas

import kan_ref as kr
from kan_ref.functions.library import LIBRARY
from kan_ref.network.constant_folding import LEAST_WEIGHT, fold_constants
from kan_ref.network.layer import Layer
from kan_ref.network.network import Network
from kan_ref.network.symbolic_edges import SymbolicEdge
from kan_ref.sparsity.pruning import prune, remove_edges, remove_nodes
from kan_ref.sparsity.scores import KINDS, edge_scores, node_scores

samples = st.integers(1, 8)
SPARSE = {
    "optimizer": "lbfgs",
    "n_steps": 200,
    "penalty_weight": 1e-2,
    "l1_weight": 1.0,
    "entropy_weight": 2.0,
}


@functools.cache
def trained(seed, sparse):
    """The hello world on 1000 samples, with the paper's penalties or without."""
    options = SPARSE if sparse else {"optimizer": "lm", "n_steps": 20}
    rng = np.random.default_rng(seed)
    data = kr.sample("exp_sin", n_train=1000, n_test=1000, rng=rng)
    network = kr.init_network((2, 5, 1), n_intervals=5, degree=3, domain=(-1.0, 1.0), rng=rng)
    return kr.fit(network, data, **options).network, data


def rmse(network, x, y):
    return math.sqrt(np.mean((network(x) - y) ** 2))


def size_of(network, x):
    """The largest summand on the way of x: the measure for rounding."""
    return max(1.0, *(np.abs(outputs).max() for outputs in kr.edge_outputs(network, x)))


def nodes_of(network, x):
    """Values of all nodes: [x, x_1, ..., x_L]."""
    return [x, *network.flow(network.prepare(x))]


def is_active(layer):
    active = layer.mask == 1.0
    for edge in layer.symbolic:
        active[edge.output, edge.input] = edge.name != "0"
    return active


def paths_by_walking(network):
    """Every path of active edges from an input to an output, as a tuple of nodes."""
    paths = [(node,) for node in range(network.widths[0])]
    for layer in network.layers:
        active = is_active(layer)
        paths = [(*path, j) for path in paths for j in range(layer.n_out) if active[j, path[-1]]]
    return paths


def mixed_network(seed=3, widths=(3, 4, 3, 2)):
    rng = np.random.default_rng(seed)
    network = with_formulas(
        rng, random_network(rng, widths=widths, degrees=[3], dead=0.1), share=0.3
    )
    return network, random_batch(rng, network.layers[0], 40)


def inside(layer, n_samples, rng):
    return rng.uniform(layer.breakpoints[:, 0], layer.breakpoints[:, -1], (n_samples, layer.n_in))


def try_to(action, *arguments, **options):
    """The result, or None where an output would be cut off."""
    try:
        return action(*arguments, **options)
    except ValueError as error:
        if "path" not in str(error):
            raise
        return None


# --- the hello world


@pytest.mark.long
@pytest.mark.parametrize("seed", [0, 1, 16, 42])
def test_pruning_the_hello_world_less_than_doubles_its_error(seed):
    """With seeds 16 and 42 the paper's rule more than doubles it. Of seeds 0 to 79 the worst has 1.35, so 1.6 leaves room to rounding."""
    network, data = trained(seed, sparse=True)

    pruned = prune(network, data.x_train)

    assert pruned.widths[1] < 5
    for x, y in ((data.x_train, data.y_train), (data.x_test, data.y_test)):
        assert rmse(pruned, x, y) < 1.6 * rmse(network, x, y)


def test_without_the_constants_the_hello_world_would_be_lost():
    """A constant moved from the strongest node's outgoing edge to that of a node which receives next to nothing changes nothing."""
    trained_one, data = trained(0, sparse=True)
    first, last = trained_one.layers
    scores = node_scores(trained_one, data.x_train)[1]
    keep = scores.least > 1e-2
    coef, weak, strong = last.coef.copy(), np.argmin(scores.incoming), np.argmax(scores.incoming)
    coef[0, weak] += 0.7 / last.w_spline[0, weak]
    coef[0, strong] -= 0.7 / last.w_spline[0, strong]
    network = Network((first, replace(last, coef=coef)))
    bare = Network(
        (
            Layer(
                first.knots,
                first.coef[keep],
                first.w_base[keep],
                first.w_spline[keep],
                first.mask[keep],
                3,
            ),
            Layer(
                last.knots[keep],
                coef[:, keep],
                last.w_base[:, keep],
                last.w_spline[:, keep],
                last.mask[:, keep],
                3,
            ),
        )
    )

    pruned = prune(network, data.x_train, kind="mean")

    assert pruned.widths == bare.widths
    before = rmse(network, data.x_train, data.y_train)
    assert rmse(bare, data.x_train, data.y_train) > 10.0 * before
    assert rmse(pruned, data.x_train, data.y_train) < 1.2 * before


def test_a_node_that_matters_costs_its_own_variation_and_nothing_more():
    network, data = trained(1, sparse=False)
    x = data.x_train
    for node in range(5):
        lost = kr.edge_outputs(network, x)[1][:, 0, node]

        smaller = remove_nodes(network, x, 1, [node])

        assert smaller.widths == (2, 4, 1)
        assert kr.distance(network, smaller, x).rms == pytest.approx(lost.std(), rel=1e-9)


# --- which nodes and edges stay


@pytest.mark.parametrize("kind", KINDS)
def test_a_hidden_node_stays_if_both_its_scores_are_above_the_threshold(kind):
    network, x = mixed_network()
    least = [record.least for record in node_scores(network, x, kind=kind)]
    tried = 0
    for threshold in np.sort(np.concatenate(least[1:-1])).tolist():
        pruned = try_to(prune, network, x, threshold=threshold, kind=kind)
        if pruned is not None:
            tried += 1
            assert pruned.widths == (
                3,
                *(int((scores > threshold).sum()) for scores in least[1:-1]),
                2,
            )

    assert tried >= 3


def test_an_edge_stays_if_its_score_is_above_the_edge_threshold():
    network, x = mixed_network(widths=(3, 2))
    (scores,) = edge_scores(network, x)
    edge_threshold = float(np.sort(scores[scores > 0.0])[1])

    pruned = prune(network, x, edge_threshold=edge_threshold, kind="mean")

    np.testing.assert_array_equal(is_active(pruned.layers[0]), scores > edge_threshold)


@for_all(("kind", "kept"), [("mean", [1, 1, 0]), ("std", [1, 0, 0]), ("attribution", [1, 0, 0])])
def test_an_edge_threshold_of_0_removes_constant_edges_unless_magnitudes_count(kind, kept):
    """Edges sin x, 0.5 and 0."""
    network = kr.init_network(
        (3, 1), n_intervals=3, degree=3, domain=(-1.0, 1.0), rng=np.random.default_rng(0)
    )
    for i, (c, d) in enumerate([(1.0, 0.0), (0.0, 0.5), (0.0, 0.0)]):
        network = kr.fix_symbolic(
            network, 0, output=0, input=i, name="sin", affine=(1.0, 0.0, c, d)
        )
    x = np.random.default_rng(1).uniform(-1.0, 1.0, (20, 3))

    pruned = prune(network, x, kind=kind)

    np.testing.assert_array_equal(is_active(pruned.layers[0]), [kept])


def test_a_threshold_of_0_removes_only_what_does_nothing():
    network, x = mixed_network()

    pruned = prune(network, x, threshold=0.0)

    assert kr.distance(network, pruned, x).max < 1e-13 * size_of(network, x)
    assert all(
        scores[is_active(layer)].all()
        for scores, layer in zip(edge_scores(pruned, x), pruned.layers, strict=True)
    )


def test_kinds_of_scores_prune_by_their_own_measure():
    """A large constant edge counts by its mean, and not by its spread."""
    network, x = mixed_network()
    (first, *others) = network.layers
    big = replace(first, mask=np.ones((4, 3)), symbolic=(), affine=np.empty((0, 4)))
    formula = SymbolicEdge(0, 0, LIBRARY["sin"], 0)
    mask = big.mask.copy()
    mask[0] = 0.0
    network = Network(
        (replace(big, mask=mask, symbolic=[formula], affine=[[0.0, 1.0, 50.0, 3.0]]), *others)
    )

    assert prune(network, x, threshold=0.0, kind="mean").widths[1] == 4
    for kind in ("std", "attribution"):
        pruned = prune(network, x, threshold=0.0, kind=kind)
        assert pruned.widths[1] == 3
        assert kr.distance(network, pruned, x).max < 1e-12 * size_of(network, x)


def test_attribution_prunes_a_node_by_all_that_it_was_handed_back():
    """Both outputs hang on the one hidden node: each hands back 1/2."""
    first, last = remove_nodes(two_ways(1.0, 1.0), LINE, 1, [1]).layers
    wide = Layer(
        last.knots,
        np.zeros((2, 1, 3)),
        [[1.0], [2.0]],
        np.ones((2, 1)),
        np.ones((2, 1)),
        1,
        "identity",
    )

    assert prune(Network((first, wide)), LINE, threshold=0.9, kind="attribution").widths == (
        1,
        1,
        2,
    )


def lines(*matrices):
    """A network whose edges are the lines phi_ji(x) = matrix_ji x, one layer a matrix."""
    layers = []
    for matrix in map(np.array, matrices):
        ones, n_in = np.ones(matrix.shape), matrix.shape[1]
        knots = kr.uniform_knots(-np.ones(n_in), np.ones(n_in), 2, 1)
        layers.append(Layer(knots, np.zeros((*matrix.shape, 3)), matrix, ones, ones, 1, "identity"))
    return Network(tuple(layers))


def two_ways(*scales):
    """x -> A -> y and x -> B -> y: all edges of a way are lines of the slope that `scales` has for it."""
    return lines([[scale] for scale in scales], [scales])


LINE = np.array([[-1.0], [1.0]])


def test_the_default_keeps_a_small_node_of_which_a_steep_edge_makes_much_and_the_paper_does_not():
    """Node 1 is 0.009 x, below the paper's 1e-2, and the output 0.5 x + 100 * 0.009 x."""
    network = lines([[0.5], [0.009]], [[1.0, 100.0]])

    assert prune(network, LINE).widths == (1, 2, 1)
    assert prune(network, LINE, kind="mean").widths == (1, 1, 1)


def test_the_default_removes_a_large_node_of_which_a_flat_edge_leaves_little_and_the_paper_does_not():
    """Of the output 2 x + 0.003 * 10 x, whose spread is 2.03, node 1 has less than 2 %."""
    network = lines([[2.0], [10.0]], [[1.0, 0.003]])

    assert prune(network, LINE).widths == (1, 1, 1)
    assert prune(network, LINE, kind="mean").widths == (1, 2, 1)


@pytest.mark.parametrize(
    ("kind", "threshold"), [("attribution", 0.02 / 3.0), ("mean", 0.01), ("std", 0.01)]
)
def test_each_kind_has_its_own_threshold(kind, threshold):
    """Three outputs; one hidden node has a score just below, one just above."""
    shares = {"attribution": 3.0 * threshold, "mean": threshold, "std": threshold}[kind]
    network = lines(
        [[1.0]] * 3, [[1.0, 0.0, 0.0], [1.0, 0.99 * shares, 0.0], [1.0, 0.0, 1.03 * shares]]
    )

    pruned, named = (
        prune(network, LINE, kind=kind),
        prune(network, LINE, kind=kind, threshold=threshold),
    )

    assert pruned.widths == (1, 2, 3)
    assert pruned.theta.tobytes() == named.theta.tobytes()
    assert pruned.layers[1].w_base[2, 1] == 1.03 * shares


def test_the_default_keeps_what_carries_more_than_2_percent_of_any_one_of_many_outputs():
    network = lines([[1.0], [1.0]], [[1.0, 0.0]] * 9 + [[1.0, 0.03]])

    assert prune(network, LINE).widths == (1, 2, 10)
    assert prune(network, LINE, threshold=0.02).widths == (1, 1, 10)


def test_weak_inputs_lose_their_edges_and_keep_their_place_on_request():
    rng = np.random.default_rng(5)
    layer = random_layer(rng, 3, 2, degree=3, n_intervals=4, kind="uniform", dead=0.0, silent=0.0)
    weak = layer.w_spline.copy(), layer.w_base.copy()
    for weights in weak:
        weights[:, 1] = 1e-4
    network = Network(
        (
            replace(layer, w_spline=weak[0], w_base=weak[1]),
            random_layer(rng, 2, 1, degree=3, n_intervals=4, dead=0.0),
        )
    )
    x = inside(layer, 30, rng)

    with_it, without = prune(network, x), prune(network, x, inputs=True)

    assert with_it.layers[0].mask[:, 1].all()
    assert without.widths[0] == 3
    np.testing.assert_array_equal(is_active(without.layers[0]), [[True, False, True]] * 2)
    assert 0.0 < kr.distance(network, without, x).max < 0.01


def test_the_network_of_the_caller_is_untouched_and_the_result_the_same_each_time():
    network, x = mixed_network()
    theta, masks = network.theta.copy(), [layer.mask.copy() for layer in network.layers]

    first, second = prune(network, x, threshold=0.3), prune(network, x, threshold=0.3)

    assert first.widths != network.widths
    assert first.theta.tobytes() == second.theta.tobytes()
    np.testing.assert_array_equal(network.theta, theta)
    for layer, mask in zip(network.layers, masks, strict=True):
        np.testing.assert_array_equal(layer.mask, mask)
    assert not np.shares_memory(first.theta, network.theta)


# --- no dead path


@given(
    symbolic_cases(n_samples=samples),
    st.floats(-2.0, 0.5),
    st.sampled_from([0.0, 0.03, 0.3]),
    st.booleans(),
    st.sampled_from(KINDS),
)
def test_every_hidden_node_lies_on_a_path_and_every_output_keeps_one_or_had_none(
    drawn, power, edge_threshold, inputs, kind
):
    network, x, _ = drawn
    assume(len(x) > 1 or kind == "mean")
    pruned = try_to(
        prune,
        network,
        x,
        threshold=10.0**power,
        edge_threshold=edge_threshold,
        inputs=inputs,
        kind=kind,
    )
    assume(pruned is not None)

    paths = paths_by_walking(pruned)

    for number in range(1, len(pruned.widths) - 1):
        assert {path[number] for path in paths} == set(range(pruned.widths[number]))
    kept = {path[-1] for path in paths}
    for j in {path[-1] for path in paths_by_walking(network)} - kept:
        assert np.ptp(network(x)[:, j]) <= 1e-13 * size_of(network, x)
    assert kept
    assert pruned.widths[0] == network.widths[0]


def test_nodes_behind_and_before_a_removed_one_go_with_it():
    """x -> A0 -> B0 -> y0 and x -> A1 -> B1 -> y0: without B1, A1 leads nowhere; without A1, B1 is a constant."""
    line = random_network(np.random.default_rng(7), widths=(1, 2, 2, 1), degrees=[3], dead=0.0)
    network = kr.mask_edges(line, 1, np.eye(2))
    x = random_batch(np.random.default_rng(8), network.layers[0], 20)

    assert remove_nodes(network, x, 2, [1]).widths == (1, 1, 1, 1)
    assert remove_nodes(network, x, 1, [1]).widths == (1, 1, 1, 1)
    assert remove_edges(network, x, 1, [(1, 1)]).widths == (1, 1, 1, 1)


def test_the_formula_0_is_no_path():
    network, x = mixed_network(widths=(2, 3, 1))
    first, last = network.layers
    mask, zero = np.ones((1, 3)), SymbolicEdge(0, 2, LIBRARY["0"], 0)
    mask[0, 2] = 0.0
    network = Network(
        (first, replace(last, mask=mask, symbolic=[zero], affine=[[1.0, 0.0, 1.0, 0.75]]))
    )

    pruned = prune(network, x, threshold=0.0)

    assert pruned.widths == (2, 2, 1)
    assert pruned.layers[1].symbolic == ()
    assert kr.distance(network, pruned, x).max < 1e-13 * size_of(network, x)


# --- what is left behind


@given(
    symbolic_cases(n_samples=samples),
    st.floats(-2.0, 0.5),
    st.sampled_from([0.0, 0.1, 0.5]),
    st.sampled_from(KINDS),
)
def test_every_remaining_node_keeps_its_mean_on_the_batch(drawn, power, edge_threshold, kind):
    network, x, _ = drawn
    assume(len(x) > 1 or kind == "mean")
    pruned = try_to(
        prune, network, x, threshold=10.0**power, edge_threshold=edge_threshold, kind=kind
    )
    assume(pruned is not None)

    size = max(size_of(network, x), size_of(pruned, x))

    np.testing.assert_allclose(
        pruned(x).mean(axis=0), network(x).mean(axis=0), rtol=0, atol=1e-13 * size
    )
    means = [values.mean(axis=0).tolist() for values in nodes_of(network, x)]
    for old, new in zip(means, nodes_of(pruned, x), strict=True):
        for mean in new.mean(axis=0):
            assert min(abs(mean - other) for other in old) <= 1e-13 * size


@given(symbolic_cases(n_samples=samples))
def test_edges_of_the_last_layer_cost_exactly_their_variation(drawn):
    network, x, rng = drawn
    n_out, n_in = network.layers[-1].mask.shape
    places = [(int(rng.integers(n_out)), int(rng.integers(n_in))) for _ in range(2)]
    smaller = try_to(remove_edges, network, x, len(network.layers) - 1, places)
    assume(smaller is not None)

    removed = np.zeros((len(x), n_out))
    for j, i in set(places):
        removed[:, j] += kr.edge_outputs(network, x)[-1][:, j, i]

    found, size = network(x) - smaller(x), max(size_of(network, x), size_of(smaller, x))
    np.testing.assert_allclose(found, removed - removed.mean(axis=0), rtol=0, atol=1e-12 * size)


def test_rounding_is_no_constant():
    """0.1 + 0.2 - 0.3 is no 0 for a computer, but no reason to bend a spline."""
    network = two_ways(0.5, 0.1)

    smaller = remove_nodes(network, [[0.1], [0.2], [-0.3]], 1, [1])

    assert not smaller.layers[1].coef.any()


def test_constants_hold_where_the_inputs_have_moved_to():
    """The hidden node lies in its grid [-0.5, 0.5] before the second edge goes, and partly outside after."""
    rng = np.random.default_rng(19)
    first = Layer(
        kr.uniform_knots(-np.ones(2), np.ones(2), 2, 1),
        np.zeros((1, 2, 3)),
        [[1.0, 1.0]],
        [[1, 1]],
        [[1, 1]],
        1,
        "identity",
    )
    last = random_layer(rng, 1, 1, degree=3, n_intervals=4, dead=0.0, silent=0.0)
    network = Network((first, replace(last, knots=kr.uniform_knots(-0.5, 0.5, 4, 3))))
    x = np.array([[0.9, -0.5], [-0.9, 0.6], [0.1, -0.1]])

    smaller = remove_edges(network, x, 0, [(0, 1)])

    assert np.abs(nodes_of(network, x)[1]).max() < 0.5 < np.abs(nodes_of(smaller, x)[1]).max()
    np.testing.assert_allclose(smaller(x).mean(), network(x).mean(), rtol=1e-13)


@given(symbolic_cases(n_samples=samples))
def test_what_is_constant_on_the_batch_goes_without_a_trace(drawn):
    """All samples are one point, so everything is constant."""
    network, x, rng = drawn
    x = np.repeat(x[:1], 3, axis=0)
    number = int(rng.integers(len(network.layers)))
    n_out, n_in = network.layers[number].mask.shape
    place = (int(rng.integers(n_out)), int(rng.integers(n_in)))
    attempts = [try_to(remove_edges, network, x, number, [place])]
    if number:
        attempts.append(try_to(remove_nodes, network, x, number, [place[1]]))
    attempts.append(try_to(prune, network, x, threshold=0.5, edge_threshold=0.2))

    for smaller in attempts:
        if smaller is not None:
            size = max(size_of(network, x), size_of(smaller, x))
            np.testing.assert_allclose(smaller(x), network(x), rtol=0, atol=1e-12 * size)


def on_its_grids(network, x):
    """Whether every sample lies on the grid of every spline that takes it."""
    for layer in network.layers:
        off = (x < layer.breakpoints[:, 0]) | (x > layer.breakpoints[:, -1])
        if off[:, layer.mask.any(axis=0)].any():
            return False
        x = Network((layer,))(x)
    return True


@given(symbolic_cases(n_samples=samples))
def test_the_order_of_removals_does_not_matter_while_activations_stay_on_their_grids(drawn):
    """A constant that a spline holds decays where a later removal moves the activations off its grid, also where that removal extends
    the grid: what has decayed by then, however little, stays so.
    """
    network, x, rng = drawn
    hidden = [
        (number, node)
        for number in range(1, len(network.layers))
        for node in range(network.widths[number])
    ]
    assume(len(hidden) > 1)
    (one, node), (other, last) = (
        hidden[k] for k in sorted(rng.choice(len(hidden), 2, replace=False))
    )
    together = try_to(remove_nodes, network, x, one, [node, last]) if one == other else None

    results, intervals = [], []
    for first, second in (((one, node), (other, last)), ((other, last), (one, node))):
        middle = try_to(remove_nodes, network, x, first[0], [first[1]])
        if middle is None or middle.widths != tuple(
            np.subtract(network.widths, np.arange(len(network.widths)) == first[0])
        ):
            return  # more went than was asked, and numbers have changed
        place = second[1] - (first[0] == second[0] and first[1] < second[1])
        results.append(try_to(remove_nodes, middle, x, second[0], [place]))
        if results[-1] is not None:
            intervals += [
                [layer.n_intervals for layer in net.layers] for net in (middle, results[-1])
            ]

    found = [result for result in (*results, together) if result is not None]
    assert len(found) in (0, 2 + (one == other))
    assume(all(on_its_grids(result, x) for result in found))
    assume(intervals[::2] == intervals[1::2])
    for result in found[1:]:
        size = max(size_of(network, x), size_of(result, x), size_of(found[0], x))
        np.testing.assert_allclose(result(x), found[0](x), rtol=1e-9, atol=1e-10 * size)
        assert result.widths == found[0].widths


def test_a_chain_of_constants_is_folded_through_three_layers():
    """The only input of node A is dead, so A, B (fed by A alone) and C (fed by B alone) are constants; y needs phi(C)."""
    rng = np.random.default_rng(11)
    network = random_network(rng, widths=(2, 2, 2, 2, 1), degrees=[3], base="silu", dead=0.0)
    layers = [
        replace(layer, mask=np.eye(2) if number else [[1.0, 1.0], [0.0, 0.0]])
        for number, layer in enumerate(network.layers[:3])
    ]
    network = Network((*layers, network.layers[3]))
    x = random_batch(rng, network.layers[0], 25)

    pruned = prune(network, x, threshold=0.0)

    assert pruned.widths == (2, 1, 1, 1, 1)
    values = 0.0
    for number in (1, 2, 3):
        values = kr.edge_curve(network, number, output=int(number < 3), input=1, x=[values])[0]
    bare = Network(
        tuple(
            replace(
                one,
                coef=two.coef[:1, : one.n_in],
                w_spline=two.w_spline[:1, : one.n_in],
                knots=two.knots[: one.n_in],
                symbolic=(),
                affine=np.empty((0, 4)),
            )
            for one, two in zip(pruned.layers, network.layers, strict=True)
        )
    )
    np.testing.assert_allclose(pruned(x) - bare(x), values, rtol=1e-10)
    np.testing.assert_allclose(pruned(x), network(x), rtol=0, atol=1e-12 * size_of(network, x))


@given(symbolic_cases(n_samples=samples), st.floats(-1.0, 0.5))
def test_a_node_changes_by_what_it_lost_and_what_came_to_it(drawn, power):
    """Layer by layer: rms change <= std of the removed edges + rms change of the kept ones at their moved inputs."""
    network, x, _ = drawn
    assume(len(network.layers) > 1)
    kept = [record.least > 10.0**power for record in node_scores(network, x)]
    kept[0][:], kept[-1][:] = True, True
    pruned = try_to(prune, network, x, threshold=10.0**power, kind="mean")
    assume(pruned is not None and pruned.widths == tuple(int(flags.sum()) for flags in kept))

    old, new, outputs = nodes_of(network, x), nodes_of(pruned, x), kr.edge_outputs(network, x)
    size = max(size_of(network, x), size_of(pruned, x))
    for number, layer in enumerate(network.layers):
        moved = old[number].copy()
        moved[:, kept[number]] = new[number]
        came = kr.edge_outputs(Network((layer,)), moved)[0] - outputs[number]
        lost = outputs[number][:, :, ~kept[number]].sum(axis=2).std(axis=0)
        bound = lost + np.sqrt((came**2).mean(axis=0)).sum(axis=1)
        found = np.sqrt(
            np.mean((new[number + 1] - old[number + 1][:, kept[number + 1]]) ** 2, axis=0)
        )
        assert (found <= bound[kept[number + 1]] + 1e-12 * size).all()


# --- where constants lie


def one_output(edges, n_in=3, **options):
    """A layer of one output with uniform grids on [-1, 1], all splines of weight 1 but where `options` say otherwise."""
    rng = np.random.default_rng(13)
    base = kr.init_network((n_in, 1), n_intervals=4, degree=3, domain=(-1.0, 1.0), rng=rng).layers[
        0
    ]
    symbolic = [SymbolicEdge(0, i, LIBRARY[name], row) for i, name, row in edges]
    return replace(base, symbolic=symbolic, **options)


def shift(layer, folded, x):
    return Network((folded,))(x) - Network((layer,))(x)


X = np.random.default_rng(14).uniform(-1.0, 1.0, (30, 3))
OUT = X * [2.0, 2.0, 2.0]


def test_a_constant_goes_into_the_heaviest_spline_whose_samples_lie_in_its_grid():
    layer = one_output([], w_spline=[[0.5, -2.0, 5.0]])
    x = X * [1.0, 1.0, 1.5]

    folded = fold_constants(layer, x, np.array([0.6]))

    np.testing.assert_allclose(
        folded.coef[0] - layer.coef[0], [[0.0] * 7, [-0.3] * 7, [0.0] * 7], atol=1e-15
    )
    np.testing.assert_allclose(shift(layer, folded, x), 0.6, rtol=1e-13)


def test_the_ends_of_the_grid_belong_to_it():
    layer = one_output([], w_spline=[[1.0, 0.5, 0.5]])
    x = np.array([[-1.0, 0.0, 0.0], [1.0, 0.0, 0.0]])

    folded = fold_constants(layer, x, np.array([0.6]))

    np.testing.assert_allclose(folded.coef[0, 0] - layer.coef[0, 0], 0.6, rtol=1e-13)
    np.testing.assert_allclose(shift(layer, folded, x), 0.6, rtol=1e-13)


def test_else_into_a_formula_of_this_output_alone():
    layer = one_output([(1, "sin", 0)], mask=[[1.0, 0.0, 1.0]], affine=[[1.0, 0.5, 2.0, 0.25]])

    folded = fold_constants(layer, OUT, np.array([0.6]))

    np.testing.assert_allclose(folded.affine, [[1.0, 0.5, 2.0, 0.85]])
    np.testing.assert_array_equal(folded.coef, layer.coef)


def test_formulas_that_are_locked_within_an_output_share_the_constant():
    layer = one_output(
        [(0, "sin", 0), (1, "sin", 0)], mask=[[0.0, 0.0, 1.0]], affine=[[1.0, 0.5, 2.0, 0.25]]
    )

    folded = fold_constants(layer, OUT, np.array([0.6]))

    np.testing.assert_allclose(folded.affine, [[1.0, 0.5, 2.0, 0.55]])
    np.testing.assert_allclose(shift(layer, folded, OUT), 0.6, rtol=1e-13)


def two_locked_outputs(mask):
    rng = np.random.default_rng(15)
    base = kr.init_network((2, 2), n_intervals=4, degree=3, domain=(-1.0, 1.0), rng=rng).layers[0]
    symbolic = [SymbolicEdge(j, 0, LIBRARY["sin"], 0) for j in range(2)]
    return replace(base, mask=mask, symbolic=symbolic, affine=[[1.0, 0.5, 2.0, 0.25]])


def test_a_lock_with_another_output_is_kept_as_long_as_a_dead_edge_can_hold_the_constant():
    layer = two_locked_outputs(np.zeros((2, 2)))

    folded = fold_constants(layer, OUT[:, :2], np.array([0.6, 0.0]))

    assert [(e.output, e.input, e.name) for e in folded.symbolic] == [
        (0, 0, "sin"),
        (0, 1, "0"),
        (1, 0, "sin"),
    ]
    assert folded.symbolic[0].row == folded.symbolic[2].row
    np.testing.assert_allclose(shift(layer, folded, OUT[:, :2]), [[0.6, 0.0]] * 30, atol=1e-13)


def test_a_formula_leaves_its_lock_where_nothing_else_can_hold_the_constant():
    layer = two_locked_outputs([[0.0, 1.0], [0.0, 1.0]])

    folded = fold_constants(layer, OUT[:, :2], np.array([0.6, 0.0]))

    np.testing.assert_allclose(folded.affine, [[1.0, 0.5, 2.0, 0.85], [1.0, 0.5, 2.0, 0.25]])
    np.testing.assert_allclose(shift(layer, folded, OUT[:, :2]), [[0.6, 0.0]] * 30, atol=1e-13)


@pytest.mark.parametrize("weight", [0.0, LEAST_WEIGHT, -1e-12])
def test_a_spline_next_to_silence_gets_weight_1_and_keeps_its_curve(weight):
    layer = one_output([], w_spline=[[weight, weight, 3.0]])
    x = X * [1.0, 1.0, 1.5]

    folded = fold_constants(layer, x, np.array([0.6]))

    np.testing.assert_array_equal(folded.w_spline, [[1.0, weight, 3.0]])
    np.testing.assert_allclose(shift(layer, folded, x), 0.6, rtol=1e-13)


def test_a_dead_edge_is_revived_as_the_constant_alone():
    layer = one_output([], mask=[[1.0, 0.0, 0.0]])

    folded = fold_constants(layer, OUT, np.array([0.6]))

    assert [(edge.input, edge.name) for edge in folded.symbolic] == [(1, "0")]
    np.testing.assert_array_equal(folded.mask, layer.mask)
    np.testing.assert_allclose(shift(layer, folded, 100.0 * OUT), 0.6, rtol=1e-13)


@given(st.integers(0, 2**32 - 1), st.integers(0, 5), st.sampled_from([1.2, 2.0, 50.0]))
def test_a_grid_grows_where_all_edges_are_splines_that_samples_leave(seed, degree, stretch):
    rng = np.random.default_rng(seed)
    layer = random_layer(
        rng,
        2,
        2,
        degree=degree,
        n_intervals=3,
        kind=str(rng.choice(["uniform", "uneven"])),
        dead=0.0,
    )
    middle = layer.breakpoints.mean(axis=1)
    x = middle + stretch * (inside(layer, 20, rng) - middle)
    low, high = layer.breakpoints[:, 0], layer.breakpoints[:, -1]
    assume(((x < low) | (x > high)).any(axis=0).all())

    folded = fold_constants(layer, x, np.array([0.6, -0.2]))

    assert folded.n_intervals > layer.n_intervals
    assert folded.n_intervals <= layer.n_intervals + 2 * (degree + 1)
    size = size_of(Network((folded,)), x)
    np.testing.assert_allclose(shift(layer, folded, x), [[0.6, -0.2]] * 20, atol=1e-12 * size)


def test_a_grid_grows_by_no_more_than_it_must():
    """Input 0 would need two intervals more on the left and one on the right, input 1 two on the right, ends included."""
    layer = one_output([], n_in=2)
    x = np.array([[-1.75, 2.0], [1.25, -1.0]])

    folded = fold_constants(layer, x, np.array([0.6]))

    np.testing.assert_allclose(folded.breakpoints, [np.linspace(-1.0, 2.0, 7)] * 2)
    np.testing.assert_allclose(
        folded.coef[0, 1] - np.pad(layer.coef[0, 1], (0, 2)), 0.6, rtol=1e-13
    )


def test_an_output_that_depends_on_nothing_keeps_its_constant():
    network, x = mixed_network(widths=(3, 4, 2))
    first, last = network.layers
    mask = first.mask.copy()
    mask[3] = 0.0
    symbolic = [edge for edge in first.symbolic if edge.output != 3]
    only = np.ones((2, 4))
    only[1, :3] = 0.0
    network = Network(
        (replace(first, mask=mask, symbolic=symbolic), replace(last, mask=only, symbolic=()))
    )
    assert np.ptp(network(x)[:, 1]) < 1e-15 < abs(network(x)[0, 1])

    pruned = prune(network, x, threshold=0.0)

    assert pruned.widths == (3, 3, 2)
    assert [(edge.output, edge.name) for edge in pruned.layers[1].symbolic] == [(1, "0")]
    assert kr.distance(network, pruned, x).max < 1e-13 * size_of(network, x)
    again = prune(pruned, x, threshold=0.0)
    np.testing.assert_array_equal(again.theta, pruned.theta)


# --- what is refused


@given(
    symbolic_cases(n_samples=samples),
    st.floats(-1.5, 0.5),
    st.sampled_from([0.0, 0.1, 0.5, 2.0]),
    st.booleans(),
    st.sampled_from(KINDS),
)
def test_an_output_is_never_cut_off_and_the_threshold_named_keeps_it(
    drawn, power, edge_threshold, inputs, kind
):
    network, x, _ = drawn
    assume(len(x) > 1 or kind == "mean")
    thresholds = {
        "threshold": 10.0**power,
        "edge_threshold": edge_threshold,
        "inputs": inputs,
        "kind": kind,
    }
    try:
        prune(network, x, **thresholds)
    except ValueError as error:
        message = str(error)
    else:
        return
    if message.startswith("network keeps no path"):
        assert np.ptp(network(x), axis=0).max() <= 1e-13 * size_of(network, x)
        return
    assert re.match(
        r"threshold \S+( with edge_threshold \S+)? leaves outputs? .* without a path from any input; an? ",
        message,
    )
    for name, value in re.findall(r"an? (\w+) below (\S+)", message):
        thresholds[name] = 0.999 * float(value)
    kept = prune(network, x, **thresholds)
    had = {path[-1] for path in paths_by_walking(network)}
    strong = {j for j in had if np.ptp(network(x)[:, j]) > 1e-12 * size_of(network, x)}
    assert strong <= {path[-1] for path in paths_by_walking(kept)}


@pytest.mark.parametrize(
    ("thresholds", "sentence"),
    [
        (
            {"threshold": 0.5},
            "threshold 0.5 leaves output 0 without a path from any input; a threshold below 0.25 keeps one",
        ),
        (
            {"edge_threshold": 0.3},
            "threshold 0.01 with edge_threshold 0.3 leaves output 0 without a path from any input; an edge_threshold below 0.25 keeps one",
        ),
        (
            {"threshold": 0.5, "edge_threshold": 0.7},
            "threshold 0.5 with edge_threshold 0.7 leaves output 0 without a path from any input; "
            "a threshold below 0.25 with an edge_threshold below 0.25 keeps one",
        ),
    ],
)
def test_a_refusal_says_which_threshold_would_keep_a_path(thresholds, sentence):
    """Edges 0.5 and 0.1 enter the hidden nodes, 0.5 * 0.5 and 0.1 * 0.1 the output."""
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        prune(two_ways(0.5, 0.1), LINE, **thresholds, kind="mean")


def test_a_refusal_does_not_take_the_formula_0_for_a_path():
    """y_1 hangs on the weak way alone; from the strong one it has a constant 5."""
    first, last = two_ways(0.5, 0.1).layers
    knots, zero = last.knots, SymbolicEdge(1, 0, LIBRARY["0"], 0)
    last = Layer(
        knots,
        np.zeros((2, 2, 3)),
        [[0.5, 0.1]] * 2,
        np.ones((2, 2)),
        [[1, 1], [0, 1]],
        1,
        "identity",
        [zero],
        [[1, 0, 1, 5]],
    )

    with pytest.raises(
        ValueError,
        match=r"^threshold 0.05 leaves output 1 without .*; a threshold below 0.01 keeps one$",
    ):
        prune(Network((first, last)), LINE, threshold=0.05, kind="mean")


def test_a_network_without_any_path_is_refused():
    network = kr.mask_edges(two_ways(0.5, 0.1), 1, [[0, 0]])

    for action in (
        lambda: prune(network, LINE),
        lambda: remove_nodes(network, LINE, 1, [0]),
        lambda: prune(two_ways(0.0, 0.0), LINE),
    ):
        with pytest.raises(
            ValueError,
            match=r"^network keeps no path from an input to an output: it is constant on x, and",
        ):
            action()


def test_removing_the_last_path_to_an_output_is_refused():
    network, x = mixed_network()

    with pytest.raises(
        ValueError,
        match=r"^removing nodes \[0, 1, 2, 3\] of layer 1 leaves outputs \[0, 1\] without a path from any input$",
    ):
        remove_nodes(network, x, 1, range(4))
    with pytest.raises(
        ValueError,
        match=r"^removing edges \[\(1, 0\), .*\] of layer 2 leaves output 1 without a path from any input$",
    ):
        remove_edges(network, x, 2, [(1, 2), (1, 0), (1, 1)])
    with pytest.raises(
        ValueError, match=r"^removing nodes \[0, 1, 2\] of layer 0 leaves outputs \[0, 1\] without"
    ):
        remove_nodes(network, x, 0, (0, 1, 2))


def test_removed_inputs_are_gone():
    rng = np.random.default_rng(16)
    network = random_network(rng, widths=(3, 2, 1), degrees=[3], dead=0.0)
    x = random_batch(rng, network.layers[0], 30)
    lost = kr.edge_outputs(network, x)[0][:, :, [0, 2]].sum(axis=2)

    smaller = remove_nodes(network, x, 0, [2, 0])

    assert smaller.widths == (1, 2, 1)
    hidden = nodes_of(smaller, x[:, [1]])[1]
    np.testing.assert_allclose(
        hidden, nodes_of(network, x)[1] - lost + lost.mean(axis=0), atol=1e-12
    )


def test_removing_nothing_changes_nothing():
    network = random_network(np.random.default_rng(17), widths=(2, 3, 1), degrees=[3], dead=0.0)
    x = random_batch(np.random.default_rng(18), network.layers[0], 5)

    for same in (
        remove_nodes(network, x, 1, []),
        remove_edges(network, x, 1, np.empty((0, 2), dtype=int)),
        prune(network, x, threshold=0),
    ):
        assert same.theta.tobytes() == network.theta.tobytes()


def test_a_formula_that_loses_its_domain_is_refused():
    """The hidden node is x_1 + 0.9 x_2 > 0 on the batch, but not without the variation of x_2."""
    knots = kr.uniform_knots(-np.ones(2), np.ones(2), 2, 1)
    first = Layer(
        knots, np.zeros((1, 2, 3)), [[1.0, 0.9]], np.ones((1, 2)), np.ones((1, 2)), 1, "identity"
    )
    log = Layer(
        knots[:1],
        np.zeros((1, 1, 3)),
        [[1.0]],
        [[1.0]],
        [[0.0]],
        1,
        "identity",
        [SymbolicEdge(0, 0, LIBRARY["log"], 0)],
        [[1, 0, 1, 0]],
    )
    network, x = Network((first, log)), np.array([[1.0, -0.5], [-0.5, 1.0]])

    with pytest.raises(
        ValueError,
        match=r"^the pruned network is not defined on the whole batch: x\[1\] gives log .* of layer 1 the argument",
    ):
        remove_edges(network, x, 0, [(0, 1)])


@pytest.mark.parametrize(
    "action",
    [
        prune,
        lambda net, x: remove_nodes(net, x, 1, [0]),
        lambda net, x: remove_edges(net, x, 0, [(0, 0)]),
    ],
)
def test_points_where_a_formula_is_not_defined_are_refused(action):
    """The point is outside the domain of log on an edge that goes."""
    knots = kr.uniform_knots(-1.0, 1.0, 2, 1)
    first = Layer(
        knots,
        np.zeros((2, 1, 3)),
        [[0.0], [1.0]],
        [[1], [1]],
        [[0], [1]],
        1,
        "identity",
        [SymbolicEdge(0, 0, LIBRARY["log"], 0)],
        [[1, 0, 1, 0]],
    )
    network = Network((first, two_ways(1.0, 1.0).layers[1]))

    with pytest.raises(
        ValueError,
        match=r"^x\[1\] gives log on the edge from input 0 to output 0 of layer 0 the argument -2",
    ):
        action(network, [[1.0], [-2.0], [3.0]])


@pytest.mark.parametrize(
    "action",
    [
        prune,
        lambda net, x: remove_nodes(net, x, 1, [0]),
        lambda net, x: remove_edges(net, x, 0, [(0, 0)]),
    ],
)
def test_what_is_no_network_and_no_batch_is_refused(action):
    network, x = mixed_network()

    with pytest.raises(
        ValueError, match=r"^x has shape \(0, 3\), but a mean over samples needs at least one$"
    ):
        action(network, x[:0])
    with pytest.raises(
        ValueError,
        match=r"^x contains nan at row 39, column 2, but needs finite numbers",
    ):
        action(network, np.where(np.arange(120).reshape(40, 3) == 119, np.nan, x))
    with pytest.raises(ValueError, match=r"^x has shape \(40, 2\), but needs shape \(batch, 3\)$"):
        action(network, x[:, :2])
    with pytest.raises(TypeError, match=r"^network is None, but must be a Network$"):
        action(None, x)


@for_all(
    ("kind", "call", "sentence"),
    [
        (
            ValueError,
            lambda net, x: prune(net, x, threshold=-1.0),
            "threshold is -1.0, but must be at least 0",
        ),
        (
            ValueError,
            lambda net, x: prune(net, x, edge_threshold=np.nan),
            "edge_threshold is nan, but must be finite",
        ),
        (
            TypeError,
            lambda net, x: prune(net, x, inputs=1),
            "inputs is 1, but must be True or False",
        ),
        (
            ValueError,
            lambda net, x: prune(net, x, kind="sum"),
            "kind is 'sum', but must be one of 'mean', 'std', 'attribution'",
        ),
        (
            ValueError,
            lambda net, x: prune(net, x[:1], kind="std"),
            r"x has shape \(1, 3\), but a standard deviation needs at least two samples",
        ),
        (
            IndexError,
            lambda net, x: remove_nodes(net, x, 3, [0]),
            "layer is 3, but must be between 0 and 2",
        ),
        (
            IndexError,
            lambda net, x: remove_nodes(net, x, 1, [4]),
            "a node in nodes is 4, but must be between 0 and 3",
        ),
        (
            TypeError,
            lambda net, x: remove_nodes(net, x, 1, 2),
            r"nodes is 2, but must be a sequence of integers such as \(0, 2\)",
        ),
        (
            TypeError,
            lambda net, x: remove_nodes(net, x, 1, "01"),
            "nodes is '01', but must be a sequence of integers .*",
        ),
        (
            TypeError,
            lambda net, x: remove_nodes(net, x, 1, [0.0]),
            "a node in nodes is 0.0, but must be an integer",
        ),
        (
            IndexError,
            lambda net, x: remove_edges(net, x, 0, [(0, 3)]),
            "input is 3, but must be between 0 and 2",
        ),
        (
            IndexError,
            lambda net, x: remove_edges(net, x, 0, [(4, 0)]),
            "output is 4, but must be between 0 and 3",
        ),
        (
            IndexError,
            lambda net, x: remove_edges(net, x, -1, [(0, 0)]),
            "layer is -1, but must be between 0 and 2",
        ),
        (
            TypeError,
            lambda net, x: remove_edges(net, x, 0, (0, 1)),
            r"places is \(0, 1\), but must be pairs \(output, input\) .*",
        ),
        (
            TypeError,
            lambda net, x: remove_edges(net, x, 0, None),
            "places is None, but must be pairs .*",
        ),
    ],
)
def test_arguments_that_do_not_fit_are_refused(kind, call, sentence):
    with pytest.raises(kind, match=f"^{sentence}$"):
        call(*mixed_network())


@pytest.mark.parametrize("scale", [1e-12, 1e-9, 1e-6, 1e-4, 1e-2, 1.0, 1e3])
def test_the_advised_threshold_keeps_a_path_whatever_the_size_of_the_scores(scale):
    rng = np.random.default_rng(0)
    network = random_network(
        rng, widths=(2, 3, 1), degrees=[3], kind="uniform", base="zero", dead=0.0, silent=0.0
    )
    network = network.with_theta(
        np.concatenate(
            [
                np.r_[
                    layer.coef.ravel() * scale, np.zeros(layer.w_base.size), layer.w_spline.ravel()
                ]
                for layer in network.layers
            ]
        )
    )
    x = random_batch(rng, network.layers[0], 30)

    with pytest.raises(ValueError, match=r"; a threshold below \S+ keeps one$") as caught:
        prune(network, x, threshold=1e6, kind="mean")

    advised = float(re.search(r"a threshold below (\S+) keeps", str(caught.value))[1])
    assert prune(network, x, threshold=0.999 * advised, kind="mean").widths[-1] == 1
    with pytest.raises(ValueError, match="without a path"):
        prune(network, x, threshold=1.001 * advised, kind="mean")


def layer_of_lines(weights, coef=None):
    """A layer of lines phi_ji(x) = w_ji x on [-4, 4]: the coefficients of splines of degree 1 are values at the knots."""
    weights = np.asarray(weights, dtype=float)
    knots = kr.uniform_knots([-4.0] * weights.shape[1], 4.0, 4, 1)
    coef = weights[:, :, None] * knots[:, 1:-1] if coef is None else coef
    ones = np.ones(weights.shape)
    return kr.Layer(knots, coef, 0.0 * ones, ones, ones, 1, "zero")


def test_a_pruned_network_that_is_undefined_at_one_output_alone_says_so():
    """x_0 - x_0 + 3 is 3; without its first edge the node reaches below 0, where one output is a logarithm."""
    x = np.column_stack([np.linspace(-3.9, 3.9, 21), 3.0 - np.linspace(-3.9, 3.9, 21)])
    first = layer_of_lines([[1.0, 1.0], [0.5, 0.0]])
    first = replace(first, knots=kr.uniform_knots([-8.0, -8.0], 8.0, 4, 1), coef=2.0 * first.coef)
    network = kr.Network((first, layer_of_lines([[1.0, 0.0], [0.0, 1.0]])))
    network = kr.fix_symbolic(
        network, 1, output=0, input=0, name="log", affine=(1.0, 0.0, 1.0, 0.0)
    )
    assert np.isfinite(network(x)).all()

    with pytest.raises(
        ValueError, match=r"^the pruned network is not defined on the whole batch: "
    ):
        remove_edges(network, x, 0, [(0, 0)])


@pytest.mark.parametrize("scale", [1e-18, 1e-9, 1.0, 1e9, 1e18])
def test_constants_of_the_size_of_rounding_change_nothing_and_larger_ones_are_kept(scale):
    """Edges 0 and 1 cancel to rounding error, or to a millionth; edge 2 stays."""
    x = np.random.default_rng(0).uniform(-3.9, 3.9, (50, 3))
    coef = scale * np.array([[np.full(5, 0.1), np.full(5, -0.1), np.linspace(-1.0, 1.0, 5)]])
    cancels = kr.Network((layer_of_lines(np.ones((1, 3)), coef * [[[1.0], [1.0 + 3e-16], [1.0]]]),))
    differs = kr.Network((layer_of_lines(np.ones((1, 3)), coef * [[[1.0], [1.0 - 1e-6], [1.0]]]),))

    same, moved = (remove_edges(net, x, 0, [(0, 0), (0, 1)]) for net in (cancels, differs))

    np.testing.assert_array_equal(same.layers[0].coef[0, 2], coef[0, 2])
    assert same.layers[0].symbolic == ()
    np.testing.assert_allclose(moved.layers[0].coef[0, 2] - coef[0, 2], 1e-7 * scale, rtol=1e-6)


@pytest.mark.parametrize("sign", [-1.0, 1.0])
@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e9])
def test_rounding_is_measured_by_the_largest_edge_of_whatever_sign(sign, scale):
    """The removed edge has the constant value 10^-17, the kept one values in [1, 2], its last coefficient is 0."""
    x = np.random.default_rng(0).uniform([-3.9, -3.9], [3.9, 1.9], (50, 2))
    coef = sign * scale * np.array([[np.full(5, 1e-17), [2.0, 1.5, 1.0, 1.2, 0.0]]])
    network = kr.Network((layer_of_lines(np.ones((1, 2)), coef),))

    same = remove_edges(network, x, 0, [(0, 0)])

    np.testing.assert_array_equal(same.layers[0].coef[0, 1], coef[0, 1])
    assert same.layers[0].symbolic == ()


@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_a_mean_of_a_trillionth_is_no_rounding(sign):
    x = np.random.default_rng(0).uniform(-3.9, 3.9, (50, 2))
    coef = np.array([[np.full(5, sign * 1e-12), np.linspace(-1.0, 1.0, 5)]])
    network = kr.Network((layer_of_lines(np.ones((1, 2)), coef),))

    moved = remove_edges(network, x, 0, [(0, 0)])

    np.testing.assert_allclose(
        moved.layers[0].coef[0, 1] - coef[0, 1], sign * 1e-12, rtol=1e-3, atol=0
    )


def test_a_mean_beyond_all_numbers_is_reported_as_such():
    x = np.column_stack([np.linspace(-3.9, 3.9, 4)] * 2)
    coef = np.array([[np.full(5, 1e308), np.full(5, 1.0)]])
    network = kr.Network((layer_of_lines(np.ones((1, 2)), coef),))

    with (
        np.errstate(over="ignore"),
        pytest.raises(ValueError, match=r"whole batch: a mean exceeds the largest float64$"),
    ):
        remove_edges(network, x, 0, [(0, 0)])


ADVICE = re.compile(r"an? (\w+) below (\S+)")


@pytest.mark.parametrize(
    ("thresholds", "advice"),
    [
        ({"threshold": 0.5}, {"threshold": 0.015625}),
        ({"edge_threshold": 0.3}, {"edge_threshold": 0.015625}),
        (
            {"threshold": 0.5, "edge_threshold": 0.7},
            {"threshold": 0.015625, "edge_threshold": 0.015625},
        ),
    ],
)
def test_where_several_outputs_are_cut_off_the_advice_keeps_all_of_them(thresholds, advice):
    """Output 0 is reached by edges of 0.5 and 0.25, output 1 by edges of 1/8 and 1/64."""
    network = lines([[0.5], [0.125]], [[0.5, 0.0], [0.0, 0.125]])
    network = kr.mask_edges(network, 1, np.eye(2))

    with pytest.raises(ValueError, match=r"leaves outputs \[0, 1\] without a path") as caught:
        prune(network, LINE, **thresholds, kind="mean")

    found = {name: float(value) for name, value in ADVICE.findall(str(caught.value))}
    assert found == pytest.approx(advice)
    below, at = (
        thresholds | {name: factor * value for name, value in found.items()}
        for factor in (1.0 - 1e-9, 1.0)
    )
    assert prune(network, LINE, **below, kind="mean").widths == (1, 2, 2)
    with pytest.raises(ValueError, match=r"leaves output 1 without a path"):
        prune(network, LINE, **at, kind="mean")


@pytest.mark.parametrize("name", ["threshold", "edge_threshold"])
def test_a_score_equal_to_the_threshold_is_not_above_it(name):
    network = lines([[0.5]], [[0.5]])
    network = kr.Network((*network.layers, *lines([[1.0]]).layers))
    least = min(float(scores.min()) for scores in edge_scores(network, LINE))
    below = float(np.nextafter(least, 0.0))

    kept = prune(network, LINE, **({"threshold": 0.0} | {name: below}), kind="mean")

    assert kept.theta.tobytes() == network.theta.tobytes()
    with pytest.raises(ValueError, match=rf"{name} below 0\.25 keeps one$"):
        prune(network, LINE, **({"threshold": 0.0} | {name: least}), kind="mean")


@for_all("kind", KINDS)
@for_all("inputs", [False, True])
@for_all("dead", [0, 1, 2])
def test_an_output_that_no_score_above_0_reaches_becomes_its_constant(kind, inputs, dead):
    """x_1 -> A_1 -> B_1 -> y_1, where one edge is the line of slope 0: nothing that lower thresholds would keep."""
    matrices = [np.eye(2), np.eye(2), np.eye(2)]
    matrices[dead][1, 1] = 0.0
    network = lines(*matrices)
    for number in range(3):
        network = kr.mask_edges(network, number, np.eye(2))
    x = np.array([[-0.5, 0.5], [0.25, -0.25], [0.75, 0.5]])

    pruned = prune(network, x, threshold=0.0, inputs=inputs, kind=kind)

    assert pruned.widths == (2, 1, 1, 2)
    np.testing.assert_allclose(pruned(x), network(x), rtol=0, atol=1e-15)


@pytest.mark.parametrize("kind", KINDS)
def test_without_thresholds_no_active_edge_is_removed_and_negative_ones_are_rejected(kind):
    network = lines([[1.0], [1e-3]], [[1.0, 1.0]])

    pruned = prune(network, LINE, threshold=0.0, kind=kind)

    assert pruned.theta.tobytes() == network.theta.tobytes()
    for name in ("threshold", "edge_threshold"):
        with pytest.raises(ValueError, match=rf"^{name} is -0\.1, but must be at least 0$"):
            prune(network, LINE, **{name: -0.1}, kind=kind)


def test_only_inputs_are_exempt_besides_outputs_and_only_until_asked_for():
    """Two hidden layers: x_1 and its whole way are weak."""
    network = lines(np.diag([1.0, 1e-3]), np.eye(2), np.ones((1, 2)))
    for number in range(2):
        network = kr.mask_edges(network, number, np.eye(2))
    x = np.array([[-0.5, 0.5], [0.25, -0.25], [0.75, 0.5]])

    for inputs in (False, True):
        pruned = prune(network, x, inputs=inputs)

        assert pruned.widths == (2, 1, 1, 1)
    two = prune(lines([[1.0, 1e-3]]), x, inputs=False), prune(lines([[1.0, 1e-3]]), x, inputs=True)
    assert [is_active(one.layers[0]).tolist() for one in two] == [[[True, True]], [[True, False]]]


def test_an_edge_of_score_0_is_no_reason_for_advice():
    """The kept nodes A and B are joined by an edge of score 0; the ways over C and D have a weak edge each."""
    network = lines(
        [[1.0], [0.015625]], [[0.0, 64.0], [1.0, 0.0]], [[1.0, 0.015625]]
    )  # A, C; B, D; y
    network = kr.mask_edges(network, 1, [[1, 1], [1, 0]])

    with pytest.raises(
        ValueError,
        match=r"; a threshold below 0\.015625 with an edge_threshold below 0\.015625 keeps one$",
    ):
        prune(network, LINE, threshold=0.1, edge_threshold=0.1, kind="mean")
