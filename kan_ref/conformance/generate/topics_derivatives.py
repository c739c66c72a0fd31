"""Cases about the derivatives of B-splines of order 1 to 3, in exact fractions.

Source: the derivative of the Cox-de Boor recursion (de Boor, A Practical Guide to Splines, rev.
ed., ch. X).
"""

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from kan_ref.conformance.generate.basis_case import VALUES, Case
from kan_ref.conformance.generate.encode import array, case, dice, topic
from kan_ref.conformance.generate.exact import all_bsplines, derivative_terms
from kan_ref.conformance.generate.topics_knots import uniform_knots

DERIVATIVES = 2e-13  # relative to the largest sum of absolute terms


def basis_derivatives() -> dict[str, Any]:
    """Return the cases of first order of basis_derivative(x, knots, degree, order)."""
    cases = _derivative_cases(1)
    cases += [
        _derivative(
            "thousand-intervals",
            "ManyIntervals BasisSlope",
            [0.61803],
            uniform_knots(-1.0, 1.0, 1000, 3),
            3,
            1,
        ),
        _derivative(
            "far-cubic",
            "ScaledRow BasisSlope",
            [1000.05, 1000.93],
            uniform_knots(1000.0, 1001.0, 4, 3),
            3,
            1,
        ),
        _derivative("no-points", "EmptyBatch", [], uniform_knots(0.0, 1.0, 5, 3), 3, 1),
    ]
    equation = "derivative of the Cox-de Boor recursion"
    return topic("basis_derivatives", level=2, needs=["bases"], equation=equation, cases=cases)


def higher_derivatives() -> dict[str, Any]:
    """Return the cases of second and third order of basis_derivative(x, knots, degree, order)."""
    equation = "derivative of the Cox-de Boor recursion, repeated"
    cases = [*_derivative_cases(2), *_derivative_cases(3)]
    return topic(
        "higher_derivatives", level=3, needs=["basis_derivatives"], equation=equation, cases=cases
    )


def _derivative_cases(order: int) -> list[Case]:
    cases = []
    flag = "BasisSlope" if order == 1 else "HigherDerivative"
    for degree in (0, 1, 2, 3, 4, 5, 7):
        knots = uniform_knots(-1.0, 1.0, 4, degree)
        inner = knots[degree : len(knots) - degree]
        name = f"degree-{degree}-order-{order}"
        if order > degree:
            cases.append(
                _derivative(
                    f"{name}-inside",
                    "AboveDegree",
                    dice(name, 4, low=-1.0, high=1.0),
                    knots,
                    degree,
                    order,
                )
            )
            continue
        cases.append(
            _derivative(
                f"{name}-inside", flag, dice(name, 4, low=-1.0, high=1.0), knots, degree, order
            )
        )
        outer = [knots[degree] - 0.125, knots[-degree - 1] + 0.375, knots[-1] - 0.0625]
        cases.append(
            _derivative(f"{name}-fade", f"FadeOutside {flag}", outer, knots, degree, order)
        )
        # simple knots: derivatives are continuous up to order degree - 1; of higher order the
        # contract leaves them open there
        kind = "required" if order < degree else "implementation-defined"
        flags = f"DerivativeAtKnot {flag}" if order < degree else "LeftOpen DerivativeAtKnot"
        cases.append(
            _derivative(
                f"{name}-knots",
                flags,
                [inner[1], inner[2], inner[-1]],
                knots,
                degree,
                order,
                kind=kind,
            )
        )
    cubic, uneven = (
        uniform_knots(0.0, 1.0, 5, 3),
        [-3.0, -1.0, -0.875, 0.0, 0.125, 0.25, 1.0, 3.0, 3.5],
    )
    clamped = [0.0] * 4 + [0.25, 0.5, 0.75] + [1.0] * 4
    return [
        *cases,
        _derivative(
            f"tenths-cubic-order-{order}",
            f"{flag} Float32Inside",
            [0.05, 0.37, 0.61, 0.99],
            cubic,
            3,
            order,
        ),
        _derivative(
            f"clamped-cubic-order-{order}",
            f"RepeatedKnots {flag} UnevenKnots",
            [0.125, 0.4375, 0.8125],
            clamped,
            3,
            order,
        ),
        _derivative(
            f"outside-row-order-{order}", f"ZeroOutside {flag}", [-1.0, 2.0], cubic, 3, order
        ),
        *(
            [
                _derivative(
                    f"uneven-quadratic-order-{order}",
                    f"UnevenKnots {flag}",
                    [-0.9375, -0.25, 0.1875],
                    uneven,
                    2,
                    order,
                )
            ]
            if order < 3
            else []
        ),
    ]


def _derivative(
    name: str,
    flags: str,
    x: Sequence[float],
    knots: Sequence[float],
    degree: int,
    order: int,
    *,
    kind: str = "required",
) -> Case:
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
    # outside the knot vector and above the degree there are no terms: the scale is 1
    expected, tolerance = (
        {"basis_derivative": array(right, [len(x), n_basis])},
        {"basis_derivative": DERIVATIVES * scale if scale else VALUES},
    )
    return case(
        name, "basis_derivative", flags, arguments, expected, tolerance, wrong=wrong, kind=kind
    )
