"""Cases about knots, B-splines and their derivatives: exact fractions throughout.

    (X5)  t_m = a + (m - k) (b - a) / G,  m = 0, ..., G + 2 k

Liu et al. 2024, section 2.4. Each degree meets the same rows: points inside, at knots, one ulp beside, in the fading outer intervals, at
the ends, outside; repeated, uneven, scaled and long rows follow.
"""

import math
from bisect import bisect_left
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from kan_ref.conformance.generate.encode import array, case, dice, topic
from kan_ref.conformance.generate.exact import basis_row, derivative_terms, taylor

EPS = 2.0**-52
VALUES = 1e-13  # bases: relative to 1, the sum of all; a recursion needs 5e-15, evaluation by pieces 2e-14
SLOPES = 2e-13  # their derivatives: relative to the largest sum of absolute terms
Case = dict[str, Any]


def uniform_row(low: float, high: float, n_intervals: int, degree: int) -> list[float]:
    """(X5), each knot rounded once."""
    a, h = Fraction(low), (Fraction(high) - Fraction(low)) / n_intervals
    return [float(a + (m - degree) * h) for m in range(n_intervals + 2 * degree + 1)]


def beside(x: float, *, left: bool = True, right: bool = True) -> list[float]:
    """The float64 neighbours of x."""
    return [math.nextafter(x, -math.inf)] * left + [math.nextafter(x, math.inf)] * right


# --- knots


def knots() -> dict[str, Any]:
    """uniform_knots(low, high, n_intervals, degree) -> (n_knots,)."""
    told = (
        ("unit-cubic", -1.0, 1.0, 4, 3, "KnotStep OuterKnots"),
        ("five-cubic", -1.0, 1.0, 5, 3, "KnotStep OuterKnots KnotPrecision"),
        ("three-linear", 0.0, 1.0, 3, 1, "KnotPrecision OuterKnots"),
        ("degree-0", 0.0, 1.0, 4, 0, "DegreeZero KnotStep"),
        ("one-interval", 0.0, 2.0, 1, 2, "KnotStep"),
        ("degree-7", -1.0, 1.0, 8, 7, "OuterKnots"),
        ("tenths", 0.1, 0.7, 6, 2, "KnotPrecision"),
        ("far", 1000.0, 1001.0, 10, 3, "KnotPrecision ScaledRow"),
        ("tiny", -1e-7, 1e-7, 5, 3, "ScaledRow"),
        ("thousand", -1.0, 1.0, 1000, 3, "ManyIntervals"),
    )
    cases = []
    for name, low, high, n_intervals, degree, flags in told:
        row = uniform_row(low, high, n_intervals, degree)
        arguments = {
            "low": array(low),
            "high": array(high),
            "n_intervals": n_intervals,
            "degree": degree,
        }
        wrong: list[tuple[str, Any]] = []
        if n_intervals > 1:
            step = (high - low) / (n_intervals - 1)
            wrong.append(
                ("KnotStep", {"knots": [low + (m - degree) * step for m in range(len(row))]})
            )
        if degree:
            wrong.append(("OuterKnots", {"knots": [min(max(t, low), high) for t in row]}))
        bound = 4 * EPS * max(abs(row[0]), abs(row[-1]))
        cases.append(
            case(
                name,
                "uniform_knots",
                flags,
                arguments,
                {"knots": array(row)},
                {"knots": bound},
                wrong=wrong,
            )
        )
    return topic("knots", level=1, needs=[], equation="Liu et al. 2024, section 2.4", cases=cases)


# --- bases


def bases() -> dict[str, Any]:
    """basis(x, knots, degree) -> (n, n_basis)."""
    cases: list[Case] = []
    for degree in range(8):
        cases += _uniform_cases(degree)
    cases += _special_rows()
    return topic(
        "bases",
        level=1,
        needs=[],
        equation="Liu et al. 2024, section 2.4; Cox-de Boor recursion",
        cases=cases,
    )


