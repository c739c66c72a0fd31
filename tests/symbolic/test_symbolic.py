"""Symbolic edges: the ranking of functions, edges made formulas and back, one or many at once; canonical edges and networks.

The score of a ranking is that of its definition, and functions are exchanged edge by edge. Rivals, locks, and what is rejected. In canonical
form the function stays, redundant parameters go, and what locks or splines forbid is left alone.
"""

from dataclasses import replace
from itertools import pairwise

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
    with_formulas,
)

import kan_ref as kr
from kan_ref.functions.library import LIBRARY
from kan_ref.network.network import Network
from kan_ref.symbolic.affine_fit import AffineFit, fit_affine
from kan_ref.symbolic.canonical import canonical_form, n_inner
from kan_ref.symbolic.ranking import exchange_functions, price, rank_functions
from kan_ref.symbolic.symbolification import decide_together

# --- symbolic edges: the ranking of functions, edges made formulas and back, by name, by the best of the library, all at once

CANDIDATES = ("0", "x", "x^2", "1/x", "exp", "log", "sin", "tanh")


def samples(case):
    rng = np.random.default_rng(5)
    x = np.sort(rng.uniform(-1.0, 1.0, 300))
    noise = rng.standard_normal(300)
    return {
        "noise": (x, 100.0 * np.sin(3.0 * x) + 10.0 * noise),
        "little noise": (x, np.sin(3.0 * x) + 0.7e-12 * noise),
        "smooth misfit": (x, 1e-3 * (np.exp(x) + 0.01 * np.cos(7.0 * x))),
        "exact": (x, np.exp(x)),
        "unsorted": (x[np.argsort(noise)], np.tanh(x[np.argsort(noise)]) + 0.1 * noise),
        "large constant": (x, 1e9 * (1.0 + 1e-11 * np.sin(3.0 * x))),
        "places that occur often": (np.round(x), np.exp(x) + noise),
        "few samples": (x[:6], noise[:6]),
        "constant": (x, np.full(300, 3.0)),
        "outside 1/x": (np.concatenate([x, [4.0]]), np.concatenate([noise, [50.0]])),
    }[case]


CASES = (
    "noise",
    "little noise",
    "smooth misfit",
    "exact",
    "unsorted",
    "large constant",
    "places that occur often",
    "few samples",
    "outside 1/x",
)


def scores_by_definition(x, y, fits):
    """(S19) and (S20), with runs counted in a loop."""
    n, nearest = len(x), min(fits, key=lambda fit: fit.rms)
    ordered = sorted(range(n), key=lambda i: x[i])  # stable
    signs = np.sign(y - nearest(x))[ordered]
    runs = 1
    for one, two in pairwise(signs):
        runs += one != two
    n_eff = min(n, max(8.0, n * (2.0 * runs / n) ** 2))
    floor = 1e-26 + (np.finfo(float).eps * np.abs(y).max() / np.std(y)) ** 2
    inner = {"constant": -1, "line": 0, "power": 1, "log": 1, "exp": 1, "free": 2}
    return {
        fit.name: n_eff * np.log(max((fit.rms / np.std(y)) ** 2, floor))
        + (2 + inner[LIBRARY[fit.name].redundancy.kind]) * np.log(n_eff)
        + 3.0 * LIBRARY[fit.name].complexity
        for fit in fits
    }


@for_all("case", CASES)
def test_the_score_is_that_of_its_definition(case):
    x, y = samples(case)

    fits = rank_functions(x, y, CANDIDATES)

    expected = scores_by_definition(x, y, fits)
    assert {fit.name: fit.score for fit in fits} == pytest.approx(expected, rel=1e-9, abs=1e-6)
    assert np.all(np.diff([fit.score for fit in fits]) > -1e-3)


@for_all("name", CANDIDATES)
def test_a_constant_is_exact_for_every_function_and_complexity_alone_ranks(name):
    x, y = samples("constant")

    fits = {fit.name: fit for fit in rank_functions(x, y, CANDIDATES)}

    assert fits[name].rms == fit_affine(x, y, name).rms
    assert fits[name].score >= fits["0"].score
    assert np.isfinite(fits[name].score)


