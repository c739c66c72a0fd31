"""Steps from values and gradients: Adam, and limited-memory BFGS with its line search.

Adam is compared with the algorithm one number at a time, BFGS with the dense recursion; both reach the minima of standard problems. Steps hold
the strong Wolfe conditions, and rounding, infinities or wrong derivatives leave none. Last: what all optimizers share.
"""

import math
import sys
from itertools import islice

import numpy as np
import pytest
from cases import for_all
from hypothesis import given
from hypothesis import strategies as st
from oracles_training import PROBLEMS, ROSENBROCK, bowl, dense_inverse_hessian, naive_adam, satisfies_strong_wolfe
from scipy.interpolate import CubicHermiteSpline

from kan_ref.optimizers import Steps, adam, lbfgs, levenberg_marquardt
from kan_ref.optimizers.lbfgs import C2, Trial, _cubic_minimizer, line_search, make_pair, two_loop_direction
from kan_ref.optimizers.points import own

# --- adam: against the algorithm one number at a time, what its steps are, mini-batches, minima, and how runs end

seeds = st.integers(0, 2**32 - 1)


def path(function, theta, n_steps, **options):
    """The points of a run, (n_steps + 1, n_params)."""
    return np.array([point.theta for point in islice(adam(function, theta, **options), n_steps + 1)])


def constant(gradient):
    """A slope that is the same everywhere."""
    return lambda theta: (float(np.array(gradient) @ theta), np.array(gradient))


# --- the steps


@given(st.integers(1, 6), st.floats(1e-4, 0.1), st.floats(0, 0.99), st.floats(0, 0.9999), st.floats(-10, -2), seeds)
def test_every_step_is_that_of_the_algorithm_one_number_at_a_time(n, rate, beta1, beta2, log_epsilon, seed):
    rng = np.random.default_rng(seed)
    start, curvatures = rng.normal(size=n), 10.0 ** rng.uniform(-2, 2, n)
    options = (rate, beta1, beta2, 10.0**log_epsilon)

    ours = np.array([p.theta for p in islice(adam(bowl(curvatures), start, *options), 31)])

    naive, nearby = (
        naive_adam([lambda theta: curvatures * theta] * 30, at, *options) for at in (start, start * (1.0 + 4e-16))
    )
    # with a small beta2 every step amplifies its own rounding, as it amplifies a change of the start by two units in the last place
    grown = np.maximum.accumulate(np.abs(nearby - naive).max(axis=1))
    assert np.all(np.abs(ours - naive).max(axis=1) <= 1e-14 + 1e4 * grown)


def test_the_defaults_are_those_of_the_paper_with_a_rate_of_a_hundredth():
    naive = naive_adam([lambda theta: ROSENBROCK.value_and_grad(theta)[1]] * 50, ROSENBROCK.start)

    np.testing.assert_allclose(path(ROSENBROCK.value_and_grad, ROSENBROCK.start, 50), naive, rtol=1e-15)


def test_many_parameters_move_as_few_do():
    """In blocks, whose ends are those of the parameters."""
    n = 2**15 + 3
    gradient = np.geomspace(1.0, 9.0, n)

    points = path(constant(gradient), np.zeros(n), 3)

    ends = [0, 2**15 - 1, 2**15, n - 1]
    np.testing.assert_array_equal(points[:, ends], path(constant(gradient[ends]), np.zeros(4), 3))


def test_under_a_constant_gradient_every_parameter_moves_by_the_rate():
    options = {"learning_rate": 0.25, "epsilon": 1e-100}

    points = path(constant([1e-3, -2.0, 1e6]), np.zeros(3), 40, **options)

    np.testing.assert_allclose(points, np.outer(np.arange(41), [-0.25, 0.25, -0.25]), rtol=1e-12)


# --- calls


