"""Models of samples, trees, and curves of one input: what formulas are made of.

Quotients, splits and merges of functions of several inputs; values of trees, their derivatives by the numbers, SymPy, training of the numbers;
the table of columns, names of curves, and formulas suggested for samples of a curve.
"""

import numpy as np
import pytest
import sympy
from cases import for_all
from hypothesis import given
from hypothesis import strategies as st

import kan_ref as kr
from kan_ref.discovery.atoms import column_table, pair_misfit, power_of
from kan_ref.discovery.fits import Fitted, best_fits, bic, never, rmse_of, simplified, trained
from kan_ref.discovery.merges import merged
from kan_ref.discovery.models import TRANSFORMS, linear_models, model_of, network_model, simplest
from kan_ref.discovery.names import name_curve
from kan_ref.discovery.product_curves import product_curve
from kan_ref.discovery.quotients import quotient, quotients, simple_forms
from kan_ref.discovery.results import expression_of
from kan_ref.discovery.splits import PRICE, Surface, _misfits, find_splits, partitions
from kan_ref.discovery.trees import (
    Input,
    Number,
    absorbed,
    add,
    affine,
    apply,
    complexity,
    fixed,
    linearize,
    multiply,
    numbers,
    shared,
    substitute,
    values,
    with_fixed,
    with_numbers,
)
from kan_ref.functions import lookup

# --- models of samples, and how functions of several inputs become simpler: quotients, splits, merges

RNG = np.random.default_rng


def sampled(f, *boxes, n=400, noise=0.0):
    """Samples of f in a box, with noise in units of their standard deviation."""
    low, high = np.array(boxes, dtype=float).T
    x = RNG(0).uniform(low, high, (n, len(boxes)))
    y = f(*x.T)
    return x, y + noise * np.std(y) * RNG(1).standard_normal(n)


# --- models


@for_all("degree", [1, 2, 3, 5])
def test_a_polynomial_of_a_degree_is_met_by_the_model_of_this_degree(degree):
    powers = [(i, j) for i in range(degree + 1) for j in range(degree + 1 - i)]
    coef = RNG(degree).uniform(0.5, 1.0, len(powers))
    x, y = sampled(
        lambda a, b: sum(c * a**i * b**j for c, (i, j) in zip(coef, powers, strict=True)),
        (-1, 1), (0, 3),
    )  # fmt: skip

    best = simplest(linear_models(x, y), 1e-13 * np.std(y))

    kind = "sum of curves" if degree == 1 else "polynomial"  # the plainer one of a line
    assert best.what == f"f as a {kind} of degree {degree}"
    assert best.n_numbers == (3 if degree == 1 else len(powers))
    np.testing.assert_allclose(best.f(x), y, atol=1e-10 * np.std(y))


@for_all("transform", TRANSFORMS)
def test_a_transform_its_slope_and_its_inverse_belong_together(transform):
    low, high = np.clip(transform.domain, -1.4, 1.4)
    f = np.linspace(low, high, 52)[1:-1]
    f = f[f > 0.0] if transform.inverse == "sqrt" else f  # of a square, the positive root

    difference = (transform.g(f + 1e-6) - transform.g(f - 1e-6)) / 2e-6
    np.testing.assert_allclose(np.ravel(transform.slope(f)), difference, rtol=1e-5, atol=1e-8)
    np.testing.assert_allclose(lookup(transform.inverse).f(transform.g(f)), f, rtol=1e-12)
    assert transform.is_defined(1.0, f)


@for_all("what, f", [
    ("f^2 of f as a polynomial of degree 2", lambda a, b: np.hypot(a - b, 1.0 + a)),
    ("log of f as a sum of curves of degree 2", lambda a, b: np.exp(a**2 - b)),
    ("1/f of f as a sum of curves of degree 1", lambda a, b: 1.0 / (3.0 + a - 2.0 * b)),
])  # fmt: skip
def test_the_transform_after_which_a_function_is_plain_is_chosen(what, f):
    x, y = sampled(f, (-1, 1), (0.1, 1))

    best = simplest(linear_models(x, y), 1e-13 * np.std(y))

    assert best.what == what
    assert best.error < 1e-12


def test_noise_leads_to_the_simplest_model_whose_error_is_that_of_the_noise():
    x, y = sampled(lambda a, b: a + b**2, (-1, 1), (-1, 1), n=1000, noise=0.1)

    best = simplest(linear_models(x, y), 0.0)

    assert best.what.startswith("f as a sum of curves of degree")
    assert 0.08 < best.error / np.std(y) < 0.12


