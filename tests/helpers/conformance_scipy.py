"""A KAN as a user of SciPy writes it, with one `BSpline` for each input, which holds the curves of all outputs.

`benchmarks.conformance_mutants` changes one expression of it at a time, to see which bugs the conformance kit detects. Layers are dicts of arrays:
knots (n_in, n_knots), coef (n_out, n_in, n_basis), w_base, w_spline, mask (n_out, n_in), degree, base.
"""

import io
from itertools import pairwise

import numpy as np
from scipy.interpolate import BSpline
from scipy.linalg import lstsq
from scipy.special import entr, expit


def silu(x, order):
    """Return x / (1 + exp(-x)) or its first or second derivative."""
    s = expit(x)
    if order == 0:
        return x * s
    rest = expit(-x)
    return s * (1.0 + x * rest) if order == 1 else s * rest * (2.0 + x * (rest - s))


def base_function(name, x, order=0):
    """Return a derivative of the layer's base function."""
    if name == "silu":
        return silu(x, order)
    return x ** (1 - order) if name == "identity" and order < 2 else np.zeros_like(x)


def spline(t, coef, degree):
    """Return a BSpline that is evaluated on the whole knot vector t, for coef (n_basis, n_curves).

    SciPy evaluates from t[degree] to t[-degree - 1], so each end is repeated until it occurs degree + 1 times.
    """
    first = degree + 1 - int(np.sum(t == t[0]))
    last = degree + 1 - int(np.sum(t == t[-1]))
    kept = slice(max(0, -first), len(t) - max(0, -last))
    row = np.pad(t[kept], (max(0, first), max(0, last)), mode="edge")
    held = coef[max(0, -first) : len(coef) - max(0, -last)]
    return BSpline(row, np.pad(held, [(max(0, first), max(0, last)), (0, 0)]), degree)


def evaluate(curve, x, order=0):
    """Return derivatives of the curves at x, (n, n_curves); beyond the knots the curves are 0."""
    if order > curve.k:
        return np.zeros((len(x), curve.c.shape[1]))
    outside = (x < curve.t[0]) | (x > curve.t[-1])
    return np.where(outside[:, None], 0.0, curve(x, nu=order))


def basis(x, t, degree, order=0):
    """Return derivatives of the basis functions, (n, n_basis)."""
    return evaluate(spline(t, np.eye(len(t) - degree - 1), degree), x, order)


def edges(layer, x, order=0):
    """Return derivatives of phi_ji at x_bi, (batch, n_out, n_in)."""
    found = np.zeros((len(x), *layer["mask"].shape))
    for i, t in enumerate(layer["knots"]):
        weighted = layer["w_spline"][:, i, None] * layer["coef"][:, i]
        found[:, :, i] = evaluate(spline(t, weighted.T, layer["degree"]), x[:, i], order)
        base = base_function(layer["base"], x[:, i], order)
        found[:, :, i] += base[:, None] * layer["w_base"][:, i]
    return layer["mask"] * found


def layer_forward(layer, x):
    """Return the outputs (batch, n_out)."""
    return edges(layer, x).sum(axis=-1)


def layer_vjp(layer, x, dy):
    """Return dx and the gradients of the parameters for dy (batch, n_out)."""
    d_spline = np.zeros_like(layer["coef"])
    for i, t in enumerate(layer["knots"]):
        d_spline[:, i] = dy.T @ basis(x[:, i], t, layer["degree"])
    d_spline *= layer["mask"][:, :, None]
    return {
        "dx": (dy[:, :, None] * edges(layer, x, 1)).sum(axis=1),
        "d_coef": layer["w_spline"][:, :, None] * d_spline,
        "d_w_base": layer["mask"] * (dy.T @ base_function(layer["base"], x)),
        "d_w_spline": np.einsum("jim,jim->ji", layer["coef"], d_spline),
    }


def flow(layers, x):
    """Return the inputs of each layer, and the outputs of the last."""
    found = [x]
    for layer in layers:
        found.append(layer_forward(layer, found[-1]))
    return found


def network_vjp(layers, x, dy):
    """Return dx and the gradients of every layer."""
    inputs, grads = flow(layers, x), []
    for n in reversed(range(len(layers))):
        found = layer_vjp(layers[n], inputs[n], dy)
        dy = found.pop("dx")
        grads.append(found)
    return {"dx": dy, "layers": grads[::-1]}


def input_derivatives(layers, x):
    """Return d y / d x and d^2 y / d x^2 for each input, both (batch, n_out, n_in)."""
    jacobian = np.eye(x.shape[1])[None].repeat(len(x), axis=0)
    curvature = np.zeros_like(jacobian)
    for layer, at in zip(layers, flow(layers, x), strict=False):
        first, second = edges(layer, at, 1), edges(layer, at, 2)
        curvature = second @ jacobian**2 + first @ curvature
        jacobian = first @ jacobian
    return jacobian, curvature


def uniform_knots(low, high, n_intervals, degree):
    """Return a uniform grid with `degree` further knots on each side."""
    step = (high - low) / n_intervals
    grid = np.linspace(low, high, n_intervals + 1)
    before = [low - n * step for n in range(degree, 0, -1)]
    after = [high + n * step for n in range(1, degree + 1)]
    return np.concatenate([before, grid, after])


