"""BFGS and its self-scaled relatives: updates against dense textbook forms, minima against SciPy, and how runs end."""

import sys
import tracemalloc

import numpy as np
import pytest
from cases import for_all
from hypothesis import given
from hypothesis import strategies as st
from oracles_training import PROBLEMS, ROSENBROCK, LeastSquares, bowl
from scipy import optimize

from kan_ref.numerics.differences import central_difference
from kan_ref.optimizers.bfgs import (
    _BLOCK_ENTRIES,
    UPDATES,
    bfgs,
    family_member,
    update_inverse_hessian,
)
from kan_ref.optimizers.line_search import LineSearch, line_search

module = sys.modules["kan_ref.optimizers.bfgs"]  # the package hands on the function of this name

EPS = np.finfo(float).eps
seeds = st.integers(0, 2**32 - 1)
sizes = st.integers(2, 8)
updates = st.sampled_from(UPDATES)
every_update = pytest.mark.parametrize("update", UPDATES)

WOOD = LeastSquares(  # problem 14 of More, Garbow & Hillstrom
    "Wood",
    (-3.0, -1.0, -3.0, -1.0),
    lambda t: np.array(
        [
            10 * (t[1] - t[0] ** 2),
            1 - t[0],
            np.sqrt(90) * (t[3] - t[2] ** 2),
            1 - t[2],
            np.sqrt(10) * (t[1] + t[3] - 2),
            (t[1] - t[3]) / np.sqrt(10),
        ]
    ),
    lambda t: np.array(
        [
            [-20 * t[0], 10.0, 0.0, 0.0],
            [-1.0, 0.0, 0.0, 0.0],
            [0.0, 0.0, -2 * np.sqrt(90) * t[2], np.sqrt(90)],
            [0.0, 0.0, -1.0, 0.0],
            [0.0, np.sqrt(10), 0.0, np.sqrt(10)],
            [0.0, 1 / np.sqrt(10), 0.0, -1 / np.sqrt(10)],
        ]
    ),
    (1.0, 1.0, 1.0, 1.0),
    0.0,
)


def chain(theta):
    """Rosenbrock's function in any number of dimensions."""
    return optimize.rosen(theta), optimize.rosen_der(theta)


def standard_functions(chain_lengths):
    """(function, initial point) with SciPy's minimum as reference."""
    cases = [
        pytest.param(p.value_and_grad, np.array(p.start), id=p.name) for p in (*PROBLEMS, WOOD)
    ]
    cases += [pytest.param(chain, np.zeros(n), id=f"Rosenbrock {n}") for n in chain_lengths]
    for condition in (1e2, 1e5):
        cases.append(
            pytest.param(
                bowl(np.geomspace(1.0, condition, 10)),
                np.linspace(-1.0, 2.0, 10),
                id=f"bowl {condition:g}",
            )
        )
    return cases


def random_step(seed, n):
    """A model H (condition up to 1e4) and a step of a random convex quadratic, whose curvature is positive."""
    rng = np.random.default_rng(seed)
    rotation = np.linalg.qr(rng.normal(size=(n, n)))[0]
    inverse = (rotation * 10.0 ** rng.uniform(-2, 2, n)) @ rotation.T
    root = rng.normal(size=(n + 2, n))
    step = rng.normal(size=n)
    return 0.5 * (inverse + inverse.T), step, root.T @ root @ step


def step_numbers(inverse, step, grad_change):
    """B and the numbers (O13), from the definitions."""
    model = np.linalg.inv(inverse)
    curvature = grad_change @ step
    return model, step @ model @ step / curvature, grad_change @ inverse @ grad_change / curvature


def member_by_definition(update, b, h, n):
    """tau and theta of (O16) to (O18), the last for every b at once: its bounds 1 / rho and 1 / theta are never active."""
    if update == "bfgs":
        return 1.0, 0.0
    if update == "ssbfgs":
        return min(1.0, 1 / b), 0.0
    a = b * h - 1
    rho = min(1.0, h * (1 - np.sqrt(a / (1 + a))))
    theta = max((rho - 1) / a, min(1 / rho, 1 / b - 1))
    sigma = 1 + a * theta
    if theta > 0:
        return min(1.0, 1 / b) * min(sigma ** (-1 / (n - 1)), 1 / theta), theta
    return min(min(1.0, 1 / b) * sigma ** (-1 / (n - 1)), sigma), theta


def direct_update(model, step, grad_change, tau, theta):
    """B+ by (O14)."""
    image, energy, curvature = model @ step, step @ model @ step, grad_change @ step
    w = np.sqrt(energy) * (grad_change / curvature - image / energy)
    unscaled = model - np.outer(image, image) / energy + theta * np.outer(w, w)
    return tau * unscaled + np.outer(grad_change, grad_change) / curvature


def updated(inverse, step, grad_change, update):
    """H+ by the code, H kept."""
    new = inverse.copy()
    assert update_inverse_hessian(
        new, step, grad_change, step @ np.linalg.solve(inverse, step), update
    )
    return new


