"""kan_ref as a subject: the methods of the protocol, built on the package's public functions."""

import tempfile
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

import kan_ref as kr
from kan_ref.checks import FloatArray
from kan_ref.plain import multiply

PlainLayer = Mapping[str, Any]
ARRAYS = ("knots", "coef", "w_base", "w_spline", "mask", "degree", "base")


def network(layers: Sequence[PlainLayer]) -> kr.Network:
    """Return a network of layers given as dicts."""
    return kr.Network(tuple(kr.Layer(**layer) for layer in layers))


def plain(layer: kr.Layer) -> dict[str, Any]:
    """Return a layer as a dict."""
    if layer.symbolic:
        raise ValueError(
            f"the layer has {len(layer.symbolic)} symbolic edges, which the protocol cannot express"
        )
    return {name: getattr(layer, name) for name in ARRAYS}


class Reference:
    """kan_ref itself, with every method of the protocol."""

    name, version = "kan_ref", kr.__version__

    def uniform_knots(self, low: float, high: float, n_intervals: int, degree: int) -> FloatArray:
        """Return a uniform knot vector."""
        row: FloatArray = kr.uniform_knots(low, high, n_intervals, degree)[0]
        return row

    def basis(self, x: FloatArray, knots: FloatArray, degree: int) -> FloatArray:
        """Return the basis functions (n, n_basis)."""
        return kr.bspline.basis(x[:, None], knots[None], degree)[:, 0]

    def basis_derivative(
        self, x: FloatArray, knots: FloatArray, degree: int, order: int
    ) -> FloatArray:
        """Return derivatives of the basis functions (n, n_basis)."""
        return kr.bspline.basis(x[:, None], knots[None], degree, derivative=order)[:, 0]

    def layer_forward(self, layer: PlainLayer, x: FloatArray) -> FloatArray:
        """Return the outputs (batch, n_out)."""
        return network([layer])(x)

    def layer_vjp(self, layer: PlainLayer, x: FloatArray, dy: FloatArray) -> dict[str, FloatArray]:
        """Return dx, d_coef, d_w_base, d_w_spline."""
        found = self.network_vjp([layer], x, dy)
        return {"dx": found["dx"], **found["layers"][0]}

    def product_vjp(
        self, layer: PlainLayer, n_products: int, x: FloatArray, dy: FloatArray
    ) -> dict[str, FloatArray]:
        """Return y and the gradients of `layer_vjp`: layers have sums, `plain` multiplies them."""
        y, du = multiply(self.layer_forward(layer, x), n_products, dy)
        return {"y": y, **self.layer_vjp(layer, x, du)}

    def network_forward(self, layers: Sequence[PlainLayer], x: FloatArray) -> FloatArray:
        """Return the outputs (batch, n_out)."""
        return network(layers)(x)

    def network_vjp(
        self, layers: Sequence[PlainLayer], x: FloatArray, dy: FloatArray
    ) -> dict[str, Any]:
        """Return dx and the gradients of every layer."""
        net = network(layers)
        _, caches = kr.forward(net, x)
        dx, grads = kr.backward(net, caches, dy)
        return {
            "dx": dx,
            "layers": [
                {f"d_{name}": getattr(layer, name) for name in ("coef", "w_base", "w_spline")}
                for layer in grads.layers
            ],
        }

    def input_jacobian(self, layers: Sequence[PlainLayer], x: FloatArray) -> FloatArray:
        """Return (batch, n_out, n_in)."""
        return kr.input_jacobian(network(layers), x)

    def input_hessian_diag(self, layers: Sequence[PlainLayer], x: FloatArray) -> FloatArray:
        """Return (batch, n_out, n_in)."""
        diagonal: FloatArray = np.einsum("bopp->bop", kr.input_hessian(network(layers), x))
        return diagonal

    def extend_grid(self, layer: PlainLayer, x: FloatArray, n_intervals: int) -> dict[str, Any]:
        """Return the layer on a finer grid."""
        return plain(kr.extend_grid(network([layer]), x, n_intervals=n_intervals).layers[0])

    def update_grid(
        self, layer: PlainLayer, x: FloatArray, uniform_share: float, margin: float
    ) -> dict[str, Any]:
        """Return the layer on a moved grid."""
        return plain(
            kr.update_grid(network([layer]), x, uniform_share=uniform_share, margin=margin).layers[
                0
            ]
        )

    def penalties(self, layers: Sequence[PlainLayer], x: FloatArray) -> dict[str, float]:
        """Return l1 and entropy."""
        net = network(layers)
        _, caches = kr.forward(net, x)
        flow = [network(layers[: n + 1])(x) for n in range(len(layers))]
        record, value = kr.sparsity.Penalty, kr.sparsity.penalty_value
        weights = {"l1": record(1.0, 1.0, 0.0), "entropy": record(1.0, 0.0, 1.0)}
        return {name: value(net, x, caches, flow, weight) for name, weight in weights.items()}

    def edge_scores(self, layers: Sequence[PlainLayer], x: FloatArray) -> list[FloatArray]:
        """Return (n_out, n_in) for each layer."""
        return kr.edge_scores(network(layers), x)

    def node_scores(
        self, layers: Sequence[PlainLayer], x: FloatArray
    ) -> dict[str, list[FloatArray | None]]:
        """Return incoming and outgoing scores, (n,) for each hidden layer."""
        hidden = kr.node_scores(network(layers), x)[1:-1]
        return {
            "incoming": [record.incoming for record in hidden],
            "outgoing": [record.outgoing for record in hidden],
        }

    def prune(
        self, layers: Sequence[PlainLayer], x: FloatArray, threshold: float
    ) -> list[dict[str, Any]]:
        """Return the layers without the hidden nodes that are weak by eq. 2.21."""
        return [
            plain(layer)
            for layer in kr.prune(network(layers), x, threshold=threshold, kind="mean").layers
        ]

    def fit_affine(self, x: FloatArray, y: FloatArray, name: str) -> dict[str, float]:
        """Return a, b, c, d, r2."""
        fit = kr.fit_affine(x, y, name)
        return {"a": fit.a, "b": fit.b, "c": fit.c, "d": fit.d, "r2": fit.r2}

    def count_parameters(self, widths: Sequence[int], n_intervals: int, degree: int) -> int:
        """Return the number of parameters in coef, w_base and w_spline."""
        rng = np.random.default_rng(0)
        return kr.init_network(
            widths, n_intervals=n_intervals, degree=degree, domain=(-1.0, 1.0), rng=rng
        ).n_params

    def initial_layer(
        self, n_in: int, n_out: int, n_intervals: int, degree: int, seed: int
    ) -> dict[str, Any]:
        """Return a layer before training."""
        rng = np.random.default_rng(seed)
        return plain(
            kr.init_network(
                (n_in, n_out), n_intervals=n_intervals, degree=degree, domain=(-1.0, 1.0), rng=rng
            ).layers[0]
        )

    def adam_steps(
        self,
        theta: FloatArray,
        gradients: FloatArray,
        learning_rate: float,
        beta1: float,
        beta2: float,
        epsilon: float,
    ) -> FloatArray:
        """Return theta after one step for each of the given gradients."""
        following = iter([*gradients, gradients[-1]])  # the last one is evaluated but not used
        points = kr.adam(
            lambda _: (0.0, next(following)), theta, learning_rate, beta1, beta2, epsilon
        )
        *_, last = islice(points, len(gradients) + 1)
        return last.theta

    def save_load(self, layer: PlainLayer) -> dict[str, Any]:
        """Return the layer after `save` and `load`."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "layer.npz"
            kr.save(network([layer]), path)
            return plain(kr.load(path).layers[0])
