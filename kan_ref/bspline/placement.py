"""Placement of grids: where a grid lies for given samples.

With the range R = max x - min x of the samples x of an input, and `pad` beyond them on each side:

    (B14)  a = min x - pad,  b = max x + pad
    (B15)  a = c - w,  b = c + w,  w = max(1, |c|) / 2     instead, where R <= 1e-9 max(1, |c|)
    (B16)  s_j = beta u_j + (1 - beta) q_j                 u uniform, q quantiles of x
    (B25)  q_i = ... = q_m  is placed at rank (i + m) / 2  but at 0 where i = 0, at G where m = G;
           all q_j are then linear in rank between these

c is the middle of the samples; the ends of (B16) are those of (B14). beta is the blending weight
`uniform_share` between a uniform grid and one with equally many samples in each interval. Quantiles
are the sorted samples interpolated linearly in rank, as breakpoints are in (B3).

Quantiles coincide at a value that many samples share. A breakpoint that is repeated m times leaves
a curve of degree k only k - m continuous derivatives, and m > k makes it jump. (B25) therefore
keeps such a value once, at its middle rank, and spaces the other breakpoints evenly between it and
its neighbours. Quantiles that differ stay where they are.
"""

import numpy as np

from kan_ref import checks
from kan_ref.bspline.knots import (
    add_outer_knots,
    uniform_breakpoints,
)
from kan_ref.bspline.refined_grids import interpolate_in_rank
from kan_ref.checks import ROUNDING, BoolArray, FloatArray

_FLAT = 1e-9  # relative to max(1, |middle|): a smaller range of samples is rounding error
_SAMPLE_PAD = 0.05  # of the samples' range, on each side


def data_bounds(x: object) -> tuple[FloatArray, FloatArray]:
    """Return the ends (n_in,), (n_in,) of input grids: 5 % beyond the samples x (batch, n_in).

    Where the range of the samples is at most 1e-9 max(1, |middle|), they are those of a constant
    input, (B15).
    """
    return _sample_bounds(_check_samples(x), _SAMPLE_PAD)[:2]


def percentile_bounds(x: object, percentiles: tuple[float, float] = (0.5, 99.5)) -> FloatArray:
    """Return bounds of each input between two percentiles of its samples, for heavy tails.

    A few samples far from all others would stretch a grid so that most of its intervals have no
    samples. These bounds leave out the share of the samples below and above the percentiles.

    Parameters
    ----------
    x : (batch, n_in)
        At least one row of finite samples.
    percentiles : (float, float)
        The lower and the higher one, between 0 and 100; (0, 100) gives the range of the samples.

    Returns
    -------
    bounds : (n_in, 2)
        Low and high, for `domain=` of `init_network`. Percentiles are linear in rank. Where the
        range between them is at most 1e-9 max(1, |middle|), the bounds are those of a constant
        input, (B15).

    Raises
    ------
    TypeError, ValueError
        No samples, or samples that are not finite; percentiles that are not 0 <= low < high <= 100.

    Notes
    -----
    Samples outside the bounds stay in the data. There the B-splines decay to zero and only the base
    function is left; `coverage` counts these samples. To place hidden grids without them as well,
    give `init_network` the clipped samples, `x=np.clip(x, *bounds.T)`.

    Examples
    --------
    >>> import numpy as np
    >>> import kan_ref as kr
    >>> x = np.append(np.linspace(-1.0, 1.0, 201), 1000.0)[:, None]
    >>> kr.percentile_bounds(x, (1.0, 99.0)).round(3)
    array([[-0.98,  0.99]])
    """
    if not isinstance(percentiles, tuple | list) or len(percentiles) != 2:
        raise ValueError(f"percentiles is {percentiles!r}, but must be a pair (low, high)")
    share = [checks.number("percentiles", one, low=0.0, high=100.0) for one in percentiles]
    if not share[0] < share[1]:
        raise ValueError(
            f"percentiles is ({share[0]:g}, {share[1]:g}), but low must be less than high"
        )
    samples = _check_samples(x)
    low, high = np.percentile(samples, share, axis=0)
    return np.column_stack(_padded_bounds(low, high, np.zeros_like(low))[:2])


def hidden_bounds(x: object, n_intervals: int) -> tuple[FloatArray, FloatArray]:
    """Return the ends (n_in,), (n_in,) of hidden grids for activations x (batch, n_in).

    They lie R / n_intervals, but at least 5 % of R, beyond the activations. Where their range R is
    at most 1e-9 max(1, |middle|), the ends are those of a constant input, (B15).
    """
    n_intervals = checks.integer("n_intervals", n_intervals, low=1)
    return _sample_bounds(_check_samples(x), max(1.0 / n_intervals, _SAMPLE_PAD))[:2]


