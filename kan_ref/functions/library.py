"""The library of symbolic candidates, by name: what an edge c f(a x + b) + d can be made of; users add their own.

Names and complexities are those of pykan's library (Liu et al. 2024, section 2.5.1), so that a figure there can be compared
with a figure here. The library is the only state that a process keeps; it grows by `register_function` alone.
"""

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

import numpy as np

from kan_ref.checks import FloatArray, check_choice, check_integer, check_number
from kan_ref.functions.record import EVERYWHERE, singular_points
from kan_ref.functions.record import Function as Function
from kan_ref.functions.record import Gauge as Gauge
from kan_ref.functions.record import domain_rule as domain_rule
from kan_ref.functions.values import VALUES, Four, OnDomain, Values, powers
from kan_ref.numerics import central_difference


def _power(name: str, exponent: float, complexity: int) -> Function:
    whole = float(exponent).is_integer()
    kind, parity = (
        ("line" if exponent == 1.0 else "power"),
        (0 if not whole else 1 if exponent % 2 == 0 else -1),
    )
    domain, singular = (-np.inf if whole else 0.0, np.inf), (0.0,) if whole and exponent < 0 else ()
    grids = ("outer zeros", "gaps") if singular else ("zeros",) if whole else ("outer zeros",)
    return Function(
        name,
        *powers(exponent),
        domain,
        complexity,
        singular,
        Gauge(kind, degree=exponent, parity=parity),
        search_grids=grids,
    )


def _other(
    name: str,
    complexity: int,
    gauge: Gauge,
    *search_grids: str,
    domain: tuple[float, float] = EVERYWHERE,
    singular: tuple[float, ...] = (),
) -> Function:
    four = VALUES[name]
    return Function(name, *four, domain, complexity, singular, gauge, search_grids=search_grids)


_TABLE = (
    _other("0", 0, Gauge("constant", parity=1)),
    _power("x", 1.0, 1),
    _power("x^2", 2.0, 2),
    _power("x^3", 3.0, 3),
    _power("x^4", 4.0, 3),
    _power("x^5", 5.0, 3),
    _power("1/x", -1.0, 2),
    _power("1/x^2", -2.0, 2),
    _power("1/x^3", -3.0, 3),
    _power("1/x^4", -4.0, 4),
    _power("1/x^5", -5.0, 5),
    _power("sqrt", 0.5, 2),
    _power("1/sqrt", -0.5, 2),
    _power("x^1.5", 1.5, 4),
    _other("exp", 2, Gauge("exp"), "scales"),
    _other("log", 2, Gauge("log"), "outer zeros", domain=(0.0, np.inf)),
    _other("abs", 3, Gauge("power", degree=1.0, parity=1), "zeros"),
    _other("sin", 2, Gauge(parity=-1, turn=np.pi, turn_sign=-1), "frequencies"),
    _other("cos", 2, Gauge(parity=1, turn=np.pi, turn_sign=-1), "frequencies"),
    _other(
        "tan",
        3,
        Gauge(parity=-1, turn=np.pi, first=-0.5 * np.pi),
        "cell",
        "poles",
        singular=(0.5 * np.pi,),
    ),
    _other("tanh", 3, Gauge(parity=-1), "features"),
    _other("cosh", 5, Gauge(parity=1), "catenaries"),
    _other("sgn", 3, Gauge("power", degree=0.0, parity=-1)),
    _other("arcsin", 4, Gauge(parity=-1), "domain", domain=(-1.0, 1.0)),
    _other("arccos", 4, Gauge(parity=-1, middle=0.5 * np.pi), "domain", domain=(-1.0, 1.0)),
    _other("arctan", 4, Gauge(parity=-1), "features"),
    _other("arctanh", 4, Gauge(parity=-1), "domain", domain=(-1.0, 1.0)),
    _other("sigmoid", 4, Gauge(parity=-1, middle=0.5), "features"),
    _other("gaussian", 3, Gauge(parity=1), "features"),
)
BUILT_IN = frozenset(function.name for function in _TABLE)
_library = {function.name: function for function in _TABLE}

LIBRARY: Mapping[str, Function] = MappingProxyType(_library)

# groups of names that give the same curves under a, b, c, d
FAMILIES = (("sin", "cos"), ("tanh", "sigmoid"), ("arcsin", "arccos"))


