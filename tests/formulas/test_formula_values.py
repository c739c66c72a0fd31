"""Values of SymPy expressions: one column each, and what has none is named. `test_expression` compares them with networks."""

import numpy as np
import pytest
import sympy

from kan_ref.formulas.values import evaluate_formula, numeric_function

X = sympy.Symbol("x_1")


def test_expressions_are_evaluated_column_by_column():
    x, y = sympy.symbols("x y")

    values = evaluate_formula(
        (x - y, sympy.Integer(3), sympy.sqrt(x)), [[4.0, 1.0], [9.0, 2.0]], names=("x", "y")
    )

    np.testing.assert_array_equal(values, [[3.0, 3.0, 2.0], [7.0, 3.0, 3.0]])


def test_an_empty_batch_gives_no_values():
    assert evaluate_formula(X, np.empty((0, 1))).shape == (0, 1)


@pytest.mark.parametrize("expression", [sympy.log(X), sympy.sqrt(X), 1 / (X + 1)])
def test_a_sample_without_a_value_is_named(expression):
    with pytest.raises(ValueError, match=r"expression 1 has no finite value at x\[1\]"):
        evaluate_formula((sympy.Integer(1), expression), [[1.0], [-1.0]])


def test_a_complex_value_is_no_value():
    with pytest.raises(ValueError, match=r"expression 0 has no finite value at x\[0\]"):
        evaluate_formula(sympy.I * X, [[1.0]])


def test_a_symbol_without_a_column_is_named():
    with pytest.raises(ValueError, match="expression has the symbol z, but names has 'x', 'y'"):
        evaluate_formula(sympy.Symbol("z"), [[1.0, 2.0]], names=("x", "y"))


def test_coefficients_are_evaluated_with_all_their_digits():
    values = np.random.default_rng(0).normal(size=50)

    found = evaluate_formula(tuple(sympy.Float(repr(v), 17) * X for v in values.tolist()), [[1.0]])

    np.testing.assert_array_equal(found[0], values)


def test_a_function_of_sympy_that_numpy_lacks_is_evaluated_by_scipy():
    found = evaluate_formula(sympy.erf(X), [[0.5]])

    np.testing.assert_allclose(found, [[0.5204998778130465]], rtol=1e-15)


def test_constants_may_stay_open():
    x, c = sympy.Symbol("x"), sympy.Dummy()

    evaluate = numeric_function([c * x, x**c], ["x"], [c])

    np.testing.assert_array_equal(
        evaluate(np.array([[2.0], [3.0]]), 3.0), [[6.0, 8.0], [9.0, 27.0]]
    )
    assert np.isnan(evaluate(np.array([[-2.0]]), 0.5)[0, 1])


@pytest.mark.parametrize(
    ("x", "sentence"),
    [
        ([1.0], r"x has shape \(1,\)"),
        (
            [[np.nan]],
            "x contains nan at row 0, column 0, but needs finite numbers: leave such samples out",
        ),
    ],
)
def test_samples_are_checked(x, sentence):
    with pytest.raises(ValueError, match=sentence):
        evaluate_formula(X, x)
