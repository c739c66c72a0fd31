"""From formulas: networks that compute an expression, and equations in SymPy as terms of the objective.

Networks have the shapes of their expressions, or cannot be. Of an equation come residuals and partial derivatives, and dimensionless
variables; the oracle is a network that is itself a formula: SymPy puts it into the equation, and the values of the result are the residuals.
"""

import numpy as np
import pytest
import sympy
from c_code import build, call, close, needs_compiler
from cases import for_all
from hypothesis import assume, given
from hypothesis import strategies as st
from networks import Frame, formula_network
from oracles_training import bits

import kan_ref as kr
from figures.tables.problem import FEYNMAN
from kan_ref.formulas import construction, numeric_function
from kan_ref.pde import Equations, FunctionTerm, LinearTerm
from kan_ref.pde.jets import jet_at

# --- from_formula: networks that compute a given expression, their shapes, and what cannot be a network

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
    "expression", [X * Y, X * Y * Z, (X + Y) * (X - 2 * Z) + 3, X**2 + X + Y, X**7 - X * Y**2, (X + Y) ** 3 * Z]
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
    np.testing.assert_allclose(network(POINTS[:, :2])[:, 0], np.e * u * v + np.sin(np.pi * u), rtol=1e-13, atol=1e-14)


def test_without_names_the_inputs_are_the_symbols_in_the_order_of_their_names():
    assert kr.from_formula(sympy.exp(Y) + 2 * X).layers[0].affine[:, 2].tolist() == [2.0, 1.0]


def test_assumptions_of_symbols_make_no_difference():
    positive = sympy.Symbol("x", positive=True)

    assert_same(kr.from_formula(sympy.log(positive) * 2, NAMES), sympy.log(X) * 2)


def test_a_registered_function_is_an_edge():
    square = {"f": np.square, "d1": lambda u: 2 * u, "d2": lambda u: 2 + 0 * u, "d3": lambda u: 0 * u}
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
    monkeypatch.setattr(construction._Compiler, "_multiplied", lambda *arguments: right(*arguments).times(1.0001))

    with pytest.raises(ValueError, match="differ"):
        kr.from_formula(X * Y, NAMES)


def test_terms_that_cancel_leave_a_formula_its_own_rounding_errors():
    kr.from_formula(sympy.cos(X) - 1, ("x",), domain=(-1e-4, 1e-4))


# --- equation_term: residuals and partial derivatives of equations in SymPy, and dimensionless variables

PLACE, TIME, SPEED = sympy.symbols("x t k")
U = sympy.Function("u")(PLACE, TIME)
V = sympy.Function("v")(PLACE, TIME)
EVENTS = np.random.default_rng(1).uniform(0.1, 1.0, (40, 2))


def smooth_network(n_out=1, scale=1.0):
    """Sums of compositions of sin, x^2, x and exp of both inputs, as a network of symbolic edges."""
    first = [
        (0, 0, "sin", (0.7, 0.1, 1.0, 0.0)),
        (0, 1, "x^2", (0.9, 0.2, 0.5, 0.0)),
        (1, 0, "x", (1.0, 0.0, 1.0, 0.0)),
        (1, 1, "exp", (0.4, 0.0, 0.8, -0.3)),
    ]
    second = [
        (output, node, name, (0.8 - 0.1 * output, 0.3, scale, 0.2))
        for output in range(n_out)
        for node, name in ((0, "x^2"), (1, "sin"))
    ]
    return formula_network(first, second, widths=(2, 2, n_out))


def residuals_of(term, network):
    """Residuals (n, n_residuals) of a term for a network, as training sees them."""
    return term.residuals(jet_at(network, term.x, term.kind)).T


def expected(equations, network, points, functions=(U,)):
    """Residuals by substituting the network's formula."""
    found = kr.formula(network, names=("x", "t"))
    outputs = found if isinstance(found, tuple) else (found,)
    swap = dict(zip(functions, outputs, strict=True))
    written = [equation.subs(swap).doit() for equation in equations]
    return numeric_function(written, ("x", "t"))(points)


