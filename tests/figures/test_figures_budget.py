"""Tables 1 and 2 under one rule: what is searched, what chooses, and claims that can fail."""

import itertools
import json
from dataclasses import replace

import numpy as np
import pytest

import kan_ref as kr
from figures.machine.style import picture_bytes, style
from figures.tables import budget_search
from figures.tables.budget_figures import budget_claims, mlp_to_kan, table_1_budget, table_2_budget
from figures.tables.budget_rule import (
    ACTIVATIONS,
    DEGREES,
    SAME_SIZE,
    SIZES,
    Architecture,
    architectures,
    config_of,
    mlp_widths,
)
from figures.tables.feynman import FEYNMAN
from figures.tables.special_functions import SPECIAL_FUNCTIONS
from figures.tables.table_method import KAN, MLP

PRODUCT = next(problem for problem in FEYNMAN if problem.name == "II.2.42")
TABLES = ((table_1_budget, SPECIAL_FUNCTIONS), (table_2_budget, FEYNMAN))


def ticks():
    """A clock that a search cannot slow down, so that two searches are the same."""
    count = itertools.count()
    return lambda: 0.01 * next(count)


def small(model, **changes):
    config = config_of(PRODUCT, model, 0, full=False)
    few = {"n_train": 250, "n_test": 300, "sizes": [60, 120], "shares": [0.5, 0.5]}
    return {**config, **few, "seconds": 0.6, **changes}


def searched(model, **changes):
    return budget_search.learn(PRODUCT, small(model, **changes), ticks())


# --- sizes


@pytest.mark.parametrize("problem", [*SPECIAL_FUNCTIONS, *FEYNMAN], ids=lambda one: one.name)
def test_kans_and_mlps_of_a_size_differ_by_at_most_a_tenth(problem):
    rng = np.random.default_rng(0)
    for size in SIZES:
        numbers = []
        for model in (KAN, MLP):
            known = architectures(config_of(problem, model, 0, full=True), size)
            assert known, (model, size)
            for one in known:
                network = (
                    kr.init_network(
                        one.widths,
                        n_intervals=one.n_intervals,
                        degree=one.degree,
                        domain=(-1.0, 1.0),
                        rng=rng,
                    )
                    if one.degree
                    else kr.init_mlp(one.widths, activation=one.activation, rng=rng)
                )
                numbers.append(network.n_params)
        assert max(numbers) - min(numbers) <= SAME_SIZE * size
    assert min(SIZES) * 0.95 >= 50
    assert max(SIZES) * 1.05 <= 600


def test_kans_have_the_papers_shapes_and_both_degrees_and_mlps_both_activations():
    config = config_of(PRODUCT, KAN, 0, full=True)

    assert {tuple(shape) for shape in config["shapes"]} >= set(PRODUCT.shapes.values())
    assert {one.degree for one in architectures(config, 120)} == set(DEGREES)
    mlps = architectures(config_of(PRODUCT, MLP, 0, full=True), 250)
    assert {one.activation for one in mlps} == set(ACTIVATIONS)
    assert {len(one.widths) - 2 for one in mlps} == {1, 2, 3, 4}


@pytest.mark.parametrize("depth", [1, 2, 3, 4])
def test_hidden_widths_differ_by_at_most_one_and_no_other_number_is_nearer(depth):
    widths = mlp_widths(3, depth, 120)
    hidden = widths[1:-1]

    def distance(shape):
        n = kr.init_mlp(shape, activation="tanh", rng=np.random.default_rng(0)).n_params
        return abs(n - 120)

    assert len(hidden) == depth
    assert max(hidden) - min(hidden) <= 1
    for place in range(depth):
        for change in (-1, 1):
            other = list(widths)
            other[place + 1] += change
            if max(other[1:-1]) - min(other[1:-1]) <= 1 and other[1:-1] == sorted(
                other[1:-1], reverse=True
            ):
                assert distance(other) >= distance(widths)


# --- the search


@pytest.mark.parametrize("model", [KAN, MLP])
def test_a_search_learns_repeats_itself_and_is_plain_data(model):
    results, again = searched(model), searched(model)

    assert results == again
    assert json.loads(json.dumps(results)) == results
    best = results["sizes"][results["chosen"]]
    assert best["validation"] == min(one["validation"] for one in results["sizes"])
    assert best["test"] < 0.1 * results["spread"]
    assert all(one["n_starts"] > 0 for one in results["sizes"])


@pytest.mark.parametrize("model", [KAN, MLP])
def test_test_data_choose_nothing(monkeypatch, model):
    honest = searched(model)
    original = budget_search.sample

    def other_test_values(*arguments, **settings):
        data = original(*arguments, **settings)
        return replace(data, y_test=-data.y_test)

    monkeypatch.setattr(budget_search, "sample", other_test_values)
    fooled = searched(model)

    for before, after in zip(honest["sizes"], fooled["sizes"], strict=True):
        assert after["test"] > 2.0 * before["test"]
        assert {**after, "test": 0.0} == {**before, "test": 0.0}
    assert fooled["chosen"] == honest["chosen"]


@pytest.mark.parametrize("model", [KAN, MLP])
def test_a_search_ends_with_its_time(model):
    results = searched(model)

    # readings of the clock after the last step of a size: a few hundredths
    assert [one["seconds"] for one in results["sizes"]] == pytest.approx([0.3, 0.3], abs=0.15)


