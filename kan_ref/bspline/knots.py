"""Knot vectors: where the pieces of a spline begin and end, one knot vector per input.

A grid a = s_0 <= ... <= s_G = b of n_intervals G gets `degree` k outer knots on both
sides. The extended knot vector has G + 2k + 1 knots for G + k basis functions (Liu et
al. 2024, section 2.4). For each input, with s_G = b exactly,

    (B1)  s_j  = a + j h,  h = (b - a) / G                 uniform breakpoints
    (B2)  a - k h, ..., a - h,  s_0, ..., s_G,  b + h, ..., b + k h
    (B3)  s'_j = s(j G / G'),  s(rank) linear between s(0) = s_0, ..., s(G) = s_G

(B2) adds the outer knots. (B3) is the grid with G' intervals between the same ends. It
keeps every old breakpoint, bit for bit, where G' is a multiple of G: j G / G' is then a
whole number in float64 too. The splines on such a nested grid include the old ones: on
[a, b] with the outer knots (B2) of the new grid, and everywhere with the old outer
knots.

All that evaluation needs and that depends on the knots alone is computed once, when a
layer is made: the knots around each interval, and where the grid in [a, b] is evenly
spaced, a table that finds the interval of a point by one division. It divides the range
of a knot vector into bins of the grid's spacing, and holds the interval of each bin.
Outer knots farther apart span several bins.
"""

from dataclasses import dataclass

import numpy as np

from kan_ref import checks
from kan_ref.checks import BoolArray, FloatArray, IntArray

_MOST_BINS = 16  # for each knot; a table much longer than the knot vector is not made


def check_knots(name: str, knots: object, degree: int) -> FloatArray:
    """Check that `knots` are knot vectors for basis functions of this degree.

    Parameters
    ----------
    name : str
        The caller's name of the argument.
    knots : (n_in, n_knots)
        Finite, nondecreasing along each row, a < b, at least 2 degree + 2 of them.
        Breakpoints are knot vectors of degree 0.
    degree : int

    Returns
    -------
    knots : (n_in, n_knots)
        As float64.

    Examples
    --------
    >>> check_knots("grid", [[0, 1, 2, 3]], degree=1)
    array([[0., 1., 2., 3.]])
    """
    degree = checks.integer("degree", degree)
    rows = checks.array(name, knots, ("n_in", "n_knots"))
    if rows.shape[1] < 2 * degree + 2:
        raise ValueError(
            f"{name} has {rows.shape[1]} knots in a row, but degree {degree} "
            f"needs at least {2 * degree + 2}"
        )
    decreases = np.argwhere(rows[:, 1:] < rows[:, :-1])
    if len(decreases):
        i, m = decreases[0]
        raise ValueError(
            f"{name} must be nondecreasing along each row; row {i} decreases from "
            f"{rows[i, m]} to {rows[i, m + 1]} at position {m + 1}"
        )
    empty = np.flatnonzero(rows[:, degree] == rows[:, -degree - 1])
    if len(empty):
        raise ValueError(
            f"{name} must leave [a, b] some width, but row {empty[0]} leaves none"
        )
    return rows


def per_input(name: str, value: object, n_in: int) -> FloatArray:
    """Return one number for each input, (n_in,); one number serves all of them."""
    numbers = np.atleast_1d(checks.rectangular(name, value))
    shape = numbers.shape if numbers.shape == (1,) else (n_in,)
    return np.broadcast_to(checks.array(name, numbers, shape), n_in)


def uniform_knots(
    low: object,
    high: object,
    n_intervals: int,
    degree: int,
) -> FloatArray:
    """Return evenly spaced extended knot vectors for grids from `low` to `high`.

    Parameters
    ----------
    low, high : float or (n_in,)
        Ends a < b of each grid, which are kept exactly; one number serves all inputs.
    n_intervals, degree : int

    Returns
    -------
    knots : (n_in, n_intervals + 2 degree + 1)
        Implements :eq:`uniform-breakpoints` and :eq:`outer-knots`.

    Examples
    --------
    >>> uniform_knots(0.0, 1.0, n_intervals=2, degree=1)
    array([[-0.5,  0. ,  0.5,  1. ,  1.5]])
    """
    n_intervals = checks.integer("n_intervals", n_intervals, low=1)
    degree = checks.integer("degree", degree)
    n_low = checks.rectangular("low", low).size
    n_high = checks.rectangular("high", high).size
    n_in = max(n_low, n_high)
    a = per_input("low", low, n_in)
    b = per_input("high", high, n_in)
    knots = add_outer_knots(uniform_breakpoints(a, b, n_intervals), degree)
    narrow = np.flatnonzero((np.diff(knots) <= 0.0).any(axis=1))
    if len(narrow):
        i = narrow[0]
        raise ValueError(
            f"low is {a[i]} and high {b[i]} at input {i}, but must lie below it by "
            "more than rounding: subtract the mean"
        )
    return knots


