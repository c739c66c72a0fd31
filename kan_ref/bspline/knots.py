"""Knot rows: where the pieces of a spline begin and end, one row per input, and the rules that place them.

Rules. A grid a = s_0 <= ... <= s_G = b of n_intervals G gets `degree` k outer knots on both sides, which makes a row of
G + 2k + 1 knots for G + k B-splines (Liu et al. 2024, section 2.4). For every input by itself:

    (K1)  s_j = a + j h,  h = (b - a) / G                                         uniform breakpoints; s_G = b exactly
    (K2)  a - k h, ..., a - h,  s_0, ..., s_G,  b + h, ..., b + k h                outer knots of any row
    (K3)  s'_j = s(j G / G'),  s(rank) linear between s(0), s(1), ..., s(G)        the same grid with G' intervals
    (K4)  a = min x - pad,  b = max x + pad                                       grid of samples with R = max x - min x
    (K5)  a = c - w,  b = c + w,  w = max(1, |c|) / 2,  c the middle              instead, where R <= 1e-9 max(1, |c|)
    (K6)  s_j = share u_j + (1 - share) q_j,  u uniform, q quantiles of x         ends as in (K4)

(K3) keeps every old breakpoint, bit for bit, where G' is a multiple of G: j G / G' is then a whole number in float64 too.
Quantiles are the samples in rising order interpolated linearly in rank, so (K3) gives them as well.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from kan_ref.checks import (
    BoolArray,
    FloatArray,
    IntArray,
    check_float_array,
    check_integer,
    check_number,
)

# A range below this share of max(1, |middle|) carries no information about where samples lie: rounding does.
_FLAT = 1e-9
# Share of the samples' range by which a grid reaches beyond them on each side.
_SAMPLE_PAD = 0.05


def uniform_knots(low: object, high: object, n_intervals: int, degree: int) -> FloatArray:
    """Evenly spaced knot rows whose grids reach from `low` to `high`, both exact.

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
        low >= high; a range so narrow that float64 knots would coincide, or so wide that they overflow.

    Notes
    -----
    Implements :eq:`uniform-breakpoints` and :eq:`outer-knots`.

    Examples
    --------
    >>> uniform_knots(0.0, 1.0, n_intervals=2, degree=1)
    array([[-0.5,  0. ,  0.5,  1. ,  1.5]])
    """
    n_intervals = check_integer("n_intervals", n_intervals, low=1)
    a, b = per_input(low=low, high=high)
    _refuse(
        a >= b, lambda i: f"low must lie below high, but they are {a[i]} and {b[i]} at input {i}"
    )
    _refuse_too_wide(a, b, a, b)
    knots = extended_knots(_uniform_breakpoints(a, b, n_intervals), degree)
    stuck = np.diff(knots, axis=1).min(axis=1) <= 0
    _refuse(
        stuck,
        lambda i: (
            f"the range from {a[i]} to {b[i]} at input {i} is too narrow for {knots.shape[1]} different float64 knots"
        ),
    )
    return knots


def extended_knots(breakpoints: object, degree: int) -> FloatArray:
    """The knot rows of given breakpoints: `degree` outer knots on both sides, (b - a) / G apart.

    Rows (n_in, n_intervals + 1), never falling, first below last (else refused, as are outer knots that overflow), become
    (n_in, n_intervals + 2 degree + 1) by :eq:`outer-knots`.

    Examples
    --------
    >>> extended_knots([[0.0, 0.75, 1.0]], degree=1)
    array([[-0.5 ,  0.  ,  0.75,  1.  ,  1.5 ]])
    """
    degree = check_integer("degree", degree, low=0)
    inner = _check_breakpoints("breakpoints", breakpoints)
    a, b, n_intervals = inner[:, :1], inner[:, -1:], inner.shape[1] - 1
    with np.errstate(over="ignore", invalid="ignore"):
        # [eq:outer-knots]
        h = (b - a) / n_intervals
        outer = np.arange(1, degree + 1) * h
        knots = np.concatenate([(a - outer)[:, ::-1], inner, b + outer], axis=1)
        # [/eq:outer-knots]
    _refuse_too_wide(inner[:, 0], inner[:, -1], knots[:, 0], knots[:, -1])
    return knots


def breakpoints(knots: FloatArray, degree: int) -> FloatArray:
    """The grid inside [a, b], (n_in, n_intervals + 1): a view of `knots` (n_in, n_knots), all of it at degree 0."""
    return knots[:, degree : knots.shape[1] - degree]


def check_knots(name: str, knots: object, degree: int) -> FloatArray:
    """`knots` as a float64 array (n_in, n_knots), if they are rows of B-splines of this degree.

    Raises
    ------
    TypeError, ValueError
        Not finite, not 2-D, a row that falls ("knots must rise along each row; row 2 falls from 0.4 to 0.35 at
        position 6"), fewer than 2 degree + 2 knots, a row without width on [a, b] or wider than float64.
    """
    degree = check_integer("degree", degree, low=0)
    rows = check_float_array(name, knots, ("n_in", "n_knots"))
    if rows.shape[1] < 2 * degree + 2:
        raise ValueError(
            f"{name} has {rows.shape[1]} knots in a row, but degree {degree} needs at least {2 * degree + 2} (2 degree + 2)"
        )
    _refuse_falling(name, rows)
    a, b = rows[:, degree], rows[:, -degree - 1]
    _refuse(
        a == b,
        lambda i: f"{name} must leave [a, b] some width, but row {i} has both ends at {a[i]}",
    )
    _refuse_too_wide(rows[:, 0], rows[:, -1], rows[:, 0], rows[:, -1])
    return rows


def refined_breakpoints(breakpoints: object, n_intervals: int) -> FloatArray:
    """The same grids with another number of intervals: linear in rank, so that a multiple keeps every old breakpoint.

    Rows (n_in, G + 1), never falling, first below last, become (n_in, n_intervals + 1) by :eq:`rank-interpolation`.

    Examples
    --------
    >>> refined_breakpoints([[0.0, 1.0, 4.0]], n_intervals=4)
    array([[0. , 0.5, 1. , 2.5, 4. ]])
    """
    return _linear_in_rank(
        _check_breakpoints("breakpoints", breakpoints),
        check_integer("n_intervals", n_intervals, low=1),
    )


def is_nested(old_breakpoints: object, new_breakpoints: object) -> BoolArray:
    """For each input, (n_in,): whether the new breakpoints inside the old [a, b] include all the old ones, exactly.

    Rows (n_in, G + 1) and (n_in, G' + 1). A breakpoint that the old grid repeats inside (a, b), where its curves are
    less smooth, must be repeated as often in the new one; a repeated end counts once.
    """
    old = _check_breakpoints("old_breakpoints", old_breakpoints)
    new = _check_breakpoints("new_breakpoints", new_breakpoints)
    if len(old) != len(new):
        raise ValueError(
            f"old_breakpoints has {len(old)} rows, but new_breakpoints has {len(new)}: both need one per input"
        )
    wanted = [
        np.where((row == row[0]) | (row == row[-1]), 1, _multiplicity(row, row)) for row in old
    ]
    return np.array(
        [(_multiplicity(*rows) >= n).all() for *rows, n in zip(old, new, wanted, strict=True)],
        dtype=np.bool_,
    )


def grid_bounds(low: object, high: object, pad: object) -> tuple[FloatArray, FloatArray]:
    """Ends of the grids for samples between `low` and `high`: `pad` wider on both sides, or a stand-in for flat ones.

    All three are float or (n_in,), low <= high and pad >= 0, else refused; the ends are (n_in,) each, low < high, and
    hold the samples also after rounding. Implements :eq:`grid-bounds`.

    Examples
    --------
    >>> grid_bounds([0.0, 3.0], [2.0, 3.0], pad=0.5)
    (array([-0.5,  1.5]), array([2.5, 4.5]))
    """
    a, b, pads = per_input(low=low, high=high, pad=pad)
    _refuse(
        a > b, lambda i: f"low must not lie above high, but they are {a[i]} and {b[i]} at input {i}"
    )
    _refuse(pads < 0, lambda i: f"pad must be at least 0, but is {pads[i]} at input {i}")
    return _widened(a, b, pads)[:2]


def data_bounds(x: object) -> tuple[FloatArray, FloatArray]:
    """Ends (n_in,), (n_in,) of input grids taken from samples x (batch, n_in): 5 % of their range on each side."""
    return _sample_bounds(x, _SAMPLE_PAD)[:2]


def hidden_bounds(x: object, n_intervals: int) -> tuple[FloatArray, FloatArray]:
    """Ends (n_in,), (n_in,) of hidden grids for activations x (batch, n_in): R / n_intervals or 5 % of R, what is more."""
    return _sample_bounds(
        x, max(1.0 / check_integer("n_intervals", n_intervals, low=1), _SAMPLE_PAD)
    )[:2]


def blended_knots(
    x: object, n_intervals: int, degree: int, *, uniform_share: float, margin: float
) -> FloatArray:
    """Knot rows between uniform (share 1) and quantiles of the samples (share 0); every sample lies in [a, b].

    Parameters
    ----------
    x : (batch, n_in)
        At least one row of finite samples.
    n_intervals, degree : int
    uniform_share : float
        Between 0 and 1.
    margin : float
        At least 0, in units of R / n_intervals with R the range of the samples. Both ends of the grid move out by it;
        uniform breakpoints spread over the widened grid, inner quantiles stay where the samples put them.

    Returns
    -------
    knots : (n_in, n_intervals + 2 degree + 1)
        Quantiles of a discrete feature may repeat; [a, b] never is empty. A flat feature, (K5), has no quantiles worth
        the name: its row is uniform whatever the share.

    Notes
    -----
    Implements :eq:`blended-breakpoints`. Where quantiles lie between samples is implementation-defined: linear in rank
    here, elsewhere perhaps at a sample.

    Examples
    --------
    >>> blended_knots([[0.0], [1.0], [4.0]], 2, 0, uniform_share=0.5, margin=0.0)
    array([[0. , 1.5, 4. ]])
    """
    n_intervals = check_integer("n_intervals", n_intervals, low=1)
    share = check_number("uniform_share", uniform_share, low=0.0, high=1.0)
    a, b, flat = _sample_bounds(x, check_number("margin", margin, low=0.0) / n_intervals)
    uniform = _uniform_breakpoints(a, b, n_intervals)
    quantiles = _linear_in_rank(np.sort(np.asarray(x, dtype=np.float64), axis=0).T, n_intervals)
    # [eq:blended-breakpoints]
    blend = share * uniform + (1.0 - share) * quantiles
    # [/eq:blended-breakpoints]
    blend = np.where(flat[:, None], uniform, blend)
    blend[:, 0], blend[:, -1] = a, b
    return extended_knots(blend, degree)


def _uniform_breakpoints(a: FloatArray, b: FloatArray, n_intervals: int) -> FloatArray:
    # [eq:uniform-breakpoints]
    return np.linspace(a, b, n_intervals + 1, axis=1)
    # [/eq:uniform-breakpoints]


def _linear_in_rank(rows: FloatArray, n_intervals: int) -> FloatArray:
    last = rows.shape[1] - 1
    # [eq:rank-interpolation]
    ranks = np.arange(n_intervals + 1) * last / n_intervals
    refined = [np.interp(ranks, np.arange(last + 1), row) for row in rows]
    # [/eq:rank-interpolation]
    return np.array(refined).reshape(len(rows), n_intervals + 1)


def _sample_bounds(x: object, share: float) -> tuple[FloatArray, FloatArray, BoolArray]:
    """`_widened` for samples x (batch, n_in), with a pad of `share` times their range."""
    samples = check_float_array("x", x, ("batch", "n_in"))
    if not len(samples):
        raise ValueError(
            f"x has shape {samples.shape}, but a grid needs at least one row of samples"
        )
    low, high = samples.min(axis=0), samples.max(axis=0)
    _refuse_too_wide(low, high, low, high)
    with np.errstate(over="ignore"):
        return _widened(low, high, share * (high - low))


def _widened(
    low: FloatArray, high: FloatArray, pad: FloatArray
) -> tuple[FloatArray, FloatArray, BoolArray]:
    """Ends of each grid by (K4) or (K5), and where it was (K5)."""
    with np.errstate(over="ignore"):
        # [eq:grid-bounds]
        middle = 0.5 * low + 0.5 * high
        size = np.maximum(1.0, np.abs(middle))
        flat, w = high - low <= _FLAT * size, 0.5 * size
        a = np.where(flat, middle - w, low - pad)
        b = np.where(flat, middle + w, high + pad)
        # [/eq:grid-bounds]
    _refuse_too_wide(low, high, a, b)
    return a, b, flat


def _multiplicity(values: FloatArray, row: FloatArray) -> IntArray:
    return np.searchsorted(row, values, side="right") - np.searchsorted(row, values, side="left")


def per_input(n_in: int | None = None, **values: Any) -> list[FloatArray]:
    """Each of the named values as (n_in,); a single number serves all inputs, whose number is the longest's if not given."""
    arrays = {
        name: check_float_array(name, np.atleast_1d(value), ("n_in",))
        for name, value in values.items()
    }
    count = (
        next((len(array) for array in arrays.values() if len(array) != 1), 1)
        if n_in is None
        else n_in
    )
    return [
        np.broadcast_to(
            array if len(array) == 1 else check_float_array(name, array, (count,)), count
        )
        for name, array in arrays.items()
    ]


def _check_breakpoints(name: str, value: object) -> FloatArray:
    rows = check_float_array(name, value, ("n_in", "n_intervals + 1"))
    if rows.shape[1] < 2:
        raise ValueError(
            f"{name} has shape {rows.shape}, but a grid needs at least 2 breakpoints in a row"
        )
    _refuse_falling(name, rows)
    _refuse(
        rows[:, 0] == rows[:, -1],
        lambda i: f"{name} must have some width, but row {i} begins and ends at {rows[i, 0]}",
    )
    return rows


def _refuse_falling(name: str, rows: FloatArray) -> None:
    falls = rows[:, 1:] < rows[:, :-1]
    if falls.any():
        i, m = np.argwhere(falls)[0]
        raise ValueError(
            f"{name} must rise along each row; row {i} falls from {rows[i, m]} to {rows[i, m + 1]} at position {m + 1}"
        )


def _refuse_too_wide(
    low: FloatArray, high: FloatArray, first: FloatArray, last: FloatArray
) -> None:
    with np.errstate(over="ignore", invalid="ignore"):
        wide = ~np.isfinite(last - first)
    _refuse(
        wide,
        lambda i: (
            f"the range from {low[i]} to {high[i]} at input {i} is too wide: its knots or their distances overflow float64"
        ),
    )


def _refuse(wrong: BoolArray, sentence: Callable[[int], str]) -> None:
    """Raise ValueError with the sentence about the first input at which something is wrong."""
    if wrong.any():
        raise ValueError(sentence(int(np.argmax(wrong))))
