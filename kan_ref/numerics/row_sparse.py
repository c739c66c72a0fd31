"""Jacobians for least squares: dense, row-sparse, or blocks of both stacked on top of each other.

In a row-sparse matrix J (n_rows, n_columns), row b has the numbers v_b1 ... v_bE in the columns
c_b1 ... c_bE. The numbers of a column that occurs twice in a row are added.

    (N5)  J         = sum_b sum_p v_bp e_b e_{c_bp}^T
    (N6)  (J u)_b   = sum_p v_bp u_{c_bp}
    (N7)  (J^T r)_i = sum_{b, p: c_bp = i} v_bp r_b
    (N8)  J^T J     = U + U^T,
          U         = sum_b (1/2 sum_p v_bp^2 e_{c_bp} e_{c_bp}^T
                             + sum_{p<q} v_bp v_bq e_{c_bp} e_{c_bq}^T)

(N6) and (N7) are the definition of the product. For (N8) multiply out the square of a row. U is not
triangular when columns are unsorted, but U + U^T is correct for any order and for repeated columns.
Each row contributes separately, so the contributions of stacked blocks are added.

The nonzero basis functions of a sample give such rows: of the G + degree coefficients of an edge
only degree + 1 have a nonzero derivative.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import iadd
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kan_ref import checks
from kan_ref.checks import FloatArray, IntArray

# Measured milliseconds, one thread of OpenBLAS at about 50 Gflop/s, for (rows, entries, columns),
# assembled and dense: (10000, 18, 615) 8, 85; (1000, 90, 150) 9, 0.8; (1000, 90, 1575) 26, 61;
# (1000, 606, 1515) 424, 57; (10000, 18, 3015) 50, 1940; (1000, 18, 30) 0.4, 0.1; with few rows
# (60, 4, 1000) 3.8, 5.8. The constants, in nanoseconds, are fitted to these times and choose the
# faster method in all seven.
_PER_PAIR = 3.0  # gather, multiply and add one pair of entries
_PER_MIRRORED = 3.7  # one entry of U + U^T
_PER_PRODUCT = 0.022  # one multiply-add of the dense product, by its symmetric half
_PER_SUMMED = 3.0  # one entry of the dense product: mirrored by BLAS, and added to the sum
_PER_SCATTERED = 1.5  # one entry of the dense form: cleared, written, read

_CHUNK_BYTES = 2**25  # of rows that are converted to dense form at once
_CHUNK_ENTRIES = 2**16  # of the rows that are assembled at once


@dataclass(frozen=True, eq=False)
class RowSparse:
    """A matrix whose rows have `n_entries` numbers each, (N5).

    Attributes
    ----------
    columns : (n_rows, n_entries)
        Integers in 0..n_columns-1; the numbers of a repeated column are added.
    values : (n_rows, n_entries)
        Not checked to be finite: optimizers reject points with other derivatives.
    n_columns : int

    Raises
    ------
    TypeError, ValueError
        Wrong dtypes or shapes, or a column outside the range.

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
        checks.integer("n_columns", self.n_columns, low=1)
        if self.columns.dtype != np.intp or self.values.dtype != np.float64:
            raise TypeError(
                f"columns and values have dtypes {self.columns.dtype} and {self.values.dtype}, "
                "but need intp and float64"
            )
        if self.columns.ndim != 2 or self.columns.shape != self.values.shape:
            raise ValueError(
                f"columns and values have shapes {self.columns.shape} and {self.values.shape}, "
                "but need one shape (n_rows, n_entries)"
            )
        if self.columns.size and not (
            self.columns.min() >= 0 and self.columns.max() < self.n_columns
        ):
            raise ValueError(
                f"columns reach from {self.columns.min()} to {self.columns.max()}, "
                f"but must lie in 0..{self.n_columns - 1}"
            )

    def __repr__(self) -> str:
        n_rows, n_entries = self.columns.shape
        return f"RowSparse({n_rows} rows of {n_entries} entries in {self.n_columns} columns)"


Block = FloatArray | RowSparse
Jacobian = Block | Sequence[Block]
_FORMS = "a 2-D array or a RowSparse"


