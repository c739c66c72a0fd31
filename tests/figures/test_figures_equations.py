"""Figure 3.3: solutions that solve the equation, runs that repeat, pictures from records, claims that can fail."""

import copy
import json

import numpy as np
import pytest
from figure_records import made_up_poisson, nested_records, poisson_records
from matplotlib.figure import Figure

import kan_ref as kr
from figures.equations import fig_3_3_poisson, nested_grids, poisson
from figures.equations.fig_3_3_claims import claims as poisson_claims
from figures.equations.poisson import (
    KAN_LM,
    METHODS,
    MLP_LBFGS,
    SOLUTIONS,
    config_of,
    mesh,
    runs_of,
    spread_of,
)
from figures.machine.style import style
from kan_ref.numerics.differences import central_difference

names = pytest.mark.parametrize("name", SOLUTIONS)


# --- Poisson: the problem


@names
def test_gradient_and_laplacian_are_those_of_the_solution(name):
    solution, x = SOLUTIONS[name], np.random.default_rng(0).uniform(-1.0, 1.0, (50, 2))
    for i in range(2):
        along = np.eye(2)[i]
        by_u = central_difference(lambda t, along=along: solution.u(x + t * along))
        np.testing.assert_allclose(solution.gradient(x)[:, i], by_u, atol=1e-8)

    twice = sum(
        central_difference(lambda t, i=i: solution.gradient(x + t * np.eye(2)[i])[:, i])
        for i in range(2)
    )
    np.testing.assert_allclose(solution.laplacian(x), twice, atol=1e-7)


@names
def test_the_solution_vanishes_on_the_boundary(name):
    sides = poisson.around(np.random.default_rng(1).uniform(-1.0, 1.0, (4, 20)))

    assert (np.abs(sides).max(axis=1) == 1.0).all()
    assert np.abs(SOLUTIONS[name].u(sides)).max() < 1e-15


def test_points_are_as_many_as_the_paper_and_its_documentation_have():
    inside, boundary = poisson.points("paper", np.random.default_rng(0))
    lattice, sides = poisson.points("documentation", np.random.default_rng(0))

    assert (len(inside), len(boundary)) == (10000, 800)
    assert (len(lattice), len(sides)) == (51 * 51, 4 * 51)
    assert len(mesh()) == 201 * 201


def test_the_exact_formula_has_no_residual_and_no_error():
    """sin(pi x) sin(pi y) as half a difference of two cosines: a [2,2,1] network."""
    net = kr.init_network(
        (2, 2, 1), n_intervals=3, degree=3, domain=(-1.0, 1.0), rng=np.random.default_rng(0)
    )
    for j, sign in enumerate((1.0, -1.0)):
        net = kr.fix_symbolic(net, 0, output=j, input=0, name="x", affine=(1.0, 0.0, np.pi, 0.0))
        net = kr.fix_symbolic(
            net, 0, output=j, input=1, name="x", affine=(1.0, 0.0, -sign * np.pi, 0.0)
        )
        net = kr.fix_symbolic(
            net, 1, output=0, input=j, name="cos", affine=(1.0, 0.0, 0.5 * sign, 0.0)
        )

    problem = poisson.problem("documentation", np.random.default_rng(0))
    run = kr.fit(net, problem=problem, n_steps=0)

    assert run.history.train_rmse[0] < 1e-13
    assert max(poisson.errors("documentation", net, mesh()[::40])) < 1e-28


def test_errors_are_means_of_squares_of_values_and_slopes():
    """Of the zero network they are those of the solution itself: on the whole square mean u^2 = 1/4, mean |grad u|^2 = pi^2 / 2."""
    zero = kr.init_network(
        (2, 1), n_intervals=3, degree=3, domain=(-1.0, 1.0), rng=np.random.default_rng(0)
    )
    zero = zero.with_theta(np.zeros(zero.n_params))
    line = (
        -1.0 + 2.0 * (np.arange(100) + 0.5) / 100
    )  # midpoints: exact for trigonometric polynomials
    x = np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2)

    l2, h1 = poisson.errors("documentation", zero, x)

    assert l2 == pytest.approx(0.25, rel=1e-12)
    assert h1 == pytest.approx(0.25 + np.pi**2 / 2.0, rel=1e-12)


