"""Verification of a function that a user registers: its derivatives and its symmetries.

Each derivative is compared with a central difference of the one before it, at 40 points of an
interval near 0, or near an end of the domain. Each identity (F17)-(F20) that its record states is
evaluated on both sides, at the same points.
"""

from functools import partial

import numpy as np

from kan_ref import checks
from kan_ref.checks import FloatArray
from kan_ref.functions.record import Function, Redundancy, Values, formula_of, singular_points
from kan_ref.functions.values import check_arrays
from kan_ref.numerics import central_difference

_ROUNDING = 1e-13  # relative, of a value: a function may add up some hundred roundings
_DIGITS = 30  # of a formula, which may cancel more of them than f


def _check_points(function: Function) -> FloatArray:
    """Return points of the domain at which derivatives are checked.

    Up to 40 in an interval of length at most 8, [-4, 4] if it can be, away from its ends and from
    singular points.
    """
    low, high = function.domain
    low = max(low, min(-4.0, high - 8.0))
    high = min(high, low + 8.0)
    points = low + (high - low) * (np.arange(40) + 0.6414) / 41.0
    excluded = np.array([*singular_points(function, low - 1.0, high + 1.0), low, high])
    distances = np.min(np.abs(points[:, None] - excluded), axis=1)
    return np.asarray(points[distances > 0.02 * (high - low)])


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
    return tuple(checks.number("singular", point) for point in points)


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
    """Raise ValueError if d1, d2 or d3 is not a derivative of the one before, or changes shapes."""
    u = _check_points(function)
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
    step = 1e-5 * min(1.0, float(np.ptp(u)))
    for before, part in (("f", "d1"), ("d1", "d2"), ("d2", "d3")):
        values, size = parts[part](u), float(np.abs(parts[before](u)).max())
        differences = central_difference(partial(_shifted, parts[before], u), step=step)
        # a wrong derivative differs by something of its own size
        allowed = 1e-4 * (np.abs(values) + np.median(np.abs(values))) + _ROUNDING * size / step
        wrong = np.abs(differences - values) > allowed
        if wrong.any():
            place = int(np.argmax(wrong))
            raise ValueError(
                f"{part} of {function.name!r} is {values[place]:.6g} at u = {u[place]:.6g}, "
                f"but a central difference of {before} gives {differences[place]:.6g}: correct "
                f"{part}, or check a smaller interval with domain=(low, high)"
            )


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
