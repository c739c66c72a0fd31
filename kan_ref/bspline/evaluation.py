"""Evaluation of the nonzero basis functions, and weighted sums of them.

Theorem (Cox 1972, de Boor 1972; de Boor, A Practical Guide to Splines, rev. ed., ch.
IX, (14) and ch. X, (15)). The B-splines of degree d on a knot vector t_0 <= t_1 <= ...
are, with 0/0 := 0,

    (B4)  B_{m,0}(x)  = 1 where t_m <= x < t_{m+1}, else 0
    (B5)  B_{m,d}(x)  = (x - t_m) T_{m,d}(x) + (t_{m+d+1} - x) T_{m+1,d}(x),
          T_{m,d}     = B_{m,d-1} / (t_{m+d} - t_m)
    (B6)  B'_{m,d}(x) = d (T_{m,d}(x) - T_{m+1,d}(x))

and higher derivatives by applying (B6) again. At a point of [t_mu, t_{mu+1}) only the d
+ 1 basis functions m = mu-d, ..., mu are nonzero. Their denominators all span that
non-empty interval, so 0/0 never occurs, and all terms of (B5) are nonnegative, so the
rounding error is relative. Intervals are closed on the left, the last non-empty one on
both sides. Derivatives are right limits, at the last knot left limits. Outside the knot
vector everything is 0.

With F = basis.reshape(batch, n_in * n_basis) and a matrix C (n_out, n_in * n_basis), a
layer needs the sums

    (B7)  s_bj     = sum_im B_m(x_bi) C_j,im         = F @ C.T
    (B8)  d_C_j,im = sum_b dy_bj B_m(x_bi)           = dy.T @ F
    (B9)  dx_bi    = sum_jm dy_bj C_j,im B'_m(x_bi)  = sum_m (dy @ C) * basis_slope

in which only d + 1 of the n_basis terms are nonzero. The dense way scatters them into F
and multiplies matrices; the gathered way takes the coefficients of the nonzero terms
from C, at a cost that does not grow with the grid.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np

from kan_ref.bspline.knots import KnotVectors, bisect_intervals
from kan_ref.checks import FloatArray, IntArray

# points at once, so that their arrays stay in the cache: at 100 000 samples 3 times as
# fast
_BLOCK = 32768


class Workspace:
    """Memory that a repeated computation uses again: arrays by name, for `taken`.

    New memory pages at every step take a fifth to a third of it ([64, 64, 64, 10] on
    1024 samples, [2, 5, 1] on 1000), and two thirds of a step of [100, 1, 1] on 1000
    new samples. An array is overwritten when its name is taken again: a workspace
    serves one computation at a time, and no result is a view of its arrays after the
    next one begins.
    """

    def __init__(self) -> None:
        self.arrays: dict[str, Any] = {}


def taken(
    workspace: Workspace | None,
    name: str,
    shape: Sequence[int],
    dtype: type = float,
) -> Any:
    """Return an array of a workspace with any numbers in it, a new one without it."""
    if workspace is None:
        return np.empty(shape, dtype)
    size = math.prod(shape)
    array = workspace.arrays.get(name)
    if array is None or array.size < size:
        array = workspace.arrays[name] = np.empty(size, dtype)
    return array[:size].reshape(shape)


@dataclass(frozen=True)
class ActiveBasis:
    """The nonzero basis functions at each point.

    `columns` (batch, n_in): the column of the first of them among n_in * n_basis; the
    others follow it. `planes`: for each order of derivative an array (degree + 1,
    batch, n_in), in memory batch last.
    """

    columns: IntArray
    planes: tuple[FloatArray, ...]


@dataclass(frozen=True)
class Bases:
    """The basis functions of a batch, prepared for the sums (B7)-(B11) of one layer.

    `active`: the nonzero values, and derivatives unless they were left out.
    `n_columns`: n_in times n_basis. `dense` (batch, n_columns): the scattered values F,
    or None where the layer gathers.
    """

    active: ActiveBasis
    n_columns: int
    dense: FloatArray | None
    workspace: Workspace | None = None

    @property
    def values(self) -> FloatArray:
        """Nonzero values (degree + 1, batch, n_in)."""
        return self.active.planes[0]

    @cached_property
    def places(self) -> IntArray:
        """The column of each nonzero value, (degree + 1, n_in, batch)."""
        values = self.values.swapaxes(1, 2)
        places: IntArray = taken(self.workspace, "places", values.shape, np.intp)
        following = np.arange(len(values))[:, None, None]
        return np.add(self.active.columns.T, following, out=places)


def evaluate_bases(
    vectors: KnotVectors,
    x: FloatArray,
    highest: int,
    gathered: bool,
    workspace: Workspace | None,
) -> Bases:
    """Evaluate the basis functions at points, with derivatives up to order `highest`.

    x (batch, n_in) is finite, or nan after an undefined formula; at nan all is 0, as
    are orders above the degree. F is written as well, unless sums are `gathered`.
    Implements :eq:`cox-de-boor` and :eq:`bspline-derivative` (The NURBS Book, 2nd ed.,
    A2.2, A2.3).
    """
    points = np.ascontiguousarray(x.T)
    n_in, batch = points.shape
    degree = vectors.degree
    n_basis = vectors.n_basis
    planes = taken(workspace, "planes", (highest + 1, degree + 1, n_in, batch))
    # the number, later the column, of the first nonzero one
    first = taken(workspace, "first", points.shape, np.intp)
    dense = None
    if not gathered:
        dense = taken(workspace, "dense", (n_in * n_basis, batch)).T

    n_samples = max(1, min(batch, _BLOCK))
    n_inputs = _BLOCK // n_samples
    for i, start in product(range(0, n_in, n_inputs), range(0, batch, n_samples)):
        inputs = slice(i, i + n_inputs)
        samples = slice(start, start + n_samples)
        u = points[inputs, samples]
        own = first[inputs, samples]
        knots = vectors.knots[inputs, :, None]
        in_grid = (u >= knots[:, degree]) & (u < knots[:, n_basis])
        outside = np.flatnonzero(~in_grid)  # b itself too; nan is outside
        if outside.size:
            u = np.fmin(np.fmax(u, knots[:, 0]), knots[:, -1])

        mu, around = find_intervals(vectors, u, inputs)
        np.subtract(mu, degree, out=own)
        reach = len(around) // 2
        left = around[:reach]
        right = around[reach:]
        np.subtract(u, left, out=left)
        right -= u
        basis, *derivatives = planes[:, :, inputs, samples]
        _cox_de_boor(left, right, basis, derivatives)

        if outside.size:
            places = outside + i * batch + start  # in all of `first`
            _shift_onto_knots(vectors, planes, first, places, points)
        own += n_basis * np.arange(i, i + len(own))[:, None]
        if dense is not None:
            # values are in the cache: 7 % less time for 784 inputs, 256 samples
            dense[samples, i * n_basis : (i + n_inputs) * n_basis] = 0.0
            place(own, basis, dense.T, samples)

    active = ActiveBasis(first.T, tuple(planes.swapaxes(2, 3)))
    return Bases(active, n_in * n_basis, dense, workspace)


def _cox_de_boor(
    left: FloatArray,
    right: FloatArray,
    basis: FloatArray,
    derivatives: Sequence[FloatArray],
) -> None:
    """Compute the degree + 1 nonzero values (B5) at points u, and derivatives (B6).

    `left` has u - t_m, m = mu - degree + 1, ..., mu; `right` has t_m - u, m = mu + 1,
    ..., mu + degree. This is A2.2 with its inner loop over arrays.
    """
    degree = len(basis) - 1
    basis[0] = 1.0
    for plane in derivatives:
        plane[0] = 0.0

    for d in range(1, degree + 1):
        width = right[:d] + left[-d:]  # t_{m+d} - t_m, m = mu - d + 1, ..., mu
        quotient = np.divide(basis[:d], width, out=width)  # T_{m,d}

        # row r is m = mu - d + r, so T_{m,d} is quotient[r - 1] and T_{m+1,d} is [r];
        # a derivative of order q takes (B6) instead of (B5) in the last q steps, the
        # first of them from T and the others from the derivative before
        for q, plane in enumerate(derivatives, start=1):
            if q > degree - d:
                part = quotient
                if q > degree - d + 1:
                    part = plane[:d] / (right[:d] + left[-d:])
                # [eq:bspline-derivative]
                np.negative(part, out=plane[:d])
                plane[d] = 0.0
                plane[1 : d + 1] += part
                plane[: d + 1] *= d
                # [/eq:bspline-derivative]

        # [eq:cox-de-boor]
        np.multiply(right[:d], quotient, out=basis[:d])
        # (x - t_m) T_{m,d} in its place: new memory takes 3 times as long for 4 inputs
        quotient *= left[-d:]
        basis[1:d] += quotient[:-1]
        basis[d] = quotient[-1]
        # [/eq:cox-de-boor]


def _shift_onto_knots(
    vectors: KnotVectors,
    planes: FloatArray,
    first: IntArray,
    outside: IntArray,
    points: FloatArray,
) -> None:
    """Shift the values of points outside [a, b) onto the knot vector, in place.

    `outside`: their flat places in `first`. Beyond the first and the last knot, and at
    nan, all is 0.
    """
    degree = vectors.degree
    x = points.take(outside)
    inputs = outside // points.shape[1]
    inside = (x >= vectors.low[inputs]) & (x <= vectors.high[inputs])
    before = first.take(outside)
    after = np.minimum(np.maximum(before, 0), vectors.n_basis - degree - 1)
    source = np.arange(degree + 1)[:, None] + (after - before)
    stays = (source >= 0) & (source <= degree) & inside
    places = np.minimum(np.maximum(source, 0), degree) * first.size + outside
    for plane in planes:
        shifted = np.where(stays, plane.take(places), 0.0)
        plane.reshape(degree + 1, -1)[:, outside] = shifted
    first.reshape(-1)[outside] = after


def find_intervals(
    vectors: KnotVectors,
    points: FloatArray,
    inputs: slice = slice(None),
) -> tuple[IntArray, FloatArray]:
    """Find the interval mu of each point (n_in, batch), (B4), and the knots around it.

    These (2 reach, n_in, batch) are t_{mu-reach+1}, ..., t_{mu+reach} with reach =
    max(degree, 1). The points lie between the first and the last knot; `inputs` selects
    knot vectors. This is A2.1, or bins of equal width where the knots fit them.
    """
    starts = vectors.starts[inputs, None]
    last = vectors.last_interval[inputs, None]
    if vectors.bins_per_unit is None:
        first = vectors.first_interval[inputs, None]
        mu = bisect_intervals(vectors.knots[inputs], points, first, last)
        return mu, vectors.padded.take(mu + starts, axis=1)

    distance = points - vectors.low[inputs, None]
    distance *= vectors.bins_per_unit[inputs, None]
    mu = distance.astype(np.intp)
    if vectors.interval_of_bin is None:
        np.minimum(mu, last, out=mu)
    else:
        table = vectors.interval_of_bin[inputs]
        n_bins = table.shape[1]
        np.minimum(mu, n_bins - 1, out=mu)
        mu += n_bins * np.arange(len(table))[:, None]
        mu = table.take(mu)

    around = vectors.padded.take(mu + starts, axis=1)
    reach = len(around) // 2
    below = points < around[reach - 1]
    above = points >= around[reach]
    if below.any() or above.any():
        # where knots lie beside the edges of bins, this mu is off by one at most
        wrong = np.flatnonzero(below | (above & (mu < last)))
        mu = np.minimum(mu - below + above, last)
        places = (mu + starts).take(wrong)
        around.reshape(2 * reach, -1)[:, wrong] = vectors.padded.take(places, axis=1)
    return mu, around


def place(
    columns: IntArray,
    values: FloatArray,
    transposed: FloatArray,
    samples: slice,
) -> None:
    """Write values (degree + 1, n_inputs, n_samples) to the rows `columns` of F.T."""
    batch = transposed.shape[1]
    places = columns * batch + np.arange(batch)[samples]
    flat = transposed.reshape(-1)
    for r, own in enumerate(values):
        flat[r * batch :][places] = own


# For each sample and input, gathering takes about n_out (degree + 3) indexing
# operations. The product takes n_basis n_out operations of BLAS, 20 times as fast, and
# n_basis 16 more for F: 6 to clear, fill and read it, 10 for new pages. Measured with
# 1000 samples, degree 3, in used memory: as fast at 17, 48, 110 basis functions for 1,
# 4, 64 outputs; the rule gives 8, 24, 96.
def gathers(n_out: int, n_basis: int, degree: int) -> bool:
    """Return whether gathering is faster than the matrix product in such a layer."""
    return n_basis * (n_out + 16) >= 20 * (degree + 3) * n_out


def spline_sums(matrix: FloatArray, bases: Bases) -> FloatArray:
    """Return the sums over inputs and basis functions, (B7), (batch, n_out)."""
    # [eq:spline-sums]
    if bases.dense is not None:
        return (matrix @ bases.dense.T).T

    values = bases.values.swapaxes(1, 2)
    coef = taken(bases.workspace, "terms", values.shape)
    sums = np.empty((len(matrix), values.shape[2]))
    for j, row in enumerate(matrix):
        row.take(bases.places, out=coef, mode="clip")  # mode "raise" would copy it
        np.einsum("rib,rib->b", coef, values, out=sums[j])
    # [/eq:spline-sums]
    return sums.T


def matrix_gradient(
    dy: FloatArray,
    bases: Bases,
    out: FloatArray | None = None,
) -> FloatArray:
    """Return the gradient with respect to the matrix, (B8), given dy (batch, n_out).

    Without `dense` dy may differ by edge, (batch, n_out, n_in), for (B11). `out` may
    lend memory.
    """
    # [eq:spline-matrix-gradient]
    if bases.dense is not None:
        return np.matmul(dy.T, bases.dense, out=out)

    if out is None:
        out = np.empty((dy.shape[1], bases.n_columns))
    values = bases.values.swapaxes(1, 2)
    places = bases.places.reshape(-1)
    terms = taken(bases.workspace, "terms", values.shape)
    for j, row in enumerate(out):
        np.multiply(values, dy[:, j].T, out=terms)
        row[:] = np.bincount(places, terms.reshape(-1), minlength=len(row))
    # [/eq:spline-matrix-gradient]
    return out


def slope_sums(matrix: FloatArray, bases: Bases, dy: FloatArray) -> FloatArray:
    """Return the gradient with respect to x, (B9), (batch, n_in).

    dy: (batch, n_out).
    """
    slopes = bases.active.planes[1].swapaxes(1, 2)
    columns = bases.active.columns.T
    dx: FloatArray
    # [eq:spline-derivative-sums]
    # with one output dy @ C is an outer product, at which BLAS is slow
    if bases.dense is None or len(matrix) == 1:
        dx = np.zeros(columns.shape)
        for row, dy_j in zip(matrix, dy.T, strict=True):
            coef = row.take(bases.places)
            dx += dy_j * np.einsum("rib,rib->ib", coef, slopes)
        return dx.T

    batch = len(dy)
    d_basis = taken(bases.workspace, "pulled", (matrix.shape[1], batch))
    np.matmul(matrix.T, dy.T, out=d_basis)
    flat = d_basis.reshape(-1)
    places = columns * batch + np.arange(batch)
    dx = flat.take(places) * slopes[0]
    for r in range(1, len(slopes)):
        dx += flat[r * batch :].take(places) * slopes[r]
    # [/eq:spline-derivative-sums]
    return dx.T
