"""The library of symbolic candidates, by name: the functions f of a symbolic edge c f(a x + b) + d.

Names and complexities are those of pykan's library (Liu et al. 2024, section 2.5.1), so that
results can be compared. The library is the only global state of the package; `register_function`
adds to it.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from kan_ref.checks import check_choice, check_integer, check_number
from kan_ref.functions.record import EVERYWHERE
from kan_ref.functions.record import Function as Function
from kan_ref.functions.record import Gauge as Gauge
from kan_ref.functions.record import domain_rule as domain_rule
from kan_ref.functions.values import VALUES, Four, OnDomain, Values, powers
from kan_ref.functions.verification import check_derivatives, check_gauge


def _power(name: str, exponent: float, complexity: int) -> Function:
    """Return the record of u^exponent."""
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
    """Return the record of a function of `VALUES`."""
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
"""The symbolic library, name -> `Function`: built-in functions and those that `register_function`
has added. Read-only, and always current."""

# groups of functions that give the same curves c f(a x + b) + d
FAMILIES = (("sin", "cos"), ("tanh", "sigmoid"), ("arcsin", "arccos"))


def lookup(name: object) -> Function:
    """Return the function called `name`.

    ValueError with the nearest name if the library has none of that name, TypeError if it is no
    text.
    """
    return LIBRARY[check_choice("name", name, tuple(LIBRARY))]


def same_family(first: str, second: str) -> bool:
    """Return whether two functions give the same curves c f(a x + b) + d, see `FAMILIES`."""
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
    """Add a function to the library after checking its derivatives by central differences.

    Parameters
    ----------
    name : str
        Printable, 1 to 30 characters, not yet in the library; the same record may be registered
        again.
    f, d1, d2, d3 : callable
        Arrays of float64 of any shape -> arrays of that shape. They are called only inside the
        domain.
    domain : (float, float)
        Smallest interval that contains the domain, ends may be infinite; outside it values are nan.
    complexity : int
        At least 0; sin has 2, tanh 3, arctan 4.
    singular : tuple of float
        Points inside the domain where f becomes infinite.
    gauge : Gauge, optional
        The symmetries of f, which make some of a, b, c, d redundant; checked on points of the
        domain. Without it a, b, c, d are reported as they are found.
    formula : callable, optional
        u -> SymPy expression.

    Returns
    -------
    function : Function
        Its record in `LIBRARY`. `unregister_function` removes it again.

    Raises
    ------
    ValueError
        A name that is taken; a wrong derivative ("d2 of 'cube' is 5.9 at u = 0.99, but a central
        difference of d1 gives 6.1"); a wrong shape; values that are not finite inside the domain; a
        symmetry that does not hold.
    TypeError
        A function that is not callable; a name that is no text; a `gauge` that is no `Gauge`.

    Notes
    -----
    Derivatives are verified at 40 points of an interval of length at most 8: [-4, 4] if the domain
    has no ends, else at its lower end, or below its upper end if that is the only one. They are
    also verified at up to 50 points with 4 < |u| <= 1000 in the domain, where all values are
    finite. A derivative that is wrong only elsewhere is not found.
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
        kind = Gauge.__name__
        raise TypeError(f"gauge of {name!r} is {gauge!r}, but must be a {kind}")
    if formula is not None and not callable(formula):
        raise TypeError(
            f"formula of {name!r} is {formula!r}, but must be a function of a SymPy symbol"
        )
    low, high = _check_domain(name, domain)
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
    check_derivatives(record)
    check_gauge(record)
    _library[name] = record
    return record


def unregister_function(name: str) -> Function:
    """Remove a registered function from the library; networks that use it keep it.

    Parameters
    ----------
    name : str

    Returns
    -------
    function : Function
        The removed function.

    Raises
    ------
    ValueError
        A name that is not in the library, or that of a built-in function.
    """
    if lookup(name).name in BUILT_IN:
        raise ValueError(f"name is {name!r}, but built-in functions cannot be unregistered")
    return _library.pop(name)


def _check_domain(name: str, domain: object) -> tuple[float, float]:
    """Check that `domain` is a pair (low, high) of numbers, low < high."""
    if not isinstance(domain, tuple | list) or len(domain) != 2:
        raise ValueError(f"domain of {name!r} is {domain!r}, but must be a pair (low, high)")
    low, high = (float(end) for end in domain)
    if not low < high:
        raise ValueError(
            f"domain of {name!r} is ({low:g}, {high:g}), but low must be less than high"
        )
    return low, high
