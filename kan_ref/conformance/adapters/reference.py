"""kan_ref as a subject, built on its public functions, and the B-splines of SciPy."""

import tempfile
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import numpy as np

import kan_ref as kr
from kan_ref.conformance.adapters import Adapter, Answer, Array, Layer, Layers

ARRAYS = ("knots", "coef", "w_base", "w_spline", "mask", "degree", "base")


def network(layers: Layers) -> kr.Network:
    """Return a network of layers given as dicts."""
    return kr.Network(tuple(kr.Layer(**layer) for layer in layers))


def plain(layer: kr.Layer) -> Answer:
    """Return a layer without symbolic edges, which the protocol cannot express, as a dict."""
    return {name: getattr(layer, name) for name in ARRAYS}


def fresh(widths: Sequence[int], n_intervals: int, degree: int, seed: int = 0) -> kr.Network:
    """Return a network before training."""
    rng = np.random.default_rng(seed)
    return kr.init_network(
        widths, n_intervals=n_intervals, degree=degree, domain=(-1.0, 1.0), rng=rng
    )


class Reference(Adapter):
    """kan_ref itself, with every method of the protocol."""

    name, version = "kan_ref", kr.__version__

    def uniform_knots(self, low: float, high: float, n_intervals: int, degree: int) -> Array:
        """Return a uniform knot vector."""
        row: Array = kr.uniform_knots(low, high, n_intervals, degree)[0]
        return row

    def basis_derivative(self, x: Array, knots: Array, degree: int, order: int) -> Array:
        """Return derivatives of the basis functions (n, n_basis)."""
        return kr.bspline.basis(x[:, None], knots[None], degree, derivative=order)[:, 0]

    def network_forward(self, layers: Layers, x: Array) -> Array:
        """Return the outputs (batch, n_out)."""
        return network(layers)(x)

    def network_vjp(self, layers: Layers, x: Array, dy: Array) -> Answer:
        """Return dx and the gradients of every layer."""
        net = network(layers)
        dx, grads = kr.backward(net, kr.forward(net, x)[1], dy)
        names = ("coef", "w_base", "w_spline")
        found = [{f"d_{name}": getattr(one, name) for name in names} for one in grads.layers]
        return {"dx": dx, "layers": found}

    def input_jacobian(self, layers: Layers, x: Array) -> Array:
        """Return (batch, n_out, n_in)."""
        return kr.input_jacobian(network(layers), x)

    def input_hessian_diag(self, layers: Layers, x: Array) -> Array:
        """Return (batch, n_out, n_in)."""
        diagonal: Array = np.einsum("bopp->bop", kr.input_hessian(network(layers), x))
        return diagonal

    def extend_grid(self, layer: Layer, x: Array, n_intervals: int) -> Answer:
        """Return the layer on a finer grid."""
        return plain(kr.extend_grid(network([layer]), x, n_intervals=n_intervals).layers[0])

    def update_grid(self, layer: Layer, x: Array, share: float, margin: float) -> Answer:
        """Return the layer on a moved grid."""
        net = kr.update_grid(network([layer]), x, uniform_share=share, margin=margin)
        return plain(net.layers[0])

    def penalties(self, layers: Layers, x: Array) -> dict[str, float]:
        """Return l1 and entropy."""
        net = network(layers)
        _, caches = kr.forward(net, x)
        flow = [network(layers[: n + 1])(x) for n in range(len(layers))]
        record, value = kr.sparsity.Penalty, kr.sparsity.penalty_value
        weights = {"l1": record(1.0, 1.0, 0.0), "entropy": record(1.0, 0.0, 1.0)}
        return {name: value(net, x, caches, flow, weight) for name, weight in weights.items()}

    def edge_scores(self, layers: Layers, x: Array) -> list[Array]:
        """Return (n_out, n_in) for each layer."""
        return kr.edge_scores(network(layers), x)

    def node_scores(self, layers: Layers, x: Array) -> dict[str, list[Array | None]]:
        """Return incoming and outgoing scores, (n,) for each hidden layer."""
        hidden = kr.node_scores(network(layers), x)[1:-1]
        outgoing = [record.outgoing for record in hidden]
        return {"incoming": [record.incoming for record in hidden], "outgoing": outgoing}

    def prune(self, layers: Layers, x: Array, threshold: float) -> list[Answer]:
        """Return the layers without the hidden nodes that are weak by eq. 2.21."""
        kept = kr.prune(network(layers), x, threshold=threshold, kind="mean")
        return [plain(layer) for layer in kept.layers]

    def fit_affine(self, x: Array, y: Array, name: str) -> dict[str, float]:
        """Return a, b, c, d, r2."""
        fit = kr.fit_affine(x, y, name)
        return {name: getattr(fit, name) for name in ("a", "b", "c", "d", "r2")}

    def count_parameters(self, widths: Sequence[int], n_intervals: int, degree: int) -> int:
        """Return the number of parameters in coef, w_base and w_spline."""
        return fresh(widths, n_intervals, degree).n_params

    def initial_layer(
        self, n_in: int, n_out: int, n_intervals: int, degree: int, seed: int
    ) -> Answer:
        """Return a layer before training."""
        return plain(fresh((n_in, n_out), n_intervals, degree, seed).layers[0])

    def adam_steps(self, theta: Array, gradients: Array, *rates: float) -> Array:
        """Return theta after a step for each of the gradients.

        `rates` are learning_rate, beta1, beta2, epsilon.
        """
        following = iter([*gradients, gradients[-1]])  # the last one is evaluated but not used
        points = kr.adam(lambda _: (0.0, next(following)), theta, *rates)
        *_, last = islice(points, len(gradients) + 1)
        return last.theta

    def save_load(self, layer: Layer) -> Answer:
        """Return the layer after `save` and `load`."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "layer.npz"
            kr.save(network([layer]), path)
            return plain(kr.load(path).layers[0])


class SciPyBSplines:
    """SciPy's `BSpline` on all unit coefficient vectors at once.

    SciPy evaluates between t[k] and t[-k-1] alone, and its last interval must not be empty. To
    evaluate on the whole knot vector, each end is repeated until it occurs exactly k + 1 times. The
    B-splines of the knot vector do not change; new ones are dropped, and missing ones are 0.
    """

    name = "scipy.interpolate.BSpline"

    def __init__(self) -> None:
        import scipy

        self.version = scipy.__version__

    def basis(self, x: Array, knots: Array, degree: int) -> Array:
        """Return the basis functions (n, n_basis)."""
        return self.basis_derivative(x, knots, degree, 0)

    def basis_derivative(self, x: Array, knots: Array, degree: int, order: int) -> Array:
        """Return derivatives of the basis functions (n, n_basis)."""
        from scipy.interpolate import BSpline

        order = min(order, degree + 1)  # all zero; SciPy before 1.17 breaks at higher orders
        first, last = (degree + 1 - int((knots == end).sum()) for end in knots[[0, -1]])
        kept = knots[max(0, -first) : len(knots) - max(0, -last)]
        row = np.pad(kept, (max(0, first), max(0, last)), mode="edge")
        n_row = len(row) - degree - 1
        inside = ~((x < knots[0]) | (x > knots[-1]))  # nan is SciPy's to answer
        values = np.zeros((len(x), n_row))
        values[inside] = BSpline(row, np.eye(n_row), degree, extrapolate=False)(x[inside], nu=order)
        padded = np.pad(values, [(0, 0), (max(0, -first), max(0, -last))])
        return padded[:, max(0, first) : max(0, first) + len(knots) - degree - 1]