@for_all("n, n_in", [(6, 5), (20, 30), (40, 31), (40, 32)])
def test_models_have_at_most_as_many_columns_as_samples_to_train_on(n, n_in):
    x, y = sampled(lambda *x: np.sin(x[0]), *[(-1, 1)] * n_in, n=n)

    models = linear_models(x, y)

    assert bool(models) == (1 + n_in <= n - n // 5)
    assert all(np.isfinite(one.f(x)).all() for one in models)


def test_weights_multiply_the_error_of_each_sample():
    x, y = sampled(lambda a, b: np.sin(9.0 * a) + b, (-1, 1), (0, 1), n=120)

    one, four = ([model.error for model in linear_models(x, y, weight * np.ones(len(y)))] for weight in (1.0, -4.0))

    assert four == [4.0 * error for error in one]  # a power of 2 changes no rounding


def test_a_network_is_a_model_in_the_units_of_the_samples():
    x, y = sampled(lambda a, b: 1e6 * np.tanh(a * b / 100.0), (0, 30), (0, 10))

    model, network, scaler = network_model(x, y, RNG(0), is_coarse=False)

    assert model.error < 0.01 * np.std(y)
    np.testing.assert_allclose(model.f(x), scaler.inverse_y(network(scaler.transform_x(x)))[:, 0], rtol=1e-12)
    assert network.widths == (2, 5, 1)
    near, *_ = model_of(x, x[:, 0] - x[:, 1], RNG(0), is_part=True)
    assert near.what == "f as a sum of curves of degree 1"


# --- quotients and simple forms


@for_all("text", ["(x**2*y - 1)/(y**2 + x + 5)", "sqrt((x + 2)/(y + 3))", "x*y - 3*x + 1/2"])
def test_a_quotient_of_polynomials_is_found_with_its_coefficients(text):
    true, symbols = sympy.sympify(text), sympy.symbols("x y")
    x, y = sampled(sympy.lambdify(symbols, true), (-1, 1), (-1, 1))

    best = min(quotients(x, y), key=lambda tree: len(str(tree)))

    found = sympy.nsimplify(expression_of(best, "xy"), rational=True, tolerance=1e-7)
    assert sympy.simplify(found - true) == 0


@for_all("f", [np.exp, np.cos, lambda x: np.exp(np.sin(x))])
def test_a_smooth_function_is_no_quotient_although_quotients_come_near_it(f):
    x, y = sampled(f, (-1, 1))

    assert quotient(x, y) is None


def test_a_quotient_of_one_input_may_have_the_degree_five():
    x, y = sampled(lambda x: (x**5 - 3.0 * x + 1.0) / (x**2 + 2.0), (-1, 1))

    np.testing.assert_allclose(values(quotient(x, y), x), y, atol=1e-12)


def test_a_quotient_is_found_although_the_first_samples_lie_on_a_line():
    x = np.stack(np.meshgrid(np.arange(1.0, 6.0), np.linspace(1, 2, 100), indexing="ij"), -1)
    x = x.reshape(500, 2)
    y = 20.0 - x[:, 0] - x[:, 0] * x[:, 1] / (1.0 + 0.5 * x[:, 0] ** 2)

    np.testing.assert_allclose(values(quotient(x, y), x), y, atol=1e-10)


def test_a_polynomial_beside_a_curve_of_a_product_of_lines_is_found():
    x, y = sampled(lambda x, y: 2.0 * x * y - y**2 + np.cos((x - 2.0) * (y + 1.0)), (-2, 3), (-2, 2))

    inner, places, curve, misfit = product_curve(x, y)

    assert misfit < 1e-8
    np.testing.assert_allclose(values(inner, x), (x[:, 0] - 2.0) * (x[:, 1] + 1.0), atol=1e-6)
    line = np.polynomial.Polynomial.fit(places, curve - np.cos(places), 1)  # P takes up lines in h
    np.testing.assert_allclose(curve - np.cos(places), line(places), atol=1e-5)
    assert product_curve(x[:199], y[:199]) is None


@for_all("text", ["3*x - 2*y", "x*y**2 + 4", "7*x**2/sqrt(y)"])
def test_a_line_a_polynomial_and_a_product_of_powers_are_found_at_once(text):
    true, symbols = sympy.sympify(text), sympy.symbols("x y")
    x, y = sampled(sympy.lambdify(symbols, true), (1, 2), (1, 3))

    best = min(simple_forms(x, y), key=lambda tree: np.abs(values(tree, x) - y).max())

    found = sympy.nsimplify(expression_of(best, "xy"), rational=True, tolerance=1e-9)
    assert sympy.simplify(found - true) == 0


# --- splits


def surface(f, n_in, box=(-1.0, 1.0), error=1e-9):
    return Surface(lambda x: f(*x.T), RNG(3).uniform(*box, (300, n_in)), error)


@for_all("kind, f", [
    ("sum", lambda s, t: np.exp(s) + np.sin(t)),
    ("product", lambda s, t: (np.exp(s) + 1.0) * np.sin(t) + 0.7),
    ("affine", lambda s, t: np.exp(s) + np.cos(3.0 * s) * np.sin(t)),
])  # fmt: skip
def test_the_misfit_of_a_split_is_zero_for_functions_that_split_so_and_large_for_others(kind, f):
    s, t = RNG(0).uniform(-1.0, 1.0, (2, 50))
    s0, t0, t1 = 0.3, -0.2, 0.8

    def found(f):
        slices = f(s, t), f(s, t0), f(s0, t), f(s, t1), f(s0, t0), f(s0, t1)
        return {name: (k, misfit) for name, k, misfit in _misfits(*slices)}  # the last: any offset

    assert found(f)[kind][1] < 1e-13
    assert found(lambda s, t: np.sin(3.0 * s * t + s))[kind][1] > 0.05
    if kind == "product":
        np.testing.assert_allclose(found(f)[kind][0], 0.7, rtol=1e-10)


SPLITS = [
    ("sum", "f", ((0,), (1,)), lambda x, y: np.exp(x) + np.sin(3 * y)),
    ("product", "f", ((0,), (1,)), lambda x, y: np.exp(x) * (2 + np.sin(3 * y)) + 1.5),
    ("affine", "f", ((0,), (1,)), lambda x, y: np.sin(4 * x) + np.exp(x) * np.cos(y)),
    ("affine", "f", ((1,), (0,)), lambda x, y: np.sin(4 * y) + np.exp(y) * np.cos(x)),
    ("product", "log", ((0,), (1,)), lambda x, y: (1.5 + x) ** (2.0 + y)),
    ("sum", "1/f", ((0,), (1,)), lambda x, y: 1 / (3 + x**2 + np.sin(2 * y))),
    ("sum", "f^2", ((0,), (1,)), lambda x, y: -np.sqrt(3 + x**2 + np.sin(2 * y))),
    ("product", "sin", ((0,), (1,)), lambda x, y: np.arcsin(0.9 * np.cos(x) * np.sin(y))),
    ("sum", "1/f^2", ((0,), (1,)), lambda x, y: 1 / np.sqrt(3 + x**2 + np.sin(2 * y))),
    ("sum", "arctanh", ((0,), (1,)), lambda x, y: np.tanh(x**2 - np.sin(2 * y))),
    ("product", "logit", ((0,), (1,)), lambda x, y: 1 / (1 + (x + 2) ** -(y + 2))),
    ("product", "f", ((0, 2), (1,)), lambda x, y, z: np.sin(x + z**2) * np.exp(y)),
    ("sum", "f", ((0,), (1, 2)), lambda x, y, z: x**3 + np.sin(y * z + y)),
]  # fmt: skip


@for_all("kind, transform, parts, f", SPLITS)
def test_a_split_is_recognised_and_its_parts_give_the_function_again(kind, transform, parts, f):
    whole = surface(f, sum(map(len, parts)))

    best = find_splits(whole, RNG(0), never)[0]

    assert (best.kind, best.transform.name, (best.one, best.other)) == (kind, transform, parts)
    assert best.misfit < 1e-9
    # the parts in place of inputs: input k stands for the values of part k at all points
    x, surfaces = whole.points, best.parts(whole)
    inner = np.column_stack([part.f(x[:, list(places)]) for part, places in surfaces])
    tree = best.whole(whole, [Input(k) for k in range(len(surfaces))])
    np.testing.assert_allclose(values(tree, inner), whole.f(x), rtol=1e-7)


def test_no_split_of_a_function_that_has_none_is_near():
    found = find_splits(surface(lambda x, y: np.sin(3 * x * y + x), 2), RNG(0), never)

    assert min(split.misfit for split in found) > 0.1
    assert [one.rank for one in found] == sorted(one.rank for one in found)
    assert {one.kind for one in found} <= set(PRICE)


@for_all("n, smaller, count", [
    (2, 1, 1), (3, 1, 3), (5, 2, 15), (9, 4, 255), (12, 2, 78), (50, 1, 50),
])  # fmt: skip
def test_each_split_of_the_inputs_is_visited_once_of_many_inputs_those_with_small_parts(n, smaller, count):
    found = list(partitions(n))

    assert len(found) == len(set(found)) == count
    assert max(min(len(one), len(other)) for one, other in found) == smaller
    assert all(sorted((*one, *other)) == list(range(n)) for one, other in found)


# --- merges


MERGES = [
    ("a power as a factor", lambda x, y: x**2 * np.exp(np.sin(y)), [(0.5, 2), (0, 2)], 1),
    ("a quotient", lambda x, y: np.sin(3 * x / y), [(1, 2), (1, 3)], 1),
    ("a product and a factor", lambda x, y: x * np.tanh(x * y), [(0.3, 2), (0.3, 2)], 1),
    ("a difference", lambda x, y: np.exp(-((x - 2 * y) ** 2)), [(-1, 1), (-1, 1)], 1),
    ("squares", lambda x, y: np.cos(x**2 + y**2), [(0.5, 1.5), (0.5, 1.5)], 1),
    ("a product of two", lambda x, y, z: np.exp(-x * y) * np.cos(3 * z), [(0.2, 1)] * 3, 2),
]


@for_all("what, f, boxes, n_inner", MERGES)
def test_a_symmetry_leaves_fewer_inputs_and_the_same_values(what, f, boxes, n_inner):
    x, y = sampled(f, *boxes, n=200)

    found = merged(lambda points: f(*points.T), x, y, np.inf, never)

    assert found.columns.shape[1] == n_inner
    assert found.error <= 1e-3 * np.std(y)
    inner = np.column_stack([values(tree, x) for tree in found.inputs])
    np.testing.assert_allclose(found.columns, inner, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(found.weight, values(found.before, x), rtol=1e-12)
    model = found.weight * found.model.f(found.columns)
    assert np.sqrt(np.mean((model - y) ** 2)) <= 1e-3 * np.std(y)


def test_what_a_symmetry_leaves_does_not_change_with_the_scale():
    """(D36): the inputs of g have the same values at x_i s^{a_i}, and the factor becomes s^c times as large."""

    def f(x, y, z):
        return y**2 * np.sin(x * y) * np.exp(z / y)

    x, y = sampled(f, (0.5, 2), (0.5, 2), (0.5, 2))
    found = merged(lambda points: f(*points.T), x, y, np.inf, never)
    moved = x * 1.7 ** np.array([-1.0, 1.0, 1.0])

    for tree in found.inputs:
        np.testing.assert_allclose(values(tree, moved), values(tree, x), rtol=1e-12)
    np.testing.assert_allclose(values(found.before, moved), 1.7**2 * found.weight, rtol=1e-12)


@for_all("f", [lambda x, y: np.sin(2 * x) + y**3 + 1.0, lambda x, y: np.exp(x) / (3.0 + np.cos(3 * y))])
def test_no_symmetry_is_claimed_where_there_is_none(f):
    x, y = sampled(f, (-1, 1), (-1, 1))

    assert merged(lambda points: f(*points.T), x, y, np.inf, never) is None


def test_noise_is_no_reason_to_divide_by_a_power():
    x, y = sampled(lambda a, b, c: np.exp(a) + b * c, *[(0.5, 3)] * 3, noise=0.1)
    model = simplest(linear_models(x, y), 0.0)

    assert merged(model.f, x, y, 0.0, never) is None


# --- formulas as trees: values, derivatives with respect to the numbers, SymPy; training of the numbers, and simple ones

X = RNG(0).uniform(0.3, 1.2, (40, 2))
SMOOTH = ("sin", "cos", "exp", "tanh", "x^2", "x^3", "gaussian", "arctan")
LARGE = 1e6  # values of trees above it, such as those of exp(exp(exp(x))), are not compared

leaf = st.one_of(
    st.floats(0.2, 1.5).map(Number), st.sampled_from([-2.0, 0.5, 3.0]).map(fixed), st.integers(0, 1).map(Input)
)
trees = st.recursive(
    leaf,
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: add(*parts)),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: multiply(*parts)),
        st.tuples(st.sampled_from(SMOOTH), inner).map(lambda pair: apply(*pair)),
    ),
    max_leaves=8,
)


