"""Differential equations as an objective: (J36) by loops, its gradient and rows by differences, for every kind of term and model."""

import numpy as np
import pytest
from cases import for_all
from hypothesis import given, settings
from networks import (
    clear_samples,
    formula_network,
    goal_objective,
    random_batch,
    random_network,
    seeds,
    with_formulas,
)
from oracles_training import Function, Linear, random_polynomial, value_by_loops

import kan_ref as kr
from kan_ref.numerics.differences import central_difference
from kan_ref.numerics.row_sparse import dense_form, multiply, multiply_transposed
from kan_ref.pde.problem import PreparedProblem
from kan_ref.pde.residual_terms import FunctionTerm, LinearTerm, weights_of
from kan_ref.sparsity.penalties import PenaltyWeights
from kan_ref.training.data_goal import check_penalty

WIDTHS = (2, 3, 2)
ACTIVATIONS = ("tanh", "silu")


def objective_of(model, conditions, **options):
    """The objective of `fit(problem=)` for conditions of `oracles_training`."""
    problem = kr.residual_problem([condition.term() for condition in conditions])
    prepared = problem.prepare(model)
    return goal_objective(model, prepared, problem.points, **options)


def kan(rng, degrees, formulas=0.0, n=7):
    """A network with masked edges, zero splines and symbolic edges (some locked), and points that are not near knots."""
    while True:
        network = with_formulas(
            rng, random_network(rng, widths=WIDTHS, degrees=degrees, kind="uneven"), share=formulas
        )
        x = clear_samples(network, random_batch(rng, network.layers[0], 5 * n))[:n]
        if len(x) == n:
            return network, x


def perceptron(rng, activation, n=7):
    model = kr.init_mlp(WIDTHS, activation=activation, rng=rng)
    return model.with_theta(rng.normal(size=model.n_params)), rng.uniform(-1, 1, (n, 2))


MODELS = {
    f"degree {degree}": lambda rng, degree=degree: kan(rng, (degree,)) for degree in (2, 3, 4, 5)
}
MODELS |= {
    f"degree {degree} with formulas": lambda rng, degree=degree: kan(rng, (degree,), 0.5)
    for degree in (2, 3)
}
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
        second=normal(2, 2),
        first=normal("n", 2),
        zeroth=normal("n"),
        source=normal("n", 2),
        weight=positive,
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


# --- the three checks: they assert, and are shown faults below


def difference(function):
    """The derivative at 0 of a function of one variable, by Richardson extrapolation: with an error of h^4 instead of h^2.

    Cubes of second derivatives of size 100 have so large a third derivative along a direction that h^2 with h = 1e-6 is seen.
    """
    return (4.0 * central_difference(function, 5e-7) - central_difference(function, 1e-6)) / 3.0


def check_value(model, conditions):
    objective = objective_of(model, conditions)
    expected = value_by_loops(model, conditions)

    value, _ = objective.value_and_grad(objective.start())
    residuals = objective.residuals(objective.start())

    assert value == pytest.approx(expected, rel=1e-11)
    assert residuals @ residuals == pytest.approx(expected, rel=1e-11)
    assert objective.goal.value(model) == pytest.approx(expected, rel=1e-11)


def check_gradient(model, conditions, rng, **options):
    objective = objective_of(model, conditions, **options)
    theta, direction = objective.start(), rng.normal(size=len(objective.start()))

    def along(t):
        if "penalty" in options:
            return objective.value_and_grad(theta + t * direction)[0]
        residuals = objective.residuals(theta + t * direction)  # cheaper: no gradient
        return residuals @ residuals

    value, gradient = objective.value_and_grad(theta)
    slope = difference(along)

    assert (
        abs(gradient @ direction - slope)
        <= 1e-7 * np.abs(gradient * direction).sum() + 1e-9 * value
    )


def check_rows(model, conditions, rng):
    objective = objective_of(model, conditions)
    theta, direction = objective.start(), rng.normal(size=model.n_params)

    residuals, jacobian = objective.linearize(theta)
    changes = difference(lambda t: objective.residuals(theta + t * direction))

    scale = np.abs(dense_form(jacobian)) @ np.abs(direction)
    np.testing.assert_array_equal(residuals, objective.residuals(theta))
    assert (
        np.abs(multiply(jacobian, direction) - changes)
        <= 1e-7 * scale.max() + 1e-9 * np.abs(residuals).max()
    ).all()


