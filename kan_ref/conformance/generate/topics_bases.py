"""Cases about B-splines, in exact fractions.

Each degree is tested on the same uniform knot vectors: inside the grid, at knots, one ulp beside
them, on the outer intervals where the basis functions decay to zero, at the ends, and outside.
Repeated, uneven, scaled and long knot vectors and unusual batches follow. Source: Liu et al. 2024,
section 2.4; Cox-de Boor recursion.
"""

import math
from collections.abc import Sequence
from typing import Any

from kan_ref.conformance.generate.encode import array, case, dice, topic
from kan_ref.conformance.generate.exact import all_bsplines
from kan_ref.conformance.generate.topics_knots import (
    FARTHEST,
    KINDS,
    far,
    uneven_row,
    uniform_knots,
    whole_steps,
)

VALUES = 1e-13  # relative to 1, the sum of all; a recursion needs 5e-15, evaluation by pieces 2e-14
FAR_OUT = 2.0**39  # between two knots of `far`
Case = dict[str, Any]
Row = tuple[str, str, Sequence[float], Sequence[float], int]  # name, flags, x, knots, degree


def bases() -> dict[str, Any]:
    """Return the cases of basis(x, knots, degree) -> (n, n_basis)."""
    cases: list[Case] = []
    for degree in range(8):
        cases += _uniform_cases(degree)
        cases += _uneven_cases(degree)
    cases += _special_cases()
    equation = "Liu et al. 2024, section 2.4; Cox-de Boor recursion"
    return topic("bases", level=1, needs=[], equation=equation, cases=cases)


def basis_case(
    name: str, flags: str, x: Sequence[float], knots: Sequence[float], degree: int, since: int = 1
) -> Case:
    """Return the case of `basis(x, knots, degree)` at the points x."""
    right = [all_bsplines(at, knots, degree) for at in x]
    given = {"x": array(list(x), [len(x)]), "knots": array(list(knots)), "degree": degree}
    expected, tolerance = (
        {"basis": array(right, [len(x), len(knots) - degree - 1])},
        {"basis": VALUES},
    )
    return case(name, "basis", flags, given, expected, tolerance, since=since)


def _uniform_cases(degree: int) -> list[Case]:
    """Return the cases of one degree on uniform knot vectors.

    One has 4 intervals on [-1, 1], so that its knots are exact; one has 5 on [0, 1], whose knots
    are rounded.
    """
    knots, other = uniform_knots(-1.0, 1.0, 4, degree), uniform_knots(0.0, 1.0, 5, degree)
    inner = knots[degree : len(knots) - degree]
    high = "DegreeZero" if degree == 0 else "HighDegree" if degree > 4 else "CoxDeBoor"
    inside = sorted(dice(f"degree-{degree}-inside", 5, low=-1.0, high=1.0))
    tenths = sorted(dice(f"degree-{degree}-tenths", 4, low=0.0, high=1.0, steps=1000))
    ends = [*beside(knots[0], right=False), *beside(knots[-1], left=False)]
    rows = [
        ("inside", high, inside, knots),
        ("tenths", f"{high} CoxDeBoor Float32Inside", tenths, other),
        ("inner-knots", "KnotOwnership", inner[1:-1], knots),
        ("beside-knots", "KnotOwnership", [n for t in inner[1:3] for n in beside(t)], knots),
        ("last-knot", "LastEnd", [knots[-1]], knots),
        ("first-knot", "KnotOwnership ZeroOutside", [knots[0]], knots),
        ("beyond-row", "ZeroOutside", [knots[0] - 0.5, knots[-1] + 0.25, *ends], knots),
    ]
    if degree:
        outer = [knots[0] + 0.125, knots[degree] - 0.125]
        outer += [knots[-degree - 1] + 0.375, knots[-1] - 0.25]
        at_knots = [*knots[1:degree], *knots[-degree:-1]] or [knots[0]]
        rows += [
            ("fade", "FadeOutside", outer, knots),
            ("ends-of-grid", "GridEnd", [inner[0], inner[-1]], knots),
            ("beside-ends", "GridEnd", [*beside(inner[0]), *beside(inner[-1])], knots),
            ("outer-knots", "FadeOutside KnotOwnership", at_knots, knots),
        ]
    return [
        basis_case(f"degree-{degree}-{name}", flags, x, of_case, degree)
        for name, flags, x, of_case in rows
    ]


