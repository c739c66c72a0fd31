"""equation_term: residuals and partial derivatives of equations in SymPy, dimensionless variables, and messages.

The oracle is a network that is itself a formula: SymPy puts it into the equation, and the values of the result are the residuals.
"""

from dataclasses import replace

import numpy as np
import pytest
import sympy
from cases import for_all
from networks import Frame, formula_network
from oracles_training import bits

import kan_ref as kr
from kan_ref.formulas import equation_terms
from kan_ref.formulas.values import numeric_function
from kan_ref.pde import Equations, FunctionTerm, LinearTerm
from kan_ref.pde.jets import jet_at

X, T = sympy.symbols("x t")
U = sympy.Function("u")(X, T)
V = sympy.Function("v")(X, T)
POINTS = np.random.default_rng(1).uniform(0.1, 1.0, (40, 2))


def smooth_network(n_out=1, scale=1.0):
    """Outputs sin(0.7 x) + x t-like sums of compositions, as a network of symbolic edges."""
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
    "jump": sympy.Abs(U.diff(X)) - 1,
    "second order alone": U.diff(X, 2) ** 2 - U.diff(X, T),
    "condition with infinity": sympy.Piecewise((U**2, sympy.Abs(X) < sympy.oo), (0, True)) - X,
    "factorial": U.diff(X) - sympy.factorial(U),
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


JUMPS = {
    "sign": sympy.sign(U - 2) + U - X,
    "floor": sympy.floor(U / 2) + U.diff(X) - sympy.floor(3 * X),
    "ceiling": sympy.ceiling(U / 2) * U - X,
    "frac": U.diff(T) - sympy.frac(2 * U),
    "modulo": U.diff(T) - sympy.Mod(U, T) + sympy.Mod(2 * X, 1),
    "modulus": sympy.Mod(X, U),
    "jump inside a jump": sympy.floor(U + sympy.sign(U - 2) * U) + U,
    "jump of a square": sympy.floor(U**2) * U**2,
    "Heaviside": 2 * U.diff(X) + T * sympy.Heaviside(U - 2) - X,
    "piecewise": sympy.Piecewise((1, U > 2), (0, True)) - U.diff(X, 2),
}


@for_all("equation", JUMPS.values(), ids=JUMPS.keys())
def test_a_jump_of_the_unknown_beside_a_linear_part_stays_in_the_residual(equation):
    network = smooth_network()
    assert {True, False} == set((network(POINTS) > 2.0).ravel().tolist())

    found = residuals_of(kr.equation_term(equation, POINTS), network)

    np.testing.assert_allclose(found, expected([equation], network, POINTS), rtol=1e-11, atol=1e-11)


DERIVATIVES = {
    "frac": (sympy.frac(3 * U), lambda u: 3.0),
    "modulo": (sympy.Mod(U, 2), lambda u: 1.0),
    "modulus": (sympy.Mod(7, U), lambda u: -np.floor(7.0 / u)),
    "floor": (sympy.floor(U) * U, np.floor),
    "nested": (sympy.floor(U + sympy.sign(U) * U) * U, lambda u: np.floor(u + np.sign(u) * u)),
}


@for_all(("equation", "expected"), DERIVATIVES.values(), ids=DERIVATIVES)
def test_derivatives_of_functions_with_jumps_are_those_beside_the_jumps(equation, expected):
    """With u' beside it, so that it is no linear term."""
    u = np.linspace(0.3, 3.9, 40)[:, None]
    term = kr.equation_term(U.diff(X) ** 2 + equation, POINTS)

    _, by_u, _, _ = term.function(POINTS, u, np.ones((40, 1, 2)), None)

    np.testing.assert_allclose(by_u[:, 0], expected(u) * np.ones_like(u), rtol=1e-14)


@for_all(
    "jump",
    [sympy.sign, sympy.Heaviside, sympy.floor, sympy.ceiling],
    ids=["sign", "Heaviside", "floor", "ceiling"],
)
def test_an_equation_that_no_training_can_change_is_refused_in_its_own_terms(jump):
    sentence = r"equation has u\(x, t\) only inside functions with jumps, whose derivative is 0"

    with pytest.raises(ValueError, match=sentence):
        kr.equation_term(jump(U) - X, POINTS)


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
    k, f = sympy.symbols("k f")
    measured = np.cos(np.arange(40.0))
    network = smooth_network()

    found = residuals_of(kr.equation_term(k * U - f, POINTS, given={k: 3, f: measured}), network)

    np.testing.assert_allclose(found, 3.0 * network(POINTS) - measured[:, None], rtol=1e-13)


