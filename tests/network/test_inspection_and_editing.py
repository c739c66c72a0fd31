"""Looking into a network and editing it: curves, scores and samples of edges, distances; masks, locks and places.

An edit changes what it should, keeps the rest, and rejects what does not fit. A constant of an output has a place to go.
"""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from networks import (
    WAYS,
    contraction_by,
    network_cases,
    random_batch,
    random_layer,
    random_network,
    seeds,
    symbolic_cases,
    with_formulas,
)
from oracles_layer import edge_curve, layer_edges

import kan_ref as kr
from kan_ref.functions.library import LIBRARY
from kan_ref.network import edge_samples, fold_constants
from kan_ref.network.constant_folding import LEAST_WEIGHT
from kan_ref.network.editing import check_formula, with_formula
from kan_ref.network.symbolic_edges import SymbolicEdge


def example(seed=0, widths=(2, 5, 3), **options):
    rng = np.random.default_rng(seed)
    network = random_network(rng, widths=widths, degrees=[3], **options)
    return network, random_batch(rng, network.layers[0], 7)


def inputs_of_layers(network, x):
    hidden = network.flow(network.prepare(x))
    return [x, *hidden[:-1]]


# --- edges


@given(network_cases(degrees=[0, 2, 3], n_samples=st.integers(1, 3)), st.sampled_from(WAYS))
def test_edge_outputs_are_the_curves_of_the_paper_at_the_activations(case, way):
    network, x, _ = case

    with contraction_by(way):
        by_package, at = kr.edge_outputs(network, x), inputs_of_layers(network, x)

    for layer, curves, points in zip(network.layers, by_package, at, strict=True):
        size = max(1.0, layer_edges(layer, points, of=abs).max())
        np.testing.assert_allclose(curves, layer_edges(layer, points), rtol=0, atol=1e-12 * size)


@given(network_cases(), st.sampled_from(WAYS))
def test_a_curve_is_the_one_of_the_paper_inside_and_outside_its_grid(case, way):
    network, _, rng = case
    number = int(rng.integers(len(network.layers)))
    layer = network.layers[number]
    j, i = int(rng.integers(layer.n_out)), int(rng.integers(layer.n_in))
    points = np.concatenate([layer.knots[i], rng.uniform(-4, 4, 5)])

    with contraction_by(way):
        curve = kr.edge_curve(network, number, output=j, input=i, x=points)

    np.testing.assert_allclose(curve, edge_curve(layer, j, i, points), rtol=0, atol=1e-12)


def test_dead_edges_have_the_curve_zero():
    network, x = example(dead=0.0)
    masked = kr.mask_edges(network, 0, [[1, 1], [1, 0], [1, 1], [1, 1], [1, 1]])

    np.testing.assert_array_equal(kr.edge_outputs(masked, x)[0][:, 1, 1], np.zeros(7))
    np.testing.assert_array_equal(kr.edge_curve(masked, 0, output=1, input=1, x=x[:, 1]), np.zeros(7))


# --- scores


def test_a_score_is_the_mean_magnitude_of_the_curve():
    network, x = example()

    scores = kr.edge_scores(network, x)

    assert [score.shape for score in scores] == [(5, 2), (3, 5)]
    for score, layer, at in zip(scores, network.layers, inputs_of_layers(network, x), strict=True):
        for j in range(layer.n_out):
            for i in range(layer.n_in):
                values = edge_curve(layer, j, i, at[:, i])
                assert score[j, i] == pytest.approx(sum(abs(value) for value in values) / len(values), abs=1e-13)


# --- distance


def shifted(network, by):
    """The one-layer network plus the constants `by` (n_out,): on the grid the bases sum to 1."""
    (layer,) = network.layers
    return kr.Network([replace(layer, coef=layer.coef + np.reshape(by, (-1, 1, 1)) * [[[1], [0]]])])


def test_distance_is_the_largest_and_the_root_mean_square_difference_over_samples_and_outputs():
    """Outputs 3 and -4 apart at every sample: max 4, rms sqrt((9 + 16) / 2)."""
    network = kr.init_network((2, 2), n_intervals=4, degree=3, domain=(-1.0, 1.0), rng=np.random.default_rng(1))
    x = np.random.default_rng(2).uniform(-1, 1, (9, 2))

    found = kr.distance(network, shifted(network, [3.0, -4.0]), x)

    assert found.max == pytest.approx(4.0, rel=1e-14)
    assert found.rms == pytest.approx(math.sqrt(12.5), rel=1e-14)
    assert type(found.max) is type(found.rms) is float


def test_distance_compares_networks_of_different_depth_and_grids():
    network, x = example(widths=(2, 3))
    other, _ = example(seed=1, widths=(2, 4, 3))

    found = kr.distance(network, other, x)

    assert found.max == np.abs(network(x) - other(x)).max()


