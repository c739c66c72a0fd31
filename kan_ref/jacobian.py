"""How every sample's predictions move with every parameter: the rows that Levenberg-Marquardt needs.

The same backward pass as for a gradient, without its sum over samples. With S_l[n, j] = d prediction_n / d x_{l+1,j}
for each pair n = (sample b, output o), and S_{L-1}[(b, o), j] = 1 where j = o, else 0,

    (J1)  d prediction_n / d coef_jim   = S[n, j] mask_ji w_spline_ji B_m(x_bi)
    (J2)  d prediction_n / d w_base_ji  = S[n, j] mask_ji b(x_bi)
    (J3)  d prediction_n / d w_spline_ji = S[n, j] mask_ji sum_m coef_jim B_m(x_bi)
    (J4)  S_{l-1}[n, i] = sum_j S_l[n, j] phi'_ji(x_bi)

Only the live B-splines of (J1) are written down: a row has n_out n_in (degree + 3) entries a layer, in the last layer
n_in (degree + 3), however fine the grid.
"""

from collections.abc import Sequence

import numpy as np

from kan_ref import contraction
from kan_ref.checks import FloatArray, IntArray
from kan_ref.layer import Cache, Layer, edge_slopes
from kan_ref.network import Network
from kan_ref.optimizers.row_sparse import RowSparse


def prediction_jacobian(network: Network, caches: Sequence[Cache], scale: float = 1.0) -> RowSparse:
    """Rows of d (scale * prediction) / d theta, samples first: row b * n_out + o.

    Parameters
    ----------
    network : Network
    caches : sequence of Cache
        From a forward pass; the first may lack slopes.
    scale : float

    Returns
    -------
    jacobian : RowSparse
        (batch * n_out, n_params).

    Notes
    -----
    Implements :eq:`prediction-jacobian` and :eq:`edge-rows`. Memory: 16 bytes an entry.
    """
    batch, n_last = len(caches[0].base), network.widths[-1]
    n_rows, start = batch * n_last, network.n_params
    columns: list[IntArray] = []
    values: list[FloatArray] = []
    sensitivity = np.empty(0)
    for number in range(len(network.layers) - 1, -1, -1):
        layer, cache = network.layers[number], caches[number]
        start -= layer.coef.size + 2 * layer.w_base.size
        places, terms = _edge_rows(layer, cache, start)
        last = number == len(network.layers) - 1
        # [eq:prediction-jacobian]
        if last:
            values.append(scale * terms.reshape(n_rows, layer.n_in * (layer.degree + 3)))
            columns.append(places.reshape(n_rows, layer.n_in * (layer.degree + 3)))
        else:
            upstream = sensitivity.reshape(batch, n_last, layer.n_out, 1, 1)
            n_entries = layer.n_out * layer.n_in * (layer.degree + 3)
            values.append((upstream * terms[:, None]).reshape(n_rows, n_entries))
            columns.append(np.repeat(places.reshape(batch, n_entries), n_last, axis=0))
        if number:
            slopes = edge_slopes(layer, cache)
            if last:
                sensitivity = scale * slopes.reshape(n_rows, layer.n_in)
            else:
                sensitivity = np.einsum("boj,bji->boi", upstream[..., 0, 0], slopes).reshape(n_rows, layer.n_in)
        # [/eq:prediction-jacobian]
    return RowSparse(np.concatenate(columns[::-1], axis=1), np.concatenate(values[::-1], axis=1), network.n_params)


def _edge_rows(layer: Layer, cache: Cache, start: int) -> tuple[IntArray, FloatArray]:
    """Of every edge, places in theta and the terms of (J1), (J2), (J3) without S: two arrays (batch, n_out, n_in, degree + 3)."""
    n_out, n_in, n_basis = layer.coef.shape
    batch, live = len(cache.base), layer.degree + 1
    edge = np.arange(n_out * n_in).reshape(n_out, n_in)
    places = np.empty((batch, n_out, n_in, live + 2), dtype=np.intp)
    terms = np.empty(places.shape)
    # [eq:edge-rows]
    terms[..., :live] = np.moveaxis(cache.bases.values, 0, 2)[:, None] * (layer.mask * layer.w_spline)[:, :, None]
    terms[..., live] = cache.base[:, None] * layer.mask
    terms[..., live + 1] = contraction.edge_sums(layer.coef.reshape(n_out, -1), cache.bases) * layer.mask
    # [/eq:edge-rows]
    rows_of_outputs = n_in * n_basis * np.arange(n_out)[:, None, None]
    places[..., :live] = start + np.moveaxis(cache.bases.places, 0, 2)[:, None] + rows_of_outputs
    places[..., live] = start + layer.coef.size + edge
    places[..., live + 1] = start + layer.coef.size + layer.w_base.size + edge
    return places, terms
