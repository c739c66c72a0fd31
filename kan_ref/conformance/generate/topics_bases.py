"""Cases about B-splines, in exact fractions.

Each degree is tested on the same uniform knot vectors: inside the grid, at knots, one ulp beside
them, on the outer intervals where the basis functions decay to zero, at the ends, and outside.
Repeated, uneven, scaled and long knot vectors follow (`special_knot_vectors`). Source: Liu et al.
2024, section 2.4; Cox-de Boor recursion.
"""

import math
from typing import Any

from kan_ref.conformance.generate.basis_case import Case, basis_case
from kan_ref.conformance.generate.encode import dice, topic
from kan_ref.conformance.generate.special_knot_vectors import special_cases
from kan_ref.conformance.generate.topics_knots import uneven_row, uniform_knots


def bases() -> dict[str, Any]:
    """Return the cases of basis(x, knots, degree) -> (n, n_basis)."""
    cases: list[Case] = []
    for degree in range(8):
        cases += _uniform_cases(degree)
        cases += _uneven_cases(degree)
    cases += special_cases()
    return topic(
        "bases",
        level=1,
        needs=[],
        equation="Liu et al. 2024, section 2.4; Cox-de Boor recursion",
        cases=cases,
    )


def _uniform_cases(degree: int) -> list[Case]:
    """Return the cases of one degree on uniform knot vectors.

    One has 4 intervals on [-1, 1], so that its knots are exact; one has 5 on [0, 1], whose knots
    are rounded.
    """
    knots, other = uniform_knots(-1.0, 1.0, 4, degree), uniform_knots(0.0, 1.0, 5, degree)
    inner = knots[degree : len(knots) - degree]
    high = "DegreeZero" if degree == 0 else "HighDegree" if degree > 4 else "CoxDeBoor"
    name = f"degree-{degree}"
    cases = [
        basis_case(
            f"{name}-inside",
            high,
            sorted(dice(f"{name}-inside", 5, low=-1.0, high=1.0)),
            knots,
            degree,
        ),
        basis_case(
            f"{name}-tenths",
            f"{high} CoxDeBoor Float32Inside",
            sorted(dice(f"{name}-tenths", 4, low=0.0, high=1.0, steps=1000)),
            other,
            degree,
        ),
        basis_case(f"{name}-inner-knots", "KnotOwnership", inner[1:-1], knots, degree),
        basis_case(
            f"{name}-beside-knots",
            "KnotOwnership",
            [n for t in inner[1:3] for n in beside(t)],
            knots,
            degree,
        ),
        basis_case(f"{name}-last-knot", "LastEnd", [knots[-1]], knots, degree),
        basis_case(f"{name}-first-knot", "KnotOwnership ZeroOutside", [knots[0]], knots, degree),
        basis_case(
            f"{name}-beyond-row",
            "ZeroOutside",
            [
                knots[0] - 0.5,
                knots[-1] + 0.25,
                *beside(knots[0], right=False),
                *beside(knots[-1], left=False),
            ],
            knots,
            degree,
        ),
    ]
    if degree:
        outer = [
            knots[0] + 0.125,
            knots[degree] - 0.125,
            knots[-degree - 1] + 0.375,
            knots[-1] - 0.25,
        ]
        cases += [
            basis_case(f"{name}-fade", "FadeOutside", outer, knots, degree),
            basis_case(f"{name}-ends-of-grid", "GridEnd", [inner[0], inner[-1]], knots, degree),
            basis_case(
                f"{name}-beside-ends",
                "GridEnd",
                [*beside(inner[0]), *beside(inner[-1])],
                knots,
                degree,
            ),
            basis_case(
                f"{name}-outer-knots",
                "FadeOutside KnotOwnership",
                [*knots[1:degree], *knots[-degree:-1]] or [knots[0]],
                knots,
                degree,
            ),
        ]
    return cases


def _uneven_cases(degree: int) -> list[Case]:
    """Return the cases of one degree on an uneven knot vector: inside, at knots, and outside."""
    knots = uneven_row(uniform_knots(-1.0, 1.0, 5, degree), degree, degree)
    name = f"uneven-degree-{degree}"
    inside = sorted(dice(name, 5, low=-1.0, high=1.0))
    outside = [(knots[n] + knots[n + 1]) / 2 for n in (0, -2)]
    return [
        basis_case(f"{name}-inside", "UnevenKnots CoxDeBoor", inside, knots, degree, since=2),
        basis_case(
            f"{name}-knots", "KnotOwnership UnevenKnots", knots[1:-1], knots, degree, since=2
        ),
        *(
            [basis_case(f"{name}-fade", "FadeOutside UnevenKnots", outside, knots, degree, since=2)]
            if degree
            else []
        ),
    ]


def beside(x: float, *, left: bool = True, right: bool = True) -> list[float]:
    """Return the float64 neighbours of x."""
    return [math.nextafter(x, -math.inf)] * left + [math.nextafter(x, math.inf)] * right
