"""Differential equations: as an objective, (J36) by loops, its gradient and rows by differences; and solved by fit.

For every kind of term and model; every optimizer, grids, systems, units, data beside equations.
"""

import numpy as np
import pytest
import sympy
from cases import for_all
from networks import clear_samples, formula_network, random_batch, random_network, with_formulas
from oracles_training import Function, Linear, random_polynomial, value_by_loops

import kan_ref as kr
from kan_ref.numerics.differences import central_difference
from kan_ref.numerics.row_sparse import dense_form
from kan_ref.pde import Equations, scales

# --- differential equations as an objective: (J36) by loops, its gradient and rows by differences, for every kind of term and model

WIDTHS = (2, 3, 2)
ACTIVATIONS = ("tanh", "silu")


def kan(rng, degrees, formulas=0.0, n=7):
    """A network with masked edges, zero splines and symbolic edges (some locked), and points that are not near knots."""
    while True:
        network = with_formulas(rng, random_network(rng, widths=WIDTHS, degrees=degrees, kind="uneven"), share=formulas)
        x = clear_samples(network, random_batch(rng, network.layers[0], 5 * n))[:n]
        if len(x) == n:
            return network, x


def perceptron(rng, activation, n=7):
    model = kr.init_mlp(WIDTHS, activation=activation, rng=rng)
    return model.with_theta(rng.normal(size=model.n_params)), rng.uniform(-1, 1, (n, 2))


MODELS = {f"degree {degree}": lambda rng, degree=degree: kan(rng, (degree,)) for degree in (2, 3, 4, 5)}
MODELS |= {f"degree {degree} with formulas": lambda rng, degree=degree: kan(rng, (degree,), 0.5) for degree in (2, 3)}
MODELS |= {"formulas alone": lambda rng: kan(rng, (3,), 1.0)}
MODELS |= {name: lambda rng, name=name: perceptron(rng, name) for name in ACTIVATIONS}


def crossing(x, u, du, d2u):
    """u_0 d_0 d_1 u_1 - sin(u_1), with by_d2u off the diagonal, and no derivative with respect to du."""
    n = len(x)
    by_u = np.stack([d2u[:, 1, 0, 1], -np.cos(u[:, 1])], axis=1)
    by_d2u = np.zeros((n, 2, 2, 2))
    by_d2u[:, 1, 0, 1] = u[:, 0]
    return u[:, 0] * d2u[:, 1, 0, 1] - np.sin(u[:, 1]), by_u, None, by_d2u


def shared(x, u, du, d2u):
    """One derivative in two entries: (d_0 d_1 + d_1 d_0) u_0 / 2 + d_0 u_1, each entry with its half."""
    by_du, by_d2u = np.zeros((len(x), 1, 2, 2)), np.zeros((len(x), 1, 2, 2, 2))
    by_du[:, 0, 1, 0] = 1.0
    by_d2u[:, 0, 0, 0, 1] = by_d2u[:, 0, 0, 1, 0] = 0.5
    return (d2u[:, 0, 0, 1] + d2u[:, 0, 1, 0])[:, None] / 2 + du[:, 1, :1], None, by_du, by_d2u


def linear(**make):
    """A linear condition whose arguments are drawn by functions of (rng, n)."""
    return lambda rng, x: Linear(x, {name: draw(rng, len(x)) for name, draw in make.items()})


def polynomial(weight=None, **options):
    handed = {name: options[name] for name in ("order", "pairs") if name in options}

    def make(rng, x):
        own = {} if weight is None else {"weight": weight(rng, len(x))}
        return Function(x, random_polynomial(rng, len(x), 2, 2, **options), handed | own)

    return make


def normal(*axes):
    """Draws of shape axes, "n" for the number of points."""
    return lambda rng, n: rng.normal(size=[n if axis == "n" else axis for axis in axes])


def positive(rng, n):
    return rng.uniform(0.1, 3.0, n)


