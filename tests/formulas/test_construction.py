"""from_formula: networks that compute a given expression, their shapes, and what cannot be a network."""

import numpy as np
import pytest
import sympy
from c_code import build, call, close, needs_compiler
from cases import for_all
from hypothesis import assume, given
from hypothesis import strategies as st

import kan_ref as kr
from figures.tables.problem import FEYNMAN
from kan_ref.formulas import construction, numeric_function

X, Y, Z = SYMBOLS = sympy.symbols("x y z")
NAMES = ("x", "y", "z")
POINTS = np.random.default_rng(0).uniform(0.2, 1.7, (200, 3))


def values_of(expressions, points, names=NAMES):
    return numeric_function(expressions, names)(points)


def assert_same(network, expression, points=POINTS, names=NAMES, rtol=1e-11):
    expected = values_of([expression], points, names)
    size = np.abs(expected).max()
    np.testing.assert_allclose(network(points), expected, rtol=0.0, atol=rtol * max(size, 1e-300))


# --- what it computes


@for_all("problem", FEYNMAN, ids=[problem.name for problem in FEYNMAN])
def test_every_formula_of_table_2_becomes_a_network_of_symbolic_edges(problem):
    symbols = {name: sympy.Symbol(name) for name in problem.names}
    expression = sympy.sympify(problem.plain, locals=symbols)

    network = kr.from_formula(expression, problem.names, domain=problem.box)

    low, high = np.array(problem.box).T
    x = np.random.default_rng(1).uniform(low, high, (1000, len(problem.names)))
    expected = problem.f(x)
    assert not any(layer.mask.any() for layer in network.layers)
    assert np.abs(network(x)[:, 0] - expected).max() < 1e-11 * np.abs(expected).max()


UNARY = (
    sympy.exp, sympy.sin, sympy.cos, sympy.tanh, sympy.atan, sympy.Abs, sympy.sinh,
    lambda u: u**2, lambda u: u**3, lambda u: 1 / (2 + u**2), lambda u: sympy.sqrt(1 + u**2),
    lambda u: sympy.log(3 + sympy.cos(u)), lambda u: sympy.exp(-(u**2)), lambda u: 1 / (1 + sympy.exp(u)),
)  # fmt: skip
leaves = st.one_of(
    st.sampled_from(SYMBOLS),
    st.integers(-3, 3).map(sympy.Integer),
    st.floats(-2, 2).map(lambda value: sympy.Float(round(value, 3))),
)
expressions = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda pair: pair[0] + pair[1]),
        st.tuples(inner, inner).map(lambda pair: pair[0] * pair[1]),
        st.tuples(inner, st.sampled_from(UNARY)).map(lambda pair: pair[1](pair[0])),
    ),
    max_leaves=6,
)


@given(expression=expressions)
def test_random_expressions_become_networks_that_agree_with_them(expression):
    expected = values_of([expression], POINTS)
    assume(np.isfinite(expected).all() and np.abs(expected).max() < 1e6)
    try:
        network = kr.from_formula(expression, NAMES, domain=(0.2, 1.7))
    except ValueError as error:  # cancellation and overflow are reported, not hidden
        assert "its network differ by" in str(error)  # noqa: PT017
        return
    assert_same(network, expression, rtol=1e-8)


@pytest.mark.parametrize(
    "expression",
    [X * Y, X * Y * Z, (X + Y) * (X - 2 * Z) + 3, X**2 + X + Y, X**7 - X * Y**2, (X + Y) ** 3 * Z],
)
def test_the_formula_of_a_polynomials_network_is_the_polynomial(expression):
    found = kr.formula(kr.from_formula(expression, NAMES), names=NAMES)

    assert sympy.nsimplify(sympy.expand(found - expression), rational=True) == 0


@for_all(
    "expression",
    [
        X / Y, X**Y, 2**X, X ** sympy.Rational(5, 2), X ** sympy.Rational(-3, 4), sympy.cbrt(X), X**-7,
        X**0.3, sympy.sqrt(X**2), sympy.sec(X) + sympy.csc(X) * sympy.cot(X), sympy.asinh(X - 1),
        sympy.acosh(X + 1), sympy.coth(X), sympy.csch(X), sympy.sech(X * Y), sympy.sinc(X),
        sympy.Max(X, Y, Z), sympy.Min(X, 1 - Y), sympy.log(X, 2), sympy.asin(X / 2) * sympy.acos(X / 2),
        sympy.atanh(X / 2) * sympy.sign(X - 1), sympy.exp(-((X - Y) ** 2) / 2), 1 / (1 + sympy.exp(-X * Y)),
        sympy.sqrt(X) * sympy.sqrt(Y), X * sympy.sin(X) * sympy.cos(X), X + sympy.sin(X) + sympy.cos(X),
        X + Y + (X + Y) ** 2 + sympy.sin(X + Y), X + (X + 1)**2 + (X + 2)**2 + sympy.exp(X * Y), sympy.sin(X) + sympy.sin(sympy.sin(X)) + X * Y, X - X + 2,
    ],
    ids=str,
)  # fmt: skip
def test_functions_that_the_library_lacks_are_made_of_those_it_has(expression):
    assert_same(kr.from_formula(expression, NAMES, domain=(0.2, 1.7)), expression)


