"""Numbers of a formula that are exact ones in disguise: 3.14159265 is pi, 0.5000001 is 1/2, if error allows and chance does not explain it.

Theorem (union bound). Let a number v be drawn at random, so that the fractional part of q v / kappa is uniform for each unit kappa and each
denominator q. Call v near p kappa / q, in lowest terms, if

    (R1)  |v / kappa - p / q| <= t(kappa, q) = chance / (2 S P(kappa) q^3),     sum over units of 1 / P(kappa) <= 1,
                                                                                S = sum_q phi(q) / q^3 = zeta(2) / zeta(3)

Then v is near anything with a probability of at most `chance`: there are phi(q) fractions of denominator q to a unit of v / kappa,
each with 2 t on its two sides, and the sum over all q and kappa is at most chance. (phi: Euler's; its Dirichlet series: Hardy & Wright,
An Introduction to the Theory of Numbers, section 17.5, theorem 288.)

So the simpler a number, the farther may it be away: with a chance of 1 %, whole numbers 1.8e-3, halves 2.3e-4, multiples of pi 1.4e-3,
hundredths 1.8e-9. This is the one half of the rule, and knows nothing of the error; the other half is what the replacements do to the
formula's values at given samples, all together,

    (R2)  rms over samples and outputs of (new - old) / std(old) <= tolerance

The simplest near numbers are tried first. While (R2) fails, the number whose step back, to its next nearest candidate or to
itself, lowers the left-hand side most takes that step: errors of fitted coefficients often cancel, so they are judged together.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kan_ref.checks import FloatArray, check_number
from kan_ref.formulas.values import (
    check_expressions,
    check_names,
    evaluate_formula,
    floats,
    numeric_function,
)

LARGEST_DENOMINATOR = 1000
PHI_SERIES = 1.3684327776202058  # zeta(2) / zeta(3)
RESOLUTION = 4.0 * float(np.finfo(np.float64).eps)  # a float64 number is not known better than this

# name of a unit, as SymPy reads it -> (its value, its price P); the reciprocals of the prices sum to 1
UNITS = {
    "1": (1.0, 2.0),
    "pi": (np.pi, 8.0),
    "1/pi": (1.0 / np.pi, 16.0),
    "sqrt(2)": (np.sqrt(2.0), 16.0),
    "E": (np.e, 16.0),
    "sqrt(3)": (np.sqrt(3.0), 32.0),
    "log(2)": (np.log(2.0), 32.0),
    "exp(-1)": (1.0 / np.e, 32.0),
    "pi**2": (np.pi**2, 32.0),
    "sqrt(5)": (np.sqrt(5.0), 64.0),
    "sqrt(pi)": (np.sqrt(np.pi), 64.0),
    "1/sqrt(pi)": (1.0 / np.sqrt(np.pi), 64.0),
    "1/sqrt(2*pi)": (1.0 / np.sqrt(2.0 * np.pi), 64.0),
}


@dataclass(frozen=True)
class Candidate:
    """The number numerator / denominator times the unit called `unit`, `error` away from the number it may replace."""

    numerator: int
    denominator: int
    unit: str
    error: float


@dataclass(frozen=True)
class Replacement:
    """That `value` became `exact`, a SymPy number, which is `error` = exact - value away."""

    value: float
    exact: Any
    error: float


@dataclass(frozen=True)
class Recognition:
    """What `recognise_constants` found, and what it costs.

    Parameters
    ----------
    expression : sympy.Expr, or tuple of sympy.Expr
        With the exact numbers.
    replaced : tuple of Replacement
    max, rms : float
        Largest and root mean square change of the values at the samples, each output in units of its own standard deviation there
        (of its root mean square, if it is constant). Measured on `expression` itself.
    """

    expression: Any
    replaced: tuple[Replacement, ...]
    max: float
    rms: float


def recognise_constants(
    expression: Any,
    x: object,
    *,
    names: Sequence[str] | None = None,
    tolerance: float = 1e-9,
    chance: float = 0.01,
) -> Recognition:
    """The expression with its floating-point numbers replaced by exact ones that are near, simple, and change its values little.

    Parameters
    ----------
    expression : sympy.Expr, or tuple of sympy.Expr
        As `formula` gives it. What it shares, outputs too, is replaced everywhere.
    x : (batch, n_in)
        Samples at which the cost is measured: training data, say.
    names : sequence of str, optional
        Of the columns of x; x_1, x_2, ... without.
    tolerance : float
        How much all replacements together may change the values: root mean square, in units of the values' standard deviation.
        About the formula's own error: 1e-9 for clean data; for noisy data what the noise leaves uncertain.
    chance : float
        Of taking a random number for an exact one; in (0, 1].

    Returns
    -------
    recognition : Recognition
        `rms` is at most `tolerance`, up to rounding.

    Raises
    ------
    ValueError
        No samples; an expression without a finite value at one of them, or with symbols that are no names.

    Notes
    -----
    Exact numbers are fractions p/q, q <= 1000, of 1, pi, 1/pi, pi^2, e, 1/e, sqrt(2), sqrt(3), sqrt(5), log 2, sqrt(pi), 1/sqrt(pi)
    and 1/sqrt(2 pi); 0 is one of them. Implements :eq:`near-numbers` and :eq:`cost`. See tutorials/08_symbols.md, "exact numbers".

    Examples
    --------
    >>> import sympy
    >>> x = np.linspace(-1.0, 1.0, 9)[:, None]
    >>> recognise_constants(sympy.sympify("0.5*sin(3.14159265359*t) + 2e-14"), x, names=("t",)).expression
    sin(pi*t)/2
    """
    tolerance = check_number("tolerance", tolerance, low=0.0)
    if check_number("chance", chance, high=1.0) <= 0.0:
        raise ValueError(f"chance is {chance}, but must be greater than 0")
    found = check_expressions(expression)
    old = evaluate_formula(expression, x, names=names)
    if len(old) == 0:
        raise ValueError("x has no rows, but the cost of a replacement needs at least one sample")
    points = np.asarray(x, dtype=np.float64)
    choices = {value: near_numbers(float(value), chance) for value in floats(found)}
    choices = {value: near for value, near in choices.items() if near}
    taken = _affordable(found, points, check_names(names, points.shape[1]), choices, old, tolerance)
    exact = {value: _sympy_number(candidate) for value, candidate in taken.items()}
    new = tuple(one.xreplace(exact) for one in found)
    changes = _changes(evaluate_formula(new, points, names=names), old)
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
    """The exact numbers that `value` is near to, (R1): the simplest first, each next one less simple and nearer."""
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


def _affordable(
    expressions: Sequence[Any],
    x: FloatArray,
    names: Sequence[str],
    choices: dict[Any, list[Candidate]],
    old: FloatArray,
    tolerance: float,
) -> dict[Any, Candidate]:
    """A candidate for every number that can be replaced within (R2)."""
    import sympy

    symbols = {value: sympy.Dummy() for value in choices}
    values = numeric_function(
        [one.xreplace(symbols) for one in expressions], names, list(symbols.values())
    )

    def cost(step: dict[Any, int]) -> float:
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
    """(R2) before the mean: (new - old) / std(old), (batch, n_out)."""
    # [eq:cost]
    spread = old.std(axis=0)
    size = np.sqrt(np.mean(old**2, axis=0))
    # a constant has no spread but that of rounding
    spread = np.where(spread > RESOLUTION * size, spread, np.where(size > 0.0, size, 1.0))
    changes: FloatArray = (new - old) / spread
    # [/eq:cost]
    return changes


def _sympy_number(candidate: Candidate) -> Any:
    import sympy

    return sympy.Rational(candidate.numerator, candidate.denominator) * sympy.sympify(
        candidate.unit
    )
