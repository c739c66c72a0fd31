"""Adam: against the algorithm one number at a time, what its steps are, mini-batches, minima, and how runs end."""

import math
import sys
import tracemalloc

import numpy as np
import pytest
from cases import for_all
from hypothesis import given
from hypothesis import strategies as st
from oracles_training import BEALE, POWELL_SINGULAR, ROSENBROCK, bowl
from scipy import optimize
from test_bfgs import WOOD, chain

from kan_ref.optimizers.adam import adam
from kan_ref.optimizers.bfgs import bfgs
from kan_ref.optimizers.lbfgs import lbfgs

seeds = st.integers(0, 2**32 - 1)


def naive_adam(gradient_at, theta, n_steps, rates, beta1, beta2, epsilon):
    """All points of Algorithm 1 of Kingma & Ba, one number at a time."""
    theta = [float(number) for number in theta]
    m, v, points = [0.0] * len(theta), [0.0] * len(theta), []
    for t in range(1, n_steps + 1):
        g = gradient_at(np.array(theta))
        for j in range(len(theta)):
            m[j] = beta1 * m[j] + (1 - beta1) * float(g[j])
            v[j] = beta2 * v[j] + (1 - beta2) * float(g[j]) ** 2
            m_hat = m[j] / (1 - beta1**t)
            v_hat = v[j] / (1 - beta2**t)
            theta[j] = theta[j] - rates[t - 1] * m_hat / (math.sqrt(v_hat) + epsilon)
        points.append(list(theta))
    return np.array(points)


def path(value_and_grad, theta, **options):
    """The points after every step."""
    points = []
    adam(value_and_grad, theta, callback=lambda iterate: points.append(iterate.theta), **options)
    return np.array(points)


def constant(gradient):
    """A slope that is the same everywhere."""
    gradient = np.array(gradient)
    return lambda theta: (float(gradient @ theta), gradient)


# --- the steps


@given(st.integers(1, 6), st.floats(0, 0.99), st.floats(0, 0.9999), st.floats(-10, -2), seeds)
def test_every_step_is_that_of_the_algorithm_one_number_at_a_time(
    n, beta1, beta2, log_epsilon, seed
):
    rng = np.random.default_rng(seed)
    start, curvatures = rng.normal(size=n), 10.0 ** rng.uniform(-2, 2, n)
    rates = rng.uniform(0.0, 0.1, 30)
    options = {"beta1": beta1, "beta2": beta2, "epsilon": 10.0**log_epsilon}

    ours = path(
        bowl(curvatures), start, n_steps=30, learning_rate=lambda t: rates[t - 1], **options
    )

    naive, nearby = (
        np.array(naive_adam(lambda theta: curvatures * theta, at, 30, rates, *options.values()))
        for at in (start, start * (1.0 + 4e-16))
    )
    # with a small beta2 every step amplifies its own rounding, as it amplifies a change of the start by two units in the last place
    grown = np.maximum.accumulate(np.abs(nearby - naive).max(axis=1))
    assert np.all(np.abs(np.array(ours) - naive).max(axis=1) <= 1e-14 + 1e4 * grown)


def test_the_defaults_are_those_of_the_paper_with_a_rate_of_a_hundredth():
    ours = path(ROSENBROCK.value_and_grad, ROSENBROCK.start, n_steps=50)

    naive = naive_adam(
        lambda theta: ROSENBROCK.value_and_grad(theta)[1],
        ROSENBROCK.start,
        50,
        [1e-2] * 50,
        0.9,
        0.999,
        1e-8,
    )
    np.testing.assert_allclose(ours, naive, rtol=1e-15)


def test_under_a_constant_gradient_every_parameter_moves_by_the_rate():
    points = path(
        constant([1e-3, -2.0, 1e6]), np.zeros(3), n_steps=40, learning_rate=0.25, epsilon=1e-300
    )

    np.testing.assert_allclose(points, np.outer(np.arange(1, 41), [-0.25, 0.25, -0.25]), rtol=1e-12)


def test_a_parameter_whose_gradient_was_always_zero_stays_where_it_is():
    points = path(bowl(np.array([1.0, 0.0])), [1.0, 0.1], n_steps=20)

    np.testing.assert_array_equal(points[:, 1], 0.1)
    assert len(set(points[:, 0])) == 20


