"""Charts of the inner line u = a x + b, with no parameter that is redundant, and poles along it.

With t in [-1, 1] over the range of the data, a line is given by its ends p = u(-1), q = u(1):

    (S6)   u(t) = p (1 - t)/2 + q (1 + t)/2

A chart writes (p, q) with unbounded parameters theta, those that the redundancy of (a, b, c, d)
leaves free:

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

A pole lies between two neighbouring samples. It is accepted only where the samples grow towards
that gap from both sides. Next to a pole tau of order m the samples are close to c / (t - tau)^m, so
their distances from the median in the two neighbours of the gap determine it:

    (S12)  tau = (r_left t_left + r_right t_right) / (r_left + r_right)    r = distance^(1/m)

A simple pole (m = 1) shows by its change of sign. One without a change of sign, of unknown order,
looks like a peak, whose highest sample can lie on either side of it.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np

from kan_ref.checks import FloatArray, IntArray

N_BESIDE = 3  # samples of each side that must grow towards the gap; two where there are no more
EVEN_ORDERS = np.array([1.0, 2.0, 4.0])  # of poles as those of 1/|x|, 1/x^2 and 1/x^4
LEAST_HEIGHT = 5.0  # times the median distance from the median: smooth curves stay below


@dataclass(frozen=True)
class Chart:
    """One of the charts (S7) to (S11); `low` and `high` bound w in "gap" and "ends"."""

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


def one_row(chart: Chart, theta: FloatArray) -> LineStarts:
    """Return lines that are neighbours in their order."""
    return LineStarts(chart, theta, np.zeros(len(theta), dtype=np.intp))


def inside(starts: LineStarts, low: float, high: float) -> LineStarts:
    """Return the lines with low < u < high at both ends."""
    ends, _ = line_ends(starts.chart, starts.theta)
    chosen = ((ends > low) & (ends < high)).all(axis=1)
    return LineStarts(starts.chart, starts.theta[chosen], starts.row[chosen])


def pole_gaps(t: FloatArray, z: FloatArray) -> list[tuple[float, float]]:
    """Return the gaps (t_left, t_right) beside the most distant sample that may hold a pole."""
    distance = np.abs(z - np.median(z))
    top = int(np.argmax(distance))
    return [
        (float(t[left]), float(t[left + 1]))
        for left in (top - 1, top)
        if _grow_towards_gap(t, distance, left)
    ]


def simple_poles(t: FloatArray, z: FloatArray) -> FloatArray:
    """Return the simple poles that the samples show, increasing, by (S12).

    Beside each of them the samples change their sign about the median, are `LEAST_HEIGHT` times as
    far from it as the median sample, and grow towards the gap.
    """
    offset = z - np.median(z)
    left = _high_gaps(t, offset, -1.0)
    return _in_gaps(t, np.abs(offset), left, np.ones(1))[:, 0]


def even_poles(t: FloatArray, z: FloatArray) -> list[FloatArray]:
    """Return the poles without a change of sign that the samples may have, by (S12).

    Returns
    -------
    poles : list of (n_gaps, n_orders)
        One entry for each peak, from left to right, as high as the sides of a simple pole: the pole
        in each gap beside the highest sample, for each of `EVEN_ORDERS`.
    """
    offset = z - np.median(z)
    left = _high_gaps(t, offset, 1.0)
    peaks = np.split(left, np.flatnonzero(np.diff(left) > 1) + 1)
    return [_in_gaps(t, np.abs(offset), peak, EVEN_ORDERS) for peak in peaks if peak.size]


def pole_ends(t: FloatArray, z: FloatArray, *, is_even: bool) -> list[tuple[float, float, int]]:
    """Return the first and the last of the poles that the samples show, and the number of poles.

    There is one entry for each place where they may be; `is_even` is whether z has one sign on
    both sides of each.
    """
    if not is_even:
        poles = simple_poles(t, z)
        return [(float(poles[0]), float(poles[-1]), len(poles))] if poles.size else []
    peaks = even_poles(t, z)
    if len(peaks) < 2:
        return [(pole, pole, 1) for peak in peaks for pole in peak.ravel().tolist()]
    return [
        (first, last, len(peaks))
        for of_one_order in zip(peaks[0].T.tolist(), peaks[-1].T.tolist(), strict=True)
        for first, last in product(*of_one_order)
    ]


def _high_gaps(t: FloatArray, offset: FloatArray, sign: float) -> IntArray:
    """Return the samples before gaps with high neighbours, whose product has this sign."""
    distance = np.abs(offset)
    least = LEAST_HEIGHT * float(np.median(distance))
    left = np.flatnonzero(
        (sign * offset[:-1] * offset[1:] > 0.0) & (np.minimum(distance[:-1], distance[1:]) > least)
    )
    return np.array([n for n in left if _grow_towards_gap(t, distance, int(n))], dtype=np.intp)


def _in_gaps(t: FloatArray, distance: FloatArray, left: IntArray, orders: FloatArray) -> FloatArray:
    """Return the pole (S12) in the gap after each sample of `left`, for each order."""
    # [eq:pole-in-gap]
    before, after = (distance[place, None] ** (1.0 / orders) for place in (left, left + 1))
    return np.asarray((before * t[left, None] + after * t[left + 1, None]) / (before + after))
    # [/eq:pole-in-gap]


def holds_poles(t: FloatArray, z: FloatArray, poles: FloatArray) -> bool:
    """Return whether the samples grow towards each of these poles from both sides.

    Noise and single outliers do not, so they support no pole.
    """
    distance = np.abs(z - np.median(z))
    left = np.searchsorted(t, poles) - 1
    return all(_grow_towards_gap(t, distance, int(place)) for place in left)


def _grow_towards_gap(t: FloatArray, distance: FloatArray, left: int) -> bool:
    """Return whether `distance` grows on both sides towards the gap after sample `left`."""
    before = distance[max(left + 1 - N_BESIDE, 0) : left + 1]
    after = distance[left + 1 : left + 1 + N_BESIDE]
    if len(before) < 2 or len(after) < 2 or t[left] == t[left + 1]:
        return False
    return bool(np.all(np.diff(before) > 0.0) and np.all(np.diff(after) < 0.0))