def test_a_function_that_draws_a_batch_at_every_call_is_shown_batch_by_batch():
    """Call t, at theta_t, is on batch t: it gives the value of that point and the gradient of step t + 1."""
    curvatures = np.random.default_rng(0).uniform(0.5, 2.0, (6, 3))
    batches, reported = iter(curvatures), []

    def on_next_batch(theta):
        answer = bowl(next(batches))(theta)
        reported.append(answer[0])
        return answer

    points = list(islice(adam(on_next_batch, np.ones(3)), 6))

    assert [point.value for point in points] == reported
    naive = naive_adam([lambda theta, c=c: c * theta for c in curvatures[:5]], np.ones(3))
    np.testing.assert_allclose([point.theta for point in points], naive, rtol=1e-15)


# --- ends


@for_all(
    "answer",
    [(np.nan, np.ones(2)), (-np.inf, np.ones(2)), (1.0, np.array([1.0, np.nan])), (1.0, np.array([-np.inf, 0.0]))],
)
def test_a_step_to_a_point_that_is_not_finite_is_undone_and_ends_the_run(answer):
    calls = []

    def spoiled(theta):
        calls.append(theta)
        return answer if len(calls) > 4 else bowl(np.ones(2))(theta)

    steps = Steps(adam(spoiled, [3.0, -4.0]), 20)
    points = list(steps)

    assert "not finite" in steps.stopped
    np.testing.assert_array_equal([point.theta for point in points], calls[:4])
    assert len(calls) == 5


def test_parameters_that_overflow_end_the_run_before_the_function_is_called():
    calls = []

    steps = Steps(adam(lambda t: calls.append(t) or (0.0, np.ones(1)), [0.0], learning_rate=1e200), 5)

    assert steps.last().theta[0] == 0.0
    assert "not finite" in steps.stopped
    assert len(calls) == 1


# --- limited-memory BFGS: the recursion against the dense one, minima of standard problems, and how runs end

module = sys.modules["kan_ref.optimizers.lbfgs"]  # the package hands on the function of this name

EPS = float(np.finfo(float).eps)


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
        module, "two_loop_direction", lambda g, pairs: seen.append([p.step for p in pairs]) or original(g, pairs)
    )

    points = [p.theta for p in islice(lbfgs(ROSENBROCK.value_and_grad, ROSENBROCK.start, 3), 6)]

    np.testing.assert_array_equal(seen[4], np.diff(points[:5], axis=0)[1:])


@for_all("change", [[-1.0, 0.0], [0.0, 1.0], [1e-17, 1.0], [np.nan, 0.0]])
def test_a_pair_without_positive_curvature_is_not_stored(change):
    assert make_pair(np.array([1.0, 0.0]), np.array(change)) is None


@for_all("size", [2.0**-10, 1.0, 2.0**10])
@for_all(("part", "stored"), [(0.9, False), (1.0, False), (1.1, True)])
def test_a_pair_is_stored_from_eps_times_the_lengths_of_step_and_gradient_change(size, part, stored):
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


@for_all(("moved", "fall", "progress"), [(20.0, 1.0, False), (20.5, 1.0, True), (1.0, 20.0, False), (1.0, 21.0, True)])
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
def test_at_the_floor_of_rounding_theta_stays_right(noise):
    """Least squares. With nonzero residuals, derivatives determine theta far beyond the digits of the value, and the last bits decide
    whether the run ends there.
    """
    rng = np.random.default_rng(1)
    matrix = rng.normal(size=(200, 50))
    rhs = matrix @ np.ones(50) + noise * rng.normal(size=200)
    truth = np.linalg.lstsq(matrix, rhs)[0]

    def value_and_grad(theta):
        r = matrix @ theta - rhs
        return r @ r / 200, 2 * matrix.T @ r / 200

    steps = Steps(lbfgs(value_and_grad, np.zeros(50)), 2000)

    np.testing.assert_allclose(steps.last().theta, truth, rtol=0, atol=1e-12)
    assert noise or "no decrease" in steps.stopped or "zero" in steps.stopped


# --- steps with the strong Wolfe conditions, and where rounding, infinities or wrong derivatives leave none


class Curve:
    """A function of one number as a function of a vector of one; it records where it was called."""

    def __init__(self, phi, slope):
        self.phi, self.slope, self.calls = phi, slope, []

    def __call__(self, theta):
        self.calls.append(float(theta[0]))
        return float(self.phi(theta[0])), np.array([float(self.slope(theta[0]))])

    def search(self, start=0.0, direction=1.0, **options):
        value, gradient = self.phi(start), np.array([self.slope(start)])
        return line_search(self, np.array([start]), np.array([direction]), value, gradient, **options)