# --- the update


@given(sizes, updates, seeds)
def test_the_new_matrix_satisfies_the_secant_equation(n, update, seed):
    inverse, step, grad_change = random_step(seed, n)

    new = updated(inverse, step, grad_change, update)

    scale = np.linalg.norm(new, 2) * np.linalg.norm(grad_change)
    assert np.abs(new @ grad_change - step).max() <= 1e-12 * scale


@given(sizes, updates, seeds)
def test_the_new_matrix_is_symmetric_and_positive_definite(n, update, seed):
    inverse, step, grad_change = random_step(seed, n)

    new = updated(inverse, step, grad_change, update)

    assert np.abs(new - new.T).max() <= 1e-15 * np.abs(new).max()
    assert np.linalg.eigvalsh(new).min() > 0.0


@given(sizes, updates, seeds)
def test_the_new_matrix_is_the_inverse_of_the_direct_broyden_update(n, update, seed):
    inverse, step, grad_change = random_step(seed, n)
    model, b, h = step_numbers(inverse, step, grad_change)

    new = updated(inverse, step, grad_change, update)

    direct = np.linalg.inv(
        direct_update(model, step, grad_change, *member_by_definition(update, b, h, n))
    )
    assert np.abs(new - direct).max() <= 1e-9 * np.abs(direct).max()


@given(sizes, seeds)
def test_the_plain_member_is_the_textbook_bfgs_update(n, seed):
    """(6.17) of Nocedal & Wright."""
    inverse, step, grad_change = random_step(seed, n)
    rho = 1.0 / (grad_change @ step)
    left = np.eye(n) - rho * np.outer(step, grad_change)

    new = updated(inverse, step, grad_change, "bfgs")

    textbook = left @ inverse @ left.T + rho * np.outer(step, step)
    assert np.abs(new - textbook).max() <= 1e-12 * max(
        np.abs(textbook).max(), np.abs(inverse).max()
    )


def test_an_update_by_hand():
    """H = I, s = (1, 0), y = (1, 1): y^T s = 1, y^T H y = 2, v = sqrt(2) (1/2, -1/2), so H+ = I - yy^T/2 + vv^T + ss^T."""
    inverse = np.eye(2)

    assert update_inverse_hessian(inverse, np.array([1.0, 0.0]), np.array([1.0, 1.0]), 1.0, "bfgs")

    np.testing.assert_allclose(inverse, [[2.0, -1.0], [-1.0, 1.0]], rtol=0, atol=1e-15)


@for_all(
    ("update", "b", "h", "n", "member"),
    [
        # a = 0.5625, c = 0.6: rho = 1.25 0.4 = 0.5, theta = max(-0.889, min(2, -0.2)) = -0.2, sigma = 0.8875
        ("ssbroyden", 1.25, 1.25, 2, (0.8875, -0.2, 1.2 / 0.8875)),
        # a = 0.5625, c = 0.6: rho = 1, theta = min(1, 1) = 1, sigma = 1.5625: DFP, with tau = 1.5625^(-1/2)
        ("ssbroyden", 0.5, 3.125, 3, (0.8, 1.0, 0.0)),
        # rho = 3.90625 0.4, cut to 1; theta = min(1, 1.5) = 1
        ("ssbroyden", 0.4, 3.90625, 2, (0.64, 1.0, 0.0)),
        # b = 5: rho = 0.3125 0.4 = 0.125, theta = max(-0.875 / 0.5625, -0.8) = -0.8, sigma = 0.55; tau = min(0.2 / 0.55, 0.55)
        ("ssbroyden", 5.0, 0.3125, 2, (0.2 / 0.55, -0.8, 1.8 / 0.55)),
        # a = 3: c = sqrt(0.75), rho = 1 - c, theta = max(-c / 3, -0.75) = -c / 3, sigma = rho
        (
            "ssbroyden",
            4.0,
            1.0,
            3,
            (1 - 0.75**0.5, -(0.75**0.5) / 3, (1 + 0.75**0.5 / 3) / (1 - 0.75**0.5)),
        ),
        ("ssbfgs", 0.5, 3.0, 3, (1.0, 0.0, 1.0)),
        ("ssbfgs", 4.0, 3.0, 3, (0.25, 0.0, 1.0)),
        ("bfgs", 4.0, 3.0, 3, (1.0, 0.0, 1.0)),
    ],
)
def test_members_of_the_family_by_hand(update, b, h, n, member):
    np.testing.assert_allclose(family_member(update, b, h, n), member, rtol=1e-14)


@given(st.floats(-4, 4), st.floats(0.01, 8), st.integers(2, 50))
def test_the_self_scaled_member_is_the_one_with_all_bounds_written_out(log_b, log_bh, n):
    b, h = 10.0**log_b, 10.0 ** (log_bh - log_b)

    tau, theta, phi = family_member("ssbroyden", b, h, n)

    np.testing.assert_allclose((tau, theta), member_by_definition("ssbroyden", b, h, n), rtol=1e-6)
    assert phi * (1.0 + (b * h - 1.0) * theta) == pytest.approx(1.0 - theta, rel=1e-6)


