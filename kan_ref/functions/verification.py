"""Verification of a function that a user registers: its derivatives and its symmetries.

Each derivative is compared with a central difference of the one before it: on an interval near 0 or
near an end of the domain, and at single points as far as |u| = 1000. Where they differ, shorter
steps follow, because a function may vary fast. Each identity (F17)-(F20)
and (F26) that its record states is evaluated on both sides, on points of the domain.

The rounding error of a value g(u) is that of its largest terms, which may cancel: 1 - tanh(u)^2 is
below 1e-13 for u = 16, but its error is 1e-16. The size of the terms is taken to be that of the
largest value at the points v that are nearer to 0. The point u itself is rounded, too. So a central
difference with step h has the rounding error

    (F27)  (1e-13 max |g(v)| + eps |u g'(u)|) / h    over |v| <= |u|, eps = 2.2e-16

A derivative that is wrong by less, in a tail where all values are small, is not found. Steps below
4 eps |u| are not taken.
"""

from collections.abc import Sequence
from functools import partial
from itertools import pairwise

import numpy as np

from kan_ref.checks import FloatArray, check_number
from kan_ref.functions.composed_domain import check_poles
from kan_ref.functions.record import Function, Redundancy, Values, formula_of, singular_points
from kan_ref.functions.values import check_arrays
from kan_ref.numerics import central_difference

_NARROWEST = 1e-100
_RELATIVE = 1e-9  # of |u|: in narrower intervals steps of differences are lost in rounding of u
_LENGTH = 1e-6  # of |u|, of the interval of derivatives far from 0
_EPS = float(np.finfo(np.float64).eps)
_FARTHEST = 1e3  # farther out, steps of some 1e-5 are lost in rounding for fast functions
_ROUNDING = 1e-13  # relative, of a value: a function may add up some hundred roundings
_DIGITS = 30  # of a formula, which may cancel more of them than f
_SHORTER = tuple(10.0**-power for power in range(8))  # steps of differences, from the longest on


def _check_points(function: Function) -> FloatArray:
    """Return points of the domain at which derivatives are checked.

    Up to 40 in an interval of length at most 8 or 1e-6 |u|, away from its ends and from singular
    points. An end beyond `_FARTHEST` is taken to be infinite where 0 is inside the domain.
    """
    low, high = function.domain
    if low < 0.0 < high:
        low, high = (end if abs(end) <= _FARTHEST else end * np.inf for end in (low, high))
    end = low if np.isfinite(low) else high if np.isfinite(high) else 0.0
    length = max(8.0, _LENGTH * abs(end))
    if not np.isfinite(low):
        low = high - length if np.isfinite(high) else -4.0
    high = min(high, low + length)
    least = max(_NARROWEST, _RELATIVE * max(abs(low), abs(high)))
    if high - low < least:
        raise ValueError(
            f"domain of {function.name!r} is {low:.15g} to {high:.15g}, but derivatives are "
            f"checked on an interval at least {least:g} wide there: scale u, or shift it"
        )
    points = low + (high - low) * (np.arange(40) + 0.6414) / 41.0
    excluded = np.array([*singular_points(function, low - 1.0, high + 1.0), low, high])
    distances = np.min(np.abs(points[:, None] - excluded), axis=1)
    return np.asarray(points[distances > 0.02 * (high - low)])


def _far_points(function: Function) -> FloatArray:
    """Return up to 50 points of the domain from 4 to 1000, on both sides of 0.

    They keep away from its ends and from singular points.
    """
    far = np.geomspace(4.1, _FARTHEST, 25)
    points = np.concatenate([-far[::-1], far])
    low, high = function.domain
    ends = singular_points(function, -2.0 * _FARTHEST, 2.0 * _FARTHEST)
    distances = np.abs(points[:, None] - np.array([*ends, low, high])).min(axis=1)
    return np.asarray(points[(points > low) & (points < high) & (distances > 0.1)])


def _shifted(function: Values, u: FloatArray, step: float) -> FloatArray:
    """Evaluate a function at u + step."""
    return function(u + step)


