"""Formulas as trees: values, derivatives with respect to the numbers, training, simple numbers, SymPy."""

import numpy as np
import pytest
import sympy
from cases import for_all
from hypothesis import given
from hypothesis import strategies as st

from kan_ref.discovery.polish import (
    Fitted,
    as_at_samples,
    polished,
    rmse_of,
    simplified,
)
from kan_ref.discovery.powers import POWERS, rescaled
from kan_ref.discovery.results import expression_of
from kan_ref.discovery.trees import (
    Input,
    Number,
    absorbed,
    add,
    apply,
    complexity,
    fixed,
    inputs_of,
    linearize,
    multiply,
    numbers,
    substitute,
    uncentred,
    values,
    with_fixed,
    with_numbers,
)

RNG = np.random.default_rng
X = RNG(0).uniform(0.3, 1.2, (40, 2))
SMOOTH = ("sin", "cos", "exp", "tanh", "x^2", "x^3", "gaussian", "arctan")

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


@given(trees)
def test_derivatives_of_trees_are_those_of_differences(tree):
    theta = numbers(tree)
    value, jacobian = linearize(tree, X)
    size = float(np.abs(value).max())
    if not np.isfinite(size) or size > 1e6:
        return

    np.testing.assert_array_equal(value, values(tree, X))
    assert jacobian.shape == (len(X), len(theta))
    for place in range(len(theta)):
        step = 1e-5 * np.eye(len(theta))[place]
        ahead, behind = (values(with_numbers(tree, theta + s * step), X) for s in (1.0, -1.0))
        slope = (ahead - behind) / 2e-5
        scale = max(1.0, size, float(np.abs(jacobian[:, place]).max()))
        # the third derivative of nested exponentials is large: differences are exact to 1e-5 of it
        np.testing.assert_allclose(jacobian[:, place], slope, rtol=0, atol=1e-5 * scale**3)


@given(trees)
def test_an_expression_has_the_values_of_its_tree(tree):
    expression = expression_of(tree, ("e", "lambda"))
    symbols = sympy.symbols("e lambda")
    expected = values(tree, X[:5])
    found = [
        float(expression.xreplace(dict(zip(symbols, map(sympy.Float, row), strict=True))))
        for row in X[:5]
    ]

    size = np.abs(expected).max()
    if size < 1e100:
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9 * max(size, 1.0))


@given(trees, st.floats(-3.0, 3.0))
def test_fixing_a_number_removes_it_and_gives_the_values_at_that_number(tree, value):
    theta = numbers(tree)
    for place in range(len(theta)):
        moved = theta.copy()
        moved[place] = value
        expected = values(with_numbers(tree, moved), X)
        found = with_fixed(tree, place, value)

        size = np.abs(expected).max()
        if size < 1e6:
            np.testing.assert_allclose(values(found, X), expected, rtol=0, atol=1e-12 * (1 + size))
        assert len(numbers(found)) <= len(theta) - 1
        assert complexity(found) <= complexity(tree)


def test_sums_and_products_are_flat_and_have_one_number():
    tree = add(
        Number(1.0),
        add(Input(0), fixed(2.0)),
        multiply(fixed(2.0), multiply(Input(1), Number(3.0))),
    )

    assert str(expression_of(tree, ("x", "y"))) == "x + 6.0*y + 3.0"
    assert numbers(tree).tolist() == [6.0, 3.0]
    assert multiply(Input(0), fixed(0.0)) == fixed(0.0)
    assert add(Input(0), fixed(0.0)) == Input(0)
    assert multiply(Input(0), fixed(1.0)) == Input(0)


@given(trees)
def test_absorbing_factors_keeps_the_values_and_adds_no_number(tree):
    found = absorbed(tree)
    size = float(np.abs(values(tree, X)).max())

    if size < 1e6:
        np.testing.assert_allclose(
            values(found, X), values(tree, X), rtol=0, atol=1e-12 * (1 + size)
        )
    assert len(numbers(found)) <= len(numbers(tree))


def test_a_factor_goes_into_a_sum_whose_terms_all_have_numbers():
    tree = multiply(Number(2.0), Input(0), add(multiply(Number(3.0), Input(1)), Number(5.0)))

    assert str(expression_of(absorbed(tree), ("x", "y"))) == "x*(6.0*y + 10.0)"
    kept = multiply(Number(2.0), add(Input(1), Number(5.0)))
    assert absorbed(kept) == kept


@given(trees)
def test_a_sum_with_one_constant_has_the_same_values(tree):
    value = values(tree, X)
    size = float(np.abs(value).max())

    if size < 1e6:
        np.testing.assert_allclose(
            values(uncentred(tree), X), value, rtol=0, atol=1e-12 * (1 + size)
        )


def test_a_sum_without_a_constant_keeps_its_factor():
    tree = add(multiply(Number(2.0), add(Input(0), Input(1))), Number(1.0))

    assert uncentred(tree) == tree