EDGES = ((0, 0, 0), (0, 0, 1), (1, 0, 0))
COSTS = {"x": 3.0, "sin": 1.0, "exp": 2.0}
RIVALS = {edge: [AffineFit(name, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0) for name in COSTS] for edge in EDGES}
FIRST = {edge: fits[0] for edge, fits in RIVALS.items()}


def names(choice):
    return tuple(fit.name for fit in choice.values())


def searched(cost, **options):
    """The best evaluation (cost, names) and the names of all evaluations, from x everywhere."""
    tried = []

    def evaluate(choice, best, place):
        assert sum(one != other for one, other in zip(names(choice), best[1], strict=True)) == 1
        assert names(choice)[EDGES.index(place)] != best[1][EDGES.index(place)]
        tried.append(names(choice))
        return cost(names(choice)), names(choice)

    first = cost(names(FIRST)), names(FIRST)
    options = {"improves": lambda new, best: new[0] < best[0]} | options
    return exchange_functions(RIVALS, FIRST, first, evaluate=evaluate, **options), tried


def total(chosen):
    return sum(COSTS[name] for name in chosen)


def test_a_sum_over_edges_is_minimised():
    best, _ = searched(total)

    assert best == (3.0, ("sin", "sin", "sin"))


def test_no_choice_is_evaluated_twice_and_none_that_was_seen():
    _, tried = searched(lambda chosen: -total(chosen) % 4.0)

    assert len(set(tried)) == len(tried)
    assert names(FIRST) not in tried
    _, fewer = searched(total, seen=[("sin", "x", "x")])
    assert ("sin", "x", "x") not in fewer


def test_the_search_ends_where_no_single_exchange_improves():
    """A pair of exchanges would: that is beyond a coordinate search."""

    def cost(chosen):
        return 0.0 if chosen == ("sin", "sin", "x") else 1.0

    best, tried = searched(cost)

    assert best == (1.0, ("x", "x", "x"))
    assert len(tried) == len(EDGES) * (len(COSTS) - 1)


# --- edges made formulas and back


def trained(seed=0, n_intervals=20):
    """A spline network near exp(sin(pi x) + y^2), and its samples."""
    rng = np.random.default_rng(seed)
    data = kr.sample("exp_sin", n_train=600, n_test=100, rng=rng)
    network = kr.best_start((2, 1, 1), data, n_starts=8, n_intervals=3, degree=3, rng=rng)
    return kr.fit(network, data, grids=(5, 10, n_intervals), n_steps=30, smoothness_weight=1e-8).network, data


@pytest.fixture(scope="module")
def example():
    return trained()


# --- fixing


def test_a_fixed_edge_is_the_nearest_curve_of_its_function(example):
    network, data = example
    x, curve = data.x_train[:, 0], kr.edge_outputs(network, data.x_train)[0][:, 0, 0]

    fixed = kr.fix_symbolic(network, 0, output=0, input=0, name="sin", x=data.x_train)

    fit = fit_affine(x, curve, "sin")
    np.testing.assert_array_equal(fixed.layers[0].affine, [[fit.a, fit.b, fit.c, fit.d]])
    assert fit.a == pytest.approx(np.pi, abs=1e-3)
    assert fixed.layers[0].mask.tolist() == [[0.0, 1.0]]
    assert kr.distance(network, fixed, data.x_train).rms < 1e-3


def test_a_hidden_edge_is_fitted_to_the_activations_that_reach_it(example):
    network, data = example

    fixed = kr.fix_symbolic(network, 1, output=0, input=0, name="exp", x=data.x_train)

    assert kr.distance(network, fixed, data.x_train).rms < 1e-3


def test_without_samples_the_parameters_are_taken_as_they_are(example):
    network, _ = example

    plain = kr.fix_symbolic(network, 0, output=0, input=1, name="x^2").layers[0]
    given = kr.fix_symbolic(network, 0, output=0, input=1, name="x^2", affine=(2.0, 0.5, -1.0, 3.0)).layers[0]

    assert plain.affine.tolist() == [[1.0, 0.0, 1.0, 0.0]]
    assert given.affine.tolist() == [[2.0, 0.5, -1.0, 3.0]]