EQUATIONS = {
    "heat": U.diff(TIME) - 0.1 * U.diff(PLACE, 2),
    "heat with a coefficient of its place": U.diff(TIME) - (1 + PLACE**2) * U.diff(PLACE, 2) - sympy.sin(TIME),
    "wave": U.diff(TIME, 2) - U.diff(PLACE, 2) + U,
    "mixed": U.diff(PLACE, TIME) + 2 * U.diff(PLACE) - TIME,
    "Burgers": U.diff(TIME) + U * U.diff(PLACE) - 0.01 * U.diff(PLACE, 2),
    "divergence": (U * U.diff(PLACE)).diff(PLACE) + U.diff(TIME),
    "sine-Gordon": U.diff(PLACE, TIME) - sympy.sin(U),
    "eikonal": sympy.sqrt(U.diff(PLACE) ** 2 + U.diff(TIME) ** 2 + 1) - 1,
    "values": U - sympy.exp(PLACE) * TIME,
    "modulus": sympy.Abs(U.diff(PLACE)) - 1,
    "second order alone": U.diff(PLACE, 2) ** 2 - U.diff(PLACE, TIME),
    "logarithm": U.diff(PLACE) - sympy.log(U * U.diff(TIME)),
    "circle": sympy.sqrt(10 - U**2) + U.diff(PLACE),
}


@for_all("equation", EQUATIONS.values(), ids=EQUATIONS.keys())
def test_residuals_are_those_of_the_networks_formula_in_the_equation(equation):
    network = smooth_network()

    found = residuals_of(kr.equation_term(equation, EVENTS), network)

    np.testing.assert_allclose(found, expected([equation], network, EVENTS), rtol=1e-11, atol=1e-11)


@for_all("equation", EQUATIONS.values(), ids=EQUATIONS.keys())
def test_gradients_of_every_equation_pass_the_check_against_differences(equation):
    network = smooth_network()
    equations = Equations([kr.equation_term(equation, EVENTS)])
    equations.check(network)  # raises an error where partial derivatives are wrong
    prepared = equations.prepare(network)
    _, gradient = prepared.value_and_grad(network)
    direction = np.cos(np.arange(network.n_params))
    step = 1e-6
    ahead, behind = (
        prepared.value_and_grad(network.with_theta(network.theta + h * direction))[0] for h in (step, -step)
    )

    assert gradient @ direction == pytest.approx((ahead - behind) / (2 * step), rel=1e-6)


@pytest.mark.parametrize(("name", "kind"), [("heat", LinearTerm), ("mixed", LinearTerm), ("Burgers", FunctionTerm)])
def test_an_equation_linear_in_its_only_unknown_becomes_a_linear_term(name, kind):
    assert isinstance(kr.equation_term(EQUATIONS[name], EVENTS), kind)


def test_a_linear_equation_trains_bit_by_bit_like_the_linear_term_by_hand():
    net = kr.init_network((2, 2, 1), n_intervals=3, degree=4, domain=(0, 1), rng=np.random.default_rng(0))
    by_hand = kr.linear_term(EVENTS, second=[1.0, 0.0], first=[0.0, -2.0], source=1.0)
    term = kr.equation_term(U.diff(PLACE, 2) - 2 * U.diff(TIME) - 1, EVENTS)

    runs = [kr.fit(net, equations=[one], n_steps=3).network for one in (by_hand, term)]

    assert bits(runs[0]) == bits(runs[1])


def test_several_equations_for_several_unknowns_are_several_residuals():
    network = smooth_network(n_out=2)
    equations = [U.diff(TIME) - V.diff(PLACE), V.diff(TIME) + U * U.diff(PLACE) - sympy.cos(V)]

    found = residuals_of(kr.equation_term(equations, EVENTS, unknowns=(U, V)), network)

    assert found.shape == (40, 2)
    np.testing.assert_allclose(found, expected(equations, network, EVENTS, (U, V)), rtol=1e-11, atol=1e-11)


def test_unknowns_are_outputs_in_the_order_given():
    network = smooth_network(n_out=2)
    term = kr.equation_term(V - 2, EVENTS, unknowns=(U, V))

    np.testing.assert_allclose(residuals_of(term, network)[:, 0], network(EVENTS)[:, 1] - 2.0, rtol=1e-14)


def test_given_numbers_and_measurements_stand_for_symbols():
    f = sympy.Symbol("f")
    measured = np.cos(np.arange(40.0))
    network = smooth_network()

    found = residuals_of(kr.equation_term(SPEED * U - f, EVENTS, given={SPEED: 3, f: measured}), network)

    np.testing.assert_allclose(found, 3.0 * network(EVENTS) - measured[:, None], rtol=1e-13)


