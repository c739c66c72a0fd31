"""Masks, locks and places of edges: what an edit changes, what it keeps and rejects; where a constant of an output goes."""

from dataclasses import replace

import numpy as np
import pytest
from cases import for_all
from hypothesis import assume, given
from hypothesis import strategies as st
from networks import network_cases, random_batch, random_layer, seeds, symbolic_cases, with_formulas

import kan_ref as kr
from kan_ref.functions.library import LIBRARY
from kan_ref.network import fold_constants
from kan_ref.network.constant_folding import LEAST_WEIGHT
from kan_ref.network.editing import check_formula, with_formula
from kan_ref.network.symbolic_edges import SymbolicEdge

ROWS = np.arange(1.0, 25.0).reshape(6, 4)


def symbolic_network(names=("sin", "sin", "sin", "sin", "exp", "sin")):
    """One layer of 3 outputs and 2 inputs, all edges symbolic with rows of their own, after a layer of splines."""
    domain, rng = (-1.0, 1.0), np.random.default_rng(0)
    first, second = kr.init_network(
        (2, 2, 3), n_intervals=3, degree=2, domain=domain, rng=rng
    ).layers
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

    for new, curve in (
        (once, 2.0 * np.sin(0.5 * x[:, i] + 0.25) - 1.0),
        (twice, 3 * x[:, i] + 0.5),
    ):
        assert rows_of(new).keys() == {(j, i)}
        assert new.mask[j, i] == 0.0
        expected = kr.edge_outputs(kr.Network((layer,)), x)[0]
        expected[:, j, i] = curve
        np.testing.assert_allclose(
            kr.edge_outputs(kr.Network((new,)), x)[0], expected, rtol=1e-12, atol=1e-12
        )


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
        unlocked = kr.unlock_edges(network, 1, places).layers[1]
        rows = {(e.output, e.input): e.row for e in unlocked.symbolic}
        assert rows_of(unlocked) == before
        assert len({rows[place] for place in places}) == len(places)
        assert all(list(rows.values()).count(rows[place]) == 1 for place in places)


def test_a_lock_that_is_unlocked_computes_the_same():
    network, x = symbolic_network(), np.random.default_rng(1).uniform(-1, 1, (9, 2))
    locked = kr.lock_edges(network, 1, [(0, 0), (2, 1)])

    np.testing.assert_array_equal(kr.unlock_edges(locked, 1, [(2, 1)])(x), locked(x))


@pytest.mark.parametrize("places", [[(0, 0)], [(0, 0), (0, 0)], [], np.zeros((3, 2), dtype=int)])
def test_a_lock_of_fewer_than_two_different_edges_is_rejected(places):
    with pytest.raises(ValueError, match=r"^places is .*, but a lock needs at least two edges$"):
        kr.lock_edges(symbolic_network(), 1, places)


@pytest.mark.parametrize("others", [[(2, 0)], [(0, 1), (2, 0)], [(2, 0), (0, 1)]])
def test_a_lock_with_an_edge_of_another_function_is_rejected_with_its_place(others):
    sentence = (
        "the edge of layer 1 from input 0 to output 2 is 'exp', "
        "but the first of places is 'sin': a lock needs one function"
    )
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        kr.lock_edges(symbolic_network(), 1, [(0, 0), *others])


# --- places


@for_all("edit", [kr.lock_edges, kr.unlock_edges])
@for_all(
    "places", [3, "00", None, {(0, 0), (0, 1)}, [(0, 0), (0,)], [0, 1], [(0, 0, 0)], ["00", "01"]]
)
def test_places_that_are_no_sequence_of_pairs_are_rejected(edit, places):
    with pytest.raises(TypeError, match=r"^places is .* must be a sequence of pairs"):
        edit(symbolic_network(), 1, places)


@for_all("edit", [kr.lock_edges, kr.unlock_edges])
@for_all(
    ("layer", "place", "sentence"),
    [
        (1, (3, 0), "output is 3, but must be between 0 and 2"),
        (1, (0, 2), "input is 2, but must be between 0 and 1"),
        (1, (0, -1), "input is -1, but must be between 0 and 1"),
        (2, (0, 0), "layer is 2, but must be between 0 and 1"),
    ],
)
def test_places_outside_of_the_network_are_rejected(edit, layer, place, sentence):
    with pytest.raises(IndexError, match=f"^{sentence}$"):
        edit(symbolic_network(), layer, [(0, 0), place])


@pytest.mark.parametrize("pairs", [np.array([[0, 1], [2, 1]]), [[0, 1], [2, 1]], ((0, 1), (2, 1))])
def test_places_may_be_any_sequence_of_pairs(pairs):
    locked = kr.lock_edges(symbolic_network(), 1, pairs).layers[1]

    assert rows_of(locked)[2, 1] == ROWS[1].tolist()


def test_edges_that_are_not_symbolic_are_rejected_with_their_place_and_a_remedy_for_a_lock():
    network = symbolic_network()
    sentence = "the edge of layer 0 from input 0 to output 1 is not symbolic"
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        kr.unlock_edges(network, 0, [(1, 0)])
    with pytest.raises(ValueError, match=f"^{sentence}: fix it first$"):
        kr.lock_edges(network, 0, [(1, 0), (0, 1)])


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


@pytest.mark.parametrize(("weight", "kept"), [(1e-7, True), (1e-9, False)])
def test_a_weight_of_a_ten_millionth_is_kept_and_one_of_a_billionth_becomes_1(weight, kept):
    layer = layer_of([weight, 1.0], [1.0, 0.0])

    folded = fold_constants(layer, X, np.array([0.25]))

    assert folded.w_spline[0, 0] == (weight if kept else 1.0)


def test_a_masked_edge_that_holds_a_constant_has_otherwise_the_parameters_of_a_new_edge():
    layer = layer_of([1.0, 1.0], [0.0, 0.0])

    folded = fold_constants(layer, X, np.array([0.25]))

    assert [edge.name for edge in folded.symbolic] == ["0"]
    np.testing.assert_array_equal(folded.affine, [[1.0, 0.0, 1.0, 0.25]])


@given(seeds, st.integers(0, 4), st.sampled_from([(0.2, 0.2), (0.9, 0.1), (0.0, 1.3), (5.0, 2.0)]))
def test_new_knots_are_a_mean_interval_apart_or_reach_as_far_as_the_samples(seed, degree, beyond):
    """`beyond` is how far samples leave the grid on the left and on the right, in widths of the grid."""
    rng = np.random.default_rng(seed)
    layer = random_layer(
        rng, 2, 1, degree=degree, n_intervals=3, kind="uneven", dead=0.0, silent=0.0
    )
    k, grid = degree, layer.breakpoints
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
            if count == k + 1:  # the knot next to the old ones is an end of the grid
                expected[0] = max(h, far)
            np.testing.assert_allclose(gaps, expected, rtol=1e-9)
    held = (folded.breakpoints[:, 0] <= x[0]) & (x[1] <= folded.breakpoints[:, -1])
    assert held.any()