# --- samples of edges


@given(symbolic_cases())
def test_samples_of_edges_are_the_inputs_and_the_edge_outputs_of_each_layer(drawn):
    network, x, _ = drawn

    found = edge_samples(network, x)

    expected = zip(inputs_of_layers(network, x), kr.edge_outputs(network, x), strict=True)
    for own, both in zip(found, expected, strict=True):
        for one, other in zip(own, both, strict=True):
            np.testing.assert_array_equal(one, other)


RNG = np.random.default_rng


def network(widths=(2, 3, 1), **settings):
    return kr.init_network(widths, **({"n_intervals": 4, "degree": 3, "domain": (-1.0, 1.0), "rng": RNG(0)} | settings))


@given(st.integers(0, 2**32 - 1), st.floats(0.5, 3.0))
def test_shares_and_distances_are_those_of_a_count_sample_by_sample(seed, size):
    net = network()
    x = RNG(seed).uniform(-size, size, (30, 2))

    found = kr.coverage(net, x)

    hidden = [x, net.layers[0] and kr.edge_outputs(net, x)[0].sum(axis=2)]
    for layer, h in enumerate(hidden):
        outside = set()
        for i, row in enumerate(net.layers[layer].breakpoints):
            step = (row[-1] - row[0]) / 4
            below = [b for b in range(30) if h[b, i] < row[0]]
            above = [b for b in range(30) if h[b, i] > row[-1]]
            far = [(row[0] - h[b, i]) / step for b in below]
            far += [(h[b, i] - row[-1]) / step for b in above]
            assert found.below[layer][i] == len(below) / 30
            assert found.above[layer][i] == len(above) / 30
            np.testing.assert_allclose(found.distance[layer][i], max(far, default=0.0), rtol=1e-9)
            outside |= {*below, *above}
        assert found.outside[layer] == len(outside) / 30


def test_the_ends_of_a_grid_belong_to_it():
    net = network((1, 1))

    assert kr.coverage(net, [[-1.0], [1.0]]).outside == (0.0,)
    assert kr.coverage(net, [[np.nextafter(1.0, 2.0)]]).outside == (1.0,)


def test_an_input_without_spline_edges_is_covered():
    masked = kr.mask_edges(network((2, 1)), 0, [[1, 0]])
    symbolic = kr.fix_symbolic(masked, 0, output=0, input=0, name="x")

    assert kr.coverage(masked, [[0.0, 50.0]]).outside == (0.0,)
    assert kr.coverage(symbolic, [[50.0, 50.0]]).outside == (0.0,)


def test_the_text_lists_the_inputs_that_are_left():
    x = [[0.0, 0.0], [0.0, -1.5], [0.0, 1.25], [0.1, 0.1]]

    text = str(kr.coverage(network((2, 1)), x))

    assert text.splitlines() == [
        "Coverage(4 samples, outside the grid of each layer: 50.00%)",
        "layer 0, input 1: 25.00% below, 25.00% above, up to 1 intervals away",
    ]


# --- editing


ROWS = np.arange(1.0, 25.0).reshape(6, 4)


def symbolic_network(names=("sin", "sin", "sin", "sin", "exp", "sin")):
    """One layer of 3 outputs and 2 inputs, all edges symbolic with rows of their own, after a layer of splines."""
    domain, rng = (-1.0, 1.0), np.random.default_rng(0)
    first, second = kr.init_network((2, 2, 3), n_intervals=3, degree=2, domain=domain, rng=rng).layers
    edges = [
        SymbolicEdge(j, i, LIBRARY[name], n)
        for n, ((j, i), name) in enumerate(zip(np.ndindex(3, 2), names, strict=True))
    ]
    return kr.Network((first, replace(second, mask=np.zeros((3, 2)), symbolic=edges, affine=ROWS)))


def rows_of(layer):
    """(output, input) -> a, b, c, d."""
    return {(e.output, e.input): layer.affine[e.row].tolist() for e in layer.symbolic}


# --- masks


@given(symbolic_cases(), st.booleans())
def test_a_mask_decides_which_edges_are_active_and_stays_as_it_was(drawn, at_random):
    network, _, rng = drawn
    number = int(rng.integers(len(network.layers)))
    old = network.layers[number]
    mask = np.ones(old.mask.shape)
    if at_random:
        mask = (rng.random(mask.shape) < 0.5).astype(float)
    given_mask = mask.copy()

    new = kr.mask_edges(network, number, mask).layers[number]

    np.testing.assert_array_equal(mask, given_mask)
    kept = {place: row for place, row in rows_of(old).items() if mask[place] == 1.0}
    assert rows_of(new) == kept
    is_symbolic = np.zeros(mask.shape)
    for place in kept:
        is_symbolic[place] = 1.0
    np.testing.assert_array_equal(new.mask + is_symbolic, mask)


