"""Row-sparse Jacobians, Cholesky's factorization, the central difference."""

from kan_ref.numerics.differences import central_difference
from kan_ref.numerics.normal_matrices import (
    NormalSums, normal_sums, solve_positive_definite,
)
from kan_ref.numerics.row_sparse import (
    Block, Jacobian, RowSparse, blocks, column_squares, dense_form, multiply,
    multiply_transposed, normal_matrix, select_columns, shape,
)