def blocks(jacobian: Jacobian) -> tuple[Block, ...]:
    """Return the stacked blocks of a Jacobian."""
    return (jacobian,) if isinstance(jacobian, np.ndarray | RowSparse) else tuple(jacobian)


def as_jacobian(jacobian: Any) -> tuple[Block, ...]:
    """Return the blocks of a caller's Jacobian, dense ones as float64; TypeError for others."""
    if not isinstance(jacobian, np.ndarray | RowSparse | Sequence):
        raise TypeError(f"the Jacobian is a {type(jacobian).__name__}, but must be {_FORMS}")
    return tuple(_as_block(number, block) for number, block in enumerate(blocks(jacobian)))


def _as_block(number: int, block: Block) -> Block:
    if isinstance(block, RowSparse):
        return block
    name = f"block {number} of the Jacobian"
    if not isinstance(block, np.ndarray) or block.ndim != 2:
        found = f"{block.ndim}-D array" if isinstance(block, np.ndarray) else type(block).__name__
        remedy = ": make an array of nested lists" if isinstance(block, Sequence) else ""
        raise TypeError(f"{name} is a {found}, but must be {_FORMS}{remedy}")
    if block.dtype.kind not in "iuf":
        raise TypeError(f"{name} has dtype {block.dtype}, but needs real numbers")
    return np.asarray(block, dtype=np.float64)


def _block_shape(block: Block) -> tuple[int, int]:
    """Return (n_rows, n_columns) of one block."""
    n_rows, n_columns = (
        (len(block.columns), block.n_columns) if isinstance(block, RowSparse) else block.shape
    )
    return n_rows, n_columns


def shape(jacobian: Jacobian) -> tuple[int, int]:
    """Return the shape (n_rows of all blocks, n_columns); ValueError for different n_columns."""
    shapes = [_block_shape(block) for block in blocks(jacobian)]
    widths = {n_columns for _, n_columns in shapes}
    if len(widths) != 1:
        raise ValueError(
            f"the blocks of the Jacobian have shapes {shapes}, but need one number of columns"
        )
    return sum(n_rows for n_rows, _ in shapes), widths.pop()


def dense_form(jacobian: Jacobian) -> FloatArray:
    """Return the dense matrix, (n_rows, n_columns); a dense Jacobian is returned itself."""
    parts = [
        _dense_block(block) if isinstance(block, RowSparse) else block for block in blocks(jacobian)
    ]
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _dense_block(block: RowSparse) -> FloatArray:
    """Return one block as a dense array."""
    n_rows, n_columns = _block_shape(block)
    places = (np.arange(n_rows)[:, None] * n_columns + block.columns).ravel()
    dense = np.zeros(n_rows * n_columns)
    np.add.at(dense, places, block.values.ravel())  # an assignment would not add repeated columns
    return dense.reshape(n_rows, n_columns)


def multiply(jacobian: Jacobian, vector: FloatArray) -> FloatArray:
    """Return J u, (n_rows,), for u (n_columns,).

    Notes
    -----
    Implements :eq:`row-sparse-multiply`.
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

    Notes
    -----
    Implements :eq:`row-sparse-multiply-transposed`.
    """
    total, start = np.zeros(shape(jacobian)[1]), 0
    for block in blocks(jacobian):
        n_rows, n_columns = _block_shape(block)
        part = residuals[start : start + n_rows]
        # [eq:row-sparse-multiply-transposed]
        if isinstance(block, RowSparse):
            total += np.bincount(
                block.columns.ravel(), (block.values * part[:, None]).ravel(), minlength=n_columns
            )
        else:
            total += part @ block
        # [/eq:row-sparse-multiply-transposed]
        start += n_rows
    return total


def normal_matrix(jacobian: Jacobian) -> FloatArray:
    """Return J^T J, (n_columns, n_columns), exactly symmetric.

    Notes
    -----
    Implements :eq:`row-sparse-normal`, for each row-sparse block by the cheaper of two methods.
    With N rows of E entries and P columns, assembling takes about N E^2 / 2 additions at random
    places and P^2 for the transpose; the dense product takes N P^2 / 2 multiply-adds of BLAS. The
    measured costs of both decide. Besides the result at most two more matrices of its size and
    32 MB are needed.
    """
    total: FloatArray = reduce(iadd, _normal_parts(blocks(jacobian), shape(jacobian)[1]))
    return total


