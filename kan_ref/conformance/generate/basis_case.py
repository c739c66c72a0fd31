"""One case about B-splines or a derivative of them: the exact values, and those of known defects.

Source: the Cox-de Boor recursion and its derivative (de Boor, A Practical Guide to Splines, rev.
ed., ch. IX and X).
"""

import math
from bisect import bisect_left
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from kan_ref.conformance.generate.encode import array, case
from kan_ref.conformance.generate.exact import (
    all_bsplines,
    derivative_terms,
    precise,
    slopes_of_even_knots,
    taylor,
)
from kan_ref.conformance.generate.topics_knots import uniform_knots

VALUES = 1e-13  # relative to 1, the sum of all; a recursion needs 5e-15, evaluation by pieces 2e-14

Case = dict[str, Any]


def basis_case(
    name: str,
    flags: str,
    x: Sequence[float],
    knots: Sequence[float],
    degree: int,
    *,
    float32: bool = True,
    kind: str = "required",
    since: int = 1,
) -> Case:
    """Return the case of `basis(x, knots, degree)` at the points x."""
    n_basis = len(knots) - degree - 1
    shape = [len(x), n_basis]
    right = [all_bsplines(at, knots, degree) for at in x]
    a, b = knots[degree], knots[-degree - 1]
    wrong: list[tuple[str, Any]] = []
    if any(not a <= at <= b for at in x):
        wrong.append(
            (
                "FadeOutside",
                {"basis": [all_bsplines(at, knots, degree, outside="continue") for at in x]},
            )
        )
    if knots[-1] in x:
        wrong.append(
            (
                "LastEnd",
                {
                    "basis": [
                        [Fraction(0)] * n_basis if at == knots[-1] else values
                        for at, values in zip(x, right, strict=True)
                    ]
                },
            )
        )
    if set(knots[1:-1]) & set(x):
        left = [_from_left(at, knots, degree) for at in x]
        both = [
            [p + q if at in knots[1:-1] else q for p, q in zip(*pair, strict=True)]
            for at, *pair in zip(x, left, right, strict=True)
        ]
        wrong += [("KnotOwnership", {"basis": left}), ("KnotOwnership", {"basis": both})]
    if since > 1:
        even = uniform_knots(a, b, len(knots) - 1 - 2 * degree, degree)
        wrong.append(("UnevenKnots", {"basis": [all_bsplines(at, even, degree) for at in x]}))
    arguments = {"x": array(list(x), [len(x)]), "knots": array(list(knots)), "degree": degree}
    expected, tolerance = {"basis": array(right, shape)}, {"basis": VALUES}
    return case(
        name,
        "basis",
        flags,
        arguments,
        expected,
        tolerance,
        wrong=wrong,
        float32=float32,
        kind=kind,
        since=since,
    )


def _from_left(x: float, knots: Sequence[float], degree: int) -> list[Fraction]:
    """Return all B-splines under the convention t_m < x <= t_{m+1}."""
    t = [Fraction(knot) for knot in knots]
    piece = bisect_left(knots, x) - 1
    active = taylor(t, degree, piece, Fraction(x), 1) if 0 <= piece < len(knots) - 1 else {}
    return [active[m][0] if m in active else Fraction(0) for m in range(len(knots) - degree - 1)]


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
