"""Formulas for readers: constants that are recognised, and names that are data.

Exact constants are found and random ones left alone at the promised rate; the cost is said and kept within the tolerance. No result depends
on what inputs and registered functions are called.
"""

import builtins
import keyword
import math
import re
import string
from contextlib import ExitStack, contextmanager

import numpy as np
import pytest
import sympy
from cases import for_all
from hypothesis import example, given
from hypothesis import strategies as st
from matplotlib.mathtext import MathTextParser
from networks import formula_network, hello_world

from kan_ref.formulas import mathml_texts
from kan_ref.formulas.expression import formula, formula_latex
from kan_ref.formulas.presentation import (
    latex_texts,
    letter_with_subscript,
    upright_name,
)
from kan_ref.formulas.recognition import (
    LARGEST_DENOMINATOR,
    PHI_SERIES,
    UNITS,
    near_numbers,
    recognise_constants,
)
from kan_ref.formulas.values import evaluate_formula, numeric_function
from kan_ref.functions.library import LIBRARY, register_function, unregister_function

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
        (2.0 / math.e, 2 / sympy.E),
        (math.sqrt(2.0) / 2.0, sympy.sqrt(2) / 2),
        (5.0 * math.sqrt(3.0), 5 * sympy.sqrt(3)),
        (3.0 / np.pi**2, 3 / sympy.pi**2),
        (math.log(2.0), sympy.log(2)),
        (2.0 / math.sqrt(math.pi), 2 / sympy.sqrt(sympy.pi)),
        (3.0 * math.sqrt(math.pi), 3 * sympy.sqrt(sympy.pi)),
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


def test_the_promise_is_no_idle_one():
    values = np.random.default_rng(1).uniform(-10.0, 10.0, 1000).tolist()

    assert 60 < sum(bool(near_numbers(value, 0.1)) for value in values) < 130


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


@pytest.mark.parametrize("value", [0.5, 0.0, 3.0])
def test_a_number_is_a_candidate_once(value):
    assert len(near_numbers(value, 0.01)) == 1


@pytest.mark.parametrize("value", [1e13 + 1.0, 6.02214076e23, 1e300])
def test_numbers_too_large_to_show_a_fraction_are_near_nothing(value):
    assert near_numbers(value, 0.01) == []


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


def test_a_small_constant_that_the_formula_feels_stays():
    expression = number(1.2345678e-7) * X

    assert recognise_constants(expression, SAMPLES, names=("x", "y")).expression == expression


def test_a_replacement_that_leaves_the_domain_is_not_made():
    expression = sympy.log(X + number(1.0001))
    x = np.array([[-1.00005], [0.0], [1.0]])

    assert recognise_constants(expression, x, names=("x",), tolerance=10.0).expression == expression


def test_a_constant_output_is_measured_by_its_own_size():
    found = recognise_constants(number(5.0005), SAMPLES, names=("x", "y"), tolerance=1e-3)

    assert found.expression == 5
    assert found.rms == pytest.approx(1e-4, rel=1e-3)
    assert recognise_constants(number(1e-30) * X, SAMPLES * 0.0, names=("x", "y")).rms == 0.0


def test_without_tolerance_or_numbers_nothing_is_replaced():
    expression = sympy.sin(number(3.14159265) * X)

    assert (
        recognise_constants(expression, SAMPLES, names=("x", "y"), tolerance=0.0).expression
        == expression
    )
    assert recognise_constants(sympy.sin(X), SAMPLES, names=("x", "y")).replaced == ()


def test_the_expression_given_stays():
    expression = number(0.5) * X
    before = sympy.srepr(expression)

    recognise_constants(expression, SAMPLES, names=("x", "y"))

    assert sympy.srepr(expression) == before


def test_the_values_of_the_new_expression_are_those_of_the_old():
    expression = sympy.sin(number(np.pi) * X) / (number(2.5) + Y**2)

    found = recognise_constants(expression, SAMPLES, names=("x", "y"))

    old, new = (
        evaluate_formula(one, SAMPLES, names=("x", "y")) for one in (expression, found.expression)
    )
    np.testing.assert_allclose(new, old, rtol=1e-13, atol=1e-15)


# --- refusals


@pytest.mark.parametrize(
    ("options", "error", "sentence"),
    [
        ({"tolerance": -1.0}, ValueError, "tolerance is -1.0, but must be at least 0"),
        ({"chance": 0.0}, ValueError, "chance is 0.0, but must be greater than 0"),
        ({"chance": 2.0}, ValueError, "chance is 2.0, but must be at most 1"),
        ({"names": ("x",)}, ValueError, "names has 1 name, but there are 2"),
        ({"names": None}, ValueError, "expression has the symbol x, but names has 'x_1', 'x_2'"),
    ],
)
def test_options_are_checked(options, error, sentence):
    with pytest.raises(error, match=sentence):
        recognise_constants(number(0.5) * X, SAMPLES, **{"names": ("x", "y"), **options})


