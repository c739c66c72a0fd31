"""Formulas are written as one would write them, and keep their values at the samples."""

import numpy as np
import pytest
import sympy

from kan_ref.formulas import numeric_function
from kan_ref.formulas.expression import exact_number
from kan_ref.formulas.writing import price, written

HALF_PI, PI = "1.5707963267948966", "3.141592653589793"

# what a search may find, and how one writes it; inputs x, y, z, w between 1 and 3, v between 3 and 5
EXACT = {
    f"-exp(-x**2)*sin(3*y + {PI})": "exp(-x**2)*sin(3*y)",
    f"2*sin(x)*sin(y + {HALF_PI})": "2*sin(x)*cos(y)",
    f"-x*cos(y - {HALF_PI})": "-x*sin(y)",
    f"sin(3.0*x + 4.71238898038469)/(y + {HALF_PI})": "-cos(3*x)/(y + pi/2)",
    f"z*(2 - 2*sin(x*y + {HALF_PI}))": "2*z*(1 - cos(x*y))",
    f"1/2 - sin(12.566370614359172*x*y + {HALF_PI})/2": "sin(2*pi*x*y)**2",
    "x*sqrt(-1/(y**2/v**2 - 1))": "x/sqrt(1 - y**2/v**2)",
    "x*sqrt(-(1 + 2*y*z/x + y**2*z**2/x**2)/(y**2/v**2 - 1))": "(x + y*z)/sqrt(1 - y**2/v**2)",
    "x*sqrt(1 - 2*y*cos(z - w)/x + y**2/x**2)": "sqrt(x**2 - 2*x*y*cos(z - w) + y**2)",
    "0.053051647697298445*x**2*y**2*sqrt(1/(z**2*w**6))": "x**2*y**2/(6*pi*z*w**3)",
    "0.00915*1130**(1/4)*x**2*y**2*(1/(z**4*w**12))**(1/4)": "0.05305064945024685*x**2*y**2/(z*w**3)",
    "6.283185307179586*sqrt(x**3/(y*z + y*w))": "2*pi*x**(3/2)/sqrt(y*(z + w))",
    "x*y*z*sqrt(0.056993165798815*v**2/z**2 + 0.056993165798815)/w": "3*x*y*sqrt(v**2 + z**2)/(4*pi*w)",
    "0.3183098861837907*z**2*w/(x*y**2.0000000000000004)": "z**2*w/(pi*x*y**2)",
    "x*(y**2/2 + z**2/2 + w**2/2)": "x*(y**2 + z**2 + w**2)/2",
    "0.25*x*(0.333333333333333*y**2 + 0.333333333333333*z**2)": "x*(y**2 + z**2)/12",
    "exp(-(x/y - z/y)**2/2)": "exp(-(x - z)**2/(2*y**2))",
    "-x*y/(x - x*v)": "y/(v - 1)",
    "exp(y*log(x))": "x**y",
    "100.0*y + (y - 50.0)**2 + sin(3*x) - 2499.9999999999995": "y**2 + sin(3*x)",
    "sqrt((x - y)**2 + (z - w)**2)": "sqrt((x - y)**2 + (z - w)**2)",
    "tanh(-0.19999999999999998*x)*Abs(-y)": "-y*tanh(0.2*x)",
    "x**3 + x**2 + x": "x**3 + x**2 + x",
    "2*exp(-(x - 1)**2)/(2*(y - 5/2)**2 + 2.4)": "exp(-(x - 1)**2)/((y - 5/2)**2 + 1.2)",
    "v*(1 + x*y*sin(z)/v)": "v + x*y*sin(z)",
    "299792457.99999999*x": "299792458*x",
    "sqrt(x**2 - 2*x*y + y**2 + z**2 + 4*z*w + 4*w**2)": "sqrt((x - y)**2 + (z + 2*w)**2)",
    "-x*log(y/z)": "x*log(z/y)",
    "x*(log(y) - log(z) + 1)": "x*(log(y/z) + 1)",
    "1/(sqrt(exp(0.3183098861837907*x*y)) - 1)": "1/(exp(x*y/(2*pi)) - 1)",
}  # fmt: skip
NAMES = ("x", "y", "z", "w", "v")
SYMBOLS = sympy.symbols(NAMES)
X = np.random.default_rng(0).uniform((1, 1, 1, 1, 3), (3, 3, 3, 3, 5), (300, 5))


def read(text: str) -> sympy.Expr:
    one = sympy.sympify(text, locals=dict(zip(NAMES, SYMBOLS, strict=True)))
    return one.xreplace({v: exact_number(float(v)) for v in one.atoms(sympy.Float)})


def values(expression: sympy.Expr) -> np.ndarray:
    return numeric_function([expression], NAMES)(X)[:, 0]


@pytest.mark.parametrize("text", EXACT)
def test_a_formula_is_written_as_one_would_write_it_with_the_same_values(text):
    found = written(read(text), SYMBOLS, X)
    old = values(read(text))
    assert np.abs(values(found) - old).max() <= 1e-12 * old.std()
    assert "1.5707" not in str(found)
    assert "3.14159" not in str(found)
    assert price(found) <= price(read(text))
    difference = sympy.expand(found - read(EXACT[text]))
    assert abs(price(found) - price(read(EXACT[text]))) <= 3
    assert np.allclose(values(difference), 0.0, rtol=0.0, atol=1e-9 * np.abs(old).max())


@pytest.mark.parametrize("text", ["sqrt(x**2*y)/z", "x*sqrt(-1/(y**2/v**2 - 1))", "Abs(x*y)", "exp(2*log(Abs(x)))"])  # fmt: skip
def test_signs_are_those_of_the_samples(text):
    x = X * np.where(np.arange(len(X)) % 2, 1.0, -1.0)[:, None] * [1.0, 1.0, 1.0, 1.0, -1.0]
    x[:, 1] = X[:, 1]
    y = numeric_function([read(text)], NAMES)(x)
    found = numeric_function([written(read(text), SYMBOLS, x)], NAMES)(x)
    np.testing.assert_allclose(found, y, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("text", ["1.0731*y**1.98*sin(0.9917*x + 1.5683)", "2.91*x - 0.4732*y/(z + 3.1402)", "0.9982*exp(-0.5021*x**2)"])  # fmt: skip
def test_numbers_of_noisy_data_stay(text):
    assert str(written(read(text), SYMBOLS, X)) == text


def test_a_formula_that_is_undefined_at_a_sample_stays():
    expression = read("sqrt(x - 2) + sin(y + 1.5707963267948966)")
    assert written(expression, SYMBOLS, X) is expression


def test_numbers_become_exact_within_the_tolerance_only():
    expression = read("sin(y + 1.570796327)")
    assert "1.570796327" in str(written(expression, SYMBOLS, X))
    assert written(expression, SYMBOLS, X, tolerance=1e-9) == read("cos(y)")
