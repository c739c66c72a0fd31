"""Cases about the derivatives of B-splines of order 1 to 3, in exact fractions.

Source: the derivative of the Cox-de Boor recursion (de
Boor, A Practical Guide to Splines, rev. ed., ch. X).
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from kan_ref.conformance.generate.encode import array, case, dice, topic
from kan_ref.conformance.generate.exact import (
    all_bsplines,
    derivative_terms,
)
from kan_ref.conformance.generate.topics_bases import VALUES, Case, Row
from kan_ref.conformance.generate.topics_knots import (
    FARTHEST,
    KINDS,
    uneven_row,
    uniform_knots,
    whole_steps,
)

DERIVATIVES = 2e-13  # relative to the largest sum of absolute terms


def basis_derivatives() -> dict[str, Any]:
    """Return the cases of first order of basis_derivative(x, knots, degree, order)."""
    away, thousand = uniform_knots(1000.0, 1001.0, 4, 3), uniform_knots(-1.0, 1.0, 1000, 3)
    rows: list[Row] = [
        ("thousand-intervals", "ManyIntervals BasisSlope", [0.61803], thousand, 3),
        ("far-cubic", "ScaledRow BasisSlope", [1000.05, 1000.93], away, 3),
        ("no-points", "EmptyBatch", [], uniform_knots(0.0, 1.0, 5, 3), 3),
    ]
    cases = [*_derivative_cases(1), *(derivative_case(*row, 1) for row in rows)]
    equation = "derivative of the Cox-de Boor recursion"
    return topic("basis_derivatives", level=2, needs=["bases"], equation=equation, cases=cases)


def higher_derivatives() -> dict[str, Any]:
    """Return the cases of second and third order of basis_derivative(x, knots, degree, order)."""
    equation, needs = "derivative of the Cox-de Boor recursion, repeated", ["basis_derivatives"]
    cases = [*_derivative_cases(2), *_derivative_cases(3)]
    return topic("higher_derivatives", level=3, needs=needs, equation=equation, cases=cases)


def derivative_case(
    name: str,
    flags: str,
    x: Sequence[float],
    knots: Sequence[float],
    degree: int,
    order: int,
    **options: Any,
) -> Case:
    """Return the case of basis_derivative(x, knots, degree, order) at the points x.

    `options` are `kind` and `since` of `encode.case`.
    """
    right = [all_bsplines(at, knots, degree, order) for at in x]
    terms = (derivative_terms(at, knots, degree, order) for at in x)
    scale = float(max(terms, default=Fraction(0)))
    given: dict[str, Any] = {"x": array(list(x), [len(x)]), "knots": array(list(knots))}
    given |= {"degree": degree, "order": order}
    expected = {"basis_derivative": array(right, [len(x), len(knots) - degree - 1])}
    # outside the knot vector and above the degree there are no terms: the scale is 1
    tolerance = {"basis_derivative": DERIVATIVES * scale if scale else VALUES}
    return case(name, "basis_derivative", flags, given, expected, tolerance, **options)


def _derivative_cases(order: int) -> list[Case]:
    cases = []
    flag = "BasisSlope" if order == 1 else "HigherDerivative"
    for degree in (0, 1, 2, 3, 4, 5, 7):
        knots = uniform_knots(-1.0, 1.0, 4, degree)
        name = f"degree-{degree}-order-{order}"
        inside = dice(name, 4, low=-1.0, high=1.0)
        first = "AboveDegree" if order > degree else flag
        cases.append(derivative_case(f"{name}-inside", first, inside, knots, degree, order))
        if order > degree:
            continue
        outer = [knots[degree] - 0.125, knots[-degree - 1] + 0.375, knots[-1] - 0.0625]
        flags = f"FadeOutside {flag}"
        cases.append(derivative_case(f"{name}-fade", flags, outer, knots, degree, order))
        # simple knots: derivatives are continuous up to order degree - 1; of higher order the
        # contract leaves them open there
        kind = "required" if order < degree else "implementation-defined"
        flags = f"DerivativeAtKnot {flag}" if order < degree else "LeftOpen DerivativeAtKnot"
        inner = knots[degree : len(knots) - degree]
        x = [inner[1], inner[2], inner[-1]]
        cases.append(derivative_case(f"{name}-knots", flags, x, knots, degree, order, kind=kind))
        if order == 1 or degree in (3, 5):
            cases += _uneven_cases(degree, order, name, flag)
    cubic = uniform_knots(0.0, 1.0, 5, 3)
    clamped, mid = [0.0] * 4 + [0.25, 0.5, 0.75] + [1.0] * 4, [0.125, 0.4375, 0.8125]
    uneven = [-3.0, -1.0, -0.875, 0.0, 0.125, 0.25, 1.0, 3.0, 3.5]
    rows: list[Row] = [
        ("tenths-cubic", f"{flag} Float32Inside", [0.05, 0.37, 0.61, 0.99], cubic, 3),
        ("clamped-cubic", f"RepeatedKnots {flag} UnevenKnots", mid, clamped, 3),
        ("outside-row", f"ZeroOutside {flag}", [-1.0, 2.0], cubic, 3),
        ("uneven-quadratic", f"UnevenKnots {flag}", [-0.9375, -0.25, 0.1875], uneven, 2),
    ]
    cases += [
        derivative_case(f"{name}-order-{order}", flags, x, of_case, degree, order)
        for name, flags, x, of_case, degree in rows
        if order <= degree
    ]
    return [*cases, *_unusual_cases(order, flag)]


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
