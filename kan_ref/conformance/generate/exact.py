"""B-splines, base functions and layers in exact arithmetic, straight from their definitions.

The recursion of Cox and de Boor (de Boor, A Practical Guide to Splines, rev. ed., ch. IX) runs on Taylor series: with X = x + h the
factor X - t_m is the series (x - t_m) + h, so term r of a B-spline's series is its r-th derivative divided by r!. Numbers are either
fractions or floats of 60 digits; the code is the same. Layers are Liu et al. 2024, eqs. 2.5, 2.7 and 2.10-2.12, one summand at a time:

    (X1)  phi_ji(x) = mask_ji (w_base_ji b(x) + w_spline_ji sum_m coef_jim B_m(x)),   y_j = sum_i phi_ji(x_i)

Intervals are t_m <= x < t_{m+1}, the last non-empty one of the row is closed; 0/0 := 0; outside the row every B-spline is 0.
`Rules` bends the definition the way that known defects do: a case carries what such a defect would answer.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any

Number = Any  # a Fraction, or a float of 60 digits
Layer = dict[str, Any]  # knots, coef, w_base, w_spline, mask: nested lists of float; degree, base

DIGITS = 60


@dataclass(frozen=True)
class Rules:
    """The definition (all defaults), or a defect.

    `outside`: "fade", or beyond [a, b] "continue" the end polynomials, "zero" or "clamp" x. `silu_slope`: "right" or "sigmoid".
    `without_degree`: derivatives of B-splines lack their factor. `base_scaled`: w_spline multiplies the base function too.
    """

    outside: str = "fade"
    silu_slope: str = "right"
    without_degree: bool = False
    base_scaled: bool = False


RIGHT = Rules()


@cache
def context() -> Any:
    """An own context of 60 digits: the global one stays as it is."""
    import mpmath

    own = mpmath.MPContext()
    own.dps = DIGITS
    return own


def precise(value: Any) -> Number:
    """A number as a float of 60 digits; float64 exactly."""
    if isinstance(value, Fraction):
        return context().mpf(value.numerator) / value.denominator
    return context().mpf(value)


def to_float(value: Any) -> float:
    """The nearest float64 (ties to even)."""
    if isinstance(value, int | float | Fraction):
        return float(value)
    sign, mantissa, exponent, _ = value._mpf_
    whole = -int(mantissa) if sign else int(mantissa)
    return float(Fraction(whole) * Fraction(2) ** int(exponent))


# --- B-splines


def piece_of(x: Number, row: Sequence[Number]) -> int | None:
    """Index of the interval that owns x, or None outside the row."""
    if not row[0] <= x <= row[-1]:
        return None
    return (bisect_left(row, x) if x == row[-1] else bisect_right(row, x)) - 1


def taylor(
    row: Sequence[Number], degree: int, piece: int, x: Number, n_terms: int
) -> dict[int, list[Number]]:
    """For each B-spline that lives on the piece its first Taylor coefficients about x."""
    zero = x * 0
    live = {piece: [zero + 1, *[zero] * (n_terms - 1)]}
    for d in range(1, degree + 1):
        higher = {}
        for m in range(max(0, piece - d), min(piece, len(row) - 2 - d) + 1):
            terms = [zero] * n_terms
            for source, sign, root, width in (
                (m, 1, row[m], row[m + d] - row[m]),
                (m + 1, -1, row[m + d + 1], row[m + d + 1] - row[m + 1]),
            ):
                if source in live and width != 0:
                    series = live[source]
                    raised = [zero, *series[:-1]]
                    terms = [
                        t + sign * ((x - root) * s + r) / width
                        for t, s, r in zip(terms, series, raised, strict=True)
                    ]
            higher[m] = terms
        live = higher
    return live


def active_basis(
    x: Number, row: Sequence[Number], degree: int, order: int = 0, outside: str = "fade"
) -> dict[int, Number]:
    """The B-splines, or a derivative of them, that are not 0 at x by rule: index -> value."""
    a, b = row[degree], row[len(row) - 1 - degree]
    if outside == "zero" and not a <= x <= b:
        return {}
    if outside == "clamp":
        if order and not a <= x <= b:
            return {}
        x = min(max(x, a), b)
    piece = piece_of(x, row)
    if outside == "continue":
        inner = [m for m in range(degree, len(row) - degree - 1) if row[m] < row[m + 1]]
        piece = max([m for m in inner if row[m] <= x], default=inner[0])
    if piece is None:
        return {}
    return {
        m: math.factorial(order) * terms[order]
        for m, terms in taylor(row, degree, piece, x, order + 1).items()
    }


@cache
def active_on(
    row: tuple[float, ...], degree: int, x: Number, order: int, outside: str
) -> dict[int, Number]:
    """`active_basis` in 60 digits, remembered: defects ask for the same numbers again and again."""
    return active_basis(x, [precise(t) for t in row], degree, order, outside)


def basis_row(
    x: float, row: Sequence[float], degree: int, order: int = 0, outside: str = "fade"
) -> list[Fraction]:
    """All B-splines of the row at x as fractions."""
    live = active_basis(Fraction(x), [Fraction(t) for t in row], degree, order, outside)
    return [live.get(m, Fraction(0)) for m in range(len(row) - degree - 1)]


def derivative_terms(x: float, row: Sequence[float], degree: int, order: int) -> Fraction:
    """Largest sum of absolute terms of D^r B_{m,d} = d (D^{r-1} B_{m,d-1} / (t_{m+d} - t_m) - D^{r-1} B_{m+1,d-1} / (...))."""
    t = [Fraction(knot) for knot in row]

    def terms(d: int, r: int) -> list[Fraction]:
        if r == 0:
            return basis_row(x, row, d)
        lower = terms(d - 1, r - 1)
        widths = [t[m + d] - t[m] for m in range(len(t) - d)]
        return [
            sum((d * lower[n] / widths[n] for n in (m, m + 1) if widths[n]), Fraction(0))
            for m in range(len(t) - d - 1)
        ]

    return max(terms(degree, order)) if order <= degree else Fraction(0)


# --- edges and layers


def base_derivative(name: str, x: Number, order: int, silu_slope: str = "right") -> Number:
    """b(x), b'(x) or b''(x) with 60 digits."""
    if name == "zero" or (name == "identity" and order == 2):
        return precise(0)
    if name == "identity":
        return x if order == 0 else precise(1)
    s, rest = 1 / (1 + context().exp(-x)), 1 / (1 + context().exp(x))
    if order == 0:
        return x * s
    if order == 1:
        return s if silu_slope == "sigmoid" else s + x * s * rest
    return s * rest * (2 + x * (rest - s))


