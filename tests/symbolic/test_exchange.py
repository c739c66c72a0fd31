"""The exchange of functions edge by edge, with evaluations that are plain numbers."""

import pytest

from kan_ref.symbolic.affine_fit import AffineFit
from kan_ref.symbolic.ranking import exchange_functions

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
