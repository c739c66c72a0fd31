"""Cases about knots and B-splines, and about their derivatives of order 1 to 3, in exact fractions.

Each degree is tested on the same uniform knot vectors: inside the grid, at knots, one ulp beside
them, on the outer intervals where the basis functions decay to zero, at the ends, and outside.
Repeated, uneven, scaled and long knot vectors and unusual batches follow.

Sources: Liu et al. 2024, section 2.4; Cox-de Boor recursion, and its derivative (de Boor, A
Practical Guide to Splines, rev. ed., ch. X).
"""

import math
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

from kan_ref.conformance.generate import recipes as make
from kan_ref.conformance.generate.encode import Case, array, case, dice, topic
from kan_ref.conformance.generate.exact import all_bsplines, derivative_terms

EVEN = make.EVEN
EPS = 2.0**-52
BASES = 1e-13  # relative to 1, the sum of all; a recursion needs 5e-15, evaluation by pieces 2e-14
DERIVATIVES = 2e-13  # relative to the largest sum of absolute terms
CLAMPED = [0.0] * 4 + [0.25, 0.5, 0.75] + [1.0] * 4
UNEVEN = [-3.0, -1.0, -0.875, 0.0, 0.125, 0.25, 1.0, 3.0, 3.5]
THOUSAND, DISTANT = make.uniform(-1.0, 1.0, 1000, 3), make.uniform(1000.0, 1001.0, 4, 3)


@topic("knots", 1, "", "Liu et al. 2024, section 2.4")
def knots() -> Iterator[Case]:
    """Yield the cases of make.uniform(low, high, n_intervals, degree) -> (n_knots,)."""
    for name, low, high, n_intervals, degree, flags in (
        ("unit-cubic", -1.0, 1.0, 4, 3, "KnotStep OuterKnots"),
        ("five-cubic", -1.0, 1.0, 5, 3, "KnotStep OuterKnots KnotPrecision"),
        ("three-linear", 0.0, 1.0, 3, 1, "KnotPrecision KnotStep OuterKnots"),
        ("degree-0", 0.0, 1.0, 4, 0, "DegreeZero KnotStep"),
        ("one-interval", 0.0, 2.0, 1, 2, "KnotStep OuterKnots"),
        ("degree-7", -1.0, 1.0, 8, 7, "OuterKnots KnotStep"),
        ("tenths", 0.1, 0.7, 6, 2, "KnotPrecision KnotStep OuterKnots"),
        ("far", 1000.0, 1001.0, 10, 3, "KnotPrecision ScaledRow KnotStep OuterKnots"),
        ("tiny", -1e-7, 1e-7, 5, 3, "ScaledRow KnotStep OuterKnots"),
        ("thousand", -1.0, 1.0, 1000, 3, "ManyIntervals KnotStep OuterKnots"),
    ):
        right = make.uniform(low, high, n_intervals, degree)
        given = {"low": low, "high": high, "n_intervals": n_intervals, "degree": degree}
        bound = 4 * EPS * max(abs(right[0]), abs(right[-1]))
        yield case(name, "uniform_knots", flags, given, {"knots": (right, bound)})


# --- bases


@topic("bases", 1, "", "Liu et al. 2024, section 2.4; Cox-de Boor recursion")
def bases() -> Iterator[Case]:
    """Yield the cases of basis(x, knots, degree) -> (n, n_basis)."""
    for degree in range(8):
        yield from (basis_case(*row) for row in _even_rows(degree))
        yield from (basis_case(*row, since=2) for row in _uneven_rows(degree))
    yield from _special_bases()
    yield from (basis_case(*row, since=4) for row in _unusual_rows())


Row = tuple[str, str, Sequence[float], Sequence[float], int]  # name, flags, x, knots, degree


def basis_case(
    name: str, flags: str, x: Sequence[float], knots: Sequence[float], degree: int, since: int = 1
) -> Case:
    """Return the case of `basis(x, knots, degree)` at the points x."""
    right = [all_bsplines(at, knots, degree) for at in x]
    given = {"x": array(x, [len(x)]), "knots": list(knots), "degree": degree}
    answers = {"basis": (array(right, [len(x), len(knots) - degree - 1]), BASES)}
    return case(name, "basis", flags, given, answers, since=since)


