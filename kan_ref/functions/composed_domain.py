"""Where f(g(u)) is defined, and where it becomes infinite.

Both follow from g on a grid of u: the ends of the domain are the points at which f(g(u)) begins or
ceases to be defined, located by bisection. f(g(u)) can become infinite where g does, and where g
takes a value at which f does, an end of the domain of f included. Those roots of g(u) = s lie
between neighbouring points of the grid with g on both sides of s, or at an extremum of g, which is
a root of g'. A candidate p counts if |f(g)| grows there without bound: on one of the sides it
increases at p + h, h = 1e-3, 1e-4, 1e-5, 1e-6, by steps that hardly shrink, as those of a
logarithm do.
"""

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from kan_ref.checks import FloatArray, IntArray
from kan_ref.functions.record import Function, singular_points

_FINE = np.arange(-2400, 2401) * 0.005  # to 12 on both sides, three times the usual arguments
_FAR = np.geomspace(1e-6, 1e8, 561)
_REACH = 12.0  # of singular points of f(g), and of g
_LARGEST_VALUE = 50.0  # |s| of the values of g at which f may become infinite
_MOST_POINTS = 32
_SHORT = 1e-11  # a root as near as this to a number with 6 decimals is that number
_SAME = 1e-9  # relative: points nearer to each other are one
_APPROACH = np.array([1e-3, 1e-4, 1e-5, 1e-6])

Domain = tuple[float, float]


@np.errstate(all="ignore")
def composed_domain(outer: Function, inner: Function) -> tuple[Domain | None, tuple[float, ...]]:
    """Return the domain of f(g(u)) and the points inside it at which f(g(u)) becomes infinite.

    Parameters
    ----------
    outer, inner : Function
        f and g.

    Returns
    -------
    domain : (float, float) or None
        The smallest interval that contains all u at which f(g(u)) can be computed; an end is
        infinite if f(g(u)) is defined at 1e8, or if g is periodic. None if it is not defined at two
        neighbouring points of the grid.
    singular : tuple of float
        At most 32, the nearest to 0, all with |u| <= 12, increasing.
    """

    def value(u: FloatArray) -> FloatArray:
        return outer.f(inner.f(u))

    poles = singular_points(inner, -_REACH, _REACH)
    ends = [end for end in inner.domain if np.isfinite(end)]
    u = np.unique(np.concatenate([_FINE, _FAR, -_FAR, poles, ends]))
    u = u[(u >= inner.domain[0]) & (u <= inner.domain[1])]
    defined = ~np.isnan(value(u))
    if not (defined[1:] & defined[:-1]).any():
        return None, ()
    first, last = np.flatnonzero(defined)[[0, -1]]

    def is_defined(point: float) -> bool:
        return not np.isnan(value(np.array(point)))

    repeats = inner.redundancy.turn > 0.0
    low = (
        inner.domain[0] if first == 0 or repeats else _boundary(is_defined, u[first], u[first - 1])
    )
    high = (
        inner.domain[1]
        if last == len(u) - 1 or repeats
        else _boundary(is_defined, u[last], u[last + 1])
    )
    candidates = [*poles.tolist(), *_roots(outer, inner, u[np.abs(u) <= _REACH])]
    found: list[float] = []
    for point in sorted(candidates, key=abs):
        known = any(abs(point - one) <= _SAME * max(1.0, abs(point)) for one in found)
        if low < point < high and not known and _is_infinite(value, point):
            found.append(point)
    return (low, high), tuple(sorted(found[:_MOST_POINTS]))


def _boundary(is_defined: Callable[[float], bool], inside: float, outside: float) -> float:
    """Find by bisection the end of the domain between a point inside it and a point outside it."""
    inside, outside = float(inside), float(outside)
    while abs(outside - inside) > 1e-15 * max(abs(inside), 1e-3):
        middle = 0.5 * (inside + outside)
        if middle in (inside, outside):
            break
        if is_defined(middle):
            inside = middle
        else:
            outside = middle
    return _short(inside)


def _roots(outer: Function, inner: Function, u: FloatArray) -> Iterator[float]:
    """Yield the u at which g takes a value at which f may become infinite."""
    special = singular_points(outer, -_LARGEST_VALUE, _LARGEST_VALUE).tolist()
    special += [end for end in outer.domain if np.isfinite(end)]
    if not special:
        return
    extrema = [_crossing(inner.d1, u[n], u[n + 1]) for n in _sign_changes(inner.d1(u)).tolist()]
    u = np.unique(np.concatenate([u, extrema]))
    g, at_extremum = inner.f(u), np.isin(u, extrema)
    for s in special:
        tolerance = 1e-9 * (1.0 + abs(s))
        touches = (g == s) | (at_extremum & (np.abs(g - s) <= 1e-12 * (1.0 + abs(s))))
        yield from (_short(float(p)) for p in u[touches])
        for n in _sign_changes(g - s).tolist():
            root = _crossing(partial(_above, inner, s), u[n], u[n + 1])
            if abs(float(inner.f(np.array(root))) - s) <= tolerance:  # and no pole of g
                yield _short(root)


def _above(inner: Function, s: float, u: FloatArray) -> FloatArray:
    """Return g(u) - s."""
    return inner.f(u) - s


def _sign_changes(values: FloatArray) -> IntArray:
    """Return the indices n with values of opposite signs at n and n + 1."""
    return np.flatnonzero(values[:-1] * values[1:] < 0.0)


def _crossing(function: Callable[[FloatArray], FloatArray], low: float, high: float) -> float:
    """Return where a function changes its sign between two points, by bisection."""
    low, high = float(low), float(high)
    sign = np.sign(function(np.array(low)))
    while True:
        middle = 0.5 * (low + high)
        if middle in (low, high):
            return middle
        if np.sign(function(np.array(middle))) == sign:
            low = middle
        else:
            high = middle


def _is_infinite(value: Callable[[FloatArray], FloatArray], point: float) -> bool:
    """Return whether |f(g)| grows without bound at a point, from one side at least."""
    for side in (-1.0, 1.0):
        sizes = np.abs(value(point + side * _APPROACH * max(1.0, abs(point))))
        steps = np.diff(sizes)
        if np.isinf(sizes[-1]) or (
            np.isfinite(sizes).all()
            and (steps > 0.0).all()
            and (steps[1:] > 0.6 * steps[:-1]).all()
            and sizes[-1] > 1.5
        ):
            return True
    return False


def _short(number: float) -> float:
    """Return a number with 6 decimals if it differs by rounding only, else the number itself."""
    short = round(number, 6) + 0.0
    return short if abs(short - number) <= _SHORT * max(1.0, abs(number)) else number