def test_epsilon_damps_the_steps_of_small_gradients():
    """m^ = g, v^ = g^2 at the first step: it is rate g / (|g| + epsilon)."""
    point = path(constant([1.0, -3.0]), np.zeros(2), n_steps=1, learning_rate=1.0, epsilon=1.0)

    np.testing.assert_allclose(point, [[-0.5, 0.75]], rtol=1e-14)


def test_without_memory_a_step_is_the_sign_of_the_gradient():
    points = path(
        bowl(np.array([1.0, 50.0])),
        [1.0, -1.0],
        n_steps=3,
        learning_rate=0.25,
        beta1=0.0,
        beta2=0.0,
        epsilon=1e-300,
    )

    np.testing.assert_allclose(points, [[0.75, -0.75], [0.5, -0.5], [0.25, -0.25]], rtol=1e-12)


@given(st.integers(-60, 60), seeds)
def test_a_value_in_other_units_gives_the_same_steps(power, seed):
    """A power of two times value and epsilon changes no bit."""
    start, unit = np.random.default_rng(seed).normal(size=4), 2.0**power
    function, scaled = bowl(np.geomspace(1.0, 9.0, 4)), bowl(unit * np.geomspace(1.0, 9.0, 4))

    np.testing.assert_array_equal(
        path(scaled, start, n_steps=30, epsilon=1e-8 * unit),
        path(function, start, n_steps=30, epsilon=1e-8),
    )


def test_a_schedule_is_asked_for_every_step_once_and_in_order():
    asked = []

    def schedule(step):
        asked.append(step)
        return 0.01

    scheduled = path(ROSENBROCK.value_and_grad, ROSENBROCK.start, n_steps=7, learning_rate=schedule)

    assert asked == [1, 2, 3, 4, 5, 6, 7]
    np.testing.assert_array_equal(
        scheduled, path(ROSENBROCK.value_and_grad, ROSENBROCK.start, n_steps=7, learning_rate=0.01)
    )


def test_a_schedule_may_end_at_zero():
    points = path(
        bowl(np.ones(2)), [1.0, 2.0], n_steps=3, learning_rate=lambda step: 0.1 * (step < 2)
    )

    np.testing.assert_array_equal(points[1:], [points[0]] * 2)


# --- minima


@pytest.mark.long
@pytest.mark.parametrize(
    ("function", "start"),
    [
        pytest.param(ROSENBROCK.value_and_grad, ROSENBROCK.start, id="Rosenbrock"),
        pytest.param(BEALE.value_and_grad, BEALE.start, id="Beale"),
        pytest.param(POWELL_SINGULAR.value_and_grad, POWELL_SINGULAR.start, id="Powell singular"),
        pytest.param(WOOD.value_and_grad, WOOD.start, id="Wood"),
        pytest.param(chain, np.zeros(5), id="Rosenbrock 5"),
        pytest.param(chain, np.zeros(10), id="Rosenbrock 10"),
        pytest.param(bowl(np.geomspace(1.0, 1e4, 10)), np.linspace(-1.0, 2.0, 10), id="bowl"),
    ],
)
def test_the_minimum_that_scipy_finds_is_found_under_a_falling_rate(function, start):
    scipys = optimize.minimize(function, start, jac=True, method="BFGS", options={"gtol": 1e-10})
    n_steps = 8000

    result = adam(
        function,
        start,
        n_steps=n_steps,
        beta2=0.99,
        learning_rate=lambda step: 0.3 * 1e-6 ** (step / n_steps),
    )

    assert result.value == pytest.approx(scipys.fun, rel=0, abs=1e-8)


def test_under_a_constant_rate_a_run_hovers_and_under_a_falling_one_it_settles():
    """A kink, |x| + |y|: its gradient has size 1 on both sides."""

    def kink(theta):
        return float(np.abs(theta).sum()), np.sign(theta)

    hovering = path(kink, [1.05, -2.031], n_steps=600, learning_rate=0.05)[-100:]
    settling = path(
        kink, [1.05, -2.031], n_steps=600, learning_rate=lambda step: 0.05 * 0.98**step
    )[-100:]

    assert 1e-3 < np.abs(hovering).max() < 0.5
    assert np.abs(settling).max() < 0.02 * np.abs(hovering).max()


# --- calls, and what they tell


