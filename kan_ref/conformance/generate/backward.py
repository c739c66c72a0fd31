"""Vector-Jacobian products, Jacobians and second derivatives of layers and networks, term by term.

    (C2)  d_coef_jim    = sum_b dy_bj mask_ji w_spline_ji B_m(x_bi)
          d_w_spline_ji = sum_b dy_bj mask_ji sum_m coef_jim B_m(x_bi)
    (C3)  d_w_base_ji   = sum_b dy_bj mask_ji b(x_bi)
          dx_bi         = sum_j dy_bj phi'_ji(x_bi)
    (C4)  y' = sum phi' x',   y'' = sum phi'' x'^2 + phi' x''

Source: the chain rule, applied to (C1) of `exact`. In (C4), x' and x'' are the derivatives of a
layer's inputs along one input of the network. Every result comes with `scale`, the largest sum of
absolute terms in the array; rounding errors are compared with it.
"""

from collections.abc import Sequence
from typing import Any

from kan_ref.conformance.generate.exact import (
    RIGHT,
    Layer,
    Number,
    Rules,
    active_on,
    base_derivative,
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
        self.sums[place] = self.sums.get(place, precise(0)) + term
        self.sizes[place] = self.sizes.get(place, precise(0)) + size

    def nested(self, place: tuple[int, ...] = ()) -> Any:
        """Return the sums as nested lists."""
        if len(place) == len(self.shape):
            return self.sums.get(place, precise(0))
        return [self.nested((*place, n)) for n in range(self.shape[len(place)])]

    def scale(self) -> Number:
        """Return the largest sum of absolute terms."""
        return max(self.sizes.values(), default=precise(0))


def layer_vjp(
    layer: Layer, x: Rows, dy: Rows, rules: Rules = RIGHT, dy_sizes: Rows | None = None
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
        for j in range(n_out):
            d, size = precise(dy[b][j]), abs(precise((dy_sizes or dy)[b][j]))
            for i in range(n_in):
                if layer["mask"][j][i] == 0:
                    continue
                mask = precise(layer["mask"][j][i])
                at, w_spline = precise(row[i]), mask * precise(layer["w_spline"][j][i])
                base = mask * base_derivative(layer["base"], at, 0)
                found["d_w_base"].add((j, i), d * base, size * abs(base))
                active = active_on(tuple(layer["knots"][i]), layer["degree"], at, 0, rules.outside)
                for m, value in active.items():
                    coef = mask * precise(layer["coef"][j][i][m])
                    found["d_coef"].add(
                        (j, i, m), d * w_spline * value, size * abs(w_spline * value)
                    )
                    found["d_w_spline"].add((j, i), d * coef * value, size * abs(coef * value))
                for term in edge_terms(layer, j, i, at, 1, rules):
                    found["dx"].add((b, i), d * term, size * abs(term))
    return found


def flow(layers: Sequence[Layer], x: Rows, rules: Rules = RIGHT) -> list[Rows]:
    """Return the inputs of every layer, and the outputs of the last one."""
    values: list[Rows] = [x]
    for layer in layers:
        values.append(forward(layer, values[-1], rules))
    return values


def network_vjp(
    layers: Sequence[Layer], x: Rows, dy: Rows, rules: Rules = RIGHT
) -> list[dict[str, Collector]]:
    """Return `layer_vjp` of every layer, each at its own inputs and its own dy.

    The network's dx is that of the first layer.
    """
    inputs = flow(layers, x, rules)
    found: list[dict[str, Collector]] = []
    upstream, upstream_sizes = dy, dy
    for layer, at in zip(reversed(layers), reversed(inputs[:-1]), strict=True):
        found.insert(0, layer_vjp(layer, at, upstream, rules, upstream_sizes))
        dx = found[0]["dx"]
        upstream = dx.nested()
        upstream_sizes = [
            [dx.sizes.get((b, i), precise(0)) for i in range(dx.shape[1])]
            for b in range(dx.shape[0])
        ]
    return found


def input_derivatives(
    layers: Sequence[Layer], x: Rows, rules: Rules = RIGHT, *, second: str = "right"
) -> tuple[Collector, Collector]:
    """Return the first and the unmixed second derivatives, (batch, n_out, n_in) each.

    They are those of every output with respect to every input. `second` is "right" or names a
    defect: `"slopes"` omits phi' x'', `"curves"` omits phi'' x'^2.
    """
    n_inputs, n_outputs = sizes(layers[0])[1], sizes(layers[-1])[0]
    shape = (len(x), n_outputs, n_inputs)
    first, curved = Collector(shape), Collector(shape)
    inputs = flow(layers, x, rules)
    for b in range(len(x)):
        for p in range(n_inputs):
            d1, s1 = (
                [precise(int(i == p)) for i in range(n_inputs)],
                [precise(int(i == p)) for i in range(n_inputs)],
            )
            d2, s2 = [precise(0)] * n_inputs, [precise(0)] * n_inputs
            for layer, rows in zip(layers, inputs[:-1], strict=True):
                n_out, n_in, _ = sizes(layer)
                new = [[precise(0)] * n_out for _ in range(4)]
                for j in range(n_out):
                    for i in range(n_in):
                        slopes, curves = (
                            edge_terms(layer, j, i, precise(rows[b][i]), order, rules)
                            for order in (1, 2)
                        )
                        slope, curve = total(slopes), total(curves)
                        slope_size, curve_size = total(map(abs, slopes)), total(map(abs, curves))
                        new[0][j] += slope * d1[i]
                        new[1][j] += slope_size * s1[i]
                        new[2][j] += (curve * d1[i] ** 2 if second != "curves" else 0) + (
                            slope * d2[i] if second != "slopes" else 0
                        )
                        new[3][j] += curve_size * s1[i] ** 2 + slope_size * s2[i]
                d1, s1, d2, s2 = new
            for j in range(n_outputs):
                first.add((b, j, p), d1[j], s1[j])
                curved.add((b, j, p), d2[j], s2[j])
    return first, curved
