"""Jacobians as operators: products with vectors, squared norms of columns, and a preconditioner.

    (N9)  J^T J u = J^T (J u)

Conjugate gradients take nothing else of J^T J. An operator may compute J u and J^T v from a model
directly, so that neither J nor J^T J is stored.

The squared norm of column i, sum_b J_bi^2, is the diagonal entry (J^T J)_ii. Multiplying columns by
s gives J diag(s), the Jacobian with respect to z if theta = s z. In a row-sparse block a column can
occur more than once in a row; its numbers are added before they are squared.

For Jacobians whose rows are products of two vectors there is a preconditioner from Kronecker
products. Let a block of the columns of J have the numbers J_b,(j,p) = w_jp S_bj F_bp: the
derivative of a prediction with respect to an output j, times a feature p, times a weight. If S and
F are taken as independent over the rows, the block of J^T J is w w^T times the Kronecker product of
S^T S and F^T F (Martens & Grosse, ICML 2015). With the correlations, entries divided by the roots
of both diagonal entries, G of S and A of F,

    (N11)  M^-1 = L^(-1/2) P (1 + nu) (G kron A + nu I)^-1 P L^(-1/2)

with a positive diagonal L and the diagonal P of the signs of w. Columns outside of all blocks, and
columns of zeros, for which P has a 0, have M = L. Without columns of zeros the diagonal of M is L,
so that only the correlations are approximate. With G = U diag(g) U^T and A = V diag(a) V^T the
inverse takes products of matrices (outputs, features) with U and V alone:

    (N12)  (G kron A + nu I)^-1 X = U ((U^T X V) / (g a^T + nu)) V^T
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from kan_ref.checks import FloatArray, IntArray
from kan_ref.numerics.row_sparse import (
    Block,
    Jacobian,
    RowSparse,
    as_jacobian,
    blocks,
    dense_form,
    multiply,
    multiply_transposed,
    shape,
)

_CHUNK_BYTES = 2**25  # of rows that are converted to dense form at once


@runtime_checkable
class Operator(Protocol):
    """A Jacobian J (n_rows, n_columns) by its products."""

    @property
    def shape(self) -> tuple[int, int]:
        """The shape (n_rows, n_columns)."""

    def multiply(self, vector: FloatArray) -> FloatArray:
        """Return J u, (n_rows,)."""

    def multiply_transposed(self, residuals: FloatArray) -> FloatArray:
        """Return J^T r, (n_columns,)."""

    def normal_product(self, vector: FloatArray) -> FloatArray:
        """Return J^T J u, (n_columns,)."""

    def column_squares(self) -> FloatArray:
        """Return the squared norms of the columns, (n_columns,)."""


@dataclass(frozen=True, eq=False)
class StoredOperator:
    """The operator of a Jacobian that is stored."""

    jacobian: Jacobian

    @property
    def shape(self) -> tuple[int, int]:
        """The shape (n_rows, n_columns)."""
        return shape(self.jacobian)

    def multiply(self, vector: FloatArray) -> FloatArray:
        """Return J u, (n_rows,)."""
        return multiply(self.jacobian, vector)

    def multiply_transposed(self, residuals: FloatArray) -> FloatArray:
        """Return J^T r, (n_columns,)."""
        return multiply_transposed(self.jacobian, residuals)

    def normal_product(self, vector: FloatArray) -> FloatArray:
        """Return J^T J u, (n_columns,)."""
        return self.multiply_transposed(self.multiply(vector))

    def column_squares(self) -> FloatArray:
        """Return the squared norms of the columns, (n_columns,)."""
        return column_squares(self.jacobian)


@dataclass(frozen=True, eq=False)
class StackedOperator:
    """Operators with the same columns, stacked on top of each other."""

    parts: Sequence[Operator]

    @property
    def shape(self) -> tuple[int, int]:
        """The shape (n_rows, n_columns)."""
        return sum(part.shape[0] for part in self.parts), self.parts[0].shape[1]

    def multiply(self, vector: FloatArray) -> FloatArray:
        """Return J u, (n_rows,)."""
        return np.concatenate([part.multiply(vector) for part in self.parts])

    def multiply_transposed(self, residuals: FloatArray) -> FloatArray:
        """Return J^T r, (n_columns,)."""
        total, start = np.zeros(self.shape[1]), 0
        for part in self.parts:
            stop = start + part.shape[0]
            total += part.multiply_transposed(residuals[start:stop])
            start = stop
        return total

    def normal_product(self, vector: FloatArray) -> FloatArray:
        """Return J^T J u, (n_columns,)."""
        total = np.zeros(self.shape[1])
        for part in self.parts:
            total += part.normal_product(vector)
        return total

    def column_squares(self) -> FloatArray:
        """Return the squared norms of the columns, (n_columns,)."""
        total = np.zeros(self.shape[1])
        for part in self.parts:
            total += part.column_squares()
        return total


@dataclass(frozen=True, eq=False)
class SelectedOperator:
    """The columns of an operator where `keep` (n_columns,) is True."""

    whole: Operator
    keep: NDArray[np.bool_]

    @property
    def shape(self) -> tuple[int, int]:
        """The shape (n_rows, n_columns)."""
        return self.whole.shape[0], int(self.keep.sum())

    def _spread(self, vector: FloatArray) -> FloatArray:
        every = np.zeros(self.keep.size)
        every[self.keep] = vector
        return every

    def multiply(self, vector: FloatArray) -> FloatArray:
        """Return J u, (n_rows,)."""
        return self.whole.multiply(self._spread(vector))

    def multiply_transposed(self, residuals: FloatArray) -> FloatArray:
        """Return J^T r, (n_columns,)."""
        return self.whole.multiply_transposed(residuals)[self.keep]

    def normal_product(self, vector: FloatArray) -> FloatArray:
        """Return J^T J u, (n_columns,)."""
        return self.whole.normal_product(self._spread(vector))[self.keep]

    def column_squares(self) -> FloatArray:
        """Return the squared norms of the columns, (n_columns,)."""
        return self.whole.column_squares()[self.keep]


def as_operator(jacobian: Jacobian | Operator) -> Operator:
    """Return a Jacobian as an operator; an operator is returned itself."""
    if isinstance(jacobian, Operator):
        return jacobian
    return StoredOperator(as_jacobian(jacobian))


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


@dataclass(frozen=True, eq=False)
class KroneckerBlock:
    """Columns of J with their correlations G kron A, as eigenvalues and eigenvectors.

    `columns` and `signs` (n_outputs, n_features): the numbers of the columns, and 1 or -1, or 0 for
    a column of zeros, which stays apart.
    """

    columns: IntArray
    signs: FloatArray
    of_outputs: tuple[FloatArray, FloatArray]
    of_features: tuple[FloatArray, FloatArray]

    @classmethod
    def of(
        cls, columns: IntArray, signs: FloatArray, outputs: FloatArray, features: FloatArray
    ) -> "KroneckerBlock":
        """Return the block with S^T S `outputs` and F^T F `features`."""
        return cls(columns, signs, _correlations(outputs), _correlations(features))

    def solve(self, rhs: FloatArray, shift: float) -> FloatArray:
        """Return P (G kron A + nu I)^-1 P times the entries of rhs, (n_outputs, n_features)."""
        (g, u), (a, v) = self.of_outputs, self.of_features
        # [eq:kronecker-inverse]
        turned = u.T @ (self.signs * rhs[self.columns]) @ v
        solved: FloatArray = u @ (turned / (np.outer(g, a) + shift)) @ v.T
        # [/eq:kronecker-inverse]
        return self.signs * solved


def _correlations(products: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return eigenvalues, at least 0, and eigenvectors of a matrix scaled to a unit diagonal."""
    root = np.sqrt(products.diagonal())
    scale = np.divide(1.0, root, out=np.zeros_like(root), where=root > 0.0)
    values, vectors = np.linalg.eigh(products * scale * scale[:, None])
    return np.maximum(values, 0.0), vectors


@runtime_checkable
class FactoredOperator(Operator, Protocol):
    """An operator whose columns are partly correlated like Kronecker products."""

    def kronecker_blocks(self, squares: FloatArray) -> Sequence[KroneckerBlock]:
        """Return the blocks, for `squares` = `column_squares()`."""


@dataclass(frozen=True, eq=False)
class KroneckerPreconditioner:
    """M of (N11), with the diagonal L `diagonal` (n_columns,) and nu `shift` above 0."""

    blocks: Sequence[KroneckerBlock]
    diagonal: FloatArray
    shift: float

    def __call__(self, rhs: FloatArray) -> FloatArray:
        """Return M^-1 rhs, (n_columns,).

        Notes
        -----
        Implements :eq:`kronecker-preconditioner` and :eq:`kronecker-inverse`.
        """
        # [eq:kronecker-preconditioner]
        root = np.sqrt(self.diagonal)
        scaled = rhs / root
        for block in self.blocks:
            solved = (1.0 + self.shift) * block.solve(scaled, self.shift)
            apart = block.signs == 0.0
            scaled[block.columns] = np.where(apart, scaled[block.columns], solved)
        preconditioned: FloatArray = scaled / root
        # [/eq:kronecker-preconditioner]
        return preconditioned