def lookup(name: object) -> Function:
    """The function called `name`; ValueError with the nearest name if the library has none, TypeError if it is no text."""
    return LIBRARY[check_choice("name", name, tuple(LIBRARY))]


def same_family(first: str, second: str) -> bool:
    """Whether two names give the same curves c f(a x + b) + d: equal ones, sin and cos, tanh and sigmoid, arcsin and arccos."""
    lookup(first), lookup(second)
    return first == second or any(first in family and second in family for family in FAMILIES)


def register_function(
    name: str,
    f: Values,
    d1: Values,
    d2: Values,
    d3: Values,
    *,
    domain: tuple[float, float] = EVERYWHERE,
    complexity: int,
    singular: tuple[float, ...] = (),
    gauge: Gauge | None = None,
    formula: Callable[[Any], Any] | None = None,
) -> Function:
    """Add a function to the library, after its derivatives have been compared with central differences.

    Parameters
    ----------
    name : str
        Printable, 1 to 30 characters, not yet in the library (the very same record once more is accepted).
    f, d1, d2, d3 : callable
        Arrays of float64 of any shape -> arrays of that shape. They see only numbers of the domain.
    domain : (float, float)
        Smallest interval that holds the domain, ends may be infinite; beyond it the library answers NaN.
    complexity : int
        At least 0; sin has 2, tanh 3, arctan 4.
    singular : tuple of float
        Points inside the domain where f becomes infinite.
    gauge : Gauge, optional
        What is known of its symmetries, judged on points of the domain; without one a, b, c, d are told as they are found.
    formula : callable, optional
        u -> SymPy expression.

    Returns
    -------
    function : Function
        As it now stands in `LIBRARY`. `unregister_function` takes it out again.

    Raises
    ------
    ValueError
        A name that is taken; "d2 of 'cube' is 5.9 at u = 0.99, but a central difference of d1 gives 6.1"; a wrong shape;
        values that are not finite inside the domain.
    TypeError
        What should be called and cannot be; a name that is no text; a gauge that is no Gauge.
    """
    if not isinstance(name, str):
        raise TypeError(f"name is {name!r}, but must be text")
    if not 1 <= len(name) <= 30 or not name.isprintable() or name != name.strip():
        raise ValueError(
            f"name is {name!r}, but must be 1 to 30 printable characters without spaces at its ends"
        )
    parts = {"f": f, "d1": d1, "d2": d2, "d3": d3}
    for part, function in parts.items():
        if not callable(function):
            raise TypeError(
                f"{part} of {name!r} is {function!r}, but must be a function of an array"
            )
    if gauge is not None and not isinstance(gauge, Gauge):
        raise TypeError(f"gauge of {name!r} is {gauge!r}, but must be a Gauge")
    if formula is not None and not callable(formula):
        raise TypeError(
            f"formula of {name!r} is {formula!r}, but must be a function of a SymPy symbol"
        )
    low, high = _interval(name, domain)
    wrapped: Four = (
        OnDomain(f, low, high),
        OnDomain(d1, low, high),
        OnDomain(d2, low, high),
        OnDomain(d3, low, high),
    )
    record = Function(
        name,
        *wrapped,
        (low, high),
        check_integer("complexity", complexity, low=0),
        tuple(check_number("singular", point) for point in singular),
        Gauge() if gauge is None else gauge,
        formula,
    )
    if name in _library:
        if _library[name] == record:
            return _library[name]
        raise ValueError(f"name is {name!r}, but the library has a function of that name already")
    _check_derivatives(record)
    _check_gauge(record)
    _library[name] = record
    return record


def unregister_function(name: str) -> Function:
    """Take a registered function out of the library; networks that hold it keep it.

    Parameters
    ----------
    name : str

    Returns
    -------
    function : Function
        What was taken out.

    Raises
    ------
    ValueError
        A name that the library does not have, or was born with.
    """
    if lookup(name).name in BUILT_IN:
        raise ValueError(
            f"name is {name!r}, but the library cannot do without a function it was born with"
        )
    return _library.pop(name)


