"""The library of symbolic candidates, by name: the functions f of a symbolic edge c f(a x + b) + d.

Names and complexities are those of pykan's library (Liu et al. 2024, section 2.5.1), so that
results can be compared; "logcosh" and "1/|x|" are ours. The library is the only global state of the
package; `register_function` adds to it.

A composed function (`composition`) has the name of its functions, from the outermost on, with
parentheses:

    name      = function | composed
    composed  = function "(" name ")"
    function  = a name in the library, without parentheses

"log(x^2)" is the logarithm of the square, "sin(log(x^2))" its sine. Its name is enough to make a
composed function again, so none is stored in the library.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from kan_ref.checks import check_choice, check_integer
from kan_ref.functions.composition import MOST_PARTS, compose_records
from kan_ref.functions.record import EVERYWHERE, TABLE, composed_name
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
_composed: dict[str, Function] = {}  # by name; each is checked against the library before use
_MOST_KEPT = 1000
_MOST_COMPLEX = 1_000_000  # sums over all edges of a network are float64 numbers


class Library(Mapping[str, Function]):
    """The functions by name, read-only; a composed function is found by its name, but not listed.

    `LIBRARY["log(x^2)"]` is `compose("log", "x^2")`, and `"log(x^2)" in LIBRARY` is true, but
    iteration and `len` cover the built-in and the registered functions only.
    """

    def __getitem__(self, name: str) -> Function:
        if name in _library:
            return _library[name]
        if not isinstance(name, str) or "(" not in name:
            raise KeyError(name)
        try:
            return _composed_function(name)
        except ValueError:
            raise KeyError(name) from None

    def __iter__(self) -> Iterator[str]:
        return iter(_library)

    def __len__(self) -> int:
        return len(_library)

    def __repr__(self) -> str:
        return f"Library of {len(self)} functions: {', '.join(map(repr, self))}"


#: The functions that fits and searches take by name, those of `register_function` included.
LIBRARY: Mapping[str, Function] = Library()

# groups of functions that give the same curves c f(a x + b) + d
FAMILIES = (("sin", "cos"), ("tanh", "sigmoid"), ("arcsin", "arccos"))


def lookup(name: object) -> Function:
    """Return the function called `name`, a composed one too.

    ValueError with the nearest name if the library has none of that name, or with the part of a
    composed name that is wrong. TypeError if it is not text.
    """
    if isinstance(name, str) and name not in _library and "(" in name:
        return _composed_function(name)
    return _library[check_choice("name", name, tuple(_library))]


def compose(outer: str | Function, inner: str | Function) -> Function:
    """Return the composed function f(g(u)) of two functions of the library.

    Parameters
    ----------
    outer, inner : str or Function
        f and g, by name or as the library has them; either can be composed itself. At most 6
        functions in all, none of them a constant or a line.

    Returns
    -------
    function : Function
        Named "f(g)", as "log(x^2)"; its name can be used wherever that of a function in the library
        can. It has no parameters, so that c f(g(a x + b)) + d has four. Derivatives follow from
        :eq:`faa-di-bruno`, domain, singular points and symmetries from those of f and g. Its
        complexity is the sum of theirs.

    Raises
    ------
    ValueError
        A name that is not in the library; a constant or a line; a name with parentheses that was
        registered; f(g(u)) that is defined on no interval, as arcsin(cosh u).
    TypeError
        If f or g is neither a name nor a Function.

    Notes
    -----
    Takes 5 ms, once for each name. Where the float64 number g(u) overflows or underflows f(g(u)) is
    infinite or nan, as log(cosh u) beyond 710; "logcosh" has no such limit. A derivative
    can be so where one of f or g overflows or underflows, as the second of sqrt(e^u) below -473.

    Examples
    --------
    >>> import numpy as np
    >>> import kan_ref as kr
    >>> function = kr.compose("log", "x^2")
    >>> function
    Function('log(x^2)', x^2 > 0, complexity 4)
    >>> bool(function.d1(np.array(4.0)) == 0.5)
    True
    >>> kr.compose("sin", function).name
    'sin(log(x^2))'
    """
    first, second = _checked_part("outer", outer), _checked_part("inner", inner)
    return _composed_function(composed_name(_parts_of(first) + _parts_of(second)))


def _checked_part(argument: str, part: object) -> str:
    """Return the name of a function that is to be composed."""
    if isinstance(part, Function):
        if lookup(part.name) != part:
            raise ValueError(
                f"{argument} is {part!r}, but the library has another function of that name"
            )
        return part.name
    if not isinstance(part, str):
        raise TypeError(
            f"{argument} is {part!r}, but must be the name of a function, or a Function"
        )
    if part not in _library and "(" in part:
        return _composed_function(part).name
    return check_choice(argument, part, tuple(_library))


def _parts_of(name: str) -> list[str]:
    """Return the names in a composed name, the outermost first; they need not exist.

    ValueError if it does not follow the grammar.
    """
    names = name.split("(")
    closing = ")" * (len(names) - 1)
    if name in _library and closing:
        raise ValueError(
            f"{name!r} is registered with parentheses in its name, so it cannot be part of a "
            "composed name: register it without them"
        )
    last = names[-1].removesuffix(closing)
    if names[-1] != last + closing or ")" in "".join(names[:-1]) + last:
        raise ValueError(
            f"name is {name!r}, but a composed name has one closing parenthesis at its end for "
            "each opening one, as in 'sin(log(x^2))'"
        )
    return [*names[:-1], last]


def _composed_function(name: str) -> Function:
    """Return the function of a composed name; ValueError if there is none."""
    names = _parts_of(name)
    if len(names) > MOST_PARTS:
        raise ValueError(
            f"name is {name!r}, which has {len(names)} functions, but a composed function has at "
            f"most {MOST_PARTS}"
        )
    for one in names:
        check_choice(f"the part of the name {name!r}", one, tuple(_library))
    parts = [_library[one] for one in names]
    known = _composed.get(name)
    if known is not None and all(a is b for a, b in zip(known.parts, parts, strict=True)):
        return known
    function = parts[-1]
    for part in reversed(parts[:-1]):
        function = compose_records(part, function)
    if len(_composed) >= _MOST_KEPT:
        _composed.clear()
    _composed[name] = function
    return function


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
        check_integer("complexity", complexity, low=0, high=_MOST_COMPLEX),
        check_singular(name, singular),
        Redundancy() if redundancy is None else redundancy,
        formula,
    )
    if name in _library:
        if _library[name] == record:
            return _library[name]
        raise ValueError(f"name is {name!r}, but the library has a function of that name already")
    if name in LIBRARY:
        raise ValueError(
            f"name is {name!r}, but that is the name of a composed function: choose another one"
        )
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
    check_choice("name", name, tuple(_library))
    if name in BUILT_IN:
        raise ValueError(f"name is {name!r}, but built-in functions cannot be unregistered")
    return _library.pop(name)
