"""Initial values of the search for y ~ c f(a x + b) + d: grids of inner lines, by function.

A record of the library names the grids of its function in the field `search_grids`; `GRIDS` below
makes them. All are laid in units t in [-1, 1] of the data, in the charts of `inner_lines`:

    grid              chart     initial lines u(t)
    "zeros"           "circle"  by the zero of u, among the data and outside
    "outer zeros"     "side"    by the zero of u, outside the data
    "gaps"            "gap"     by the zero of u, in a gap that the data grow towards
    "scales"          "scale"   by the scale theta of u = theta t
    "domain"          "ends"    both ends in a bounded or half-bounded domain
    "near domain"     "ends"    the same, as if an end of the domain far from 0 were infinite
    "cells"           "ends"    both ends between two neighbouring singular points of f
    "poles"           "ends"    singular points of f at the poles that the data show
    "features"        "ends"    scales and shifts for a function with one feature of size 1
    "oscillations"    "ends"    the same, denser, for a function that may oscillate
    "frequencies"     "ends"    u = omega t + phase for sin and cos
    "catenaries"      "ends"    u = omega t + beta for cosh

The last two need a grid of omega alone, because at each omega the rest is linear least squares: for
the sine in cos(omega t), sin(omega t) and 1, with normal equations made of the sums

    (S13)  sum_n e^(i omega t_n),  sum_n z_n e^(i omega t_n)

(Lomb 1976; Scargle 1982, with a free constant). For all omega of a uniform grid these are one
matrix product, because e^(i (omega_1 + omega_2) t) is a product. For cosh the three functions are
cosh(omega t), sinh(omega t) and 1.
"""

from collections.abc import Callable
from itertools import pairwise

import numpy as np

from kan_ref.checks import FloatArray, IntArray
from kan_ref.functions import EVERYWHERE, Function, near_domain, singular_points
from kan_ref.symbolic.inner_lines import (
    Chart,
    LineStarts,
    free_number,
    inside,
    one_row,
    pole_ends,
    pole_gaps,
)

# Ends: beyond them a curve is nearly a simpler one, or narrower than the samples. Densities: all
# of 12 clean curves of each library function (300 samples,
# `benchmarks.symbolic_search.draw_curve`) are found with a sixth of the points of any one grid;
# the rest is margin for noise and for other curves.
ZERO_DISTANCES = np.geomspace(1e-4, 300.0, 45)  # 40 % apart; farther out, a line to 1/300
INNER_ZEROS = np.linspace(-1.0, 1.0, 81)  # 1/80 of the range of the data apart
EXP_SCALES = np.geomspace(0.02, 200.0, 60)  # 17 % apart; a line to 1 %, up to a jump at one end
GAP_FRACTIONS = np.geomspace(1e-5, 0.5, 12)  # of the gap, dense where one sample outweighs all
CELL_REACH = 4.0  # periods: holds the singular points nearest to 0
CELLS_BESIDE = 2  # on each side of the cell around 0
DOMAIN_FRACTIONS = np.array([1e-4, 2e-3, 0.01, 0.03, 0.08, 0.16, 0.27, 0.39])  # dense at its ends
END_DISTANCES = np.geomspace(1e-3, 100.0, 24)  # 65 % apart, from the finite end of the domain
FLAT = 6.0  # |u| where tanh, sigmoid, gaussian are constant to 1 %: no feature lies beyond
SHIFT_STEP = 0.7  # of u: less than the size 1 of a feature; a quarter period of sin is 1.6
FEATURE_SCALES = np.geomspace(0.05, 60.0, 28)  # 30 % apart: all features have one size
SLOW_SCALES = np.geomspace(0.05, 0.7, 6)  # 70 % apart: less than one oscillation on the data
FAST_SCALES = np.arange(1.4, 42.0, SHIFT_STEP)  # the ends of u move by the step of the shifts
OSCILLATION_SCALES = np.concatenate([SLOW_SCALES, FAST_SCALES])
# 31 % apart up to 1, then a tenth of a period of tan
POLE_SCALES = np.concatenate([np.geomspace(0.05, 1.0, 12), np.arange(1.2, 40.0, 0.3)])
BESIDE_POLE = 1e-6  # from a singular point: inside all other features of f
FREQUENCY_STEP = 0.3  # of omega: a tenth of pi, the half-width of a spectral peak on [-1, 1]
MOST_ROOT = 60  # of the number of frequencies: 60^2 reach omega = 1080
LOW_FREQUENCIES = np.array([0.02, 0.05, 0.1, 0.2])  # below the step: a sine is nearly a parabola
N_PHASES = 8  # of half a period, at each low frequency, where least squares is nearly singular
COSH_SCALES = np.geomspace(0.01, 100.0, 100)  # 10 % apart; a parabola to 1e-5, up to a jump
LARGEST_TANH = 1.0 - 1e-9  # |beta| <= 10.7 where sinh outweighs cosh
NEAR_BETA = 2.0  # |beta| at most, of a second start nearer to the middle
NEARLY_SINGULAR, TINY = 1e-14, 1e-300  # determinants below: rounding of the products; no 0 / 0

