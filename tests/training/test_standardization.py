"""Standardized data: the moments, the ways back, constant columns, formulas in the user's units."""

import numpy as np
import pytest
import sympy

import kan_ref as kr
from kan_ref.training import Scaler, scaled


def table(seed=0, n=30):
    """Three inputs and two targets in units far from one."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 3)) * [1e-3, 1.0, 1e6] + [0.5, -3.0, 2e7]
    y = x[:, :2] * [1e5, 2.0] + 40.0
    return kr.Data(x[:20], y[:20], x[20:], y[20:], names=("a", "b", "c"))


def test_columns_get_mean_0_and_standard_deviation_1_of_the_training_samples():
    data = table()
    found, scaler = scaled(data)

    for before, after in ((data.x_train, found.x_train), (data.y_train, found.y_train)):
        np.testing.assert_allclose(after.mean(axis=0), 0.0, atol=1e-9)
        np.testing.assert_allclose(after.std(axis=0), 1.0, rtol=1e-12)
        np.testing.assert_allclose(
            after, (before - before.mean(axis=0)) / before.std(axis=0), atol=1e-9
        )
    np.testing.assert_allclose(scaler.x_mean, data.x_train.mean(axis=0))
    np.testing.assert_array_equal(found.x_test, scaler.transform_x(data.x_test))
    np.testing.assert_array_equal(found.y_test, scaler.transform_y(data.y_test))
    assert found.names == scaler.names == ("a", "b", "c")


def test_the_ways_back_lead_to_the_user_s_units():
    data = table()
    found, scaler = scaled(data)

    np.testing.assert_allclose(scaler.inverse_x(found.x_test), data.x_test, rtol=1e-12)
    np.testing.assert_allclose(scaler.inverse_y(found.y_test), data.y_test, rtol=1e-12)


def test_data_do_not_depend_on_units_once_they_are_scaled():
    data = table()
    moved = kr.Data(
        1e5 * data.x_train + 7.0, data.y_train / 3.0, 1e5 * data.x_test + 7.0, data.y_test / 3.0
    )

    for name in ("x_train", "y_train", "x_test", "y_test"):
        np.testing.assert_allclose(
            getattr(scaled(moved)[0], name), getattr(scaled(data)[0], name), atol=1e-8
        )


@pytest.mark.parametrize("value", [0.0, 0.1, -3e7])
def test_a_column_that_is_constant_up_to_rounding_becomes_exactly_0_and_comes_back(value):
    data = table()
    columns = data.x_train.copy()
    columns[:, 1] = value * (1.0 + 2e-16 * (np.arange(20) % 2))
    y = np.full((20, 1), value)
    found, scaler = scaled(kr.Data(columns, y, columns[:3], y[:3]))

    assert (found.x_train[:, 1] == 0.0).all()
    assert (found.x_train[:, 0] != 0.0).any()
    assert (found.y_test == 0.0).all()
    assert scaler.x_scale[1] == 1.0
    assert (scaler.inverse_y(np.ones((2, 1))) == value).all()
    other = scaler.transform_x(
        columns[:1] + np.array([[0.0, 2.0, 0.0]])
    )  # another number is no rounding
    assert other[0, 1] == pytest.approx(2.0, rel=1e-6)


def test_labels_stay():
    data = kr.Data(np.arange(6.0)[:, None], [0, 1] * 3, np.ones((2, 1)), [1, 0])
    found, scaler = scaled(data)

    assert found.y_train.tolist() == [0, 1] * 3
    assert scaler.transform_y([1, 0]).tolist() == scaler.inverse_y([1, 0]).tolist() == [1, 0]
    assert scaler.y_mean is None
    assert "class labels" in repr(scaler)
    (formula,) = scaler.formula((sympy.Symbol("x_1"),))
    assert float(formula.subs("x_1", scaler.x_mean[0])) == 0.0


# --- formulas


@pytest.mark.parametrize("names", [None, ("u", "v", "w")])
def test_a_formula_in_the_user_s_units_has_the_values_of_the_network(names):
    data = table()
    found, scaler = scaled(data)
    symbols = sympy.symbols(names or data.names)
    expressions = (symbols[0] * sympy.sin(symbols[1]) + symbols[2], symbols[0] ** 2)

    moved = scaler.formula(expressions, names)

    values = np.stack([sympy.lambdify(symbols, part)(*found.x_test.T) for part in expressions], 1)
    own = np.stack([sympy.lambdify(symbols, part)(*data.x_test.T) for part in moved], axis=1)
    np.testing.assert_allclose(own, scaler.inverse_y(values), rtol=1e-8)


def test_one_formula_is_no_tuple_and_its_inputs_have_numbers_without_names():
    scaler = Scaler([20.0, 1.0], [10.0, 1.0], [100.0], [50.0])

    moved = scaler.formula(sympy.Symbol("x_1"))

    assert sympy.simplify(moved - 5.0 * sympy.Symbol("x_1")) == 0


def test_a_formula_of_a_constant_target_is_its_mean():
    x = np.arange(5.0)[:, None]
    _, scaler = scaled(kr.Data(x, np.full((5, 1), 7.0), x, np.full((5, 1), 7.0)))

    assert float(scaler.formula(sympy.Symbol("x_1"))) == 7.0


def test_a_standardized_input_stays_where_multiplying_out_would_overflow():
    year, tiny = sympy.Symbol("x_1"), Scaler([2003.0], [0.5], [0.0], [1.0])

    moved = tiny.formula(sympy.exp(year))

    assert moved.atoms(sympy.UnevaluatedExpr)
    assert float(moved.subs(year, 2004.0).doit()) == pytest.approx(np.exp(2.0))
    assert (
        not Scaler([3.0], [0.5], [0.0], [1.0]).formula(sympy.exp(year)).atoms(sympy.UnevaluatedExpr)
    )


@pytest.mark.parametrize(
    ("expression", "names", "word"),
    [
        (sympy.Symbol("q"), None, "expression"),
        ((sympy.Symbol("x_1"),) * 2, None, "expression"),
        (sympy.Symbol("a"), ("a", "b"), "names"),
    ],
)
def test_formulas_of_other_data_are_refused(expression, names, word):
    with pytest.raises(ValueError, match=word):
        Scaler([20.0], [10.0], [100.0], [50.0]).formula(expression, names)


# --- protections


def test_a_scaler_keeps_its_numbers():
    mean, scale = np.array([1.0]), np.array([2.0])
    scaler = Scaler(mean, scale, mean, scale, names=["a"])
    mean[0] = scale[0] = 5.0

    assert (scaler.x_mean[0], scaler.y_scale[0], scaler.names) == (1.0, 2.0, ("a",))
    assert repr(scaler) == "Scaler(x_mean [1.], x_scale [2.], y_mean [1.], y_scale [2.])"


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (([0.0], [0.0], None, None), "x_scale"),
        (([0.0, 1.0], [1.0], None, None), "x_scale"),
        (([0.0], [1.0], [0.0], [-1.0]), "y_scale"),
        (([np.nan], [1.0], None, None), "x_mean"),
    ],
)
def test_scales_are_positive_numbers_of_each_column(arguments, word):
    with pytest.raises(ValueError, match=word):
        Scaler(*arguments)


def test_a_table_with_other_columns_and_arrays_of_other_shapes_are_refused():
    from networks import Frame

    _, scaler = scaled(table())

    with pytest.raises(ValueError, match="x"):
        scaler.transform_x(Frame.of(["b", "a", "c"], np.zeros((2, 3))))
    with pytest.raises(ValueError, match=r"x.*\(2, 2\)"):
        scaler.transform_x(np.zeros((2, 2)))
    with pytest.raises(ValueError, match=r"y.*\(2,\)"):
        scaler.inverse_y(np.zeros(2))