@pytest.mark.parametrize("names", [("e", "pi"), ("lambda", "I"), ("own_0", "symbol_1")])
def test_names_of_coordinates_and_functions_cannot_clash_with_python_or_sympy(names):
    one, two = map(sympy.Symbol, names)
    u = sympy.Function("exp_")(one, two)
    network = smooth_network()
    term = kr.equation_term(u.diff(one) - sympy.E * one * two + sympy.pi, EVENTS)
    x, t = EVENTS.T

    np.testing.assert_allclose(
        residuals_of(term, network)[:, 0],
        kr.input_jacobian(network, EVENTS)[:, 0, 0] - np.e * x * t + np.pi,
        rtol=1e-13,
    )


def test_a_network_where_an_equation_is_undefined_is_reported_before_training():
    term = kr.equation_term(U.diff(PLACE) - sympy.log(U - sympy.Float(0.1)), EVENTS)

    with pytest.raises(ValueError, match=r"^equations\[0\]: residual contains nan"):
        Equations([term]).check(smooth_network(scale=-1.0))


# --- dimensionless variables

ROD = kr.Scales(domain=[(0.0, 0.1), (0.0, 100.0)], values=(20.0, 100.0))  # metres, seconds, degrees
DIFFUSIVITY = 1e-5
ROD_POINTS = ROD.domain[:, 0] + EVENTS * (ROD.domain[:, 1] - ROD.domain[:, 0])


def test_scaled_residuals_are_those_of_the_network_in_units_divided_by_one_number():
    unit = smooth_network()
    for equation in (
        U.diff(TIME) - DIFFUSIVITY * U.diff(PLACE, 2),
        U.diff(TIME) + U * U.diff(PLACE) - DIFFUSIVITY * U.diff(PLACE, 2),
        U - 20,
        U.diff(PLACE, TIME) - sympy.sin(U / 50),
    ):
        in_units = residuals_of(kr.equation_term(equation, ROD_POINTS), ROD.network(unit))
        scaled = residuals_of(kr.equation_term(equation, ROD_POINTS, scales=ROD), unit)
        size = np.linalg.norm(in_units) / np.linalg.norm(scaled)

        np.testing.assert_allclose(scaled * size, in_units, atol=1e-10 * np.abs(in_units).max(), err_msg=str(equation))


def test_the_largest_part_of_a_scaled_residual_has_size_one():
    term = kr.equation_term(U.diff(TIME) - DIFFUSIVITY * U.diff(PLACE, 2), ROD_POINTS, scales=ROD)

    # u_t is 40 / 50 v_t, and diffusivity u_xx is 1e-5 * 40 / 0.05^2 v_xx = 0.16 v_xx
    np.testing.assert_allclose(term.kind.drifts[0, :, 0], [0.0, 1.0], rtol=1e-13)
    assert term.kind.products[0][3] == pytest.approx(-0.16 / 0.8, rel=1e-13)


@for_all("equation", [U.diff(PLACE) + U, U.diff(PLACE) * U + TIME])
def test_a_scaled_residual_does_not_depend_on_a_factor_of_the_equation(equation):
    scales = kr.Scales([(0, 1), (0, 1)], (0, 1))

    plain, large = (
        residuals_of(kr.equation_term(c * equation, EVENTS, scales=scales), smooth_network()) for c in (1.0, 1e9)
    )

    np.testing.assert_allclose(large, plain, rtol=1e-12, atol=1e-14)


def test_the_network_in_units_has_the_values_of_the_dimensionless_one():
    unit = smooth_network()
    x = np.array([[0.03, 20.0], [0.1, 0.0]])

    np.testing.assert_allclose(ROD.outputs(ROD.network(unit)(x)), unit(ROD.inputs(x)), rtol=1e-13, atol=1e-14)


def test_scales_map_their_bounds_to_minus_one_and_one_wherever_they_lie():
    scales = kr.Scales(domain=[(2.0, 6.0), (-3.0, -1.0)], values=[(3.0, 5.0), (-8.0, -4.0)])

    assert scales.inputs([[2.0, -3.0], [6.0, -1.0]]).tolist() == [[-1, -1], [1, 1]]
    assert scales.outputs([[3.0, -8.0], [5.0, -4.0]]).tolist() == [[-1, -1], [1, 1]]


