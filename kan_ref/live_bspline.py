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

from kan_ref.checks import FloatArray, IntArray

_BLOCK = 8192  # points x inputs that go through the recursion together


@dataclass(frozen=True)
class KnotRows:
    """Knot rows prepared for evaluation; see `prepare_rows`.

    `padded` holds every row between `degree` copies of its end knots, flat; `starts` (n_in,) the place in it of each
    row's first knot, less degree - 1. `low`, `high` (n_in,) are first and last knot. `cells_per_unit` (n_in,) turns a distance into
    a number of intervals where all rows are evenly spaced to a quarter of an interval, and is None otherwise;
    `first_cell`, `last_cell` (n_in,) are the first and last non-empty intervals.
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
        return f"KnotRows({n_in} {even} rows of {n_knots} knots, degree {self.degree}, {self.n_basis} bases each)"


@dataclass(frozen=True)
class LiveBasis:
    """The B-splines that are not zero at each point.

    `columns` (batch, n_in): place of the first of them in a flat row of n_in * n_basis numbers, the others follow it.
    `planes`: for each derivative asked for, an array (degree + 1, batch, n_in).
    """

    columns: IntArray
    planes: tuple[FloatArray, ...]

    def __repr__(self) -> str:
        return f"LiveBasis(columns {self.columns.shape}, planes {', '.join(str(p.shape) for p in self.planes)})"


def prepare_rows(knots: FloatArray, degree: int) -> KnotRows:
    """What evaluation needs to know of knot rows (n_in, n_knots), worked out once; `knots` and all else become read-only."""
    n_in, n_knots = knots.shape
    padded = np.concatenate([np.repeat(knots[:, :1], degree, axis=1), knots, np.repeat(knots[:, -1:], degree, axis=1)], axis=1)
    low, high = knots[:, 0].copy(), knots[:, -1].copy()
    spacing = (high - low) / (n_knots - 1)
    even = low[:, None] + spacing[:, None] * np.arange(n_knots)
    cells_per_unit = None
    if np.all(spacing > 1e-300) and np.all(np.abs(knots - even) < 0.25 * spacing[:, None]):
        cells_per_unit = 1.0 / spacing
    filled = np.diff(knots, axis=1) > 0
    rows = KnotRows(
        knots=knots,
        degree=degree,
        padded=padded.reshape(-1),
        starts=padded.shape[1] * np.arange(n_in) + 1,
        low=low,
        high=high,
        cells_per_unit=cells_per_unit,
        first_cell=filled.argmax(axis=1),
        last_cell=n_knots - 2 - filled[:, ::-1].argmax(axis=1),
    )
    for value in vars(rows).values():
        if isinstance(value, np.ndarray):
            value.flags.writeable = False
    return rows


def find_cells(rows: KnotRows, x: FloatArray) -> IntArray:
    """Index mu of the non-empty interval that owns each x; x (batch, n_in) must lie within the row's ends."""
    n_knots = rows.knots.shape[1]
    if rows.cells_per_unit is not None:
        cell: IntArray = ((x - rows.low) * rows.cells_per_unit).astype(np.intp)
        cell = np.minimum(cell, n_knots - 2)
        row_start = n_knots * np.arange(len(rows.low))
        # evenness to a quarter of an interval leaves the guess off by one at most
        cell -= x < rows.knots.reshape(-1).take(cell + row_start)
        cell += x >= rows.knots.reshape(-1).take(cell + row_start + 1)
        np.minimum(cell, n_knots - 2, out=cell)
        return cell
    found = [np.searchsorted(row, x[:, i], side="right") for i, row in enumerate(rows.knots)]
    owner: IntArray = np.minimum(np.maximum(np.stack(found, axis=1) - 1, rows.first_cell), rows.last_cell)
    return owner


