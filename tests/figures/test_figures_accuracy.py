"""Figures 2.2, 2.3, the U-shape with its cure, 3.1, 3.4, B.1, B.2, B.3, E and Theorem 2.1: what their runs measure."""

import json
import time

import numpy as np
import pytest
import sympy

import kan_ref as kr
from figures.lans import fig_b_1_lan_training, fig_b_2_lan_examples, fig_b_3_images, lan_runs
from figures.machine import training
from figures.machine.pictures import style
from figures.splines import (
    fig_2_2_b_splines,
    fig_2_3_grid_extension,
    fig_3_1_scaling,
    fig_3_4_continual_learning,
    fig_e_lattice,
    fig_u_shape,
    theorem_2_1,
)
from figures.splines.fig_3_1_scaling import frontier
from kan_ref.bspline.placement import hidden_bounds

# --- figures 2.2, 2.3, the U-shape and Theorem 2.1: what their runs measure


def small_config(**changes):
    config = training.config_of(training.LBFGS, [2, 1, 1], 5, seed=1)
    return {**config, "n_train": 200, "n_test": 1500, "n_starts": 2, "start_steps": 5, "n_steps": 6, **changes}


def without_times(results):
    return {**results, "start_seconds": 0, "grids": [{**grid, "seconds": 0} for grid in results["grids"]]}


def test_a_climb_repeats_itself_number_by_number_and_is_plain_data():
    first, second = (fig_2_3_grid_extension.run(small_config()) for _ in range(2))

    assert without_times(first) == without_times(second)
    assert json.loads(json.dumps(first)) == first


def test_a_climb_reports_errors_along_each_grid_and_at_its_end():
    results = fig_2_3_grid_extension.run(small_config())

    assert [grid["n_intervals"] for grid in results["grids"]] == [3, 5]
    for grid in results["grids"]:
        assert grid["stairs"]["step"] == list(range(7))
        assert grid["train_rmse"] == pytest.approx(grid["stairs"]["train_rmse"][-1], rel=1e-3)
        assert grid["test_median"] < grid["test_rmse"]
        assert grid["n_steps"] == 6
    assert results["grids"][1]["train_rmse"] < results["grids"][0]["train_rmse"]


def test_the_best_of_several_starts_is_that_of_the_package():
    rng = np.random.default_rng(0)
    data = kr.sample("exp_sin", n_train=100, n_test=10, rng=rng)
    data = kr.Data(data.x_train, 10.0 * data.y_train, data.x_test, 10.0 * data.y_test)
    options = {"n_starts": 3, "n_intervals": 3, "degree": 3, "domain": (-1.0, 1.0), "n_steps": 3}
    options["optimizer"] = training.OPTIMIZERS["lm"]
    config = {"widths": [2, 1, 1], "n_starts": 3, "degree": 3, "start_steps": 3, "optimizer": "lm"}

    best, _ = training.best_start(config, data, n_intervals=3, rng=np.random.default_rng(1))

    expected = kr.best_start((2, 1, 1), data, initialization="paper", rng=np.random.default_rng(1), **options)
    np.testing.assert_array_equal(best.theta, expected.theta)


def test_a_start_has_failed_if_its_error_is_more_than_ten_times_the_smallest():
    assert training.n_failed([0.1, 0.01, 0.0999, 0.101]) == 1


def test_a_climb_is_timed_without_the_errors_on_test_points(monkeypatch):
    original = training.rmse

    def slow(*arguments):
        until = time.process_time() + 0.05
        while time.process_time() < until:
            pass
        return original(*arguments)

    monkeypatch.setattr(fig_2_3_grid_extension, "rmse", slow)
    results = fig_2_3_grid_extension.run(small_config())

    assert 0.0 < sum(grid["seconds"] for grid in results["grids"]) < 0.3  # 14 calls of 0.05 s while grids are trained


def hidden_of(network, x):
    return network.flow(network.prepare(x))[0]


@pytest.mark.parametrize("margin", [False, True])
def test_hidden_grids_lie_as_the_figure_says_and_the_function_stays(margin):
    rng = np.random.default_rng(0)
    x = rng.uniform(-1.0, 1.0, (300, 2))
    network = kr.init_network((2, 5, 1), n_intervals=5, degree=3, domain=(-1.0, 1.0), x=x, rng=rng)

    placed = fig_u_shape.place_grids(network, x, 40, margin=margin)

    hidden, grid = hidden_of(placed, x), placed.layers[1].breakpoints
    low, high = hidden_bounds(hidden, 40) if margin else (hidden.min(axis=0), hidden.max(axis=0))
    np.testing.assert_array_equal(grid[:, 0], low)
    np.testing.assert_array_equal(grid[:, -1], high)
    np.testing.assert_array_equal(placed.layers[0].breakpoints[:, [0, -1]], [[-1.0, 1.0]] * 2)
    assert [layer.n_intervals for layer in placed.layers] == [40, 40]
    assert kr.distance(network, placed, x).max < 1e-2 * np.ptp(network(x))


def test_points_off_a_grid_are_those_beyond_its_ends():
    rng = np.random.default_rng(1)
    x = rng.uniform(-1.0, 1.0, (2000, 2))
    network = kr.init_network((2, 3, 1), n_intervals=5, degree=3, domain=(-1.0, 1.0), x=x[:100], rng=rng)
    placed = fig_u_shape.place_grids(network, x[:100], 5, margin=False)
    hidden, grid = hidden_of(placed, x), placed.layers[1].breakpoints

    off = fig_u_shape.off_a_grid(placed, x)

    expected = [
        any(not low <= value <= high for value, (low, *_, high) in zip(row, grid, strict=True)) for row in hidden
    ]
    np.testing.assert_array_equal(off, expected)
    assert not off[:100].any()
    assert 0 < off.sum() < 500


