"""Levenberg-Marquardt: against the plain algorithm and SciPy's, with all forms of Jacobian, and down to rounding error."""

import sys
from itertools import islice

import numpy as np
import pytest
from cases import for_all
from hypothesis import given
from hypothesis import strategies as st
from oracles_training import BARD, PROBLEMS, ROSENBROCK, naive_levenberg_marquardt

from kan_ref.numerics import NormalSums, RowSparse, normal_sums
from kan_ref.optimizers import Steps
from kan_ref.optimizers.levenberg_marquardt import damped_step, levenberg_marquardt

module = sys.modules["kan_ref.optimizers.levenberg_marquardt"]

EPS = float(np.finfo(float).eps)
seeds = st.integers(0, 2**32 - 1)


def path(linearize, theta, n_steps, **options):
    """The points of a run, (n_steps + 1, n_params) or fewer."""
    points = islice(levenberg_marquardt(linearize, theta, **options), n_steps + 1)
    return np.array([point.theta for point in points])


def linear_problem(rng, n_rows, n_columns):
    matrix, rhs = rng.normal(size=(n_rows, n_columns)), rng.normal(size=n_rows)
    return np.linalg.lstsq(matrix, rhs)[0], lambda theta: (matrix @ theta - rhs, matrix)


# --- steps


@given(st.integers(1, 7), st.integers(1, 7), st.floats(-3, 3), seeds)
def test_the_step_minimizes_the_damped_model_and_the_predicted_fall_is_the_model_s(n_rows, n_columns, exponent, seed):
    """The least squares solution of J h = -r stacked on sqrt(mu D) h = 0."""
    rng = np.random.default_rng(seed)
    matrix, r = rng.normal(size=(n_rows, n_columns)), rng.normal(size=n_rows)
    damping = 10.0**exponent * rng.uniform(0.5, 2.0, n_columns)

    h, predicted = damped_step(normal_sums(matrix, r), damping)

    stacked = np.vstack([matrix, np.diag(np.sqrt(damping))])
    truth = np.linalg.lstsq(stacked, np.append(-r, np.zeros(n_columns)))[0]
    np.testing.assert_allclose(h, truth, rtol=0, atol=1e-9 * np.linalg.norm(truth))
    model = r + matrix @ h
    assert predicted == pytest.approx(r @ r - model @ model, rel=1e-7)


