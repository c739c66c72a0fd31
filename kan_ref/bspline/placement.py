"""Placement of grids: where a grid lies for given samples.

With the range R = max x - min x of the samples x of an input, and `pad` beyond them on
each side:

    (B14)  a = min x - pad,  b = max x + pad
    (B15)  a = c - w,  b = c + w,  w = max(1, |c|) / 2
           instead, where R <= 1e-9 max(1, |c|)
    (B16)  s_j = beta u_j + (1 - beta) q_j,  u uniform, q quantiles of x
    (B25)  q_i = ... = q_m  is placed at rank (i + m) / 2,
           but at 0 where i = 0, at G where m = G;
           all q_j are then linear in rank between these

c is the middle of the samples; the ends of (B16) are those of (B14). beta is the
blending weight `uniform_share` between a uniform grid and one with equally many samples
in each interval. Quantiles are the sorted samples interpolated linearly in rank, as
breakpoints are in (B3).

Quantiles coincide at a value that many samples share. A breakpoint that is repeated m
times leaves a curve of degree k only k - m continuous derivatives, and m > k makes it
jump. (B25) therefore keeps such a value once, at its middle rank, and spaces the other
breakpoints evenly between it and its neighbours. Quantiles that differ stay where they
are.
"""

import numpy as np

from kan_ref import checks
from kan_ref.bspline.knots import (
    add_outer_knots,
    interpolate_in_rank,
    uniform_breakpoints,
)
from kan_ref.checks import ROUNDING, BoolArray, FloatArray

# relative to max(1, |middle|): a smaller range of samples is rounding error
_FLAT = 1e-9
_SAMPLE_PAD = 0.05  # of the samples' range, on each side


def data_bounds(x: object) -> tuple[FloatArray, FloatArray]:
    """Return the ends (n_in,), (n_in,) of input grids for samples x (batch, n_in).

    They lie 5 % of the range beyond the samples. Where the range of the samples is at
    most 1e-9 max(1, |middle|), they are those of a constant input, (B15).

    Examples
    --------
    >>> data_bounds([[0.0, 3.0], [20.0, 3.0]])
    (array([-1. ,  1.5]), array([21. ,  4.5]))
    """
    samples = checks.samples("x", x, ("batch", "n_in"))
    return _padded_bounds(samples, _SAMPLE_PAD)[:2]


def hidden_bounds(x: object, n_intervals: int) -> tuple[FloatArray, FloatArray]:
    """Return the ends (n_in,), (n_in,) of hidden grids for activations x (batch, n_in).

    They lie R / n_intervals, but at least 5 % of R, beyond the activations of range R.
    Where R is at most 1e-9 max(1, |middle|), the ends are those of a constant input,
    (B15).

    Examples
    --------
    >>> hidden_bounds([[0.0], [20.0]], n_intervals=5)
    (array([-4.]), array([24.]))
    """
    share = max(1.0 / n_intervals, _SAMPLE_PAD)
    samples = checks.samples("x", x, ("batch", "n_in"))
    return _padded_bounds(samples, share)[:2]


def blended_knots(
    x: object,
    n_intervals: int,
    degree: int,
    *,
    uniform_share: float,
    margin: float,
) -> FloatArray:
    """Return knot vectors between uniform grids and quantiles of the samples.

    All samples lie in [a, b].

    Parameters
    ----------
    x : (batch, n_in)
        At least one row.
    n_intervals, degree : int
    uniform_share : float
        The blending weight beta in [0, 1]: 1 gives uniform grids, 0 quantiles.
    margin : float
        At least 0, in units of R / n_intervals with R the range of the samples. Both
        ends of the grid move outward by it; uniform breakpoints are spread over the
        widened grid, inner quantiles do not move.

    Returns
    -------
    knots : (n_in, n_intervals + 2 degree + 1)
        Implements :eq:`blended-breakpoints`. Equal quantiles, as those of a discrete
        feature, are spread by (B25). A constant feature, (B15), has a uniform grid for
        every blending weight.

    Examples
    --------
    >>> blended_knots([[0.0], [1.0], [4.0]], 2, 0, uniform_share=0.5, margin=0.0)
    array([[0. , 1.5, 4. ]])
    """
    n_intervals = checks.integer("n_intervals", n_intervals, low=1)
    degree = checks.integer("degree", degree)
    beta = checks.number("uniform_share", uniform_share, low=0.0, high=1.0)
    share = checks.number("margin", margin, low=0.0) / n_intervals
    samples = checks.samples("x", x, ("batch", "n_in"))

    a, b, flat = _padded_bounds(samples, share)
    uniform = uniform_breakpoints(a, b, n_intervals)
    quantiles = _spread(interpolate_in_rank(np.sort(samples.T), n_intervals))
    # [eq:blended-breakpoints]
    blend = beta * uniform + (1.0 - beta) * quantiles
    # [/eq:blended-breakpoints]
    blend = np.where(flat[:, None], uniform, blend)
    blend[:, 0] = a
    blend[:, -1] = b
    return add_outer_knots(blend, degree)


def _spread(quantiles: FloatArray) -> FloatArray:
    """Spread equal quantiles (n_in, n) by (B25), in place, and return all.

    They are equal if they differ by rounding of the largest one. Inputs with one value
    alone stay.
    """
    ranks = np.arange(quantiles.shape[1], dtype=float)
    for row in quantiles:
        steps = np.diff(row) > ROUNDING * len(row) * np.abs(row).max()
        if steps.any():
            first = np.append(0, np.flatnonzero(steps) + 1)
            last = np.append(first[1:], len(row)) - 1
            middle = 0.5 * (first + last)
            middle[0] = ranks[0]
            middle[-1] = ranks[-1]
            row[:] = np.interp(ranks, middle, row[last])
    return quantiles


def _padded_bounds(
    samples: FloatArray,
    share: float,
) -> tuple[FloatArray, FloatArray, BoolArray]:
    """Return the ends of each grid, and where (B15) holds.

    They lie a share of the range beyond the samples. Implements :eq:`grid-bounds`.
    """
    low = samples.min(axis=0)
    high = samples.max(axis=0)
    # [eq:grid-bounds]
    middle = 0.5 * (low + high)
    size = np.maximum(1.0, np.abs(middle))
    flat = high - low <= _FLAT * size
    pad = share * (high - low)
    w = 0.5 * size
    a = np.where(flat, middle - w, low - pad)
    b = np.where(flat, middle + w, high + pad)
    # [/eq:grid-bounds]
    return a, b, flat
