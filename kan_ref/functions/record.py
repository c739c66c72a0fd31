"""Records of symbolic candidates: derivatives, domain, symmetries; the built-in ones.

An edge c f(a x + b) + d is the same curve for many parameters (a, b, c, d): this scale
and shift redundancy (gauge) follows from identities of f. With s > 0,

    (F17)  power of degree n  f(s u) = s^n f(u)              a = 1 or -1, the scale in c
    (F18)  logarithm          f(s u) = f(u) + n log s        a = 1 or -1, the scale in d
    (F19)  exponential        f(u + b) = e^(n b) f(u)        b = 0, the scale in c
    (F20)  symmetry           f(-u) - m = parity (f(u) - m)  a > 0
           turn               f(u + turn) = sign f(u)        b within one turn

The line x is the odd power of degree 1 whose shift goes to d; abs is the even power of
degree 1, sgn the odd one of degree 0. The table of the built-in functions has their
values from `values`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from kan_ref import checks
from kan_ref.functions import values

EVERYWHERE = (-np.inf, np.inf)
KINDS = ("constant", "line", "power", "log", "exp", "free")


@dataclass(frozen=True)
class Redundancy:
    """Which of the parameters a, b, c, d of c f(a x + b) + d are redundant.

    Parameters
    ----------
    kind : str
        The parameters that stay free are d for "constant"; c, d for "line"; b, c, d and
        the sign of a for "power" and "log"; a, c, d for "exp"; all for "free".
    degree : float
        n of (F17), for "power"; n of (F18) and (F19), for "log" and "exp", where 0
        stands for 1, as in log u and e^u themselves.
    parity : int
        1 even, -1 odd about the value `middle`, 0 neither: (F20).
    middle : float
        m of (F20).
    turn : float
        Smallest shift of (F20) after which f repeats up to its sign; 0 if there is
        none.
    turn_sign : int
        The sign of f after one turn.
    first : float
        Begin of the interval of b, which is [first, first + turn).

    Examples
    --------
    >>> cube = Redundancy("power", degree=3.0, parity=-1)  # of u^3
    >>> cube.kind, cube.degree, cube.parity, cube.turn
    ('power', 3.0, -1, 0.0)
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
            checks.fail("turn_sign of a redundancy", self.turn_sign, "must be -1 or 1")

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
        Arrays of float64 of any shape -> arrays of that shape: value and first three
        derivatives. nan outside the domain, infinity on overflow, no warnings.
        One-sided limits at an end that belongs to the domain.
    domain : (float, float)
        The smallest interval that contains the domain; `domain_rule` describes it in
        words.
    complexity : int
        The cost of the function in a ranking, at least 0.
    singular : tuple of float
        Points inside the domain at which f becomes infinite; they repeat with
        `redundancy.turn`.
    redundancy : Redundancy
    formula : callable or None
        u -> SymPy expression, or None: `kan_ref.formula` then writes the name of the
        function.
    """

    name: str
    f: values.Values
    d1: values.Values
    d2: values.Values
    d3: values.Values
    domain: tuple[float, float] = EVERYWHERE
    complexity: int = 1
    singular: tuple[float, ...] = ()
    redundancy: Redundancy = field(default_factory=Redundancy)
    formula: Callable[[Any], Any] | None = None

    def __repr__(self) -> str:
        return (
            f"Function({self.name!r}, {domain_rule(self)}, "
            f"complexity {self.complexity})"
        )


def singular_points(function: Function, low: float, high: float) -> checks.FloatArray:
    """Return all u in (low, high) at which f becomes infinite, in increasing order."""
    points, turn = np.array(function.singular), function.redundancy.turn
    if turn and points.size:
        first = (low - points.max()) / turn
        last = (high - points.min()) / turn
        turns = turn * np.arange(np.floor(first), np.ceil(last) + 1.0)
        points = (points + turns[:, None]).ravel()
    return np.sort(points[(points > low) & (points < high)])


def formula_of(function: Function, u: Any) -> Any:
    """Return `formula` of a registered function for a SymPy expression u.

    ValueError if it is not an expression, or has symbols that u does not have.
    """
    import sympy

    assert function.formula is not None
    value = function.formula(u)
    if not isinstance(value, sympy.Expr) or value.free_symbols - u.free_symbols:
        what = f"formula of {function.name!r}"
        checks.fail(what, value, "must be a SymPy expression of its argument alone")
    return value


def domain_rule(function: Function) -> str:
    """Describe the domain of u: "every u", "u > 0", "-1 <= u <= 1", "u != 0"."""
    low, high = function.domain
    ends = np.where(np.isfinite(function.domain), function.domain, 0.0)
    above, below = np.where(np.isfinite(function.f(ends)), "<=", "<").tolist()
    rule = []
    if np.isfinite(low) and np.isfinite(high):
        rule.append(f"{low:g} {above} u {below} {high:g}")
    elif np.isfinite(low):
        rule.append(f"u {above.replace('<', '>')} {low:g}")
    elif np.isfinite(high):
        rule.append(f"u {below} {high:g}")
    turn = function.redundancy.turn
    repeats = f" + {turn:.6g} k" if turn else ""
    rule += [f"u != {point:.6g}{repeats}" for point in function.singular]
    return " and ".join(rule) or "every u"


def _power(name: str, exponent: float, complexity: int) -> Function:
    """Return the record of u^exponent."""
    power = values.Power(exponent)
    redundancy = Redundancy("power", degree=exponent)
    if not float(exponent).is_integer():
        return _record(name, power, complexity, redundancy, domain=(0.0, np.inf))

    redundancy = replace(redundancy, parity=1 - 2 * int(exponent % 2))
    if exponent == 1.0:
        redundancy = replace(redundancy, kind="line")
    singular = (0.0,) if exponent < 0.0 else ()
    return _record(name, power, complexity, redundancy, singular=singular)


def _record(
    name: str,
    function: values.Orders,
    complexity: int,
    redundancy: Redundancy,
    *,
    domain: tuple[float, float] = EVERYWHERE,
    singular: tuple[float, ...] = (),
) -> Function:
    """Return the record of a function of `values`."""
    f, d1, d2, d3 = (values.Derivative(function, order) for order in range(4))
    return Function(name, f, d1, d2, d3, domain, complexity, singular, redundancy)


_ODD, _EVEN = Redundancy(parity=-1), Redundancy(parity=1)
_ODD_WAVE = Redundancy(parity=-1, turn=np.pi, turn_sign=-1)
_EVEN_WAVE = replace(_ODD_WAVE, parity=1)
_CELLS = Redundancy(parity=-1, turn=np.pi, first=-0.5 * np.pi)
_QUARTER = replace(_ODD, middle=0.5 * np.pi)
_RECIPROCAL = Redundancy("power", degree=-1.0, parity=1)
_UNIT = (-1.0, 1.0)

TABLE = (
    _record("0", values.zero, 0, Redundancy("constant", parity=1)),
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
    _record("exp", values.exp, 2, Redundancy("exp")),
    _record("log", values.log, 2, Redundancy("log"), domain=(0.0, np.inf)),
    _record("abs", values.absolute, 3, Redundancy("power", degree=1.0, parity=1)),
    _record("sin", values.sin, 2, _ODD_WAVE),
    _record("cos", values.cos, 2, _EVEN_WAVE),
    _record("tan", values.tan, 3, _CELLS, singular=(0.5 * np.pi,)),
    _record("tanh", values.tanh, 3, _ODD),
    _record("cosh", values.cosh, 5, _EVEN),
    _record("sgn", values.sign, 3, Redundancy("power", degree=0.0, parity=-1)),
    _record("arcsin", values.arcsin, 4, _ODD, domain=_UNIT),
    _record("arccos", values.arccos, 4, _QUARTER, domain=_UNIT),
    _record("arctan", values.arctan, 4, _ODD),
    _record("arctanh", values.arctanh, 4, _ODD, domain=_UNIT),
    _record("sigmoid", values.sigmoid, 4, replace(_ODD, middle=0.5)),
    _record("gaussian", values.gaussian, 3, _EVEN),
    _record("logcosh", values.log_cosh, 5, _EVEN),
    _record("1/|x|", values.inverse_absolute, 3, _RECIPROCAL, singular=(0.0,)),
)
