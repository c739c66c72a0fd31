"""Central differences: exact for quadratics, and with the error (N4) for smooth functions."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kan_ref.numerics.differences import central_difference

numbers = st.floats(-3.0, 3.0)


@given(numbers, numbers, numbers, st.integers(-3, 2))
def test_the_derivative_of_a_quadratic_is_exact_at_any_step(a, b, c, exponent):
    """To rounding: eps |f| / step, or the smallest number of float64 in place of eps |f|."""
    step = 10.0**exponent
    size = abs(a) + abs(b) * step + abs(c) * step * step

    slope = central_difference(lambda t: a + b * t + c * t * t, step)

    rounding = np.finfo(float).eps * size + 5e-324
    assert slope == pytest.approx(b, rel=0, abs=8 * rounding / step)


@pytest.mark.parametrize("step", [1e-1, 1e-2, 1e-3])
def test_the_error_is_a_sixth_of_the_third_derivative_times_the_square_of_the_step(step):
    error = central_difference(math.exp, step) - 1.0

    assert error == pytest.approx(step**2 / 6.0, rel=step**2 / 10.0, abs=1e-12)


def test_the_default_step_has_eight_correct_digits_or_more():
    """exp(3 t): truncation 4.5e-12, rounding eps / 1e-6 = 2e-10."""
    assert central_difference(lambda t: math.exp(3.0 * t)) == pytest.approx(3.0, abs=1e-9)


def test_arrays_have_one_derivative_for_each_entry():
    slopes = central_difference(lambda t: np.array([[1.0, t], [t * t, math.sin(2.0 * t)]]))

    np.testing.assert_allclose(slopes, [[0.0, 1.0], [0.0, 2.0]], rtol=0, atol=1e-9)