def test_several_expressions_are_outputs_that_share_what_they_have_in_common():
    outputs = (X * Y, sympy.exp(X * Y), 3 * X * Y + Z, sympy.Integer(4), Z)

    network = kr.from_formula(outputs, NAMES, domain=(0.2, 1.7))

    assert network.widths[0] == 3
    assert network.widths[-1] == 5
    assert len(network.widths) == 4
    np.testing.assert_allclose(network(POINTS), values_of(outputs, POINTS), rtol=1e-13)


@for_all(
    ("expression", "widths"),
    [
        (X + 2 * sympy.sin(3 * Y + 1), (3, 1)),
        (X**2 + X, (3, 1)),  # one square
        (sympy.exp(sympy.sin(sympy.pi * X) + Y**2), (3, 1, 1)),
        (X * Y, (3, 2, 1)),
        (X + Y * Z, (3, 3, 1)),
        (sympy.sqrt(X**2 + Y**2 + Z**2), (3, 1, 1)),
        (X**6, (3, 1, 1)),
    ],
    ids=str,
)
def test_shapes_are_as_small_as_the_formula_allows(expression, widths):
    assert kr.from_formula(expression, NAMES).widths == widths


@for_all("power", [32, 54, 60, -60])
def test_whole_powers_have_values_on_both_sides_of_zero(power):
    x = np.array([[-1.2], [-0.9], [0.9], [1.1]])
    domain = (-1.2, 1.3) if power > 0 else (0.8, 1.3)
    network = kr.from_formula(X**power, ("x",), domain=domain)

    np.testing.assert_allclose(network(x), x**power, rtol=1e-12)


def test_powers_by_logarithms_need_a_positive_base():
    assert kr.from_formula(X**67, ("x",), domain=(0.5, 1.0)).widths == (1, 1, 1)
    with pytest.raises(ValueError, match=r"give domain="):
        kr.from_formula(X**67, ("x",), domain=(-1.0, 1.0))


def test_products_of_large_and_small_factors_are_exact():
    domain = [(1e6, 2e6), (1e-6, 2e-6), (0.0, 1.0)]
    x = np.array(domain)[:, 0] + POINTS / 2 * (np.array(domain)[:, 1] - np.array(domain)[:, 0])

    network = kr.from_formula(X * Y, NAMES, domain=domain)

    np.testing.assert_allclose(network(x)[:, 0], x[:, 0] * x[:, 1], rtol=1e-14)


def test_the_law_of_gravity_in_si_units_is_a_network():
    m, r = sympy.symbols("m r")
    domain = [(1e22, 1e24), (1e8, 1e9)]

    network = kr.from_formula(6.674e-11 * m**2 / r**2, ("m", "r"), domain=domain)

    x = np.random.default_rng(0).uniform(*np.array(domain).T, (100, 2))
    y = 6.674e-11 * x[:, 0] ** 2 / x[:, 1] ** 2
    np.testing.assert_allclose(network(x)[:, 0], y, rtol=0, atol=1e-11 * y.max())


def test_a_network_is_exact_between_bounds_of_many_magnitudes():
    """Small denominators are rare among even points of a range, but give the largest values, 1e15."""
    x = 10.0 ** np.random.default_rng(0).uniform(-5.0, 5.0, (200, 2))
    y = x[:, :1] / x[:, 1:] ** 2

    network = kr.from_formula(X / Y**2, ("x", "y"), domain=(1e-5, 1e5))

    np.testing.assert_allclose(network(x), y, rtol=0, atol=1e-11 * y.max())


@for_all("n", [1, 3, 6, 11])
def test_near_a_pole_a_network_is_exact_in_most_of_the_box_or_there_is_none(n):
    x = np.linspace(0.3, 1.0, 50)[:, None]
    try:
        network = kr.from_formula(X**-n, ("x",))
    except ValueError as error:
        assert "differ" in str(error)  # noqa: PT017
        return
    np.testing.assert_allclose(network(x), x**-n, rtol=1e-9)


def test_numbers_keep_all_their_digits():
    c = 0.1 + 0.2
    network = kr.from_formula(c * sympy.sin(sympy.pi * X) + sympy.sqrt(2), ("x",))

    assert network.layers[0].affine.tolist() == [[np.pi, 0.0, c, np.sqrt(2.0)]]