# --- freeing


def test_a_freed_edge_is_the_spline_nearest_to_the_formula(example):
    network, data = example
    fixed = kr.fix_symbolic(network, 0, output=0, input=0, name="sin", x=data.x_train)

    freed = kr.unfix_symbolic(fixed, 0, output=0, input=0)

    assert freed.layers[0].symbolic == ()
    assert freed.layers[0].mask.tolist() == [[1.0, 1.0]]
    assert kr.distance(fixed, freed, data.x_train).rms < 1e-4


@pytest.mark.parametrize("degree", [1, 2, 3])
def test_a_freed_edge_is_near_its_formula_on_the_whole_grid(degree):
    network = kr.init_network((1, 1), n_intervals=20, degree=degree, domain=(-1.0, 1.0), rng=np.random.default_rng(0))
    fixed = kr.fix_symbolic(network, 0, output=0, input=0, name="exp")
    grid = network.layers[0].breakpoints[0]

    freed = kr.unfix_symbolic(fixed, 0, output=0, input=0)

    x = np.linspace(grid[0], grid[-1], 201)[:, None]
    assert np.abs(freed(x) - np.exp(x)).max() <= 10.0 ** -(degree + 1)


def test_a_formula_that_is_not_defined_on_the_grid_cannot_be_freed(example):
    network, _ = example
    fixed = kr.fix_symbolic(network, 0, output=0, input=0, name="log")

    with pytest.raises(
        ValueError, match=r"log on the edge of layer 0 from input 0 to output 0 is not defined at -1\.\d+ of its grid"
    ):
        kr.unfix_symbolic(fixed, 0, output=0, input=0)


@for_all(
    ("name", "affine", "pole"),
    [
        ("1/x", (1.0, 0.0, 1.0, 0.0), "0"),
        ("1/x", (1.0, -0.95, 1.0, 0.0), "0.95"),
        ("1/x^2", (-2.0, 0.006, 1.0, 0.0), "0.003"),
        ("tan", (3.0, 0.0, 1.0, 0.0), "-0.5236"),
    ],
)
def test_a_formula_with_a_pole_between_the_samples_of_the_grid_cannot_be_freed(name, affine, pole):
    network = kr.init_network((1, 1), n_intervals=5, degree=3, domain=(-1, 1), rng=np.random.default_rng(0))
    fixed = kr.fix_symbolic(network, 0, output=0, input=0, name=name, affine=affine)

    with pytest.raises(ValueError, match=rf"is not defined at {pole} of its grid$"):
        kr.unfix_symbolic(fixed, 0, output=0, input=0)


# --- suggestions


def test_the_right_name_is_suggested_first_and_the_table_says_so(example):
    network, data = example

    found = kr.suggest_symbolic(network, data.x_train, 0, output=0, input=0)

    assert found.best.name in {"sin", "cos"}
    assert found.best.r2 > 1.0 - 1e-6
    assert len(found) == len(kr.LIBRARY)
    assert repr(found).splitlines()[0].startswith("edge of layer 0 from input 0 to output 0")
    assert found[0].name in repr(found).splitlines()[2]
    assert f"and {len(kr.LIBRARY) - 10} more" in repr(found)


# --- all at once


def test_every_spline_becomes_a_formula_near_the_network(example):
    network, data = example

    formulas = kr.auto_symbolic(network, data.x_train, names=("x", "x^2", "sin", "exp", "log", "sqrt", "tanh"))

    assert [[edge.name for edge in layer.symbolic] for layer in formulas.layers] == [["sin", "x^2"], ["exp"]]
    assert not any(layer.mask.any() for layer in formulas.layers)
    assert kr.distance(network, formulas, data.x_train).rms < 1e-3


def test_formulas_stay_as_they_are_and_dead_edges_dead(example):
    network, data = example
    network = kr.fix_symbolic(network, 0, output=0, input=0, name="tanh", x=data.x_train)
    network = kr.mask_edges(network, 0, [[1, 0]])

    formulas = kr.auto_symbolic(network, data.x_train, names=("exp", "x"))

    assert [(edge.input, edge.name) for edge in formulas.layers[0].symbolic] == [(0, "tanh")]
    assert formulas.layers[0].n_active == 1


