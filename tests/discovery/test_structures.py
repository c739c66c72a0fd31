"""Structures of samples: linear models, quotients, pairs of inputs, three curves, and names of curves of one input."""

import numpy as np
import pytest
import sympy

import kan_ref as kr
from kan_ref.discovery.atoms import composed_atoms, simple_atoms
from kan_ref.discovery.curves import name_curve, rational_functions
from kan_ref.discovery.invariants import input_pairs
from kan_ref.discovery.linear_models import linear_models, simplest
from kan_ref.discovery.quotients import quotient, quotients
from kan_ref.discovery.results import expression_of
from kan_ref.discovery.screening import beside_polynomial, pair_misfit
from kan_ref.discovery.slices import Surface
from kan_ref.discovery.three_curves import three_curves
from kan_ref.discovery.trees import values

RNG = np.random.default_rng


def box(n_in, low=-1.0, high=1.0, n=400):
    return RNG(0).uniform(low, high, (n, n_in))


def test_a_power_of_all_inputs_is_a_sum_of_curves_in_its_logarithm():
    x = box(4, 0.5, 2.0)

    curves, *_ = linear_models(x, x[:, 0] ** 1.7 / (x[:, 1] * x[:, 2] ** 2) * np.exp(x[:, 3]))

    assert curves.what.startswith("log of f as a sum of curves")
    assert curves.error < 1e-6


def test_a_distance_is_the_root_of_a_polynomial():
    x = box(4)
    y = np.hypot(x[:, 0] - x[:, 1], x[:, 2] - x[:, 3])

    best = simplest(linear_models(x, y))

    assert best.what == "f^2 of f as a polynomial of degree 2"
    assert best.error < 1e-12
    new = RNG(1).uniform(-1, 1, (50, 4))
    np.testing.assert_allclose(
        best.f(new), np.hypot(new[:, 0] - new[:, 1], new[:, 2] - new[:, 3]), atol=1e-7
    )


def test_noise_leads_to_the_simplest_model():
    x = box(2, n=1000)
    y = x[:, 0] + x[:, 1] ** 2 + 0.1 * RNG(1).standard_normal(1000)

    best = simplest(linear_models(x, y))

    assert best.what.startswith("f as a sum of curves of degree")
    assert best.error < 0.12


@pytest.mark.parametrize(
    ("text", "n_in"),
    [
        ("(x**2*y - 1)/(y**2 + x + 5)", 2),
        ("sqrt((x + 2)/(y + 3))", 2),
        ("log((x*y + 2)/(z + 3))", 3),
        ("x*y - 3*x + 1/2", 2),
    ],
)
def test_a_quotient_of_polynomials_is_found_with_its_coefficients(text, n_in):
    x = box(n_in)
    symbols = sympy.symbols("x y z")[:n_in]
    expression = sympy.sympify(text)
    y = np.asarray(sympy.lambdify(symbols, expression, "numpy")(*x.T))

    best = min(quotients(x, y), key=lambda tree: len(str(tree)))

    np.testing.assert_allclose(values(best, x), y, atol=1e-10)
    rest = sympy.simplify(sympy.nsimplify(expression_of(best, "xyz"[:n_in]), rational=True, tolerance=1e-7) - expression)  # fmt: skip
    assert rest == 0


@pytest.mark.parametrize("f", [np.exp, np.cos, lambda x: np.exp(np.sin(x))])
def test_a_smooth_function_is_no_quotient_although_quotients_come_near_it(f):
    x = box(1)

    assert quotient(x, f(x[:, 0])) is None


def test_two_inputs_that_act_through_one_combination_are_found():
    x = box(3, 0.5, 2.0)

    def product(p):
        return np.sin(p[:, 0] * np.sqrt(p[:, 1])) + p[:, 2]

    def difference(p):
        return np.exp(-((p[:, 0] - p[:, 2]) ** 2)) * p[:, 1]

    first, second = (input_pairs(Surface(f, x, 1e-9))[0] for f in (product, difference))

    assert (first.i, first.j, second.i, second.j) == (0, 1, 0, 2)
    h = values(first.inner, x)
    np.testing.assert_allclose(np.std(np.log(h) / np.log(x[:, 0] ** 2 * x[:, 1])), 0.0, atol=1e-9)
    np.testing.assert_allclose(np.abs(values(second.inner, x)), np.abs(x[:, 0] - x[:, 2]))


def test_independent_inputs_are_no_pair():
    x = box(2)

    assert input_pairs(Surface(lambda p: np.sin(2 * p[:, 0]) + p[:, 1] ** 3, x, 1e-9)) == []


def test_a_curve_of_a_shifted_product_is_found_beside_a_product():
    x = box(2, -3.0, 3.0, n=500)

    found = three_curves(x, 2 * x[:, 0] * x[:, 1] + np.cos((x[:, 0] - 2) * (x[:, 1] + 1)))

    assert found.misfit < 1e-5
    inner = values(found.inner, x)
    np.testing.assert_allclose(inner, (x[:, 0] - 2) * (x[:, 1] + 1), atol=1e-4)


def test_few_points_have_no_three_curves():
    assert three_curves(box(2, n=100), np.zeros(100)) is None


def test_a_quotient_of_one_input_is_named_to_the_accuracy_of_its_samples():
    x = np.linspace(-1.0, 1.0, 160)

    best = name_curve(x, (x**3 + 1) / (x**2 + 2), error=0.0)[0]

    assert best.rmse < 1e-13


