"""B-splines, base functions and layers in exact arithmetic, written from their definitions.

    (C1)  phi_ji(x) = mask_ji (w_base_ji b(x) + w_spline_ji sum_m coef_jim B_m(x)),
          y_j = sum_i phi_ji(x_i)

Sources: Liu et al. 2024, eqs. 2.5, 2.7 and 2.10-2.12; de Boor, A Practical Guide to Splines, rev.
ed., ch. IX. The Cox-de Boor recursion runs on Taylor series. With X = x + h, the factor X - t_m is
the series (x - t_m) + h, so that term r of a B-spline's series is its r-th derivative divided by
r!.
Numbers are either fractions or floats of 60 digits; the code is the same for both.

Intervals are t_m <= x < t_{m+1}, and the last non-empty interval is closed on the right. 0/0 := 0.
Outside the knot vector every B-spline is 0.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from fractions import Fraction
from functools import cache
from typing import Any

Number = Any  # a Fraction, or a float of 60 digits
Layer = dict[str, Any]  # knots, coef, w_base, w_spline, mask: nested lists of float; degree, base

DIGITS = 60


@cache
def context() -> Any:
    """Return an mpmath context of 60 digits; the global context is not changed."""
    import mpmath

    own = mpmath.MPContext()
    own.dps = DIGITS
    return own


def precise(value: Any) -> Number:
    """Return a number as a float of 60 digits; a float64 is converted exactly."""
    if isinstance(value, float):
        return _from_float(value)
    if isinstance(value, Fraction):
        return context().mpf(value.numerator) / value.denominator
    return context().mpf(value)


@cache
def _from_float(value: float) -> Number:
    return context().mpf(value)


def to_float(value: Any) -> float:
    """Return the nearest float64 (ties to even)."""
    if isinstance(value, int | float | Fraction):
        return float(value)
    sign, mantissa, exponent, _ = value._mpf_
    whole = -int(mantissa) if sign else int(mantissa)
    return float(Fraction(whole) * Fraction(2) ** int(exponent))


# --- B-splines


def piece_of(x: Number, knots: Sequence[Number]) -> int | None:
    """Return the index of the interval that contains x, or None outside the knot vector."""
    if not knots[0] <= x <= knots[-1]:
        return None
    return (bisect_left(knots, x) if x == knots[-1] else bisect_right(knots, x)) - 1


def taylor(
    knots: Sequence[Number], degree: int, piece: int, x: Number, n_terms: int
) -> dict[int, list[Number]]:
    """Return the first Taylor coefficients about x of the B-splines that are nonzero there."""
    zero = x * 0
    active = {piece: [zero + 1, *[zero] * (n_terms - 1)]}
    for d in range(1, degree + 1):
        higher = {}
        for m in range(max(0, piece - d), min(piece, len(knots) - 2 - d) + 1):
            terms = [zero] * n_terms
            for source, sign, root, width in (
                (m, 1, knots[m], knots[m + d] - knots[m]),
                (m + 1, -1, knots[m + d + 1], knots[m + d + 1] - knots[m + 1]),
            ):
                if source in active and width != 0:
                    series = active[source]
                    raised = [zero, *series[:-1]]
                    terms = [
                        t + sign * ((x - root) * s + r) / width
                        for t, s, r in zip(terms, series, raised, strict=True)
                    ]
            higher[m] = terms
        active = higher
    return active


def active_basis(
    x: Number, knots: Sequence[Number], degree: int, order: int = 0
) -> dict[int, Number]:
    """Return the B-splines, or a derivative of them, that can be nonzero at x: index -> value."""
    piece = piece_of(x, knots)
    if piece is None:
        return {}
    return {
        m: math.factorial(order) * terms[order]
        for m, terms in taylor(knots, degree, piece, x, order + 1).items()
    }


@cache
def active_on(knots: tuple[float, ...], degree: int, x: Number, order: int) -> dict[int, Number]:
    """Return `active_basis` in 60 digits, cached: all outputs of a layer need the same numbers."""
    return active_basis(x, [precise(t) for t in knots], degree, order)


def all_bsplines(x: float, knots: Sequence[float], degree: int, order: int = 0) -> list[Fraction]:
    """Return all B-splines of the knot vector at x, as fractions."""
    active = active_basis(Fraction(x), [Fraction(t) for t in knots], degree, order)
    return [active.get(m, Fraction(0)) for m in range(len(knots) - degree - 1)]


def derivative_terms(x: float, knots: Sequence[float], degree: int, order: int) -> Fraction:
    """Return the largest sum of absolute terms in the recursion of a derivative.

    D^r B_{m,d} = d (D^{r-1} B_{m,d-1} / (t_{m+d} - t_m) - D^{r-1} B_{m+1,d-1} / (t_{m+d+1} -
    t_{m+1}))
    """
    t = [Fraction(knot) for knot in knots]

    def terms(d: int, r: int) -> list[Fraction]:
        if r == 0:
            return all_bsplines(x, knots, d)
        lower = terms(d - 1, r - 1)
        widths = [t[m + d] - t[m] for m in range(len(t) - d)]
        return [
            sum((d * lower[n] / widths[n] for n in (m, m + 1) if widths[n]), Fraction(0))
            for m in range(len(t) - d - 1)
        ]

    return max(terms(degree, order)) if order <= degree else Fraction(0)


# --- edges and layers


@cache
def base_derivative(name: str, x: Number, order: int) -> Number:
    """Return b(x), b'(x) or b''(x) in 60 digits."""
    if name == "zero" or (name == "identity" and order == 2):
        return precise(0)
    if name == "identity":
        return x if order == 0 else precise(1)
    s, rest = 1 / (1 + context().exp(-x)), 1 / (1 + context().exp(x))
    if order == 0:
        return x * s
    if order == 1:
        return s + x * s * rest
    return s * rest * (2 + x * (rest - s))


