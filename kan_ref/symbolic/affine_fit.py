"""Fit one function of the library to samples: y ~ c f(a x + b) + d, in canonical form.

`variable_projection.best_line` searches the inner line for t in [-1, 1] and z of mean 0 and
standard deviation 1, so no range and no scale of the data is special. With p, q the values of the
line at the first and the last sample, in the units of x it is

    (S17)  a = (q - p) / (high - low),    b = p - a low  or  b = q - a high

and c, d follow from least squares on the samples themselves, (S14). A step has no derivative to
search by. Of z sorted by t the best one divides the first k from the others, where

    (S18)  misfit saved = (z_1 + ... + z_k)^2 n / (k (n - k))

is largest. No curve has a singular point between samples.
"""

from dataclasses import dataclass

import numpy as np

from kan_ref import checks
from kan_ref.checks import FloatArray
from kan_ref.functions import Function, lookup
from kan_ref.symbolic.canonical import Affine, canonical_affine
from kan_ref.symbolic.variable_projection import EPS, best_line

ROUNDING = 16.0 * EPS  # of max |y|, in y: a value of a spline is a sum of a few terms
CLEARANCE = 8.0 * EPS  # relative, of a: more than the rounding of a x + b at both ends


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
        The name of f in `LIBRARY`.

    Returns
    -------
    fit : AffineFit
        The smallest sum of squares found from a coarse grid. A better fit may exist where noise is
        large, or samples are few. All samples lie in the domain of the curve, which has no pole
        between them. c = 0 if x or y is constant or no curve is defined at all samples.

    Notes
    -----
    Takes 1 to 15 ms for 1000 samples on one core. See tutorials/08_symbols.md.

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
        checks.fail("y", y, f"must have as many samples as x, {len(x)}, and at least 1")
    return x, y


def standardise(x: FloatArray, y: FloatArray) -> Samples:
    """Return samples (n,) as the search needs them; raise ValueError where y is not finite."""
    order = np.argsort(x, kind="stable")
    low, high = float(x[order[0]]), float(x[order[-1]])
    largest = float(np.abs(y).max())
    if not np.isfinite(largest):  # the output of an edge may overflow
        checks.fail("y", largest, "must be finite")
    mean, std = float(np.mean(y)), float(np.std(y))
    if low == high or std == 0.0 or float(np.ptp(y)) <= ROUNDING * largest:
        return Samples(x, y, np.zeros(len(x)), np.zeros(len(x)), low, high, mean, 0.0)
    t = (x[order] - low) / (0.5 * (high - low)) - 1.0
    return Samples(x, y, np.clip(t, -1.0, 1.0), (y[order] - mean) / std, low, high, mean, std)


def fit_samples(function: Function, samples: Samples) -> AffineFit:
    """Fit one function to checked samples, as `fit_affine` does."""
    lines = [] if samples.std == 0.0 else _inner_lines(function, samples)
    fits = [_with_outer(function, samples, a, b) for a, b in lines]
    fits = [fit for fit in fits if np.isfinite(fit.rms)]
    return min(fits, key=lambda fit: fit.rms) if fits else _constant(function, samples)


def _inner_lines(function: Function, samples: Samples) -> list[tuple[float, float]]:
    """Return (a, b) of the best inner line by (S17): forms that differ by rounding only."""
    kind = function.redundancy.kind
    if kind == "constant":
        return []
    if kind == "line":
        return [(1.0, 0.0)]
    is_step = kind == "power" and function.redundancy.degree == 0.0
    ends = _best_step(samples) if is_step else best_line(function, samples.t, samples.z)
    if ends is None or ends[0] == ends[1]:
        return []
    low, high, (p, q) = samples.low, samples.high, ends
    scales = [1.0]
    if kind in ("power", "log"):  # a = 1 or -1: then -b is the very sample at which u is 0
        scales.append((high - low) / abs(q - p))
    lines = []
    for scale in scales:
        a = scale * (q - p) / (high - low)
        lines += [(a, scale * p - a * low), (a, scale * q - a * high)]
    # a little shorter: rounding may have moved an end out of the domain
    a = (q - p) / (high - low) * (1.0 - CLEARANCE)
    return [*lines, (a, 0.5 * (p + q) - a * 0.5 * (low + high))]


def _best_step(samples: Samples) -> tuple[float, float]:
    """Return the ends of the line t - tau with the best step tau between two samples, (S18)."""
    t, k = samples.t, np.arange(1, len(samples.t))
    gain = np.cumsum(samples.z)[:-1] ** 2 / (k * (len(t) - k))
    best = int(np.argmax(np.where(t[1:] > t[:-1], gain, -1.0)))
    tau = 0.5 * float(t[best] + t[best + 1])
    return -1.0 - tau, 1.0 - tau


@np.errstate(all="ignore")
def _with_outer(function: Function, samples: Samples, a: float, b: float) -> AffineFit:
    """Return the fit with the best c and d for an inner line; its rms is inf if f is undefined."""
    g = function.f(a * samples.x + b)
    middle = float(np.mean(g))
    g = g - middle
    c = float((g @ (samples.y - samples.mean)) / (g @ g)) if g.any() else 0.0
    if not np.isfinite(c):
        return AffineFit(function.name, a, b, 0.0, samples.mean, 0.0, np.inf)
    affine = canonical_affine(function, (a, b, c, samples.mean - c * middle))
    return _measured(function, samples, affine)


def _constant(function: Function, samples: Samples) -> AffineFit:
    """Return the fit with a = c = 0 at a point b in the domain of f."""
    low, high = function.domain
    places = np.array([0.5, low + 1.0, high - 1.0, 0.5 * (low + high)])
    places = places[np.isfinite(places)]
    b = float(next((u for u in places if np.isfinite(function.f(np.array([u]))[0])), 0.0))
    affine = canonical_affine(function, (0.0, b, 0.0, samples.mean))
    return _measured(function, samples, affine)


@np.errstate(all="ignore")
def _values(function: Function, affine: Affine, x: FloatArray) -> FloatArray:
    """Return c f(a x + b) + d, NaN where f is undefined."""
    a, b, c, d = affine
    return np.asarray(c * function.f(a * x + b) + d)


def _measured(function: Function, samples: Samples, affine: Affine) -> AffineFit:
    """Return the fit of a curve; its rms is infinite if the curve is undefined at a sample."""
    rest = samples.y - _values(function, affine, samples.x)
    rms = float(np.sqrt(np.mean(rest**2)))
    rounding = ROUNDING * float(np.abs(samples.y).max())
    # [eq:r2]
    r2 = 1.0 - (rms / samples.std) ** 2 if samples.std else float(rms <= rounding)
    # [/eq:r2]
    return AffineFit(function.name, *affine, r2, rms if np.isfinite(rms) else np.inf)
