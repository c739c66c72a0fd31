"""Fit one function of the library to samples: y ~ c f(a x + b) + d, in canonical form.

`variable_projection.best_line` searches the inner line for t in [-1, 1] and z of mean 0 and
standard deviation 1, so no range and no scale of the data is special. With p, q the values of the
line at the first and the last sample, in the units of x it is

    (S17)  a = (q - p) / (high - low),    b = p - a low  or  b = q - a high

and c, d follow from least squares on the samples themselves, (S14). A step function has no
derivative to search by. Instead, each break between two samples and at a sample is tried; sums S
and numbers n of the samples on both sides give

    (S18)  misfit saved = (S_over - S_under)^2 / (n_under + n_over - (n_over - n_under)^2 / n)
"""

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from kan_ref import checks
from kan_ref.checks import FloatArray
from kan_ref.functions import Function, lookup, singular_points
from kan_ref.symbolic.canonical import Affine, canonical_affine
from kan_ref.symbolic.variable_projection import best_line

EPS = float(np.finfo(np.float64).eps)
ROUNDING = 16.0 * EPS  # of max |y|, in y: a value of a spline is a sum of a few terms
SAME = 1e-12  # of the standard deviation of y: fits that differ by less differ by rounding
CLEARANCE = 8.0 * EPS  # relative, of a: more than the rounding of a x + b at both ends
WIDE = 0.1  # an interval between singular points must be wider to hold the data
LARGEST_LOG_SCALE = 300.0  # log of s^n, with which the squares of powers are float64 numbers
LARGEST_ARGUMENT = 100.0  # |u| at which exp and cosh are far from overflow
FINITE_POLES = 10.0  # |u| within which `_constant` looks for singular points


@dataclass(frozen=True)
class AffineFit:
    """A curve c f(a x + b) + d and its errors on the samples to which it was fitted.

    Parameters
    ----------
    name : str
        Of f, which each call of the record takes from the library.
    a, b, c, d : float
        Canonical, see `kan_ref.symbolic.canonical`.
    r2 : float
        1 - SS_res / SS_tot, on any scale of y. If y is constant up to rounding: 1 where the curve
        reproduces it, else 0.
    rms : float
        Root mean square of y - c f(a x + b) - d.
    singular : tuple of float
        Points x inside the range of the samples at which the curve is infinite, increasing.
    score : float
        From `rank_functions`, else 0. Scores are comparable within one ranking only.
    """

    name: str
    a: float
    b: float
    c: float
    d: float
    r2: float
    rms: float
    singular: tuple[float, ...] = ()
    score: float = 0.0

    @property
    def affine(self) -> Affine:
        """The parameters (a, b, c, d)."""
        return self.a, self.b, self.c, self.d

    def __call__(self, x: FloatArray) -> FloatArray:
        """Return the values of the curve at `x`, of any shape."""
        return _values(lookup(self.name), self.affine, np.asarray(x, dtype=np.float64))


@dataclass(frozen=True)
class Samples:
    """Checked samples (x, y), and the same sorted and standardised for the search.

    y = mean + std z over t in [-1, 1]; `std` is the standard deviation, or 0 where x or y is
    constant and determines no curve. Then t and z are 0 too.
    """

    x: FloatArray
    y: FloatArray
    t: FloatArray
    z: FloatArray
    low: float
    high: float
    mean: float
    std: float


def fit_affine(x: object, y: object, name: object) -> AffineFit:
    """Fit a, b, c, d of the curve c f(a x + b) + d to samples by least squares.

    Parameters
    ----------
    x, y : (n,)
        Finite, at least one sample; any range, sizes between 1e-100 and 1e100.
    name : str
        Of the function f in `LIBRARY`.

    Returns
    -------
    fit : AffineFit
        The smallest sum of squares found from a coarse grid. A better fit may exist where noise is
        large, or samples are few. All samples lie in the domain of the curve. c = 0 if x or y is
        constant or no curve is defined at all samples.

    Raises
    ------
    ValueError
        If the name is unknown ("name is 'sine', but must be one of ... (did you mean 'sin'?)"), the
        numbers of samples differ or are 0, or a sample is not finite.
    TypeError
        If the samples are not real numbers.

    Notes
    -----
    Takes 1 to 15 ms for 1000 samples on one core, and some 0.1 s for a function with poles that do
    not repeat. A pole between two samples is accepted only if the samples grow
    towards it on both sides; it is listed in `singular`. See tutorials/08_symbols.md.

    Examples
    --------
    >>> x = np.linspace(-1.0, 1.0, 200)
    >>> fit = fit_affine(x, 3.0 * np.exp(-0.5 * x) + 1.0, "exp")
    >>> [float(f"{number:.6g}") for number in fit.affine]
    [-0.5, 0.0, 3.0, 1.0]
    """
    function = lookup(name)
    return fit_samples(function, standardise(*check_samples(x, y)))


