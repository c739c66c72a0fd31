"""Canonical edges and networks: the function stays, redundant parameters go, and what locks or splines forbid is left alone."""

from dataclasses import replace

import numpy as np
import pytest
from cases import for_all
from hypothesis import given
from hypothesis import strategies as st
from networks import (
    away_from_zero,
    formula_network,
    random_formulas,
    random_network,
    seeds,
    symbolic_cases,
)

from kan_ref.functions.library import LIBRARY
from kan_ref.network.network import Network
from kan_ref.symbolic.canonical import canonical_form, n_inner


def affine_of(network, number, output=0, input=0):
    layer = network.layers[number]
    [edge] = [edge for edge in layer.symbolic if (edge.output, edge.input) == (output, input)]
    return layer.affine[edge.row]


def rescaled(rng, function, affine):
    """Other parameters of the same curve, by the definition of each redundancy."""
    a, b, c, d = affine
    redundancy, s, t = function.redundancy, rng.uniform(0.5, 2.0), rng.normal()
    if redundancy.kind == "power":
        a, b, c = s * a, s * b, c / s**redundancy.degree
    elif redundancy.kind == "log":
        a, b, d = s * a, s * b, d - c * np.log(s)
    elif redundancy.kind == "exp":
        b, c = b + t, c * np.exp(-t)
    elif redundancy.kind == "line":
        a, b, c, d = s * a, b * s + t, c / s, d - c / s * t
    if redundancy.parity and rng.random() < 0.5:
        a, b, c, d = (
            -a,
            -b,
            redundancy.parity * c,
            d + (2.0 * c * redundancy.middle if redundancy.parity < 0 else 0.0),
        )
    if redundancy.turn:
        k = int(rng.integers(-3, 4))
        b, c = b + k * redundancy.turn, c * redundancy.turn_sign**k
    return a, b, c, d


def disguised(rng, network):
    """The same function, with every unlocked edge in another redundancy and every hidden node in other units, its constants elsewhere."""
    affines = [layer.affine.copy() for layer in network.layers]
    for number, lower in enumerate(network.layers[:-1]):
        upper = network.layers[number + 1]
        for node in range(lower.n_out):
            s, below = (
                away_from_zero(rng),
                [edge.row for edge in lower.symbolic if edge.output == node],
            )
            added = rng.normal(size=len(below))
            affines[number][below, 2:] *= s
            affines[number][below, 3] += added
            for edge in upper.symbolic:
                if edge.input == node:
                    a, b = affines[number + 1][edge.row, :2] / [s, 1.0]
                    affines[number + 1][edge.row, :2] = a, b - a * added.sum()
    layers = []
    for layer, affine in zip(network.layers, affines, strict=True):
        rows = [rescaled(rng, edge.function, affine[edge.row]) for edge in layer.symbolic]
        layers.append(replace(layer, affine=np.array(rows)))
    return Network(tuple(layers))


# --- the function stays


@given(symbolic_cases())
def test_the_function_stays(drawn):
    network, x, _ = drawn
    y = network(x)

    np.testing.assert_allclose(
        canonical_form(network)(x), y, rtol=1e-12, atol=1e-12 * np.abs(y).max(initial=1.0)
    )


@for_all("sign", [1.0, -1.0])
@for_all("name", ["sqrt", "1/sqrt", "x^1.5", "log", "1/x", "1/x^2", "1/x^3", "1/x^4", "1/x^5"])
def test_the_function_stays_where_it_needs_a_positive_argument(name, sign):
    network = formula_network(
        [
            (0, 0, "x^2", (1.3, 0.2, 2.0 * sign, 0.4 * sign)),
            (0, 1, "cosh", (0.7, 0.0, 0.5 * sign, 0.1 * sign)),
        ],
        [(0, 0, name, (2.5 * sign, 0.3, -1.7, 0.6))],
        widths=(2, 1, 1),
    )
    x = np.random.default_rng(0).uniform(-1.0, 1.0, (50, 2))

    form = canonical_form(network)

    np.testing.assert_allclose(form(x), network(x), rtol=1e-13, atol=1e-13)
    assert affine_of(form, 1)[0] == 1.0
    assert abs(affine_of(form, 0)[2]) == 1.0


@given(seeds)
def test_splines_and_dead_edges_stay_as_they_are(seed):
    rng = np.random.default_rng(seed)
    network = random_network(rng)

    np.testing.assert_array_equal(canonical_form(network).theta, network.theta)


# --- redundant parameters go


@given(seeds, st.sampled_from([(1, 1, 1), (2, 1, 1), (2, 3, 2), (2, 2, 2, 1), (1, 1, 1, 1, 1)]))
def test_networks_that_differ_by_redundancy_alone_become_the_same(seed, widths):
    rng = np.random.default_rng(seed)
    network = random_formulas(rng, widths)

    one, other = canonical_form(network), canonical_form(disguised(rng, network))

    for first, second in zip(one.layers, other.layers, strict=True):
        size = np.abs(first.affine).max()
        np.testing.assert_allclose(
            second.affine, first.affine, rtol=1e-9, atol=1e-9 * max(size, 1.0)
        )


@given(seeds)
def test_a_canonical_network_is_its_own_form(seed):
    form = canonical_form(random_formulas(np.random.default_rng(seed), (2, 3, 2, 1)))

    np.testing.assert_allclose(canonical_form(form).theta, form.theta, rtol=1e-13, atol=1e-13)


