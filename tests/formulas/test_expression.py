"""Formulas of networks, and how they are written: exact coefficients and slopes, constants that are recognised, names that are data.

Exact constants are found and random ones left alone at the promised rate; the cost is said and kept within the tolerance. No result depends
on what inputs and registered functions are called. Formulas are written as one would write them, and keep their values at the samples.
"""

import math
from contextlib import ExitStack, contextmanager
from dataclasses import replace

import numpy as np
import pytest
import sympy
from cases import for_all
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import Frame, formula_network, hello_world, random_batch, random_network, seeds, with_formulas

from kan_ref.formulas import formula, formula_latex, numeric_function, shown_formula
from kan_ref.formulas.construction import from_formula
from kan_ref.formulas.expression import exact_number
from kan_ref.formulas.recognition import LARGEST_DENOMINATOR, PHI_SERIES, UNITS, near_numbers, recognise_constants
from kan_ref.formulas.writing import price, written
from kan_ref.functions.library import LIBRARY, register_function, unregister_function
from kan_ref.network.editing import mask_edges
from kan_ref.network.network import Network, backward, forward
from kan_ref.network.symbolic_edges import SymbolicEdge

# --- formulas of networks and values of expressions: exact coefficients and slopes; names, rounding, LaTeX; what is refused

# where each function has moderate values: range of u
RANGES = {
    **dict.fromkeys(LIBRARY, (-1.5, 1.5)),
    **dict.fromkeys(("arcsin", "arccos", "arctanh"), (-0.9, 0.9)),
    **dict.fromkeys(("sqrt", "1/sqrt", "x^1.5", "log", "1/x", "1/x^2", "1/x^3", "1/x^4", "1/x^5"), (0.5, 2.0)),
    "1/|x|": (-2.0, -0.5),
}


def formulas_with_dead_edges(rng, widths):
    """All active edges formulas, some locked; the rest dead."""
    network = with_formulas(rng, random_network(rng, degrees=(3,), widths=widths), share=0.8)
    return Network(tuple(replace(layer, mask=np.zeros_like(layer.mask)) for layer in network.layers))


@st.composite
def formula_cases(draw, widths=((1, 1), (2, 1, 1), (3, 2), (2, 2, 1, 1))):
    """(network, x, rng); SymPy is slow, so the networks are small."""
    rng = np.random.default_rng(draw(seeds))
    network = formulas_with_dead_edges(rng, draw(st.sampled_from(widths)))
    return network, random_batch(rng, network.layers[0], 5), rng


def evaluated(expressions, x, names=None):
    """Values (batch, n_out) of an expression or a tuple of them."""
    many = expressions if isinstance(expressions, tuple) else (expressions,)
    x = np.asarray(x)
    return numeric_function(many, names or [f"x_{i + 1}" for i in range(x.shape[1])])(x)


def one_edge(function, affine):
    network = formula_network([(0, 0, "sin", affine)], widths=(1, 1))
    return Network((replace(network.layers[0], symbolic=[SymbolicEdge(0, 0, function, 0)]),))


# --- values


@settings(max_examples=5)  # SymPy is slow
@given(formula_cases(((1, 1), (2, 2, 2), (2, 2, 1, 1), (4, 2, 1, 1))))
def test_the_formula_has_the_values_of_the_network(drawn):
    network, x, _ = drawn
    y = network(x)

    found = evaluated(formula(network), x)

    np.testing.assert_allclose(found, y, rtol=1e-12, atol=1e-12 * np.abs(y).max(initial=1.0))


@for_all("name", RANGES)
def test_every_function_of_the_library_is_the_same_in_sympy(name):
    low, high = RANGES[name]
    u = np.linspace(low, high, 40)
    network = one_edge(LIBRARY[name], (2.0, 0.3, -1.7, 0.6))
    x = (u[:, None] - 0.3) / 2.0

    np.testing.assert_allclose(evaluated(formula(network), x), network(x), rtol=1e-13, atol=1e-13)


def test_the_formula_of_an_even_root_is_an_absolute_value():
    network = formula_network(
        [(0, 0, "x^2", (1.0, 0.0, 1.0, 0.0))], [(0, 0, "sqrt", (1.0, 0.0, 1.0, 0.0))], widths=(1, 1, 1)
    )

    assert formula(network) == sympy.Abs(sympy.Symbol("x_1"))


