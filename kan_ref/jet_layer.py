"""Jets through one Kolmogorov-Arnold layer: value, first and second derivatives forward, and the reverse of it.

Theorem (Liu et al. 2024, eqs. 2.5 and 2.10-2.12, with the chain rule (T2)-(T8) of `jet_kind`). Every edge phi_ji is a curve of its own
argument, and a node adds up its edges; so with the jet of a curve (phi(x)_k)_k

    (K1)  y_j,k    = sum_i phi_ji(x_i)_k                                        for every part k
    (K2)  spline edges: phi_ji(x)_k = w_base_ji b(x)_k + w_spline_ji sum_m coef_jim B_m(x)_k
          so (K1) is (L1) on a batch of n_parts * batch rows, with b(x)_k and B_m(x)_k for b(x) and B_m(x); (L2)-(L5) likewise
    (K3)  dx       = (T5)-(T7) at sum_j phi'_ji dy_j, sum_j phi''_ji dy_j, sum_j phi'''_ji dy_j
    (K4)  formulas: (T8) with (F4) of `symbolic_edge`
    (K5)  without the sums over samples, (L3)-(L5) and (K4) are the rows dR_b / d parameters where R = sum_b R_b

B_m^(q) are the live B-splines' derivatives of order 0 to 3, limits from the right: those of order above the degree are zero, so a layer of
degree 2 has a piecewise constant phi'', of degree 1 none.
Arrays are as they lie in memory: nodes, parts, samples.
"""

from dataclasses import dataclass

import numpy as np

from kan_ref import contraction, symbolic_edge
from kan_ref.base_function import base_function
from kan_ref.checks import FloatArray, IntArray
from kan_ref.contraction import Bases
from kan_ref.jet_kind import JetKind, chain, chain_back, parameter_weights, products_of
from kan_ref.layer import spline_gradients, spline_outputs
from kan_ref.layer_record import Layer, with_parameters
from kan_ref.live_bspline import LiveBasis, live_basis, scatter


@dataclass(frozen=True, eq=False)
class JetCache:
    """What the reverse needs of a layer's forward.

    `jet` (n_in, n_parts, batch): the layer's input; `quadratic` (n_in, n_second, batch): its q_s. `live`: B-splines of orders 0 to 2, for
    a gradient by x to 3; `base`: the same of b, each (n_in, batch). `bases`, `base_parts`: B_m(x)_k and b(x)_k as n_parts * batch samples.
    """

    kind: JetKind
    jet: FloatArray
    quadratic: FloatArray
    live: LiveBasis
    base: tuple[FloatArray, ...]
    bases: Bases
    base_parts: FloatArray

    @property
    def batch(self) -> int:
        """Number of samples."""
        return int(self.jet.shape[2])

    def __repr__(self) -> str:
        return f"JetCache(jet {self.jet.shape}, {self.kind!r}, {self.bases!r})"


def evaluate(layer: Layer, jet: FloatArray, kind: JetKind, *, slopes: bool = True) -> JetCache:
    """Everything in a layer that depends on its input's jet and the knots alone; without `slopes` there is no gradient by the jet."""
    orders = range(4 if slopes else 3)
    x, quadratic = jet[:, 0], products_of(kind, jet)
    live = live_basis(layer.rows, x.T, orders)
    base = base_function(layer.base, x, orders)
    planes = chain(kind, jet, quadratic, [plane.swapaxes(1, 2) for plane in live.planes[:3]])
    n_in, n_parts, batch = jet.shape
    rows = (n_in, n_parts * batch)
    columns = np.repeat(live.columns.T[:, None], n_parts, axis=1).reshape(rows)
    stacked = LiveBasis(columns.T, (planes.reshape(-1, *rows).swapaxes(1, 2),))
    n_columns = layer.n_in * layer.n_basis
    dense = None if contraction.gathers(layer.n_out, layer.n_basis, layer.degree) else scatter(stacked, 0, n_columns)
    base_parts = chain(kind, jet, quadratic, base[:3]).reshape(rows)
    return JetCache(kind, jet, quadratic, live, base, Bases(stacked, n_columns, dense), base_parts.T)


