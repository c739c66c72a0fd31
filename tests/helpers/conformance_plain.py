"""A subject for the conformance kit in the usual style: a table of all B-splines, einsum, dense least squares.

Nothing is shared with the package. `conformance_defects` reads this file as text and injects one-line bugs.
"""

from itertools import pairwise

import numpy as np


def silu(x):
    return x / (1.0 + np.exp(-np.clip(x, -700.0, None)))


def silu_slope(x):
    s = 1.0 / (1.0 + np.exp(-np.clip(x, -700.0, 700.0)))
    return s + x * s * (1.0 - s)


def silu_curve(x):
    s = 1.0 / (1.0 + np.exp(-np.clip(x, -700.0, 700.0)))
    return s * (1.0 - s) * (2.0 + x * (1.0 - 2.0 * s))


BASES = {
    "silu": (silu, silu_slope, silu_curve),
    "identity": (lambda x: x, np.ones_like, np.zeros_like),
    "zero": (np.zeros_like, np.zeros_like, np.zeros_like),
}


def ratio(a, b):
    return np.divide(a, b, out=np.zeros(np.broadcast_shapes(np.shape(a), np.shape(b))), where=b > 0)


def table(x, t, degree):
    """Return the B-splines of the knot vector t at x, (n, n_basis)."""
    x = x[:, None]
    b = ((t[:-1] <= x) & (x < t[1:])).astype(float)
    b[x[:, 0] == t[-1], np.flatnonzero(t[:-1] < t[1:])[-1]] = 1.0
    b[np.isnan(x[:, 0])] = np.nan
    for d in range(1, degree + 1):
        b = (
            ratio(x - t[: -d - 1], t[d:-1] - t[: -d - 1]) * b[:, :-1]
            + ratio(t[d + 1 :] - x, t[d + 1 :] - t[1:-d]) * b[:, 1:]
        )
    return b


def slopes(x, t, degree, order):
    """Return a derivative of the B-splines, by differences of those of lower degree."""
    if order == 0:
        return table(x, t, degree)
    if order > degree:
        return np.zeros((len(x), len(t) - degree - 1))
    lower = slopes(x, t, degree - 1, order - 1)
    left = ratio(np.ones_like(t[degree:-1]), t[degree:-1] - t[: -degree - 1])
    right = ratio(np.ones_like(t[degree + 1 :]), t[degree + 1 :] - t[1:-degree])
    return degree * (left * lower[:, :-1] - right * lower[:, 1:])


def design(layer, x, order=0):
    """Return the basis functions of all inputs, (batch, n_in, n_basis)."""
    n_in, n_basis = layer["coef"].shape[1:]
    rows = [slopes(x[:, i], layer["knots"][i], layer["degree"], order) for i in range(n_in)]
    return np.stack(rows, axis=1).reshape(len(x), n_in, n_basis)


def edges(layer, x, order=0):
    """Return a derivative of phi_ji at x_bi, (batch, n_out, n_in)."""
    base = BASES[layer["base"]][order](x)
    spline = np.einsum("bim,jim->bji", design(layer, x, order), layer["coef"])
    return layer["mask"] * (layer["w_base"] * base[:, None, :] + layer["w_spline"] * spline)


def fit(x, y, t, degree):
    """Return the coefficients of smallest norm that fit y (n, n_out)."""
    return np.linalg.lstsq(table(x, t, degree), y, rcond=None)[0].T


def moved(layer, knots, x):
    """Return the layer on other knots, its curves fitted at the samples."""
    coef = np.stack([
        fit(x[:, i], table(x[:, i], layer["knots"][i], layer["degree"]) @ layer["coef"][:, i].T, knots[i], layer["degree"])
        for i in range(len(knots))
    ], axis=1)  # fmt: skip
    return {**layer, "knots": knots, "coef": coef}


