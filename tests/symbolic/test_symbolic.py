"""Symbolic edges: the ranking of functions, edges made formulas and back, by name, by the best of the library, all at once.

The score of a ranking is that of its definition, and functions are exchanged edge by edge. Rivals, locks, and what is rejected.
"""

from itertools import pairwise

import numpy as np
import pytest
from cases import for_all
from networks import random_network

import kan_ref as kr
from kan_ref.functions.library import LIBRARY
from kan_ref.symbolic.affine_fit import AffineFit, fit_affine
from kan_ref.symbolic.ranking import exchange_functions, price, rank_functions
from kan_ref.symbolic.symbolification import decide_together

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
    return kr.fit(
        network, data, grids=(5, 10, n_intervals), n_steps=30, smoothness_weight=1e-8
    ).network, data


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
    given = kr.fix_symbolic(
        network, 0, output=0, input=1, name="x^2", affine=(2.0, 0.5, -1.0, 3.0)
    ).layers[0]

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
    network = kr.init_network(
        (1, 1), n_intervals=20, degree=degree, domain=(-1.0, 1.0), rng=np.random.default_rng(0)
    )
    fixed = kr.fix_symbolic(network, 0, output=0, input=0, name="exp")
    grid = network.layers[0].breakpoints[0]

    freed = kr.unfix_symbolic(fixed, 0, output=0, input=0)

    x = np.linspace(grid[0], grid[-1], 201)[:, None]
    assert np.abs(freed(x) - np.exp(x)).max() <= 10.0 ** -(degree + 1)


def test_a_formula_that_is_not_defined_on_the_grid_cannot_be_freed(example):
    network, _ = example
    fixed = kr.fix_symbolic(network, 0, output=0, input=0, name="log")

    with pytest.raises(
        ValueError,
        match=r"log on the edge of layer 0 from input 0 to output 0 is not defined at -1\.\d+ of its grid",
    ):
        kr.unfix_symbolic(fixed, 0, output=0, input=0)


@for_all(
    ("name", "affine", "pole"),
    [
        ("1/x", (1.0, 0.0, 1.0, 0.0), "0"),
        ("1/x^2", (-2.0, 0.006, 1.0, 0.0), "0.003"),
        ("tan", (3.0, 0.0, 1.0, 0.0), "-0.5236"),
    ],
)
def test_a_formula_with_a_pole_between_the_samples_of_the_grid_cannot_be_freed(name, affine, pole):
    network = kr.init_network(
        (1, 1), n_intervals=5, degree=3, domain=(-1, 1), rng=np.random.default_rng(0)
    )
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

    formulas = kr.auto_symbolic(
        network, data.x_train, names=("x", "x^2", "sin", "exp", "log", "sqrt", "tanh")
    )

    assert [[edge.name for edge in layer.symbolic] for layer in formulas.layers] == [
        ["sin", "x^2"],
        ["exp"],
    ]
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
    network = kr.fix_symbolic(
        network, 0, output=0, input=0, name="sin", affine=(1.0, 2.0, 3.0, 4.0)
    )
    return kr.fix_symbolic(network, 0, output=0, input=1, name="sin", affine=(5.0, 6.0, 7.0, 8.0))


def test_a_lock_is_left_by_fixing_anew():
    network = kr.lock_edges(locked_pair(), 0, [(0, 0), (0, 1)])

    freed = kr.fix_symbolic(network, 0, output=0, input=0, name="exp")

    assert [
        (edge.name, freed.layers[0].affine[edge.row].tolist()) for edge in freed.layers[0].symbolic
    ] == [
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


@pytest.mark.parametrize(
    ("error", "name"), [(0.05, "x"), (0.0899, "x"), (0.0901, "0"), (0.094, "0"), (0.2, "0")]
)
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