def test_errors_with_and_without_the_points_off_a_grid_add_up():
    grid = fig_u_shape.run({**small_config(), "margin": False})["grids"][-1]

    n, n_off = 1500, grid["n_off_grid"]
    on_grid = grid["test_rmse_on_grid"] ** 2 * (n - n_off)
    assert n_off > 0
    assert on_grid == pytest.approx((1.0 - grid["share_off_grid"]) * grid["test_rmse"] ** 2 * n, rel=1e-9)


def test_without_a_margin_test_points_fall_off_and_with_it_they_do_not():
    settings = {
        "optimizer": "lm",
        "smoothness_weight": 1e-8,
        "n_train": 1000,
        "n_starts": 4,
        "start_steps": 20,
        "n_steps": 15,
        "seed": 0,
    }
    config = small_config(**settings, grids=[3, 5, 10, 20, 50, 100])

    without, with_margin = ({**fig_u_shape.run({**config, "margin": margin})["grids"][-1]} for margin in (False, True))

    assert without["n_off_grid"] > 0
    assert with_margin["n_off_grid"] == 0
    assert without["test_rmse"] > 10 * with_margin["test_rmse"]
    assert without["share_off_grid"] > 0.9


def test_partial_bell_polynomials_are_sympys():
    rng = np.random.default_rng(2)
    slopes = rng.normal(size=(6, 3))

    table = theorem_2_1.bell(list(slopes), 6)

    symbols = sympy.symbols("x1:7")
    for n in range(6):
        for p in range(6):
            formula = sympy.lambdify(symbols, sympy.bell(n, p, symbols[: max(n - p + 1, 0)]) if p <= n else 0)
            np.testing.assert_allclose(table[n][p], np.broadcast_to(formula(*slopes), 3), rtol=1e-12, atol=1e-12)


def test_mixed_derivatives_are_sympys():
    x, y = sympy.symbols("x y")
    formula = sympy.exp(sympy.sin(sympy.pi * x) + y**2)
    points = np.array([-0.7, 0.1, 0.6])

    found = theorem_2_1.mixed_derivatives(
        theorem_2_1._sine, theorem_2_1._square, theorem_2_1._exponential, points, points[:2], 5
    )

    assert sorted(found) == [(i, j) for i in range(6) for j in range(6 - i)]
    for (i, j), values in found.items():
        exact = sympy.lambdify((x, y), sympy.diff(formula, *[x] * i, *[y] * j) if i + j else formula)
        np.testing.assert_allclose(values, exact(points[:, None], points[None, :2]), rtol=1e-11, atol=1e-9)


def theorem_record(degree):
    config = {"degree": degree, "grids": [4, 8, 16, 32, 64], "n_points": 61}
    return {"config": config, "results": theorem_2_1.run(config)}


@pytest.mark.parametrize("degree", theorem_2_1.DEGREES)
def test_spline_networks_have_the_rates_of_theorem_2_1(degree):
    record = theorem_record(degree)

    claims = theorem_2_1.claims([record])

    slopes = [value for value, _ in theorem_2_1.rates(record)]
    np.testing.assert_allclose(slopes, [m - degree - 1 for m in range(degree + 1)], rtol=0, atol=0.45)
    assert [claim.agrees for claim in claims] == ["yes"]


def test_rates_below_those_of_the_theorem_are_denied():
    record = theorem_record(2)
    record["results"]["errors"] = (np.array(record["results"]["errors"]) * record["config"]["grids"]).tolist()

    assert theorem_2_1.claims([record])[0].agrees == "no"


def test_errors_within_rounding_do_not_enter_a_rate():
    record = theorem_record(1)
    record["results"]["errors"][0][-1] = 1.0
    record["results"]["floors"][0][-1] = 2.0

    (slope_of_values, n_used), _ = theorem_2_1.rates(record)

    assert n_used == 4
    assert slope_of_values == pytest.approx(-2.0, abs=0.2)


def test_a_curve_moves_to_a_finer_grid_in_both_ways_and_stays():
    config = fig_2_2_b_splines.configs(False, None)[0]
    results = fig_2_2_b_splines.run(config)

    assert [claim.agrees for claim in fig_2_2_b_splines.claims([{"config": config, "results": results}])] == ["yes"] * 3
    assert [grid["n_basis"] for grid in results["grids"]] == [8, 13]
    assert results["difference_of_curves"] < 1e-14
    assert results["difference_of_coefficients"] < 1e-13
    points, inside = np.array(results["points"]), np.abs(results["points"]) <= 1.0
    coarse, fine = (np.array(grid["scaled_bases"]).sum(axis=0) for grid in results["grids"])
    curve = kr.bspline.basis(points[:, None], [results["grids"][0]["knots"]], config["degree"])[:, 0] @ config["coef"]
    np.testing.assert_allclose(coarse, curve, rtol=0, atol=1e-4)
    np.testing.assert_allclose(coarse[inside], fine[inside], rtol=0, atol=1e-5)
    assert np.abs(coarse - fine)[points < -1.5].max() > 0.05


# --- figures 3.1, 3.4, B.1, B.2, B.3, E and the cure of the U-shape: what their runs measure

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
