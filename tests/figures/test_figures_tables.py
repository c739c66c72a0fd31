"""Tables 1 and 2: what is learnt, what chooses, and claims that can fail."""

import json
from dataclasses import replace

import numpy as np
import pytest

import kan_ref as kr
from figures.machine.stored_network import restored
from figures.machine.style import picture_bytes, style
from figures.splines.fig_u_shape import off_a_grid
from figures.tables import shape_claims, table_method
from figures.tables.feynman import FEYNMAN
from figures.tables.shape_claims import row_claims
from figures.tables.special_functions import SPECIAL_FUNCTIONS
from figures.tables.table_method import (
    KAN,
    MLP,
    PRUNED,
    config_of,
    grids_within,
    learn,
    n_params,
    n_weights,
)
from figures.tables.table_summary import (
    best_shape,
    chosen,
    draw_diagrams,
    draw_frontiers,
    draw_rows,
    frontier,
    minimal,
    without_idle_edges,
)
from figures.tables.tables_1_and_2 import table_1, table_2

FLAT = next(problem for problem in SPECIAL_FUNCTIONS if problem.name == "sph_harm m=0 n=1")
PRODUCT = next(problem for problem in FEYNMAN if problem.name == "II.2.42")


def small(problem, model, widths, **changes):
    config = config_of(
        problem, model, widths, 0, full=False, activation="tanh" if model == MLP else ""
    )
    few = {"n_train": 200, "n_test": 300, "n_starts": 2, "start_steps": 8, "n_steps": 8}
    ladder = {} if model == MLP else {"grids": [3, 5, 10]}
    sparse = {"penalty_steps": 30} if model == PRUNED else {}
    return {**config, **few, **ladder, **sparse, **changes}


def without_time(results):
    return {**results, "seconds": 0.0}


# --- learning


def test_a_kan_climbs_as_far_as_it_has_no_more_parameters_than_samples():
    config = config_of(FLAT, KAN, (2, 5, 1), 0, full=True)

    assert grids_within(config) == [3, 5, 10, 20]
    assert n_params((2, 5, 1), 50, 3) == 15 * 55
    assert grids_within({**config, "n_train": 1032}) == [3, 5, 10, 20, 50]  # a fifth is set aside
    assert grids_within({**config, "widths": [2, 30, 30, 1]}) == [3, 5]
    network = kr.init_network(
        (2, 5, 1), n_intervals=50, degree=3, domain=(-1.0, 1.0), rng=np.random.default_rng(0)
    )
    assert n_params((2, 5, 1), 50, 3) == network.n_params
    assert (
        n_weights((2, 5, 1))
        == kr.init_mlp((2, 5, 1), activation="tanh", rng=np.random.default_rng(0)).n_params
    )


@pytest.mark.parametrize(
    ("problem", "model", "widths", "bar"),
    [
        (FLAT, KAN, (2, 1, 1), 1e-3),
        (PRODUCT, PRUNED, (2, 5, 1), 0.1),
        (PRODUCT, MLP, (2, 5, 5, 1), 0.1),
    ],
)
def test_every_model_learns_repeats_itself_and_is_plain_data(problem, model, widths, bar):
    config = small(problem, model, widths)

    results, again = learn(problem, config), learn(problem, config)

    assert without_time(results) == without_time(again)
    assert json.loads(json.dumps(results)) == results
    assert results["test"] < bar
    assert results["train"] < bar
    assert results["seconds"] > 0.0


@pytest.mark.parametrize(
    ("model", "widths"), [(KAN, (2, 2, 1)), (PRUNED, (2, 5, 1)), (MLP, (2, 5, 1))]
)
def test_test_data_choose_nothing(monkeypatch, model, widths):
    config = small(PRODUCT, model, widths)
    honest = learn(PRODUCT, config)
    original = table_method.sample

    def other_test_values(*arguments, **settings):
        data = original(*arguments, **settings)
        return replace(data, y_test=-data.y_test)

    monkeypatch.setattr(table_method, "sample", other_test_values)
    fooled = learn(PRODUCT, config)

    assert fooled["test"] > 2.0 * honest["test"]
    for name in ("validation", "train", "widths", "n_params", "network"):
        assert fooled[name] == honest[name], name


def test_the_chosen_rung_has_the_least_validation_error():
    results = learn(PRODUCT, small(PRODUCT, KAN, (2, 2, 1)))

    least = min(results["rungs"], key=lambda rung: rung["validation"])
    assert (results["validation"], results["n_intervals"], results["smoothness"]) == tuple(
        least[name] for name in ("validation", "n_intervals", "smoothness")
    )
    assert {rung["smoothness"] for rung in results["rungs"]} == {1e-8, 1e-6}
    assert restored(results["network"]).widths == (2, 2, 1)