def parabola(minimizer=1.0):
    return Curve(lambda a: (a - minimizer) ** 2, lambda a: 2.0 * (a - minimizer))


def through(*rows):
    """A piecewise cubic curve through (position, value, derivative)."""
    curve = CubicHermiteSpline(*zip(*rows, strict=True))
    return Curve(curve, curve.derivative())


def random_curve(rng):
    """A smooth function on a >= 0 with phi'(0) = -1, bounded below, with several minima; and its derivative."""
    wave, frequency = rng.uniform(0.0, 2.0), rng.uniform(0.5, 8.0)
    curvature = 10.0 ** rng.uniform(-3, 3)
    return Curve(
        lambda a: -a + 0.5 * curvature * a * a + wave * (1.0 - math.cos(frequency * a)),
        lambda a: -1.0 + curvature * a + wave * frequency * math.sin(frequency * a),
    )


# --- accepted steps


@given(seeds, st.floats(-6, 6), st.sampled_from([(1e-4, 0.9), (1e-4, 0.1), (0.4, 0.9)]))
def test_the_accepted_step_satisfies_the_strong_wolfe_conditions(seed, exponent, constants):
    """Whatever the first trial: far too short, right, or far too long; it is the last call, and none is repeated."""
    curve = random_curve(np.random.default_rng(seed))

    found = curve.search(1e-300, 1.0, first_step=10.0**exponent, c1=constants[0], c2=constants[1])

    assert satisfies_strong_wolfe(curve.phi, curve.slope, found.step, *constants)
    assert found.theta[0] == curve.calls[-1]
    assert (found.value, found.gradient[0]) == (curve.phi(curve.calls[-1]), curve.slope(curve.calls[-1]))
    assert len(curve.calls) == len(set(curve.calls))


def test_a_decrease_and_a_derivative_of_exactly_the_allowed_size_are_accepted():
    """a^2 / 2 - a falls by 1/2 at 1; a^2 / 4 - a has the derivatives -1 and -1/2 at 0 and 1."""
    half = Curve(lambda a: 0.5 * a * a - a, lambda a: a - 1.0)
    quarter = Curve(lambda a: 0.25 * a * a - a, lambda a: 0.5 * a - 1.0)

    assert half.search(c1=0.5).step == quarter.search(c2=0.5).step == 1.0
    assert half.calls == quarter.calls == [1.0]


@given(st.floats(0.01, 0.99), st.floats(-0.85, -0.05), st.sampled_from([1e-4, 0.1, 0.4]))
def test_a_fall_that_is_too_small_is_not_accepted_whatever_the_derivative(part, slope, c1):
    """At the first trial the value has fallen by a part of c1, beyond rounding, and goes on falling slowly: (O7) and (O8) hold."""
    curve = through((0, 0.0, -1.0), (1, -part * c1, slope), (4, -3.0, 0.0), (100, -4.0, 0.0))

    step = curve.search(c1=c1).step

    assert step != 1.0
    assert satisfies_strong_wolfe(curve.phi, curve.slope, step, c1, C2)


def test_a_minimum_between_two_falling_points_is_not_jumped_over():
    """Trials 1 and 10 both go down steeply, but phi(10) > phi(1): the search turns back."""
    curve = through((0, 0.0, -0.5), (1, -0.495, -0.49), (5, -1.5, 0.0), (10, -0.45, -0.49), (100, -50.0, 0.0))

    assert 1.0 < curve.search().step < 10.0


def test_by_default_a_fall_of_a_thousandth_of_the_tangent_s_is_enough():
    curve = through((0, 0.0, -1.0), (1, -1e-3, -0.5), (9, -3.0, 0.0))

    assert curve.search().step == 1.0


def test_a_minimum_between_the_left_end_and_a_steep_right_one_is_found():
    """The first trial is lower and rises steeply; the next one falls: the minimum lies between these two."""
    curve = through((0, 0.0, -1.0), (0.8, -0.5, -1.5), (1, -0.6, 2.0))

    step = curve.search(c2=0.1).step

    assert curve.slope(curve.calls[1]) < -0.1
    assert satisfies_strong_wolfe(curve.phi, curve.slope, step, 1e-4, 0.1)