def test_the_centre_of_an_input_leaves_no_rounding_error_in_a_formula():
    centred = add(multiply(Number(0.5), add(Input(1), Number(-1.15, True))), Number(0.575))
    y = 0.5 * X[:, 0] * X[:, 1]

    found = simplified(Fitted(multiply(Input(0), centred), 0.0), X, y, 1e-15)

    assert str(expression_of(found.tree, ("x", "y"))) == "x*y/2"


def test_inputs_are_replaced_by_trees():
    tree = substitute(add(Input(0), apply("sin", Input(1))), [apply("x^2", Input(1)), Input(0)])

    assert inputs_of(tree) == (0, 1)
    assert str(expression_of(tree, ("x", "y"))) == "y**2 + sin(x)"


@pytest.mark.parametrize("unit", [1e-12, 1.0, 1e12])
def test_numbers_of_any_size_are_trained_to_rounding(unit):
    x = RNG(1).uniform(1.0, 2.0, (300, 2)) * [unit, 1.0]
    y = 3.0 * np.sin(2.5 * x[:, 1]) * x[:, 0] + 4.0 * unit
    start = add(
        multiply(Number(2.6), Input(0), apply("sin", multiply(Number(2.4), Input(1)))),
        Number(3.0 * unit),
    )

    found = polished(start, x, y)

    np.testing.assert_allclose(numbers(found.tree), [3.0, 2.5, 4.0 * unit], rtol=1e-10)
    assert found.rmse <= 1e-13 * np.std(y)


def test_training_never_raises_the_error_and_leaves_undefined_trees_alone():
    y = np.log(X[:, 0])
    undefined = apply("log", add(Input(0), Number(-1.0)))

    assert polished(undefined, X, y).rmse == np.inf
    for seed in range(20):
        rng = RNG(seed)
        tree = add(
            multiply(Number(rng.normal()), apply("exp", multiply(Number(rng.normal()), Input(1)))),
            Number(rng.normal()),
        )
        assert polished(tree, X, y, n_steps=5).rmse <= rmse_of(tree, X, y)


def test_numbers_become_simple_where_the_data_allow_it_and_only_there():
    x = RNG(2).uniform(0.5, 2.0, (500, 2))
    y = 2.0 * x[:, 0] + 0.731 * x[:, 1] ** 2 + 1.5
    tree = add(
        multiply(Number(2.0 + 1e-9), Input(0)),
        multiply(Number(0.7), apply("x^2", add(Input(1), Number(1e-7)))),
        Number(1.4),
    )

    found = simplified(polished(tree, x, y), x, y, 1e-13)

    assert isinstance(found, Fitted)
    assert str(expression_of(found.tree, ("x", "y"))).startswith("2*x + 0.73")
    assert found.rmse <= 1e-13
    assert len(numbers(found.tree)) == 1


def test_a_part_that_is_the_same_at_all_samples_becomes_a_number():
    """cos(exp(-1e4 x)) is 1 at them, and another number near x = 0."""
    x = RNG(3).uniform(0.1, 2.0, (200, 1))
    y = 0.731 * x[:, 0]
    step = apply("cos", apply("exp", multiply(Number(-1e4), Input(0))))
    tree = multiply(Number(0.731), Input(0), step)

    assert as_at_samples(tree, x) == multiply(Number(0.731), Input(0))
    assert as_at_samples(tree, x / 1e4) == tree
    assert str(expression_of(simplified(Fitted(tree, 0.0), x, y, 1e-13).tree, ("x",))) == "0.731*x"


@for_all(("low", "high", "expected"), [(-4.0, -2.5, "-"), (-2.0, 3.0, ""), (-4.0, 3.0, "| |")])
def test_the_kink_of_a_modulus_needs_samples_on_both_sides(low, high, expected):
    x = np.linspace(low, high, 50)[:, None]
    line = add(Input(0), Number(2.0))
    for modulus in (apply("abs", line), apply("sqrt", apply("x^2", line))):
        part = {"-": multiply(fixed(-1.0), line), "": line, "| |": modulus}[expected]
        tree = add(apply("sin", Input(0)), modulus)
        assert as_at_samples(tree, x) == add(apply("sin", Input(0)), part)


@for_all("sign", [1.0, -1.0])
def test_a_square_beside_other_factors_of_a_root_has_no_modulus(sign):
    """sqrt(4 x^2 / (1 + x)) is 2 x / sqrt(1 + x) for x > 0, -2 x / sqrt(1 + x) for x < 0."""
    x = sign * np.linspace(0.1, 0.9, 50)[:, None]
    rest = apply("1/x", add(Input(0), fixed(1.0)))
    tree = apply("sqrt", multiply(Number(4.0), apply("x^2", Input(0)), rest))

    plain = multiply(fixed(sign), Input(0), apply("sqrt", multiply(Number(4.0), rest)))
    assert as_at_samples(tree, x) == plain
    assert np.array_equal(values(plain, x), values(tree, x)) or np.allclose(
        values(plain, x), values(tree, x), rtol=1e-15, atol=0.0
    )
    number = apply("sqrt", multiply(Number(4.0), apply("x^2", Input(0))))
    assert as_at_samples(number, x) == multiply(fixed(sign), Input(0), Number(2.0))


