"""Formulas of networks and values of expressions: exact coefficients and slopes; names, rounding, LaTeX; what is refused."""

import subprocess
import sys
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
import sympy
from cases import for_all
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import (
    Frame,
    formula_network,
    hello_world,
    random_batch,
    random_network,
    seeds,
    two_sines,
    with_formulas,
)

from kan_ref.formulas.construction import from_formula
from kan_ref.formulas.expression import formula, formula_latex, round_formula
from kan_ref.formulas.recognition import recognise_constants
from kan_ref.formulas.values import evaluate_formula, numeric_function
from kan_ref.functions.library import (
    LIBRARY,
    register_function,
    unregister_function,
)
from kan_ref.functions.record import Function
from kan_ref.network.editing import mask_edges
from kan_ref.network.network import Network, backward, forward
from kan_ref.network.symbolic_edges import SymbolicEdge
from kan_ref.symbolic.canonical import canonical_form

# where each function has moderate values: range of u
RANGES = {
    **dict.fromkeys(LIBRARY, (-1.5, 1.5)),
    **dict.fromkeys(("arcsin", "arccos", "arctanh"), (-0.9, 0.9)),
    **dict.fromkeys(
        ("sqrt", "1/sqrt", "x^1.5", "log", "1/x", "1/x^2", "1/x^3", "1/x^4", "1/x^5"), (0.5, 2.0)
    ),
    "1/|x|": (-2.0, -0.5),
}


def formulas_with_dead_edges(rng, widths):
    """All active edges formulas, some locked; the rest dead."""
    network = with_formulas(rng, random_network(rng, degrees=(3,), widths=widths), share=0.8)
    return Network(
        tuple(replace(layer, mask=np.zeros_like(layer.mask)) for layer in network.layers)
    )


@st.composite
def formula_cases(draw, widths=((1, 1), (2, 1, 1), (3, 2), (2, 2, 1, 1))):
    """(network, x, rng); SymPy is slow, so the networks are small."""
    rng = np.random.default_rng(draw(seeds))
    network = formulas_with_dead_edges(rng, draw(st.sampled_from(widths)))
    return network, random_batch(rng, network.layers[0], 5), rng


def one_edge(function, affine):
    network = formula_network([(0, 0, "sin", affine)], widths=(1, 1))
    return Network((replace(network.layers[0], symbolic=[SymbolicEdge(0, 0, function, 0)]),))


# --- values


@settings(max_examples=5)  # SymPy is slow
@given(formula_cases(((1, 1), (2, 2, 2), (2, 2, 1, 1), (4, 2, 1, 1))))
def test_the_formula_has_the_values_of_the_network(drawn):
    network, x, _ = drawn
    y = network(x)

    found = evaluate_formula(formula(network), x)

    np.testing.assert_allclose(found, y, rtol=1e-12, atol=1e-12 * np.abs(y).max(initial=1.0))


@given(formula_cases())
def test_the_formula_in_30_digits_has_the_values_of_the_network(drawn):
    network, x, _ = drawn
    y = network(x[:1])[0]
    expressions = formula(network)
    symbols = sympy.symbols(f"x_1:{x.shape[1] + 1}")

    for expression, expected in zip(
        expressions if isinstance(expressions, tuple) else (expressions,), y, strict=True
    ):
        value = expression.evalf(
            30, subs=dict(zip(symbols, map(sympy.Rational, map(float, x[0])), strict=True))
        )
        np.testing.assert_allclose(
            float(value), expected, rtol=1e-12, atol=1e-12 * max(1.0, np.abs(y).max())
        )


@for_all("name", RANGES)
def test_every_function_of_the_library_is_the_same_in_sympy(name):
    low, high = RANGES[name]
    u = np.linspace(low, high, 40)
    network = one_edge(LIBRARY[name], (2.0, 0.3, -1.7, 0.6))
    x = (u[:, None] - 0.3) / 2.0

    np.testing.assert_allclose(
        evaluate_formula(formula(network), x), network(x), rtol=1e-13, atol=1e-13
    )