def _case(
    name: str,
    flags: str,
    x: Sequence[float],
    row: Sequence[float],
    degree: int,
    *,
    float32: bool = True,
    kind: str = "required",
) -> Case:
    n_basis = len(row) - degree - 1
    shape = [len(x), n_basis]
    right = [basis_row(at, row, degree) for at in x]
    a, b = row[degree], row[-degree - 1]
    wrong: list[tuple[str, Any]] = []
    if any(not a <= at <= b for at in x):
        wrong.append(
            ("FadeOutside", {"basis": [basis_row(at, row, degree, outside="continue") for at in x]})
        )
    if row[-1] in x:
        wrong.append(
            (
                "LastEnd",
                {
                    "basis": [
                        [Fraction(0)] * n_basis if at == row[-1] else values
                        for at, values in zip(x, right, strict=True)
                    ]
                },
            )
        )
    if set(row[1:-1]) & set(x):
        left = [_from_left(at, row, degree) for at in x]
        both = [
            [p + q if at in row[1:-1] else q for p, q in zip(*pair, strict=True)]
            for at, *pair in zip(x, left, right, strict=True)
        ]
        wrong += [("KnotOwnership", {"basis": left}), ("KnotOwnership", {"basis": both})]
    arguments = {"x": array(list(x), [len(x)]), "knots": array(list(row)), "degree": degree}
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
    )


def _from_left(x: float, row: Sequence[float], degree: int) -> list[Fraction]:
    """All B-splines where the interval on the left of a knot owns it."""
    t = [Fraction(knot) for knot in row]
    piece = bisect_left(row, x) - 1
    live = taylor(t, degree, piece, Fraction(x), 1) if 0 <= piece < len(row) - 1 else {}
    return [live[m][0] if m in live else Fraction(0) for m in range(len(row) - degree - 1)]


def _uniform_cases(degree: int) -> list[Case]:
    """One even row of 4 intervals on [-1, 1], whose knots are exact, and one of 5 on [0, 1], whose knots are not."""
    row, other = uniform_row(-1.0, 1.0, 4, degree), uniform_row(0.0, 1.0, 5, degree)
    inner = row[degree : len(row) - degree]
    high = "DegreeZero" if degree == 0 else "HighDegree" if degree > 4 else "CoxDeBoor"
    name = f"degree-{degree}"
    cases = [
        _case(
            f"{name}-inside",
            high,
            sorted(dice(f"{name}-inside", 5, low=-1.0, high=1.0)),
            row,
            degree,
        ),
        _case(
            f"{name}-tenths",
            f"{high} CoxDeBoor Float32Inside",
            sorted(dice(f"{name}-tenths", 4, low=0.0, high=1.0, steps=1000)),
            other,
            degree,
        ),
        _case(f"{name}-inner-knots", "KnotOwnership", inner[1:-1], row, degree),
        _case(
            f"{name}-beside-knots",
            "KnotOwnership",
            [n for t in inner[1:3] for n in beside(t)],
            row,
            degree,
        ),
        _case(f"{name}-last-knot", "LastEnd", [row[-1]], row, degree),
        _case(f"{name}-first-knot", "KnotOwnership ZeroOutside", [row[0]], row, degree),
        _case(
            f"{name}-beyond-row",
            "ZeroOutside",
            [
                row[0] - 0.5,
                row[-1] + 0.25,
                *beside(row[0], right=False),
                *beside(row[-1], left=False),
            ],
            row,
            degree,
        ),
    ]
    if degree:
        outer = [row[0] + 0.125, row[degree] - 0.125, row[-degree - 1] + 0.375, row[-1] - 0.25]
        cases += [
            _case(f"{name}-fade", "FadeOutside", outer, row, degree),
            _case(f"{name}-ends-of-grid", "GridEnd", [inner[0], inner[-1]], row, degree),
            _case(
                f"{name}-beside-ends",
                "GridEnd",
                [*beside(inner[0]), *beside(inner[-1])],
                row,
                degree,
            ),
            _case(
                f"{name}-outer-knots",
                "FadeOutside KnotOwnership",
                [*row[1:degree], *row[-degree:-1]] or [row[0]],
                row,
                degree,
            ),
        ]
    return cases


