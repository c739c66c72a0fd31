"""Formulas for readers: constants that are recognised, and names that are data.

Exact constants are found and random ones left alone at the promised rate; the cost is said and kept within the tolerance. No result depends
on what inputs and registered functions are called.
"""

import math
from contextlib import ExitStack, contextmanager

import numpy as np
import pytest
import sympy
from cases import for_all
from hypothesis import given
from hypothesis import strategies as st
from networks import Frame, formula_network, hello_world

from kan_ref.formulas import formula, numeric_function
from kan_ref.formulas.recognition import (
    LARGEST_DENOMINATOR,
    PHI_SERIES,
    UNITS,
    near_numbers,
    recognise_constants,
)
from kan_ref.functions.library import register_function, unregister_function

X, Y = sympy.symbols("x y")
SAMPLES = np.random.default_rng(0).uniform(-1.0, 1.0, (200, 2))
DRAWS = {
    "uniform": lambda rng, n: rng.uniform(-10.0, 10.0, n),
    "normal": lambda rng, n: rng.normal(size=n),
    "of all sizes": lambda rng, n: 10.0 ** rng.uniform(-2.0, 3.0, n) * rng.choice([-1.0, 1.0], n),
}


def number(value):
    return sympy.Float(repr(float(value)), 17)


def recognised(value, **options):
    """What becomes of one coefficient of x."""
    return (
        recognise_constants(number(value) * X, SAMPLES, names=("x", "y"), **options).expression / X
    )


# --- near numbers


@for_all(
    ("value", "exact"),
    [
        (3.0, 3),
        (-1.0, -1),
        (1.0 / 3.0, sympy.Rational(1, 3)),
        (-0.125, -sympy.Rational(1, 8)),
        (0.617, sympy.Rational(617, 1000)),
        (1234.0, 1234),
        (math.pi, sympy.pi),
        (-2.0 * math.pi / 3.0, -2 * sympy.pi / 3),
        (1.0 / math.pi, 1 / sympy.pi),
        (math.pi**2 / 6.0, sympy.pi**2 / 6),
        (math.e, sympy.E),
        (math.sqrt(2.0) / 2.0, sympy.sqrt(2) / 2),
        (5.0 * math.sqrt(3.0), 5 * sympy.sqrt(3)),
        (3.0 / np.pi**2, 3 / sympy.pi**2),
        (math.log(2.0), sympy.log(2)),
        (1.0 / math.sqrt(2.0 * math.pi), 1 / sympy.sqrt(2 * sympy.pi)),
    ],
)
@for_all("slip", [0.0, 1e-12, -1e-12])
def test_an_exact_number_is_recognised_through_a_small_error(value, exact, slip):
    assert sympy.simplify(recognised(value * (1.0 + slip)) - exact) == 0


@pytest.mark.long
@pytest.mark.parametrize("draw", DRAWS)
def test_of_random_numbers_no_more_than_the_promised_share_is_near_anything(draw):
    values = DRAWS[draw](np.random.default_rng(1), 2000).tolist()

    # three standard deviations of the count above the promise
    assert sum(bool(near_numbers(value, 0.01)) for value in values) <= 20 + 3 * math.sqrt(20)


def test_of_random_numbers_none_is_recognised_at_the_tolerance_of_clean_data():
    values = np.random.default_rng(2).uniform(-10.0, 10.0, 1000)
    expression = sympy.Add(*(number(value) * X**place for place, value in enumerate(values[:40])))

    assert (
        recognise_constants(expression, SAMPLES, names=("x", "y"), tolerance=1e-12).replaced == ()
    )
    near = [
        candidate
        for value in values.tolist()
        for candidate in near_numbers(value, 0.01)
        if abs(candidate.error) <= 1e-12 * abs(value)
    ]
    assert near == []


def test_the_prices_of_units_and_denominators_add_up():
    phi = [
        sum(math.gcd(p, q) == 1 for p in range(1, q + 1)) for q in range(1, LARGEST_DENOMINATOR + 1)
    ]

    assert sum(1.0 / price for _, price in UNITS.values()) <= 1.0
    assert sum(n / q**3 for q, n in enumerate(phi, start=1)) == pytest.approx(PHI_SERIES, rel=1e-3)