def assert_equal_values(found, expected):
    size = float(np.abs(expected).max())
    if size < LARGE:
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12 * (1.0 + size))


# --- trees


@given(trees)
def test_derivatives_of_trees_are_those_of_differences(tree):
    theta = numbers(tree)
    value, jacobian = linearize(tree, X)
    size = float(np.abs(value).max())
    if not size < LARGE:
        return

    np.testing.assert_array_equal(value, values(tree, X))
    assert jacobian.shape == (len(X), len(theta))
    for place, step in enumerate(1e-5 * np.eye(len(theta))):
        ahead, behind = (values(with_numbers(tree, theta + s * step), X) for s in (1.0, -1.0))
        scale = max(1.0, size, float(np.abs(jacobian[:, place]).max()))
        # the third derivative of nested exponentials is large: differences are exact to 1e-5 of it
        slope = (ahead - behind) / 2e-5
        np.testing.assert_allclose(jacobian[:, place], slope, rtol=0, atol=1e-5 * scale**3)


@given(trees)
def test_an_expression_has_the_values_of_its_tree(tree):
    expression = expression_of(tree, ("e", "lambda"))
    symbols = sympy.symbols("e lambda")

    found = [
        float(expression.xreplace(dict(zip(symbols, map(sympy.Float, row), strict=True)))) for row in X[:5].tolist()
    ]

    assert_equal_values(found, values(tree, X[:5]))