@for_all("name", ["x", "x^2", "x^3", "exp", "abs", "sin", "cosh", "arctan"])
@for_all("outer", ["abs", "sgn", "sqrt", "log", "sin", "tanh", "arctan", "1/x"])
def test_what_sympy_evaluates_on_its_own_holds_for_real_numbers(outer, name):
    inner = (
        (1.0, 0.0, 1.0, 0.0)
        if outer in ("sin", "tanh", "arctan", "abs", "sgn")
        else (1.0, 0.0, 0.5, 4.0)
    )
    network = formula_network(
        [(0, 0, name, inner)], [(0, 0, outer, (1.0, 0.0, 1.0, 0.0))], widths=(1, 1, 1)
    )
    x = np.array([[-0.8], [-0.3], [0.45], [0.7]])

    np.testing.assert_allclose(
        evaluate_formula(formula(network), x), network(x), rtol=1e-13, atol=1e-15
    )


def test_the_formula_of_an_even_root_is_an_absolute_value():
    network = formula_network(
        [(0, 0, "x^2", (1.0, 0.0, 1.0, 0.0))],
        [(0, 0, "sqrt", (1.0, 0.0, 1.0, 0.0))],
        widths=(1, 1, 1),
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

    slopes = np.array(
        [evaluate_formula(tuple(one.diff(symbol) for symbol in symbols), x) for one in found]
    )

    np.testing.assert_allclose(
        np.einsum("bj,jbi->bi", dy, slopes),
        dx,
        rtol=1e-10,
        atol=1e-10 * max(1.0, np.abs(slopes).max()),
    )


@given(formula_cases())
def test_a_canonical_network_has_a_formula_of_the_same_values(drawn):
    network, x, _ = drawn
    y = network(x)

    found = evaluate_formula(formula(canonical_form(network)), x)

    np.testing.assert_allclose(found, y, rtol=1e-12, atol=1e-12 * np.abs(y).max(initial=1.0))


@pytest.mark.parametrize("name", ["exp", "sigmoid"])
def test_a_long_shift_in_an_exponent_does_not_leave_float64(name):
    network = one_edge(LIBRARY[name], (10.0, -1000.0, 3.0, 0.0))
    x = np.linspace(93.0, 104.0, 5)[:, None]

    np.testing.assert_allclose(evaluate_formula(formula(network), x), network(x), rtol=1e-12)


# --- form


def test_the_hello_world_reads_as_in_the_paper():
    assert (
        str(formula(hello_world(b=-0.25), names=("x", "y")))
        == "2.0*exp(y**2 + sin(3.141592653589793*x))"
    )


@given(st.floats(-1e10, 1e10).filter(lambda v: abs(v) > 1e-300))
def test_coefficients_are_exactly_those_of_the_network(value):
    found = formula(
        formula_network([(0, 0, "x", (1.0, 0.0, 1.0, value))], widths=(1, 1))
    ).as_coeff_Add()[0]

    assert float(found) == float(str(found)) == value


def test_a_decimal_that_would_be_read_as_the_number_beside_it_is_not_used():
    values = np.random.default_rng(0).normal(size=20000)
    twice = [v for v in values.tolist() if float(sympy.Float(repr(v), 17)) != v]

    assert twice
    for value in twice:
        found = formula(
            formula_network([(0, 0, "x", (1.0, 0.0, 1.0, value))], widths=(1, 1))
        ).as_coeff_Add()[0]
        assert float(found) == value


def test_one_output_gives_an_expression_and_several_a_tuple():
    two = formula_network(
        [(0, 0, "sin", (1.0, 0.0, 1.0, 0.0)), (1, 0, "exp", (1.0, 0.0, 1.0, 0.0))], widths=(1, 2)
    )
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


def test_an_edge_without_outer_scale_is_its_constant():
    assert formula(
        formula_network([(0, 0, "log", (1.0, -5.0, 0.0, 0.5))], widths=(1, 1))
    ) == sympy.Float("0.5", 17)


def test_locked_edges_have_the_same_coefficients():
    x = sympy.symbols("x_1:5")
    inner = formula(Network(two_sines().layers[:1]))

    assert inner[0].subs(dict(zip(x[:2], x[2:], strict=True))) == inner[1]
    assert float(inner[0].subs({x[0]: 0.3, x[1]: -0.7})) == pytest.approx(0.625, rel=1e-15)


# --- functions of the user


def test_a_registered_formula_is_called():
    j0 = register_function(
        "J0",
        *(lambda u, n=n: _bessel(u, n) for n in range(4)),
        complexity=5,
        formula=lambda u: sympy.besselj(0, u),
    )
    try:
        network = one_edge(j0, (20.0, 0.1, 2.0, 0.3))
        x = np.linspace(-1.0, 1.0, 11)[:, None]
        found = formula(network)
        values = evaluate_formula(found, x)
    finally:
        unregister_function("J0")

    assert found.has(sympy.besselj)
    np.testing.assert_allclose(values, network(x), rtol=1e-12, atol=1e-13)


def _bessel(u, order):
    from scipy.special import jvp

    return jvp(0, u, order)


def test_a_function_without_formula_whose_name_stands_for_another_one_has_no_formula():
    """Values of the formula were those of the other function."""

    def register(scale, **options):
        return register_function(
            "mine",
            lambda u: scale * u**2,
            lambda u: 2.0 * scale * u,
            lambda u: np.full_like(u, 2.0 * scale),
            np.zeros_like,
            complexity=2,
            **options,
        )

    rows = (3.0, 0.0, 1.0, 0.0)
    network = one_edge(register(1.0), rows)
    own = one_edge(replace(network.layers[0].symbolic[0].function, formula=lambda u: u**2), rows)
    try:
        unregister_function("mine")
        assert str(formula(network)) == "mine(3.0*x_1)"  # which nothing evaluates
        register(2.0)
        sine = one_edge(replace(LIBRARY["cos"], name="sin"), rows)
        for wrong, name in ((network, "mine"), (sine, "sin")):
            place = f"network has '{name}' on the edge from input 0 to output 0 of layer 0"
            with pytest.raises(ValueError, match=f"^{place}, but the library has another function"):
                formula(wrong)
        assert str(formula(own)) == "9.0*x_1**2"  # no name is left in it
    finally:
        unregister_function("mine")


def test_a_function_without_formula_appears_by_its_name_and_is_evaluated_by_the_library():
    ramp = register_function(
        "my 2 x",
        lambda u: 2.0 * u,
        lambda u: 0 * u + 2.0,
        lambda u: 0 * u,
        lambda u: 0 * u,
        complexity=1,
    )
    try:
        network = one_edge(ramp, (3.0, 0.0, 1.0, 0.0))
        values = evaluate_formula(formula(network), [[1.0], [2.0]])
    finally:
        unregister_function("my 2 x")

    assert formula(network) == sympy.Function("my 2 x")(
        sympy.Float("3.0", 17) * sympy.Symbol("x_1")
    )
    np.testing.assert_array_equal(values, [[6.0], [12.0]])
    with pytest.raises(
        ValueError,
        match="expression has the function 'my 2 x', which neither SymPy nor the library has",
    ):
        evaluate_formula(formula(network), [[1.0]])


def test_a_formula_that_is_no_expression_is_refused():
    bad = Function("bad", *(LIBRARY["sin"].f,) * 4, formula=lambda u: "sin(u)")

    with pytest.raises(ValueError, match=r"formula of 'bad' is .* but must be a SymPy expression"):
        formula(one_edge(bad, (2.0, 0.0, 1.0, 0.0)))


def test_a_formula_has_no_symbol_that_an_input_could_share():
    """The symbol g of a formula was an input called g."""
    own = Function("own", *(LIBRARY["sin"].f,) * 4, formula=lambda u: sympy.Symbol("g") * u)

    with pytest.raises(
        ValueError, match=r"formula of 'own' is .*g.*, but must be a SymPy expression"
    ):
        formula(one_edge(own, (2.0, 0.0, 1.0, 0.0)), names=("g",))


# --- rounding and LaTeX


def test_rounding_is_the_last_step_and_leaves_the_formula_alone():
    expression = formula(hello_world(b=0.1), names=("x", "y"))
    before = sympy.srepr(expression)

    assert str(round_formula(expression)) == "2.838*exp(y**2 + sin(3.142*x))"
    assert str(round_formula(expression, 2)) == "2.8*exp(y**2 + sin(3.1*x))"
    assert round_formula((expression, expression), 2) == (round_formula(expression, 2),) * 2
    assert sympy.srepr(expression) == before


@pytest.mark.parametrize("digits", [1, 4, 17])
def test_a_coefficient_is_rounded_once_to_its_decimals(digits):
    values = np.random.default_rng(0).uniform(-10.0, 10.0, 100).round(3)
    # just below the middle: rounded twice, they would go up
    for value in [
        *values.tolist(),
        *(values + np.copysign(4.99e-4, values)).tolist(),
        1.49e-300,
        2.49e300,
    ]:
        rounded = round_formula(
            sympy.Float(repr(value), 17) * sympy.Symbol("x"), digits
        ).as_coeff_Mul()[0]
        unit = Decimal(10) ** (Decimal(value).adjusted() + 1 - digits)

        assert abs(Decimal(str(rounded)) - Decimal(repr(value))) <= unit / 2


def test_latex_writes_names_as_letters_with_subscripts():
    written = formula_latex(hello_world(b=0.1), names=("mu_r", "x_2"))

    assert written == r"2.838 e^{x_{2}^{2} + \sin{\left(3.142 \mu_{r} \right)}}"
    assert formula_latex(formula(hello_world(b=0.1), names=("mu_r", "x_2"))) == written


def test_latex_writes_a_name_that_is_no_word_as_it_is():
    network = formula_network(
        [(0, 0, "sin", (1.0, 0.0, 1.0, 0.0)), (0, 1, "x", (1.0, 0.0, 1.0, 0.0))], widths=(2, 1)
    )

    assert (
        formula_latex(network, names=("50 %", "a^b\\"))
        == r"\mathrm{a\hat{}b\backslash } + \sin{\left(\mathrm{50\ \%} \right)}"
    )


def test_latex_of_several_outputs_is_a_tuple():
    two = formula_network(
        [(0, 0, "sin", (1.0, 0.0, 1.0, 0.0)), (1, 0, "x", (1.0, 0.0, 0.123456, 0.0))], widths=(1, 2)
    )

    assert formula_latex(two, digits=2) == (r"\sin{\left(x_{1} \right)}", r"0.12 x_{1}")


# --- refusals


def test_a_spline_is_refused_by_its_place():
    network = hello_world()
    layer = network.layers[0]
    mixed = Network(
        (replace(layer, mask=[[0.0, 1.0]], symbolic=layer.symbolic[:1]), network.layers[1])
    )

    with pytest.raises(
        ValueError,
        match=r"the edge from input 1 to output 0 of layer 0 is a spline, but .* fix_symbolic .* auto_symbolic",
    ):
        formula(mixed)


@for_all(
    ("names", "error", "sentence"),
    [
        ("xy", TypeError, "names is 'xy', but must be a sequence of names"),
        (7, TypeError, "names is 7, but must be a sequence of names"),
        ({"x", "y"}, TypeError, "but must be a sequence of names"),
        (("x", 1), TypeError, r"names\[1\] is 1, but must be text"),
        (("x", ""), ValueError, r"names\[1\] is '', but must be printable text"),
        (
            ("x ", "y"),
            ValueError,
            r"names\[0\] is 'x ', but must be printable text without spaces at its ends",
        ),
        (("x", "y\n\x00z"), ValueError, r"names\[1\] is .* but must be printable text"),
        (("x", "x"), ValueError, "names has 'x' twice"),
        (("x",), ValueError, "names has 1 name, but there are 2"),
        (("x", "y", "z"), ValueError, "names has 3 names, but there are 2"),
    ],
)
def test_names_that_cannot_tell_the_inputs_apart_are_refused(names, error, sentence):
    with pytest.raises(error, match=sentence):
        formula(hello_world(), names=names)


@pytest.mark.parametrize(
    ("name", "b"), [("1/x", 0.0), ("log", -1.0), ("sqrt", -2.0), ("arcsin", 3.0), ("log", 0.0)]
)
def test_a_formula_without_any_value_is_refused(name, b):
    network = formula_network(
        [(0, 0, "x", (1.0, 0.0, 1.0, 0.0))], [(0, 0, name, (0.0, b, 1.0, 0.0))], widths=(1, 1, 1)
    )

    message = rf"^{name} on the edge from input 0 to output 0 of layer 1 has no finite real value a"
    with pytest.raises(ValueError, match=message):
        formula(network)


ONE = (1.0, 0.0, 1.0, 0.0)


@for_all(
    ("inner", "outer"), [("log", "x^2"), ("sqrt", "x^4"), ("arcsin", "abs"), ("1/x", "arctan")]
)
def test_a_formula_is_rejected_where_a_later_function_makes_an_undefined_edge_real(inner, outer):
    """The square of log(-1) is -pi^2, and arctan(1/0) is a number, too."""
    b = {"1/x": 0.0, "arcsin": 3.0}.get(inner, -1.0)
    undefined = formula_network(
        [(0, 0, inner, (0.0, b, 1.0, 0.0))], [(0, 0, outer, ONE)], widths=(1, 1, 1)
    )
    twice = formula_network(
        [(0, 0, inner, (0.0, b, 1.0, 0.0)), (0, 1, inner, (0.0, b, -1.0, 0.0))], widths=(2, 1)
    )

    for network in (undefined, twice):
        with pytest.raises(ValueError, match=r"of layer 0 has no finite real value at any x$"):
            formula(network)
        with pytest.raises(ValueError, match="where it has no finite value"):
            network(np.full((1, network.widths[0]), 0.5))


@for_all(
    ("inner", "outer"),
    [("log", "exp"), ("sqrt", "x^2"), ("arcsin", "sin"), ("1/x", "1/x"), ("arctanh", "tanh")],
)
def test_a_shorter_formula_has_the_networks_values_where_the_network_is_defined(inner, outer):
    """As the docstring says; outside it has values that the network lacks."""
    network = formula_network([(0, 0, inner, ONE)], [(0, 0, outer, ONE)], widths=(1, 1, 1))
    x = np.array([[0.1], [0.4], [0.9]])

    assert formula(network) == sympy.Symbol("x_1")
    np.testing.assert_allclose(evaluate_formula(formula(network), x), network(x), rtol=1e-13)
    with pytest.raises(ValueError, match=f"gives {inner} on the edge from input 0 to output 0 of "):
        network([[0.0 if inner == "1/x" else -2.0]])


def test_something_else_than_networks_and_expressions_is_refused():
    with pytest.raises(TypeError, match="network is 3, but must be a Network"):
        formula(3)
    with pytest.raises(
        TypeError, match=r"expression is \['x'\], but must be a SymPy expression or a tuple of them"
    ):
        round_formula(["x"])
    with pytest.raises(TypeError, match="expression is 'x', but must be a SymPy expression"):
        formula_latex("x")
    with pytest.raises(
        ValueError, match=r"names is \('x',\), but an expression has names of its own"
    ):
        formula_latex(sympy.Symbol("x"), names=("x",))
    with pytest.raises(ValueError, match="digits is 0, but must be between 1 and 17"):
        round_formula(sympy.Symbol("x"), 0)


def test_sympy_is_loaded_by_a_formula_alone():
    script = "import sys, kan_ref.formulas.expression, kan_ref.formulas.values, kan_ref.formulas.recognition; assert 'sympy' not in sys.modules"

    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_log_cosh_and_the_inverse_absolute_value_are_one_edge_each_way_of_any_size():
    """SymPy writes log(cosh(x)), and cosh(1000) would overflow."""
    x = np.array([[-1000.0, 0.5], [1e-5, -2.0], [800.0, 1e-3]])
    pair = formula_network(
        [(0, 0, "logcosh", (2.0, 0.3, 1.5, 0.0)), (0, 1, "1/|x|", (1.0, 0.0, -0.5, 0.0))],
        widths=(2, 1),
    )

    expression = formula(pair)
    again = from_formula(expression)

    assert expression.has(sympy.cosh)
    assert expression.has(sympy.Abs)
    np.testing.assert_allclose(evaluate_formula(expression, x), pair(x), rtol=1e-14)
    np.testing.assert_allclose(again(x), pair(x), rtol=1e-14)
    assert {edge.name for layer in again.layers for edge in layer.symbolic} == {"logcosh", "1/|x|"}


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
            "x contains nan at row 0, column 0, but needs finite numbers",
        ),
    ],
)
def test_samples_are_checked(x, sentence):
    with pytest.raises(ValueError, match=sentence):
        evaluate_formula(X, x)