def test_two_functions_are_found_beside_a_polynomial():
    x = np.linspace(-1.0, 1.0, 100)
    y = x**3 + x**2 - 2 * x + np.sin(x) + np.sin(x**2)
    atoms = simple_atoms(x)

    found = beside_polynomial(atoms, composed_atoms(atoms), x, y, 3)

    misfit, group, tree = min(found, key=lambda one: one[0])
    assert misfit < 1e-20
    assert set(group.split(" + ")) == {"sin", "sin(x^2)", "polynomial 3"}
    np.testing.assert_allclose(values(tree, x[:, None]), y, atol=1e-10)


def test_powers_with_real_exponents_are_among_the_compositions():
    x = np.linspace(0.1, 3.0, 100)

    composed = composed_atoms(simple_atoms(x))

    place = next(k for k, a in enumerate(composed.atoms) if a.group == "exp(log)" and not a.line[1])
    column = composed.table[:, place]
    exponent = composed.atoms[place].line[0]
    np.testing.assert_allclose(column, x**exponent, rtol=1e-12)
    assert not exponent.is_integer()


def test_a_quotient_with_a_pole_between_the_samples_is_not_taken():
    x = np.linspace(-1.0, 1.0, 100)

    assert list(rational_functions(x, 1 / (x - 0.003), 1e-9)) == []


CURVES = {
    "sine of a square times a cosine": (lambda x: np.sin(x**2) * np.cos(x) - 1, (-1.0, 1.0)),
    "two logarithms": (lambda x: np.log(x + 1) + np.log(x**2 + 1), (0.0, 2.0)),
    "Lorentzian": (lambda x: 1 / (1.2 + (x - 2.5) ** 2), (0.3, 4.0)),
    "damped oscillation": (lambda x: 3 * np.exp(-0.2 * x) * np.cos(2 * x), (0.0, 8.0)),
    "far from 0": (lambda x: np.sin(3 * x), (100.0, 102.0)),
    "very small unit": (lambda x: 1e-20 * (1 + 1e24 * x**2) ** 0.5, (-1e-12, 1e-12)),
}


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.long if n in (0, 1, 4) else ())
        for n, name in enumerate(CURVES)
    ],
)
def test_a_curve_gets_a_name_that_is_right_between_the_samples(name):
    f, (low, high) = CURVES[name]
    x = np.linspace(low, high, 160)
    y = f(x)

    found = name_curve(x, y, error=1e-7 * np.std(y))

    between = 0.5 * (x[1:] + x[:-1])
    misfit = np.std(values(found[0].tree, between[:, None]) - f(between)) / np.std(y)
    assert misfit < 1e-7
    assert len(found) <= 4


def test_a_constant_curve_is_a_number():
    (found,) = name_curve(np.linspace(0.0, 1.0, 50), np.full(50, 3.5), error=0.0)

    assert found.tree.value == 3.5
    assert found.rmse == 0.0


def test_the_misfit_of_pairs_is_that_of_least_squares():
    rng = RNG(0)
    p, q, y = (column - column.mean() for column in rng.standard_normal((3, 60)))
    p, q, y = (column / np.linalg.norm(column) for column in (p, q, y))

    found = pair_misfit(np.array(p @ y), np.array(q @ y), np.array(p @ q))

    design = np.column_stack([p, q])
    rest = y - design @ np.linalg.lstsq(design, y, rcond=None)[0]
    np.testing.assert_allclose(found, rest @ rest, rtol=1e-12)


@pytest.mark.parametrize(
    "box", [(-1.0, 1.0), (0.5, 2.0), (100.0, 102.0), (1e-12, 3e-12), (-1e9, 2e9)]
)
def test_atoms_have_the_values_of_their_trees_and_vary(box):
    x = np.linspace(*box, 60)
    simple = simple_atoms(x)
    composed = composed_atoms(simple)

    assert len(simple) > 50
    assert len(composed) > 100
    for atoms in (simple, composed):
        assert np.isfinite(atoms.table).all()
        for k in RNG(1).choice(len(atoms), 40, replace=False):
            expected = values(atoms.atoms[k].tree, x[:, None])
            size = np.abs(expected).max()
            np.testing.assert_allclose(atoms.table[:, k], expected, rtol=0, atol=1e-9 * size)
            assert np.ptp(expected) > 0.0


def test_formulas_are_suggested_for_curves_that_no_single_function_is():
    x = np.linspace(0.0, 3.0, 120)

    found = kr.suggest_formulas(x, x**3 - 3 * x, name="t")

    assert found[0].rmse < 1e-10
    assert [one.bic for one in found] == sorted(one.bic for one in found)
    assert {str(symbol) for symbol in found[0].formula.free_symbols} == {"t"}


@pytest.mark.parametrize(
    ("x", "y", "options", "message"),
    [
        (np.arange(5.0), np.arange(5.0), {}, "x has 5 samples and y has 5, but a formula needs"),
        (np.arange(20.0), np.arange(19.0), {}, "x has 20 samples and y has 19, but"),
        (np.arange(20.0), np.arange(20.0), {"error": -1.0}, "error is -1"),
        (np.arange(20.0), np.arange(20.0), {"most": 0}, "most is 0"),
    ],
)
def test_curves_without_enough_samples_and_wrong_settings_raise_errors(x, y, options, message):
    with pytest.raises(ValueError, match=message):
        kr.suggest_formulas(x, y, **options)