def test_the_hello_world_gets_its_own_parameters_and_nothing_else():
    network = formula_network(
        [(0, 0, "sin", (-np.pi, 3.0 * np.pi, 0.5, 0.7)), (0, 1, "x^2", (-2.0, 0.0, 0.125, -0.3))],
        [(0, 0, "exp", (2.0, -0.5, np.exp(-0.3), 0.0))],
        widths=(2, 1, 1),
    )

    form = canonical_form(network)

    np.testing.assert_allclose(
        form.layers[0].affine, [[np.pi, 0.0, 1.0, 0.0], [1.0, 0.0, 1.0, 0.0]], atol=1e-14
    )
    np.testing.assert_allclose(form.layers[1].affine, [[1.0, 0.0, 1.0, 0.0]], atol=1e-14)


def test_constants_move_on_to_the_next_layer():
    network = formula_network(
        [(0, 0, "sin", (1.0, 0.5, 1.0, 2.0)), (0, 1, "0", (1.0, 0.0, 1.0, 3.0))],
        [(0, 0, "tanh", (1.0, 0.25, 1.0, 7.0)), (1, 0, "sin", (0.5, 0.1, 1.0, 0.0))],
        widths=(2, 1, 2),
    )

    form = canonical_form(network)

    np.testing.assert_array_equal(form.layers[0].affine[:, 3], [0.0, 0.0])
    np.testing.assert_allclose(affine_of(form, 1), [1.0, 5.25, 1.0, 7.0])
    np.testing.assert_allclose(affine_of(form, 1, output=1), [0.5, 2.6, 1.0, 0.0])


def test_constants_of_an_output_are_gathered_on_its_first_edge():
    network = formula_network(
        [(0, 0, "sin", (1.0, 0.5, 1.0, 2.0)), (0, 1, "cos", (1.0, 0.5, 1.0, 0.5))], widths=(2, 1)
    )

    np.testing.assert_array_equal(canonical_form(network).layers[0].affine[:, 3], [2.5, 0.0])


def test_the_first_edge_that_moves_gives_a_node_its_unit():
    network = formula_network(
        [(0, 0, "sin", (1.0, 0.5, 3.0, 0.0))],
        [
            (0, 0, "0", (1.0, 0.0, 1.0, 1.0)),
            (1, 0, "tanh", (0.0, 0.1, 1.0, 0.0)),
            (2, 0, "tanh", (5.0, 0.1, 0.0, 0.0)),
            (3, 0, "tanh", (4.0, 0.1, 1.0, 0.0)),
            (4, 0, "sin", (2.0, 0.1, 1.0, 0.0)),
        ],
        widths=(1, 1, 5),
    )

    form = canonical_form(network)

    assert [affine_of(form, 1, output=j)[0] for j in (3, 4)] == [1.0, 0.5]
    assert affine_of(form, 0)[2] == 12.0


# --- what splines and locks forbid


@pytest.mark.parametrize("where", ["below", "above"])
def test_a_node_with_a_spline_keeps_its_values(where):
    network = formula_network(
        [(0, 0, "sin", (1.0, 0.5, 3.0, 2.0)), (0, 1, "sin", (1.0, 0.2, 1.0, 1.0))],
        [(0, 0, "tanh", (2.0, 0.1, 1.0, 0.0)), (1, 0, "tanh", (3.0, 0.1, 1.0, 0.0))],
        widths=(2, 1, 2),
    )
    number, (j, i) = (0, (0, 1)) if where == "below" else (1, (1, 0))
    layer = network.layers[number]
    mask = layer.mask.copy()
    mask[j, i] = 1.0
    kept = [edge for edge in layer.symbolic if (edge.output, edge.input) != (j, i)]
    layers = list(network.layers)
    layers[number] = replace(layer, mask=mask, symbolic=kept)
    mixed = Network(tuple(layers))
    x = np.random.default_rng(0).uniform(-1, 1, (20, 2))

    form = canonical_form(mixed)

    assert affine_of(form, 1)[0] == 2.0
    assert form.layers[0].affine[:, 3].sum() == (2.0 if where == "below" else 3.0)
    np.testing.assert_allclose(form(x), mixed(x), rtol=1e-13)


# --- knots, and the ends of float64


@for_all("name", [name for name in LIBRARY if name != "sgn"])
def test_the_free_inner_parameters_are_the_rank_of_all_four_without_the_outer_two(name):
    """d/d(a, b, c, d) of c f(a x + b) + d as columns over samples."""
    function = LIBRARY[name]
    u = np.linspace(0.15, 0.85, 60)
    x, c = (u - 0.1) / 0.7, 1.7
    columns = np.stack([c * function.d1(u) * x, c * function.d1(u), function.f(u), np.ones(60)])
    if name == "abs":  # its zero must lie among the samples
        columns[:3] = c * np.sign(x - 0.5) * x, c * np.sign(x - 0.5), np.abs(x - 0.5)
    length = np.linalg.norm(columns, axis=1, keepdims=True)
    rank = np.linalg.matrix_rank(columns / np.where(length > 0.0, length, 1.0), tol=1e-7)

    assert n_inner(function) == max(rank - 2, 0)
