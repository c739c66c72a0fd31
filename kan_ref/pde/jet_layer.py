"""Jets through one Kolmogorov-Arnold layer: forward pass and backward pass.

Theorem (Liu et al. 2024, eqs. 2.5 and 2.10-2.12, with the chain rule (J2)-(J8) of `jet_kind`).
Every edge phi_ji is a curve of its own argument, and a node sums its edges. With the jet
(phi(x)_k)_k of a curve, and dy = dR/dy of a scalar R,

    (J9)   y_j,k   = sum_i phi_ji(x_i)_k    for every component k
    (J10)  dx      = (J5)-(J7) at sum_j phi'_ji dy_j, sum_j phi''_ji dy_j, sum_j phi'''_ji dy_j
    (J11)  spline edges, phi_ji = W_ji b + sum_m C_jim B_m, by (J8):
           d_C_jim = sum_b dy_j,0 B_m + t_1 B'_m + t_2 B''_m
           d_W_ji  = sum_b dy_j,0 b + t_1 b' + t_2 b''
    (J12)  symbolic edges: (J8) with the partial derivatives :eq:`symbolic-parameters`
    (J13)  where R = sum_b R_b, the rows dR_b / d parameters are (J11) and (J12) without sum_b

The sums over spline edges are evaluated from the degree + 1 nonzero basis functions of each sample,
one output after another. By (J11) three numbers of a basis function are enough, however many
components a jet has.

Derivatives B_m^(q) are limits from the right, of orders 0 to 3. Those of order above the degree are
zero: a layer of degree 2 has a piecewise constant phi'', a layer of degree 1 none. The axes of
arrays are nodes, components, samples, as in memory.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from kan_ref.bspline import ActiveBasis, evaluate_bases
from kan_ref.checks import FloatArray, IntArray
from kan_ref.functions import BASE_FUNCTIONS
from kan_ref.network import (
    Layer,
    affine_slopes,
    derivatives,
    numbers,
    weight_gradients,
    with_parameters,
)
from kan_ref.pde.jet_kind import (
    JetKind,
    chain,
    chain_back,
    parameter_weights,
    products_of,
    upstream_slices,
)


@dataclass(frozen=True, eq=False)
class JetCache:
    """Values of a layer's forward pass that its backward pass needs.

    `jet` (n_in, n_components, batch): the layer's input; `quadratic` (n_in, n_second, batch): its
    q_s. `active`: nonzero basis functions and their derivatives of orders 1 and 2, for a gradient
    with respect to the jet also 3; `base`: the same of b, each (n_in, batch).
    """

    kind: JetKind
    jet: FloatArray
    quadratic: FloatArray
    active: ActiveBasis
    base: tuple[FloatArray, ...]

    @property
    def batch(self) -> int:
        """Number of samples."""
        return int(self.jet.shape[2])

    def __repr__(self) -> str:
        return f"JetCache(jet {self.jet.shape}, {self.kind!r}, {self.active!r})"


def evaluate(layer: Layer, jet: FloatArray, kind: JetKind, *, slopes: bool = True) -> JetCache:
    """Return everything in a layer that depends on its input jet and the knots alone.

    Without `slopes`, third derivatives are left out, and there is no gradient with respect to the
    jet.
    """
    orders = range(4 if slopes else 3)
    x, quadratic = jet[:, 0], products_of(kind, jet)
    active = evaluate_bases(layer.rows, x.T, orders[-1], gathered=True, workspace=None).active
    base = tuple(BASE_FUNCTIONS[layer.base](x, orders))
    return JetCache(kind, jet, quadratic, active, base)


# --- forward


def outputs(layer: Layer, cache: JetCache) -> FloatArray:
    """Return the jets of the outputs, (n_out, n_components, batch), by (J9).

    Notes
    -----
    Implements :eq:`jet-layer`.
    """
    y = np.empty((layer.n_out, *cache.jet.shape[1:]))
    # [eq:jet-layer]
    for y_j, curves in zip(y, _curves(layer, cache, (0, 1, 2)), strict=True):
        chain(cache.kind, cache.jet, cache.quadratic, curves).sum(axis=0, out=y_j)
    # [/eq:jet-layer]
    if layer.symbolic:
        kind, jet, inputs = cache.kind, cache.jet, numbers(layer.symbolic)[1]
        values = derivatives(layer.symbolic, layer.affine, jet[:, 0].T, (0, 1, 2))
        jets = chain(kind, jet[inputs], cache.quadratic[inputs], list(values.swapaxes(0, 1)))
        for edge, own in zip(layer.symbolic, jets, strict=True):
            y[edge.output] += own
        # undefined values of symbolic edges are rejected by the public functions
        y[~np.isfinite(y)] = np.nan
    return y


def _curves(layer: Layer, cache: JetCache, orders: Sequence[int]) -> Iterator[list[FloatArray]]:
    """Yield the derivatives phi^(order)_ji(x_0) of one output after another.

    For each output there is a list over `orders` of arrays (n_in, batch); symbolic edges are 0.
    """
    places = _places(layer, cache)
    for row, base_weights in zip(layer.spline_matrix, layer.base_matrix, strict=True):
        coef = row.take(places)
        # [eq:jet-curves]
        yield [
            base_weights[:, None] * cache.base[order]
            + np.einsum("rib,rib->ib", coef, cache.active.planes[order].swapaxes(1, 2))
            for order in orders
        ]
        # [/eq:jet-curves]


def _places(layer: Layer, cache: JetCache) -> IntArray:
    """Return the places (degree + 1, n_in, batch) of nonzero basis functions in a row of C."""
    places: IntArray = cache.active.columns.T + np.arange(layer.degree + 1)[:, None, None]
    return places


# --- backward


def input_gradient(layer: Layer, cache: JetCache, dy: FloatArray) -> FloatArray:
    """Return dR/d jet (n_in, n_components, batch), given dy (n_out, n_components, batch): (J10).

    Notes
    -----
    Implements :eq:`jet-input-gradient`.
    """
    if len(cache.base) < 4:
        raise ValueError(
            "cache holds no third derivatives, but a gradient with respect to the jet needs "
            "`evaluate(..., slopes=True)`"
        )
    slices = upstream_slices(cache.kind)
    # [eq:jet-input-gradient]
    sums = _input_sums(layer, cache, dy)
    if layer.symbolic:
        by_edge = derivatives(layer.symbolic, layer.affine, cache.jet[:, 0].T, (1, 2, 3))
        for edge, curves in zip(layer.symbolic, by_edge, strict=True):
            for total, curve, own in zip(sums, curves, slices, strict=True):
                total[edge.input] += curve * dy[edge.output, own]
    return chain_back(cache.kind, cache.jet, cache.quadratic, sums)
    # [/eq:jet-input-gradient]


def _input_sums(layer: Layer, cache: JetCache, dy: FloatArray) -> list[FloatArray]:
    """Return the sums of phi' dy, phi'' dy, phi''' dy over the spline edges, for `chain_back`."""
    slices = upstream_slices(cache.kind)
    sums = [np.zeros((layer.n_in, *dy[0, own].shape)) for own in slices]
    for dy_j, curves in zip(dy, _curves(layer, cache, (1, 2, 3)), strict=True):
        for total, curve, own in zip(sums, curves, slices, strict=True):
            total += curve[:, None] * dy_j[own]
    return sums


def parameter_gradients(layer: Layer, cache: JetCache, dy: FloatArray) -> Layer:
    """Return dR/d parameters as a layer, given dy (n_out, n_components, batch): (J11), (J12)."""
    d_matrix = np.empty((layer.n_out, layer.n_in * layer.n_basis))
    d_base_matrix = np.empty(layer.w_base.shape)
    places = _places(layer, cache).reshape(-1)
    for j, dy_j in enumerate(dy):
        by_basis, by_base = _matrix_rows(cache, dy_j)
        d_matrix[j] = np.bincount(places, by_basis.reshape(-1), minlength=d_matrix.shape[1])
        d_base_matrix[j] = by_base.sum(axis=1)
    d_affine = np.zeros_like(layer.affine)
    if layer.symbolic:
        rows = [edge.row for edge in layer.symbolic]
        np.add.at(d_affine, rows, symbolic_rows(layer, cache, dy).sum(axis=2))
    return with_parameters(layer, (*weight_gradients(layer, d_matrix, d_base_matrix), d_affine))


# --- rows: the backward pass without the sum over samples


def _matrix_rows(cache: JetCache, dy_j: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the summands of d_C_j (degree + 1, n_in, batch) and d_W_j (n_in, batch) in (J11).

    Notes
    -----
    Implements :eq:`jet-layer-backward`.
    """
    # [eq:jet-layer-backward]
    t_1, t_2 = parameter_weights(cache.kind, cache.jet, cache.quadratic, dy_j)
    value, slope, curvature = (plane.swapaxes(1, 2) for plane in cache.active.planes[:3])
    by_basis = dy_j[0] * value + t_1 * slope + t_2 * curvature
    by_base = dy_j[0] * cache.base[0] + t_1 * cache.base[1] + t_2 * cache.base[2]
    # [/eq:jet-layer-backward]
    return by_basis, by_base