def _interval(name: str, domain: object) -> tuple[float, float]:
    if not isinstance(domain, tuple | list) or len(domain) != 2:
        raise ValueError(f"domain of {name!r} is {domain!r}, but must be a pair (low, high)")
    low, high = (float(end) for end in domain)
    if not low < high:
        raise ValueError(
            f"domain of {name!r} is ({low:g}, {high:g}), but low must be less than high"
        )
    return low, high


def _check_points(function: Function) -> FloatArray:
    """Points of the domain to judge derivatives at: up to 40 of an interval of length 8 or less, away from ends and singular points."""
    low, high = function.domain
    if not np.isfinite(low):
        low = high - 8.0 if np.isfinite(high) else -4.0
    high = min(high, low + 8.0)
    points = low + (high - low) * (np.arange(40) + 0.6414) / 41.0
    walls = np.array([*singular_points(function, low - 1.0, high + 1.0), low, high])
    distances = np.min(np.abs(points[:, None] - walls), axis=1)
    return np.asarray(points[distances > 0.02 * (high - low)])


def _shifted(function: Values, u: FloatArray, step: float) -> FloatArray:
    return function(u + step)


def _check_derivatives(function: Function) -> None:
    """Raise ValueError if a function of the record is not the derivative of the one before, or changes shapes."""
    u = _check_points(function)
    if u.size == 0:
        raise ValueError(
            f"singular of {function.name!r} leaves no room in its domain, but derivatives are judged away from such points"
        )
    parts = {"f": function.f, "d1": function.d1, "d2": function.d2, "d3": function.d3}
    for part, evaluate in parts.items():
        for shape in ((), (0,), (2, 3)):
            got = evaluate(np.resize(u, shape))
            if got.shape != shape:
                raise ValueError(
                    f"{part} of {function.name!r} makes an array of shape {got.shape} of one of shape {shape}"
                )
        values = evaluate(u)
        if not np.isfinite(values).all():
            place = int(np.argmin(np.isfinite(values)))
            raise ValueError(
                f"{part} of {function.name!r} is {values[place]:g} at u = {u[place]:.6g}, inside its domain"
            )
    step = 1e-5 * min(1.0, float(u[-1] - u[0]))
    for before, part in (("f", "d1"), ("d1", "d2"), ("d2", "d3")):
        difference = central_difference(partial(_shifted, parts[before], u), step=step)
        values = parts[part](u)
        # a wrong derivative is off by something of its own size; the difference errs by step^2 and by eps / step
        allowed = (
            1e-4 * np.abs(values)
            + 1e-4 * np.median(np.abs(values))
            + 1e-13 / step * np.abs(parts[before](u))
            + 1e-300
        )
        wrong = np.abs(values - difference) > allowed
        if wrong.any():
            place = int(np.argmax(wrong))
            raise ValueError(
                f"{part} of {function.name!r} is {values[place]:.6g} at u = {u[place]:.6g}, "
                f"but a central difference of {before} gives {difference[place]:.6g}"
            )


def _check_gauge(function: Function) -> None:
    """Raise ValueError if the identities (G1) to (G4) of its gauge do not hold, where both sides have values."""
    gauge, f, u, s = function.gauge, function.f, _check_points(function), 0.7
    m, value = gauge.middle, f(u)
    claims = {
        "constant": [("f is 0", value, np.zeros_like(u))],
        "line": [("f(s u) = s f(u)", f(s * u), s * value)],
        "power": [("f(s u) = s^n f(u)", f(s * u), s**gauge.degree * value)],
        "log": [("f(s u) = f(u) + log s", f(s * u), value + np.log(s))],
        "exp": [("f(u + b) = e^b f(u)", f(u + s), np.exp(s) * value)],
        "free": [],
    }[gauge.kind]
    if gauge.parity:
        claims.append(("f(-u) - m = parity (f(u) - m)", f(-u) - m, gauge.parity * (value - m)))
    if gauge.turn:
        claims.append(("f(u + turn) = sign f(u)", f(u + gauge.turn), gauge.turn_sign * value))
    for claim, one, other in claims:
        wrong = np.abs(one - other) > 1e-8 * (
            np.abs(one) + np.abs(other) + np.median(np.abs(value))
        )
        if wrong.any():
            place = int(np.argmax(wrong))
            raise ValueError(
                f"gauge of {function.name!r} says {claim}, but at u = {u[place]:.6g} the sides are {one[place]:.6g} and {other[place]:.6g}"
            )
