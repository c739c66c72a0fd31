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

from kan_ref.checks import FloatArray, IntArray
from kan_ref.live_bspline import KnotRows, LiveBasis, live_basis, scatter


def gathers(n_out: int, n_basis: int, degree: int) -> bool:
    """Whether walking along the live coefficients beats the matrix product, for a layer of this shape."""
    return n_out * (degree + 1) * 2 <= n_basis


@dataclass(frozen=True)
class Bases:
    """B-splines of a batch in the form that a contraction of one layer wants.

    `live`: values, and where they were asked for slopes, of the live B-splines. `n_columns` is n_in * n_basis. `dense`
    (batch, n_columns): the scattered values F, None where the layer gathers.
    """

    live: LiveBasis
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
        """The column of each live number, (degree + 1, batch, n_in); made when it is first asked for."""
        return self.live.columns + np.arange(len(self.values))[:, None, None]

    def __repr__(self) -> str:
        how = "gathered" if self.dense is None else f"dense {self.dense.shape}"
        return f"Bases({self.live!r}, {how})"


def evaluate_bases(rows: KnotRows, x: FloatArray, n_out: int, *, slopes: bool = True) -> Bases:
    """B-splines of the batch x (batch, n_in), for a layer with n_out outputs; without `slopes` there is no (S3)."""
    live = live_basis(rows, x, (0, 1) if slopes else (0,))
    n_columns = len(rows.low) * rows.n_basis
    dense = None if gathers(n_out, rows.n_basis, rows.degree) else scatter(live, 0, n_columns)
    return Bases(live, n_columns, dense)


def spline_sums(matrix: FloatArray, bases: Bases) -> FloatArray:
    """(S1): sums over all inputs and bases, (batch, n_out)."""
    # [eq:spline-sums]
    if bases.dense is not None:
        return bases.dense @ matrix.T
    sums = np.empty((len(bases.live.columns), len(matrix)))
    for j, row in enumerate(matrix):
        terms = row.take(bases.places)
        terms *= bases.values
        sums[:, j] = terms.sum(axis=0).sum(axis=1)
    # [/eq:spline-sums]
    return sums


def matrix_gradient(dy: FloatArray, bases: Bases) -> FloatArray:
    """(S2): gradient with respect to the matrix, (n_out, n_in * n_basis), given dy (batch, n_out)."""
    # [eq:spline-matrix-gradient]
    if bases.dense is not None:
        return dy.T @ bases.dense
    places = bases.places.reshape(-1)
    rows = [np.bincount(places, (bases.values * dy_j[:, None]).reshape(-1), minlength=bases.n_columns) for dy_j in dy.T]
    # [/eq:spline-matrix-gradient]
    return np.stack(rows).astype(np.float64, copy=False)  # bincount of an empty batch gives integers


def slope_sums(matrix: FloatArray, bases: Bases, dy: FloatArray) -> FloatArray:
    """(S3): gradient with respect to the inputs, (batch, n_in), given dy (batch, n_out)."""
    # [eq:spline-slope-sums]
    if bases.dense is None:
        total = np.zeros(bases.live.columns.shape)
        for row, dy_j in zip(matrix, dy.T, strict=True):
            terms = row.take(bases.places)
            terms *= bases.slopes
            total += terms.sum(axis=0) * dy_j[:, None]
        return total
    pulled = (dy @ matrix).reshape(-1)
    places = bases.live.columns + bases.n_columns * np.arange(len(dy))[:, None]
    dx: FloatArray = pulled.take(places) * bases.slopes[0]
    for r in range(1, len(bases.slopes)):
        dx += pulled[r:].take(places) * bases.slopes[r]
    # [/eq:spline-slope-sums]
    return dx


def edge_sums(matrix: FloatArray, bases: Bases, plane: int = 0) -> FloatArray:
    """(S4): sums over the bases of each edge, (batch, n_out, n_in); `plane` 0 for values, 1 for slopes."""
    # [eq:edge-sums]
    batch, n_in = bases.live.columns.shape
    sums = np.empty((batch, len(matrix), n_in))
    for j, row in enumerate(matrix):
        terms = row.take(bases.places)
        terms *= bases.live.planes[plane]
        sums[:, j] = terms.sum(axis=0)
    # [/eq:edge-sums]
    return sums


def edge_matrix_gradient(d_edges: FloatArray, bases: Bases) -> FloatArray:
    """(S5): gradient with respect to the matrix, given a gradient d_edges (batch, n_out, n_in) on each edge."""
    places = bases.places.reshape(-1)
    # [eq:edge-matrix-gradient]
    rows = [np.bincount(places, (bases.values * d_edges[:, j]).reshape(-1), minlength=bases.n_columns) for j in range(d_edges.shape[1])]
    # [/eq:edge-matrix-gradient]
    return np.stack(rows).astype(np.float64, copy=False)  # bincount of an empty batch gives integers
