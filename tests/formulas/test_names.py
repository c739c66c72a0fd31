"""Names are data: no result depends on what inputs and registered functions are called."""

import builtins
import keyword
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
from kan_ref.formulas.presentation import letter_with_subscript, upright_name
from kan_ref.formulas.recognition import recognise_constants
from kan_ref.formulas.values import evaluate_formula, numeric_function
from kan_ref.functions.library import LIBRARY, register_function, unregister_function

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
X = np.random.default_rng(0).uniform(-1.0, 1.0, (7, 2))


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

    found = evaluate_formula(formula(network, names=pair), X, names=pair)

    np.testing.assert_allclose(found, network(X), rtol=1e-13)


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
    expected = recognise_constants(formula(network, names=("x", "y")), X, names=("x", "y"))

    found = recognise_constants(formula(network, names=pair), X, names=pair)

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
        found = evaluate_formula(formula(network, names=pair), X, names=pair)

    np.testing.assert_allclose(found, network(X), rtol=1e-12)


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
        re.fullmatch(r"_Dummy_\d+|_?x\d*|own_0|e", used)
        for used in (*code.co_varnames, *code.co_names)
    )


def test_a_function_class_without_definition_is_named():
    class strange(sympy.Function):  # noqa: N801 - SymPy's functions are lower case
        pass

    with pytest.raises(ValueError, match="expression has the function 'strange', which neither"):
        evaluate_formula(strange(sympy.Symbol("x")), [[1.0]], names=("x",))


def test_an_input_is_not_mixed_with_a_symbol_of_a_registered_formula():
    register_function(
        "scaled",
        lambda u: u,
        np.ones_like,
        np.zeros_like,
        np.zeros_like,
        complexity=1,
        formula=lambda u: sympy.Symbol("g") * u,
    )
    try:
        network = formula_network([(0, 0, "scaled", (1.0, 0.0, 1.0, 0.0))], widths=(1, 1))
        assert formula(network, names=("x",)) == sympy.Symbol("g") * sympy.Symbol("x")
        with pytest.raises(
            ValueError, match="names has 'g', but the formula of a registered function contains"
        ):
            formula(network, names=("g",))
    finally:
        unregister_function("scaled")


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


@for_all(
    ("name", "written"),
    [
        ("x", "x"),
        ("x12", "x_{12}"),
        ("mu_r", r"\mu_{r}"),
        ("lambda", r"\lambda"),
        ("speed", r"\mathrm{speed}"),
        ("x__2", r"\mathrm{x\_\_2}"),
        ("xabs", r"\mathrm{xabs}"),
        ("_", r"\mathrm{\_}"),
    ],
)
def test_letters_have_subscripts_and_words_are_upright(name, written):
    assert letter_with_subscript(name) == written
