"""Where a constant goes that is added to an output, and how far knot vectors are extended for it."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from networks import random_batch, random_layer, seeds, with_formulas

import kan_ref as kr
from kan_ref.functions.library import LIBRARY
from kan_ref.network import fold_constants
from kan_ref.network.constant_folding import LEAST_WEIGHT
from kan_ref.network.symbolic_edges import SymbolicEdge


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