def blended_knots(
    x: object, n_intervals: int, degree: int, *, uniform_share: float, margin: float
) -> FloatArray:
    """Return knot vectors between uniform grids and quantiles of the samples.

    All samples lie in [a, b].

    Parameters
    ----------
    x : (batch, n_in)
        At least one row of finite samples.
    n_intervals, degree : int
    uniform_share : float
        The blending weight beta: 1 gives uniform grids, 0 quantiles.
    margin : float
        At least 0, in units of R / n_intervals with R the range of the samples. Both ends of the
        grid move outward by it; uniform breakpoints are spread over the widened grid, inner
        quantiles do not move.

    Returns
    -------
    knots : (n_in, n_intervals + 2 degree + 1)
        Breakpoints do not repeat: quantiles that are equal, as those of a discrete feature, are
        spread by (B25). A constant feature, (B15), has no useful quantiles: its grid is uniform for
        every blending weight.

    Raises
    ------
    TypeError, ValueError
        No samples, or samples that are not finite; arguments out of range.

    Notes
    -----
    Implements :eq:`blended-breakpoints`. The position of a quantile between two samples is
    implementation-defined: linear in rank here; other libraries may take one of the samples.

    Examples
    --------
    >>> blended_knots([[0.0], [1.0], [4.0]], 2, 0, uniform_share=0.5, margin=0.0)
    array([[0. , 1.5, 4. ]])
    """
    n_intervals = checks.integer("n_intervals", n_intervals, low=1)
    degree = checks.integer("degree", degree, low=0)
    beta = checks.number("uniform_share", uniform_share, low=0.0, high=1.0)
    relative_pad = checks.number("margin", margin, low=0.0) / n_intervals
    samples = _check_samples(x)
    a, b, flat = _sample_bounds(samples, relative_pad)
    uniform = uniform_breakpoints(a, b, n_intervals)
    quantiles = _spread(interpolate_in_rank(np.sort(samples.T), n_intervals))
    # [eq:blended-breakpoints]
    blend = beta * uniform + (1.0 - beta) * quantiles
    # [/eq:blended-breakpoints]
    blend = np.where(flat[:, None], uniform, blend)
    blend[:, 0], blend[:, -1] = a, b
    return add_outer_knots(blend, degree)


def _spread(quantiles: FloatArray) -> FloatArray:
    """Return quantiles (n_in, n) without repetitions: those that are equal are spread by (B25).

    They are equal if they differ by rounding of the largest one. Inputs with one value alone stay.
    """
    ranks = np.arange(quantiles.shape[1], dtype=float)
    spread = quantiles.copy()
    for row in spread:
        steps = np.diff(row) > ROUNDING * len(row) * np.abs(row).max()
        if steps.any():
            first = np.append(0, np.flatnonzero(steps) + 1)
            last = np.append(first[1:], len(row)) - 1
            middle = 0.5 * (first + last)
            middle[0], middle[-1] = ranks[0], ranks[-1]
            row[:] = np.interp(ranks, middle, row[last])
    return spread


def _check_samples(x: object) -> FloatArray:
    """Check that x are samples (batch, n_in), and return them as float64."""
    samples = checks.array("x", x, ("batch", "n_in"))
    if not len(samples):
        raise ValueError(
            f"x has shape {samples.shape}, but a grid needs at least one row of samples"
        )
    return samples


def _sample_bounds(
    samples: FloatArray, relative_pad: float
) -> tuple[FloatArray, FloatArray, BoolArray]:
    """Return `_padded_bounds` of samples (batch, n_in), the pad relative to their range."""
    low, high = samples.min(axis=0), samples.max(axis=0)
    return _padded_bounds(low, high, relative_pad * (high - low))


def _padded_bounds(
    low: FloatArray, high: FloatArray, pad: FloatArray
) -> tuple[FloatArray, FloatArray, BoolArray]:
    """Return the ends of each grid by (B14) or (B15), and whether (B15) applied.

    Implements :eq:`grid-bounds`.
    """
    # [eq:grid-bounds]
    middle = 0.5 * (low + high)
    size = np.maximum(1.0, np.abs(middle))
    flat, w = high - low <= _FLAT * size, 0.5 * size
    a = np.where(flat, middle - w, low - pad)
    b = np.where(flat, middle + w, high + pad)
    # [/eq:grid-bounds]
    return a, b, flat