@given(formula_cases(((2, 1, 1), (2, 2), (1, 1, 1))))
def test_slopes_of_the_formula_are_the_networks_gradient(drawn):
    network, x, rng = drawn
    dy = rng.normal(size=(len(x), network.widths[-1]))
    _, caches = forward(network, x)
    dx, _ = backward(network, caches, dy)
    found = formula(network)
    found = found if isinstance(found, tuple) else (found,)
    symbols = sympy.symbols(f"x_1:{x.shape[1] + 1}")

    slopes = np.array([evaluated(tuple(one.diff(symbol) for symbol in symbols), x) for one in found])

    np.testing.assert_allclose(
        np.einsum("bj,jbi->bi", dy, slopes), dx, rtol=1e-10, atol=1e-10 * max(1.0, np.abs(slopes).max())
    )


# --- form


def test_the_hello_world_reads_as_in_the_paper():
    assert str(formula(hello_world(b=-0.25), names=("x", "y"))) == "2.0*exp(y**2 + sin(3.141592653589793*x))"


@given(st.floats(-1e10, 1e10).filter(lambda v: abs(v) > 1e-300))
def test_coefficients_are_exactly_those_of_the_network(value):
    found = formula(formula_network([(0, 0, "x", (1.0, 0.0, 1.0, value))], widths=(1, 1))).as_coeff_Add()[0]

    assert float(found) == float(str(found)) == value


def test_a_decimal_that_would_be_read_as_the_number_beside_it_is_not_used():
    values = np.random.default_rng(0).normal(size=20000)
    twice = [v for v in values.tolist() if float(sympy.Float(repr(v), 17)) != v]

    assert twice
    for value in twice:
        found = formula(formula_network([(0, 0, "x", (1.0, 0.0, 1.0, value))], widths=(1, 1))).as_coeff_Add()[0]
        assert float(found) == value


def test_one_output_gives_an_expression_and_several_a_tuple():
    two = formula_network([(0, 0, "sin", (1.0, 0.0, 1.0, 0.0)), (1, 0, "exp", (1.0, 0.0, 1.0, 0.0))], widths=(1, 2))
    x = sympy.Symbol("x_1")

    assert formula(two) == (sympy.sin(x), sympy.exp(x))
    assert isinstance(formula(hello_world()), sympy.Expr)


def test_symbols_are_plain_and_bear_the_callers_names():
    expression = formula(hello_world(), names=("50%", "lambda"))

    assert expression.free_symbols == {sympy.Symbol("50%"), sympy.Symbol("lambda")}
    assert formula(hello_world()).free_symbols == set(sympy.symbols("x_1 x_2"))


def test_dead_edges_give_nothing():
    network = mask_edges(hello_world(), 0, [[1, 0]])

    assert formula(network).free_symbols == {sympy.Symbol("x_1")}
    assert formula(mask_edges(network, 1, [[0]])) == 0


# --- functions of the user


def test_a_registered_formula_is_called():
    j0 = register_function(
        "J0", *(lambda u, n=n: _bessel(u, n) for n in range(4)), complexity=5, formula=lambda u: sympy.besselj(0, u)
    )
    try:
        network = one_edge(j0, (20.0, 0.1, 2.0, 0.3))
        x = np.linspace(-1.0, 1.0, 11)[:, None]
        found = formula(network)
        values = evaluated(found, x)
    finally:
        unregister_function("J0")

    assert found.has(sympy.besselj)
    np.testing.assert_allclose(values, network(x), rtol=1e-12, atol=1e-13)


def _bessel(u, order):
    from scipy.special import jvp

    return jvp(0, u, order)


def test_a_function_without_formula_appears_by_its_name_and_is_evaluated_by_the_library():
    ramp = register_function(
        "my 2 x", lambda u: 2.0 * u, lambda u: 0 * u + 2.0, lambda u: 0 * u, lambda u: 0 * u, complexity=1
    )
    try:
        network = one_edge(ramp, (3.0, 0.0, 1.0, 0.0))
        values = evaluated(formula(network), [[1.0], [2.0]])
    finally:
        unregister_function("my 2 x")

    assert formula(network) == sympy.Function("my 2 x")(sympy.Float("3.0", 17) * sympy.Symbol("x_1"))
    np.testing.assert_array_equal(values, [[6.0], [12.0]])
    with pytest.raises(
        ValueError, match="expression has the function 'my 2 x', which neither SymPy nor the library has"
    ):
        evaluated(formula(network), [[1.0]])