every_model = for_all("model", MODELS)
every_term = for_all("term", TERMS)


@every_model
@every_term
def test_the_value_is_that_of_loops_over_points_and_residuals(model, term):
    made, conditions, _ = case(model, term)

    check_value(made, conditions)


@every_model
@every_term
def test_the_gradient_is_the_derivative_of_the_value_along_a_random_direction(model, term):
    check_gradient(*case(model, term))


@every_model
@every_term
def test_rows_are_the_derivatives_of_the_residuals_and_linearize_has_the_same_residuals_bit_for_bit(
    model, term
):
    check_rows(*case(model, term))


@every_term
def test_the_gradient_is_twice_the_transposed_rows_times_the_residuals(term):
    model, conditions, _ = case("degree 3 with formulas", term)
    objective = objective_of(model, conditions)

    _, gradient = objective.value_and_grad(objective.start())
    residuals, jacobian = objective.linearize(objective.start())

    np.testing.assert_allclose(
        2.0 * multiply_transposed(jacobian, residuals),
        gradient,
        rtol=0,
        atol=1e-12 * np.abs(gradient).max(),
    )


@settings(max_examples=5)
@given(seeds)
def test_all_kinds_of_terms_together_have_the_right_gradient_and_rows(seed):
    rng = np.random.default_rng(seed)
    model, x = kan(rng, (2, 3, 4, 5), formulas=0.3, n=6)
    conditions = [make(rng, x) for make in TERMS.values()]

    check_gradient(model, conditions, rng)
    check_rows(model, conditions, rng)


def test_one_variable_and_one_output_are_nothing_special():
    rng = np.random.default_rng(0)
    network = random_network(rng, widths=(1, 2, 1), degrees=(4,), kind="uneven", dead=0.0)
    x = clear_samples(network, random_batch(rng, network.layers[0], 20))[:6]
    options = {
        "second": np.array([2.0]),
        "first": rng.normal(size=(6, 1)),
        "source": rng.normal(size=(6, 1)),
    }
    conditions = [Linear(x, options), Function(x, random_polynomial(rng, 6, 1, 1, flat=True), {})]

    check_value(network, conditions)
    check_gradient(network, conditions, rng)
    check_rows(network, conditions, rng)


# --- weights


def test_a_weight_multiplies_its_points_share_alone():
    model, (condition, _), rng = case("degree 3", "matrix a point")
    weight = rng.uniform(0.0, 2.0, 5)

    def value(one):
        return objective_of(
            model, [Linear(condition.x, condition.options | {"weight": one})]
        ).goal.value(model)

    apart = [value(np.eye(5)[b]) for b in range(5)]

    assert value(weight) == pytest.approx(weight @ apart, rel=1e-13)
    assert value(3.0) == pytest.approx(3.0 * sum(apart), rel=1e-13)


def test_points_of_weight_zero_move_nothing():
    model, (condition, _), _ = case("degree 3", "system")
    condition.options["weight"] = np.array([1.0, 0.0, 2.0, 0.0, 0.0])
    objective = objective_of(model, [condition])

    residuals, jacobian = objective.linearize(objective.start())

    idle = np.tile(condition.options["weight"] == 0.0, 3)
    assert not residuals[idle].any()
    assert not dense_form(jacobian)[idle].any()
    assert residuals[~idle].all()


def test_a_number_as_source_or_coefficient_is_meant_for_all_points_and_outputs():
    model, (condition, _), _ = case("degree 3", "matrix")
    x, n = condition.x, len(condition.x)
    matrix = condition.options["second"]
    spread = Linear(
        x,
        {
            "second": np.tile(matrix, (n, 1, 1)),
            "first": np.ones((n, 2)),
            "zeroth": np.full(n, 0.5),
            "source": np.full((n, 2), 0.7),
        },
    )
    short = Linear(x, {"second": matrix, "first": np.ones(2), "zeroth": 0.5, "source": 0.7})

    values = [objective_of(model, [one]).goal.residuals(model) for one in (spread, short)]

    np.testing.assert_allclose(values[0], values[1], rtol=1e-13)


def test_a_value_term_is_the_linear_term_of_order_zero():
    model, (_, condition), _ = case("degree 3", "value")
    named = kr.residual_problem([kr.value_term(condition.x, condition.options["source"])])

    prepared = named.prepare(model)

    assert prepared.value(model) == objective_of(model, [condition]).goal.value(model)
    assert prepared.value(model) == pytest.approx(
        np.mean((model(condition.x) - condition.options["source"]) ** 2), rel=1e-13
    )