def test_held_out_points_train_nothing_before_the_end(monkeypatch):
    seen = []
    original = budget_search.kr.fit

    def watched(network, data, **settings):
        seen.append(len(data.x_train))
        return original(network, data, **settings)

    monkeypatch.setattr(budget_search.kr, "fit", watched)
    searched(KAN)

    assert set(seen) == {200, 250}
    assert seen.count(250) == 2  # the last steps at each size


def test_kans_go_on_from_the_size_below_and_mlps_do_not(monkeypatch):
    refined = []
    original = budget_search.Search.refined

    def watched(search, trial, finer):
        refined.append((trial.architecture, finer))
        return original(search, trial, finer)

    monkeypatch.setattr(budget_search.Search, "refined", watched)
    searched(MLP)
    assert refined == []
    searched(KAN)
    assert 1 <= len(refined) <= 3
    for old, new in refined:
        assert old.family == new.family
        assert new.n_intervals > old.n_intervals
    assert len({new.family for _, new in refined}) == len(refined)


# --- claims and pictures from made-up records


def made_up(problem, model, test, seed=0, sizes=SIZES):
    one = {
        "widths": [problem.n_in, 2, 1],
        "degree": 3 if model == KAN else 0,
        "n_intervals": 5 if model == KAN else 0,
        "activation": "" if model == KAN else "tanh",
        "validation": test,
        "train": test,
        "test": test,
        "n_starts": 10,
        "seconds": 3.0,
    }
    found = [{**one, "size": size, "n_params": size} for size in sizes]
    results = {"sizes": found, "chosen": len(found) - 1, "spread": 0.5, "seconds": 12.0}
    return {
        "figure": "",
        "config": config_of(problem, model, seed, full=True),
        "seed": seed,
        "results": results,
        "versions": {},
        "seconds": 12.0,
    }


def records_of(problems, kan, mlp):
    """Networks whose errors are factors of those of the paper's best KAN."""
    return [
        made_up(problem, model, factor * problem.best_kan)
        for problem in problems
        for model, factor in ((KAN, kan), (MLP, mlp))
    ]


@pytest.mark.parametrize(("table", "problems"), TABLES)
def test_claims_say_yes_below_the_paper_and_no_far_above(table, problems):
    good = table.claims(records_of(problems, 0.5, 2.0))
    bad = table.claims(records_of(problems, 1000.0, 500.0))

    assert len(good) == len(bad) == 2 + len(SIZES) + len(problems)
    assert {claim.agrees for claim in good} == {"yes"}
    assert {claim.agrees for claim in bad} == {"no"}
    assert f"{len(problems)} of {len(problems)} rows" in good[0].ours
    assert f"the MLP in {len(problems)}: {problems[0].name}, " in bad[1].ours
    assert "the MLP in 0;" in good[2].ours


@pytest.mark.parametrize(
    ("table", "problems", "n_good", "word"),
    [
        (*TABLES[0], 14, "yes"),
        (*TABLES[0], 13, "partly"),
        (*TABLES[0], 7, "no"),
        (*TABLES[1], 24, "yes"),
        (*TABLES[1], 23, "partly"),
        (*TABLES[1], 22, "partly"),
        (*TABLES[1], 21, "no"),
    ],
)
def test_the_bars_of_the_heads_are_those_of_before_the_run(table, problems, n_good, word):
    records = records_of(problems[:n_good], 0.5, 2.0) + records_of(problems[n_good:], 2.0, 3.0)

    head = table.claims(records)[0]

    assert head.agrees == word
    assert head.ours.startswith(f"{n_good} of {len(problems)} rows, not {problems[n_good].name}")


def test_sizes_are_compared_each_by_itself():
    kan, mlp = made_up(PRODUCT, KAN, 1e-3), made_up(PRODUCT, MLP, 2e-3)
    kan["results"]["sizes"][0]["test"] = 8e-3
    del kan["results"]["sizes"][1]
    kan["results"]["chosen"] = 2

    assert [mlp_to_kan([kan, mlp], PRODUCT, size) for size in SIZES] == [0.25, None, 2.0, 2.0]
    words = [claim.agrees for claim in budget_claims([kan, mlp], [PRODUCT], yes=1, partly=1)]
    assert words[1:-1] == ["yes", "no", "yes", "yes"]  # equal time; 60, 250 and 520 parameters


def test_several_seeds_count_by_their_medians():
    kans = [made_up(PRODUCT, KAN, error, seed) for seed, error in enumerate((1e-5, 1e-4, 1.0))]

    head, row = budget_claims(kans, [PRODUCT], yes=1, partly=1)

    assert head.agrees == "yes"
    assert "1.00e-04 (1.00e-05 to 1.00e+00)" in row.ours
    assert budget_claims([], [PRODUCT], yes=1, partly=1) == []


def test_a_table_is_drawn_with_one_model_alone():
    records = [made_up(PRODUCT, KAN, 1e-3), made_up(FEYNMAN[0], MLP, 1e-2)]

    with style():
        picture = table_2_budget.draw(records)
        assert picture_bytes(picture, "png")["png"].startswith(b"\x89PNG")
    names = [tick.get_text() for tick in picture.axes[0].get_yticklabels()]
    assert names == [problem.name for problem in FEYNMAN]


def test_an_architecture_keeps_its_family_on_finer_grids():
    coarse, fine = (Architecture((2, 2, 1), 3, n) for n in (5, 15))

    assert coarse.family == fine.family
    assert Architecture((2, 2, 1), 5, 5).family != fine.family