Grid = Callable[[Function, FloatArray, FloatArray, IntArray], list[LineStarts]]


def coarse_starts(
    function: Function, t: FloatArray, z: FloatArray, some: IntArray
) -> list[LineStarts]:
    """Return the initial values of the search for one function.

    Parameters
    ----------
    function : Function
        Any but a constant or a line.
    t : (n,)
        Nondecreasing, from -1 to 1.
    z : (n,)
    some : (m,) of int
        Samples by which initial values are compared.

    Returns
    -------
    starts : list of LineStarts
        One entry for each chart; together some hundred lines, some thousand for a registered
        function.
    """
    names = function.search_grids or grids_by_redundancy(function)
    return [starts for name in names for starts in GRIDS[name](function, t, z, some)]


def grids_by_redundancy(function: Function) -> tuple[str, ...]:
    """Return the grids for a registered function by `redundancy`, `domain` and poles alone."""
    bounded, near = function.domain != EVERYWHERE, near_domain(function.domain)
    if function.redundancy.kind in ("power", "log"):
        if function.singular:
            return "outer zeros", "gaps"
        return ("outer zeros",) if bounded else ("zeros",)
    if function.redundancy.kind == "exp":
        return ("scales",)
    if function.singular:
        return "cells", "poles"
    if near == EVERYWHERE:
        return ("domain", "oscillations") if bounded else ("oscillations",)
    return ("domain",) if near == function.domain else ("domain", "near domain")


# --- one inner parameter: powers, log, exp


def _zeros(function: Function, t: FloatArray, z: FloatArray, some: IntArray) -> list[LineStarts]:
    """Return lines of chart (S7), by their zeros among the data and on both sides of them."""
    beyond = 1.0 + ZERO_DISTANCES
    zeros = np.concatenate([-beyond[::-1], INNER_ZEROS, beyond])
    return [one_row(Chart("circle"), np.arctan2(1.0, -zeros)[:, None])]


def _outer_zeros(
    function: Function, t: FloatArray, z: FloatArray, some: IntArray
) -> list[LineStarts]:
    """Return lines of chart (S8), by their zeros outside the data."""
    slopes = 1.0 / (1.0 + ZERO_DISTANCES)
    return [one_row(Chart("side"), np.arcsin(np.concatenate([-slopes, slopes[::-1]]))[:, None])]


def _gaps(function: Function, t: FloatArray, z: FloatArray, some: IntArray) -> list[LineStarts]:
    """Return lines of chart (S9), by their zeros in each gap between samples that may hold one."""
    fractions = np.concatenate([GAP_FRACTIONS, 1.0 - GAP_FRACTIONS[-2::-1]])
    theta = np.arcsin(2.0 * fractions - 1.0)[:, None]
    return [one_row(Chart("gap", *gap), theta) for gap in pole_gaps(t, z)]


def _scales(function: Function, t: FloatArray, z: FloatArray, some: IntArray) -> list[LineStarts]:
    """Return lines of chart (S10)."""
    return [one_row(Chart("scale"), np.concatenate([-EXP_SCALES[::-1], EXP_SCALES])[:, None])]


# --- two inner parameters, chart (S11)


def _domain(function: Function, t: FloatArray, z: FloatArray, some: IntArray) -> list[LineStarts]:
    """Return lines with both ends in the domain."""
    return [_pairs_of_ends(function, *function.domain)]


def _near(function: Function, t: FloatArray, z: FloatArray, some: IntArray) -> list[LineStarts]:
    """Return lines with both ends in a domain of which one end is far from 0."""
    return [inside(_pairs_of_ends(function, *near_domain(function.domain)), *function.domain)]


