"""Refined grids: more intervals between the same ends, what they contain, and knot insertion.

With breakpoints s_0 <= ... <= s_G of n_intervals G, the grid with G' intervals is

    (B3)  s'_j = s(j G / G'),  s(rank) linear between s(0) = s_0, ..., s(G) = s_G

It keeps every old breakpoint, bit for bit, where G' is a multiple of G: j G / G' is then a whole
number in float64 too. The splines on such a nested grid include the old ones: on [a, b] with the
outer knots (B2) of the new grid, and everywhere with the old outer knots.

Two classical algorithms give the coefficients on a knot vector that contains the old one. They
agree with the blossom of `blossom` and serve as independent checks of it. One knot t (Boehm 1980):

    (B20)  coef'_m = (1 - alpha_m) coef_{m-1} + alpha_m coef_m,
           alpha_m = (t - t_m) / (t_{m+k} - t_m), clipped to [0, 1]

A whole knot vector t' at once (the Oslo algorithm; Cohen, Lyche & Riesenfeld 1980), with 0/0 := 0:

    (B21)  A^0_{n,m} = 1 where t_m <= t'_n < t_{m+1}, else 0,
           w_{m,d} = (t'_{n+d} - t_m) / (t_{m+d} - t_m)
    (B22)  A^d_{n,m} = w_{m,d} A^{d-1}_{n,m} + (1 - w_{m+1,d}) A^{d-1}_{n,m+1},
           coef'_n = sum_m A^k_{n,m} coef_m
"""

from collections.abc import Iterable

import numpy as np

from kan_ref import checks
from kan_ref.bspline.knots import check_breakpoints, check_knots
from kan_ref.checks import BoolArray, FloatArray, IntArray


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
    n_intervals = checks.integer("n_intervals", n_intervals, low=1)
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


@np.errstate(all="ignore")
def insert_knot(
    knots: object, degree: int, coef: object, t: float
) -> tuple[FloatArray, FloatArray]:
    """Insert one knot, and return the coefficients of the same curves on the new knot vector.

    Parameters
    ----------
    knots : (n_knots,)
    degree : int
    coef : (n_curves, n_basis)
    t : float
        Between the first and the last knot.

    Returns
    -------
    knots : (n_knots + 1,)
    coef : (n_curves, n_basis + 1)
        The curves are the same everywhere, even outside [a, b].

    Raises
    ------
    ValueError, TypeError
        A knot vector that is none; coef of another shape; t outside the knot vector.

    Notes
    -----
    Implements :eq:`boehm`.

    Examples
    --------
    >>> insert_knot([0.0, 1.0, 2.0, 3.0], 1, [[5.0, 7.0]], 1.5)
    (array([0. , 1. , 1.5, 2. , 3. ]), array([[5., 6., 7.]]))
    """
    degree = checks.integer("degree", degree, low=0)
    (old,) = check_knots("knots", [knots], degree)
    n_basis = len(old) - degree - 1
    curves = checks.array("coef", coef, ("n_curves", n_basis))
    t = checks.number("t", t, low=float(old[0]), high=float(old[-1]))
    zeros = np.zeros((len(curves), 1))
    # [eq:boehm]
    low, high = old[: n_basis + 1], old[degree:]
    alpha = np.where(
        t >= high, 1.0, (np.clip(t, low, high) - low) / np.where(high > low, high - low, 1.0)
    )
    moved = (1.0 - alpha) * np.hstack([zeros, curves]) + alpha * np.hstack([curves, zeros])
    # [/eq:boehm]
    return np.insert(old, np.searchsorted(old, t), t), moved


def check_kept_knots(knots: Iterable[FloatArray], new_knots: Iterable[FloatArray]) -> None:
    """Raise ValueError if a row of new knots lacks a knot of the same row of `knots`."""
    for i, (old, new) in enumerate(zip(knots, new_knots, strict=True)):
        values, needed = np.unique(old, return_counts=True)
        found = multiplicity(values, new)
        if np.any(found < needed):
            m = int(np.argmax(found < needed))
            raise ValueError(
                f"new_knots has {values[m]} {found[m]} times, but knots has it {needed[m]} times, "
                f"in row {i}: every knot must stay, so add the new ones to these"
            )


def refinement_matrix(knots: object, degree: int, new_knots: object) -> FloatArray:
    """Return the matrix that maps coefficients to those of the same curve on a refined knot vector.

    Parameters
    ----------
    knots : (n_knots,)
    degree : int
    new_knots : (any number,)
        Every old knot at least as often as in `knots`.

    Returns
    -------
    matrix : (n_new, n_basis)
        Nonnegative; a row sums to 1 where its new basis function is nonzero on the old [a, b] only.

    Raises
    ------
    ValueError, TypeError
        A knot vector that is none, or a new one in which a knot is missing.

    Notes
    -----
    Implements :eq:`oslo`.

    Examples
    --------
    >>> refinement_matrix([0.0, 1.0, 2.0, 3.0], 1, [0.0, 1.0, 1.5, 2.0, 3.0])
    array([[1. , 0. ],
           [0.5, 0.5],
           [0. , 1. ]])
    """
    degree = checks.integer("degree", degree, low=0)
    (old,) = check_knots("knots", [knots], degree)
    (new,) = check_knots("new_knots", [new_knots], degree)
    check_kept_knots([old], [new])
    n_new = len(new) - degree - 1
    t = new[:n_new, None]
    # [eq:oslo]
    matrix: FloatArray = ((old[:-1] <= t) & (t < old[1:])).astype(np.float64)
    for d in range(1, degree + 1):
        low, high = old[:-d], old[d:]
        # where an entry is nonzero t lies in [low, high] already; elsewhere clipping avoids
        # overflow
        t = np.clip(new[d : d + n_new, None], low, high)
        span = np.where(high > low, high - low, np.inf)
        matrix = ((t - low) / span * matrix)[:, :-1] + ((high - t) / span * matrix)[:, 1:]
    # [/eq:oslo]
    return matrix