def _uneven_cases(degree: int) -> list[Case]:
    """Return the cases of one degree on an uneven knot vector: inside, at knots, and outside."""
    knots = uneven_row(uniform_knots(-1.0, 1.0, 5, degree), degree, degree)
    name = f"uneven-degree-{degree}"
    rows = [
        ("inside", "UnevenKnots CoxDeBoor", sorted(dice(name, 5, low=-1.0, high=1.0))),
        ("knots", "KnotOwnership UnevenKnots", knots[1:-1]),
        ("fade", "FadeOutside UnevenKnots", [(knots[n] + knots[n + 1]) / 2 for n in (0, -2)]),
    ]
    return [
        basis_case(f"{name}-{place}", flags, x, knots, degree, since=2)
        for place, flags, x in rows[: 3 if degree else 2]
    ]


def beside(x: float, *, left: bool = True, right: bool = True) -> list[float]:
    """Return the float64 neighbours of x."""
    return [math.nextafter(x, -math.inf)] * left + [math.nextafter(x, math.inf)] * right


def _special_cases() -> list[Case]:
    """Return the cases on special knot vectors, and on unusual batches."""
    clamped = [0.0] * 4 + [0.25, 0.5, 0.75] + [1.0] * 4
    double = [-0.75, -0.5, -0.25, 0.0, 0.25, 0.25, 0.5, 1.0, 1.25, 1.5]
    triple = [-1.0, -0.5, 0.0, 0.5, 0.5, 0.5, 1.0, 1.5, 2.0]
    jump, steps = [0.0, 0.0, 1.0, 1.0, 1.0, 2.0, 2.0], [0.0, 0.0, 1.0, 1.0, 2.0, 2.0]
    six = [0.0] * 6 + [0.5, 0.5] + [1.0] * 6
    uneven = [-3.0, -1.0, -0.875, 0.0, 0.125, 0.25, 1.0, 3.0, 3.5]
    rough = [-2.3, -1.7, -1.1, -0.3, 0.1, 0.15, 0.9, 1.3, 1.9, 2.2]
    thousandth, even = uniform_knots(-1.0, 1.0, 1000, 1), uniform_knots(-1.0, 1.0, 4, 2)
    away, tiny = uniform_knots(1000.0, 1001.0, 4, 3), uniform_knots(-1e-8, 1e-8, 5, 3)
    hundred, thousand = (uniform_knots(-1.0, 1.0, n, 3) for n in (100, 1000))
    rows: list[Row] = [
        ("clamped-cubic-inside", "RepeatedKnots UnevenKnots", [0.125, 0.4375, 0.8125], clamped, 3),
        ("clamped-cubic-ends", "RepeatedKnots LastEnd UnevenKnots", [0.0, 1.0], clamped, 3),
        ("clamped-cubic-last", "LastEnd RepeatedKnots UnevenKnots", [1.0], clamped, 3),
        ("clamped-cubic-outside", "ZeroOutside RepeatedKnots", [-0.25, 1.25], clamped, 3),
        ("double-knot-cubic", "RepeatedKnots UnevenKnots", [0.125, 0.25, 0.3125, 0.75], double, 3),
        ("triple-knot-quadratic", "RepeatedKnots UnevenKnots", [0.25, 0.5, 0.75], triple, 2),
        (
            "jump-linear",
            "RepeatedKnots KnotOwnership UnevenKnots",
            [0.0, 0.5, 1.0, 1.5, 2.0],
            jump,
            1,
        ),
        ("repeated-degree-0", "RepeatedKnots DegreeZero", [0.0, 0.5, 1.0, 2.0], steps, 0),
        (
            "repeated-knots-degree-5",
            "RepeatedKnots HighDegree UnevenKnots",
            [0.25, 0.5, 0.875],
            six,
            5,
        ),
        ("uneven-quadratic", "UnevenKnots", [-0.9375, -0.25, 0.0625, 0.1875, 0.75], uneven, 2),
        ("uneven-cubic", "UnevenKnots Float32Inside", [-0.2, 0.05, 0.12, 0.5, 0.89], rough, 3),
        ("uneven-fade", "FadeOutside UnevenKnots", [-1.5, -1.0625, 1.5, 2.0625], rough, 3),
        ("far-cubic", "ScaledRow Float32Inside", [1000.05, 1000.5, 1000.93], away, 3),
        ("tiny-cubic", "ScaledRow", [-9e-9, 1e-9, 7e-9], tiny, 3),
        ("huge-quadratic", "ScaledRow", [-9e7, 1e7, 7e7], uniform_knots(-1e8, 1e8, 5, 2), 2),
        ("hundred-intervals", "ManyIntervals", [-0.97, 0.003, 0.62], hundred, 3),
        ("thousand-intervals", "ManyIntervals", [-0.9987, 0.61803], thousand, 3),
        (
            "thousand-intervals-at-knot",
            "ManyIntervals KnotOwnership",
            thousandth[333:334],
            thousandth,
            1,
        ),
        ("falling-points", "PointOrder", [0.875, 0.125, 0.5, -0.75], even, 2),
        ("same-points", "PointOrder", [0.375, 0.375, -0.625, 0.375], even, 2),
    ]
    late, early = [0.0, 1.0, 2.0, 3.0, 4.0, 4.0, 4.0], [0.0, 0.0, 0.0, 1.0, 2.0, 3.0, 4.0]
    many = [*[0.0] * 6, 1.0, 2.0, *[3.0] * 5]
    ends: list[Row] = [
        ("last-knot-thrice", "RepeatedKnots LastEnd", [0.5, 3.5, 4.0], late, 2),
        ("first-knot-thrice", "RepeatedKnots", [0.0, 0.5, 3.5, 4.0], early, 2),
        ("end-knots-many-times", "RepeatedKnots LastEnd", [0.0, 0.5, 2.5, 3.0], many, 2),
    ]
    return [
        *(basis_case(*row) for row in rows),
        *(basis_case(*row, since=3) for row in ends),
        basis_case("no-points", "EmptyBatch", [], even, 2),
        basis_case("one-point", "BatchOfOne", [0.3125], even, 2),
        *(basis_case(*row, since=4) for row in _unusual_rows()),
    ]


