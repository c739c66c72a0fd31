"""Figures 3.1, 3.4, B.1, B.2, B.3, E and the cure of the U-shape: what their runs measure."""

import json

import numpy as np
import pytest

import kan_ref as kr
from figures.lans import fig_b_1_lan_training, fig_b_2_lan_examples, fig_b_3_images, lan_runs
from figures.machine.style import style
from figures.scaling import fig_3_1_scaling
from figures.scaling.fig_3_1_scaling import frontier
from figures.splines import fig_3_4_continual_learning, fig_e_lattice

# --- 3.1


def test_the_frontier_keeps_what_nothing_smaller_beats():
    sizes, errors = np.array([10.0, 10.0, 20.0, 30.0, 40.0]), np.array([5.0, 4.0, 6.0, 1.0, 1.0])

    np.testing.assert_array_equal(frontier(sizes, errors), ([10.0, 30.0], [4.0, 1.0]))


def test_perceptrons_have_the_depths_and_widths_that_are_stated():
    configs = fig_3_1_scaling.mlp_configs(fig_3_1_scaling.TOYS[1], 0, full=True)

    assert {len(config["widths"]) - 1 for config in configs} == {2, 3, 4, 5}
    assert {config["activation"] for config in configs} == {"tanh", "silu", "relu"}
    assert {config["optimizer"] for config in configs} == {"lbfgs", "lm"}
    for config in configs:
        mlp = kr.init_mlp(config["widths"], activation="tanh", rng=np.random.default_rng(0))
        assert fig_3_1_scaling.n_params(config["widths"]) == mlp.n_params
        assert config["optimizer"] == "lbfgs" or mlp.n_params <= fig_3_1_scaling.MOST_LM_PARAMS


def test_a_small_climb_reports_errors_that_fall():
    (config,) = [
        config
        for config in fig_3_1_scaling.kan_configs(fig_3_1_scaling.TOYS[1], 0, full=False)
        if config["optimizer"] == "lm" and config["degree"] == 3
    ]
    small = {**config, "n_train": 300, "n_test": 200, "n_starts": 4, "grids": [3, 5, 10]}

    results = fig_3_1_scaling.run(small)

    errors = [grid["test_rmse"] for grid in results["grids"]]
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 2e-3
    assert [grid["n_params"] for grid in results["grids"]] == [3 * (grid + 5) for grid in (3, 5, 10)]
    assert results["widths"] == [2, 1, 1]
    assert json.loads(json.dumps(results)) == results


def test_an_mlp_reports_its_error():
    config = fig_3_1_scaling.mlp_configs(fig_3_1_scaling.TOYS[2], 0, full=False)[1]

    results = fig_3_1_scaling.run({**config, "n_train": 100, "n_test": 50})

    assert results["n_params"] == fig_3_1_scaling.n_params(config["widths"])
    assert 0.0 < results["test_rmse"] < 0.1


def test_elimination_is_part_of_the_run_where_the_configuration_says_so():
    (config,) = [
        config
        for config in fig_3_1_scaling.kan_configs(fig_3_1_scaling.TOYS[3], 0, full=True)
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


# --- 3.4


def test_a_kan_with_frozen_scales_keeps_its_peaks_and_one_with_free_scales_does_not():
    frozen, free = (
        next(config for config in fig_3_4_continual_learning.configs(True, 1) if config["model"] == model)
        for model in ("kan, scales frozen", "kan, scales free")
    )

    kept, lost = (fig_3_4_continual_learning.run({**config, "n_steps": 200}) for config in (frozen, free))

    assert max(kept["phases"][-1]["worst"]) <= 1e-4
    assert max(lost["phases"][-1]["worst"][:-1]) >= 0.05
    assert lost["phases"][-1]["worst"][-1] <= 1e-4
    assert [phase["train_rmse"] for phase in kept["phases"]] == pytest.approx(
        [3.99e-6] * 5, rel=0.02
    )  # the documentation's number


# --- B.1, B.2


def random_lan(widths):
    return kr.init_lan(widths, n_intervals=4, degree=3, domain=(-1.0, 1.0), rng=np.random.default_rng(0))


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


@pytest.mark.parametrize(
    ("figure", "config"),
    [
        *((fig_b_1_lan_training, one) for one in fig_b_1_lan_training.configs(False, 1)),
        *((fig_b_2_lan_examples, one) for one in fig_b_2_lan_examples.configs(False, 1)[1:3]),
    ],
    ids=lambda one: one.get("model", one.get("panel")) if isinstance(one, dict) else one.NAME,
)
def test_a_small_run_on_lans_is_plain_data_and_is_judged_and_drawn(figure, config):
    few = {"n_train": 100, "n_test": 50, "n_starts": 1, "start_steps": 5}
    config = {**config, **few, "n_rounds": 1, "round_steps": 5, "grids": [4]}

    results = figure.run(config)

    assert json.loads(json.dumps(results)) == results
    record = {"config": config, "seed": config["seed"], "results": results}
    assert isinstance(figure.claims([record]), list)
    with style():
        assert figure.draw([record]).axes


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
    record = {"results": {"grids": [{"n_intervals": n, "train_rmse": error} for n, error in enumerate(errors)]}}

    assert fig_e_lattice.jump(record, "train_rmse") == 3.0
    assert fig_e_lattice.jump({"results": {"grids": record["results"]["grids"][:3]}}, "train_rmse") is None


def test_the_lattice_is_one():
    config = {**fig_e_lattice.configs(False, 1)[1], "grids": [3], "n_steps": 5, "n_side": 6}

    results = fig_e_lattice.run(config)

    assert [grid["n_intervals"] for grid in results["grids"]] == [3]
    assert results["grids"][0]["train_rmse"] < 1.0


# --- B.3


def test_grey_values_are_means_of_blocks_and_the_first_row_is_on_top():
    config = fig_b_3_images.configs(True, 1)[0]
    fine = fig_b_3_images.image_of({**config, "block": 1})
    coarse = fig_b_3_images.image_of(config)

    assert coarse.shape == (40, 40)
    assert coarse[3, 5] == pytest.approx(fine[24:32, 40:48].mean())
    data = fig_b_3_images.data_of(coarse)
    assert data.y_train[:40, 0] == pytest.approx(coarse[0])
    assert data.x_train[0] == pytest.approx([-0.975, -0.975])
    assert data.x_train[39] == pytest.approx([0.975, -0.975])
    assert fig_b_3_images.decibels(0.2) == pytest.approx(20.0)


def test_an_image_is_learnt_in_four_ways_that_repeat_themselves_and_is_drawn():
    config = fig_b_3_images.configs(False, 1)[0] | {"block": 40, "widths": [2, 4, 1], "steps": [[11, 1e-2], [5, 1e-3]]}
    results, again = fig_b_3_images.run(config), fig_b_3_images.run(config)

    for some in (results, again):
        for way in some["ways"].values():
            way.pop("seconds")
    assert results == again == json.loads(json.dumps(results))
    ways = results["ways"]
    assert {len(way["psnr"]) for way in ways.values()} == {5}  # steps 0, 5, 10, 15 and 16
    # the converted network begins where the SIREN ended
    assert ways[fig_b_3_images.CONVERTED]["psnr"][0] == ways[fig_b_3_images.SIREN]["psnr"][-1]
    for way in ways.values():
        way["seconds"] = 1.0
    record = {"config": config, "seed": 0, "results": results}
    assert len(fig_b_3_images.claims([record])) == 3
    with style():
        assert len(fig_b_3_images.draw([record]).subfigs[1].axes) == 5