@given(network_cases())
def test_a_formula_replaces_whatever_its_edge_was_and_leaves_other_edges_alone(drawn):
    network, x, rng = drawn
    layer = network.layers[0]
    j, i = int(rng.integers(layer.n_out)), int(rng.integers(layer.n_in))
    first, second = [0.5, 0.25, 2.0, -1.0], [1.0, 0.0, 3.0, 0.5]

    once = with_formula(layer, j, i, LIBRARY["sin"], first)
    twice = with_formula(once, j, i, LIBRARY["x"], second)

    for new, curve in ((once, 2.0 * np.sin(0.5 * x[:, i] + 0.25) - 1.0), (twice, 3 * x[:, i] + 0.5)):
        assert rows_of(new).keys() == {(j, i)}
        assert new.mask[j, i] == 0.0
        expected = kr.edge_outputs(kr.Network((layer,)), x)[0]
        expected[:, j, i] = curve
        np.testing.assert_allclose(kr.edge_outputs(kr.Network((new,)), x)[0], expected, rtol=1e-12, atol=1e-12)


# --- locks


def test_two_edges_are_enough_for_a_lock_and_the_first_place_gives_the_parameters():
    network = symbolic_network()
    before = rows_of(network.layers[1])

    locked = kr.lock_edges(network, 1, [(2, 1), (0, 1)]).layers[1]

    assert rows_of(locked) == before | {(0, 1): before[2, 1]}
    assert len(locked.affine) == 5
    np.testing.assert_array_equal(locked.mask, network.layers[1].mask)


def test_unlocking_gives_rows_of_their_own_with_the_same_values_in_any_order():
    network = kr.lock_edges(symbolic_network(), 1, [(0, 0), (0, 1), (1, 1), (2, 1)])
    before = rows_of(network.layers[1])

    for places in ([(1, 1), (0, 0)], [(0, 0), (0, 1), (1, 1), (2, 1)]):
        unlocked = kr.lock_edges(network, 1, places, shared=False).layers[1]
        rows = {(e.output, e.input): e.row for e in unlocked.symbolic}
        assert rows_of(unlocked) == before
        assert len({rows[place] for place in places}) == len(places)
        assert all(list(rows.values()).count(rows[place]) == 1 for place in places)


# --- places


def test_the_symbolic_edge_at_a_place_is_found_among_all():
    network = symbolic_network()

    for j, i in np.ndindex(3, 2):
        edge = check_formula(network, 1, j, i)
        assert (edge.output, edge.input) == (j, i)


def layer_of(weights, mask, edges=(), affine=()):
    """One output; uniform grids on [-1, 1]; `edges` are (input, name, row)."""
    n_in = len(weights)
    domain, rng = (-1.0, 1.0), np.random.default_rng(0)
    made = kr.init_network((n_in, 1), n_intervals=4, degree=3, domain=domain, rng=rng).layers[0]
    symbolic = [SymbolicEdge(0, i, LIBRARY[name], row) for i, name, row in edges]
    rows = np.array(affine, dtype=float).reshape(-1, 4)
    return replace(made, w_spline=[weights], mask=[mask], symbolic=symbolic, affine=rows)


def values(layer, x):
    return kr.Network((layer,))(x)


X = np.random.default_rng(1).uniform(-1.0, 1.0, (20, 2))


@given(seeds, st.sampled_from([0.0, 0.5]), st.sampled_from([0.5, 1.0, 3.0]))
def test_only_the_chosen_outputs_change_and_by_their_constants(seed, share, stretch):
    rng = np.random.default_rng(seed)
    layer = random_layer(rng, 2, 3, degree=2, n_intervals=3)
    (layer,) = with_formulas(rng, kr.Network((layer,)), share=share).layers
    x, mu = stretch * random_batch(rng, layer, 8), np.array([0.0, 0.75, -2.0])

    folded = fold_constants(layer, x, mu)

    before = values(layer, x)
    size = np.abs(before).max(initial=np.abs(folded.coef).max()) + 2.0
    np.testing.assert_allclose(values(folded, x), before + mu, rtol=0, atol=1e-12 * size)


def test_only_splines_over_their_samples_compete_by_weight_however_light_they_are():
    layer = layer_of([0.25, 0.5, 0.75], [1.0, 1.0, 1.0])
    x = np.column_stack([X, 2.0 * X[:, 0]])  # input 2 leaves its grid

    folded = fold_constants(layer, x, np.array([0.6]))

    changed = (folded.coef != layer.coef).any(axis=2)
    np.testing.assert_array_equal(changed, [[False, True, False]])