# --- locks


def locked_pair():
    rng = np.random.default_rng(5)
    network = random_network(rng, degrees=(3,), widths=(2, 1), dead=0.0)
    network = kr.fix_symbolic(network, 0, output=0, input=0, name="sin", affine=(1.0, 2.0, 3.0, 4.0))
    return kr.fix_symbolic(network, 0, output=0, input=1, name="sin", affine=(5.0, 6.0, 7.0, 8.0))


def test_a_lock_is_left_by_fixing_anew():
    network = kr.lock_edges(locked_pair(), 0, [(0, 0), (0, 1)])

    freed = kr.fix_symbolic(network, 0, output=0, input=0, name="exp")

    assert [(edge.name, freed.layers[0].affine[edge.row].tolist()) for edge in freed.layers[0].symbolic] == [
        ("exp", [1.0, 0.0, 1.0, 0.0]),
        ("sin", [1.0, 2.0, 3.0, 4.0]),
    ]


# --- the door


NAMES = ("0", "x", "x^2", "exp", "sin", "tanh")
X = np.random.default_rng(1).uniform(-1.0, 1.0, (60, 2))


def network(seed=0):
    rng = np.random.default_rng(seed)
    made = kr.init_network((2, 3), n_intervals=2, degree=3, domain=(-1.0, 1.0), rng=rng)
    return made.with_theta(made.theta + 0.3 * rng.normal(size=made.n_params))


@pytest.mark.parametrize(("error", "name"), [(0.05, "x"), (0.0899, "x"), (0.0901, "0"), (0.094, "0"), (0.2, "0")])
def test_a_simpler_candidate_stays_unless_another_one_lowers_the_error_by_a_tenth(error, name):
    """The network is 0 everywhere; the candidates are constants, so that their errors are known."""
    made = network()
    made = kr.mask_edges(made.with_theta(0.0 * made.theta), 0, np.eye(3, 2))
    place = (0, 0, 0)
    rivals = {place: [AffineFit("x", 1.0, 0.0, 0.0, error, 0.0, error)]}
    rivals[place].append(AffineFit("0", 1.0, 0.0, 0.0, -0.1, 0.0, 0.1))

    # an error of 0.1 in one of three outputs
    decided = decide_together(made, X, rivals)

    assert price(rivals[place][1]) < price(rivals[place][0])
    assert [edge.name for edge in decided.layers[0].symbolic] == [name]


def test_candidates_that_are_undefined_at_their_inputs_lose_and_are_reported_where_no_other_is():
    made, place = network(), (0, 0, 0)
    root = AffineFit("sqrt", 1.0, 0.0, 1.0, 0.0, 0.0, 0.0)
    other = AffineFit("sin", 5.0, 0.0, 9.0, 0.0, 0.0, 0.0)

    decided = decide_together(made, X, {place: [root, other]})

    assert [edge.name for edge in decided.layers[0].symbolic] == ["sin"]
    with pytest.raises(ValueError, match="sqrt"):
        decide_together(made, X, {place: [root]})


# --- canonical edges and networks: the function stays, redundant parameters go, and what locks or splines forbid is left alone


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
            s, below = (away_from_zero(rng), [edge.row for edge in lower.symbolic if edge.output == node])
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

    np.testing.assert_allclose(canonical_form(network)(x), y, rtol=1e-12, atol=1e-12 * np.abs(y).max(initial=1.0))


