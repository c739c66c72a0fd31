"""Cases about B-splines on repeated, uneven, scaled and long knot vectors, and unusual batches."""

from kan_ref.conformance.generate.basis_case import Case, basis_case
from kan_ref.conformance.generate.topics_knots import (
    FARTHEST,
    KINDS,
    far,
    uniform_knots,
    whole_steps,
)

FAR_OUT = 2.0**39  # between two knots of `far`


def special_cases() -> list[Case]:
    """Return the cases on special knot vectors, and on unusual batches."""
    clamped = [0.0] * 4 + [0.25, 0.5, 0.75] + [1.0] * 4
    double = [-0.75, -0.5, -0.25, 0.0, 0.25, 0.25, 0.5, 1.0, 1.25, 1.5]
    triple = [-1.0, -0.5, 0.0, 0.5, 0.5, 0.5, 1.0, 1.5, 2.0]
    jump = [0.0, 0.0, 1.0, 1.0, 1.0, 2.0, 2.0]
    uneven = [-3.0, -1.0, -0.875, 0.0, 0.125, 0.25, 1.0, 3.0, 3.5]
    rough = [-2.3, -1.7, -1.1, -0.3, 0.1, 0.15, 0.9, 1.3, 1.9, 2.2]
    return [
        basis_case(
            "clamped-cubic-inside", "RepeatedKnots UnevenKnots", [0.125, 0.4375, 0.8125], clamped, 3
        ),
        basis_case(
            "clamped-cubic-ends", "RepeatedKnots LastEnd UnevenKnots", [0.0, 1.0], clamped, 3
        ),
        basis_case("clamped-cubic-last", "LastEnd RepeatedKnots UnevenKnots", [1.0], clamped, 3),
        basis_case("clamped-cubic-outside", "ZeroOutside RepeatedKnots", [-0.25, 1.25], clamped, 3),
        basis_case(
            "double-knot-cubic", "RepeatedKnots UnevenKnots", [0.125, 0.25, 0.3125, 0.75], double, 3
        ),
        basis_case(
            "triple-knot-quadratic", "RepeatedKnots UnevenKnots", [0.25, 0.5, 0.75], triple, 2
        ),
        basis_case(
            "jump-linear",
            "RepeatedKnots KnotOwnership UnevenKnots",
            [0.0, 0.5, 1.0, 1.5, 2.0],
            jump,
            1,
        ),
        basis_case(
            "repeated-degree-0",
            "RepeatedKnots DegreeZero",
            [0.0, 0.5, 1.0, 2.0],
            [0.0, 0.0, 1.0, 1.0, 2.0, 2.0],
            0,
        ),
        basis_case(
            "repeated-knots-degree-5",
            "RepeatedKnots HighDegree UnevenKnots",
            [0.25, 0.5, 0.875],
            [0.0] * 6 + [0.5, 0.5] + [1.0] * 6,
            5,
        ),
        basis_case(
            "uneven-quadratic", "UnevenKnots", [-0.9375, -0.25, 0.0625, 0.1875, 0.75], uneven, 2
        ),
        basis_case(
            "uneven-cubic", "UnevenKnots Float32Inside", [-0.2, 0.05, 0.12, 0.5, 0.89], rough, 3
        ),
        basis_case(
            "uneven-fade", "FadeOutside UnevenKnots", [-1.5, -1.0625, 1.5, 2.0625], rough, 3
        ),
        basis_case(
            "far-cubic",
            "ScaledRow Float32Inside",
            [1000.05, 1000.5, 1000.93],
            uniform_knots(1000.0, 1001.0, 4, 3),
            3,
        ),
        basis_case(
            "tiny-cubic", "ScaledRow", [-9e-9, 1e-9, 7e-9], uniform_knots(-1e-8, 1e-8, 5, 3), 3
        ),
        basis_case(
            "huge-quadratic", "ScaledRow", [-9e7, 1e7, 7e7], uniform_knots(-1e8, 1e8, 5, 2), 2
        ),
        basis_case(
            "hundred-intervals",
            "ManyIntervals",
            [-0.97, 0.003, 0.62],
            uniform_knots(-1.0, 1.0, 100, 3),
            3,
        ),
        basis_case(
            "thousand-intervals",
            "ManyIntervals",
            [-0.9987, 0.61803],
            uniform_knots(-1.0, 1.0, 1000, 3),
            3,
        ),
        basis_case(
            "thousand-intervals-at-knot",
            "ManyIntervals KnotOwnership",
            [uniform_knots(-1.0, 1.0, 1000, 1)[333]],
            uniform_knots(-1.0, 1.0, 1000, 1),
            1,
        ),
        basis_case(
            "falling-points",
            "PointOrder",
            [0.875, 0.125, 0.5, -0.75],
            uniform_knots(-1.0, 1.0, 4, 2),
            2,
        ),
        basis_case(
            "same-points",
            "PointOrder",
            [0.375, 0.375, -0.625, 0.375],
            uniform_knots(-1.0, 1.0, 4, 2),
            2,
        ),
        basis_case(
            "last-knot-thrice",
            "RepeatedKnots LastEnd",
            [0.5, 3.5, 4.0],
            [0.0, 1.0, 2.0, 3.0, 4.0, 4.0, 4.0],
            2,
            since=3,
        ),
        basis_case(
            "first-knot-thrice",
            "RepeatedKnots",
            [0.0, 0.5, 3.5, 4.0],
            [0.0, 0.0, 0.0, 1.0, 2.0, 3.0, 4.0],
            2,
            since=3,
        ),
        basis_case(
            "end-knots-many-times",
            "RepeatedKnots LastEnd",
            [0.0, 0.5, 2.5, 3.0],
            [*[0.0] * 6, 1.0, 2.0, *[3.0] * 5],
            2,
            since=3,
        ),
        basis_case("no-points", "EmptyBatch", [], uniform_knots(-1.0, 1.0, 4, 2), 2),
        basis_case("one-point", "BatchOfOne", [0.3125], uniform_knots(-1.0, 1.0, 4, 2), 2),
        *_unusual_cases(),
    ]