TERMS = {
    "value": linear(zeroth=lambda rng, n: 1.0, source=normal("n", 2)),
    "diagonal": linear(second=normal(2)),
    "matrix": linear(second=normal(2, 2), source=lambda rng, n: 0.7),
    "matrix a point": linear(second=normal("n", 2, 2), source=normal("n", 2), weight=positive),
    "mixed derivative alone": linear(second=lambda rng, n: np.array([[0.0, 1.5], [0.0, 0.0]])),
    "drift": linear(first=normal(2), weight=lambda rng, n: 2.5),
    "drift a point": linear(first=normal("n", 2), zeroth=normal("n")),
    "everything": linear(
        second=normal(2, 2), first=normal("n", 2), zeroth=normal("n"), source=normal("n", 2), weight=positive
    ),
    "everything a point": linear(
        second=normal("n", 2, 2), first=normal(2), zeroth=lambda rng, n: -1.2, weight=positive
    ),
    "function of order 0": polynomial(order=0),
    "function of order 1": polynomial(order=1, flat=True, weight=positive),
    "function of order 2": polynomial(flat=True),
    "system": polynomial(n_residuals=3, weight=positive),
    "system of order 1": polynomial(n_residuals=2, order=1),
    "pair off the diagonal": polynomial(pairs=((0, 1),), n_residuals=2),
    "pairs in any order": polynomial(pairs=((1, 1), (0, 0))),
    "crossing": lambda rng, x: Function(x, crossing, {"pairs": ((1, 0),)}),
    "shared": lambda rng, x: Function(x, shared, {}),
}


def case(model, term, seed=0):
    """A model, one condition, and a value at other points, so that terms have to be added."""
    rng = np.random.default_rng([seed, list(MODELS).index(model), list(TERMS).index(term)])
    made, x = MODELS[model](rng)
    return made, [TERMS[term](rng, x[:5]), TERMS["value"](rng, x[5:])], rng


def prepared(model, conditions):
    return Equations([condition.term() for condition in conditions]).prepare(model)


def along(model, direction, function):
    """The derivative along a direction in theta, by Richardson extrapolation: with an error of h^4 instead of h^2.

    Cubes of second derivatives of size 100 have so large a third derivative along a direction that h^2 with h = 1e-6 is seen.
    """

    def moved(t):
        return function(model.replace_theta(model.theta + t * direction))

    return (4.0 * central_difference(moved, 5e-7) - central_difference(moved, 1e-6)) / 3.0


every_model = for_all("model", MODELS)
every_term = for_all("term", TERMS)


@every_model
@every_term
def test_the_value_is_that_of_loops_over_points_and_residuals(model, term):
    made, conditions, _ = case(model, term)
    goal, expected = prepared(made, conditions), value_by_loops(made, conditions)

    value, _ = goal.value_and_grad(made)
    residuals = goal.residuals(made)

    assert value == pytest.approx(expected, rel=1e-11)
    assert residuals @ residuals == pytest.approx(expected, rel=1e-11)


@every_model
@every_term
def test_the_gradient_is_the_derivative_of_the_value_along_a_random_direction(model, term):
    made, conditions, rng = case(model, term)
    goal, direction = prepared(made, conditions), rng.normal(size=made.n_params)

    value, gradient = goal.value_and_grad(made)
    slope = along(made, direction, lambda moved: np.sum(goal.residuals(moved) ** 2))

    size = np.abs(gradient * direction).sum()
    assert abs(gradient @ direction - slope) <= 1e-7 * size + 1e-9 * value


@every_model
@every_term
def test_rows_are_the_derivatives_of_the_residuals(model, term):
    made, conditions, rng = case(model, term)
    goal, direction = prepared(made, conditions), rng.normal(size=made.n_params)

    residuals, blocks = goal.linearize(made)
    rows = np.concatenate([dense_form(block) for block in blocks])
    changes = along(made, direction, goal.residuals)

    size = (np.abs(rows) @ np.abs(direction)).max()
    np.testing.assert_allclose(residuals, goal.residuals(made), rtol=1e-13)
    assert np.abs(rows @ direction - changes).max() <= 1e-7 * size + 1e-9 * np.abs(residuals).max()


@every_term
def test_the_gradient_is_twice_the_transposed_rows_times_the_residuals(term):
    model, conditions, _ = case("degree 3 with formulas", term)
    goal = prepared(model, conditions)

    _, gradient = goal.value_and_grad(model)
    residuals, blocks = goal.linearize(model)
    rows = np.concatenate([dense_form(block) for block in blocks])

    np.testing.assert_allclose(2.0 * rows.T @ residuals, gradient, rtol=0, atol=1e-12 * np.abs(gradient).max())


