"""Figures 3.1, 3.4, B.1, B.2, E and the cure of the U-shape: what their runs measure, claims that can fail, pictures of quick records."""

import json

import figure_records as made_up
import numpy as np
import pytest
from figure_records import FIGURES, RECORDS, random_lan

import kan_ref as kr
from figures.lans import fig_b_1_lan_training, lan_runs
from figures.machine.style import style
from figures.scaling import fig_3_1_claims, fig_3_1_scaling, toy_scaling
from figures.scaling.fig_3_1_claims import frontier
from figures.splines import fig_3_4_continual_learning, fig_e_lattice


def agreement(claims, *words):
    found = {claim.agrees for claim in claims if all(word in claim.claim for word in words)}
    assert found, words
    return found


@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.parametrize("full", [False, True])
def test_pictures_and_tables_come_from_quick_and_from_full_records(name, full):
    figure, records = FIGURES[name], RECORDS[name](full=full, seeds=1 if not full else 2)

    claims = figure.claims(json.loads(json.dumps(records)))
    with style():
        picture = figure.draw(records)

    assert claims
    assert picture.axes


@pytest.mark.parametrize("name", FIGURES)
def test_configurations_are_plain_data_and_each_its_own(name):
    for full in (False, True):
        configs = FIGURES[name].configs(full, None)
        texts = {json.dumps(config, sort_keys=True) for config in configs}
        assert len(texts) == len(configs)
        assert json.loads(json.dumps(configs)) == configs


# --- 3.1


def test_slopes_of_the_theorem_agree_and_flatter_ones_do_not():
    steep, flat = (fig_3_1_scaling.claims(made_up.scaling(power=power)) for power in (-4.0, -2.0))

    assert agreement(steep, "the slope is near") == {"yes"}
    assert agreement(flat, "the slope is near") == {"no"}


def test_the_bars_of_single_errors_can_be_missed():
    good, bad = (fig_3_1_scaling.claims(made_up.scaling(scale=scale)) for scale in (1e-6, 1000.0))

    for words in (("exact in cubics",), ("G = 50",)):
        assert agreement(good, *words) == {"yes"}
    assert agreement(bad, "exact in cubics") == {"no"}
    assert agreement(bad, "G = 50", "eliminated: test") == {"no"}


def test_perceptrons_that_win_are_said_to():
    assert agreement(fig_3_1_scaling.claims(made_up.scaling(mlp=1e-12)), "MLPs") == {"no"}
    assert agreement(fig_3_1_scaling.claims(made_up.scaling(mlp=1.0)), "MLPs") == {"yes"}


@pytest.mark.parametrize(("seeds", "words"), [(1, "one seed each"), (2, "medians over 2 seeds")])
def test_the_row_and_the_picture_say_over_how_many_seeds_mlps_are_judged(seeds, words):
    records = made_up.scaling(seeds=seeds)

    rows = [claim for claim in fig_3_1_scaling.claims(records) if "MLPs" in claim.claim]
    with style():
        legend = fig_3_1_scaling.draw(records).axes[-1].get_legend()

    assert rows
    assert all(f" networks, {words}; " in claim.evidence for claim in rows)
    assert f"MLP: {words} (dots)" in legend.get_title().get_text()


def test_the_frontier_keeps_what_nothing_smaller_beats():
    sizes, errors = np.array([10.0, 10.0, 20.0, 30.0, 40.0]), np.array([5.0, 4.0, 6.0, 1.0, 1.0])

    np.testing.assert_array_equal(frontier(sizes, errors), ([10.0, 30.0], [4.0, 1.0]))


def test_perceptrons_have_the_depths_and_widths_that_are_stated():
    configs = toy_scaling.mlp_configs(toy_scaling.TOYS[1], 0, full=True)

    assert {len(config["widths"]) - 1 for config in configs} == {2, 3, 4, 5}
    assert {config["activation"] for config in configs} == {"tanh", "silu", "relu"}
    assert {config["optimizer"] for config in configs} == {"lbfgs", "lm"}
    for config in configs:
        mlp = kr.init_mlp(config["widths"], activation="tanh", rng=np.random.default_rng(0))
        assert toy_scaling.n_params(config["widths"]) == mlp.n_params
        assert config["optimizer"] == "lbfgs" or mlp.n_params <= toy_scaling.MOST_LM_PARAMS


def test_every_model_of_a_function_has_the_same_number_of_samples():
    for full in (False, True):
        configs = fig_3_1_scaling.configs(full, 1)
        assert {(config["n_train"], config["n_test"]) for config in configs} == {(3000, 3000)}


