"""The library of symbolic candidates, by name: f of a symbolic edge c f(a x + b) + d.

Names and complexities are those of pykan's library (Liu et al. 2024, section 2.5.1), so
that results can be compared; "logcosh" and "1/|x|" are ours. The library is the only
global state of the package; `register_function` adds to it.

What a user registers is verified at 40 points of an interval near 0, or near an end of
the domain: each derivative beside a central difference of the one before it, both sides
of each identity (F17)-(F20) that its record states, and its formula beside f.
"""

from collections.abc import Callable, Mapping
from itertools import pairwise
from types import MappingProxyType
from typing import Any

import numpy as np

from kan_ref import checks
from kan_ref.checks import FloatArray
from kan_ref.functions.record import (
    TABLE,
    Function,
    Redundancy,
    formula_of,
    singular_points,
)
from kan_ref.functions.values import OnDomain, Values

_ROUNDING = 1e-13  # relative, of a value: a function may add up some hundred roundings
_DIGITS = 30  # of a formula, which may cancel more of them than f

_library = {function.name: function for function in TABLE}
BUILT_IN = frozenset(_library)

#: The functions that fits and searches take by name, and those of `register_function`.
LIBRARY: Mapping[str, Function] = MappingProxyType(_library)

# groups of functions that give the same curves c f(a x + b) + d
FAMILIES = (("sin", "cos"), ("tanh", "sigmoid"), ("arcsin", "arccos"))


def lookup(name: object) -> Function:
    """Return the function called `name`.

    ValueError with the nearest name if the library has none of that name, TypeError if
    it is not text.
    """
    return _library[checks.choice("name", name, tuple(_library))]


def same_family(first: str, second: str) -> bool:
    """Return whether two functions give the same curves c f(a x + b) + d."""
    pair = {lookup(first).name, lookup(second).name}
    return len(pair) == 1 or any(pair.issubset(family) for family in FAMILIES)


def register_function(
    name: str,
    f: Values,
    d1: Values,
    d2: Values,
    d3: Values,
    *,
    domain: tuple[float, float] = (-np.inf, np.inf),
    complexity: int,
    singular: tuple[float, ...] = (),
    redundancy: Redundancy | None = None,
    formula: Callable[[Any], Any] | None = None,
) -> Function:
    """Add a function to the library after a check by central differences.

    Parameters
    ----------
    name : str
        Printable, not yet in the library; the same record may be registered again.
    f, d1, d2, d3 : callable
        Arrays of float64 of any shape -> new arrays of float64 of that shape. They are
        called only inside the domain.
    domain : (float, float)
        Smallest interval that contains the domain, ends may be infinite; outside it
        values are nan.
    complexity : int
        At least 0; sin has 2, tanh 3, arctan 4.
    singular : tuple of float
        All points inside the domain where f becomes infinite; one in each turn of
        `redundancy`.
    redundancy : kan_ref.functions.Redundancy, optional
        The symmetries of f, which make some of a, b, c, d redundant. Without it a, b,
        c, d are reported as they are found.
    formula : callable, optional
        u -> SymPy expression of u alone with the values of f. They are compared unless
        SymPy cannot evaluate them. By default `sympy.Function(name)`.

    Returns
    -------
    function : Function
        Its record in `LIBRARY`. `unregister_function` removes it again. All is verified
        at up to 40 points of [-4, 4], or of the nearest interval of the domain with
        length at most 8. What is wrong elsewhere, or varies within 1e-5, is not found.

    Examples
    --------
    >>> import numpy as np
    >>> import kan_ref as kr
    >>> one = {"f": lambda u: u**6, "d1": lambda u: 6 * u**5, "d2": lambda u: 30 * u**4}
    >>> kr.register_function("x^6", **one, d3=lambda u: 120 * u**3, complexity=4)
    Function('x^6', every u, complexity 4)
    >>> removed = kr.unregister_function("x^6")
    """
    checks.instance("name", name, str, "text")
    if not name or not name.isprintable() or name != name.strip():
        checks.fail("name", name, "must be printable text without spaces at its ends")
    low, high = checks.array("domain", domain, (2,), finite=False).tolist()
    if not low < high:
        checks.fail("domain", domain, "must be (low, high) with low less than high")
    if formula is not None:
        checks.function("formula", formula)
    if redundancy is None:
        redundancy = Redundancy()

    record = Function(
        name,
        OnDomain(checks.function("f", f), low, high),
        OnDomain(checks.function("d1", d1), low, high),
        OnDomain(checks.function("d2", d2), low, high),
        OnDomain(checks.function("d3", d3), low, high),
        domain=(low, high),
        complexity=checks.integer("complexity", complexity),
        singular=tuple(checks.array("singular", singular, ("n",)).tolist()),
        redundancy=checks.instance("redundancy", redundancy, Redundancy),
        formula=formula,
    )
    if name not in _library:
        check_function(record)
        _library[name] = record
    if _library[name] != record:
        checks.fail("name", name, "the library has a function of that name already")
    return _library[name]


def unregister_function(name: str) -> Function:
    """Remove a registered function from the library; networks that use it keep it.

    Parameters
    ----------
    name : str
        Not that of a built-in function.

    Returns
    -------
    function : Function
        The removed function.

    Examples
    --------
    >>> import kan_ref as kr
    >>> zero = np.zeros_like
    >>> slopes = lambda x: zero(x) + 2.0, zero, zero
    >>> line = kr.register_function("2x", lambda x: 2.0 * x, *slopes, complexity=2)
    >>> unregister_function("2x").name, "2x" in kr.LIBRARY
    ('2x', False)
    """
    if lookup(name).name in BUILT_IN:
        checks.fail("name", name, "built-in functions cannot be unregistered")
    return _library.pop(name)


