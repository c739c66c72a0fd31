"""Knot vectors: where the pieces of a spline begin and end, one knot vector per input.

A grid a = s_0 <= ... <= s_G = b of n_intervals G gets `degree` k outer knots on both sides. The
extended knot vector has G + 2k + 1 knots for G + k basis functions (Liu et al. 2024, section 2.4).
For each input, with s_G = b exactly,

    (B1)  s_j = a + j h,  h = (b - a) / G                              uniform breakpoints
    (B2)  a - k h, ..., a - h,  s_0, ..., s_G,  b + h, ..., b + k h    outer knots

All that evaluation needs and that depends on the knots alone is computed once, when a layer is
made: the knots around each interval, and where the grid in [a, b] is evenly spaced, a table that
finds the interval of a point by one division. It divides the range of a knot vector into bins of
the grid's spacing, and holds the interval of each bin. Outer knots farther apart span several bins.
"""

from dataclasses import dataclass

import numpy as np

from kan_ref import checks
from kan_ref.checks import BoolArray, FloatArray, IntArray

_MOST_BINS = 16  # for each knot; a table much longer than the knot vector is not made


def uniform_knots(low: object, high: object, n_intervals: int, degree: int) -> FloatArray:
    """Return evenly spaced extended knot vectors for grids from `low` to `high`, both exact.

    Parameters
    ----------
    low, high : float or (n_in,)
        Ends a < b of each grid; one number serves all inputs.
    n_intervals, degree : int

    Returns
    -------
    knots : (n_in, n_intervals + 2 degree + 1)

    Raises
    ------
    ValueError
        low >= high; a range so narrow that float64 knots would coincide.

    Notes
    -----
    Implements :eq:`uniform-breakpoints` and :eq:`outer-knots`.

    Examples
    --------
    >>> uniform_knots(0.0, 1.0, n_intervals=2, degree=1)
    array([[-0.5,  0. ,  0.5,  1. ,  1.5]])
    """
    n_intervals = checks.integer("n_intervals", n_intervals, low=1)
    degree = checks.integer("degree", degree, low=0)
    a = check_per_input("low", low)
    b = check_per_input("high", high, len(a) if len(a) > 1 else "n_in")
    a, b = np.broadcast_arrays(a, b)
    if np.any(a >= b):
        i = int(np.argmax(a >= b))
        raise ValueError(f"low must lie below high, but they are {a[i]} and {b[i]} at input {i}")
    knots = add_outer_knots(uniform_breakpoints(a, b, n_intervals), degree)
    equal = np.any(np.diff(knots) <= 0, axis=1)
    if equal.any():
        i = int(np.argmax(equal))
        raise ValueError(
            f"the range from {a[i]} to {b[i]} at input {i} is too narrow "
            f"for {knots.shape[1]} different float64 knots: subtract the mean of the inputs, "
            "scale them to size one, or take a wider range"
        )
    return check_knots("knots", knots, degree)


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
        With `degree` outer knots on both sides, (b - a) / G apart.

    Raises
    ------
    TypeError, ValueError
        Breakpoints that decrease or have no width.

    Notes
    -----
    Implements :eq:`outer-knots`.

    Examples
    --------
    >>> extended_knots([[0.0, 0.75, 1.0]], degree=1)
    array([[-0.5 ,  0.  ,  0.75,  1.  ,  1.5 ]])
    """
    degree = checks.integer("degree", degree, low=0)
    knots = add_outer_knots(check_breakpoints("breakpoints", breakpoints), degree)
    return check_knots("knots", knots, degree)


def add_outer_knots(grid: FloatArray, degree: int) -> FloatArray:
    """Return the extended knot vectors of checked breakpoints."""
    a, b, n_intervals = grid[:, :1], grid[:, -1:], grid.shape[1] - 1
    # [eq:outer-knots]
    h = (b - a) / n_intervals
    outer = np.arange(1, degree + 1) * h
    knots: FloatArray = np.concatenate([(a - outer)[:, ::-1], grid, b + outer], axis=1)
    # [/eq:outer-knots]
    return knots


def breakpoints(knots: FloatArray, degree: int) -> FloatArray:
    """Return the grid in [a, b], (n_in, n_intervals + 1): a view of `knots` (n_in, n_knots)."""
    return knots[:, degree : knots.shape[1] - degree]


def uniform_breakpoints(a: FloatArray, b: FloatArray, n_intervals: int) -> FloatArray:
    """Return evenly spaced breakpoints (n_in, n_intervals + 1) between checked ends (n_in,)."""
    # [eq:uniform-breakpoints]
    return np.linspace(a, b, n_intervals + 1, axis=1)
    # [/eq:uniform-breakpoints]


def check_knots(name: str, knots: object, degree: int) -> FloatArray:
    """Check that `knots` are knot vectors for basis functions of this degree.

    Parameters
    ----------
    name : str
        The caller's name of the argument.
    knots : (n_in, n_knots)
    degree : int

    Returns
    -------
    knots : (n_in, n_knots)
        As float64.

    Raises
    ------
    TypeError, ValueError
        Not finite; not 2-D; decreasing ("knots must be nondecreasing along each row; row 2
        decreases from 0.4 to 0.35 at position 6"); fewer than 2 degree + 2 knots; a range without
        width on [a, b].
    """
    degree = checks.integer("degree", degree, low=0)
    array = checks.array(name, knots, ("n_in", "n_knots"))
    if array.shape[1] < 2 * degree + 2:
        raise ValueError(
            f"{name} has {array.shape[1]} knots in a row, but degree {degree} needs "
            f"at least {2 * degree + 2} (2 degree + 2)"
        )
    _check_nondecreasing(name, array)
    a, b = array[:, degree], array[:, -degree - 1]
    if np.any(a == b):
        i = int(np.argmax(a == b))
        raise ValueError(
            f"{name} must leave [a, b] some width, but row {i} has both ends at {a[i]}"
        )
    return array


def check_per_input(name: str, value: object, n_in: int | str = "n_in") -> FloatArray:
    """Check that `value` is a number, or one number per input.

    Return it as an array (1,) or (n_in,). The word "n_in" accepts any number of inputs.
    """
    array = np.atleast_1d(checks.rectangular(name, value))
    return checks.array(name, array, ("n_in" if array.size == 1 else n_in,))


def check_breakpoints(name: str, value: object) -> FloatArray:
    """Check that `value` are grids (n_in, n_intervals + 1), and return them as float64."""
    grids = checks.array(name, value, ("n_in", "n_intervals + 1"))
    if grids.shape[1] < 2:
        raise ValueError(
            f"{name} has shape {grids.shape}, but a grid needs at least 2 breakpoints in a row"
        )
    _check_nondecreasing(name, grids)
    empty = grids[:, 0] == grids[:, -1]
    if empty.any():
        i = int(np.argmax(empty))
        raise ValueError(
            f"{name} must have some width, but row {i} begins and ends at {grids[i, 0]}"
        )
    return grids


def _check_nondecreasing(name: str, array: FloatArray) -> None:
    """Raise ValueError at the first number of a row that is below the one before."""
    decreases = array[:, 1:] < array[:, :-1]
    if decreases.any():
        i, m = np.argwhere(decreases)[0]
        raise ValueError(
            f"{name} must be nondecreasing along each row; row {i} decreases "
            f"from {array[i, m]} to {array[i, m + 1]} at position {m + 1}"
        )


@dataclass(frozen=True)
class KnotVectors:
    """Knot vectors prepared for evaluation by `prepare_knots`; all arrays are read-only.

    Column `starts[i]` + mu of `padded` holds the knots around interval mu of input i,
    t_{mu-reach+1}, ..., t_{mu+reach}, where reach is max(degree, 1). `low`, `high` (n_in,) are the
    first and the last knot; `first_interval`, `last_interval` (n_in,) are the first and the last
    non-empty intervals. `bins_per_unit` (n_in,) is 1 / (width of a bin), or None where a knot lies
    farther than a quarter of a bin from an edge of bins. `interval_of_bin` (n_in, any) is the
    interval in the middle of each bin, or None where bin q is interval q.
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

    def __repr__(self) -> str:
        n_in, n_knots = self.knots.shape
        way = "bisection" if self.bins_per_unit is None else "division"
        return (
            f"KnotVectors({n_in} knot vectors of {n_knots} knots, intervals found by {way}, "
            f"degree {self.degree}, {self.n_basis} basis functions each)"
        )


def prepare_knots(knots: FloatArray, degree: int) -> KnotVectors:
    """Compute once what evaluation needs of `knots` (n_in, n_knots), which become read-only.

    Knots beyond either end, which the recursion needs there, are copies of the last one.
    """
    (n_in, n_knots), reach = knots.shape, max(degree, 1)
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
    knots: FloatArray, degree: int, filled: BoolArray
) -> tuple[FloatArray | None, IntArray | None]:
    """Return `bins_per_unit` and `interval_of_bin`; `filled` marks the non-empty intervals."""
    n_in, n_knots = knots.shape
    a, b = knots[:, degree], knots[:, n_knots - degree - 1]
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
        row[: len(found)], row[len(found) :] = found, found[-1]
    return 1.0 / width, table
