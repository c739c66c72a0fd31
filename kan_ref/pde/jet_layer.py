"""Jets through one Kolmogorov-Arnold layer: value, first and second derivatives forward, and the reverse of it.

Theorem (Liu et al. 2024, eqs. 2.5 and 2.10-2.12, with the chain rule (T2)-(T8) of `jet_kind`). Every edge phi_ji is a curve of its own
argument, and a node adds up its edges; so with the jet of a curve (phi(x)_k)_k

    (K1)  y_j,k    = sum_i phi_ji(x_i)_k                                        for every part k
    (K2)  spline edges: phi_ji(x)_k = w_base_ji b(x)_k + w_spline_ji sum_m coef_jim B_m(x)_k
          so (K1) is (L1) on a batch of n_parts * batch rows, with b(x)_k and B_m(x)_k for b(x) and B_m(x); (L2)-(L5) likewise
    (K3)  dx       = (T5)-(T7) at sum_j phi'_ji dy_j, sum_j phi''_ji dy_j, sum_j phi'''_ji dy_j
    (K4)  formulas: (T8) with (F4) of `symbolic_edge`
    (K5)  spline edges once more, by (T8), B_m and b being what phi_ji is linear in:
          d_C_jim = sum_b dy_j,0 B_m + t_1 B'_m + t_2 B''_m,   d_W_ji = sum_b dy_j,0 b + t_1 b' + t_2 b''
    (K6)  without the sums over samples, (K5) with (L3)-(L5) and (K4) are the rows dR_b / d parameters where R = sum_b R_b

Where a matrix product is the faster way, (K2) is one, on n_parts rows a sample; elsewhere, by the rule of `spline_sums.gathers`, the layer
walks along its edges, (K1) and (K5), which needs three numbers of a B-spline however many parts there are.
B_m^(q) are the live B-splines' derivatives of order 0 to 3, limits from the right: those of order above the degree are zero, so a layer of
degree 2 has a piecewise constant phi'', of degree 1 none. Arrays are as they lie in memory: nodes, parts, samples.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from kan_ref.bspline import ActiveBasis, active_basis, gathers
from kan_ref.checks import FloatArray, IntArray
from kan_ref.functions import base_function
from kan_ref.network import (
    Layer,
    affine_slopes,
    derivatives,
    numbers,
    weight_gradients,
    with_parameters,
)
from kan_ref.pde.jet_kind import JetKind, chain, chain_back, parameter_weights, products_of


@dataclass(frozen=True, eq=False)
class JetCache:
    """What the reverse needs of a layer's forward.

    `jet` (n_in, n_parts, batch): the layer's input; `quadratic` (n_in, n_second, batch): its q_s. `live`: B-splines of orders 0 to 2, for
    a gradient by the jet to 3; `base`: the same of b, each (n_in, batch). `parts`: where (K2) is a matrix product, its two factors, the
    b(x)_k as (n_in, n_parts * batch) and the B_m(x)_k as (n_in * n_basis, n_parts * batch); None where edges are walked along.
    """

    kind: JetKind
    jet: FloatArray
    quadratic: FloatArray
    live: ActiveBasis
    base: tuple[FloatArray, ...]
    parts: tuple[FloatArray, FloatArray] | None

    @property
    def batch(self) -> int:
        """Number of samples."""
        return int(self.jet.shape[2])

    def __repr__(self) -> str:
        how = "walked" if self.parts is None else f"dense {self.parts[1].shape}"
        return f"JetCache(jet {self.jet.shape}, {self.kind!r}, {self.live!r}, {how})"


def evaluate(layer: Layer, jet: FloatArray, kind: JetKind, *, slopes: bool = True) -> JetCache:
    """Everything in a layer that depends on its input's jet and the knots alone; without `slopes` there is no gradient by the jet."""
    orders = range(4 if slopes else 3)
    x, quadratic = jet[:, 0], products_of(kind, jet)
    live = active_basis(layer.rows, x.T, orders)
    base = base_function(layer.base, x, orders)
    if gathers(
        layer.n_out, kind.n_parts * layer.n_basis // 2, layer.degree
    ):  # a walk costs two plain ones, whatever n_parts
        return JetCache(kind, jet, quadratic, live, base, None)
    base_parts = chain(kind, jet, quadratic, base[:3]).reshape(layer.n_in, -1)
    length = base_parts.shape[1]
    basis_parts = np.zeros((layer.n_in * layer.n_basis, length))
    places = live.columns.T[:, None] * length + np.arange(length).reshape(kind.n_parts, -1)
    for r, planes in enumerate(zip(*live.planes[:3], strict=True)):
        own = basis_parts[r:].reshape(-1)
        own[places] = chain(kind, jet, quadratic, [plane.T for plane in planes])
    return JetCache(kind, jet, quadratic, live, base, (base_parts, basis_parts))