# --- Poisson: runs, picture, claims


def small_config(method, seed=0, name="documentation"):
    shape = (
        {"activation": "tanh"}
        if method.model == "mlp"
        else {"n_intervals": 5, "degree": method.degree}
    )
    widths = [2, 3, 1] if method.model == "kan" else [2, 4, 4, 1]
    return config_of(name, method.model, widths, method.optimizer, 6, seed, **shape)


@pytest.mark.parametrize(
    "method", METHODS, ids=lambda method: f"{method.model}-{method.optimizer}-{method.degree}"
)
def test_a_run_lowers_the_loss_repeats_itself_and_is_plain_data(method, monkeypatch):
    monkeypatch.setattr(poisson, "LINES", 21)
    first, again = (poisson.run(small_config(method)) for _ in range(2))
    timed = ("seconds", "curve")

    assert first["loss"] < 0.8 * first["curve"]["loss"][0]
    assert {key: value for key, value in first.items() if key not in timed} == {
        key: value for key, value in again.items() if key not in timed
    }
    assert first["curve"]["l2"] == again["curve"]["l2"]
    assert json.loads(json.dumps(first)) == first
    assert first["curve"]["step"][0] == 0
    assert first["curve"]["l2"][-1] == pytest.approx(first["l2"], rel=1e-4)


def agreement(rows, *words):
    found = {row.agrees for row in rows if all(word in row.claim for word in words)}
    assert found, words
    return found


def test_claims_about_fig_3_3_say_yes_to_what_the_paper_saw():
    rows = poisson_claims(poisson_records())

    assert agreement(rows, "error of the KAN", "k = 3, LM") == {"yes"}
    assert agreement(rows, "100 times as accurate") == {"yes"}
    assert agreement(rows, "fewer parameters") == {"yes"}
    assert agreement(rows, "falls steeply", "k = 3") == {"yes"}
    assert agreement(rows, "with the same optimizer") == {"yes"}


def test_claims_about_fig_3_3_say_no_to_the_opposite():
    rows = poisson_claims(poisson_records(mlp=1e-9, kan=1e-5))

    assert agreement(rows, "error of the KAN", "k = 3, LM") == {"no"}
    assert agreement(rows, "100 times as accurate") == {"no"}
    assert agreement(rows, "10 times slower") == {"no"}
    assert agreement(rows, "with the same optimizer") == {"no"}


def test_an_mlp_that_is_a_little_worse_is_partly_what_the_paper_says():
    assert agreement(poisson_claims(poisson_records(mlp=2e-6)), "100 times as accurate") == {
        "partly"
    }


def test_an_mlp_that_was_trained_too_little_proves_nothing():
    rows = poisson_claims(poisson_records(mlp=1e-2))

    assert agreement(rows, "100 times as accurate") == {"partly"}
    assert all(
        "do not bring the MLP near" in row.evidence
        for row in rows
        if "100 times as accurate" in row.claim
    )


def test_a_problem_or_a_model_that_was_not_run_has_no_claims():
    without = [
        record
        for record in poisson_records()
        if record["config"]["model"] == "kan" and record["config"]["problem"] == "paper"
    ]

    rows = poisson_claims(without)

    assert rows
    assert all(row.claim.startswith("paper") for row in rows)
    assert not any("MLP" in row.claim for row in rows)


def test_curves_of_runs_that_ended_early_keep_their_last_error():
    one, other = made_up_poisson(KAN_LM, 0, 1e-6), made_up_poisson(KAN_LM, 1, 1e-8)
    other["results"]["curve"] = {
        key: values[:2] for key, values in other["results"]["curve"].items()
    }

    steps, low, middle, high = spread_of([one, other], "l2")

    assert steps.tolist() == [0, 1, 100]
    assert (low[-1], high[-1]) == (1e-6, 0.1)
    assert middle[-1] == pytest.approx((0.1 + 1e-6) / 2)


