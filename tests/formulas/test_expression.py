"""Formulas of networks and values of expressions: exact coefficients and slopes; names, rounding, LaTeX; what is refused."""

from dataclasses import replace

import numpy as np
import pytest
import sympy
from cases import for_all
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import (
    formula_network,
    hello_world,
    random_batch,
    random_network,
    seeds,
    with_formulas,
)

from kan_ref.formulas import formula, formula_latex, numeric_function, shown_formula
from kan_ref.formulas.construction import from_formula
from kan_ref.functions.library import LIBRARY, register_function, unregister_function
from kan_ref.network.editing import mask_edges
from kan_ref.network.network import Network, backward, forward
from kan_ref.network.symbolic_edges import SymbolicEdge

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
        [evaluated(tuple(one.diff(symbol) for symbol in symbols), x) for one in found]
    )

    np.testing.assert_allclose(
        np.einsum("bj,jbi->bi", dy, slopes),
        dx,
        rtol=1e-10,
        atol=1e-10 * max(1.0, np.abs(slopes).max()),
    )


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
        "my 2 x",
        lambda u: 2.0 * u,
        lambda u: 0 * u + 2.0,
        lambda u: 0 * u,
        lambda u: 0 * u,
        complexity=1,
    )
    try:
        network = one_edge(ramp, (3.0, 0.0, 1.0, 0.0))
        values = evaluated(formula(network), [[1.0], [2.0]])
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

        assert abs(rounded - value) <= 0.5001 * 10.0 ** (
            np.floor(np.log10(abs(value))) + 1 - digits
        )


def test_latex_writes_names_as_letters_with_subscripts():
    written = formula_latex(hello_world(b=0.1), names=("mu_r", "x_2"))

    assert written == r"2.838 e^{x_{2}^{2} + \sin{\left(3.142 \mu_{r} \right)}}"
    assert formula_latex(formula(hello_world(b=0.1), names=("mu_r", "x_2"))) == written


def test_latex_of_several_outputs_is_a_tuple():
    two = formula_network(
        [(0, 0, "sin", (1.0, 0.0, 1.0, 0.0)), (1, 0, "x", (1.0, 0.0, 0.123456, 0.0))], widths=(1, 2)
    )

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
    mixed = Network(
        (replace(layer, mask=[[0.0, 1.0]], symbolic=layer.symbolic[:1]), network.layers[1])
    )

    with pytest.raises(ValueError, match=r"spline on the edge from input 1 to output 0 of layer 0"):
        formula(mixed)


@for_all("names", ["xy", {"x", "y"}, ("x", 1), ("x", ""), ("x", "x"), ("x",)])
def test_names_that_cannot_tell_the_inputs_apart_are_refused(names):
    with pytest.raises((TypeError, ValueError), match=r"^names"):
        formula(hello_world(), names=names)


@for_all(
    ("inner", "outer"),
    [("log", "exp"), ("sqrt", "x^2"), ("arcsin", "sin"), ("1/x", "1/x"), ("arctanh", "tanh")],
)
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
        [(0, 0, "logcosh", (2.0, 0.3, 1.5, 0.0)), (0, 1, "1/|x|", (1.0, 0.0, -0.5, 0.0))],
        widths=(2, 1),
    )

    expression = formula(pair)
    again = from_formula(expression)

    assert expression.has(sympy.cosh)
    np.testing.assert_allclose(evaluated(expression, x), pair(x), rtol=1e-14)
    np.testing.assert_allclose(again(x), pair(x), rtol=1e-14)


def test_expressions_are_evaluated_column_by_column():
    x, y = sympy.symbols("x y")

    values = evaluated(
        (x - y, sympy.Integer(3), sympy.sqrt(x)), [[4.0, 1.0], [9.0, 2.0]], names=("x", "y")
    )

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

    np.testing.assert_array_equal(
        evaluate(np.array([[2.0], [3.0]]), 3.0), [[6.0, 8.0], [9.0, 27.0]]
    )
    assert np.isnan(evaluate(np.array([[-2.0]]), 0.5)[0, 1])


@for_all(
    "part",
    [
        sympy.elliptic_k(X / 2),
        sympy.Integral(sympy.sin(X), X),
        sympy.Function("f")(X),
        X + sympy.zoo,
    ],
)
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