@given(st.floats(-149, 149), st.floats(0, 15), st.integers(1, 50))
def test_self_scaling_never_scales_the_model_up_and_stays_inside_its_bounds(log_b, log_bh, n):
    b, h = 10.0**log_b, 10.0 ** (log_bh - log_b)

    tau, theta, phi = family_member("ssbroyden", b, h, n)

    assert 0.0 < tau <= 1.0
    assert -1.0 <= theta <= 1.0
    assert theta * (1.0 - b) >= 0.0
    assert 0.0 <= phi < np.inf


@given(st.floats(0, 8), st.integers(1, 50), updates)
def test_a_model_that_was_right_along_the_step_is_updated_as_by_bfgs(log_h, n, update):
    """b = 1: then tau = 1 and theta = 0 in all members."""
    np.testing.assert_array_equal(family_member(update, 1.0, 10.0**log_h, n), (1.0, 0.0, 1.0))


@given(updates, seeds)
def test_with_one_parameter_the_new_matrix_is_the_secant_quotient(update, seed):
    rng = np.random.default_rng(seed)
    inverse, step, change = 10.0 ** rng.uniform(-3, 3, 3)
    matrix = np.array([[inverse]])

    assert update_inverse_hessian(
        matrix, np.array([step]), np.array([change]), step**2 / inverse, update
    )

    assert matrix[0, 0] == pytest.approx(step / change, rel=1e-9)


@given(st.integers(3, 7), st.floats(0.1, 2.0), st.floats(-0.9, 2.0), seeds)
def test_in_the_metric_of_the_model_two_eigenvalues_move_and_all_others_are_tau(n, tau, part, seed):
    """The module docstring of `bfgs`: roots of lambda^2 - (tau sigma + h) lambda + tau sigma / b, and the determinant."""
    inverse, step, grad_change = random_step(seed, n)
    model, b, h = step_numbers(inverse, step, grad_change)
    sigma = 1.0 + part
    root = np.linalg.cholesky(inverse)

    new = direct_update(model, step, grad_change, tau, part / (b * h - 1.0))

    ours = np.sort(np.linalg.eigvalsh(root.T @ new @ root))
    expected = np.sort(
        [*np.roots([1.0, -(tau * sigma + h), tau * sigma / b]).real, *[tau] * (n - 2)]
    )
    np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-8 * expected[-1])
    log_det = np.linalg.slogdet(model)[1] + (n - 1) * np.log(tau) + np.log(sigma / b)
    assert np.linalg.slogdet(new)[1] == pytest.approx(
        log_det, abs=1e-8 * n * np.linalg.cond(inverse)
    )


@given(
    st.floats(-3, 3), st.floats(0.01, 6), st.floats(-3, 3).filter(lambda shift: abs(shift) > 1e-3)
)
def test_the_moving_eigenvalues_are_closest_where_tau_sigma_is_h(log_h, log_bh, shift):
    h, bh = 10.0**log_h, 10.0**log_bh
    c = np.sqrt(1.0 - 1.0 / bh)

    def pair(product):
        """Roots for tau sigma = product, with b = bh / h."""
        half, constant = (product + h) / 2.0, product * h / bh
        large = half + np.sqrt(half**2 - constant)
        return constant / large, large

    np.testing.assert_allclose(pair(h), (h * (1.0 - c), h * (1.0 + c)), rtol=1e-6)
    low, high = pair(h)
    other_low, other_high = pair(h * 10.0**shift)
    assert other_high / other_low > high / low


def test_a_matrix_of_several_blocks_is_updated_as_a_whole():
    n = 300
    assert n * n > 2 * _BLOCK_ENTRIES
    inverse, step, grad_change = random_step(7, n)
    model, b, h = step_numbers(inverse, step, grad_change)

    new = updated(inverse, step, grad_change, "ssbroyden")

    tau, theta = member_by_definition("ssbroyden", b, h, n)
    direct = np.linalg.inv(direct_update(model, step, grad_change, tau, theta))
    assert np.abs(new - direct).max() <= 1e-9 * np.abs(direct).max()


def test_an_update_needs_no_second_matrix():
    n = 1000
    inverse, step = np.eye(n), np.linspace(1.0, 2.0, n)

    tracemalloc.start()
    update_inverse_hessian(inverse, step, 2.0 * step, step @ step, "ssbroyden")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak < inverse.nbytes / 8


