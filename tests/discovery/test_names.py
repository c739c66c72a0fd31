"""Curves of one input: the table of columns, names of curves, and formulas suggested for samples of a curve."""

import numpy as np
import pytest
import sympy
from cases import for_all

import kan_ref as kr
from kan_ref.discovery.atoms import column_table, pair_misfit, power_of
from kan_ref.discovery.names import name_curve
from kan_ref.discovery.trees import Input, Number, values

RNG = np.random.default_rng


# --- columns


def test_the_misfit_of_pairs_is_that_of_least_squares():
    p, q, y = (column / np.linalg.norm(column) for column in RNG(0).standard_normal((3, 60)))

    found = pair_misfit(np.array(p @ y), np.array(q @ y), np.array(p @ q))

    design = np.column_stack([p, q])
    rest = y - design @ np.linalg.lstsq(design, y, rcond=None)[0]
    np.testing.assert_allclose(found, rest @ rest, rtol=1e-12)


@for_all("low, high", [(-1.0, 1.0), (100.0, 102.0), (1e-12, 3e-12)])
def test_columns_have_the_values_of_their_trees_and_vary(low, high):
    x = np.linspace(low, high, 60)

    atoms, table, (first, plain) = column_table(x)

    assert table.shape == (60, len(atoms))
    assert 3 < first < plain < len(atoms)
    for k in RNG(1).choice(len(atoms), 100, replace=False):
        expected, moved = (
            values(atoms[k].tree, points[:, None]) / atoms[k].size
            for points in (x, x * (1.0 + 1e-15))
        )
        if np.abs(moved - expected).max() < 1e-9:  # not so sin(exp(x)) near x = 100
            np.testing.assert_allclose(table[:, k], expected, rtol=0, atol=1e-9)
        assert np.abs(table[:, k]).max() == pytest.approx(1.0)
        assert np.ptp(table[:, k]) > 0.0


@for_all("exponent", [1.0, 2.0, 5.0, 6.0, 0.5, 2.5, -1.0, -0.5, -3.0])
def test_a_power_as_a_tree_has_the_values_of_the_power(exponent):
    x = np.linspace(0.5, 2.0, 20)[:, None]

    np.testing.assert_allclose(
        values(power_of(Input(0), exponent), x), x[:, 0] ** exponent, rtol=1e-14
    )


# --- names


CURVES = [
    ("a line", lambda x: 3 * x - 0.7, (0.0, 2.0)),
    ("a cubic", lambda x: x**3 - 2 * x, (-2.0, 2.0)),
    ("a wave", lambda x: 1.3 * np.sin(2.7 * x + 0.4) + 5, (0.0, 3.0)),
    ("a decay", lambda x: 40 * np.exp(-0.37 * x), (0.0, 9.0)),
    ("a logarithm", lambda x: np.log(1 + 2.3 * x), (0.0, 4.0)),
    ("a root", lambda x: np.sqrt(x + 1.7), (0.0, 4.0)),
    ("a bell", lambda x: np.exp(-((x - 0.3) ** 2) / 0.5), (-2.0, 2.0)),
    ("a step", lambda x: np.tanh(1.9 * x - 0.6), (-2.0, 2.0)),
    ("a peak", lambda x: 1 / ((x - 1) ** 2 + 0.04), (0.0, 2.0)),
    ("a quotient", lambda x: (x**3 + 1) / (x**2 + 2), (-1.0, 1.0)),
    ("tiny units", lambda x: 1e-20 * np.sin(3e9 * x), (0.0, 1e-9)),
    ("far from 0", lambda x: np.sin(x - 2000.0), (2000.0, 2004.0)),
]  # fmt: skip
LONG = [
    ("a power of x times an exponential", lambda x: x**2 * np.exp(-1.5 * x), (0.1, 5.0)),
    ("a product", lambda x: np.sin(x) * np.log(x), (1.0, 9.0)),
    ("a sum", lambda x: np.sin(x) + np.exp(x), (0.0, 2.0)),
    ("a composition", lambda x: np.exp(np.sin(3 * x)), (-1.0, 1.0)),
    ("a root of a square", lambda x: np.sqrt(1 + x**2), (-2.0, 2.0)),
    ("a real power", lambda x: 2 * x**0.73, (0.2, 4.0)),
]


def check_name(f, low, high):
    x = np.linspace(low, high, 160)
    y, between = f(x), 0.5 * (x[1:] + x[:-1])

    found = name_curve(x, y, error=1e-7 * np.std(y))

    misfit = values(found[0].tree, between[:, None]) - f(between)
    assert np.std(misfit) < 1e-7 * np.std(y)
    assert len(found) <= 4


@for_all("name, f, box", CURVES)
def test_a_curve_gets_a_name_that_is_right_between_the_samples(name, f, box):
    check_name(f, *box)


@pytest.mark.long
@for_all("name, f, box", LONG)
def test_combinations_of_functions_get_names_that_are_right_between_the_samples(name, f, box):
    check_name(f, *box)


def test_a_constant_curve_is_a_number():
    (found,) = name_curve(np.linspace(0.0, 1.0, 50), np.full(50, 3.5), error=0.0)

    assert found.tree == Number(3.5)
    assert found.rmse == 0.0


def test_a_curve_is_named_by_what_is_trained_when_the_time_is_over():
    x = np.linspace(-2.0, 2.0, 60)

    (found,) = name_curve(x, np.exp(x), error=0.0, late=lambda: True)

    line = np.polyval(np.polyfit(x, np.exp(x), 1), x)
    assert found.rmse == pytest.approx(np.std(np.exp(x) - line))


# --- suggested formulas


def test_formulas_are_suggested_for_curves_that_no_single_function_is():
    x = np.linspace(0.0, 3.0, 400)

    found = kr.suggest_formulas(x, x**3 - 3 * x, name="t")

    assert found[0].rmse < 1e-10
    assert [one.bic for one in found] == sorted(one.bic for one in found)
    assert {str(symbol) for symbol in found[0].formula.free_symbols} == {"t"}
    for one in found:
        f = sympy.lambdify(sympy.Symbol("t"), one.formula)(x)
        assert one.rmse == pytest.approx(np.sqrt(np.mean((f - x**3 + 3 * x) ** 2)), abs=1e-13)


@pytest.mark.long
def test_a_curve_with_an_error_has_formulas_which_are_plain_and_no_nearer_than_it():
    x = np.linspace(0.2, 2.0, 40)
    y = np.exp(x) + 0.05 * RNG(0).standard_normal(40)

    found = kr.suggest_formulas(x, y, error=0.05, most=4)

    assert 1 < len(found) <= 4
    assert len({str(one.formula) for one in found}) == len(found)
    assert found[0].complexity <= 12
    assert 0.03 < min(one.rmse for one in found) <= found[0].rmse < 0.07


@for_all("n_values", [2, 3, 5])
def test_a_curve_at_few_values_of_x_has_a_formula_through_them(n_values):
    x = 3.0 + 0.5 * np.resize(np.arange(n_values), 60)

    assert kr.suggest_formulas(x, x**2 + 1.0)[0].rmse < 1e-10


@for_all("x, y", [
    (np.full(60, 2.5), np.linspace(0.0, 1.0, 60)),
    (np.arange(5.0), np.arange(5.0)),
    (np.arange(20.0), np.arange(19.0)),
])  # fmt: skip
def test_curves_without_enough_samples_are_refused(x, y):
    with pytest.raises(ValueError, match=r"^x "):
        kr.suggest_formulas(x, y)
