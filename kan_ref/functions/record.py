"""What a symbolic candidate is: a function of one variable with three derivatives, its domain, and the gauge of its curves.

The edge c f(a x + b) + d is the same curve for many (a, b, c, d). With s > 0, four identities say for which:

    (G1)  power of degree n   f(s u) = s^n f(u)                 a = 1 or -1, the size stands in c
    (G2)  logarithm           f(s u) = f(u) + log s             a = 1 or -1, the size stands in d
    (G3)  exponential         f(u + b) = e^b f(u)               b = 0, the size stands in c
    (G4)  symmetry            f(-u) - m = parity (f(u) - m)     a > 0
          turn                f(u + turn) = sign f(u)           b within one turn

The line x is the odd power of degree 1 whose b stands in d; abs is the even power of degree 1, sgn the odd one of degree 0.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from kan_ref.checks import FloatArray, check_choice, check_integer, check_number

Values = Callable[[FloatArray], FloatArray]
EVERYWHERE = (-np.inf, np.inf)
KINDS = ("constant", "line", "power", "log", "exp", "free")


@dataclass(frozen=True)
class Gauge:
    """Which of a, b, c, d are redundant.

    Parameters
    ----------
    kind : str
        "constant" (d alone is left), "line" (c, d), "power", "log" (b, c, d and the sign of a), "exp" (a, c, d) or "free" (all).
    degree : float
        n of (G1), for "power".
    parity : int
        1 even, -1 odd about the value `middle`, 0 neither: (G4).
    middle : float
        m of (G4).
    turn : float
        Smallest length of (G4) by which f repeats up to its sign; 0 if it does not.
    turn_sign : int
        The sign of that repetition.
    first : float
        Where the turn begins in which b is taken: b in [first, first + turn).

    Raises
    ------
    ValueError, TypeError
        "kind of a gauge is 'odd', but must be one of 'constant', 'line', 'power', 'log', 'exp', 'free'"; other numbers than the above.
    """

    kind: str = "free"
    degree: float = 0.0
    parity: int = 0
    middle: float = 0.0
    turn: float = 0.0
    turn_sign: int = 1
    first: float = 0.0

    def __post_init__(self) -> None:
        check_choice("kind of a gauge", self.kind, KINDS)
        check_integer("parity of a gauge", self.parity, low=-1, high=1)
        check_number("turn of a gauge", self.turn, low=0.0)
        if self.turn_sign not in (-1, 1):
            raise ValueError(f"turn_sign of a gauge is {self.turn_sign!r}, but must be -1 or 1")


@dataclass(frozen=True)
class Function:
    """A symbolic candidate.

    Parameters
    ----------
    name : str
        Its key in `LIBRARY`.
    f, d1, d2, d3 : callable
        Arrays of float64 of any shape -> arrays of that shape: value and first three derivatives. NaN outside the domain,
        infinity where float64 ends, no warnings. One-sided limits at an end that belongs to the domain.
    domain : (float, float)
        The smallest interval that holds the domain; `domain_rule` says it in words.
    complexity : int
        The price of the name in a ranking, at least 0.
    singular : tuple of float
        Points inside the domain at which f becomes infinite; they repeat with `gauge.turn`.
    gauge : Gauge
    formula : callable or None
        u -> SymPy expression; stored unread.
    search_grids : tuple of str
        Grids of initial values for the search of a and b, by their names in
        `kan_ref.symbolic.search_starts`; empty where the gauge, domain and poles choose them.
    """

    name: str
    f: Values
    d1: Values
    d2: Values
    d3: Values
    domain: tuple[float, float] = EVERYWHERE
    complexity: int = 1
    singular: tuple[float, ...] = ()
    gauge: Gauge = field(default_factory=Gauge)
    formula: Callable[[Any], Any] | None = None
    search_grids: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Function({self.name!r}, {domain_rule(self)}, complexity {self.complexity})"


def singular_points(function: Function, low: float, high: float) -> FloatArray:
    """All u with low < u < high at which f becomes infinite, rising."""
    turn, found = function.gauge.turn, []
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


def domain_rule(function: Function) -> str:
    """The domain as a sentence about u: "every u", "u > 0", "-1 <= u <= 1", "u != 0"."""
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
    repeats = f" + {function.gauge.turn:.6g} k" if function.gauge.turn else ""
    rule += [f"u != {point:.6g}{repeats}" for point in function.singular]
    return " and ".join(rule) or "every u"