@every_update
@for_all(
    ("change", "model_curvature"),
    [
        ([-1.0, 0.0], 1.0),
        ([0.0, 1.0], 1.0),
        ([1e-17, 1.0], 1.0),
        ([np.nan, 0.0], 1.0),
        ([1.0, 1e6], 1e6),  # b h = 1e18: no curvature in the metric of H
        ([1.0, 0.0], -1.0),
        ([1.0, 0.0], np.inf),
        ([1.0, 0.0], np.nan),
    ],
    ids=[
        "negative",
        "zero",
        "rounding",
        "nan",
        "lost in H",
        "negative model",
        "infinite model",
        "nan model",
    ],
)
def test_a_step_without_positive_curvature_leaves_the_matrix_alone(update, change, model_curvature):
    inverse = np.eye(2)

    updated = update_inverse_hessian(
        inverse, np.array([1.0, 0.0]), np.array(change), model_curvature, update
    )

    assert updated is False
    np.testing.assert_array_equal(inverse, np.eye(2))


def test_a_curvature_lost_in_rounding_is_refused_even_where_the_metric_of_the_matrix_hides_it():
    """b h = 1 + 1e14, but y^T s = 1e-17 |y| |s| is rounding error."""
    inverse = np.diag([1.0, 1e-20])

    assert not update_inverse_hessian(
        inverse, np.array([1.0, 0.0]), np.array([1e-17, 1.0]), 1.0, "bfgs"
    )


@for_all(
    ("inverse", "model_curvature", "possible"),
    [
        (1e-140, 0.99e150, True),
        (1e-140, 1e150, False),
        (1e140, 1.01e-150, True),
        (1e140, 1.0 / 1e150, False),
        (0.99e150, 1e-140, True),
        (1e150, 1e-140, False),
        (1.01e-150, 1e140, True),
        (1.0 / 1e150, 1e140, False),
        (1.0, 0.99 / EPS, True),
        (1.0, 1.0 / EPS, False),
    ],
)
def test_the_numbers_of_a_step_lie_between_1e_150_and_1e150_and_their_product_below_1_over_eps(
    inverse, model_curvature, possible
):
    """s = y = 1: b is the curvature of the model, h its inverse."""
    matrix = np.array([[inverse]])

    updated = update_inverse_hessian(matrix, np.ones(1), np.ones(1), model_curvature, "bfgs")

    assert updated is possible
    assert possible or matrix[0, 0] == inverse


@for_all("size", [2.0**-10, 1.0, 2.0**10])
@for_all(("part", "possible"), [(0.9, False), (1.0, False), (1.1, True)])
def test_the_curvature_of_a_step_counts_from_eps_times_the_lengths_of_step_and_gradient_change(
    size, part, possible
):
    """Powers of two, so that the bound itself is exact; H is small across the step."""
    step, change = np.array([2.0, 0.0]), np.array([part * EPS, 1.0]) * size

    updated = update_inverse_hessian(np.diag([1.0, 1e-10]), step, change, 4.0 * EPS * size, "bfgs")

    assert updated is possible


@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_a_step_whose_square_would_come_near_overflow_leaves_the_matrix_alone(sign):
    """y^T s = 1e-2, so that every column of the update but that of s is small."""
    inverse = np.array([[1e300]])
    step, change = np.array([sign * 1e152]), np.array([sign * 1e-154])

    assert not update_inverse_hessian(inverse, step, change, 1e-2, "bfgs")

    np.testing.assert_array_equal(inverse, [[1e300]])


def test_a_column_of_the_update_of_exactly_1e150_leaves_the_matrix_alone():
    inverse = np.array([[1e300]])

    assert 1e150 * (1.0 / 1e150) == 1.0
    assert not update_inverse_hessian(
        inverse, np.array([1e150]), np.array([1.0 / 1e150]), 1.0, "bfgs"
    )


# --- runs


def test_the_gradient_of_woods_function_is_right():
    theta, direction = np.array([-2.0, 0.5, 1.5, -1.0]), np.array([0.3, -0.7, 0.2, 0.6])

    slope = central_difference(lambda t: WOOD.value_and_grad(theta + t * direction)[0])

    assert WOOD.value_and_grad(theta)[1] @ direction == pytest.approx(slope, rel=1e-7)


@every_update
@for_all("problem", [*PROBLEMS, WOOD], ids=repr)
def test_a_run_follows_the_dense_method_of_the_books(problem, update):
    """B instead of H, inverted at every step; the first B by (6.20) of Nocedal & Wright."""
    theta = np.array(problem.start)
    value, gradient = problem.value_and_grad(theta)
    model, points = None, []
    for _ in range(8):
        direction = -gradient if model is None else -np.linalg.inv(model) @ gradient
        first = min(1.0, 1.0 / np.linalg.norm(gradient)) if model is None else 1.0
        search = line_search(
            problem.value_and_grad, theta, direction, value, gradient, first_step=first
        )
        step, change = search.theta - theta, search.gradient - gradient
        if model is None:
            model = (change @ change) / (change @ step) * np.eye(theta.size)
        b, h = (
            step @ model @ step / (change @ step),
            change @ np.linalg.solve(model, change) / (change @ step),
        )
        model = direct_update(model, step, change, *member_by_definition(update, b, h, theta.size))
        theta, value, gradient = search.theta, search.value, search.gradient
        points.append(theta)

    ours = []
    bfgs(
        problem.value_and_grad,
        problem.start,
        n_steps=8,
        update=update,
        callback=lambda iterate: ours.append(iterate.theta),
    )

    np.testing.assert_allclose(ours, points, rtol=1e-7, atol=1e-9)