@for_all("sign", [1.0, -1.0])
@for_all("name", ["sqrt", "1/sqrt", "x^1.5", "log", "1/x", "1/x^2", "1/x^3", "1/x^4", "1/x^5"])
def test_the_function_stays_where_it_needs_a_positive_argument(name, sign):
    network = formula_network(
        [(0, 0, "x^2", (1.3, 0.2, 2.0 * sign, 0.4 * sign)), (0, 1, "cosh", (0.7, 0.0, 0.5 * sign, 0.1 * sign))],
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
        np.testing.assert_allclose(second.affine, first.affine, rtol=1e-9, atol=1e-9 * max(size, 1.0))


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

    np.testing.assert_allclose(form.layers[0].affine, [[np.pi, 0.0, 1.0, 0.0], [1.0, 0.0, 1.0, 0.0]], atol=1e-14)
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
    network = formula_network([(0, 0, "sin", (1.0, 0.5, 1.0, 2.0)), (0, 1, "cos", (1.0, 0.5, 1.0, 0.5))], widths=(2, 1))

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


# --- many edges named at once


def three_layers(seed=0, share=0.5):
    """A network with splines, formulas, some of them locked, and masked edges; and samples."""
    rng = np.random.default_rng(seed)
    network = random_network(rng, degrees=(3,), widths=(2, 3, 2, 1), kind="uniform", base="silu")
    network = with_formulas(rng, network, share=share)
    return network, rng.uniform(-1.0, 1.0, (50, 2))


def plain_network(widths=(2, 2, 1)):
    return kr.init_network(widths, n_intervals=4, degree=3, domain=(-1.0, 1.0), rng=np.random.default_rng(0))


def kinds(network):
    """What stands on each edge: the name of a function, "spline" or "0"."""
    found = []
    for layer in network.layers:
        names = np.where(layer.mask == 1.0, "spline", "0").astype(object)
        for edge in layer.symbolic:
            names[edge.output, edge.input] = edge.name
        found.append(names.tolist())
    return found


# --- patterns


def test_a_pattern_names_edges_masks_edges_and_leaves_the_others():
    pattern = [[["sin", None], ["0", "log"]], [["exp", "0"]]]

    fixed = kr.fix_pattern(plain_network(), pattern)

    assert kinds(fixed) == [[["sin", "spline"], ["0", "log"]], [["exp", "0"]]]


def test_a_pattern_fits_each_edge_to_the_network_as_it_was():
    """As `fix_symbolic` on each edge of the same network does."""
    network, x = plain_network(), np.random.default_rng(1).uniform(-1.0, 1.0, (80, 2))

    fixed = kr.fix_pattern(network, [[["sin", "x^2"], ["tanh", None]], [["exp", None]]], x)

    for layer, j, i, name in [(0, 0, 0, "sin"), (0, 0, 1, "x^2"), (0, 1, 0, "tanh"), (1, 0, 0, "exp")]:
        alone = kr.fix_symbolic(network, layer, output=j, input=i, name=name, x=x).layers[layer]
        (edge,) = [e for e in fixed.layers[layer].symbolic if (e.output, e.input) == (j, i)]
        np.testing.assert_array_equal(fixed.layers[layer].affine[edge.row], alone.affine[0])


def test_a_pattern_of_none_changes_nothing_and_a_masked_edge_stays_masked():
    network, x = three_layers()

    same = kr.fix_pattern(network, [None, [[None] * 3, [None] * 3], None], x)
    some = kr.fix_pattern(network, [[["0", None], [None] * 2, [None] * 2], None, None])

    assert kinds(same) == kinds(network)
    np.testing.assert_array_equal(same.theta, network.theta)
    expected = kinds(network)
    expected[0][0][0] = "0"
    assert kinds(some) == expected


def test_without_samples_an_edge_that_has_its_function_keeps_its_parameters():
    first = kr.fix_symbolic(plain_network((1, 1)), 0, output=0, input=0, name="sin", affine=(2.0, 0.1, 3.0, 0.4))

    assert kr.fix_pattern(first, [[["sin"]]]).layers[0].affine.tolist() == [[2.0, 0.1, 3.0, 0.4]]
    assert kr.fix_pattern(first, [[["cos"]]]).layers[0].affine.tolist() == [[1.0, 0.0, 1.0, 0.0]]


@pytest.mark.parametrize("pattern", [[], [[["sin"]], None], [None, "sin"]])
def test_a_pattern_of_another_shape_is_refused(pattern):
    with pytest.raises(ValueError, match="pattern"):
        kr.fix_pattern(plain_network(), pattern)
