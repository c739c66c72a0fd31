"""Jacobians for least squares: dense, row-sparse, or blocks of both stacked on top of
each other.

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
from functools import reduce
from operator import iadd

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
_PER_SUMMED = (
    3.0  # one entry of the dense product: mirrored by BLAS, and added to the sum
)
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
    >>> jacobian = RowSparse(np.array([[0, 2], [1, 1]]), np.array([[5.0, 6.0], [7.0, 8.0]]), 3)
    >>> dense_form(jacobian)
    array([[ 5.,  0.,  6.],
           [ 0., 15.,  0.]])
    """

    columns: IntArray
    values: FloatArray
    n_columns: int

    def __post_init__(self) -> None:
        shape, columns = self.values.shape, self.columns
        is_inside = (
            not columns.size or 0 <= columns.min() <= columns.max() < self.n_columns
        )
        if columns.shape != shape or len(shape) != 2 or not is_inside:
            rule = f"shape {shape} of values and numbers in 0..{self.n_columns - 1}"
            raise ValueError(f"columns has shape {columns.shape}, but needs {rule}")


Block = FloatArray | RowSparse
Jacobian = Block | Sequence[Block]


def blocks(jacobian: Jacobian) -> tuple[Block, ...]:
    """Return the stacked blocks of a Jacobian."""
    return (
        (jacobian,) if isinstance(jacobian, np.ndarray | RowSparse) else tuple(jacobian)
    )


def _stacked(parts: list[Block]) -> Jacobian:
    """Return blocks as a Jacobian: one block by itself."""
    return parts[0] if len(parts) == 1 else parts


def shape(jacobian: Jacobian) -> tuple[int, int]:
    """Return the shape (n_rows of all blocks, n_columns)."""
    shapes = [
        (len(b.columns), b.n_columns) if isinstance(b, RowSparse) else b.shape
        for b in blocks(jacobian)
    ]
    return sum(n_rows for n_rows, _ in shapes), shapes[0][1]


def dense_form(jacobian: Jacobian) -> FloatArray:
    """Return the dense matrix, (n_rows, n_columns); a dense Jacobian is returned
    itself.
    """
    parts = [
        _dense_block(b) if isinstance(b, RowSparse) else b for b in blocks(jacobian)
    ]
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _dense_block(block: RowSparse) -> FloatArray:
    """Return one block as a dense array."""
    n_rows, n_columns = shape(block)
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
        columns, values = (
            block.columns[start : start + chunk],
            block.values[start : start + chunk],
        )
        occurring = np.flatnonzero(np.bincount(columns.reshape(-1)))
        numbers[occurring] = np.arange(len(occurring))
        yield (
            occurring,
            _dense_block(RowSparse(numbers[columns], values, len(occurring))),
        )


def multiply(jacobian: Jacobian, vector: FloatArray) -> FloatArray:
    """Return J u, (n_rows,), for u (n_columns,). Implements :eq:`row-sparse-multiply`.
    """
    # [eq:row-sparse-multiply]
    return np.concatenate(
        [
            np.einsum("bp,bp->b", block.values, vector[block.columns])
            if isinstance(block, RowSparse)
            else block @ vector
            for block in blocks(jacobian)
        ]
    )
    # [/eq:row-sparse-multiply]


def multiply_transposed(jacobian: Jacobian, residuals: FloatArray) -> FloatArray:
    """Return J^T r, (n_columns,), for r (n_rows,).

    Implements :eq:`row-sparse-multiply-transposed`.
    """
    total, start = np.zeros(shape(jacobian)[1]), 0
    for block in blocks(jacobian):
        n_rows, n_columns = shape(block)
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
    total: FloatArray = reduce(
        iadd, _normal_parts(blocks(jacobian), shape(jacobian)[1])
    )
    return total


def _normal_parts(parts: Sequence[Block], n_columns: int) -> Iterator[FloatArray]:
    """Yield new matrices (n_columns, n_columns), of which J^T J is the sum, one after
    the other.
    """
    upper: FloatArray | None = None
    for block in parts:
        if not isinstance(block, RowSparse):
            yield block.T @ block
        elif _assembling_is_cheaper(block):
            upper = np.zeros(n_columns**2) if upper is None else upper
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
    assembling = (
        _PER_PAIR * n_rows * n_entries**2 / 2 + _PER_MIRRORED * block.n_columns**2
    )
    by_blas = (_PER_PRODUCT * n_rows + _PER_SUMMED) * block.n_columns**2
    by_blas += _PER_SCATTERED * n_rows * block.n_columns
    return bool(assembling < by_blas)


def _assemble(block: RowSparse, upper: FloatArray) -> None:
    """Add the U of (N8) to a flat matrix, by chunks of rows whose indices stay in the
    cache.
    """
    n_rows, n_entries = block.columns.shape
    chunk = max(1, _CHUNK_ENTRIES // max(1, n_entries))
    for start in range(0, n_rows, chunk):
        rows = slice(start, start + chunk)
        # (n_entries, rows): a slice shifts entries, and rows are contiguous
        columns = np.ascontiguousarray(block.columns[rows].T)
        values = np.ascontiguousarray(block.values[rows].T)
        row_starts = columns * block.n_columns
        # [eq:row-sparse-upper]
        np.add.at(
            upper, (row_starts + columns).ravel(), (0.5 * values * values).ravel()
        )
        for shift in range(1, n_entries):  # all pairs p < q = p + shift
            places = row_starts[:-shift] + columns[shift:]
            np.add.at(upper, places.ravel(), (values[:-shift] * values[shift:]).ravel())
        # [/eq:row-sparse-upper]


def _normal_by_blas(block: RowSparse) -> FloatArray:
    """Return J^T J of a row-sparse block as a sum of dense products over chunks of
    rows.
    """
    total = np.zeros((block.n_columns, block.n_columns))
    for occurring, dense in _dense_chunks(block):
        # NumPy calls BLAS syrk: half the work, exactly symmetric
        total[np.ix_(occurring, occurring)] += dense.T @ dense
    return total


def select_columns(jacobian: Jacobian, keep: BoolArray) -> Jacobian:
    """Return the Jacobian with the columns where `keep` is True; entries elsewhere are
    dropped.
    """
    # a dropped entry becomes a 0 in some column that is kept
    numbers, n_kept = np.maximum(np.cumsum(keep) - 1, 0), int(keep.sum())
    return _stacked(
        [
            RowSparse(
                numbers[b.columns], np.where(keep[b.columns], b.values, 0.0), n_kept
            )
            if isinstance(b, RowSparse)
            else b[:, keep]
            for b in blocks(jacobian)
        ]
    )


def column_squares(jacobian: Jacobian) -> FloatArray:
    """Return the squared norms of the columns, (n_columns,), in n_rows n_columns
    operations.
    """
    total = np.zeros(shape(jacobian)[1])
    for block in blocks(jacobian):
        if isinstance(block, RowSparse):
            for occurring, dense in _dense_chunks(block):
                total[occurring] += np.einsum("bi,bi->i", dense, dense)
        else:
            total += np.einsum("bi,bi->i", block, block)
    return total


def scale_columns(jacobian: Jacobian, scale: FloatArray) -> Jacobian:
    """Return the Jacobian whose column i is scale_i times that of J."""
    return _stacked(
        [
            RowSparse(b.columns, b.values * scale[b.columns], b.n_columns)
            if isinstance(b, RowSparse)
            else b * scale
            for b in blocks(jacobian)
        ]
    )