@every_update
@for_all(("function", "start"), standard_functions(range(2, 11)))
def test_the_minimum_that_scipy_finds_is_found(function, start, update):
    scipys = optimize.minimize(function, start, jac=True, method="BFGS", options={"gtol": 1e-10})

    result = bfgs(function, start, n_steps=500, update=update, gradient_tolerance=1e-10)

    assert result.value == pytest.approx(scipys.fun, rel=0, abs=1e-8)
    assert result.gradient_norm < 1e-10


@every_update
@for_all("problem", [p for p in (*PROBLEMS, WOOD) if p.minimizer], ids=repr)
def test_the_minimizer_of_a_standard_problem_is_found(problem, update):
    result = bfgs(problem.value_and_grad, problem.start, update=update)

    assert result.value == pytest.approx(problem.minimum, rel=1e-10, abs=1e-14)
    np.testing.assert_allclose(result.theta, problem.minimizer, rtol=0, atol=1e-8)


def test_bfgs_takes_as_many_steps_as_scipys():
    start = np.zeros(10)

    ours = bfgs(chain, start, n_steps=1000, gradient_tolerance=1e-8)

    scipys = optimize.minimize(chain, start, jac=True, method="BFGS", options={"gtol": 1e-8})
    assert ours.n_steps <= 1.2 * scipys.nit
    assert ours.n_evaluations <= 1.2 * scipys.nfev


@pytest.mark.parametrize("update", ["ssbfgs", "ssbroyden"])
def test_self_scaling_needs_half_the_steps_in_a_long_bowl(update):
    """Condition 1e6 in 30 dimensions: BFGS has to lower large eigenvalues of B one by one."""
    function, start = bowl(np.geomspace(1.0, 1e6, 30)), np.random.default_rng(0).normal(size=30)

    scaled = bfgs(function, start, n_steps=1000, update=update, gradient_tolerance=1e-8)
    plain = bfgs(function, start, n_steps=1000, gradient_tolerance=1e-8)

    assert scaled.gradient_norm < 1e-8
    assert scaled.n_steps < 0.5 * plain.n_steps
    assert scaled.n_evaluations < plain.n_evaluations


@every_update
@for_all("problem", [*PROBLEMS, WOOD], ids=repr)
def test_the_value_falls_at_every_step(problem, update):
    values = [problem.value_and_grad(np.array(problem.start))[0]]

    bfgs(
        problem.value_and_grad,
        problem.start,
        update=update,
        callback=lambda iterate: values.append(iterate.value),
    )

    rounding = 10 * np.finfo(float).eps * np.array(values[:-1])
    assert np.all(np.diff(values) <= rounding)
    assert np.mean(np.diff(values) < 0.0) > 0.85  # all but the last two, which are at rounding


@every_update
def test_a_slope_without_curvature_and_without_end_is_followed_along_the_gradient(update):
    points = []

    result = bfgs(
        lambda t: (-float(t.sum()), -np.ones(2)),
        [0.0, 1.0],
        n_steps=3,
        update=update,
        callback=lambda iterate: points.append(iterate.theta),
    )

    assert result.stopped == "3 steps are done"
    assert result.value < -1e10
    np.testing.assert_allclose(points[0] - [0.0, 1.0], (points[0] - [0.0, 1.0])[0], rtol=1e-12)


def test_a_step_without_curvature_makes_the_run_forget_its_matrix(monkeypatch):
    """The fourth update is rejected: the fifth direction is the negative gradient, with a short trial step."""
    directions, gradients, first_steps, n_updates = [], [], [], []
    search, update = module.line_search, module.update_inverse_hessian

    def watched(value_and_grad, theta, direction, value, gradient, **options):
        directions.append(direction)
        gradients.append(gradient)
        first_steps.append(options["first_step"])
        return search(value_and_grad, theta, direction, value, gradient, **options)

    monkeypatch.setattr(module, "line_search", watched)
    monkeypatch.setattr(
        module,
        "update_inverse_hessian",
        lambda *args: n_updates.append(1) or (len(n_updates) != 4 and update(*args)),
    )

    result = bfgs(ROSENBROCK.value_and_grad, ROSENBROCK.start)

    np.testing.assert_array_equal(directions[4], -gradients[4])
    assert not np.array_equal(directions[5], -gradients[5])
    assert first_steps[:6] == [
        min(1.0, 1.0 / np.linalg.norm(gradients[0])),
        1.0,
        1.0,
        1.0,
        first_steps[4],
        1.0,
    ]
    assert first_steps[4] == pytest.approx(min(1.0, 1.0 / np.linalg.norm(gradients[4])), rel=1e-14)
    np.testing.assert_allclose(result.theta, [1.0, 1.0], rtol=0, atol=1e-8)


