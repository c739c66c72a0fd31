"""Charts of the inner line u = a x + b: unbounded parameters theta, as few as are not redundant.

With t in [-1, 1] over the range of the data, a line is given by its ends p = u(-1), q = u(1):

    (S6)   u(t) = p (1 - t)/2 + q (1 + t)/2

A chart writes (p, q) with the parameters that the redundancy of (a, b, c, d) leaves free:

    (S7)   "circle"  u = cos theta + t sin theta     powers defined everywhere: the zero of u is at
                                                     t = -cot theta; theta = 0 is a constant
    (S8)   "side"    u = 1 + t sin theta             powers and log, u > 0 on the data: for
                                                     |sin theta| = 1 the zero of u is at an end
    (S9)   "gap"     u = t - w(theta)                powers with a pole that stays in the gap
                                                     between samples in which it starts
    (S10)  "scale"   u = theta t                     exp
    (S11)  "ends"    p = w(theta_1), q = w(theta_2)  all others, both ends in the domain of f

w maps all real s into the bounds: w(s) = (low + high)/2 + (high - low)/2 sin s, low + s^2, high -
s^2, or s without bounds. So the search needs no constraints. Where f' is infinite at a closed end
of its domain (sqrt, arcsin), the derivative of w vanishes at the same rate.
"""

from dataclasses import dataclass

import numpy as np

from kan_ref.checks import FloatArray, IntArray


@dataclass(frozen=True)
class Chart:
    """One of the charts (S7) to (S11), with the bounds of w for "gap" and "ends"."""

    kind: str
    low: float = -np.inf
    high: float = np.inf


@dataclass(frozen=True)
class LineStarts:
    """Initial values of a search: `theta` (n_starts, n_free) on a `chart`.

    `row` (n_starts,), nondecreasing, numbers the rows of the grid: neighbours with the same row
    number are neighbouring lines.
    """

    chart: Chart
    theta: FloatArray
    row: IntArray


def between(chart: Chart, theta: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return w(theta) and w'(theta)."""
    low, high = chart.low, chart.high
    # [eq:between-bounds]
    if np.isfinite(low) and np.isfinite(high):
        middle, half = 0.5 * (low + high), 0.5 * (high - low)
        return middle + half * np.sin(theta), half * np.cos(theta)
    if np.isfinite(low):
        return low + theta**2, 2.0 * theta
    if np.isfinite(high):
        return high - theta**2, -2.0 * theta
    return theta, np.ones_like(theta)
    # [/eq:between-bounds]


def free_number(chart: Chart, value: FloatArray) -> FloatArray:
    """Return the theta with w(theta) = value, for values within the bounds."""
    low, high = chart.low, chart.high
    if np.isfinite(low) and np.isfinite(high):
        middle, half = 0.5 * (low + high), 0.5 * (high - low)
        return np.asarray(np.arcsin(np.clip((value - middle) / half, -1.0, 1.0)))
    if np.isfinite(low):
        return np.sqrt(value - low)
    return np.sqrt(high - value) if np.isfinite(high) else value


def line_ends(chart: Chart, theta: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the ends (p, q) of the lines theta, and their derivatives with respect to theta.

    Parameters
    ----------
    chart : Chart
    theta : (n, n_free)

    Returns
    -------
    ends : (n, 2)
    slopes : (n, 2, n_free)
        d (p, q) / d theta.

    Notes
    -----
    Implements :eq:`line-ends`.
    """
    # [eq:line-ends]
    if chart.kind == "ends":
        ends, slope = between(chart, theta)
        return ends, slope[:, :, None] * np.eye(2)
    s = theta[:, 0]
    if chart.kind == "circle":
        middle, tilt, d_middle, d_tilt = np.cos(s), np.sin(s), -np.sin(s), np.cos(s)
    elif chart.kind == "side":
        middle, tilt, d_middle, d_tilt = np.ones_like(s), np.sin(s), np.zeros_like(s), np.cos(s)
    elif chart.kind == "gap":
        pole, d_pole = between(chart, s)
        middle, tilt, d_middle, d_tilt = -pole, np.ones_like(s), -d_pole, np.zeros_like(s)
    else:
        middle, tilt, d_middle, d_tilt = np.zeros_like(s), s, np.zeros_like(s), np.ones_like(s)
    ends = np.stack([middle - tilt, middle + tilt], axis=1)
    return ends, np.stack([d_middle - d_tilt, d_middle + d_tilt], axis=1)[:, :, None]
    # [/eq:line-ends]