def test_the_headline_is_the_coarse_grid_or_the_largest_perceptron():
    records = [
        record for record in poisson_records() if record["config"]["problem"] == "documentation"
    ]

    assert {
        record["config"]["n_intervals"] for record in runs_of(records, KAN_LM, headline=True)
    } == {5}
    assert {
        record["results"]["n_params"] for record in runs_of(records, MLP_LBFGS, headline=True)
    } == {40000}


def untouchable(*_, **__):
    raise AssertionError("drawing computes nothing")


def test_fig_3_3_is_drawn_from_records_alone(monkeypatch):
    monkeypatch.setattr(kr, "fit", untouchable)
    for records, n_axes in (
        (poisson_records(), 8),
        (poisson_records() + nested_records(), 10),
        (nested_records(), 2),
    ):
        kept = copy.deepcopy(records)

        with style():
            picture = fig_3_3_poisson.draw(records)

        used = [ax for ax in picture.axes if ax.has_data()]
        assert len(picture.axes) == n_axes
        assert all(ax.get_xscale() == ax.get_yscale() == "log" for ax in used)
        assert records == kept


def test_the_legend_of_times_lies_below_its_panel_and_off_the_curves():
    with style():
        ax = Figure(figsize=(4.0, 3.2), layout="constrained").subplots()
        nested_grids.draw_times(ax, poisson_records() + nested_records())
        ax.figure.draw_without_rendering()

    assert ax.get_legend().get_window_extent().y1 < ax.bbox.y0


def test_fig_3_3_asks_five_seeds_of_both_problems_and_one_of_the_small_one_in_a_hurry():
    full, quick = fig_3_3_poisson.configs(True, None), fig_3_3_poisson.configs(False, None)

    assert {config["seed"] for config in full} == set(range(5))
    assert {config["problem"] for config in full} == {"paper", "documentation"}
    assert {(config["problem"], config["seed"]) for config in quick} == {("documentation", 0)}
    assert {config.get("n_intervals") for config in full} == {5, 10, 20, None}
    assert all(config["alpha"] == 0.01 for config in full)


# --- Poisson: nested grids


def test_a_run_on_nested_grids_lowers_errors_repeats_itself_and_is_plain_data(monkeypatch):
    monkeypatch.setattr(poisson, "LINES", 21)
    config = {
        **nested_grids.configs(False, 1)[1],
        "widths": [2, 2, 1],
        "grids": [2, 4],
        "n_steps": [8, 4],
    }
    first, again = (fig_3_3_poisson.run(config) for _ in range(2))
    seconds = first.pop("seconds")
    again.pop("seconds")

    assert first == again
    assert json.loads(json.dumps(first)) == first
    assert first["n_params"] == [54, 66]
    assert first["residual"][1] < first["residual"][0]
    assert 0.0 < seconds[0] < seconds[1]


def test_the_finer_of_two_nested_grids_goes_on_from_the_coarse_one(monkeypatch):
    """Without a step on the finer grid the errors stay, because the function is the same."""
    monkeypatch.setattr(poisson, "LINES", 21)
    config = {**nested_grids.configs(False, 1)[0], "widths": [2, 2, 1], "n_steps": [5, 0]}

    found = fig_3_3_poisson.run(config)

    assert found["l2"][1] == pytest.approx(found["l2"][0], rel=0.2)


def test_claims_about_nested_grids_follow_from_errors_times_and_slopes():
    good = poisson_claims(poisson_records() + nested_records())
    bad = poisson_claims(
        poisson_records(mlp=1e-15) + nested_records(error=1e-2, exponent=1.0, seconds=100.0)
    )

    for words in (
        ("error of the nested", "k = 3"),
        ("error of the nested", "k = 5"),
        ("less time", "k = 3"),
        ("equal CPU time", "k = 5"),
        ("residual falls",),
    ):
        assert agreement(good, *words) == {"yes"}, words
        assert agreement(bad, *words) == {"no"}, words


def test_nested_grids_without_mlps_or_with_two_grids_have_no_rows_that_need_more():
    alone = poisson_claims(nested_records())
    short = nested_records()
    for record in short:
        record["config"]["grids"] = record["config"]["grids"][:2]

    assert alone
    assert not any("MLP" in row.claim for row in alone)
    assert poisson_claims(short) == []