def test_an_equation_and_the_difference_of_its_sides_are_the_same():
    network = smooth_network()
    pair = [
        residuals_of(kr.equation_term(one, POINTS), network)
        for one in (sympy.Eq(U.diff(X), X * U), U.diff(X) - X * U)
    ]

    np.testing.assert_array_equal(*pair)


def test_unknown_functions_are_real():
    """SymPy writes the derivative of |f| with real and imaginary parts, as if f was complex."""
    network = smooth_network()
    short, long = sympy.Abs(U.diff(X)).diff(T), sympy.sign(U.diff(X)) * U.diff(X, T)

    np.testing.assert_allclose(
        residuals_of(kr.equation_term(short, POINTS), network),
        residuals_of(kr.equation_term(long, POINTS), network),
        rtol=1e-13,
    )


@pytest.mark.parametrize("names", [("e", "pi"), ("lambda", "I"), ("own_0", "x 2")])
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


@for_all("rate", [3e4, 1e5, 1e8])
def test_equations_that_vary_fast_are_taken(rate):
    """Their partial derivatives are right, but a difference of step 1e-6 is not."""
    fast = sympy.Float(rate) * U

    for equation in (U.diff(X) - sympy.sin(fast), U.diff(X) - sympy.exp(-fast), sympy.tanh(fast)):
        assert isinstance(kr.equation_term(equation, POINTS), FunctionTerm)


def test_a_derivative_that_differences_contradict_is_reported_as_that_of_the_equation(monkeypatch):
    right = equation_terms.partials
    term = kr.equation_term(U.diff(X) - U**2, POINTS)

    monkeypatch.setattr(
        equation_terms,
        "partials",
        lambda equation: {place: 2 * partial for place, partial in right(equation).items()},
    )
    with pytest.raises(ValueError, match=r"^equation: by_u is wrong: at point 0 residual 0"):
        kr.equation_term(U.diff(X) - U**2, POINTS)

    spoilt = replace(
        term, function=lambda *arguments: (*term.function(*arguments)[:1], *3 * [None])
    )
    with pytest.raises(ValueError, match=r"^equations\[0\]: by_u is wrong"):
        Equations([spoilt]).check(smooth_network())


def test_a_network_where_an_equation_is_undefined_is_reported_in_its_own_terms():
    network = smooth_network(scale=1e-3)
    term = kr.equation_term(sympy.log(U**2 - sympy.Float(0.5)), POINTS)
    steep = np.where(np.arange(40) == 3, np.inf, 1.0)[:, None]
    function = replace(term, function=lambda x, u, *_: (u[:, 0], steep, None, None))
    assert np.abs(network(POINTS)).max() < 0.7

    for one, message in (
        (term, "residual contains nan at row 0"),
        (function, "by_u contains inf at row 3"),
    ):
        with pytest.raises(ValueError, match=rf"^equations\[0\]: {message}"):
            Equations([one]).check(network)


DERIVATIVE = U.diff(X)
DEFINED_IN_PARTS = {
    "positive": DERIVATIVE - sympy.log(U),
    "negative": DERIVATIVE - sympy.sqrt(-U),
    "positive derivative": U - sympy.log(DERIVATIVE),
    "product": sympy.log(U * DERIVATIVE),
    "two signs": sympy.log(U) + sympy.log(-DERIVATIVE) + sympy.log(U.diff(T)),
    "between": sympy.sqrt(1 - U**2) + sympy.log(U),
    "large": sympy.log(U - 300) + DERIVATIVE,
    "with the coordinates": sympy.acosh(U - 20 + 3 * X) - DERIVATIVE,
}


@for_all(("name", "equation"), list(DEFINED_IN_PARTS.items()))
def test_equations_of_functions_with_a_domain_need_no_scales(name, equation):
    """Every trial value had the same signs at a point, so log(u) had none at half of the points."""
    assert len(kr.equation_term(equation, POINTS).x) == len(POINTS)


