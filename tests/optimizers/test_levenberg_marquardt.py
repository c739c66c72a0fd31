"""Levenberg-Marquardt: against the plain algorithm and SciPy's, with three forms of Jacobian, and down to rounding error."""

import numpy as np
import pytest
from cases import for_all
from hypothesis import given
from hypothesis import strategies as st
from oracles_training import (
    BARD,
    BEALE,
    FREUDENSTEIN_ROTH,
    HELICAL_VALLEY,
    PROBLEMS,
    ROSENBROCK,
    naive_levenberg_marquardt,
)
from scipy import optimize

from kan_ref.numerics.row_sparse import RowSparse, dense_form
from kan_ref.optimizers import normal_equations as equations_module
from kan_ref.optimizers.levenberg_marquardt import levenberg_marquardt
from kan_ref.optimizers.normal_equations import normal_equations

seeds = st.integers(0, 2**32 - 1)
X = np.linspace(-1.0, 1.0, 200)


def exponential(theta):
    """Model and Jacobian of c exp(a x + b) + d: a and b, or b and c, can be traded, so J has rank 3."""
    a, b, c, d = theta
    e = np.exp(a * X + b)
    return c * e + d, np.stack([c * e * X, c * e, e, np.ones_like(X)], axis=1)


def fit_exponential(y):
    def linearize(theta):
        model, jacobian = exponential(theta)
        return model - y, jacobian

    return linearize


EXACT = fit_exponential(exponential((1.3, 0.2, 0.7, 0.1))[0])
NOISY = fit_exponential(
    exponential((1.3, 0.2, 0.7, 0.1))[0] + 1e-2 * np.random.default_rng(0).normal(size=200)
)
START = (1.0, 0.0, 1.0, 0.0)


def linear_problem(rng, n_rows, n_columns):
    matrix, rhs = rng.normal(size=(n_rows, n_columns)), rng.normal(size=n_rows)
    return matrix, rhs, lambda theta: (matrix @ theta - rhs, matrix)


def walk(linearize, theta, **options):
    """The result and all accepted points."""
    points = []
    result = levenberg_marquardt(
        linearize, theta, callback=lambda iterate: points.append(iterate.theta), **options
    )
    return result, np.array(points)


@given(st.integers(1, 6), seeds)
def test_a_linear_problem_is_solved_in_one_gauss_newton_step(n_columns, seed):
    """With vanishing damping; a second step removes the rounding error."""
    matrix, rhs, linearize = linear_problem(np.random.default_rng(seed), n_columns + 6, n_columns)

    result = levenberg_marquardt(linearize, np.zeros(n_columns), damping=1e-30, n_steps=2)

    np.testing.assert_allclose(result.theta, np.linalg.lstsq(matrix, rhs)[0], rtol=0, atol=1e-11)


@given(st.integers(1, 6), seeds)
def test_a_linear_problem_is_solved_within_few_steps_by_default(n_columns, seed):
    """Three times less damping per step: errors decrease by 1e-3, 3e-4, 1e-4, ... times the condition of J^T J."""
    matrix, rhs, linearize = linear_problem(np.random.default_rng(seed), n_columns + 20, n_columns)

    result = levenberg_marquardt(linearize, np.zeros(n_columns))

    np.testing.assert_allclose(result.theta, np.linalg.lstsq(matrix, rhs)[0], rtol=0, atol=1e-12)
    assert result.n_steps <= 12