@pytest.mark.parametrize("call", [evaluate_formula, recognise_constants])
def test_names_that_are_the_columns_of_a_table_in_another_order_are_reported(call):
    a, b = sympy.symbols("a b")
    table = Frame.of("ab", [[1.0, 2.0], [3.0, 5.0]])

    assert call(a - b, table, names=("a", "b")) is not None
    with pytest.raises(ValueError, match=r"^names is \('b', 'a'\), but the columns are"):
        call(a - b, table, names=("b", "a"))


CHAINS = {
    "gaussian of a far square": [
        ("x^2", (1.0, -2000.0, 1.0, 0.0)),
        ("gaussian", (1.0, 0.0, 1.0, 0.0)),
        ("logcosh", (1.0, -1.0, 1.0, 0.0)),
    ],
    "power 5": [
        ("x^5", (2.0, 150.0, 1.0, 0.0)),
        ("gaussian", (1.0, 0.0, 1.0, 0.0)),
        ("logcosh", (1.0, -1.0, 1.0, 0.0)),
    ],
    "fractional power": [
        ("x^2", (1.0, -2000.0, 1.0, 0.0)),
        ("gaussian", (1.0, 0.0, 1.0, 0.0)),
        ("cosh", (1.0, -1.0, 1.0, 0.5)),
        ("x^1.5", (1.0, 0.0, 1.0, 0.0)),
    ],
    "modulus": [
        ("x^2", (1.0, -2000.0, 1.0, 0.0)),
        ("gaussian", (1.0, 0.0, 1.0, 0.0)),
        ("tanh", (1.0, -1.0, 1.0, 0.5)),
        ("abs", (1.0, 0.0, 1.0, 0.0)),
    ],
}