def test_samples_are_needed_and_must_lie_in_the_domain():
    with pytest.raises(
        ValueError, match="x has no rows, but the cost of a replacement needs at least one sample"
    ):
        recognise_constants(number(0.5) * X, np.empty((0, 2)), names=("x", "y"))
    with pytest.raises(ValueError, match=r"expression 0 has no finite value at x\[0\]"):
        recognise_constants(sympy.log(X), [[-1.0]], names=("x",))
    with pytest.raises(TypeError, match="expression is 3, but must be a SymPy expression"):
        recognise_constants(3, SAMPLES)


# --- names


GENERATED = ["own_0", "own_1", "Dummy_1", "_Dummy_1", "x0", "x1", "_0", "_lambdifygenerated"]
READ_BY_LATEX = [
    "x_1",
    "x__2",
    "xabs",
    "xprime",
    "hat",
    "alpha",
    "_",
    "__",
    "a_",
    "50%",
    "$",
    "a{b",
]
OTHER = ["E", "I", "S", "N", "O", "Q", "oo", "nan", "numpy", "scipy", "f(x)", "a + b", "1", "0.5"]
CODE = ["__import__('os')._exit(3)", "x:=1", "*x", "lambda: 0", "#", "'", '"', "\\", "ﬁ", "fi"]
HARD = sorted(
    {*GENERATED, *READ_BY_LATEX, *OTHER, *CODE, *keyword.kwlist, *dir(builtins), *dir(sympy)}
    | {*dir(np), *LIBRARY}
)
names = st.one_of(
    st.sampled_from(HARD),
    st.text(min_size=1, max_size=12)
    .map(str.strip)
    .filter(lambda name: name and name.isprintable()),
)
pairs = st.lists(names, min_size=2, max_size=2, unique=True)
own_names = names.filter(lambda name: len(name) <= 30 and name not in LIBRARY)
own_pairs = st.lists(own_names, min_size=2, max_size=2, unique=True)
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


def two_functions(first, second):
    """Return e first(x) + 3 sin(y), and the second function of its double plus 1/2."""
    inner = [(0, 0, first, (1.0, 0.0, np.e, 0.0)), (0, 1, "sin", (1.0, 0.0, 3.0, 0.0))]
    return formula_network(inner, [(0, 0, second, (2.0, 0.5, 1.0, 0.0))], widths=(2, 1, 1))


@given(pairs)
@example(["e", "E"])
@example(["sin", "cos"])
def test_a_formula_has_the_values_of_its_network_whatever_the_inputs_are_called(pair):
    network = hello_world(b=0.1)

    found = evaluate_formula(formula(network, names=pair), INPUTS, names=pair)

    np.testing.assert_allclose(found, network(INPUTS), rtol=1e-13)


@pytest.mark.long
@given(pairs)
@example(["e", "pi"])
@example(["pi", "e"])
@example(["sin", "exp"])
def test_the_same_constants_are_recognised_whatever_the_inputs_are_called(pair):
    plain, given_names = sympy.symbols("x y"), [sympy.Symbol(name) for name in pair]
    network = formula_network(
        [(0, 0, "sin", (np.pi, 0.5, np.e, 0.0)), (0, 1, "exp", (1.0, 0.0, 0.25, 0.5))],
        widths=(2, 1),
    )
    expected = recognise_constants(formula(network, names=("x", "y")), INPUTS, names=("x", "y"))

    found = recognise_constants(formula(network, names=pair), INPUTS, names=pair)

    renamed = expected.expression.xreplace(dict(zip(plain, given_names, strict=True)))
    assert found.expression == renamed
    assert found.replaced == expected.replaced
    assert expected.rms < 1e-14
    assert found.rms < 1e-14


@given(own_pairs, pairs)
@example(["b", "own_0"], ["x", "y"])
@example(["own_1", "own_0"], ["own_0", "x"])
@example(["e", "lambda"], ["e", "lambda"])
@example(["Add", "sinh"], ["Add", "sinh"])
def test_registered_functions_are_evaluated_whatever_they_are_called(own, pair):
    with registered(zip(own, (1.0, -2.0), strict=True)):
        network = two_functions(*own)
        found = evaluate_formula(formula(network, names=pair), INPUTS, names=pair)

    np.testing.assert_allclose(found, network(INPUTS), rtol=1e-12)