def on_grid(layer, grids):
    """Return the layer with its curves, continued beyond [a, b], on other grids."""
    k, rows, coef = layer["degree"], [], []
    for i, grid in enumerate(grids):
        n_intervals = len(grid) - 1
        row = uniform_knots(grid[0], grid[-1], n_intervals, k)
        row[k : k + n_intervals + 1] = grid
        points = (np.arange(8 * n_intervals) + 0.5) / 8.0
        points = np.interp(points, np.arange(n_intervals + 1), grid)
        old = BSpline(layer["knots"][i], layer["coef"][:, i].T, k)
        coef.append(lstsq(basis(points, row, k), old(points))[0].T)  # of smallest norm
        rows.append(row)
    return {**layer, "knots": np.array(rows), "coef": np.stack(coef, axis=1)}


def breakpoints(layer, i):
    """Return the grid of an input without its outer knots."""
    row = layer["knots"][i]
    return row[layer["degree"] : len(row) - layer["degree"]]


def extend_grid(layer, n_intervals):
    """Return the layer on a finer grid, whose breakpoints contain the old ones if they can."""
    grids = []
    for i in range(len(layer["knots"])):
        grid = breakpoints(layer, i)
        ranks = np.linspace(0.0, len(grid) - 1.0, n_intervals + 1)
        grids.append(np.interp(ranks, np.arange(len(grid)), grid))
    return on_grid(layer, grids)


def update_grid(layer, x, uniform_share, margin):
    """Return the layer on a grid between the samples: blended from even steps and quantiles."""
    n_intervals, grids = layer["coef"].shape[2] - layer["degree"], []
    for column in x.T:
        low, high = column.min(), column.max()
        if low == high:
            low, high = low - 0.25, high + 0.25
        pad = margin * (high - low) / n_intervals
        even = np.linspace(low - pad, high + pad, n_intervals + 1)
        grid = np.quantile(column, np.linspace(0.0, 1.0, n_intervals + 1))
        grid[0], grid[-1] = even[0], even[-1]
        grids.append(uniform_share * even + (1.0 - uniform_share) * grid)
    return on_grid(layer, grids)


def edge_scores(layers, x):
    """Return the mean magnitude of every edge, (n_out, n_in) for each layer."""
    inputs = flow(layers, x)
    return [np.abs(edges(layer, inputs[n])).mean(axis=0) for n, layer in enumerate(layers)]


def penalties(layers, x):
    """Return the sum of the scores, and the sum of the layers' entropies."""
    l1, entropy = 0.0, 0.0
    for scores in edge_scores(layers, x):
        total = scores.sum()
        l1 += total
        if total > 0.0:
            entropy += entr(scores / total).sum()
    return {"l1": l1, "entropy": entropy}


def node_scores(layers, x):
    """Return the largest score of the edges that enter, and of those that leave, each hidden node."""
    pairs = list(pairwise(edge_scores(layers, x)))
    return {
        "incoming": [before.max(axis=1) for before, _ in pairs],
        "outgoing": [after.max(axis=0) for _, after in pairs],
    }


def prune(layers, x, threshold):
    """Return layers without the hidden nodes of which one score is not above the threshold."""
    scores, pruned = node_scores(layers, x), [dict(layer) for layer in layers]
    for n, (incoming, outgoing) in enumerate(
        zip(scores["incoming"], scores["outgoing"], strict=True)
    ):
        kept = np.flatnonzero((incoming > threshold) & (outgoing > threshold))
        for name in ("coef", "w_base", "w_spline", "mask"):
            pruned[n][name] = pruned[n][name].take(kept, axis=0)
            pruned[n + 1][name] = pruned[n + 1][name].take(kept, axis=1)
        pruned[n + 1]["knots"] = pruned[n + 1]["knots"].take(kept, axis=0)
    return pruned


def count_parameters(widths, n_intervals, degree):
    """Return the number of coefficients and weights."""
    return sum(
        n_in * n_out * (n_intervals + degree) + 2 * n_in * n_out for n_in, n_out in pairwise(widths)
    )


def initial_layer(n_in, n_out, n_intervals, degree, seed):
    """Return a random layer on [-1, 1]."""
    rng = np.random.default_rng(seed)
    row = uniform_knots(-1.0, 1.0, n_intervals, degree)
    return {
        "knots": np.array([row] * n_in),
        "coef": 0.1 * rng.standard_normal((n_out, n_in, n_intervals + degree)),
        "w_base": np.sqrt(2.0 / (n_in + n_out)) * rng.standard_normal((n_out, n_in)),
        "w_spline": np.ones((n_out, n_in)),
        "mask": np.ones((n_out, n_in)),
        "degree": degree,
        "base": "silu",
    }


def save_load(layer):
    """Return the layer after writing it to a file and reading it."""
    file = io.BytesIO()
    np.savez(file, **layer)
    file.seek(0)
    with np.load(file) as found:
        arrays = {name: found[name] for name in found.files}
    return {**arrays, "degree": int(arrays["degree"]), "base": str(arrays["base"])}