def test_the_function_is_called_once_at_every_point_in_order():
    calls, shown = [], []

    def counted(theta):
        calls.append(theta.copy())
        return ROSENBROCK.value_and_grad(theta)

    result = adam(counted, ROSENBROCK.start, n_steps=9, callback=shown.append)

    np.testing.assert_array_equal(calls, [ROSENBROCK.start, *(iterate.theta for iterate in shown)])
    np.testing.assert_array_equal(calls[-1], result.theta)
    assert [iterate.n_evaluations for iterate in shown] == list(range(2, 11))
    assert result.n_evaluations == 10


def test_value_and_gradient_norm_are_those_at_theta():
    def check(iterate):
        value, gradient = WOOD.value_and_grad(iterate.theta)
        assert (iterate.value, iterate.gradient_norm) == (value, np.abs(gradient).max())

    result = adam(WOOD.value_and_grad, WOOD.start, n_steps=20, callback=check)

    value, gradient = WOOD.value_and_grad(result.theta)
    assert (result.value, result.gradient_norm) == (value, np.abs(gradient).max())


def test_a_function_that_draws_a_batch_at_every_call_is_shown_batch_by_batch():
    """Call t, at theta_t, is on batch t: it gives the value shown after step t and the gradient of step t + 1."""
    curvatures = np.random.default_rng(0).uniform(0.5, 2.0, (6, 3))
    batches, reported, shown = iter(curvatures), [], []

    def on_next_batch(theta):
        value, gradient = bowl(next(batches))(theta)
        reported.append(value)
        return value, gradient

    result = adam(on_next_batch, np.ones(3), n_steps=5, callback=shown.append)

    assert [iterate.value for iterate in shown] == reported[1:]
    assert result.value == reported[-1]
    gradients = iter(curvatures)
    naive = naive_adam(
        lambda theta: next(gradients) * theta, np.ones(3), 5, [1e-2] * 5, 0.9, 0.999, 1e-8
    )
    np.testing.assert_allclose([iterate.theta for iterate in shown], naive, rtol=1e-15)


def linear_regression(rng):
    """Noisy data, and a mean squared error on 16 of them at a time, in a new order every epoch."""
    x = rng.normal(size=(128, 4))
    y = x @ np.array([1.0, -2.0, 0.5, 3.0]) + 0.1 * rng.normal(size=128)
    waiting = []

    def on_next_batch(theta):
        if not waiting:
            waiting.extend(rng.permutation(128).reshape(8, 16))
        rows = waiting.pop()
        r = x[rows] @ theta - y[rows]
        return r @ r / 16, 2 * x[rows].T @ r / 16

    return on_next_batch, np.linalg.lstsq(x, y)[0]


def test_mini_batches_under_a_falling_rate_lead_to_the_least_squares_solution():
    function, truth = linear_regression(np.random.default_rng(0))

    result = adam(
        function, np.zeros(4), n_steps=6000, learning_rate=lambda step: 0.1 / (1.0 + step / 50)
    )

    np.testing.assert_allclose(result.theta, truth, rtol=0, atol=1e-3)


def test_two_runs_with_the_same_batches_give_the_same_bits():
    first, second = (
        adam(linear_regression(np.random.default_rng(3))[0], np.zeros(4), n_steps=100)
        for _ in range(2)
    )

    assert first.theta.tobytes() == second.theta.tobytes()
    assert repr(first) == repr(second)


@pytest.mark.parametrize("read_only_view", [False, True])
def test_a_function_that_fills_the_same_array_every_time_is_no_trouble(read_only_view):
    buffer = np.empty(2)
    handed = buffer.view()
    handed.flags.writeable = not read_only_view

    def filling(theta):
        value, buffer[:] = ROSENBROCK.value_and_grad(theta)
        return value, handed

    def look_elsewhere(iterate):
        filling(iterate.theta + 1.0)

    result = adam(filling, ROSENBROCK.start, n_steps=30, callback=look_elsewhere)

    np.testing.assert_array_equal(
        result.theta, adam(ROSENBROCK.value_and_grad, ROSENBROCK.start, n_steps=30).theta
    )


def test_read_only_gradients_are_kept_as_they_are():
    def frozen(theta):
        value, gradient = ROSENBROCK.value_and_grad(theta)
        gradient = np.array(gradient)
        gradient.flags.writeable = False
        return value, gradient

    np.testing.assert_array_equal(
        path(frozen, ROSENBROCK.start, n_steps=30),
        path(ROSENBROCK.value_and_grad, ROSENBROCK.start, n_steps=30),
    )


