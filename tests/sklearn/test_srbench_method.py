"""`discover` as a method of SRBench: what its experiment calls, and the formula in the names of the columns."""

import numpy as np
import pandas as pd
import pytest
import sympy
from sklearn.base import clone

from benchmarks import srbench_method as method


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    return pd.DataFrame(rng.uniform(1.0, 3.0, (200, 3)), columns=["m", "E_n", "c"])


@pytest.fixture(scope="module")
def fitted(table):
    est = clone(method.est)
    est.random_state, est.max_time = 1, 20.0
    return est.fit(table, (table.E_n / (table.m * table.c**2)).to_numpy())


def test_the_formula_has_the_names_of_the_columns(fitted, table):
    symbols = m, energy, c = sympy.symbols("m E_n c")
    local = {one.name: one for one in symbols}

    found = sympy.parse_expr(method.model(fitted, table), local)

    assert sympy.simplify(found - energy / (m * c**2)) == 0
    assert "x_2" in method.model(fitted)


def test_predictions_are_those_of_the_formula_for_tables_and_arrays(fitted, table):
    expected = table.E_n / (table.m * table.c**2)

    for x in (table, table.to_numpy()):
        np.testing.assert_allclose(fitted.predict(x), expected, rtol=1e-12)
    assert fitted.score(table, expected) == pytest.approx(1.0)


def test_where_the_formula_is_undefined_the_mean_is_predicted(fitted, table):
    expected = (table.E_n / (table.m * table.c**2)).mean()

    assert fitted.predict([[0.0, 1.0, 1.0]]) == pytest.approx([expected])


def test_complexity_counts_the_nodes_of_the_formula(fitted):
    assert method.complexity(fitted) == len(
        list(sympy.preorder_traversal(fitted.discovery_.formula))
    )
    assert 8 <= method.complexity(fitted) <= 12  # a product of x_2 and two powers


def test_time_and_seed_are_parameters_that_the_experiment_sets():
    test = clone(method.est).set_params(**method.eval_kwargs["test_params"])

    assert test.get_params() == {"max_time": 10.0, "random_state": None}
