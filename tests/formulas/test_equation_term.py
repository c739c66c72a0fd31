"""equation_term: residuals and partial derivatives of equations in SymPy, and dimensionless variables.

The oracle is a network that is itself a formula: SymPy puts it into the equation, and the values of the result are the residuals.
"""

import numpy as np
import pytest
import sympy
from cases import for_all
from networks import Frame, formula_network
from oracles_training import bits

import kan_ref as kr
from kan_ref.formulas import numeric_function
from kan_ref.pde import Equations, FunctionTerm, LinearTerm
from kan_ref.pde.jets import jet_at

X, T, K = sympy.symbols("x t k")
U = sympy.Function("u")(X, T)
V = sympy.Function("v")(X, T)
POINTS = np.random.default_rng(1).uniform(0.1, 1.0, (40, 2))


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
    "heat": U.diff(T) - 0.1 * U.diff(X, 2),
    "heat with a coefficient of its place": U.diff(T) - (1 + X**2) * U.diff(X, 2) - sympy.sin(T),
    "wave": U.diff(T, 2) - U.diff(X, 2) + U,
    "mixed": U.diff(X, T) + 2 * U.diff(X) - T,
    "Burgers": U.diff(T) + U * U.diff(X) - 0.01 * U.diff(X, 2),
    "divergence": (U * U.diff(X)).diff(X) + U.diff(T),
    "sine-Gordon": U.diff(X, T) - sympy.sin(U),
    "eikonal": sympy.sqrt(U.diff(X) ** 2 + U.diff(T) ** 2 + 1) - 1,
    "values": U - sympy.exp(X) * T,
    "modulus": sympy.Abs(U.diff(X)) - 1,
    "second order alone": U.diff(X, 2) ** 2 - U.diff(X, T),
    "logarithm": U.diff(X) - sympy.log(U * U.diff(T)),
    "circle": sympy.sqrt(10 - U**2) + U.diff(X),
}


@for_all("equation", EQUATIONS.values(), ids=EQUATIONS.keys())
def test_residuals_are_those_of_the_networks_formula_in_the_equation(equation):
    network = smooth_network()

    found = residuals_of(kr.equation_term(equation, POINTS), network)

    np.testing.assert_allclose(found, expected([equation], network, POINTS), rtol=1e-11, atol=1e-11)


@for_all("equation", EQUATIONS.values(), ids=EQUATIONS.keys())
def test_gradients_of_every_equation_pass_the_check_against_differences(equation):
    network = smooth_network()
    equations = Equations([kr.equation_term(equation, POINTS)])
    equations.check(network)  # raises an error where partial derivatives are wrong
    prepared = equations.prepare(network)
    _, gradient = prepared.value_and_grad(network)
    direction = np.cos(np.arange(network.n_params))
    step = 1e-6
    ahead, behind = (
        prepared.value_and_grad(network.with_theta(network.theta + h * direction))[0]
        for h in (step, -step)
    )

    assert gradient @ direction == pytest.approx((ahead - behind) / (2 * step), rel=1e-6)


@pytest.mark.parametrize(
    ("name", "kind"), [("heat", LinearTerm), ("mixed", LinearTerm), ("Burgers", FunctionTerm)]
)
def test_an_equation_linear_in_its_only_unknown_becomes_a_linear_term(name, kind):
    assert isinstance(kr.equation_term(EQUATIONS[name], POINTS), kind)


def test_a_linear_equation_trains_bit_by_bit_like_the_linear_term_by_hand():
    net = kr.init_network(
        (2, 2, 1), n_intervals=3, degree=4, domain=(0, 1), rng=np.random.default_rng(0)
    )
    by_hand = kr.linear_term(POINTS, second=[1.0, 0.0], first=[0.0, -2.0], source=1.0)
    term = kr.equation_term(U.diff(X, 2) - 2 * U.diff(T) - 1, POINTS)

    runs = [kr.fit(net, equations=[one], n_steps=3).network for one in (by_hand, term)]

    assert bits(runs[0]) == bits(runs[1])


