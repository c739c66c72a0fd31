"""Solving with Cholesky's factorization."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kan_ref.numerics.normal_matrices import solve_positive_definite


def positive_definite(rng, n, condition):
    vectors = np.linalg.qr(rng.normal(size=(n, n)))[0]
    matrix = (vectors * np.geomspace(1.0, 1.0 / condition, n)) @ vectors.T
    return 0.5 * (matrix + matrix.T)


@given(st.integers(1, 200), st.integers(0, 2**32 - 1))
def test_the_solution_solves(n, seed):
    """Sizes below, at and above the block length of 64."""
    rng = np.random.default_rng(seed)
    matrix, truth = positive_definite(rng, n, 100.0), rng.normal(size=n)

    np.testing.assert_allclose(
        solve_positive_definite(matrix, matrix @ truth), truth, rtol=0, atol=1e-11
    )


@pytest.mark.parametrize("n", [64, 65, 150])
def test_several_right_hand_sides_are_solved_at_once(n):
    rng = np.random.default_rng(n)
    matrix, rhs = positive_definite(rng, n, 10.0), rng.normal(size=(n, 3))

    x = solve_positive_definite(matrix, rhs)

    np.testing.assert_allclose(matrix @ x, rhs, rtol=0, atol=1e-13)


def test_a_right_hand_side_of_integers_has_a_solution_of_floats():
    np.testing.assert_array_equal(
        solve_positive_definite(np.diag([4, 16]), np.array([1, 1])), [0.25, 0.0625]
    )


def test_the_residual_is_at_the_floor_of_rounding_also_when_ill_conditioned():
    """Backward stability: |A x - b| <= c n eps |A| |x|, with c = 1 and a condition of 1e12."""
    rng = np.random.default_rng(3)
    matrix, rhs = positive_definite(rng, 150, 1e12), rng.normal(size=150)

    x = solve_positive_definite(matrix, rhs)

    assert np.abs(matrix @ x - rhs).max() <= 150 * np.finfo(float).eps * np.linalg.norm(
        matrix, 2
    ) * np.linalg.norm(x)


def test_only_the_lower_triangle_is_read():
    rng = np.random.default_rng(4)
    matrix, rhs = positive_definite(rng, 70, 10.0), rng.normal(size=70)

    spoiled = np.tril(matrix) + np.triu(rng.normal(size=(70, 70)), 1)

    np.testing.assert_array_equal(
        solve_positive_definite(spoiled, rhs), solve_positive_definite(matrix, rhs)
    )


def test_arguments_stay_as_they_are():
    rng = np.random.default_rng(5)
    matrix, rhs = positive_definite(rng, 70, 10.0), rng.normal(size=70)
    before = matrix.copy(), rhs.copy()

    solve_positive_definite(matrix, rhs)

    np.testing.assert_array_equal(matrix, before[0])
    np.testing.assert_array_equal(rhs, before[1])


@pytest.mark.parametrize("eigenvalue", [0.0, -1e-3, np.nan], ids=["singular", "indefinite", "nan"])
def test_a_matrix_that_is_not_positive_definite_is_refused(eigenvalue):
    matrix = np.diag([1.0, 2.0, eigenvalue])

    with pytest.raises(np.linalg.LinAlgError, match="matrix is not positive definite in float64"):
        solve_positive_definite(matrix, np.ones(3))


@pytest.mark.parametrize(("matrix", "rhs"), [((2, 3), (2,)), ((3, 3), (2,)), ((3,), (3,))])
def test_shapes_that_do_not_fit_are_named(matrix, rhs):
    with pytest.raises(
        ValueError,
        match=rf"matrix and rhs have shapes \({matrix[0]}.*\) and \({rhs[0]},\), but need \(n, n\) and n rows",
    ):
        solve_positive_definite(np.ones(matrix), np.ones(rhs))
