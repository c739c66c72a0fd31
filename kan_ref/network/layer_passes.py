"""One Kolmogorov-Arnold layer: a curve on every edge, summed at every output; forward, backward, and an edge by itself.

Theorem (Liu et al. 2024, eqs. 2.5 and 2.10-2.12, and the chain rule). The edge from input i to output j is the curve
phi_ji(x) = w_base_ji b(x) + w_spline_ji sum_m coef_jim B_m(x). With F = basis.reshape(batch, n_in * n_basis),
C = (w_spline * mask)[..., None] * coef as (n_out, n_in * n_basis), W = w_base * mask, and dy = dR/dy of a scalar R,

    (L1)  y          = base @ W.T + F @ C.T
    (L2)  d_C        = dy.T @ F
    (L3)  d_coef     = mask * w_spline * d_C
    (L4)  d_w_spline = mask * sum_m coef * d_C
    (L5)  d_w_base   = mask * (dy.T @ base)
    (L6)  dx         = (dy @ W) * base_slope + sum_m (dy @ C) * basis_slope
    (L7)  where R also depends on each edge by itself, d_edges_bji = dR/d phi_ji(x_bi): dy_bj becomes
          dy_bj + d_edges_bji in (L2)-(L6)

To y come the edges that are formulas, with (F1), (F2) and (L8) of `symbolic_edge`.
There is no bias: the bases sum to 1 on the grid, so a constant lives in the coefficients.
Arrays are indexed batch first, but in memory the batch comes last: NumPy's inner loops are long then. Hence (A.T @ B.T).T for B @ A.
"""

from dataclasses import dataclass

import numpy as np

from kan_ref.bspline import (
    Bases,
    edge_matrix_gradient,
    edge_sums,
    evaluate_bases,
    matrix_gradient,
    slope_sums,
    spline_sums,
)
from kan_ref.checks import FloatArray
from kan_ref.functions import base_function
from kan_ref.network import symbolic_edges
from kan_ref.network.layer import Layer, with_parameters


@dataclass(frozen=True)
class Cache:
    """What backward needs of forward.

    `bases`: the B-splines of the batch. `base`, `base_slope` (batch, n_in): b(x), b'(x). `x` (batch, n_in) itself is kept for
    formulas alone. Without slopes (a first layer in training) `base_slope` is None, and there is no gradient with respect to x.
    """

    bases: Bases
    base: FloatArray
    base_slope: FloatArray | None
    x: FloatArray | None = None

    def fits(self, layer: Layer, batch: int) -> bool:
        """Whether this record can come from `layer` and a batch of that size."""
        return (
            self.base.shape == (batch, layer.n_in)
            and (self.x is not None or not layer.symbolic)
            and self.bases.n_columns == layer.n_in * layer.n_basis
            and len(self.bases.values) == layer.degree + 1
        )

    def __repr__(self) -> str:
        slope = "None" if self.base_slope is None else str(self.base_slope.shape)
        return f"Cache(base {self.base.shape}, base_slope {slope}, {self.bases!r})"


def evaluate(layer: Layer, x: FloatArray, *, slopes: bool = True) -> Cache:
    """Everything in a layer that depends on x and the knots alone, not on the parameters.

    Where x does not change between two steps (a first layer, the full batch), this is computed once.
    """
    x = np.ascontiguousarray(x.T).T  # batch last, as all that is made of it
    bases = evaluate_bases(layer.rows, x, layer.n_out, slopes=slopes)
    kept = x if layer.symbolic else None
    if slopes:
        base, base_slope = base_function(layer.base, x, (0, 1))
        return Cache(bases, base, base_slope, kept)
    return Cache(bases, base_function(layer.base, x, (0,))[0], None, kept)


# --- forward


def forward(layer: Layer, x: FloatArray) -> tuple[FloatArray, Cache]:
    """Outputs of a layer and what backward needs.

    Parameters
    ----------
    layer : Layer
    x : (batch, n_in)
        Finite; not checked again here.

    Returns
    -------
    y : (batch, n_out)
    cache : Cache

    Notes
    -----
    Implements :eq:`layer-forward`, Liu et al. 2024, eqs. 2.5 and 2.10.
    """
    cache = evaluate(layer, x)
    return outputs(layer, cache), cache


def outputs(layer: Layer, cache: Cache) -> FloatArray:
    """(L1) from what is already evaluated, (batch, n_out)."""
    y = spline_outputs(layer, cache.base, cache.bases)
    if layer.symbolic:
        symbolic_edges.add_outputs(
            layer.symbolic, layer.affine, symbolic_edges.inputs_of(cache.x), y
        )
    return y


def spline_outputs(layer: Layer, base: FloatArray, bases: Bases) -> FloatArray:
    """(L1) of the spline edges alone, (batch, n_out)."""
    # [eq:layer-forward]
    return (layer.base_matrix @ base.T).T + spline_sums(layer.spline_matrix, bases)
    # [/eq:layer-forward]


# --- backward


