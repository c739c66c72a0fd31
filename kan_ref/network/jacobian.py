"""The Jacobian of all predictions with respect to the parameters, and its squared column norms.

The Jacobian, for Levenberg-Marquardt, is the backward pass of a gradient without its sum over
samples. With S_l[n, j] = d prediction_n / d x_{l+1,j} for each pair n = (sample b, output o), and
S_{L-1}[(b, o), j] = 1 where j = o, else 0,

    (L16)  d prediction_n / d coef_jim    = S[n, j] mask_ji w_spline_ji B_m(x_bi)
    (L17)  d prediction_n / d w_base_ji   = S[n, j] mask_ji b(x_bi)
    (L18)  d prediction_n / d w_spline_ji = S[n, j] mask_ji sum_m coef_jim B_m(x_bi)
    (L19)  S_{l-1}[n, i] = sum_j S_l[n, j] phi'_ji(x_bi)
    (L20)  d prediction_n / d (a, b, c, d) = S[n, j] (c f'(u) x_bi, c f'(u), f(u), 1) of a
           symbolic edge from i to j,  u = a x_bi + b

Only the nonzero basis functions of (L16) are stored: a row has n_out n_in (degree + 3) entries per
layer, in the last layer n_in (degree + 3), whatever the grid.

How strongly a parameter changes the predictions on all samples is measured by

    (L27)  d_p = sum_n (d prediction_n / d theta_p)^2

the diagonal of J^T J. It needs no Jacobian: (L16)-(L18) give for each edge of a layer, where the
edge is not masked,

    (L28)  q_bj              = sum_o S[(b, o), j]^2
    (L29)  d of coef_jim     = w_spline_ji^2 sum_b q_bj B_m(x_bi)^2
           d of w_base_ji    = sum_b q_bj b(x_bi)^2
           d of w_spline_ji  = sum_b q_bj (sum_m coef_jim B_m(x_bi))^2

So (L27) takes little more than one backward pass per output. One backward pass of squares alone,
q_bi = sum_j q_bj phi'_ji(x_bi)^2, would be exact for two layers only: in a deeper network the paths
from a node to an output add up before the square.
"""

from collections.abc import Sequence

import numpy as np

from kan_ref.bspline import edge_sums, matrix_gradient, squared
from kan_ref.checks import FloatArray, IntArray
from kan_ref.network import symbolic_edges
from kan_ref.network.cache import Cache
from kan_ref.network.layer import Layer, edge_slopes
from kan_ref.numerics import RowSparse, column_squares


