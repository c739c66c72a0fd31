"""Weighted sums of basis functions for every edge by itself, and squares of basis functions.

With the matrix C (n_out, n_in * n_basis) of `evaluation`,

    (B10)  s_bji     = sum_m B_m(x_bi) C_j,im
    (B11)  d_C_j,im  = sum_b d_edges_bji B_m(x_bi)

in which only degree + 1 terms are nonzero for each sample and input.
"""

import numpy as np

from kan_ref.bspline.evaluation import ActiveBasis, Bases, add_up, gather
from kan_ref.checks import FloatArray


def edge_sums(matrix: FloatArray, bases: Bases, plane: int = 0) -> FloatArray:
    """Return the sums of every edge by itself, (B10), (batch, n_out, n_in).

    `plane` is 0 for values and 1 for derivatives.
    """
    sums = np.empty((len(matrix), *bases.active.columns.T.shape))
    # [eq:edge-sums]
    for j, row in enumerate(matrix):
        np.einsum("rbi,rbi->ib", gather(row, bases), bases.active.planes[plane], out=sums[j])
    # [/eq:edge-sums]
    return sums.transpose(2, 0, 1)


def edge_matrix_gradient(d_edges: FloatArray, bases: Bases) -> FloatArray:
    """Return the gradient with respect to the matrix, (B11), given d_edges (batch, n_out, n_in)."""
    # [eq:edge-matrix-gradient]
    rows = [add_up(bases.values * d_edges[:, j], bases) for j in range(d_edges.shape[1])]
    # [/eq:edge-matrix-gradient]
    return np.stack(rows)


def squared(bases: Bases) -> Bases:
    """Return the squares of the basis functions without derivatives, for sums of squares."""
    active = ActiveBasis(bases.active.columns, (bases.values**2,))
    return Bases(active, bases.n_columns, None if bases.dense is None else bases.dense**2)
