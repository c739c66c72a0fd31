"""One case about B-splines: the exact values, and the values that known defects give."""

from bisect import bisect_left
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from kan_ref.conformance.generate.encode import array, case
from kan_ref.conformance.generate.exact import all_bsplines, taylor
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
