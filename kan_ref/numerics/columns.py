"""The columns of a Jacobian: their squared norms, and their multiples.

The squared norm of column i, sum_b J_bi^2, is the diagonal entry (J^T J)_ii. Multiplying columns by
s gives J diag(s), the Jacobian with respect to z if theta = s z. In a row-sparse block a column can
occur more than once in a row; its numbers are added before they are squared.
"""

import numpy as np

from kan_ref.checks import FloatArray
from kan_ref.numerics.row_sparse import Block, Jacobian, RowSparse, blocks, dense_form, shape

_CHUNK_BYTES = 2**25  # of rows that are converted to dense form at once


def column_squares(jacobian: Jacobian) -> FloatArray:
    """Return the squared norms of the columns, (n_columns,).

    Notes
    -----
    Takes n_rows n_columns operations; row-sparse blocks are converted
    to dense form by chunks of rows, 32 MiB at once.
    """
    n_columns = shape(jacobian)[1]
    chunk = max(1, _CHUNK_BYTES // (8 * n_columns))
    total = np.zeros(n_columns)
    for block in blocks(jacobian):
        n_rows = shape(block)[0]
        for start in range(0, n_rows, chunk):  # one chunk is gone before the next is made
            total += _squares_of_rows(block, slice(start, start + chunk))
    return total


def _squares_of_rows(block: Block, rows: slice) -> FloatArray:
    if isinstance(block, RowSparse):
        block = dense_form(RowSparse(block.columns[rows], block.values[rows], block.n_columns))
    else:
        block = block[rows]
    return np.asarray(np.einsum("bi,bi->i", block, block))


def scale_columns(jacobian: Jacobian, scale: FloatArray) -> Jacobian:
    """Return the Jacobian whose column i is scale_i times that of J."""
    parts: list[Block] = [
        RowSparse(block.columns, block.values * scale[block.columns], block.n_columns)
        if isinstance(block, RowSparse)
        else block * scale
        for block in blocks(jacobian)
    ]
    return parts[0] if len(parts) == 1 else parts