# --- the next trial


@given(st.tuples(*[st.floats(-3, 3)] * 4), st.floats(-2, 2), st.floats(-2, 2))
def test_interpolation_finds_the_minimizer_of_a_cubic(coefficients, a, b):
    """From values and slopes at two points, in either order; nan exactly if the cubic has no minimizer."""
    cubic = np.polynomial.Polynomial(coefficients)
    first, second = cubic.deriv(), cubic.deriv(2)
    radicand = coefficients[2] ** 2 - 3 * coefficients[3] * coefficients[1]
    if abs(a - b) < 0.1 or abs(radicand) < 1e-3 or abs(coefficients[3]) < 1e-2:
        return  # too close to a cubic without a clear minimizer to say which it is

    points = [Trial(t, np.empty(0), float(cubic(t)), float(first(t)), np.empty(0)) for t in (a, b)]
    for one, other in (points, points[::-1]):
        found = _cubic_minimizer(one, other)
        assert math.isnan(found) == (radicand < 0)
        if radicand > 0:
            assert abs(first(found)) <= 1e-6
            assert second(found) > 0


@for_all(
    ("curve", "ends"),
    [
        (Curve(lambda t: -(t**2), lambda t: -2.0 * t), (0.0, 1.0)),
        (Curve(lambda t: -((t - 1.0) ** 3), lambda t: -3.0 * (t - 1.0) ** 2), (0.0, 3.0)),
    ],
)
def test_a_downward_parabola_and_a_horizontal_inflection_have_no_minimizer(curve, ends):
    points = [Trial(t, np.empty(0), curve.phi(t), curve.slope(t), np.empty(0)) for t in ends]

    assert math.isnan(_cubic_minimizer(*points))
    assert math.isnan(_cubic_minimizer(*points[::-1]))


def test_a_step_between_two_trials_is_the_minimizer_of_the_cubic_through_them():
    curve = parabola(1.6)

    curve.search(c2=1e-3)

    assert curve.calls == pytest.approx([1.0, 2.0, 1.6])


@given(st.floats(1.01, 1000.0))
def test_a_longer_step_is_the_minimizer_of_the_cubic_between_2_and_10_times_the_step(minimizer):
    """On a quadratic the cubic has the same minimizer, and the derivative at step 1 is too large to stop."""
    curve = parabola(minimizer)

    curve.search(c2=1e-3 * (minimizer - 1.0) / minimizer)

    assert curve.calls[:2] == pytest.approx([1.0, min(max(minimizer, 2.0), 10.0)], rel=1e-9)


def test_without_a_lower_bound_steps_grow_to_the_lowest_point_of_all_trials():
    """Where the cubic has no minimizer a longer step is 6 times the step."""
    curve = Curve(lambda t: -t, lambda t: -1.0)

    found = curve.search()

    assert curve.calls[:3] == [1.0, 6.0, 36.0]
    assert len(curve.calls) == 30
    assert found.step == curve.calls[-1]


@for_all(
    ("end", "slope", "second"),
    [(-0.89, 0.1, 0.9), (100.0, 200.0, 0.1), (0.5, 2.0, 1 / 3), (-2 / 3, -1.0, 0.5)],
    ids=["near the end", "near the start", "between", "none"],
)
def test_a_step_in_a_bracket_is_a_tenth_of_it_away_from_both_ends(end, slope, second):
    """The minimizer of the cubic through both ends would be 0.97, 0.005, and 1/3; without one, the middle is taken."""
    curve = through((0, 0.0, -1.0), (1, end, slope))

    curve.search(c1=0.9, c2=0.95)

    assert curve.calls[:2] == pytest.approx([1.0, second], abs=1e-6)


# --- trials that are not finite