def extended_knots(breakpoints: object, degree: int) -> FloatArray:
    """Return the extended knot vectors of the given breakpoints.

    Parameters
    ----------
    breakpoints : (n_in, n_intervals + 1)
        Nondecreasing, the first below the last.
    degree : int

    Returns
    -------
    knots : (n_in, n_intervals + 2 degree + 1)
        With `degree` outer knots on both sides, (b - a) / G apart. Implements
        :eq:`outer-knots`.

    Examples
    --------
    >>> extended_knots([[0.0, 0.75, 1.0]], degree=1)
    array([[-0.5 ,  0.  ,  0.75,  1.  ,  1.5 ]])
    """
    degree = checks.integer("degree", degree)
    return add_outer_knots(check_knots("breakpoints", breakpoints, 0), degree)


def refined_breakpoints(breakpoints: object, n_intervals: int) -> FloatArray:
    """Return the same grids with another number of intervals.

    Breakpoints are interpolated linearly in rank.

    Parameters
    ----------
    breakpoints : (n_in, G + 1)
        Nondecreasing, the first below the last.
    n_intervals : int
        G'; a multiple of G keeps every old breakpoint.

    Returns
    -------
    breakpoints : (n_in, n_intervals + 1)
        Implements :eq:`rank-interpolation`.

    Examples
    --------
    >>> refined_breakpoints([[0.0, 1.0, 4.0]], n_intervals=4)
    array([[0. , 0.5, 1. , 2.5, 4. ]])
    """
    n_intervals = checks.integer("n_intervals", n_intervals, low=1)
    return interpolate_in_rank(check_knots("breakpoints", breakpoints, 0), n_intervals)


def add_outer_knots(grid: FloatArray, degree: int) -> FloatArray:
    """Return the extended knot vectors of checked breakpoints."""
    a = grid[:, :1]
    b = grid[:, -1:]
    n_intervals = grid.shape[1] - 1
    # [eq:outer-knots]
    h = (b - a) / n_intervals
    outer = np.arange(1, degree + 1) * h
    left = (a - outer)[:, ::-1]
    return np.concatenate([left, grid, b + outer], axis=1)
    # [/eq:outer-knots]


def keep_outer_knots(knots: FloatArray, grid: FloatArray, degree: int) -> FloatArray:
    """Return checked breakpoints extended with the outer knots of `knots`."""
    left = knots[:, :degree]
    right = knots[:, knots.shape[1] - degree :]
    return np.concatenate([left, grid, right], axis=1)


def breakpoints(knots: FloatArray, degree: int) -> FloatArray:
    """Return the grid in [a, b], (n_in, n_intervals + 1): a view of `knots`."""
    return knots[:, degree : knots.shape[1] - degree]


def uniform_breakpoints(a: FloatArray, b: FloatArray, n_intervals: int) -> FloatArray:
    """Return evenly spaced breakpoints (n_in, n_intervals + 1); a, b are (n_in,)."""
    # [eq:uniform-breakpoints]
    return np.linspace(a, b, n_intervals + 1, axis=1)
    # [/eq:uniform-breakpoints]


def interpolate_in_rank(rows: FloatArray, n_intervals: int) -> FloatArray:
    """Return n_intervals + 1 numbers, linear in rank, for sorted rows (n_in, any)."""
    last = rows.shape[1] - 1
    # [eq:rank-interpolation]
    ranks = np.arange(n_intervals + 1) * last / n_intervals
    refined = [np.interp(ranks, np.arange(last + 1), row) for row in rows]
    # [/eq:rank-interpolation]
    return np.array(refined).reshape(len(rows), n_intervals + 1)


def contains_breakpoints(old: FloatArray, new: FloatArray) -> BoolArray:
    """Return whether `new` (n_in, any) has all breakpoints of `old`, (n_in,) of bool.

    One that is repeated inside (a, b), where curves are less smooth, must be repeated
    as often in the new grid; a repeated end counts once.
    """
    nested = np.empty(len(old), dtype=bool)
    for i, (grid, finer) in enumerate(zip(old, new, strict=True)):
        values, needed = np.unique(grid, return_counts=True)
        needed[[0, -1]] = 1
        nested[i] = (multiplicity(values, finer) >= needed).all()
    return nested


