"""J^T J and J^T r of a Jacobian with many rows, added up over chunks of rows that are not kept.

    (N10)  J^T J = sum_c J_c^T J_c,    J^T r = sum_c J_c^T r_c,    J_c the rows of chunk c

The memory is that of one chunk and of J^T J, whatever the number of rows.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kan_ref.checks import FloatArray
from kan_ref.numerics.row_sparse import Jacobian, multiply_transposed, normal_matrix, shape


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
