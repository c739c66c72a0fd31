"""Correct implementations of different style as subjects of the conformance kit.

Those of `benchmarks.conformance_mutants` were not written for the kit. An adapter here only converts arguments: what an
implementation does not compute is not computed here either.
"""

from itertools import pairwise
from types import SimpleNamespace

import numpy as np

NAMES = ("coef", "w_base", "w_spline")


class SciPyNetwork:
    """`conformance_scipy`: splines are objects of SciPy, sums are arrays."""

    name = "scipy"

    def __init__(self):
        import conformance_scipy

        self.code = conformance_scipy
        for name in (
            *("uniform_knots", "layer_forward", "layer_vjp", "network_vjp", "update_grid"),
            *("edge_scores", "penalties", "node_scores", "prune", "count_parameters"),
            *("initial_layer", "save_load"),
        ):
            if not hasattr(self, name):
                setattr(self, name, getattr(conformance_scipy, name))

    def basis(self, x, knots, degree):
        return self.code.basis(x, knots, degree)

    def basis_derivative(self, x, knots, degree, order):
        return self.code.basis(x, knots, degree, order)

    def network_forward(self, layers, x):
        return self.code.flow(layers, x)[-1]

    def input_jacobian(self, layers, x):
        return self.code.input_derivatives(layers, x)[0]

    def input_hessian_diag(self, layers, x):
        return self.code.input_derivatives(layers, x)[1]

    def extend_grid(self, layer, x, n_intervals):
        return self.code.extend_grid(layer, n_intervals)


class PlainModules:
    """`kan_ref.plain`: all basis functions by the full recursion, sums by einsum, silu alone."""

    name = "plain"

    def __init__(self):
        from kan_ref import plain

        self.code = plain

    def uniform_knots(self, low, high, n_intervals, degree):
        return self.code.uniform_knots(np.array([low]), np.array([high]), n_intervals, degree)[0]

    def basis(self, x, knots, degree):
        return self.code.basis_and_slope(x[:, None], knots[None], degree)[0][:, 0]

    def basis_derivative(self, x, knots, degree, order):
        _require(order == 1)
        return self.code.basis_and_slope(x[:, None], knots[None], degree)[1][:, 0]

    def _layer(self, layer):
        _require(layer["base"] == "silu")
        return self.code.Layer(*(layer[name] for name in ("knots", *NAMES, "mask")))

    def layer_forward(self, layer, x):
        return self.code.forward(self._layer(layer), x)[0]

    def layer_vjp(self, layer, x, dy):
        one = self._layer(layer)
        dx, grads = self.code.backward(one, self.code.forward(one, x)[1], dy)
        return {"dx": dx, **_named(grads)}

    def network_forward(self, layers, x):
        return self.code.predict([self._layer(layer) for layer in layers], x)

    def network_vjp(self, layers, x, dy):
        """Return the gradient of the mean squared error, at targets for which its derivative with respect to y is dy."""
        ours = [self._layer(layer) for layer in layers]
        y = self.code.predict(ours, x) - dy * dy.size / 2.0
        gradient = self.code.value_and_grad(ours, x, y)[1]
        found = self.code.to_layers(gradient, ours)
        grads = [_named([getattr(one, name) for name in NAMES]) for one in found]
        return {"dx": None, "layers": grads}

    def extend_grid(self, layer, x, n_intervals):
        old, knots = layer["coef"].shape[2] - layer["degree"], layer["knots"]
        steps = np.diff(knots, axis=1)
        even = np.ptp(steps, axis=1).max() < 1e-12 * np.abs(knots).max()
        _require(n_intervals % old == 0 and even)
        (finer,) = self.code.extend_grid([self._layer(layer)], n_intervals)
        return self._read(finer)

    def _read(self, one):
        arrays = {name: getattr(one, name) for name in ("knots", *NAMES, "mask", "degree")}
        return {**arrays, "base": "silu"}

    def initial_layer(self, n_in, n_out, n_intervals, degree, seed):
        rng = np.random.default_rng(seed)
        return self._read(self._fresh((n_in, n_out), n_intervals, degree, rng)[0])

    def _fresh(self, widths, n_intervals, degree, rng):
        return self.code.init_network(widths, n_intervals, degree, -1.0, 1.0, rng)

    def count_parameters(self, widths, n_intervals, degree):
        fresh = self._fresh(widths, n_intervals, degree, np.random.default_rng(0))
        return len(self.code.to_theta(fresh))

    def save_load(self, layer):
        one = self._layer(layer)
        return self._read(self.code.to_layers(self.code.to_theta([one]), [one])[0])

    def fit_affine(self, x, y, name):
        functions = self.code.LIBRARY
        _require(name in functions and np.ptp(y) > 0.0)
        r2, values = self.code.fit_affine(functions[name], x, y, 20.0, 161)
        return {**dict(zip("abcd", values, strict=True)), "r2": r2}