def test_training_ends_at_rounding_where_numbers_are_nearly_redundant():
    """A change of b is nearly one of a and c: damped steps end at 1e-13 of y."""
    x = np.linspace(10.0, 40.0, 200)[:, None]
    inner = multiply(Number(-4105.0), apply("1/x", add(Input(0), Number(237.66))))
    tree = multiply(Number(6.37e5), apply("exp", inner))
    y = 637478.0 * np.exp(-4105.079 / (x[:, 0] + 237.7))

    found = polished(tree, x, y)

    assert found.rmse <= 3e-15 * y.max()
    assert numbers(found.tree) == pytest.approx([637478.0, -4105.079, 237.7], rel=1e-12)


def test_a_modulus_whose_kink_no_sample_shows_is_a_line():
    x = RNG(0).uniform(-2000.0, 2000.0, (100, 1))
    y = np.sin(0.001 * x[:, 0]) + 0.001 * x[:, 0]
    modulus = apply("abs", add(multiply(Number(0.002 / 3.0), Input(0)), Number(4.0 / 3.0)))
    wave = apply("sin", multiply(Number(0.001), Input(0)))

    found = simplified(
        Fitted(add(wave, multiply(Number(1.5), modulus), Number(-2.0)), 0.0), x, y, 1e-13
    )

    assert str(expression_of(found.tree, ("x",))) == "0.001*x + sin(0.001*x)"


def test_numbers_of_numpy_are_written_as_plain_ones():
    tree = add(multiply(Number(np.float64(0.3)), Input(0)), Number(np.float64(1.25)))

    assert str(expression_of(tree, ("x",))) == "0.3*x + 1.25"


def test_the_scale_of_a_sum_inside_a_power_is_outside():
    """Beside a factor it is redundant, so that the formula has a number less, and simple ones."""
    x = RNG(0).uniform(0.5, 2.0, (200, 2))
    y = 0.7 * (1.0 - np.exp(-x[:, 0])) ** 2 * x[:, 1]
    inside = add(
        Number(-1.37), multiply(Number(1.37), apply("exp", multiply(Number(-1.0), Input(0))))
    )
    tree = multiply(Number(0.7 / 1.37**2), apply("x^2", inside), Input(1))

    (moved,) = rescaled(tree)

    np.testing.assert_allclose(values(moved, x), values(tree, x), rtol=1e-14)
    assert numbers(moved).size == numbers(tree).size - 2
    found = simplified(Fitted(tree, 0.0), x, y, 1e-13).tree
    assert str(expression_of(found, ("x", "y"))) in (
        "0.7*y*(1 - exp(-x))**2",
        "0.7*y*(-1 + exp(-x))**2",
    )


@for_all("name", sorted(POWERS))
def test_a_power_keeps_its_values_when_the_scale_is_outside(name):
    x = RNG(0).uniform(0.5, 2.0, (50, 1))
    tree = apply(name, add(multiply(Number(0.3), Input(0)), Number(0.6)))

    (moved,) = rescaled(tree)

    np.testing.assert_allclose(values(moved, x), values(tree, x), rtol=1e-13)
    fixed_terms = apply(name, add(multiply(Number(0.3, True), Input(0)), Number(0.6)))
    assert list(rescaled(fixed_terms)) == []


def test_a_coefficient_that_is_a_rounding_error_is_no_scale():
    """Beside it all other numbers are huge, and huge numbers are near to integers."""
    x = RNG(0).uniform(0.5, 2.0, (50, 1))
    terms = [apply("x^2", Input(0)), Input(0)]
    inside = add(
        *(multiply(Number(c), term) for c, term in zip((1.0, 1.9e-15), terms, strict=True)),
        Number(1.0),
    )
    tree = multiply(Number(3.0), apply("1/x", inside))

    assert max(abs(numbers(one)).max() for one in rescaled(tree)) < 10.0
    assert (
        str(expression_of(simplified(Fitted(tree, 0.0), x, values(tree, x), 1e-14).tree, ("x",)))
        == "3/(x**2 + 1)"
    )


def test_a_normal_density_has_half_in_its_exponent():
    x = RNG(0).uniform(0.5, 2.0, (200, 2))
    root = np.sqrt(0.5)
    inside = add(multiply(Number(root), Input(0)), multiply(Number(-root), Input(1)))
    tree = multiply(Number(0.3989), apply("gaussian", inside))

    found = simplified(Fitted(tree, 0.0), x, values(tree, x), 1e-14).tree

    assert str(expression_of(found, ("x", "m"))) == "0.3989*exp(-(-m + x)**2/2)"