def test_the_factorial_of_any_real_number_is_a_value_of_the_gamma_function():
    found = evaluate_formula(sympy.factorial(sympy.Symbol("x")), [[-0.5], [3.0]], names=("x",))

    np.testing.assert_allclose(found, [[np.sqrt(np.pi)], [6.0]], rtol=1e-14)


def test_the_bound_symbol_of_a_sum_is_no_code():
    n, x = sympy.Symbol("__import__('os')._exit(3)"), sympy.Symbol("e")

    found = evaluate_formula(sympy.Sum(n * x, (n, 1, 3)), [[2.0]], names=("e",))

    np.testing.assert_array_equal(found, [[12.0]])


@given(names)
def test_no_name_is_in_the_code_that_is_compiled(name):
    x = sympy.Symbol(name)
    with registered([("a name with spaces", 1.0)]):
        compiled = numeric_function([sympy.Function("a name with spaces")(x) + sympy.E], [name])

    code = next(
        cell.cell_contents for cell in compiled.__closure__ if callable(cell.cell_contents)
    ).__code__
    assert all(
        re.fullmatch(r"symbol_\d+|_?x\d*|own_0|e", used)
        for used in (*code.co_varnames, *code.co_names)
    )


def test_a_function_class_without_definition_is_named():
    class strange(sympy.Function):  # noqa: N801 - SymPy's functions are lower case
        pass

    with pytest.raises(ValueError, match="expression has the function 'strange', which neither"):
        evaluate_formula(strange(sympy.Symbol("x")), [[1.0]], names=("x",))


# --- what has no numeric form


def test_functions_that_scipy_computes_as_complex_numbers_are_real_where_they_are():
    """W(x) e^W(x) = x from -1/e on; below there is no real number."""
    x = np.array([[-0.3], [0.1], [5.0]])

    w = evaluate_formula(1.5 * sympy.LambertW(X), x, names=("x",)) / 1.5
    found = recognise_constants(number(1.5) * sympy.LambertW(X), x, names=("x",))

    np.testing.assert_allclose(w * np.exp(w), x, rtol=1e-13)
    assert found.expression == 3 * sympy.LambertW(X) / 2
    for low in (-0.5, -1.0):
        with pytest.raises(ValueError, match=r"expression 0 has no finite value at x\[1\]"):
            evaluate_formula(sympy.LambertW(X), [[1.0], [low]], names=("x",))
    with pytest.raises(ValueError, match=r"expression 0 has no finite value at x\[0\]"):
        evaluate_formula(X + sympy.I * sympy.Rational(1, 10**9), [[1.0]], names=("x",))


WITHOUT_CODE = {
    "expint": (sympy.expint(1, X) + sympy.exp(X), "function expint, for which SymPy has no code"),
    "elliptic": (sympy.sin(sympy.elliptic_k(X / 2)), "function elliptic_k, for which SymPy"),
    "hyper": (sympy.hyper([1], [2], X), "function hyper, for which SymPy"),
    "for arrays": (sympy.KroneckerDelta(X, 1), "function KroneckerDelta, for which SymPy"),
    "DiracDelta": (sympy.DiracDelta(X) + 1, "DiracDelta, which has no value at its point"),
    "order": (X + sympy.O(X**2), r"an order O of terms.* removeO\(\)"),
    "infinity": (X + sympy.zoo, "part of the kind ComplexInfinity, for which"),
    "derivative": (
        sympy.Derivative(sympy.sin(X), X),
        r"part of the kind Derivative that is not evaluated.* doit\(\)",
    ),
    "integral": (sympy.Integral(sympy.sin(X), X), "part of the kind Integral that is not"),
    "limit": (sympy.Limit(X * Y, Y, 0), "part of the kind Limit that is not"),
}


@for_all(("expression", "message"), WITHOUT_CODE.values(), ids=WITHOUT_CODE)
def test_a_part_without_numeric_form_is_named_by_every_function_that_evaluates(expression, message):
    for call in (evaluate_formula, recognise_constants):
        with pytest.raises(ValueError, match=f"^expression has (a |the )?{message}"):
            call(2.5 * expression, SAMPLES, names=("x", "y"))


def test_an_error_of_a_registered_function_keeps_its_own_words():
    is_broken = []

    def line(u):
        if is_broken:
            raise ValueError("a table ends at 3")
        return u

    register_function("table", line, np.ones_like, np.zeros_like, np.zeros_like, complexity=1)
    is_broken.append(True)
    try:
        with pytest.raises(ValueError, match=r"^a table ends at 3$"):
            evaluate_formula(2 * sympy.Function("table")(X), [[1.0]], names=("x",))
    finally:
        unregister_function("table")


