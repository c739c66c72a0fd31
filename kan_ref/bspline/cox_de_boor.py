"""The B-splines that live at a point: degree + 1 of them, with derivatives, at a cost free of the row's length.

Theorem (Cox 1972, de Boor 1972; de Boor, A Practical Guide to Splines, rev. ed., ch. IX, (14) and ch. X, (15)). On a
row of knots t_0 <= t_1 <= ... the B-splines of degree d are, with 0/0 := 0,

    (B1)  B_{m,0}(x) = 1 where t_m <= x < t_{m+1}, else 0
    (B2)  B_{m,d}(x) = (x - t_m) T_{m,d}(x) + (t_{m+d+1} - x) T_{m+1,d}(x),   T_{m,d} = B_{m,d-1} / (t_{m+d} - t_m)
    (B3)  B'_{m,d}(x) = d (T_{m,d}(x) - T_{m+1,d}(x)),   and higher derivatives by repeating (B3) on its own result

At a point of [t_mu, t_{mu+1}) only m = mu-d, ..., mu are not zero. For these every denominator spans that non-empty
interval: the convention 0/0 := 0 never has to act, and all terms of (B2) are non-negative, so rounding stays relative.

Conventions: intervals are closed on the left, the last non-empty one of the row on both sides; derivatives are right
limits, at the last knot left limits; outside the row everything is 0. Knots beyond the row, which (B2) asks for near its
ends, are copies of the end knots: the B-splines that they touch do not belong to the row and are dropped.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kan_ref.checks import FloatArray, IntArray

_BLOCK = 8192  # points worked on at once: few enough for the cache, many enough for NumPy's calls not to count


@dataclass(frozen=True)
class KnotVectors:
    """Knot rows prepared for evaluation; see `prepare_knots`.

    Column `starts[i]` + mu of `padded` holds what surrounds interval mu of row i: t_{mu-reach+1}, ..., t_{mu+reach}, where reach
    is max(degree, 1). `low`, `high` (n_in,) are first and last knot. `cells_per_unit` (n_in,) turns a distance into a number
    of intervals where all rows are evenly spaced to a quarter of an interval, and is None otherwise; `first_cell`,
    `last_cell` (n_in,) are the first and last non-empty intervals.
    """

    knots: FloatArray
    degree: int
    padded: FloatArray
    starts: IntArray
    low: FloatArray
    high: FloatArray
    cells_per_unit: FloatArray | None
    first_cell: IntArray
    last_cell: IntArray

    @property
    def n_basis(self) -> int:
        """Number of B-splines of a row."""
        return int(self.knots.shape[1]) - self.degree - 1

    def __repr__(self) -> str:
        n_in, n_knots = self.knots.shape
        even = "even" if self.cells_per_unit is not None else "uneven"
        return f"KnotVectors({n_in} {even} rows of {n_knots} knots, degree {self.degree}, {self.n_basis} bases each)"


@dataclass(frozen=True)
class ActiveBasis:
    """The B-splines that are not zero at each point. In memory the batch is the last axis: NumPy's inner loops are long.

    `columns` (batch, n_in): place of the first of them in a flat row of n_in * n_basis numbers, the others follow it.
    `planes`: for each derivative asked for, an array (degree + 1, batch, n_in).
    """

    columns: IntArray
    planes: tuple[FloatArray, ...]

    def __repr__(self) -> str:
        return f"ActiveBasis(columns {self.columns.shape}, planes {', '.join(str(p.shape) for p in self.planes)})"


def prepare_knots(knots: FloatArray, degree: int) -> KnotVectors:
    """What evaluation needs to know of knot rows (n_in, n_knots), worked out once; `knots` and all else become read-only."""
    (n_in, n_knots), reach = knots.shape, max(degree, 1)
    padded = np.concatenate(
        [np.repeat(knots[:, :1], reach, axis=1), knots, np.repeat(knots[:, -1:], reach, axis=1)],
        axis=1,
    )
    spacing = (knots[:, -1] - knots[:, 0]) / (n_knots - 1)
    even = knots[:, :1] + spacing[:, None] * np.arange(n_knots)
    cells_per_unit = None
    if np.all(spacing > 1e-300) and np.all(np.abs(knots - even) < 0.25 * spacing[:, None]):
        cells_per_unit = 1.0 / spacing
    filled = np.diff(knots, axis=1) > 0
    rows = KnotVectors(
        knots=knots,
        degree=degree,
        padded=np.stack(
            [padded[:, q : q + n_knots - 1].reshape(-1) for q in range(1, 2 * reach + 1)]
        ),
        starts=(n_knots - 1) * np.arange(n_in),
        low=knots[:, 0].copy(),
        high=knots[:, -1].copy(),
        cells_per_unit=cells_per_unit,
        first_cell=filled.argmax(axis=1),
        last_cell=n_knots - 2 - filled[:, ::-1].argmax(axis=1),
    )
    for value in vars(rows).values():
        if isinstance(value, np.ndarray):
            value.flags.writeable = False
    return rows


def find_cells(rows: KnotVectors, x: FloatArray) -> IntArray:
    """Index mu of the non-empty interval that owns each x; x (batch, n_in) must lie within the row's ends."""
    return _locate(rows, slice(None), x.T)[0].T