def check_kinds(name: str, parts: dict[str, Values], redundancy: object, formula: object) -> None:
    """Raise TypeError if an argument of `register_function` is of another kind."""
    for part, function in parts.items():
        if not callable(function):
            raise TypeError(
                f"{part} of {name!r} is {function!r}, but must be a function of an array"
            )
    if redundancy is not None and not isinstance(redundancy, Redundancy):
        raise TypeError(
            f"redundancy of {name!r} is {redundancy!r}, but must be a kan_ref.functions.Redundancy"
        )
    if formula is not None and not callable(formula):
        raise TypeError(
            f"formula of {name!r} is {formula!r}, but must be a function of a SymPy symbol"
        )


def check_singular(name: str, points: object) -> tuple[float, ...]:
    """Check that singular points are a sequence of finite numbers."""
    if not np.iterable(points):
        raise TypeError(
            f"singular of {name!r} is {points!r}, but must be a tuple of numbers such as (0.5,), "
            "and () if there are none"
        )
    return tuple(check_number("singular", point) for point in points)


def check_domain(name: str, domain: object) -> tuple[float, float]:
    """Check that `domain` is a pair (low, high) of numbers, low < high."""
    if not isinstance(domain, tuple | list) or len(domain) != 2:
        raise ValueError(f"domain of {name!r} is {domain!r}, but must be a pair (low, high)")
    low, high = (float(end) for end in domain)
    if not low < high:
        raise ValueError(
            f"domain of {name!r} is ({low:g}, {high:g}), but low must be less than high"
        )
    return low, high


def check_derivatives(function: Function) -> None:
    """Raise ValueError if d1, d2 or d3 is not a derivative of the one before, or changes shapes.

    Also if `singular` has other points than the poles of f.
    """
    u = _check_points(function)
    if u.size == 0:
        raise ValueError(
            f"singular of {function.name!r} leaves no points in its domain, "
            "but derivatives are checked away from singular points"
        )
    parts = {"f": function.f, "d1": function.d1, "d2": function.d2, "d3": function.d3}
    for part, evaluate in parts.items():
        check_arrays(f"{part} of {function.name!r}", part, evaluate, u)
        values = evaluate(u)
        if not np.isfinite(values).all():
            place = int(np.argmin(np.isfinite(values)))
            raise ValueError(
                f"{part} of {function.name!r} is {values[place]:g} at u = {u[place]:.6g}, "
                "inside its domain"
            )
    length = float(u[-1] - u[0])
    longest = 1e-5 * max(min(1.0, length), length / 8.0)
    steps = [longest * factor for factor in _SHORTER]
    largest: dict[str, float] = {}
    for before, part in (("f", "d1"), ("d1", "d2"), ("d2", "d3")):
        values = parts[part](u)
        # a wrong derivative differs by something of its own size; the central difference has errors
        # of order step^2 and (F27)
        size = 1e-4 * np.abs(values) + 1e-4 * np.median(np.abs(values)) + 1e-300
        sizes = _largest_so_far(u, parts[before](u))
        largest[before] = float(sizes.max())
        _compare(
            function.name, part, before, parts[before], u, values, steps, size, _ROUNDING * sizes
        )
    _check_far(function.name, parts, _far_points(function), largest)
    check_poles(function, u)


def _compare(
    name: str,
    part: str,
    before: str,
    function: Values,
    u: FloatArray,
    values: FloatArray,
    steps: Sequence[float],
    size: FloatArray,
    rounding: FloatArray,
) -> None:
    """Raise ValueError if central differences of a function converge to other values at u.

    A function may vary so fast that a step is too long. So shorter ones follow where a difference
    is not within `size` + (F27), and only differences that two steps agree on count. `rounding` is
    the first term of (F27) times step.
    """
    unit = _EPS * np.abs(u)
    undecided = np.isfinite(values)
    differences = central_difference(partial(_shifted, function, u), step=steps[0])
    for step, shorter in pairwise(steps):
        undecided &= shorter > 4.0 * unit
        allowed = size + (rounding + unit * np.abs(values)) / step
        undecided &= ~(np.abs(differences - values) <= allowed)
        if not undecided.any():
            return
        following = central_difference(partial(_shifted, function, u), step=shorter)
        apart = np.abs(differences - following)
        slopes = np.abs(differences) + np.abs(following)
        agree = apart <= 1e-4 * slopes + (rounding + unit * slopes) / shorter
        wrong = undecided & agree & (np.abs(differences - values) > allowed + 2.0 * apart)
        if wrong.any():
            place = int(np.argmax(wrong))
            raise ValueError(
                f"{part} of {name!r} is {values[place]:.6g} at u = {u[place]:.6g}, "
                f"but a central difference of {before} gives {differences[place]:.6g}: correct "
                f"{part}, or check a smaller interval with domain=(low, high)"
            )
        differences = following