# --- forward


def outputs(layer: Layer, cache: JetCache) -> FloatArray:
    """(K1) from what is already evaluated, (n_out, n_parts, batch).

    Notes
    -----
    Implements :eq:`jet-layer`.
    """
    # [eq:jet-layer]
    y = spline_outputs(layer, cache.base_parts, cache.bases).T.reshape(layer.n_out, -1, cache.batch)
    if layer.symbolic:
        inputs = symbolic_edge.numbers(layer.symbolic)[1]
        planes = symbolic_edge.derivatives(layer.symbolic, layer.affine, cache.jet[:, 0].T, (0, 1, 2))
        with np.errstate(invalid="ignore"):  # what a formula leaves undefined is refused at the door
            parts = chain(cache.kind, cache.jet[inputs], cache.quadratic[inputs], list(planes.swapaxes(0, 1)))
            for edge, part in zip(layer.symbolic, parts, strict=True):
                y[edge.output] += part
    # [/eq:jet-layer]
    return y


# --- backward


def input_gradient(layer: Layer, cache: JetCache, dy: FloatArray) -> FloatArray:
    """(K3): dR/d jet, (n_in, n_parts, batch), given dy (n_out, n_parts, batch).

    Notes
    -----
    Implements :eq:`jet-input-gradient`. Few outputs sum over edges' own derivatives, many over what one matrix product pulls back.
    """
    if len(cache.base) < 4:
        raise ValueError("cache holds no slopes, but a gradient with respect to the jet needs evaluate(..., slopes=True)")
    # [eq:jet-input-gradient]
    pulled = _pull_splines(layer, cache, dy)
    if layer.symbolic:
        slopes = symbolic_edge.derivatives(layer.symbolic, layer.affine, cache.jet[:, 0].T, (1, 2, 3))
        with np.errstate(invalid="ignore", over="ignore"):
            for edge, planes in zip(layer.symbolic, slopes, strict=True):
                for total, plane in zip(pulled, planes, strict=True):
                    total[edge.input] += plane * dy[edge.output]
    return chain_back(cache.kind, cache.jet, cache.quadratic, pulled)
    # [/eq:jet-input-gradient]


def _pull_splines(layer: Layer, cache: JetCache, dy: FloatArray) -> list[FloatArray]:
    """The three sums of (K3) over spline edges, each (n_in, n_parts, batch)."""
    n_parts, matrix, base_matrix = dy.shape[1], layer.spline_matrix, layer.base_matrix
    if layer.n_out <= n_parts or cache.bases.dense is None:
        bases = Bases(cache.live, cache.bases.n_columns, None)
        return [
            np.einsum("jib,jkb->ikb", edge_planes(matrix, base_matrix, bases, cache, order), dy)  # phi^(order) is not kept
            for order in (1, 2, 3)
        ]
    flat = dy.reshape(layer.n_out, -1)
    by_base = (base_matrix.T @ flat).reshape(layer.n_in, n_parts, -1)
    by_basis = (matrix.T @ flat).reshape(-1)
    totals = [by_base * plane[:, None] for plane in cache.base[1:]]
    places = cache.live.columns.T[:, None] * flat.shape[1] + np.arange(flat.shape[1]).reshape(n_parts, -1)
    for r in range(layer.degree + 1):
        own = by_basis[r * flat.shape[1] :].take(places)
        for total, plane in zip(totals, cache.live.planes[1:], strict=True):
            total += own * plane[r].T[:, None]
    return totals


def edge_planes(matrix: FloatArray, base_matrix: FloatArray, bases: Bases, cache: JetCache, order: int) -> FloatArray:
    """phi^(order)_ji at x_0 of all spline edges, (n_out, n_in, batch)."""
    planes = contraction.edge_sums(matrix, bases, order).transpose(1, 2, 0)
    planes += base_matrix[:, :, None] * cache.base[order]
    return planes