@for_all("unit", UNITS)
def test_a_unit_is_the_number_that_sympy_reads(unit):
    assert float(sympy.sympify(unit)) == pytest.approx(UNITS[unit][0], rel=1e-15)


def test_candidates_come_from_the_simplest_to_the_nearest():
    near = near_numbers(3.141, 0.01)

    assert [(one.numerator, one.denominator, one.unit) for one in near] == [
        (1, 1, "pi"),
        (3141, 1000, "1"),
    ]
    assert near[0].error == pytest.approx(math.pi - 3.141)


@given(st.floats(-1e6, 1e6), st.sampled_from([0.001, 0.01, 0.3]))
def test_a_near_number_keeps_the_rule(value, chance):
    for near in near_numbers(value, chance):
        kappa, price = UNITS[near.unit]
        allowed = chance / (2.0 * PHI_SERIES * price * near.denominator**3) * kappa
        assert abs(near.error) <= allowed * (1.0 + 1e-9) + 1e-15 * abs(value)


# --- in a formula


def test_the_hello_world_with_small_errors_becomes_exact():
    network = hello_world(b=-0.25)
    slips = np.random.default_rng(3).normal(size=network.n_params) * 1e-12
    found = recognise_constants(
        formula(network.with_theta(network.theta + slips), names=("x", "y")),
        SAMPLES,
        names=("x", "y"),
    )

    assert found.expression == 2 * sympy.exp(sympy.sin(sympy.pi * X) + Y**2)
    assert found.rms < 1e-11


def test_a_coefficient_known_to_three_digits_becomes_simple_only_if_the_tolerance_says_so():
    assert recognised(1.0008) == pytest.approx(1.0008)
    assert recognised(1.0008, tolerance=1e-2) == 1
    assert recognised(1.0008, tolerance=1e-2, chance=1e-3) == pytest.approx(1.0008)
    assert recognised(1.008, tolerance=1e-1) == sympy.Rational(126, 125)


def test_what_the_tolerance_forbids_takes_the_next_nearest():
    assert recognised(3.141, tolerance=1e-3) == sympy.pi
    assert recognised(3.141, tolerance=1e-4) == sympy.Rational(3141, 1000)


@pytest.mark.parametrize("tolerance", [1e-9, 1e-6, 1e-3, 1e-2])
def test_all_replacements_together_keep_the_tolerance(tolerance):
    values = [1.0004, 2.0000003, 0.5000001, 3.14159, 1e-7]
    terms = [number(value) * sympy.cos(place * X) * Y**place for place, value in enumerate(values)]
    expression = sympy.Add(*terms)

    found = recognise_constants(expression, SAMPLES, names=("x", "y"), tolerance=tolerance)

    assert found.rms <= tolerance
    assert len(found.replaced) == {1e-9: 0, 1e-6: 4, 1e-3: 5, 1e-2: 5}[tolerance]


def test_the_cost_is_the_change_of_the_values_in_units_of_their_spread():
    found = recognise_constants(
        (number(1.001) * X, 7 * Y), SAMPLES, names=("x", "y"), tolerance=0.1
    )
    change = 1e-3 * SAMPLES[:, 0] / (1.001 * SAMPLES[:, 0].std())

    assert found.expression == (X, 7 * Y)
    assert found.max == pytest.approx(np.abs(change).max(), rel=1e-9)
    assert found.rms == pytest.approx(np.sqrt(np.mean(change**2) / 2.0), rel=1e-9)
    [only] = found.replaced
    assert (only.value, only.exact, only.error) == (1.001, 1, pytest.approx(-1e-3))


def test_errors_that_cancel_are_judged_together():
    """Each by itself changes the values by 5e-4; both together leave them."""
    expression = number(1.0005) * X + number(1.9995) * X * sympy.cos(X / 1000)

    found = recognise_constants(expression, SAMPLES, names=("x", "y"), tolerance=1e-4)

    assert found.expression == X + 2 * X * sympy.cos(X / 1000)


