"""The mean squared error: a mean over all numbers, its gradient, and the residuals whose squares it is the sum of."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from oracles_training import mean_square

from kan_ref.training.data_goal import mean_square_residuals, mean_squared_error

numbers = st.floats(-100, 100, allow_subnormal=False)


@st.composite
def predictions(draw):
    shape = draw(st.tuples(st.integers(1, 6), st.integers(1, 4)))
    return draw(arrays(float, shape, elements=numbers)), draw(
        arrays(float, shape, elements=numbers)
    )


@given(predictions())
def test_the_loss_is_the_mean_of_the_squares_of_all_numbers(case):
    prediction, y = case

    assert mean_squared_error(prediction, y)[0] == pytest.approx(
        mean_square(prediction, y), rel=1e-14, abs=1e-300
    )


@given(predictions(), st.integers(0, 2**32 - 1))
def test_the_gradient_is_exact_along_any_direction(case, seed):
    """The loss is a quadratic, so a central difference has no error of truncation, however wide."""
    prediction, y = case
    direction = np.random.default_rng(seed).normal(size=y.shape)

    _, d_prediction = mean_squared_error(prediction, y)
    difference = (
        mean_squared_error(prediction + direction, y)[0]
        - mean_squared_error(prediction - direction, y)[0]
    ) / 2

    scale = np.abs(prediction).max() + np.abs(y).max() + 1.0
    assert abs(np.vdot(d_prediction, direction) - difference) <= 1e-13 * scale**2


@given(predictions())
def test_the_squares_of_the_residuals_sum_to_the_loss(case):
    prediction, y = case

    residuals = mean_square_residuals(prediction, y)

    assert residuals @ residuals == pytest.approx(
        mean_squared_error(prediction, y)[0], rel=1e-14, abs=1e-300
    )


def test_residuals_run_through_the_outputs_of_the_first_sample_first():
    prediction = np.array([[1.0, 2.0], [3.0, 4.0]])

    residuals = mean_square_residuals(prediction, np.zeros((2, 2)))

    np.testing.assert_array_equal(residuals, [0.5, 1.0, 1.5, 2.0])


def test_the_gradient_is_twice_the_residuals_times_their_slope():
    rng = np.random.default_rng(0)
    prediction, y = rng.normal(size=(5, 3)), rng.normal(size=(5, 3))

    _, d_prediction = mean_squared_error(prediction, y)

    np.testing.assert_allclose(
        d_prediction.ravel(), 2 * mean_square_residuals(prediction, y) / np.sqrt(15), rtol=1e-15
    )


def test_a_perfect_prediction_costs_exactly_nothing_and_pulls_nowhere():
    y = np.random.default_rng(0).normal(size=(4, 2))

    loss, d_prediction = mean_squared_error(y.copy(), y)

    assert loss == 0.0
    assert not d_prediction.any()
    assert not mean_square_residuals(y.copy(), y).any()


def test_repeating_the_batch_leaves_the_loss_and_halves_the_gradient_of_each_sample():
    rng = np.random.default_rng(0)
    prediction, y = rng.normal(size=(5, 2)), rng.normal(size=(5, 2))

    once, twice = (
        mean_squared_error(prediction, y),
        mean_squared_error(np.tile(prediction, (2, 1)), np.tile(y, (2, 1))),
    )

    assert twice[0] == pytest.approx(once[0], rel=1e-15)
    np.testing.assert_allclose(twice[1][:5], once[1] / 2, rtol=1e-15)


def test_the_loss_writes_into_nothing_that_it_is_given():
    prediction, y = np.ones((2, 2)), np.zeros((2, 2))
    prediction.flags.writeable = y.flags.writeable = False

    mean_squared_error(prediction, y)
    residuals = mean_square_residuals(prediction, y)

    residuals[0] = 7.0
    np.testing.assert_array_equal(prediction, np.ones((2, 2)))
