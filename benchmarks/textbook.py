"""One training step in textbook form: all B-splines of every knot vector by the full recursion, dense arrays throughout.

Liu et al. 2024, eqs. 2.7 and 2.10-2.12; de Boor, A Practical Guide to Splines, rev. ed., ch. IX, (14) and ch. X, (15):

    (X1)  B_{m,0}(x) = 1 where t_m <= x < t_{m+1}, else 0
    (X2)  B_{m,d}(x) = (x - t_m) T_{m,d}(x) + (t_{m+d+1} - x) T_{m+1,d}(x),   T_{m,d} = B_{m,d-1} / (t_{m+d} - t_m)
    (X3)  B'_{m,d}(x) = d (T_{m,d}(x) - T_{m+1,d}(x))
    (X4)  y_j  = sum_i w_base_ji silu(x_i) + w_spline_ji sum_m coef_jim B_m(x_i)
    (X5)  dx_i = sum_j dy_j (w_base_ji silu'(x_i) + w_spline_ji sum_m coef_jim B'_m(x_i)),   and d_coef, d_w_base, d_w_spline

kan_ref is measured against this form, so it is written to be fast: whole arrays and no Python loop but the one over degrees,
reciprocals of the few knot differences instead of divisions of the many basis functions, no unused derivatives (those of the
first layer), and (X4) contracted by `einsum` or by one matrix product, whichever is faster for a shape.
"""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from kan_ref.checks import FloatArray
from kan_ref.network.layer import Layer
from kan_ref.network.network import Network

Contraction = Literal["matmul", "einsum"]
CONTRACTIONS: tuple[Contraction, ...] = get_args(Contraction)


@dataclass(frozen=True)
class Kept:
    """The values of one layer for the backward pass: `basis`, `basis_slope` (batch, n_in, n_basis),
    `base`, `base_slope` (batch, n_in).
    """

    basis: FloatArray
    basis_slope: FloatArray | None
    base: FloatArray
    base_slope: FloatArray | None


def bases(
    x: FloatArray, knots: FloatArray, degree: int, *, slopes: bool
) -> tuple[FloatArray, FloatArray | None]:
    """Return all B-splines of x (batch, n_in) on knots (n_in, n_knots), and their derivatives,
    (batch, n_in, n_basis) each, by (X1)-(X3).
    """
    points = x[:, :, None]
    # [eq:textbook-recursion]
    basis = ((knots[:, :-1] <= points) & (points < knots[:, 1:])).astype(np.float64)
    basis_slope = np.zeros_like(basis) if slopes else None
    for d in range(1, degree + 1):
        span = knots[:, d:] - knots[:, :-d]
        quotient = basis * np.divide(1.0, span, out=np.zeros_like(span), where=span > 0)
        first, second = quotient[:, :, :-1], quotient[:, :, 1:]
        basis = (points - knots[:, : -d - 1]) * first + (knots[:, d + 1 :] - points) * second
        if slopes and d == degree:
            basis_slope = d * (first - second)
    # [/eq:textbook-recursion]
    return basis, basis_slope


def silu(x: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return values x s and derivatives s + x s (1 - s) of silu, s the sigmoid."""
    s = 1.0 / (1.0 + np.exp(-x))
    value = x * s
    return value, s + value * (1.0 - s)


def forward(
    layer: Layer, x: FloatArray, *, slopes: bool, contraction: Contraction
) -> tuple[FloatArray, Kept]:
    """Return outputs (batch, n_out) by (X4), and the values for `backward`; all edges are active."""
    basis, basis_slope = bases(x, layer.knots, layer.degree, slopes=slopes)
    base, base_slope = silu(x)
    weighted = layer.w_spline[:, :, None] * layer.coef
    # [eq:textbook-layer]
    if contraction == "einsum":
        y = np.einsum("bi,ji->bj", base, layer.w_base) + np.einsum("bim,jim->bj", basis, weighted)
    else:
        y = (
            base @ layer.w_base.T
            + basis.reshape(len(x), -1) @ weighted.reshape(len(weighted), -1).T
        )
    # [/eq:textbook-layer]
    return y, Kept(basis, basis_slope, base, base_slope if slopes else None)


def backward(
    layer: Layer, kept: Kept, dy: FloatArray, *, contraction: Contraction
) -> tuple[FloatArray | None, list[FloatArray]]:
    """Return dx (batch, n_in), None without derivatives, and [d_coef, d_w_base, d_w_spline], by
    (X5).
    """
    weighted = layer.w_spline[:, :, None] * layer.coef
    # [eq:textbook-layer-backward]
    if contraction == "einsum":
        d_weighted = np.einsum("bj,bim->jim", dy, kept.basis)
    else:
        d_weighted = (dy.T @ kept.basis.reshape(len(dy), -1)).reshape(weighted.shape)
    gradients = [
        d_weighted * layer.w_spline[:, :, None],
        dy.T @ kept.base,
        (d_weighted * layer.coef).sum(axis=2),
    ]
    if kept.basis_slope is None or kept.base_slope is None:
        return None, gradients
    if contraction == "einsum":
        pulled = np.einsum("bj,jim->bim", dy, weighted)
    else:
        pulled = (dy @ weighted.reshape(len(weighted), -1)).reshape(kept.basis_slope.shape)
    dx = (dy @ layer.w_base) * kept.base_slope + np.einsum("bim,bim->bi", pulled, kept.basis_slope)
    # [/eq:textbook-layer-backward]
    return dx, gradients


def value_and_grad(
    network: Network, x: FloatArray, y: FloatArray, contraction: Contraction = "matmul"
) -> tuple[float, FloatArray]:
    """Return the mean squared error of a network whose edges are all active and have the base silu,
    and its gradient in the order of theta.
    """
    kept: list[Kept] = []
    prediction = x
    for number, layer in enumerate(network.layers):
        prediction, of_layer = forward(
            layer, prediction, slopes=number > 0, contraction=contraction
        )
        kept.append(of_layer)
    difference = prediction - y
    value = float(np.mean(difference**2))
    dy: FloatArray | None = (2.0 / difference.size) * difference
    pieces: list[FloatArray] = []
    for layer, of_layer in zip(reversed(network.layers), reversed(kept), strict=True):
        if dy is None:
            raise ValueError(
                "a hidden layer was evaluated without slopes, but its inputs need a gradient"
            )
        dy, gradients = backward(layer, of_layer, dy, contraction=contraction)
        pieces = [*gradients, *pieces]
    return value, np.concatenate([piece.reshape(-1) for piece in pieces])