def check_samples(x: object, y: object) -> tuple[FloatArray, FloatArray]:
    """Return x and y as arrays (n,); raise if they are not finite or differ in length."""
    x, y = checks.array("x", x, ("n",)), checks.array("y", y, ("n",))
    if len(x) != len(y) or len(x) == 0:
        raise ValueError(
            f"x has {len(x)} samples and y has {len(y)}, "
            "but a fit needs as many of both, at least 1"
        )
    return x, y


def standardise(x: FloatArray, y: FloatArray) -> Samples:
    """Return samples (n,) as the search needs them; raise ValueError where y is not finite."""
    order = np.argsort(x, kind="stable")
    low, high = float(x[order[0]]), float(x[order[-1]])
    largest = float(np.abs(y).max())
    if not np.isfinite(largest):  # the output of an edge may overflow
        raise ValueError(f"y reaches {largest}, but must be finite")
    mean, std = float(np.mean(y)), float(np.std(y))
    if low == high or std == 0.0 or float(np.ptp(y)) <= ROUNDING * largest:
        return Samples(x, y, np.zeros(len(x)), np.zeros(len(x)), low, high, mean, 0.0)
    t = (x[order] - low) / (0.5 * (high - low)) - 1.0
    return Samples(x, y, np.clip(t, -1.0, 1.0), (y[order] - mean) / std, low, high, mean, std)


def fit_samples(function: Function, samples: Samples) -> AffineFit:
    """Fit one function to checked samples, as `fit_affine` does."""
    if samples.std == 0.0 or function.redundancy.kind == "constant":
        return _constant(function, samples)
    fits = [_with_outer(function, samples, a, b) for a, b in _inner_lines(function, samples)]
    fits = [fit for fit in fits if np.isfinite(fit.rms)]
    if not fits:
        return _constant(function, samples)
    least = min(fit.rms for fit in fits)
    return next(fit for fit in fits if fit.rms <= max(least, min(2.0 * least, SAME * samples.std)))


def _inner_lines(function: Function, samples: Samples) -> list[tuple[float, float]]:
    """Return (a, b) of the best inner lines, which are equal up to rounding."""
    if function.redundancy.kind == "line":
        return [(1.0, 0.0)]
    if function.name == "sgn":
        return [(1.0, -_best_break(samples))]
    ends = best_line(function, samples.t, samples.z)
    return [] if ends is None else _lines(function, samples, *ends)


def _lines(function: Function, samples: Samples, p: float, q: float) -> list[tuple[float, float]]:
    """Return (a, b) of the line from p at the first sample to q at the last, by (S17).

    The candidates are equal up to rounding, the simplest first.
    """
    width = samples.high - samples.low
    if p == q:
        return []
    scale, kind = width / abs(q - p), function.redundancy.kind
    if kind == "log" or (
        kind == "power" and abs(function.redundancy.degree * math.log(scale)) < LARGEST_LOG_SCALE
    ):
        # a is 1 or -1 first: then -b is exactly the sample at which u is 0
        p, q = p * scale, q * scale
    a, lines = (q - p) / width, []
    turn = function.redundancy.turn
    if turn > 0.0 and samples.low * samples.high > 0.0:
        # far from x = 0 a phase near a whole number of periods is made one, and a takes up the
        # rest: sin(15 x) over [99, 101]
        b = turn * float(np.round((p - a * samples.low) / turn))
        lines.append(((p + q - 2.0 * b) / (samples.low + samples.high), b))
    lines += [(a, p - a * samples.low), (a, q - a * samples.high)]
    # the last one is shorter, because rounding may move an end across the end of the domain
    inner = a * (1.0 - CLEARANCE)
    return [*lines, (inner, 0.5 * (p + q) - inner * 0.5 * (samples.low + samples.high))]