def _unusual_cases() -> list[Case]:
    """Return the cases on the knot vectors of `topics_knots`."""
    cases = []
    for degree in (1, 3):
        for name, flags, row in KINDS[:3]:
            x = [-0.8125, -0.5, 0.1875, 0.9375]
            knots = row(degree)
            cases.append(basis_case(f"{name}-degree-{degree}", flags, x, knots, degree, since=4))
        x = [-FAR_OUT, -1.625, 1.375, FAR_OUT]
        for name, knots in (("whole-steps", whole_steps(degree)), ("far", far(degree))):
            flags = "FadeOutside ScaledRow UnevenKnots"
            name = f"between-outer-knots-{name}-degree-{degree}"
            cases.append(basis_case(name, flags, x, knots, degree, since=4))
    for name, knots in (
        ("farthest-points-even", uniform_knots(-1.0, 1.0, 4, 2)),
        ("farthest-points-uneven", whole_steps(2)),
        ("farthest-points-degree-0", uniform_knots(-1.0, 1.0, 4, 0)),
    ):
        degree = 0 if name.endswith("0") else 2
        cases.append(basis_case(name, "ZeroOutside", FARTHEST, knots, degree, since=4))
    for name, inner in (("two-knots-in-from", 2), ("three-knots-in-from", 3)):
        twice = [-2.0, *[-1.0] * inner, -0.5, 0.0, 0.5, *[1.0] * inner, 2.0]
        x = [-1.5, -1.0, -0.75, 0.25, 0.75, 1.0, 1.5]
        flags = "RepeatedKnots FadeOutside UnevenKnots"
        cases.append(basis_case(f"{name}-the-ends", flags, x, twice, inner, since=4))
    few = [-1.75, -1.25, -1.0, 1.0, 1.125, 1.5]
    cases.append(basis_case("one-interval", "UnevenKnots", [-1.0, 0.375, 1.0], few, 2, since=4))
    return cases