def parameter_gradients(layer: Layer, cache: JetCache, dy: FloatArray) -> Layer:
    """(L2)-(L5) on all parts and (K4): dR/d parameters, as a layer, given dy (n_out, n_parts, batch)."""
    d_coef, d_w_base, d_w_spline = spline_gradients(layer, cache.base_parts, cache.bases, dy.reshape(layer.n_out, -1).T)
    d_affine = np.zeros_like(layer.affine)
    if layer.symbolic:
        np.add.at(d_affine, [edge.row for edge in layer.symbolic], formula_rows(layer, cache, dy).sum(axis=2))
    return with_parameters(layer, (d_coef, d_w_base, d_w_spline, d_affine))


# --- rows: the same without the sum over samples


def formula_rows(layer: Layer, cache: JetCache, dy: FloatArray) -> FloatArray:
    """(K4) of each sample: dR_b / d (a, b, c, d) of every formula, (n_edges, 4, batch).

    Notes
    -----
    Implements :eq:`jet-formula-rows`.
    """
    x = cache.jet[:, 0].T
    slopes = [np.moveaxis(symbolic_edge.affine_slopes(layer.symbolic, layer.affine, x, order), 0, 2) for order in (0, 1, 2)]
    rows = np.empty_like(slopes[0])
    with np.errstate(invalid="ignore", over="ignore"):
        for row, edge, *by_order in zip(rows, layer.symbolic, *slopes, strict=True):
            own = slice(edge.input, edge.input + 1)
            t_1, t_2 = parameter_weights(cache.kind, cache.jet[own], cache.quadratic[own], dy[edge.output])
            # [eq:jet-formula-rows]
            row[:] = dy[edge.output, 0] * by_order[0] + t_1 * by_order[1] + t_2 * by_order[2]
            # [/eq:jet-formula-rows]
    return rows


def spline_rows(layer: Layer, cache: JetCache, dy: FloatArray) -> tuple[IntArray, FloatArray]:
    """(K5) of the spline edges: places in the layer's part of theta, and numbers, both (n_out, n_in, degree + 3, batch).

    Notes
    -----
    Implements :eq:`jet-spline-rows`. The entries of an edge: its degree + 1 live coefficients, w_base, w_spline.
    """
    n_out, n_in, n_basis = layer.coef.shape
    live, batch, n_parts = layer.degree + 1, cache.batch, dy.shape[1]
    rows = np.empty((n_out, n_in, live + 2, batch))
    places = np.empty(rows.shape, dtype=np.intp)
    # [eq:jet-spline-rows]
    values = cache.bases.values.swapaxes(1, 2).reshape(live, n_in, n_parts, batch)
    np.einsum("jkb,rikb->jirb", dy, values, out=rows[:, :, :live])
    np.einsum("jkb,ikb->jib", dy, cache.base_parts.T.reshape(n_in, n_parts, batch), out=rows[:, :, live])
    columns = cache.live.columns.T[:, None] + np.arange(live)[:, None]
    for row, coef in zip(rows, layer.coef.reshape(n_out, -1), strict=True):
        np.einsum("irb,irb->ib", coef.take(columns), row[:, :live], out=row[:, live + 1])
    rows[:, :, :live] *= (layer.mask * layer.w_spline)[:, :, None, None]
    rows[:, :, live:] *= layer.mask[:, :, None, None]
    # [/eq:jet-spline-rows]
    edge = np.arange(n_out * n_in).reshape(n_out, n_in, 1)
    places[:, :, :live] = columns + (n_in * n_basis * np.arange(n_out))[:, None, None, None]
    places[:, :, live] = layer.coef.size + edge
    places[:, :, live + 1] = layer.coef.size + layer.w_base.size + edge
    return places, rows
