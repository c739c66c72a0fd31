"""One training step as a textbook writes it: `kan_ref.plain`, and the same with matrix products in the place of its sums.

The basis functions are those of `kan_ref.plain`: all of them on every knot vector, by the full recursion. "einsum" is plain as it is.
"matmul" is the version for a reader who cares about time: it takes the sums over samples, inputs and basis functions by matrix products
and computes no gradient with respect to the inputs of the first layer. A shape is compared with the faster of the two. A dense recursion
tuned for time (reciprocals of the knot differences, no derivatives in the first layer) takes 0.5 to 0.63 of it; the bars allow for that.
"""

from typing import Any, Literal, get_args

import numpy as np

from kan_ref import plain
from kan_ref.checks import FloatArray
from kan_ref.network.layer import Layer
from kan_ref.network.network import Network

Contraction = Literal["matmul", "einsum"]
CONTRACTIONS: tuple[Contraction, ...] = get_args(Contraction)


def forward(layer: Layer, x: FloatArray) -> tuple[FloatArray, Any]:
    """Return the outputs (batch, n_out) of a layer without masked edges, and the arrays that `backward` needs."""
    basis, basis_slope = plain.basis_and_slope(x, layer.knots, layer.degree)
    base, base_slope = plain.silu_and_slope(x)
    flat_basis = basis.reshape(len(x), -1)
    weights = (layer.w_spline[:, :, None] * layer.coef).reshape(layer.n_out, -1)
    y: FloatArray = base @ layer.w_base.T + flat_basis @ weights.T
    return y, (flat_basis, basis_slope, base, base_slope, weights)


def backward(
    layer: Layer, cache: Any, dy: FloatArray, *, first: bool
) -> tuple[FloatArray, list[FloatArray]]:
    """Return dx (batch, n_in), for the first layer dy instead, and [d_coef, d_w_base, d_w_spline]."""
    flat_basis, basis_slope, base, base_slope, weights = cache
    d_weights = (dy.T @ flat_basis).reshape(layer.coef.shape)
    d_w_spline = (layer.coef * d_weights).sum(axis=2)
    grads = [layer.w_spline[:, :, None] * d_weights, dy.T @ base, d_w_spline]
    if first:
        return dy, grads
    d_basis = (dy @ weights).reshape(basis_slope.shape)
    dx = (dy @ layer.w_base) * base_slope + np.einsum("bim,bim->bi", d_basis, basis_slope)
    return dx, grads


def value_and_grad(
    network: Network, x: FloatArray, y: FloatArray, contraction: Contraction = "matmul"
) -> tuple[float, FloatArray]:
    """Return the mean squared error of a network with silu and without masked edges, and its gradient along theta."""
    if contraction == "einsum":
        value, gradient = plain.value_and_grad(network.layers, x, y)
        return float(value), gradient
    caches: list[Any] = []
    for layer in network.layers:
        x, cache = forward(layer, x)
        caches.append(cache)
    dx = 2.0 * (x - y) / y.size
    grads: list[FloatArray] = []
    for number in reversed(range(len(caches))):
        dx, of_layer = backward(network.layers[number], caches[number], dx, first=number == 0)
        grads = of_layer + grads
    return float(np.mean((x - y) ** 2)), np.concatenate([grad.ravel() for grad in grads])
