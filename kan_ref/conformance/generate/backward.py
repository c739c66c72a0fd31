"""Derivatives, term by term: of layers and networks, and of basis functions of other families.

Vector-Jacobian products, Jacobians and second derivatives of layers and networks are

    (C2)  d_coef_jim    = sum_b dy_bj mask_ji w_spline_ji B_m(x_bi)
          d_w_spline_ji = sum_b dy_bj mask_ji sum_m coef_jim B_m(x_bi)
    (C3)  d_w_base_ji   = sum_b dy_bj mask_ji b(x_bi)
          dx_bi         = sum_j dy_bj phi'_ji(x_bi)
    (C4)  y' = sum phi' x',   y'' = sum phi'' x'^2 + phi' x''

Source: the chain rule, applied to (C1) of `exact`. In (C4), x' and x'' are the derivatives of a
layer's inputs along one input of the network. Every result comes with `scale`, the largest sum of
absolute terms in the array; rounding errors are compared with it.

Basis functions of other families than the paper's, and their first two derivatives, are

    (C27)  gaussian    B_m(x) = exp(-((x - c_m) / h)^2)                  centres c, width h
    (C28)  chebyshev   B_m(x) = T_m(u), m = 0, ..., degree;  u = x or tanh x
    (C29)  fourier     cos x, ..., cos(n x), sin x, ..., sin(n x)         n frequencies
    (C30)  relu        B_m(x) = 16 / (e_m - s_m)^4 [max(0, e_m - x) max(0, x - s_m)]^2

A layer of a family is y_j = sum_i sum_m coef_jim B_m(x_i), without base function, weights or bias.
Sources: Li 2024, arXiv 2405.06721 (Gaussian); Sidharth et al. 2024, arXiv 2405.07200 (Chebyshev,
with tanh); Qiu et al. 2024, arXiv 2406.02075, eq. 6 (ReLU). The Fourier basis has no common source.
Derivatives are those of truncated Taylor series: a number is [f, f', f'' / 2].
"""

from collections.abc import Mapping, Sequence
from typing import Any

from kan_ref.conformance.generate.exact import (
    Layer,
    Number,
    active_on,
    base_derivative,
    context,
    edge_terms,
    forward,
    precise,
    sizes,
    total,
)

Rows = Sequence[Sequence[Number]]
Sums = dict[str, Any]  # name -> nested lists


class Collector:
    """Sums by index, and the sums of the absolute terms beside them."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.shape = shape
        self.sums: dict[tuple[int, ...], Number] = {}
        self.sizes: dict[tuple[int, ...], Number] = {}

    def add(self, place: tuple[int, ...], term: Number, size: Number) -> None:
        """Add one term, and a bound on its absolute value."""
        if place in self.sums:
            term, size = self.sums[place] + term, self.sizes[place] + size
        self.sums[place], self.sizes[place] = term, size

    def nested(self, place: tuple[int, ...] = ()) -> Any:
        """Return the sums as nested lists."""
        if len(place) == len(self.shape):
            return self.sums.get(place, precise(0))
        return [self.nested((*place, n)) for n in range(self.shape[len(place)])]

    def scale(self) -> Number:
        """Return the largest sum of absolute terms."""
        return max(self.sizes.values(), default=precise(0))


def layer_vjp(
    layer: Layer, x: Rows, dy: Rows, dy_sizes: Rows | None = None
) -> dict[str, Collector]:
    """Return dx, d_coef, d_w_base, d_w_spline.

    `dy_sizes` bounds the absolute terms of which dy itself is the sum.
    """
    n_out, n_in, n_basis = sizes(layer)
    shapes = {
        "dx": (len(x), n_in),
        "d_coef": (n_out, n_in, n_basis),
        "d_w_base": (n_out, n_in),
        "d_w_spline": (n_out, n_in),
    }
    found = {name: Collector(shape) for name, shape in shapes.items()}
    for b, row in enumerate(x):
        for i in range(n_in):
            at = precise(row[i])
            base = base_derivative(layer["base"], at, 0)
            active = active_on(tuple(layer["knots"][i]), layer["degree"], at, 0)
            for j in range(n_out):
                if layer["mask"][j][i] == 0:
                    continue
                d, size = precise(dy[b][j]), abs(precise((dy_sizes or dy)[b][j]))
                mask = precise(layer["mask"][j][i])
                w_spline, value = mask * precise(layer["w_spline"][j][i]), mask * base
                found["d_w_base"].add((j, i), d * value, size * abs(value))
                for m, b_spline in active.items():
                    value = w_spline * b_spline
                    found["d_coef"].add((j, i, m), d * value, size * abs(value))
                    value = mask * precise(layer["coef"][j][i][m]) * b_spline
                    found["d_w_spline"].add((j, i), d * value, size * abs(value))
                for term in edge_terms(layer, j, i, at, 1):
                    found["dx"].add((b, i), d * term, size * abs(term))
    return found


def flow(layers: Sequence[Layer], x: Rows) -> list[Rows]:
    """Return the inputs of every layer, and the outputs of the last one."""
    values: list[Rows] = [x]
    for layer in layers:
        values.append(forward(layer, values[-1]))
    return values


def network_vjp(layers: Sequence[Layer], x: Rows, dy: Rows) -> list[dict[str, Collector]]:
    """Return `layer_vjp` of every layer, each at its own inputs and its own dy.

    The network's dx is that of the first layer.
    """
    inputs = flow(layers, x)
    found: list[dict[str, Collector]] = []
    upstream, upstream_sizes = dy, dy
    for layer, at in zip(reversed(layers), reversed(inputs[:-1]), strict=True):
        found.insert(0, layer_vjp(layer, at, upstream, upstream_sizes))
        dx = found[0]["dx"]
        upstream = dx.nested()
        upstream_sizes = [
            [dx.sizes.get((b, i), precise(0)) for i in range(dx.shape[1])]
            for b in range(dx.shape[0])
        ]
    return found


def input_derivatives(layers: Sequence[Layer], x: Rows) -> tuple[Collector, Collector]:
    """Return the first and the unmixed second derivatives, (batch, n_out, n_in) each.

    They are those of every output with respect to every input.
    """
    n_inputs, n_outputs = sizes(layers[0])[1], sizes(layers[-1])[0]
    shape = (len(x), n_outputs, n_inputs)
    first, curved = Collector(shape), Collector(shape)
    inputs = flow(layers, x)
    for b in range(len(x)):
        edges = [
            _edge_derivatives(layer, rows[b])
            for layer, rows in zip(layers, inputs[:-1], strict=True)
        ]
        for p in range(n_inputs):
            d1, s1 = (
                [precise(int(i == p)) for i in range(n_inputs)],
                [precise(int(i == p)) for i in range(n_inputs)],
            )
            d2, s2 = [precise(0)] * n_inputs, [precise(0)] * n_inputs
            for by_output in edges:
                new = [[precise(0)] * len(by_output) for _ in range(4)]
                for j, line in enumerate(by_output):
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


def _edge_derivatives(layer: Layer, row: Sequence[Number]) -> list[list[Any]]:
    """Return phi', its sum of absolute terms, phi'' and its sum, of all edges at one sample."""
    n_out, n_in, _ = sizes(layer)
    at = [precise(value) for value in row]

    def both(j: int, i: int, order: int) -> tuple[Number, Number]:
        terms = edge_terms(layer, j, i, at[i], order)
        return total(terms), total(map(abs, terms))

    return [[(*both(j, i, 1), *both(j, i, 2)) for i in range(n_in)] for j in range(n_out)]