@for_all("name", CHAINS)
def test_functions_of_far_gaussians_are_written_shown_and_evaluated(name):
    """SymPy expanded e^(-(x - 2000.0)^4) of complex x for minutes, or until memory or digits ended."""
    chain = CHAINS[name]
    network = formula_network(*([(0, 0, *edge)] for edge in chain), widths=(1,) * (len(chain) + 1))
    x = np.array([[0.2], [1.5]])

    found = formula(network)

    np.testing.assert_allclose(evaluate_formula(found, x), network(x), rtol=1e-14)
    assert formula_latex(found) == formula_latex(network)
    assert all(symbol == sympy.Symbol("x_1") for symbol in found.free_symbols)


def test_a_formula_is_equal_to_the_expression_as_sympy_writes_it():
    """Only the symbols are replaced: the order of summands, factors and signs stays that of SymPy."""
    x, y = sympy.symbols("b a")
    expression = sympy.sin(2 * y - x) * sympy.exp(x * y) + sympy.cos(x - y) ** 2 / (1 + x**2)
    network = from_formula(expression, ("b", "a"))

    found = formula(network, names=("b", "a"))

    real = {one: sympy.Symbol(one.name, real=True) for one in (x, y)}
    back = {symbol: one for one, symbol in real.items()}
    assert found == found.xreplace(real).xreplace(back)  # which evaluates
