"""Replace floating-point numbers of a formula by exact ones: 3.14159265 by pi, 0.5000001 by 1/2.

A number is replaced if an exact one is nearer than chance explains, and if the values of the
formula change little.

Theorem (union bound). Let v be random, so that the fractional part of q v / kappa is uniform for
each unit kappa and each denominator q. Call v near p kappa / q, in lowest terms, if

    (E2)  |v / kappa - p / q| <= t(kappa, q) = chance / (2 S P(kappa) q^3)
          with sum over units of 1 / P(kappa) <= 1,  S = sum_q phi(q) / q^3 = zeta(2) / zeta(3)

Then v is near any exact number with a probability of at most `chance`: a unit interval of v /
kappa holds phi(q) fractions of denominator q, each with 2 t around it, and the sum over all q and
kappa is at most chance. (phi is Euler's function; for its Dirichlet series see Hardy & Wright, An
Introduction to the Theory of Numbers, section 17.5, theorem 288.)

Hence the tolerance is larger for simpler numbers: with a chance of 1 %, 1.8e-3 for integers,
2.3e-4 for halves, 1.4e-3 for multiples of pi, 1.8e-9 for hundredths. The second condition limits
the change of the formula's values at given samples by all replacements together,

    (E3)  rms over samples and outputs of (new - old) / std(old) <= tolerance

All numbers are replaced together if that is possible, because errors of fitted coefficients often
cancel; else one after the other, the simplest exact numbers first.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kan_ref import checks
from kan_ref.checks import FloatArray
from kan_ref.formulas.values import (
    check_expressions,
    check_names,
    finite_values,
    floats,
    numeric_function,
    replaced,
)

LARGEST_DENOMINATOR = 1000  # where (E2) allows 2e-12: fitted numbers are hardly better
PHI_SERIES = 1.3684327776202058  # S of (E2), zeta(2) / zeta(3)
RESOLUTION = 4.0 * float(np.finfo(np.float64).eps)  # relative uncertainty of a computed number

# unit, in SymPy's notation -> (value kappa, P(kappa) of (E2)); the reciprocals of P sum to 1
UNITS = {
    "1": (1.0, 2.0),
    "pi": (np.pi, 8.0),
    "1/pi": (1.0 / np.pi, 16.0),
    "sqrt(2)": (np.sqrt(2.0), 16.0),
    "E": (math.e, 16.0),
    "sqrt(3)": (np.sqrt(3.0), 16.0),
    "pi**2": (np.pi**2, 32.0),
    "1/pi**2": (np.pi**-2, 32.0),
    "log(2)": (np.log(2.0), 32.0),
    "1/sqrt(2*pi)": (1.0 / np.sqrt(2.0 * np.pi), 32.0),
}


@dataclass(frozen=True)
class Candidate:
    """The exact number `numerator / denominator * unit`, near a value.

    `error` is exact - value; `price`, P(kappa) q^3 of (E2), is lower for simpler numbers.
    """

    numerator: int
    denominator: int
    unit: str
    error: float
    price: float

    @property
    def exact(self) -> Any:
        """The number as SymPy has it."""
        import sympy

        return sympy.Rational(self.numerator, self.denominator) * sympy.sympify(self.unit)


@dataclass(frozen=True)
class Replacement:
    """A `value`, the SymPy number `exact` that replaces it, and `error` = exact - value."""

    value: float
    exact: Any
    error: float


@dataclass(frozen=True)
class Recognition:
    """The result of `recognise_constants`, with its error.

    Parameters
    ----------
    expression : sympy.Expr, or tuple of sympy.Expr
        With the exact numbers.
    replaced : tuple of Replacement
    max, rms : float
        Largest and root mean square change of the values at the samples. Each output is measured in
        units of its standard deviation there, or of its root mean square if it is constant.
    """

    expression: Any
    replaced: tuple[Replacement, ...]
    max: float
    rms: float


@np.errstate(all="ignore")
def recognise_constants(
    expression: Any,
    x: object,
    *,
    names: Sequence[str] | None = None,
    tolerance: float = 1e-9,
    chance: float = 0.01,
) -> Recognition:
    """Replace floating-point numbers of an expression by near and simple exact ones.

    Parameters
    ----------
    expression : sympy.Expr, or tuple of sympy.Expr
        As returned by `formula`. A number that occurs several times is replaced everywhere.
    x : (batch, n_in)
        Samples at which the change of the values is measured, such as the training data.
    names : sequence of str, optional
        Names of the columns of x; x_1, x_2, ... by default.
    tolerance : float
        Largest root mean square change of the values by all replacements together, in units of
        their standard deviation. Choose it near the error of the formula: 1e-9 for exact data, the
        uncertainty of the fit for noisy data.
    chance : float
        Probability, in (0, 1], of replacing a random number.

    Returns
    -------
    recognition : Recognition
        `rms` is at most `tolerance`, up to rounding.

    Notes
    -----
    Exact numbers are the multiples p/q, q <= 1000, of 1, pi, 1/pi, pi^2, 1/pi^2, e, sqrt(2),
    sqrt(3), log 2 and 1/sqrt(2 pi), 0 included. Implements :eq:`near-numbers` and :eq:`cost`. See
    tutorials/08_symbols.md, "exact numbers".

    Examples
    --------
    >>> import sympy
    >>> x = np.linspace(-1.0, 1.0, 9)[:, None]
    >>> fitted = sympy.sympify("0.5*sin(3.14159265359*t) + 2e-14")
    >>> recognise_constants(fitted, x, names=("t",)).expression
    sin(pi*t)/2
    """
    tolerance = checks.number("tolerance", tolerance, low=0.0)
    chance = checks.number("chance", chance, above=0.0, high=1.0)
    found = check_expressions(expression)
    points = checks.samples("x", x, ("batch", "n_in"))
    labels = check_names(names, points.shape[1])
    checks.new_names(labels, checks.column_names(x))
    old = finite_values(found, points, labels)
    choices = {value: near_numbers(float(value), chance) for value in floats(found)}
    taken = taken_numbers(found, points, labels, choices, tolerance)
    new = tuple(one.xreplace({v: near.exact for v, near in taken.items()}) for one in found)
    changes = _changes(finite_values(new, points, labels), old)
    return Recognition(
        new if isinstance(expression, tuple) else new[0],
        tuple(Replacement(float(v), near.exact, near.error) for v, near in taken.items()),
        float(np.abs(changes).max()),
        float(np.sqrt(np.mean(changes**2))),
    )


def near_numbers(value: float, chance: float) -> list[Candidate]:
    """Return the exact numbers near `value`, (E2), the simplest first.

    Each is nearer and less simple than the one before.
    """
    q = np.arange(1, LARGEST_DENOMINATOR + 1)
    near: list[Candidate] = []
    for unit, (kappa, price) in UNITS.items():
        # [eq:near-numbers]
        p = np.rint(value / kappa * q)
        distance = np.maximum(np.abs(value / kappa - p / q), RESOLUTION * np.abs(value / kappa))
        allowed = chance / (2.0 * PHI_SERIES * price * q**3.0)
        # [/eq:near-numbers]
        for place in np.flatnonzero(distance <= allowed):
            numerator, denominator = int(p[place]), int(q[place])
            error = float(numerator / denominator * kappa - value)
            cost = price * float(denominator) ** 3
            near.append(Candidate(numerator, denominator, unit, error, cost))
    nearer, limit = [], np.inf
    for candidate in sorted(near, key=lambda one: one.price):
        if abs(candidate.error) < limit:
            nearer.append(candidate)
            limit = abs(candidate.error)
    return nearer


def taken_numbers(
    expressions: Sequence[Any],
    x: FloatArray,
    names: Sequence[str],
    choices: dict[Any, list[Candidate]],
    tolerance: float,
) -> dict[Any, Candidate]:
    """Return a candidate for every number that can be replaced within (E3)."""
    import sympy

    choices = {value: near for value, near in choices.items() if near}
    letters = {value: sympy.Dummy(real=True) for value in choices}
    values = numeric_function(
        [replaced(one, letters) for one in expressions], names, list(letters.values())
    )
    old = values(x, *map(float, choices))

    def is_allowed(taken: dict[Any, Candidate]) -> bool:
        numbers = [float(v) + (taken[v].error if v in taken else 0.0) for v in choices]
        return bool(np.sqrt(np.mean(_changes(values(x, *numbers), old) ** 2)) <= tolerance)

    simplest = {value: near[0] for value, near in choices.items()}
    if is_allowed(simplest):
        return simplest
    taken: dict[Any, Candidate] = {}
    for value in sorted(choices, key=lambda one: choices[one][0].price):
        for near in choices[value]:
            if is_allowed({**taken, value: near}):
                taken[value] = near
                break
    return taken


def _changes(new: FloatArray, old: FloatArray) -> FloatArray:
    """Return (new - old) / std(old) of (E3), (batch, n_out)."""
    # [eq:cost]
    std = old.std(axis=0)
    size = np.sqrt(np.mean(old**2, axis=0))
    # the standard deviation of a constant output is its rounding error
    std = np.where(std > RESOLUTION * size, std, np.where(size > 0.0, size, 1.0))
    changes: FloatArray = (new - old) / std
    # [/eq:cost]
    return changes
