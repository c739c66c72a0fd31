"""Jumps of the highest derivative, as weights of coefficients."""

import math

import numpy as np
import pytest

from kan_ref.bspline.bases import basis, jump_weights
from kan_ref.bspline.knots import uniform_knots


@pytest.mark.parametrize("degree", range(5))
def test_weights_of_evenly_spaced_knots_are_binomial_coefficients_with_alternating_signs(degree):
    weights = jump_weights(uniform_knots(0.0, 8.0, 8, degree), degree)

    binomial = [(-1) ** (degree + 1 - q) * math.comb(degree + 1, q) for q in range(degree + 2)]
    np.testing.assert_allclose(weights, np.tile(binomial, (1, 7, 1)), rtol=1e-13)


@pytest.mark.parametrize("degree", [1, 2, 3])
def test_weights_of_uneven_knots_give_the_jump_of_the_highest_derivative(degree):
    rng = np.random.default_rng(degree)
    knots = np.cumsum(rng.uniform(0.2, 1.0, (2, 6 + 2 * degree)), axis=1)
    coef = rng.normal(size=(2, 5 + degree))
    grid = knots[:, degree : degree + 6]
    middles = 0.5 * (grid[:, 1:] + grid[:, :-1])
    highest = np.einsum("bim,im->ib", basis(middles.T, knots, degree, degree), coef)
    h = (grid[:, -1:] - grid[:, :1]) / 5

    weights = jump_weights(knots, degree)

    windows = np.lib.stride_tricks.sliding_window_view(coef, degree + 2, axis=1)
    expected = h**degree * np.diff(highest, axis=1)
    np.testing.assert_allclose(
        (weights * windows).sum(axis=2), expected, rtol=0, atol=1e-12 * np.abs(expected).max()
    )


def test_a_repeated_breakpoint_has_no_weight():
    weights = jump_weights(np.array([[0.0, 1.0, 2.0, 2.0, 3.0, 4.0, 5.0]]), 1)

    np.testing.assert_array_equal(weights[0, :2], np.zeros((2, 3)))
    assert weights[0, 2].any()