# --- basis functions of other families

Family = Mapping[str, Any]
Series = list[Number]


def multiply(a: Series, b: Series) -> Series:
    """Return the first three Taylor coefficients of a product."""
    return [total(a[r] * b[n - r] for r in range(n + 1)) for n in range(3)]


def compose(outer: Series, inner: Series) -> Series:
    """Return f(g(x)) from the Taylor coefficients of f at g(x), and those of g."""
    return [outer[0], outer[1] * inner[1], outer[1] * inner[2] + outer[2] * inner[1] ** 2]


def basis_series(family: Family, x: float) -> list[Series]:
    """Return the Taylor series of all basis functions at x."""
    at = precise(x)
    here = [at, precise(1), precise(0)]
    return _KINDS[family["family"]](family, here)


def basis_values(family: Family, x: float, order: int = 0) -> list[Number]:
    """Return the basis functions at x, or their first or second derivatives."""
    return [series[order] * (2 if order == 2 else 1) for series in basis_series(family, x)]


def _gaussian(family: Family, x: Series) -> list[Series]:
    h, found = precise(family["width"]), []
    for centre in family["centres"]:
        z = [(x[0] - precise(centre)) / h, 1 / h, precise(0)]
        square = [-term for term in multiply(z, z)]
        e = context().exp(square[0])
        found.append(compose([e, e, e / 2], square))
    return found


def _chebyshev(family: Family, x: Series) -> list[Series]:
    u = x
    if family["argument"] == "tanh":
        t = context().tanh(x[0])
        u = [t, 1 - t * t, -t * (1 - t * t)]
    one = [precise(1), precise(0), precise(0)]
    found = [one, u]
    while len(found) <= family["degree"]:
        doubled = multiply([2 * term for term in u], found[-1])
        found.append([a - b for a, b in zip(doubled, found[-2], strict=True)])
    return found[: family["degree"] + 1]


def _fourier(family: Family, x: Series) -> list[Series]:
    cosines, sines = [], []
    for k in range(1, family["n_frequencies"] + 1):
        c, s = context().cos(k * x[0]), context().sin(k * x[0])
        cosines.append([c, -k * s, -k * k * c / 2])
        sines.append([s, k * c, -k * k * s / 2])
    return [*cosines, *sines]


def _relu(family: Family, x: Series) -> list[Series]:
    found = []
    for start, end in zip(family["starts"], family["ends"], strict=True):
        s, e = precise(start), precise(end)
        inside = s < x[0] < e
        bump = multiply([e - x[0], precise(-1), precise(0)], [x[0] - s, precise(1), precise(0)])
        square = multiply(bump, bump)
        factor = 16 / (e - s) ** 4
        found.append([factor * term if inside else precise(0) for term in square])
    return found


_KINDS = {"gaussian": _gaussian, "chebyshev": _chebyshev, "fourier": _fourier, "relu": _relu}


def family_forward(
    family: Family, coef: Sequence[Any], x: Sequence[Sequence[float]], order: int = 0
) -> tuple[list[list[Number]], Number]:
    """Return the outputs of a layer (batch, n_out), and the largest sum of absolute terms."""
    values, largest = [], precise(0)
    for row in x:
        bases = [basis_values(family, at, order) for at in row]
        line = []
        for curves in coef:
            terms = [
                precise(c) * b
                for coefs, basis in zip(curves, bases, strict=True)
                for c, b in zip(coefs, basis, strict=True)
            ]
            line.append(total(terms))
            largest = max(largest, total(map(abs, terms)))
        values.append(line)
    return values, largest