class Loops:
    """The oracles of the tests: one number at a time, by the formulas of the paper."""

    name = "loops"

    def __init__(self):
        import oracles_jets
        import oracles_layer

        self.code, self.jets = oracles_layer, oracles_jets

    def basis(self, x, knots, degree):
        return self.basis_derivative(x, knots, degree, 0)

    def basis_derivative(self, x, knots, degree, order):
        row, n_basis = knots.tolist(), len(knots) - degree - 1
        _require(degree < 6 and len(x) * n_basis < 5000)  # the recursion takes 2^degree steps
        found = [
            [self.jets.bspline_derivative(m, degree, row, at, order) for m in range(n_basis)]
            for at in x.tolist()
        ]
        return np.reshape(found, (len(x), n_basis))

    def _layers(self, layers, x):
        n_numbers = len(x) * sum(layer["coef"].size for layer in layers)
        _require(n_numbers < 20000 and all(layer["degree"] < 6 for layer in layers))
        return [
            SimpleNamespace(
                **layer, n_out=len(layer["coef"]), n_in=len(layer["knots"]), symbolic=()
            )
            for layer in layers
        ]

    def layer_forward(self, layer, x):
        return self.code.layer_values(self._layers([layer], x)[0], x)

    def layer_vjp(self, layer, x, dy):
        dx, *grads = self.code.layer_backward(self._layers([layer], x)[0], x, dy)
        return {"dx": dx, **_named(grads)}

    def network_forward(self, layers, x):
        return self.code.network_values(SimpleNamespace(layers=self._layers(layers, x)), x)

    def network_vjp(self, layers, x, dy):
        network = SimpleNamespace(layers=self._layers(layers, x))
        dx, gradient = self.code.network_backward(network, x, dy)
        grads, start = [], 0
        for layer in layers:
            parts = []
            for name in NAMES:
                size = layer[name].size
                parts.append(gradient[start : start + size].reshape(layer[name].shape))
                start += size
            grads.append(_named(parts))
        return {"dx": dx, "layers": grads}

    def _derivatives(self, layers, x):
        n_numbers = len(x) * sum(layer["coef"].size for layer in layers)
        _require(0 < n_numbers < 500)  # silu is computed with 50 digits
        return self.jets.network_derivatives(SimpleNamespace(layers=self._layers(layers, x)), x)

    def input_jacobian(self, layers, x):
        return self._derivatives(layers, x)[1]

    def input_hessian_diag(self, layers, x):
        return np.diagonal(self._derivatives(layers, x)[2], axis1=2, axis2=3)

    def penalties(self, layers, x):
        network = SimpleNamespace(layers=self._layers(layers, x))
        return {
            "l1": self.code.penalty("paper", network, x, 1.0, 0.0),
            "entropy": self.code.penalty("paper", network, x, 0.0, 1.0),
        }

    def edge_scores(self, layers, x):
        found = []
        for layer in self._layers(layers, x):
            edges = self.code.layer_edges(layer, x)
            found.append(
                [
                    [self.code.mean_magnitude(edges, j, i) for i in range(layer.n_in)]
                    for j in range(layer.n_out)
                ]
            )
            x = self.code.layer_values(layer, x)
        return found

    def count_parameters(self, widths, n_intervals, degree):
        layers = [
            SimpleNamespace(
                coef=np.zeros((n_out, n_in, n_intervals + degree)),
                w_base=np.zeros((n_out, n_in)),
                w_spline=np.zeros((n_out, n_in)),
            )
            for n_in, n_out in pairwise(widths)
        ]
        return len(self.code.theta_by_hand(layers))


def _named(grads):
    return {f"d_{name}": grad for name, grad in zip(NAMES, grads, strict=True)}


def _require(condition):
    """Leave a case out that the implementation does not support."""
    if not condition:
        raise NotImplementedError


# --- correct variants of the second implementation, in what the contract leaves open


class Lists(SciPyNetwork):
    """Answers are nested lists of numbers."""

    def __getattribute__(self, name):
        found = super().__getattribute__(name)
        if name.startswith("_") or not callable(found):
            return found
        return lambda *given: _listed(found(*given))


def _listed(answer):
    if isinstance(answer, dict):
        return {name: _listed(value) for name, value in answer.items()}
    if isinstance(answer, list | tuple):
        return [_listed(value) for value in answer]
    return answer.tolist() if isinstance(answer, np.ndarray | np.generic) else answer