@given(trees, st.floats(-3.0, 3.0))
def test_fixing_a_number_removes_it_and_gives_the_values_at_that_number(tree, value):
    theta = numbers(tree)
    for place in range(len(theta)):
        moved = np.where(np.arange(len(theta)) == place, value, theta)
        found = with_fixed(tree, place, value)

        assert_equal_values(values(found, X), values(with_numbers(tree, moved), X))
        assert len(numbers(found)) <= len(theta) - 1
        assert complexity(found) <= complexity(tree)


@given(trees)
def test_absorbing_factors_keeps_the_values_and_adds_no_number(tree):
    found = absorbed(tree)

    assert_equal_values(values(found, X), values(tree, X))
    assert len(numbers(found)) <= len(numbers(tree))


@given(trees, trees, trees)
def test_a_tree_in_place_of_an_input_has_the_values_of_the_composition(tree, one, other):
    found = substitute(tree, [one, other])

    inner = np.column_stack([values(one, X), values(other, X)])
    if np.abs(inner).max() < LARGE:
        assert_equal_values(values(found, X), values(tree, inner))


def test_sums_and_products_are_flat_and_have_one_number():
    inner = multiply(fixed(2.0), multiply(Input(1), Number(3.0)))
    tree = add(Number(1.0), add(Input(0), fixed(2.0)), inner)

    assert str(expression_of(tree, ("x", "y"))) == "x + 6.0*y + 3.0"
    assert numbers(tree).tolist() == [6.0, 3.0]
    assert multiply(Input(0), fixed(0.0)) == fixed(0.0)
    assert add(Input(0), fixed(0.0)) == multiply(Input(0), fixed(1.0)) == Input(0)