def _locate(rows: KnotVectors, inputs: slice, points: FloatArray) -> tuple[IntArray, FloatArray]:
    """Interval mu that owns each of points (n_in, batch) of some inputs, and the knots around it, (2 reach, n_in, batch)."""
    last, starts, reach = rows.knots.shape[1] - 2, rows.starts[inputs, None], max(rows.degree, 1)
    if rows.cells_per_unit is None:
        found = [
            np.searchsorted(row, own, side="right")
            for row, own in zip(rows.knots[inputs], points, strict=True)
        ]
        cell = np.clip(
            np.stack(found) - 1, rows.first_cell[inputs, None], rows.last_cell[inputs, None]
        )
        return cell, rows.padded.take(cell + starts, axis=1)
    guess = points - rows.low[inputs, None]
    guess *= rows.cells_per_unit[inputs, None]
    cell = np.minimum(guess.astype(np.intp), last)
    around = rows.padded.take(cell + starts, axis=1)
    below, beyond = points < around[reach - 1], points >= around[reach]
    if (
        below.any() or beyond.any()
    ):  # evenness to a quarter of an interval leaves the guess off by one at most
        wrong = np.flatnonzero(below | (beyond & (cell < last)))
        cell = np.minimum(cell - below + beyond, last)
        around.reshape(2 * reach, -1)[:, wrong] = rows.padded.take(
            (cell + starts).take(wrong), axis=1
        )
    return cell, around


