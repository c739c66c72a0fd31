"""The inner lines u = a x + b of one function, written by as few numbers as its gauge leaves, none of them bounded.

A line is known by its ends p = u(-1), q = u(1), with t in [-1, 1] the data's own range:

    (S1)  u(t) = p (1 - t)/2 + q (1 + t)/2

and what the gauge leaves of (p, q) is theta:

    (S2)  "circle"  u = cos theta + sin theta t     powers that live everywhere: u = 0 is at t = -cot theta, theta = 0 is a constant
    (S3)  "side"    u = 1 + sin theta t             powers and log, with u > 0 on the data: |sin theta| = 1 is u = 0 at an end
    (S4)  "gap"     u = t - w(theta)                powers with a pole, which stays between the samples where it started
    (S5)  "scale"   u = theta t                     exp
    (S6)  "ends"    p = w(theta_1), q = w(theta_2)  the others, with both ends in the domain

where w writes a number between bounds as one without: w(s) = (low + high)/2 + (high - low)/2 sin s, low + s^2, high - s^2, or s. So
a search needs to know no bounds; and where f' is infinite at a closed end (sqrt, arcsin), the slope of w vanishes just as fast.
"""

from dataclasses import dataclass

import numpy as np

from kan_ref.checks import FloatArray, IntArray


@dataclass(frozen=True)
class Chart:
    """One of (S2) to (S6), with the bounds of w for "gap" and "ends"."""

    kind: str
    low: float = -np.inf
    high: float = np.inf


@dataclass(frozen=True)
class Starts:
    """Starts of a search: `theta` (n_starts, p) on a `chart`; `row` (n_starts,) rises; neighbours in a row are neighbours in place."""

    chart: Chart
    theta: FloatArray
    row: IntArray


def between(chart: Chart, theta: FloatArray) -> tuple[FloatArray, FloatArray]:
    """w(theta) and w'(theta)."""
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
    """The theta with w(theta) = value, for values within the bounds."""
    low, high = chart.low, chart.high
    if np.isfinite(low) and np.isfinite(high):
        return np.asarray(
            np.arcsin(np.clip((value - 0.5 * (low + high)) / (0.5 * (high - low)), -1.0, 1.0))
        )
    if np.isfinite(low):
        return np.sqrt(value - low)
    return np.sqrt(high - value) if np.isfinite(high) else value


def line_ends(chart: Chart, theta: FloatArray) -> tuple[FloatArray, FloatArray]:
    """(p, q) of every theta, and their slopes.

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