def multiplicity(values: FloatArray, knots: FloatArray) -> IntArray:
    """Count how often each of the values occurs in a knot vector (n_knots,)."""
    first = np.searchsorted(knots, values)
    return np.searchsorted(knots, values, side="right") - first


@dataclass(frozen=True)
class KnotVectors:
    """Knot vectors prepared for evaluation by `prepare_knots`, in read-only arrays.

    Column `starts[i]` + mu of `padded` holds the knots around interval mu of input i,
    t_{mu-reach+1}, ..., t_{mu+reach}, where reach is max(degree, 1). `low`, `high`
    (n_in,) are the first and the last knot; `first_interval`, `last_interval` (n_in,)
    are the first and the last non-empty intervals. `bins_per_unit` (n_in,) is 1 /
    (width of a bin), or None where a knot lies farther than a quarter of a bin from an
    edge of bins. `interval_of_bin` (n_in, any) is the interval in the middle of each
    bin, or None where bin q is interval q.
    """

    knots: FloatArray
    degree: int
    n_basis: int
    padded: FloatArray
    starts: IntArray
    low: FloatArray
    high: FloatArray
    bins_per_unit: FloatArray | None
    interval_of_bin: IntArray | None
    first_interval: IntArray
    last_interval: IntArray


def prepare_knots(knots: FloatArray, degree: int) -> KnotVectors:
    """Compute once what evaluation needs of `knots` (n_in, n_knots).

    They become read-only. Knots beyond either end, which the recursion needs there, are
    copies of the last one.
    """
    n_in, n_knots = knots.shape
    reach = max(degree, 1)
    places = np.arange(1 - reach, reach + 1)[:, None] + np.arange(n_knots - 1)
    around = knots[:, np.minimum(np.maximum(places, 0), n_knots - 1)]
    filled = np.diff(knots) > 0
    bins_per_unit, interval_of_bin = _bins(knots, degree, filled)
    vectors = KnotVectors(
        knots=knots,
        degree=degree,
        n_basis=n_knots - degree - 1,
        padded=around.swapaxes(0, 1).reshape(2 * reach, -1),
        starts=(n_knots - 1) * np.arange(n_in),
        low=knots[:, 0].copy(),
        high=knots[:, -1].copy(),
        bins_per_unit=bins_per_unit,
        interval_of_bin=interval_of_bin,
        first_interval=filled.argmax(axis=1),
        last_interval=n_knots - 2 - filled[:, ::-1].argmax(axis=1),
    )
    for value in vars(vectors).values():
        if isinstance(value, np.ndarray):
            value.flags.writeable = False
    return vectors


def _bins(
    knots: FloatArray,
    degree: int,
    filled: BoolArray,
) -> tuple[FloatArray | None, IntArray | None]:
    """Return `bins_per_unit` and `interval_of_bin`.

    `filled` marks the non-empty intervals.
    """
    n_in, n_knots = knots.shape
    a = knots[:, degree]
    b = knots[:, n_knots - degree - 1]
    width = (b - a) / (n_knots - 2 * degree - 1)
    n_bins = (knots[:, -1] - knots[:, 0]) / width
    inside = np.logical_or.accumulate(filled, axis=1)
    inside &= np.logical_or.accumulate(filled[:, ::-1], axis=1)[:, ::-1]
    if np.any(n_bins > _MOST_BINS * n_knots) or np.any(inside != filled):
        return None, None

    position = (knots - knots[:, :1]) / width[:, None]  # in bins
    edges = np.rint(position).astype(np.intp)
    bins = np.diff(edges)  # of each interval
    if np.any(np.abs(position - edges) >= 0.25) or np.any((bins > 0) != filled):
        return None, None
    if np.all(bins == 1):
        return 1.0 / width, None

    table = np.empty((n_in, edges[:, -1].max()), dtype=np.intp)
    for row, own in zip(table, bins, strict=True):
        found = np.repeat(np.arange(n_knots - 1), own)
        row[: len(found)] = found
        row[len(found) :] = found[-1]
    return 1.0 / width, table


def bisect_intervals(
    knots: FloatArray,
    points: FloatArray,
    first: IntArray,
    last: IntArray,
) -> IntArray:
    """Find the interval of each point (n_in, any) by bisection, for any knots.

    Of the intervals `first` to `last` (n_in, 1), it is the nearest one.
    """
    mu = np.empty(points.shape, dtype=np.intp)
    for row, own, found in zip(knots, points, mu, strict=True):
        found[:] = np.searchsorted(row, own, side="right") - 1
    return np.clip(mu, first, last)
