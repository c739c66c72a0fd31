"""The score of a ranking by its definition, and the exchange of functions edge by edge."""

from itertools import pairwise

import numpy as np
import pytest
from cases import for_all

from kan_ref.functions.library import LIBRARY
from kan_ref.symbolic.affine_fit import AffineFit, fit_affine
from kan_ref.symbolic.ranking import exchange_functions, rank_functions

NAMES = ("0", "x", "x^2", "1/x", "exp", "log", "sin", "tanh")


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

    fits = rank_functions(x, y, NAMES)

    expected = scores_by_definition(x, y, fits)
    assert {fit.name: fit.score for fit in fits} == pytest.approx(expected, rel=1e-9, abs=1e-6)
    assert np.all(np.diff([fit.score for fit in fits]) > -1e-3)


def test_misfits_below_1e_13_of_the_standard_deviation_are_equally_good():
    x, _ = samples("exact")
    fits = {fit.name: fit for fit in rank_functions(x, np.sin(2.0 * x), ("sin", "cos", "cosh"))}

    assert fits["sin"].rms < 1e-13 > fits["cos"].rms
    assert fits["sin"].score == fits["cos"].score


@pytest.mark.parametrize("names", [("sin", "cos"), ("cos", "sin")])
def test_functions_of_one_family_keep_their_order(names):
    for seed in range(5):
        x = np.random.default_rng(seed).uniform(-1.0, 1.0, 60)
        y = np.sin(5.0 * x) + 0.1 * np.random.default_rng(seed + 9).standard_normal(60)

        assert tuple(fit.name for fit in rank_functions(x, y, names)) == names


@for_all("name", NAMES)
def test_a_constant_is_exact_for_every_function_and_complexity_alone_ranks(name):
    x, y = samples("constant")

    fits = {fit.name: fit for fit in rank_functions(x, y, NAMES)}

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


def test_a_later_exchange_lets_an_earlier_one_be_tried_again():
    order = [("x", "x", "x"), ("x", "x", "sin"), ("exp", "x", "sin"), ("exp", "sin", "sin")]

    best, _ = searched(lambda chosen: -order.index(chosen) if chosen in order else 1)

    assert best == (-3, order[-1])


def test_a_final_evaluation_ends_the_search_at_once():
    best, tried = searched(total, is_final=lambda best: best[0] <= 8.0)

    assert best[0] <= 8.0
    assert len(tried) == 1
    assert searched(total, is_final=lambda best: True) == ((9.0, names(FIRST)), [])


@pytest.mark.parametrize("factor", [0.9, 0.5])
def test_the_caller_decides_what_an_improvement_is(factor):
    best, _ = searched(total, improves=lambda new, best: new[0] < factor * best[0])

    assert best[0] == {0.9: 3.0, 0.5: 9.0}[factor]