def edge_terms(layer: Layer, j: int, i: int, x: Number, order: int = 0) -> list[Number]:
    """Return the summands of phi_ji at x, or of a derivative of it; the mask is a factor."""
    mask = layer["mask"][j][i]
    if mask == 0:
        return []
    w_base, w_spline, degree = (
        precise(mask * layer["w_base"][j][i]),
        precise(mask * layer["w_spline"][j][i]),
        layer["degree"],
    )
    active = active_on(tuple(layer["knots"][i]), degree, x, order)
    base = w_base * base_derivative(layer["base"], x, order)
    coef = layer["coef"][j][i]
    splines = [w_spline * precise(coef[m]) * value for m, value in active.items()]
    return [base, *splines]


def sizes(layer: Layer) -> tuple[int, int, int]:
    """Return n_out, n_in, n_basis."""
    return len(layer["coef"]), len(layer["coef"][0]), len(layer["coef"][0][0])


def forward(layer: Layer, x: Sequence[Sequence[Number]]) -> list[list[Number]]:
    """Return the outputs (batch, n_out) by (C1)."""
    n_out, n_in, _ = sizes(layer)
    return [
        [
            total(t for i in range(n_in) for t in edge_terms(layer, j, i, precise(row[i])))
            for j in range(n_out)
        ]
        for row in x
    ]


def forward_scale(layer: Layer, x: Sequence[Sequence[Number]]) -> Number:
    """Return the largest sum of absolute terms among the outputs."""
    n_out, n_in, _ = sizes(layer)
    sums = [
        total(abs(t) for i in range(n_in) for t in edge_terms(layer, j, i, precise(row[i])))
        for row in x
        for j in range(n_out)
    ]
    return max(sums, default=precise(0))


def total(terms: Any) -> Number:
    """Return the sum, in 60 digits even where there are no terms."""
    return sum(terms, precise(0))
