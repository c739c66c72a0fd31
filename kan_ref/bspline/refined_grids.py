"""Refined grids: more intervals between the same ends, and what they contain of the old grid.

With breakpoints s_0 <= ... <= s_G of n_intervals G, the grid with G' intervals is

    (B3)  s'_j = s(j G / G'),  s(rank) linear between s(0) = s_0, ..., s(G) = s_G

It keeps every old breakpoint, bit for bit, where G' is a multiple of G: j G / G' is then a whole
number in float64 too. The splines on such a nested grid include the old ones: on [a, b] with the
outer knots (B2) of the new grid, and everywhere with the old outer knots.
"""

import numpy as np

from kan_ref.bspline.knots import check_breakpoints
from kan_ref.checks import BoolArray, FloatArray, IntArray, check_integer


def refined_breakpoints(breakpoints: object, n_intervals: int) -> FloatArray:
    """Return the same grids with another number of intervals, interpolated linearly in rank.

    Parameters
    ----------
    breakpoints : (n_in, G + 1)
        Nondecreasing, the first below the last.
    n_intervals : int
        G'; a multiple of G keeps every old breakpoint.

    Returns
    -------
    breakpoints : (n_in, n_intervals + 1)

    Raises
    ------
    TypeError, ValueError
        Breakpoints that decrease or have no width; n_intervals below 1.

    Notes
    -----
    Implements :eq:`rank-interpolation`.

    Examples
    --------
    >>> refined_breakpoints([[0.0, 1.0, 4.0]], n_intervals=4)
    array([[0. , 0.5, 1. , 2.5, 4. ]])
    """
    n_intervals = check_integer("n_intervals", n_intervals, low=1)
    return interpolate_in_rank(check_breakpoints("breakpoints", breakpoints), n_intervals)


def interpolate_in_rank(rows: FloatArray, n_intervals: int) -> FloatArray:
    """Return n_intervals + 1 numbers for each row (n_in, any) of sorted numbers, linear in rank."""
    last = rows.shape[1] - 1
    # [eq:rank-interpolation]
    ranks = np.arange(n_intervals + 1) * last / n_intervals
    refined = [np.interp(ranks, np.arange(last + 1), row) for row in rows]
    # [/eq:rank-interpolation]
    return np.array(refined).reshape(len(rows), n_intervals + 1)


def keep_outer_knots(knots: FloatArray, grid: FloatArray, degree: int) -> FloatArray:
    """Return the extended knot vectors of checked breakpoints with the outer knots of `knots`."""
    n_knots = knots.shape[1]
    return np.concatenate([knots[:, :degree], grid, knots[:, n_knots - degree :]], axis=1)


def is_nested(old_breakpoints: object, new_breakpoints: object) -> BoolArray:
    """Return for each input whether the new breakpoints include all the old ones, exactly.

    Parameters
    ----------
    old_breakpoints : (n_in, G + 1)
        A breakpoint that is repeated inside (a, b), where curves are less smooth, must be repeated
        as often in the new grid; a repeated end counts once.
    new_breakpoints : (n_in, G' + 1)
        May reach beyond the old [a, b].

    Returns
    -------
    nested : (n_in,) of bool

    Raises
    ------
    TypeError, ValueError
        Breakpoints that are not grids, or grids for different numbers of inputs.
    """
    old = check_breakpoints("old_breakpoints", old_breakpoints)
    new = check_breakpoints("new_breakpoints", new_breakpoints)
    if len(old) != len(new):
        raise ValueError(
            f"old_breakpoints has {len(old)} rows, but new_breakpoints has {len(new)}: "
            "both need one per input"
        )
    return contains_breakpoints(old, new)


def contains_breakpoints(old: FloatArray, new: FloatArray) -> BoolArray:
    """Return `is_nested` of checked grids."""
    nested: BoolArray = (new == old[:, :1]).any(axis=1)  # mostly the first one is missing already
    for i in np.flatnonzero(nested):
        is_end = (old[i] == old[i, 0]) | (old[i] == old[i, -1])
        needed = np.where(is_end, 1, multiplicity(old[i], old[i]))
        nested[i] = np.all(multiplicity(old[i], new[i]) >= needed)
    return nested


def multiplicity(values: FloatArray, knots: FloatArray) -> IntArray:
    """Count how often each of the values occurs in a knot vector (n_knots,)."""
    first = np.searchsorted(knots, values)
    return np.searchsorted(knots, values, side="right") - first