def _with_outer(function: Function, samples: Samples, a: float, b: float) -> AffineFit:
    """Return the fit with the best c and d for an inner line; its rms is inf if f is undefined."""
    with np.errstate(all="ignore"):
        g = function.f(a * samples.x + b)
        middle = float(np.mean(g))
        g = g - middle
        c = float((g @ (samples.y - samples.mean)) / (g @ g)) if g.any() else 0.0
    if not np.isfinite(c):
        return AffineFit(function.name, a, b, 0.0, samples.mean, 0.0, np.inf)
    return _measured(
        function, samples, canonical_affine(function, (a, b, c, samples.mean - c * middle))
    )


def _constant(function: Function, samples: Samples) -> AffineFit:
    """Return the fit with c = 0 and an inner line in the domain of f, away from poles."""
    low, high = function.domain
    poles = singular_points(function, max(low, -FINITE_POLES), min(high, FINITE_POLES))
    walls = [low, *poles, high]
    left, right = next((one, two) for one, two in pairwise(walls) if two - one > WIDE)
    if np.isfinite(left) and np.isfinite(right):
        width = samples.high - samples.low
        a = min(1.0, 0.5 * (right - left) / width) if width > 0.0 else 1.0
        b = 0.5 * (left + right) - a * 0.5 * (samples.low + samples.high)
    elif np.isfinite(left) or np.isfinite(right):
        a = 1.0
        b = left + 1.0 - samples.low if np.isfinite(left) else right - 1.0 - samples.high
    else:
        largest = max(abs(samples.low), abs(samples.high))
        a, b = min(1.0, LARGEST_ARGUMENT / max(largest, LARGEST_ARGUMENT)), 0.0
    return _measured(function, samples, canonical_affine(function, (a, b, 0.0, samples.mean)))


def _values(function: Function, affine: Affine, x: FloatArray) -> FloatArray:
    """Return c f(a x + b) + d, NaN where f is undefined."""
    a, b, c, d = affine
    with np.errstate(all="ignore"):
        return np.asarray(c * function.f(a * x + b) + d)


def _measured(function: Function, samples: Samples, affine: Affine) -> AffineFit:
    """Return the fit of a curve; its rms is infinite if the curve is undefined at a sample."""
    rest = samples.y - _values(function, affine, samples.x)
    rms = float(np.sqrt(np.mean(rest**2)))
    rounding = ROUNDING * float(np.abs(samples.y).max())
    # [eq:r2]
    r2 = 1.0 - (rms / samples.std) ** 2 if samples.std else float(rms <= rounding)
    # [/eq:r2]
    a, b, c, _ = affine
    ends = sorted((a * samples.low + b, a * samples.high + b))
    poles = singular_points(function, *ends) if c != 0.0 else np.zeros(0)
    singular = tuple(sorted(float(u - b) / a for u in poles))
    finite = np.isfinite([rms, *affine]).all()
    return AffineFit(function.name, *affine, r2, rms if finite else np.inf, singular)


def _best_break(samples: Samples) -> float:
    """Return the best break x of a step between two constants, by (S18).

    It lies between two samples, or at a sample, which then has the value sgn(0) = 0.
    """
    places, group = np.unique(samples.x, return_inverse=True)
    count, total = (
        np.bincount(group).astype(np.float64),
        np.bincount(group, samples.y - samples.mean),
    )
    below, sum_below = np.cumsum(count), np.cumsum(total)
    n = float(len(samples.x))
    gaps = places[:-1] + 0.5 * (places[1:] - places[:-1])
    under, over = (
        np.concatenate([below[:-1], below - count]),
        np.concatenate([(n - below)[:-1], n - below]),
    )
    moment = np.concatenate([-2.0 * sum_below[:-1], total - 2.0 * sum_below])
    size = under + over - (over - under) ** 2 / n
    gain = np.where(size > 0.5 / n, moment**2 / np.maximum(size, 0.5 / n), 0.0)
    return float(np.concatenate([gaps, places])[int(np.argmax(gain))])