def _special_rows() -> list[Case]:
    clamped = [0.0] * 4 + [0.25, 0.5, 0.75] + [1.0] * 4
    double = [-0.75, -0.5, -0.25, 0.0, 0.25, 0.25, 0.5, 1.0, 1.25, 1.5]
    triple = [-1.0, -0.5, 0.0, 0.5, 0.5, 0.5, 1.0, 1.5, 2.0]
    jump = [0.0, 0.0, 1.0, 1.0, 1.0, 2.0, 2.0]
    uneven = [-3.0, -1.0, -0.875, 0.0, 0.125, 0.25, 1.0, 3.0, 3.5]
    rough = [-2.3, -1.7, -1.1, -0.3, 0.1, 0.15, 0.9, 1.3, 1.9, 2.2]
    return [
        _case(
            "clamped-cubic-inside", "RepeatedKnots UnevenKnots", [0.125, 0.4375, 0.8125], clamped, 3
        ),
        _case("clamped-cubic-ends", "RepeatedKnots LastEnd UnevenKnots", [0.0, 1.0], clamped, 3),
        _case("clamped-cubic-last", "LastEnd RepeatedKnots UnevenKnots", [1.0], clamped, 3),
        _case("clamped-cubic-outside", "ZeroOutside RepeatedKnots", [-0.25, 1.25], clamped, 3),
        _case(
            "double-knot-cubic", "RepeatedKnots UnevenKnots", [0.125, 0.25, 0.3125, 0.75], double, 3
        ),
        _case("triple-knot-quadratic", "RepeatedKnots UnevenKnots", [0.25, 0.5, 0.75], triple, 2),
        _case(
            "jump-linear",
            "RepeatedKnots KnotOwnership UnevenKnots",
            [0.0, 0.5, 1.0, 1.5, 2.0],
            jump,
            1,
        ),
        _case(
            "repeated-degree-0",
            "RepeatedKnots DegreeZero",
            [0.0, 0.5, 1.0, 2.0],
            [0.0, 0.0, 1.0, 1.0, 2.0, 2.0],
            0,
        ),
        _case(
            "repeated-knots-degree-5",
            "RepeatedKnots HighDegree UnevenKnots",
            [0.25, 0.5, 0.875],
            [0.0] * 6 + [0.5, 0.5] + [1.0] * 6,
            5,
        ),
        _case("uneven-quadratic", "UnevenKnots", [-0.9375, -0.25, 0.0625, 0.1875, 0.75], uneven, 2),
        _case("uneven-cubic", "UnevenKnots Float32Inside", [-0.2, 0.05, 0.12, 0.5, 0.89], rough, 3),
        _case("uneven-fade", "FadeOutside UnevenKnots", [-1.5, -1.0625, 1.5, 2.0625], rough, 3),
        _case(
            "far-cubic",
            "ScaledRow Float32Inside",
            [1000.05, 1000.5, 1000.93],
            uniform_row(1000.0, 1001.0, 4, 3),
            3,
        ),
        _case("tiny-cubic", "ScaledRow", [-9e-9, 1e-9, 7e-9], uniform_row(-1e-8, 1e-8, 5, 3), 3),
        _case("huge-quadratic", "ScaledRow", [-9e7, 1e7, 7e7], uniform_row(-1e8, 1e8, 5, 2), 2),
        _case(
            "hundred-intervals",
            "ManyIntervals",
            [-0.97, 0.003, 0.62],
            uniform_row(-1.0, 1.0, 100, 3),
            3,
        ),
        _case(
            "thousand-intervals",
            "ManyIntervals",
            [-0.9987, 0.61803],
            uniform_row(-1.0, 1.0, 1000, 3),
            3,
        ),
        _case(
            "thousand-intervals-at-knot",
            "ManyIntervals KnotOwnership",
            [uniform_row(-1.0, 1.0, 1000, 1)[333]],
            uniform_row(-1.0, 1.0, 1000, 1),
            1,
        ),
        _case(
            "falling-points",
            "PointOrder",
            [0.875, 0.125, 0.5, -0.75],
            uniform_row(-1.0, 1.0, 4, 2),
            2,
        ),
        _case(
            "same-points",
            "PointOrder",
            [0.375, 0.375, -0.625, 0.375],
            uniform_row(-1.0, 1.0, 4, 2),
            2,
        ),
        _case("no-points", "EmptyBatch", [], uniform_row(-1.0, 1.0, 4, 2), 2),
        _case("one-point", "BatchOfOne", [0.3125], uniform_row(-1.0, 1.0, 4, 2), 2),
    ]


# --- derivatives


def basis_derivatives() -> dict[str, Any]:
    """basis_derivative(x, knots, degree, order) -> (n, n_basis), first order."""
    cases = _derivative_cases(1)
    cases += [
        _derivative(
            "thousand-intervals",
            "ManyIntervals BasisSlope",
            [0.61803],
            uniform_row(-1.0, 1.0, 1000, 3),
            3,
            1,
        ),
        _derivative(
            "far-cubic",
            "ScaledRow BasisSlope",
            [1000.05, 1000.93],
            uniform_row(1000.0, 1001.0, 4, 3),
            3,
            1,
        ),
        _derivative("no-points", "EmptyBatch", [], uniform_row(0.0, 1.0, 5, 3), 3, 1),
    ]
    equation = "derivative of the Cox-de Boor recursion"
    return topic("basis_derivatives", level=2, needs=["bases"], equation=equation, cases=cases)