def test_a_failed_line_search_starts_again_along_the_gradient(monkeypatch):
    directions, gradients, original = [], [], module.line_search

    def spoiled(value_and_grad, theta, direction, value, gradient, **options):
        directions.append(direction)
        gradients.append(gradient)
        if len(directions) == 5:
            return original(None, theta, gradient, value, gradient)  # uphill: not found
        return original(value_and_grad, theta, direction, value, gradient, **options)

    monkeypatch.setattr(module, "line_search", spoiled)

    result = bfgs(ROSENBROCK.value_and_grad, ROSENBROCK.start)

    assert not np.array_equal(directions[4], -gradients[4])
    np.testing.assert_array_equal(directions[5], -gradients[4])
    np.testing.assert_allclose(result.theta, [1.0, 1.0], rtol=0, atol=1e-8)


@pytest.mark.parametrize(
    ("value", "norm", "progress"),
    [
        (1.0, 5.0, False),  # exactly 20 units of rounding below the first value
        (1.0 - EPS / 2, 5.0, True),
        (1.0 + 20 * EPS, 5.0, False),
        (2.0, 4.9, True),
        (2.0, 5.0, False),
    ],
)
def test_progress_is_a_value_lower_by_more_than_20_units_of_rounding_or_a_smaller_gradient(
    value, norm, progress
):
    search = module._Progress(1.0 + 20 * EPS, 5.0)
    for _ in range(5):
        assert search.reason_to_stop(1.0 + 20 * EPS, 5.0) is None

    assert search.reason_to_stop(value, norm) is None

    rest = [search.reason_to_stop(2.0, 9.0) for _ in range(9 if progress else 3)]
    assert rest == [None] * len(rest)
    assert search.reason_to_stop(2.0, 9.0).startswith(
        "10 line searches lowered neither the value 2"
    )


def test_at_negative_values_too_ten_searches_without_progress_are_the_end():
    search = module._Progress(-7.0, 5.0)

    stops = [search.reason_to_stop(-7.0, 5.0) for _ in range(10)]

    assert stops[:9] == [None] * 9
    assert stops[9] is not None


def test_progress_counts_from_the_lowest_value_and_the_smallest_gradient_so_far():
    search = module._Progress(1.0, 5.0)
    assert search.reason_to_stop(3.0, 4.0) is None  # a smaller gradient at a higher value
    assert search.reason_to_stop(0.5, 6.0) is None  # a lower value with a larger gradient

    stops = [search.reason_to_stop(0.7, 4.5) for _ in range(10)]

    assert stops[:9] == [None] * 9
    assert stops[9].endswith("beyond its rounding nor the gradient norm 4")


@every_update
def test_a_minimum_is_reached_from_beside_a_maximum(update):
    result = bfgs(lambda t: (float(np.cos(t[0])), -np.sin(t)), [0.1], update=update)

    assert result.theta[0] == pytest.approx(np.pi, abs=1e-10)
    assert result.value == -1.0


@every_update
def test_trials_outside_of_the_domain_shorten_the_step(update):
    """x - log(1 - x - z) + 5 z^2: nan beyond x + z = 1, and a start from which the first steps go there."""

    def barrier(t):
        room = 1.0 - t[0] - t[1]
        return float(-20 * t[0] - np.log(room) + 5 * t[1] ** 2), np.array(
            [-20 + 1 / room, 10 * t[1] + 1 / room]
        )

    with np.errstate(invalid="ignore"):
        result = bfgs(barrier, [-3.0, 2.0], update=update)

    np.testing.assert_allclose(result.theta, [1.0 - 1 / 20 + 2.0, -2.0], rtol=1e-9)


@every_update
def test_numbers_at_the_ends_of_float64_end_a_run_without_warnings(update):
    for scale in (1e-170, 1e-300, 1e150):
        result = bfgs(
            bowl(scale * np.array([1.0, 2.0])),
            [3.0, 4.0],
            n_steps=50,
            update=update,
            gradient_tolerance=0.0,
        )

        assert np.isfinite(result.theta).all()
        assert result.value <= scale * 20.5


@every_update
def test_a_change_of_the_gradient_whose_square_overflows_raises_no_warning(update):
    """The squares of both gradients are below the largest number of float64, that of their difference is not."""
    start = 0.53 * 2e154
    value_and_grad = bowl(np.array([2e154]))

    result = bfgs(value_and_grad, [0.53], n_steps=5, update=update)

    assert start**2 < np.finfo(float).max
    assert abs(result.theta[0]) < 0.53
    assert result.value < value_and_grad(np.array([0.53]))[0]


@every_update
@for_all("curvature", [0.1, 0.2, 0.3, 0.4])
def test_a_change_of_the_gradient_whose_square_underflows_ends_a_run_without_an_error(
    update, curvature
):
    """From 1e-161 on the square of the gradient is above 0, and that of its change is 0."""
    for start in (7.5e-162, 1e-161, 2e-161, 3e-161, 1e-160):
        result = bfgs(bowl(curvature), [start], update=update, gradient_tolerance=0.0)

        assert abs(result.theta[0]) <= start


