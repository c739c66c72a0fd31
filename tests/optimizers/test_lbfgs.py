"""Limited-memory BFGS: the recursion against the dense one, minima of standard problems, and how runs end."""

import sys
from itertools import islice

import numpy as np
import pytest
from cases import for_all
from hypothesis import given
from hypothesis import strategies as st
from oracles_optimizers import PROBLEMS, ROSENBROCK, bowl, dense_inverse_hessian

from kan_ref.optimizers import Steps
from kan_ref.optimizers.lbfgs import Trial, lbfgs, line_search, make_pair, two_loop_direction

module = sys.modules["kan_ref.optimizers.lbfgs"]  # the package hands on the function of this name

EPS = float(np.finfo(float).eps)
seeds = st.integers(0, 2**32 - 1)


# --- the recursion


@given(st.integers(1, 8), st.integers(1, 6), seeds)
def test_the_two_loops_multiply_by_the_dense_inverse_hessian(n, n_pairs, seed):
    """Steps and gradient changes of a random convex quadratic, whose curvatures are positive."""
    rng = np.random.default_rng(seed)
    root, steps, gradient = rng.normal(size=(n + 2, n)), rng.normal(size=(n_pairs, n)), np.ones(n)
    changes = steps @ (root.T @ root)

    direction = two_loop_direction(gradient, list(map(make_pair, steps, changes)))

    dense = dense_inverse_hessian(steps, changes)
    size = np.linalg.norm(dense, 2) * np.linalg.norm(gradient)
    assert np.abs(direction + dense @ gradient).max() <= 1e-10 * size
    np.testing.assert_array_equal(two_loop_direction(gradient, []), -gradient)


@pytest.mark.parametrize("problem", PROBLEMS, ids=repr)
def test_a_run_with_full_history_follows_dense_bfgs(problem):
    theta = np.array(problem.start)
    value, gradient = problem.value_and_grad(theta)
    steps, changes, points = [], [], [theta]
    for _ in range(8):
        direction = -dense_inverse_hessian(steps, changes) @ gradient if steps else -gradient
        first = 1.0 if steps else min(1.0, 1.0 / np.linalg.norm(gradient))
        trial = line_search(problem.value_and_grad, theta, direction, value, gradient, first)
        steps.append(trial.theta - theta)
        changes.append(trial.gradient - gradient)
        _, theta, value, _, gradient = trial
        points.append(theta)

    ours = [point.theta for point in islice(lbfgs(problem.value_and_grad, problem.start, 100), 9)]

    np.testing.assert_allclose(ours, points, rtol=1e-7, atol=1e-9)


def test_the_oldest_pair_is_forgotten_first(monkeypatch):
    """With history 3 the fifth direction uses the three newest steps."""
    seen, original = [], module.two_loop_direction
    monkeypatch.setattr(
        module,
        "two_loop_direction",
        lambda g, pairs: seen.append([p.step for p in pairs]) or original(g, pairs),
    )

    points = [p.theta for p in islice(lbfgs(ROSENBROCK.value_and_grad, ROSENBROCK.start, 3), 6)]

    np.testing.assert_array_equal(seen[4], np.diff(points[:5], axis=0)[1:])


@for_all("change", [[-1.0, 0.0], [0.0, 1.0], [1e-17, 1.0], [np.nan, 0.0]])
def test_a_pair_without_positive_curvature_is_not_stored(change):
    assert make_pair(np.array([1.0, 0.0]), np.array(change)) is None


@for_all("size", [2.0**-10, 1.0, 2.0**10])
@for_all(("part", "stored"), [(0.9, False), (1.0, False), (1.1, True)])
def test_a_pair_is_stored_from_eps_times_the_lengths_of_step_and_gradient_change(
    size, part, stored
):
    """Powers of two, so that the bound itself is exact."""
    step, change = np.array([2.0, 0.0]), np.array([part * EPS, 1.0]) * size

    pair = make_pair(step, change)

    assert (pair is not None) is stored
    if pair is not None:
        assert pair.rho == 1.0 / (step @ change)


# --- minima


@pytest.mark.parametrize("problem", PROBLEMS, ids=repr)
def test_the_minimum_of_a_standard_problem_is_found_and_values_never_rise(problem):
    points = list(Steps(lbfgs(problem.value_and_grad, problem.start), 500))

    values = np.array([point.value for point in points])
    assert values[-1] == pytest.approx(problem.minimum, rel=1e-10, abs=1e-14)
    assert np.all(np.diff(values) <= 10 * EPS * values[:-1])
    if problem.minimizer is not None:
        np.testing.assert_allclose(points[-1].theta, problem.minimizer, rtol=0, atol=1e-8)


# --- first trials, calls, ends


