"""Layers on uneven knot vectors, as every grid update leaves them, and readings that miss this.

A twin of a layer has the same [a, b], but each input has other uneven breakpoints and other uneven
outer knots. Known defects take the knots of a twin as evenly spaced: all of them, or in the
derivative alone, where the quotients

    (C24)  (B_{m,k-1} - B_{m+1,k-1}) / h   instead of
           k (B_{m,k-1} / (t_{m+k} - t_m) - B_{m+1,k-1} / (t_{m+k+1} - t_{m+1}))

agree for even knots only.
"""

from collections.abc import Sequence
from itertools import accumulate

from kan_ref.conformance.generate.exact import Layer, Rules
from kan_ref.conformance.generate.topics_knots import uniform_knots

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


def even_readings(layer: Layer, *, derivatives: bool = False) -> list[tuple[str, Layer, Rules]]:
    """Return (flag, layer, rules) of the readings that take uneven knots as evenly spaced."""
    k = layer["degree"]
    even = [uniform_knots(row[k], row[-k - 1], len(row) - 1 - 2 * k, k) for row in layer["knots"]]
    if even == layer["knots"]:
        return []
    found = [("UnevenKnots", layer | {"knots": even}, Rules())]
    if derivatives:
        steps = ("mean", "first") if all(row[0] < row[1] for row in layer["knots"]) else ("mean",)
        found += [("UnevenKnots", layer, Rules(slope_step=step)) for step in steps]
    return found