@every_update
def test_a_run_that_converges_in_its_last_step_says_so(update):
    whole = bfgs(ROSENBROCK.value_and_grad, ROSENBROCK.start, update=update)

    limited = bfgs(
        ROSENBROCK.value_and_grad, ROSENBROCK.start, n_steps=whole.n_steps, update=update
    )

    assert limited.n_steps == whole.n_steps
    assert limited.stopped == whole.stopped
    assert whole.stopped.startswith(("gradient norm", "the gradient"))


def test_a_search_that_fails_along_the_gradient_ends_the_run_with_a_sentence():
    """A gradient of the wrong sign."""
    result = bfgs(lambda t: (float(t @ t), -2.0 * t), [1.0, 2.0])

    assert result.n_steps == 0
    np.testing.assert_array_equal(result.theta, [1.0, 2.0])
    assert result.stopped.startswith(
        "the line search found no decrease along the gradient: no decrease in "
    )


@every_update
def test_at_the_floor_of_rounding_a_run_ends_by_itself(update):
    """Least squares with nonzero residuals and no gradient tolerance: derivatives determine theta to its last digit."""
    rng = np.random.default_rng(1)
    matrix = rng.normal(size=(200, 50))
    rhs = matrix @ np.ones(50) + rng.normal(size=200)
    truth = np.linalg.lstsq(matrix, rhs)[0]
    floor = 1.0001 * np.mean((matrix @ truth - rhs) ** 2)

    def value_and_grad(theta):
        r = matrix @ theta - rhs
        return r @ r / 200, 2 * matrix.T @ r / 200

    reached = []
    result = bfgs(
        value_and_grad,
        np.zeros(50),
        n_steps=1000,
        update=update,
        gradient_tolerance=0.0,
        callback=lambda iterate: (
            reached.append(iterate.n_evaluations) if iterate.value < floor else None
        ),
    )

    np.testing.assert_allclose(result.theta, truth, rtol=0, atol=2e-14)
    assert result.n_evaluations - reached[0] <= 200
    assert not result.stopped.endswith("done")


@pytest.mark.long
@every_update
@pytest.mark.parametrize(
    "problem", [p for p in PROBLEMS if p.name in ("Powell singular", "Bard")], ids=repr
)
def test_a_run_does_not_go_to_and_fro_between_two_neighbours(problem, update):
    """From some initial points, two points of equal value each lie downhill of the other, by rounding of their derivatives."""
    rng = np.random.default_rng(0)
    for _ in range(10):
        start = np.array(problem.start) * (1.0 + 1e-3 * rng.normal(size=len(problem.start)))

        result = bfgs(
            problem.value_and_grad, start, n_steps=2000, update=update, gradient_tolerance=0.0
        )

        assert result.n_evaluations <= 1000  # 100 to 450 by the rounding of the BLAS at hand
        assert result.value == pytest.approx(problem.minimum, rel=1e-10, abs=1e-20)


def test_ten_searches_without_gain_end_the_run(monkeypatch):
    """After three real searches, all steps change the last digit of theta, with the same value and a larger gradient."""
    original, n_searches = module.line_search, []

    def spoiled(value_and_grad, theta, direction, value, gradient, **options):
        n_searches.append(1)
        if len(n_searches) <= 3:
            return original(value_and_grad, theta, direction, value, gradient, **options)
        return LineSearch(1.0, np.nextafter(theta, np.inf), value, gradient * 1.001, 1, True, "")

    monkeypatch.setattr(module, "line_search", spoiled)

    result = bfgs(ROSENBROCK.value_and_grad, ROSENBROCK.start)

    assert len(n_searches) == 13
    assert result.n_steps == 13
    assert result.stopped.startswith(
        f"10 line searches lowered neither the value {result.value:.2g} beyond its rounding nor the gradient norm "
    )


def test_a_value_that_creeps_is_progress(monkeypatch):
    """Each step lowers the value by 5 eps of it: below the rounding of one step, above it in five."""
    value_at, n_searches = [1.0], []

    def creeping(value_and_grad, theta, direction, value, gradient, **options):
        n_searches.append(1)
        return LineSearch(
            1.0, theta + 1.0, value - 5 * np.finfo(float).eps, gradient * 1.001, 1, True, ""
        )

    monkeypatch.setattr(module, "line_search", creeping)

    result = bfgs(lambda theta: (value_at[0], np.ones(1)), [0.0], n_steps=60)

    assert result.stopped == "60 steps are done"


def test_a_small_gradient_ends_the_run():
    result = bfgs(ROSENBROCK.value_and_grad, ROSENBROCK.start, gradient_tolerance=1e-3)

    assert result.gradient_norm < 1e-3
    assert result.gradient_norm == np.abs(ROSENBROCK.value_and_grad(result.theta)[1]).max()
    assert result.stopped == f"gradient norm {result.gradient_norm:.2g} is below 0.001"