def backward(
    layer: Layer, cache: Cache, dy: FloatArray, d_edges: FloatArray | None = None
) -> tuple[FloatArray, Layer]:
    """Gradients of a scalar R with respect to the inputs and the parameters.

    Parameters
    ----------
    layer : Layer
    cache : Cache
        From `forward` at the same x.
    dy : (batch, n_out)
        dR/dy.
    d_edges : (batch, n_out, n_in), optional
        The part of dR/d phi_ji(x_bi) that does not come through y (a penalty on edges).

    Returns
    -------
    dx : (batch, n_in)
    grads : Layer
        The gradient lives in the space of its parameter: `grads.coef` is d_coef, and so on.

    Notes
    -----
    Implements :eq:`layer-backward` and :eq:`layer-backward-edges`. About two forward passes.
    """
    return input_gradient(layer, cache, dy, d_edges), parameter_gradients(layer, cache, dy, d_edges)


def input_gradient(
    layer: Layer, cache: Cache, dy: FloatArray, d_edges: FloatArray | None = None
) -> FloatArray:
    """(L6), with `d_edges` (L7): dR/dx, (batch, n_in)."""
    if cache.base_slope is None:
        raise ValueError(
            "cache holds no slopes, but a gradient with respect to x needs evaluate(..., slopes=True)"
        )
    # [eq:layer-input-gradient]
    dx = (layer.base_matrix.T @ dy.T).T * cache.base_slope + slope_sums(
        layer.spline_matrix, cache.bases, dy
    )
    # [/eq:layer-input-gradient]
    if layer.symbolic:
        slopes = symbolic_edges.slopes(
            layer.symbolic, layer.affine, symbolic_edges.inputs_of(cache.x)
        )
        for edge, slope in zip(layer.symbolic, slopes.T, strict=True):
            dx[:, edge.input] += dy[:, edge.output] * slope
    if d_edges is not None:
        # [eq:layer-backward-edges]
        dx += (d_edges * edge_slopes(layer, cache)).sum(axis=1)
        # [/eq:layer-backward-edges]
    return dx


def parameter_gradients(
    layer: Layer, cache: Cache, dy: FloatArray, d_edges: FloatArray | None = None
) -> Layer:
    """(L2)-(L5) and (L8), with `d_edges` (L7): dR/d parameters, as a layer."""
    d_affine = layer.affine
    if layer.symbolic:
        d_affine = symbolic_edges.affine_gradient(
            layer.symbolic, layer.affine, symbolic_edges.inputs_of(cache.x), dy, d_edges
        )
    return with_parameters(
        layer, (*spline_gradients(layer, cache.base, cache.bases, dy, d_edges), d_affine)
    )


def spline_gradients(
    layer: Layer, base: FloatArray, bases: Bases, dy: FloatArray, d_edges: FloatArray | None = None
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """(L2)-(L5), with `d_edges` (L7): d_coef, d_w_base, d_w_spline."""
    # [eq:layer-backward]
    d_matrix = matrix_gradient(dy, bases)
    d_base_matrix = dy.T @ base
    # [/eq:layer-backward]
    if d_edges is not None:
        d_matrix += edge_matrix_gradient(d_edges, bases)
        d_base_matrix += np.einsum("bji,bi->ji", d_edges, base)
    return weight_gradients(layer, d_matrix, d_base_matrix)


def weight_gradients(
    layer: Layer, d_matrix: FloatArray, d_base_matrix: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """(L3)-(L5) from d_C (n_out, n_in * n_basis), which is spent, and d_W (n_out, n_in): d_coef, d_w_base, d_w_spline."""
    # [eq:layer-weights]
    d_spline = d_matrix.reshape(layer.coef.shape)
    d_w_spline = layer.mask * np.einsum("jim,jim->ji", layer.coef, d_spline)
    d_coef = np.multiply((layer.mask * layer.w_spline)[:, :, None], d_spline, out=d_spline)
    d_w_base = d_base_matrix * layer.mask
    # [/eq:layer-weights]
    return d_coef, d_w_base, d_w_spline


# --- an edge by itself


def layer_edge_outputs(layer: Layer, cache: Cache) -> FloatArray:
    """phi_ji(x_bi), (batch, n_out, n_in): the summands of (L1); dead edges are 0."""
    values = cache.base[:, None, :] * layer.base_matrix + edge_sums(
        layer.spline_matrix, cache.bases
    )
    if layer.symbolic:
        own = symbolic_edges.values(layer.symbolic, layer.affine, symbolic_edges.inputs_of(cache.x))
        values[:, *symbolic_edges.numbers(layer.symbolic)] = own
    return values


def edge_slopes(layer: Layer, cache: Cache) -> FloatArray:
    """phi'_ji(x_bi), (batch, n_out, n_in)."""
    if cache.base_slope is None:
        raise ValueError("cache holds no slopes, but edge slopes need evaluate(..., slopes=True)")
    values = cache.base_slope[:, None, :] * layer.base_matrix + edge_sums(
        layer.spline_matrix, cache.bases, plane=1
    )
    if layer.symbolic:
        own = symbolic_edges.slopes(layer.symbolic, layer.affine, symbolic_edges.inputs_of(cache.x))
        values[:, *symbolic_edges.numbers(layer.symbolic)] = own
    return values