def _curves(layer: Layer, cache: JetCache, orders: Sequence[int]) -> Iterator[list[FloatArray]]:
    """For one output after another phi^(order)_ji at x_0 of its spline edges, each (n_in, batch)."""
    places = cache.live.columns.T + np.arange(layer.degree + 1)[:, None, None]
    for row, base_weights in zip(layer.spline_matrix, layer.base_matrix, strict=True):
        coef = row.take(places)
        # [eq:jet-curves]
        yield [
            base_weights[:, None] * cache.base[order]
            + np.einsum("rib,rbi->ib", coef, cache.live.planes[order])
            for order in orders
        ]
        # [/eq:jet-curves]


# --- forward


def outputs(layer: Layer, cache: JetCache) -> FloatArray:
    """(K1) from what is already evaluated, (n_out, n_parts, batch).

    Notes
    -----
    Implements :eq:`jet-layer`.
    """
    kind, jet, quadratic = cache.kind, cache.jet, cache.quadratic
    # [eq:jet-layer]
    if cache.parts is not None:
        base_parts, basis_parts = cache.parts
        y = layer.base_matrix @ base_parts
        y += layer.spline_matrix @ basis_parts
        y = y.reshape(layer.n_out, kind.n_parts, -1)
    else:
        y = np.empty((layer.n_out, *jet.shape[1:]))
        for y_j, planes in zip(y, _curves(layer, cache, (0, 1, 2)), strict=True):
            chain(kind, jet, quadratic, planes).sum(axis=0, out=y_j)
    # [/eq:jet-layer]
    if layer.symbolic:
        inputs = numbers(layer.symbolic)[1]
        values = derivatives(layer.symbolic, layer.affine, jet[:, 0].T, (0, 1, 2))
        formulas = chain(kind, jet[inputs], quadratic[inputs], list(values.swapaxes(0, 1)))
        for edge, part in zip(layer.symbolic, formulas, strict=True):
            y[edge.output] += part
        y[~np.isfinite(y)] = np.nan  # what a formula leaves undefined is refused at the door
    return y


# --- backward


def input_gradient(layer: Layer, cache: JetCache, dy: FloatArray) -> FloatArray:
    """(K3): dR/d jet, (n_in, n_parts, batch), given dy (n_out, n_parts, batch).

    Notes
    -----
    Implements :eq:`jet-input-gradient`. Few outputs sum over edges' own derivatives, many over what one matrix product pulls back.
    """
    if len(cache.base) < 4:
        raise ValueError(
            "cache holds no slopes, but a gradient with respect to the jet needs evaluate(..., slopes=True)"
        )
    kind = cache.kind
    asked = (
        slice(None),
        slice(1, None),
        kind.second,
    )  # the parts that `chain_back` wants of each sum
    pull = (
        _pull_by_edges if layer.n_out <= kind.n_parts or cache.parts is None else _pull_by_product
    )
    # [eq:jet-input-gradient]
    pulled = pull(layer, cache, dy, asked)
    if layer.symbolic:
        slopes = derivatives(layer.symbolic, layer.affine, cache.jet[:, 0].T, (1, 2, 3))
        for edge, planes in zip(layer.symbolic, slopes, strict=True):
            for total, plane, own in zip(pulled, planes, asked, strict=True):
                total[edge.input] += plane * dy[edge.output, own]
    return chain_back(kind, cache.jet, cache.quadratic, pulled)
    # [/eq:jet-input-gradient]


def _pull_by_edges(
    layer: Layer, cache: JetCache, dy: FloatArray, asked: Sequence[slice]
) -> list[FloatArray]:
    """The three sums of (K3) over spline edges, (n_in, parts asked for, batch), one output after another."""
    totals = [np.zeros((layer.n_in, *dy[0, own].shape)) for own in asked]
    for dy_j, planes in zip(dy, _curves(layer, cache, (1, 2, 3)), strict=True):
        for total, plane, own in zip(totals, planes, asked, strict=True):
            total += plane[:, None] * dy_j[own]
    return totals