def test_what_is_prepared_once_serves_every_theta():
    model, conditions, rng = case("degree 3 with formulas", "everything")
    other = model.replace_theta(model.theta + 0.1 * rng.normal(size=model.n_params))

    found, expected = (prepared(one, conditions).value_and_grad(other) for one in (model, other))

    assert found[0] == expected[0]
    np.testing.assert_array_equal(found[1], expected[1])


def test_the_points_are_those_of_all_terms():
    x = np.arange(6.0).reshape(3, 2)
    terms = [kr.value_term(x), kr.linear_term(x + 10.0, first=[1.0, 1.0])]

    np.testing.assert_array_equal(Equations(terms).points, np.vstack([x, x + 10.0]))


# --- what terms are given


def residuals_of(model, *terms):
    return Equations(list(terms)).prepare(model).residuals(model)


def test_a_weight_multiplies_its_points_share_alone():
    model, (condition, _), rng = case("degree 3", "matrix a point")
    weight = rng.uniform(0.0, 2.0, 5)
    weight[3] = 0.0

    def squares(one):
        term = kr.linear_term(condition.x, **(condition.options | {"weight": one}))
        return residuals_of(model, term).reshape(2, 5) ** 2

    np.testing.assert_allclose(squares(weight), weight * squares(1.0), rtol=1e-13)
    np.testing.assert_allclose(squares(3.0), 3.0 * squares(1.0), rtol=1e-13)


def test_a_number_as_source_or_coefficient_is_meant_for_all_points_and_outputs():
    model, (condition, _), _ = case("degree 3", "matrix")
    x, n, matrix = condition.x, len(condition.x), condition.options["second"]
    spread = kr.linear_term(
        x, second=np.tile(matrix, (n, 1, 1)), first=np.ones((n, 2)), zeroth=np.full(n, 0.5), source=np.full((n, 2), 0.7)
    )
    short = kr.linear_term(x, second=matrix, first=np.ones(2), zeroth=0.5, source=0.7)

    np.testing.assert_allclose(residuals_of(model, spread), residuals_of(model, short), rtol=1e-12, atol=1e-13)


def test_a_value_term_is_the_mean_square_of_an_error_and_zero_without_a_value():
    model, (_, condition), _ = case("degree 3", "value")
    x, y = condition.x, condition.options["source"]

    for term, target in ((kr.value_term(x, y), y), (kr.value_term(x), 0.0)):
        residuals = residuals_of(model, term)
        assert residuals @ residuals == pytest.approx(np.mean((model(x) - target) ** 2), rel=1e-13)


def test_terms_keep_their_numbers_when_the_arrays_of_the_caller_change_and_are_read_only():
    model, (condition, _), _ = case("degree 3", "everything")
    given = {"x": condition.x.copy(), **condition.options}
    given = {name: np.array(value, dtype=float) for name, value in given.items()}
    term = kr.linear_term(given.pop("x"), **given)
    before = residuals_of(model, term)

    for array in given.values():
        array[...] = 7.0

    np.testing.assert_array_equal(residuals_of(model, term), before)
    for array in (term.x, term.source, kr.value_term([[0.0]]).x):
        assert not array.flags.writeable


def test_shapes_that_would_broadcast_are_refused_by_name():
    x = np.zeros((3, 2))
    for name, value in (
        ("second", np.ones((3, 3))),
        ("first", np.ones(3)),
        ("zeroth", np.ones((3, 1))),
        ("source", np.ones(3)),
        ("weight", np.ones((3, 1))),
    ):
        with pytest.raises(ValueError, match=f"^{name} has shape "):
            kr.linear_term(x, **({"zeroth": 1.0} | {name: value}))
    with pytest.raises(ValueError, match=r"^y has shape "):
        kr.value_term(x, np.ones(3))
    with pytest.raises(ValueError, match=r"^weight is "):
        kr.value_term(x, weight=-1.0)
    with pytest.raises(ValueError, match=r"^order is 3"):
        kr.function_term(x, crossing, order=3)
    with pytest.raises(ValueError, match=r"^linear_term needs "):
        kr.linear_term(x)