def test_a_model_that_was_not_evaluated_last_is_judged_by_its_own_value():
    model, (condition, _), _ = case("degree 3", "value")
    other = model.replace_theta(1.25 * model.theta)
    problem = kr.residual_problem([condition.term()])
    prepared = problem.prepare(model)

    prepared.value_and_grad(model)
    own, root, _ = prepared.judge(other)

    assert own == problem.prepare(other).value(other) != prepared.value(model)
    assert root == np.sqrt(own)


def test_the_model_that_was_evaluated_last_is_judged_by_the_value_that_is_known(monkeypatch):
    model, (condition, _), _ = case("degree 3", "value")
    prepared = kr.residual_problem([condition.term()]).prepare(model)
    known, _ = prepared.value_and_grad(model)

    def evaluated(*arguments):
        raise AssertionError("the value was computed again")

    monkeypatch.setattr(PreparedProblem, "value", evaluated)

    judged, *_ = prepared.judge(model.replace_theta(model.theta.copy()))

    assert judged == pytest.approx(known, rel=1e-14)


def test_lists_integers_and_float32_are_numbers_too():
    x = [[0, 1], [1, -1], [0, 0]]
    plain = {
        "second": np.array([[1.0, 0.5], [0.0, 2.0]]),
        "first": np.ones((3, 2)),
        "zeroth": np.arange(3.0),
        "source": np.ones((3, 2)),
    }
    forms = [
        {name: form(value) for name, value in plain.items()}
        for form in (np.ndarray.tolist, np.float32, np.asfortranarray)
    ]
    model, _, _ = case("degree 3", "matrix")

    values = [
        objective_of(model, [Linear(np.array(x), options)]).goal.residuals(model)
        for options in (plain, *forms)
    ]
    term = kr.linear_term(x, **plain)

    assert all((value == values[0]).all() for value in values)
    assert (term.x.dtype, term.x.shape) == (np.float64, (3, 2))


# --- what (O1) adds


def test_smoothness_is_added_to_value_gradient_and_rows():
    model, conditions, rng = case("degree 3 with formulas", "everything")
    plain, smooth = (
        objective_of(model, conditions),
        objective_of(model, conditions, smoothness_weight=0.3),
    )
    theta = plain.start()

    added = smooth.value_and_grad(theta)[0] - plain.value_and_grad(theta)[0]
    residuals, jacobian = smooth.linearize(theta)

    assert added == pytest.approx(smooth.added(model), rel=1e-9)
    assert added > 0.0
    assert residuals @ residuals == pytest.approx(smooth.value_and_grad(theta)[0], rel=1e-12)
    np.testing.assert_allclose(
        2.0 * multiply_transposed(jacobian, residuals),
        smooth.value_and_grad(theta)[1],
        rtol=0,
        atol=1e-9 * np.abs(residuals).max(),
    )
    check_gradient(model, conditions, rng, smoothness_weight=0.3)


@pytest.mark.parametrize("kind", ["paper", "pykan", "coef"])
def test_penalties_on_edges_are_taken_at_all_points_together(kind):
    model, conditions, rng = case("degree 3 with formulas", "everything")
    penalty = check_penalty(kind, 0.3, 1.0, 2.0)
    plain, penalized = (
        objective_of(model, conditions),
        objective_of(model, conditions, penalty=penalty),
    )
    points = np.concatenate([condition.x for condition in conditions])
    target = model(points) + 1.0  # a mean square of 1, so that the penalty is visible in the sum

    added = penalized.value_and_grad(plain.start())[0] - plain.value_and_grad(plain.start())[0]
    of_data = kr.value_and_grad(
        model, points, target, penalty_weight=0.3, entropy_weight=2.0, penalty=kind
    )[0]

    assert added == pytest.approx(of_data - 1.0, rel=1e-9)
    assert penalized.added(model) == pytest.approx(added, rel=1e-9)
    check_gradient(model, conditions, rng, penalty=penalty)


def test_with_a_penalty_on_edges_there_are_no_residuals():
    model, conditions, _ = case("degree 3", "everything")
    objective = objective_of(model, conditions, penalty=PenaltyWeights(1.0, 1.0, 1.0, "paper"))

    with pytest.raises(ValueError, match="the objective is not a sum of squares"):
        objective.residuals(objective.start())