@for_all("outside", [math.nan, math.inf, -math.inf])
@for_all("part", ["both", "value", "derivative"])
def test_a_trial_that_is_not_finite_shortens_the_step_to_a_tenth(outside, part):
    """Beyond a = 1/2, also where the value is lower there."""
    curve = Curve(
        lambda a: (a - 1.0) ** 2 if a < 0.5 else -9.0 if part == "derivative" else outside,
        lambda a: 2.0 * (a - 1.0) if a < 0.5 else 0.0 if part == "value" else outside,
    )

    found = curve.search(first_step=20.0)

    assert curve.calls == pytest.approx([20.0, 2.0, 0.2])
    assert found.step == pytest.approx(0.2)


# --- rounding


def test_where_rounding_hides_the_decrease_the_slope_decides():
    """1e10 + t^2 at t = 1e-4: the fall of 1e-8 is lost in a value whose last digit is 2e-6, the slope is exact."""
    curve = Curve(lambda t: 1e10 + t * t, lambda t: 2.0 * t)

    found = curve.search(start=1e-4, direction=-2e-4, c2=0.1)

    assert abs(found.theta[0]) <= 0.1 * 1e-4
    assert found.value == 1e10


def test_below_rounding_a_derivative_of_exactly_the_allowed_size_is_accepted():
    """(O8) with c1 = 1/4: up to half the size of the initial derivative, of the other sign."""
    curve = Curve(lambda a: 1.0, lambda a: -1.0 + 1.5 * a)

    assert curve.search(c1=0.25).step == 1.0
    assert curve.calls == [1.0]


@for_all("size", [1.0, -1.0, 2.0**20])
@for_all(("units", "decides"), [(9.0, True), (10.0, False), (-10.0, True), (-11.0, False)])
def test_the_derivative_decides_where_the_value_rose_by_less_than_10_units_of_rounding_or_fell_by_10(
    units, decides, size
):
    """The first trial has half the initial derivative, and so satisfies (O7) and (O8), but not (O6)."""
    rise = units * EPS * abs(size)
    curve = Curve(lambda a: size + rise * (a > 0), lambda a: -abs(size) / (1.0 + a))

    curve.search()

    assert (len(curve.calls) == 1) is decides


def test_a_search_ends_where_rounding_leaves_no_point_inside_the_bracket():
    """Two units of rounding wide: nine tenths of them are the upper end again."""
    inner, width = through((0, 0.0, -1.0), (1, -0.89, 0.1)), 2.0 * EPS
    curve = Curve(lambda t: inner.phi((t - 1.0) / width), lambda t: inner.slope((t - 1) / width) / width)

    found = curve.search(start=1.0, direction=width, c1=0.9, c2=0.95)

    assert isinstance(found, str)
    assert curve.calls == [1.0 + width] * 2


@given(seeds, st.floats(-3, 3), st.integers(-40, 40))
def test_a_search_does_not_depend_on_the_unit_of_the_values(seed, exponent, power):
    """Not by a bit for powers of two, with and without rounding that hides the decrease."""
    for shift in (0.0, 1e18):
        one, unit = random_curve(np.random.default_rng(seed)), 2.0**power
        other = Curve(lambda a: unit * (one.phi(a) + shift), lambda a: unit * one.slope(a))
        same = Curve(lambda a: one.phi(a) + shift, one.slope)

        for curve in (other, same):
            curve.search(first_step=10.0**exponent, c2=0.1)

        assert other.calls == same.calls


# --- no step


def test_a_rise_by_more_than_rounding_is_never_accepted():
    """A derivative that is negative everywhere, and a value that increases."""
    curve = Curve(lambda a: 1.0 + 1e-12 * (a > 0), lambda a: -1e-13 / (1.0 + a))

    assert isinstance(curve.search(), str)


def test_without_any_decrease_the_answer_is_a_sentence():
    """|t| at its kink, with a slope that points downhill."""
    curve = Curve(abs, lambda t: -1.0 if t <= 0 else 1.0)

    assert "no step" in curve.search()
    assert len(curve.calls) <= 30


@for_all("derivative", [0.0, 1e-9, 0.5, 1.0, 1e100, math.nan])
def test_a_direction_that_does_not_lead_downhill_is_rejected_without_a_call(derivative):
    """The value falls along the direction all the same: only the derivative decides."""
    curve = Curve(lambda a: -a, lambda a: derivative)

    assert "downhill" in curve.search()
    assert curve.calls == []