def test_hidden_grids_hold_the_whole_box_in_the_end(monkeypatch):
    """A training set that leaves out a corner, where the network is asked all the same."""
    problem = next(problem for problem in FEYNMAN if problem.name == "III.10.19")
    original = table_method.sample

    def without_corners(*arguments, **settings):
        data = original(*arguments, **settings)
        kept = (data.x_train**2).sum(axis=1) < 1.2
        return replace(data, x_train=data.x_train[kept], y_train=data.y_train[kept])

    monkeypatch.setattr(table_method, "sample", without_corners)
    config = small(problem, KAN, (2, 1, 1), n_train=400)
    results = learn(problem, config)

    corners = np.array([[-1.0, -1.0], [1.0, -1.0], [-1.0, 1.0], [1.0, 1.0]])
    assert not off_a_grid(restored(results["network"]), corners).any()
    monkeypatch.setattr(table_method, "off_a_grid", lambda network, x: np.zeros(1, dtype=bool))
    careless = learn(problem, config)
    assert off_a_grid(restored(careless["network"]), corners).any()
    assert results["test"] < 0.5 * careless["test"]


def test_a_ladder_ends_when_the_validation_error_explodes(monkeypatch):
    monkeypatch.setattr(table_method, "EXPLODED", 1e-9)

    results = learn(PRODUCT, small(PRODUCT, KAN, (2, 2, 1), smoothness=[1e-8]))

    assert [rung["n_intervals"] for rung in results["rungs"]] == [3]


def test_pruning_makes_the_network_smaller():
    results = learn(PRODUCT, small(PRODUCT, PRUNED, (2, 5, 1), penalties=[0.1], penalty_steps=100))

    assert results["penalty_weight"] == 0.1
    assert results["widths"][1] < 5


def test_where_pruning_would_leave_no_path_the_network_stays_as_it_began(monkeypatch):
    def refuse(network, x):
        raise ValueError("threshold 0.01 leaves output 0 without a path from any input")

    monkeypatch.setattr(table_method.kr, "prune", refuse)
    results = learn(PRODUCT, small(PRODUCT, PRUNED, (2, 5, 1)))

    assert results["penalty_weight"] == 0.0
    assert results["widths"] == [2, 5, 1]


# --- configurations


@pytest.mark.parametrize(("figure", "problems"), [(table_1, SPECIAL_FUNCTIONS), (table_2, FEYNMAN)])
def test_full_runs_have_five_seeds_and_the_papers_shapes_and_quick_ones_every_row(figure, problems):
    full, quick = figure.configs(True, None), figure.configs(False, None)

    assert {config["seed"] for config in full} == set(range(5))
    for problem in problems:
        shapes = {
            tuple(config["widths"])
            for config in full
            if config["function"] == problem.name and config["model"] == KAN
        }
        assert set(problem.shapes.values()) <= shapes
        models = {config["model"] for config in quick if config["function"] == problem.name}
        assert models == {KAN, MLP}
    assert all(config["n_train"] == 1000 and config["n_test"] == 10000 for config in full + quick)
    assert sum(figure.cost(config) for config in quick) < 180.0


# --- claims and pictures from made-up records


def made_up(problem, model, widths, seed, test, validation=None, network=None):
    rungs = [
        {
            "n_intervals": 3,
            "smoothness": 1e-8,
            "n_params": 40,
            "validation": 1.0,
            "train": 1.0,
            "test": 10 * test,
        }
    ]
    results = {
        "widths": list(widths),
        "n_params": 100,
        "validation": test if validation is None else validation,
        "train": test,
    }
    results |= {
        "test": test,
        "rungs": [] if model == MLP else rungs,
        "network": network,
        "spread": 0.5,
        "seconds": 1.0,
    }
    config = config_of(problem, model, widths, seed, full=True, activation="tanh")
    return {
        "figure": "",
        "config": config,
        "seed": seed,
        "results": results,
        "versions": {},
        "seconds": 1.0,
    }


def records_of(problems, factor, seeds=(0, 1, 2)):
    """KANs that are `factor` times the paper's best, perceptrons as in the paper."""
    return [
        record
        for problem in problems
        for seed in seeds
        for record in (
            made_up(
                problem,
                KAN,
                problem.shapes["best"],
                seed,
                factor * problem.best_kan * (1 + 0.1 * seed),
            ),
            made_up(problem, MLP, (problem.n_in, 5, 5, 1), seed, problem.paper["MLP"]),
        )
    ]


def test_validation_chooses_not_the_test_error():
    records = [
        made_up(PRODUCT, KAN, (2, 2, 1), 0, 1e-3, validation=2e-3),
        made_up(PRODUCT, PRUNED, (2, 5, 1), 0, 1e-2, validation=1e-3),
    ]

    assert [record["results"]["test"] for record in chosen(records, PRODUCT, KAN, PRUNED)] == [1e-2]