def prediction_jacobian(
    layers: Sequence[Layer], caches: Sequence[Cache], scale: float = 1.0
) -> RowSparse:
    """Compute the rows of d (scale * prediction) / d theta, samples first: row b * n_out + o.

    Parameters
    ----------
    layers : sequence of Layer
        Of one network.
    caches : sequence of Cache
        From a forward pass; the first may lack derivatives.
    scale : float

    Returns
    -------
    jacobian : RowSparse
        (batch * n_out, n_params).

    Notes
    -----
    Implements :eq:`prediction-jacobian`, :eq:`edge-rows` and :eq:`formula-rows`. Memory: 16 bytes
    an entry.
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
                slopes if sensitivity is None else np.einsum("boj,bji->boi", sensitivity, slopes)
            )
            # [/eq:prediction-jacobian]
    return RowSparse(np.concatenate(columns, axis=1), np.concatenate(values, axis=1), n_params)


def _spline_rows(
    layer: Layer, cache: Cache, start: int, sensitivity: FloatArray | None
) -> tuple[IntArray, FloatArray]:
    """Return places in theta and values of (L16)-(L18), each (batch, n_last, entries)."""
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
    places = first + 4 * np.array([edge.row for edge in layer.symbolic])[:, None] + np.arange(4)
    if sensitivity is not None:
        values = sensitivity[:, :, outputs, None] * terms[:, None]
    else:
        own = np.arange(layer.n_out)[:, None] == np.array(outputs)
        # an edge changes no other output of the last layer
        values = np.where(own[:, :, None], terms[:, None], 0.0)
    shape = (*values.shape[:2], 4 * len(outputs))
    return np.broadcast_to(places, values.shape).reshape(shape), values.reshape(shape)


def _edge_rows(layer: Layer, cache: Cache, start: int) -> tuple[IntArray, FloatArray]:
    """Return places and the terms of (L16)-(L18) without S, (batch, n_out, n_in, degree + 3)."""
    n_out, n_in, n_basis = layer.coef.shape
    batch, active = len(cache.base), layer.degree + 1
    edge = np.arange(n_out * n_in).reshape(n_out, n_in)
    places = np.empty((batch, n_out, n_in, active + 2), dtype=np.intp)
    terms = np.empty(places.shape)
    # [eq:edge-rows]
    terms[..., :active] = (
        np.moveaxis(cache.bases.values, 0, 2)[:, None] * (layer.mask * layer.w_spline)[:, :, None]
    )
    terms[..., active] = cache.base[:, None] * layer.mask
    terms[..., active + 1] = edge_sums(layer.coef.reshape(n_out, -1), cache.bases) * layer.mask
    # [/eq:edge-rows]
    rows_of_outputs = n_in * n_basis * np.arange(n_out)[:, None, None]
    places[..., :active] = start + cache.bases.places.T[:, None] + rows_of_outputs
    places[..., active] = start + layer.coef.size + edge
    places[..., active + 1] = start + layer.coef.size + layer.w_base.size + edge
    return places, terms


def prediction_column_squares(layers: Sequence[Layer], caches: Sequence[Cache]) -> FloatArray:
    """Compute (L27), the squared norms of the columns of `prediction_jacobian`, (n_params,).

    Parameters
    ----------
    layers : sequence of Layer
        Of one network.
    caches : sequence of Cache
        From a forward pass; the first may lack derivatives.

    Returns
    -------
    squares : (n_params,)
        At least 0, in the order of theta; 0 for parameters of masked edges, and for coefficients of
        basis functions that are 0 at all samples.

    Notes
    -----
    Implements :eq:`column-squares`. Memory: 8 bytes times batch times the largest n_out n_in of a
    layer, a few times.
    """
    pieces: list[FloatArray] = []
    # S of the current layer, (batch, n_last, n_out); None stands for the unit matrix
    sensitivity: FloatArray | None = None
    for number in range(len(layers) - 1, -1, -1):
        layer, cache = layers[number], caches[number]
        pieces[:0] = _layer_squares(layer, cache, sensitivity)
        if number:
            slopes = edge_slopes(layer, cache)
            sensitivity = (
                slopes if sensitivity is None else np.einsum("boj,bji->boi", sensitivity, slopes)
            )
    return np.concatenate([piece.reshape(-1) for piece in pieces])


def _layer_squares(
    layer: Layer, cache: Cache, sensitivity: FloatArray | None
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Compute (L29) of one layer, and the same of its symbolic edges, in the order of theta."""
    batch, n_out = len(cache.base), layer.n_out
    # [eq:column-squares]
    q = np.ones((batch, n_out)) if sensitivity is None else (sensitivity**2).sum(axis=1)
    d_coef = matrix_gradient(q, squared(cache.bases)).reshape(layer.coef.shape)
    d_coef *= ((layer.mask * layer.w_spline) ** 2)[:, :, None]
    d_w_base = layer.mask * (q.T @ cache.base**2)
    splines = edge_sums(layer.coef.reshape(n_out, -1), cache.bases)
    d_w_spline = layer.mask * np.einsum("bj,bji->ji", q, splines**2)
    # [/eq:column-squares]
    d_affine = layer.affine
    if layer.symbolic:
        places, terms = formula_rows(layer, cache, 0, sensitivity)
        n_rows = batch * terms.shape[1]
        rows = RowSparse(
            (places - (layer.n_params - layer.affine.size)).reshape(n_rows, -1),
            terms.reshape(n_rows, -1),
            layer.affine.size,
        )
        d_affine = column_squares(rows)
    return d_coef, d_w_base, d_w_spline, d_affine