def test_pairs_are_refused_that_are_no_inputs_and_one_named_twice_counts_once():
    def mixed(x, u, du, d2u):
        by_d2u = np.zeros((len(x), 2, 2, 2))
        by_d2u[:, 0, 0, 1] = 1.0
        return d2u[:, 0, 0, 1], None, None, by_d2u

    x = np.full((1, 2), 0.3)
    model, _, _ = case("degree 3", "value")
    goals = [
        Equations([kr.function_term(x, mixed, pairs=pairs)]).prepare(model)
        for pairs in ([(0, 1)], [(0, 1), (1, 0)], None)
    ]

    gradients = [goal.value_and_grad(model)[1] for goal in goals]

    for gradient in gradients[1:]:
        np.testing.assert_allclose(gradient, gradients[0], rtol=1e-11, atol=1e-12)
    with pytest.raises(ValueError, match=r"^pairs is 2"):
        kr.function_term(x, mixed, pairs=[(0, 2)])


# --- equations and models that do not belong together


NETWORK = kr.init_network((2, 2), n_intervals=3, degree=3, domain=(-1, 1), rng=np.random.default_rng(0))
X = np.random.default_rng(0).uniform(-0.9, 0.9, (9, 2))


@for_all("wrong", [[], 3, "terms", kr.value_term(X), [kr.value_term(X), 3]])
def test_equations_are_a_list_of_terms(wrong):
    with pytest.raises((TypeError, ValueError), match=r"^equations(\[1\])? is "):
        Equations(wrong)


def test_terms_of_different_variables_are_refused():
    with pytest.raises(ValueError, match=r"^equations\[1\] has 1 variable, but equations\[0\] has 2"):
        Equations([kr.value_term(X), kr.value_term(X[:, :1])])


@for_all("model", [NETWORK, kr.init_mlp((2, 2), activation="tanh", rng=np.random.default_rng(0))])
def test_a_model_of_other_inputs_or_outputs_is_refused(model):
    with pytest.raises(ValueError, match=r"^equations have 1 variable"):
        Equations([kr.value_term(X[:, :1])]).check(model)
    with pytest.raises(ValueError, match=r"^equations\[1\] gives values for 3, but .* 2 outputs"):
        Equations([kr.value_term(X), kr.value_term(X, np.ones((9, 3)))]).check(model)
    Equations([kr.value_term(X), kr.value_term(X, np.ones((9, 2)))]).check(model)


def test_a_model_without_derivatives_by_its_inputs_is_refused():
    model = kr.init_lan((2, 1), n_intervals=3, degree=3, domain=(-1, 1), rng=np.random.default_rng(0))
    with pytest.raises(TypeError, match=r"^network is "):
        Equations([kr.value_term(X)]).check(model)


def term_of(order):
    return kr.linear_term(X, **{1: {"first": [1.0, 0.0]}, 2: {"second": [1.0, 0.0]}}[order])


@for_all("base", ["silu", "zero"])
@for_all(("order", "degree"), [(1, 0), (2, 0), (2, 1), (1, 1), (2, 2)])
def test_splines_with_jumps_that_no_residual_shows_are_refused(order, degree, base):
    """A staircase of degree 0 beside the identity has u' = 1 at every point, whatever its steps are."""
    given = {"n_intervals": 3, "domain": (-1, 1), "base": base, "rng": np.random.default_rng(0)}
    first = kr.init_network((2, 1), degree=3, **given).layers
    network = kr.Network((*first, *kr.init_network((1, 1), degree=degree, **given).layers))
    equations = Equations([kr.value_term(X), term_of(order)])

    if degree >= order:
        equations.check(network)
        return
    with pytest.raises(ValueError, match=rf"^equations\[1\] has derivatives of order {order}, whi"):
        equations.check(network)
    symbolic = kr.fix_symbolic(network, 1, output=0, input=0, name="x^2")
    equations.check(symbolic)  # it has no splines of that degree