def test_a_callback_that_changes_its_iterate_changes_nothing_else():
    def spoil(iterate):
        iterate.theta[:] = np.nan

    spoiled = adam(ROSENBROCK.value_and_grad, ROSENBROCK.start, n_steps=30, callback=spoil)

    np.testing.assert_array_equal(
        spoiled.theta, adam(ROSENBROCK.value_and_grad, ROSENBROCK.start, n_steps=30).theta
    )


def test_iterates_stay_as_they_were():
    kept, copies = [], []

    def keep(iterate):
        kept.append(iterate.theta)
        copies.append(iterate.theta.copy())

    adam(ROSENBROCK.value_and_grad, ROSENBROCK.start, n_steps=10, callback=keep)

    np.testing.assert_array_equal(kept, copies)


@pytest.mark.parametrize("optimize", [adam, lbfgs, bfgs])
def test_iterates_that_are_kept_have_their_parameters(optimize):
    kept, copies = [], []

    def keep(iterate):
        kept.append(iterate)
        copies.append(iterate.own_theta.copy())

    optimize(ROSENBROCK.value_and_grad, ROSENBROCK.start, n_steps=10, callback=keep)

    assert len(kept) == 10
    np.testing.assert_array_equal([iterate.theta for iterate in kept], copies)
    assert not np.shares_memory(kept[0].theta, kept[0].own_theta)


def test_the_function_may_keep_its_parameters_for_nobody_changes_them():
    seen, copies = [], []

    def function(theta):
        seen.append(theta)
        copies.append(theta.copy())
        return ROSENBROCK.value_and_grad(theta)

    adam(function, ROSENBROCK.start, n_steps=5)

    assert not any(theta.flags.writeable for theta in seen)
    np.testing.assert_array_equal(seen, copies)


def test_the_start_is_not_modified():
    start = np.array(ROSENBROCK.start)

    result = adam(ROSENBROCK.value_and_grad, start, n_steps=0)
    result.theta[:] = 0.0
    adam(ROSENBROCK.value_and_grad, start, n_steps=10)

    np.testing.assert_array_equal(start, ROSENBROCK.start)


# --- ends


@pytest.mark.parametrize(
    ("n_steps", "sentence"),
    [(0, "0 steps are done"), (1, "1 step is done"), (7, "7 steps are done")],
)
def test_no_more_steps_are_done_than_asked_for(n_steps, sentence):
    shown = []

    result = adam(
        ROSENBROCK.value_and_grad, ROSENBROCK.start, n_steps=n_steps, callback=shown.append
    )

    assert result.stopped == sentence
    assert [iterate.step for iterate in shown] == list(range(1, n_steps + 1))
    assert (result.n_steps, result.n_evaluations) == (n_steps, n_steps + 1)


def test_without_a_word_a_thousand_steps_are_done():
    assert adam(bowl(np.ones(1)), [100.0]).stopped == "1000 steps are done"


def test_where_the_last_step_has_a_reason_of_its_own_to_stop_the_reason_is_reported():
    options = {"n_steps": 3, "learning_rate": 0.5}

    by_callback = adam(bowl(np.ones(1)), [9.0], callback=lambda it: it.step == 3, **options)
    by_gradient = adam(bowl(np.ones(1)), [9.0], gradient_tolerance=8.0, **options)
    by_both = adam(
        bowl(np.ones(1)), [9.0], gradient_tolerance=8.0, callback=lambda it: it.step == 3, **options
    )

    assert by_callback.stopped == by_both.stopped == "the callback asked to stop after step 3"
    assert by_gradient.n_steps == 3
    assert by_gradient.stopped == "gradient norm 7.5 is below 8"


def test_a_gradient_of_exactly_the_largest_size_is_still_squared():
    assert adam(constant([1e150]), [0.0], n_steps=2).stopped == "2 steps are done"
    assert "too large to be squared" in adam(constant([1.01e150]), [0.0], n_steps=2).stopped


def test_a_gradient_too_large_to_be_squared_hides_no_other_reason():
    huge = constant([1e160])

    assert adam(huge, [0.0], n_steps=0).stopped == "0 steps are done"
    assert adam(
        spoiled_after(2, (1.0, np.full(2, 1e160))), [1.0, 2.0], callback=lambda it: it.step == 2
    ).stopped == ("the callback asked to stop after step 2")