@every_update
@for_all(
    ("n_steps", "sentence"),
    [(0, "0 steps are done"), (1, "1 step is done"), (7, "7 steps are done")],
)
def test_no_more_steps_are_done_than_asked_for(n_steps, sentence, update):
    shown = []

    result = bfgs(
        ROSENBROCK.value_and_grad,
        ROSENBROCK.start,
        n_steps=n_steps,
        update=update,
        callback=shown.append,
    )

    assert result.stopped == sentence
    assert [iterate.step for iterate in shown] == list(range(1, n_steps + 1))
    assert result.n_steps == n_steps
    assert result.value == ROSENBROCK.value_and_grad(result.theta)[0]


def test_a_callback_ends_the_run_where_it_stands():
    result = bfgs(
        ROSENBROCK.value_and_grad, ROSENBROCK.start, callback=lambda iterate: iterate.step == 5
    )

    assert result.n_steps == 5
    assert result.stopped == "the callback asked to stop after step 5"


def test_the_callback_is_told_what_the_run_knows_and_every_call_is_counted():
    n_calls = []

    def counted(theta):
        n_calls.append(1)
        return ROSENBROCK.value_and_grad(theta)

    def check(iterate):
        value, gradient = ROSENBROCK.value_and_grad(iterate.theta)
        assert (iterate.value, iterate.gradient_norm) == (value, np.abs(gradient).max())
        assert iterate.n_evaluations == len(n_calls)

    result = bfgs(counted, ROSENBROCK.start, update="ssbroyden", callback=check)

    assert result.n_evaluations == len(n_calls)


def test_a_callback_that_changes_its_iterate_changes_nothing_else():
    def spoil(iterate):
        iterate.theta[:] = np.nan

    spoiled = bfgs(ROSENBROCK.value_and_grad, ROSENBROCK.start, callback=spoil)

    np.testing.assert_array_equal(
        spoiled.theta, bfgs(ROSENBROCK.value_and_grad, ROSENBROCK.start).theta
    )


def test_the_start_is_not_modified():
    start = np.array(ROSENBROCK.start)

    result = bfgs(ROSENBROCK.value_and_grad, start, n_steps=0)
    result.theta[:] = 0.0
    bfgs(ROSENBROCK.value_and_grad, start)

    np.testing.assert_array_equal(start, ROSENBROCK.start)


@every_update
def test_two_runs_give_the_same_bits(update):
    first, second = (
        bfgs(WOOD.value_and_grad, WOOD.start, n_steps=30, update=update) for _ in range(2)
    )

    assert first.theta.tobytes() == second.theta.tobytes()
    assert repr(first) == repr(second)


def test_an_interrupt_reaches_the_caller():
    def interrupt(iterate):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bfgs(ROSENBROCK.value_and_grad, ROSENBROCK.start, callback=interrupt)


def test_a_matrix_beyond_two_gibibytes_is_refused_before_any_work():
    def never(theta):
        raise AssertionError

    with pytest.raises(
        ValueError,
        match=r"theta has 20000 numbers, but .* 20000\^2 doubles takes 3.0 GiB, and at most 16384 numbers \(2 GiB\)",
    ):
        bfgs(never, np.zeros(20000))
    with pytest.raises(AssertionError):
        bfgs(never, np.zeros(16384))


@pytest.mark.parametrize(
    ("theta", "options", "kind", "sentence"),
    [
        (
            [1.0, np.nan],
            {},
            ValueError,
            "theta contains nan at position 1, but needs finite numbers",
        ),
        ([], {}, ValueError, "theta is empty, but needs at least 1 number"),
        ([1.0], {"n_steps": -1}, ValueError, "n_steps is -1, but must be at least 0"),
        (
            [1.0],
            {"update": "ssbroiden"},
            ValueError,
            r"update is 'ssbroiden', but must be one of .* \(did you mean 'ssbroyden'\?\)",
        ),
        (
            [1.0],
            {"update": 1},
            TypeError,
            "update is 1, but must be one of 'bfgs', 'ssbfgs', 'ssbroyden'",
        ),
        (
            [1.0],
            {"gradient_tolerance": -1.0},
            ValueError,
            "gradient_tolerance is -1.0, but must be at least 0",
        ),
    ],
)
def test_arguments_outside_of_the_rules_are_named(theta, options, kind, sentence):
    with pytest.raises(kind, match=sentence):
        bfgs(bowl(1.0), theta, **options)


def test_a_start_without_finite_value_and_gradient_is_refused():
    with pytest.raises(ValueError, match="the value at the start is nan, but must be finite"):
        bfgs(lambda theta: (np.nan, theta), [1.0])
    with pytest.raises(
        ValueError, match=r"the gradient at the start has shape \(3,\), but needs shape \(2,\)"
    ):
        bfgs(lambda theta: (1.0, np.zeros(3)), [1.0, 2.0])