@pytest.mark.parametrize("problem", PROBLEMS, ids=repr)
def test_accepted_points_are_those_of_the_plain_algorithm(problem):
    plain = naive_levenberg_marquardt(problem.linearize, problem.start, 6)

    points = path(problem.linearize, problem.start, 6)

    np.testing.assert_allclose(points, plain, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("problem", PROBLEMS, ids=repr)
def test_the_minimum_of_a_standard_problem_is_found(problem):
    last = Steps(levenberg_marquardt(problem.linearize, problem.start), 300).last()

    assert last.value == pytest.approx(problem.minimum, rel=1e-9, abs=1e-16)
    if problem.minimizer is not None:
        np.testing.assert_allclose(last.theta, problem.minimizer, rtol=0, atol=1e-9)


# --- forms of the problem


def as_rows(dense):
    """The same matrix as RowSparse, every value split into two entries of one column."""
    columns = np.tile(np.repeat(np.arange(dense.shape[1]), 2), (len(dense), 1))
    return RowSparse(columns, np.repeat(0.5 * dense, 2, axis=1), dense.shape[1])


@for_all("problem", [ROSENBROCK, BARD])
def test_all_forms_of_the_jacobian_give_the_same_run(problem):
    plain = path(problem.linearize, problem.start, 8)

    def run(form):
        return path(lambda t: (problem.residuals(t), form(*problem.linearize(t))), problem.start, 8)

    for points in (
        run(lambda r, jacobian: as_rows(jacobian)),
        run(lambda r, jacobian: [as_rows(jacobian[:1]), jacobian[1:]]),
        run(lambda r, jacobian: NormalSums(jacobian.T @ jacobian, jacobian.T @ r)),
    ):
        np.testing.assert_allclose(points, plain, rtol=1e-9, atol=1e-11)


def test_a_parameter_without_effect_stays_and_changes_nothing():
    """Its column of J is zero."""
    places = [0, 2]

    def linearize(theta):
        r, jacobian = ROSENBROCK.linearize(theta[places])
        wide = np.zeros((2, 4))
        wide[:, places] = jacobian
        return r, wide

    points = path(linearize, [ROSENBROCK.start[0], 7.0, ROSENBROCK.start[1], 0.0], 12)

    plain = path(ROSENBROCK.linearize, ROSENBROCK.start, 12)
    np.testing.assert_allclose(points[:, places], plain, rtol=1e-12, atol=1e-13)
    np.testing.assert_array_equal(points[:, [1, 3]], [[7.0, 0.0]] * 13)


def test_more_parameters_than_residuals_are_fitted_exactly():
    truth, linearize = linear_problem(np.random.default_rng(2), 5, 12)

    last = Steps(levenberg_marquardt(linearize, np.zeros(12)), 100).last()

    assert last.value < 1e-26
    np.testing.assert_allclose(last.theta, truth, rtol=0, atol=1e-10)


def test_residuals_serve_the_trials_and_change_nothing():
    calls = {"linearize": 0, "residuals": 0}

    def linearize(theta):
        calls["linearize"] += 1
        return ROSENBROCK.linearize(theta)

    def residuals(theta):
        calls["residuals"] += 1
        return ROSENBROCK.residuals(theta)

    points = list(islice(levenberg_marquardt(linearize, ROSENBROCK.start, residuals), 13))

    plain = path(ROSENBROCK.linearize, ROSENBROCK.start, 12)
    np.testing.assert_array_equal([point.theta for point in points], plain)
    assert calls["linearize"] == 13
    assert calls["residuals"] > 12
    assert points[-1].n_evaluations == sum(calls.values())


def test_the_normal_matrix_is_assembled_once_an_accepted_point(monkeypatch):
    """Also when trials in between are rejected, as from this start."""
    assembled, original = [], module.normal_sums
    monkeypatch.setattr(module, "normal_sums", lambda *parts: assembled.append(1) or original(*parts))

    points = list(islice(levenberg_marquardt(ROSENBROCK.linearize, ROSENBROCK.start), 13))

    assert points[-1].n_evaluations > len(points)
    assert len(assembled) == len(points)


# --- metric and damping


def watch_dampings(monkeypatch, refuse=0):
    """Record the first entry of every damping mu D; Cholesky rejects the first matrices."""
    dampings, original = [], module.damped_step

    def recorded(sums, damping):
        dampings.append(damping[0])
        if len(dampings) <= refuse:
            raise np.linalg.LinAlgError
        return original(sums, damping)

    monkeypatch.setattr(module, "damped_step", recorded)
    return dampings


def test_the_metric_is_asked_once_for_the_start_and_scales_the_damping(monkeypatch):
    """The first mu is damping * max_i (J^T J)_ii / D_ii."""
    dampings, asked = watch_dampings(monkeypatch), []

    def metric(squares):
        asked.append(squares)
        return np.array([2.0, 0.5])

    matrix = np.diag([3.0, 4.0])
    path(lambda t: (matrix @ t - 1.0, matrix), [0.0, 0.0], 3, damping=0.01, metric=metric)

    np.testing.assert_array_equal(asked, [[9.0, 16.0]])
    assert dampings[0] == pytest.approx(0.01 * 32.0 * 2.0)


def test_every_rejection_doubles_the_factor_of_the_damping(monkeypatch):
    """mu, 2 mu, 8 mu, 64 mu: a matrix that Cholesky rejects counts as a rejected step."""
    dampings = watch_dampings(monkeypatch, refuse=3)

    path(lambda theta: (3.0 * theta - 1.0, np.array([[3.0]])), [0.0], 1)

    np.testing.assert_allclose(dampings, 9e-3 * np.array([1.0, 2.0, 8.0, 64.0]), rtol=1e-10)


@for_all("broken", ["residuals", "jacobian"])
def test_a_trial_that_is_not_finite_is_rejected(broken):
    """log(theta) = -3 from theta = 6: the first Gauss-Newton step leads below zero."""
    tried = []

    def linearize(theta):
        tried.append(theta[0])
        inside = theta[0] > 0.0
        r = np.log(theta) + 3.0 if inside or broken == "residuals" else np.array([0.1])
        return r, np.array([[1.0 / theta[0] if inside else np.nan]])

    last = Steps(levenberg_marquardt(linearize, [6.0], damping=1e-10), 100).last()

    assert min(tried) < 0.0
    assert last.theta[0] == pytest.approx(np.exp(-3.0), rel=1e-12)


# --- ends


def end_of(linearize, theta, **options):
    steps = Steps(levenberg_marquardt(linearize, theta, **options), 200)
    return steps.last(), steps.stopped


def test_a_perfect_start_ends_at_once():
    last, stopped = end_of(ROSENBROCK.linearize, [1.0, 1.0])

    assert (last.n_evaluations, stopped) == (1, "the gradient is exactly zero")


@pytest.mark.parametrize("seed", range(3))
def test_vanishing_residuals_are_driven_to_the_floor_of_rounding_and_no_further(seed):
    """(u^T x)(v^T x) from another point: a valley u -> c u, v -> v / c, and a value that ends in rounding error."""
    rng = np.random.default_rng(seed)
    x, truth = rng.normal(size=(400, 4)), rng.normal(size=8)
    y = (x @ truth[:4]) * (x @ truth[4:])

    def linearize(theta):
        u, v = x @ theta[:4], x @ theta[4:]
        return u * v - y, np.concatenate([v[:, None] * x, u[:, None] * x], axis=1)

    points = list(Steps(levenberg_marquardt(linearize, truth + 0.3 * rng.normal(size=8)), 200))

    below = [point.n_evaluations for point in points if point.value < 1e-26]
    assert below
    assert points[-1].n_evaluations - below[0] <= 60


def test_where_the_value_cannot_fall_the_gradient_still_does():
    """The value has all its digits when theta has half of them; the run goes on to the rounding error of J^T r."""
    points = list(Steps(levenberg_marquardt(BARD.linearize, BARD.start), 100))

    values = np.array([point.value for point in points])
    assert np.all(np.diff(values) <= 20 * EPS * values[:-1])
    assert points[-1].gradient_norm <= 1e-14 * np.linalg.norm(BARD.jacobian(points[-1].theta))


@for_all(("change", "n_steps"), [(0.9e-16, 0), (1.1e-15, 1)])
def test_a_step_that_changes_no_parameter_ends_the_run(change, n_steps):
    problem = two_answers(([-change], [1.0]), ([0.0], [1.0]))

    assert len(path(problem, [1.0], 1, damping=1e-30)) == n_steps + 1


def test_a_problem_that_is_finite_nowhere_but_at_its_start_ends_there():
    last, stopped = end_of(lambda t: (np.where(t == 1.0, 1.0, np.nan), np.eye(1)), [1.0])

    assert last.theta[0] == 1.0
    assert stopped == "the next step changes no parameter"


def test_a_metric_that_is_not_positive_ends_the_run():
    """J has a column of zeros, so that its entry of J^T J + mu D is below 0 for every mu."""
    matrix = np.diag([1.0, 0.0])

    last, stopped = end_of(lambda t: (matrix @ t - 1.0, matrix), [0.0, 0.0], metric=lambda _: np.array([1.0, -1.0]))

    assert last.theta[0] == 0.0
    assert "not positive definite" in stopped


def two_answers(first, after):
    """A problem of one parameter: residuals and Jacobian at the first call, and at all later ones."""
    calls = []

    def linearize(theta):
        calls.append(1)
        residuals, slopes = first if len(calls) == 1 else after
        return np.array(residuals), np.array(slopes)[:, None]

    return linearize


@for_all("size", [2.0**-10, 1.0, 2.0**10])
@for_all(("units", "n_steps"), [(10.5, 1), (9.5, 0)])
def test_a_predicted_fall_decides_down_to_10_units_of_rounding_of_the_value(units, n_steps, size):
    """Above, a lower value is enough; below, the gradient has to halve, and here it grows."""
    small = float(np.sqrt(units * EPS))
    grown = two_answers(([size * small, size], [1.0, 0.0]), ([0.0, size], [1.0, 1.0]))

    steps = Steps(levenberg_marquardt(grown, [1e-9], damping=1e-12), 1)

    assert len(list(steps)) == n_steps + 1
    assert ("lost in the rounding" in steps.stopped) is (n_steps == 0)


@for_all("size", [2.0**-10, 1.0, 2.0**10])
@for_all(
    ("rise", "slope", "n_steps"),
    [(-1e-9, 0.4, 1), (0.9e-8, 0.4, 1), (1.1e-8, 0.4, 0), (0.0, 0.5, 1), (0.0, 0.51, 0), (0.9e-8, 0.51, 0)],
)
def test_below_rounding_a_step_that_halves_the_gradient_may_raise_the_value_by_1e_8_of_it(rise, slope, n_steps, size):
    small = 2.0**-30
    raised = two_answers(([size * small, size], [1.0, 0.0]), ([0.0, size * np.sqrt(1.0 + rise)], [1.0, slope * small]))

    assert len(path(raised, [1.0], 1)) == n_steps + 1


@for_all("rise", [0.0, 1e-9])
def test_above_rounding_a_step_that_does_not_lower_the_value_is_never_accepted(rise):
    """Neither equal values nor a rise below the 1e-8 that is allowed near rounding."""
    raised = two_answers(([1e-3, 1.0], [1.0, 0.0]), ([1e-3, np.sqrt(1.0 + rise)], [1.0, 0.0]))

    assert len(path(raised, [1.0], 1)) == 1


def test_a_step_accepted_for_its_gradient_lowers_the_damping_like_a_perfect_one(monkeypatch):
    dampings, small = watch_dampings(monkeypatch), 2.0**-30

    path(two_answers(([small, 1.0], [1.0, 0.0]), ([0.0, 1.0], [1.0, 0.4 * small])), [1.0], 2)

    np.testing.assert_allclose(dampings[:2], [1e-3, 1e-3 / 3.0], rtol=1e-10)