def _unusual_rows() -> list[Row]:
    """Return the rows of cases on the knot vectors of `topics_knots`."""
    rows: list[Row] = []
    for degree in (1, 3):
        x = [-0.8125, -0.5, 0.1875, 0.9375]
        rows += [
            (f"{name}-degree-{degree}", flags, x, row(degree), degree)
            for name, flags, row in KINDS[:3]
        ]
        x = [-FAR_OUT, -1.625, 1.375, FAR_OUT]
        for name, knots in (("whole-steps", whole_steps(degree)), ("far", far(degree))):
            flags = "FadeOutside ScaledRow UnevenKnots"
            rows.append((f"between-outer-knots-{name}-degree-{degree}", flags, x, knots, degree))
    rows += [
        ("farthest-points-even", "ZeroOutside", FARTHEST, uniform_knots(-1.0, 1.0, 4, 2), 2),
        ("farthest-points-uneven", "ZeroOutside", FARTHEST, whole_steps(2), 2),
        ("farthest-points-degree-0", "ZeroOutside", FARTHEST, uniform_knots(-1.0, 1.0, 4, 0), 0),
    ]
    for name, inner in (("two-knots-in-from", 2), ("three-knots-in-from", 3)):
        twice = [-2.0, *[-1.0] * inner, -0.5, 0.0, 0.5, *[1.0] * inner, 2.0]
        x = [-1.5, -1.0, -0.75, 0.25, 0.75, 1.0, 1.5]
        rows.append((f"{name}-the-ends", "RepeatedKnots FadeOutside UnevenKnots", x, twice, inner))
    few = [-1.75, -1.25, -1.0, 1.0, 1.125, 1.5]
    return [*rows, ("one-interval", "UnevenKnots", [-1.0, 0.375, 1.0], few, 2)]