def _pull_by_product(
    layer: Layer, cache: JetCache, dy: FloatArray, asked: Sequence[slice]
) -> list[FloatArray]:
    """The same, one input after another, by sum_j C_jim dy_j and sum_j W_ji dy_j, which all three have in common."""
    flat = dy.reshape(layer.n_out, -1)
    matrix = layer.spline_matrix.reshape(layer.coef.shape)
    places = np.arange(flat.shape[1]).reshape(dy.shape[1:])
    first = cache.live.columns - layer.n_basis * np.arange(layer.n_in)
    totals = [np.empty((layer.n_in, *dy[0, own].shape)) for own in asked]
    for i in range(layer.n_in):
        by_base = (layer.base_matrix[:, i] @ flat).reshape(dy.shape[1:])
        by_basis = (matrix[:, i].T @ flat).reshape(-1)
        pulled = [
            by_basis[r * flat.shape[1] :].take(first[:, i] * flat.shape[1] + places)
            for r in range(layer.degree + 1)
        ]
        for order, (total, own) in enumerate(zip(totals, asked, strict=True), start=1):
            np.multiply(by_base[own], cache.base[order][i], out=total[i])
            for part, plane in zip(pulled, cache.live.planes[order][:, :, i], strict=True):
                total[i] += part[own] * plane
    return totals


def parameter_gradients(layer: Layer, cache: JetCache, dy: FloatArray) -> Layer:
    """(K2) or (K5), and (K4): dR/d parameters, as a layer, given dy (n_out, n_parts, batch).

    Notes
    -----
    Implements :eq:`jet-layer-backward`.
    """
    # [eq:jet-layer-backward]
    if cache.parts is not None:
        flat = dy.reshape(layer.n_out, -1)
        d_base_matrix, d_matrix = (flat @ factor.T for factor in cache.parts)
    else:
        d_base_matrix, d_matrix = (
            np.empty(layer.w_base.shape),
            np.empty((layer.n_out, layer.n_in * layer.n_basis)),
        )
        places = (cache.live.columns.T + np.arange(layer.degree + 1)[:, None, None]).reshape(-1)
        for j, dy_j in enumerate(dy):
            weights = (dy_j[0], *parameter_weights(cache.kind, cache.jet, cache.quadratic, dy_j))
            d_base_matrix[j] = sum(
                (weight * plane).sum(axis=-1)
                for weight, plane in zip(weights, cache.base, strict=False)
            )
            numbers = sum(
                weight * plane.swapaxes(1, 2)
                for weight, plane in zip(weights, cache.live.planes, strict=False)
            )
            d_matrix[j] = np.bincount(places, numbers.reshape(-1), minlength=d_matrix.shape[1])
    # [/eq:jet-layer-backward]
    d_affine = np.zeros_like(layer.affine)
    if layer.symbolic:
        np.add.at(
            d_affine,
            [edge.row for edge in layer.symbolic],
            formula_rows(layer, cache, dy).sum(axis=2),
        )
    return with_parameters(layer, (*weight_gradients(layer, d_matrix, d_base_matrix), d_affine))


# --- rows: the same without the sum over samples


def formula_rows(layer: Layer, cache: JetCache, dy: FloatArray) -> FloatArray:
    """(K4) of each sample: dR_b / d (a, b, c, d) of every formula, (n_edges, 4, batch).

    Notes
    -----
    Implements :eq:`jet-formula-rows`.
    """
    x = cache.jet[:, 0].T
    slopes = [
        np.moveaxis(affine_slopes(layer.symbolic, layer.affine, x, order), 0, 2)
        for order in (0, 1, 2)
    ]
    rows = np.empty_like(slopes[0])
    for row, edge, *by_order in zip(rows, layer.symbolic, *slopes, strict=True):
        own = slice(edge.input, edge.input + 1)
        t_1, t_2 = parameter_weights(
            cache.kind, cache.jet[own], cache.quadratic[own], dy[edge.output]
        )
        # [eq:jet-formula-rows]
        row[:] = dy[edge.output, 0] * by_order[0] + t_1 * by_order[1] + t_2 * by_order[2]
        # [/eq:jet-formula-rows]
    return rows


def spline_rows(layer: Layer, cache: JetCache, dy: FloatArray) -> tuple[IntArray, FloatArray]:
    """(K6) of the spline edges: places in the layer's part of theta, and numbers, both (n_out, n_in, degree + 3, batch).

    Notes
    -----
    Implements :eq:`jet-spline-rows`. The entries of an edge: its degree + 1 live coefficients, w_base, w_spline.
    """
    n_out, n_in, n_basis = layer.coef.shape
    live, batch = layer.degree + 1, cache.batch
    rows = np.zeros((n_out, n_in, live + 2, batch))
    places = np.empty(rows.shape, dtype=np.intp)
    # [eq:jet-spline-rows]
    t_0 = np.broadcast_to(dy[:, None, 0], (n_out, n_in, batch))
    for order, weight in enumerate(
        (t_0, *parameter_weights(cache.kind, cache.jet, cache.quadratic, dy))
    ):
        for r, plane in enumerate(cache.live.planes[order]):
            rows[:, :, r] += weight * plane.T
        rows[:, :, live] += weight * cache.base[order]
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