def test_an_mlp_that_does_not_bend_is_refused_for_equations_of_second_order():
    model = kr.init_mlp((2, 5, 1), activation="relu", rng=np.random.default_rng(0))

    Equations([term_of(1)]).check(model)
    with pytest.raises(ValueError, match=r"^equations\[0\] has derivatives of order 2"):
        Equations([term_of(2)]).check(model)


@for_all(("order", "name"), [(1, "sqrt"), (2, "x^1.5")])
def test_a_point_without_the_derivative_of_an_equation_is_refused_by_term_sample_and_edge(order, name):
    x = np.array([[0.5, 0.5], [0.0, 0.5]])
    network = kr.fix_symbolic(NETWORK, 0, output=0, input=0, name=name)
    terms = [kr.linear_term(x, zeroth=1.0, **{("first", "second")[order - 1]: [1.0, 1.0]})]

    with pytest.raises(ValueError, match=r"^equations\[0\].x\[1\] gives .* finite value$"):
        Equations(terms).check(network)
    lower = kr.value_term(x) if order == 1 else kr.linear_term(x, first=[1.0, 1.0])
    Equations([lower]).check(network)


def test_terms_with_other_scales_or_none_beside_them_are_refused():
    import sympy

    t = sympy.Symbol("t")
    u, times = sympy.Function("u")(t), [[0.0], [2.0], [10.0]]

    def decay(values=(0.0, 1.0), domain=(0.0, 10.0)):
        return kr.equation_term(u.diff(t) + u, times, scales=kr.Scales([domain], values))

    Equations([decay(), decay(values=[(0.0, 1.0)])])
    for other in (
        decay(values=(0.0, 2.0)),
        decay(domain=(0.0, 11.0)),
        kr.value_term([[0.0]], 1.0),
        kr.equation_term(u.diff(t) + u, times),
    ):
        for terms in ([decay(), other], [other, decay()]):
            with pytest.raises(ValueError, match=r"^equations\[1\] has scales="):
                Equations(terms)


def test_the_orders_of_an_equation_are_counted_for_each_input():
    def orders(**given):
        return scales.orders_of(kr.linear_term(X, **given).kind).tolist()

    assert orders(first=[1.0, 0.0], second=[0.0, -1.0]) == [1, 2]
    assert orders(second=[0.0, -1.0]) == [0, 2]
    assert orders(second=[[0.0, 1.0], [0.0, 0.0]]) == [2, 2]
    assert orders(first=np.tile([0.0, 1.0], (9, 1))) == [0, 1]
    assert orders(zeroth=1.0) == [0, 0]


# --- solutions that are known

SIDE = np.linspace(-0.95, 0.95, 8)
SQUARE = np.stack(np.meshgrid(SIDE, SIDE), axis=-1).reshape(-1, 2)
LINE = np.linspace(0.1, 0.9, 9)[:, None]


def product_of_sines():
    """sin(pi x) sin(pi y) = (cos(pi (x - y)) - cos(pi (x + y))) / 2."""
    sums = [(0, 0, "x", (1, 0, 1, 0)), (0, 1, "x", (1, 0, -1, 0)), (1, 0, "x", (1, 0, 1, 0)), (1, 1, "x", (1, 0, 1, 0))]
    return formula_network(sums, [(0, i, "sin", (np.pi, np.pi / 2, 0.5 - i, 0)) for i in (0, 1)], widths=(2, 2, 1))


def decaying_wave():
    """exp(-pi^2 t) sin(pi x) = exp(-pi^2 t + log sin(pi x)) for (t, x)."""
    first = [(0, 0, "x", (1, 0, -(np.pi**2), 0)), (1, 1, "sin", (np.pi, 0, 1, 0))]
    return formula_network(
        first,
        [(0, 0, "x", (1, 0, 1, 0)), (0, 1, "log", (1, 0, 1, 0))],
        [(0, 0, "exp", (1, 0, 1, 0))],
        widths=(2, 2, 1, 1),
    )


def burgers(x, u, du, d2u):
    """u u' - 0.1 u'', solved by -tanh(5 x)."""
    by_d2u = np.full((len(x), 1, 1, 1), -0.1)
    return u[:, 0] * du[:, 0, 0] - 0.1 * d2u[:, 0, 0, 0], du[:, :, 0], u[:, :, None], by_d2u