def test_a_factor_goes_into_a_sum_whose_terms_all_have_numbers():
    tree = multiply(Number(2.0), Input(0), affine(Input(1), 3.0, 5.0))

    assert str(expression_of(absorbed(tree), ("x", "y"))) == "x*(6.0*y + 10.0)"
    kept = multiply(Number(2.0), add(Input(1), Number(5.0)))
    assert absorbed(kept) == kept


def test_nearly_equal_numbers_of_a_sum_become_one_where_the_samples_allow_it():
    true = apply("1/x", multiply(Number(12.34), add(apply("x^2", Input(0)), multiply(fixed(-1.0), Input(1)))))
    start = apply("1/x", add(multiply(Number(12.6), apply("x^2", Input(0))), multiply(Number(-12.4), Input(1))))
    x = X + np.array([1.0, 0.0])  # away from the pole
    y = values(true, x) + 1e-4 * RNG(1).standard_normal(len(x))

    found = simplified(trained(start, x, y), x, y, 1e-12)

    np.testing.assert_allclose(numbers(found.tree), [12.34], rtol=1e-3)
    unequal = add(multiply(Number(1.0), Input(0)), multiply(Number(-1.5), Input(1)), Number(0.0))
    assert shared(unequal) == unequal


# --- training


@for_all("unit", [1e-12, 1.0, 1e12])
def test_numbers_of_any_size_are_trained_to_rounding(unit):
    x = RNG(1).uniform(1.0, 2.0, (300, 2)) * [unit, 1.0]
    y = 3.0 * np.sin(2.5 * x[:, 1]) * x[:, 0] + 4.0 * unit
    wave = apply("sin", multiply(Number(2.4), Input(1)))

    found = trained(add(multiply(Number(2.6), Input(0), wave), Number(3.0 * unit)), x, y)

    np.testing.assert_allclose(numbers(found.tree), [3.0, 2.5, 4.0 * unit], rtol=1e-10)
    assert found.rmse <= 1e-13 * np.std(y)