def higher_derivatives() -> dict[str, Any]:
    """basis_derivative(x, knots, degree, order) -> (n, n_basis), second and third order."""
    equation = "derivative of the Cox-de Boor recursion, repeated"
    cases = [*_derivative_cases(2), *_derivative_cases(3)]
    return topic(
        "higher_derivatives", level=3, needs=["basis_derivatives"], equation=equation, cases=cases
    )


def _derivative_cases(order: int) -> list[Case]:
    cases = []
    told = "BasisSlope" if order == 1 else "HigherDerivative"
    for degree in (0, 1, 2, 3, 4, 5, 7):
        row = uniform_row(-1.0, 1.0, 4, degree)
        inner = row[degree : len(row) - degree]
        name = f"degree-{degree}-order-{order}"
        if order > degree:
            cases.append(
                _derivative(
                    f"{name}-inside",
                    "AboveDegree",
                    dice(name, 4, low=-1.0, high=1.0),
                    row,
                    degree,
                    order,
                )
            )
            continue
        cases.append(
            _derivative(
                f"{name}-inside", told, dice(name, 4, low=-1.0, high=1.0), row, degree, order
            )
        )
        outer = [row[degree] - 0.125, row[-degree - 1] + 0.375, row[-1] - 0.0625]
        cases.append(_derivative(f"{name}-fade", f"FadeOutside {told}", outer, row, degree, order))
        # simple knots: the derivative is continuous up to order degree - 1; beyond that the contract leaves knots open
        kind = "required" if order < degree else "implementation-defined"
        flags = f"DerivativeAtKnot {told}" if order < degree else "LeftOpen DerivativeAtKnot"
        cases.append(
            _derivative(
                f"{name}-knots",
                flags,
                [inner[1], inner[2], inner[-1]],
                row,
                degree,
                order,
                kind=kind,
            )
        )
    cubic, uneven = (
        uniform_row(0.0, 1.0, 5, 3),
        [-3.0, -1.0, -0.875, 0.0, 0.125, 0.25, 1.0, 3.0, 3.5],
    )
    clamped = [0.0] * 4 + [0.25, 0.5, 0.75] + [1.0] * 4
    return [
        *cases,
        _derivative(
            f"tenths-cubic-order-{order}",
            f"{told} Float32Inside",
            [0.05, 0.37, 0.61, 0.99],
            cubic,
            3,
            order,
        ),
        _derivative(
            f"clamped-cubic-order-{order}",
            f"RepeatedKnots {told} UnevenKnots",
            [0.125, 0.4375, 0.8125],
            clamped,
            3,
            order,
        ),
        _derivative(
            f"outside-row-order-{order}", f"ZeroOutside {told}", [-1.0, 2.0], cubic, 3, order
        ),
        *(
            [
                _derivative(
                    f"uneven-quadratic-order-{order}",
                    f"UnevenKnots {told}",
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
    row: Sequence[float],
    degree: int,
    order: int,
    *,
    kind: str = "required",
) -> Case:
    n_basis = len(row) - degree - 1
    right = [basis_row(at, row, degree, order) for at in x]
    scale = float(max((derivative_terms(at, row, degree, order) for at in x), default=Fraction(0)))
    arguments = {
        "x": array(list(x), [len(x)]),
        "knots": array(list(row)),
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
    a, b = row[degree], row[-degree - 1]
    if order <= degree and any(not a <= at <= b for at in x):
        wrong.append(
            (
                "FadeOutside",
                {
                    "basis_derivative": [
                        basis_row(at, row, degree, order, outside="continue") for at in x
                    ]
                },
            )
        )
    # where nothing lives, as outside the row or above the degree, rounding has nothing to be held against but 0 itself
    expected, tolerance = (
        {"basis_derivative": array(right, [len(x), n_basis])},
        {"basis_derivative": SLOPES * scale if scale else VALUES},
    )
    return case(
        name, "basis_derivative", flags, arguments, expected, tolerance, wrong=wrong, kind=kind
    )
