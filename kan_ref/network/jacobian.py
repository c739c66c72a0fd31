"""The Jacobian of predictions by parameters, for Levenberg-Marquardt.

It is the backward pass of a gradient without its sum over samples. With S_l[n, j] = d
prediction_n / d x_{l+1,j} for each pair n = (sample b, output o), and S_{L-1}[(b, o),
j] = 1 where j = o, else 0,

    (L16)  d prediction_n / d coef_jim    = S[n, j] mask_ji w_spline_ji B_m(x_bi)
    (L17)  d prediction_n / d w_base_ji   = S[n, j] mask_ji b(x_bi)
    (L18)  d prediction_n / d w_spline_ji = S[n, j] mask_ji sum_m coef_jim B_m(x_bi)
    (L19)  S_{l-1}[n, i] = sum_j S_l[n, j] phi'_ji(x_bi)
    (L20)  d prediction_n / d (a, b, c, d) = S[n, j] (c f'(u) x_bi, c f'(u), f(u), 1)
           of a symbolic edge from i to j,  u = a x_bi + b

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
    """Compute the rows of d (scale * prediction) / d theta.

    `caches` are those of a forward pass; the first may lack derivatives. Samples come
    first: row b * n_out + o. The result has the shape (batch * n_out, n_params).
    Implements :eq:`prediction-jacobian`, :eq:`edge-rows` and :eq:`formula-rows`.
    Memory: 16 bytes an entry.
    """
    n_rows = len(caches[0].base) * layers[-1].n_out
    n_params = sum(layer.n_params for layer in layers)
    columns: list[IntArray] = []
    values: list[FloatArray] = []
    # S of the current layer, (batch, n_last, n_out); None stands for the unit matrix
    sensitivity: FloatArray | None = None
    start = n_params
    for layer, cache in zip(reversed(layers), reversed(caches), strict=True):
        start -= layer.n_params
        blocks = [_spline_rows(layer, cache, start, sensitivity)]
        if layer.symbolic:
            blocks.append(formula_rows(layer, cache, start, sensitivity))
        for places, terms in blocks:
            shape = (n_rows, terms.shape[2])
            columns.append(places.reshape(shape))
            values.append((scale * terms).reshape(shape))
        if start > 0:  # not the first layer
            slopes = edge_slopes(layer, cache)
            # [eq:prediction-jacobian]
            if sensitivity is None:
                sensitivity = slopes
            else:
                sensitivity = np.einsum("boj,bji->boi", sensitivity, slopes)
            # [/eq:prediction-jacobian]
    return RowSparse(
        np.concatenate(columns, axis=1),
        np.concatenate(values, axis=1),
        n_params,
    )


def _spline_rows(
    layer: Layer, cache: Cache, start: int, sensitivity: FloatArray | None
) -> tuple[IntArray, FloatArray]:
    """Return places in theta, values of (L16)-(L18), (batch, n_last, entries) each."""
    places, terms = _edge_rows(layer, cache, start)
    batch, n_out, n_in, n_entries = terms.shape
    if sensitivity is None:
        shape = (batch, n_out, n_in * n_entries)
        return places.reshape(shape), terms.reshape(shape)

    n_last = sensitivity.shape[1]
    n_all = n_out * n_in * n_entries
    places = np.repeat(places.reshape(batch, 1, n_all), n_last, axis=1)
    values = sensitivity[..., None, None] * terms[:, None]
    return places, values.reshape(batch, n_last, n_all)


def formula_rows(
    layer: Layer, cache: Cache, start: int, sensitivity: FloatArray | None
) -> tuple[IntArray, FloatArray]:
    """Return places in theta and values of (L20), each (batch, n_last, entries)."""
    outputs = symbolic_edges.numbers(layer.symbolic)[0]
    # [eq:formula-rows]
    terms = symbolic_edges.affine_slopes(layer.symbolic, layer.affine, cache.inputs)
    # [/eq:formula-rows]
    if sensitivity is not None:
        values = sensitivity[:, :, outputs, None] * terms[:, None]
    else:
        # an edge changes no other output of the last layer
        own = np.arange(layer.n_out)[:, None] == outputs
        values = np.where(own[:, :, None], terms[:, None], 0.0)

    first = start + layer.n_params - layer.affine.size
    rows = np.array([edge.row for edge in layer.symbolic])
    places = first + 4 * rows[:, None] + np.arange(4)
    places = np.broadcast_to(places, values.shape)
    shape = (*values.shape[:2], 4 * len(outputs))
    return places.reshape(shape), values.reshape(shape)


def _edge_rows(layer: Layer, cache: Cache, start: int) -> tuple[IntArray, FloatArray]:
    """Return places and terms of (L16)-(L18) without S.

    Both are (batch, n_out, n_in, degree + 3).
    """
    n_out, n_in, n_basis = layer.coef.shape
    active = layer.degree + 1
    terms = np.empty((len(cache.base), n_out, n_in, active + 2))
    basis = np.moveaxis(cache.bases.values, 0, 2)
    sums = edge_sums(layer.coef.reshape(n_out, -1), cache.bases)
    # [eq:edge-rows]
    weights = layer.mask * layer.w_spline
    terms[..., :active] = basis[:, None] * weights[:, :, None]
    terms[..., active] = cache.base[:, None] * layer.mask
    terms[..., active + 1] = sums * layer.mask
    # [/eq:edge-rows]

    places = np.empty(terms.shape, dtype=np.intp)
    row = n_in * n_basis * np.arange(n_out)[:, None, None]
    edge = start + layer.coef.size + np.arange(n_out * n_in).reshape(n_out, n_in)
    places[..., :active] = start + cache.bases.places.T[:, None] + row
    places[..., active] = edge
    places[..., active + 1] = edge + layer.w_base.size
    return places, terms
