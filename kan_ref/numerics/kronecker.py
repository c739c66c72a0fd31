"""A preconditioner from Kronecker products, for Jacobians whose rows are products of two vectors.

Let a block of the columns of J have the numbers J_b,(j,p) = w_jp S_bj F_bp: the derivative of a
prediction with respect to an output j, times a feature p, times a weight. If S and F are taken as
independent over the rows, the block of J^T J is w w^T times the Kronecker product of S^T S and
F^T F (Martens & Grosse, ICML 2015). With the correlations, entries divided by the roots of both
diagonal entries, G of S and A of F,

    (N11)  M^-1 = L^(-1/2) P (1 + nu) (G kron A + nu I)^-1 P L^(-1/2)

with a positive diagonal L and the diagonal P of the signs of w. Columns outside of all blocks, and
columns of zeros, for which P has a 0, have M = L. Without columns of zeros the diagonal of M is L,
so that only the correlations are approximate. With G = U diag(g) U^T and A = V diag(a) V^T the
inverse takes products of matrices (outputs, features) with U and V alone:

    (N12)  (G kron A + nu I)^-1 X = U ((U^T X V) / (g a^T + nu)) V^T
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kan_ref.checks import FloatArray, IntArray


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
