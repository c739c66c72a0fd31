"""What all optimizers share: points that stay as they are, calls that are counted, and starts that are checked."""

from itertools import islice

import numpy as np
import pytest
from cases import for_all

from kan_ref.optimizers import Steps, adam, lbfgs, levenberg_marquardt
from kan_ref.optimizers.points import own

START = np.array([1.0, 2.0])
CURVATURES = np.array([1.0, 3.0])
DESIGN = np.array([[1.0, 0.0], [1.0, 1.0], [1.0, 2.0]])


def bowl(theta):
    return 0.5 * float(theta @ (CURVATURES * theta)), CURVATURES * theta


def line(theta):
    return DESIGN @ theta - [1, 2, 4], DESIGN


OPTIMIZERS = {"adam": (adam, bowl), "lbfgs": (lbfgs, bowl), "lm": (levenberg_marquardt, line)}


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

    points = list(
        islice(points_of(name, lambda t: seen.append((t, t.copy())) or OPTIMIZERS[name][1](t)), 4)
    )

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

    for reused, plain in zip(
        islice(points_of(name, reusing), 6), islice(points_of(name), 6), strict=False
    ):
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
    steps = Steps(adam(lambda theta: calls.append(1) or bowl(theta), START), n)

    points = list(steps)

    assert len(points) == len(calls) == n + 1
    assert steps.stopped == f"{n} step{' is' if n == 1 else 's are'} done"


def test_a_loop_that_is_left_does_not_claim_that_the_run_has_ended():
    steps = Steps(adam(bowl, START), 9)

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
        Steps(adam(bowl, START), -1)