# --- rounding and LaTeX


def test_rounding_is_the_last_step_and_leaves_the_formula_alone():
    expression = formula(hello_world(b=0.1), names=("x", "y"))
    before = sympy.srepr(expression)

    assert str(shown_formula(expression, 4)) == "2.838*exp(y**2 + sin(3.142*x))"
    assert str(shown_formula(expression, 2)) == "2.8*exp(y**2 + sin(3.1*x))"
    assert shown_formula((expression, expression), 2) == (shown_formula(expression, 2),) * 2
    assert sympy.srepr(expression) == before


@pytest.mark.parametrize("digits", [1, 4, 17])
def test_a_coefficient_is_rounded_to_its_decimals(digits):
    for value in np.random.default_rng(0).uniform(-10.0, 10.0, 100).tolist():
        shown = shown_formula(sympy.Float(repr(value), 17) * sympy.Symbol("x"), digits)
        rounded = float(str(shown.as_coeff_Mul()[0]))

        assert abs(rounded - value) <= 0.5001 * 10.0 ** (np.floor(np.log10(abs(value))) + 1 - digits)


def test_latex_writes_names_as_letters_with_subscripts():
    written = formula_latex(hello_world(b=0.1), names=("mu_r", "x_2"))

    assert written == r"2.838 e^{x_{2}^{2} + \sin{\left(3.142 \mu_{r} \right)}}"
    assert formula_latex(formula(hello_world(b=0.1), names=("mu_r", "x_2"))) == written


def test_latex_of_several_outputs_is_a_tuple():
    two = formula_network([(0, 0, "sin", (1.0, 0.0, 1.0, 0.0)), (1, 0, "x", (1.0, 0.0, 0.123456, 0.0))], widths=(1, 2))

    assert formula_latex(two, digits=2) == (r"\sin{\left(x_{1} \right)}", r"0.12 x_{1}")


@for_all(
    ("name", "written"),
    [
        ("x", "x"),
        ("x12", "x_{12}"),
        ("mu_r", r"\mu_{r}"),
        ("lambda", r"\lambda"),
        ("e", r"\mathrm{e}"),
        ("pi", r"\mathrm{pi}"),
        ("pi_r", r"\pi_{r}"),
        ("speed", r"\mathrm{speed}"),
        ("x__2", r"\mathrm{x\_\_2}"),
        ("xabs", r"\mathrm{xabs}"),
        ("50 %", r"\mathrm{50\ \%}"),
    ],
)
def test_letters_have_subscripts_and_words_are_upright(name, written):
    assert formula_latex(sympy.Symbol(name)) == written


# --- refusals


def test_a_spline_is_refused_by_its_place():
    network = hello_world()
    layer = network.layers[0]
    mixed = Network((replace(layer, mask=[[0.0, 1.0]], symbolic=layer.symbolic[:1]), network.layers[1]))

    with pytest.raises(ValueError, match=r"spline on the edge from input 1 to output 0 of layer 0"):
        formula(mixed)


@for_all("names", ["xy", {"x", "y"}, ("x", 1), ("x", ""), ("x", "x"), ("x",)])
def test_names_that_cannot_tell_the_inputs_apart_are_refused(names):
    with pytest.raises((TypeError, ValueError), match=r"^names"):
        formula(hello_world(), names=names)


@for_all(("inner", "outer"), [("log", "exp"), ("sqrt", "x^2"), ("arcsin", "sin"), ("1/x", "1/x"), ("arctanh", "tanh")])
def test_a_shorter_formula_has_the_networks_values_where_the_network_is_defined(inner, outer):
    """As the docstring says; outside it has values that the network lacks."""
    one = (1.0, 0.0, 1.0, 0.0)
    network = formula_network([(0, 0, inner, one)], [(0, 0, outer, one)], widths=(1, 1, 1))
    x = np.array([[0.1], [0.4], [0.9]])

    assert formula(network) == sympy.Symbol("x_1")
    np.testing.assert_allclose(evaluated(formula(network), x), network(x), rtol=1e-13)
    with pytest.raises(ValueError, match=f"gives {inner} on the edge from input 0 to output 0 of "):
        network([[0.0 if inner == "1/x" else -2.0]])


