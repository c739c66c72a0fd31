"""A subject for the conformance kit that computes one sample, one edge, one number at a time.

It uses Piegl and Tiller's triangular table of the degree + 1 B-splines that are nonzero on an interval,
derivatives from differences of coefficients, and grids moved by interpolation of the old curve, with its
end polynomials continued, at a point for each new basis function.
"""

import math

import numpy as np


def piece(t, x):
    """Return the index of the interval that contains x; None outside the knot vector."""
    if not t[0] <= x <= t[-1]:
        return None
    return int(np.searchsorted(t, x, side="left" if x == t[-1] else "right")) - 1


def living(t, degree, x, span):
    """Return the B-splines span - degree .. span at x in the interval `span`; t must be long enough on both sides."""
    values = [1.0]
    for d in range(1, degree + 1):
        saved, new = 0.0, []
        for r in range(d):
            right, left = t[span + 1 + r] - x, x - t[span + 1 + r - d]
            part = values[r] / (right + left) if right + left > 0 else 0.0
            new.append(saved + right * part)
            saved = left * part
        values = [*new, saved]
    return values


def padded(t, degree):
    """Return the knot vector with `degree` more knots beyond each end."""
    step = 1.0 + t[-1] - t[0]
    more = step * np.arange(1, degree + 1)
    return np.concatenate([t[0] - more[::-1], t, t[-1] + more])


def curve(t, degree, coef, x, order=0):
    """Return a derivative of sum_m coef_m B_m at x: de Boor's differences, then the triangle."""
    if math.isnan(x):
        return math.nan
    span = piece(t, x)
    if span is None or order > degree:
        return 0.0
    row, c, span = (
        padded(t, degree),
        np.concatenate([np.zeros(degree), coef, np.zeros(degree)]),
        span + degree,
    )
    for r in range(order):
        d = degree - r
        low = row[r + 1 : r + len(c)]
        high = row[degree + 1 : degree + len(c)]
        c = np.array(
            [
                d * (c[m + 1] - c[m]) / (high[m] - low[m]) if high[m] > low[m] else 0.0
                for m in range(len(c) - 1)
            ]
        )
    d = degree - order
    values = living(row, d, x, span)
    return math.fsum(values[n] * c[span - order - d + n] for n in range(d + 1))


def base(name, x, order):
    if name == "zero":
        return 0.0
    if name == "identity":
        return (x, 1.0, 0.0)[order]
    s = 0.5 * (1.0 + math.tanh(0.5 * x)) if x > -30 else math.exp(x)
    rest = 0.5 * (1.0 + math.tanh(-0.5 * x)) if x < 30 else math.exp(-x)
    return (x * s, s + x * s * rest, s * rest * (2.0 + x * (rest - s)))[order]


def edge(layer, j, i, x, order=0):
    if layer["mask"][j, i] == 0:
        return 0.0
    spline = curve(layer["knots"][i], layer["degree"], layer["coef"][j, i], x, order)
    return layer["w_base"][j, i] * base(layer["base"], x, order) + layer["w_spline"][j, i] * spline


def all_edges(layer, x, order=0):
    n_out, n_in, _ = layer["coef"].shape
    return np.array(
        [
            [[edge(layer, j, i, row[i], order) for i in range(n_in)] for j in range(n_out)]
            for row in x
        ]
    ).reshape(len(x), n_out, n_in)


