"""The library of symbolic candidates, by name: the functions f of a symbolic edge c f(a x + b) + d.

Names and complexities are those of pykan's library (Liu et al. 2024, section 2.5.1), so that
results can be compared; "logcosh" and "1/|x|" are ours. The library is the only global state of the
package; `register_function` adds to it.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from kan_ref import checks
from kan_ref.functions.record import EVERYWHERE, TABLE
from kan_ref.functions.record import Function as Function
from kan_ref.functions.record import Redundancy as Redundancy
from kan_ref.functions.record import domain_rule as domain_rule
from kan_ref.functions.values import OnDomain, Values
from kan_ref.functions.verification import (
    check_derivatives,
    check_domain,
    check_formula,
    check_kinds,
    check_redundancy,
    check_singular,
)

BUILT_IN = frozenset(function.name for function in TABLE)
_library = {function.name: function for function in TABLE}
_MOST_COMPLEX = 1_000_000  # sums over all edges of a network are float64 numbers

#: The functions that fits and searches take by name, those of `register_function` included.
LIBRARY: Mapping[str, Function] = MappingProxyType(_library)

# groups of functions that give the same curves c f(a x + b) + d
FAMILIES = (("sin", "cos"), ("tanh", "sigmoid"), ("arcsin", "arccos"))


def lookup(name: object) -> Function:
    """Return the function called `name`.

    ValueError with the nearest name if the library has none of that name, TypeError if it is not
    text.
    """
    return _library[checks.choice("name", name, tuple(_library))]


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
    redundancy: Redundancy | None = None,
    formula: Callable[[Any], Any] | None = None,
) -> Function:
    """Add a function to the library after checking its derivatives by central differences.

    Parameters
    ----------
    name : str
        Printable, 1 to 30 characters, not yet in the library; the same record may be registered
        again.
    f, d1, d2, d3 : callable
        Arrays of float64 of any shape -> new arrays of float64 of that shape. They are called only
        inside the domain.
    domain : (float, float)
        Smallest interval that contains the domain, ends may be infinite; outside it values are nan.
    complexity : int
        From 0 to 1,000,000; sin has 2, tanh 3, arctan 4.
    singular : tuple of float
        All points inside the domain where f becomes infinite; one in each turn of `redundancy`.
    redundancy : kan_ref.functions.Redundancy, optional
        The symmetries of f, which make some of a, b, c, d redundant; checked on points of the
        domain. Without it a, b, c, d are reported as they are found.
    formula : callable, optional
        u -> SymPy expression of u alone with the values of f. They are compared at the 40 points
        below, unless SymPy cannot evaluate them. By default `sympy.Function(name)`.

    Returns
    -------
    function : Function
        Its record in `LIBRARY`. `unregister_function` removes it again.

    Raises
    ------
    ValueError
        A name that is taken; a wrong derivative ("d2 of 'cube' is 5.9 at u = 0.99, but a central
        difference of d1 gives 6.1"); a wrong shape; values that are not finite inside the domain;
        a wrong symmetry; a formula with other values or symbols.
    TypeError
        A function that takes no arrays or is complex; another kind of name, redundancy, formula.

    Notes
    -----
    Derivatives are verified at up to 40 points of an interval of length at most 8: [-4, 4] if the
    domain contains it, else the part of the domain nearest to it. A derivative that is wrong
    elsewhere, or by less than rounding, is not found, and neither is a pole that `singular` lacks.
    """
    if not isinstance(name, str):
        raise TypeError(f"name is {name!r}, but must be text")
    if not 1 <= len(name) <= 30 or not name.isprintable() or name != name.strip():
        raise ValueError(
            f"name is {name!r}, but must be 1 to 30 printable characters without spaces at its ends"
        )
    parts = {"f": f, "d1": d1, "d2": d2, "d3": d3}
    check_kinds(name, parts, redundancy, formula)
    low, high = check_domain(name, domain)
    record = Function(
        name,
        OnDomain(f, low, high),
        OnDomain(d1, low, high),
        OnDomain(d2, low, high),
        OnDomain(d3, low, high),
        (low, high),
        checks.integer("complexity", complexity, low=0, high=_MOST_COMPLEX),
        check_singular(name, singular),
        Redundancy() if redundancy is None else redundancy,
        formula,
    )
    if name in _library:
        if _library[name] == record:
            return _library[name]
        raise ValueError(f"name is {name!r}, but the library has a function of that name already")
    check_derivatives(record)
    check_redundancy(record)
    if formula is not None:
        check_formula(record)
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
    checks.choice("name", name, tuple(_library))
    if name in BUILT_IN:
        raise ValueError(f"name is {name!r}, but built-in functions cannot be unregistered")
    return _library.pop(name)