def test_a_network_that_is_fitted_to_defined_values_first_can_be_trained():
    """The solution is exp(exp(-x)) from e at 0."""
    u, x = sympy.Function("u")(X), np.linspace(0.0, 1.0, 20)[:, None]
    network = kr.init_network(
        (1, 1), n_intervals=4, degree=3, domain=(0, 1), rng=np.random.default_rng(1)
    )
    decay = kr.equation_term(u.diff(X) + u * sympy.log(u), x)
    terms = [decay, kr.value_term(x[:1], np.e)]
    with pytest.raises(ValueError, match=r"^equations\[0\]: residual contains nan"):
        kr.fit(network, equations=terms, n_steps=1)

    started = kr.fit(network, kr.Data(x, 0 * x + 2.0, x, 0 * x + 2.0), n_steps=10).network
    solved = kr.fit(started, equations=terms, n_steps=20).network
    np.testing.assert_allclose(solved(x), np.exp(np.exp(-x)), rtol=1e-2)


# --- dimensionless variables


ROD = kr.Scales(domain=[(0.0, 0.1), (0.0, 100.0)], values=(20.0, 100.0))  # metres, seconds, degrees
DIFFUSIVITY = 1e-5


def test_scaled_residuals_are_those_of_the_network_in_units_divided_by_one_number():
    unit = smooth_network()
    x = ROD.domain[:, 0] + POINTS * (ROD.domain[:, 1] - ROD.domain[:, 0])
    for equation in (
        U.diff(T) - DIFFUSIVITY * U.diff(X, 2),
        U.diff(T) + U * U.diff(X) - DIFFUSIVITY * U.diff(X, 2),
        U - 20,
        U.diff(X, T) - sympy.sin(U / 50),
    ):
        in_units = residuals_of(kr.equation_term(equation, x), ROD.network(unit))
        scaled = residuals_of(kr.equation_term(equation, x, scales=ROD), unit)
        size = np.linalg.norm(in_units) / np.linalg.norm(scaled)

        np.testing.assert_allclose(
            scaled * size, in_units, atol=1e-10 * np.abs(in_units).max(), err_msg=str(equation)
        )


def test_the_largest_part_of_a_scaled_residual_has_size_one():
    x = ROD.domain[:, 0] + POINTS * (ROD.domain[:, 1] - ROD.domain[:, 0])
    term = kr.equation_term(U.diff(T) - DIFFUSIVITY * U.diff(X, 2), x, scales=ROD)

    # u_t is 40 / 50 v_t, and diffusivity u_xx is 1e-5 * 40 / 0.05^2 v_xx = 0.16 v_xx
    np.testing.assert_allclose(term.kind.drifts[0, :, 0], [0.0, 1.0], rtol=1e-13)
    assert term.kind.products[0][3] == pytest.approx(-0.16 / 0.8, rel=1e-13)


@for_all("factor", [1e-300, 1e-165, 1e155, 1e300])
@for_all("equation", [U.diff(X) + U, U.diff(X) * U + T])
def test_a_scaled_residual_does_not_depend_on_a_factor_of_the_equation(equation, factor):
    """The square of a coefficient would leave float64."""
    scales = kr.Scales([(0, 1), (0, 1)], (0, 1))

    plain, large = (
        residuals_of(kr.equation_term(c * equation, POINTS, scales=scales), smooth_network())
        for c in (1.0, sympy.Float(factor))
    )

    np.testing.assert_allclose(large, plain, rtol=1e-12, atol=1e-14)


@for_all("low", [101325.0, -1e5, 1e7])
def test_unknowns_that_vary_by_a_hundred_thousandth_of_their_size_and_less_have_equations(low):
    w = sympy.Function("w")(X)
    scales = kr.Scales([(0, 1)], (low, low + 1))
    network = kr.init_network(
        (1, 2, 1), n_intervals=3, degree=3, domain=(-1, 1), rng=np.random.default_rng(0)
    )

    term = kr.equation_term([w - low, w * w.diff(X) - X * (w - low)], [[0.0], [1.0]], scales=scales)

    Equations([term]).check(network)