def test_a_small_climb_reports_errors_that_fall():
    (config,) = [
        config
        for config in toy_scaling.kan_configs(toy_scaling.TOYS[1], 0, full=False)
        if config["optimizer"] == "lm" and config["degree"] == 3
    ]
    small = {**config, "n_train": 300, "n_test": 200, "n_starts": 4, "grids": [3, 5, 10]}

    results = fig_3_1_scaling.run(small)

    errors = [grid["test_rmse"] for grid in results["grids"]]
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 2e-3
    assert [grid["n_params"] for grid in results["grids"]] == [
        3 * (grid + 5) for grid in (3, 5, 10)
    ]
    assert results["widths"] == [2, 1, 1]
    assert json.loads(json.dumps(results)) == results


def test_an_mlp_reports_its_error():
    config = toy_scaling.mlp_configs(toy_scaling.TOYS[2], 0, full=False)[1]

    results = fig_3_1_scaling.run({**config, "n_train": 100, "n_test": 50})

    assert results["n_params"] == toy_scaling.n_params(config["widths"])
    assert 0.0 < results["test_rmse"] < 0.1


def test_elimination_is_part_of_the_run_where_the_configuration_says_so():
    (config,) = [
        config
        for config in toy_scaling.kan_configs(toy_scaling.TOYS[3], 0, full=True)
        if config["shape"] == "eliminated" and config["degree"] == 3
    ]
    small = {
        **config,
        "target": "exp_sin",
        "widths": [2, 2, 1],
        "n_train": 200,
        "n_test": 100,
        "n_starts": 2,
        "n_steps": 10,
        "grids": [10],
    }

    results = fig_3_1_scaling.run(small)

    assert results["widths"] == [2, 1, 1]
    assert [len(layer) for layer in results["edges"]] == [2, 1]


def test_kinds_of_records_are_told_apart():
    kinds = {
        fig_3_1_claims.kind_of(record)
        for record in made_up.scaling()
        if record["config"]["model"] == "kan"
    }

    assert kinds == {*fig_3_1_claims.KANS, fig_3_1_claims.TWO_LAYERS}


# --- 3.4


def test_a_kan_with_frozen_scales_keeps_its_peaks_and_one_with_free_scales_does_not():
    frozen, free = (
        next(
            config
            for config in fig_3_4_continual_learning.configs(True, 1)
            if config["model"] == model
        )
        for model in ("kan, scales frozen", "kan, scales free")
    )

    kept, lost = (
        fig_3_4_continual_learning.run({**config, "n_steps": 200}) for config in (frozen, free)
    )

    assert max(kept["phases"][-1]["worst"]) <= 1e-4
    assert max(lost["phases"][-1]["worst"][:-1]) >= 0.05
    assert lost["phases"][-1]["worst"][-1] <= 1e-4
    assert [phase["train_rmse"] for phase in kept["phases"]] == pytest.approx(
        [3.99e-6] * 5, rel=0.02
    )  # the documentation's number


def test_claims_about_peaks_follow_what_is_left():
    assert agreement(fig_3_4_continual_learning.claims(made_up.peaks()), "") == {"yes"}
    claims = fig_3_4_continual_learning.claims(made_up.peaks(kan=1e-2, free=1e-5, mlp=1e-5))
    assert agreement(claims, "") == {"no"}


# --- B.1, B.2


def test_a_stored_lan_comes_back_the_same_to_the_eye():
    lan = random_lan((2, 3, 2, 1))
    x = np.random.default_rng(0).uniform(-1.0, 1.0, (20, 2))

    again = lan_runs.restored_lan(json.loads(json.dumps(lan_runs.stored_lan(lan))))

    np.testing.assert_allclose(again(x), lan(x), rtol=0, atol=1e-4)


def test_purity_is_the_share_of_the_strongest_input():
    lan = random_lan((2, 2, 1))
    weights = (np.array([[3.0, 0.0], [1.0, -1.0]]), lan.weights[1])
    lan = kr.LAN(weights, lan.biases, lan.coefs, lan.knots, lan.degree, lan.base)
    x = np.array([[1.0, 3.0], [-1.0, -3.0]])

    assert lan_runs.purity(lan, x) == pytest.approx([1.0, 0.75])


def test_a_lan_is_trained_round_by_round_and_watched():
    rng = np.random.default_rng(0)
    data = kr.sample("exp_sin", n_train=200, n_test=50, rng=rng)
    config = {
        **lan_runs.SETTINGS,
        "widths": [2, 2, 1, 1],
        "grids": [4, 6],
        "n_starts": 2,
        "start_steps": 10,
        "n_rounds": 2,
        "round_steps": 5,
    }
    steps, networks = [], []

    def watch(step, network, entry):
        steps.append(step)
        networks.append(network)

    lan, validation = lan_runs.train_lan(config, data, rng, watch)

    assert steps == list(range(31))
    assert len(validation) == 2
    assert [row.n_basis for row in lan.rows] == [9, 9]
    np.testing.assert_array_equal(lan(data.x_test), networks[-1](data.x_test))