def test_several_equations_for_several_unknowns_are_several_residuals():
    network = smooth_network(n_out=2)
    equations = [U.diff(T) - V.diff(X), V.diff(T) + U * U.diff(X) - sympy.cos(V)]

    found = residuals_of(kr.equation_term(equations, POINTS, unknowns=(U, V)), network)

    assert found.shape == (40, 2)
    np.testing.assert_allclose(
        found, expected(equations, network, POINTS, (U, V)), rtol=1e-11, atol=1e-11
    )


def test_unknowns_are_outputs_in_the_order_given():
    network = smooth_network(n_out=2)
    term = kr.equation_term(V - 2, POINTS, unknowns=(U, V))

    np.testing.assert_allclose(
        residuals_of(term, network)[:, 0], network(POINTS)[:, 1] - 2.0, rtol=1e-14
    )


def test_given_numbers_and_measurements_stand_for_symbols():
    f = sympy.Symbol("f")
    measured = np.cos(np.arange(40.0))
    network = smooth_network()

    found = residuals_of(kr.equation_term(K * U - f, POINTS, given={K: 3, f: measured}), network)

    np.testing.assert_allclose(found, 3.0 * network(POINTS) - measured[:, None], rtol=1e-13)


@pytest.mark.parametrize("names", [("e", "pi"), ("lambda", "I"), ("own_0", "symbol_1")])
def test_names_of_coordinates_and_functions_cannot_clash_with_python_or_sympy(names):
    one, two = map(sympy.Symbol, names)
    u = sympy.Function("exp_")(one, two)
    network = smooth_network()
    term = kr.equation_term(u.diff(one) - sympy.E * one * two + sympy.pi, POINTS)
    x, t = POINTS.T

    np.testing.assert_allclose(
        residuals_of(term, network)[:, 0],
        kr.input_jacobian(network, POINTS)[:, 0, 0] - np.e * x * t + np.pi,
        rtol=1e-13,
    )


def test_a_network_where_an_equation_is_undefined_is_reported_before_training():
    term = kr.equation_term(U.diff(X) - sympy.log(U - sympy.Float(0.1)), POINTS)

    with pytest.raises(ValueError, match=r"^equations\[0\]: residual contains nan"):
        Equations([term]).check(smooth_network(scale=-1.0))


# --- dimensionless variables

ROD = kr.Scales(domain=[(0.0, 0.1), (0.0, 100.0)], values=(20.0, 100.0))  # metres, seconds, degrees
DIFFUSIVITY = 1e-5
ROD_POINTS = ROD.domain[:, 0] + POINTS * (ROD.domain[:, 1] - ROD.domain[:, 0])


def test_scaled_residuals_are_those_of_the_network_in_units_divided_by_one_number():
    unit = smooth_network()
    for equation in (
        U.diff(T) - DIFFUSIVITY * U.diff(X, 2),
        U.diff(T) + U * U.diff(X) - DIFFUSIVITY * U.diff(X, 2),
        U - 20,
        U.diff(X, T) - sympy.sin(U / 50),
    ):
        in_units = residuals_of(kr.equation_term(equation, ROD_POINTS), ROD.network(unit))
        scaled = residuals_of(kr.equation_term(equation, ROD_POINTS, scales=ROD), unit)
        size = np.linalg.norm(in_units) / np.linalg.norm(scaled)

        np.testing.assert_allclose(
            scaled * size, in_units, atol=1e-10 * np.abs(in_units).max(), err_msg=str(equation)
        )


def test_the_largest_part_of_a_scaled_residual_has_size_one():
    term = kr.equation_term(U.diff(T) - DIFFUSIVITY * U.diff(X, 2), ROD_POINTS, scales=ROD)

    # u_t is 40 / 50 v_t, and diffusivity u_xx is 1e-5 * 40 / 0.05^2 v_xx = 0.16 v_xx
    np.testing.assert_allclose(term.kind.drifts[0, :, 0], [0.0, 1.0], rtol=1e-13)
    assert term.kind.products[0][3] == pytest.approx(-0.16 / 0.8, rel=1e-13)