def test_something_else_than_networks_and_expressions_is_refused():
    with pytest.raises(TypeError, match=r"^network"):
        formula(3)
    with pytest.raises(TypeError, match=r"^expression"):
        shown_formula(["x"])
    with pytest.raises(TypeError, match=r"^expression"):
        formula_latex("x")
    with pytest.raises(ValueError, match=r"^names"):
        formula_latex(sympy.Symbol("x"), names=("x",))


# --- values of expressions

X = sympy.Symbol("x_1")


def test_log_cosh_and_the_inverse_absolute_value_are_one_edge_each_way_of_any_size():
    """SymPy writes log(cosh(x)), and cosh(1000) would overflow."""
    x = np.array([[-1000.0, 0.5], [1e-5, -2.0], [800.0, 1e-3]])
    pair = formula_network(
        [(0, 0, "logcosh", (2.0, 0.3, 1.5, 0.0)), (0, 1, "1/|x|", (1.0, 0.0, -0.5, 0.0))], widths=(2, 1)
    )

    expression = formula(pair)
    again = from_formula(expression)

    assert expression.has(sympy.cosh)
    np.testing.assert_allclose(evaluated(expression, x), pair(x), rtol=1e-14)
    np.testing.assert_allclose(again(x), pair(x), rtol=1e-14)


def test_expressions_are_evaluated_column_by_column():
    x, y = sympy.symbols("x y")

    values = evaluated((x - y, sympy.Integer(3), sympy.sqrt(x)), [[4.0, 1.0], [9.0, 2.0]], names=("x", "y"))

    np.testing.assert_array_equal(values, [[3.0, 3.0, 2.0], [7.0, 3.0, 3.0]])


@pytest.mark.parametrize("expression", [sympy.log(X), sympy.sqrt(X), sympy.I * X])
def test_what_has_no_real_value_is_nan(expression):
    assert np.isnan(evaluated(expression, [[-1.0]])).all()


def test_a_symbol_without_a_column_is_named():
    with pytest.raises(ValueError, match="symbol z"):
        evaluated(sympy.Symbol("z"), [[1.0, 2.0]], names=("x", "y"))


def test_coefficients_are_evaluated_with_all_their_digits():
    values = np.random.default_rng(0).normal(size=50)

    found = evaluated(tuple(sympy.Float(repr(v), 17) * X for v in values.tolist()), [[1.0]])

    np.testing.assert_array_equal(found[0], values)


def test_functions_that_numpy_lacks_are_evaluated_by_scipy():
    """Lambert's W as a real number, too: W(x) e^W(x) = x."""
    np.testing.assert_allclose(evaluated(sympy.erf(X), [[0.5]]), [[0.5204998778130465]], rtol=1e-15)
    w = evaluated(sympy.LambertW(X), [[0.1], [5.0]])
    np.testing.assert_allclose(w * np.exp(w), [[0.1], [5.0]], rtol=1e-13)


def test_constants_may_stay_open():
    x, c = sympy.Symbol("x"), sympy.Dummy()

    evaluate = numeric_function([c * x, x**c], ["x"], [c])

    np.testing.assert_array_equal(evaluate(np.array([[2.0], [3.0]]), 3.0), [[6.0, 8.0], [9.0, 27.0]])
    assert np.isnan(evaluate(np.array([[-2.0]]), 0.5)[0, 1])


@for_all("part", [sympy.elliptic_k(X / 2), sympy.Integral(sympy.sin(X), X), sympy.Function("f")(X), X + sympy.zoo])
def test_a_part_that_cannot_be_evaluated_is_reported(part):
    with pytest.raises(ValueError, match=r"^expression has"):
        evaluated(2.5 * part, [[0.5]])