def test_the_best_shape_is_the_one_with_the_lowest_median_whatever_validation_says_and_needs_most_seeds():
    wild = [
        made_up(PRODUCT, KAN, (2, 2, 1), seed, test, validation=1e-9)
        for seed, test in enumerate((1e-5, 1.0, 1.0))
    ]
    steady = [made_up(PRODUCT, PRUNED, (2, 5, 1), seed, 1e-3, validation=1e-3) for seed in range(3)]
    lone = [made_up(PRODUCT, KAN, (2, 2, 2, 1), 0, 1e-8)]

    assert best_shape([*wild, *steady, *lone], PRODUCT, KAN, PRUNED) == steady
    assert best_shape(lone, PRODUCT, KAN) == lone
    assert best_shape(steady, PRODUCT, MLP) == []


def test_both_ways_to_choose_a_shape_are_told():
    wild = [made_up(PRODUCT, KAN, (2, 2, 1), seed, 1.0, validation=1e-9) for seed in range(3)]
    steady = [made_up(PRODUCT, KAN, (2, 3, 1), seed, 1e-4) for seed in range(3)]

    head, row = table_2.claims([*wild, *steady])

    assert head.ours.startswith("1 of 1 rows")
    assert "0 with shapes chosen on validation data" in head.ours
    assert "chosen on validation data 1.00e+00" in row.ours


def test_rows_say_yes_at_half_the_papers_error_and_no_at_a_thousand_times():
    for figure, problems in ((table_1, SPECIAL_FUNCTIONS), (table_2, FEYNMAN)):
        good, bad = (figure.claims(records_of(problems, factor)) for factor in (0.5, 1000.0))

        assert [claim.agrees for claim in good] == ["yes"] * (len(problems) + 1)
        assert [claim.agrees for claim in bad] == ["no"] * (len(problems) + 1)
        assert f"{len(problems)} of {len(problems)} rows" in good[0].ours
        assert f"0 of {len(problems)} rows" in bad[0].ours


def test_a_median_just_above_the_paper_is_no_yes():
    one = FEYNMAN[0]
    records = [
        made_up(one, KAN, one.shapes["best"], seed, one.best_kan * factor)
        for seed, factor in enumerate((0.1, 1.01, 3.0))
    ]

    claim = table_2.claims(records)[1]

    assert claim.agrees == "partly"  # but below the paper's perceptron
    assert "2.89e-05 (2.86e-06 to 8.58e-05)" in claim.ours


def test_too_few_rows_are_not_enough_and_those_not_run_are_counted():
    some = records_of(FEYNMAN[:21], 0.5) + records_of(FEYNMAN[21:26], 2.0)

    head = table_2.claims(some)[0]

    assert head.agrees == "partly"
    assert head.ours.startswith("21 of 26 rows")
    assert head.ours.endswith("1 rows have not been run")
    assert table_2.claims(records_of(FEYNMAN[:22], 0.5))[0].agrees == "yes"


def test_table_1_asks_to_be_below_the_perceptron_too():
    records = records_of(SPECIAL_FUNCTIONS[1:], 0.5) + records_of(SPECIAL_FUNCTIONS[:1], 100.0)

    assert table_1.claims(records)[0].agrees == "partly"


def test_rows_without_kans_make_no_claims():
    assert (
        row_claims(
            [made_up(PRODUCT, MLP, (2, 5, 1), 0, 1e-3)], FEYNMAN, beat_mlp=False, rows_needed=22
        )
        == []
    )


def test_the_smallest_network_is_the_narrowest_below_a_hundredth():
    records = [
        made_up(PRODUCT, KAN, (2, 1, 1), 0, 2e-2),
        made_up(PRODUCT, KAN, (2, 2, 1), 0, 5e-3),
        made_up(PRODUCT, KAN, (2, 5, 1), 0, 1e-6),
    ]

    assert minimal(records, PRODUCT)["results"]["widths"] == [2, 2, 1]
    assert minimal(records[:1], PRODUCT) is None


def test_a_frontier_has_no_point_that_another_one_beats_twice():
    assert frontier([(3, 1.0), (1, 3.0), (2, 4.0), (2, 2.0), (4, 1.0), (5, 0.5)]) == [
        (1, 3.0),
        (2, 2.0),
        (3, 1.0),
        (5, 0.5),
    ]


