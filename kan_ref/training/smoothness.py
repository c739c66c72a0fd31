"""What keeps a network's curves calm where few samples hold them: the smoothness penalty.

A spline of degree k is smooth but for the jumps of its k-th derivative at the breakpoints. With h = (b - a)/G and
s_ji = w_spline_ji sum_m coef_jim B_m, summed over the live edges of all layers and the inner breakpoints t_p,

    (P1)  smoothness = sum_ji sum_p ( h^k [s_ji^(k)(t_p + 0) - s_ji^(k)(t_p - 0)] )^2

On an evenly spaced row the bracket is h^-k times a (k+1)-th difference of neighbouring w_spline coef: this is the
P-spline penalty of Eilers & Marx (Statistical Science 11, 1996) with differences of order k + 1, which costs a
polynomial nothing. On any row the k-th derivative comes from the coefficients by differencing them k times,

    (P2)  d^(0) = c,   d^(q)_m = (k - q + 1) (d^(q-1)_m - d^(q-1)_{m-1}) / (t_{m+k-q+1} - t_m),   0/0 := 0

(de Boor, A Practical Guide to Splines, rev. ed., ch. X, (15)-(16)), so each jump is a fixed combination of k + 2
coefficients. Beside an empty interval, at a repeated breakpoint, nothing is counted: there the curve may be less smooth. As
residuals the jumps are linear in coef, and least-squares optimizers take them beside the data.
"""

from dataclasses import dataclass

import numpy as np

from kan_ref.bspline import jump_weights
from kan_ref.checks import FloatArray
from kan_ref.network import Layer, Network
from kan_ref.numerics import RowSparse


@dataclass(frozen=True, eq=False)
class Smoothness:
    """The penalty (P1) of networks with given knot rows: `weights`, one array (n_in, n_intervals - 1, degree + 2) a layer.

    Jump p of an edge is sum_q weights[i, p, q] * w_spline * coef[p + q].
    """

    weights: tuple[FloatArray, ...]


def prepare_smoothness(network: Network) -> Smoothness:
    """The combinations (P2) of every layer, worked out once for a set of knot rows."""
    return Smoothness(tuple(jump_weights(layer.knots, layer.degree) for layer in network.layers))


def _windows(layer: Layer) -> FloatArray:
    """Coefficients under each jump, (n_out, n_in, n_intervals - 1, degree + 2)."""
    return np.lib.stride_tricks.sliding_window_view(layer.coef, layer.degree + 2, axis=2)


def smoothness_value_and_grad(smoothness: Smoothness, network: Network) -> tuple[float, FloatArray]:
    """(P1) and its gradient in the order of theta.

    Parameters
    ----------
    smoothness : Smoothness
        Prepared for the network's knot rows.
    network : Network

    Returns
    -------
    value : float
    gradient : (n_params,)

    Notes
    -----
    Implements :eq:`smoothness`.
    """
    value, pieces = 0.0, []
    for layer, weights in zip(network.layers, smoothness.weights, strict=True):
        live = layer.w_spline * layer.mask
        # [eq:smoothness]
        unweighted = (
            np.einsum("ipq,jipq->jip", weights, _windows(layer))
            if weights.shape[1]
            else np.zeros((*live.shape, 0))
        )
        jumps = live[:, :, None] * unweighted
        value += float(np.vdot(jumps, jumps))
        d_jumps = 2.0 * jumps
        # [/eq:smoothness]
        d_coef = np.zeros(layer.coef.shape)
        for q in range(weights.shape[2]):
            d_coef[:, :, q : q + weights.shape[1]] += live[:, :, None] * d_jumps * weights[:, :, q]
        d_w_spline = layer.mask * (d_jumps * unweighted).sum(axis=2)
        pieces += [
            d_coef.reshape(-1),
            np.zeros(layer.w_base.size),
            d_w_spline.reshape(-1),
            np.zeros(layer.affine.size),
        ]
    return value, np.concatenate(pieces)


def smoothness_residuals(smoothness: Smoothness, network: Network) -> FloatArray:
    """The jumps of (P1) as a flat vector: layer by layer, [out, in, breakpoint]."""
    pieces = []
    for layer, weights in zip(network.layers, smoothness.weights, strict=True):
        live = layer.w_spline * layer.mask
        if weights.shape[1]:
            pieces.append(
                (live[:, :, None] * np.einsum("ipq,jipq->jip", weights, _windows(layer))).reshape(
                    -1
                )
            )
    return np.concatenate(pieces) if pieces else np.zeros(0)


def smoothness_jacobian(smoothness: Smoothness, network: Network, scale: float) -> list[RowSparse]:
    """Rows of d (scale * residuals) / d theta, one block a layer that has inner breakpoints."""
    blocks, start = [], 0
    for layer, weights in zip(network.layers, smoothness.weights, strict=True):
        n_out, n_in, n_basis = layer.coef.shape
        n_jumps, width = weights.shape[1:]
        edge = np.arange(n_out * n_in).reshape(n_out, n_in)
        if n_jumps:
            columns = np.empty((n_out, n_in, n_jumps, width + 1), dtype=np.intp)
            values = np.empty(columns.shape)
            places = np.arange(n_jumps)[:, None] + np.arange(width)
            columns[..., :width] = start + n_basis * edge[:, :, None, None] + places
            columns[..., width] = start + layer.coef.size + layer.w_base.size + edge[:, :, None]
            values[..., :width] = (scale * layer.w_spline * layer.mask)[:, :, None, None] * weights
            unweighted = np.einsum("ipq,jipq->jip", weights, _windows(layer))
            values[..., width] = (scale * layer.mask)[:, :, None] * unweighted
            blocks.append(
                RowSparse(
                    columns.reshape(-1, width + 1), values.reshape(-1, width + 1), network.n_params
                )
            )
        start += layer.n_params
    return blocks
