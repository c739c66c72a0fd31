"""Structures of samples: linear models, quotients, pairs of inputs, three curves, names of one curve."""

import numpy as np
import pytest
import sympy

from kan_ref.discovery.atoms import composed_atoms, simple_atoms
from kan_ref.discovery.curves import name_curve, rational_functions
from kan_ref.discovery.invariants import input_pairs
from kan_ref.discovery.linear_models import linear_models, simplest
from kan_ref.discovery.quotients import quotient, quotients
from kan_ref.discovery.results import expression_of
from kan_ref.discovery.screening import beside_polynomial
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