def _even_rows(degree: int) -> list[Row]:
    """Return the rows of one degree on uniform knot vectors.

    One has 4 intervals on [-1, 1], so that its knots are exact; one has 5 on [0, 1], whose knots
    are rounded.
    """
    knots, other = make.uniform(-1.0, 1.0, 4, degree), make.uniform(0.0, 1.0, 5, degree)
    inner = knots[degree : len(knots) - degree]
    high = "DegreeZero" if degree == 0 else "HighDegree" if degree > 4 else "CoxDeBoor"
    inside = sorted(dice(f"degree-{degree}-inside", 5, low=-1.0, high=1.0))
    tenths = sorted(dice(f"degree-{degree}-tenths", 4, low=0.0, high=1.0, steps=1000))
    beyond = [knots[0] - 0.5, knots[-1] + 0.25, beside(knots[0])[0], beside(knots[-1])[1]]
    rows = [
        ("inside", high, inside, knots),
        ("tenths", f"{high} CoxDeBoor Float32Inside", tenths, other),
        ("inner-knots", "KnotOwnership", inner[1:-1], knots),
        ("beside-knots", "KnotOwnership", [*beside(inner[1]), *beside(inner[2])], knots),
        ("last-knot", "LastEnd", [knots[-1]], knots),
        ("first-knot", "KnotOwnership ZeroOutside", [knots[0]], knots),
        ("beyond-row", "ZeroOutside", beyond, knots),
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
    return [(f"degree-{degree}-{name}", flags, x, row, degree) for name, flags, x, row in rows]


def _uneven_rows(degree: int) -> list[Row]:
    """Return the rows of one degree on an uneven knot vector: inside, at knots, and outside."""
    knots, name = make.uneven(make.uniform(-1.0, 1.0, 5, degree), degree, degree), "uneven-degree"
    inside = sorted(dice(f"{name}-{degree}", 5, low=-1.0, high=1.0))
    outside = [(knots[n] + knots[n + 1]) / 2 for n in (0, -2)]
    rows = [
        ("inside", "UnevenKnots CoxDeBoor", inside),
        ("knots", "KnotOwnership UnevenKnots", knots[1:-1]),
        ("fade", "FadeOutside UnevenKnots", outside),
    ][: 3 if degree else 2]
    return [(f"{name}-{degree}-{place}", flags, x, knots, degree) for place, flags, x in rows]


def beside(x: float) -> list[float]:
    """Return the float64 neighbours of x."""
    return [math.nextafter(x, -math.inf), math.nextafter(x, math.inf)]


def _special_bases() -> Iterator[Case]:
    """Yield the cases on special knot vectors, and on unusual batches."""
    double = [-0.75, -0.5, -0.25, 0.0, 0.25, 0.25, 0.5, 1.0, 1.25, 1.5]
    triple = [-1.0, -0.5, 0.0, 0.5, 0.5, 0.5, 1.0, 1.5, 2.0]
    jump, steps = [0.0, 0.0, 1.0, 1.0, 1.0, 2.0, 2.0], [0.0, 0.0, 1.0, 1.0, 2.0, 2.0]
    sixfold, six = "RepeatedKnots HighDegree UnevenKnots", [0.0] * 6 + [0.5, 0.5] + [1.0] * 6
    rough = [-2.3, -1.7, -1.1, -0.3, 0.1, 0.15, 0.9, 1.3, 1.9, 2.2]
    thousandth, even = make.uniform(-1.0, 1.0, 1000, 1), make.uniform(-1.0, 1.0, 4, 2)
    hundred, tiny = make.uniform(-1.0, 1.0, 100, 3), make.uniform(-1e-8, 1e-8, 5, 3)
    huge, halves = make.uniform(-1e8, 1e8, 5, 2), [0.0, 0.5, 1.0, 1.5, 2.0]
    one_of_many = thousandth[333:334]
    rows: list[Row] = [
        ("clamped-cubic-inside", "RepeatedKnots UnevenKnots", [0.125, 0.4375, 0.8125], CLAMPED, 3),
        ("clamped-cubic-ends", "RepeatedKnots LastEnd UnevenKnots", [0.0, 1.0], CLAMPED, 3),
        ("clamped-cubic-last", "LastEnd RepeatedKnots UnevenKnots", [1.0], CLAMPED, 3),
        ("clamped-cubic-outside", "ZeroOutside RepeatedKnots", [-0.25, 1.25], CLAMPED, 3),
        ("double-knot-cubic", "RepeatedKnots UnevenKnots", [0.125, 0.25, 0.3125, 0.75], double, 3),
        ("triple-knot-quadratic", "RepeatedKnots UnevenKnots", [0.25, 0.5, 0.75], triple, 2),
        ("jump-linear", "RepeatedKnots KnotOwnership UnevenKnots", halves, jump, 1),
        ("repeated-degree-0", "RepeatedKnots DegreeZero", [0.0, 0.5, 1.0, 2.0], steps, 0),
        ("repeated-knots-degree-5", sixfold, [0.25, 0.5, 0.875], six, 5),
        ("uneven-quadratic", "UnevenKnots", [-0.9375, -0.25, 0.0625, 0.1875, 0.75], UNEVEN, 2),
        ("uneven-cubic", "UnevenKnots Float32Inside", [-0.2, 0.05, 0.12, 0.5, 0.89], rough, 3),
        ("uneven-fade", "FadeOutside UnevenKnots", [-1.5, -1.0625, 1.5, 2.0625], rough, 3),
        ("far-cubic", "ScaledRow Float32Inside", [1000.05, 1000.5, 1000.93], DISTANT, 3),
        ("tiny-cubic", "ScaledRow", [-9e-9, 1e-9, 7e-9], tiny, 3),
        ("huge-quadratic", "ScaledRow", [-9e7, 1e7, 7e7], huge, 2),
        ("hundred-intervals", "ManyIntervals", [-0.97, 0.003, 0.62], hundred, 3),
        ("thousand-intervals", "ManyIntervals", [-0.9987, 0.61803], THOUSAND, 3),
        ("thousand-intervals-at-knot", "ManyIntervals KnotOwnership", one_of_many, thousandth, 1),
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
    yield from (basis_case(*row) for row in rows)
    yield from (basis_case(*row, since=3) for row in ends)
    yield basis_case("no-points", "EmptyBatch", [], even, 2)
    yield basis_case("one-point", "BatchOfOne", [0.3125], even, 2)


def _unusual_rows() -> Iterator[Row]:
    """Yield the rows on the unusual knot vectors of `recipes`."""
    for degree in (1, 3):
        for name, flags, row in make.KINDS[:3]:
            x = [-0.8125, -0.5, 0.1875, 0.9375]
            yield f"{name}-degree-{degree}", flags, x, row(degree), degree
        for name, knots in (("whole-steps", make.whole_steps(degree)), ("far", make.far(degree))):
            name = f"between-outer-knots-{name}-degree-{degree}"
            x = [
                -(2.0**39),
                -1.625,
                1.375,
                2.0**39,
            ]  # the first and last between two knots of `far`
            yield name, "FadeOutside ScaledRow UnevenKnots", x, knots, degree
    for name, knots, degree in (
        ("even", make.uniform(-1.0, 1.0, 4, 2), 2),
        ("uneven", make.whole_steps(2), 2),
        ("degree-0", make.uniform(-1.0, 1.0, 4, 0), 0),
    ):
        yield f"farthest-points-{name}", "ZeroOutside", make.FARTHEST, knots, degree
    for name, inner in (("two-knots-in-from", 2), ("three-knots-in-from", 3)):
        twice = [-2.0, *[-1.0] * inner, -0.5, 0.0, 0.5, *[1.0] * inner, 2.0]
        x = [-1.5, -1.0, -0.75, 0.25, 0.75, 1.0, 1.5]
        yield f"{name}-the-ends", "RepeatedKnots FadeOutside UnevenKnots", x, twice, inner
    few = [-1.75, -1.25, -1.0, 1.0, 1.125, 1.5]
    yield "one-interval", "UnevenKnots", [-1.0, 0.375, 1.0], few, 2


# --- derivatives


@topic("basis_derivatives", 2, "bases", "derivative of the Cox-de Boor recursion")
def basis_derivatives() -> Iterator[Case]:
    """Yield the cases of first order of basis_derivative(x, knots, degree, order)."""
    yield from _derivatives(1)
    for name, flags, x, row in (
        ("thousand-intervals", "ManyIntervals BasisSlope", [0.61803], THOUSAND),
        ("far-cubic", "ScaledRow BasisSlope", [1000.05, 1000.93], DISTANT),
        ("no-points", "EmptyBatch", [], make.uniform(0.0, 1.0, 5, 3)),
    ):
        yield derivative_case((name, flags, x, row, 3), 1)


@topic(
    "higher_derivatives",
    3,
    "basis_derivatives",
    "derivative of the Cox-de Boor recursion, repeated",
)
def higher_derivatives() -> Iterator[Case]:
    """Yield the cases of second and third order of basis_derivative(x, knots, degree, order)."""
    yield from _derivatives(2)
    yield from _derivatives(3)


def derivative_case(row: Row, order: int, **options: Any) -> Case:
    """Return the case of basis_derivative(x, knots, degree, order) at the points x."""
    name, flags, x, knots, degree = row
    right = [all_bsplines(at, knots, degree, order) for at in x]
    terms = (derivative_terms(at, knots, degree, order) for at in x)
    scale = float(max(terms, default=Fraction(0)))
    given = {"x": array(x, [len(x)]), "knots": list(knots), "degree": degree, "order": order}
    # outside the knot vector and above the degree there are no terms: the scale is 1
    bound = DERIVATIVES * scale if scale else BASES
    answers = {"basis_derivative": (array(right, [len(x), len(knots) - degree - 1]), bound)}
    return case(name, "basis_derivative", flags, given, answers, **options)


def _derivatives(order: int) -> Iterator[Case]:
    """Yield the cases of one order: of all degrees, then on special knot vectors."""
    flag = "BasisSlope" if order == 1 else "HigherDerivative"
    for degree in (0, 1, 2, 3, 4, 5, 7):
        yield from _derivatives_of_degree(degree, order, flag)
    cubic, mid = make.uniform(0.0, 1.0, 5, 3), [0.125, 0.4375, 0.8125]
    rows: list[Row] = [
        ("tenths-cubic", f"{flag} Float32Inside", [0.05, 0.37, 0.61, 0.99], cubic, 3),
        ("clamped-cubic", f"RepeatedKnots {flag} UnevenKnots", mid, CLAMPED, 3),
        ("outside-row", f"ZeroOutside {flag}", [-1.0, 2.0], cubic, 3),
        ("uneven-quadratic", f"UnevenKnots {flag}", [-0.9375, -0.25, 0.1875], UNEVEN, 2),
    ]
    unusual: list[Row] = [
        (name, f"{flags} {flag}", [-0.8125, 0.1875, 0.9375], row(3), 3)
        for name, flags, row in make.KINDS
    ]
    outer, ends = f"FadeOutside UnevenKnots {flag}", [EVEN[n] for n in (0, 1, 3, -4, -2, -1)]
    unusual += [
        ("between-outer-knots", outer, [-1.625, 1.375], make.whole_steps(3), 3),
        ("farthest-points", f"ZeroOutside {flag}", make.FARTHEST, make.whole_steps(3), 3),
        ("outer-knots", f"DerivativeAtKnot FadeOutside {flag}", ends, EVEN, 3),
    ]
    for since, several in ((1, rows), (4, unusual)):
        for name, flags, x, row, degree in several:
            if order <= degree and (name, order) != ("outer-knots", 3):
                title = f"{name}-order-{order}"
                yield derivative_case((title, flags, x, row, degree), order, since=since)


def _derivatives_of_degree(degree: int, order: int, flag: str) -> Iterator[Case]:
    """Yield the cases inside the grid, beside it and at inner knots, then those on uneven knots.

    At simple knots, derivatives are continuous up to order degree - 1; of higher order, the
    contract leaves them open there.
    """
    knots, name = make.uniform(-1.0, 1.0, 4, degree), f"degree-{degree}-order-{order}"
    inside = dice(name, 4, low=-1.0, high=1.0)
    if order > degree:
        yield derivative_case((f"{name}-inside", "AboveDegree", inside, knots, degree), order)
        return
    outer = [knots[degree] - 0.125, knots[-degree - 1] + 0.375, knots[-1] - 0.0625]
    inner = [knots[degree + 1], knots[degree + 2], knots[-degree - 1]]
    smooth = order < degree
    at_knots = f"DerivativeAtKnot {flag}" if smooth else "LeftOpen DerivativeAtKnot"
    kind = "required" if smooth else "implementation-defined"
    for place, flags, x, how in (
        ("inside", flag, inside, "required"),
        ("fade", f"FadeOutside {flag}", outer, "required"),
        ("knots", at_knots, inner, kind),
    ):
        yield derivative_case((f"{name}-{place}", flags, x, knots, degree), order, kind=how)
    if order > 1 and degree not in (3, 5):
        return
    row = make.uneven(knots, degree, degree + order)
    middles = [(row[0] + row[1]) / 2, (row[-2] + row[-1]) / 2]
    for place, flags, x in (
        ("inside", f"UnevenKnots {flag}", inside[:3]),
        ("fade", f"UnevenKnots FadeOutside {flag}", middles),
        ("knots", f"UnevenKnots DerivativeAtKnot {flag}", row[degree + 1 : degree + 3]),
    ):
        if smooth or place != "knots":
            title = f"uneven-{name}-{place}"
            yield derivative_case((title, flags, x, row, degree), order, since=2)