def test_a_far_gaussian_in_a_function_is_written_shown_and_evaluated():
    """SymPy expanded e^(-(x - 2000.0)^4) of complex x for minutes, or until memory or digits ended."""
    one = (1.0, 0.0, 1.0, 0.0)
    chain = [
        (0, 0, "x^2", (1.0, -2000.0, 1.0, 0.0)),
        (0, 0, "gaussian", one),
        (0, 0, "tanh", (1.0, -1.0, 1.0, 0.5)),
        (0, 0, "abs", one),
    ]
    network = formula_network(*([edge] for edge in chain), widths=(1, 1, 1, 1, 1))
    x = np.array([[0.2], [1.5]])

    found = formula(network)

    np.testing.assert_allclose(evaluated(found, x), network(x), rtol=1e-14)
    assert formula_latex(found) == formula_latex(network)


# --- formulas for readers: constants that are recognised, and names that are data

IN_X, IN_Y = sympy.symbols("x y")
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
    return recognise_constants(number(value) * IN_X, SAMPLES, names=("x", "y"), **options).expression / IN_X


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
    expression = sympy.Add(*(number(value) * IN_X**place for place, value in enumerate(values[:40])))

    assert recognise_constants(expression, SAMPLES, names=("x", "y"), tolerance=1e-12).replaced == ()
    near = [
        candidate
        for value in values.tolist()
        for candidate in near_numbers(value, 0.01)
        if abs(candidate.error) <= 1e-12 * abs(value)
    ]
    assert near == []


def test_the_prices_of_units_and_denominators_add_up():
    phi = [sum(math.gcd(p, q) == 1 for p in range(1, q + 1)) for q in range(1, LARGEST_DENOMINATOR + 1)]

    assert sum(1.0 / price for _, price in UNITS.values()) <= 1.0
    assert sum(n / q**3 for q, n in enumerate(phi, start=1)) == pytest.approx(PHI_SERIES, rel=1e-3)


@for_all("unit", UNITS)
def test_a_unit_is_the_number_that_sympy_reads(unit):
    assert float(sympy.sympify(unit)) == pytest.approx(UNITS[unit][0], rel=1e-15)


def test_candidates_come_from_the_simplest_to_the_nearest():
    near = near_numbers(3.141, 0.01)

    assert [(one.numerator, one.denominator, one.unit) for one in near] == [(1, 1, "pi"), (3141, 1000, "1")]
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
        formula(network.with_theta(network.theta + slips), names=("x", "y")), SAMPLES, names=("x", "y")
    )

    assert found.expression == 2 * sympy.exp(sympy.sin(sympy.pi * IN_X) + IN_Y**2)
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
    terms = [number(value) * sympy.cos(place * IN_X) * IN_Y**place for place, value in enumerate(values)]
    expression = sympy.Add(*terms)

    found = recognise_constants(expression, SAMPLES, names=("x", "y"), tolerance=tolerance)

    assert found.rms <= tolerance
    assert len(found.replaced) == {1e-9: 0, 1e-6: 4, 1e-3: 5, 1e-2: 5}[tolerance]


def test_the_cost_is_the_change_of_the_values_in_units_of_their_spread():
    found = recognise_constants((number(1.001) * IN_X, 7 * IN_Y), SAMPLES, names=("x", "y"), tolerance=0.1)
    change = 1e-3 * SAMPLES[:, 0] / (1.001 * SAMPLES[:, 0].std())

    assert found.expression == (IN_X, 7 * IN_Y)
    assert found.max == pytest.approx(np.abs(change).max(), rel=1e-9)
    assert found.rms == pytest.approx(np.sqrt(np.mean(change**2) / 2.0), rel=1e-9)
    [only] = found.replaced
    assert (only.value, only.exact, only.error) == (1.001, 1, pytest.approx(-1e-3))


def test_errors_that_cancel_are_judged_together():
    """Each by itself changes the values by 5e-4; both together leave them."""
    expression = number(1.0005) * IN_X + number(1.9995) * IN_X * sympy.cos(IN_X / 1000)

    found = recognise_constants(expression, SAMPLES, names=("x", "y"), tolerance=1e-4)

    assert found.expression == IN_X + 2 * IN_X * sympy.cos(IN_X / 1000)


def test_a_constant_that_the_formula_does_not_feel_goes_with_it():
    found = recognise_constants(sympy.sin(IN_X) + number(3e-14), SAMPLES, names=("x", "y"))

    assert found.expression == sympy.sin(IN_X)
    assert found.replaced[0].exact == 0