def _normal_parts(parts: Sequence[Block], n_columns: int) -> Iterator[FloatArray]:
    """Yield new matrices (n_columns, n_columns), of which J^T J is the sum, one after the other."""
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
    assembling = _PER_PAIR * n_rows * n_entries**2 / 2 + _PER_MIRRORED * block.n_columns**2
    by_blas = (_PER_PRODUCT * n_rows + _PER_SUMMED) * block.n_columns**2
    by_blas += _PER_SCATTERED * n_rows * block.n_columns
    return bool(assembling < by_blas)


def _assemble(block: RowSparse, upper: FloatArray) -> None:
    """Add the U of (N8) to a flat matrix, by chunks of rows whose indices stay in the cache."""
    n_rows, n_entries = block.columns.shape
    chunk = max(1, _CHUNK_ENTRIES // max(1, n_entries))
    for start in range(0, n_rows, chunk):
        rows = slice(start, start + chunk)
        # (n_entries, rows): a slice shifts entries, and rows are contiguous
        columns = np.ascontiguousarray(block.columns[rows].T)
        values = np.ascontiguousarray(block.values[rows].T)
        row_starts = columns * block.n_columns
        # [eq:row-sparse-upper]
        np.add.at(upper, (row_starts + columns).ravel(), (0.5 * values * values).ravel())
        for shift in range(1, n_entries):  # all pairs p < q = p + shift
            places = row_starts[:-shift] + columns[shift:]
            np.add.at(upper, places.ravel(), (values[:-shift] * values[shift:]).ravel())
        # [/eq:row-sparse-upper]


def _normal_by_blas(block: RowSparse) -> FloatArray:
    """Return J^T J of a row-sparse block as a sum of dense products over chunks of rows.

    The products have only the columns that occur in a chunk: few of them if neighbouring rows are
    samples of one cell of a grid.
    """
    n_rows, n_columns = _block_shape(block)
    chunk = max(1, _CHUNK_BYTES // (8 * n_columns))
    total = np.zeros((n_columns, n_columns))
    numbers = np.zeros(n_columns, dtype=np.intp)
    for start in range(0, n_rows, chunk):
        columns, values = block.columns[start : start + chunk], block.values[start : start + chunk]
        occurring = np.flatnonzero(np.bincount(columns.reshape(-1)))
        numbers[occurring] = np.arange(len(occurring))
        dense = _dense_block(RowSparse(numbers[columns], values, max(1, len(occurring))))
        # NumPy calls BLAS syrk: half the work, exactly symmetric
        total[np.ix_(occurring, occurring)] += dense.T @ dense
    return total


def gram_matrix(jacobian: Jacobian) -> FloatArray:
    """Return J J^T, (n_rows, n_rows), exactly symmetric; it needs memory for the dense form."""
    dense = dense_form(jacobian)
    return dense @ dense.T


def active_columns(jacobian: Jacobian) -> NDArray[np.bool_]:
    """Return which columns have a nonzero number, (n_columns,)."""
    active = np.zeros(shape(jacobian)[1], dtype=bool)
    for block in blocks(jacobian):
        if isinstance(block, RowSparse):
            active[block.columns[block.values != 0.0]] = True
        else:
            active |= block.any(axis=0)
    return active


def select_columns(jacobian: Jacobian, keep: NDArray[np.bool_]) -> Jacobian:
    """Return the Jacobian with the columns where `keep` is True; entries elsewhere are dropped."""
    # a dropped entry becomes a 0 in some column that is kept
    numbers = np.maximum(np.cumsum(keep) - 1, 0)
    parts = [
        RowSparse(
            numbers[block.columns],
            np.where(keep[block.columns], block.values, 0.0),
            int(keep.sum()),
        )
        if isinstance(block, RowSparse)
        else block[:, keep]
        for block in blocks(jacobian)
    ]
    return parts[0] if len(parts) == 1 else parts


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
