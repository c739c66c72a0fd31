"""Normal matrices J^T J: added up over chunks of rows, and linear systems with them solved.

    (N10)  J^T J = sum_c J_c^T J_c,    J^T r = sum_c J_c^T r_c,    J_c the rows of chunk c

The memory is that of one chunk and of J^T J, whatever the number of rows. A system with a symmetric
positive definite matrix is solved by Cholesky's factorization,

    (N1)  A = L L^T,   L lower triangular with a positive diagonal
    (N2)  L y = b      forward:   L_kk y_k   = b_k - sum_{j<k} L_kj y_j
    (N3)  L^T x = y    backward:  L_kk^T x_k = y_k - sum_{j>k} L_jk^T x_j

with blocks k of a few dozen unknowns (Golub & Van Loan, Matrix Computations, 4th ed., sections 4.2
and 3.1). (N1) exists if and only if A is positive definite. NumPy factors but has no triangular
solve. Its general solve on the diagonal blocks, and matrix products between them, cost little
compared with (N1).
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kan_ref.checks import FloatArray
from kan_ref.numerics.row_sparse import Jacobian, multiply_transposed, normal_matrix, shape

# unknowns solved at once: both substitutions take 0.02, 0.6 and 8 ms at n = 30, 615 and 3015, with
# little difference between 32 and 128
_BLOCK = 64
_NOT_POSITIVE = "matrix is not positive definite in float64"


@dataclass(frozen=True, eq=False)
class NormalSums:
    """J^T J `matrix` (n_columns, n_columns) and J^T r `half_gradient` (n_columns,) of `n_rows`."""

    n_rows: int
    matrix: FloatArray
    half_gradient: FloatArray

    @property
    def shape(self) -> tuple[int, int]:
        """The shape (n_rows, n_columns) of J."""
        return self.n_rows, len(self.half_gradient)

    def select_columns(self, keep: NDArray[np.bool_]) -> "NormalSums":
        """Return those of the columns of J where `keep` is True."""
        return NormalSums(self.n_rows, self.matrix[np.ix_(keep, keep)], self.half_gradient[keep])

    def __repr__(self) -> str:
        return f"NormalSums({self.n_rows} rows, {len(self.half_gradient)} columns)"


def sum_chunks(
    chunks: Iterable[tuple[Jacobian, FloatArray]], n_columns: int, first: NormalSums | None = None
) -> NormalSums:
    """Return the sums (N10) over chunks (J_c, r_c), which are used one after the other.

    They are added to `first`, which stays as it is.

    Notes
    -----
    Implements :eq:`normal-sums`.

    Examples
    --------
    >>> chunks = [(np.array([[1.0, 2.0]]), np.array([3.0])), (np.eye(2), np.ones(2))]
    >>> sums = sum_chunks(chunks, 2)
    >>> sums.matrix.tolist(), sums.half_gradient.tolist(), sums.n_rows
    ([[2.0, 2.0], [2.0, 5.0]], [4.0, 7.0], 3)
    """
    matrix, half_gradient, n_rows = np.zeros((n_columns, n_columns)), np.zeros(n_columns), 0
    if first is not None:
        matrix += first.matrix
        half_gradient += first.half_gradient
        n_rows = first.n_rows
    for jacobian, residuals in chunks:
        if not len(residuals):
            continue
        # [eq:normal-sums]
        matrix += normal_matrix(jacobian)
        half_gradient += multiply_transposed(jacobian, residuals)
        # [/eq:normal-sums]
        n_rows += shape(jacobian)[0]
    return NormalSums(n_rows, matrix, half_gradient)


def solve_positive_definite(matrix: FloatArray, rhs: FloatArray) -> FloatArray:
    """Solve A x = b.

    Parameters
    ----------
    matrix : (n, n)
        A, symmetric positive definite; only its lower triangle is read.
    rhs : (n,) or (n, n_rhs)
        b.

    Returns
    -------
    x : as `rhs`
        Implements :eq:`cholesky-forward` and :eq:`cholesky-backward`; n^3 / 3 + O(n^2) flops.
        Measured with one thread: 0.03, 4 and 330 ms at n = 30, 615, 3015. LinAlgError where a pivot
        is not a positive number.

    Examples
    --------
    >>> solve_positive_definite(np.array([[4.0, 2.0], [2.0, 5.0]]), np.array([8.0, 8.0]))
    array([1.5, 1. ])
    """
    try:
        lower = np.linalg.cholesky(matrix)
    except np.linalg.LinAlgError as error:
        raise np.linalg.LinAlgError(_NOT_POSITIVE) from error
    # LAPACK does not report nan; one in a row of L always reaches the pivot of that row
    if not np.isfinite(lower.diagonal()).all():
        raise np.linalg.LinAlgError(_NOT_POSITIVE)
    x = np.array(rhs, dtype=np.float64)
    blocks = [slice(start, start + _BLOCK) for start in range(0, len(x), _BLOCK)]
    # [eq:cholesky-forward]
    for block in blocks:
        before = slice(0, block.start)
        x[block] = np.linalg.solve(lower[block, block], x[block] - lower[block, before] @ x[before])
    # [/eq:cholesky-forward]
    # [eq:cholesky-backward]
    for block in reversed(blocks):
        after = slice(block.stop, None)
        x[block] = np.linalg.solve(
            lower[block, block].T, x[block] - lower[after, block].T @ x[after]
        )
    # [/eq:cholesky-backward]
    return x