@for_all("equation", [U.diff(X) + U, U.diff(X) * U + T])
def test_a_scaled_residual_does_not_depend_on_a_factor_of_the_equation(equation):
    scales = kr.Scales([(0, 1), (0, 1)], (0, 1))

    plain, large = (
        residuals_of(kr.equation_term(c * equation, POINTS, scales=scales), smooth_network())
        for c in (1.0, 1e9)
    )

    np.testing.assert_allclose(large, plain, rtol=1e-12, atol=1e-14)


def test_the_network_in_units_has_the_values_of_the_dimensionless_one():
    unit = smooth_network()
    x = np.array([[0.03, 20.0], [0.1, 0.0]])

    np.testing.assert_allclose(
        ROD.outputs(ROD.network(unit)(x)), unit(ROD.inputs(x)), rtol=1e-13, atol=1e-14
    )


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

Z = sympy.Symbol("x", real=True)
REFUSED = {
    "third order": (U.diff(X, 3) - U, {}, "order"),
    "symbol without a number": (K * U, {}, "symbol k"),
    "coordinate of other assumptions": (U - Z, {}, "symbol x"),
    "no unknown": (X + T, {}, "none"),
    "two unknowns": (U + V, {}, "unknowns="),
    "unlisted": (U + V, {"unknowns": (U,)}, r"v\(x, t\)"),
    "boundary value": (U - U.subs(T, 0), {"unknowns": U}, "give points x"),
    "derivative on a boundary": (U.diff(X).subs(X, 0) + U, {"unknowns": U}, "give points x"),
    "number of coordinates": (sympy.Function("w")(X), {}, "2 columns"),
    "one without the unknown": ([U, X], {"unknowns": U}, "without unknown"),
    "given a coordinate": (U, {"given": {X: 1.0}}, "given"),
    "given too short": (U - K, {"given": {K: [1.0]}}, "given"),
    "given nan": (U - K, {"given": {K: np.nan}}, "given"),
    "empty": ([], {}, "empty"),
    "pole at a point": (U / (X - 1 / sympy.Integer(3)), {}, r"x\[2\]"),
    "undefined": (U.diff(X) - sympy.log(U - 1000), {}, "no finite value"),
    "infinity": (U.diff(X) - sympy.oo * U, {}, "no finite value"),
    "complex number": (U.diff(X) - sympy.root(-8, 3) * U, {}, "no finite value"),
    "jump": (sympy.floor(U) - X, {}, "cannot evaluate"),
    "sign": (sympy.sign(U) - X, {}, "cannot evaluate"),
    "integral": (sympy.Integral(U, X) + U, {}, "cannot evaluate"),
    "point source": (U.diff(X, 2) - sympy.DiracDelta(X - 0.5), {}, "cannot evaluate"),
    "function without code": (U - sympy.elliptic_k(X / 2), {}, "cannot evaluate"),
    "all coefficients 0": (K * U - 1, {"given": {K: 0.0}}, "0 at all points"),
}


@for_all(("equation", "options", "part"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_a_term_is_refused_with_the_reason(equation, options, part):
    points = POINTS.copy()
    points[2, 0] = 1 / 3

    with pytest.raises(ValueError, match=part):
        kr.equation_term(equation, points, **options)


@pytest.mark.parametrize(
    ("equation", "options"),
    [("u", {}), (X > 1, {}), (U, {"unknowns": "u"}), (U, {"given": [1]}), (U, {"scales": (0, 1)})],
)
def test_what_has_the_wrong_type_is_refused(equation, options):
    with pytest.raises(TypeError, match="must be"):
        kr.equation_term(equation, POINTS, **options)


def test_a_network_of_another_number_of_outputs_is_refused_before_training():
    for equation in (U * U.diff(X), U.diff(X)):
        equations = Equations([kr.equation_term(equation, POINTS)])
        with pytest.raises(ValueError, match=r"^equations\[0\].* model has 2 outputs"):
            equations.check(smooth_network(n_out=2))


def test_columns_of_a_table_are_the_coordinates_in_their_order():
    with pytest.raises(ValueError, match=r"^x has the columns"):
        kr.equation_term(U - X, Frame.of(["t", "x"], POINTS[:, ::-1]))
    for names in (["x", "t"], ["length", "time"]):
        term = kr.equation_term(U - X, Frame.of(names, POINTS))
        np.testing.assert_array_equal(term.source[:, 0], POINTS[:, 0])