def rotation(x, u, du, d2u):
    """A system of first order, u_0' = pi u_1 and u_1' = -pi u_0, solved by (sin pi x, cos pi x)."""
    by_u = np.tile([[0.0, -np.pi], [np.pi, 0.0]], (len(x), 1, 1))
    return (
        du[:, :, 0] + np.stack([-np.pi * u[:, 1], np.pi * u[:, 0]], axis=1),
        by_u,
        np.tile(np.eye(2)[:, :, None], (len(x), 1, 1, 1)),
        None,
    )


def sines_of(points):
    return np.prod(np.sin(np.pi * points), axis=1, keepdims=True)


SOLVED = {
    "Poisson": (
        product_of_sines,
        lambda: kr.linear_term(SQUARE, second=[1, 1], source=-2 * np.pi**2 * sines_of(SQUARE)),
    ),
    "Helmholtz": (product_of_sines, lambda: kr.linear_term(SQUARE, second=[1, 1], zeroth=2 * np.pi**2)),
    "mixed derivative": (
        product_of_sines,
        lambda: kr.linear_term(
            SQUARE, second=[[0, 0.5], [0.5, 0]], source=np.pi**2 * np.prod(np.cos(np.pi * SQUARE), axis=1)[:, None]
        ),
    ),
    "heat": (decaying_wave, lambda: kr.linear_term(np.hstack([LINE / 5, LINE]), second=[0, -1], first=[1, 0])),
    "Burgers": (
        lambda: formula_network([(0, 0, "tanh", (5, 0, -1, 0))], widths=(1, 1)),
        lambda: kr.function_term(LINE, burgers, pairs=((0, 0),)),
    ),
    "rotation": (
        lambda: formula_network(
            [(0, 0, "sin", (np.pi, 0, 1, 0)), (1, 0, "sin", (np.pi, np.pi / 2, 1, 0))], widths=(1, 2)
        ),
        lambda: kr.function_term(LINE, rotation, order=1),
    ),
}


@for_all("name", SOLVED)
def test_a_network_that_is_the_solution_leaves_nothing_of_the_equation(name):
    network, term = SOLVED[name][0](), SOLVED[name][1]()

    Equations([term]).check(network)

    assert np.abs(residuals_of(network, term)).max() <= 1e-13


# --- equations are solved by fit: every optimizer, grids, systems, units, data beside equations

INSIDE = np.linspace(-1.0, 1.0, 41)[:, None]
ENDS = np.array([[-1.0], [1.0]])
TEST = np.linspace(-0.97, 0.97, 50)[:, None]


def sine(x):
    return np.sin(np.pi * x)


# u'' = -pi^2 sin(pi x) on [-1, 1], u = 0 at both ends: u = sin(pi x)
POISSON = [kr.linear_term(INSIDE, second=[1.0], source=-(np.pi**2) * sine(INSIDE), weight=0.01), kr.value_term(ENDS)]


def small_kan(widths=(1, 1), n_intervals=5, degree=4):
    rng = np.random.default_rng(0)
    return kr.init_network(widths, n_intervals=n_intervals, degree=degree, domain=(-1.0, 1.0), rng=rng)


def small_perceptron(activation="tanh"):
    return kr.init_mlp((1, 8, 1), activation=activation, rng=np.random.default_rng(0))


def error(model, points=TEST):
    return float(np.sqrt(np.mean((model(points) - sine(points)) ** 2)))


@for_all("optimizer", ["lm", "lbfgs", "adam"])
def test_every_optimizer_lowers_what_is_left_of_the_equation(optimizer):
    run = kr.fit(small_kan((1, 3, 1)), equations=POISSON, optimizer=optimizer, n_steps=60)

    assert run.history.train_rmse[-1] < 0.5 * run.history.train_rmse[0]
    assert error(run.network) < 0.75 * error(small_kan((1, 3, 1)))


@for_all("activation", ["tanh", "silu"])
def test_perceptrons_solve_equations_too(activation):
    assert error(kr.fit(small_perceptron(activation), equations=POISSON, n_steps=150).network) < 0.1