def active_basis(
    rows: KnotVectors, x: FloatArray, derivatives: Sequence[int] = (0,)
) -> ActiveBasis:
    """Values and derivatives of the live B-splines at each point.

    Parameters
    ----------
    rows : KnotVectors
    x : (batch, n_in)
        Finite, or nan (what an undefined formula before this layer gives), at which all bases are 0.
    derivatives : sequence of int
        Orders, each at least 0; above the degree a derivative is zero.

    Returns
    -------
    live : ActiveBasis
        One plane (degree + 1, batch, n_in) for each order, in the order asked for.

    Notes
    -----
    Implements :eq:`cox-de-boor` and :eq:`bspline-derivative` (The NURBS Book, 2nd ed., A2.2 and A2.3, on whole batches).
    Cost: (degree + 1) degree / 2 divisions a number, whatever the length of the row.
    """
    points = np.ascontiguousarray(x.T)
    (n_in, batch), low, high = (
        points.shape,
        rows.knots[:, rows.degree, None],
        rows.knots[:, rows.n_basis, None],
    )
    strays, held = np.flatnonzero(~((points >= low) & (points < high))), points  # nan is one
    if strays.size:
        held = np.fmin(np.fmax(points, rows.low[:, None]), rows.high[:, None])
    first = np.empty(points.shape, dtype=np.intp)
    orders = sorted({0, *derivatives})
    planes = dict(zip(orders, np.empty((len(orders), rows.degree + 1, *points.shape)), strict=True))
    samples = max(1, min(batch, _BLOCK))
    inputs = max(1, _BLOCK // samples)
    for i in range(0, n_in, inputs):
        for b in range(0, batch, samples):
            block = slice(i, i + inputs), slice(b, b + samples)
            first[block] = _fill(
                {order: plane[:, *block] for order, plane in planes.items()},
                rows,
                block[0],
                held[block],
            )
    if strays.size:
        _drop_strangers(
            list(planes.values()),
            first,
            strays,
            held.take(strays) != points.take(strays),
            rows.n_basis,
        )
    first += rows.n_basis * np.arange(n_in)[:, None]
    return ActiveBasis(first.T, tuple(planes[order].swapaxes(1, 2) for order in derivatives))


def _fill(
    planes: dict[int, FloatArray], rows: KnotVectors, inputs: slice, points: FloatArray
) -> IntArray:
    """Fill each order's plane (degree + 1, n_in, batch) at points (n_in, batch) of some inputs; return the first live m."""
    degree = rows.degree
    cell, around = _locate(rows, inputs, points)
    left, right = around[: len(around) // 2], around[len(around) // 2 :]
    np.subtract(points, left, out=left)  # x - t_m, m = mu - degree + 1, ..., mu
    right -= points  # t_m - x, m = mu + 1, ..., mu + degree

    for order, plane in planes.items():
        plane[0] = 1.0 if order == 0 else 0.0
    for d in range(1, degree + 1):
        quotients = _quotients(planes[0][:d], left, right)
        for order, plane in planes.items():
            if order == degree - d + 1:
                _differentiate(plane, quotients)
            elif order > degree - d + 1:
                _differentiate(plane, _quotients(plane[:d], left, right))
        _raise_degree(planes[0], quotients, left, right)
    return cell - degree


def _quotients(lower: FloatArray, left: FloatArray, right: FloatArray) -> FloatArray:
    """The T_{m,d} of (B2), (B3) that are not zero, m = mu - d + 1, ..., mu, from the d live numbers of degree d - 1."""
    d = len(lower)
    quotients = right[:d] + left[-d:]
    return np.divide(lower, quotients, out=quotients)


def _raise_degree(
    plane: FloatArray, quotients: FloatArray, left: FloatArray, right: FloatArray
) -> None:
    """(B2): the d + 1 live B-splines of degree d, into `plane`, by the d quotients, which are spent."""
    d = len(quotients)
    # [eq:cox-de-boor]
    np.multiply(right[:d], quotients, out=plane[:d])
    plane[d] = 0.0
    quotients *= left[-d:]
    plane[1 : d + 1] += quotients
    # [/eq:cox-de-boor]


def _differentiate(plane: FloatArray, quotients: FloatArray) -> None:
    """(B3): the d + 1 live slopes of degree d, into `plane`, by the d quotients."""
    d = len(quotients)
    # [eq:bspline-derivative]
    np.negative(quotients, out=plane[:d])
    plane[d] = 0.0
    plane[1 : d + 1] += quotients
    plane[: d + 1] *= d
    # [/eq:bspline-derivative]


def _drop_strangers(
    planes: list[FloatArray],
    first: IntArray,
    strays: IntArray,
    outside: NDArray[np.bool_],
    n_basis: int,
) -> None:
    """At points outside [a, b) the window slides until all its B-splines belong to the row; outside the row they are all 0."""
    width, old = len(planes[0]), first.take(strays)
    window = np.minimum(np.maximum(old, 0), n_basis - width)
    source = np.arange(width)[:, None] + (window - old)
    stays = (source >= 0) & (source < width) & ~outside
    places = np.minimum(np.maximum(source, 0), width - 1) * first.size + strays
    for plane in planes:
        plane.reshape(width, -1)[:, strays] = np.where(stays, plane.take(places), 0.0)
    first.reshape(-1)[strays] = window


def scatter(live: ActiveBasis, plane: int, n_columns: int) -> FloatArray:
    """The live numbers of one derivative in their places: (batch, n_columns), zero elsewhere, in memory the batch last."""
    batch = len(live.columns)
    dense = np.zeros((n_columns, batch))
    flat = dense.reshape(-1)
    places = live.columns.T * batch + np.arange(batch)
    for r, numbers in enumerate(live.planes[plane]):
        flat[r * batch :][places] = numbers.T
    return dense.T