def _cells(function: Function, t: FloatArray, z: FloatArray, some: IntArray) -> list[LineStarts]:
    """Return lines with both ends between two neighbouring singular points of f, one entry each.

    An end of the domain counts as one. The cells are that around 0, which is enough where singular
    points repeat, and otherwise up to `CELLS_BESIDE` on each side of it.
    """
    (low, high), turn = function.domain, function.redundancy.turn
    reach = CELL_REACH * turn or np.inf
    points = singular_points(function, max(low, -reach), min(high, reach))
    middle, beside = int(np.sum(points <= 0.0)), 0 if turn else CELLS_BESIDE
    cells = list(pairwise([low, *points.tolist(), high]))[max(middle - beside, 0) :]
    return [_pairs_of_ends(function, *cell) for cell in cells[: min(middle, beside) + beside + 1]]


def _pairs_of_ends(function: Function, low: float, high: float) -> LineStarts:
    """Return lines with both ends on a grid of (low, high) that is denser at its finite ends.

    At least one of low, high is finite.
    """
    if np.isfinite(low) and np.isfinite(high):
        fractions = np.concatenate([DOMAIN_FRACTIONS, [0.5], 1.0 - DOMAIN_FRACTIONS[::-1]])
        places = low + (high - low) * fractions
    elif np.isfinite(low):
        places = low + END_DISTANCES
    else:
        places = high - END_DISTANCES[::-1]
    first, last = (ends.ravel() for ends in np.meshgrid(places, places, indexing="ij"))
    # u and -u give the same curve of an even or odd function
    chosen = first < last if function.redundancy.parity else first != last
    chart, ends = Chart("ends", low, high), np.stack([first[chosen], last[chosen]], axis=1)
    return LineStarts(chart, free_number(chart, ends), np.searchsorted(places, first[chosen]))


def _poles(function: Function, t: FloatArray, z: FloatArray, some: IntArray) -> list[LineStarts]:
    """Return lines that put a singular point of f at the first pole that the data show.

    They have every scale, and those that put another one at the last pole: these alone where the
    singular points of f repeat, so that a pole that no sample came near may be missed.
    """
    turn, signs = function.redundancy.turn, [1.0] if function.redundancy.parity else [1.0, -1.0]
    lines = []
    for point in function.singular:
        beside = BESIDE_POLE * max(1.0, abs(point))
        is_even = np.prod(np.sign(function.f(np.array([point - beside, point + beside])))) > 0.0
        for first, last, n_poles in pole_ends(t, z, is_even=bool(is_even)):
            scales, others = POLE_SCALES, np.zeros(0)
            if n_poles > 1 and turn > 0.0:
                scales = turn * np.arange(n_poles - 1, 2 * n_poles + 1) / (last - first)
            elif n_poles > 1:
                others = (np.setdiff1d(function.singular, point) - point) / (last - first)
            scales = np.append(np.outer(signs, scales), others)
            lines.append(point - np.outer(scales, [first + 1.0, first - 1.0]))
    theta = np.concatenate([np.zeros((0, 2)), *lines])
    return [LineStarts(Chart("ends"), theta, np.arange(len(theta)))] if lines else []


def _with_shifts(scales: FloatArray) -> Grid:
    """Return the grid of lines of these scales with every shift."""
    return lambda function, t, z, some: [_scales_and_shifts(function, scales)]


def _scales_and_shifts(function: Function, scales: FloatArray) -> LineStarts:
    """Return lines of every scale, with shifts so that some of |u| < FLAT falls on the data."""
    lines: list[FloatArray] = []
    rows: list[IntArray] = []
    for sign in (1.0,) if function.redundancy.parity else (1.0, -1.0):
        for scale in scales:
            reach = scale + FLAT
            shifts = np.linspace(-reach, reach, 2 * int(reach / SHIFT_STEP) + 3)
            lines.append(np.stack([shifts - sign * scale, shifts + sign * scale], axis=1))
            rows.append(np.full(len(shifts), len(rows), dtype=np.intp))
    starts = LineStarts(Chart("ends"), np.concatenate(lines), np.concatenate(rows))
    return inside(starts, *function.domain)


# --- two inner parameters, one of them from linear least squares


