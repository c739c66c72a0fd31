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

The simplest near numbers are tried first. While (E3) fails, one number after the other goes back
to its next nearest candidate or to itself, each time the one that lowers the left-hand side most.
They are judged together, because errors of fitted coefficients often cancel.
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

# unit, in SymPy's notation -> (value kappa, price P of (E2)); the reciprocal prices sum to 1
UNITS = {
    "1": (1.0, 2.0),
    "pi": (np.pi, 8.0),
    "1/pi": (1.0 / np.pi, 16.0),
    "sqrt(2)": (np.sqrt(2.0), 16.0),
    "E": (math.e, 16.0),
    "sqrt(3)": (np.sqrt(3.0), 32.0),
    "log(2)": (np.log(2.0), 32.0),
    "exp(-1)": (1.0 / math.e, 32.0),
    "pi**2": (np.pi**2, 32.0),
    "1/pi**2": (np.pi**-2, 64.0),
    "sqrt(pi)": (np.sqrt(np.pi), 64.0),
    "1/sqrt(pi)": (1.0 / np.sqrt(np.pi), 64.0),
    "1/sqrt(2*pi)": (1.0 / np.sqrt(2.0 * np.pi), 64.0),
}


@dataclass(frozen=True)
class Candidate:
    """The exact number `numerator / denominator * unit`, a candidate to replace a value.

    `error` is exact - value.
    """

    numerator: int
    denominator: int
    unit: str
    error: float


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

    Raises
    ------
    ValueError
        If there are no samples, the expression has no finite value at one of them or contains a
        symbol that is not in `names`, or a setting is out of range; if `names` are the columns of a
        table x in another order.

    Notes
    -----
    Exact numbers are the multiples p/q, q <= 1000, of 1, pi, 1/pi, pi^2, 1/pi^2, e, 1/e, sqrt(2),
    sqrt(3), log 2, sqrt(pi), 1/sqrt(pi) and 1/sqrt(2 pi), 0 included. Implements
    :eq:`near-numbers` and :eq:`cost`. See tutorials/08_symbols.md, "exact numbers".

    Examples
    --------
    >>> import sympy
    >>> x = np.linspace(-1.0, 1.0, 9)[:, None]
    >>> fitted = sympy.sympify("0.5*sin(3.14159265359*t) + 2e-14")
    >>> recognise_constants(fitted, x, names=("t",)).expression
    sin(pi*t)/2
    """
    tolerance = checks.number("tolerance", tolerance, low=0.0)
    if checks.number("chance", chance, high=1.0) <= 0.0:
        raise ValueError(f"chance is {chance}, but must be greater than 0")
    found = check_expressions(expression)
    points = checks.array("x", x, ("batch", "n_in"))
    labels = check_names(names, points.shape[1])
    checks.new_names(labels, checks.column_names(x))
    old = finite_values(found, points, labels)
    if len(old) == 0:
        raise ValueError("x has no rows, but the cost of a replacement needs at least one sample")
    choices = {value: near_numbers(float(value), chance) for value in floats(found)}
    choices = {value: near for value, near in choices.items() if near}
    taken = taken_numbers(found, points, labels, choices, old, tolerance)
    exact = {value: sympy_number(candidate) for value, candidate in taken.items()}
    new = tuple(one.xreplace(exact) for one in found)
    changes = _changes(finite_values(new, points, labels), old)
    return Recognition(
        new if isinstance(expression, tuple) else new[0],
        tuple(
            Replacement(float(value), exact[value], candidate.error)
            for value, candidate in taken.items()
        ),
        float(np.abs(changes).max()),
        float(np.sqrt(np.mean(changes**2))),
    )


def near_numbers(value: float, chance: float) -> list[Candidate]:
    """Return the exact numbers near `value`, (E2), the simplest first.

    Each is nearer and less simple than the one before.
    """
    q = np.arange(1, LARGEST_DENOMINATOR + 1)
    near: list[tuple[float, Candidate]] = []
    for unit, (kappa, price) in UNITS.items():
        # [eq:near-numbers]
        p = np.rint(value / kappa * q)
        distance = np.maximum(np.abs(value / kappa - p / q), RESOLUTION * np.abs(value / kappa))
        allowed = chance / (2.0 * PHI_SERIES * price * q**3.0)
        # [/eq:near-numbers]
        for place in np.flatnonzero(distance <= allowed):
            numerator, denominator = int(p[place]), int(q[place])
            candidate = Candidate(
                numerator, denominator, unit, float(numerator / denominator * kappa - value)
            )
            near.append((price * float(q[place]) ** 3, candidate))
    nearer, limit = [], np.inf
    for _, candidate in sorted(near, key=lambda entry: entry[0]):
        if abs(candidate.error) < limit:
            nearer.append(candidate)
            limit = abs(candidate.error)
    return nearer


def taken_numbers(
    expressions: Sequence[Any],
    x: FloatArray,
    names: Sequence[str],
    choices: dict[Any, list[Candidate]],
    old: FloatArray,
    tolerance: float,
) -> dict[Any, Candidate]:
    """Return a candidate for every number that can be replaced within (E3)."""
    import sympy

    symbols = {value: sympy.Dummy(real=True) for value in choices}
    values = numeric_function(
        [replaced(one, symbols) for one in expressions], names, list(symbols.values())
    )

    def cost(step: dict[Any, int]) -> float:
        """Return the left-hand side of (E3) for the candidates numbered by `step`."""
        exact = [
            float(value) + (near[step[value]].error if step[value] < len(near) else 0.0)
            for value, near in choices.items()
        ]
        rms = float(np.sqrt(np.mean(_changes(values(x, *exact), old) ** 2)))
        return rms if np.isfinite(rms) else np.inf

    steps = dict.fromkeys(choices, 0)
    while cost(steps) > tolerance and any(
        steps[value] < len(near) for value, near in choices.items()
    ):
        back = [
            {**steps, value: step + 1}
            for value, step in steps.items()
            if step < len(choices[value])
        ]
        steps = min(back, key=cost)
    return {
        value: near[steps[value]] for value, near in choices.items() if steps[value] < len(near)
    }


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


def sympy_number(candidate: Candidate) -> Any:
    """Return the exact number as SymPy has it."""
    import sympy

    fraction = sympy.Rational(candidate.numerator, candidate.denominator)
    return fraction * sympy.sympify(candidate.unit)
