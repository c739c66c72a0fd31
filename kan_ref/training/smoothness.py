"""The smoothness penalty: it keeps a network's curves smooth where few samples determine them.

A spline of degree k is smooth except for the jumps of its k-th derivative at the breakpoints. With
h = (b - a)/G and s_ji = w_spline_ji sum_m coef_jim B_m, summed over the spline edges of all layers
and the inner breakpoints t_p,

    (T9)  smoothness = sum_ji sum_p ( h^k [s_ji^(k)(t_p + 0) - s_ji^(k)(t_p - 0)] )^2

On evenly spaced knots the bracket is h^-k times a (k+1)-th difference of neighbouring w_spline
coef. This is the P-spline penalty of Eilers & Marx (Statistical Science 11, 1996) with differences
of order k + 1, which is zero for a polynomial. `kan_ref.bspline.jumps` gives the jumps on any
knots, as combinations of k + 2 coefficients. As residuals the jumps are linear in coef:
least-squares optimizers take them beside the data.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from kan_ref.checks import FloatArray
from kan_ref.network import Layer, Network, layer_jump_weights
from kan_ref.numerics import RowSparse


@dataclass(frozen=True, eq=False)
class Smoothness:
    """`weight` times (T9), for networks with given knots.

    `weights` has one array (n_in, n_intervals - 1, degree + 2) per layer: jump p of an edge is
    sum_q weights[i, p, q] * w_spline * coef[p + q].
    """

    weight: float
    weights: tuple[FloatArray, ...]

    @classmethod
    def of(cls, network: object, weight: float) -> "Smoothness":
        """Return the penalty for the knots of a network; TypeError if it is not a Network."""
        return cls(weight, tuple(map(layer_jump_weights, network_with_curves(network).layers)))

    def value(self, network: Network) -> float:
        """Compute the weighted penalty."""
        residuals = self.residuals(network)
        return float(np.vdot(residuals, residuals))

    def value_and_grad(self, network: Any) -> tuple[float, FloatArray]:
        """Compute the weighted penalty and its gradient (n_params,).

        Notes
        -----
        Implements :eq:`smoothness`.
        """
        value, pieces = 0.0, []
        for layer, weights in zip(network.layers, self.weights, strict=True):
            scale = layer.w_spline * layer.mask
            # [eq:smoothness]
            unweighted = _jumps(layer, weights)
            jumps = scale[:, :, None] * unweighted
            value += float(np.vdot(jumps, jumps))
            d_jumps = 2.0 * jumps
            # [/eq:smoothness]
            d_coef = np.zeros(layer.coef.shape)
            n_jumps = weights.shape[1]
            for q in range(weights.shape[2]):
                d_coef[:, :, q : q + n_jumps] += scale[:, :, None] * d_jumps * weights[:, :, q]
            d_w_spline = layer.mask * (d_jumps * unweighted).sum(axis=2)
            nothing = np.zeros(layer.w_base.size), np.zeros(layer.affine.size)
            pieces += [d_coef.reshape(-1), nothing[0], d_w_spline.reshape(-1), nothing[1]]
        return self.weight * value, self.weight * np.concatenate(pieces)

    def residuals(self, network: Network) -> FloatArray:
        """Compute sqrt(weight) times the jumps of (T9): layer by layer, [out, in, breakpoint]."""
        pieces = []
        for layer, weights in zip(network.layers, self.weights, strict=True):
            scale = layer.w_spline * layer.mask
            pieces.append((scale[:, :, None] * _jumps(layer, weights)).reshape(-1))
        residuals: FloatArray = np.sqrt(self.weight) * np.concatenate(pieces)
        return residuals

    def jacobian(self, network: Network) -> list[RowSparse]:
        """Compute d residuals / d theta: one block per layer that has inner breakpoints."""
        blocks, start, root = [], 0, np.sqrt(self.weight)
        for layer, weights in zip(network.layers, self.weights, strict=True):
            n_out, n_in, n_basis = layer.coef.shape
            n_jumps, width = weights.shape[1:]
            edge = start + np.arange(n_out * n_in).reshape(n_out, n_in, 1, 1)
            if n_jumps:
                columns = np.empty((n_out, n_in, n_jumps, width + 1), dtype=np.intp)
                values = np.empty(columns.shape)
                places = np.arange(n_jumps)[:, None] + np.arange(width)
                columns[..., :width] = start + n_basis * (edge - start) + places
                columns[..., width] = layer.coef.size + layer.w_base.size + edge[..., 0]
                scale = (root * layer.w_spline * layer.mask)[:, :, None, None]
                values[..., :width] = scale * weights
                values[..., width] = (root * layer.mask)[:, :, None] * _jumps(layer, weights)
                rows = (-1, width + 1)
                blocks.append(
                    RowSparse(columns.reshape(rows), values.reshape(rows), network.n_params)
                )
            start += layer.n_params
        return blocks


def _jumps(layer: Layer, weights: FloatArray) -> FloatArray:
    """Compute the jumps of sum_m coef_m B_m, (n_out, n_in, n_intervals - 1)."""
    if not weights.shape[1]:
        return np.empty((*layer.w_spline.shape, 0))
    windows = np.lib.stride_tricks.sliding_window_view(layer.coef, layer.degree + 2, axis=2)
    jumps: FloatArray = np.einsum("ipq,jipq->jip", weights, windows)
    return jumps


def network_with_curves(model: object) -> Network:
    """Return `model` if it is a Network, whose edges have the curves of a penalty, else raise."""
    if not isinstance(model, Network):
        raise TypeError(
            f"network is {model!r}, but smoothness and penalties on edges need the curves of a "
            "Network"
        )
    return model