# --- what all optimizers share: points that stay as they are, calls that are counted, and starts that are checked

START = np.array([1.0, 2.0])
CURVATURES = np.array([1.0, 3.0])
DESIGN = np.array([[1.0, 0.0], [1.0, 1.0], [1.0, 2.0]])


def own_bowl(theta):
    return 0.5 * float(theta @ (CURVATURES * theta)), CURVATURES * theta


def line(theta):
    return DESIGN @ theta - [1, 2, 4], DESIGN


OPTIMIZERS = {"adam": (adam, own_bowl), "lbfgs": (lbfgs, own_bowl), "lm": (levenberg_marquardt, line)}


def points_of(name, function=None, theta=START, **options):
    optimizer, usual = OPTIMIZERS[name]
    return optimizer(usual if function is None else function, theta, **options)


# --- points


@for_all("name", OPTIMIZERS)
def test_the_first_point_is_the_start_and_the_caller_s_theta_stays(name):
    start = START.copy()

    first, second = islice(points_of(name, theta=start), 2)

    np.testing.assert_array_equal(first.theta, START)
    np.testing.assert_array_equal(start, START)
    assert start.flags.writeable
    assert not np.array_equal(second.theta, START)
    assert first.n_evaluations == 1


@for_all("name", OPTIMIZERS)
def test_value_gradient_norm_and_calls_are_those_at_the_point(name):
    calls, function = [], OPTIMIZERS[name][1]

    for point in islice(points_of(name, lambda t: calls.append(1) or function(t)), 4):
        assert point.n_evaluations == len(calls)
        first, second = function(point.theta)
        value, gradient = (first @ first, 2 * second.T @ first) if name == "lm" else (first, second)
        assert point.value == pytest.approx(value, rel=1e-14)
        assert point.gradient_norm == pytest.approx(np.abs(gradient).max(), rel=1e-12, abs=1e-13)


@for_all("name", ["adam", "lbfgs"])
@for_all("gradient", [[-3.0, 1.0], [3.0, -1.0]])
def test_the_norm_of_a_gradient_is_its_largest_absolute_entry(name, gradient):
    first = next(points_of(name, lambda theta: (1.0, np.array(gradient))))

    assert first.gradient_norm == 3.0


@for_all("name", OPTIMIZERS)
def test_points_and_what_functions_get_is_read_only_stays_and_is_never_evaluated_again(name):
    seen = []

    points = list(islice(points_of(name, lambda t: seen.append((t, t.copy())) or OPTIMIZERS[name][1](t)), 4))

    assert not any(theta.flags.writeable for theta, _ in seen)
    assert not any(point.theta.flags.writeable for point in points)
    assert all(np.array_equal(theta, copy) for theta, copy in seen)
    assert len({copy.tobytes() for _, copy in seen}) == len(seen)


@for_all("name", OPTIMIZERS)
def test_a_function_may_fill_the_same_arrays_every_time(name):
    function, buffers = OPTIMIZERS[name][1], []

    def reusing(theta):
        answer = function(theta)
        if not buffers:
            buffers.extend(np.array(part) for part in answer)
        for buffer, part in zip(buffers, answer, strict=True):
            buffer[...] = part
        return tuple(buffers)

    for reused, plain in zip(islice(points_of(name, reusing), 6), islice(points_of(name), 6), strict=False):
        np.testing.assert_array_equal(reused.theta, plain.theta)
        assert reused.value == plain.value


def test_a_gradient_is_copied_as_real_numbers_but_not_a_read_only_one():
    given, kept = np.array([1.0, -2.0]), np.array([1.0, -2.0])
    kept.flags.writeable = False

    assert own([1, -2]).dtype == np.float64
    assert own(given) is not given
    assert own(kept) is kept


# --- starts


@for_all("name", OPTIMIZERS)
@for_all("theta", [[1.0, np.nan], [[1.0, 2.0]], ["a"]])
def test_a_start_that_is_no_vector_of_finite_numbers_is_refused_at_the_call(name, theta):
    with pytest.raises((TypeError, ValueError), match=r"^theta "):
        points_of(name, theta=theta)


