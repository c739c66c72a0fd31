"""Jacobians as operators: products with vectors, for methods that need no matrix.

    (N9)  J^T J u = J^T (J u)

Conjugate gradients take nothing else of J^T J. An operator may compute J u and J^T v from a model
directly, so that neither J nor J^T J is stored.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from kan_ref.checks import FloatArray
from kan_ref.numerics.columns import column_squares
from kan_ref.numerics.kronecker import KroneckerBlock
from kan_ref.numerics.row_sparse import Jacobian, multiply, multiply_transposed, shape


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


@runtime_checkable
class FactoredOperator(Operator, Protocol):
    """An operator whose columns are partly correlated like Kronecker products."""

    def kronecker_blocks(self, squares: FloatArray) -> Sequence[KroneckerBlock]:
        """Return the blocks, for `squares` = `column_squares()`."""


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
    return StoredOperator(jacobian)
