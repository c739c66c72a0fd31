"""Jacobians for least squares: dense, row-sparse, or stacked blocks of both.

In a row-sparse matrix J (n_rows, n_columns), row b has the numbers v_b1 ... v_bE in the
columns c_b1 ... c_bE. The numbers of a column that occurs twice in a row are added.

    (N5)  J         = sum_b sum_p v_bp e_b e_{c_bp}^T
    (N6)  (J u)_b   = sum_p v_bp u_{c_bp}
    (N7)  (J^T r)_i = sum_{b, p: c_bp = i} v_bp r_b
    (N8)  J^T J     = U + U^T,
          U         = sum_b (1/2 sum_p v_bp^2 e_{c_bp} e_{c_bp}^T
                             + sum_{p<q} v_bp v_bq e_{c_bp} e_{c_bq}^T)

(N6) and (N7) are the definition of the product. For (N8) multiply out the square of a
row. U is not triangular when columns are unsorted, but U + U^T is correct for any order
and for repeated columns. Each row contributes separately, so the contributions of
stacked blocks are added.

The nonzero basis functions of a sample give such rows: of the G + degree coefficients
of an edge only degree + 1 have a nonzero derivative.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from kan_ref.checks import BoolArray, FloatArray, IntArray

# Measured milliseconds, one thread of OpenBLAS at about 50 Gflop/s, for (rows, entries,
# columns), assembled and dense: (10000, 18, 615) 8, 85; (1000, 90, 150) 9, 0.8; (1000,
# 90, 1575) 26, 61; (1000, 606, 1515) 424, 57; (10000, 18, 3015) 50, 1940; (1000, 18,
# 30) 0.4, 0.1; with few rows (60, 4, 1000) 3.8, 5.8. The constants, in nanoseconds, are
# fitted to these times and choose the faster method in all seven.
_PER_PAIR = 3.0  # gather, multiply and add one pair of entries
_PER_MIRRORED = 3.7  # one entry of U + U^T
_PER_PRODUCT = 0.022  # one multiply-add of the dense product, by its symmetric half
_PER_SUMMED = 3.0  # one entry of the dense product: mirrored by BLAS, added to the sum
_PER_SCATTERED = 1.5  # one entry of the dense form: cleared, written, read

_CHUNK_BYTES = 2**24  # of rows in dense form at once; two chunks are in memory
_CHUNK_ENTRIES = 2**16  # of the rows that are assembled at once


@dataclass(frozen=True, eq=False)
class RowSparse:
    """A matrix whose rows have `n_entries` numbers each, (N5).

    Attributes
    ----------
    columns, values : (n_rows, n_entries)
        The column of each number, an integer in 0..n_columns-1, and the numbers; those
        of a repeated column are added.
    n_columns : int

    Examples
    --------
    >>> columns, values = np.array([[0, 2], [1, 1]]), np.array([[5.0, 6.0], [7.0, 8.0]])
    >>> dense_form(RowSparse(columns, values, n_columns=3))
    array([[ 5.,  0.,  6.],
           [ 0., 15.,  0.]])
    """

    columns: IntArray
    values: FloatArray
    n_columns: int

    def __post_init__(self) -> None:
        columns = self.columns
        shape = self.values.shape
        valid = not columns.size or 0 <= columns.min() <= columns.max() < self.n_columns
        if columns.shape != shape or len(shape) != 2 or not valid:
            raise ValueError(
                f"columns has shape {columns.shape}, but needs shape {shape} of values "
                f"and numbers in 0..{self.n_columns - 1}"
            )

    @property
    def shape(self) -> tuple[int, int]:
        """The shape (n_rows, n_columns)."""
        return len(self.columns), self.n_columns

    def __matmul__(self, vector: FloatArray) -> FloatArray:
        """Return J u, (n_rows,), for u (n_columns,)."""
        # [eq:row-sparse-multiply]
        product: FloatArray = np.einsum("bp,bp->b", self.values, vector[self.columns])
        # [/eq:row-sparse-multiply]
        return product


Block = FloatArray | RowSparse
Jacobian = Block | Sequence[Block]


def blocks(jacobian: Jacobian) -> tuple[Block, ...]:
    """Return the stacked blocks of a Jacobian."""
    if isinstance(jacobian, np.ndarray | RowSparse):
        return (jacobian,)
    return tuple(jacobian)


def shape(jacobian: Jacobian) -> tuple[int, int]:
    """Return the shape (n_rows of all blocks, n_columns)."""
    n_rows = 0
    for block in blocks(jacobian):
        n_rows += block.shape[0]
    return n_rows, block.shape[1]


def dense_form(jacobian: Jacobian) -> FloatArray:
    """Return the dense matrix, (n_rows, n_columns), a dense Jacobian itself."""
    return np.concatenate([_dense_block(block) for block in blocks(jacobian)])


def _dense_block(block: Block) -> FloatArray:
    """Return one block as a dense array."""
    if not isinstance(block, RowSparse):
        return block
    n_rows, n_columns = block.shape
    dense = np.zeros(n_rows * n_columns)
    places = np.arange(n_rows)[:, None] * n_columns + block.columns
    np.add.at(dense, places.ravel(), block.values.ravel())  # adds repeated columns
    return dense.reshape(n_rows, n_columns)


def _dense_chunks(block: RowSparse) -> Iterator[tuple[IntArray, FloatArray]]:
    """Yield chunks of rows in dense form, with only the columns that occur in them.

    These are few if neighbouring rows are samples of one cell of a grid.
    """
    chunk = max(1, _CHUNK_BYTES // (8 * block.n_columns))
    numbers = np.zeros(block.n_columns, dtype=np.intp)
    for start in range(0, len(block.columns), chunk):
        rows = slice(start, start + chunk)
        columns = block.columns[rows]
        occurring = np.flatnonzero(np.bincount(columns.reshape(-1)))
        numbers[occurring] = np.arange(len(occurring))
        narrow = RowSparse(numbers[columns], block.values[rows], len(occurring))
        yield occurring, _dense_block(narrow)


def multiply(jacobian: Jacobian, vector: FloatArray) -> FloatArray:
    """Return J u, (n_rows,), for u (n_columns,).

    Implements :eq:`row-sparse-multiply`.
    """
    return np.concatenate([block @ vector for block in blocks(jacobian)])


def multiply_transposed(jacobian: Jacobian, residuals: FloatArray) -> FloatArray:
    """Return J^T r, (n_columns,), for r (n_rows,).

    Implements :eq:`row-sparse-multiply-transposed`.
    """
    total = np.zeros(shape(jacobian)[1])
    start = 0
    for block in blocks(jacobian):
        n_rows, n_columns = block.shape
        part = residuals[start : start + n_rows]
        # [eq:row-sparse-multiply-transposed]
        if isinstance(block, RowSparse):
            products = (block.values * part[:, None]).ravel()
            total += np.bincount(block.columns.ravel(), products, minlength=n_columns)
        else:
            total += part @ block
        # [/eq:row-sparse-multiply-transposed]
        start += n_rows
    return total


def normal_matrix(jacobian: Jacobian) -> FloatArray:
    """Return J^T J, (n_columns, n_columns), exactly symmetric.

    Implements :eq:`row-sparse-normal`, for each row-sparse block by the cheaper of two
    methods. With N rows of E entries and P columns, assembling takes about N E^2 / 2
    additions at random places and P^2 for the transpose; the dense product takes N P^2
    / 2 multiply-adds of BLAS. The measured costs of both decide. Besides the result at
    most two more matrices of its size and 32 MB are needed.
    """
    parts = _normal_parts(jacobian)
    total = next(parts)
    for part in parts:
        total += part
    return total


def _normal_parts(jacobian: Jacobian) -> Iterator[FloatArray]:
    """Yield new matrices (n_columns, n_columns), of which J^T J is the sum."""
    n_columns = shape(jacobian)[1]
    upper: FloatArray | None = None
    for block in blocks(jacobian):
        if not isinstance(block, RowSparse):
            yield block.T @ block
        elif _assembling_is_cheaper(block):
            if upper is None:
                upper = np.zeros(n_columns**2)
            _assemble(block, upper)
        else:
            yield _normal_by_blas(block)

    # [eq:row-sparse-normal]
    if upper is not None:
        square = upper.reshape(n_columns, n_columns)
        yield square + square.T
    # [/eq:row-sparse-normal]


def _assembling_is_cheaper(block: RowSparse) -> bool:
    """Return whether assembling J^T J takes less time than the dense product."""
    n_rows, n_entries = block.columns.shape
    assembling = _PER_PAIR * n_rows * n_entries**2 / 2
    assembling += _PER_MIRRORED * block.n_columns**2
    by_blas = (_PER_PRODUCT * n_rows + _PER_SUMMED) * block.n_columns**2
    by_blas += _PER_SCATTERED * n_rows * block.n_columns
    return bool(assembling < by_blas)


def _assemble(block: RowSparse, upper: FloatArray) -> None:
    """Add the U of (N8) to a flat matrix, by chunks of rows that fit into the cache."""
    n_rows, n_entries = block.columns.shape
    chunk = max(1, _CHUNK_ENTRIES // max(1, n_entries))
    for start in range(0, n_rows, chunk):
        rows = slice(start, start + chunk)

        # (n_entries, rows): a slice shifts entries, and rows are contiguous
        columns = np.ascontiguousarray(block.columns[rows].T)
        values = np.ascontiguousarray(block.values[rows].T)
        row_starts = columns * block.n_columns
        # [eq:row-sparse-upper]
        for shift in range(n_entries):  # all pairs p <= q = p + shift
            places = row_starts[: n_entries - shift] + columns[shift:]
            products = values[: n_entries - shift] * values[shift:]
            if shift == 0:
                products *= 0.5
            np.add.at(upper, places.ravel(), products.ravel())
        # [/eq:row-sparse-upper]


def _normal_by_blas(block: RowSparse) -> FloatArray:
    """Return J^T J of a row-sparse block, a sum of dense products of chunks of rows."""
    total = np.zeros((block.n_columns, block.n_columns))
    for occurring, dense in _dense_chunks(block):
        # NumPy calls BLAS syrk: half the work, exactly symmetric
        total[np.ix_(occurring, occurring)] += dense.T @ dense
    return total


def select_columns(jacobian: Jacobian, keep: BoolArray) -> Jacobian:
    """Return the Jacobian with the columns where `keep` is True, without the others."""
    # a dropped entry becomes a 0 in some column that is kept
    numbers = np.maximum(np.cumsum(keep) - 1, 0)
    n_kept = int(keep.sum())

    kept: list[Block] = []
    for block in blocks(jacobian):
        if isinstance(block, RowSparse):
            values = np.where(keep[block.columns], block.values, 0.0)
            kept.append(RowSparse(numbers[block.columns], values, n_kept))
        else:
            kept.append(block[:, keep])
    return kept


def column_squares(jacobian: Jacobian) -> FloatArray:
    """Return squared column norms, (n_columns,), in n_rows n_columns operations."""
    total = np.zeros(shape(jacobian)[1])
    for block in blocks(jacobian):
        if isinstance(block, RowSparse):
            for occurring, dense in _dense_chunks(block):
                total[occurring] += np.einsum("bi,bi->i", dense, dense)
        else:
            total += np.einsum("bi,bi->i", block, block)
    return total