def test_scales_of_another_number_of_unknowns_or_coordinates_are_rejected():
    with pytest.raises(ValueError, match=r"^values"):
        kr.Scales([(0, 1), (0, 1)], [(0, 1), (2, 3)]).network(smooth_network())
    with pytest.raises(ValueError, match=r"^network"):
        kr.Scales([(0, 1)], (0, 1)).network(smooth_network())


# --- what is refused

REAL_X = sympy.Symbol("x", real=True)
REFUSED = {
    "third order": (U.diff(PLACE, 3) - U, {}, "order"),
    "symbol without a number": (SPEED * U, {}, "symbol k"),
    "coordinate of other assumptions": (U - REAL_X, {}, "symbol x"),
    "no unknown": (PLACE + TIME, {}, "none"),
    "two unknowns": (U + V, {}, "unknowns="),
    "unlisted": (U + V, {"unknowns": (U,)}, r"v\(x, t\)"),
    "boundary value": (U - U.subs(TIME, 0), {"unknowns": U}, "give points x"),
    "derivative on a boundary": (U.diff(PLACE).subs(PLACE, 0) + U, {"unknowns": U}, "give points x"),
    "number of coordinates": (sympy.Function("w")(PLACE), {}, "2 columns"),
    "one without the unknown": ([U, PLACE], {"unknowns": U}, "without unknown"),
    "given a coordinate": (U, {"given": {PLACE: 1.0}}, "given"),
    "given too short": (U - SPEED, {"given": {SPEED: [1.0]}}, "given"),
    "given nan": (U - SPEED, {"given": {SPEED: np.nan}}, "given"),
    "empty": ([], {}, "empty"),
    "pole at a point": (U / (PLACE - 1 / sympy.Integer(3)), {}, r"x\[2\]"),
    "undefined": (U.diff(PLACE) - sympy.log(U - 1000), {}, "no finite value"),
    "infinity": (U.diff(PLACE) - sympy.oo * U, {}, "no finite value"),
    "complex number": (U.diff(PLACE) - sympy.root(-8, 3) * U, {}, "no finite value"),
    "jump": (sympy.floor(U) - PLACE, {}, "cannot evaluate"),
    "sign": (sympy.sign(U) - PLACE, {}, "cannot evaluate"),
    "integral": (sympy.Integral(U, PLACE) + U, {}, "cannot evaluate"),
    "point source": (U.diff(PLACE, 2) - sympy.DiracDelta(PLACE - 0.5), {}, "cannot evaluate"),
    "function without code": (U - sympy.elliptic_k(PLACE / 2), {}, "cannot evaluate"),
    "all coefficients 0": (SPEED * U - 1, {"given": {SPEED: 0.0}}, "0 at all points"),
}


@for_all(("equation", "options", "part"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_a_term_is_refused_with_the_reason(equation, options, part):
    points = EVENTS.copy()
    points[2, 0] = 1 / 3

    with pytest.raises(ValueError, match=part):
        kr.equation_term(equation, points, **options)


@pytest.mark.parametrize(
    ("equation", "options"),
    [("u", {}), (PLACE > 1, {}), (U, {"unknowns": "u"}), (U, {"given": [1]}), (U, {"scales": (0, 1)})],
)
def test_what_has_the_wrong_type_is_refused(equation, options):
    with pytest.raises(TypeError, match="must be"):
        kr.equation_term(equation, EVENTS, **options)


def test_a_network_of_another_number_of_outputs_is_refused_before_training():
    for equation in (U * U.diff(PLACE), U.diff(PLACE)):
        equations = Equations([kr.equation_term(equation, EVENTS)])
        with pytest.raises(ValueError, match=r"^equations\[0\].* model has 2 outputs"):
            equations.check(smooth_network(n_out=2))


def test_columns_of_a_table_are_the_coordinates_in_their_order():
    with pytest.raises(ValueError, match=r"^x has the columns"):
        kr.equation_term(U - PLACE, Frame.of(["t", "x"], EVENTS[:, ::-1]))
    for names in (["x", "t"], ["length", "time"]):
        term = kr.equation_term(U - PLACE, Frame.of(names, EVENTS))
        np.testing.assert_array_equal(term.source[:, 0], EVENTS[:, 0])
