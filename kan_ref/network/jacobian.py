"""The Jacobian of all predictions with respect to the parameters, for
Levenberg-Marquardt.

It is the backward pass of a gradient without its sum over samples. With S_l[n, j] = d
prediction_n / d x_{l+1,j} for each pair n = (sample b, output o), and S_{L-1}[(b, o),
j] = 1 where j = o, else 0,

    (L16)  d prediction_n / d coef_jim    = S[n, j] mask_ji w_spline_ji B_m(x_bi)
    (L17)  d prediction_n / d w_base_ji   = S[n, j] mask_ji b(x_bi)
    (L18)  d prediction_n / d w_spline_ji = S[n, j] mask_ji sum_m coef_jim B_m(x_bi)
    (L19)  S_{l-1}[n, i] = sum_j S_l[n, j] phi'_ji(x_bi)
    (L20)  d prediction_n / d (a, b, c, d) = S[n, j] (c f'(u) x_bi, c f'(u), f(u), 1) of a
           symbolic edge from i to j,  u = a x_bi + b

Only the nonzero basis functions of (L16) are stored: a row has n_out n_in (degree + 3)
entries per layer, in the last layer n_in (degree + 3), whatever the grid.
"""

from collections.abc import Sequence

import numpy as np

from kan_ref.bspline import edge_sums
from kan_ref.checks import FloatArray, IntArray
from kan_ref.network import symbolic_edges
from kan_ref.network.layer import Cache, Layer, edge_slopes
from kan_ref.numerics import RowSparse


def prediction_jacobian(
    layers: Sequence[Layer], caches: Sequence[Cache], scale: float = 1.0
) -> RowSparse:
    """Compute the rows of d (scale * prediction) / d theta, samples first: row b *
    n_out + o.

    `caches` are those of a forward pass; the first may lack derivatives. The result has
    the shape (batch * n_out, n_params). Implements :eq:`prediction-jacobian`,
    :eq:`edge-rows` and :eq:`formula-rows`. Memory: 16 bytes an entry.
    """
    batch, n_last = len(caches[0].base), layers[-1].n_out
    n_params = sum(layer.n_params for layer in layers)
    n_rows, start = batch * n_last, n_params
    columns: list[IntArray] = []
    values: list[FloatArray] = []
    # S of the current layer, (batch, n_last, n_out); None stands for the unit matrix
    sensitivity: FloatArray | None = None
    for number in range(len(layers) - 1, -1, -1):
        layer, cache = layers[number], caches[number]
        start -= layer.n_params
        blocks = [_spline_rows(layer, cache, start, sensitivity)]
        if layer.symbolic:
            blocks.append(formula_rows(layer, cache, start, sensitivity))
        for places, terms in blocks:
            columns.append(places.reshape(n_rows, places.shape[2]))
            values.append((scale * terms).reshape(n_rows, terms.shape[2]))
        if number:
            # [eq:prediction-jacobian]
            slopes = edge_slopes(layer, cache)
            sensitivity = (
                slopes
                if sensitivity is None
                else np.einsum("boj,bji->boi", sensitivity, slopes)
            )
            # [/eq:prediction-jacobian]
    return RowSparse(
        np.concatenate(columns, axis=1), np.concatenate(values, axis=1), n_params
    )


def _spline_rows(
    layer: Layer, cache: Cache, start: int, sensitivity: FloatArray | None
) -> tuple[IntArray, FloatArray]:
    """Return places in theta and values of (L16)-(L18), each (batch, n_last, entries).
    """
    places, terms = _edge_rows(layer, cache, start)
    batch, n_out, n_in, n_entries = terms.shape
    if sensitivity is None:
        own = (batch, n_out, n_in * n_entries)
        return places.reshape(own), terms.reshape(own)
    every = (batch, sensitivity.shape[1], n_out * n_in * n_entries)
    places = np.repeat(places.reshape(batch, 1, every[2]), every[1], axis=1)
    return places, (sensitivity[..., None, None] * terms[:, None]).reshape(every)


def formula_rows(
    layer: Layer, cache: Cache, start: int, sensitivity: FloatArray | None
) -> tuple[IntArray, FloatArray]:
    """Return places in theta and values of (L20), each (batch, n_last, entries)."""
    outputs = symbolic_edges.numbers(layer.symbolic)[0]
    # [eq:formula-rows]
    terms = symbolic_edges.affine_slopes(layer.symbolic, layer.affine, cache.inputs)
    # [/eq:formula-rows]
    first = start + layer.n_params - layer.affine.size
    places = (
        first
        + 4 * np.array([edge.row for edge in layer.symbolic])[:, None]
        + np.arange(4)
    )
    if sensitivity is not None:
        values = sensitivity[:, :, outputs, None] * terms[:, None]
    else:
        own = np.arange(layer.n_out)[:, None] == np.array(outputs)
        # an edge changes no other output of the last layer
        values = np.where(own[:, :, None], terms[:, None], 0.0)
    shape = (*values.shape[:2], 4 * len(outputs))
    return np.broadcast_to(places, values.shape).reshape(shape), values.reshape(shape)


def _edge_rows(layer: Layer, cache: Cache, start: int) -> tuple[IntArray, FloatArray]:
    """Return places and the terms of (L16)-(L18) without S, (batch, n_out, n_in, degree
    + 3).
    """
    n_out, n_in, n_basis = layer.coef.shape
    batch, active = len(cache.base), layer.degree + 1
    edge = np.arange(n_out * n_in).reshape(n_out, n_in)
    places = np.empty((batch, n_out, n_in, active + 2), dtype=np.intp)
    terms = np.empty(places.shape)
    # [eq:edge-rows]
    terms[..., :active] = (
        np.moveaxis(cache.bases.values, 0, 2)[:, None]
        * (layer.mask * layer.w_spline)[:, :, None]
    )
    terms[..., active] = cache.base[:, None] * layer.mask
    terms[..., active + 1] = (
        edge_sums(layer.coef.reshape(n_out, -1), cache.bases) * layer.mask
    )
    # [/eq:edge-rows]
    rows_of_outputs = n_in * n_basis * np.arange(n_out)[:, None, None]
    places[..., :active] = start + cache.bases.places.T[:, None] + rows_of_outputs
    places[..., active] = start + layer.coef.size + edge
    places[..., active + 1] = start + layer.coef.size + layer.w_base.size + edge
    return places, terms
