"""The record of a symbolic candidate: derivatives, domain, symmetries; and the built-in functions.

An edge c f(a x + b) + d is the same curve for many parameters (a, b, c, d): this scale and shift
redundancy (gauge) follows from identities of f. With s > 0,

    (F17)  power of degree n   f(s u) = s^n f(u)                 a = 1 or -1, the scale goes to c
    (F18)  logarithm           f(s u) = f(u) + n log s           a = 1 or -1, the scale goes to d
    (F19)  exponential         f(u + b) = e^(n b) f(u)           b = 0, the scale goes to c
    (F20)  symmetry            f(-u) - m = parity (f(u) - m)     a > 0
           turn                f(u + turn) = sign f(u)           b within one turn

The line x is the odd power of degree 1 whose shift goes to d; abs is the even power of degree 1,
sgn the odd one of degree 0. The table of the built-in functions has their values from `values`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from kan_ref import checks
from kan_ref.checks import FloatArray
from kan_ref.functions.values import VALUES, powers

Values = Callable[[FloatArray], FloatArray]
EVERYWHERE = (-np.inf, np.inf)
FAR = 10.0  # of an end of a domain: a function has features of size 1 on this side of it
KINDS = ("constant", "line", "power", "log", "exp", "free")


@dataclass(frozen=True)
class Redundancy:
    """Which of the parameters a, b, c, d of c f(a x + b) + d are redundant.

    Parameters
    ----------
    kind : str
        The parameters that stay free are d for "constant"; c, d for "line"; b, c, d and the sign of
        a for "power" and "log"; a, c, d for "exp"; all for "free".
    degree : float
        n of (F17), for "power"; n of (F18) and (F19), for "log" and "exp", where 0 stands for 1, as
        in log u and e^u themselves.
    parity : int
        1 even, -1 odd about the value `middle`, 0 neither: (F20).
    middle : float
        m of (F20).
    turn : float
        Smallest shift of (F20) after which f repeats up to its sign; 0 if there is none.
    turn_sign : int
        The sign of f after one turn.
    first : float
        Begin of the interval of b, which is [first, first + turn).

    Raises
    ------
    ValueError, TypeError
        Another kind ("kind of a redundancy is 'odd', but must be one of 'constant', ..."), parity
        or turn_sign; a negative turn.
    """

    kind: str = "free"
    degree: float = 0.0
    parity: int = 0
    middle: float = 0.0
    turn: float = 0.0
    turn_sign: int = 1
    first: float = 0.0

    def __post_init__(self) -> None:
        checks.choice("kind of a redundancy", self.kind, KINDS)
        checks.integer("parity of a redundancy", self.parity, low=-1, high=1)
        checks.number("turn of a redundancy", self.turn, low=0.0)
        if self.turn_sign not in (-1, 1):
            raise ValueError(
                f"turn_sign of a redundancy is {self.turn_sign!r}, but must be -1 or 1"
            )

    @property
    def factor(self) -> float:
        """The n of (F18) or (F19): `degree`, and 1 where that is 0."""
        return self.degree or 1.0


@dataclass(frozen=True)
class Function:
    """A symbolic candidate.

    Parameters
    ----------
    name : str
        Its key in `LIBRARY`.
    f, d1, d2, d3 : callable
        Arrays of float64 of any shape -> arrays of that shape: value and first three derivatives.
        nan outside the domain, infinity on overflow, no warnings. One-sided limits at an end that
        belongs to the domain.
    domain : (float, float)
        The smallest interval that contains the domain; `domain_rule` describes it in words.
    complexity : int
        The cost of the function in a ranking, at least 0.
    singular : tuple of float
        Points inside the domain at which f becomes infinite; they repeat with `redundancy.turn`.
    redundancy : Redundancy
    formula : callable or None
        u -> SymPy expression, or None: `kan_ref.formula` then writes the name of the function.
    search_grids : tuple of str
        Grids of initial values for the search of a and b, by their names in
        `kan_ref.symbolic.search_starts`; empty where `redundancy`, `domain` and poles choose them.
    """

    name: str
    f: Values
    d1: Values
    d2: Values
    d3: Values
    domain: tuple[float, float] = EVERYWHERE
    complexity: int = 1
    singular: tuple[float, ...] = ()
    redundancy: Redundancy = field(default_factory=Redundancy)
    formula: Callable[[Any], Any] | None = None
    search_grids: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Function({self.name!r}, {domain_rule(self)}, complexity {self.complexity})"


def singular_points(function: Function, low: float, high: float) -> FloatArray:
    """Return all u with low < u < high at which f becomes infinite, in increasing order."""
    turn, found = function.redundancy.turn, []
    for point in function.singular:
        if turn == 0.0:
            found.append(np.array([point]))
        else:
            found.append(
                point
                + turn
                * np.arange(np.ceil((low - point) / turn), np.floor((high - point) / turn) + 1.0)
            )
    points = np.sort(np.concatenate([np.zeros(0), *found]))
    return points[(points > low) & (points < high)]


def near_domain(domain: tuple[float, float]) -> tuple[float, float]:
    """Return a domain with infinite ends for those at least `FAR` from 0 and from the other end."""
    low, high = domain
    is_far = min(high, 0.0) - low >= FAR, high - max(low, 0.0) >= FAR
    return -np.inf if is_far[0] else low, np.inf if is_far[1] else high


def formula_of(function: Function, u: Any) -> Any:
    """Return `formula` of a registered function for a SymPy expression u.

    TypeError if it is not a SymPy expression; ValueError if it has symbols that u does not have.
    """
    import sympy

    what = f"formula of {function.name!r}"
    assert function.formula is not None
    try:
        value = function.formula(u)
    except (TypeError, AttributeError) as error:
        raise TypeError(
            f"{what} raises {type(error).__name__} ({error}) for a SymPy expression, but must "
            "return one: write it with functions of SymPy, such as sympy.sin(u)"
        ) from error
    if not isinstance(value, sympy.Expr):
        raise TypeError(f"{what} gives {value!r}, but must give a SymPy expression")
    own = sorted(symbol.name for symbol in value.free_symbols - u.free_symbols)
    if own:
        raise ValueError(
            f"{what} contains the symbol {own[0]}, but must be an expression of its argument "
            "alone: put a number in the place of other symbols"
        )
    return value


def domain_rule(function: Function) -> str:
    """Describe the domain in terms of u: "every u", "u > 0", "-1 <= u <= 1", "u != 0"."""
    low, high = function.domain
    ends = np.array([end if np.isfinite(end) else 0.0 for end in (low, high)])
    closed = np.isfinite(function.f(ends))
    signs = ["<=" if is_closed else "<" for is_closed in closed]
    if np.isfinite(low) and np.isfinite(high):
        rule = [f"{low:g} {signs[0]} u {signs[1]} {high:g}"]
    else:
        rule = (
            [f"u {signs[0].replace('<', '>')} {low:g}"]
            if np.isfinite(low)
            else [f"u {signs[1]} {high:g}"]
            if np.isfinite(high)
            else []
        )
    repeats = f" + {function.redundancy.turn:.6g} k" if function.redundancy.turn else ""
    rule += [f"u != {point:.6g}{repeats}" for point in function.singular]
    return " and ".join(rule) or "every u"


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
        Redundancy(kind, degree=exponent, parity=parity),
        search_grids=grids,
    )


def _other(
    name: str,
    complexity: int,
    redundancy: Redundancy,
    *search_grids: str,
    domain: tuple[float, float] = EVERYWHERE,
    singular: tuple[float, ...] = (),
) -> Function:
    """Return the record of a function of `VALUES`."""
    four = VALUES[name]
    return Function(
        name, *four, domain, complexity, singular, redundancy, search_grids=search_grids
    )


TABLE = (
    _other("0", 0, Redundancy("constant", parity=1)),
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
    _other("exp", 2, Redundancy("exp"), "scales"),
    _other("log", 2, Redundancy("log"), "outer zeros", domain=(0.0, np.inf)),
    _other("abs", 3, Redundancy("power", degree=1.0, parity=1), "zeros"),
    _other("sin", 2, Redundancy(parity=-1, turn=np.pi, turn_sign=-1), "frequencies"),
    _other("cos", 2, Redundancy(parity=1, turn=np.pi, turn_sign=-1), "frequencies"),
    _other(
        "tan",
        3,
        Redundancy(parity=-1, turn=np.pi, first=-0.5 * np.pi),
        "cells",
        "poles",
        singular=(0.5 * np.pi,),
    ),
    _other("tanh", 3, Redundancy(parity=-1), "features"),
    _other("cosh", 5, Redundancy(parity=1), "catenaries"),
    _other("sgn", 3, Redundancy("power", degree=0.0, parity=-1)),
    _other("arcsin", 4, Redundancy(parity=-1), "domain", domain=(-1.0, 1.0)),
    _other("arccos", 4, Redundancy(parity=-1, middle=0.5 * np.pi), "domain", domain=(-1.0, 1.0)),
    _other("arctan", 4, Redundancy(parity=-1), "features"),
    _other("arctanh", 4, Redundancy(parity=-1), "domain", domain=(-1.0, 1.0)),
    _other("sigmoid", 4, Redundancy(parity=-1, middle=0.5), "features"),
    _other("gaussian", 3, Redundancy(parity=1), "features"),
    _other("logcosh", 5, Redundancy(parity=1), "features"),
    _other(
        "1/|x|",
        3,
        Redundancy("power", degree=-1.0, parity=1),
        "outer zeros",
        "gaps",
        singular=(0.0,),
    ),
)