@for_all("scale", [1e-3, 1.0, 1e8])
def test_the_first_trial_is_no_longer_than_one_and_than_the_gradient(scale):
    calls, function = [], bowl(scale * np.array([1.0, 2.0]))
    start = np.array([3.0, 4.0])

    list(islice(lbfgs(lambda theta: calls.append(theta) or function(theta), start), 2))

    length = np.linalg.norm(function(start)[1])
    assert np.linalg.norm(calls[1] - start) == pytest.approx(min(1.0, length), rel=1e-12)


def watch_searches(monkeypatch, search):
    """Replace the line search by one that gets the number of the call and the original; return what it was asked."""
    original, asked = module.line_search, []

    def replaced(function, theta, direction, value, gradient, first_step):
        asked.append((direction, gradient, first_step))
        along = np.array_equal(direction, -gradient)
        fake = search(len(asked), along, theta, value, gradient)
        return fake or original(function, theta, direction, value, gradient, first_step)

    monkeypatch.setattr(module, "line_search", replaced)
    return asked


def test_later_steps_try_the_full_quasi_newton_step_first(monkeypatch):
    asked = watch_searches(monkeypatch, lambda *_: None)

    list(islice(lbfgs(ROSENBROCK.value_and_grad, ROSENBROCK.start), 6))

    first_steps = [one[2] for one in asked]
    assert first_steps[0] < 0.01
    assert first_steps[1:] == [1.0] * 4


def test_after_a_failed_line_search_the_next_one_goes_along_the_gradient(monkeypatch):
    asked = watch_searches(monkeypatch, lambda n, *_: "failed" if n == 5 else None)

    last = Steps(lbfgs(ROSENBROCK.value_and_grad, ROSENBROCK.start), 200).last()

    assert not np.array_equal(asked[4][0], -asked[4][1])
    np.testing.assert_array_equal(asked[5][0], -asked[4][1])
    np.testing.assert_allclose(last.theta, [1.0, 1.0], rtol=0, atol=1e-8)


def test_failures_with_progress_in_between_do_not_end_the_run(monkeypatch):
    """Steepest descent: only searches along the gradient are allowed to succeed, and every second one fails."""
    asked = watch_searches(monkeypatch, lambda n, along, *_: None if along else "failed")

    points = list(islice(lbfgs(bowl(np.array([1.0, 7.0, 30.0])), [1.0, -2.0, 0.5]), 9))

    assert len(points) == 9
    assert [np.array_equal(one[0], -one[1]) for one in asked] == [True, False] * 7 + [True]


def test_two_failures_without_progress_in_between_end_the_run(monkeypatch):
    """All searches but those along the gradient fail, and these move theta by its last digit."""

    def search(n, along, theta, value, gradient):
        if n <= 3:
            return None
        creep = Trial(1.0, np.nextafter(theta, np.inf), value, 0.0, gradient + 1e-3)
        return creep if along else "failed"

    asked = watch_searches(monkeypatch, search)
    steps = Steps(lbfgs(ROSENBROCK.value_and_grad, ROSENBROCK.start), 50)

    steps.last()

    assert len(asked) == 6
    assert "twice" in steps.stopped


@for_all(
    ("moved", "fall", "progress"),
    [(20.0, 1.0, False), (20.5, 1.0, True), (1.0, 20.0, False), (1.0, 21.0, True)],
)
@for_all("sign", [1.0, -1.0])
def test_progress_between_failures_is_more_than_20_units_of_rounding_of_theta_and_of_the_value(
    moved, fall, progress, sign
):
    """A number of 1 stands for far more than rounding."""
    moved, fall = (one * EPS if one > 1.0 else 1e-3 for one in (moved, fall))
    before = sign * np.array([1.0, 0.5 - moved]), sign + fall

    assert module._progress(before, (sign * np.array([1.0, 0.5]), sign)) is progress


def test_a_search_that_fails_along_the_gradient_ends_the_run_with_a_sentence():
    """A gradient of the wrong sign."""
    steps = Steps(lbfgs(lambda t: (float(t @ t), -2.0 * t), [1.0, 2.0]), 9)

    assert len(list(steps)) == 1
    assert "along the gradient" in steps.stopped


@for_all("noise", [0.0, 1.0])
def test_at_the_floor_of_rounding_a_run_ends_by_itself(noise):
    """Least squares. With nonzero residuals, derivatives determine theta far beyond the digits of the value."""
    rng = np.random.default_rng(1)
    matrix = rng.normal(size=(200, 50))
    rhs = matrix @ np.ones(50) + noise * rng.normal(size=200)
    truth = np.linalg.lstsq(matrix, rhs)[0]

    def value_and_grad(theta):
        r = matrix @ theta - rhs
        return r @ r / 200, 2 * matrix.T @ r / 200

    steps = Steps(lbfgs(value_and_grad, np.zeros(50)), 2000)

    np.testing.assert_allclose(steps.last().theta, truth, rtol=0, atol=1e-12)
    assert "no decrease" in steps.stopped or "zero" in steps.stopped
