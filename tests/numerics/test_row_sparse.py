"""Jacobians in three forms are one linear map; Cholesky's factorization; central differences."""

import math
import tracemalloc

import numpy as np
import pytest
from cases import for_all
from hypothesis import given
from hypothesis import strategies as st
from oracles_training import dense_by_definition

from kan_ref.numerics import row_sparse
from kan_ref.numerics.differences import central_difference
from kan_ref.numerics.normal_matrices import NormalSums, normal_sums, solve_positive_definite
from kan_ref.numerics.row_sparse import (
    RowSparse,
    column_squares,
    dense_form,
    multiply,
    multiply_transposed,
    normal_matrix,
    select_columns,
    shape,
)


def random_block(rng, n_rows, n_entries, n_columns):
    """Unsorted columns, many of them repeated within a row."""
    columns = rng.integers(0, n_columns, (n_rows, n_entries))
    return RowSparse(columns.astype(np.intp), rng.normal(size=columns.shape), n_columns)


@st.composite
def jacobians(draw):
    """(a Jacobian in one of its three forms, the same matrix by definition)."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n_columns = draw(st.integers(1, 9))
    blocks = []
    for _ in range(draw(st.integers(1, 3))):
        block = random_block(rng, draw(st.integers(1, 6)), draw(st.integers(1, 5)), n_columns)
        dense = dense_by_definition(block.columns, block.values, n_columns)
        blocks.append((dense if draw(st.booleans()) else block, dense))
    matrix = np.concatenate([dense for _, dense in blocks])
    if len(blocks) == 1 and draw(st.booleans()):
        return blocks[0][0], matrix
    return [block for block, _ in blocks], matrix


@given(jacobians())
def test_the_dense_form_is_the_matrix_by_definition(case):
    jacobian, matrix = case

    np.testing.assert_allclose(dense_form(jacobian), matrix, rtol=1e-14, atol=1e-15)
    assert shape(jacobian) == matrix.shape


@given(jacobians(), st.integers(0, 2**32 - 1))
def test_products_with_vectors_are_those_of_the_matrix(case, seed):
    (jacobian, matrix), rng = case, np.random.default_rng(seed)
    u, r = rng.normal(size=matrix.shape[1]), rng.normal(size=matrix.shape[0])

    np.testing.assert_allclose(multiply(jacobian, u), matrix @ u, rtol=0, atol=1e-13)
    np.testing.assert_allclose(multiply_transposed(jacobian, r), matrix.T @ r, rtol=0, atol=1e-13)


def test_column_squares_need_the_memory_of_a_chunk_and_not_of_the_dense_form():
    block = random_block(np.random.default_rng(0), 20_000, 3, 1000)  # 153 MiB in dense form
    tracemalloc.start()
    try:
        column_squares(block)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert peak < 40 * 2**20


@given(jacobians())
def test_the_normal_matrix_is_that_of_the_matrix_and_exactly_symmetric(case):
    jacobian, matrix = case

    found = normal_matrix(jacobian)

    np.testing.assert_allclose(found, matrix.T @ matrix, rtol=0, atol=1e-12)
    np.testing.assert_array_equal(found, found.T)


# one shape with fewer pairs of entries than products, one where BLAS is cheaper
@pytest.mark.parametrize(
    ("n_rows", "n_entries", "n_columns", "assembled"), [(3000, 6, 200, True), (300, 12, 20, False)]
)
def test_both_ways_to_the_normal_matrix_agree(n_rows, n_entries, n_columns, assembled, monkeypatch):
    block = random_block(np.random.default_rng(1), n_rows, n_entries, n_columns)
    upper = np.zeros(n_columns**2)
    monkeypatch.setattr(row_sparse, "_CHUNK_ENTRIES", 1000)  # several chunks, the last one shorter
    monkeypatch.setattr(row_sparse, "_CHUNK_BYTES", 8 * n_columns * 70)

    row_sparse._assemble(block, upper)

    half = upper.reshape(n_columns, n_columns)
    dense = dense_form(block)
    np.testing.assert_allclose(half + half.T, dense.T @ dense, rtol=0, atol=1e-11)
    np.testing.assert_allclose(row_sparse._normal_by_blas(block), dense.T @ dense, rtol=0, atol=1e-11)
    assert row_sparse._assembling_is_cheaper(block) is assembled
    np.testing.assert_array_equal(
        normal_matrix(block), half + half.T if assembled else row_sparse._normal_by_blas(block)
    )


# (rows, entries, columns) and the faster method: first the measurements beside the constants, then pairs on both sides of
# the boundary (microseconds, assembled and dense)
@for_all(
    ("measured", "assembled"),
    [
        ((10000, 18, 615), True),
        ((1000, 90, 150), False),
        ((1000, 90, 1575), True),
        ((1000, 606, 1515), False),
        ((10000, 18, 3015), True),
        ((1000, 18, 30), False),
        ((1000, 18, 100), False),  # 520, 423
        ((1000, 18, 150), True),  # 576, 729
        ((300, 40, 300), False),  # 1040, 809
        ((300, 40, 500), True),  # 1694, 2295
        ((1000, 8, 30), False),  # 131, 94
        ((1000, 4, 30), True),  # 50, 83
        ((60, 4, 1000), True),  # 3816, 5842
        ((60, 4, 300), True),  # 156, 242
        ((30, 60, 1000), False),  # 6093, 4090
    ],
)
def test_the_rule_takes_the_way_that_was_measured_faster(measured, assembled):
    n_rows, n_entries, n_columns = measured
    block = RowSparse(np.zeros((n_rows, n_entries), dtype=np.intp), np.zeros((n_rows, n_entries)), n_columns)

    assert row_sparse._assembling_is_cheaper(block) is assembled


def test_normal_matrices_of_all_kinds_of_blocks_add_up():
    """A stack with an assembled block, one that goes through BLAS, and a dense one, in either order."""
    rng = np.random.default_rng(2)
    blocks = [
        random_block(rng, 3000, 5, 150),
        rng.normal(size=(7, 150)),
        random_block(rng, 4, 30, 150),
        random_block(rng, 2000, 4, 150),
    ]
    assert [row_sparse._assembling_is_cheaper(block) for block in blocks if isinstance(block, RowSparse)] == [
        True,
        False,
        True,
    ]
    matrix = dense_form(blocks)

    for stack in (blocks, blocks[::-1]):
        np.testing.assert_allclose(normal_matrix(stack), matrix.T @ matrix, rtol=0, atol=1e-10)
    np.testing.assert_array_equal(dense_form(blocks), matrix)  # nothing was written into


def test_without_rows_the_normal_matrix_is_zero():
    for empty in (RowSparse(np.zeros((0, 3), dtype=np.intp), np.zeros((0, 3)), 4), np.ones((0, 4))):
        np.testing.assert_array_equal(normal_matrix(empty), np.zeros((4, 4)))
        np.testing.assert_array_equal(normal_matrix([empty, np.eye(4)]), np.eye(4))


def test_a_large_normal_matrix_needs_little_memory():
    """10000 rows of 18 entries in 615 columns: the dense form alone would take 49 MB."""
    block = random_block(np.random.default_rng(4), 10000, 18, 615)
    tracemalloc.start()
    try:
        matrix = normal_matrix(block)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert peak <= 2 * matrix.nbytes + 2**25


@given(jacobians(), st.integers(0, 2**32 - 1))
def test_selected_columns_are_those_of_the_matrix(case, seed):
    (jacobian, matrix), rng = case, np.random.default_rng(seed)
    keep = rng.random(matrix.shape[1]) < 0.5
    keep[rng.integers(matrix.shape[1])] = True

    np.testing.assert_allclose(dense_form(select_columns(jacobian, keep)), matrix[:, keep], rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize(
    ("columns", "values", "n_columns"),
    [([[0, 3]], [[1.0, 2.0]], 3), ([[0, -3]], [[1.0, 2.0]], 5), ([[0, 3]], [[1.0]], 5), ([3], [1.0], 5)],
)
def test_a_record_that_is_no_matrix_is_refused(columns, values, n_columns):
    with pytest.raises(ValueError, match="columns "):
        RowSparse(np.array(columns), np.array(values), n_columns)


@given(jacobians(), st.integers(0, 2**32 - 1))
def test_sums_are_the_normal_matrix_and_the_product_and_sums_of_chunks_stay(case, seed):
    jacobian, matrix = case
    residuals = np.random.default_rng(seed).normal(size=len(matrix))

    sums = normal_sums(jacobian, residuals)

    assert isinstance(sums, NormalSums)
    np.testing.assert_allclose(sums.matrix, matrix.T @ matrix, rtol=0, atol=1e-12)
    np.testing.assert_allclose(sums.half_gradient, matrix.T @ residuals, rtol=0, atol=1e-12)
    assert normal_sums(sums, residuals) is sums


def positive_definite(rng, n, condition):
    vectors = np.linalg.qr(rng.normal(size=(n, n)))[0]
    matrix = (vectors * np.geomspace(1.0, 1.0 / condition, n)) @ vectors.T
    return 0.5 * (matrix + matrix.T)


@given(st.integers(1, 200), st.integers(0, 2**32 - 1))
def test_the_solution_solves(n, seed):
    """Sizes below, at and above the block length of 64."""
    rng = np.random.default_rng(seed)
    matrix, truth = positive_definite(rng, n, 100.0), rng.normal(size=n)

    np.testing.assert_allclose(solve_positive_definite(matrix, matrix @ truth), truth, rtol=0, atol=1e-11)


@pytest.mark.parametrize("n", [64, 65, 150])
def test_several_right_hand_sides_are_solved_at_once(n):
    rng = np.random.default_rng(n)
    matrix, rhs = positive_definite(rng, n, 10.0), rng.normal(size=(n, 3))

    x = solve_positive_definite(matrix, rhs)

    np.testing.assert_allclose(matrix @ x, rhs, rtol=0, atol=1e-13)


def test_the_residual_is_at_the_floor_of_rounding_also_when_ill_conditioned():
    """Backward stability: |A x - b| <= c n eps |A| |x|, with c = 1 and a condition of 1e12."""
    rng = np.random.default_rng(3)
    matrix, rhs = positive_definite(rng, 150, 1e12), rng.normal(size=150)

    x = solve_positive_definite(matrix, rhs)

    assert np.abs(matrix @ x - rhs).max() <= 150 * np.finfo(float).eps * np.linalg.norm(matrix, 2) * np.linalg.norm(x)


def test_only_the_lower_triangle_is_read():
    rng = np.random.default_rng(4)
    matrix, rhs = positive_definite(rng, 70, 10.0), rng.normal(size=70)

    spoiled = np.tril(matrix) + np.triu(rng.normal(size=(70, 70)), 1)

    np.testing.assert_array_equal(solve_positive_definite(spoiled, rhs), solve_positive_definite(matrix, rhs))


@pytest.mark.parametrize("eigenvalue", [0.0, -1e-3, np.nan], ids=["singular", "indefinite", "nan"])
def test_a_matrix_that_is_not_positive_definite_is_refused(eigenvalue):
    matrix = np.diag([1.0, 2.0, eigenvalue])

    with pytest.raises(np.linalg.LinAlgError, match="matrix is not positive definite in float64"):
        solve_positive_definite(matrix, np.ones(3))


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
