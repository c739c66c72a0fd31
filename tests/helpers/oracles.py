"""Slow truth for B-splines, in exact fractions, straight from the definition.

The recursion of Cox and de Boor runs on Taylor series in h around a point: with X = centre + h, the factor X - t_m is the
series (centre - t_m) + h. Term r of the result is the r-th derivative divided by r!, without any formula for derivatives.

Conventions: intervals t_m <= x < t_{m+1}; the last non-empty one of the row also owns its right end; 0/0 := 0; outside the
row everything is 0. A derivative is that of the piece which owns the point: a right limit, at the last knot a left one.
"""

import math
from fractions import Fraction
from functools import cache
from itertools import combinations

import mpmath
import numpy as np
import sympy


def owner(x, row):
    """Index m of the interval [t_m, t_{m+1}) that owns x, or None outside the row."""
    filled = [m for m in range(len(row) - 1) if row[m] < row[m + 1]]
    if x == row[-1]:
        return filled[-1]
    return next((m for m in filled if row[m] <= x < row[m + 1]), None)


def owner_in_grid(x, row, degree):
    """As `owner`, but among the pieces of [a, b], whose first and last go on for ever."""
    pieces = [m for m in range(degree, len(row) - degree - 1) if row[m] < row[m + 1]]
    return max([m for m in pieces if row[m] <= x], default=pieces[0])


def taylor(row, degree, piece, centre, n_terms):
    """For every B-spline of the row the first terms of its polynomial on one piece, in powers of X - centre."""
    t, centre = [Fraction(float(knot)) for knot in row], Fraction(centre)
    nothing = [Fraction(0)] * n_terms
    series = [nothing if m != piece else [Fraction(1), *nothing[1:]] for m in range(len(t) - 1)]
    for d in range(1, degree + 1):
        series = [
            _sum(
                _linear_times(centre - t[m], 1, t[m + d] - t[m], series[m]),
                _linear_times(t[m + d + 1] - centre, -1, t[m + d + 1] - t[m + 1], series[m + 1]),
            )
            for m in range(len(t) - 1 - d)
        ]
    return series


def _linear_times(constant, slope, denominator, series):
    """(constant + slope h) / denominator times a series, cut to its length; 0/0 := 0."""
    if denominator == 0 or not any(series):
        return [Fraction(0)] * len(series)
    raised = [Fraction(0), *series[:-1]]
    return [(constant * term + slope * lower) / denominator for term, lower in zip(series, raised, strict=True)]


def _sum(one, other):
    return [a + b for a, b in zip(one, other, strict=True)]


def exact_basis(x, row, degree, derivative=0):
    """The given derivative of every B-spline of the row at the float x, as fractions."""
    piece = owner(x, row)
    if piece is None:
        return [Fraction(0)] * (len(row) - degree - 1)
    return [math.factorial(derivative) * terms[derivative] for terms in taylor(row, degree, piece, x, derivative + 1)]


def exact_integral(row, degree, low, high):
    """The integral of every B-spline of the row over [low, high], as fractions."""
    total = [Fraction(0)] * (len(row) - degree - 1)
    for m in range(len(row) - 1):
        start, stop = max(low, row[m]), min(high, row[m + 1])
        if start < stop:
            width = Fraction(float(stop)) - Fraction(float(start))
            pieces = taylor(row, degree, m, float(start), degree + 1)
            total = _sum(
                total, [sum(term * width ** (r + 1) / (r + 1) for r, term in enumerate(terms)) for terms in pieces]
            )
    return total


def exact_curve(x, row, degree, coef, derivative=0):
    """The curve with these coefficients at x: B-splines of the whole row, fading towards its ends."""
    return sum(
        Fraction(float(c)) * value for c, value in zip(coef, exact_basis(x, row, degree, derivative), strict=True)
    )


def exact_continued(x, row, degree, coef):
    """The curve on [a, b] at x, its first and last polynomial continued outside."""
    values = taylor(row, degree, owner_in_grid(x, row, degree), x, 1)
    return sum(Fraction(float(c)) * value for c, (value,) in zip(coef, values, strict=True))


def exact_blossom(row, degree, coef, piece, arguments):
    """The polar form of the curve's polynomial on [t_piece, t_{piece+1}): x^r becomes the mean of all r-fold products."""
    pieces = taylor(row, degree, piece, 0, degree + 1)
    power = [
        sum(Fraction(float(c)) * terms[r] for c, terms in zip(coef, pieces, strict=True)) for r in range(degree + 1)
    ]
    u = [Fraction(float(argument)) for argument in arguments]
    means = [
        sum(math.prod(chosen) for chosen in combinations(u, r)) / Fraction(math.comb(degree, r))
        for r in range(degree + 1)
    ]
    return sum(a * mean for a, mean in zip(power, means, strict=True))


def oslo_matrix(row, degree, new):
    """The matrix from coefficients on a row to those on a row that contains it (Cohen, Lyche & Riesenfeld 1980), (n_new, n_basis).

    The recursion of Cox and de Boor with the argument t'_{n+d} at level d; it shares no formula with the blossom.
    """
    n_new = len(new) - degree - 1
    t = new[:n_new, None]
    matrix = ((row[:-1] <= t) & (t < row[1:])).astype(float)
    for d in range(1, degree + 1):
        low, high = row[:-d], row[d:]
        t = np.clip(new[d : d + n_new, None], low, high)
        span = np.where(high > low, high - low, np.inf)
        matrix = ((t - low) / span * matrix)[:, :-1] + ((high - t) / span * matrix)[:, 1:]
    return matrix


def difference(array, fractions):
    """Absolute difference of float64 numbers from exact ones, elementwise, as float64 without cancellation."""
    pairs = zip(np.ravel(array), fractions, strict=True)
    return np.array([float(abs(Fraction(float(number)) - exact)) for number, exact in pairs])


@cache
def _silu_derivative(order):
    x = sympy.Symbol("x")
    return sympy.lambdify(x, sympy.diff(x / (1 + sympy.exp(-x)), x, order), modules="mpmath")


def exact_silu(x, order):
    """A derivative of x / (1 + e^-x) at the float x, differentiated by SymPy, evaluated with 50 digits where that is safe."""
    # the derivatives are sums of quotients with powers of e^|x|, which cancel: work with that many digits more
    with mpmath.workdps(50 + 2 * int(min(abs(x), 800.0))):
        return _silu_derivative(order)(mpmath.mpf(float(x)))
