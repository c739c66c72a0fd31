"""Figures 4.1 and 4.2: which networks count as right, and what the runs measure."""

import json

import numpy as np
import pytest
import sympy
from networks import formula_network
from scipy import special

import kan_ref as kr
from figures.formulas import fig_4_1_interpretable, fig_4_2_unsupervised
from figures.formulas.fig_4_1_interpretable import FORMULAS, exact, right_functions, right_shape
from figures.formulas.fig_4_2_unsupervised import FIRST, SECOND
from figures.machine.stored_network import restored

ONE = (1.0, 0.0, 1.0, 0.0)
PANELS = [formula.panel for formula in FORMULAS]


def formula(panel):
    return next(one for one in FORMULAS if one.panel == panel)


def truth(panel):
    """The network of a panel as one would write it by hand."""
    quarter, minus = (1.0, 0.0, 0.25, 0.0), (1.0, 0.0, -1.0, 0.0)
    sums = [(0, 0, "x", ONE), (0, 1, "x", ONE), (1, 0, "x", ONE), (1, 1, "x", minus)]
    differences = [(0, 0, "x", ONE), (0, 1, "x", minus), (1, 2, "x", ONE), (1, 3, "x", minus)]
    five, shifted = (1.0, 0.0, 5.0, 0.0), (1.0, 0.0, 5.0, -5.0)
    layers = {
        "a": [sums, [(0, 0, "x^2", quarter), (0, 1, "x^2", (1.0, 0.0, -0.25, 0.0))]],
        "b": [[(0, 0, "log", ONE), (0, 1, "log", minus)], [(0, 0, "exp", ONE)]],
        "d": [[(0, 0, fig_4_1_interpretable.BESSEL, (20.0, 0.0, 1.0, 0.0)), (0, 1, "x^2", ONE)], [(0, 0, "exp", ONE)]],
        "e": [[(0, 0, "x^4", five), (0, 1, "x^4", five), (0, 2, "x^4", shifted)], [(0, 0, "tanh", ONE)]],
        "f": [differences, [(0, 0, "x^2", ONE), (0, 1, "x^2", ONE)], [(0, 0, "sqrt", ONE)]],
    }
    return formula_network(*layers[panel], widths=formula(panel).aim)


# --- J0


def test_bessel_is_in_the_library_as_long_as_it_is_needed():
    assert fig_4_1_interpretable.BESSEL not in kr.LIBRARY
    with fig_4_1_interpretable.bessel():
        outer = kr.LIBRARY[fig_4_1_interpretable.BESSEL]
        with fig_4_1_interpretable.bessel():
            assert kr.LIBRARY[fig_4_1_interpretable.BESSEL] is outer
        assert kr.LIBRARY[fig_4_1_interpretable.BESSEL] is outer
    assert fig_4_1_interpretable.BESSEL not in kr.LIBRARY


@pytest.mark.parametrize(
    ("function", "order"),
    [
        (fig_4_1_interpretable.j0, 0),
        (fig_4_1_interpretable.d1, 1),
        (fig_4_1_interpretable.d2, 2),
        (fig_4_1_interpretable.d3, 3),
    ],
)
def test_bessel_and_its_derivatives_are_scipys(function, order):
    u = np.linspace(-25.0, 25.0, 401)

    np.testing.assert_allclose(function(u), special.jvp(0, u, order), rtol=0, atol=1e-14)


def test_bessel_is_written_as_sympy_writes_it():
    network = truth_of("d")

    assert kr.formula(network, names=("x", "y")).has(sympy.besselj)


def truth_of(panel):
    with fig_4_1_interpretable.bessel():
        return truth(panel)


# --- formulas: what is right


@pytest.mark.parametrize("panel", PANELS)
def test_a_network_of_the_shape_and_functions_that_are_asked_for_computes_the_formula(panel):
    known = formula(panel)
    x = fig_4_1_interpretable.sample({"box": known.box}, 200, np.random.default_rng(0))
    values = truth_of(panel)(x)[:, 0]

    np.testing.assert_allclose(values, known.f(x), rtol=1e-12, atol=1e-12)
    results = {
        "widths": list(known.aim),
        "functions": fig_4_1_interpretable.functions_of(truth_of(panel)),
        "error": 1e-16,
    }
    record = {"config": fig_4_1_interpretable.config_of(known, 0), "results": results}
    assert all(right(record) for right in (right_shape, right_functions, exact))
    for name, wrong in (("widths", [*known.aim, 1]), ("functions", [["arctan"]]), ("error", 2e-9)):
        other = {**record, "results": {**results, name: wrong}}
        assert not all(right(other) for right in (right_shape, right_functions, exact))


def test_formulas_are_told_with_exact_numbers_and_as_short_as_they_can_be():
    x, y = sympy.symbols("x y")
    points = np.random.default_rng(0).uniform(0.5, 2.0, (100, 2))

    assert (
        fig_4_1_interpretable.shortest(0.3 * (x + y / 1.2) ** 2 - 0.3 * (x - y / 1.2) ** 2, points, ("x", "y")) == "x y"
    )
    assert fig_4_1_interpretable.shortest(sympy.exp(1.0000000000001 * x + y), points, ("x", "y")) == "e^{x + y}"


# --- formulas: a run


def quick_config(panel="b", **changes):
    known = fig_4_1_interpretable.config_of(formula(panel), 3)
    return {**known, "widths": [2, 1, 1], "n_train": 150, "n_test": 50, **changes}