def test_the_network_in_units_has_the_values_of_the_dimensionless_one():
    unit = smooth_network()
    x = np.array([[0.03, 20.0], [0.1, 0.0]])

    np.testing.assert_allclose(
        ROD.outputs(ROD.network(unit)(x)), unit(ROD.inputs(x)), rtol=1e-13, atol=1e-14
    )


def solve(length, duration, low, high, scales):
    """Root mean square error of a heated rod, relative to the range of its temperatures."""
    diffusivity, half = 0.1 * length**2 / duration, high - low
    solution = low + half * sympy.exp(-0.1 * sympy.pi**2 * T / duration) * sympy.sin(
        sympy.pi * X / length
    )
    rng, size = np.random.default_rng(0), np.array([length, duration])
    inside = rng.uniform(size=(300, 2)) * size
    begin, side = rng.uniform(size=(2, 60, 2)) * size
    begin[:, 1], side[:, 0] = 0.0, np.repeat([0.0, length], 30)
    terms = [
        kr.equation_term(U.diff(T) - diffusivity * U.diff(X, 2), inside, scales=scales),
        kr.equation_term(U - solution, np.concatenate([begin, side]), scales=scales),
    ]
    net = kr.init_network((2, 3, 1), n_intervals=4, degree=4, domain=(-1, 1), rng=rng)
    run = kr.fit(net, equations=terms, n_steps=25)
    found = scales.network(run.network)(inside)
    exact = numeric_function([solution], ("x", "t"))(inside)
    return float(np.sqrt(np.mean((found - exact) ** 2))) / half


@pytest.mark.long
def test_the_heat_equation_is_solved_alike_in_any_units():
    errors = [
        solve(length, duration, low, high, kr.Scales([(0, length), (0, duration)], (low, high)))
        for length, duration, low, high in ((2.0, 2.0, -1.0, 1.0), (0.1, 3e7, 290.0, 350.0))
    ]

    assert max(errors) < 1e-3
    assert max(errors) < 1.5 * min(errors)  # the same up to rounding


@pytest.mark.parametrize(
    ("domain", "values", "sentence"),
    [
        ([(1.0, 0.0)], (0.0, 1.0), "domain is .* low must be below high"),
        ((0.0, 1.0), (0.0, 1.0), r"domain has shape \(2,\), but"),
        ([(0.0, 1.0)], (2.0, 2.0), "values is .* low must be below high"),
        (
            [(0.0, np.inf)],
            (0.0, 1.0),
            "domain contains inf at row 0, column 1, but needs finite numbers",
        ),
        (np.zeros((0, 2)), (0.0, 1.0), "domain has no rows"),
    ],
)
def test_bounds_of_scales_are_checked(domain, values, sentence):
    with pytest.raises(ValueError, match=sentence):
        kr.Scales(domain, values)


def test_lines_of_a_network_in_units_become_splines_with_the_same_values():
    x = np.random.default_rng(0).uniform([0.0, 0.0], [0.1, 100.0], (50, 2))
    net = smooth_network()
    net = net.with_theta(0.1 * net.theta)  # values between -1 and 1
    assert np.abs(net(ROD.inputs(x))).max() < 1.0
    old = new = ROD.network(net)

    for number in (0, len(old.layers) - 1):
        for edge in old.layers[number].symbolic:
            new = kr.unfix_symbolic(new, number, output=edge.output, input=edge.input)

    np.testing.assert_array_equal(old.layers[0].breakpoints, ROD.domain)
    np.testing.assert_allclose(new(x), old(x), rtol=1e-13)


# --- messages

