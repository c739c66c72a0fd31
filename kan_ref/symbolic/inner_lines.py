"""The inner line u = a x + b: its free numbers, and where their search starts.

With t in [-1, 1] over the range of the data, a line is given by its ends p = u(-1), q = u(1):

    (S6)   u(t) = p (1 - t)/2 + q (1 + t)/2

A chart writes (p, q) with numbers theta that have no bounds, and with none that the redundancy of
(a, b, c, d) makes superfluous. It keeps singular points of f outside the data:

    (S7)   "zero"    u = cos theta + t sin theta     powers defined everywhere: the zero of u is at
                                                     t = -cot theta; theta = 0 is a constant
    (S8)   "side"    u = 1 + t sin theta             other powers and log, u > 0 on the data: for
                                                     |sin theta| = 1 the zero of u is at an end
    (S10)  "scale"   u = theta t                     exp
    (S11)  "ends"    p = w(theta_1), q = w(theta_2)  all others, both ends between `low` and `high`

w(s) = (low + high)/2 + (high - low)/2 sin s, low + s^2, high - s^2, or s without bounds. Where f'
is infinite at an end of its domain (sqrt, arcsin), the derivative of w vanishes at the same rate.

Four rules give starts: zeros of u for powers and log; scales for exp; pairs of ends for all others;
and frequencies for sin and cos, because at each omega the best sine is linear least squares of
cos(omega t), sin(omega t) and 1, with normal equations made of the sums

    (S13)  sum_n e^(i omega t_n),  sum_n e^(2 i omega t_n),  sum_n z_n e^(i omega t_n)

(Lomb 1976; Scargle 1982, with a free constant).
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from kan_ref.checks import FloatArray, IntArray
from kan_ref.functions import EVERYWHERE, Function, singular_points

# Beyond these numbers a curve is nearly a simpler one, or narrower than the samples. A sixth of the
# points finds all clean curves of the library; the rest is margin for noise.
OUTER_ZEROS = 1.0 + np.geomspace(1e-4, 300.0, 45)  # 40 % apart; farther out, a line to 1/300
INNER_ZEROS = np.linspace(-1.0, 1.0, 81)
EXP_SCALES = np.geomspace(0.02, 200.0, 60)  # 17 % apart; a line to 1 %, up to a jump at one end
FRACTIONS = np.array([1e-4, 2e-3, 0.01, 0.03, 0.08, 0.16, 0.27, 0.39])  # dense at finite ends
END_DISTANCES = np.geomspace(1e-3, 100.0, 24)  # 65 % apart, from the one finite end
HALF_WIDTHS = np.geomspace(0.05, 60.0, 28)  # 30 % apart: a feature of f has size 1
FLAT, SHIFT_STEP = 6.0, 0.7  # |u| beyond which tanh is constant to 1e-5; less than a feature
FREQUENCY_STEP = 0.3  # of omega: a tenth of pi, the half-width of a spectral peak on [-1, 1]
LOW_FREQUENCIES = np.array([0.02, 0.05, 0.1, 0.2])  # a sine is nearly a parabola: all phases
N_PHASES = 8  # of half a period


@dataclass(frozen=True)
class Chart:
    """One of the charts (S7) to (S11); `low` and `high` bound w of "ends"."""

    kind: str
    low: float = -np.inf
    high: float = np.inf


@dataclass(frozen=True)
class LineStarts:
    """Lines `theta` (n_starts, n_free) on a chart; neighbours in one `row` (n_starts,) are near."""

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
        sine = (value - 0.5 * (low + high)) / (0.5 * (high - low))
        return np.asarray(np.arcsin(np.clip(sine, -1.0, 1.0)))
    if np.isfinite(low):
        return np.sqrt(value - low)
    return np.sqrt(high - value) if np.isfinite(high) else value


def line_ends(chart: Chart, theta: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return (p, q) (n, 2) of lines theta (n, n_free), and d (p, q) / d theta (n, 2, n_free)."""
    # [eq:line-ends]
    if chart.kind == "ends":
        ends, slope = between(chart, theta)
        return ends, slope[:, :, None] * np.eye(2)
    s = theta[:, 0]
    zero, one = np.zeros_like(s), np.ones_like(s)
    middle, tilt, d_middle, d_tilt = {
        "zero": (np.cos(s), np.sin(s), -np.sin(s), np.cos(s)),
        "side": (one, np.sin(s), zero, np.cos(s)),
        "scale": (zero, s, zero, one),
    }[chart.kind]
    ends = np.stack([middle - tilt, middle + tilt], axis=1)
    return ends, np.stack([d_middle - d_tilt, d_middle + d_tilt], axis=1)[:, :, None]
    # [/eq:line-ends]