@pytest.mark.parametrize(
    "names", [("coef",), ("w_base", "symbolic"), ("w_spline", "coef", "w_base")]
)
def test_a_part_of_theta_has_its_entries_of_gradient_and_rows(names):
    model, conditions, _ = case("degree 3 with formulas", "system")
    whole, part = objective_of(model, conditions), objective_of(model, conditions, trainable=names)

    _, jacobian = whole.linearize(whole.start())
    _, part_jacobian = part.linearize(part.start())

    np.testing.assert_array_equal(
        part.value_and_grad(part.start())[1], whole.value_and_grad(whole.start())[1][part.free]
    )
    np.testing.assert_array_equal(dense_form(part_jacobian), dense_form(jacobian)[:, part.free])
    assert 0 < part.free.sum() < len(part.free)


def test_an_objective_of_equations_prints_points_and_no_numbers():
    model, conditions, _ = case("degree 3", "everything")
    objective = objective_of(model, conditions)

    assert (
        repr(objective)
        == f"Objective({model!r}, equations at 7 points, {model.n_params} trainable parameters)"
    )


# --- solutions that are known

SIDE = np.linspace(-0.95, 0.95, 8)
SQUARE = np.stack(np.meshgrid(SIDE, SIDE), axis=-1).reshape(-1, 2)
LINE = np.linspace(0.1, 0.9, 9)[:, None]


def product_of_sines():
    """sin(pi x) sin(pi y) = (cos(pi (x - y)) - cos(pi (x + y))) / 2."""
    sums = [
        (0, 0, "x", (1, 0, 1, 0)),
        (0, 1, "x", (1, 0, -1, 0)),
        (1, 0, "x", (1, 0, 1, 0)),
        (1, 1, "x", (1, 0, 1, 0)),
    ]
    return formula_network(
        sums, [(0, i, "sin", (np.pi, np.pi / 2, 0.5 - i, 0)) for i in (0, 1)], widths=(2, 2, 1)
    )


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
    "Helmholtz": (
        product_of_sines,
        lambda: kr.linear_term(SQUARE, second=[1, 1], zeroth=2 * np.pi**2),
    ),
    "mixed derivative": (
        product_of_sines,
        lambda: kr.linear_term(
            SQUARE,
            second=[[0, 0.5], [0.5, 0]],
            source=np.pi**2 * np.prod(np.cos(np.pi * SQUARE), axis=1)[:, None],
        ),
    ),
    "heat": (
        decaying_wave,
        lambda: kr.linear_term(np.hstack([LINE / 5, LINE]), second=[0, -1], first=[1, 0]),
    ),
    "Burgers": (
        lambda: formula_network([(0, 0, "tanh", (5, 0, -1, 0))], widths=(1, 1)),
        lambda: kr.function_term(LINE, burgers, pairs=((0, 0),)),
    ),
    "rotation": (
        lambda: formula_network(
            [(0, 0, "sin", (np.pi, 0, 1, 0)), (1, 0, "sin", (np.pi, np.pi / 2, 1, 0))],
            widths=(1, 2),
        ),
        lambda: kr.function_term(LINE, rotation, order=1),
    ),
}


@pytest.mark.parametrize("name", SOLVED)
def test_a_network_that_is_the_solution_leaves_nothing_of_the_equation(name):
    network, term = SOLVED[name][0](), SOLVED[name][1]()
    prepared = kr.residual_problem([term]).prepare(network)

    term.check(prepared.functions.predict(network, prepared.inputs[0]), "the term")

    assert np.abs(prepared.residuals(network)).max() <= 1e-13


@pytest.mark.parametrize("name", SOLVED)
def test_a_network_beside_the_solution_leaves_something(name):
    network, term = SOLVED[name][0](), SOLVED[name][1]()
    beside = network.with_theta(network.theta * (1.0 + 1e-3 * np.cos(np.arange(network.n_params))))

    assert np.abs(kr.residual_problem([term]).prepare(beside).residuals(beside)).max() > 1e-5


# --- the checks can fail: injected bugs


def squared_weight(monkeypatch):
    monkeypatch.setattr(
        "kan_ref.pde.problem.weights_of",
        lambda term, residuals: np.asarray(term.weight**2 / residuals.size)[None],
    )


