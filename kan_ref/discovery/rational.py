"""Quotients of two polynomials of one input, by linear least squares with repeated weights.

y = P(v) / Q(v) with Q = 1 + b_1 v + ... is not linear in b. Multiplied by Q it is,

    (D22)   P(v) - y (b_1 v + ... + b_q v^q) = y

but its residual is that of y times Q. Each solution gives the weights 1 / |Q| of the next one
(Sanathanan & Koerner 1963).
"""

from collections.abc import Iterator

import numpy as np

from kan_ref.checks import FloatArray
from kan_ref.discovery.atoms import powers_of, variable_of
from kan_ref.discovery.trees import Number, Tree, add, apply, multiply

N_WEIGHTS = 6
MOST_ABOVE = 6
MOST_BELOW = 4
NEAR = 30.0  # times the error of the samples


def rational_functions(
    x: FloatArray, y: FloatArray, floor: float, most: int = MOST_ABOVE + MOST_BELOW
) -> Iterator[Tree]:
    """Yield the simplest quotient of polynomials whose error at x, y (n,) is near `floor`.

    The degrees of both have a sum of at most `most`.
    """
    variable, middle = variable_of(x)
    size = float(np.abs(x - middle).max())
    v = (x - middle) / size
    orders = [(p, q) for q in range(1, MOST_BELOW + 1) for p in range(MOST_ABOVE + 1)]
    for above, below in sorted(orders, key=lambda order: (sum(order), order[1])):
        if above + below > min(most, len(x) // 4 - 1):
            break
        a, b, error = _quotient(v, y, above, below)
        if error <= NEAR * floor:
            scale = size ** -np.arange(max(above, below) + 1.0)
            numerator = _polynomial(a * scale[: above + 1], variable)
            denominator = _polynomial(np.append(1.0, b) * scale[: below + 1], variable)
            yield multiply(numerator, apply("1/x", denominator))
            return


def _quotient(
    v: FloatArray, y: FloatArray, above: int, below: int
) -> tuple[FloatArray, FloatArray, float]:
    """Return the coefficients of P and of Q - 1, and the error; infinite if Q has a zero."""
    powers = v[:, None] ** np.arange(max(above, below) + 1)
    design = np.hstack([powers[:, : above + 1], -y[:, None] * powers[:, 1 : below + 1]])
    size = np.maximum(np.abs(design).max(axis=0), 1e-300)
    weight = np.ones(len(v))
    best = (np.zeros(above + 1), np.zeros(below), np.inf)
    for _ in range(N_WEIGHTS):
        # [eq:rational-least-squares]
        coef = np.linalg.lstsq(design / size * weight[:, None], y * weight, rcond=None)[0] / size
        # [/eq:rational-least-squares]
        a, b = coef[: above + 1], coef[above + 1 :]
        q = 1.0 + powers[:, 1 : below + 1] @ b
        if not (np.abs(q).min() > 1e-9 * np.abs(q).max() and q.min() * q.max() > 0.0):
            break
        error = float(np.sqrt(np.mean((powers[:, : above + 1] @ a / q - y) ** 2)))
        if error < best[2]:
            best = (a, b, error)
        weight = 1.0 / np.abs(q)
    return best


def _polynomial(coef: FloatArray, variable: Tree) -> Tree:
    terms: list[Tree] = [Number(float(coef[0]))]
    for power, c in enumerate(coef[1:].tolist(), 1):
        terms.append(multiply(Number(c), powers_of(variable, power)))
    return add(*terms)