def test_a_constant_that_the_formula_does_not_feel_goes_with_it():
    found = recognise_constants(sympy.sin(X) + number(3e-14), SAMPLES, names=("x", "y"))

    assert found.expression == sympy.sin(X)
    assert found.replaced[0].exact == 0


def test_a_replacement_that_leaves_the_domain_is_not_made():
    expression = sympy.log(X + number(1.0001))
    x = np.array([[-1.00005], [0.0], [1.0]])

    assert recognise_constants(expression, x, names=("x",), tolerance=10.0).expression == expression


def test_a_constant_output_is_measured_by_its_own_size():
    found = recognise_constants(number(5.0005), SAMPLES, names=("x", "y"), tolerance=1e-3)

    assert found.expression == 5
    assert found.rms == pytest.approx(1e-4, rel=1e-3)
    assert recognise_constants(number(1e-30) * X, SAMPLES * 0.0, names=("x", "y")).rms == 0.0


# --- refusals


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"tolerance": -1.0}, "tolerance"),
        ({"chance": 0.0}, "chance"),
        ({"chance": 2.0}, "chance"),
        ({"names": ("x",)}, "names"),
        ({"names": None}, "expression has the symbol x"),
    ],
)
def test_options_are_checked(options, name):
    with pytest.raises(ValueError, match=rf"^{name}"):
        recognise_constants(number(0.5) * X, SAMPLES, **{"names": ("x", "y"), **options})


def test_samples_are_needed_and_must_lie_in_the_domain():
    with pytest.raises(ValueError, match=r"^x has no rows"):
        recognise_constants(number(0.5) * X, np.empty((0, 2)), names=("x", "y"))
    with pytest.raises(ValueError, match=r"expression 0 has no finite value at x\[0\]"):
        recognise_constants(sympy.log(X), [[-1.0]], names=("x",))


def test_names_that_are_the_columns_of_a_table_in_another_order_are_reported():
    table = Frame.of("xy", SAMPLES)

    assert recognise_constants(X - Y, table, names=("x", "y")).expression == X - Y
    with pytest.raises(ValueError, match=r"^names"):
        recognise_constants(X - Y, table, names=("y", "x"))


# --- names are data

HARD = ["e", "pi", "E", "I", "sin", "lambda", "own_0", "symbol_1", "x0", "x:=1", "50%", "f(x)", "numpy"]  # fmt: skip
pairs = st.lists(st.sampled_from(HARD), min_size=2, max_size=2, unique=True)
INPUTS = np.random.default_rng(0).uniform(-1.0, 1.0, (7, 2))


@contextmanager
def registered(functions):
    """Register s u + u^3 for each (name, s)."""
    with ExitStack() as stack:
        for name, s in functions:
            register_function(
                name,
                lambda u, s=s: s * u + u**3,
                lambda u, s=s: s + 3.0 * u**2,
                lambda u: 6.0 * u,
                lambda u: np.full_like(u, 6.0),
                complexity=3,
            )
            stack.callback(unregister_function, name)
        yield


@given(pairs)
def test_a_formula_has_the_values_of_its_network_whatever_the_inputs_are_called(pair):
    network = hello_world(b=0.1)

    found = numeric_function([formula(network, names=pair)], pair)(INPUTS)

    np.testing.assert_allclose(found, network(INPUTS), rtol=1e-13)


@given(st.lists(st.sampled_from([one for one in HARD if one != "sin"]), min_size=2, max_size=2, unique=True), pairs)  # fmt: skip
def test_registered_functions_are_evaluated_whatever_they_are_called(own, pair):
    with registered(zip(own, (1.0, -2.0), strict=True)):
        inner = [(0, 0, own[0], (1.0, 0.0, np.e, 0.0)), (0, 1, "sin", (1.0, 0.0, 3.0, 0.0))]
        network = formula_network(inner, [(0, 0, own[1], (2.0, 0.5, 1.0, 0.0))], widths=(2, 1, 1))
        found = numeric_function([formula(network, names=pair)], pair)(INPUTS)

    np.testing.assert_allclose(found, network(INPUTS), rtol=1e-12)