def test_gradients_of_float32_and_lists_of_integers_are_computed_in_float64():
    """The squares of 1e30 are beyond float32."""
    for gradient in (np.full(2, 1e30, dtype=np.float32), [10**9, 10**9]):
        points = path(lambda theta, g=gradient: (0.0, g), np.zeros(2), n_steps=3, learning_rate=0.5)

        np.testing.assert_allclose(points, np.outer([-0.5, -1.0, -1.5], [1, 1]), rtol=1e-7)


def test_a_callback_ends_the_run_where_it_stands():
    result = adam(
        ROSENBROCK.value_and_grad, ROSENBROCK.start, callback=lambda iterate: iterate.step == 5
    )

    assert (result.n_steps, result.n_evaluations) == (5, 6)
    assert result.stopped == "the callback asked to stop after step 5"


def test_a_small_gradient_ends_the_run():
    result = adam(bowl(np.ones(2)), [0.3, 0.2], gradient_tolerance=1e-2)

    assert 0.0 < result.gradient_norm < 1e-2
    assert result.stopped == f"gradient norm {result.gradient_norm:.2g} is below 0.01"


def test_a_gradient_of_zeros_ends_the_run():
    result = adam(bowl(np.ones(2)), [0.0, 0.0])

    assert (result.n_steps, result.stopped) == (0, "the gradient is exactly zero")


def spoiled_after(n_calls, answer):
    """A bowl whose call number `n_calls`, counted from 0, answers something else."""
    calls = []

    def value_and_grad(theta):
        calls.append(1)
        return answer if len(calls) > n_calls else bowl(np.ones(2))(theta)

    return value_and_grad


@pytest.mark.parametrize(
    ("answer", "trouble"),
    [
        ((np.nan, np.ones(2)), "a value of nan"),
        ((-np.inf, np.ones(2)), "a value of -inf"),
        ((1.0, np.array([1.0, np.nan])), "a gradient with nan at position 1"),
        ((1.0, np.array([np.inf, np.nan])), "a gradient with inf at position 0"),
    ],
)
def test_a_step_to_a_point_that_is_not_finite_is_taken_back(answer, trouble):
    shown = []

    result = adam(spoiled_after(4, answer), [3.0, -4.0], callback=shown.append)

    assert result.stopped == f"the next step led to {trouble} and is undone"
    assert (result.n_steps, result.n_evaluations, len(shown)) == (3, 5, 3)
    np.testing.assert_array_equal(result.theta, shown[-1].theta)
    assert (result.value, result.gradient_norm) == (shown[-1].value, shown[-1].gradient_norm)


def test_a_function_is_not_asked_at_an_infinite_theta():
    n_calls = []

    def flat(theta):
        n_calls.append(1)
        return 0.0, -np.ones(2)

    result = adam(flat, [0.0, 1.7e308], learning_rate=1e307)

    assert result.stopped == "the next step led to theta with inf at position 1 and is undone"
    np.testing.assert_array_equal(result.theta, [0.0, 1.7e308])
    assert (result.n_steps, result.n_evaluations, len(n_calls)) == (0, 1, 1)


def test_a_theta_that_is_infinite_in_the_first_block_alone_is_noticed(monkeypatch):
    monkeypatch.setattr(sys.modules["kan_ref.optimizers.adam"], "_BLOCK", 1)

    result = adam(lambda theta: (0.0, -np.ones(2)), [1.7e308, 0.0], learning_rate=1e307)

    assert result.stopped == "the next step led to theta with inf at position 0 and is undone"


def test_a_gradient_too_large_to_be_squared_ends_the_run_instead_of_freezing_it():
    result = adam(bowl(np.array([1.0, 1e200])), [1.0, -3.0])

    assert result.n_steps == 0
    assert result.stopped == "gradient norm 3e+200 is above 1e+150, too large to be squared"


def test_an_overflow_in_the_function_is_found_and_its_warning_is_the_caller_s():
    """Up exp, along a gradient of the wrong sign."""
    with pytest.warns(RuntimeWarning, match="overflow encountered in exp"):
        result = adam(lambda t: (float(np.exp(t[0])), -np.exp(t)), [300.0], learning_rate=500.0)

    assert result.stopped == "the next step led to a value of inf and is undone"
    np.testing.assert_array_equal(result.theta, [300.0])


