"""One case about a derivative of B-splines: the exact values, and those that known defects give.

Source: the derivative of the Cox-de Boor recursion (de Boor, A Practical Guide to Splines, rev.
ed., ch. X).
"""

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from kan_ref.conformance.generate.basis_case import VALUES, Case
from kan_ref.conformance.generate.encode import array, case
from kan_ref.conformance.generate.exact import (
    all_bsplines,
    derivative_terms,
    precise,
    slopes_of_even_knots,
)
from kan_ref.conformance.generate.topics_knots import uniform_knots

DERIVATIVES = 2e-13  # relative to the largest sum of absolute terms


def derivative_case(
    name: str,
    flags: str,
    x: Sequence[float],
    knots: Sequence[float],
    degree: int,
    order: int,
    *,
    kind: str = "required",
    since: int = 1,
) -> Case:
    """Return the case of basis_derivative(x, knots, degree, order) at the points x."""
    n_basis = len(knots) - degree - 1
    right = [all_bsplines(at, knots, degree, order) for at in x]
    scale = float(
        max((derivative_terms(at, knots, degree, order) for at in x), default=Fraction(0))
    )
    arguments = {
        "x": array(list(x), [len(x)]),
        "knots": array(list(knots)),
        "degree": degree,
        "order": order,
    }
    wrong: list[tuple[str, Any]] = []
    if degree > 1 and order <= degree:
        lost = Fraction(math.prod(degree - r for r in range(order)))
        wrong.append(
            (
                "DerivativeFactor",
                {"basis_derivative": [[value / lost for value in values] for values in right]},
            )
        )
    a, b = knots[degree], knots[-degree - 1]
    if order <= degree and any(not a <= at <= b for at in x):
        wrong.append(
            (
                "FadeOutside",
                {
                    "basis_derivative": [
                        all_bsplines(at, knots, degree, order, outside="continue") for at in x
                    ]
                },
            )
        )
    even = uniform_knots(a, b, len(knots) - 1 - 2 * degree, degree)
    if since > 1:
        answer = [all_bsplines(at, even, degree, order) for at in x]
        wrong.append(("UnevenKnots", {"basis_derivative": answer}))
    if since > 1 and order == 1:
        for step in ("mean", "first") if knots[0] < knots[1] else ("mean",):
            slopes = [slopes_of_even_knots(tuple(knots), degree, precise(at), step) for at in x]
            answer = [[row.get(m, 0.0) for m in range(n_basis)] for row in slopes]
            wrong.append(("UnevenKnots", {"basis_derivative": answer}))
    # outside the knot vector and above the degree there are no terms: the scale is 1
    expected, tolerance = (
        {"basis_derivative": array(right, [len(x), n_basis])},
        {"basis_derivative": DERIVATIVES * scale if scale else VALUES},
    )
    return case(
        name,
        "basis_derivative",
        flags,
        arguments,
        expected,
        tolerance,
        wrong=wrong,
        kind=kind,
        since=since,
    )