def share_without_residuals(monkeypatch):
    monkeypatch.setattr(
        "kan_ref.pde.problem.weights_of",
        lambda term, residuals: np.asarray(term.weight / len(term.x))[None],
    )


def missing_factor_two(monkeypatch):
    right = PreparedProblem.value_and_grad
    monkeypatch.setattr(
        PreparedProblem,
        "value_and_grad",
        lambda self, model: (right(self, model)[0], right(self, model)[1] / 2),
    )


def _with_seeds(monkeypatch, kind, change):
    right = kind.linearize

    def wrong(self, jet):
        residuals, seeds = right(self, jet)
        return residuals, change(self, seeds.copy())

    monkeypatch.setattr(kind, "linearize", wrong)


def outputs_swapped(monkeypatch):
    _with_seeds(monkeypatch, LinearTerm, lambda term, seeds: seeds[:, ::-1])


def parts_swapped(monkeypatch):
    _with_seeds(
        monkeypatch,
        FunctionTerm,
        lambda term, seeds: np.concatenate([seeds[:, :, :1], seeds[:, :, :0:-1]], axis=2),
    )


def zeroth_forgotten(monkeypatch):
    def change(term, seeds):
        seeds[:, :, 0] = 0.0
        return seeds

    _with_seeds(monkeypatch, LinearTerm, change)


def second_part_forgotten(monkeypatch):
    def change(term, seeds):
        seeds[:, :, term.kind.second] = 0.0
        return seeds

    _with_seeds(monkeypatch, FunctionTerm, change)


def one_entry_of_a_pair(monkeypatch):
    """Only by_d2u_pq, not by_d2u_qp: half of the derivative in `shared`."""

    def change(term, seeds):
        for place, (p, q) in enumerate(term.pairs, start=term.kind.second.start):
            seeds[:, :, place] *= 1.0 if p == q else 0.5
        return seeds

    _with_seeds(monkeypatch, FunctionTerm, change)


def pairs_in_another_order(monkeypatch):
    def change(term, seeds):
        seeds[:, :, term.kind.second] = seeds[:, :, term.kind.second][:, :, ::-1]
        return seeds

    _with_seeds(monkeypatch, FunctionTerm, change)


def source_added(monkeypatch):
    right = LinearTerm.residuals
    monkeypatch.setattr(
        LinearTerm, "residuals", lambda self, jet: right(self, jet) + 2.0 * self.source.T
    )


def share_without_its_root(monkeypatch):
    """Rows and residuals of linearize with v instead of its root."""

    def wrong(self, network):
        parts, blocks = [], []
        for term, inputs in zip(self.terms, self.inputs, strict=True):
            flow = self.functions.run_forward(network, inputs)
            residuals, seeds = term.linearize(flow.jet)
            weights = weights_of(term, residuals)
            parts.append((np.sqrt(weights) * residuals).reshape(-1))
            blocks += self.functions.jacobian(network, flow, [weights * seed for seed in seeds])
        return np.concatenate(parts), blocks

    monkeypatch.setattr(PreparedProblem, "linearize", wrong)


def residuals_by_points(monkeypatch):
    """The residuals of `residuals` sorted by points, those of `linearize` by residuals."""
    monkeypatch.setattr(
        PreparedProblem,
        "residuals",
        lambda self, model: np.concatenate([part.T.reshape(-1) for part in self._scaled(model)]),
    )


FAULTS = {
    squared_weight: ("everything", check_value),
    share_without_residuals: ("system", check_value),
    source_added: ("everything", check_value),
    missing_factor_two: ("everything", check_gradient),
    outputs_swapped: ("everything", check_rows),
    parts_swapped: ("system", check_rows),
    zeroth_forgotten: ("everything", check_gradient),
    second_part_forgotten: ("crossing", check_gradient),
    one_entry_of_a_pair: ("shared", check_gradient),
    pairs_in_another_order: ("pairs in any order", check_rows),
    share_without_its_root: ("everything", check_rows),
    residuals_by_points: ("system", check_rows),
}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_planted_faults_are_found(fault, monkeypatch):
    term, check = FAULTS[fault]
    model, conditions, rng = case("degree 4", term)
    arguments = (model, conditions) if check is check_value else (model, conditions, rng)
    check(*arguments)  # without the bug it passes

    fault(monkeypatch)

    with pytest.raises(AssertionError):
        check(*arguments)