def test_a_replacement_that_leaves_the_domain_is_not_made():
    expression = sympy.log(IN_X + number(1.0001))
    x = np.array([[-1.00005], [0.0], [1.0]])

    assert recognise_constants(expression, x, names=("x",), tolerance=10.0).expression == expression


def test_a_constant_output_is_measured_by_its_own_size():
    found = recognise_constants(number(5.0005), SAMPLES, names=("x", "y"), tolerance=1e-3)

    assert found.expression == 5
    assert found.rms == pytest.approx(1e-4, rel=1e-3)
    assert recognise_constants(number(1e-30) * IN_X, SAMPLES * 0.0, names=("x", "y")).rms == 0.0


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
        recognise_constants(number(0.5) * IN_X, SAMPLES, **{"names": ("x", "y"), **options})


def test_samples_are_needed_and_must_lie_in_the_domain():
    with pytest.raises(ValueError, match=r"^x has no rows"):
        recognise_constants(number(0.5) * IN_X, np.empty((0, 2)), names=("x", "y"))
    with pytest.raises(ValueError, match=r"expression 0 has no finite value at x\[0\]"):
        recognise_constants(sympy.log(IN_X), [[-1.0]], names=("x",))


def test_names_that_are_the_columns_of_a_table_in_another_order_are_reported():
    table = Frame.of("xy", SAMPLES)

    assert recognise_constants(IN_X - IN_Y, table, names=("x", "y")).expression == IN_X - IN_Y
    with pytest.raises(ValueError, match=r"^names"):
        recognise_constants(IN_X - IN_Y, table, names=("y", "x"))


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


# --- formulas are written as one would write them, and keep their values at the samples

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
FIVE_INPUTS = np.random.default_rng(0).uniform((1, 1, 1, 1, 3), (3, 3, 3, 3, 5), (300, 5))


def read(text: str) -> sympy.Expr:
    one = sympy.sympify(text, locals=dict(zip(NAMES, SYMBOLS, strict=True)))
    return one.xreplace({v: exact_number(float(v)) for v in one.atoms(sympy.Float)})


def values(expression: sympy.Expr) -> np.ndarray:
    return numeric_function([expression], NAMES)(FIVE_INPUTS)[:, 0]


@pytest.mark.parametrize("text", EXACT)
def test_a_formula_is_written_as_one_would_write_it_with_the_same_values(text):
    found = written(read(text), SYMBOLS, FIVE_INPUTS)
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
    x = FIVE_INPUTS * np.where(np.arange(len(FIVE_INPUTS)) % 2, 1.0, -1.0)[:, None] * [1.0, 1.0, 1.0, 1.0, -1.0]
    x[:, 1] = FIVE_INPUTS[:, 1]
    y = numeric_function([read(text)], NAMES)(x)
    found = numeric_function([written(read(text), SYMBOLS, x)], NAMES)(x)
    np.testing.assert_allclose(found, y, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("text", ["1.0731*y**1.98*sin(0.9917*x + 1.5683)", "2.91*x - 0.4732*y/(z + 3.1402)", "0.9982*exp(-0.5021*x**2)"])  # fmt: skip
def test_numbers_of_noisy_data_stay(text):
    assert str(written(read(text), SYMBOLS, FIVE_INPUTS)) == text


@pytest.mark.parametrize(("text", "square"), [("1/2 - cos(2*x)/2", "sin(x)**2"), ("1/2 + cos(2*x)/2", "cos(x)**2")])
def test_half_of_one_minus_a_cosine_is_the_square_of_a_sine(text, square):
    assert written(read(text), SYMBOLS, FIVE_INPUTS) == read(square)


def test_a_formula_that_is_undefined_at_a_sample_stays():
    expression = read("sqrt(x - 2) + sin(y + 1.5707963267948966)")
    assert written(expression, SYMBOLS, FIVE_INPUTS) is expression


def test_numbers_become_exact_within_the_tolerance_only():
    expression = read("sin(y + 1.570796327)")
    assert "1.570796327" in str(written(expression, SYMBOLS, FIVE_INPUTS))
    assert written(expression, SYMBOLS, FIVE_INPUTS, tolerance=1e-9) == read("cos(y)")
