"""Tables 1 and 2: what is learnt, and what chooses."""

import json
from dataclasses import replace

import numpy as np
import pytest

import kan_ref as kr
from figures.machine.stored_network import restored
from figures.splines.fig_u_shape import off_a_grid
from figures.tables import table_method
from figures.tables.problem import FEYNMAN, SPECIAL_FUNCTIONS
from figures.tables.table_method import KAN, MLP, PRUNED, config_of, grids_within, learn, n_params
from figures.tables.table_summary import frontier, without_idle_edges
from figures.tables.tables_1_and_2 import table_1, table_2

FLAT = next(problem for problem in SPECIAL_FUNCTIONS if problem.name == "sph_harm m=0 n=1")
PRODUCT = next(problem for problem in FEYNMAN if problem.name == "II.2.42")


def small(problem, model, widths, **changes):
    config = config_of(problem, model, widths, 0, full=False, activation="tanh" if model == MLP else "")
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
    network = kr.init_network((2, 5, 1), n_intervals=50, degree=3, domain=(-1.0, 1.0), rng=np.random.default_rng(0))
    assert n_params((2, 5, 1), 50, 3) == network.n_params


@pytest.mark.parametrize(
    ("problem", "model", "widths", "bar"),
    [(FLAT, KAN, (2, 1, 1), 1e-3), (PRODUCT, PRUNED, (2, 5, 1), 0.1), (PRODUCT, MLP, (2, 5, 5, 1), 0.1)],
)
def test_every_model_learns_repeats_itself_and_is_plain_data(problem, model, widths, bar):
    config = small(problem, model, widths)

    results, again = learn(problem, config), learn(problem, config)

    assert without_time(results) == without_time(again)
    assert json.loads(json.dumps(results)) == results
    assert results["test"] < bar
    assert results["train"] < bar
    assert results["seconds"] > 0.0


@pytest.mark.parametrize(("model", "widths"), [(KAN, (2, 2, 1)), (PRUNED, (2, 5, 1)), (MLP, (2, 5, 1))])
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
            tuple(config["widths"]) for config in full if config["function"] == problem.name and config["model"] == KAN
        }
        assert set(problem.shapes.values()) <= shapes
        models = {config["model"] for config in quick if config["function"] == problem.name}
        assert models == {KAN, MLP}
    assert all(config["n_train"] == 1000 and config["n_test"] == 10000 for config in full + quick)


# --- claims and pictures from made-up records


def test_a_frontier_has_no_point_that_another_one_beats_twice():
    assert frontier([(3, 1.0), (1, 3.0), (2, 4.0), (2, 2.0), (4, 1.0), (5, 0.5)]) == [
        (1, 3.0),
        (2, 2.0),
        (3, 1.0),
        (5, 0.5),
    ]


# --- sizes and shapes


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