@given(trees)
def test_training_never_raises_the_error(tree):
    y = np.log(X[:, 0])

    found = trained(tree, X, y, n_steps=5)

    assert found.rmse <= rmse_of(tree, X, y)
    assert found.rmse == rmse_of(found.tree, X, y)


def test_a_tree_that_is_undefined_at_a_sample_has_an_infinite_error():
    undefined = apply("log", add(Input(0), Number(-1.0)))

    assert trained(undefined, X, X[:, 0]).rmse == np.inf
    assert np.isnan(values(undefined, X)).any()


def test_training_ends_at_rounding_where_numbers_are_nearly_redundant():
    """A change of b is nearly one of a and c: damped steps end at 1e-13 of y."""
    x = np.linspace(10.0, 40.0, 200)[:, None]
    inner = multiply(Number(-4105.0), apply("1/x", add(Input(0), Number(237.66))))
    y = 637478.0 * np.exp(-4105.079 / (x[:, 0] + 237.7))

    found = trained(multiply(Number(6.37e5), apply("exp", inner)), x, y)

    assert found.rmse <= 1e-14 * y.max()
    np.testing.assert_allclose(numbers(found.tree), [637478.0, -4105.079, 237.7], rtol=1e-10)


def test_numbers_become_simple_where_the_samples_allow_it_and_only_there():
    x = RNG(2).uniform(0.5, 2.0, (500, 2))
    y = 2.0 * x[:, 0] + 0.731 * x[:, 1] ** 2 + 1.5
    square = apply("x^2", add(Input(1), Number(1e-7)))
    tree = add(multiply(Number(2.0 + 1e-9), Input(0)), multiply(Number(0.7), square), Number(1.4))

    found = simplified(trained(tree, x, y), x, y, 1e-13)

    assert str(expression_of(found.tree, ("x", "y"))).startswith("2*x + 0.73")
    assert found.rmse <= 1e-13
    assert len(numbers(found.tree)) == 1


def test_the_best_candidate_is_the_right_one_of_equal_errors_the_simplest():
    y = 1.7 * np.exp(X[:, 0])
    right = multiply(Number(1.0), apply("exp", Input(0)))
    longer = add(right, multiply(Number(0.1), Input(1)))
    wrong = affine(Input(0), 1.0, 0.0)

    found = best_fits([wrong, longer, right], X, y, 1e-14)

    assert complexity(found[0].tree) == complexity(right)
    assert found[0].rmse < 1e-14
    assert found[-1].rmse > 1e-3


def test_the_criterion_is_that_of_bayes_with_a_price_on_complexity_and_a_floor():
    one = Fitted(affine(Input(0), 2.0, 1.0), 0.1)

    expected = 200.0 * np.log(0.1) + np.log(100.0) * (2.0 + 0.5 * one.complexity)
    np.testing.assert_allclose(bic(one, 100, 0.0), expected, rtol=1e-14)
    assert bic(one, 100, 0.1) == bic(Fitted(one.tree, 0.01), 100, 0.1)


# --- curves of one input: the table of columns, names of curves, and formulas suggested for samples of a curve

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
        expected, moved = (values(atoms[k].tree, points[:, None]) / atoms[k].size for points in (x, x * (1.0 + 1e-15)))
        if np.abs(moved - expected).max() < 1e-9:  # not so sin(exp(x)) near x = 100
            np.testing.assert_allclose(table[:, k], expected, rtol=0, atol=1e-9)
        assert np.abs(table[:, k]).max() == pytest.approx(1.0)
        assert np.ptp(table[:, k]) > 0.0


@for_all("exponent", [1.0, 2.0, 5.0, 6.0, 0.5, 2.5, -1.0, -0.5, -3.0])
def test_a_power_as_a_tree_has_the_values_of_the_power(exponent):
    x = np.linspace(0.5, 2.0, 20)[:, None]

    np.testing.assert_allclose(values(power_of(Input(0), exponent), x), x[:, 0] ** exponent, rtol=1e-14)


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