def live_basis(rows: KnotRows, x: FloatArray, derivatives: Sequence[int] = (0,)) -> LiveBasis:
    """Values and derivatives of the live B-splines at each point.

    Parameters
    ----------
    rows : KnotRows
    x : (batch, n_in)
        Finite.
    derivatives : sequence of int
        Orders, each at least 0; above the degree a derivative is zero.

    Returns
    -------
    live : LiveBasis
        One plane stack (degree + 1, batch, n_in) for each order, in the order asked for.

    Notes
    -----
    Implements :eq:`cox-de-boor` and :eq:`bspline-derivative` (The NURBS Book, 2nd ed., A2.2 and A2.3, on whole batches).
    Cost: (degree + 1) degree / 2 divisions a number, whatever the length of the row.
    """
    samples = max(1, _BLOCK // max(1, x.shape[1]))
    if len(x) <= samples:
        return _live_block(rows, x, derivatives)
    blocks = [_live_block(rows, x[start : start + samples], derivatives) for start in range(0, len(x), samples)]
    planes = zip(*(block.planes for block in blocks), strict=True)
    return LiveBasis(np.concatenate([block.columns for block in blocks]), tuple(np.concatenate(parts, axis=1) for parts in planes))


def _live_block(rows: KnotRows, x: FloatArray, derivatives: Sequence[int]) -> LiveBasis:
    """`live_basis` of few enough points that everything on the way stays in the processor's cache."""
    degree, row_ends = rows.degree, (rows.low, rows.high)
    # np.clip dispatches slowly on small arrays; the two ufuncs do the same
    held = np.minimum(np.maximum(x, row_ends[0]), row_ends[1])
    cell = find_cells(rows, held)
    at = cell + rows.starts
    # left[q] = x - t_{mu-q}, right[q] = t_{mu+1+q} - x, q = 0 .. degree - 1
    left = [held - rows.padded[degree - 1 - q :].take(at) for q in range(degree)]
    right = [rows.padded[degree + q :].take(at) - held for q in range(degree)]

    stages: list[FloatArray] = [np.ones((1, *x.shape))]
    for d in range(1, degree + 1):
        stages.append(_raise_degree(stages[-1], left, right, d))
    planes = {order: _derivative(stages, left, right, degree, order) for order in derivatives}

    first = cell - degree
    window = np.minimum(np.maximum(first, 0), rows.n_basis - degree - 1)
    strays, outside = np.flatnonzero(window != first), np.flatnonzero(held != x)
    for plane in planes.values() if strays.size or outside.size else ():
        points = plane.reshape(degree + 1, -1)
        points[:, strays] = _shift_window(points[:, strays], (window - first).reshape(-1)[strays])
        points[:, outside] = 0.0
    return LiveBasis(window + rows.n_basis * np.arange(len(rows.low)), tuple(planes[order] for order in derivatives))


def _raise_degree(lower: FloatArray, left: list[FloatArray], right: list[FloatArray], d: int) -> FloatArray:
    """(B2): the d live B-splines of degree d - 1 become the d + 1 of degree d."""
    raised = np.empty((d + 1, *lower.shape[1:]))
    carried: FloatArray | float = 0.0
    # [eq:cox-de-boor]
    for r in range(d):
        quotient = right[r] + left[d - 1 - r]
        np.divide(lower[r], quotient, out=quotient)
        np.multiply(right[r], quotient, out=raised[r])
        raised[r] += carried
        carried = np.multiply(left[d - 1 - r], quotient, out=quotient)
    raised[d] = carried
    # [/eq:cox-de-boor]
    return raised


def _derivative(stages: list[FloatArray], left: list[FloatArray], right: list[FloatArray], degree: int, order: int) -> FloatArray:
    """(B3), `order` times, from the live B-splines of degree `degree - order`."""
    if order > degree:
        return np.zeros_like(stages[degree])
    plane = stages[degree - order]
    for d in range(degree - order + 1, degree + 1):
        raised = np.empty((d + 1, *plane.shape[1:]))
        # [eq:bspline-derivative]
        for r in range(d):
            quotient = right[r] + left[d - 1 - r]
            np.divide(plane[r], quotient, out=quotient)
            quotient *= d
            if r == 0:
                np.negative(quotient, out=raised[0])
            else:
                raised[r] -= quotient
            raised[r + 1] = quotient
        # [/eq:bspline-derivative]
        plane = raised
    return plane


def _shift_window(plane: FloatArray, shift: IntArray) -> FloatArray:
    """Numbers (degree + 1, n) of n points, entry r of each moved to r - shift; what falls out is dropped, what opens is 0.

    On the outer intervals some of the live B-splines do not belong to the row: the window slides until it does.
    """
    width = len(plane)
    between_zeros = np.zeros((3 * width, plane.shape[1]))
    between_zeros[width : 2 * width] = plane
    return np.take_along_axis(between_zeros, np.arange(width, 2 * width)[:, None] + shift, axis=0)


def scatter(live: LiveBasis, plane: int, n_columns: int) -> FloatArray:
    """The live numbers of one derivative in their places: (batch, n_columns), zero elsewhere."""
    dense = np.zeros((live.columns.shape[0], n_columns))
    flat = dense.reshape(-1)
    index = live.columns + n_columns * np.arange(live.columns.shape[0])[:, None]
    for r, values in enumerate(live.planes[plane]):
        flat[r:][index] = values
    return dense