@for_all("name", OPTIMIZERS)
@for_all("broken", ["value", "gradient"])
@for_all("bad", [np.inf, np.nan])
def test_a_start_without_a_finite_value_and_gradient_is_refused_with_a_remedy(name, broken, bad):
    value, slope = (bad, 1.0) if broken == "value" else (1.0, bad)
    answers = {"lm": (np.array([value]), np.array([[1.0, slope]]))}
    answer = answers.get(name, (value, np.array([1.0, slope])))

    with pytest.raises(ValueError, match=r"^theta .*kr\.scaled"):
        points_of(name, lambda theta: answer)


@for_all("name", ["adam", "lbfgs"])
def test_a_gradient_of_another_length_than_theta_is_refused(name):
    with pytest.raises(ValueError, match="gradient"):
        points_of(name, lambda theta: (1.0, theta[:1]))


# --- numbers of steps


@for_all("n", [0, 1, 3])
def test_as_many_steps_are_taken_as_asked_for_and_no_further_call_is_made(n):
    calls = []
    steps = Steps(adam(lambda theta: calls.append(1) or own_bowl(theta), START), n)

    points = list(steps)

    assert len(points) == len(calls) == n + 1
    assert steps.stopped == f"{n} step{' is' if n == 1 else 's are'} done"


def test_a_loop_that_is_left_does_not_claim_that_the_run_has_ended():
    steps = Steps(adam(own_bowl, START), 9)

    next(iter(steps))

    assert "left" in steps.stopped


@for_all("name", OPTIMIZERS)
def test_the_last_point_is_that_of_the_loop(name):
    *_, last = islice(points_of(name), 4)

    found = Steps(points_of(name), 3).last()

    np.testing.assert_array_equal(found.theta, last.theta)
    assert found[1:] == last[1:]


def test_a_number_of_steps_that_is_none_is_refused():
    with pytest.raises(ValueError, match=r"^n_steps "):
        Steps(adam(own_bowl, START), -1)


# --- other variables, as when grids move: the generator goes on from the theta that it is sent


def narrow(theta):
    """A bowl that is 100 times as steep in its second variable."""
    gradient = np.array([1.0, 100.0]) * theta
    return 0.5 * float(theta @ gradient), gradient


def test_adam_goes_on_from_a_sent_theta_with_its_last_gradient_and_new_moments():
    calls = []
    points = adam(lambda theta: (calls.append(theta), narrow(theta))[1], [3.0, 4.0], learning_rate=0.5)
    for _ in range(4):
        last = next(points)

    went_on = points.send(np.array([30.0, -40.0]))

    assert len(calls) == went_on.n_evaluations == 5
    signs = np.sign(narrow(last.theta)[1])  # the first step of new moments has this direction
    np.testing.assert_allclose(went_on.theta, [30.0, -40.0] - 0.5 * signs, rtol=1e-6)


@pytest.mark.parametrize(
    "start",
    [
        lambda theta: lbfgs(narrow, theta),
        lambda theta: levenberg_marquardt(lambda at: (np.array([1.0, 10.0]) * at, np.diag([1.0, 10.0])), theta),
    ],
)
def test_lbfgs_and_levenberg_marquardt_go_on_from_a_sent_theta_as_they_would_start_there(start):
    points = start([3.0, 4.0])
    for _ in range(3):
        before = next(points)
    sent = np.array([5.0, -7.0])

    went_on = points.send(sent)

    fresh = start(sent)
    next(fresh)
    expected = next(fresh)
    np.testing.assert_array_equal(went_on.theta, expected.theta)
    assert went_on.n_evaluations == before.n_evaluations + expected.n_evaluations


def test_steps_sends_a_moved_theta_once():
    steps = Steps(lbfgs(narrow, [3.0, 4.0]), 3)
    values = []
    for number, point in enumerate(steps):
        values.append(point.value)
        if number == 1:
            steps.moved = np.array([300.0, 400.0])

    assert values[1] < values[0] < values[3] < values[2]
    assert steps.moved is None
    assert steps.stopped == "3 steps are done"