def spline_rows(layer: Layer, cache: JetCache, dy: FloatArray) -> tuple[IntArray, FloatArray]:
    """Return the rows (J13) of the spline edges: places in the layer's theta, and numbers.

    Both are (n_out, n_in, degree + 3, batch). The entries of an edge are those of its degree + 1
    active coefficients, of w_base and of w_spline.

    Notes
    -----
    Implements :eq:`jet-spline-rows`.
    """
    n_out, n_in, n_basis = layer.coef.shape
    active = layer.degree + 1
    rows = np.empty((n_out, n_in, active + 2, cache.batch))
    columns = _places(layer, cache).swapaxes(0, 1)
    # [eq:jet-spline-rows]
    for row, coef, dy_j in zip(rows, layer.coef.reshape(n_out, -1), dy, strict=True):
        by_basis, row[:, active] = _matrix_rows(cache, dy_j)
        row[:, :active] = by_basis.swapaxes(0, 1)
        np.einsum("irb,irb->ib", coef.take(columns), row[:, :active], out=row[:, active + 1])
    rows[:, :, :active] *= (layer.mask * layer.w_spline)[:, :, None, None]
    rows[:, :, active:] *= layer.mask[:, :, None, None]
    # [/eq:jet-spline-rows]
    places = np.empty(rows.shape, dtype=np.intp)
    edge = np.arange(n_out * n_in).reshape(n_out, n_in, 1)
    places[:, :, :active] = columns + (n_in * n_basis * np.arange(n_out))[:, None, None, None]
    places[:, :, active] = layer.coef.size + edge
    places[:, :, active + 1] = layer.coef.size + layer.w_base.size + edge
    return places, rows


def symbolic_rows(layer: Layer, cache: JetCache, dy: FloatArray) -> FloatArray:
    """Return dR_b / d (a, b, c, d) of every symbolic edge, (n_edges, 4, batch), by (J12).

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
        own, dy_j = slice(edge.input, edge.input + 1), dy[edge.output]
        # [eq:jet-formula-rows]
        t_1, t_2 = parameter_weights(cache.kind, cache.jet[own], cache.quadratic[own], dy_j)
        row[:] = dy_j[0] * by_order[0] + t_1 * by_order[1] + t_2 * by_order[2]
        # [/eq:jet-formula-rows]
    return rows