def test_without_a_domain_inputs_lie_between_minus_1_and_1():
    np.testing.assert_array_equal(kr.from_formula(X + Y).layers[0].breakpoints, [[-1, 1]] * 2)


# --- names, files, training


@pytest.mark.parametrize("names", [("e", "pi"), ("lambda", "I"), ("own_0", "x 2"), ("Q", "beta")])
def test_any_text_is_the_name_of_an_input(names):
    one, two = map(sympy.Symbol, names)
    expression = sympy.E * one * two + sympy.sin(sympy.pi * one)

    network = kr.from_formula(expression, names)

    u, v = POINTS[:, :2].T
    np.testing.assert_allclose(
        network(POINTS[:, :2])[:, 0], np.e * u * v + np.sin(np.pi * u), rtol=1e-13, atol=1e-14
    )


def test_without_names_the_inputs_are_the_symbols_in_the_order_of_their_names():
    assert kr.from_formula(sympy.exp(Y) + 2 * X).layers[0].affine[:, 2].tolist() == [2.0, 1.0]


def test_assumptions_of_symbols_make_no_difference():
    positive = sympy.Symbol("x", positive=True)

    assert_same(kr.from_formula(sympy.log(positive) * 2, NAMES), sympy.log(X) * 2)


def test_a_registered_function_is_an_edge():
    square = {
        "f": np.square,
        "d1": lambda u: 2 * u,
        "d2": lambda u: 2 + 0 * u,
        "d3": lambda u: 0 * u,
    }
    kr.register_function("own_square", **square, complexity=3)
    try:
        network = kr.from_formula(sympy.Function("own_square")(X + Y) + 1, NAMES)
        assert [edge.name for edge in network.layers[1].symbolic] == ["own_square"]
        assert_same(network, (X + Y) ** 2 + 1)
    finally:
        kr.unregister_function("own_square")


@needs_compiler
def test_a_network_from_a_formula_becomes_c_code(tmp_path):
    network = kr.from_formula((X * Y / (2 + Z), sympy.exp(X) + sympy.tanh(Y * Z)), NAMES)
    library = build(kr.to_c(network, name="made"), tmp_path)

    close(call(library, network, POINTS, "made"), network(POINTS))


def test_a_network_from_a_formula_is_trained_like_any_other():
    network = kr.from_formula(sympy.exp(0.9 * X) * sympy.sin(2.1 * Y), ("x", "y"))
    x = POINTS[:, :2]
    y = np.exp(x[:, :1]) * np.sin(2 * x[:, 1:])

    run = kr.fit(network, kr.Data(x, y, x, y), n_steps=30)

    assert run.history.train_rmse[-1] < 1e-6 * run.history.train_rmse[0]


# --- what cannot be a network


@for_all(
    ("expression", "part"),
    [
        (sympy.floor(X) + Y, "function floor"),
        (sympy.Function("f")(X), "function f"),
        (sympy.gamma(sympy.sin(X)), "function gamma"),
        (sympy.Piecewise((X, X > 0), (0, True)), "Piecewise"),
        (sympy.Symbol("w") * X, "w"),
        (sympy.I * X, "not real"),
        (sympy.log(X - 100), "give domain="),
        (sympy.sqrt(-1 - X**2), "no finite value"),
        ((X + 1) * sympy.exp(40 * X - 40 * Y), "narrower bounds"),
        (X**10 * sympy.exp(-X), "narrower bounds"),
    ],
)
def test_what_is_no_network_is_refused_with_the_reason(expression, part):
    domain = (0.0, 50.0) if part == "narrower bounds" else (-1.0, 1.0)
    with pytest.raises(ValueError, match=part):
        kr.from_formula(expression, NAMES, domain=domain)


@pytest.mark.parametrize(
    ("arguments", "error", "name"),
    [
        ((sympy.Integer(1),), ValueError, "names"),
        (((),), ValueError, "expression"),
        ((X, ()), ValueError, "names"),
        ((X, ("x", "x")), ValueError, "names"),
        ((X, {"x"}), TypeError, "names"),
        (("x*y",), TypeError, "expression"),
    ],
)
def test_expressions_and_names_are_needed(arguments, error, name):
    with pytest.raises(error, match=rf"^{name}"):
        kr.from_formula(*arguments)


def test_a_wrong_network_is_found(monkeypatch):
    """The comparison can fail: a product with a wrong factor is not a rounding error."""
    right = construction._Compiler._multiplied
    monkeypatch.setattr(
        construction._Compiler, "_multiplied", lambda *arguments: right(*arguments).times(1.0001)
    )

    with pytest.raises(ValueError, match="differ"):
        kr.from_formula(X * Y, NAMES)


def test_terms_that_cancel_leave_a_formula_its_own_rounding_errors():
    kr.from_formula(sympy.cos(X) - 1, ("x",), domain=(-1e-4, 1e-4))