def test_a_table_is_drawn_with_and_without_networks_and_perceptrons():
    network = learn(PRODUCT, small(PRODUCT, KAN, (2, 2, 1), n_steps=2, start_steps=2))["network"]
    records = [
        made_up(PRODUCT, KAN, (2, 2, 1), 0, 1e-3, network=network),
        made_up(FEYNMAN[0], MLP, (2, 5, 1), 0, 1e-2),
    ]

    three = (PRODUCT, FEYNMAN[0], FEYNMAN[1])
    with style():
        pictures = [
            draw_rows(records, three),
            draw_frontiers(records, three),
            draw_diagrams(records, three, best=True),
            draw_diagrams(records, three, best=False),
        ]
        for picture in pictures:
            assert picture_bytes(picture, "png")["png"].startswith(b"\x89PNG")

    assert [tick.get_text() for tick in pictures[0].axes[0].get_yticklabels()] == [
        problem.name for problem in three
    ]
    assert [ax.get_title() for ax in pictures[1].axes] == [*(one.name for one in three), ""]
    for picture in pictures[2:]:
        titles = [ax.get_title() for ax in picture.axes[:3]]
        assert titles[0].startswith("II.2.42\n[2,2,1], RMSE 1.0e-03")
        assert [title.endswith("none") for title in titles] == [False, True, True]


# --- sizes and shapes


def sized(seed, test, n_params, model=KAN, widths=(2, 2, 1)):
    record = made_up(PRODUCT, model, widths, seed, test)
    record["results"]["n_params"] = n_params
    for rung in record["results"]["rungs"]:
        rung.update(n_params=n_params, test=test)
    return record


@pytest.mark.parametrize(
    ("error", "size", "word"),
    [(1e-4, 100, "yes"), (1e-2, 100, "no"), (1e-4, 101, "no")],
)
def test_a_kan_beats_an_mlp_of_equal_size_only_if_it_is_more_accurate_and_no_larger(
    error, size, word
):
    kans = [sized(seed, error * (1.0 + seed), size) for seed in range(3)]
    mlps = [sized(seed, 1e-3, 100, MLP, (2, 5, 5, 1)) for seed in range(3)]

    (claim,) = shape_claims.equal_size_claims([*kans, *mlps], [PRODUCT])

    assert claim.agrees == word
    assert shape_claims.smallest_error(kans, PRODUCT, 100) == (
        None if size > 100 else pytest.approx(2.0 * error)
    )
    assert ("in 1 of them no KAN is that small" in claim.ours) == (size > 100)


@pytest.mark.parametrize(
    ("factor", "word"), [(1.0, "yes"), (0.4, "yes"), (0.2, "partly"), (20.0, "no"), (0.01, "no")]
)
def test_about_equal_is_a_factor_to_either_side(factor, word):
    records = [
        record
        for problem in FEYNMAN[:3]
        for record in (
            made_up(problem, KAN, problem.shapes["best"], 0, factor * 1e-3),
            made_up(problem, MLP, (problem.n_in, 5, 5, 1), 0, 1e-3),
        )
    ]

    assert [claim.agrees for claim in shape_claims.about_equal_claim(records, FEYNMAN)] == [word]


@pytest.mark.parametrize(
    ("hidden", "test", "word"), [(1, 1e-3, "yes"), (2, 1e-3, "no"), (1, 0.1, "no")]
)
def test_an_automatic_shape_is_smaller_if_it_has_fewer_edges_and_is_accurate(hidden, test, word):
    assert PRODUCT.shapes["human"] == (2, 2, 1)
    runs = [made_up(PRODUCT, PRUNED, (2, hidden, 1), seed, test) for seed in range(3)]

    (claim,) = shape_claims.smaller_than_human_claim(runs, [PRODUCT])

    assert claim.agrees == word
    assert ("of equal size in 1" in claim.ours) == (hidden == 2)


@pytest.mark.parametrize(("kind", "level"), [("best", PRODUCT.best_kan), ("minimal", 1e-2)])
def test_the_papers_shapes_are_judged_by_the_median(kind, level):
    for factor, word in ((0.9, "yes"), (1.1, "no")):
        tests = (0.1 * level, factor * level, 9.0 * level)
        runs = [
            made_up(PRODUCT, KAN, PRODUCT.shapes[kind], seed, test)
            for seed, test in enumerate(tests)
        ]
        (claim,) = shape_claims.paper_shape_claim(runs, [PRODUCT], kind)
        assert claim.agrees == word


def test_edges_that_do_nothing_are_not_drawn():
    rng = np.random.default_rng(0)
    network = kr.init_network((2, 2, 1), n_intervals=3, degree=3, domain=(-1.0, 1.0), rng=rng)
    first = network.layers[0]
    faint = np.array([[1.0, 1e-9], [1.0, 1.0]])
    first = replace(first, w_base=first.w_base * faint, w_spline=first.w_spline * faint)
    network = kr.Network((first, *network.layers[1:]))
    x = rng.uniform(-1.0, 1.0, (100, 2))

    shown = without_idle_edges(network, x)

    assert np.asarray(shown.layers[0].mask).tolist() == [[1.0, 0.0], [1.0, 1.0]]
    assert np.asarray(shown.layers[1].mask).tolist() == [[1.0, 1.0]]
