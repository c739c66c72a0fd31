"""The curve of one function nearest to samples: y ~ c f(a x + b) + d, told in one way.

The search for the inner line is `affine_search.best_line`, in units t in [-1, 1] and z of mean 0 and size 1, so no range and no scale
of the data is special. Here the line goes back to x. With p, q its values at the first and last sample,

    (A1)  a = (q - p) / (high - low),    b = p - a low  or  q - a high

and c, d by least squares on the samples themselves, (V1) of `affine_search`. A step function has no slope to search by; for it every
break between two samples and at one is tried, by sums from the left:

    (A2)  misfit saved = (S_over - S_under)^2 / (n_under + n_over - (n_over - n_under)^2 / n)
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from kan_ref.checks import FloatArray, check_float_array
from kan_ref.functions import Function, lookup, singular_points
from kan_ref.symbolic.gauge import Affine, canonical_affine
from kan_ref.symbolic.variable_projection import best_line

EPS = float(np.finfo(np.float64).eps)
# What y may owe to rounding, as a share of its largest number: a spline is a sum of a few terms.
ROUNDING = 16.0 * EPS
# Fits that differ by less than this share of the spread of y are the same but for rounding.
SAME = 1e-12


@dataclass(frozen=True)
class AffineFit:
    """A curve c f(a x + b) + d and how near it comes to the samples it was fitted to.

    Parameters
    ----------
    name : str
        Of f in the library.
    a, b, c, d : float
        Canonical, see `affine_gauge`.
    r2 : float
        1 - SS_res / SS_tot, whatever the scale of y; if the samples of y are all the same up to rounding, 1 where they are
        reproduced, else 0.
    rms : float
        Root mean square of y - c f(a x + b) - d.
    singular : tuple of float
        Points x inside the samples' range at which the curve becomes infinite, rising.
    score : float
        From `affine_rank.rank_functions`; 0 without a ranking. Scores of one ranking can be compared, others not.
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
        """(a, b, c, d)."""
        return self.a, self.b, self.c, self.d

    def __call__(self, x: FloatArray) -> FloatArray:
        """Values of the curve at each number of `x`."""
        return _values(lookup(self.name), self.affine, np.asarray(x, dtype=np.float64))


@dataclass(frozen=True)
class Samples:
    """Samples as they came, but y in units of a power of two, and for the search sorted, as y = mean + spread z over t in [-1, 1].

    `spread` is 0 if no curve can be told: if x or y is all the same.
    """

    x: FloatArray
    y: FloatArray
    t: FloatArray
    z: FloatArray
    low: float
    high: float
    mean: float
    spread: float
    unit: float


def fit_affine(x: object, y: object, name: object) -> AffineFit:
    """The curve c f(a x + b) + d nearest to samples, f by name.

    Parameters
    ----------
    x, y : (n,)
        Finite, at least one sample. Any range, any scale.
    name : str
        Of a function in `LIBRARY`.

    Returns
    -------
    fit : AffineFit
        The least sum of squares that the search finds: it starts from a coarse grid, so with much noise or few samples a better one
        may exist. Every sample lies in the domain of the curve. If x or y is all the same, or no curve lies there, c = 0.

    Raises
    ------
    ValueError
        "name is 'sine', but must be one of ... (did you mean 'sin'?)"; "x has 5 samples and y has 4, ..."; samples that are not finite.
    TypeError
        Samples that are no real numbers.

    Notes
    -----
    Between 1 and 15 ms of one core for 1000 samples. A pole between two samples is accepted only if the samples grow towards it on both
    sides, and stands in `singular`. See tutorials/08_symbols.md, "variable projection".

    Examples
    --------
    >>> x = np.linspace(-1.0, 1.0, 200)
    >>> fit = fit_affine(x, 3.0 * np.exp(-0.5 * x) + 1.0, "exp")
    >>> [float(f"{number:.6g}") for number in fit.affine]
    [-0.5, 0.0, 3.0, 1.0]
    """
    function = lookup(name)
    return fit_samples(function, read_samples(x, y))


def read_samples(x: object, y: object) -> Samples:
    """The door: samples (n,) and (n,), as a search needs them."""
    x, y = check_float_array("x", x, ("n",)), check_float_array("y", y, ("n",))
    if len(x) != len(y) or len(x) == 0:
        raise ValueError(
            f"x has {len(x)} samples and y has {len(y)}, but a fit needs as many of both, at least 1"
        )
    order = np.argsort(x, kind="stable")
    low, high = float(x[order[0]]), float(x[order[-1]])
    if not np.isfinite(high - low):
        raise ValueError(
            f"x reaches from {low:.3g} to {high:.3g}, but its width must be a float64 number"
        )
    unit = float(np.ldexp(1.0, int(np.frexp(np.abs(y).max())[1])))
    y = y / unit
    mean, spread = float(np.mean(y)), float(np.std(y))
    if low == high or float(np.ptp(y)) <= ROUNDING * float(np.abs(y).max()):
        return Samples(x, y, np.zeros(len(x)), np.zeros(len(x)), low, high, mean, 0.0, unit)
    t = (x[order] - low) / (0.5 * (high - low)) - 1.0
    return Samples(
        x, y, np.clip(t, -1.0, 1.0), (y[order] - mean) / spread, low, high, mean, spread, unit
    )


