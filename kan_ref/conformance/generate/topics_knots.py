"""Cases about knot vectors, in exact fractions.

    (C5)  t_m = a + (m - k) (b - a) / G,  m = 0, ..., G + 2 k

Source: Liu et al. 2024, section 2.4 (extended grids).
"""

from fractions import Fraction
from typing import Any

from kan_ref.conformance.generate.encode import array, case, topic

EPS = 2.0**-52


def uniform_knots(low: float, high: float, n_intervals: int, degree: int) -> list[float]:
    """Return the knots (C5), each rounded once."""
    a, h = Fraction(low), (Fraction(high) - Fraction(low)) / n_intervals
    return [float(a + (m - degree) * h) for m in range(n_intervals + 2 * degree + 1)]


def knots() -> dict[str, Any]:
    """Return the cases of uniform_knots(low, high, n_intervals, degree) -> (n_knots,)."""
    rows = (
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
    )
    cases = []
    for name, low, high, n_intervals, degree, flags in rows:
        knot_vector = uniform_knots(low, high, n_intervals, degree)
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
                (
                    "KnotStep",
                    {"knots": [low + (m - degree) * step for m in range(len(knot_vector))]},
                )
            )
        if degree:
            wrong.append(("OuterKnots", {"knots": [min(max(t, low), high) for t in knot_vector]}))
        bound = 4 * EPS * max(abs(knot_vector[0]), abs(knot_vector[-1]))
        cases.append(
            case(
                name,
                "uniform_knots",
                flags,
                arguments,
                {"knots": array(knot_vector)},
                {"knots": bound},
                wrong=wrong,
            )
        )
    return topic("knots", level=1, needs=[], equation="Liu et al. 2024, section 2.4", cases=cases)
