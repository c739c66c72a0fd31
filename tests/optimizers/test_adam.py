"""Adam: against the algorithm one number at a time, what its steps are, mini-batches, minima, and how runs end."""

from itertools import islice

import numpy as np
from cases import for_all
from hypothesis import given
from hypothesis import strategies as st
from oracles_optimizers import ROSENBROCK, bowl, naive_adam

from kan_ref.optimizers import Steps, adam

seeds = st.integers(0, 2**32 - 1)


def path(function, theta, n_steps, **options):
    """The points of a run, (n_steps + 1, n_params)."""
    return np.array(
        [point.theta for point in islice(adam(function, theta, **options), n_steps + 1)]
    )


def constant(gradient):
    """A slope that is the same everywhere."""
    return lambda theta: (float(np.array(gradient) @ theta), np.array(gradient))


# --- the steps


@given(
    st.integers(1, 6),
    st.floats(1e-4, 0.1),
    st.floats(0, 0.99),
    st.floats(0, 0.9999),
    st.floats(-10, -2),
    seeds,
)
def test_every_step_is_that_of_the_algorithm_one_number_at_a_time(
    n, rate, beta1, beta2, log_epsilon, seed
):
    rng = np.random.default_rng(seed)
    start, curvatures = rng.normal(size=n), 10.0 ** rng.uniform(-2, 2, n)
    options = (rate, beta1, beta2, 10.0**log_epsilon)

    ours = np.array([p.theta for p in islice(adam(bowl(curvatures), start, *options), 31)])

    naive, nearby = (
        naive_adam([lambda theta: curvatures * theta] * 30, at, *options)
        for at in (start, start * (1.0 + 4e-16))
    )
    # with a small beta2 every step amplifies its own rounding, as it amplifies a change of the start by two units in the last place
    grown = np.maximum.accumulate(np.abs(nearby - naive).max(axis=1))
    assert np.all(np.abs(ours - naive).max(axis=1) <= 1e-14 + 1e4 * grown)


def test_the_defaults_are_those_of_the_paper_with_a_rate_of_a_hundredth():
    naive = naive_adam([lambda theta: ROSENBROCK.value_and_grad(theta)[1]] * 50, ROSENBROCK.start)

    np.testing.assert_allclose(
        path(ROSENBROCK.value_and_grad, ROSENBROCK.start, 50), naive, rtol=1e-15
    )


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
    [
        (np.nan, np.ones(2)),
        (-np.inf, np.ones(2)),
        (1.0, np.array([1.0, np.nan])),
        (1.0, np.array([-np.inf, 0.0])),
    ],
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

    steps = Steps(
        adam(lambda t: calls.append(t) or (0.0, np.ones(1)), [0.0], learning_rate=1e200), 5
    )

    assert steps.last().theta[0] == 0.0
    assert "not finite" in steps.stopped
    assert len(calls) == 1
