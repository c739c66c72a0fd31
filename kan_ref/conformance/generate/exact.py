"""B-splines, layers and networks in exact arithmetic, and the derivatives of all, term by term.

    (C1)  phi_ji(x) = mask_ji (w_base_ji b(x) + w_spline_ji sum_m coef_jim B_m(x)),
          y_j = sum_i phi_ji(x_i)
    (C2)  d_coef_jim    = sum_b dy_bj mask_ji w_spline_ji B_m(x_bi)
          d_w_spline_ji = sum_b dy_bj mask_ji sum_m coef_jim B_m(x_bi)
    (C3)  d_w_base_ji   = sum_b dy_bj mask_ji b(x_bi)
          dx_bi         = sum_j dy_bj phi'_ji(x_bi)
    (C4)  y' = sum phi' x',   y'' = sum phi'' x'^2 + phi' x''
    (C34)  y_k = u_k for k < m,   y_{m+p} = u_{m+2p} u_{m+2p+1},   u_j = sum_i phi_ji(x_i)

Sources: Liu et al. 2024, eqs. 2.5, 2.7 and 2.10-2.12, and the chain rule on them; de Boor, A
Practical Guide to Splines, rev. ed., ch. IX; (C34): Liu et al. 2024, KAN 2.0, arXiv 2408.10205,
section 2 (multiplication nodes). In (C4), x' and x'' are the derivatives of a layer's
inputs along one input of the network.

The Cox-de Boor recursion runs on Taylor series. With X = x + h, the factor X - t_m is the series
(x - t_m) + h, so that term r of a B-spline's series is its r-th derivative divided by r!. Numbers
are either fractions or floats of 60 digits; the code is the same for both. Intervals are
t_m <= x < t_{m+1}, and the last non-empty interval is closed on the right. 0/0 := 0. Outside the
knot vector every B-spline is 0.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from fractions import Fraction
from functools import cache
from typing import Any

Number = Any  # a Fraction, or a float of 60 digits
Rows = Sequence[Sequence[Number]]  # (batch, n)
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
    if isinstance(value, Fraction):
        return context().mpf(value.numerator) / value.denominator
    return _from_float(value) if isinstance(value, float) else context().mpf(value)


@cache
def _from_float(value: float) -> Number:
    return context().mpf(value)


def to_float(value: Any) -> float:
    """Return the nearest float64 (ties to even)."""
    if isinstance(value, int | float | Fraction):
        return float(value)
    sign, mantissa, exponent, _ = value._mpf_
    return float(Fraction(-int(mantissa) if sign else int(mantissa)) * Fraction(2) ** int(exponent))


def total(terms: Iterable[Number]) -> Number:
    """Return the sum, in 60 digits even where there are no terms."""
    return sum(terms, precise(0))


class Sums:
    """An array of sums, and beside each sum that of its absolute terms.

    Rounding errors are compared with `scale`, the largest sum of absolute terms in the array.
    """

    def __init__(self, *shape: int) -> None:
        self.shape = shape
        self.values: dict[tuple[int, ...], Number] = {}
        self.sizes: dict[tuple[int, ...], Number] = {}

    def add(self, place: tuple[int, ...], term: Number, size: Number | None = None) -> None:
        """Add one term, and a bound on its absolute value."""
        self.values[place] = self.values.get(place, precise(0)) + term
        self.sizes[place] = self.sizes.get(place, precise(0)) + (
            abs(term) if size is None else size
        )

    def nested(self, sizes: bool = False) -> Any:
        """Return the sums, or the sums of absolute terms, as nested lists."""
        numbers = self.sizes if sizes else self.values

        def below(place: tuple[int, ...]) -> Any:
            if len(place) == len(self.shape):
                return numbers.get(place, precise(0))
            return [below((*place, n)) for n in range(self.shape[len(place)])]

        return below(())

    @property
    def scale(self) -> float:
        """The largest sum of absolute terms."""
        return float(max(self.sizes.values(), default=0.0))


# --- B-splines


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
                    terms = [
                        t + sign * ((x - root) * s + raised) / width
                        for t, s, raised in zip(terms, series, [zero, *series], strict=False)
                    ]
            higher[m] = terms
        active = higher
    return active


def active_basis(
    x: Number, knots: Sequence[Number], degree: int, order: int = 0
) -> dict[int, Number]:
    """Return the B-splines, or a derivative of them, that can be nonzero at x: index -> value."""
    if not knots[0] <= x <= knots[-1]:
        return {}
    piece = (bisect_left(knots, x) if x == knots[-1] else bisect_right(knots, x)) - 1
    series = taylor(knots, degree, piece, x, order + 1)
    return {m: math.factorial(order) * terms[order] for m, terms in series.items()}


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
        lower, widths = terms(d - 1, r - 1), [t[m + d] - t[m] for m in range(len(t) - d)]
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
    return (x * s, s + x * s * rest, s * rest * (2 + x * (rest - s)))[order]


def sizes(layer: Layer) -> tuple[int, int, int]:
    """Return n_out, n_in, n_basis."""
    return len(layer["coef"]), len(layer["coef"][0]), len(layer["coef"][0][0])


def edge(layer: Layer, j: int, i: int, x: Number, order: int = 0) -> tuple[Number, Number]:
    """Return phi_ji at x, or a derivative of it, and the sum of its absolute terms."""
    mask, x = precise(layer["mask"][j][i]), precise(x)
    if mask == 0:
        return precise(0), precise(0)
    active = active_on(tuple(layer["knots"][i]), layer["degree"], x, order)
    w_spline, coef = precise(layer["w_spline"][j][i]), layer["coef"][j][i]
    terms = [precise(layer["w_base"][j][i]) * base_derivative(layer["base"], x, order)]
    terms += [w_spline * precise(coef[m]) * value for m, value in active.items()]
    return mask * total(terms), abs(mask) * total(map(abs, terms))


def forward(layer: Layer, x: Rows) -> Sums:
    """Return the outputs (batch, n_out) by (C1)."""
    n_out, n_in, _ = sizes(layer)
    y = Sums(len(x), n_out)
    for b, row in enumerate(x):
        for j in range(n_out):
            for i in range(n_in):
                y.add((b, j), *edge(layer, j, i, row[i]))
    return y


def layer_vjp(layer: Layer, x: Rows, dy: Rows, dy_sizes: Rows | None = None) -> dict[str, Sums]:
    """Return dx, d_coef, d_w_base, d_w_spline by (C2) and (C3).

    `dy_sizes` bounds the absolute terms of which dy itself is the sum.
    """
    n_out, n_in, n_basis = sizes(layer)
    dx, d_coef = Sums(len(x), n_in), Sums(n_out, n_in, n_basis)
    d_w_base, d_w_spline = Sums(n_out, n_in), Sums(n_out, n_in)
    for b, row in enumerate(x):
        for i in range(n_in):
            at = precise(row[i])
            base = base_derivative(layer["base"], at, 0)
            active = active_on(tuple(layer["knots"][i]), layer["degree"], at, 0)
            for j in range(n_out):
                mask = precise(layer["mask"][j][i])
                if mask == 0:
                    continue
                d, size = mask * precise(dy[b][j]), mask * abs(precise((dy_sizes or dy)[b][j]))
                d_w_base.add((j, i), d * base, size * abs(base))
                for m, value in active.items():
                    by_coef = precise(layer["w_spline"][j][i]) * value
                    d_coef.add((j, i, m), d * by_coef, size * abs(by_coef))
                    by_weight = precise(layer["coef"][j][i][m]) * value
                    d_w_spline.add((j, i), d * by_weight, size * abs(by_weight))
                slope, slope_size = edge(layer, j, i, at, 1)
                dx.add((b, i), d / mask * slope, size / mask * slope_size)
    return {"dx": dx, "d_coef": d_coef, "d_w_base": d_w_base, "d_w_spline": d_w_spline}


def product_vjp(layer: Layer, n_products: int, x: Rows, dy: Rows) -> dict[str, Sums]:
    """Return y by (C34), and the gradients of sum_bk dy_bk y_bk by the product rule.

    The derivative with respect to one factor is dy times the other factor.
    """
    n_out, u = len(layer["coef"]), forward(layer, x)
    m = n_out - 2 * n_products
    y, du = Sums(len(x), m + n_products), Sums(len(x), n_out)
    for b in range(len(x)):
        for k in range(m):
            y.add((b, k), u.values[b, k], u.sizes[b, k])
            du.add((b, k), precise(dy[b][k]))
        for k in range(m, m + n_products):
            d, one, other = precise(dy[b][k]), (b, 2 * k - m), (b, 2 * k - m + 1)
            y.add((b, k), u.values[one] * u.values[other], u.sizes[one] * u.sizes[other])
            du.add(one, d * u.values[other], abs(d) * u.sizes[other])
            du.add(other, d * u.values[one], abs(d) * u.sizes[one])
    return {"y": y, **layer_vjp(layer, x, du.nested(), du.nested(sizes=True))}


# --- networks


def flow(layers: Sequence[Layer], x: Rows) -> list[Rows]:
    """Return the inputs of every layer, and the outputs of the last one."""
    values: list[Rows] = [x]
    for layer in layers:
        values.append(forward(layer, values[-1]).nested())
    return values


def network_vjp(layers: Sequence[Layer], x: Rows, dy: Rows) -> list[dict[str, Sums]]:
    """Return `layer_vjp` of every layer, each at its own inputs and its own dy.

    The network's dx is that of the first layer.
    """
    found: list[dict[str, Sums]] = []
    dy_sizes = dy
    for layer, at in reversed(list(zip(layers, flow(layers, x), strict=False))):
        found.insert(0, layer_vjp(layer, at, dy, dy_sizes))
        dy, dy_sizes = (found[0]["dx"].nested(sizes) for sizes in (False, True))
    return found


def network_bound(layers: Sequence[Layer], x: Rows) -> float:
    """Return a bound on the rounding errors of all layers.

    The absolute terms of each layer are multiplied by the absolute derivatives of those after it.
    """
    errors = [[precise(0)] * len(row) for row in x]
    for layer, rows in zip(layers, flow(layers, x), strict=False):
        n_out, n_in, _ = sizes(layer)
        errors = [
            [
                total(
                    edge(layer, j, i, row[i])[1] + edge(layer, j, i, row[i], 1)[1] * before[i]
                    for i in range(n_in)
                )
                for j in range(n_out)
            ]
            for row, before in zip(rows, errors, strict=True)
        ]
    return max((float(error) for row in errors for error in row), default=0.0)


def input_derivatives(layers: Sequence[Layer], x: Rows) -> tuple[Sums, Sums]:
    """Return the first and the unmixed second derivatives (C4), (batch, n_out, n_in) each."""
    n_inputs, n_outputs = sizes(layers[0])[1], sizes(layers[-1])[0]
    first, curved = (Sums(len(x), n_outputs, n_inputs) for _ in range(2))
    inputs = flow(layers, x)
    for b in range(len(x)):
        edges = [
            _slopes_and_curves(layer, at[b]) for layer, at in zip(layers, inputs, strict=False)
        ]
        for p in range(n_inputs):
            d1 = s1 = [precise(int(i == p)) for i in range(n_inputs)]
            d2 = s2 = [precise(0)] * n_inputs
            for lines in edges:
                new = [[precise(0)] * len(lines) for _ in range(4)]
                for j, line in enumerate(lines):
                    for i, (slope, slope_size, curve, curve_size) in enumerate(line):
                        new[0][j] += slope * d1[i]
                        new[1][j] += slope_size * s1[i]
                        new[2][j] += curve * d1[i] ** 2 + slope * d2[i]
                        new[3][j] += curve_size * s1[i] ** 2 + slope_size * s2[i]
                d1, s1, d2, s2 = new
            for j in range(n_outputs):
                first.add((b, j, p), d1[j], s1[j])
                curved.add((b, j, p), d2[j], s2[j])
    return first, curved


def _slopes_and_curves(layer: Layer, row: Sequence[Number]) -> list[list[Any]]:
    """Return phi', its sum of absolute terms, phi'' and its sum, of all edges at one sample."""
    n_out, n_in, _ = sizes(layer)
    return [
        [(*edge(layer, j, i, row[i], 1), *edge(layer, j, i, row[i], 2)) for i in range(n_in)]
        for j in range(n_out)
    ]


def transposed(matrix: Rows) -> list[list[Number]]:
    """Return the transposed matrix."""
    return [list(column) for column in zip(*matrix, strict=True)]