class Plain:
    name = "plain"

    def uniform_knots(self, low, high, n_intervals, degree):
        h = (high - low) / n_intervals
        return low + h * np.arange(-degree, n_intervals + degree + 1)

    def basis(self, x, knots, degree):
        return table(x, knots, degree)

    def basis_derivative(self, x, knots, degree, order):
        return slopes(x, knots, degree, order)

    def layer_forward(self, layer, x):
        return edges(layer, x).sum(axis=2)

    def layer_vjp(self, layer, x, dy):
        bases, mask = design(layer, x), layer["mask"]
        d_spline = np.einsum("bj,bim->jim", dy, bases)
        d_coef = (mask * layer["w_spline"])[:, :, None] * d_spline
        d_w_spline = mask * (layer["coef"] * d_spline).sum(axis=2)
        d_w_base = mask * np.einsum("bj,bi->ji", dy, BASES[layer["base"]][0](x))
        dx = np.einsum("bj,bji->bi", dy, edges(layer, x, 1))
        return {"dx": dx, "d_coef": d_coef, "d_w_base": d_w_base, "d_w_spline": d_w_spline}

    def network_forward(self, layers, x):
        for layer in layers:
            x = self.layer_forward(layer, x)
        return x

    def network_vjp(self, layers, x, dy):
        inputs = [x]
        for layer in layers[:-1]:
            inputs.append(self.layer_forward(layer, inputs[-1]))
        grads = []
        for layer, at in zip(layers[::-1], inputs[::-1], strict=True):
            found = self.layer_vjp(layer, at, dy)
            dy = found.pop("dx")
            grads.insert(0, found)
        return {"dx": dy, "layers": grads}

    def _jets(self, layers, x):
        n_in = x.shape[1]
        first, second = np.tile(np.eye(n_in), (len(x), 1, 1)), np.zeros((len(x), n_in, n_in))
        for layer in layers:
            slope, curve = edges(layer, x, 1), edges(layer, x, 2)
            bent = np.einsum("bji,bip->bjp", curve, first**2)
            second = bent + np.einsum("bji,bip->bjp", slope, second)
            first = np.einsum("bji,bip->bjp", slope, first)
            x = self.layer_forward(layer, x)
        return first, second

    def input_jacobian(self, layers, x):
        return self._jets(layers, x)[0]

    def input_hessian_diag(self, layers, x):
        return self._jets(layers, x)[1]

    def extend_grid(self, layer, x, n_intervals):
        k, rows = layer["degree"], []
        for row in layer["knots"]:
            grid = row[k : len(row) - k]
            ranks = np.linspace(0.0, len(grid) - 1.0, n_intervals + 1)
            finer = np.interp(ranks, np.arange(len(grid)), grid)
            h = (grid[-1] - grid[0]) / n_intervals * np.arange(1, k + 1)
            rows.append(np.concatenate([grid[0] - h[::-1], finer, grid[-1] + h]))
        return moved(layer, np.stack(rows), x)

    def update_grid(self, layer, x, uniform_share, margin):
        k, n_intervals = layer["degree"], layer["coef"].shape[2] - layer["degree"]
        rows = []
        for column in x.T:
            low, high = column.min(), column.max()
            low, high = (low - 0.5, high + 0.5) if high == low else (low, high)
            pad = margin * (high - low) / n_intervals
            even = np.linspace(low - pad, high + pad, n_intervals + 1)
            grid = uniform_share * even + (1.0 - uniform_share) * np.quantile(
                column, np.linspace(0, 1, n_intervals + 1)
            )
            grid[[0, -1]] = even[[0, -1]]
            h = (grid[-1] - grid[0]) / n_intervals * np.arange(1, k + 1)
            rows.append(np.concatenate([grid[0] - h[::-1], grid, grid[-1] + h]))
        return moved(layer, np.stack(rows), x)

    def penalties(self, layers, x):
        l1, entropy = 0.0, 0.0
        for scores in self.edge_scores(layers, x):
            l1 += scores.sum()
            p = scores[scores > 0] / scores.sum()
            entropy -= (p * np.log(p)).sum()
        return {"l1": l1, "entropy": entropy}

    def edge_scores(self, layers, x):
        found = []
        for layer in layers:
            found.append(np.abs(edges(layer, x)).mean(axis=0))
            x = self.layer_forward(layer, x)
        return found

    def node_scores(self, layers, x):
        scores = self.edge_scores(layers, x)
        incoming = [before.max(axis=1) for before in scores[:-1]]
        return {"incoming": incoming, "outgoing": [after.max(axis=0) for after in scores[1:]]}

    def prune(self, layers, x, threshold):
        scores, pruned = self.node_scores(layers, x), [dict(layer) for layer in layers]
        for n, (incoming, outgoing) in enumerate(
            zip(scores["incoming"], scores["outgoing"], strict=True)
        ):
            stays = np.minimum(incoming, outgoing) > threshold
            for name in ("coef", "w_base", "w_spline", "mask"):
                pruned[n][name] = pruned[n][name][stays]
                pruned[n + 1][name] = pruned[n + 1][name][:, stays]
            pruned[n + 1]["knots"] = pruned[n + 1]["knots"][stays]
        return pruned

    def count_parameters(self, widths, n_intervals, degree):
        n_edges = sum(n_in * n_out for n_in, n_out in pairwise(widths))
        return n_edges * (n_intervals + degree + 2)

    def initial_layer(self, n_in, n_out, n_intervals, degree, seed):
        rng = np.random.default_rng(seed)
        coef = rng.normal(0.0, 0.1, (n_out, n_in, n_intervals + degree))
        bound = np.sqrt(6.0 / (n_in + n_out))
        w_base = rng.uniform(-bound, bound, (n_out, n_in))
        knots = np.tile(self.uniform_knots(-1.0, 1.0, n_intervals, degree), (n_in, 1))
        ones = np.ones((n_out, n_in))
        return {
            "knots": knots,
            "coef": coef,
            "w_base": w_base,
            "w_spline": ones,
            "mask": ones,
            "degree": degree,
            "base": "silu",
        }

    def save_load(self, layer):
        return {
            name: np.array(value.tolist()) if isinstance(value, np.ndarray) else value
            for name, value in layer.items()
        }

    def adam_steps(self, theta, gradients, learning_rate, beta1, beta2, epsilon):
        m, v = np.zeros_like(theta), np.zeros_like(theta)
        for t, g in enumerate(gradients, start=1):
            m, v = beta1 * m + (1.0 - beta1) * g, beta2 * v + (1.0 - beta2) * g**2
            step = (m / (1.0 - beta1**t)) / (np.sqrt(v / (1.0 - beta2**t)) + epsilon)
            theta = theta - learning_rate * step
        return theta