def line_starts(function: Function, t: FloatArray, z: FloatArray) -> list[LineStarts]:
    """Return where the search for one function starts, an entry a chart.

    Samples (t, z), (n,), are those by which starts are compared; a sine is fitted to them.
    """
    kind = function.redundancy.kind
    if function.name in ("sin", "cos"):
        return [_frequencies(function, t, z)]
    if kind in ("power", "log"):
        return [_zeros(function)]
    if kind == "exp":
        scales = np.concatenate([-EXP_SCALES[::-1], EXP_SCALES])
        return [LineStarts(Chart("scale"), scales[:, None], np.zeros(len(scales), np.intp))]
    (low, high), turn = function.domain, function.redundancy.turn
    if function.singular and turn:  # one of the intervals that repeat
        walls = singular_points(function, -1.01 * turn, 1.01 * turn).tolist()[:2]
    else:
        walls = [low, *singular_points(function, low, high).tolist(), high]
    return [_pairs_of_ends(function, *bounds) for bounds in pairwise(walls)]


def _zeros(function: Function) -> LineStarts:
    """Return lines by the zero of u: outside the data where f is not defined everywhere."""
    if function.singular or function.domain != EVERYWHERE:
        slopes = 1.0 / OUTER_ZEROS
        theta = np.arcsin(np.concatenate([-slopes, slopes[::-1]]))
        chart = Chart("side")
    else:
        zeros = np.concatenate([-OUTER_ZEROS[::-1], INNER_ZEROS, OUTER_ZEROS])
        theta, chart = np.arctan2(1.0, -zeros), Chart("zero")
    return LineStarts(chart, theta[:, None], np.zeros(len(theta), np.intp))


def _pairs_of_ends(function: Function, low: float, high: float) -> LineStarts:
    """Return lines with both ends in (low, high); u and -u are the same for even and odd f.

    With a finite bound these are all pairs of a grid, denser towards it. Without one they have
    every half-width, and shifts so that some of |u| < `FLAT` falls on the data.
    """
    if np.isfinite(low) or np.isfinite(high):
        if np.isfinite(low) and np.isfinite(high):
            fractions = np.concatenate([FRACTIONS, [0.5], 1.0 - FRACTIONS[::-1]])
            places = low + (high - low) * fractions
        else:
            places = low + END_DISTANCES if np.isfinite(low) else high - END_DISTANCES[::-1]
        first, last = (ends.ravel() for ends in np.meshgrid(places, places, indexing="ij"))
        row = np.searchsorted(places, first)
    else:
        half = np.concatenate([HALF_WIDTHS, -HALF_WIDTHS])
        reach = np.abs(half) + FLAT
        middles = [np.linspace(-r, r, 2 * int(r / SHIFT_STEP) + 3) for r in reach]
        row = np.arange(len(half)).repeat([len(middle) for middle in middles])
        middle = np.concatenate(middles)
        first, last = middle - half[row], middle + half[row]
    chosen = first < last if function.redundancy.parity else first != last
    chart, ends = Chart("ends", low, high), np.stack([first[chosen], last[chosen]], axis=1)
    return LineStarts(chart, free_number(chart, ends), row[chosen])


def _frequencies(function: Function, t: FloatArray, z: FloatArray) -> LineStarts:
    """Return sines of all frequencies up to that of the samples with their best phases, (S13)."""
    n, z = len(t), z - np.mean(z)
    highest = 0.5 * np.pi * (len(np.unique(t)) - 1)
    omega = np.arange(FREQUENCY_STEP, highest + FREQUENCY_STEP, FREQUENCY_STEP)
    # [eq:periodogram]
    waves = np.exp(1j * np.outer(omega, t))
    first, double, moments = waves.sum(axis=1), (waves * waves).sum(axis=1), waves @ z
    cos_cos = 0.5 * (n + double.real) - first.real**2 / n
    sin_sin = 0.5 * (n - double.real) - first.imag**2 / n
    cos_sin = 0.5 * double.imag - first.real * first.imag / n
    # [/eq:periodogram]
    # the coefficients of cos and sin, up to a positive factor
    of_cos = sin_sin * moments.real - cos_sin * moments.imag
    of_sin = cos_cos * moments.imag - cos_sin * moments.real
    best = np.arctan2(of_cos, of_sin)
    low = LOW_FREQUENCIES.repeat(N_PHASES)
    every = np.tile(np.pi * np.arange(N_PHASES) / N_PHASES, len(LOW_FREQUENCIES))
    phase = np.concatenate([every, best]) - (0.0 if function.name == "sin" else 0.5 * np.pi)
    row = np.concatenate([np.arange(len(low)) // N_PHASES, np.full(len(best), len(low))])
    omega = np.concatenate([low, omega])
    return LineStarts(Chart("ends"), np.stack([phase - omega, phase + omega], axis=1), row)
