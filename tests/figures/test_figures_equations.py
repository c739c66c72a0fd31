"""Figure 3.3: solutions that solve the equation, and runs that repeat."""

import json

import numpy as np
import pytest

import kan_ref as kr
from figures.equations import fig_3_3_poisson, nested_grids, poisson
from figures.equations.poisson import METHODS, SOLUTIONS, config_of, mesh
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

    twice = sum(central_difference(lambda t, i=i: solution.gradient(x + t * np.eye(2)[i])[:, i]) for i in range(2))
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
    net = kr.init_network((2, 2, 1), n_intervals=3, degree=3, domain=(-1.0, 1.0), rng=np.random.default_rng(0))
    for j, sign in enumerate((1.0, -1.0)):
        net = kr.fix_symbolic(net, 0, output=j, input=0, name="x", affine=(1.0, 0.0, np.pi, 0.0))
        net = kr.fix_symbolic(net, 0, output=j, input=1, name="x", affine=(1.0, 0.0, -sign * np.pi, 0.0))
        net = kr.fix_symbolic(net, 1, output=0, input=j, name="cos", affine=(1.0, 0.0, 0.5 * sign, 0.0))

    terms = poisson.problem("documentation", np.random.default_rng(0))
    run = kr.fit(net, equations=terms, n_steps=0)

    assert run.history.train_rmse[0] < 1e-13
    assert max(poisson.errors("documentation", net, mesh()[::40])) < 1e-28


def test_errors_are_means_of_squares_of_values_and_slopes():
    """Of the zero network they are those of the solution itself: on the whole square mean u^2 = 1/4, mean |grad u|^2 = pi^2 / 2."""
    zero = kr.init_network((2, 1), n_intervals=3, degree=3, domain=(-1.0, 1.0), rng=np.random.default_rng(0))
    zero = zero.with_theta(np.zeros(zero.n_params))
    line = -1.0 + 2.0 * (np.arange(100) + 0.5) / 100  # midpoints: exact for trigonometric polynomials
    x = np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2)

    l2, h1 = poisson.errors("documentation", zero, x)

    assert l2 == pytest.approx(0.25, rel=1e-12)
    assert h1 == pytest.approx(0.25 + np.pi**2 / 2.0, rel=1e-12)


# --- Poisson: runs


def small_config(method, seed=0, name="documentation"):
    shape = {"activation": "tanh"} if method.model == "mlp" else {"n_intervals": 5, "degree": method.degree}
    widths = [2, 3, 1] if method.model == "kan" else [2, 4, 4, 1]
    return config_of(name, method.model, widths, method.optimizer, 6, seed, **shape)


@pytest.mark.parametrize("method", METHODS, ids=lambda method: f"{method.model}-{method.optimizer}-{method.degree}")
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


# --- Poisson: nested grids


def test_a_run_on_nested_grids_lowers_errors_repeats_itself_and_is_plain_data(monkeypatch):
    monkeypatch.setattr(poisson, "LINES", 21)
    config = {**nested_grids.configs(False, 1)[1], "widths": [2, 2, 1], "grids": [2, 4], "n_steps": [8, 4]}
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