class Masked(SciPyNetwork):
    """Pruning masks the edges of weak nodes, and no array becomes smaller."""

    def prune(self, layers, x, threshold):
        scores, masks = self.node_scores(layers, x), [layer["mask"].copy() for layer in layers]
        for n, (before, after) in enumerate(
            zip(scores["incoming"], scores["outgoing"], strict=True)
        ):
            weak = np.minimum(before, after) <= threshold
            masks[n][weak] = 0.0
            masks[n + 1][:, weak] = 0.0
        return [{**layer, "mask": mask} for layer, mask in zip(layers, masks, strict=True)]


class Partial(SciPyNetwork):
    """Some gradients and one side of the scores are not computed."""

    def layer_vjp(self, layer, x, dy):
        return {**self.code.layer_vjp(layer, x, dy), "d_w_spline": None, "dx": None}

    def node_scores(self, layers, x):
        return {**self.code.node_scores(layers, x), "outgoing": None}


class Quantiles(SciPyNetwork):
    """Quantiles lie halfway between samples, and the grid of a constant input is wide."""

    def update_grid(self, layer, x, uniform_share, margin):
        n_intervals, grids = layer["coef"].shape[2] - layer["degree"], []
        for column in x.T:
            low, high = column.min(), column.max()
            low, high = (low - 10.0, high + 10.0) if low == high else (low, high)
            pad = margin * (high - low) / n_intervals
            even = np.linspace(low - pad, high + pad, n_intervals + 1)
            ranks = np.linspace(0.0, 1.0, n_intervals + 1)
            grid = np.quantile(column, ranks, method="hazen")
            grid[[0, -1]] = even[[0, -1]]
            grids.append(uniform_share * even + (1.0 - uniform_share) * grid)
        return self.code.on_grid(layer, grids)


class Dense(SciPyNetwork):
    """Outer knots of a finer grid are three times as far apart."""

    def extend_grid(self, layer, x, n_intervals):
        finer = super().extend_grid(layer, x, n_intervals)
        k, rows, coef = layer["degree"], [], []
        for i, row in enumerate(finer["knots"]):
            grid = row[k : len(row) - k]
            step = 3.0 * (grid[-1] - grid[0]) / n_intervals * np.arange(1, k + 1)
            new = np.concatenate([grid[0] - step[::-1], grid, grid[-1] + step])
            at = np.linspace(grid[0], grid[-1], 16 * len(grid) + 1)
            y = self.code.basis(at, row, k) @ finer["coef"][:, i].T
            coef.append(np.linalg.lstsq(self.code.basis(at, new, k), y, rcond=None)[0].T)
            rows.append(new)
        return {**finer, "knots": np.array(rows), "coef": np.stack(coef, axis=1)}


class Draws(SciPyNetwork):
    """Initial coefficients have a standard deviation of their own, which is stated; w_base is uniform."""

    def initial_layer(self, n_in, n_out, n_intervals, degree, seed):
        layer = self.code.initial_layer(n_in, n_out, n_intervals, degree, seed)
        bound = np.sqrt(6.0 / (n_in + n_out))
        w_base = np.random.default_rng(seed + 7).uniform(-bound, bound, (n_out, n_in))
        return {**layer, "coef": 0.3 * layer["coef"], "w_base": w_base, "sigma": 0.03}


class LeftLimits(SciPyNetwork):
    """The derivative of order degree is that of the piece on the left of an inner knot."""

    def basis_derivative(self, x, knots, degree, order):
        if order == degree > 0:
            inner = np.isin(x, knots[1:-1]) & (x > knots[0]) & (x < knots[-1])
            x = np.where(inner, np.nextafter(x, -np.inf), x)
        return self.code.basis(x, knots, degree, order)


class Raising(SciPyNetwork):
    """Numbers that are not finite are an error."""

    def __getattribute__(self, name):
        found = super().__getattribute__(name)
        if name not in ("basis", "layer_forward", "layer_vjp", "network_forward", "network_vjp"):
            return found

        def checked(*given):
            if not all(np.isfinite(one).all() for one in given if isinstance(one, np.ndarray)):
                raise ValueError("an array has numbers that are not finite")
            return found(*given)

        return checked


class Fortran(SciPyNetwork):
    """Answers are arrays in Fortran order that cannot be written to."""

    def basis(self, x, knots, degree):
        return self._frozen(super().basis(x, knots, degree))

    def network_forward(self, layers, x):
        return self._frozen(super().network_forward(layers, x))

    def _frozen(self, array):
        found = np.asfortranarray(array)
        found.flags.writeable = False
        return found


class Remembering(SciPyNetwork):
    """Basis functions are computed once for equal arguments."""

    def __init__(self):
        super().__init__()
        self._known = {}

    def basis(self, x, knots, degree):
        name = x.tobytes(), knots.tobytes(), degree
        if name not in self._known:
            self._known[name] = super().basis(x, knots, degree)
        return self._known[name].copy()
