"""Knot vectors of all kinds: even, uneven, and those that code for even knots handles in a branch.

    (C5)  t_m = a + (m - k) (b - a) / G,  m = 0, ..., G + 2 k       (Liu et al. 2024, section 2.4)

Grid updates leave uneven knots. A twin of a layer has the same [a, b], but each input has other
uneven breakpoints and other uneven outer knots.

Unusual knot vectors have the grid -1, -1/2, 0, 1/2, 1. Outer knots lie
whole steps of the grid away, a different number of them for each input; or 2^40 away; or on the
ends of the grid. An inner knot is repeated. Points as far away as 1e100 exceed the range of the
integers that number the intervals.
"""

from collections.abc import Sequence
from fractions import Fraction
from itertools import accumulate
from typing import Any

from kan_ref.conformance.generate.encode import array, case, topic
from kan_ref.conformance.generate.exact import Layer

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
        bound = 4 * EPS * max(abs(knot_vector[0]), abs(knot_vector[-1]))
        cases.append(
            case(
                name,
                "uniform_knots",
                flags,
                arguments,
                {"knots": array(knot_vector)},
                {"knots": bound},
            )
        )
    return topic("knots", level=1, needs=[], equation="Liu et al. 2024, section 2.4", cases=cases)


WIDTHS = (5, 11, 3, 9, 2, 13, 7)  # of neighbouring intervals, in proportion
OUTER = (0.75, 1.5, 0.5, 1.25, 1.0, 0.625, 1.375)  # of outer intervals, in units of (b - a) / G
FINE = 1024  # breakpoints are multiples of (b - a) / FINE: short in binary where a and b are


def uneven_row(row: Sequence[float], degree: int, turn: int = 0) -> list[float]:
    """Return uneven knots with the ends of the grid and the length of a row; `turn` varies them."""
    a, b = row[degree], row[len(row) - 1 - degree]
    n_intervals = len(row) - 1 - 2 * degree
    widths = [WIDTHS[(turn + n) % len(WIDTHS)] for n in range(n_intervals)]
    inner = [
        a + (b - a) * round(FINE * part / sum(widths)) / FINE
        for part in list(accumulate(widths))[:-1]
    ]
    sides = [
        list(accumulate(OUTER[(turn + shift + n) % len(OUTER)] for n in range(degree)))
        for shift in (0, 3)
    ]
    h = (b - a) / n_intervals
    left, right = ([h * offset for offset in side] for side in sides)
    return [*(a - offset for offset in reversed(left)), a, *inner, b, *(b + o for o in right)]


def uneven_twin(layer: Layer) -> Layer:
    """Return the layer on uneven knot vectors, a different one for each input."""
    rows = layer["knots"]
    return layer | {
        "knots": [uneven_row(row, layer["degree"], turn) for turn, row in enumerate(rows)]
    }


GRID = (-1.0, -0.5, 0.0, 0.5, 1.0)
FAR = 2.0**40
FARTHEST = (-1e100, -1e19, 1e19, 1e100)
INSIDE = ([-0.8125, 0.6875], [-0.1875, -0.5625], [0.9375, 0.3125])
_STEPS = ((1, 3, 4, 7), (2, 3, 5, 6), (1, 2, 3, 4), (3, 4, 6, 9))


def whole_steps(degree: int, turn: int = 0) -> list[float]:
    """Return the grid with outer knots whole steps away."""
    left, right = (_STEPS[(turn + shift) % len(_STEPS)][:degree] for shift in (0, 1))
    return [*(-1.0 - 0.5 * n for n in reversed(left)), *GRID, *(1.0 + 0.5 * n for n in right)]


def far(degree: int, turn: int = 0) -> list[float]:
    """Return the grid with outer knots 2^40 and more away."""
    outer = [FAR * (n + 1 + turn) for n in range(degree)]
    return [*(-knot for knot in reversed(outer)), *GRID, *outer]


def clamped(degree: int, turn: int = 0) -> list[float]:
    """Return the grid with its ends repeated, for odd `turn` on the left alone."""
    right = whole_steps(degree)[-degree:] if turn % 2 else [1.0] * degree
    return [*[-1.0] * degree, *GRID, *right]


def repeated(degree: int, turn: int = 0) -> list[float]:
    """Return knots with a double one at 0, or at 1/2 for odd `turn`, instead of that at -1/2."""
    knots = whole_steps(degree, 2)
    knots.remove(-0.5)
    return sorted([*knots, 0.5 * (turn % 2)])


KINDS = (
    ("outer-knots-whole-steps", "UnevenKnots SharedRow", whole_steps),
    ("outer-knots-far", "ScaledRow UnevenKnots", far),
    ("clamped-knots", "RepeatedKnots UnevenKnots", clamped),
    ("repeated-inner-knots", "RepeatedKnots UnevenKnots", repeated),
)