K, Z = sympy.Symbol("k"), sympy.Symbol("x", real=True)
REAL = sympy.Function("u", real=True)(X, T)
REJECTED = {
    "third order": (
        U.diff(X, 3) - U,
        {},
        "of order 3, but networks have derivatives up to order 2",
    ),
    "fourth order": (U.diff(X, 2, T, 2), {}, "make Derivative"),
    "unknown symbol": (K * U, {}, "has the symbol k, but the coordinates are x, t: give it"),
    "same name": (U - Z, {}, "symbol x that is not the coordinate x: their assumptions differ"),
    "no unknown": (X + T, {}, "has the unknown functions none"),
    "two unknowns": (U + V, {}, "give unknowns= in the order of the network's outputs"),
    "two functions of one name": (
        U.diff(X) - REAL,
        {},
        r"has u\(x, t\), but .*: their assumptions differ",
    ),
    "another function of its name": (
        U - REAL,
        {"unknowns": U},
        "their assumptions differ",
    ),
    "coordinates of one name": (U - U.subs(X, Z), {}, "their assumptions differ"),
    "unlisted": (U + V, {"unknowns": (U,)}, r"has v\(x, t\), but only u\(x, t\)"),
    "boundary value": (U - U.subs(T, 0), {"unknowns": U}, "give points x there"),
    "derivative on a boundary": (U.diff(X).subs(X, 0) + U, {}, "write it with the coordinates"),
    "imaginary unit": (U.diff(T) + sympy.I * U, {}, "two unknown functions and two equations"),
    "integral": (sympy.Integral(U, X) + U, {}, "has a part of the kind Integral"),
    "number of coordinates": (sympy.Function("w")(X), {}, r"x has 2 columns, but w\(x\) has 1"),
    "repeated coordinates": (sympy.Function("w")(X, X), {}, "of different symbols"),
    "pole at a point": (U / (X - 1 / sympy.Integer(3)), {}, r"no finite value at x\[2\] = \(0.333"),
    "logarithm": (U.diff(X) - sympy.log(U - 1000), {}, "give scales= with the values"),
    "one without the unknown": ([U, X], {"unknowns": U}, "has none of the unknown functions"),
    "given a coordinate": (U, {"given": {X: 1.0}}, "symbols other than the coordinates x, t"),
    "given too short": (U - K, {"given": {K: [1.0]}}, r"given\[k\] has shape \(1,\)"),
    "given nan": (U - K, {"given": {K: np.nan}}, r"given\[k\] contains nan"),
    "empty": ([], {}, "equation is empty"),
    "nan": (U - sympy.nan, {}, "^equation is nan, but must be an expression with finite numbers"),
    "infinite factor": (
        U.diff(X) - sympy.oo * U,
        {},
        "^equation has no finite value at .*: write finite numbers in place of oo",
    ),
    "complex root": (
        U.diff(X) - sympy.root(-8, 3) * U,
        {},
        r"^equation has the complex number \(-1\)\*\*\(1/3\), but .* such as sympy.real_root\(-8, 3\) for",
    ),
    "complex arcsine": (
        U - sympy.asin(2),
        {},
        r"^equation has the complex number -?asin\(2\), but",
    ),
    "exponential beyond float64": (
        U.diff(X) - sympy.exp(1000) * U,
        {},
        r"^equation has the number exp\(1000\), which is beyond float64 \(about 1.8e308\): choose",
    ),
    "coefficient below float64": (
        U / 10**400 - X,
        {},
        "^equation has coefficients of the unknown function that are all 0 in float64, since they",
    ),
    "infinite": (U - sympy.oo, {}, "^equation is -oo, but must be"),
    "one of them nan": ([U, sympy.nan], {"unknowns": U}, r"^equation\[1\] is nan, but must be"),
    "point source": (
        U.diff(X, 2) - sympy.DiracDelta(X - 0.5),
        {},
        r"^equation has DiracDelta\(x - 0.5\), a point source .* such as a Gaussian, or give each",
    ),
    "point source of Macaulay": (
        U - sympy.SingularityFunction(X, 0.5, -1),
        {},
        "^equation has SingularityFunction.*, a point source",
    ),
    "derivative of a jump": (
        U - sympy.floor(3 * X).diff(X),
        {},
        "SymPy cannot evaluate this derivative, so write it as a formula",
    ),
    "an order": (U - X + sympy.O(X**2), {}, r"^equation has an order O .* removeO\(\)"),
    "accumulation": (
        U - sympy.AccumBounds(0, 1),
        {},
        "^equation has a part of the kind AccumulationBounds, for which SymPy has no code",
    ),
}
NO_CODE = "^equation has the function {}, for which SymPy has no code of NumPy or SciPy: write it"
NO_DERIVATIVE = "^equation has the function {}, but SymPy does not have its derivative with respect"
REJECTED |= {
    f"without code, {call.func.__name__}": (
        U - call,
        {},
        NO_CODE.format(name or call.func.__name__),
    )
    for call, name in (
        (sympy.elliptic_k(X / 2), None),
        (sympy.elliptic_k(U / 2), "elliptic_[ek]"),
        (sympy.expint(1, X), None),
        (sympy.expint(1, U), None),
        (sympy.hyper([1], [2], X), None),
        (sympy.polylog(2, X / 2), None),
        (sympy.KroneckerDelta(X, 1), None),
    )
}
REJECTED |= {
    f"without a derivative, {call.func.__name__}": (
        U - call,
        {},
        NO_DERIVATIVE.format(call.func.__name__),
    )
    for call in (sympy.zeta(U + 3), sympy.besselj(U, X), sympy.primepi(U), sympy.hyper([U], [2], X))
}


