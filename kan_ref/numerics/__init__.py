"""Linear algebra and differences: row-sparse Jacobians, Cholesky, the central difference."""

from kan_ref.numerics.differences import central_difference as central_difference
from kan_ref.numerics.normal_matrices import NormalSums as NormalSums
from kan_ref.numerics.normal_matrices import solve_positive_definite as solve_positive_definite
from kan_ref.numerics.normal_matrices import sum_chunks as sum_chunks
from kan_ref.numerics.row_sparse import Block as Block
from kan_ref.numerics.row_sparse import Jacobian as Jacobian
from kan_ref.numerics.row_sparse import RowSparse as RowSparse
from kan_ref.numerics.row_sparse import active_columns as active_columns
from kan_ref.numerics.row_sparse import as_jacobian as as_jacobian
from kan_ref.numerics.row_sparse import column_squares as column_squares
from kan_ref.numerics.row_sparse import dense_form as dense_form
from kan_ref.numerics.row_sparse import gram_matrix as gram_matrix
from kan_ref.numerics.row_sparse import multiply as multiply
from kan_ref.numerics.row_sparse import multiply_transposed as multiply_transposed
from kan_ref.numerics.row_sparse import normal_matrix as normal_matrix
from kan_ref.numerics.row_sparse import scale_columns as scale_columns
from kan_ref.numerics.row_sparse import select_columns as select_columns
from kan_ref.numerics.row_sparse import shape as shape