@pytest.mark.parametrize(("weight", "in_spline"), [(LEAST_WEIGHT, False), (1e-6, True)])
def test_a_symbolic_edge_holds_a_constant_before_a_spline_of_negligible_weight(weight, in_spline):
    layer = layer_of([weight, 1.0], [1.0, 0.0], [(1, "sin", 0)], [[1, 0, 1, 0.5]])

    folded = fold_constants(layer, X, np.array([0.25]))

    assert folded.affine[0, 3] == (0.5 if in_spline else 0.75)
    np.testing.assert_array_equal(folded.w_spline, layer.w_spline)


def test_a_masked_edge_that_holds_a_constant_has_otherwise_the_parameters_of_a_new_edge():
    layer = layer_of([1.0, 1.0], [0.0, 0.0])

    folded = fold_constants(layer, X, np.array([0.25]))

    assert [edge.name for edge in folded.symbolic] == ["0"]
    np.testing.assert_array_equal(folded.affine, [[1.0, 0.0, 1.0, 0.25]])


def test_a_lock_of_different_functions_is_refused_and_so_is_one_of_splines():
    with pytest.raises(ValueError, match=r"^places is"):
        kr.lock_edges(symbolic_network(), 1, [(0, 0), (2, 0)])
    with pytest.raises(ValueError, match="is not symbolic"):
        kr.lock_edges(symbolic_network(), 0, [(0, 0), (0, 1)])
    for place in ((3, 0), (0, 2), (0, -1)):
        with pytest.raises(IndexError, match="must be between"):
            kr.lock_edges(symbolic_network(), 1, [(0, 0), place])


def test_a_locked_edge_leaves_its_lock_to_hold_a_constant_of_its_own_output():
    locked = kr.lock_edges(symbolic_network(), 1, [(0, 0), (0, 1), (1, 0), (1, 1)]).layers[1]

    folded = fold_constants(locked, X, np.array([0.5, 0.0, 0.0]))

    np.testing.assert_allclose(values(folded, X), values(locked, X) + np.array([0.5, 0.0, 0.0]), atol=1e-9)
    assert len(folded.affine) == len(locked.affine) + 1


@pytest.mark.parametrize("weight", [0.0, LEAST_WEIGHT, 1e-9, 1e-6])
def test_a_spline_of_weight_near_0_gets_weight_1_where_it_alone_can_hold_a_constant(weight):
    layer = layer_of([weight], [1.0])

    folded = fold_constants(layer, X[:, :1], np.array([0.25]))

    assert folded.w_spline[0, 0] == (weight if weight > LEAST_WEIGHT else 1.0)
    np.testing.assert_allclose(values(folded, X[:, :1]), values(layer, X[:, :1]) + 0.25, atol=1e-12 / max(weight, 1e-3))


@given(seeds, st.integers(0, 4), st.sampled_from([(0.2, 0.2), (0.9, 0.1), (0.0, 1.3), (5.0, 2.0)]))
def test_new_knots_are_a_mean_interval_apart_or_reach_as_far_as_the_samples(seed, degree, beyond):
    """`beyond` is how far samples leave the grid on the left and on the right, in widths of the grid."""
    rng = np.random.default_rng(seed)
    layer = random_layer(rng, 2, 1, degree=degree, n_intervals=3, kind="uneven", dead=0.0, silent=0.0)
    grid = layer.breakpoints
    width = grid[:, -1] - grid[:, 0]
    x = np.stack([grid[:, 0] - beyond[0] * width, grid[:, -1] + beyond[1] * width])
    assume(((x[0] < grid[:, 0]) | (x[1] > grid[:, -1])).all())

    folded = fold_constants(layer, x, np.array([0.5]))

    for i, (old, new) in enumerate(zip(layer.knots, folded.knots, strict=True)):
        h = width[i] / layer.n_intervals
        p = int(np.flatnonzero(new == old[0])[0])
        q = len(new) - len(old) - p
        np.testing.assert_array_equal(new[p : p + len(old)], old)
        left, right = np.diff(new[: p + 1])[::-1], np.diff(new[len(new) - q - 1 :])
        for count, gaps, far in ((p, left, old[0] - x[0, i]), (q, right, x[1, i] - old[-1])):
            expected = np.full(count, h)
            expected[:1] = max(h, far)  # of the knot next to the old ones, for every input that gets any
            np.testing.assert_allclose(gaps, expected, rtol=1e-9)
    held = (folded.breakpoints[:, 0] <= x[0]) & (x[1] <= folded.breakpoints[:, -1])
    assert held.any()
