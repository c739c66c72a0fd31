"""Sums over B-splines, two ways: one matrix product on the scattered bases, or a walk along the live coefficients.

With F = basis.reshape(batch, n_in * n_basis) and a matrix C (n_out, n_in * n_basis), a layer needs

    (S1)  s_bj      = sum_im B_m(x_bi) C_j,im                     = F @ C.T
    (S2)  d_C_j,im  = sum_b dy_bj B_m(x_bi)                       = dy.T @ F
    (S3)  dx_bi     = sum_jm dy_bj C_j,im B'_m(x_bi)              = sum_m (dy @ C) * basis_slope
    (S4)  s_bji     = sum_m B_m(x_bi) C_j,im                      (an edge by itself)
    (S5)  d_C_j,im  = sum_b d_edges_bji B_m(x_bi)                 (an edge by itself)

In each only degree + 1 of the n_basis terms live. Scattering them into F costs memory of the full width and lets BLAS do
the sums; gathering C at the live places costs nothing for a wider grid, but runs at the speed of indexing, once for
each output. (S1)-(S3) choose by `gathers`; (S4) and (S5) always gather.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from kan_ref.bspline.cox_de_boor import ActiveBasis, KnotVectors, active_basis, scatter
from kan_ref.checks import FloatArray, IntArray


def gathers(n_out: int, n_basis: int, degree: int) -> bool:
    """Whether walking along the live coefficients beats the matrix product, for a layer of this shape.

    Notes
    -----
    For each sample and input the walk takes about n_out (degree + 3) steps of indexing. The product takes n_basis n_out steps
    of BLAS, 20 times as fast, and n_basis 16 more such steps for F: 6 to clear, fill and read it, the others for pages that
    the system has to hand out. Measured with one thread of NumPy 2.4 at 1000 samples, 1 to 64 inputs and outputs, degrees 1, 3
    and 5: where memory is at hand a training step takes the same time both ways at 17, 48 and 110 bases for 1, 4 and 64
    outputs and degree 3, give or take a factor 1.6; the rule says 8, 24 and 96.
    """
    return n_basis * (n_out + 16) >= 20 * (degree + 3) * n_out


@dataclass(frozen=True)
class Bases:
    """B-splines of a batch in the form that a contraction of one layer wants.

    `live`: values, and where they were asked for slopes, of the live B-splines. `n_columns` is n_in * n_basis. `dense`
    (batch, n_columns): the scattered values F, None where the layer gathers.
    """

    live: ActiveBasis
    n_columns: int
    dense: FloatArray | None

    @property
    def values(self) -> FloatArray:
        """Live values (degree + 1, batch, n_in)."""
        return self.live.planes[0]

    @property
    def slopes(self) -> FloatArray:
        """Live slopes (degree + 1, batch, n_in)."""
        return self.live.planes[1]

    @cached_property
    def places(self) -> IntArray:
        """The column of each live number, (degree + 1, batch, n_in); worked out when it is first asked for."""
        steps = np.arange(len(self.values))[:, None, None]
        return (self.live.columns.T + steps).swapaxes(1, 2)

    def __repr__(self) -> str:
        how = "gathered" if self.dense is None else f"dense {self.dense.shape}"
        return f"Bases({self.live!r}, {how})"


def evaluate_bases(rows: KnotVectors, x: FloatArray, n_out: int, *, slopes: bool = True) -> Bases:
    """B-splines of the batch x (batch, n_in), for a layer with n_out outputs; without `slopes` there is no (S3)."""
    live = active_basis(rows, x, (0, 1) if slopes else (0,))
    n_columns = len(rows.low) * rows.n_basis
    dense = None if gathers(n_out, rows.n_basis, rows.degree) else scatter(live, 0, n_columns)
    return Bases(live, n_columns, dense)


def _gather(row: FloatArray, bases: Bases) -> FloatArray:
    """Coefficients at the live places, (degree + 1, batch, n_in), of one row (n_columns,) of the matrix."""
    return row.take(bases.places.swapaxes(1, 2)).swapaxes(1, 2)


def _add_up(numbers: FloatArray, bases: Bases) -> FloatArray:
    """Sums, (n_columns,), of the numbers (degree + 1, batch, n_in) that fall on the same place."""
    places, numbers = bases.places.swapaxes(1, 2), numbers.swapaxes(1, 2)  # as they lie in memory
    sums = np.bincount(places.reshape(-1), numbers.reshape(-1), minlength=bases.n_columns)
    return sums.astype(np.float64, copy=False)  # without samples bincount answers in integers


def spline_sums(matrix: FloatArray, bases: Bases) -> FloatArray:
    """(S1): sums over all inputs and bases, (batch, n_out)."""
    # [eq:spline-sums]
    if bases.dense is not None:
        return (matrix @ bases.dense.T).T
    return np.stack(
        [np.einsum("rbi,rbi->b", _gather(row, bases), bases.values) for row in matrix]
    ).T
    # [/eq:spline-sums]


def matrix_gradient(dy: FloatArray, bases: Bases) -> FloatArray:
    """(S2): gradient with respect to the matrix, (n_out, n_in * n_basis), given dy (batch, n_out)."""
    # [eq:spline-matrix-gradient]
    if bases.dense is not None:
        return dy.T @ bases.dense
    return np.stack([_add_up(bases.values * dy_j[:, None], bases) for dy_j in dy.T])
    # [/eq:spline-matrix-gradient]


def slope_sums(matrix: FloatArray, bases: Bases, dy: FloatArray) -> FloatArray:
    """(S3): gradient with respect to the inputs, (batch, n_in), given dy (batch, n_out)."""
    # [eq:spline-slope-sums]
    if (
        bases.dense is None or len(matrix) == 1
    ):  # with one output dy @ C is an outer product, which BLAS is slow at
        total: FloatArray = np.zeros_like(bases.slopes[0])
        for row, dy_j in zip(matrix, dy.T, strict=True):
            total += dy_j[:, None] * np.einsum("rbi,rbi->bi", _gather(row, bases), bases.slopes)
        return total
    batch = len(dy)
    pulled = (matrix.T @ dy.T).reshape(-1)
    places = bases.live.columns.T * batch + np.arange(batch)
    dx: FloatArray = pulled.take(places) * bases.slopes[0].T
    for r in range(1, len(bases.slopes)):
        dx += pulled[r * batch :].take(places) * bases.slopes[r].T
    # [/eq:spline-slope-sums]
    return dx.T


def edge_sums(matrix: FloatArray, bases: Bases, plane: int = 0) -> FloatArray:
    """(S4): sums over the bases of each edge, (batch, n_out, n_in); `plane` 0 for values, 1 for slopes."""
    sums = np.empty((len(matrix), *bases.live.columns.T.shape))
    # [eq:edge-sums]
    for j, row in enumerate(matrix):
        np.einsum("rbi,rbi->ib", _gather(row, bases), bases.live.planes[plane], out=sums[j])
    # [/eq:edge-sums]
    return sums.transpose(2, 0, 1)


def edge_matrix_gradient(d_edges: FloatArray, bases: Bases) -> FloatArray:
    """(S5): gradient with respect to the matrix, given a gradient d_edges (batch, n_out, n_in) on each edge."""
    # [eq:edge-matrix-gradient]
    rows = [_add_up(bases.values * d_edges[:, j], bases) for j in range(d_edges.shape[1])]
    # [/eq:edge-matrix-gradient]
    return np.stack(rows)