@pytest.mark.parametrize("problem", PROBLEMS, ids=repr)
def test_accepted_points_are_those_of_the_plain_algorithm(problem):
    plain = naive_levenberg_marquardt(
        problem.linearize, np.array(problem.start), n_steps=6, damping=1e-3
    )

    _, points = walk(problem.linearize, problem.start, n_steps=6)

    np.testing.assert_allclose(points, plain, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("problem", PROBLEMS, ids=repr)
def test_the_minimum_is_that_of_scipys_levenberg_marquardt(problem):
    result = levenberg_marquardt(problem.linearize, problem.start, n_steps=300)

    theirs = optimize.least_squares(
        problem.residuals,
        problem.start,
        jac=problem.jacobian,
        method="lm",
        xtol=1e-15,
        ftol=1e-15,
        gtol=1e-15,
        max_nfev=10000,
    )
    assert result.value == pytest.approx(2.0 * theirs.cost, rel=1e-8, abs=1e-16)
    assert result.value == pytest.approx(problem.minimum, rel=1e-9, abs=1e-16)
    tolerance = (
        1e-7 if problem.name != "Powell singular" else 1e-4
    )  # there the value is flat to fourth order
    np.testing.assert_allclose(
        result.theta, theirs.x, rtol=0, atol=tolerance * max(1.0, np.abs(theirs.x).max())
    )


@pytest.mark.parametrize("problem", [BEALE, HELICAL_VALLEY], ids=repr)
def test_convergence_is_quadratic_where_residuals_vanish(problem):
    """With vanishing damping: error_{k+1} <= C error_k^2, measured as the slope of the logarithms."""
    start = (
        np.array(problem.minimizer) + 0.05 * np.array([1.0, -1.0, 0.5])[: len(problem.minimizer)]
    )

    _, points = walk(problem.linearize, start, damping=1e-25, n_steps=10)

    errors = np.linalg.norm(np.vstack([start, points]) - problem.minimizer, axis=1)
    log_errors = np.log(errors[errors > 1e-12])
    orders = log_errors[1:] / log_errors[:-1]
    assert len(orders) >= 2
    assert np.all(orders[1:] >= 1.7)


def test_convergence_is_superlinear_by_default():
    """Damping falls to a third each step, so each quotient of values is below the one before."""
    values = []

    levenberg_marquardt(EXACT, START, callback=lambda iterate: values.append(iterate.value))

    quotients = np.array(values[1:6]) / values[:5]
    assert np.all(np.diff(quotients) < 0.0)
    assert quotients[-1] < 1e-5


@given(st.integers(1, 7), st.integers(1, 7), st.floats(-6, 3), seeds)
def test_the_dual_step_is_the_primal_step(n_rows, n_columns, exponent, seed):
    """(O19) = (O20) in both regimes, and both predict the same fall: that of the linear model."""
    rng = np.random.default_rng(seed)
    matrix, r = rng.normal(size=(n_rows, n_columns)), rng.normal(size=n_rows)
    mu = 10.0**exponent

    primal, fall = normal_equations(matrix, r, dual=False).step(mu)
    dual, dual_fall = normal_equations(matrix, r, dual=True).step(mu)

    np.testing.assert_allclose(dual, primal, rtol=0, atol=1e-8 * np.linalg.norm(primal))
    model = r + matrix @ primal
    assert fall == pytest.approx(r @ r - model @ model, rel=1e-7)
    assert dual_fall == pytest.approx(fall, rel=1e-8)


@pytest.mark.parametrize("dual", [False, True])
@pytest.mark.parametrize("shape", [(3, 7), (7, 3)])
def test_the_system_that_is_named_is_solved_though_the_other_one_is_smaller(shape, dual):
    equations = normal_equations(np.ones(shape), np.ones(shape[0]), dual=dual)

    assert equations.dual is dual
    assert len(equations.matrix) == shape[0 if dual else 1]


@pytest.mark.parametrize(
    ("n_rows", "n_columns", "n_zero", "dual"),
    [(8, 5, 0, False), (5, 5, 0, False), (5, 8, 0, True), (5, 8, 3, False)],
)
def test_the_smaller_system_is_solved(n_rows, n_columns, n_zero, dual):
    """Columns of zeros do not count as parameters."""
    matrix = np.random.default_rng(0).normal(size=(n_rows, n_columns))
    matrix[:, :n_zero] = 0.0

    equations = normal_equations(matrix, np.ones(n_rows))

    assert equations.dual is dual
    assert len(equations.matrix) == min(n_rows, n_columns - n_zero)


def test_the_first_damping_is_the_same_for_both_systems():
    """damping * max_i (J^T J)_ii, which the dual system does not contain."""
    matrix = np.random.default_rng(1).normal(size=(4, 6))

    squares = [
        normal_equations(matrix, np.ones(4), dual=dual).largest_square() for dual in (False, True)
    ]

    np.testing.assert_allclose(squares, (matrix**2).sum(axis=0).max(), rtol=1e-14)


def test_more_parameters_than_residuals_are_fitted_exactly():
    """The dual run ends at the interpolant; from zero and without curvature it is the one of least norm."""
    matrix, rhs, linearize = linear_problem(np.random.default_rng(2), 5, 12)

    result = levenberg_marquardt(linearize, np.zeros(12))

    assert result.value < 1e-26
    np.testing.assert_allclose(result.theta, np.linalg.lstsq(matrix, rhs)[0], rtol=0, atol=1e-12)


def spread(problem):
    """A problem with two more parameters, in the middle and at the end, on which nothing depends."""
    places = [0, 2]

    def linearize(theta):
        r, jacobian = problem.linearize(theta[places])
        wide = np.zeros((len(r), 4))
        wide[:, places] = jacobian
        return r, wide

    return linearize, places


def test_columns_of_zeros_change_nothing():
    linearize, places = spread(ROSENBROCK)

    result, points = walk(linearize, [ROSENBROCK.start[0], 7.0, ROSENBROCK.start[1], -7.0])
    _, plain = walk(ROSENBROCK.linearize, ROSENBROCK.start)

    n_same = min(len(points), len(plain), 12)
    np.testing.assert_allclose(points[:n_same, places], plain[:n_same], rtol=1e-12, atol=1e-13)
    np.testing.assert_array_equal(result.theta[[1, 3]], [7.0, -7.0])
    assert result.value < 1e-26


def as_rows(dense):
    """The same matrix as RowSparse with all entries, every value split into two entries of one column."""
    n_rows, n_columns = dense.shape
    columns = np.tile(np.repeat(np.arange(n_columns), 2), (n_rows, 1))
    return RowSparse(columns, np.repeat(0.5 * dense, 2, axis=1), n_columns)


@pytest.mark.parametrize("problem", [ROSENBROCK, BARD, FREUDENSTEIN_ROTH], ids=repr)
def test_all_three_forms_of_the_jacobian_give_the_same_run(problem):
    def in_form(form):
        return lambda theta: (problem.residuals(theta), form(problem.jacobian(theta)))

    dense, points = walk(in_form(lambda jacobian: jacobian), problem.start, n_steps=8)
    rows, points_of_rows = walk(in_form(as_rows), problem.start, n_steps=8)
    stack, points_of_stack = walk(
        in_form(lambda jacobian: [as_rows(jacobian[:1]), jacobian[1:]]), problem.start, n_steps=8
    )

    np.testing.assert_allclose(points_of_rows, points, rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(points_of_stack, points, rtol=1e-9, atol=1e-11)
    assert dense.n_evaluations == rows.n_evaluations == stack.n_evaluations


def test_a_spline_like_problem_runs_alike_in_rows_and_dense_with_dead_columns():
    """Nonzero entries in 4 of 40 columns of a row, 8 columns always zero, residuals tanh of the rows' products."""
    rng = np.random.default_rng(3)
    columns = rng.integers(0, 32, (300, 1)) + np.arange(4)
    columns = np.where(columns < 32, columns, columns - 32).astype(np.intp)
    values, y = rng.random((300, 4)), rng.normal(size=300)

    def linearize(theta):
        model = np.tanh((values * theta[columns]).sum(axis=1))
        return model - 0.5 * y, RowSparse(columns, values * (1.0 - model**2)[:, None], 40)

    def dense(theta):
        r, jacobian = linearize(theta)
        return r, dense_form(jacobian)

    start = 0.1 * rng.normal(size=40)
    rows, of_rows = walk(linearize, start, n_steps=10)
    _, of_dense = walk(dense, start, n_steps=10)

    np.testing.assert_allclose(of_rows, of_dense, rtol=0, atol=1e-10)
    np.testing.assert_array_equal(rows.theta[32:], start[32:])


def test_vanishing_residuals_are_driven_to_the_floor_of_rounding_and_no_further():
    """The value reaches 1e-26 times the number of residuals, and the run then ends within a few trials."""
    evaluations_at_floor = []

    result = levenberg_marquardt(
        EXACT,
        START,
        callback=lambda iterate: (
            evaluations_at_floor.append(iterate.n_evaluations) if iterate.value < 1e-26 else None
        ),
    )

    assert result.value < 1e-26
    assert result.n_evaluations - evaluations_at_floor[0] <= 30
    assert "by more than 1e-16 of it" in result.stopped or "gradient" in result.stopped


@pytest.mark.parametrize("seed", range(6))
def test_at_the_floor_of_a_product_of_sums_few_trials_are_wasted(seed):
    """(u^T x)(v^T x) fitted from another point: a valley u -> c u, v -> v / c, and a value that ends in rounding error."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(400, 4))
    truth = rng.normal(size=8)
    y = (x @ truth[:4]) * (x @ truth[4:])

    def linearize(theta):
        u, v = x @ theta[:4], x @ theta[4:]
        return u * v - y, np.concatenate([v[:, None] * x, u[:, None] * x], axis=1)

    below = []
    result = levenberg_marquardt(
        linearize,
        truth + 0.3 * rng.normal(size=8),
        callback=lambda it: below.append(it.n_evaluations) if it.value < 1e-26 else None,
    )

    assert result.value < 1e-26
    assert result.n_evaluations - below[0] <= 60


def test_where_the_value_cannot_fall_the_gradient_still_does():
    """Noisy data: the value has all its digits when theta has half of them; the run continues to the rounding error of J^T (model - y)."""
    result = levenberg_marquardt(NOISY, START)

    model, jacobian = exponential(result.theta)
    assert result.gradient_norm <= 1e-15 * np.linalg.norm(model) * np.linalg.norm(jacobian)
    assert result.n_evaluations <= result.n_steps + 3
    assert result.stopped.startswith("a further fall of ")
    assert result.stopped.endswith("and the gradient does not halve")


def test_the_value_never_rises_beyond_rounding():
    values = [float(np.sum(NOISY(np.array(START))[0] ** 2))]

    levenberg_marquardt(NOISY, START, callback=lambda iterate: values.append(iterate.value))

    assert np.all(np.diff(values) <= 20 * np.finfo(float).eps * np.array(values[:-1]))


def test_a_matrix_that_is_not_positive_definite_raises_the_damping():
    """Two equal columns of integers and a damping below rounding: Cholesky fails, and the run still ends at the minimum."""
    matrix = np.repeat(np.array([[1.0], [2.0], [3.0]]), 2, axis=1)
    rhs = np.array([1.0, 2.0, 4.0])
    with pytest.raises(np.linalg.LinAlgError):
        normal_equations(matrix, rhs).step(1e-20)

    result = levenberg_marquardt(
        lambda theta: (matrix @ theta - rhs, matrix), [0.0, 0.0], damping=1e-20
    )

    coefficient, value, _, _ = np.linalg.lstsq(matrix[:, :1], rhs)
    assert result.theta.sum() == pytest.approx(coefficient[0], rel=1e-13)
    assert result.value == pytest.approx(value[0], rel=1e-13)


def test_every_refusal_of_the_matrix_doubles_the_factor_of_the_damping(monkeypatch):
    """mu, 2 mu, 8 mu, 64 mu: a matrix that Cholesky rejects counts as a rejected step."""
    dampings, original = [], equations_module.solve_positive_definite

    def refuse_three_times(matrix, rhs):
        dampings.append(matrix[0, 0] - 9.0)
        if len(dampings) <= 3:
            raise np.linalg.LinAlgError("matrix is not positive definite in float64")
        return original(matrix, rhs)

    monkeypatch.setattr(equations_module, "solve_positive_definite", refuse_three_times)

    levenberg_marquardt(lambda theta: (3.0 * theta - 1.0, np.array([[3.0]])), [0.0], n_steps=1)

    np.testing.assert_allclose(dampings, 9e-3 * np.array([1.0, 2.0, 8.0, 64.0]), rtol=1e-10)


@pytest.mark.parametrize("broken", ["residuals", "jacobian"])
def test_a_trial_that_is_not_finite_is_rejected(broken):
    """log(theta) = -3 from theta = 6: the first Gauss-Newton step leads below zero."""

    def linearize(theta):
        inside = theta[0] > 0.0
        r = np.log(theta) + 3.0 if inside or broken == "residuals" else np.array([0.1])
        return r, np.array([[1.0 / theta[0] if inside else np.nan]])

    tried = []
    with np.errstate(invalid="ignore"):  # the caller's own logarithm
        result = levenberg_marquardt(
            lambda theta: tried.append(theta[0]) or linearize(theta), [6.0], damping=1e-10
        )

    assert min(tried) < 0.0
    assert result.theta[0] == pytest.approx(np.exp(-3.0), rel=1e-13)


def test_a_problem_that_is_finite_nowhere_but_at_its_start_ends_with_a_sentence():
    result = levenberg_marquardt(
        lambda theta: (np.where(theta == 1.0, 1.0, np.nan), np.eye(1)), [1.0], step_tolerance=0.0
    )

    assert result.n_steps == 0
    assert result.value == 1.0
    assert result.stopped.startswith(
        (
            "the next step, of length",
            "a further fall of ",
            "the damping overflowed",
        )
    )


def test_a_run_that_ends_at_trials_that_are_not_finite_says_so():
    """The start is finite, but the residual or its derivative at other points is not."""
    for at_others, slope in ((np.nan, 1.0), (0.5, np.nan)):
        result = levenberg_marquardt(
            lambda theta, r=at_others, s=slope: (
                np.where(theta == 1.0, 1.0, r),
                np.where(theta == 1.0, 1.0, s)[:, None],
            ),
            [1.0],
        )

        assert result.n_steps == 0
        assert result.stopped == (
            "the next step changes no parameter by more than 1e-16 of it, and residuals or "
            "derivatives of the last trial were not finite"
        )


def test_residuals_serve_the_trials_and_change_nothing():
    calls = {"linearize": 0, "residuals": 0}

    def linearize(theta):
        calls["linearize"] += 1
        return ROSENBROCK.linearize(theta)

    def residuals(theta):
        calls["residuals"] += 1
        return ROSENBROCK.residuals(theta)

    result, points = walk(linearize, ROSENBROCK.start, residuals=residuals, n_steps=12)
    _, plain = walk(ROSENBROCK.linearize, ROSENBROCK.start, n_steps=12)

    np.testing.assert_array_equal(points, plain)
    assert calls["linearize"] == 1 + result.n_steps
    assert calls["residuals"] > result.n_steps
    assert result.n_evaluations == sum(calls.values())


def test_without_residuals_a_trial_that_is_accepted_is_not_evaluated_again():
    points = []

    result = levenberg_marquardt(
        lambda theta: points.append(theta.tobytes()) or ROSENBROCK.linearize(theta),
        ROSENBROCK.start,
    )

    assert len(set(points)) == len(points) == result.n_evaluations


def test_the_normal_matrix_is_assembled_once_an_accepted_step(monkeypatch):
    """Also when trials in between are rejected, as from this initial point."""
    assembled, original = [], equations_module.normal_matrix
    monkeypatch.setattr(
        equations_module,
        "normal_matrix",
        lambda jacobian: assembled.append(1) or original(jacobian),
    )

    result = levenberg_marquardt(ROSENBROCK.linearize, ROSENBROCK.start, n_steps=12)

    assert result.n_evaluations > result.n_steps + 1
    assert len(assembled) == result.n_steps == 12


def test_value_and_gradient_are_those_of_the_sum_of_squares():
    """value = r^T r, without a factor 1/2."""
    result = levenberg_marquardt(BARD.linearize, BARD.start, n_steps=2)

    value, gradient = BARD.value_and_grad(result.theta)
    assert result.value == pytest.approx(value, rel=1e-15)
    assert result.gradient_norm == pytest.approx(np.abs(gradient).max(), rel=1e-12)


def test_a_small_gradient_ends_the_run():
    result = levenberg_marquardt(BARD.linearize, BARD.start, gradient_tolerance=1e-4)

    assert result.gradient_norm < 1e-4
    assert result.stopped == f"gradient norm {result.gradient_norm:.2g} is below 0.0001"


def test_a_small_step_ends_the_run_before_it_is_taken():
    result, points = walk(BARD.linearize, BARD.start, step_tolerance=1e-3)
    further, more = walk(BARD.linearize, BARD.start, n_steps=result.n_steps + 1)

    assert np.all(np.abs(more[-1] - points[-1]) <= 1e-3 * np.abs(points[-1]))
    assert np.all(np.any(np.abs(np.diff(points, axis=0)) > 1e-3 * np.abs(points[:-1]), axis=1))
    assert result.stopped == "the next step changes no parameter by more than 0.001 of it"
    assert further.n_steps == result.n_steps + 1


@pytest.mark.parametrize("metric", [None, lambda squares: squares])
def test_parameters_of_very_different_sizes_are_found(metric):
    """2 exp(-3 t) + 1/2 with an amplitude of 2e-9 and a rate of 3e6."""
    t, units = np.linspace(0.0, 1.0, 20), np.array([1e9, 1e-6, 1.0])
    y = 2.0 * np.exp(-3.0 * t) + 0.5

    def linearize(theta):
        amplitude, rate, constant = theta * units
        decay = np.exp(-rate * t)
        columns = np.stack([decay, -amplitude * t * decay, np.ones(20)], axis=1)
        return amplitude * decay + constant - y, columns * units

    result = levenberg_marquardt(linearize, [1e-9, 1e6, 0.0], metric=metric)

    np.testing.assert_allclose(result.theta, [2e-9, 3e6, 0.5], rtol=1e-12)


@for_all("start", [0.0, 0.5])
@for_all("unit", [1e-100, 1e-33, 1.0, 1e33])
def test_a_parameter_is_found_in_any_unit(start, unit):
    """A parameter such as Planck's constant is far below the rounding error of 1."""
    values = np.linspace(1.0, 2.0, 20)

    result = levenberg_marquardt(
        lambda theta: (values * (theta[0] / unit - 1.0), values[:, None] / unit), [start * unit]
    )

    assert result.theta[0] / unit == pytest.approx(1.0, rel=1e-12)


def test_a_small_fall_of_the_value_ends_the_run_after_it():
    values = []

    result = levenberg_marquardt(
        BARD.linearize,
        BARD.start,
        value_tolerance=1e-2,
        callback=lambda iterate: values.append(iterate.value),
    )

    falls = -np.diff(values) / values[:-1]
    assert np.all(falls[:-1] > 1e-2)
    assert falls[-1] <= 1e-2
    assert result.stopped.startswith(f"step {len(values)} lowered the value by ")
    assert result.stopped.endswith(", not more than 0.01 of it")


@pytest.mark.parametrize(
    ("n_steps", "sentence"),
    [(0, "0 steps are done"), (1, "1 step is done"), (4, "4 steps are done")],
)
def test_no_more_steps_are_accepted_than_asked_for(n_steps, sentence):
    shown = []

    result = levenberg_marquardt(
        ROSENBROCK.linearize, ROSENBROCK.start, n_steps=n_steps, callback=shown.append
    )

    assert [iterate.step for iterate in shown] == list(range(1, n_steps + 1))
    assert result.stopped == sentence


def test_a_perfect_start_ends_at_once():
    result = levenberg_marquardt(ROSENBROCK.linearize, [1.0, 1.0])

    assert (result.n_steps, result.value, result.stopped) == (
        0,
        0.0,
        "the gradient is exactly zero",
    )


EPS = float(np.finfo(float).eps)


def two_answers(first, after):
    """A problem of one parameter: residuals and Jacobian at the first call, and at all later ones."""
    calls = []

    def linearize(theta):
        calls.append(1)
        residuals, slopes = first if len(calls) == 1 else after
        return np.array(residuals), np.array(slopes)[:, None]

    return linearize


@pytest.mark.parametrize("size", [2.0**-10, 1.0, 2.0**10])
@pytest.mark.parametrize(("units", "n_steps"), [(10.5, 1), (9.5, 0)])
def test_a_predicted_fall_decides_down_to_10_units_of_rounding_of_the_value(units, n_steps, size):
    """Above, a lower value is enough; below, the gradient has to halve, and here it grows."""
    small = float(np.sqrt(units * EPS))
    grown = two_answers(([size * small, size], [1.0, 0.0]), ([0.0, size], [1.0, 1.0]))

    result = levenberg_marquardt(grown, [1.0], damping=1e-12, n_steps=1, step_tolerance=0.0)

    assert result.n_steps == n_steps
    assert ("lost in the rounding" in result.stopped) is (n_steps == 0)


@for_all("size", [2.0**-10, 1.0, 2.0**10])
@for_all(
    ("rise", "slope", "n_steps"),
    [
        (-1e-9, 0.4, 1),
        (0.9e-8, 0.4, 1),
        (1.1e-8, 0.4, 0),
        (0.0, 0.5, 1),
        (0.0, 0.51, 0),
        (0.9e-8, 0.51, 0),
    ],
)
def test_below_rounding_a_step_that_halves_the_gradient_may_raise_the_value_by_1e_8_of_it(
    rise, slope, n_steps, size
):
    small = 2.0**-30
    raised = two_answers(
        ([size * small, size], [1.0, 0.0]),
        ([0.0, size * np.sqrt(1.0 + rise)], [1.0, slope * small]),
    )

    result = levenberg_marquardt(raised, [1.0], n_steps=1, step_tolerance=0.0)

    assert result.n_steps == n_steps


@pytest.mark.parametrize("rise", [0.0, 1e-9])
def test_above_rounding_a_step_that_does_not_lower_the_value_is_never_accepted(rise):
    """Neither equal values nor a rise below the 1e-8 that is allowed near rounding."""
    raised = two_answers(([1e-3, 1.0], [1.0, 0.0]), ([1e-3, np.sqrt(1.0 + rise)], [1.0, 0.0]))

    result = levenberg_marquardt(raised, [1.0])

    assert (result.n_steps, result.theta[0]) == (0, 1.0)


def test_a_step_accepted_for_its_gradient_lowers_the_damping_like_a_perfect_one(monkeypatch):
    dampings, original = [], equations_module.solve_positive_definite

    def recorded(matrix, rhs):
        dampings.append(matrix[0, 0] - 1.0)
        return original(matrix, rhs)

    monkeypatch.setattr(equations_module, "solve_positive_definite", recorded)
    small = 2.0**-30

    levenberg_marquardt(
        two_answers(([small, 1.0], [1.0, 0.0]), ([0.0, 1.0], [1.0, 0.4 * small])), [1.0], n_steps=2
    )

    np.testing.assert_allclose(dampings[:2], [1e-3, 1e-3 / 3.0], rtol=1e-10)


@pytest.mark.parametrize(("target", "stops"), [(2.0, True), (2.1, False), (1.9, True)])
def test_a_step_of_exactly_the_tolerance_ends_the_run(target, stops):
    """|h| <= eps2 |x| with eps2 = 1 and |x| = 1: up to 1."""
    result = levenberg_marquardt(
        lambda theta: (theta - target, np.eye(1)),
        [1.0],
        damping=1e-300,
        step_tolerance=1.0,
        n_steps=1,
    )

    assert result.n_steps == (0 if stops else 1)
    assert ("no parameter by more than 1 of it" in result.stopped) is stops


def shrinking(factor):
    """A residual that shrinks to a part at every call, wherever it is."""
    calls = []

    def linearize(theta):
        calls.append(1)
        return np.array([factor ** len(calls)]), np.eye(1)

    return linearize


def test_without_a_word_100_steps_are_done():
    assert levenberg_marquardt(shrinking(0.9), [1.0]).stopped == "100 steps are done"


@pytest.mark.parametrize(("tolerance", "stops"), [(0.5, True), (0.49, False), (0.0, False)])
def test_a_fall_of_exactly_the_tolerated_part_of_the_value_ends_the_run(tolerance, stops):
    """From 4 to 2."""
    result = levenberg_marquardt(
        two_answers(([2.0, 0.0], [1.0, 0.0]), ([1.0, 1.0], [1.0, 0.0])),
        [1.0],
        value_tolerance=tolerance,
        n_steps=2,
    )

    assert result.stopped.startswith("step 1 lowered the value by 2, not more than") is stops