@for_all(("equation", "options", "sentence"), REJECTED.values(), ids=REJECTED)
def test_what_cannot_be_a_term_is_rejected_with_the_reason(equation, options, sentence):
    points = POINTS.copy()
    points[2, 0] = 1 / 3

    with pytest.raises(ValueError, match=sentence):
        kr.equation_term(equation, points, **options)


@pytest.mark.parametrize(
    ("equation", "options"),
    [("u", {}), (X > 1, {}), (U, {"unknowns": "u"}), (U, {"given": [1]}), (U, {"scales": (0, 1)})],
)
def test_what_has_the_wrong_type_is_rejected(equation, options):
    with pytest.raises(TypeError, match="but must be"):
        kr.equation_term(equation, POINTS, **options)


def test_a_network_of_another_number_of_outputs_is_rejected_before_training():
    for equation in (U * U.diff(X), U.diff(X)):
        equations = Equations([kr.equation_term(equation, POINTS)])
        with pytest.raises(ValueError, match=r"^equations\[0\].* model has 2 outputs"):
            equations.check(smooth_network(n_out=2))


def test_columns_of_a_table_are_the_coordinates_in_their_order():
    message = r"^x has the columns \('t', 'x'\), but needs \('x', 't'\)"
    with pytest.raises(ValueError, match=message):
        kr.equation_term(U - X, Frame.of(["t", "x"], POINTS[:, ::-1]))
    for names in (["x", "t"], ["length", "time"], ["t", "y"]):
        term = kr.equation_term(U - X, Frame.of(names, POINTS))
        np.testing.assert_array_equal(term.source[:, 0], POINTS[:, 0])


@pytest.mark.parametrize("scales", [None, kr.Scales([(-1, 1), (0, 1)], (0, 1))])
def test_equations_in_which_no_unknown_occurs_at_any_point_are_rejected(scales):
    points = np.column_stack([np.zeros(5), np.linspace(0.0, 1.0, 5)])
    message = " has no unknown function at any point of x, because all coefficients are 0 there"

    for equation in (X * U.diff(X) - 1, X * U.diff(X) ** 2 - T, K * U - 1):
        with pytest.raises(ValueError, match=f"^equation{message}.* other points$"):
            kr.equation_term(equation, points, given={K: 0.0}, scales=scales)
    with pytest.raises(ValueError, match=rf"^equation\[1\]{message}"):
        kr.equation_term([U.diff(X), K * U], points, given={K: np.zeros(5)}, scales=scales)


def test_an_unknown_that_occurs_at_one_point_or_for_other_values_is_enough():
    points = np.column_stack([np.arange(5.0), np.linspace(0.0, 1.0, 5)])

    assert kr.equation_term(sympy.Max(X - 3, 0) * U, points).residuals(np.ones((1, 1, 5))).any()
    kr.equation_term(sympy.Max(U - 1000, 0), points)


def test_functions_that_scipy_computes_as_complex_numbers_are_real():
    network = smooth_network()
    x = POINTS[:, 0]

    lambert = kr.equation_term(U - sympy.LambertW(X), POINTS)
    inverse = kr.equation_term(U.diff(X) - sympy.LambertW(U), POINTS)

    w = lambert.source[:, 0]
    np.testing.assert_allclose(w * np.exp(w), x, rtol=1e-13)
    assert np.isfinite(residuals_of(inverse, network)).all()
