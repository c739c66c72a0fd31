"""Names of curves of one input: single functions, compositions, sums, products, polynomials."""

import numpy as np
import pytest

import kan_ref as kr
from kan_ref.discovery.atoms import composed_atoms, simple_atoms
from kan_ref.discovery.curves import name_curve
from kan_ref.discovery.screening import pair_misfit
from kan_ref.discovery.trees import values

RNG = np.random.default_rng

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