def test_finer_grids_come_nearer_to_the_solution():
    run = kr.fit(small_kan((1, 2, 1), 3), equations=POISSON, grids=(3, 6, 12), n_steps=25)
    ends = [run.history.train_rmse[run.history.n_intervals == n][-1] for n in (3, 6, 12)]

    assert ends[2] < 0.2 * ends[1] < 0.04 * ends[0]
    assert error(run.network) < 1e-3


def test_hidden_grids_follow_the_points_of_all_terms():
    """The first layer's outputs leave the grid of the second: if it does not follow, its B-splines are zero there."""
    network = small_kan((1, 2, 1))
    theta = network.theta.copy()
    theta[: network.layers[0].coef.size] += 6.0
    far = network.with_theta(theta)

    steps = []  # the second is so short that it changes next to nothing
    kr.fit(far, equations=POISSON, n_steps=1, optimizer=kr.LM(damping=1e12), callback=steps.append)
    followed = steps[1].network

    inner = kr.Network(followed.layers[:1])(np.concatenate([INSIDE, ENDS]))
    rows = followed.layers[1].breakpoints
    assert (rows[:, 0] <= inner.min(axis=0)).all()
    assert (inner.max(axis=0) <= rows[:, -1]).all()


def logistic(x, u, du, d2u):
    """u' = u (1 - u)."""
    return du[:, 0, 0] - u[:, 0] * (1 - u[:, 0]), 2 * u - 1, np.ones((len(x), 1, 1)), None


@for_all("model", [small_kan(n_intervals=10), small_perceptron()])
def test_an_equation_by_a_function_is_solved(model):
    terms = [kr.function_term(INSIDE, logistic, order=1), kr.value_term([[0.0]], 0.5)]

    run = kr.fit(model, equations=terms, n_steps=60)

    assert np.abs(run.network(TEST) - 1 / (1 + np.exp(-TEST))).max() < 1e-3


def test_a_system_of_two_outputs_is_solved():
    """u_0' = pi u_1, u_1' = -pi u_0 and one value of both."""

    def rotation(x, u, du, d2u):
        by_u = np.tile([[0.0, -np.pi], [np.pi, 0.0]], (len(x), 1, 1))
        residual = du[:, :, 0] + np.stack([-np.pi * u[:, 1], np.pi * u[:, 0]], axis=1)
        return residual, by_u, np.tile(np.eye(2)[:, :, None], (len(x), 1, 1, 1)), None

    terms = [kr.function_term(INSIDE, rotation, order=1), kr.value_term([[0.0]], [[0.0, 1.0]])]
    run = kr.fit(small_kan((1, 2), 16), equations=terms, n_steps=40)

    np.testing.assert_allclose(run.network(TEST), np.hstack([sine(TEST), np.cos(np.pi * TEST)]), atol=1e-3)


def test_a_network_that_solves_the_problem_stays():
    solved = kr.fix_symbolic(small_kan(), 0, output=0, input=0, name="sin", affine=(np.pi, 0.0, 1.0, 0.0))

    run = kr.fit(solved, equations=POISSON, n_steps=5)

    np.testing.assert_allclose(run.network.theta, solved.theta, rtol=0, atol=1e-12)


def test_formulas_find_their_constants_in_the_equation():
    """a sin(b x) with a and b beside pi and 1; no sample of u is given."""
    near = kr.fix_symbolic(small_kan(), 0, output=0, input=0, name="sin", affine=(3.0, 0.05, 0.9, 0.02))

    assert error(kr.fit(near, equations=POISSON, n_steps=30).network) <= 1e-12


def test_measurements_stand_in_for_boundary_conditions_and_test_data_only_report():
    """u'' alone leaves a straight line open; three measured values fix it."""
    x = np.linspace(-0.9, 0.9, 3)[:, None]
    data = kr.Data(x, sine(x), TEST, sine(TEST))

    run = kr.fit(small_kan(n_intervals=20), data, equations=POISSON[:1], n_steps=30)

    assert error(run.network) < 1e-4
    assert run.history.test_rmse[-1] == pytest.approx(error(run.network), rel=1e-9)