class Local:
    name = "local"

    def basis(self, x, knots, degree):
        return self.basis_derivative(x, knots, degree, 0)

    def basis_derivative(self, x, knots, degree, order):
        units = np.eye(len(knots) - degree - 1)
        return np.array(
            [[curve(knots, degree, unit, at, order) for unit in units] for at in x]
        ).reshape(len(x), len(units))

    def layer_forward(self, layer, x):
        return np.array(
            [[math.fsum(line) for line in sample] for sample in all_edges(layer, x)]
        ).reshape(len(x), len(layer["coef"]))

    def layer_vjp(self, layer, x, dy):
        n_out, n_in, n_basis = layer["coef"].shape
        d_coef, d_w_base, d_w_spline = (
            np.zeros((n_out, n_in, n_basis)),
            np.zeros((n_out, n_in)),
            np.zeros((n_out, n_in)),
        )
        dx = (dy[:, :, None] * all_edges(layer, x, 1)).sum(axis=1)
        for i in range(n_in):
            values = self.basis(x[:, i], layer["knots"][i], layer["degree"])
            bases = np.array([base(layer["base"], at, 0) for at in x[:, i]])
            for j in np.flatnonzero(layer["mask"][:, i]):
                pulled = values.T @ dy[:, j]
                d_coef[j, i] = layer["w_spline"][j, i] * pulled
                d_w_spline[j, i] = layer["coef"][j, i] @ pulled
                d_w_base[j, i] = bases @ dy[:, j]
        return {"dx": dx, "d_coef": d_coef, "d_w_base": d_w_base, "d_w_spline": d_w_spline}

    def network_forward(self, layers, x):
        return self.network_forward(layers[1:], self.layer_forward(layers[0], x)) if layers else x

    def network_vjp(self, layers, x, dy):
        if len(layers) > 1:
            after = self.network_vjp(layers[1:], self.layer_forward(layers[0], x), dy)
            dy, rest = after["dx"], after["layers"]
        else:
            rest = []
        own = self.layer_vjp(layers[0], x, dy)
        return {"dx": own.pop("dx"), "layers": [own, *rest]}

    def input_jacobian(self, layers, x):
        jacobian = all_edges(layers[0], x, 1)
        for n in range(1, len(layers)):
            jacobian = all_edges(layers[n], self.network_forward(layers[:n], x), 1) @ jacobian
        return jacobian

    def input_hessian_diag(self, layers, x):
        n_in = x.shape[1]
        total = np.zeros((len(x), len(layers[-1]["coef"]), n_in))
        for n, layer in enumerate(
            layers
        ):  # the curvature of one layer, pulled out by those after and fed by those before
            at = self.network_forward(layers[:n], x)
            before = (
                self.input_jacobian(layers[:n], x) if n else np.tile(np.eye(n_in), (len(x), 1, 1))
            )
            bent = all_edges(layer, at, 2) @ before**2
            total += (
                self.input_jacobian(layers[n + 1 :], self.layer_forward(layer, at)) @ bent
                if n + 1 < len(layers)
                else bent
            )
        return total

    def extend_grid(self, layer, x, n_intervals):
        k, rows = layer["degree"], []
        for row in layer["knots"]:
            grid = row[k : len(row) - k]
            ranks = [n * (len(grid) - 1) / n_intervals for n in range(n_intervals + 1)]
            rows.append(np.interp(ranks, range(len(grid)), grid))
        return self._move(layer, rows)

    def update_grid(self, layer, x, uniform_share, margin):
        if uniform_share < 1.0:
            raise NotImplementedError  # quantiles are left to others
        n_intervals = layer["coef"].shape[2] - layer["degree"]
        rows = []
        for column in x.T:
            low, high = float(column.min()), float(column.max())
            if low == high:
                low, high = low - 1.0, high + 1.0
            pad = margin * (high - low) / n_intervals
            rows.append(np.linspace(low - pad, high + pad, n_intervals + 1))
        return self._move(layer, rows)

    def _move(self, layer, grids):
        k, n_out = layer["degree"], len(layer["coef"])
        knots, coef = [], []
        for i, grid in enumerate(grids):
            step = (grid[-1] - grid[0]) / (len(grid) - 1)
            row = np.concatenate(
                [grid[0] - step * np.arange(k, 0, -1), grid, grid[-1] + step * np.arange(1, k + 1)]
            )
            at = np.linspace(grid[0], grid[-1], 8 * len(row))
            old, inner = layer["knots"][i], slice(k, len(layer["knots"][i]) - k)
            held = [float(np.clip(v, old[inner][0], old[inner][-1])) for v in at]
            spans = [min(piece(old, v), len(old) - k - 2) for v in held]
            values = [
                [
                    np.dot(living(old, k, v, s), layer["coef"][j, i, s - k : s + 1])
                    for j in range(n_out)
                ]
                for v, s in zip(at, spans, strict=True)
            ]
            matrix = self.basis(at, row, k)
            knots.append(row)
            coef.append(np.linalg.solve(matrix.T @ matrix, matrix.T @ np.array(values)).T)
        return {**layer, "knots": np.array(knots), "coef": np.stack(coef, axis=1)}

    def edge_scores(self, layers, x):
        return [
            np.abs(all_edges(layer, self.network_forward(layers[:n], x))).mean(axis=0)
            for n, layer in enumerate(layers)
        ]

    def penalties(self, layers, x):
        scores = [s.ravel() for s in self.edge_scores(layers, x)]
        shares = [(s / s.sum())[s > 0] if s.sum() else np.ones(1) for s in scores]
        return {
            "l1": sum(float(s.sum()) for s in scores),
            "entropy": sum(float((p * np.log(1.0 / p)).sum()) for p in shares),
        }

    def node_scores(self, layers, x):
        scores = self.edge_scores(layers, x)
        hidden = range(1, len(layers))
        return {
            "incoming": [[max(line) for line in scores[n - 1].tolist()] for n in hidden],
            "outgoing": [[max(line) for line in scores[n].T.tolist()] for n in hidden],
        }

    def prune(
        self, layers, x, threshold
    ):  # nothing becomes smaller: edges to and from weak nodes are masked
        scores, masks = self.node_scores(layers, x), [layer["mask"].copy() for layer in layers]
        for n, pairs in enumerate(zip(scores["incoming"], scores["outgoing"], strict=True)):
            for node, least in enumerate(map(min, *pairs)):
                if least <= threshold:
                    masks[n][node] = masks[n + 1][:, node] = 0.0
        return [{**layer, "mask": mask} for layer, mask in zip(layers, masks, strict=True)]