def edge_terms(
    layer: Layer, j: int, i: int, x: Number, order: int = 0, rules: Rules = RIGHT
) -> list[Number]:
    """The summands of a derivative of phi_ji at x, mask included."""
    if layer["mask"][j][i] == 0:
        return []
    w_base, w_spline, degree = (
        precise(layer["w_base"][j][i]),
        precise(layer["w_spline"][j][i]),
        layer["degree"],
    )
    live = active_on(tuple(layer["knots"][i]), degree, x, order, rules.outside)
    base = base_derivative(layer["base"], x, order, rules.silu_slope) * (
        w_spline if rules.base_scaled else 1
    )
    factor = degree if rules.without_degree and order == 1 and degree else 1
    return [
        w_base * base,
        *(w_spline * precise(layer["coef"][j][i][m]) * value / factor for m, value in live.items()),
    ]


def sizes(layer: Layer) -> tuple[int, int, int]:
    """n_out, n_in, n_basis."""
    return len(layer["coef"]), len(layer["coef"][0]), len(layer["coef"][0][0])


def forward(
    layer: Layer, x: Sequence[Sequence[Number]], rules: Rules = RIGHT
) -> list[list[Number]]:
    """Outputs (batch, n_out)."""
    n_out, n_in, _ = sizes(layer)
    return [
        [
            total(
                t for i in range(n_in) for t in edge_terms(layer, j, i, precise(row[i]), 0, rules)
            )
            for j in range(n_out)
        ]
        for row in x
    ]


def forward_scale(layer: Layer, x: Sequence[Sequence[Number]]) -> Number:
    """Largest sum of absolute terms of a y."""
    n_out, n_in, _ = sizes(layer)
    sums = [
        total(abs(t) for i in range(n_in) for t in edge_terms(layer, j, i, precise(row[i])))
        for row in x
        for j in range(n_out)
    ]
    return max(sums, default=precise(0))


def total(terms: Any) -> Number:
    """The sum, of 60 digits also where there are no terms."""
    return sum(terms, precise(0))