def test_a_solution_may_be_known_as_test_data_alone():
    data = kr.Data(TEST[:0], TEST[:0], TEST, sine(TEST))

    with_test, without = (kr.fit(small_kan((1, 2, 1)), one, equations=POISSON, n_steps=8) for one in (data, None))

    np.testing.assert_array_equal(with_test.network.theta, without.network.theta)
    assert with_test.history.test_rmse[-1] == pytest.approx(error(with_test.network), rel=1e-9)
    assert np.isnan(without.history.test_rmse).all()


def test_an_unknown_coefficient_is_found_from_measurements():
    """An inverse problem, u'' = -k u with k = pi^2 unknown: the second output is k, a constant by its own equation."""

    def oscillator(x, u, du, d2u):
        by_u = np.stack([np.stack([u[:, 1], u[:, 0]], axis=1), np.zeros_like(u)], axis=1) / 10
        by_du, by_d2u = np.zeros((len(x), 2, 2, 1)), np.zeros((len(x), 2, 2, 1, 1))
        by_du[:, 1, 1] = 1.0
        by_d2u[:, 0, 0] = 0.1
        residual = np.stack([(d2u[:, 0, 0, 0] + u[:, 0] * u[:, 1]) / 10, du[:, 1, 0]], axis=1)
        return residual, by_u, by_du, by_d2u

    def measured(x, u, du, d2u):
        return u[:, 0] - sine(x[:, 0]), np.tile([1.0, 0.0], (len(x), 1)), None, None

    terms = [kr.function_term(INSIDE, oscillator), kr.function_term(INSIDE[::4], measured, order=0)]
    run = kr.fit(small_kan((1, 2), 12, degree=5), equations=terms, n_steps=60)

    np.testing.assert_allclose(run.network(TEST)[:, 1], np.pi**2, rtol=1e-4)


def test_a_network_in_units_has_grids_on_the_bounds_of_its_scales():
    layers = kr.Scales([(2.0, 6.0)], [(3.0, 5.0)]).network(small_kan((1, 3, 1))).layers

    assert layers[0].breakpoints[0, [0, -1]].tolist() == [2.0, 6.0]
    assert layers[-1].breakpoints[0, [0, -1]].tolist() == [-1.0, 1.0]


@for_all(("length", "size"), [(1e-3, 1e6), (1e4, 1e-5)])
def test_with_scales_an_equation_is_solved_in_any_units(length, size):
    """u' = -3 u / length on [0, length], u(0) = size, in the units of x and u."""
    x = sympy.Symbol("x")
    u, points = sympy.Function("u")(x), length * np.linspace(0.0, 1.0, 40)[:, None]
    scales = kr.Scales([(0.0, length)], (0.0, size))
    terms = [
        kr.equation_term(u.diff(x) + 3 / length * u, points, scales=scales),
        kr.equation_term(u - size, points[:1], scales=scales),
    ]

    solution = scales.network(kr.fit(small_kan(n_intervals=10), equations=terms, n_steps=30).network)

    exact = size * np.exp(-3.0 * points / length)
    assert np.abs(solution(points) - exact).max() <= 1e-4 * size


# --- units


def test_scales_map_their_bounds_to_minus_one_and_one_wherever_they_lie():
    scales = kr.Scales(domain=[(2.0, 6.0), (-3.0, -1.0)], values=[(3.0, 5.0), (-8.0, -4.0)])

    assert scales.inputs([[2.0, -3.0], [4.0, -2.0], [6.0, -1.0]]).tolist() == [[v, v] for v in (-1, 0, 1)]
    assert scales.outputs([[3.0, -8.0], [4.0, -6.0], [5.0, -4.0]]).tolist() == [[v, v] for v in (-1, 0, 1)]


def test_scales_of_another_number_of_unknowns_or_coordinates_are_rejected():
    scales = kr.Scales([(0, 1), (0, 1)], [(0, 1), (2, 3)])

    with pytest.raises(ValueError, match="values has bounds of 2 unknowns, but there are 1"):
        scales.network(small_kan((2, 1)))
    with pytest.raises(ValueError, match=r"^network is .* domain has bounds of 1"):
        kr.Scales([(0, 1)], (0, 1)).network(small_kan((2, 1)))
    assert kr.Scales([(0, 1)], (0, 2)).outputs([[1.0, 2.0]]).tolist() == [[0.0, 1.0]]
