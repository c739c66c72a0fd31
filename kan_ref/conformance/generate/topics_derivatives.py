"""Cases about the derivatives of B-splines of order 1 to 3, in exact fractions."""

from collections.abc import Sequence
from typing import Any

from kan_ref.conformance.generate.basis_case import Case, derivative_case
from kan_ref.conformance.generate.encode import dice, topic
from kan_ref.conformance.generate.topics_knots import (
    FARTHEST,
    KINDS,
    uneven_row,
    uniform_knots,
    whole_steps,
)


def basis_derivatives() -> dict[str, Any]:
    """Return the cases of first order of basis_derivative(x, knots, degree, order)."""
    cases = _derivative_cases(1)
    cases += [
        derivative_case(
            "thousand-intervals",
            "ManyIntervals BasisSlope",
            [0.61803],
            uniform_knots(-1.0, 1.0, 1000, 3),
            3,
            1,
        ),
        derivative_case(
            "far-cubic",
            "ScaledRow BasisSlope",
            [1000.05, 1000.93],
            uniform_knots(1000.0, 1001.0, 4, 3),
            3,
            1,
        ),
        derivative_case("no-points", "EmptyBatch", [], uniform_knots(0.0, 1.0, 5, 3), 3, 1),
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
                derivative_case(
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
            derivative_case(
                f"{name}-inside", flag, dice(name, 4, low=-1.0, high=1.0), knots, degree, order
            )
        )
        outer = [knots[degree] - 0.125, knots[-degree - 1] + 0.375, knots[-1] - 0.0625]
        cases.append(
            derivative_case(f"{name}-fade", f"FadeOutside {flag}", outer, knots, degree, order)
        )
        # simple knots: derivatives are continuous up to order degree - 1; of higher order the
        # contract leaves them open there
        kind = "required" if order < degree else "implementation-defined"
        flags = f"DerivativeAtKnot {flag}" if order < degree else "LeftOpen DerivativeAtKnot"
        cases.append(
            derivative_case(
                f"{name}-knots",
                flags,
                [inner[1], inner[2], inner[-1]],
                knots,
                degree,
                order,
                kind=kind,
            )
        )
        if order == 1 or degree in (3, 5):
            cases += _uneven_cases(degree, order, name, flag)
    cubic, uneven = (
        uniform_knots(0.0, 1.0, 5, 3),
        [-3.0, -1.0, -0.875, 0.0, 0.125, 0.25, 1.0, 3.0, 3.5],
    )
    clamped = [0.0] * 4 + [0.25, 0.5, 0.75] + [1.0] * 4
    return [
        *cases,
        derivative_case(
            f"tenths-cubic-order-{order}",
            f"{flag} Float32Inside",
            [0.05, 0.37, 0.61, 0.99],
            cubic,
            3,
            order,
        ),
        derivative_case(
            f"clamped-cubic-order-{order}",
            f"RepeatedKnots {flag} UnevenKnots",
            [0.125, 0.4375, 0.8125],
            clamped,
            3,
            order,
        ),
        derivative_case(
            f"outside-row-order-{order}", f"ZeroOutside {flag}", [-1.0, 2.0], cubic, 3, order
        ),
        *(
            [
                derivative_case(
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
        *_unusual_cases(order, flag),
    ]


def _unusual_cases(order: int, flag: str) -> list[Case]:
    """Return the cases on the knot vectors of `topics_knots`, and those at outer knots."""
    inside, outer = [-0.8125, 0.1875, 0.9375], [-1.625, 1.375]
    found: list[tuple[str, str, Sequence[float], list[float]]] = [
        (name, f"{flags} {flag}", inside, row(3)) for name, flags, row in KINDS
    ]
    found += [
        ("between-outer-knots", f"FadeOutside UnevenKnots {flag}", outer, whole_steps(3)),
        ("farthest-points", f"ZeroOutside {flag}", FARTHEST, whole_steps(3)),
    ]
    if order < 3:
        even = uniform_knots(-1.0, 1.0, 4, 3)
        x = [even[0], even[1], even[3], even[-4], even[-2], even[-1]]
        found.append(("outer-knots", f"DerivativeAtKnot FadeOutside {flag}", x, even))
    return [
        derivative_case(f"{name}-order-{order}", flags, x, knots, 3, order, since=4)
        for name, flags, x, knots in found
    ]


def _uneven_cases(degree: int, order: int, name: str, flag: str) -> list[Case]:
    """Return the twins on uneven knots, inside the grid, outside it and at its inner knots."""
    knots = uneven_row(uniform_knots(-1.0, 1.0, 4, degree), degree, degree + order)
    outer = [(knots[0] + knots[1]) / 2, (knots[-2] + knots[-1]) / 2]
    wanted = [
        ("inside", f"UnevenKnots {flag}", dice(name, 3, low=-1.0, high=1.0)),
        ("fade", f"UnevenKnots FadeOutside {flag}", outer),
    ]
    if order < degree:
        at_knots = knots[degree + 1 : degree + 3]
        wanted.append(("knots", f"UnevenKnots DerivativeAtKnot {flag}", at_knots))
    return [
        derivative_case(f"uneven-{name}-{place}", flags, x, knots, degree, order, since=2)
        for place, flags, x in wanted
    ]