def check_function(function: Function) -> None:
    """Raise ValueError or TypeError if a record does not hold in its domain."""
    u = _check_points(function)
    check_derivatives(function, u)
    check_redundancy(function, u)
    if function.formula is not None:
        check_formula(function, u)


def _check_points(function: Function) -> FloatArray:
    """Return points of the domain at which a function is checked.

    Up to 40 in an interval of length at most 8, [-4, 4] if it can be, away from its
    ends and from singular points.
    """
    low, high = function.domain
    low = max(low, min(-4.0, high - 8.0))
    high = min(high, low + 8.0)
    points = low + (high - low) * (np.arange(40) + 0.6414) / 41.0
    excluded = np.array([*singular_points(function, low, high), low, high])
    distances = np.min(np.abs(points[:, None] - excluded), axis=1)
    return np.asarray(points[distances > 0.02 * (high - low)])


def _agree(
    what: str,
    u: FloatArray,
    found: FloatArray,
    rule: str,
    expected: FloatArray,
    slack: FloatArray,
) -> None:
    """Raise ValueError at the first u where values differ by more than `slack`."""
    wrong = ~(np.abs(found - expected) <= slack)
    if wrong.any():
        n = int(np.argmax(wrong))
        raise ValueError(
            f"{what} is {found[n]:.6g} at u = {u[n]:.6g}, "
            f"but {rule} gives {expected[n]:.6g}"
        )


def check_derivatives(function: Function, u: FloatArray) -> None:
    """Raise ValueError if d1, d2 or d3 is no derivative, or changes shapes."""
    parts = {"f": function.f, "d1": function.d1, "d2": function.d2, "d3": function.d3}
    for part, evaluate in parts.items():
        what = f"{part} of {function.name!r}"
        for shape in ((), (0,), (2, 3), u.shape):
            values = evaluate(np.resize(u, shape))
            if values.shape != shape:
                raise ValueError(
                    f"{what} returns shape {values.shape} for an array of shape "
                    f"{shape}, but must keep it: give "
                    f"np.vectorize({part}, otypes=[float])"
                )
        if not np.isfinite(values).all():
            n = int(np.argmin(np.isfinite(values)))
            raise ValueError(
                f"{what} is {values[n]} at u = {u[n]:.6g}, inside its domain"
            )

    step = 1e-5 * min(1.0, float(np.ptp(u)))
    for before, part in pairwise(parts):
        values, last = parts[part](u), parts[before]
        differences = (last(u + step) - last(u - step)) / (2.0 * step)

        # a wrong derivative differs by something of its own size
        slack = 1e-4 * (np.abs(values) + np.median(np.abs(values)))
        slack += _ROUNDING * np.abs(last(u)).max() / step
        rule = f"a central difference of {before}"
        _agree(f"{part} of {function.name!r}", u, values, rule, differences, slack)


def check_redundancy(function: Function, u: FloatArray) -> None:
    """Raise ValueError if an identity (F17)-(F20) of `redundancy` does not hold."""
    redundancy = function.redundancy
    n = redundancy.factor
    m = redundancy.middle
    s = 0.7
    f = function.f
    value = f(u)
    scaled = f(s * u)
    shifted = f(u + s)
    claims = {
        "constant": [("f(u)", value, "0", np.zeros_like(u))],
        "line": [("f(s u)", scaled, "s f(u)", s * value)],
        "power": [("f(s u)", scaled, "s^n f(u)", s**redundancy.degree * value)],
        "log": [("f(s u)", scaled, "f(u) + n log s", value + n * np.log(s))],
        "exp": [("f(u + b)", shifted, "e^(n b) f(u)", np.exp(n * s) * value)],
        "free": [],
    }[redundancy.kind]

    if redundancy.parity:
        mirrored = redundancy.parity * (value - m)
        claims.append(("f(-u) - m", f(-u) - m, "parity (f(u) - m)", mirrored))
    turned = f(u + redundancy.turn)
    claims.append(("f(u + turn)", turned, "sign f(u)", redundancy.turn_sign * value))

    for left, one, right, other in claims:
        rule = f"the {right} of redundancy"
        one = np.where(np.isnan(one), other, one)  # where it is outside the domain
        slack = 1e-8 * (np.abs(other) + np.median(np.abs(value)))
        _agree(f"{left} of {function.name!r}", u, one, rule, other, slack)


def check_formula(function: Function, u: FloatArray) -> None:
    """Raise ValueError if `formula` and f have different values.

    They are not compared where SymPy does not reduce the formula to a number.
    """
    import sympy

    symbol = sympy.Dummy("u", real=True)
    expression = formula_of(function, symbol)
    value = function.f(u)
    found = []
    for at in u.tolist():
        number = expression.subs(symbol, sympy.Float(at, _DIGITS)).evalf()
        if not number.is_number:
            return
        found.append(complex(number))
    slack = 1e-8 * (np.abs(value) + np.median(np.abs(value)))
    _agree(f"formula of {function.name!r}", u, np.array(found), "f", value, slack)
