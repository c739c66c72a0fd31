"""Formulas as trees: values, derivatives with respect to the numbers, SymPy; training of the numbers, and simple ones."""

import numpy as np
import sympy
from cases import for_all
from hypothesis import given
from hypothesis import strategies as st

from kan_ref.discovery.fits import Fitted, best_fits, bic, rmse_of, simplified, trained
from kan_ref.discovery.results import expression_of
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

RNG = np.random.default_rng
X = RNG(0).uniform(0.3, 1.2, (40, 2))
SMOOTH = ("sin", "cos", "exp", "tanh", "x^2", "x^3", "gaussian", "arctan")
LARGE = 1e6  # values of trees above it, such as those of exp(exp(exp(x))), are not compared

leaf = st.one_of(
    st.floats(0.2, 1.5).map(Number),
    st.sampled_from([-2.0, 0.5, 3.0]).map(fixed),
    st.integers(0, 1).map(Input),
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
        float(expression.xreplace(dict(zip(symbols, map(sympy.Float, row), strict=True))))
        for row in X[:5].tolist()
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
    true = apply(
        "1/x", multiply(Number(12.34), add(apply("x^2", Input(0)), multiply(fixed(-1.0), Input(1))))
    )
    start = apply(
        "1/x",
        add(multiply(Number(12.6), apply("x^2", Input(0))), multiply(Number(-12.4), Input(1))),
    )
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