def test_a_function_outside_of_its_domain_is_found_without_a_warning_where_the_caller_wants_none():
    with np.errstate(invalid="ignore"):
        result = adam(lambda t: (float(np.log(t[0])), 1.0 / t), [1.0], learning_rate=0.3)

    assert result.stopped == "the next step led to a value of nan and is undone"
    assert result.theta[0] == pytest.approx(0.1, abs=0.05)


def test_an_interrupt_reaches_the_caller():
    def interrupt(theta):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        adam(interrupt, ROSENBROCK.start)


@for_all("minimize", [adam, bfgs, lbfgs])
@for_all(
    "later",
    [None, 1.0, (1.0, np.ones(2), 3), [1.0]],
)
def test_a_later_answer_that_is_no_pair_is_named_like_one_at_the_start(minimize, later):
    message = r"^value_and_grad gave .*, but must give \(value, gradient\)$"
    for n_pairs in (0, 1):
        with pytest.raises(TypeError, match=message):
            minimize(spoiled_after(n_pairs, later), [1.0, 2.0])


@for_all("minimize", [adam, bfgs, lbfgs])
def test_a_pair_may_be_a_list(minimize):
    def run(kind):
        return minimize(lambda theta: kind((0.5 * theta @ theta, theta)), [1.0, 2.0], n_steps=3)

    assert run(list).theta.tolist() == run(tuple).theta.tolist()


def test_a_gradient_that_changes_its_length_is_named():
    with pytest.raises(ValueError, match=r"^the gradient has shape \(1,\), but needs shape \(2,\)"):
        adam(spoiled_after(2, (1.0, np.ones(1))), [1.0, 2.0])


@for_all(
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
        ([1.0], {"learning_rate": 0.0}, ValueError, r"learning_rate is 0\.0, but must be above 0"),
        (
            [1.0],
            {"learning_rate": -1e-3},
            ValueError,
            r"learning_rate is -0\.001, but must be above 0",
        ),
        ([1.0], {"learning_rate": np.inf}, ValueError, "learning_rate is inf, but must be finite"),
        (
            [1.0],
            {"learning_rate": "fast"},
            TypeError,
            "learning_rate is 'fast', but must be a real number",
        ),
        (
            [1.0],
            {"learning_rate": lambda step: 2.0 - step},
            ValueError,
            r"learning_rate\(3\) is -1\.0, but must be at least 0",
        ),
        (
            [1.0],
            {"learning_rate": lambda step: None},
            TypeError,
            r"learning_rate\(1\) is None, but must be a real number",
        ),
        ([1.0], {"beta1": 1.0}, ValueError, r"beta1 is 1\.0, but must be below 1"),
        ([1.0], {"beta1": -0.1}, ValueError, r"beta1 is -0\.1, but must be between 0 and 1"),
        ([1.0], {"beta2": 1}, ValueError, r"beta2 is 1\.0, but must be below 1"),
        ([1.0], {"beta2": 1.5}, ValueError, r"beta2 is 1\.5, but must be between 0 and 1"),
        ([1.0], {"epsilon": 0.0}, ValueError, r"epsilon is 0\.0, but must be at least 2\.2"),
        (
            [1.0],
            {"gradient_tolerance": -1.0},
            ValueError,
            r"gradient_tolerance is -1\.0, but must be at least 0",
        ),
    ],
)
def test_arguments_outside_of_the_rules_are_named(theta, options, kind, sentence):
    with pytest.raises(kind, match=sentence):
        adam(bowl(1.0), theta, **options)


def test_a_start_without_finite_value_and_gradient_is_refused():
    with pytest.raises(ValueError, match="the value at the start is nan, but must be finite"):
        adam(lambda theta: (np.nan, theta), [1.0])
    with pytest.raises(
        ValueError, match=r"the gradient at the start has shape \(3,\), but needs shape \(2,\)"
    ):
        adam(lambda theta: (1.0, np.zeros(3)), [1.0, 2.0])


def test_a_read_only_gradient_is_kept_without_a_copy():
    n = 200_000
    own = {flag: np.ones(n) for flag in (True, False)}
    own[False].flags.writeable = False
    peaks = {}

    for flag, gradient in own.items():
        adam(lambda theta, gradient=gradient: (1.0, gradient), np.zeros(n), n_steps=1)  # imports
        tracemalloc.start()
        adam(lambda theta, gradient=gradient: (1.0, gradient), np.zeros(n), n_steps=3)
        peaks[flag] = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()

    # at the peak the old gradient and its successor are both in memory
    assert peaks[True] - peaks[False] > 0.9 * 8 * n