def fit_samples(function: Function, samples: Samples) -> AffineFit:
    """`fit_affine` behind the door."""
    kind = function.gauge.kind
    if samples.spread == 0.0 or kind == "constant":
        return _constant(function, samples)
    if kind == "line":
        return _with_outer(function, samples, 1.0, 0.0)
    if function.name == "sgn":
        return _with_outer(function, samples, 1.0, -_best_break(samples))
    ends = best_line(function, samples.t, samples.z)
    fits = (
        []
        if ends is None
        else [_with_outer(function, samples, a, b) for a, b in _lines(function, samples, *ends)]
    )
    fits = [fit for fit in fits if np.isfinite(fit.rms)]
    if not fits:
        return _constant(function, samples)
    least = min(fit.rms for fit in fits)
    return next(
        fit
        for fit in fits
        if fit.rms <= max(least, min(2.0 * least, SAME * samples.spread * samples.unit))
    )


def _lines(function: Function, samples: Samples, p: float, q: float) -> list[tuple[float, float]]:
    """(a, b) of the line from p at the first sample to q at the last, in the ways that rounding tells apart, the plainest first."""
    width = samples.high - samples.low
    if p == q:
        return []
    if function.gauge.kind in ("power", "log"):
        # the scale first: then -b is the very sample at which u is 0
        p, q = p * width / abs(q - p), q * width / abs(q - p)
    a, lines = (q - p) / width, []
    turn = function.gauge.turn
    if turn > 0.0 and samples.low * samples.high > 0.0:
        # far from x = 0 a phase of nearly whole turns is one, if the slope can take up the rest: sin(15 x) over [99, 101]
        b = turn * float(np.round((p - a * samples.low) / turn))
        lines.append(((p + q - 2.0 * b) / (samples.low + samples.high), b))
    lines += [(a, p - a * samples.low), (a, q - a * samples.high)]
    # one that keeps clear of the ends of the domain, where rounding may have crossed them
    inner = a * (1.0 - 8.0 * EPS)
    return [*lines, (inner, 0.5 * (p + q) - inner * 0.5 * (samples.low + samples.high))]


def _with_outer(function: Function, samples: Samples, a: float, b: float) -> AffineFit:
    """The fit with the best c and d for this inner line; its rms is infinite if f has no value on a sample."""
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
    """The curve c = 0, with an inner line that keeps all samples inside the domain and clear of poles."""
    low, high = function.domain
    walls = [low, *singular_points(function, max(low, -10.0), min(high, 10.0)), high]
    left, right = next((one, two) for one, two in pairwise(walls) if two - one > 0.1)
    middle, width = 0.5 * (samples.low + samples.high), samples.high - samples.low
    if np.isfinite(left) and np.isfinite(right):
        a = min(1.0, 0.5 * (right - left) / width) if width > 0.0 else 1.0
        b = 0.5 * (left + right) - a * middle
    elif np.isfinite(left) or np.isfinite(right):
        a, b = 1.0, left + 1.0 - samples.low if np.isfinite(left) else right - 1.0 - samples.high
    else:
        a, b = 1.0, 0.0
    return _measured(function, samples, canonical_affine(function, (a, b, 0.0, samples.mean)))


def _values(function: Function, affine: Affine, x: FloatArray) -> FloatArray:
    a, b, c, d = affine
    with np.errstate(all="ignore"):
        return np.asarray(c * function.f(a * x + b) + d)


def _measured(function: Function, samples: Samples, affine: Affine) -> AffineFit:
    """The record of a curve that is told in the units of the samples, in the caller's units; its rms is infinite if it has no values."""
    rest = samples.y - _values(function, affine, samples.x)
    rms = float(np.sqrt(np.mean(rest**2)))
    rounding = ROUNDING * float(np.abs(samples.y).max())
    # [eq:r2]
    same = float(np.ptp(samples.y)) <= rounding
    r2 = float(rms <= rounding) if same else 1.0 - (rms / float(np.std(samples.y))) ** 2
    # [/eq:r2]
    a, b, c, d = affine
    ends = sorted((a * samples.low + b, a * samples.high + b))
    poles = singular_points(function, *ends) if c != 0.0 else np.zeros(0)
    singular = tuple(sorted(float(u - b) / a for u in poles))
    numbers = (a, b, c * samples.unit, d * samples.unit)
    return AffineFit(
        function.name,
        *numbers,
        r2,
        rms * samples.unit if np.isfinite([rms, *numbers]).all() else np.inf,
        singular,
    )


def _best_break(samples: Samples) -> float:
    """Where a step between two constants fits best, sgn(0) = 0 counted: between two samples, or at one."""
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
