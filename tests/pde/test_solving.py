"""Equations are solved by fit: every optimizer, grids, systems, units, data beside equations."""

import numpy as np
import pytest
import sympy
from cases import for_all

import kan_ref as kr

INSIDE = np.linspace(-1.0, 1.0, 41)[:, None]
ENDS = np.array([[-1.0], [1.0]])
TEST = np.linspace(-0.97, 0.97, 50)[:, None]


def sine(x):
    return np.sin(np.pi * x)


# u'' = -pi^2 sin(pi x) on [-1, 1], u = 0 at both ends: u = sin(pi x)
POISSON = [
    kr.linear_term(INSIDE, second=[1.0], source=-(np.pi**2) * sine(INSIDE), weight=0.01),
    kr.value_term(ENDS),
]


def kan(widths=(1, 1), n_intervals=5, degree=4):
    rng = np.random.default_rng(0)
    return kr.init_network(
        widths, n_intervals=n_intervals, degree=degree, domain=(-1.0, 1.0), rng=rng
    )


def perceptron(activation="tanh"):
    return kr.init_mlp((1, 8, 1), activation=activation, rng=np.random.default_rng(0))


def error(model, points=TEST):
    return float(np.sqrt(np.mean((model(points) - sine(points)) ** 2)))


@for_all("optimizer", ["lm", "lbfgs", "adam"])
def test_every_optimizer_lowers_what_is_left_of_the_equation(optimizer):
    run = kr.fit(kan((1, 3, 1)), equations=POISSON, optimizer=optimizer, n_steps=60)

    assert run.history.train_rmse[-1] < 0.5 * run.history.train_rmse[0]
    assert error(run.network) < 0.75 * error(kan((1, 3, 1)))


@for_all("activation", ["tanh", "silu"])
def test_perceptrons_solve_equations_too(activation):
    assert error(kr.fit(perceptron(activation), equations=POISSON, n_steps=150).network) < 0.1


def test_finer_grids_come_nearer_to_the_solution():
    run = kr.fit(kan((1, 2, 1), 3), equations=POISSON, grids=(3, 6, 12), n_steps=25)
    ends = [run.history.train_rmse[run.history.n_intervals == n][-1] for n in (3, 6, 12)]

    assert ends[2] < 0.2 * ends[1] < 0.04 * ends[0]
    assert error(run.network) < 1e-3


def test_hidden_grids_follow_the_points_of_all_terms():
    """The first layer's outputs leave the grid of the second: if it does not follow, its B-splines are zero there."""
    network = kan((1, 2, 1))
    theta = network.theta.copy()
    theta[: network.layers[0].coef.size] += 6.0
    far = network.with_theta(theta)

    followed = kr.fit(far, equations=POISSON, n_steps=0).network

    inner = kr.Network(followed.layers[:1])(np.concatenate([INSIDE, ENDS]))
    rows = followed.layers[1].breakpoints
    assert (rows[:, 0] <= inner.min(axis=0)).all()
    assert (inner.max(axis=0) <= rows[:, -1]).all()


def logistic(x, u, du, d2u):
    """u' = u (1 - u)."""
    return du[:, 0, 0] - u[:, 0] * (1 - u[:, 0]), 2 * u - 1, np.ones((len(x), 1, 1)), None


@for_all("model", [kan(n_intervals=10), perceptron()])
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
    run = kr.fit(kan((1, 2), 16), equations=terms, n_steps=40)

    np.testing.assert_allclose(
        run.network(TEST), np.hstack([sine(TEST), np.cos(np.pi * TEST)]), atol=1e-3
    )


def test_a_network_that_solves_the_problem_stays():
    solved = kr.fix_symbolic(kan(), 0, output=0, input=0, name="sin", affine=(np.pi, 0.0, 1.0, 0.0))

    run = kr.fit(solved, equations=POISSON, n_steps=5)

    np.testing.assert_allclose(run.network.theta, solved.theta, rtol=0, atol=1e-12)


def test_formulas_find_their_constants_in_the_equation():
    """a sin(b x) with a and b beside pi and 1; no sample of u is given."""
    near = kr.fix_symbolic(kan(), 0, output=0, input=0, name="sin", affine=(3.0, 0.05, 0.9, 0.02))

    assert error(kr.fit(near, equations=POISSON, n_steps=30).network) <= 1e-12


def test_measurements_stand_in_for_boundary_conditions_and_test_data_only_report():
    """u'' alone leaves a straight line open; three measured values fix it."""
    x = np.linspace(-0.9, 0.9, 3)[:, None]
    data = kr.Data(x, sine(x), TEST, sine(TEST))

    run = kr.fit(kan(n_intervals=20), data, equations=POISSON[:1], n_steps=30)

    assert error(run.network) < 1e-4
    assert run.history.test_rmse[-1] == pytest.approx(error(run.network), rel=1e-9)


def test_a_solution_may_be_known_as_test_data_alone():
    data = kr.Data(TEST[:0], TEST[:0], TEST, sine(TEST))

    with_test, without = (
        kr.fit(kan((1, 2, 1)), one, equations=POISSON, n_steps=8) for one in (data, None)
    )

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
    run = kr.fit(kan((1, 2), 12, degree=5), equations=terms, n_steps=60)

    np.testing.assert_allclose(run.network(TEST)[:, 1], np.pi**2, rtol=1e-4)


def test_a_network_in_units_has_grids_on_the_bounds_of_its_scales():
    layers = kr.Scales([(2.0, 6.0)], [(3.0, 5.0)]).network(kan((1, 3, 1))).layers

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

    solution = scales.network(kr.fit(kan(n_intervals=10), equations=terms, n_steps=30).network)

    exact = size * np.exp(-3.0 * points / length)
    assert np.abs(solution(points) - exact).max() <= 1e-4 * size


# --- units


def test_scales_map_their_bounds_to_minus_one_and_one_wherever_they_lie():
    scales = kr.Scales(domain=[(2.0, 6.0), (-3.0, -1.0)], values=[(3.0, 5.0), (-8.0, -4.0)])

    assert scales.inputs([[2.0, -3.0], [4.0, -2.0], [6.0, -1.0]]).tolist() == [
        [v, v] for v in (-1, 0, 1)
    ]
    assert scales.outputs([[3.0, -8.0], [4.0, -6.0], [5.0, -4.0]]).tolist() == [
        [v, v] for v in (-1, 0, 1)
    ]


def test_scales_of_another_number_of_unknowns_or_coordinates_are_rejected():
    scales = kr.Scales([(0, 1), (0, 1)], [(0, 1), (2, 3)])

    with pytest.raises(ValueError, match="values has bounds of 2 unknowns, but there are 1"):
        scales.network(kan((2, 1)))
    with pytest.raises(ValueError, match=r"^network is .* domain has bounds of 1"):
        kr.Scales([(0, 1)], (0, 1)).network(kan((2, 1)))
    assert kr.Scales([(0, 1)], (0, 2)).outputs([[1.0, 2.0]]).tolist() == [[0.0, 1.0]]