def without_times(results):
    return {**results, "seconds": 0.0}


def test_a_run_finds_the_quotient():
    results = fig_4_1_interpretable.run(quick_config())

    record = {"config": quick_config(), "results": results}
    assert [right(record) for right in (right_shape, right_functions, exact)] == [True] * 3
    assert results["formula"] == r"\frac{x}{y}"


def test_a_run_repeats_itself_and_is_plain_data():
    config = quick_config(widths=[2, 1], seed=1)

    results = fig_4_1_interpretable.find(config)

    assert without_times(fig_4_1_interpretable.find(config)) == without_times(results)
    assert json.loads(json.dumps(results)) == results
    assert fig_4_1_interpretable.BESSEL not in kr.LIBRARY


# --- digits


def test_first_digits_of_the_papers_examples():
    assert fig_4_1_interpretable.first_digit(np.array([[0.0618], [0.314], [0.0], [0.9999]])).tolist() == [0, 3, 0, 9]


def test_peaks_and_half_heights_are_measured_on_the_curves():
    """Made of B-splines of degree 1: hats of height 2 at 0.25 and 0.75, which are above 1 over half their width of 0.25 on each side."""
    network = kr.init_network(
        (1, 2), n_intervals=4, degree=1, domain=(0.0, 1.0), base="zero", rng=np.random.default_rng(0)
    )
    coef = np.zeros((2, 1, 5))
    coef[0, 0, 1], coef[1, 0, 3] = 2.0, 2.0
    theta = network.theta.copy()
    theta[: coef.size] = coef.ravel()

    found = fig_4_1_interpretable.bumps(network.with_theta(theta))

    assert found["peaks"] == pytest.approx([0.25, 0.75], abs=1e-9)
    assert found["left"] == pytest.approx([0.125, 0.625], abs=1e-3)
    assert found["right"] == pytest.approx([0.375, 0.875], abs=1e-3)


def test_a_run_learns_digits_and_is_plain_data():
    config = {**fig_4_1_interpretable.digit_config(5), "n_train": 600}

    results = fig_4_1_interpretable.run(config)

    assert json.loads(json.dumps(results)) == results
    assert without_times(fig_4_1_interpretable.learn_digits(config)) == without_times(results)
    assert all(fig_4_1_interpretable.located({"config": config, "results": results}))
    x = np.random.default_rng(0).uniform(0.0, 1.0, (500, 1))
    right = np.mean(np.argmax(restored(results["network"])(x), axis=1) == np.floor(10 * x[:, 0]))
    assert results["accuracy"] == pytest.approx(right, abs=0.04)
    assert 0.9 < results["accuracy"] < 1.0


# --- relations


def test_real_points_have_the_relations_and_shuffled_ones_their_values_only():
    x, y = fig_4_2_unsupervised.real_and_shuffled(400, np.random.default_rng(0))
    real, shuffled = x[:400], x[400:]

    np.testing.assert_allclose(real[:, 2], np.exp(np.sin(real[:, 0]) + real[:, 1] ** 2))
    np.testing.assert_allclose(real[:, 4], real[:, 3] ** 3)
    np.testing.assert_array_equal(np.sort(shuffled, axis=0), np.sort(real, axis=0))
    assert np.abs(np.corrcoef(shuffled.T) - np.eye(6)).max() < 0.2
    assert np.abs(real[:, [0, 1, 3, 5]]).max() <= 1.0
    assert y.ravel().tolist() == [1.0] * 400 + [0.0] * 400


def test_the_last_curve_is_a_narrow_gaussian_and_the_others_are_spread_as_asked():
    config = fig_4_2_unsupervised.config_of(0)
    rng = np.random.default_rng(0)
    x, _ = fig_4_2_unsupervised.real_and_shuffled(100, rng)

    network = fig_4_2_unsupervised.start(config, x, rng)

    u = kr.edge_outputs(network, x)[0].sum(axis=2)
    np.testing.assert_allclose(network(x), np.exp(-((config["gaussian_scale"] * u) ** 2)), rtol=1e-12)
    assert np.std(network.layers[0].coef) == pytest.approx(config["coef_scale"], rel=0.3)


def test_a_run_finds_a_relation_repeats_itself_and_is_plain_data():
    config = fig_4_2_unsupervised.config_of(0)

    results = fig_4_2_unsupervised.run(config)

    assert json.loads(json.dumps(results)) == results
    short = {**config, "n_steps": 5}
    assert without_times(fig_4_2_unsupervised.run(short)) == without_times(fig_4_2_unsupervised.run(short))
    network, group = (
        restored(results["network"]),
        fig_4_2_unsupervised.group_of({"config": config, "results": results}),
    )
    assert group in (FIRST, SECOND)
    assert np.flatnonzero(network.layers[0].mask[0]).tolist() == list(group.inputs)
    assert network.layers[1].symbolic[0].name == "gaussian"
    np.testing.assert_allclose(
        network.layers[1].affine, [[3.0, 0.0, 1.0, 0.0]], rtol=0, atol=0.01
    )  # pruning leaves a mean behind
    assert network.layers[1].affine[0, :3].tolist() == [3.0, 0.0, 1.0]
    x, y = fig_4_2_unsupervised.real_and_shuffled(2000, np.random.default_rng(99))
    accuracy = np.mean((network(x) > 0.5) == (y > 0.5))
    assert results["accuracy"] == pytest.approx(accuracy, abs=0.04)