def _check_far(
    name: str, parts: dict[str, Values], u: FloatArray, largest: dict[str, float]
) -> None:
    """Raise ValueError if a derivative is wrong at points u where all values are finite.

    `largest` has the largest size of each part near 0.
    """
    with np.errstate(all="ignore"):
        values = {part: evaluate(u) for part, evaluate in parts.items()}
        finite = np.isfinite(np.array(list(values.values()))).all(axis=0)
        steps = [1e-5 * factor for factor in _SHORTER]
        for before, part in (("f", "d1"), ("d1", "d2"), ("d2", "d3")):
            given = np.where(finite, values[part], np.nan)
            size = 1e-3 * np.abs(given) + 1e-6 * np.abs(values[before]) + 1e-300
            sizes = _largest_so_far(u, np.where(finite, values[before], 0.0))
            rounding = _ROUNDING * np.maximum(sizes, largest[before])
            _compare(name, part, before, parts[before], u, given, steps, size, rounding)


def _largest_so_far(u: FloatArray, values: FloatArray) -> FloatArray:
    """Return for each of the points u the largest |value| at points as near to 0."""
    outward = np.argsort(np.abs(u))
    largest = np.empty_like(values)
    largest[outward] = np.maximum.accumulate(np.abs(values[outward]))
    return largest


def check_formula(function: Function) -> None:
    """Raise ValueError if `formula` and f have different values where derivatives are checked.

    They are not compared where SymPy does not reduce the formula to a number.
    """
    import sympy

    u, points = sympy.Dummy("u", real=True), _check_points(function)
    expression, values = formula_of(function, u), function.f(points)
    size = float(np.median(np.abs(values)))
    for point, value in zip(points.tolist(), values.tolist(), strict=True):
        number = expression.subs(u, sympy.Float(point, _DIGITS)).evalf()
        if not number.is_number:
            return
        if not abs(complex(number) - value) <= 1e-8 * (abs(value) + size):
            raise ValueError(
                f"formula of {function.name!r} is {number.evalf(6)} at u = {point:.6g}, but f is "
                f"{value:.6g}: write the expression that f computes, or leave formula out"
            )


def check_redundancy(function: Function) -> None:
    """Raise ValueError if an identity (F17)-(F20) of `redundancy` does not hold."""
    redundancy, f, u, s = function.redundancy, function.f, _check_points(function), 0.7
    m, value = redundancy.middle, f(u)
    claims = {
        "constant": [("f is 0", value, np.zeros_like(u))],
        "line": [("f(s u) = s f(u)", f(s * u), s * value)],
        "power": [("f(s u) = s^n f(u)", f(s * u), s**redundancy.degree * value)],
        "log": [("f(s u) = f(u) + n log s", f(s * u), value + redundancy.factor * np.log(s))],
        "exp": [("f(u + b) = e^(n b) f(u)", f(u + s), np.exp(redundancy.factor * s) * value)],
        "free": [],
    }[redundancy.kind]
    if redundancy.parity:
        claims.append(("f(-u) - m = parity (f(u) - m)", f(-u) - m, redundancy.parity * (value - m)))
    if redundancy.mirror:
        claims.append(("f(mirror - u) = f(u)", f(redundancy.mirror - u), value))
    if redundancy.turn:
        claims.append(
            ("f(u + turn) = sign f(u)", f(u + redundancy.turn), redundancy.turn_sign * value)
        )
    for claim, one, other in claims:
        wrong = np.abs(one - other) > 1e-8 * (
            np.abs(one) + np.abs(other) + np.median(np.abs(value))
        )
        if wrong.any():
            place = int(np.argmax(wrong))
            raise ValueError(
                f"redundancy of {function.name!r} says {claim}, but at u = {u[place]:.6g} the "
                f"sides are {one[place]:.6g} and {other[place]:.6g}"
            )