# --- LaTeX


def check_latex(text):
    """Check that braces and brackets are balanced and every special character is escaped."""
    tokens = re.findall(r"\\(?:[A-Za-z]+|.)|.", text)
    depth = 0
    for token in tokens:
        depth += {"{": 1, "}": -1}.get(token, 0)
        assert depth >= 0, text
        assert token not in tuple("%$#&~\\"), text
    assert depth == 0, text
    assert tokens.count(r"\left") == tokens.count(r"\right"), text


@pytest.mark.parametrize("name", ["Integer", "Integral", "Add", "Derivative", "Not"])
def test_a_function_with_the_name_of_a_class_of_sympy_is_written_as_a_function(name):
    with registered([(name, 1.0), ("other", 2.0)]):
        expression = 3 * formula(two_functions(name, "other"), names=["x", "y"]) ** 2
        text, mathml = formula_latex(expression), mathml_texts([expression])[0]

    assert rf"\operatorname{{{name}}}" in text
    check_latex(text)
    assert name in str(expression)
    assert f"<mtext>{name}</mtext>" in mathml
    called = sympy.Function(name)(sympy.Symbol("x"))
    assert formula_latex(3 * called) == rf"3 \operatorname{{{name}}}{{\left(x \right)}}"


@given(own_pairs, pairs)
@example(["100%", "a_{b}"], ["}", "{"])
@example(["x^2_", "\\end"], ["x1", "x_1"])
def test_latex_is_balanced_and_escaped_whatever_the_names_are(own, pair):
    with registered(zip(own, (1.0, -2.0), strict=True)):
        expression = formula(two_functions(*own), names=pair)
        text = formula_latex((expression, expression**2))

    for one in text:
        check_latex(one)


UNKNOWN_TO_MATPLOTLIB = set('"&`')  # which LaTeX sets
settable = names.filter(lambda name: name.isascii() and not set(name) & UNKNOWN_TO_MATPLOTLIB)


@given(st.lists(settable, min_size=4, max_size=4, unique=True))
def test_a_parser_of_latex_accepts_names_of_every_kind(four):
    function, *symbols = four
    a, b, c = map(sympy.Symbol, symbols)
    text = formula_latex(sympy.Function(function)(a + 2 * b) ** 2 + a**c)

    box = MathTextParser("path").parse(f"${text}$")

    assert box.width > 0.0


@for_all("sign", sorted(set(string.printable[:95]) - UNKNOWN_TO_MATPLOTLIB))
def test_a_parser_of_latex_accepts_every_sign_before_a_letter_a_digit_and_itself(sign):
    for name in (f"x{sign}A", f"x{sign}1", f"x{sign}{sign}"):
        assert MathTextParser("path").parse(f"${upright_name(name)}$").width > 0.0, name


@given(pairs)
@example(["x1", "x_1"])
@example(["alpha1", "alpha_1"])
@example(["x__2", "x**2"])
def test_different_names_are_written_differently(pair):
    first, second = (formula_latex(tuple(map(sympy.Symbol, pair)))[place] for place in (0, 1))

    assert first != second


@for_all(("name", "constant"), [("e", sympy.E), ("pi", sympy.pi), ("i", sympy.I)])
def test_an_input_is_told_from_the_constant_of_its_name(name, constant):
    """In LaTeX and in MathML, alone and as the base of a power."""
    symbol, x = sympy.Symbol(name), sympy.Symbol("x")

    for texts in (latex_texts, mathml_texts):
        for first, second in ((symbol, constant), (symbol**x, constant**x)):
            assert texts([first]) != texts([second])


@for_all(
    ("name", "written"),
    [
        ("x", "x"),
        ("x12", "x_{12}"),
        ("mu_r", r"\mu_{r}"),
        ("lambda", r"\lambda"),
        ("e", r"\mathrm{e}"),
        ("i", r"\mathrm{i}"),
        ("pi", r"\mathrm{pi}"),
        ("e_1", "e_{1}"),
        ("pi_r", r"\pi_{r}"),
        ("speed", r"\mathrm{speed}"),
        ("x__2", r"\mathrm{x\_\_2}"),
        ("xabs", r"\mathrm{xabs}"),
        ("_", r"\mathrm{\_}"),
    ],
)
def test_letters_have_subscripts_and_words_are_upright(name, written):
    assert letter_with_subscript(name) == written