def test_an_mlp_of_about_as_many_parameters_is_found():
    lan = random_lan((2, 5, 1))
    width = lan_runs.shape_with_params(lan, [2, 0, 0, 1])
    sizes = [
        kr.init_mlp((2, w, w, 1), activation="tanh", rng=np.random.default_rng(0)).n_params
        for w in (width - 1, width, width + 1)
    ]

    assert np.argmin(np.abs(np.array(sizes) - lan.n_params)) == 1


def test_claims_about_lans_follow_errors_and_weights():
    between = fig_b_1_lan_training.claims(made_up.lan_training())
    worst = fig_b_1_lan_training.claims(made_up.lan_training(lan=1e-2, kan=1.0, purity=0.99))

    assert agreement(between, "") == {"yes"}
    assert agreement(worst, "") == {"no"}


@pytest.mark.parametrize(
    ("error", "right", "purity", "learnt", "mixed"),
    [(1e-3, 0.98, 0.6, "yes", "yes"), (0.5, 0.5, 0.99, "no", "no")],
)
def test_claims_about_examples_follow_errors_and_weights(error, right, purity, learnt, mixed):
    claims = FIGURES["b.2"].claims(made_up.lan_examples(error=error, right=right, purity=purity))

    assert agreement(claims, "is learnt") == {learnt}
    assert agreement(claims, "weights mix") == {mixed}


# --- the cure of the U-shape


def test_claims_about_the_cure_follow_the_rises():
    assert agreement(FIGURES["u-shape-cure"].claims(made_up.cure()), "") == {"yes"}
    claims = FIGURES["u-shape-cure"].claims(made_up.cure(paper=1.0, cured=10.0))
    assert agreement(claims, "") == {"no"}


def test_a_small_run_of_each_way_reports_errors_and_weights():
    for config in FIGURES["u-shape-cure"].configs(False, 1)[:3]:
        small = {
            **config,
            "grids": [3, 5],
            "n_train": 150,
            "n_test": 50,
            "n_starts": 2,
            "start_steps": 20,
            "n_steps": 20,
        }

        grids = FIGURES["u-shape-cure"].run(small)["grids"]

        assert [grid["n_intervals"] for grid in grids] == [3, 5]
        assert all(grid["test_rmse"] > 0.0 for grid in grids)
        assert all(grid["weight"] in (None, *config.get("weights", [0.0])) for grid in grids)


# --- E


def test_minimum_norm_keeps_the_outputs_at_its_points_and_has_the_smallest_coefficients():
    rng = np.random.default_rng(0)
    line = np.linspace(-1.0, 1.0, 6)
    x = np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2)
    network = kr.init_network((2, 1), n_intervals=3, degree=3, domain=(-1.0, 1.0), rng=rng)

    finer = fig_e_lattice.minimum_norm(network, x, 12)
    extended = kr.extend_grid(network, n_intervals=12)

    np.testing.assert_allclose(finer(x), network(x), rtol=0, atol=1e-12)
    np.testing.assert_allclose(extended(x), network(x), rtol=0, atol=1e-12)
    assert np.linalg.norm(finer.layers[0].coef) < 0.9 * np.linalg.norm(extended.layers[0].coef)


def test_a_jump_is_the_first_rise_above_what_was_reached():
    errors = [1.0, 0.1, 0.2, 0.5, 0.01]
    record = {
        "results": {
            "grids": [{"n_intervals": n, "train_rmse": error} for n, error in enumerate(errors)]
        }
    }

    assert fig_e_lattice.jump(record, "train_rmse") == 3.0
    assert (
        fig_e_lattice.jump({"results": {"grids": record["results"]["grids"][:3]}}, "train_rmse")
        is None
    )


def test_claims_about_lattices_follow_the_jumps():
    claims = fig_e_lattice.claims(made_up.lattice())

    assert agreement(claims, "lattice, every grid") == {"yes"}
    assert agreement(claims, "lattice, extended from") == {"no"}
    assert agreement(claims, "random points") == {"yes"}
    assert agreement(fig_e_lattice.claims(made_up.lattice(fresh=1.0)), "lattice") == {"no"}


def test_the_lattice_is_one():
    config = {**fig_e_lattice.configs(False, 1)[1], "grids": [3], "n_steps": 5, "n_side": 6}

    results = fig_e_lattice.run(config)

    assert [grid["n_intervals"] for grid in results["grids"]] == [3]
    assert results["grids"][0]["train_rmse"] < 1.0