def _frequencies(
    function: Function, t: FloatArray, z: FloatArray, some: IntArray
) -> list[LineStarts]:
    """Return sines of all frequencies up to that of the samples, by (S13).

    Each has its best phase; low frequencies, where a sine is nearly a parabola, have all phases.
    """
    t, z = t[some], z[some] - np.mean(z[some])
    n, highest = len(t), 0.5 * np.pi * (len(np.unique(t)) - 1)
    root = min(int(np.ceil(np.sqrt(highest / FREQUENCY_STEP))), MOST_ROOT)
    # [eq:periodogram]
    coarse = np.exp(1j * np.outer(FREQUENCY_STEP * root * np.arange(2 * root), t))
    fine = np.exp(1j * np.outer(FREQUENCY_STEP * np.arange(root), t))
    sums, moments = (coarse @ fine.T).ravel(), ((coarse[:root] * z) @ fine.T).ravel()
    # [/eq:periodogram]
    first, double = sums[: root**2], sums[::2]
    cos_cos = 0.5 * (n + double.real) - first.real**2 / n
    sin_sin = 0.5 * (n - double.real) - first.imag**2 / n
    cos_sin = 0.5 * double.imag - first.real * first.imag / n
    of_cos, of_sin = _two_by_two(cos_cos, cos_sin, sin_sin, moments.real, moments.imag)
    n_low = len(LOW_FREQUENCIES)
    all_phases = np.tile(np.pi * np.arange(N_PHASES) / N_PHASES, n_low)
    phase = np.concatenate([all_phases, np.arctan2(of_cos, of_sin)[1:]])
    phase = phase - (0.0 if function.name == "sin" else 0.5 * np.pi)
    omega = FREQUENCY_STEP * np.arange(1, root**2)
    omega = np.concatenate([LOW_FREQUENCIES.repeat(N_PHASES), omega])
    row = np.concatenate([np.arange(n_low).repeat(N_PHASES), np.full(root**2 - 1, n_low)])
    return [LineStarts(Chart("ends"), np.stack([phase - omega, phase + omega], axis=1), row)]


def _catenaries(
    function: Function, t: FloatArray, z: FloatArray, some: IntArray
) -> list[LineStarts]:
    """Return lines omega t + beta for cosh: for each omega the best beta, and half of it, clipped.

    A cosh(omega t) + B sinh(omega t) is c cosh(omega t + beta) with tanh beta = B/A; |B| > |A| is
    the limit of large beta.
    """
    t, z = t[some], z[some] - np.mean(z[some])
    angles = np.outer(COSH_SCALES, t)
    even, odd = (part(angles) / np.cosh(COSH_SCALES)[:, None] for part in (np.cosh, np.sinh))
    even, odd = (part - part.mean(axis=1, keepdims=True) for part in (even, odd))
    even_even, even_odd, odd_odd = (
        np.einsum("sn,sn->s", one, two) for one, two in ((even, even), (even, odd), (odd, odd))
    )
    of_even, of_odd = _two_by_two(even_even, even_odd, odd_odd, even @ z, odd @ z)
    ratio = of_odd / np.where(of_even == 0.0, TINY, of_even)
    beta = np.arctanh(np.clip(ratio, -LARGEST_TANH, LARGEST_TANH))
    beta = np.concatenate([beta, np.clip(0.5 * beta, -NEAR_BETA, NEAR_BETA)])
    omega, row = np.tile(COSH_SCALES, 2), np.arange(2).repeat(len(COSH_SCALES))
    return [LineStarts(Chart("ends"), np.stack([beta - omega, beta + omega], axis=1), row)]


def _two_by_two(
    aa: FloatArray, ab: FloatArray, bb: FloatArray, ya: FloatArray, yb: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return the solutions of many symmetric two by two systems, rough where nearly singular."""
    determinant = np.maximum(aa * bb - ab**2, NEARLY_SINGULAR * aa * bb + TINY)
    return (bb * ya - ab * yb) / determinant, (aa * yb - ab * ya) / determinant


GRIDS: dict[str, Grid] = {
    "zeros": _zeros,
    "outer zeros": _outer_zeros,
    "gaps": _gaps,
    "scales": _scales,
    "domain": _domain,
    "near domain": _near,
    "cells": _cells,
    "poles": _poles,
    "features": _with_shifts(FEATURE_SCALES),
    "oscillations": _with_shifts(OSCILLATION_SCALES),
    "frequencies": _frequencies,
    "catenaries": _catenaries,
}
